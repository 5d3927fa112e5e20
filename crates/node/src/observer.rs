//! What the engine tells of finalised blocks: at once to the mempool and to those who wait or listen, and all of them to the index.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};

use tokio::sync::broadcast;
use zhulian_engine::{Observer, Transactions};
use zhulian_ledger::BlockContext;
use zhulian_primitives::{Block, Certificate, Height};

use crate::{
    index::Indexer,
    mempool::{self, Mempool, Outside},
};

/// Blocks kept in memory for those who ask right after the end of their transaction, and their bytes.
const RECENT: usize = 128;
const RECENT_BYTES: usize = 16 << 20;
/// Blocks that a listener may be behind before it must read from the archive.
const LISTENERS: usize = 256;
/// Blocks delivered again after a start, since the marker is not forced to disk.
const AGAIN: u64 = 64;
/// The marker is written whenever the height is a multiple of this.
const MARK_EVERY: u64 = 32;

/// The last blocks, without gaps.
#[derive(Default)]
struct Recent {
    blocks: VecDeque<Arc<Block>>,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, block: Arc<Block>) {
        if self.blocks.back().is_some_and(|last| last.header.height + 1 != block.header.height) {
            *self = Self::default();
        }
        self.bytes += body_bytes(&block);
        self.blocks.push_back(block);
        while self.blocks.len() > RECENT || (self.bytes > RECENT_BYTES && self.blocks.len() > 1) {
            let Some(oldest) = self.blocks.pop_front() else { return };
            self.bytes -= body_bytes(&oldest);
        }
    }
}

fn body_bytes(block: &Block) -> usize {
    block.transactions.iter().chain(&block.receipts).map(Vec::len).sum()
}

/// What the engine is given as pool and observer; see the module.
pub struct Finalised {
    mempool: Arc<Mempool>,
    recent: Mutex<Recent>,
    listeners: broadcast::Sender<Arc<Block>>,
    /// Set once the engine runs, since the index reads missed blocks from it.
    pub(crate) indexer: OnceLock<Indexer>,
    /// Set once the engine runs.
    pub(crate) outside: OnceLock<Arc<dyn Outside>>,
    marker: PathBuf,
}

impl Finalised {
    /// An observer that notes in `directory` how far it is.
    pub fn new(mempool: Arc<Mempool>, directory: &Path) -> Self {
        Self {
            mempool,
            recent: Mutex::default(),
            listeners: broadcast::Sender::new(LISTENERS),
            indexer: OnceLock::new(),
            outside: OnceLock::new(),
            marker: directory.join("observed"),
        }
    }

    /// A block finalised not long ago.
    pub(crate) fn recent(&self, height: Height) -> Option<Arc<Block>> {
        let recent = self.recent.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let first = recent.blocks.front()?.header.height;
        recent.blocks.get(height.checked_sub(first)? as usize).filter(|block| block.header.height == height).cloned()
    }

    /// Listens to blocks from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Block>> {
        self.listeners.subscribe()
    }

    /// A full disk leaves the marker that was there.
    fn write(&self, height: Height) -> io::Result<()> {
        let new = self.marker.with_extension("new");
        fs::write(&new, height.to_string())?;
        fs::rename(new, &self.marker)
    }

    fn mark(&self, height: Height) {
        if height.is_multiple_of(MARK_EVERY)
            // Without it blocks are delivered again from an earlier one, which does no harm.
            && let Err(error) = self.write(height)
        {
            tracing::warn!(%error, "cannot note which block was handled last");
        }
    }
}

impl Transactions for Finalised {
    fn propose(&self, context: &BlockContext, ancestors: &[Arc<Block>], bytes_max: usize, count_max: usize) -> Vec<Vec<u8>> {
        self.mempool.propose(context, ancestors, bytes_max, count_max)
    }

    fn waiting(&self) -> bool {
        self.mempool.lock().waiting()
    }

    fn finalised(&self, block: &Arc<Block>) {
        self.recent.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(block.clone());
        self.mempool.finalised(block);
        if let Some(outside) = self.outside.get() {
            mempool::tell_again(&self.mempool, &**outside);
        }
        // Nobody may be listening.
        let _ = self.listeners.send(block.clone());
    }
}

impl Observer for Finalised {
    fn position(&self) -> Height {
        let text = fs::read_to_string(&self.marker).unwrap_or_default();
        text.trim().parse::<u64>().unwrap_or_default().saturating_sub(AGAIN)
    }

    fn finalised(&self, block: Arc<Block>, _: Option<Certificate>) {
        if let Some(indexer) = self.indexer.get() {
            indexer.push(block.clone());
        }
        self.mark(block.header.height);
    }
}
