/** Headers, outcomes and certificates: decoding and what is signed. */
import { sha256 } from '@noble/hashes/sha2.js'

import { ascii, concat } from './bytes'
import { type Reader, decode } from './cbor'
import type { Validator } from './network'

const PROTOCOL_FIRST = 1n
const PROTOCOL_NEWEST = 3n

/** Whether this verifier knows a protocol. Those that it knows have the same form of header. */
export const knowsProtocol = (version: bigint): boolean => version >= PROTOCOL_FIRST && version <= PROTOCOL_NEWEST

export interface Header {
  digest: Uint8Array
  version: bigint
  chain: Uint8Array
  height: bigint
  time: bigint
  epoch: bigint
  view: bigint
  parentView: bigint
  parent: Uint8Array
  proposer: Uint8Array
  transactionCount: bigint
  /** Digest of the validators that decide the next block. */
  validators: Uint8Array
  transactionsRoot: Uint8Array
  receiptsRoot: Uint8Array
}

/** The version alone, so that a later form of header is named as such and not called damaged. */
export function headerVersion(reader: Reader): bigint {
  reader.array()
  return reader.uint(0xffffn)
}

export function decodeHeader(bytes: Uint8Array): Header {
  return decode(bytes, r => {
    r.array(17)
    const header = {
      digest: sha256(bytes),
      version: r.uint(0xffffn),
      chain: r.bytes(32),
      height: r.uint(),
      time: r.uint(),
      epoch: r.uint(),
      view: r.uint(),
      parentView: r.uint(),
      parent: r.bytes(32),
      proposer: r.bytes(32),
      transactionCount: r.uint(),
      validators: r.bytes(32),
      transactionsRoot: r.bytes(32),
      receiptsRoot: r.bytes(32),
    }
    // State root, sync root and the sync range: for nodes.
    r.bytes(32)
    r.bytes(32)
    r.uint()
    r.uint()
    return header
  })
}

export interface Code {
  module: string
  number: number
}

export interface Event {
  module: string
  name: string
  data: Uint8Array
}

export interface Outcome {
  transaction: Uint8Array
  refusal: Code | null
  events: Event[]
}

export function decodeOutcome(bytes: Uint8Array): Outcome {
  return decode(bytes, r => {
    r.array(3)
    const transaction = r.bytes(32)
    let refusal: Code | null = null
    if (!r.takeNull()) {
      r.array(2)
      refusal = { module: r.text(), number: Number(r.uint(0xffffn)) }
    }
    const events: Event[] = []
    for (let count = r.array(); count > 0; count--) {
      r.array(3)
      events.push({ module: r.text(), name: r.text(), data: r.item() })
    }
    return { transaction, refusal, events }
  })
}

export interface Certificate {
  epoch: bigint
  view: bigint
  parentView: bigint
  block: Uint8Array
  signatures: { validator: number; signature: Uint8Array }[]
}

export function decodeCertificate(bytes: Uint8Array): Certificate {
  return decode(bytes, r => {
    r.array(5)
    const certificate: Certificate = { epoch: r.uint(), view: r.uint(), parentView: r.uint(), block: r.bytes(32), signatures: [] }
    for (let count = r.array(); count > 0; count--) {
      r.array(2)
      certificate.signatures.push({ validator: Number(r.uint(0xffff_ffffn)), signature: r.bytes(64) })
    }
    return certificate
  })
}

/** The validators of a handover: `[[name, organisation, public_key]…]`. */
export function decodeValidators(bytes: Uint8Array): Validator[] {
  return decode(bytes, r => {
    const validators: Validator[] = []
    for (let count = r.array(); count > 0; count--) {
      r.array(3)
      validators.push({ name: r.text(), organisation: r.text(), publicKey: r.bytes(32) })
    }
    return validators
  })
}

/** What each validator signed: `varint(|namespace|) ‖ namespace ‖ varint(epoch) ‖ varint(view) ‖ varint(parent_view) ‖ block`. */
export function finalizeMessage(certificate: Certificate, chain: Uint8Array): Uint8Array {
  const namespace = concat(ascii('zhulian'), chain, ascii('_FINALIZE'))
  const { epoch, view, parentView, block } = certificate
  return concat(varint(BigInt(namespace.length)), namespace, varint(epoch), varint(view), varint(parentView), block)
}

/** LEB128: seven bits a byte, least significant first. */
function varint(value: bigint): Uint8Array {
  const out: number[] = []
  while (value >= 0x80n) {
    out.push(Number(value & 0x7fn) | 0x80)
    value >>= 7n
  }
  return Uint8Array.of(...out, Number(value))
}
