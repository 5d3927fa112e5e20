//! Maps in memory whose keys are digests, or public keys.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::OnceLock,
};

/// Hashes keys that are digests or public keys already, by folding 16 of their bytes with secret numbers: as quick as can be, and nobody can choose
/// digests that collide without knowing the numbers.
#[derive(Clone, Copy)]
pub struct DigestState([u64; 2]);

impl Default for DigestState {
    fn default() -> Self {
        static SECRET: OnceLock<[u64; 2]> = OnceLock::new();
        Self(*SECRET.get_or_init(|| [RandomState::new().hash_one(0), RandomState::new().hash_one(1)]))
    }
}

impl DigestState {
    /// 64 bits that stand for the digest within this process.
    pub fn fingerprint(self, digest: &[u8; 32]) -> u64 {
        fold(self.0, digest)
    }
}

fn fold(secret: [u64; 2], digest: &[u8]) -> u64 {
    let word = |at: usize| digest.get(at..at + 8).map_or(0, |b| u64::from_le_bytes(b.try_into().expect("8 bytes")));
    let product = u128::from(word(0) ^ secret[0]) * u128::from(word(8) ^ secret[1]);
    (product >> 64) as u64 ^ product as u64
}

impl BuildHasher for DigestState {
    type Hasher = DigestHasher;
    fn build_hasher(&self) -> DigestHasher {
        DigestHasher { secret: self.0, hash: 0 }
    }
}

/// The hasher of [`DigestState`].
pub struct DigestHasher {
    secret: [u64; 2],
    hash: u64,
}

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.hash ^= fold(self.secret, bytes);
    }
    // The length of an array, always the same.
    fn write_usize(&mut self, _: usize) {}
    fn finish(&self) -> u64 {
        self.hash
    }
}
