//! Bugs put in on purpose, to show that the simulation finds them. In no build without the feature `seeded-bugs`, and off unless
//! switched on.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// The archive of blocks says that it is on disk when it is not.
    UnsyncedArchive = 1,
    /// The mempool forgets what waits when a block is final.
    ForgetfulMempool = 2,
    /// What a block does depends on what the node's own mempool holds.
    StateOfMempool = 3,
}

static ACTIVE: AtomicU8 = AtomicU8::new(0);

/// Switches one bug on, or all off, in this process.
pub fn set(bug: Option<Bug>) {
    ACTIVE.store(bug.map_or(0, |bug| bug as u8), Relaxed);
}

/// Whether this bug is on.
pub fn has(bug: Bug) -> bool {
    ACTIVE.load(Relaxed) == bug as u8
}
