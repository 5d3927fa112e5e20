/** SM3 (GB/T 32905-2016), incremental. */

const IV = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e]
const BLOCK = 64

const rotate = (x: number, n: number): number => (x << n) | (x >>> (32 - n))
const p0 = (x: number): number => x ^ rotate(x, 9) ^ rotate(x, 17)
const p1 = (x: number): number => x ^ rotate(x, 15) ^ rotate(x, 23)

/** `T_j` of clause 5.3.3, rotated by j. */
const T = Int32Array.from({ length: 64 }, (_, j) => rotate(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32))

export class Sm3 {
  private readonly state = Int32Array.from(IV)
  private readonly block = new Uint8Array(BLOCK)
  private readonly w = new Int32Array(68)
  private filled = 0
  private total = 0

  update(bytes: Uint8Array): this {
    this.total += bytes.length
    let at = 0
    while (at < bytes.length) {
      const take = Math.min(BLOCK - this.filled, bytes.length - at)
      this.block.set(bytes.subarray(at, at + take), this.filled)
      this.filled += take
      at += take
      if (this.filled === BLOCK) this.compress()
    }
    return this
  }

  digest(): Uint8Array {
    const bits = BigInt(this.total) * 8n
    const zeros = (BLOCK + 55 - (this.total % BLOCK)) % BLOCK
    const padding = new Uint8Array(1 + zeros + 8)
    padding[0] = 0x80
    new DataView(padding.buffer).setBigUint64(1 + zeros, bits)
    this.update(padding)
    const out = new DataView(new ArrayBuffer(32))
    this.state.forEach((word, i) => out.setInt32(4 * i, word))
    return new Uint8Array(out.buffer)
  }

  private compress(): void {
    const { w, state, block } = this
    const view = new DataView(block.buffer)
    for (let j = 0; j < 16; j++) w[j] = view.getInt32(4 * j)
    for (let j = 16; j < 68; j++) {
      w[j] = p1(w[j - 16]! ^ w[j - 9]! ^ rotate(w[j - 3]!, 15)) ^ rotate(w[j - 13]!, 7) ^ w[j - 6]!
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
    for (let j = 0; j < 64; j++) {
      const a12 = rotate(a, 12)
      const ss1 = rotate((a12 + e + T[j]!) | 0, 7)
      const ss2 = ss1 ^ a12
      const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c)
      const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g)
      const tt1 = (ff + d + ss2 + (w[j]! ^ w[j + 4]!)) | 0
      const tt2 = (gg + h + ss1 + w[j]!) | 0
      d = c
      c = rotate(b, 9)
      b = a
      a = tt1
      h = g
      g = rotate(f, 19)
      f = e
      e = p0(tt2)
    }
    ;[a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i]! ^= word
    })
    this.filled = 0
  }
}
