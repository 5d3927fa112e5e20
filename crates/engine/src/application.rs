//! Building, checking and executing blocks on the state.

use std::{collections::BTreeMap, fmt::Display, sync::Arc, time::Duration};

use commonware_consensus::{
    Heightable as _,
    marshal::ancestry::Ancestry,
    simplex::{scheme::ed25519::Scheme, types::Context},
};
use commonware_cryptography::{Digestible as _, ed25519::PublicKey, sha256::Digest};
use commonware_glue::stateful::{
    Application as Stateful, Finality, Input, Proposed,
    db::{DatabaseSet, Merkleized as _},
};
use commonware_parallel::Strategy;
use commonware_runtime::{Clock, Spawner};
use commonware_storage::Context as StorageContext;
use futures::{StreamExt as _, join};
use zhulian_ledger::{BlockContext, Key, Loaded, Machine, Outcome, Pause, UnknownProtocol, Value};
use zhulian_primitives::{Block, ChainId, Header, PROTOCOL_FIRST, Timestamp, validators_digest};

use crate::{
    Limits, Transactions,
    block::{Sealed, root},
    budget::Budget,
    chain::Chain,
    clock,
    error::remedy,
    keys,
    state::{self, Batch, Databases, Merkleized, SyncTarget},
};

/// A block's time is at most this far after its parent's. It bounds how long a wrong clock can make others wait; after a longer
/// standstill the chain's time catches up by such steps.
pub(crate) const TIME_STEP_MAX: Duration = Duration::from_secs(3_600);
/// Ancestors shown to the pool at most.
const ANCESTORS_MAX: usize = 64;

/// What all clones share.
pub(crate) struct Shared {
    pub chain_id: ChainId,
    pub machine: Arc<dyn Machine>,
    pub transactions: Arc<dyn Transactions>,
    pub limits: Limits,
    pub budget: Budget,
    pub clock_skew_ms: i64,
    /// Blocks of an epoch.
    pub epoch_blocks: u64,
    pub genesis: Sealed,
    pub genesis_state: BTreeMap<Key, Value>,
    pub chain: Arc<Chain>,
}

/// The application that consensus drives.
#[derive(Clone)]
pub(crate) struct Application<S> {
    pub shared: Arc<Shared>,
    pub strategy: S,
}

/// The block before the first one. The state is still empty, block 1 writes the genesis state; so that nobody builds on another
/// genesis state unnoticed, the header's `state_root` is the SHA-256 over it here.
pub(crate) fn genesis(
    chain: ChainId,
    time: Timestamp,
    proposer: PublicKey,
    validators: [u8; 32],
    writes: &BTreeMap<Key, Value>,
    target: &SyncTarget,
) -> Sealed {
    let mut parts: Vec<&[u8]> = Vec::new();
    let lengths: Vec<_> = writes.values().map(|value| (value.len() as u64).to_be_bytes()).collect();
    for ((key, value), length) in writes.iter().zip(&lengths) {
        parts.extend([&key[..], length, value]);
    }
    let header = Header {
        version: PROTOCOL_FIRST,
        chain,
        height: 0,
        time,
        epoch: 0,
        view: 0,
        parent_view: 0,
        parent: [0; 32],
        proposer: keys::raw(&proposer),
        transaction_count: 0,
        validators,
        transactions_root: root(&[]),
        receipts_root: root(&[]),
        state_root: zhulian_crypto::sha256_parts(&parts),
        sync_root: target.root.0,
        sync_start: *target.range.start(),
        sync_end: *target.range.end(),
    };
    Sealed::new(Arc::new(Block { header, transactions: Vec::new(), receipts: Vec::new() }), proposer)
}

/// A storage error while executing has no answer but to stop: going on would serve or vote for something unknown.
fn stop(what: &str, error: impl Display) -> ! {
    let remedy = remedy(&error);
    tracing::error!(%error, "{what}; the node stops, {remedy}");
    panic!("{what}: {error}; {remedy}");
}

impl<S: Strategy> Application<S> {
    /// Executes transactions, reading what the machine asks for from the parent's state.
    async fn execute<E>(
        &self,
        context: &BlockContext,
        transactions: &Arc<Block>,
        batch: &Batch<E, S>,
    ) -> Result<Outcome, UnknownProtocol>
    where
        E: Spawner + StorageContext,
    {
        let mut loaded = Loaded::default();
        if context.height == 1 {
            // The genesis state is written by this very block.
            loaded.extend(self.shared.genesis_state.iter().map(|(key, value)| (*key, Some(value.clone()))));
        }
        let count = transactions.transactions.len();
        let (machine, job, with) = (self.shared.machine.clone(), transactions.clone(), context.clone());
        let mut execution = self.strategy.spawn(count, move |_| machine.start(&with, &job.transactions)).await;
        loop {
            let (result, back, same) = self
                .strategy
                .spawn(count, move |_| {
                    let result = execution.resume(&loaded);
                    (result, loaded, execution)
                })
                .await;
            execution = same;
            loaded = back;
            match result {
                Ok(outcome) => return Ok(outcome),
                Err(Pause::Unknown(unknown)) => return Err(unknown),
                Err(Pause::Missing(missing)) => {
                    let wanted: Vec<Digest> =
                        missing.into_iter().filter(|key| !loaded.contains_key(key)).map(Digest).collect();
                    assert!(!wanted.is_empty(), "the machine asks for nothing it does not have");
                    let keys: Vec<&Digest> = wanted.iter().collect();
                    let values = batch.get_many(&keys).await.unwrap_or_else(|error| stop("reading the state failed", error));
                    loaded
                        .extend(wanted.into_iter().map(|key| key.0).zip(values.into_iter().map(|v| v.map(|v| v.to_vec()))));
                }
            }
        }
    }

    /// Writes an outcome to the parent's state.
    async fn write<E>(&self, height: u64, outcome: &mut Outcome, batch: Batch<E, S>) -> Merkleized<E, S>
    where
        E: Spawner + StorageContext,
    {
        let writes = std::mem::take(&mut outcome.writes);
        let max = self.shared.limits.value_bytes_max;
        let fits = writes.values().all(|value| value.as_ref().is_none_or(|value| value.len() <= max));
        assert!(fits, "the machine writes a value above the limit");
        let genesis = (height == 1).then_some(&self.shared.genesis_state);
        state::write(batch, genesis, writes).await.unwrap_or_else(|error| stop("hashing the state failed", error))
    }

    /// Digest of the validators that decide the block after this one. Within an epoch they do not change; in its last block the state
    /// after it tells who follows.
    async fn validators<E>(&self, parent: &Header, outcome: &Outcome, batch: &Batch<E, S>) -> [u8; 32]
    where
        E: Spawner + StorageContext,
    {
        let machine = &self.shared.machine;
        let is_last = (parent.height + 2).is_multiple_of(self.shared.epoch_blocks);
        let Some(key) = machine.validators_key().filter(|_| is_last) else { return parent.validators };
        let value = match outcome.writes.get(&key) {
            Some(value) => value.clone(),
            None => {
                let read = batch.get_many(&[&Digest(key)]).await;
                let mut values = read.unwrap_or_else(|error| stop("reading the state failed", error));
                values.pop().flatten().map(|value| value.to_vec())
            }
        };
        let next = value.and_then(|value| machine.validators(&value));
        next.map_or(parent.validators, |next| {
            validators_digest(&next.iter().map(|it| it.validator.clone()).collect::<Vec<_>>())
        })
    }

    fn context_of(&self, header: &Header) -> BlockContext {
        BlockContext {
            chain: header.chain,
            height: header.height,
            time: header.time,
            parent: header.parent,
            proposer: header.proposer,
        }
    }

    /// The header of a block after `parent`, still without roots.
    fn header<E: Clock>(&self, clock: &E, context: &Context<Digest, PublicKey>, parent: &Header, digest: Digest) -> Header {
        let limit = parent.time + TIME_STEP_MAX.as_millis() as u64;
        Header {
            version: parent.version,
            chain: self.shared.chain_id,
            height: parent.height + 1,
            time: clock::now(clock, self.shared.clock_skew_ms).clamp(parent.time + 1, limit),
            epoch: context.round.epoch().get(),
            view: context.round.view().get(),
            parent_view: context.parent.0.get(),
            parent: digest.0,
            proposer: keys::raw(&context.leader),
            transaction_count: 0,
            validators: parent.validators,
            transactions_root: [0; 32],
            receipts_root: [0; 32],
            state_root: [0; 32],
            sync_root: [0; 32],
            sync_start: 0,
            sync_end: 0,
        }
    }

    /// Why a proposed header breaks a rule that does not need execution; `None` if it does not.
    fn fault(&self, header: &Header, parent: &Header) -> Option<&'static str> {
        if header.chain != self.shared.chain_id {
            return Some("another chain");
        }
        if header.time <= parent.time {
            return Some("time not after the parent's");
        }
        if header.time - parent.time > TIME_STEP_MAX.as_millis() as u64 {
            return Some("time too far after the parent's");
        }
        None
    }
}

impl<E, S> Stateful<E> for Application<S>
where
    E: Spawner + StorageContext,
    S: Strategy,
{
    type SigningScheme = Scheme;
    type Context = Context<Digest, PublicKey>;
    type Block = Sealed;
    type Databases = Databases<E, S>;
    type Captured = ();
    type Provider = ();
    type Input = ();

    fn sync_targets(block: &Sealed) -> SyncTarget {
        state::sync_target(block.header())
    }

    async fn genesis(&mut self) -> Sealed {
        self.shared.genesis.clone()
    }

    async fn propose(
        &mut self,
        (clock, context): (E, Self::Context),
        mut ancestry: impl Ancestry<Sealed>,
        batch: Batch<E, S>,
        _: Input<(), ()>,
    ) -> Option<Proposed<Self, E>> {
        let shared = self.shared.clone();
        let parent = ancestry.next().await?;
        let parent_header = parent.inner().header().clone();

        // What the pool does not know yet: blocks that are not finalised, or of which it was not told yet.
        let mut ancestors = Vec::new();
        let mut next = Some(parent.clone());
        while let Some(block) = next.take() {
            let height = block.height().get();
            if height <= shared.chain.told() || height == 0 || ancestors.len() == ANCESTORS_MAX {
                break;
            }
            ancestors.push(block.inner().block().clone());
            next = ancestry.next().await;
        }

        let limits = shared.limits;
        let header = self.header(&clock, &context, &parent_header, parent.digest());
        let block_context = self.context_of(&header);
        let room = shared.budget.room(limits.transactions_max);
        let mut transactions = shared.transactions.propose(&block_context, &ancestors, limits.transactions_bytes_max, room);
        let build = shared.budget.measure(&clock, transactions.len());
        let (mut block, mut outcome) = loop {
            let block = Arc::new(Block { header: header.clone(), transactions, receipts: Vec::new() });
            let outcome = self.execute::<E>(&block_context, &block, &batch).await.ok()?;
            if outcome.receipts.iter().map(Vec::len).sum::<usize>() <= limits.receipts_bytes_max {
                break (Arc::unwrap_or_clone(block), outcome);
            }
            transactions = Arc::unwrap_or_clone(block).transactions;
            transactions.truncate(transactions.len() / 2);
        };
        let validators = self.validators::<E>(&parent_header, &outcome, &batch).await;
        let merkleized = self.write::<E>(header.height, &mut outcome, batch).await;
        block.receipts = outcome.receipts;
        drop(build);
        let bounds = merkleized.bounds();
        block.header = Header {
            version: outcome.protocol,
            transaction_count: block.transactions.len() as u64,
            validators,
            transactions_root: root(&block.transactions),
            receipts_root: root(&block.receipts),
            state_root: merkleized.root().0,
            sync_root: merkleized.ops_root().0,
            sync_start: *merkleized.sync_boundary(),
            sync_end: *bounds.tip.size,
            ..header
        };
        let block = Sealed::new(Arc::new(block), context.leader);
        shared.chain.note(block.digest().0, block.header().time);
        Some(Proposed { block, merkleized })
    }

    async fn process(
        &mut self,
        _: (E, Self::Context),
        mut ancestry: impl Ancestry<Sealed>,
        batch: Batch<E, S>,
        finality: Finality,
    ) -> Option<Merkleized<E, S>> {
        let shared = self.shared.clone();
        let sealed = ancestry.next().await?;
        let block = sealed.inner().block().clone();
        let header = &block.header;
        let candidate = finality == Finality::Candidate;
        let mut before = None;

        if candidate {
            let parent = ancestry.next().await?;
            before = Some(parent.inner().header().clone());
            if let Some(fault) = self.fault(header, parent.inner().header()) {
                tracing::warn!(height = header.height, proposer = %hex::encode(header.proposer), fault, "refusing a block");
                return None;
            }
        }

        // Signatures need no state; they are checked beside the execution.
        let checked = async {
            if !candidate {
                return true;
            }
            let (machine, job) = (shared.machine.clone(), block.clone());
            self.strategy.spawn(block.transactions.len(), move |_| machine.check(&job.transactions)).await
        };
        let context = self.context_of(header);
        let (valid, executed) = join!(checked, self.execute::<E>(&context, &block, &batch));
        if !valid {
            tracing::warn!(height = header.height, proposer = %hex::encode(header.proposer), "refusing a block with an invalid transaction");
            return None;
        }
        let mut outcome = match executed {
            Ok(outcome) => outcome,
            // Only a newer build can execute it, and that one goes on from here. A refused candidate would stay refused for it, since
            // consensus keeps verdicts; and at a final block an end of this process would be followed by a start, and another.
            Err(UnknownProtocol(_)) => {
                if !candidate {
                    shared.chain.stand();
                }
                std::future::pending().await
            }
        };
        if let Some(parent) = &before
            && self.validators::<E>(parent, &outcome, &batch).await != header.validators
        {
            tracing::error!(
                height = header.height,
                "a block states other validators than this node computes; voting against it"
            );
            return None;
        }
        let receipts_match = outcome.receipts == block.receipts && outcome.protocol == header.version;
        let merkleized = self.write::<E>(header.height, &mut outcome, batch).await;
        let root = merkleized.root().0;
        if receipts_match && root == header.state_root {
            shared.chain.note(sealed.digest().0, header.time);
            return Some(merkleized);
        }
        if candidate {
            tracing::error!(
                height = header.height, receipts_match, computed = %hex::encode(root), stated = %hex::encode(header.state_root),
                "a block's outcome is not what this node computes; voting against it",
            );
            return None;
        }
        stop(
            "this node computes another outcome than the one that was finalised",
            format!(
                "height {}, state root {} but {} was finalised",
                header.height,
                hex::encode(root),
                hex::encode(header.state_root)
            ),
        )
    }

    async fn capture(
        &mut self,
        _: (E, Self::Context),
        block: &Sealed,
        _: &Merkleized<E, S>,
        _: <Databases<E, S> as DatabaseSet<E>>::Readers,
    ) {
        self.shared.chain.announce(block.block().clone());
    }

    async fn finalized(
        &mut self,
        _: (E, Self::Context),
        block: &Sealed,
        (): (),
        _: <Databases<E, S> as DatabaseSet<E>>::Readers,
    ) {
        self.shared.chain.advance(block.block().clone());
    }
}
