//! What the gateway needs of a node. The node implements it; the gateway knows HTTP and nothing else.
//!
//! The division of work: the backend gives raw, finalised facts (blocks, state values, proofs) and answers of its index (ids and
//! places, never the records themselves). The gateway reads the records from the state through the modules' own read functions, so
//! that what it serves is what the state root commits to, and an index that is behind can only leave something out.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{future::BoxFuture, stream::BoxStream};
use zhulian_api::view::{ProtocolView, UpgradeView};
use zhulian_crypto::{Digest, PublicKey};
use zhulian_execution::Role;
use zhulian_ledger::{Key, Value};
use zhulian_modules::{
    governance::{ProtocolPlan, Upgrade},
    procedure::{CaseId, Outcome as CaseOutcome},
};
use zhulian_primitives::{
    Block, Certificate, Code, Event, EvidenceId, Handover, Header, Height, Network, Protocol, Receipt, Timestamp,
    TransactionId,
};
use zhulian_verify::BatchEntry;

/// An asynchronous answer of a backend.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, BackendError>>;

/// Why a backend cannot answer at all. What does not exist is no error but `None`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The node has no readable state yet: it starts or fetches the state from others.
    #[error("the node is starting or fetching the state from other nodes")]
    NotReady,
    /// Too much is asked at once.
    #[error("the node is overloaded")]
    Overloaded,
    /// The node is going down.
    #[error("the node is stopping")]
    Stopping,
    /// Stored data failed its check, and is not served.
    #[error("stored data is damaged and not served: {0}")]
    Damaged(String),
    /// The block was moved to the node's archive, which is not there.
    #[error("block {0} was moved to this node's archive, which cannot be read now")]
    Archived(Height),
    /// Anything else. The text is for the log, and holds no user's data.
    #[error("{0}")]
    Internal(String),
}

/// A node as the gateway sees it. Every answer is about finalised blocks only, except [`submit`](Backend::submit) and the
/// pending transactions.
pub trait Backend: Send + Sync + 'static {
    /// The network's identity.
    fn network(&self) -> &Network;

    /// How the node is. Answers at once, also while nothing else can be answered.
    fn status(&self) -> NodeStatus;

    /// Takes transactions into the mempool: one answer for each, in order. The same bytes may be submitted again at any time; the
    /// answer is then [`Submission::Taken`], too.
    fn submit(&self, transactions: Vec<Bytes>) -> Answer<'_, Vec<Submission>>;

    /// Where a transaction stands. [`BackendError::NotReady`] where it is unknown to an index that lacks final blocks.
    fn transaction(&self, id: TransactionId) -> Answer<'_, TransactionState>;

    /// Waits until the transaction is in a terminal state, or the time is up, and gives its state then. One that is unknown is waited for a
    /// moment, too: it may have been submitted to another node.
    fn wait(&self, id: TransactionId, timeout: Duration) -> Answer<'_, TransactionState>;

    /// The finalised block at a height.
    fn block(&self, height: Height) -> Answer<'_, Option<Arc<Block>>>;

    /// Proof that the block at a height is final.
    fn finality(&self, height: Height) -> Answer<'_, Option<Finality>>;

    /// The RFC 9942 receipt of a finalised transaction, signed with the node's key.
    fn cose_receipt(&self, id: TransactionId) -> Answer<'_, Option<Vec<u8>>>;

    /// State values at one finalised height, in the order of the keys.
    fn get(&self, keys: Vec<Key>) -> Answer<'_, (Header, Vec<Option<Value>>)>;

    /// A state value, or its absence, with a proof.
    fn prove(&self, key: Key) -> Answer<'_, StateProof>;

    /// Finalised transactions, newest first.
    fn transactions(&self, filter: TransactionFilter, page: Page) -> Answer<'_, Vec<TransactionRow>>;

    /// Deposited evidence, newest first; entries of a batch only where the filter asks for a digest.
    fn evidence(&self, filter: EvidenceFilter, page: Page) -> Answer<'_, Vec<EvidenceRow>>;

    /// The deposit with this number; [`BackendError::NotReady`] where an index that lacks final blocks knows of none.
    fn find_evidence(&self, id: EvidenceId) -> Answer<'_, Option<EvidenceRow>>;

    /// All that happened to a piece of evidence, oldest first, its deposit included.
    fn evidence_history(&self, id: EvidenceId) -> Answer<'_, Vec<HistoryRow>>;

    /// An entry of a batch whose entries were uploaded to this node, with its path to the root that the ledger has of it, as it has
    /// `count`. What does not lead there is [`BackendError::Damaged`], and dropped.
    fn batch_entry(&self, batch: TransactionId, index: u64, root_and_count: (Digest, u64))
    -> Answer<'_, Option<BatchEntry>>;

    /// Keeps the entries of a batch. The gateway has checked that they are well formed and give the root on chain.
    fn put_batch_entries(&self, batch: TransactionId, root: Digest, entries: Vec<Bytes>) -> Answer<'_, ()>;

    /// How many batches of the ledger this node cannot look into, having no entries of them that it knows to be whole.
    /// That there are none only an index without a gap up to the last final block can say; otherwise [`BackendError::NotReady`].
    fn batches_lacking(&self) -> Answer<'_, u64>;

    /// Cases, the latest opened first, before one by its place among all ([`CaseId::ordinal`]).
    fn cases(&self, filter: CaseFilter, before: Option<u64>, limit: usize) -> Answer<'_, Vec<CaseId>>;

    /// Cases in which tasks may wait for an organisation, the latest opened first, before one by its place among all. The state knows
    /// better: a period may have been extended, and the index be behind.
    fn cases_with_tasks(&self, filter: TaskFilter, before: Option<u64>, limit: usize) -> Answer<'_, Vec<CaseId>>;

    /// What happened to a case, oldest first, after a place; the item of a place is the number of the event + 1.
    fn case_history(&self, case: CaseId, after: Option<PagePosition>, limit: usize) -> Answer<'_, Vec<HistoryRow>>;

    /// Decisions by a rule pack, newest first; the item of a place is the number of the event + 1.
    fn decisions(&self, filter: DecisionFilter, page: Page) -> Answer<'_, Vec<HistoryRow>>;

    /// Digests of the manifests drafted of a rule pack, newest first.
    fn drafts(&self, pack: String, limit: usize) -> Answer<'_, Vec<Digest>>;

    /// Motions to enact one of these manifests of a pack, or to annul a version of it, oldest first.
    fn pack_motions(&self, pack: String, manifests: Vec<Digest>) -> Answer<'_, Vec<PackMotion>>;

    /// Every block that is finalised from now on, in order and without gaps.
    fn subscribe(&self) -> BoxStream<'static, Arc<Block>>;

    /// The node's metrics in the text format of OpenMetrics or Prometheus; the gateway adds its own and makes it one text.
    fn metrics(&self) -> Answer<'_, String>;
}

/// What became of a submitted transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// It waits for a block, or has been in one already.
    Taken(TransactionId),
    /// It can never be executed, or not now; the code says why. The id is absent when the bytes are no transaction.
    Refused(Option<TransactionId>, Code),
    /// No room in the mempool; the same bytes may be submitted again.
    MempoolFull(TransactionId),
    /// The signer's organisation holds its whole share of the mempool; the same bytes may be submitted again.
    ShareFull(TransactionId),
}

/// Where a transaction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// Never heard of, or forgotten before it was in a block.
    Unknown,
    /// Waits for a block.
    Pending,
    /// In a finalised block; its receipt may hold a refusal.
    Finalised(Box<Outcome>),
    /// Dropped before any block: it can no longer be executed.
    Dropped(Code),
}

/// The outcome of a finalised transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where it is.
    pub position: Position,
    /// Time of the block.
    pub time: Timestamp,
    /// Its receipt.
    pub receipt: Receipt,
}

/// The place of a transaction in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Height of the block.
    pub height: Height,
    /// Index in the block, from 0.
    pub index: u32,
}

/// Proof that a block is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finality {
    /// Headers in order of height, each the parent of the next; the first is the block's own, the last is certified.
    pub headers: Vec<Header>,
    /// Certificate of the last header.
    pub certificate: Certificate,
    /// How the validators of genesis handed over to those that signed it.
    pub handovers: Vec<Handover>,
}

/// A state value with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// The header whose `state_root` the proof leads to.
    pub header: Header,
    /// The value; `None` proves that there is none.
    pub value: Option<Value>,
    /// The proof's bytes, for the verifier of state proofs.
    pub proof: Vec<u8>,
}

/// A part of a list, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only what lies before this place; `None` starts at the newest.
    pub before: Option<PagePosition>,
    /// At most so many.
    pub limit: usize,
}

/// A place in a list: that of the transaction, and for lists with several items of one transaction the item's number in it
/// (a batch entry's index + 1; 0 otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PagePosition {
    /// The transaction.
    pub position: Position,
    /// The item.
    pub item: u64,
}

/// Which transactions are asked for. Every given condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Unified social credit code of the signer's organisation.
    pub organisation: Option<String>,
    /// The called module.
    pub module: Option<String>,
    /// Block time at or after this.
    pub from: Option<Timestamp>,
    /// Block time before this.
    pub to: Option<Timestamp>,
}

/// A finalised transaction as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionRow {
    /// Its id.
    pub id: TransactionId,
    /// Its place.
    pub position: Position,
    /// Time of its block.
    pub time: Timestamp,
    /// The called module.
    pub module: String,
    /// The call.
    pub call: String,
    /// Unified social credit code of the signer's organisation; `None` when the key was not registered.
    pub organisation: Option<String>,
    /// Why it was refused, if it was.
    pub refusal: Option<Code>,
}

/// Which evidence is asked for. Every given condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceFilter {
    /// SHA-256 of the file.
    pub sha256: Option<Digest>,
    /// That there is none with the digest is to be said only by an index that has all that is final; otherwise
    /// [`BackendError::NotReady`].
    pub certain: bool,
    /// Unified social credit code of the depositor.
    pub organisation: Option<String>,
    /// Block time at or after this.
    pub from: Option<Timestamp>,
    /// Block time before this.
    pub to: Option<Timestamp>,
}

/// A deposit, or an entry of a batch deposit, as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRow {
    /// The transaction that deposited it; its first 16 bytes are the evidence id.
    pub transaction: TransactionId,
    /// Its place.
    pub position: Position,
    /// Time of its block.
    pub time: Timestamp,
    /// Unified social credit code of the depositor.
    pub organisation: String,
    /// Where the record is in the state.
    pub place: EvidencePlace,
}

/// Where a record is in the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidencePlace {
    /// One file: its SHA-256, and which deposit of that file it is, from 0.
    File {
        /// SHA-256 of the file.
        sha256: Digest,
        /// Which deposit of the file.
        sequence: u32,
    },
    /// A batch: its root, and which deposit of that root it is, from 0.
    Batch {
        /// RFC 9162 root over the entries.
        root: Digest,
        /// Which deposit of the root.
        sequence: u32,
        /// For an entry of the batch, its index.
        entry: Option<u64>,
    },
}

/// Something that happened to a piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The transaction.
    pub transaction: TransactionId,
    /// Its place.
    pub position: Position,
    /// Time of its block.
    pub time: Timestamp,
    /// Unified social credit code of the organisation that did it.
    pub organisation: String,
    /// Number of the event in its receipt.
    pub number: u32,
    /// What happened.
    pub event: Event,
}

/// How a case must stand to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    /// It runs.
    Open,
    /// It has ended.
    Closed,
    /// It has ended so.
    Ended(CaseOutcome),
}

/// Which cases are asked for. Every given condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Unified social credit code of the organisation that leads it.
    pub organisation: Option<String>,
    /// The pack.
    pub pack: Option<String>,
    /// The process, with its pack: `pack/process`.
    pub procedure: Option<String>,
    /// How it stands.
    pub state: Option<CaseState>,
    /// Its period ends before this. The index may give cases whose period was extended beyond; the state knows.
    pub due_before: Option<Timestamp>,
}

/// Which tasks are asked for. Every given condition must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFilter {
    /// Unified social credit code of the organisation whose duty they are.
    pub organisation: String,
    /// The role in it.
    pub role: Option<Role>,
    /// The rule pack of their cases.
    pub pack: Option<String>,
    /// What is late by then is its supervisor's duty, too.
    pub now: Timestamp,
}

/// Which decisions of a rule pack are asked for. Every given condition must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionFilter {
    /// The pack.
    pub pack: String,
    /// The version that decided.
    pub version: Option<u32>,
    /// The decision.
    pub decision: Option<String>,
}

/// A motion about a rule pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackMotion {
    /// Its number.
    pub motion: u32,
    /// The manifest that it enacts.
    pub manifest: Option<Digest>,
    /// The version that it annuls.
    pub annuls: Option<u32>,
}

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opens its store, or asks others where they are.
    Starting,
    /// Fetches the state from others.
    Syncing,
    /// Executes blocks and votes.
    Running,
}

/// Another validator as the node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its Ed25519 key.
    pub public_key: [u8; 32],
    /// When it was last heard, by the node's clock; `None` if never since the start.
    pub last_seen: Option<Timestamp>,
    /// Whether it was heard within the last seconds.
    pub connected: bool,
    /// The last block it has executed; `None` while it has not said.
    pub height: Option<Height>,
    /// Its clock minus the node's, in milliseconds.
    pub clock_skew_ms: i64,
    /// Contradictory votes seen of it.
    pub misbehaviour: u64,
}

/// A key that is due for replacement by the organisation's own rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDue {
    /// The key.
    pub key: PublicKey,
    /// The member that holds it, by its pseudonym.
    pub member: String,
    /// Whole days until it is due; negative when it is overdue.
    pub days_left: i64,
}

/// A node's archive of old blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Blocks up to this height are in it, proven.
    pub archived: Height,
    /// Why nothing more goes there at the moment.
    pub problem: Option<String>,
}

/// How long a calendar of working days in force still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarDue {
    /// The rule pack.
    pub pack: String,
    /// The last day that it holds, `2026-12-31`.
    pub last_day: String,
    /// Days until that day, by block time; negative when it is over.
    pub days_left: i64,
}

/// The disk that a node stores on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that the node uses.
    pub used_bytes: u64,
    /// Bytes that are free.
    pub free_bytes: u64,
    /// Whole days until none are, if it goes on as in the last days; `None` while that is not known, or not in sight.
    pub full_in_days: Option<u64>,
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// How far it has come.
    pub phase: Phase,
    /// Its own Ed25519 key, if it is a validator.
    pub public_key: Option<[u8; 32]>,
    /// The last finalised block whose state it can read.
    pub height: Option<Height>,
    /// Time of that block.
    pub time: Option<Timestamp>,
    /// Digest of that block.
    pub block: Option<Digest>,
    /// Time of the network's genesis.
    pub genesis_time: Timestamp,
    /// Consensus epoch.
    pub epoch: u64,
    /// The network with every set of validators since genesis, by first epoch; not empty.
    pub sets: Vec<Network>,
    /// Consensus view.
    pub view: u64,
    /// Ed25519 key of the view's leader.
    pub leader: Option<[u8; 32]>,
    /// The other validators.
    pub peers: Vec<Peer>,
    /// Others that were heard: validators to be, that follow already, and former ones.
    pub followers: Vec<Peer>,
    /// Whether the node has listened to them for so short a time that it says nothing not to have heard one.
    pub settling: bool,
    /// Transactions in the mempool.
    pub mempool_transactions: u64,
    /// Their bytes.
    pub mempool_bytes: u64,
    /// Bytes that the mempool takes at most.
    pub mempool_bytes_max: u64,
    /// Height up to which the index is complete.
    pub indexed_height: Height,
    /// Finalised transactions since genesis.
    pub transactions: u64,
    /// Pieces of evidence deposited since genesis, entries of batches counted one by one.
    pub evidence: u64,
    /// Stored records that were found damaged and are not served.
    pub damage: Vec<String>,
    /// The disk that the node stores on; `None` before it was looked at.
    pub disk: Option<Disk>,
    /// Its archive of old blocks, if it has one.
    pub archive: Option<Archive>,
    /// Keys of members of the node's organisation that are due for replacement, the most urgent first.
    pub keys_due: Vec<KeyDue>,
    /// What was voted about protocols.
    pub protocols: ProtocolPlan,
    /// The newest protocol that the node executes.
    pub protocol_known: Protocol,
    /// Calendars of working days in force, the one that ends first before the others.
    pub calendars: Vec<CalendarDue>,
    /// The node's version.
    pub version: String,
    /// What keeps the network from going on, if something does: in plain English, naming who.
    pub stall: Option<String>,
}

impl NodeStatus {
    /// The protocol of the next block, what the node knows, and what is to come.
    pub fn protocol(&self) -> ProtocolView {
        self.protocol_after(self.height.unwrap_or(0))
    }

    /// The same when `height` is the last block.
    pub fn protocol_after(&self, height: Height) -> ProtocolView {
        let next = height + 1;
        let upgrade = |it: Upgrade| UpgradeView { protocol: it.protocol, height: it.height };
        ProtocolView {
            in_force: self.protocols.at(next),
            known: self.protocol_known,
            next: self.protocols.after(next).map(upgrade),
        }
    }

    /// The network with the validators of an epoch.
    pub fn network(&self, epoch: u64) -> &Network {
        let found = self.sets.iter().rev().find(|set| set.epoch <= epoch);
        found.or(self.sets.first()).expect("there is always the set of genesis")
    }
}
