//! What the index reads out of the modules' events.

use zhulian_crypto::PublicKey;
use zhulian_execution::Event as _;
use zhulian_modules::identity::{KeyRegistered, OrganisationAdmitted};
use zhulian_primitives::Event;

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

/// The fact in an event, if the index keeps any.
pub(super) fn fact(event: &Event) -> Option<Fact> {
    match event.module.as_str() {
        "identity" => identity(event),
        _ => None,
    }
}

fn identity(event: &Event) -> Option<Fact> {
    if let Some(it) = OrganisationAdmitted::of(event) {
        return Some(Fact::Organisation(it.organisation.as_str().into()));
    }
    let it = KeyRegistered::of(event)?;
    let holder = Holder { organisation: it.organisation.as_str().into(), member: it.member.as_str().into() };
    Some(Fact::Key(it.key.0, holder))
}
