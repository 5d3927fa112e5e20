//! What a dead validator costs the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use zhulian_api::Client;

use crate::{
    CONNECTIONS, PER_REQUEST,
    load::{self, Load, Maker},
    network::Validators,
};

/// What a run with a dead validator gave.
pub struct Fault {
    /// Load after the kill.
    pub load: Load,
    /// The longest time in which no block became final, from before the kill to the end of the load.
    pub gap: Duration,
}

/// Deposits before the kill.
pub const BEFORE: usize = 25_000;
/// Deposits after it: some seconds' work, so that the dead validator's first turn, which the others wait for, is a part and not the most.
const AFTER: usize = 100_000;
/// The validator that is killed; the client talks to another.
const VICTIM: usize = 3;
/// How often the height is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Kills a validator under full load and loads the three others, then starts it again.
pub async fn run(network: &mut Validators, clients: &[Client], maker: &Maker) -> anyhow::Result<Fault> {
    let height = network.height().await?;
    let (before, after) = (maker.deposits(BEFORE, height), maker.deposits(AFTER, height));
    let done = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn(longest_gap(network.client.clone(), done.clone()));
    load::closed(clients, &before, CONNECTIONS, PER_REQUEST).await?;
    network.kill_one(VICTIM);
    let load = load::closed(clients, &after, CONNECTIONS, PER_REQUEST).await?;
    done.store(true, Ordering::Relaxed);
    let gap = watch.await?;
    network.start_one(VICTIM)?;
    Ok(Fault { load, gap })
}

async fn longest_gap(client: Client, done: Arc<AtomicBool>) -> Duration {
    let (mut height, mut since, mut longest) = (0, Instant::now(), Duration::ZERO);
    while !done.load(Ordering::Relaxed) {
        if let Ok(status) = client.status().await
            && status.height > height
        {
            if height > 0 {
                longest = longest.max(since.elapsed());
            }
            (height, since) = (status.height, Instant::now());
        }
        tokio::time::sleep(LOOK).await;
    }
    longest.max(since.elapsed())
}
