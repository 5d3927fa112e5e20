//! Signing keys. They are wiped on drop, and neither `Debug` nor an error ever shows them.

use aws_lc_rs::{
    encoding::{AsBigEndian, EcPublicKeyCompressedBin},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use zeroize::Zeroizing;

use crate::{Algorithm, KeyError, PublicKey, Signature, low_s::lowered};

/// A private key with its public key.
pub struct SigningKey {
    inner: Inner,
    public: PublicKey,
}

#[expect(clippy::large_enum_variant, reason = "a process has few keys, and a secret is better not moved to the heap")]
enum Inner {
    EdDsa(ed25519_zebra::SigningKey),
    Es256(EcdsaKeyPair, Zeroizing<[u8; 32]>),
}

impl SigningKey {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn generate(algorithm: Algorithm) -> Self {
        loop {
            let mut secret = Zeroizing::new([0u8; 32]);
            getrandom::fill(&mut secret[..]).expect("the operating system gives randomness");
            // A P-256 scalar outside [1, n) comes once in 2^32 draws; draw again.
            if let Ok(key) = Self::from_secret(algorithm, &secret) {
                return key;
            }
        }
    }

    /// The key with this 32-byte secret: an Ed25519 seed (RFC 8032) or a big-endian P-256 scalar.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8; 32]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::EdDsa => {
                let key = ed25519_zebra::SigningKey::from(*secret);
                let public = PublicKey::EdDsa(key.verification_key().into());
                Ok(Self { inner: Inner::EdDsa(key), public })
            }
            Algorithm::Es256 => {
                let point = p256_public(secret)?;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, secret, &point)
                    .map_err(|_| KeyError::NotAPoint)?;
                let compressed: EcPublicKeyCompressedBin<'_> =
                    pair.public_key().as_be_bytes().map_err(|_| KeyError::NotAPoint)?;
                let public = PublicKey::parse(compressed.as_ref())?;
                Ok(Self { inner: Inner::Es256(pair, Zeroizing::new(*secret)), public })
            }
        }
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The 32-byte secret, for storing it encrypted.
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        match &self.inner {
            Inner::EdDsa(key) => Zeroizing::new(key.to_bytes()),
            Inner::Es256(_, secret) => secret.clone(),
        }
    }

    /// Signs `message`. Of the two forms of an ES256 signature it makes the low one.
    pub fn sign(&self, message: &[u8]) -> Signature {
        match &self.inner {
            Inner::EdDsa(key) => key.sign(message).into(),
            Inner::Es256(pair, _) => {
                let signature = pair.sign(&SystemRandom::new(), message).expect("a checked P-256 key signs");
                lowered(signature.as_ref().try_into().expect("the fixed form has 64 bytes"))
            }
        }
    }
}

/// The uncompressed public point of a P-256 scalar.
fn p256_public(secret: &[u8; 32]) -> Result<Vec<u8>, KeyError> {
    use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
    let key = PrivateKey::from_private_key(&ECDH_P256, secret).map_err(|_| KeyError::NotAPoint)?;
    Ok(key.compute_public_key().map_err(|_| KeyError::NotAPoint)?.as_ref().to_vec())
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({:?})", self.public)
    }
}
