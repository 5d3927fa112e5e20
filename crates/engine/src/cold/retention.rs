//! How much of its own history a node still holds.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use commonware_runtime::Error as StorageError;
use commonware_storage::{
    Context,
    metadata::{self, Metadata},
};
use commonware_utils::sequence::U64;

use crate::ArchiveStatus;

/// Entries of the store: the floor, and for each prefix of archives where they begin from which something can be dropped.
const FLOOR: u64 = 0;
pub(crate) const OWN: u64 = 1;
pub(crate) const HISTORY: u64 = 2;

/// What all parts know of it.
#[derive(Clone, Default)]
pub(crate) struct Retention(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Blocks below are in segments that were checked, and the node's own store may have lost them.
    floor: AtomicU64,
    /// Where the segments are.
    directory: Option<PathBuf>,
    /// Why old blocks are not archived at the moment.
    problem: Mutex<Option<String>>,
}

impl Retention {
    fn new(floor: u64, directory: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner { floor: AtomicU64::new(floor), directory, problem: Mutex::default() }))
    }

    /// The lowest height that the node's own store surely holds, if it ever held it; at least 1.
    pub fn floor(&self) -> u64 {
        self.0.floor.load(Ordering::Acquire).max(1)
    }

    pub fn set_problem(&self, problem: Option<String>) {
        *self.0.problem.lock().expect("never panics while held") = problem;
    }

    /// How the archive is; `None` for a node that never had one.
    pub fn status(&self) -> Option<ArchiveStatus> {
        let floor = self.floor();
        (self.0.directory.is_some() || floor > 1).then(|| ArchiveStatus {
            directory: self.0.directory.clone(),
            archived: floor - 1,
            problem: self.0.problem.lock().expect("never panics while held").clone(),
        })
    }
}

/// The floor on disk. A store whose node never had an archive has none.
pub(crate) struct Store<E: Context>(Option<Metadata<E, U64, U64>>, Retention);

fn stop<T>(error: impl std::fmt::Display) -> T {
    panic!("what this node has archived cannot be recorded ({error}); restore or wipe this node's directory")
}

fn partition(prefix: &str) -> String {
    format!("{prefix}-retention")
}

impl<E: Context> Store<E> {
    /// Opens it. Once a node has had an archive its stores are such that they can be pruned, whether it still has one or not.
    pub async fn open(context: &E, prefix: &str, directory: Option<PathBuf>) -> Self {
        let partition = partition(prefix);
        let known = match context.scan(&partition).await {
            Ok(_) => true,
            Err(StorageError::PartitionMissing(_)) => false,
            Err(error) => stop(error),
        };
        if !known && directory.is_none() {
            return Self(None, Retention::default());
        }
        let config = metadata::Config { partition, codec_config: () };
        let store = Metadata::init(context.child("retention").with_attribute("store", prefix), config);
        let store: Metadata<E, U64, U64> = store.await.unwrap_or_else(stop);
        let floor = store.get(&U64::new(FLOOR)).map_or(1, u64::from);
        Self(Some(store), Retention::new(floor, directory))
    }

    pub fn retention(&self) -> Retention {
        self.1.clone()
    }

    /// Where a prefix's stores begin from which something can be dropped; what is below was there before the node had an archive. `None` when that
    /// is not known yet.
    pub fn begin(&self, number: u64) -> Option<u64> {
        self.0.as_ref().map_or(Some(u64::MAX), |store| store.get(&U64::new(number)).map(u64::from))
    }

    /// Sets that height.
    pub async fn set_begin(&mut self, number: u64, begin: u64) {
        self.put(number, begin).await;
    }

    async fn put(&mut self, number: u64, value: u64) {
        let Some(mut store) = self.0.take() else { return };
        store.put(U64::new(number), U64::new(value));
        self.0 = Some(store.sync().await.unwrap_or_else(stop));
    }

    /// Records that all below `floor` may go, and only then lets it.
    pub async fn raise(&mut self, floor: u64) {
        self.put(FLOOR, floor).await;
        self.1.0.floor.store(floor, Ordering::Release);
    }
}
