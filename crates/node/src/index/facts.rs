//! What the index reads out of the modules' events.

use zhulian_crypto::PublicKey;
use zhulian_primitives::{Event, TransactionId};

use super::rows::{DepositRow, Holder};

/// Something the index keeps.
pub(super) enum Fact {
    /// The transaction deposited evidence.
    Deposited {
        row: DepositRow,
        /// One, or the entries of the batch.
        pieces: u64,
    },
    /// Something happened to earlier evidence.
    Evidence([u8; 16]),
    /// An organisation was admitted.
    Organisation(String),
    /// A key was registered.
    Key(PublicKey, Holder),
    /// A motion was moved by an organisation.
    Motion(String),
}

/// The facts in an event.
pub(super) fn facts(_: &TransactionId, _: &Event) -> Vec<Fact> {
    Vec::new()
}
