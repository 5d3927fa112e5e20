/** What an evidence deposit says of a file: the published CBOR shape of its arguments, and of a batch's entries. */
import { CborError, type Reader, decode } from './cbor'

export interface FileRecord {
  sha256: Uint8Array
  sm3: Uint8Array
  size: bigint
  chunksRoot: Uint8Array
}

export interface Entry {
  file: FileRecord
  nameCommitment: Uint8Array | null
}

export type Deposit = { kind: 'file'; file: FileRecord } | { kind: 'batch'; root: Uint8Array; count: bigint }

/** What a call deposits, `null` when it is no deposit; throws when its arguments are not of the published shape. */
export function depositOf(module: string, call: string, args: Uint8Array): Deposit | null {
  if (module !== 'evidence') return null
  if (call === 'deposit') {
    return decode(args, r => {
      r.map(2)
      key(r, 0n)
      r.map(4)
      const file = record(r)
      key(r, 1n)
      r.item()
      return { kind: 'file', file }
    })
  }
  if (call === 'deposit_batch') {
    return decode(args, r => {
      r.map(3)
      key(r, 0n)
      const root = r.bytes(32)
      key(r, 1n)
      const count = r.uint()
      key(r, 2n)
      r.item()
      return { kind: 'batch', root, count }
    })
  }
  return null
}

/** What a case deposited within a transaction: the call that `procedure.call_made` shows in its receipt. There is one at most. */
export function depositByCase(events: { module: string; name: string; data: Uint8Array }[]): Deposit | null {
  for (const { data } of events.filter(event => event.module === 'procedure' && event.name === 'call_made')) {
    const deposit = decode(data, made)
    if (deposit !== null) return deposit
  }
  return null
}

/** `{…, 4: module, 5: call, ? 6: arguments, ? 7: refusal}`. */
function made(r: Reader): Deposit | null {
  let [module, call, refused] = ['', '', false]
  let args: Uint8Array = new Uint8Array()
  for (let left = r.map(); left > 0; left--) {
    const field = r.uint()
    if (field === 4n) module = r.text()
    else if (field === 5n) call = r.text()
    else if (field === 6n) args = r.item()
    else {
      r.item()
      refused ||= field === 7n
    }
  }
  return refused ? null : depositOf(module, call, args)
}

export function decodeEntry(bytes: Uint8Array): Entry {
  return decode(bytes, r => {
    const fields = r.map()
    if (fields !== 4 && fields !== 5) throw new CborError('malformed')
    const file = record(r)
    if (fields === 4) return { file, nameCommitment: null }
    key(r, 4n)
    return { file, nameCommitment: r.bytes(32) }
  })
}

function record(r: Reader): FileRecord {
  key(r, 0n)
  const sha256 = r.bytes(32)
  key(r, 1n)
  const sm3 = r.bytes(32)
  key(r, 2n)
  const size = r.uint()
  key(r, 3n)
  return { sha256, sm3, size, chunksRoot: r.bytes(32) }
}

function key(r: Reader, expected: bigint): void {
  if (r.uint() !== expected) throw new CborError('malformed')
}
