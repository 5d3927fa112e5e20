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

/// What an operator does about a store that cannot be opened or written: of damage the directory is fetched again, but a disk that is
/// full only wants room.
pub(crate) fn remedy(error: &impl std::fmt::Display) -> &'static str {
    let text = error.to_string().to_ascii_lowercase();
    let write = ["write failed", "resize failed", "sync failed", "creation failed", "no space left", "os error 28"];
    match write.iter().any(|word| text.contains(word)) {
        true => "make room if the disk is full, and start the node again",
        false => "restore or wipe this node's directory to sync again",
    }
}

#[cfg(test)]
mod tests {
    use super::remedy;

    #[test]
    fn nobody_is_told_to_wipe_what_only_wants_room() {
        let failed = commonware_runtime::Error::WriteFailed;
        assert!(remedy(&failed).starts_with("make room"), "{failed}");
        let full =
            commonware_runtime::Error::BlobSyncFailed("p".into(), "n".into(), std::io::Error::from_raw_os_error(28).into());
        assert!(remedy(&full).starts_with("make room"), "{full}");
        let corrupt = commonware_runtime::Error::BlobCorrupt("p".into(), "n".into(), "bad".into());
        assert!(remedy(&corrupt).contains("wipe"), "{corrupt}");
    }
}
