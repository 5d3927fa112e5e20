//! The network identity: all that a verifier must already trust.

use zhulian_crypto::PublicKey;

use crate::ChainId;

/// A validator as the network identity names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Name of the organisation that runs it, as people know it.
    pub name: String,
    /// Unified social credit code of that organisation.
    pub organisation: String,
    /// Its Ed25519 key for votes.
    pub public_key: [u8; 32],
}

/// The pinned identity of a network: whoever holds it verifies receipts without a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The network's name.
    pub name: String,
    /// SHA-256 of the genesis document.
    pub chain: ChainId,
    /// Validators of epoch 0, sorted by public key.
    pub validators: Vec<Validator>,
}

/// Why a network identity is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No validators.
    #[error("a network has at least one validator")]
    Empty,
    /// Not sorted by public key, or one twice.
    #[error("validators must be distinct and sorted by public key")]
    Order,
    /// A key is not an Ed25519 point.
    #[error("the public key of validator {0} is not an Ed25519 key")]
    Key(usize),
}

impl Network {
    /// Checks what every use relies on.
    pub fn check(&self) -> Result<(), NetworkError> {
        if self.validators.is_empty() {
            return Err(NetworkError::Empty);
        }
        if !self.validators.windows(2).all(|pair| pair[0].public_key < pair[1].public_key) {
            return Err(NetworkError::Order);
        }
        match self.validators.iter().position(|v| PublicKey::parse(&v.public_key).is_err()) {
            Some(index) => Err(NetworkError::Key(index)),
            None => Ok(()),
        }
    }
}

/// Votes that make a quorum of `validators`: all but the `f` that may be faulty, `n = 3f + 1`.
pub fn quorum(validators: usize) -> usize {
    validators - validators.saturating_sub(1) / 3
}
