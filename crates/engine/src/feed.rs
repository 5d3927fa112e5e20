//! Tells the observer of finalised blocks, at its own pace.

use std::{sync::Arc, time::Duration};

use commonware_macros::select;
use commonware_runtime::{Clock, Handle, Spawner};
use commonware_storage::Context;

use crate::{
    Observer,
    archive::{Damage, place},
    certificate::certificate,
    reader::Reader,
};

const RETRY: Duration = Duration::from_millis(200);
/// How long the observer waits for old blocks of which nobody sends any, before it goes on without them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the feed after the observer's position.
pub(crate) fn start<E: Spawner + Clock + Context>(
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
        chain.set_observed(next - 1);
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
                chain.set_observed(next);
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
