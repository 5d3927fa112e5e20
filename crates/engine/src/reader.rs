//! Finalised blocks and their certificates, wherever this node has them.

use std::sync::Arc;

use commonware_consensus::{
    marshal::{core::Mailbox, standard::Standard},
    simplex::scheme::ed25519::Scheme,
    types::Height,
};
use commonware_storage::Context;
use zhulian_primitives::Block;

use crate::{
    ArchiveStatus,
    block::Sealed,
    certificate::{Finalization, finalization},
    chain::Chain,
    cold::{Record, retention::Retention, shelf::Shelf},
    history::History,
    sets::Sets,
    wiring::VIEW_RETENTION,
};

pub(crate) type Marshal = Mailbox<Scheme, Standard<Sealed>>;

/// Reads from memory, from the archive, from what was fetched of the time before this node synced, and from the cold archive.
pub(crate) struct Reader<E: Context> {
    pub chain: Arc<Chain>,
    pub marshal: Marshal,
    pub history: Arc<History<E>>,
    pub retention: Retention,
    pub shelf: Option<Shelf<E>>,
    pub sets: Sets,
}

impl<E: Context> Clone for Reader<E> {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            marshal: self.marshal.clone(),
            history: self.history.clone(),
            retention: self.retention.clone(),
            shelf: self.shelf.clone(),
            sets: self.sets.clone(),
        }
    }
}

impl<E: Context> Reader<E> {
    /// The finalised and executed block at `height`.
    pub async fn block(&self, height: u64) -> Option<Arc<Block>> {
        if let Some(block) = self.chain.block(height) {
            return Some(block);
        }
        if self.chain.height()? < height {
            return None;
        }
        if let Some(block) = self.archived(height).await {
            return Some(block);
        }
        match self.history.block(height).await {
            Some(block) => Some(block),
            None => self.old(height).await.map(|record| record.block),
        }
    }

    /// Whether the block at `height` may have to come from the cold archive, whose disk may be slow.
    pub fn is_old(&self, height: u64) -> bool {
        self.shelf.is_some() && (1..self.retention.floor()).contains(&height)
    }

    /// How the cold archive is; `None` for a node that never had one.
    pub fn archive(&self) -> Option<ArchiveStatus> {
        let mut status = self.retention.status()?;
        if self.shelf.as_ref().is_some_and(Shelf::is_silent) {
            status.problem.get_or_insert_with(|| "the archive's disk does not answer".into());
        }
        Some(status)
    }

    /// The block at `height` from the cold archive, if this node's own store may have dropped it.
    async fn old(&self, height: u64) -> Option<Record> {
        let shelf = self.shelf.as_ref().filter(|_| height < self.retention.floor())?;
        shelf.record(height).await
    }

    /// The block at `height`, if this node was there when it was finalised.
    pub async fn archived(&self, height: u64) -> Option<Arc<Block>> {
        let block = self.marshal.get_block(Height::new(height)).await?;
        (block.inner().header().height == height).then(|| block.inner().block().clone())
    }

    /// The certificate of the block at `height`, if it has one of its own.
    pub async fn certificate(&self, height: u64) -> Option<Finalization> {
        if let Some(finalization) = self.marshal.get_finalization(Height::new(height)).await {
            return Some(finalization);
        }
        if let Some(finalization) = self.history.certificate(height).await {
            return Some(finalization);
        }
        let certificate = self.old(height).await?.certificate?;
        finalization(&certificate, self.sets.network(certificate.epoch)?.validators.len())
    }

    /// The first height above `missing` from which on the node's own archive has no gap.
    ///
    /// A node that synced its state has all blocks from there on, and perhaps single ones from before, which others said were final
    /// while it synced.
    pub async fn first_after(&self, missing: u64) -> Option<u64> {
        let last = self.chain.height()?;
        if last > missing {
            self.archived(last).await?;
        }
        let mut absent = missing;
        loop {
            let first = self.present_after(absent, last).await;
            match self.gap_after(first, last).await {
                Some(gap) => absent = gap,
                None => return (first > missing).then_some(first),
            }
        }
    }

    /// A height that is in the archive while the one before is not, between one that is absent and one that is present.
    async fn present_after(&self, mut absent: u64, mut present: u64) -> u64 {
        while absent + 1 < present {
            let middle = absent + (present - absent) / 2;
            if self.archived(middle).await.is_some() {
                present = middle;
            } else {
                absent = middle;
            }
        }
        present
    }

    /// The first gap above `first`, as far as single blocks may reach: what consensus still hears of is no older.
    async fn gap_after(&self, first: u64, last: u64) -> Option<u64> {
        for height in first + 1..last.min(first + VIEW_RETENTION) {
            if self.archived(height).await.is_none() {
                return Some(height);
            }
        }
        None
    }
}
