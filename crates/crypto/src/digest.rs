//! Digests: SHA-256 for consensus and proofs, SM3 beside it for the national suite.

use sha2::Digest as _;

/// A 32-byte digest; which function made it is said by the field that holds it.
pub type Digest = [u8; 32];

/// SHA-256 of `bytes` (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> Digest {
    sha2::Sha256::digest(bytes).into()
}

/// SHA-256 of the concatenation of `parts`.
pub fn sha256_parts(parts: &[&[u8]]) -> Digest {
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SM3 of `bytes` (GB/T 32905-2016).
pub fn sm3(bytes: &[u8]) -> Digest {
    sm3::Sm3::digest(bytes).into()
}

/// Incremental SHA-256, for files that do not fit in memory.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

/// Incremental SM3, for files that do not fit in memory.
#[derive(Clone, Default)]
pub struct Sm3Digest(sm3::Sm3);

impl Sm3Digest {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}
