//! The way into the pool: one thread that takes what has come, checks it in batches, and passes clients' transactions on.
//!
//! While it works, more arrives; so batches grow with the load and stay small, and quick, without it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{executor::block_on, future::BoxFuture};
use rayon::prelude::*;
use tokio::sync::oneshot;
use zhulian_crypto::{PublicKey, sha256};
use zhulian_execution::{Executor, Prepared, Refusal as _};
use zhulian_primitives::{Code, Height, Protocol, Transaction, TransactionError, TransactionId};

use super::{Admission, Candidate, Mempool, Owner};
use crate::verifier::Verifier;

/// What the intake needs of the running node.
pub trait Outside: Send + Sync + 'static {
    /// Sends a message to all other validators, best effort; false when it was not even queued.
    fn gossip(&self, message: Bytes) -> bool;
    /// Tells an idle proposer that something waits.
    fn wake(&self);
    /// The last finalised height, if it is known.
    fn tip(&self) -> Option<Height>;
    /// The protocol of the next block, as far as the state can be read; else an earlier one.
    fn protocol(&self) -> BoxFuture<'_, Protocol>;
    /// The organisations whose members may act with the keys now. Somebody whose key has ended is a stranger, or the room of their former
    /// organisation would be theirs to fill.
    fn organisations<'a>(&'a self, keys: &'a [PublicKey]) -> BoxFuture<'a, Vec<Option<Arc<str>>>>;
}

/// The answer to a submitted transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It waits for a block, or has been in one.
    Taken(TransactionId),
    /// It can never be executed, or not now; the code says why. No id when the bytes are no transaction.
    Refused(Option<TransactionId>, Code),
    /// The mempool is full; the same bytes may be submitted again.
    Full(TransactionId),
    /// The organisation has its share of the mempool; the same bytes may be submitted again.
    ShareFull(TransactionId),
}

/// Transactions checked together at most.
const BATCH: usize = 4_096;
/// A smaller batch waits a moment for more, if the last one ended only just.
const BATCH_MIN: usize = 256;
const LINGER: Duration = Duration::from_millis(2);
/// Transactions that wait for their check at most, of clients and of peers each.
const QUEUE: usize = 16_384;
/// Bytes of a message to other validators at most, safely below what the engine takes.
const MESSAGE_BYTES: usize = 512 << 10;
/// Keys whose organisation is remembered.
const KEYS: usize = 65_536;
/// They are asked for anew after so many blocks.
const KEYS_BLOCKS: Height = 64;
/// Transactions parsed by one task.
const CHUNK: usize = 64;

struct Job {
    transactions: Vec<Bytes>,
    /// Where the verdicts go; `None` for what peers sent.
    reply: Option<oneshot::Sender<Vec<Verdict>>>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Transactions in them, of clients and of peers.
    waiting: [usize; 2],
}

/// What has come through the intake since the start.
#[derive(Default)]
pub struct Counters {
    /// Transactions taken into the pool.
    pub taken: AtomicU64,
    /// Clients' transactions refused with a code.
    pub refused: AtomicU64,
    /// Clients' transactions for which there was no room.
    pub full: AtomicU64,
    /// Peers' transactions that were not taken, known ones not counted.
    pub peers_refused: AtomicU64,
    /// Peers' transactions dropped unread, because too many waited. The peer that has them proposes them itself.
    pub peers_dropped: AtomicU64,
    /// Batches that could not be sent to other validators. This node proposes them itself.
    pub unsent: AtomicU64,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    stopping: AtomicBool,
    counters: Counters,
}

/// The entrance; clones are the same one.
#[derive(Clone)]
pub struct Intake(Arc<Shared>);

impl Intake {
    /// An entrance and the worker behind it, which somebody has to keep going: [`start`](Self::start) gives it a thread, a
    /// simulation takes it step by step.
    pub fn new(
        mempool: Arc<Mempool>,
        verifier: Arc<Verifier>,
        executor: Arc<Executor>,
        outside: Arc<dyn Outside>,
    ) -> (Self, Worker) {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            stopping: AtomicBool::new(false),
            counters: Counters::default(),
        });
        let worker =
            Worker { shared: shared.clone(), mempool, verifier, executor, outside, keys: HashMap::new(), keys_since: 0 };
        (Self(shared), worker)
    }

    /// Starts the thread that checks. It ends when [`stop`](Self::stop) is called.
    pub fn start(
        mempool: Arc<Mempool>,
        verifier: Arc<Verifier>,
        executor: Arc<Executor>,
        outside: Arc<dyn Outside>,
    ) -> (Self, thread::JoinHandle<()>) {
        let (intake, worker) = Self::new(mempool, verifier, executor, outside);
        let thread =
            thread::Builder::new().name("intake".into()).spawn(move || worker.run()).expect("a thread can be started");
        (intake, thread)
    }

    /// Submits a client's transactions and waits for the verdicts, one for each, in order. `None` when the node is stopping.
    pub async fn submit(&self, transactions: Vec<Bytes>) -> Option<Vec<Verdict>> {
        let (reply, verdicts) = oneshot::channel();
        if let Some(job) = self.push(Job { transactions, reply: Some(reply) }, 0) {
            self.0.counters.full.fetch_add(job.transactions.len() as u64, Relaxed);
            return Some(job.transactions.iter().map(|bytes| Verdict::Full(TransactionId(sha256(bytes)))).collect());
        }
        verdicts.await.ok()
    }

    /// Takes a message of another validator: transactions, each behind its length in 4 bytes, big-endian. What is malformed is not
    /// read further.
    pub fn message(&self, mut message: Bytes) {
        let mut transactions = Vec::new();
        while message.len() >= 4 {
            let head = message.split_to(4);
            let len = u32::from_be_bytes(head[..].try_into().expect("4 bytes")) as usize;
            if len > message.len() {
                break;
            }
            transactions.push(message.split_to(len));
        }
        if transactions.is_empty() {
            return;
        }
        if let Some(job) = self.push(Job { transactions, reply: None }, 1) {
            self.0.counters.peers_dropped.fetch_add(job.transactions.len() as u64, Relaxed);
        }
    }

    /// What has come through.
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Ends the thread; clients that wait get no answer.
    pub fn stop(&self) {
        {
            // Under the lock: between the worker's look at the flag and its sleep, nobody would wake it.
            let _queue = self.0.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            self.0.stopping.store(true, Relaxed);
        }
        self.0.filled.notify_all();
    }

    /// Queues a job, or gives it back when there is no room.
    fn push(&self, job: Job, kind: usize) -> Option<Job> {
        let mut queue = self.0.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let count = job.transactions.len();
        // A single large job may exceed the bound when nothing else waits, or it never could be taken.
        if queue.waiting[kind] > 0 && queue.waiting[kind] + count > QUEUE {
            return Some(job);
        }
        queue.waiting[kind] += count;
        queue.jobs.push_back(job);
        drop(queue);
        self.0.filled.notify_one();
        None
    }
}

/// An item of a batch on its way.
#[expect(clippy::large_enum_variant, reason = "nearly all items are of the large variant")]
enum State<'a> {
    Decided(Verdict),
    Parsed(Transaction<'a>, Arc<Prepared>),
}

/// Checks what waits at the entrance.
pub struct Worker {
    shared: Arc<Shared>,
    mempool: Arc<Mempool>,
    verifier: Arc<Verifier>,
    executor: Arc<Executor>,
    outside: Arc<dyn Outside>,
    keys: HashMap<PublicKey, Arc<str>>,
    /// When they were asked for first, in units of [`KEYS_BLOCKS`].
    keys_since: Height,
}

impl Worker {
    fn run(mut self) {
        let mut ended = Instant::now();
        while let Some(jobs) = self.take(ended) {
            block_on(self.work(jobs));
            ended = Instant::now();
        }
    }

    /// Checks a batch of what waits at this moment; false when nothing does.
    pub async fn step(&mut self) -> bool {
        let jobs = {
            let mut queue = self.shared.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            batch(&mut queue)
        };
        let some = !jobs.is_empty();
        if some {
            self.work(jobs).await;
        }
        some
    }

    /// The next jobs; `None` when the node stops.
    fn take(&self, ended: Instant) -> Option<Vec<Job>> {
        let unpoisoned = |queue| match queue {
            Ok(queue) => queue,
            Err(poisoned) => std::sync::PoisonError::into_inner(poisoned),
        };
        let idle = |queue: &mut Queue| queue.jobs.is_empty() && !self.shared.stopping.load(Relaxed);
        let queue = unpoisoned(self.shared.queue.lock());
        let mut queue = unpoisoned(self.shared.filled.wait_while(queue, idle));
        if ended.elapsed() < LINGER {
            let few =
                |queue: &mut Queue| queue.waiting.iter().sum::<usize>() < BATCH_MIN && !self.shared.stopping.load(Relaxed);
            queue = self
                .shared
                .filled
                .wait_timeout_while(queue, LINGER, few)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(queue, _)| queue);
        }
        if self.shared.stopping.load(Relaxed) {
            return None;
        }
        Some(batch(&mut queue))
    }

    async fn work(&mut self, jobs: Vec<Job>) {
        let all: Vec<&Bytes> = jobs.iter().flat_map(|job| &job.transactions).collect();
        let mut states: Vec<State<'_>> = self.parse(&all);
        self.form(&mut states).await;
        self.verify(&mut states);
        self.admit(&all, &mut states).await;

        // What is known already was passed on when it was new.
        let mut verdicts = states.into_iter().map(|state| match state {
            State::Decided(verdict) => (verdict, false),
            State::Parsed(transaction, _) => (Verdict::Taken(transaction.id), true),
        });
        let verdicts: Vec<Vec<(Verdict, bool)>> =
            jobs.iter().map(|job| verdicts.by_ref().take(job.transactions.len()).collect()).collect();
        self.count(&jobs, &verdicts);
        for (job, verdicts) in jobs.into_iter().zip(verdicts) {
            if let Some(reply) = job.reply {
                // Who asked may have gone.
                let _ = reply.send(verdicts.into_iter().map(|(verdict, _)| verdict).collect());
            }
        }
    }

    /// Parses, and decides whatever can be decided before the signature is looked at.
    fn parse<'a>(&self, all: &[&'a Bytes]) -> Vec<State<'a>> {
        let ids: Vec<TransactionId> = all.par_iter().with_min_len(CHUNK).map(|bytes| TransactionId(sha256(bytes))).collect();
        let known: Vec<bool> = {
            let mut pool = self.mempool.lock();
            pool.set_tip(self.outside.tip().unwrap_or(0));
            ids.iter().map(|id| pool.verdict(id, pool.height() + 1) == Some(Admission::Known)).collect()
        };
        let (executor, keys) = (&self.executor, &self.keys);
        let chain = self.verifier.chain();
        let mut states: Vec<State<'a>> = all
            .par_iter()
            .with_min_len(CHUNK)
            .zip(&ids)
            .zip(known)
            .map(|((bytes, id), known)| {
                if known {
                    return State::Decided(Verdict::Taken(*id));
                }
                let refused = |id, code| State::Decided(Verdict::Refused(id, code));
                match Transaction::decode_knowing(bytes, *id, |key| keys.contains_key(key)) {
                    Err(error) => refused(None, error.code()),
                    Ok(it) if &it.call.chain != chain => refused(Some(it.id), TransactionError::WrongChain.code()),
                    Ok(it) => {
                        let prepared = executor.prepare(&it);
                        match prepared.refusal() {
                            Some(code) => refused(Some(it.id), code.clone()),
                            None => State::Parsed(it, Arc::new(prepared)),
                        }
                    }
                }
            })
            .collect();
        let pool = self.mempool.lock();
        for state in &mut states {
            if let State::Parsed(it, _) = state
                && let Some(admission) = pool.verdict(&it.id, it.call.valid_until)
            {
                *state = State::Decided(verdict(it.id, admission));
            }
        }
        states
    }

    /// Refuses at once what the next block's protocol refuses for the form of its signature. Only for such a one the state is asked.
    async fn form(&self, states: &mut [State<'_>]) {
        let odd = |state: &State<'_>| matches!(state, State::Parsed(it, _) if !it.has_one_form());
        if !states.iter().any(odd) {
            return;
        }
        let protocol = self.outside.protocol().await;
        for state in states {
            if let State::Parsed(it, prepared) = state
                && !prepared.is_well_signed(protocol)
            {
                *state = State::Decided(Verdict::Refused(Some(it.id), TransactionError::SignatureForm.code()));
            }
        }
    }

    fn verify(&self, states: &mut [State<'_>]) {
        let parsed: Vec<Transaction<'_>> = states
            .iter()
            .filter_map(|state| match state {
                State::Parsed(it, _) => Some(*it),
                State::Decided(_) => None,
            })
            .collect();
        let mut valid = self.verifier.verify(&parsed).into_iter();
        for state in states {
            if let State::Parsed(it, _) = state
                && valid.next() == Some(false)
            {
                *state = State::Decided(Verdict::Refused(Some(it.id), TransactionError::BadSignature.code()));
            }
        }
    }

    /// Puts what is left into the pool.
    async fn admit(&mut self, all: &[&Bytes], states: &mut [State<'_>]) {
        let owners = self.owners(states).await;
        let mut woken = false;
        {
            let mut pool = self.mempool.lock();
            let waiting = pool.waiting();
            let mut owners = owners.into_iter();
            for (state, bytes) in states.iter_mut().zip(all) {
                let State::Parsed(it, prepared) = state else { continue };
                let owner = owners.next().unwrap_or(Owner::Nobody);
                let candidate = Candidate {
                    id: it.id,
                    bytes: bytes[..].into(),
                    owner,
                    valid_until: it.call.valid_until,
                    prepared: Some(prepared.clone()),
                };
                let admission = pool.admit(candidate);
                if admission != Admission::New {
                    *state = State::Decided(verdict(it.id, admission));
                }
            }
            woken |= !waiting && pool.waiting();
        }
        if woken {
            self.outside.wake();
        }
    }

    /// Whose the parsed transactions are, in order.
    async fn owners(&mut self, states: &[State<'_>]) -> Vec<Owner> {
        let signers: Vec<PublicKey> = states
            .iter()
            .filter_map(|state| match state {
                State::Parsed(it, _) => Some(it.signer),
                State::Decided(_) => None,
            })
            .collect();
        let now = self.outside.tip().unwrap_or(0) / KEYS_BLOCKS;
        if std::mem::replace(&mut self.keys_since, now) != now {
            self.keys.clear();
        }
        let mut unknown: Vec<PublicKey> = signers.iter().filter(|key| !self.keys.contains_key(key)).copied().collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            if self.keys.len() + unknown.len() > KEYS {
                self.keys.clear();
            }
            // A key that nobody has is asked for again the next time: it may be registered at any moment.
            let found = self.outside.organisations(&unknown).await;
            self.keys.extend(unknown.into_iter().zip(found).filter_map(|(key, found)| Some((key, found?))));
        }
        let owner = |key| self.keys.get(key).map_or(Owner::Nobody, |found| Owner::Organisation(found.clone()));
        signers.iter().map(owner).collect()
    }

    /// Passes on what clients brought that is new, and counts.
    fn count(&self, jobs: &[Job], verdicts: &[Vec<(Verdict, bool)>]) {
        let counters = &self.shared.counters;
        let bytes =
            jobs.iter().filter(|job| job.reply.is_some()).flat_map(|job| &job.transactions).map(|bytes| 4 + bytes.len());
        let mut message = BytesMut::with_capacity(bytes.sum::<usize>());
        for (job, verdicts) in jobs.iter().zip(verdicts) {
            let theirs = job.reply.is_none();
            for (bytes, (verdict, new)) in job.transactions.iter().zip(verdicts) {
                let counter = match verdict {
                    Verdict::Taken(_) => &counters.taken,
                    _ if theirs => &counters.peers_refused,
                    Verdict::Refused(..) => &counters.refused,
                    Verdict::Full(_) | Verdict::ShareFull(_) => &counters.full,
                };
                counter.fetch_add(1, Relaxed);
                if theirs || !new {
                    continue;
                }
                if message.len() + 4 + bytes.len() > MESSAGE_BYTES {
                    self.send(message.split());
                }
                append(&mut message, bytes);
            }
        }
        if !message.is_empty() {
            self.send(message);
        }
    }

    fn send(&self, message: BytesMut) {
        if !self.outside.gossip(message.freeze()) {
            self.shared.counters.unsent.fetch_add(1, Relaxed);
        }
    }
}

fn append(message: &mut BytesMut, transaction: &[u8]) {
    message.put_u32(transaction.len() as u32);
    message.put_slice(transaction);
}

/// Tells others once more of what waits in vain.
pub(crate) fn tell_again(mempool: &Mempool, outside: &dyn Outside) {
    let untold = mempool.lock().untold(MESSAGE_BYTES / 2);
    if !untold.is_empty() {
        let mut message = BytesMut::new();
        untold.iter().for_each(|transaction| append(&mut message, transaction));
        outside.gossip(message.freeze());
    }
}

/// The next jobs of a queue, not too many.
fn batch(queue: &mut Queue) -> Vec<Job> {
    let (mut jobs, mut count) = (Vec::new(), 0);
    while queue.jobs.front().is_some_and(|job| count == 0 || count + job.transactions.len() <= BATCH) {
        let Some(job) = queue.jobs.pop_front() else { break };
        count += job.transactions.len();
        queue.waiting[usize::from(job.reply.is_none())] -= job.transactions.len();
        jobs.push(job);
    }
    jobs
}

fn verdict(id: TransactionId, admission: Admission) -> Verdict {
    match admission {
        Admission::New | Admission::Known => Verdict::Taken(id),
        Admission::Expired => Verdict::Refused(Some(id), TransactionError::Expired.code()),
        Admission::TooEarly => Verdict::Refused(Some(id), TransactionError::ValidTooLong.code()),
        Admission::Full => Verdict::Full(id),
        Admission::ShareFull => Verdict::ShareFull(id),
    }
}
