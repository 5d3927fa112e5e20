//! What grows with the number of records: memory, disk, restart, and the return of a validator that lost everything.

use std::{path::Path, time::Instant};

use anyhow::Context as _;
use serde_json::json;
use zhulian_modules::evidence::{Subject, Withdraw, WithdrawReason};
use zhulian_primitives::codec;

use crate::{Arguments, CONNECTIONS, PER_REQUEST, load, load::Maker, network::Validators};

/// Deposits signed at a time.
const PART: usize = 40_000;
/// Parts of the first validator's disk, by name.
const PARTS: [(&str, &str); 6] = [
    ("state", "data/chain/zhulian-state"),
    ("blocks", "data/chain/zhulian-blocks"),
    ("certificates", "data/chain/zhulian-certificates"),
    ("all of the engine", "data/chain"),
    ("index", "data/index"),
    ("archive", "archive"),
];

/// Fills a network and measures it at every number of records that was asked for; each line ends with the same as JSON.
pub async fn run(arguments: &Arguments, binary: &Path) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let mut network =
        Validators::start(binary, directory.path(), arguments.retention).await.context("starting the validators")?;
    let officers = std::mem::take(&mut network.officers);
    let maker = Maker::new(network.network.chain, officers, zhulian_cli::deposit::default_details())?;
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| network.client.clone()).collect();
    let (mut records, mut refused) = (0, 0);
    for target in &arguments.growth {
        let start = Instant::now();
        let begun = records + refused;
        while records + refused < *target {
            let count = PART.min(*target - records - refused);
            let height = network.height().await?;
            let transactions =
                if arguments.refused { nothing(&maker, count, height) } else { maker.deposits(count, height) };
            let load = load::closed(&clients, &transactions, CONNECTIONS, PER_REQUEST).await?;
            records += load.finalised;
            refused += load.failed;
            let lost = load.failed > 0 && !arguments.refused;
            anyhow::ensure!(!lost, "{} of {count} are not final: {}", load.failed, load.reason.unwrap_or_default());
        }
        let rate = (*target - begun) as f64 / start.elapsed().as_secs_f64();
        let full = network.rss_mb()?;
        let restart = network.restart().await?.as_secs_f64();
        let fresh = network.rss_mb()?;
        let height = network.height().await?;
        let disk = PARTS.map(|(name, part)| Ok((name, network.disk_of(part)? >> 20)));
        let disk = disk.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        let (sync, synced) = network.wipe().await?;
        let sync = sync.as_secs_f64();
        println!(
            "{records} records and {refused} refused calls in {height} blocks (filled at {rate:.0}/s): {full:.0} MB resident in the largest \
             node; all killed and voting again after {restart:.1} s, with {fresh:.0} MB; MiB on disk: {}; wiped, and back after {sync:.1} s \
             with {synced:.0} MB",
            disk.iter().map(|(name, mib)| format!("{name} {mib}")).collect::<Vec<_>>().join(", "),
        );
        let round = |value: f64| (value * 10.0).round() / 10.0;
        println!(
            "{}",
            json!({
                "records": records, "refused": refused, "height": height,
                "retention_blocks": arguments.retention, "filled_per_s": rate.round(), "rss_mb": full.round(),
                "restart_s": round(restart), "rss_mb_after_restart": fresh.round(),
                "disk_mib": disk.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
                "state_sync_s": round(sync), "rss_mb_after_state_sync": synced.round(),
            })
        );
    }
    Ok(())
}

/// Calls that are executed, refused and recorded, and write nothing but that: withdrawals of evidence that is not there.
fn nothing(maker: &Maker, count: usize, height: u64) -> Vec<Vec<u8>> {
    (0..count)
        .map(|n| {
            let call = Withdraw { subject: Subject::File(maker.file().sha256, 0), reason: WithdrawReason::Mistake };
            maker.sign("withdraw", &codec::to_bytes(&call), n, height)
        })
        .collect()
}
