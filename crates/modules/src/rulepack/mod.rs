//! Rule packs: decisions (DMN), rates, calendars and document lists that the organisations vote in, with their legal basis, their
//! versions and the days they are in force; and decisions made by them, each naming the version and the facts, so that an appeal
//! re-runs it to the same bytes.
//!
//! # Invariants
//! - **P1** A pack is named by the SHA-256 of its manifest, which names every byte of its files; the state holds them all.
//! - **P2** What is drafted compiles under the strict profile of the rules engine: no gaps, no silent null, nothing that could
//!   differ between nodes. Nothing else is ever enacted.
//! - **P3** Only a carried motion enacts or annuls a version; versions are 1, 2, 3, … and each takes effect later than the one before.
//! - **P4** Between a motion being carried and its version taking effect lies at least the notice that the version before
//!   demands (the first version's own): a notice period cannot be shortened without notice.
//! - **P5** Until it takes effect a version can be annulled, afterwards never: what was decided by it stays explicable.
//! - **P6** A decision is made on exactly the facts it needs, and never on a null that nobody said.
//! - **P7** A case keeps the version in force when it was opened, unless the pack says that the latest one holds.
//! - **P8** No personal plaintext: private facts are commitments beside the least that must be disclosed.

mod cache;
mod calls;
mod enact;
mod errors;
mod events;
mod pack;
mod queries;
mod rules;
mod state;
#[cfg(test)]
mod tests;
mod types;

use zhulian_execution::{CallEntry, EventEntry, Module, Text};

pub(crate) use enact::{annul, enact, may_annul, may_enact};
pub use {
    calls::{Decide, Draft, StagePart},
    enact::{decide, in_force, load, record},
    errors::Error,
    events::{Annulled, Decided, Drafted, Enacted, PartStaged},
    pack::{DECISION_GAS, Document, Pack, PackError, day_of, documents},
    queries::{
        CalendarEnd, VersionView, calendar_ends, file, manifest, manifest_state_key, pack, packs, version, version_in_force,
        version_state_key, versions,
    },
    types::{Fact, Hit, Item, ItemKind, Keeps, Manifest, PART_BYTES_MAX, PackId, PartId, Version, parts_of},
};

/// The module.
pub static MODULE: Module = Module {
    name: "rulepack",
    about: Text {
        en: "Rule packs with versions and notice, and decisions made by them.",
        zh: "规则包的版本、公示期与生效，以及依规则包作出的决定。",
    },
    cddl: types::CDDL,
    calls: &[CallEntry::of::<StagePart>(), CallEntry::of::<Draft>(), CallEntry::of::<Decide>()],
    refusals: Error::ALL,
    events: &[
        EventEntry::of::<PartStaged>(),
        EventEntry::of::<Drafted>(),
        EventEntry::of::<Enacted>(),
        EventEntry::of::<Annulled>(),
        EventEntry::of::<Decided>(),
    ],
    state: state::CATALOGUE,
};
