//! The database of the state: the library's, with a floor of its log that rises more slowly.
//!
//! What is below the floor is not needed for the state. It rises when a batch appends again, at the log's end, what still counts of the
//! operations above it. The library's glue does that for every operation that a batch made inactive; and since a new entry replaces the link of the
//! one before it in the order of keys, a deposit would cost three operations. Here it costs little more than two.
//!
//! How fast the floor rises decides which operations there are, and so the state's root: it is part of the protocol.

use std::{ops::Deref, sync::Arc};

use bytes::Bytes;
use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_glue::stateful::db::{self, BatchContext, InitError, ManagedDb, Shared, StateSyncDb, SyncEngineConfig};
use commonware_parallel::Strategy;
use commonware_runtime::{Handle, Spawner};
use commonware_storage::{
    Context,
    merkle::Location,
    qmdb::{
        any::{initial_root, ordered::Update, value::VariableEncoding},
        current::{
            batch::{MerkleizedBatch, UnmerkleizedBatch},
            ordered::variable::partitioned::Db,
        },
        floor::{Decision, Entry, Limits, Policy},
        sync::{self, Request, Source, source},
    },
    translator::FourCap,
};
use commonware_utils::{
    channel::{mpsc, ring},
    non_empty_range,
};

use crate::state::{CHUNK, Family, Operation, PARTITION_BYTES, ReadError, StateConfig, SyncTarget};

type Link = Update<Digest, VariableEncoding<Bytes>>;
type Inner<E, S> = Db<Family, E, Digest, Bytes, Sha256, FourCap, PARTITION_BYTES, CHUNK, S>;

/// One entry is moved to the log's end for so many operations that a batch made inactive, and one more.
///
/// With updates alone, of `n` entries at most `5 n + 1` operations are above the floor: an update adds one, and four of them move one entry,
/// which leaves four behind. (The library's: `3 n + 1`.)
const INACTIVE_PER_MOVE: usize = 4;

struct Rising;

impl<K, V> Policy<Family, K, V> for Rising {
    fn evicts(&self) -> bool {
        false
    }

    fn limits(&self, made_inactive: usize) -> Limits {
        Limits { entries: made_inactive / INACTIVE_PER_MOVE + 1, skips: u64::MAX }
    }

    fn decide<'a>(&mut self, entry: Entry<'a, Family, K, V>) -> Decision<'a, V> {
        entry.keep()
    }
}

/// The database.
pub(crate) struct Tree<E: Context, S: Strategy>(Inner<E, S>);

impl<E: Context, S: Strategy> Deref for Tree<E, S> {
    type Target = Inner<E, S>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Writes on top of a state.
pub(crate) struct Batch<E: Context, S: Strategy> {
    batch: UnmerkleizedBatch<Family, Sha256, Link, CHUNK, S>,
    tree: Shared<Tree<E, S>>,
}

impl<E: Context, S: Strategy> Batch<E, S> {
    /// The values of these keys, in order.
    pub async fn get_many(&self, keys: &[&Digest]) -> Result<Vec<Option<Bytes>>, ReadError> {
        self.batch.get_many(keys, &self.tree.read().await.0).await
    }

    /// Sets a value or, with `None`, deletes it.
    pub fn write(self, key: Digest, value: Option<Bytes>) -> Self {
        Self { batch: self.batch.write(key, value), ..self }
    }
}

impl<E: Context + Spawner, S: Strategy> db::Unmerkleized for Batch<E, S> {
    type Merkleized = Merkleized<E, S>;
    type Error = ReadError;

    async fn merkleize(self) -> Result<Merkleized<E, S>, ReadError> {
        let batch = self.batch.merkleize(&self.tree.read().await.0, None, &mut Rising).await?;
        Ok(Merkleized { batch, tree: self.tree })
    }
}

/// Writes of which the root is known.
pub(crate) struct Merkleized<E: Context, S: Strategy> {
    batch: Arc<MerkleizedBatch<Family, Digest, Link, CHUNK, S>>,
    tree: Shared<Tree<E, S>>,
}

impl<E: Context, S: Strategy> Clone for Merkleized<E, S> {
    fn clone(&self) -> Self {
        Self { batch: self.batch.clone(), tree: self.tree.clone() }
    }
}

impl<E: Context, S: Strategy> Deref for Merkleized<E, S> {
    type Target = MerkleizedBatch<Family, Digest, Link, CHUNK, S>;

    fn deref(&self) -> &Self::Target {
        &self.batch
    }
}

impl<E: Context + Spawner, S: Strategy> db::Merkleized for Merkleized<E, S> {
    type Digest = Digest;
    type Unmerkleized = Batch<E, S>;

    fn root(&self) -> Digest {
        self.batch.root()
    }

    fn new_batch(&self) -> Batch<E, S> {
        Batch { batch: self.batch.new_batch::<Sha256>(), tree: self.tree.clone() }
    }
}

impl<E: Context + Spawner, S: Strategy> ManagedDb<E> for Tree<E, S> {
    type Unmerkleized = Batch<E, S>;
    type Merkleized = Merkleized<E, S>;
    type Error = ReadError;
    type Config = StateConfig<S>;
    type SyncTarget = SyncTarget;

    async fn init(
        context: E,
        config: Self::Config,
        expected: Option<SyncTarget>,
    ) -> Result<Self, InitError<ReadError, SyncTarget>> {
        let size = expected.as_ref().map(|target| target.range.end());
        let tree = Inner::<E, S>::init(context, config, size).await.map(Self).map_err(InitError::Database)?;
        let recovered = tree.sync_target();
        match expected {
            Some(expected) if expected != recovered => Err(InitError::TargetMismatch { expected, recovered }),
            _ => Ok(tree),
        }
    }

    fn initial_sync_target() -> SyncTarget {
        SyncTarget::new(initial_root::<Family, Link, Sha256>(), non_empty_range!(Location::new(0), Location::new(1)))
    }

    fn new_batch(database: BatchContext<'_, Self>) -> Batch<E, S> {
        let (database, tree) = database.into_parts();
        Batch { batch: database.0.new_batch(), tree }
    }

    fn matches_sync_target(batch: &Self::Merkleized, target: &SyncTarget) -> bool {
        batch.ops_root() == target.root
            && *target.range.start() == batch.sync_boundary()
            && *target.range.end() == batch.bounds().tip.size
    }

    async fn apply(self, batch: Self::Merkleized) -> Result<Self, ReadError> {
        self.0.apply_batch(batch.batch).await.map(Self)
    }

    async fn finalize(self) -> Result<(Self, Handle<()>), ReadError> {
        let (database, synced) = self.0.start_sync().await?;
        Ok((Self(database), synced))
    }

    async fn prune(self, target: &SyncTarget) -> Result<Self, ReadError> {
        self.0.prune((*target.range.start()).into()).await.map(Self)
    }

    fn sync_target(&self) -> SyncTarget {
        SyncTarget::new(self.0.ops_root(), non_empty_range!(self.0.sync_boundary(), self.0.bounds().end))
    }
}

impl<E, S, R> StateSyncDb<E, R> for Tree<E, S>
where
    E: Context + Spawner,
    S: Strategy,
    R: sync::SourceFor<Inner<E, S>>,
{
    type SyncError = sync::Error<Family, R::Error, Digest>;

    async fn sync_db(
        context: E,
        config: Self::Config,
        source: R,
        target: SyncTarget,
        tip_updates: ring::Receiver<SyncTarget>,
        finish: Option<mpsc::Receiver<()>>,
        reached_target: Option<ring::Sender<SyncTarget>>,
        sync_config: SyncEngineConfig,
    ) -> Result<Self, Self::SyncError> {
        let synced = sync::sync::<Inner<E, S>, R>(sync::engine::Config {
            context,
            source,
            target,
            max_outstanding_requests: sync_config.max_outstanding_requests,
            fetch_batch_size: sync_config.fetch_batch_size,
            apply_batch_size: sync_config.apply_batch_size,
            db_config: config,
            update_rx: Some(tip_updates),
            finish_rx: finish,
            reached_target_tx: reached_target,
        });
        synced.await.map(Self)
    }
}

impl<E: Context + Spawner, S: Strategy> Source for Tree<E, S> {
    type Family = Family;
    type Digest = Digest;
    type Op = Operation;
    type Error = <Inner<E, S> as Source>::Error;

    async fn serve(&self, request: Request<Family>) -> source::Result<Self> {
        self.0.serve(request).await
    }
}
