/** The transaction: an RFC 9052 COSE_Sign1 whose payload is a call. */
import { sha256 } from '@noble/hashes/sha2.js'

import { ascii, concat, equal } from './bytes'
import { CborError, Reader, encode } from './cbor'
import { type PublicKey, coseAlgorithm, parseKey, verifySignature } from './keys'
import { Refused, demand } from './refusal'

export const TRANSACTION_BYTES_MAX = 64 * 1024
const NAME_LEN_MAX = 32

export interface Transaction {
  id: Uint8Array
  signer: PublicKey
  module: string
  call: string
  args: Uint8Array
}

/** Decodes strictly, and checks network and signature. */
export function verifiedTransaction(bytes: Uint8Array, chain: Uint8Array): Transaction {
  demand(bytes.length <= TRANSACTION_BYTES_MAX, 'transaction.too_large')
  const readers: Reader[] = []
  const reader = (input: Uint8Array): Reader => {
    readers.push(new Reader(input))
    return readers.at(-1)!
  }
  const parts = coded(() => split(bytes, reader))
  const signer = parseKey(parts.kid)
  demand(signer !== undefined, 'transaction.malformed_key')
  demand(parts.algorithm === coseAlgorithm(signer), 'transaction.unknown_algorithm')
  // What was read in any but the shortest form, and whatever follows, comes last in the order of refusals.
  coded(() => readers.forEach(reader => reader.end()))
  demand(equal(parts.chain, chain), 'transaction.wrong_chain')
  const signed = concat(
    encode.array(4),
    encode.text('Signature1'),
    encode.bytes(parts.protectedHeader),
    encode.bytes(chain),
    encode.bytes(parts.payload),
  )
  demand(verifySignature(signer, signed, parts.signature), 'transaction.bad_signature')
  return { id: sha256(bytes), signer, module: parts.module, call: parts.call, args: parts.args }
}

function split(bytes: Uint8Array, reader: (input: Uint8Array) => Reader) {
  const outer = reader(bytes)
  outer.tag(18n)
  outer.array(4)
  const protectedHeader = outer.bytes()
  outer.map(0)
  const payload = outer.bytes()
  const signature = outer.bytes(64)

  const header = reader(protectedHeader)
  header.map(2)
  key(header.uint(), 1n)
  const algorithm = header.int()
  key(header.uint(), 4n)
  const kid = header.bytes()

  const call = reader(payload)
  call.map(6)
  key(call.text(), 'args')
  const args = call.item()
  key(call.text(), 'call')
  const name = call.text()
  key(call.text(), 'chain')
  const chain = call.bytes(32)
  key(call.text(), 'nonce')
  call.bytes(16)
  key(call.text(), 'module')
  const module = call.text()
  key(call.text(), 'valid_until')
  call.uint()
  for (const text of [name, module]) {
    const { length } = ascii(text)
    if (length === 0 || length > NAME_LEN_MAX) throw new CborError('malformed')
  }
  return { protectedHeader, payload, signature, algorithm, kid, args, call: name, chain, module }
}

function key<T>(found: T, expected: T): void {
  if (found !== expected) throw new CborError('malformed')
}

function coded<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CborError) throw new Refused(`transaction.${error.reason}`)
    throw error
  }
}
