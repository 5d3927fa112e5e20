//! Hashing a file once for everything a deposit records of it.

use std::io::{self, Read};

use zhulian_crypto::{Digest, Sha256, Sm3Digest};
use zhulian_ledger::merkle;

use crate::FileRecord;

/// Bytes of a chunk; the last one of a file may be shorter.
pub const CHUNK_BYTES: usize = 1 << 20;

/// A file's record and the leaf hashes of its chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedFile {
    /// What a deposit records.
    pub record: FileRecord,
    /// Leaf hash of each chunk, `SHA-256(0x00 ‖ chunk)`.
    pub chunks: Vec<Digest>,
}

/// Takes a file in pieces of any size.
#[derive(Clone)]
pub struct FileHasher {
    sha256: Sha256,
    sm3: Sm3Digest,
    size: u64,
    chunk: Sha256,
    chunk_bytes: usize,
    chunks: Vec<Digest>,
}

impl Default for FileHasher {
    fn default() -> Self {
        Self {
            sha256: Sha256::default(),
            sm3: Sm3Digest::default(),
            size: 0,
            chunk: fresh_leaf(),
            chunk_bytes: 0,
            chunks: Vec::new(),
        }
    }
}

fn fresh_leaf() -> Sha256 {
    let mut hasher = Sha256::default();
    hasher.update(&[0]);
    hasher
}

impl FileHasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sm3.update(bytes);
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.chunk_bytes));
            self.chunk.update(now);
            self.chunk_bytes += now.len();
            if self.chunk_bytes == CHUNK_BYTES {
                self.close_chunk();
            }
            bytes = later;
        }
    }

    fn close_chunk(&mut self) {
        self.chunks.push(std::mem::replace(&mut self.chunk, fresh_leaf()).finish());
        self.chunk_bytes = 0;
    }

    /// The record of everything taken in.
    pub fn finish(mut self) -> HashedFile {
        if self.chunk_bytes > 0 {
            self.close_chunk();
        }
        let record = FileRecord {
            sha256: self.sha256.finish(),
            sm3: self.sm3.finish(),
            size: self.size,
            chunks_root: merkle::root_of_leaves(self.chunks.clone()),
        };
        HashedFile { record, chunks: self.chunks }
    }

    /// Hashes all that `reader` gives, a mebibyte at a time.
    pub fn read(mut reader: impl Read) -> io::Result<HashedFile> {
        let mut hasher = Self::default();
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
