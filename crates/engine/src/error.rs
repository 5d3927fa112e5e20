//! What can go wrong when reading.

/// Stored data that is not what it was when written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "stored data is corrupt: {what} at {place}; this node no longer serves it, restore or wipe its directory to sync again"
)]
pub struct Corrupt {
    /// What does not check out.
    pub what: String,
    /// Height, key or file.
    pub place: String,
}

/// Why a read gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store is damaged.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The block is not here: not finalised yet, or from before this node synced and not fetched yet.
    #[error("this node has no block at height {0}")]
    NoBlock(u64),
    /// The block was moved to this node's cold archive, which is not there.
    #[error("block {0} was moved to this node's archive, which cannot be read now")]
    Archived(u64),
    /// No state yet: the node is still syncing.
    #[error("the node has no finalised state yet")]
    NotReady,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}
