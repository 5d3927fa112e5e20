//! What the node gives the engine.

use std::sync::Arc;

use zhulian_ledger::BlockContext;
use zhulian_primitives::{Block, Certificate, Height};

/// Where proposals come from: the node's pool of waiting transactions.
pub trait Transactions: Send + Sync + 'static {
    /// Transactions for the block that `context` describes, at most `count_max` with at most `bytes_max` bytes in all.
    ///
    /// They must be valid by [`Machine::check`](zhulian_ledger::Machine::check), or the others vote the block down. `ancestors`
    /// are the blocks between the last one that it was told of and the new one, youngest first; what they contain should not be proposed
    /// again. Must not block.
    fn propose(&self, context: &BlockContext, ancestors: &[Arc<Block>], bytes_max: usize, count_max: usize) -> Vec<Vec<u8>>;

    /// Whether any transaction waits. When this turns true, call [`Handle::wake`](crate::Handle::wake), so that an idle
    /// proposer need not wait for its heartbeat.
    fn waiting(&self) -> bool;

    /// A block is final: what it holds need not be proposed any more, and who waits for it can be told. In order of height, at once, and
    /// from some blocks before the tip on when the engine starts; blocks before that start which are not here are left out.
    fn finalised(&self, block: &Arc<Block>);
}

/// Who needs every finalised block, also the old ones: the node's index.
pub trait Observer: Send + Sync + 'static {
    /// The last height that was handled and is safe on disk. Asked once, when the engine starts; delivery resumes after it.
    fn position(&self) -> Height;

    /// A finalised block, in order of height, each at least once over restarts. `certificate` is there when the block was
    /// certified itself and not by a descendant. May take its time: it runs on a thread of its own, consensus does not wait,
    /// and what is missed meanwhile is read from the archive. After a state sync it begins with the first block, as soon as others
    /// have sent it; heights are left out only when nobody has had them for a minute.
    fn finalised(&self, block: Arc<Block>, certificate: Option<Certificate>);
}
