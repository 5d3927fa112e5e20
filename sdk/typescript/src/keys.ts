/** Public keys and signatures, under the rules by which the ledger accepted them. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'

export type PublicKey = { algorithm: 'EdDSA' | 'ES256'; bytes: Uint8Array }

/** 32 bytes are an Ed25519 key, 33 a compressed P-256 point; `undefined` when they are no point of their curve. */
export function parseKey(bytes: Uint8Array): PublicKey | undefined {
  try {
    if (bytes.length === 32) {
      ed25519.Point.fromBytes(bytes, true)
      return { algorithm: 'EdDSA', bytes }
    }
    if (bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3)) {
      p256.Point.fromBytes(bytes)
      return { algorithm: 'ES256', bytes }
    }
  } catch {
    // Not a point.
  }
  return undefined
}

export const coseAlgorithm = (key: PublicKey): bigint => (key.algorithm === 'EdDSA' ? -8n : -7n)

/**
 * ZIP-215 for Ed25519; for P-256 both `s` and `n − s` are accepted, as SEC 1 has it. Since protocol 3 the ledger executes only the lower of
 * the two; what it refused or executed before has its receipt all the same.
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return key.algorithm === 'EdDSA'
      ? ed25519.verify(signature, message, key.bytes, { zip215: true })
      : p256.verify(signature, message, key.bytes, { prehash: true, lowS: false, format: 'compact' })
  } catch {
    return false
  }
}
