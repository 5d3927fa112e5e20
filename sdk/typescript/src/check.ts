/** The public check of a file: exactly three answers. */
import { hex } from './bytes'
import { type FileSource, type HashedFile, hashFile } from './file'
import type { Network } from './network'
import { type FileFacts, type Verified, fileFacts, fileOf, verifyReceipt } from './verify'

export type Field = 'size' | 'sha256' | 'sm3' | 'chunks_root'

export type Answer =
  /** The file is, byte for byte, the one that was deposited. */
  | { answer: 'verified'; facts: Verified }
  /** The receipt is good, but what it proves is no deposit of a file: another call, a refused one, or a batch without its entry. */
  | { answer: 'not_deposited'; facts: Verified }
  /** A file was deposited, and it is not this one. */
  | { answer: 'mismatch'; facts: Verified; mismatch: Mismatch }

export interface Mismatch {
  deposited: FileFacts
  found: FileFacts
  /** Which facts differ; not empty. */
  fields: Field[]
  /** Which chunks of 1 MiB differ, from 0 and ascending, among them those that one of the files lacks; `null` when the receipt carries none. */
  chunks: number[] | null
}

/**
 * Verifies a receipt, reads a file, and tells whether it is what was deposited.
 * @throws Refused when the receipt proves nothing, before a byte of the file is read
 */
export async function checkFile(
  network: Network,
  receipt: Uint8Array,
  file: FileSource,
  progress?: (bytes: number) => void,
): Promise<Answer> {
  const facts = verifyReceipt(network, receipt)
  if (fileOf(facts) === null) return { answer: 'not_deposited', facts }
  return checkRecord(facts, await hashFile(file, progress))
}

/** The same for a receipt that is verified and a file that is hashed already. */
export function checkRecord(facts: Verified, given: HashedFile): Answer {
  const deposited = fileOf(facts)
  if (deposited === null) return { answer: 'not_deposited', facts }
  const found = fileFacts(given.record)
  const fields = (['size', 'sha256', 'sm3', 'chunks_root'] as const).filter(field => deposited[field] !== found[field])
  if (fields.length === 0) return { answer: 'verified', facts }
  return { answer: 'mismatch', facts, mismatch: { deposited, found, fields, chunks: differing(facts.chunks, given) } }
}

function differing(expected: string[] | null, given: HashedFile): number[] | null {
  if (expected === null) return null
  const found = given.chunks.map(hex)
  const length = Math.max(expected.length, found.length)
  return Array.from({ length }, (_, i) => i).filter(i => expected[i] !== found[i])
}
