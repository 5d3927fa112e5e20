//! A node in memory, over the real execution and the real modules: four validators' keys sign real certificates, so that what the
//! gateway hands out verifies. It stands in for consensus, network and disk only.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream::BoxStream};
use tokio::sync::{broadcast, watch};
use zhulian_crypto::{Digest, PublicKey, SigningKey};
use zhulian_execution::{Event as _, Executor};
use zhulian_gateway::*;
use zhulian_ledger::{BlockContext, Key, Value, merkle};
use zhulian_modules::{
    governance::{self, Action, MotionOpened},
    procedure::{CaseClosed, CaseId, CaseOpened, case_of},
    rulepack::{Decided, Drafted},
};
use zhulian_primitives::{
    Block, Certificate, Code, Event, EvidenceId, Header, Network, PROTOCOL_FIRST, PROTOCOL_NEWEST, Receipt, Transaction,
    TransactionError, TransactionId, VALIDITY_BLOCKS_MAX,
};
use zhulian_verify::{BatchEntry, CoseStatement, Entry, Inclusion, ReceiptFile};

/// Time of the genesis.
pub const GENESIS_TIME: u64 = 1_767_225_600_000;
/// Transactions that the pool takes, few enough for tests to fill it.
const POOL_MAX: usize = 1_500;

/// The organisation of a key, by the state.
type OrganisationOf = fn(&dyn Fn(&Key) -> Option<Value>, &PublicKey) -> Option<String>;

/// How the index reads the events of the modules.
pub struct Reader {
    /// The organisation of a key, by the state.
    pub organisation: OrganisationOf,
    /// What a transaction's events add to the index.
    pub index: fn(&mut Index, &Row, &[Event]),
}

/// A transaction, for the index.
#[derive(Clone)]
pub struct Row {
    pub id: TransactionId,
    pub position: Position,
    pub time: u64,
    pub organisation: Option<String>,
}

/// The lists of the index.
#[derive(Default)]
pub struct Index {
    pub transactions: Vec<TransactionRow>,
    pub evidence: Vec<EvidenceRow>,
    pub history: BTreeMap<[u8; 16], Vec<HistoryRow>>,
    /// Every event of cases, rule packs and motions.
    pub events: Vec<HistoryRow>,
    pub entries: BTreeMap<TransactionId, Vec<Bytes>>,
}

struct Inner {
    state: BTreeMap<Key, Value>,
    blocks: Vec<Arc<Block>>,
    certificates: Vec<Certificate>,
    outcomes: HashMap<TransactionId, Outcome>,
    dropped: HashMap<TransactionId, Code>,
    held: Option<TransactionId>,
    pool: Vec<(TransactionId, Vec<u8>)>,
    index: Index,
    phase: Phase,
    peers_height: Option<Option<u64>>,
}

pub struct Memory {
    executor: Executor,
    reader: Reader,
    network: Network,
    keys: Vec<SigningKey>,
    inner: Mutex<Inner>,
    live: broadcast::Sender<Arc<Block>>,
    tip: watch::Sender<u64>,
}

impl Memory {
    pub fn new(
        executor: Executor,
        genesis: BTreeMap<Key, Value>,
        network: Network,
        keys: Vec<SigningKey>,
        reader: Reader,
    ) -> Self {
        let inner = Inner {
            state: genesis,
            blocks: Vec::new(),
            certificates: Vec::new(),
            outcomes: HashMap::new(),
            dropped: HashMap::new(),
            held: None,
            pool: Vec::new(),
            index: Index::default(),
            phase: Phase::Running,
            peers_height: None,
        };
        let (live, _) = broadcast::channel(1024);
        Self { executor, reader, network, keys, inner: Mutex::new(inner), live, tip: watch::channel(0).0 }
    }

    /// Transactions that wait for a block.
    pub fn waiting(&self) -> usize {
        self.inner.lock().unwrap().pool.len()
    }

    pub fn set_phase(&self, phase: Phase) {
        self.inner.lock().unwrap().phase = phase;
    }

    /// The other validators say this height instead of the own one.
    pub fn set_peers_height(&self, height: Option<u64>) {
        self.inner.lock().unwrap().peers_height = Some(height);
    }

    /// Keeps a transaction out of blocks, as a proposer might, until it expires.
    pub fn hold(&self, id: zhulian_api::Hex32) {
        self.inner.lock().unwrap().held = Some(TransactionId(id.0));
    }

    pub fn height(&self) -> u64 {
        *self.tip.borrow()
    }

    /// Makes a block every few milliseconds while transactions wait.
    pub fn run(self: &Arc<Self>) {
        let memory = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let Some(memory) = memory.upgrade() else { return };
                if !memory.inner.lock().unwrap().pool.is_empty() {
                    memory.produce();
                }
            }
        });
    }

    /// Makes one block of all that waits.
    pub fn produce(&self) -> Arc<Block> {
        let mut inner = self.inner.lock().unwrap();
        let inner = &mut *inner;
        let parent = inner.blocks.last().map(|block| block.header.clone());
        let height = inner.blocks.len() as u64 + 1;
        let time = GENESIS_TIME + height * 1_000;
        let view = height + 1;
        let parent_digest = parent.as_ref().map_or(self.network.chain, Header::digest);
        let proposer = self.network.validators[(height % 4) as usize].public_key;
        let context = BlockContext { chain: self.network.chain, height, time, parent: parent_digest, proposer };
        let mut transactions = Vec::new();
        for (id, bytes) in std::mem::take(&mut inner.pool) {
            if Transaction::decode(&bytes).expect("checked at submission").call.valid_until < height {
                inner.dropped.insert(id, code(TransactionError::Expired));
            } else if inner.held == Some(id) {
                inner.pool.push((id, bytes));
            } else {
                transactions.push(bytes);
            }
        }
        let outcome = self.executor.execute(&context, &transactions, |key| inner.state.get(key).cloned()).expect("known");
        for (key, value) in outcome.writes {
            match value {
                Some(value) => inner.state.insert(key, value),
                None => inner.state.remove(&key),
            };
        }
        let header = Header {
            version: outcome.protocol,
            chain: self.network.chain,
            height,
            time,
            epoch: 0,
            view,
            parent_view: parent.map_or(0, |parent| parent.view),
            parent: parent_digest,
            proposer,
            transaction_count: transactions.len() as u64,
            validators: self.network.validators_digest(),
            transactions_root: merkle::root(&transactions),
            receipts_root: merkle::root(&outcome.receipts),
            state_root: merkle::root_of_leaves(state_leaves(&inner.state)),
            sync_root: [0; 32],
            sync_start: 0,
            sync_end: 0,
        };
        let mut certificate =
            Certificate { epoch: 0, view, parent_view: header.parent_view, block: header.digest(), signatures: Vec::new() };
        let message = certificate.message(&self.network.chain);
        // Three of four, never the same three.
        for (index, key) in self.keys.iter().enumerate().filter(|(index, _)| *index as u64 != height % 4) {
            certificate.signatures.push((index as u32, key.sign(&message)));
        }
        let block = Arc::new(Block { header, transactions, receipts: outcome.receipts });
        inner.blocks.push(block.clone());
        inner.certificates.push(certificate);
        self.observe(inner, &block);
        let _ = self.live.send(block.clone());
        self.tip.send_replace(height);
        block
    }

    /// The last header; that of genesis before there is a block.
    fn tip_header(&self, inner: &Inner) -> Header {
        inner.blocks.last().map_or_else(
            || Header {
                version: PROTOCOL_FIRST,
                chain: self.network.chain,
                height: 0,
                time: GENESIS_TIME,
                epoch: 0,
                view: 0,
                parent_view: 0,
                parent: [0; 32],
                proposer: [0; 32],
                transaction_count: 0,
                validators: self.network.validators_digest(),
                transactions_root: merkle::root::<Vec<u8>>(&[]),
                receipts_root: merkle::root::<Vec<u8>>(&[]),
                state_root: merkle::root_of_leaves(state_leaves(&inner.state)),
                sync_root: [0; 32],
                sync_start: 0,
                sync_end: 0,
            },
            |block| block.header.clone(),
        )
    }

    fn observe(&self, inner: &mut Inner, block: &Block) {
        for (index, (bytes, receipt)) in block.transactions.iter().zip(&block.receipts).enumerate() {
            let transaction = Transaction::decode(bytes).expect("in a block");
            let receipt = Receipt::decode(receipt).expect("our own");
            let position = Position { height: block.header.height, index: index as u32 };
            let time = block.header.time;
            let state = |key: &Key| inner.state.get(key).cloned();
            let organisation = (self.reader.organisation)(&state, &transaction.signer);
            let row = Row { id: transaction.id, position, time, organisation: organisation.clone() };
            inner.index.transactions.push(TransactionRow {
                id: transaction.id,
                position,
                time,
                module: transaction.call.module.into(),
                call: transaction.call.call.into(),
                organisation,
                refusal: receipt.refusal.clone(),
            });
            (self.reader.index)(&mut inner.index, &row, &receipt.events);
            for (number, event) in (0..).zip(&receipt.events) {
                if ["procedure", "rulepack", "governance"].contains(&event.module.as_str()) {
                    let Row { id, position, time, .. } = row.clone();
                    let organisation = row.organisation.clone().unwrap_or_default();
                    let event = event.clone();
                    inner.index.events.push(HistoryRow { transaction: id, position, time, organisation, number, event });
                }
            }
            inner.outcomes.entry(transaction.id).or_insert(Outcome { position, time, receipt });
        }
    }

    fn take(&self, inner: &mut Inner, bytes: &Bytes) -> Submission {
        let transaction = match Transaction::decode(bytes) {
            Ok(transaction) => transaction,
            Err(error) => return Submission::Refused(None, code(error)),
        };
        let id = transaction.id;
        if inner.outcomes.contains_key(&id) || inner.pool.iter().any(|(waiting, _)| *waiting == id) {
            return Submission::Taken(id);
        }
        let height = inner.blocks.len() as u64;
        let checked = transaction.verify(&self.network.chain).map_err(code).and_then(|()| {
            if transaction.call.valid_until <= height {
                return Err(code(TransactionError::Expired));
            }
            if transaction.call.valid_until > height + VALIDITY_BLOCKS_MAX {
                return Err(code(TransactionError::ValidTooLong));
            }
            self.executor.prepare(&transaction).refusal().map_or(Ok(()), |code| Err(code.clone()))
        });
        if let Err(code) = checked {
            return Submission::Refused(Some(id), code);
        }
        if inner.pool.len() >= POOL_MAX {
            return Submission::MempoolFull(id);
        }
        inner.pool.push((id, bytes.to_vec()));
        Submission::Taken(id)
    }

    fn state_of(&self, id: &TransactionId) -> TransactionState {
        let inner = self.inner.lock().unwrap();
        if let Some(outcome) = inner.outcomes.get(id) {
            return TransactionState::Finalised(Box::new(outcome.clone()));
        }
        if let Some(code) = inner.dropped.get(id) {
            return TransactionState::Dropped(code.clone());
        }
        match inner.pool.iter().any(|(waiting, _)| waiting == id) {
            true => TransactionState::Pending,
            false => TransactionState::Unknown,
        }
    }

    fn ready(&self) -> Result<(), BackendError> {
        match self.inner.lock().unwrap().phase {
            Phase::Running => Ok(()),
            _ => Err(BackendError::NotReady),
        }
    }
}

fn code(error: TransactionError) -> Code {
    Code { module: "transaction".into(), number: error as u16 }
}

fn state_leaves(state: &BTreeMap<Key, Value>) -> Vec<Digest> {
    state.iter().map(|(key, value)| merkle::leaf(&[&key[..], value].concat())).collect()
}

fn paged<T: Clone>(rows: &[T], page: Page, at: impl Fn(&T) -> PagePosition, wanted: impl Fn(&T) -> bool) -> Vec<T> {
    let mut rows: Vec<T> =
        rows.iter().filter(|row| page.before.is_none_or(|before| at(row) < before) && wanted(row)).cloned().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(at(row)));
    rows.truncate(page.limit);
    rows
}

fn within(time: u64, from: Option<u64>, to: Option<u64>) -> bool {
    from.is_none_or(|from| time >= from) && to.is_none_or(|to| time < to)
}

fn entry_of(row: &EvidenceRow) -> u64 {
    match row.place {
        EvidencePlace::Batch { entry: Some(entry), .. } => entry + 1,
        _ => 0,
    }
}

fn event_at(row: &HistoryRow) -> PagePosition {
    PagePosition { position: row.position, item: u64::from(row.number) + 1 }
}

macro_rules! answer {
    ($self:ident, $body:expr) => {{
        let result = $self.ready().and_then(|()| $body);
        async move { result }.boxed()
    }};
}

impl Backend for Memory {
    fn network(&self) -> &Network {
        &self.network
    }

    fn status(&self) -> NodeStatus {
        let inner = self.inner.lock().unwrap();
        let tip = inner.blocks.last();
        NodeStatus {
            phase: inner.phase,
            public_key: Some(self.network.validators[0].public_key),
            height: tip.map(|block| block.header.height),
            time: tip.map(|block| block.header.time),
            block: tip.map(|block| block.header.digest()),
            genesis_time: GENESIS_TIME,
            epoch: 0,
            sets: vec![self.network.clone()],
            view: inner.blocks.len() as u64 + 2,
            leader: Some(self.network.validators[1].public_key),
            peers: self.network.validators[1..]
                .iter()
                .map(|validator| Peer {
                    public_key: validator.public_key,
                    last_seen: Some(GENESIS_TIME),
                    connected: true,
                    height: inner.peers_height.unwrap_or(Some(inner.blocks.len() as u64)),
                    clock_skew_ms: -3,
                    misbehaviour: 0,
                })
                .collect(),
            followers: Vec::new(),
            settling: false,
            mempool_transactions: inner.pool.len() as u64,
            mempool_bytes: inner.pool.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
            mempool_bytes_max: 64 << 20,
            indexed_height: inner.blocks.len() as u64,
            transactions: inner.index.transactions.len() as u64,
            evidence: inner.index.evidence.len() as u64,
            damage: Vec::new(),
            disk: None,
            archive: None,
            keys_due: Vec::new(),
            protocols: governance::protocol_plan(&|key: &Key| inner.state.get(key).cloned()),
            protocol_known: PROTOCOL_NEWEST,
            calendars: Vec::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            stall: None,
        }
    }

    fn submit(&self, transactions: Vec<Bytes>) -> Answer<'_, Vec<Submission>> {
        answer!(self, {
            let mut inner = self.inner.lock().unwrap();
            Ok(transactions.iter().map(|bytes| self.take(&mut inner, bytes)).collect())
        })
    }

    fn transaction(&self, id: TransactionId) -> Answer<'_, TransactionState> {
        answer!(self, Ok(self.state_of(&id)))
    }

    fn wait(&self, id: TransactionId, timeout: Duration) -> Answer<'_, TransactionState> {
        async move {
            self.ready()?;
            let mut tip = self.tip.subscribe();
            let _ = tokio::time::timeout(timeout, async {
                while self.state_of(&id) == TransactionState::Pending && tip.changed().await.is_ok() {}
            })
            .await;
            Ok(self.state_of(&id))
        }
        .boxed()
    }

    fn block(&self, height: u64) -> Answer<'_, Option<Arc<Block>>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            Ok(height.checked_sub(1).and_then(|index| inner.blocks.get(usize::try_from(index).ok()?).cloned()))
        })
    }

    fn finality(&self, height: u64) -> Answer<'_, Option<Finality>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let at = height.checked_sub(1).and_then(|index| usize::try_from(index).ok());
            Ok(at.and_then(|at| {
                let (block, certificate) = (inner.blocks.get(at)?, inner.certificates.get(at)?);
                // Every fourth block is proven by its child, as happens with real consensus.
                match (at % 4 == 3, inner.blocks.get(at + 1), inner.certificates.get(at + 1)) {
                    (true, Some(child), Some(later)) => Some(Finality {
                        headers: vec![block.header.clone(), child.header.clone()],
                        certificate: later.clone(),
                        handovers: Vec::new(),
                    }),
                    _ => Some(Finality {
                        headers: vec![block.header.clone()],
                        certificate: certificate.clone(),
                        handovers: Vec::new(),
                    }),
                }
            }))
        })
    }

    fn cose_receipt(&self, id: TransactionId) -> Answer<'_, Option<Vec<u8>>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            Ok(inner.outcomes.get(&id).map(|outcome| {
                let at = outcome.position.height as usize - 1;
                let (block, certificate) = (&inner.blocks[at], &inner.certificates[at]);
                let file = ReceiptFile::assemble(block, outcome.position.index as usize, &[], certificate, &[]).unwrap();
                let subject = id.to_string();
                let statement = CoseStatement { issuer: "memory", subject: &subject, issued_at: outcome.time / 1_000 };
                zhulian_verify::cose_receipt(&self.keys[0], &statement, &Inclusion::of(&file).unwrap())
            }))
        })
    }

    fn get(&self, keys: Vec<Key>) -> Answer<'_, (Header, Vec<Option<Value>>)> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let values = keys.iter().map(|key| inner.state.get(key).cloned()).collect();
            Ok((self.tip_header(&inner), values))
        })
    }

    fn prove(&self, key: Key) -> Answer<'_, StateProof> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let at = inner.state.keys().position(|known| *known == key);
            let path = at.map(|at| merkle::path(&state_leaves(&inner.state), at)).unwrap_or_default();
            Ok(StateProof { header: self.tip_header(&inner), value: inner.state.get(&key).cloned(), proof: path.concat() })
        })
    }

    fn transactions(&self, filter: TransactionFilter, page: Page) -> Answer<'_, Vec<TransactionRow>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let at = |row: &TransactionRow| PagePosition { position: row.position, item: 0 };
            Ok(paged(&inner.index.transactions, page, at, |row| {
                filter.organisation.as_ref().is_none_or(|wanted| row.organisation.as_ref() == Some(wanted))
                    && filter.module.as_ref().is_none_or(|wanted| row.module == *wanted)
                    && within(row.time, filter.from, filter.to)
            }))
        })
    }

    fn evidence(&self, filter: EvidenceFilter, page: Page) -> Answer<'_, Vec<EvidenceRow>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let index = &inner.index;
            let mut rows = index.evidence.clone();
            if let Some(wanted) = filter.sha256 {
                rows.retain(|row| matches!(row.place, EvidencePlace::File { sha256, .. } if sha256 == wanted));
                for batch in index.evidence.iter().filter(|row| matches!(row.place, EvidencePlace::Batch { .. })) {
                    for (number, entry) in index.entries.get(&batch.transaction).into_iter().flatten().enumerate() {
                        let EvidencePlace::Batch { root, sequence, .. } = batch.place else { continue };
                        if Entry::decode(entry).is_ok_and(|entry| entry.file.sha256 == wanted) {
                            let place = EvidencePlace::Batch { root, sequence, entry: Some(number as u64) };
                            rows.push(EvidenceRow { place, ..batch.clone() });
                        }
                    }
                }
            }
            let at = |row: &EvidenceRow| PagePosition { position: row.position, item: entry_of(row) };
            Ok(paged(&rows, page, at, |row| {
                filter.organisation.as_ref().is_none_or(|wanted| row.organisation == *wanted)
                    && within(row.time, filter.from, filter.to)
            }))
        })
    }

    fn find_evidence(&self, id: EvidenceId) -> Answer<'_, Option<EvidenceRow>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            Ok(inner.index.evidence.iter().find(|row| row.transaction.0[..16] == id.0).cloned())
        })
    }

    fn evidence_history(&self, id: EvidenceId) -> Answer<'_, Vec<HistoryRow>> {
        answer!(self, Ok(self.inner.lock().unwrap().index.history.get(&id.0).cloned().unwrap_or_default()))
    }

    fn batch_entry(&self, batch: TransactionId, index: u64, _: (Digest, u64)) -> Answer<'_, Option<BatchEntry>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            Ok(inner.index.entries.get(&batch).and_then(|entries| {
                let bytes = entries.get(usize::try_from(index).ok()?)?.to_vec();
                let leaves: Vec<Digest> = entries.iter().map(|entry| merkle::leaf(entry)).collect();
                Some(BatchEntry { bytes, index, path: merkle::path(&leaves, index as usize) })
            }))
        })
    }

    fn put_batch_entries(&self, batch: TransactionId, _: Digest, entries: Vec<Bytes>) -> Answer<'_, ()> {
        answer!(self, {
            self.inner.lock().unwrap().index.entries.insert(batch, entries);
            Ok(())
        })
    }

    fn batches_lacking(&self) -> Answer<'_, u64> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let batch = |row: &&EvidenceRow| matches!(row.place, EvidencePlace::Batch { .. });
            let lacking = |row: &&EvidenceRow| !inner.index.entries.contains_key(&row.transaction);
            Ok(inner.index.evidence.iter().filter(batch).filter(lacking).count() as u64)
        })
    }

    fn cases(&self, filter: CaseFilter, before: Option<u64>, limit: usize) -> Answer<'_, Vec<CaseId>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let mut closed = BTreeMap::new();
            let mut found = Vec::new();
            for row in inner.index.events.iter().rev() {
                if let Some(event) = CaseClosed::of(&row.event) {
                    closed.insert(event.case, event.outcome);
                }
                let Some(event) = CaseOpened::of(&row.event) else { continue };
                let due = if event.limit_due > 0 { event.limit_due } else { event.promised_due };
                let is = |wanted: &Option<String>, it: String| wanted.as_ref().is_none_or(|wanted| *wanted == it);
                let state = match filter.state {
                    None => true,
                    Some(CaseState::Open) => !closed.contains_key(&event.case),
                    Some(CaseState::Closed) => closed.contains_key(&event.case),
                    Some(CaseState::Ended(outcome)) => closed.get(&event.case) == Some(&outcome),
                };
                if is(&filter.organisation, event.organisation.to_string())
                    && is(&filter.pack, event.pack.to_string())
                    && is(&filter.procedure, format!("{}/{}", event.pack, event.process))
                    && state
                    && filter.due_before.is_none_or(|before| due > 0 && due < before)
                    && before.is_none_or(|before| event.case.ordinal() < before)
                {
                    found.push(event.case);
                }
            }
            found.sort();
            Ok(found.into_iter().rev().take(limit).collect())
        })
    }

    /// Every open case may have tasks, as far as this index knows.
    fn cases_with_tasks(&self, filter: TaskFilter, before: Option<u64>, limit: usize) -> Answer<'_, Vec<CaseId>> {
        let open = CaseFilter { pack: filter.pack, state: Some(CaseState::Open), ..CaseFilter::default() };
        self.cases(open, before, limit)
    }

    fn case_history(&self, case: CaseId, after: Option<PagePosition>, limit: usize) -> Answer<'_, Vec<HistoryRow>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let events = inner.index.events.iter();
            let of =
                events.filter(|row| case_of(&row.event) == Some(case) && after.is_none_or(|after| event_at(row) > after));
            Ok(of.take(limit).cloned().collect())
        })
    }

    fn decisions(&self, filter: DecisionFilter, page: Page) -> Answer<'_, Vec<HistoryRow>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            Ok(paged(&inner.index.events, page, event_at, |row| {
                Decided::of(&row.event).is_some_and(|event| {
                    event.pack.to_string() == filter.pack
                        && filter.version.is_none_or(|version| event.version == version)
                        && filter.decision.as_ref().is_none_or(|decision| event.decision == *decision)
                })
            }))
        })
    }

    fn drafts(&self, pack: String, limit: usize) -> Answer<'_, Vec<Digest>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let drafted = inner.index.events.iter().rev().filter_map(|row| Drafted::of(&row.event));
            Ok(drafted.filter(|event| event.pack.to_string() == pack).map(|event| event.digest).take(limit).collect())
        })
    }

    fn pack_motions(&self, pack: String, manifests: Vec<Digest>) -> Answer<'_, Vec<PackMotion>> {
        answer!(self, {
            let inner = self.inner.lock().unwrap();
            let opened = inner.index.events.iter().filter_map(|row| MotionOpened::of(&row.event));
            let motion = |event: MotionOpened| match event.action {
                Action::EnactRules(digest) if manifests.contains(&digest) => {
                    Some(PackMotion { motion: event.motion, manifest: Some(digest), annuls: None })
                }
                Action::AnnulRules(of, version) if of.to_string() == pack => {
                    Some(PackMotion { motion: event.motion, manifest: None, annuls: Some(version) })
                }
                _ => None,
            };
            Ok(opened.filter_map(motion).collect())
        })
    }

    fn subscribe(&self) -> BoxStream<'static, Arc<Block>> {
        tokio_stream::wrappers::BroadcastStream::new(self.live.subscribe()).filter_map(|block| async { block.ok() }).boxed()
    }

    fn metrics(&self) -> Answer<'_, String> {
        let inner = self.inner.lock().unwrap();
        let text = format!(
            "# HELP zhulian_height The last finalised height.\n# TYPE zhulian_height gauge\nzhulian_height {}\n\
             # HELP zhulian_transactions Finalised transactions.\n# TYPE zhulian_transactions counter\n\
             zhulian_transactions_total {}\n# EOF\n",
            inner.blocks.len(),
            inner.outcomes.len(),
        );
        async move { Ok(text) }.boxed()
    }
}
