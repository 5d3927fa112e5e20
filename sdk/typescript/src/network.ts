/** The network identity: the one thing a verifier must have got from a source it trusts. */
import { compare, unhex } from './bytes'
import { parseKey } from './keys'

export const NETWORK_FORMAT = 'zhulian-network/1'

/** Validators that a network has at most. */
const VALIDATORS_MAX = 64

export interface Validator {
  name: string
  organisation: string
  publicKey: Uint8Array
}

export interface Network {
  name: string
  chain: Uint8Array
  /** The first epoch of its validators: 0, or that of a later identity. */
  epoch: bigint
  /** Sorted by public key. */
  validators: Validator[]
}

export class NetworkError extends Error {
  override readonly name = 'NetworkError'
}

/** Reads a network identity strictly and checks it. */
export function parseNetwork(text: string): Network {
  if (text.length > 1 << 20) throw new NetworkError('larger than 1 MiB')
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new NetworkError('not JSON')
  }
  const later = typeof file === 'object' && file !== null && 'epoch' in file
  const names = ['format', 'name', 'chain', ...(later ? (['epoch'] as const) : []), 'validators'] as const
  const { format, name, chain, epoch, validators } = fields(file, names) as Record<string, unknown>
  if (format !== NETWORK_FORMAT) throw new NetworkError(`the format is not ${NETWORK_FORMAT}`)
  if (!Array.isArray(validators)) throw new NetworkError('validators are not a list')
  // The parser of JSON passes over doubled keys in silence; there must be as many keys as the fields below.
  const keys = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined).length
  if (keys !== names.length + 3 * validators.length) throw new NetworkError('a doubled field')
  if (later && !(Number.isSafeInteger(epoch) && (epoch as number) > 0)) throw new NetworkError('the epoch is a number above zero')
  const from = BigInt((epoch as number | undefined) ?? 0)
  const network = { name: string(name), chain: digits(chain), epoch: from, validators: validators.map(validator) }
  if (!isGood(network)) throw new NetworkError('validators must be distinct, sorted by public key, 1 to 64, and with valid keys')
  return network
}

function validator(entry: unknown): Validator {
  const { name, organisation, public_key } = fields(entry, ['name', 'organisation', 'public_key'])
  return { name: string(name), organisation: string(organisation), publicKey: digits(public_key) }
}

/** What every use of a network relies on. */
export function isGood({ validators, chain }: Network): boolean {
  const sorted = validators.every((v, i) => i === 0 || compare(validators[i - 1]!.publicKey, v.publicKey) < 0)
  const keys = validators.every(v => parseKey(v.publicKey)?.algorithm === 'EdDSA')
  return validators.length > 0 && validators.length <= VALIDATORS_MAX && sorted && keys && chain.length === 32
}

/** Votes that make a quorum: all but the `f` that may be faulty, `n = 3f + 1`. */
export const quorum = (validators: number): number => validators - Math.floor((validators - 1) / 3)

function fields<K extends string>(value: unknown, names: readonly K[]): Record<K, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NetworkError('not an object')
  const found = Object.keys(value)
  if (found.length !== names.length || !names.every(name => found.includes(name))) {
    throw new NetworkError(`expected exactly the fields ${names.join(', ')}`)
  }
  return value as Record<K, unknown>
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new NetworkError('not a text')
  return value
}

function digits(value: unknown): Uint8Array {
  const bytes = unhex(string(value))
  if (bytes?.length !== 32) throw new NetworkError('not 64 lower-case hexadecimal digits')
  return bytes
}
