//! Finalised blocks and their certificates, wherever this node has them.

use std::sync::Arc;

use commonware_consensus::{
    marshal::{core::Mailbox, standard::Standard},
    simplex::scheme::ed25519::Scheme,
    types::Height,
};
use commonware_storage::Context;
use zhulian_primitives::Block;

use crate::{block::Sealed, certificate::Finalization, chain::Chain, history::History};

pub(crate) type Marshal = Mailbox<Scheme, Standard<Sealed>>;

/// Reads from memory, from the archive, and from what was fetched of the time before this node synced.
pub(crate) struct Reader<E: Context> {
    pub chain: Arc<Chain>,
    pub marshal: Marshal,
    pub history: Arc<History<E>>,
}

impl<E: Context> Clone for Reader<E> {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), marshal: self.marshal.clone(), history: self.history.clone() }
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
        match self.archived(height).await {
            Some(block) => Some(block),
            None => self.history.block(height).await,
        }
    }

    /// The block at `height`, if this node was there when it was finalised.
    pub async fn archived(&self, height: u64) -> Option<Arc<Block>> {
        let block = self.marshal.get_block(Height::new(height)).await?;
        (block.inner().header().height == height).then(|| block.inner().block().clone())
    }

    /// The certificate of the block at `height`, if it has one of its own.
    pub async fn certificate(&self, height: u64) -> Option<Finalization> {
        match self.marshal.get_finalization(Height::new(height)).await {
            Some(finalization) => Some(finalization),
            None => self.history.certificate(height).await,
        }
    }

    /// The first height above `missing` that is in the archive, which has no gaps but the one at its start.
    pub async fn first_after(&self, missing: u64) -> Option<u64> {
        let (mut absent, mut present) = (missing, self.chain.height()?);
        if present > missing {
            self.archived(present).await?;
        }
        while absent + 1 < present {
            let middle = absent + (present - absent) / 2;
            if self.archived(middle).await.is_some() {
                present = middle;
            } else {
                absent = middle;
            }
        }
        (present > missing).then_some(present)
    }
}
