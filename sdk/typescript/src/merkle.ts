/** Merkle trees of RFC 9162 §2.1. */
import { sha256 } from '@noble/hashes/sha2.js'

import { concat } from './bytes'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export const leaf = (entry: Uint8Array): Uint8Array => sha256(concat(LEAF, entry))
const node = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(concat(NODE, left, right))

/** The root over leaf hashes; a lone last node rises unchanged. */
export function rootOfLeaves(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array())
  let level = leaves
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i]!, level[i + 1]]
      next.push(right === undefined ? left : node(left, right))
    }
    level = next
  }
  return level[0]!
}

/** The root to which a leaf and its audit path lead (§2.1.3.2); `undefined` when the path does not fit the place. */
export function rootFromPath(hash: Uint8Array, index: bigint, size: bigint, path: Uint8Array[]): Uint8Array | undefined {
  if (index >= size) return undefined
  let [first, last] = [index, size - 1n]
  for (const sibling of path) {
    if (last === 0n) return undefined
    if ((first & 1n) === 1n || first === last) {
      hash = node(sibling, hash)
      while ((first & 1n) === 0n && first !== 0n) {
        first >>= 1n
        last >>= 1n
      }
    } else {
      hash = node(hash, sibling)
    }
    first >>= 1n
    last >>= 1n
  }
  return last === 0n ? hash : undefined
}
