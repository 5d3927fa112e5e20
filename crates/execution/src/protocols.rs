//! Which protocol a block follows.

use zhulian_ledger::Key;
use zhulian_primitives::{Height, Protocol};

/// How the state says which protocol a block follows, and what this build knows; the governance module provides it.
#[derive(Clone, Copy)]
pub struct Protocols {
    /// State key of what was voted.
    pub key: fn() -> Key,
    /// The protocol of a block at this height, by the value under that key before the block.
    pub at: fn(Option<&[u8]>, Height) -> Protocol,
    /// The newest that is known here. All before it are, too.
    pub newest: Protocol,
}
