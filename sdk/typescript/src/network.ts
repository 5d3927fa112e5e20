/** The network identity: the one thing a verifier must have got from a source it trusts. */
import { ascii, compare, unhex } from './bytes'
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

const BYTES_MAX = 1 << 20
const EPOCH_MAX = 0xffff_ffff_ffff_ffffn

/** Reads a network identity strictly and checks it. Give the bytes of a file, so that those which are no UTF-8 are refused, too. */
export function parseNetwork(input: string | Uint8Array): Network {
  if (input.length > BYTES_MAX) throw new NetworkError('larger than 1 MiB')
  const text = typeof input === 'string' ? input : utf8(input)
  if (typeof input === 'string' && ascii(text).length > BYTES_MAX) throw new NetworkError('larger than 1 MiB')
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new NetworkError('not JSON')
  }
  const later = typeof file === 'object' && file !== null && 'epoch' in file
  const names = ['format', 'name', 'chain', ...(later ? (['epoch'] as const) : []), 'validators'] as const
  const { format, name, chain, validators } = fields(file, names) as Record<string, unknown>
  if (format !== NETWORK_FORMAT) throw new NetworkError(`the format is not ${NETWORK_FORMAT}`)
  if (!Array.isArray(validators)) throw new NetworkError('validators are not a list')
  // The parser of JSON passes over doubled keys in silence; there must be as many keys as the fields below.
  const keys = [...text.matchAll(/("(?:[^"\\]|\\.)*")(?:\s*:(?=\s*([^\s,}]*)))?/g)].filter(([, , value]) => value !== undefined)
  if (keys.length !== names.length + 3 * validators.length) throw new NetworkError('a doubled field')
  const network = {
    name: string(name),
    chain: digits(chain),
    // As it is written: of a number, the parser tells neither a fraction of nothing nor what is beyond 2^53.
    epoch: later ? number(keys.find(([, key]) => JSON.parse(key!) === 'epoch')?.[2]) : 0n,
    validators: validators.map(validator),
  }
  if (!isGood(network)) throw new NetworkError('validators must be distinct, sorted by public key, 1 to 64, and with valid keys')
  return network
}

function utf8(bytes: Uint8Array): string {
  try {
    // A byte order mark is left in, where no JSON has one.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new NetworkError('not UTF-8')
  }
}

/** A whole number from 1, in the one form that it has. */
function number(written: string | undefined): bigint {
  const value = /^[1-9][0-9]{0,19}$/.test(written ?? '') ? BigInt(written!) : 0n
  if (value === 0n || value > EPOCH_MAX) throw new NetworkError('the epoch is a whole number above zero')
  return value
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
  // Half of a surrogate pair, which an escape can write, is no character.
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) throw new NetworkError('not a text')
  return value
}

function digits(value: unknown): Uint8Array {
  const bytes = unhex(string(value))
  if (bytes?.length !== 32) throw new NetworkError('not 64 lower-case hexadecimal digits')
  return bytes
}
