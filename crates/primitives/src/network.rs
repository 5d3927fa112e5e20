//! The network identity: all that a verifier must already trust.

use minicbor::{Decode, Encode};
use zhulian_crypto::{Digest, PublicKey, sha256};

use crate::{ChainId, codec};

/// Validators that a network has at most; bounds what peers send and receipts carry.
pub const VALIDATORS_MAX: usize = 64;

/// A validator as the network identity names it. Encoded as the CBOR array `[name, organisation, public_key]`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Validator {
    /// Name of the organisation that runs it, as people know it.
    #[n(0)]
    pub name: String,
    /// Unified social credit code of that organisation.
    #[n(1)]
    pub organisation: String,
    /// Its Ed25519 key for votes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub public_key: [u8; 32],
}

/// What a header commits to: SHA-256 over the CBOR array of the validators, which are sorted by public key.
pub fn validators_digest(validators: &[Validator]) -> Digest {
    sha256(&codec::to_bytes(&validators.to_vec()))
}

/// The pinned identity of a network: whoever holds it verifies receipts without a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The network's name.
    pub name: String,
    /// SHA-256 of the genesis document.
    pub chain: ChainId,
    /// The first epoch of its validators: 0, or that of a later identity.
    pub epoch: u64,
    /// The validators from that epoch on, sorted by public key.
    pub validators: Vec<Validator>,
}

/// Why a network identity is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No validators, or too many.
    #[error("a network has 1 to 64 validators")]
    Count,
    /// Not sorted by public key, or one twice.
    #[error("validators must be distinct and sorted by public key")]
    Order,
    /// A key is not an Ed25519 point.
    #[error("the public key of validator {0} is not an Ed25519 key")]
    Key(usize),
}

impl Network {
    /// Digest of its validators, as headers state it.
    pub fn validators_digest(&self) -> Digest {
        validators_digest(&self.validators)
    }

    /// Checks what every use relies on.
    pub fn check(&self) -> Result<(), NetworkError> {
        if !(1..=VALIDATORS_MAX).contains(&self.validators.len()) {
            return Err(NetworkError::Count);
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
