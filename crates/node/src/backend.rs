//! The node as the gateway sees it.

use std::{
    collections::BTreeSet,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream, stream::BoxStream};
use tokio::sync::broadcast::error::RecvError;
use zhulian_crypto::{Digest, SigningKey};
use zhulian_engine as engine;
use zhulian_execution::{Event as _, Refusal as _};
use zhulian_gateway::{
    Answer, Backend, BackendError, CaseFilter, CaseState, DecisionFilter, EvidenceFilter, EvidencePlace, EvidenceRow,
    Finality, HistoryRow, NodeStatus, Outcome, PackMotion, Page, PagePosition, Position, StateProof, Submission, TaskFilter,
    TransactionFilter, TransactionRow, TransactionState,
};
use zhulian_ledger::{Key, Value, merkle};
use zhulian_modules::{
    evidence::{BatchDeposited, Deposited, PriorityConflict},
    procedure::CaseId,
};
use zhulian_primitives::{
    Block, Event, EvidenceId, Header, Height, Network, Receipt, Transaction, TransactionError, TransactionId,
    VALIDITY_BLOCKS_MAX,
};
use zhulian_verify::{BatchEntry, CoseStatement, Inclusion, cose_receipt};

use crate::{
    holdings::Holdings,
    index::{self, Filter, Found, HistoryHit, IndexError, Place, Progress, Queries},
    mempool::{End, Intake, Mempool, Standing, Verdict},
    observer::Finalised,
    telemetry,
};

/// How long a transaction that this node has not heard of is waited for.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
/// Motions shown of one version of a rule pack at most.
const PACK_MOTIONS_MAX: usize = 20;

/// A question waits so long for the index to have what is final already.
const INDEX_WAIT: Duration = Duration::from_millis(1_500);
/// An index that lacks more blocks is being rebuilt, and is not waited for.
const INDEX_BEHIND_MAX: u64 = 64;

/// The index as far as the gateway's questions go.
pub(crate) struct Index {
    pub queries: Arc<Queries>,
    pub holdings: Arc<Holdings>,
    pub progress: Progress,
}

/// Answers the gateway from the engine, the mempool and the index.
pub struct NodeBackend {
    pub(crate) network: Network,
    pub(crate) handle: engine::Handle,
    pub(crate) mempool: Arc<Mempool>,
    pub(crate) intake: Intake,
    pub(crate) observer: Arc<Finalised>,
    pub(crate) index: Option<Index>,
    pub(crate) status: Arc<RwLock<NodeStatus>>,
    pub(crate) key: SigningKey,
    pub(crate) issuer: String,
}

impl From<Found> for TransactionRow {
    fn from(found: Found) -> Self {
        Self {
            id: found.id,
            position: position(found.place),
            time: found.time,
            module: found.module,
            call: found.call,
            organisation: found.organisation,
            refusal: found.refusal,
        }
    }
}

fn position(place: Place) -> Position {
    Position { height: place.height(), index: place.index() }
}

/// The place of an event: its transaction, and its number there. A list has the number + 1.
fn event_at(at: PagePosition) -> (Place, i64) {
    (place(at), i64::try_from(at.item).unwrap_or(i64::MAX) - 1)
}

fn place(at: PagePosition) -> Place {
    Place::new(at.position.height, at.position.index)
}

fn engine_error(error: engine::Error) -> BackendError {
    match error {
        engine::Error::Corrupt(corrupt) => {
            tracing::error!(%corrupt, "stored data is damaged and not served");
            BackendError::Damaged(corrupt.to_string())
        }
        engine::Error::NotReady | engine::Error::NoBlock(_) => BackendError::NotReady,
        engine::Error::Archived(height) => BackendError::Archived(height),
        engine::Error::Stopped => BackendError::Stopping,
    }
}

fn index_error(error: IndexError) -> BackendError {
    if let IndexError::Damaged(what) = error {
        return BackendError::Damaged(what);
    }
    tracing::error!(%error, "the index cannot answer");
    BackendError::Internal(error.to_string())
}

/// An outcome in a finalised block.
fn outcome(block: &Block, position: Position) -> Result<Outcome, BackendError> {
    let receipt = block.receipts.get(position.index as usize).and_then(|bytes| Receipt::decode(bytes).ok());
    let receipt = receipt.ok_or_else(|| BackendError::Internal("a finalised block has no such receipt".into()))?;
    Ok(Outcome { position, time: block.header.time, receipt })
}

impl NodeBackend {
    /// A block from memory or the archive; `None` when this node has none at the height.
    async fn block_at(&self, height: Height) -> Result<Option<Arc<Block>>, BackendError> {
        if let Some(block) = self.observer.recent(height) {
            return Ok(Some(block));
        }
        match self.handle.block(height).await {
            Ok(block) => Ok(Some(block)),
            Err(engine::Error::NoBlock(_)) => Ok(None),
            Err(error) => Err(engine_error(error)),
        }
    }

    /// Whether the index has the block at a height. It is waited for a moment, unless the index is being rebuilt or cannot be written.
    async fn indexed_up_to(&self, height: Height) -> bool {
        let Some(Index { progress, .. }) = &self.index else { return false };
        if progress.height() >= height {
            return true;
        }
        if progress.height() + INDEX_BEHIND_MAX < height || progress.failing() {
            return false;
        }
        tokio::time::timeout(INDEX_WAIT, progress.reached(height)).await.unwrap_or(false)
    }

    /// Whether the index has what is final at this moment, after a short wait. Only such a one can say that there is nothing.
    async fn caught_up(&self) -> bool {
        match self.handle.tip() {
            Some(tip) => self.indexed_up_to(tip.header.height).await,
            None => false,
        }
    }

    /// Runs a query on the index, which then has what was final when it was asked, unless it is far behind.
    async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Queries, &Holdings) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, BackendError> {
        // In time or not, it answers.
        self.caught_up().await;
        self.query_now(query).await
    }

    /// Runs a query that may find nothing, which is not to be taken for "there is none" while the index lacks blocks: then the node is
    /// not ready.
    async fn search<T: Send + 'static>(
        &self,
        found: impl Fn(&T) -> bool,
        query: impl FnOnce(&Queries, &Holdings) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, BackendError> {
        // Asked before the query: what comes into the index meanwhile may have been passed by.
        let whole = self.caught_up().await;
        let answer = self.query_now(query).await?;
        if whole || found(&answer) { Ok(answer) } else { Err(BackendError::NotReady) }
    }

    /// Runs a query on the index as it is, on a thread that may wait for the disk.
    async fn query_now<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Queries, &Holdings) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let index = self.index.as_ref().ok_or_else(|| BackendError::Internal("this node keeps no index".into()))?;
        let (queries, holdings) = (index.queries.clone(), index.holdings.clone());
        let task = tokio::task::spawn_blocking(move || query(&queries, &holdings));
        task.await.map_err(|_| BackendError::Stopping)?.map_err(index_error)
    }

    /// The transaction's first place in the chain, as the index knows it.
    async fn indexed(&self, id: TransactionId) -> Result<Option<Position>, BackendError> {
        if self.index.is_none() {
            return Ok(None);
        }
        Ok(self.query_now(move |queries, _| queries.find(&id.0)).await?.map(|found| position(found.place)))
    }

    async fn state_of(&self, id: TransactionId, end: End) -> Result<TransactionState, BackendError> {
        let mut position = match end {
            End::Finalised { height, index } => Position { height, index },
            // It may have come again after it was in a block, to a node that had forgotten it.
            End::Expired => match self.indexed(id).await? {
                Some(position) => position,
                None => return Ok(TransactionState::Dropped(TransactionError::Expired.code())),
            },
        };
        for _ in 0..2 {
            let Some(block) = self.block_at(position.height).await? else { return Ok(TransactionState::Unknown) };
            let outcome = outcome(&block, position)?;
            // A double says only that it is one; what counts is the first, which may be older than the mempool remembers.
            if outcome.receipt.refusal == Some(TransactionError::Replayed.code())
                && self.indexed_up_to(position.height).await
                && let Some(first) = self.indexed(id).await?
                && first < position
            {
                position = first;
                continue;
            }
            return Ok(TransactionState::Finalised(Box::new(outcome)));
        }
        Err(BackendError::Internal("the index contradicts the chain".into()))
    }

    /// Where a transaction stands. That it is unknown is said only by an index that has all that is final.
    async fn transaction_state(&self, id: TransactionId) -> Result<TransactionState, BackendError> {
        let state = self.state_now(id).await?;
        if state != TransactionState::Unknown || self.index.is_none() {
            return Ok(state);
        }
        let whole = self.caught_up().await;
        match self.state_now(id).await? {
            TransactionState::Unknown if !whole => Err(BackendError::NotReady),
            state => Ok(state),
        }
    }

    /// Where a transaction stands by what the mempool and the index know at this moment.
    async fn state_now(&self, id: TransactionId) -> Result<TransactionState, BackendError> {
        let standing = self.mempool.lock().standing(&id);
        match standing {
            Standing::Pending => Ok(TransactionState::Pending),
            Standing::Ended(end) => self.state_of(id, end).await,
            Standing::Unknown => match self.indexed(id).await? {
                None => Ok(TransactionState::Unknown),
                Some(Position { height, index }) => self.state_of(id, End::Finalised { height, index }).await,
            },
        }
    }

    /// What is refused as expired may be in a block since long ago: the mempool forgets, the chain does not.
    async fn recall(&self, transactions: &[Bytes], answers: &mut [Submission]) {
        let expired = |answer: &Submission| match answer {
            Submission::Refused(Some(id), code) if *code == TransactionError::Expired.code() => Some(*id),
            _ => None,
        };
        // They cost whoever sends them nothing, not even a valid signature; so each is looked for only where it could be executed.
        let window = |(bytes, answer): (&Bytes, &Submission)| {
            let id = expired(answer)?;
            let valid_until = Transaction::decode_again(bytes, id)?.call.valid_until;
            Some((id, valid_until.saturating_sub(VALIDITY_BLOCKS_MAX), valid_until))
        };
        let asked: Vec<(TransactionId, Height, Height)> = transactions.iter().zip(&*answers).filter_map(window).collect();
        if asked.is_empty() || self.index.is_none() {
            return;
        }
        let look_up = move |queries: &Queries, _: &Holdings| -> Result<BTreeSet<_>, IndexError> {
            Ok(queries.find_between(&asked)?.into_iter().collect())
        };
        // An index that cannot answer leaves the refusal as it is; it is logged.
        let found = self.query(look_up).await.unwrap_or_default();
        for answer in answers {
            if let Some(id) = expired(&*answer).filter(|id| found.contains(id)) {
                *answer = Submission::Taken(id);
            }
        }
    }

    async fn evidence_rows(&self, filter: EvidenceFilter, page: Page) -> Result<Vec<EvidenceRow>, BackendError> {
        let Some(digest) = filter.sha256 else {
            let before = page.before.map(place);
            let EvidenceFilter { organisation, from, to, .. } = filter;
            let filter = Filter { organisation, from, to, before, ..Filter::default() };
            let found = self.query(move |queries, _| queries.deposited(&filter, page.limit)).await?;
            return Ok(found.into_iter().filter_map(|found| evidence_row(found, None)).collect());
        };
        let look_up = move |queries: &Queries, holdings: &Holdings| {
            let mut rows: Vec<EvidenceRow> =
                queries.deposits(&digest)?.into_iter().filter_map(|found| evidence_row(found, None)).collect();
            for (batch, entry) in holdings.find(&digest)? {
                rows.extend(queries.find(&batch.0)?.and_then(|found| evidence_row(found, Some(entry))));
            }
            Ok(rows)
        };
        let rows = self.search(|rows: &Vec<EvidenceRow>| !rows.is_empty() || !filter.certain, look_up).await?;
        let item = |row: &EvidenceRow| PagePosition {
            position: row.position,
            item: match &row.place {
                EvidencePlace::Batch { entry: Some(entry), .. } => entry + 1,
                _ => 0,
            },
        };
        let wanted = |row: &EvidenceRow| {
            filter.organisation.as_ref().is_none_or(|code| *code == row.organisation)
                && filter.from.is_none_or(|from| row.time >= from)
                && filter.to.is_none_or(|to| row.time < to)
                && page.before.is_none_or(|before| item(row) < before)
        };
        let mut rows: Vec<EvidenceRow> = rows.into_iter().filter(wanted).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(item(row)));
        rows.truncate(page.limit);
        Ok(rows)
    }

    async fn history(&self, id: EvidenceId) -> Result<Vec<HistoryRow>, BackendError> {
        let found = |(deposit, _): &(Option<Found>, Vec<HistoryHit>)| deposit.is_some();
        let look_up = move |queries: &Queries, _: &Holdings| Ok((queries.find(&id.0)?, queries.history(&id.0)?));
        let (deposit, later) = self.search(found, look_up).await?;
        let Some(deposit) = deposit.filter(|found| found.deposit.is_some()) else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        let first = (deposit, None);
        for (found, number) in std::iter::once(first).chain(later.into_iter().map(|hit| (hit.found, Some(hit.event)))) {
            let position = position(found.place);
            let Some(block) = self.block_at(position.height).await? else { continue };
            let events = outcome(&block, position)?.receipt.events;
            let events = events.into_iter().enumerate().filter(|(at, event)| match number {
                Some(number) => *at == number as usize,
                // A case may have done more to evidence in the same transaction.
                None => event.module == "evidence" && OF_DEPOSITS.contains(&event.name.as_str()),
            });
            rows.extend(events.map(|(at, event)| HistoryRow {
                transaction: found.id,
                position,
                time: found.time,
                organisation: found.depositor.clone().or(found.organisation.clone()).unwrap_or_default(),
                number: at as u32,
                event,
            }));
        }
        Ok(rows)
    }

    /// The events that the index names.
    async fn told(&self, hits: Vec<HistoryHit>) -> Result<Vec<HistoryRow>, BackendError> {
        let mut rows = Vec::with_capacity(hits.len());
        let mut last: Option<(Position, Vec<Event>)> = None;
        for HistoryHit { found, event: number } in hits {
            let position = position(found.place);
            // Neighbours are often of one transaction.
            let events = match last.take().filter(|(at, _)| *at == position) {
                Some((_, events)) => events,
                None => {
                    let Some(block) = self.block_at(position.height).await? else { continue };
                    outcome(&block, position)?.receipt.events
                }
            };
            let event = events.get(number as usize).cloned();
            let event = event.ok_or_else(|| BackendError::Internal("the index names an event that is none".into()))?;
            rows.push(HistoryRow {
                transaction: found.id,
                position,
                time: found.time,
                organisation: found.organisation.unwrap_or_default(),
                number,
                event,
            });
            last = Some((position, events));
        }
        Ok(rows)
    }

    async fn cose(&self, id: TransactionId) -> Result<Option<Vec<u8>>, BackendError> {
        let TransactionState::Finalised(outcome) = self.transaction_state(id).await? else { return Ok(None) };
        let Position { height, index } = outcome.position;
        let Some(block) = self.block_at(height).await? else { return Ok(None) };
        let leaves = block.transactions.iter().map(|bytes| merkle::leaf(bytes)).collect();
        let inclusion = Inclusion {
            tree_size: block.transactions.len() as u64,
            leaf_index: u64::from(index),
            path: merkle::Tree::new(leaves).path(index as usize),
            root: block.header.transactions_root,
        };
        let subject = id.to_string();
        let statement = CoseStatement { issuer: &self.issuer, subject: &subject, issued_at: block.header.time / 1_000 };
        Ok(Some(cose_receipt(&self.key, &statement, &inclusion)))
    }
}

/// Events that tell of a deposit.
const OF_DEPOSITS: [&str; 3] = [Deposited::NAME, BatchDeposited::NAME, PriorityConflict::NAME];

/// A deposit as the gateway wants it; `entry` is the entry of a batch that was asked for.
fn evidence_row(found: Found, entry: Option<u64>) -> Option<EvidenceRow> {
    let deposit = found.deposit?;
    let place = match deposit.batch {
        false => EvidencePlace::File { sha256: deposit.digest, sequence: deposit.sequence },
        true => EvidencePlace::Batch { root: deposit.digest, sequence: deposit.sequence, entry },
    };
    Some(EvidenceRow {
        transaction: found.id,
        position: position(found.place),
        time: found.time,
        organisation: found.depositor.or(found.organisation)?,
        place,
    })
}

impl Backend for NodeBackend {
    fn network(&self) -> &Network {
        &self.network
    }

    fn status(&self) -> NodeStatus {
        let mut status = self.status.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        if let Some(tip) = self.handle.tip() {
            status.height = Some(tip.header.height);
            status.time = Some(tip.header.time);
            status.block = Some(tip.header.digest());
        }
        {
            let pool = self.mempool.lock();
            status.mempool_transactions = pool.count() as u64;
            status.mempool_bytes = pool.bytes() as u64;
            status.mempool_bytes_max = pool.limits().bytes_max as u64;
        }
        if let Some(index) = &self.index {
            status.indexed_height = index.progress.height();
            (status.transactions, status.evidence) = index.progress.totals();
            status.damage.extend(index.holdings.damage());
        }
        status
    }

    fn submit(&self, transactions: Vec<Bytes>) -> Answer<'_, Vec<Submission>> {
        async move {
            let phase = self.status.read().unwrap_or_else(|poisoned| poisoned.into_inner()).phase;
            if phase != zhulian_gateway::Phase::Running {
                return Err(BackendError::NotReady);
            }
            let verdicts = self.intake.submit(transactions.clone()).await.ok_or(BackendError::Stopping)?;
            let answer = |verdict| match verdict {
                Verdict::Taken(id) => Submission::Taken(id),
                Verdict::Refused(id, code) => Submission::Refused(id, code),
                Verdict::Full(id) => Submission::MempoolFull(id),
                Verdict::ShareFull(id) => Submission::ShareFull(id),
            };
            let mut answers: Vec<Submission> = verdicts.into_iter().map(answer).collect();
            self.recall(&transactions, &mut answers).await;
            Ok(answers)
        }
        .boxed()
    }

    fn transaction(&self, id: TransactionId) -> Answer<'_, TransactionState> {
        self.transaction_state(id).boxed()
    }

    fn wait(&self, id: TransactionId, timeout: Duration) -> Answer<'_, TransactionState> {
        let (standing, end) = {
            let mut pool = self.mempool.lock();
            (pool.standing(&id), pool.wait(id))
        };
        async move {
            let mut end = Box::pin(end);
            let begun = Instant::now();
            if standing == Standing::Unknown {
                // It may have ended long ago, or be on its way here from another node.
                let state = self.state_now(id).await?;
                if !matches!(state, TransactionState::Unknown | TransactionState::Pending) {
                    return Ok(state);
                }
                if let Ok(Ok(end)) = tokio::time::timeout(timeout.min(ON_ITS_WAY), &mut end).await {
                    return self.state_of(id, end).await;
                }
                if self.mempool.lock().standing(&id) == Standing::Unknown {
                    return self.transaction_state(id).await;
                }
            }
            match tokio::time::timeout(timeout.saturating_sub(begun.elapsed()), end).await {
                Ok(Ok(end)) => self.state_of(id, end).await,
                // Too many wait, or the time is up.
                Ok(Err(_)) | Err(_) => self.transaction_state(id).await,
            }
        }
        .boxed()
    }

    fn block(&self, height: Height) -> Answer<'_, Option<Arc<Block>>> {
        self.block_at(height).boxed()
    }

    fn finality(&self, height: Height) -> Answer<'_, Option<Finality>> {
        async move {
            match self.handle.certificate_for(height).await {
                Ok(engine::Finality { headers, certificate, handovers }) => {
                    Ok(Some(Finality { headers, certificate, handovers }))
                }
                Err(engine::Error::NoBlock(_)) => Ok(None),
                Err(error) => Err(engine_error(error)),
            }
        }
        .boxed()
    }

    fn cose_receipt(&self, id: TransactionId) -> Answer<'_, Option<Vec<u8>>> {
        self.cose(id).boxed()
    }

    fn get(&self, keys: Vec<Key>) -> Answer<'_, (Header, Vec<Option<Value>>)> {
        self.handle.get(keys).map(|result| result.map_err(engine_error)).boxed()
    }

    fn prove(&self, key: Key) -> Answer<'_, StateProof> {
        async move {
            let engine::StateProof { header, value, proof } = self.handle.prove(key).await.map_err(engine_error)?;
            Ok(StateProof { header, value, proof })
        }
        .boxed()
    }

    fn transactions(&self, filter: TransactionFilter, page: Page) -> Answer<'_, Vec<TransactionRow>> {
        let TransactionFilter { organisation, module, from, to } = filter;
        let filter = Filter { organisation, module, from, to, before: page.before.map(place), deposits: false };
        async move {
            let found = self.query(move |queries, _| queries.transactions(&filter, page.limit)).await?;
            Ok(found.into_iter().map(TransactionRow::from).collect())
        }
        .boxed()
    }

    fn evidence(&self, filter: EvidenceFilter, page: Page) -> Answer<'_, Vec<EvidenceRow>> {
        self.evidence_rows(filter, page).boxed()
    }

    fn find_evidence(&self, id: EvidenceId) -> Answer<'_, Option<EvidenceRow>> {
        async move {
            let found = self.search(Option::is_some, move |queries, _| queries.find(&id.0)).await?;
            Ok(found.and_then(|found| evidence_row(found, None)))
        }
        .boxed()
    }

    fn evidence_history(&self, id: EvidenceId) -> Answer<'_, Vec<HistoryRow>> {
        self.history(id).boxed()
    }

    fn batch_entry(&self, batch: TransactionId, index: u64, commitment: (Digest, u64)) -> Answer<'_, Option<BatchEntry>> {
        self.query_now(move |_, holdings| holdings.get(&batch, index, commitment)).boxed()
    }

    fn put_batch_entries(&self, batch: TransactionId, root: Digest, entries: Vec<Bytes>) -> Answer<'_, ()> {
        self.query_now(move |_, holdings| holdings.put(&batch, root, &entries)).boxed()
    }

    fn batches_lacking(&self) -> Answer<'_, u64> {
        async move {
            // A batch in a block that the index has yet to take in is lacking, too, and not counted.
            self.search(|lacking| *lacking > 0, |queries, holdings| holdings.lacking(queries)).await
        }
        .boxed()
    }

    fn cases(&self, filter: CaseFilter, before: Option<u64>, limit: usize) -> Answer<'_, Vec<CaseId>> {
        let CaseFilter { organisation, pack, procedure, state, due_before } = filter;
        let state = state.map(|state| match state {
            CaseState::Open => index::CaseState::Open,
            CaseState::Closed => index::CaseState::Closed,
            CaseState::Ended(outcome) => index::CaseState::Ended(outcome),
        });
        let filter = index::CaseFilter { organisation, pack, procedure, state, due_before, before };
        async move {
            let found = self.query(move |queries, _| queries.cases(&filter, limit)).await?;
            Ok(found.into_iter().filter_map(CaseId::of_ordinal).collect())
        }
        .boxed()
    }

    fn cases_with_tasks(&self, filter: TaskFilter, before: Option<u64>, limit: usize) -> Answer<'_, Vec<CaseId>> {
        let TaskFilter { organisation, role, pack, now } = filter;
        let filter = index::TaskFilter { organisation, role, pack, now, before };
        async move {
            let found = self.query(move |queries, _| queries.cases_with_tasks(&filter, limit)).await?;
            Ok(found.into_iter().filter_map(CaseId::of_ordinal).collect())
        }
        .boxed()
    }

    fn case_history(&self, case: CaseId, after: Option<PagePosition>, limit: usize) -> Answer<'_, Vec<HistoryRow>> {
        async move {
            let hits =
                self.query(move |queries, _| queries.case_history(case.ordinal(), after.map(event_at), limit)).await?;
            self.told(hits).await
        }
        .boxed()
    }

    fn decisions(&self, filter: DecisionFilter, page: Page) -> Answer<'_, Vec<HistoryRow>> {
        async move {
            let hits = self.query(move |queries, _| {
                let wanted = (filter.pack.as_str(), filter.version, filter.decision.as_deref());
                queries.decisions(wanted, page.before.map(event_at), page.limit)
            });
            self.told(hits.await?).await
        }
        .boxed()
    }

    fn drafts(&self, pack: String, limit: usize) -> Answer<'_, Vec<Digest>> {
        self.query(move |queries, _| queries.drafts(&pack, limit)).boxed()
    }

    fn pack_motions(&self, pack: String, manifests: Vec<Digest>) -> Answer<'_, Vec<PackMotion>> {
        async move {
            let found = self.query(move |queries, _| queries.pack_motions(&pack, &manifests, PACK_MOTIONS_MAX)).await?;
            let motion = |it: index::PackMotion| PackMotion { motion: it.motion, manifest: it.manifest, annuls: it.annuls };
            Ok(found.into_iter().map(motion).collect())
        }
        .boxed()
    }

    fn subscribe(&self) -> BoxStream<'static, Arc<Block>> {
        let receiver = self.observer.listen();
        let handle = self.handle.clone();
        let next = handle.tip().map_or(1, |tip| tip.header.height + 1);
        let begin = (receiver, None::<Arc<Block>>, handle, next);
        stream::unfold(begin, |(mut receiver, mut held, handle, next)| async move {
            loop {
                let block = match held.take() {
                    Some(block) => block,
                    None => match receiver.recv().await {
                        Ok(block) => block,
                        // The next one received shows how much was missed.
                        Err(RecvError::Lagged(_)) => continue,
                        Err(RecvError::Closed) => return None,
                    },
                };
                let height = block.header.height;
                if height < next {
                    continue;
                }
                if height == next {
                    return Some((block, (receiver, None, handle, next + 1)));
                }
                let missed = handle.block(next).await.ok()?;
                return Some((missed, (receiver, Some(block), handle, next + 1)));
            }
        })
        .boxed()
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, BackendError>> {
        async move {
            let mut text = self.handle.metrics().await.map_err(engine_error)?;
            text = text.trim_end().trim_end_matches("# EOF").into();
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&telemetry::status(&self.status()));
            text.push_str(&telemetry::metrics(
                &self.mempool,
                &self.intake,
                self.index.as_ref().map(|index| &index.progress),
            ));
            Ok(text)
        }
        .boxed()
    }
}
