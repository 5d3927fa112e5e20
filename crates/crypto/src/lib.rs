#![doc = include_str!("../README.md")]

mod batch;
mod digest;
mod hashing;
mod key;
mod low_s;
mod signing;

pub use batch::{Signed, verify_batch};
pub use digest::{Digest, Sha256, Sm3Digest, sha256, sha256_parts, sm3};
pub use hashing::{DigestHasher, DigestState};
pub use key::{Algorithm, KeyError, PublicKey};
pub use low_s::{is_low_s, other_s};
pub use signing::SigningKey;

/// Bytes of a signature of every supported algorithm: `R ‖ s` for EdDSA, `r ‖ s` for ES256.
pub const SIGNATURE_BYTES: usize = 64;

/// A raw signature, 64 bytes for every supported algorithm.
pub type Signature = [u8; SIGNATURE_BYTES];
