//! What the parts of a running engine share about the finalised chain.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;
use zhulian_primitives::{Block, Header, Timestamp};

use crate::watched::Watched;

/// Finalised blocks kept in memory, so that the observer and readers seldom need the archive.
const RECENT: usize = 32;
/// Bytes of their bodies, as long as so many blocks are left.
const RECENT_BYTES: usize = 16 << 20;
const RECENT_MIN: usize = 4;

/// The finalised end of the chain as this node has executed it.
pub(crate) struct Chain {
    /// Blocks whose state is applied or about to be, oldest first.
    recent: Mutex<VecDeque<Arc<Block>>>,
    tip: Watched<Option<Arc<Block>>>,
    /// Times of the last executed blocks, final or not, by digest.
    times: Mutex<VecDeque<([u8; 32], Timestamp)>>,
    /// Last height the pool has been told of.
    told: AtomicU64,
    /// Whether the next block is final and this build cannot execute it.
    standing: Watched<bool>,
    /// Wakes idle proposers, all that wait at the moment.
    pub wake: Notify,
}

impl Chain {
    pub fn new() -> Self {
        Self {
            recent: Mutex::default(),
            tip: Watched::new(None),
            times: Mutex::default(),
            told: AtomicU64::new(0),
            standing: Watched::new(false),
            wake: Notify::new(),
        }
    }

    /// A block's state is about to become the readable one.
    pub fn announce(&self, block: Arc<Block>) {
        let mut recent = self.recent.lock().expect("never panics while held");
        recent.retain(|other| other.header.height < block.header.height);
        recent.push_back(block);
        let bytes = |block: &Arc<Block>| block.transactions.iter().chain(&block.receipts).map(Vec::len).sum::<usize>();
        let mut total: usize = recent.iter().map(bytes).sum();
        while recent.len() > RECENT || (total > RECENT_BYTES && recent.len() > RECENT_MIN) {
            total -= recent.pop_front().as_ref().map_or(0, bytes);
        }
    }

    /// The block whose state was found when the node started, unless a later one is here already.
    pub fn announce_first(&self, block: Arc<Block>) {
        let mut recent = self.recent.lock().expect("never panics while held");
        if recent.front().is_none_or(|first| first.header.height > block.header.height) {
            recent.push_front(block.clone());
        }
        self.tip.change(|tip| {
            tip.get_or_insert(block);
        });
    }

    /// A block's state is readable.
    pub fn advance(&self, block: Arc<Block>) {
        self.tip.change(|tip| *tip = Some(block));
    }

    /// Waits until the tip is there and at this height or above, and gives it.
    pub async fn reached(&self, least: u64) -> Arc<Block> {
        self.tip.until(|tip| tip.clone().filter(|tip| tip.header.height >= least)).await
    }

    /// The header whose state has this root, if it is among the last ones.
    pub fn header_of(&self, state_root: &[u8; 32]) -> Option<Header> {
        let recent = self.recent.lock().expect("never panics while held");
        recent.iter().rev().find(|block| &block.header.state_root == state_root).map(|block| block.header.clone())
    }

    /// The finalised block at `height`, if it is among the last ones and its state is readable.
    pub fn block(&self, height: u64) -> Option<Arc<Block>> {
        if height > self.height()? {
            return None;
        }
        let recent = self.recent.lock().expect("never panics while held");
        recent.iter().find(|block| block.header.height == height).cloned()
    }

    /// The last finalised and executed block.
    pub fn tip(&self) -> Option<Arc<Block>> {
        self.tip.read(Clone::clone)
    }

    /// Its height.
    pub fn height(&self) -> Option<u64> {
        self.tip.read(|tip| tip.as_ref().map(|block| block.header.height))
    }

    /// A block was executed.
    pub fn note(&self, digest: [u8; 32], time: Timestamp) {
        let mut times = self.times.lock().expect("never panics while held");
        times.push_back((digest, time));
        if times.len() > RECENT {
            times.pop_front();
        }
    }

    /// The time of a block that was executed lately.
    pub fn time_of(&self, digest: &[u8; 32]) -> Option<Timestamp> {
        let times = self.times.lock().expect("never panics while held");
        times.iter().rev().find(|(other, _)| other == digest).map(|(_, time)| *time)
    }

    pub fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }

    pub fn set_told(&self, height: u64) {
        self.told.store(height, Ordering::Relaxed);
    }

    /// Says that the next block is final and follows a protocol that this build does not know.
    pub fn stand(&self) {
        self.standing.change(|standing| *standing = true);
    }

    /// Whether that was said.
    pub fn stands(&self) -> bool {
        self.standing.read(|standing| *standing)
    }

    /// Waits until it is said.
    pub async fn stood(&self) {
        self.standing.until(|standing| standing.then_some(())).await;
    }
}
