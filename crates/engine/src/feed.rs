//! Tells the observer of finalised blocks, at its own pace.

use std::{sync::Arc, time::Duration};

use commonware_consensus::{
    marshal::{core::Mailbox, standard::Standard},
    simplex::scheme::ed25519::Scheme,
    types::Height,
};
use commonware_runtime::{Clock, Handle, Spawner};
use zhulian_primitives::Block;

use crate::{
    Observer,
    archive::{Damage, place},
    block::Sealed,
    certificate::certificate,
    chain::Chain,
};

pub(crate) type Marshal = Mailbox<Scheme, Standard<Sealed>>;

const RETRY: Duration = Duration::from_millis(200);

/// A finalised block from memory or the archive.
pub(crate) async fn block_at(chain: &Chain, marshal: &Marshal, height: u64) -> Option<Arc<Block>> {
    if let Some(block) = chain.block(height) {
        return Some(block);
    }
    if chain.height()? < height {
        return None;
    }
    let block = marshal.get_block(Height::new(height)).await?;
    (block.inner().header().height == height).then(|| block.inner().block().clone())
}

/// Starts the feed after `position`.
pub(crate) fn start<E: Spawner + Clock>(
    context: E,
    observer: Arc<dyn Observer>,
    chain: Arc<Chain>,
    marshal: Marshal,
    damage: Damage,
) -> Handle<()> {
    // The observer may block, so it has a thread of its own.
    context.dedicated().spawn(move |context| async move {
        let mut tip = chain.watch();
        let mut next = observer.position() + 1;
        chain.set_observed(next - 1);
        loop {
            let Ok(height) = tip.wait_for(Option::is_some).await.map(|tip| tip.as_ref().map_or(0, |tip| tip.header.height))
            else {
                return;
            };
            while next <= height {
                let Some(block) = block_at(&chain, &marshal, next).await else {
                    if damage.contains(&place("block", next)) {
                        tracing::error!(
                            height = next,
                            "the observer cannot be given a damaged block; wipe this node's directory to sync again"
                        );
                        return;
                    }
                    match first_after(&chain, &marshal, next, height).await {
                        Some(first) => {
                            tracing::warn!(from = next, to = first - 1, "blocks before the state sync are not on this node");
                            next = first;
                        }
                        None => context.sleep(RETRY).await,
                    }
                    continue;
                };
                let finalization = marshal.get_finalization(Height::new(next)).await;
                observer.finalised(block, finalization.as_ref().map(certificate));
                chain.set_observed(next);
                next += 1;
            }
            if tip.changed().await.is_err() {
                return;
            }
        }
    })
}

/// The first height above `missing` that is in the archive, which has no gaps but the one at its start.
async fn first_after(chain: &Chain, marshal: &Marshal, missing: u64, tip: u64) -> Option<u64> {
    let (mut absent, mut present) = (missing, tip);
    block_at(chain, marshal, tip).await?;
    while absent + 1 < present {
        let middle = absent + (present - absent) / 2;
        if block_at(chain, marshal, middle).await.is_some() {
            present = middle;
        } else {
            absent = middle;
        }
    }
    (present > missing).then_some(present)
}
