//! Tells the pool of finalised blocks at once, and the observer at its own pace.

use std::{sync::Arc, time::Duration};

use commonware_macros::select;
use commonware_runtime::{Clock, Handle, Spawner};
use commonware_storage::Context;

use crate::{
    Observer, Transactions,
    archive::{Damage, place},
    certificate::certificate,
    reader::Reader,
};

/// Blocks before the tip of which the pool is told again after a start.
const AGAIN: u64 = 64;
const RETRY: Duration = Duration::from_millis(200);
/// How long the observer waits for old blocks of which nobody sends any, before it goes on without them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts telling the pool. It does not wait for the blocks before the state that a node began with: while they come, which takes long, the
/// pool would hold and propose what is final, and nothing in it would expire.
pub(crate) fn pool<E: Spawner + Clock + Context>(
    context: E,
    transactions: Arc<dyn Transactions>,
    reader: Reader<E>,
    damage: Damage,
) -> Handle<()> {
    context.dedicated().spawn(move |context| async move {
        let chain = reader.chain.clone();
        let begin = chain.reached(0).await.header.height;
        let mut next = begin.saturating_sub(AGAIN) + 1;
        loop {
            let height = chain.reached(next).await.header.height;
            while next <= height {
                match reader.block(next).await {
                    Some(block) => transactions.finalised(&block),
                    None if next <= begin || damage.contains(&place("block", next)) => {}
                    None => {
                        context.sleep(RETRY).await;
                        continue;
                    }
                }
                chain.set_told(next);
                next += 1;
            }
        }
    })
}

/// Starts the feed after the observer's position.
pub(crate) fn observer<E: Spawner + Clock + Context>(
    context: E,
    observer: Arc<dyn Observer>,
    reader: Reader<E>,
    damage: Damage,
) -> Handle<()> {
    // The observer may block, so it has a thread of its own.
    context.dedicated().spawn(move |context| async move {
        let chain = reader.chain.clone();
        let mut height = chain.reached(0).await.header.height;
        // Its note may be of another chain's directory, or ahead of a disk that lost its end; it would wait in silence for what it noted.
        let mut next = observer.position().min(height) + 1;
        loop {
            while next <= height {
                let Some(block) = reader.block(next).await else {
                    if damage.contains(&place("block", next)) {
                        tracing::error!(
                            height = next,
                            "the observer cannot be given a damaged block; put back the archive's file if it is there, else wipe this node's directory to sync again"
                        );
                        return;
                    }
                    next = resume(&context, &reader, next).await;
                    continue;
                };
                let finalization = reader.certificate(next).await;
                observer.finalised(block, finalization.as_ref().map(certificate));
                next += 1;
            }
            height = chain.reached(next).await.header.height;
        }
    })
}

/// Where to go on when the block at `missing` is not here: there, once it has been fetched, or where the archive begins, when nobody
/// has it.
async fn resume<E: Spawner + Clock + Context>(context: &E, reader: &Reader<E>, missing: u64) -> u64 {
    let floor = reader.retention.floor();
    if missing < floor {
        tracing::error!(
            from = missing,
            to = floor - 1,
            "the archive with these blocks is not there; the observer waits a little and goes on without them"
        );
        context.sleep(PATIENCE).await;
        return if reader.block(missing).await.is_some() { missing } else { floor };
    }
    let Some(first) = reader.first_after(missing).await else {
        context.sleep(RETRY).await;
        return missing;
    };
    select! {
        _ = reader.history.reached(missing) => return missing,
        _ = context.sleep(PATIENCE) => {},
    }
    tracing::warn!(
        from = missing,
        to = first - 1,
        "nobody has the blocks before this node's state; the observer goes on without them"
    );
    first
}
