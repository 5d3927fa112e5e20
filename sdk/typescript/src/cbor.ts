/**
 * The CBOR that receipts use, read one way only: deterministic (RFC 8949 §4.2.1). Heads are shortest, lengths definite, keys of maps
 * ascending, text valid UTF-8; of the simple values there are `false`, `true` and `null`.
 */
import { ascii, compare, concat } from './bytes'

/** The bytes are not what was expected, in the one form it has. */
export class CborError extends Error {
  constructor(readonly reason: 'malformed' | 'not_deterministic') {
    super(reason)
  }
}

const malformed = (): never => {
  throw new CborError('malformed')
}

const DEPTH_MAX = 32

export class Reader {
  private at = 0
  /** Whether a head was met in a longer form than needed; what was read stands, and whoever reads must say what follows from it. */
  private longer = false

  constructor(private readonly input: Uint8Array) {}

  /** Ends the reading: all must have been read, and each head in its shortest form. */
  end(): void {
    if (this.longer || this.at !== this.input.length) throw new CborError('not_deterministic')
  }

  uint(max = 0xffff_ffff_ffff_ffffn): bigint {
    const [major, value] = this.head()
    return major === 0 && value <= max ? value : malformed()
  }

  /** A signed number that fits in 64 bits. */
  int(): bigint {
    const [major, value] = this.head()
    if (major > 1 || value > 0x7fff_ffff_ffff_ffffn) malformed()
    return major === 0 ? value : -1n - value
  }

  bytes(length?: number): Uint8Array {
    const taken = this.content(2)
    return length === undefined || taken.length === length ? taken : malformed()
  }

  text(): string {
    return utf8(this.content(3))
  }

  /** The length of an array, which must be `count` if that is given. */
  array(count?: number): number {
    return this.count(4, count)
  }

  map(count?: number): number {
    return this.count(5, count)
  }

  tag(expected: bigint): void {
    const [major, value] = this.head()
    if (major !== 6 || value !== expected) malformed()
  }

  /** Takes `null` if it comes next. */
  takeNull(): boolean {
    if (this.at >= this.input.length) malformed()
    if (this.input[this.at] !== 0xf6) return false
    this.at += 1
    return true
  }

  /** The next item's bytes, only in deterministic form. */
  item(): Uint8Array {
    const start = this.at
    this.at = endOfItem(this.input, start, DEPTH_MAX)
    return this.input.subarray(start, this.at)
  }

  private count(wanted: number, count: number | undefined): number {
    const [major, value] = this.head()
    // No count beyond the bytes that are left can be true, so numbers suffice from here.
    if (major !== wanted || value > BigInt(this.input.length)) return malformed()
    return count === undefined || Number(value) === count ? Number(value) : malformed()
  }

  private content(wanted: number): Uint8Array {
    const [major, value] = this.head()
    if (major !== wanted || value > BigInt(this.input.length - this.at)) return malformed()
    const start = this.at
    this.at += Number(value)
    return this.input.subarray(start, this.at)
  }

  private head(): [number, bigint] {
    const head = readHead(this.input, this.at)
    if (!head.shortest) this.longer = true
    this.at = head.end
    return [head.major, head.value]
  }
}

type Head = { major: number; value: bigint; end: number; shortest: boolean }

function readHead(input: Uint8Array, start: number): Head {
  const first = input[start]
  if (first === undefined) return malformed()
  const [major, info] = [first >> 5, first & 0x1f]
  if (info < 24) return { major, value: BigInt(info), end: start + 1, shortest: true }
  if (info > 27) return malformed()
  const length = 1 << (info - 24)
  const end = start + 1 + length
  if (end > input.length) return malformed()
  let value = 0n
  for (let at = start + 1; at < end; at++) value = (value << 8n) | BigInt(input[at]!)
  const least = length === 1 ? 24n : 1n << BigInt(length * 4)
  return { major, value, end, shortest: value >= least }
}

function endOfItem(input: Uint8Array, start: number, depth: number): number {
  if (depth === 0) return malformed()
  const { major, value, end, shortest } = readHead(input, start)
  if (!shortest) return malformed()
  let at = end
  switch (major) {
    case 0:
    case 1:
      return end
    case 2:
    case 3: {
      if (value > BigInt(input.length - end)) return malformed()
      at = end + Number(value)
      if (major === 3) utf8(input.subarray(end, at))
      return at
    }
    case 4:
      for (let n = 0n; n < value; n++) at = endOfItem(input, at, depth - 1)
      return at
    case 5: {
      let last: Uint8Array | undefined
      for (let n = 0n; n < value; n++) {
        const keyEnd = endOfItem(input, at, depth - 1)
        const key = input.subarray(at, keyEnd)
        if (last !== undefined && compare(key, last) <= 0) return malformed()
        last = key
        at = endOfItem(input, keyEnd, depth - 1)
      }
      return at
    }
    case 6:
      return endOfItem(input, at, depth - 1)
    default:
      return input[start]! >= 0xf4 && input[start]! <= 0xf6 ? end : malformed()
  }
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return malformed()
  }
}

/** Reads the whole of `input` by `read`, and refuses what is left. */
export function decode<T>(input: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(input)
  const value = read(reader)
  reader.end()
  return value
}

const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6 } as const

function head(major: number, value: bigint): Uint8Array {
  const first = major << 5
  if (value < 24n) return Uint8Array.of(first | Number(value))
  const length = value < 1n << 8n ? 1 : value < 1n << 16n ? 2 : value < 1n << 32n ? 4 : 8
  const out = new Uint8Array(1 + length)
  out[0] = first | (24 + Math.log2(length))
  for (let at = length; at > 0; at--) {
    out[at] = Number(value & 0xffn)
    value >>= 8n
  }
  return out
}

/** Encoders of single items and of heads. */
export const encode = {
  bytes: (bytes: Uint8Array): Uint8Array => concat(head(MAJOR.bytes, BigInt(bytes.length)), bytes),
  text: (text: string): Uint8Array => concat(head(MAJOR.text, BigInt(ascii(text).length)), ascii(text)),
  array: (count: number): Uint8Array => head(MAJOR.array, BigInt(count)),
}

/** A value as JSON shows it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** One item as JSON: byte strings as hexadecimal, keys of maps as text, what has no counterpart as hexadecimal CBOR. */
export function itemJson(item: Uint8Array): Json {
  try {
    const [value, end] = json(item, 0)
    if (end === item.length) return value
  } catch {
    // A tag has no JSON form.
  }
  return { cbor: Array.from(item, byte => byte.toString(16).padStart(2, '0')).join('') }
}

function json(input: Uint8Array, start: number): [Json, number] {
  const { major, value, end } = readHead(input, start)
  let at = end
  const count = Number(value)
  switch (major) {
    case 0:
      return [count, end]
    case 1:
      return [Number(-1n - value), end]
    case 2:
      return [Array.from(input.subarray(end, end + count), b => b.toString(16).padStart(2, '0')).join(''), end + count]
    case 3:
      return [utf8(input.subarray(end, end + count)), end + count]
    case 4: {
      const list: Json[] = []
      for (let n = 0; n < count; n++) {
        const [element, next] = json(input, at)
        list.push(element)
        at = next
      }
      return [list, at]
    }
    case 5: {
      const entries: [string, Json][] = []
      for (let n = 0; n < count; n++) {
        const [key, afterKey] = json(input, at)
        const [element, next] = json(input, afterKey)
        entries.push([typeof key === 'string' ? key : JSON.stringify(key), element])
        at = next
      }
      return [Object.fromEntries(entries), at]
    }
    case 7:
      return [input[start] === 0xf6 ? null : input[start] === 0xf5, end]
    default:
      return malformed()
  }
}
