//! Blocks from before the point where this node synced, fetched afterwards, oldest first.
//!
//! A node that fetched a state instead of blocks is whole only when it has those too: its observer begins with the first block, and
//! its users ask for proofs of any age. Each answer of a peer is a run of blocks that follow the last one held and ends with a certified one, so
//! nothing is taken that a quorum did not finalise.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use commonware_codec::{Encode as _, EncodeSize as _, Error as CodecError, RangeCfg, Read as _};
use commonware_consensus::{
    Epochable as _,
    marshal::store::{Blocks as _, Certificates as _},
    types::Height,
};
use commonware_cryptography::{Digestible as _, certificate::Provider as _, ed25519::PublicKey, sha256::Digest};
use commonware_macros::select_loop;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Strategy;
use commonware_resolver::{self as resolver, Delivery, Resolver as _, p2p};
use commonware_runtime::{Clock, Handle, Metrics, Spawner};
use commonware_storage::{
    Context,
    archive::{self, Identifier},
};
use commonware_utils::{
    NZUsize, NonZeroDuration,
    channel::{mpsc, oneshot},
    futures::Pool,
    sequence::U64,
    sync::AsyncRwLock,
};
use rand::rand_core::CryptoRng;
use zhulian_primitives::{Block, ChainId, VALIDATORS_MAX};

use crate::{
    Limits,
    archive::{BlockArchive, CertificateArchive},
    block::Sealed,
    certificate::Finalization,
    reader::Reader,
    sets::Sets,
    watched::Watched,
};

/// A run of blocks with their certificates; the last has one.
type Run = Vec<(Sealed, Option<Finalization>)>;

/// A run ends at the first certified block after so many bytes.
pub(crate) const RUN_BYTES: usize = 1 << 20;
/// Blocks in a run at most.
const RUN_BLOCKS: usize = 1_024;
/// A run ends with the block by which its transactions and receipts, which travel compressed, come to so many bytes.
const RUN_PLAIN_BYTES: usize = 32 << 20;
const QUEUE: usize = 64;
/// Questions that are answered at the same time; others wait in the queue, and what it has no room for gets no answer.
const READS: usize = 16;
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// Runs written between two syncs of the store.
const SYNC_EVERY: u32 = 16;

struct Stores<E: Context> {
    certificates: CertificateArchive<E>,
    blocks: BlockArchive<E>,
}

/// What was fetched.
pub(crate) struct History<E: Context> {
    /// Taken out while it is written.
    stores: AsyncRwLock<Option<Stores<E>>>,
    /// The last height held; all before are held too.
    top: Watched<u64>,
}

/// Disk errors end the node, as they do in every other store of it.
fn stop<T>(error: archive::Error) -> T {
    panic!("old blocks cannot be written: {error}")
}

impl<E: Context> History<E> {
    /// Blocks below `floor` are in the cold archive.
    pub fn new((certificates, blocks): (CertificateArchive<E>, BlockArchive<E>), floor: u64) -> Self {
        let (end, _) = blocks.next_gap(Height::new(floor));
        let top = Watched::new(end.map_or(floor - 1, Height::get));
        Self { stores: AsyncRwLock::new(Some(Stores { certificates, blocks })), top }
    }

    /// The last height held.
    pub fn top(&self) -> u64 {
        self.top.read(|top| *top)
    }

    /// Waits until a height is held.
    pub async fn reached(&self, height: u64) {
        self.top.until(|top| (*top >= height).then_some(())).await;
    }

    pub async fn block(&self, height: u64) -> Option<Arc<Block>> {
        if height > self.top() {
            return None;
        }
        let stores = self.stores.read().await;
        let sealed = stores.as_ref()?.blocks.get(Identifier::Index(height)).await.ok()??;
        Some(sealed.block().clone())
    }

    pub async fn certificate(&self, height: u64) -> Option<Finalization> {
        if height > self.top() {
            return None;
        }
        let stores = self.stores.read().await;
        stores.as_ref()?.certificates.get(Identifier::Index(height)).await.ok()?
    }

    /// Drops what is below a height, as far as the cold archive has it.
    pub async fn prune(&self, min: u64) {
        let mut slot = self.stores.write().await;
        let Stores { certificates, blocks } = slot.take().expect("put back after every write");
        let certificates = certificates.prune(Height::new(min)).await.unwrap_or_else(stop);
        let blocks = blocks.prune(Height::new(min)).await.unwrap_or_else(stop);
        *slot = Some(Stores { certificates, blocks });
    }

    async fn write(&self, run: Run, sync: bool) {
        let mut slot = self.stores.write().await;
        let Stores { mut certificates, mut blocks } = slot.take().expect("put back after every write");
        let mut top = self.top();
        for (sealed, finalization) in run {
            let (height, digest) = (sealed.header().height, sealed.digest());
            if let Some(finalization) = finalization {
                certificates = certificates.put(Height::new(height), digest, &finalization).await.unwrap_or_else(stop);
            }
            blocks = blocks.put(digest, &Arc::new(sealed)).await.unwrap_or_else(stop);
            top = height;
        }
        if sync {
            certificates = certificates.sync().await.unwrap_or_else(stop);
            blocks = blocks.sync().await.unwrap_or_else(stop);
        }
        *slot = Some(Stores { certificates, blocks });
        self.top.change(|held| *held = top);
    }
}

type Answer = (u64, Bytes, oneshot::Sender<bool>);
type Question = (u64, oneshot::Sender<Bytes>);

/// Carries the fetch engine's calls to the task.
#[derive(Clone)]
struct Relay {
    answers: mpsc::UnboundedSender<Answer>,
    questions: mpsc::Sender<Question>,
}

impl resolver::Consumer for Relay {
    type Key = U64;
    type Value = Bytes;
    type Subscriber = ();
    type Outcome = bool;

    fn deliver(&mut self, delivery: Delivery<U64, ()>, value: Bytes) -> oneshot::Receiver<bool> {
        let (verdict, receiver) = oneshot::channel();
        let _ = self.answers.send((u64::from(&delivery.key), value, verdict));
        receiver
    }
}

impl p2p::Producer for Relay {
    type Key = U64;

    fn produce(&mut self, key: U64) -> oneshot::Receiver<Bytes> {
        let (answer, receiver) = oneshot::channel();
        let _ = self.questions.try_send((u64::from(&key), answer));
        receiver
    }
}

/// What the exchange needs.
pub(crate) struct Config<E: Context, D, B, S> {
    pub me: PublicKey,
    pub provider: D,
    pub blocker: B,
    pub fetch_timeout: NonZeroDuration,
    pub chain: ChainId,
    pub genesis: Digest,
    pub sets: Sets,
    pub limits: Limits,
    pub strategy: S,
    pub reader: Reader<E>,
}

/// Starts answering others, and fetching what this node lacks once `first`, the first block it has itself, is known.
pub(crate) fn start<E, D, B, S>(
    context: E,
    config: Config<E, D, B, S>,
    first: oneshot::Receiver<u64>,
    channel: (impl Sender<PublicKey = PublicKey>, impl Receiver<PublicKey = PublicKey>),
) -> Handle<()>
where
    E: Context + Clock + Spawner + CryptoRng + Metrics,
    D: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    S: Strategy,
{
    context.spawn(move |context| run(context, config, first, channel))
}

async fn run<E, D, B, S>(
    mut context: E,
    config: Config<E, D, B, S>,
    first: oneshot::Receiver<u64>,
    channel: (impl Sender<PublicKey = PublicKey>, impl Receiver<PublicKey = PublicKey>),
) where
    E: Context + Clock + Spawner + CryptoRng + Metrics,
    D: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    S: Strategy,
{
    let Config { me, provider, blocker, fetch_timeout, chain, genesis, sets, limits, strategy, reader } = config;
    let (answered, mut answers) = mpsc::unbounded_channel();
    let (asked, mut questions) = mpsc::channel(QUEUE);
    let relay = Relay { answers: answered, questions: asked };
    let (engine, mut fetches) = p2p::Engine::new(
        context.child("fetch"),
        p2p::Config {
            peer_provider: provider,
            blocker,
            consumer: relay.clone(),
            producer: relay,
            mailbox_size: NZUsize!(QUEUE),
            me: Some(me),
            fetch_timeout,
            fetch_retry_delay: RETRY_DELAY,
            priority_requests: false,
            priority_responses: false,
        },
    );
    let mut engine = engine.start(channel);
    let clock = Arc::new(context.child("clock"));
    let patience = fetch_timeout.get() / 4;
    let history = reader.history.clone();
    let mut until = 0;
    // What the first block that this node has itself says of the one before.
    let mut after = None;
    // The block that the next run has to follow.
    let mut last = genesis;
    let mut written = 0u32;
    let mut first = Box::pin(async move {
        match first.await {
            Ok(first) => first,
            Err(_) => futures::future::pending().await,
        }
    });
    let mut known = false;
    let mut reads: Pool<'static, ()> = Pool::default();

    select_loop! {
        context,
        on_start => {
            let full = reads.len() >= READS;
        },
        on_stopped => {},
        _ = &mut engine => break,
        begin = async { if known { futures::future::pending().await } else { first.as_mut().await } } => {
            known = true;
            until = begin;
            after = reader.block(until).await.map(|block| Digest(block.header.parent));
            let top = history.top();
            let before = if top > 0 { reader.block(top).await } else { None };
            if let Some(block) = &before {
                last = Digest(block.header.digest());
            }
            if top + 1 < until && top > 0 && before.is_none() {
                tracing::error!(height = top, "the archive is not there, so the blocks after it cannot be fetched");
            } else if top + 1 < until {
                tracing::info!(from = top + 1, to = until - 1, "fetching the blocks before the state that this node began with");
                fetches.fetch(U64::from(top + 1));
            }
        },
        _ = reads.next_completed() => {},
        Some((height, value, verdict)) = answers.recv() else break => {
            let begin = history.top() + 1;
            let run = decode(value, &limits).ok().filter(|run| height == begin && follows(run, begin, last, &chain)).map(|mut run| {
                // What comes after is not asked for, and may be of an epoch whose validators this node does not know yet.
                run.retain(|(sealed, _)| sealed.header().height < until);
                run
            });
            let Some(run) = run.filter(|run| certified(run, after, &mut context, &sets, &strategy)) else {
                let _ = verdict.send(false);
                continue;
            };
            let _ = verdict.send(true);
            if let Some((sealed, _)) = run.last() {
                last = sealed.digest();
            }
            written += 1;
            let done = begin + run.len() as u64 >= until;
            history.write(run, done || written.is_multiple_of(SYNC_EVERY)).await;
            if done {
                tracing::info!(height = history.top(), "this node has all blocks");
            } else {
                fetches.fetch(U64::from(history.top() + 1));
            }
        },
        question = async { if full { futures::future::pending().await } else { questions.recv().await } } => {
            let Some((height, answer)) = question else { break };
            let (reader, clock) = (reader.clone(), clock.clone());
            reads.push(async move {
                if let Some(run) = gather(&reader, height, &*clock, patience).await {
                    let _ = answer.send(run.encode());
                }
            });
        },
    }
}

/// A peer's run, never unpacked to more than [`RUN_PLAIN_BYTES`] and a block, whatever is in it.
fn decode(mut bytes: Bytes, limits: &Limits) -> Result<Run, CodecError> {
    let count = usize::read_cfg(&mut bytes, &RangeCfg::new(1..=RUN_BLOCKS))?;
    let mut run = Run::new();
    let mut plain = 0;
    for _ in 0..count {
        if plain >= RUN_PLAIN_BYTES {
            return Err(CodecError::Invalid("Run", "more bytes than allowed"));
        }
        let (sealed, finalization) = <(Sealed, Option<Finalization>)>::read_cfg(&mut bytes, &(*limits, VALIDATORS_MAX))?;
        plain += sealed.plain_bytes();
        run.push((sealed, finalization));
    }
    match bytes.len() {
        0 => Ok(run),
        left => Err(CodecError::ExtraData(left)),
    }
}

/// Whether a run begins at `height` after the block `parent` and each of its blocks follows the one before.
fn follows(run: &Run, height: u64, parent: Digest, chain: &ChainId) -> bool {
    let mut expected = (height, parent.0);
    run.iter().all(|(sealed, _)| {
        let header = sealed.header();
        let fits = (header.height, header.parent) == expected && &header.chain == chain;
        expected = (header.height + 1, sealed.digest().0);
        fits
    })
}

/// Whether the certificates are for their blocks and valid, and the last block has one or is the parent of a block that is final: `after`.
fn certified<R: CryptoRng>(run: &Run, after: Option<Digest>, rng: &mut R, sets: &Sets, strategy: &impl Strategy) -> bool {
    let valid = run.iter().all(|(sealed, finalization)| {
        let Some(it) = finalization else { return true };
        let scheme = sets.scoped(it.epoch()).filter(|_| it.epoch().get() == sealed.header().epoch);
        it.proposal.payload == sealed.digest() && scheme.is_some_and(|scheme| it.verify(rng, &scheme, strategy))
    });
    valid && run.last().is_some_and(|(sealed, finalization)| finalization.is_some() || after == Some(sealed.digest()))
}

/// A run from `height` on; `None` when this node does not have it. Where reading takes longer than `patience` the run is short, since who
/// asked waits for it, and asks for the rest.
async fn gather<E: Context>(reader: &Reader<E>, height: u64, clock: &E, patience: Duration) -> Option<Run> {
    let begun = clock.current();
    let mut run: Run = Vec::new();
    let (mut bytes, mut plain) = (0, 0);
    for at in height..height.saturating_add(RUN_BLOCKS as u64) {
        let Some(block) = reader.block(at).await else { break };
        let proposer = crate::keys::public(&block.header.proposer)?;
        let sealed = Sealed::new(block, proposer);
        bytes += sealed.encode_size();
        plain += sealed.plain_bytes();
        run.push((sealed, reader.certificate(at).await));
        let long = clock.current().duration_since(begun).is_ok_and(|took| took > patience);
        let enough = bytes >= RUN_BYTES || plain >= RUN_PLAIN_BYTES / 2 || long;
        let full = bytes >= 2 * RUN_BYTES || plain >= RUN_PLAIN_BYTES;
        if full || enough && run.last().is_some_and(|(_, finalization)| finalization.is_some()) {
            break;
        }
    }
    while run.last().is_some_and(|(_, finalization)| finalization.is_none()) {
        run.pop();
    }
    (!run.is_empty()).then_some(run)
}

/// More bytes than any run takes.
pub(crate) fn run_bytes_max(block_bytes_max: usize) -> usize {
    let certificate = Finalization::max_encode_size(VALIDATORS_MAX as u32) + 1;
    2 * RUN_BYTES + block_bytes_max + RUN_BLOCKS * certificate + 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::tests::sealed;

    #[test]
    fn a_run_is_not_unpacked_beyond_its_bound() {
        const BYTES: usize = 4 << 20;
        let limits =
            Limits { transactions_bytes_max: BYTES, transactions_max: 1, receipts_bytes_max: BYTES, value_bytes_max: 0 };
        let block = sealed(vec![vec![0; BYTES]], vec![vec![0; BYTES]]);
        let run = |count: usize| (0..count).map(|_| (block.clone(), None)).collect::<Run>().encode();
        let most = RUN_PLAIN_BYTES / (2 * BYTES);
        assert_eq!(decode(run(most), &limits).unwrap().len(), most);
        let error = decode(run(most + 1), &limits).err().unwrap();
        assert!(error.to_string().contains("more bytes than allowed"), "{error}");
        let longer = [&run(1)[..], &[0]].concat();
        assert!(matches!(decode(longer.into(), &limits), Err(CodecError::ExtraData(1))));
        assert!(decode(run(RUN_BLOCKS + 1), &limits).is_err() && decode(run(0), &limits).is_err());
    }
}
