//! Reads for the gateway and for auditors.

use zhulian_crypto::{Digest, sha256_parts};
use zhulian_execution::Event;
use zhulian_ledger::Key;

use super::{
    events::CustodyRecorded,
    state,
    types::{Record, Standing, Subject},
};
use crate::source::{Source, load};

/// A deposit with its place among the deposits of the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    /// Which deposit it is, from 0.
    pub seq: u32,
    /// Its record.
    pub record: Record,
}

/// Deposits of a file by its SHA-256, first to last; empty when it is not deposited.
pub fn files(source: &impl Source, sha256: &Digest) -> Vec<RecordView> {
    let count = load(source, &state::FILE, &(*sha256, 0)).map_or(0, |first| first.deposits);
    let one = |seq| Some(RecordView { seq, record: load(source, &state::FILE, &(*sha256, seq))? });
    (0..count).filter_map(one).collect()
}

/// Deposits of a batch by its root, first to last; empty when it is not deposited.
pub fn batches(source: &impl Source, root: &Digest) -> Vec<RecordView> {
    let count = load(source, &state::BATCH, &(*root, 0)).map_or(0, |first| first.deposits);
    let one = |seq| Some(RecordView { seq, record: load(source, &state::BATCH, &(*root, seq))? });
    (0..count).filter_map(one).collect()
}

/// The deposit that a subject is, or is an entry of.
pub fn record(source: &impl Source, subject: &Subject) -> Option<Record> {
    match *subject {
        Subject::File(sha256, seq) => load(source, &state::FILE, &(sha256, seq)),
        Subject::Batch(root, seq) | Subject::Entry(root, seq, _) => load(source, &state::BATCH, &(root, seq)),
    }
}

/// How an entry of a batch stands, with what holds for the whole batch; `None` when there is no such entry.
pub fn entry(source: &impl Source, root: &Digest, seq: u32, entry: u32) -> Option<Standing> {
    let batch = load(source, &state::BATCH, &(*root, seq))?;
    batch.entries.filter(|entries| u64::from(entry) < *entries)?;
    let whole = batch.standing;
    let Some(mut own) = load(source, &state::ENTRY, &(*root, seq, entry)) else { return Some(whole) };
    own.freezes.extend(whole.freezes);
    own.withdrawn = own.withdrawn.or(whole.withdrawn);
    Some(own)
}

/// The custody digest after these events, in order, which the record's must equal (E9).
pub fn custody_head(events: &[CustodyRecorded]) -> Option<Digest> {
    events
        .iter()
        .fold(None, |head: Option<Digest>, event| Some(sha256_parts(&[&head.unwrap_or_default(), &event.record().data.0])))
}

/// State key of the n-th deposit of a file. That there is no entry 0 proves that the file is not deposited.
pub fn file_state_key(sha256: &Digest, seq: u32) -> Key {
    state::FILE.key(&(*sha256, seq))
}

/// State key of the n-th deposit of a batch.
pub fn batch_state_key(root: &Digest, seq: u32) -> Key {
    state::BATCH.key(&(*root, seq))
}

/// State key of an entry's standing; absent as long as nothing happened to it.
pub fn entry_state_key(root: &Digest, seq: u32, entry: u32) -> Key {
    state::ENTRY.key(&(*root, seq, entry))
}
