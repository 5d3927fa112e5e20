//! Public keys and single verification.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use ed25519_zebra::VerificationKey;

use crate::Signature;

/// A signature algorithm by its COSE number (RFC 9053, IANA "COSE Algorithms").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum Algorithm {
    /// Ed25519 under the ZIP-215 rule; COSE `EdDSA`, −8.
    EdDsa = -8,
    /// ECDSA on P-256 with SHA-256; COSE `ES256`, −7.
    Es256 = -7,
}

impl Algorithm {
    /// The algorithm with this COSE number.
    pub fn from_cose(id: i64) -> Option<Self> {
        match id {
            -8 => Some(Self::EdDsa),
            -7 => Some(Self::Es256),
            _ => None,
        }
    }

    /// Its COSE number.
    pub fn cose(self) -> i8 {
        self as i8
    }

    /// Its name as COSE writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }
}

/// Why bytes are no public key, or a text names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// An Ed25519 key has 32 bytes, a compressed P-256 point 33.
    #[error("a public key has 32 bytes (EdDSA) or 33 bytes (ES256, compressed point)")]
    Length,
    /// The bytes are not a point of the curve.
    #[error("the bytes are not a point of the curve")]
    NotAPoint,
}

/// A public key: 32 bytes for Ed25519, the 33-byte compressed SEC1 point for P-256.
///
/// Invariant: a valid point of its curve. The length tells the algorithm, so the bytes alone name the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicKey {
    /// An Ed25519 key.
    EdDsa([u8; 32]),
    /// A P-256 key, compressed.
    Es256([u8; 33]),
}

impl PublicKey {
    /// Parses the bytes and checks that they are a point of the curve.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
            VerificationKey::try_from(raw).map_err(|_| KeyError::NotAPoint)?;
            return Ok(Self::EdDsa(raw));
        }
        let raw = <[u8; 33]>::try_from(bytes).map_err(|_| KeyError::Length)?;
        if !matches!(raw[0], 2 | 3) {
            return Err(KeyError::NotAPoint);
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &raw[..]).parse().map_err(|_| KeyError::NotAPoint)?;
        Ok(Self::Es256(raw))
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::EdDsa(raw) => raw,
            Self::Es256(raw) => raw,
        }
    }

    /// The algorithm it verifies.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Es256(_) => Algorithm::Es256,
        }
    }

    /// Whether `signature` over `message` is valid: ZIP-215 for Ed25519, SEC1 ECDSA for P-256.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        match self {
            Self::EdDsa(raw) => VerificationKey::try_from(*raw)
                .and_then(|key| key.verify(&ed25519_zebra::Signature::from(*signature), message))
                .is_ok(),
            Self::Es256(raw) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &raw[..]).verify(message, signature).is_ok()
            }
        }
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{self}", self.algorithm().name())
    }
}

impl std::str::FromStr for PublicKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(&hex::decode(text).map_err(|_| KeyError::Length)?)
    }
}
