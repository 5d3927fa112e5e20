//! What the index reads out of the modules' events.

use zhulian_crypto::PublicKey;
use zhulian_execution::Event as _;
use zhulian_modules::{
    evidence::{BatchDeposited, CustodyRecorded, Deposited, Frozen, Unfrozen, Withdrawn},
    identity::KeyRegistered,
};
use zhulian_primitives::Event;

use super::rows::DepositRow;

/// Something the index keeps.
pub(super) enum Fact {
    /// The transaction deposited evidence.
    Deposited {
        /// Where.
        row: DepositRow,
        /// One, or the entries of the batch.
        pieces: u64,
        /// Unified social credit code of the depositor.
        by: String,
    },
    /// Something happened to earlier evidence.
    Evidence([u8; 16]),
    /// A key was registered to a member of an organisation.
    Key(PublicKey, String),
}

/// The fact in an event, if the index keeps any.
pub(super) fn fact(event: &Event) -> Option<Fact> {
    match (event.module.as_str(), event.name.as_str()) {
        ("evidence", Deposited::NAME) => {
            let it = Deposited::of(event)?;
            let row = DepositRow { digest: it.sha256, sequence: it.seq, batch: false };
            Some(Fact::Deposited { row, pieces: 1, by: it.organisation.to_string() })
        }
        ("evidence", BatchDeposited::NAME) => {
            let it = BatchDeposited::of(event)?;
            let row = DepositRow { digest: it.root, sequence: it.seq, batch: true };
            Some(Fact::Deposited { row, pieces: it.count, by: it.organisation.to_string() })
        }
        ("evidence", CustodyRecorded::NAME) => CustodyRecorded::of(event).map(|it| Fact::Evidence(it.id.0)),
        ("evidence", Frozen::NAME) => Frozen::of(event).map(|it| Fact::Evidence(it.id.0)),
        ("evidence", Unfrozen::NAME) => Unfrozen::of(event).map(|it| Fact::Evidence(it.id.0)),
        ("evidence", Withdrawn::NAME) => Withdrawn::of(event).map(|it| Fact::Evidence(it.id.0)),
        ("identity", KeyRegistered::NAME) => {
            let it = KeyRegistered::of(event)?;
            Some(Fact::Key(it.key.0, it.organisation.as_str().into()))
        }
        _ => None,
    }
}
