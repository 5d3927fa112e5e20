#![doc = include_str!("../README.md")]

mod block;
mod certificate;
pub mod codec;
mod evidence_id;
mod handover;
mod header;
mod item;
mod network;
mod protocol;
mod receipt;
mod transaction;

pub use block::Block;
pub use certificate::{Certificate, CertificateError};
pub use codec::{CodecError, Raw};
pub use evidence_id::{EvidenceId, EvidenceIdError, EvidenceRef};
pub use handover::{HANDOVERS_MAX, Handover, HandoverError};
pub use header::Header;
pub use network::{Network, NetworkError, VALIDATORS_MAX, Validator, quorum, validators_digest};
pub use protocol::{PROTOCOL_FIRST, PROTOCOL_NEWEST, PROTOCOLS, Protocol};
pub use receipt::{Code, Event, Receipt};
pub use transaction::{
    Call, NONCE_BYTES, Nonce, TRANSACTION_BYTES_MAX, Transaction, TransactionError, TransactionId, VALIDITY_BLOCKS_MAX, sign,
};

/// A block's place in the chain; genesis is 0.
pub type Height = u64;

/// Milliseconds since 1970-01-01T00:00:00Z, as the proposer of a block states it.
pub type Timestamp = u64;

/// What names a network: SHA-256 of its genesis document.
pub type ChainId = [u8; 32];
