/** Hashing a file once for everything a deposit records of it. */
import { sha256 } from '@noble/hashes/sha2.js'

import type { FileRecord } from './deposit'
import { rootOfLeaves } from './merkle'
import { Sm3 } from './sm3'

/** Bytes of a chunk; the last one of a file may be shorter. */
export const CHUNK_BYTES = 1 << 20

export interface HashedFile {
  record: FileRecord
  /** Leaf hash of each chunk, `SHA-256(0x00 ‖ chunk)`. */
  chunks: Uint8Array[]
}

const freshLeaf = () => sha256.create().update(Uint8Array.of(0))

/** Takes a file in pieces of any size. */
export class FileHasher {
  private readonly sha256 = sha256.create()
  private readonly sm3 = new Sm3()
  private readonly chunks: Uint8Array[] = []
  private chunk = freshLeaf()
  private chunkBytes = 0
  private size = 0

  update(bytes: Uint8Array): this {
    this.sha256.update(bytes)
    this.sm3.update(bytes)
    this.size += bytes.length
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + CHUNK_BYTES - this.chunkBytes)
      this.chunk.update(piece)
      this.chunkBytes += piece.length
      at += piece.length
      if (this.chunkBytes === CHUNK_BYTES) this.closeChunk()
    }
    return this
  }

  finish(): HashedFile {
    if (this.chunkBytes > 0) this.closeChunk()
    const { chunks } = this
    return {
      record: {
        sha256: this.sha256.digest(),
        sm3: this.sm3.digest(),
        size: BigInt(this.size),
        chunksRoot: rootOfLeaves(chunks),
      },
      chunks,
    }
  }

  private closeChunk(): void {
    this.chunks.push(this.chunk.digest())
    this.chunk = freshLeaf()
    this.chunkBytes = 0
  }
}

/** A file's content: bytes, a browser's `Blob` or `File`, or a stream of pieces. */
export type FileSource = Uint8Array | Blob | AsyncIterable<Uint8Array>

/** Hashes a file of any size, a mebibyte in memory at a time; `progress` is told the bytes done. */
export async function hashFile(source: FileSource, progress?: (bytes: number) => void): Promise<HashedFile> {
  const hasher = new FileHasher()
  let done = 0
  for await (const piece of pieces(source)) {
    hasher.update(piece)
    done += piece.length
    progress?.(done)
  }
  return hasher.finish()
}

async function* pieces(source: FileSource): AsyncIterable<Uint8Array> {
  if (source instanceof Uint8Array) {
    yield source
  } else if (source instanceof Blob) {
    // Slices rather than a stream: not every browser lets a stream be iterated.
    for (let at = 0; at < source.size; at += CHUNK_BYTES) {
      yield new Uint8Array(await source.slice(at, at + CHUNK_BYTES).arrayBuffer())
    }
  } else {
    yield* source
  }
}
