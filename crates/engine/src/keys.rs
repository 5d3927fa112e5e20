//! Keys between our bytes and the library's types.

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};

/// The library's form of an Ed25519 public key; `None` if the bytes are no point.
pub(crate) fn public(bytes: &[u8; 32]) -> Option<PublicKey> {
    PublicKey::decode(Copying(bytes)).ok()
}

/// The bytes of a public key.
pub(crate) fn raw(key: &PublicKey) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(key.as_ref());
    bytes
}

/// The library's form of an Ed25519 secret key.
pub(crate) fn private(secret: &[u8; 32]) -> PrivateKey {
    PrivateKey::decode(Copying(secret)).expect("any 32 bytes are an Ed25519 secret")
}
