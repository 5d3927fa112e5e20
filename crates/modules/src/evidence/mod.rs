//! Electronic evidence: an office deposits the digests of a file, so that a court can later prove what existed, when, and who
//! vouched for it (人民法院在线诉讼规则 art. 16–19; GB/T 43580-2023; SF/T 0076-2020).
//!
//! # Invariants
//! - **E1** The first deposit of a file stands: it is entry 0 of the file for ever, and a later one is another entry.
//! - **E2** Nothing is deleted. Withdrawal takes a deposit from use and changes only its standing.
//! - **E3** Time and height of a deposit are the block's, never the caller's.
//! - **E4** An organisation has at most one deposit in use of the same file; it deposits again only after withdrawing.
//! - **E5** A deposit of a file that another organisation deposited before succeeds and raises a priority conflict.
//! - **E6** What a court has frozen is not withdrawn, handed over, returned or opened, until the court releases it.
//! - **E7** Only the court that froze evidence in a case releases it from that case.
//! - **E8** No personal plaintext: free text is short, and refused when it seems to hold a personal number.
//! - **E9** The custody history is complete: the state keeps the digest over all its events in order.
//! - **E10** Since protocol 2, what a deposit leaves with a custodian is with an organisation that is admitted and active. (Custody is
//!   recorded by who holds the thing; a mistyped code held it for ever.)
//!
//! A deposit writes one state key in the normal case. The facts of a deposit stay in the archived transaction; the state says
//! only that it is there, whose it is, and how it stands.

mod calls;
mod details;
mod errors;
mod events;
mod queries;
mod rules;
mod state;
#[cfg(test)]
mod tests;
mod types;

use zhulian_execution::{CallEntry, EventEntry, Module, Text};

pub use zhulian_primitives::{EvidenceId, EvidenceIdError, EvidenceRef};
pub use {
    calls::{Deposit, DepositBatch, Freeze, RecordCustody, Unfreeze, Withdraw},
    details::{Details, FieldCommitment, Generation, GenerationField, SourceType, commitment},
    errors::Error,
    events::{BatchDeposited, CustodyRecorded, Deposited, Frozen, PriorityConflict, Unfrozen, Withdrawn},
    queries::{RecordView, batch_state_key, batches, custody_head, entry, entry_state_key, file_state_key, files, record},
    types::{
        BATCH_ENTRIES_MAX, CaseHint, CaseNumber, CustodyKind, Entry, File, FreezeRecord, LegalBasis, Record, Standing,
        Status, Subject, WithdrawReason, Withdrawal,
    },
};

/// The module.
pub static MODULE: Module = Module {
    name: "evidence",
    about: Text {
        en: "Deposits of files' digests, their custody, freezes by courts, and withdrawal from use.",
        zh: "电子证据存证、保管流转、法院冻结与停止使用。",
    },
    cddl: types::CDDL,
    calls: &[
        CallEntry::of::<Deposit>(),
        CallEntry::of::<DepositBatch>(),
        CallEntry::of::<RecordCustody>(),
        CallEntry::of::<Freeze>(),
        CallEntry::of::<Unfreeze>(),
        CallEntry::of::<Withdraw>(),
    ],
    refusals: Error::ALL,
    events: &[
        EventEntry::of::<Deposited>(),
        EventEntry::of::<BatchDeposited>(),
        EventEntry::of::<PriorityConflict>(),
        EventEntry::of::<CustodyRecorded>(),
        EventEntry::of::<Frozen>(),
        EventEntry::of::<Unfrozen>(),
        EventEntry::of::<Withdrawn>(),
    ],
    state: state::CATALOGUE,
};
