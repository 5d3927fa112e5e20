/** The shared vectors, and small helpers of the tests. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { type Network, Refused, parseNetwork, verifyReceipt } from '@zhulian/verify'

// The tests run as dist/test/*.mjs.
const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../vectors/${name}`, import.meta.url)), 'utf8')
const list = <T>(name: string): T[] => JSON.parse(read(name)) as T[]

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

export const networkText = read('network.json')
export const network: Network = parseNetwork(networkText)
export const valid = list<{ name: string; receipt: string; facts: unknown }>('valid.json')
export const forged = list<{ name: string; base: string; at: number; remove: number; insert: string; code: string }>('forged.json')
export const mutated = list<[base: string, field: string, offset: number, xor: number, code: string]>('mutated.json')
export const identities = list<{ name: string; text: string; pad?: [hex: string, times: number]; accepted: boolean; epoch?: string }>('identities.json')
export const checks = list<{
  receipt: string
  file: { hex?: string; generated?: number; flips: [at: number, xor: number][] }
  answer: string
  fields: string[]
  chunks: number[] | null
}>('checks.json')

export function receipt(name: string): Uint8Array {
  const found = valid.find(vector => vector.name === name)
  if (found === undefined) throw new Error(`no valid receipt ${name}`)
  return bytes(found.receipt)
}

/** The code with which a receipt is refused; `accepted` when it is not. Any other error is the verifier's fault. */
export function verdict(input: Uint8Array, under = network): string {
  try {
    verifyReceipt(under, input)
    return 'accepted'
  } catch (error) {
    if (error instanceof Refused) return error.code
    throw error
  }
}

/** The bytes of an identity: its text, in which `@` stands for other bytes so and so many times. */
export function identity({ text, pad }: (typeof identities)[number]): Uint8Array {
  const [before, after] = pad === undefined ? [text, ''] : text.split('@')
  return new Uint8Array(Buffer.concat([Buffer.from(before!), Buffer.from(pad?.[0].repeat(pad[1]) ?? '', 'hex'), Buffer.from(after!)]))
}

export function file(vector: (typeof checks)[number]['file']): Uint8Array {
  const size = vector.generated
  const out =
    size === undefined
      ? bytes(vector.hex!)
      : Uint8Array.from({ length: size }, (_, i) => (31 * i) ^ (i >> 8) ^ (i >> 16) ^ size)
  for (const [at, xor] of vector.flips) out[at]! ^= xor
  return out
}
