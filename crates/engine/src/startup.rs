//! From the opened store to a serving node: the state must be the one that was finalised.

use std::{sync::Arc, time::Duration};

use commonware_glue::stateful::Mailbox;
use commonware_parallel::Strategy;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_storage::Context;
use commonware_utils::channel::oneshot;
use futures::join;
use zhulian_primitives::Block;

use crate::{
    Observer, Transactions,
    application::Application,
    archive::Damage,
    block::Sealed,
    chain::Chain,
    feed,
    reader::{Marshal, Reader},
    service::Opened,
    state::Databases,
    status::{Board, Phase},
    wiring,
};

/// Blocks around the processed one among which the state's block is looked for.
const WINDOW: u64 = 64;
const RETRY: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 200;

/// What begins once the state is open.
pub(crate) struct Ready<E: Context + Spawner, S: Strategy> {
    pub reader: Reader<E>,
    pub board: Board,
    pub genesis: Sealed,
    pub opened: Opened<E, S>,
    pub transactions: Arc<dyn Transactions>,
    pub observer: Arc<dyn Observer>,
    pub damage: Damage,
    /// Told the first block that this node has itself.
    pub first: oneshot::Sender<u64>,
}

/// Waits for the state, checks it, then opens it to readers and starts the feeds of the pool and the observer.
pub(crate) async fn run<E, S>(context: E, executor: Mailbox<E, Application<S>>, ready: Ready<E, S>)
where
    E: Context + Spawner + Clock + Metrics,
    S: Strategy,
{
    let Ready { reader, board, genesis, opened, transactions, observer, damage, first } = ready;
    let chain = reader.chain.clone();
    let databases = executor.subscribe_databases().await;
    let block = finalised(&context, &databases, &chain, &reader.marshal, &genesis).await;
    if let Some(block) = block {
        // Blocks executed meanwhile are ahead of this one.
        if chain.height().is_none() {
            chain.announce_first(block.clone());
        }
        tracing::info!(height = block.header.height, "the state is the one that was finalised");
    }
    opened.get_or_init(|| databases);
    board.set_phase(Phase::Running);
    // Where the first block is executed meanwhile, it is readable a moment later.
    chain.reached(0).await;
    let floor = reader.retention.floor();
    let whole = chain.height() == Some(0) || reader.archived(floor).await.is_some();
    if !whole && let Some(begin) = reader.first_after(floor - 1).await {
        let _ = first.send(begin);
    }
    let pool = feed::pool(context.child("pool"), transactions, reader.clone(), damage.clone());
    let observer = feed::observer(context.child("observer"), observer, reader, damage);
    let _ = join!(pool, observer);
}

/// The finalised block whose state is open; `None` if a later one has been executed already and was checked on the way.
///
/// # Panics
/// When no finalised block states the root of the open state: then the store is damaged.
async fn finalised<E, S>(
    context: &E,
    databases: &Databases<E, S>,
    chain: &Chain,
    marshal: &Marshal,
    genesis: &Sealed,
) -> Option<Arc<Block>>
where
    E: Context + Spawner + Clock,
    S: Strategy,
{
    let mut found = (0, [0; 32], [0; 32]);
    for _ in 0..ATTEMPTS {
        let (root, end) = {
            let state = databases.read().await;
            (state.root().0, *state.bounds().end)
        };
        if chain.header_of(&root).is_some() {
            return None;
        }
        if end == genesis.header().sync_end {
            return Some(genesis.block().clone());
        }
        if let Some((_, anchor)) = marshal.get_anchor().await {
            let anchor = anchor.inner().header().height;
            for height in anchor.saturating_sub(WINDOW)..=anchor + WINDOW {
                let Some(block) = marshal.get_block(wiring::height(height)).await else { continue };
                let block = block.inner().block().clone();
                if block.header.sync_end != end {
                    continue;
                }
                if block.header.state_root == root {
                    return Some(block);
                }
                found = (height, block.header.state_root, root);
            }
        }
        context.sleep(RETRY).await;
    }
    let (height, stated, root) = found;
    tracing::error!(height, stated = %hex::encode(stated), root = %hex::encode(root), "the stored state is corrupt");
    panic!(
        "the stored state is corrupt: its root is {} but block {height} states {}; restore or wipe this node's directory to sync again",
        hex::encode(root),
        hex::encode(stated),
    );
}
