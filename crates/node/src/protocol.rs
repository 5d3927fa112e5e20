//! Which protocol is in force and which is to come, and a warning long before this node could not go on.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use zhulian_engine as engine;
use zhulian_gateway::NodeStatus;
use zhulian_ledger::Key;
use zhulian_modules::governance;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How often the same warning is written to the log.
const AGAIN: Duration = Duration::from_secs(600);

/// Notes in the status what was voted about protocols, and says in the log what this build does not know.
pub(crate) async fn watch(handle: engine::Handle, status: Arc<RwLock<NodeStatus>>) {
    let mut said: Option<(String, Instant)> = None;
    let mut every = tokio::time::interval(EVERY);
    loop {
        every.tick().await;
        // While there is no state, the genesis document has said it.
        let Ok((header, values)) = handle.get(vec![governance::protocol_state_key()]).await else { continue };
        let source = |_: &Key| values.first().cloned().flatten();
        let plan = governance::protocol_plan(&source);
        let now = {
            let mut status = status.write().unwrap_or_else(|poisoned| poisoned.into_inner());
            status.protocols = plan;
            status.protocol_after(header.height)
        };
        let Some((text, _)) = now.unknown() else { continue };
        if said.as_ref().is_some_and(|(before, at)| *before == text && at.elapsed() < AGAIN) {
            continue;
        }
        if now.is_blocked() {
            tracing::error!("{text}: this node stands still until a newer one is installed; nothing is lost");
        } else {
            tracing::warn!("{text}: install a newer one before then");
        }
        said = Some((text, Instant::now()));
    }
}
