#![doc = include_str!("../README.md")]

mod batch;
mod cases;
mod fault;
mod growth;
mod latency;
mod load;
mod meter;
mod network;
mod process;
mod signatures;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;
use zhulian_verify::verify_receipt;

use crate::{load::Maker, meter::Meter, network::Validators};

/// Measures four validator processes on loopback.
#[derive(Parser)]
struct Arguments {
    /// Under four minutes: shorter runs, and fewer records before the restart if the machine is slow
    #[arg(long)]
    quick: bool,
    /// The zhulian binary; default beside this program
    #[arg(long)]
    binary: Option<std::path::PathBuf>,
    /// Records before memory and restart are measured
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// Where the network lives, which is then kept; default a directory that is removed at the end
    #[arg(long)]
    directory: Option<std::path::PathBuf>,
    /// Measure cases of a procedure only, without the line of JSON
    #[arg(long)]
    procedure: bool,
    /// Fill up to so many records, and at each number measure memory, disk, restart, and the return of a wiped validator
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    growth: Vec<usize>,
    /// With --growth: blocks that stay in the nodes' own stores, the older ones in the archive; default all
    #[arg(long, value_name = "BLOCKS")]
    retention: Option<u64>,
    /// With --growth: fill with calls that are refused, so that history grows and the live state does not
    #[arg(long)]
    refused: bool,
    /// Requests under way at once under full load, of 250 deposits each
    #[arg(long, default_value_t = 48)]
    requests: usize,
    /// End after this stage, without the line of JSON
    #[arg(long)]
    until: Option<Stage>,
}

/// Where a run may end early.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    /// Throughput at full load
    Load,
    /// Latency
    Latency,
}

const VALIDATORS: f64 = 4.0;
/// Deposits in one HTTP request under full load.
const PER_REQUEST: usize = 250;
/// Requests under way at once under full load.
const CONNECTIONS: usize = 48;

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(&Arguments::parse()))
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let quick = arguments.quick;
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    println!("machine: {}", process::machine());

    if !arguments.growth.is_empty() {
        return growth::run(arguments, &binary(arguments)?).await;
    }
    let signatures_time = Duration::from_secs(if quick { 2 } else { 5 });
    let before = signatures::per_core(signatures_time)?;

    let binary = binary(arguments)?;
    let temporary = tempfile::tempdir()?;
    let directory = arguments.directory.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(directory)?;
    let mut network = Validators::start(&binary, directory, None).await.context("starting four validators")?;
    let officers = std::mem::take(&mut network.officers);
    let maker = Maker::new(network.network.chain, officers, zhulian_cli::deposit::default_details())?;
    let clients: Vec<_> = (0..CONNECTIONS.max(arguments.requests)).map(|_| network.client.clone()).collect();
    if arguments.procedure {
        cases(&network, &clients, maker.keys(), quick).await?;
        return Ok(());
    }

    // Full load.
    let warm = maker.deposits(10_000, network.height().await?);
    load::closed(&clients, &warm, arguments.requests, PER_REQUEST).await?;
    let mut records = warm.len();
    let count = if quick { 120_000 } else { 300_000 };
    let transactions = maker.deposits(count, network.height().await?);
    let disk = network.disk()?;
    let meter = Meter::start(&network).await?;
    let peak = load::closed(&clients, &transactions, arguments.requests, PER_REQUEST).await?;
    records += peak.finalised;
    let mut peak_latencies = peak.latencies;
    let rate = peak.finalised as f64 / peak.time.as_secs_f64();
    let cpu_ms = meter.nodes(&network)?.as_secs_f64() * 1e3 / peak.finalised as f64;
    let line = meter.line(&network).await?;
    let disk_bytes = (network.disk()? - disk) as f64 / peak.finalised as f64;
    // The machine may be faster at one moment than at another, so R is measured on both sides of the load.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = signatures::per_core(signatures_time)?;
    let per_core = (before + after) / 2.0;
    let bound = cores * per_core / VALIDATORS;
    println!(
        "R: {per_core:.0} Ed25519 batch verifications/s per core ({before:.0} before the load, {after:.0} after it); bound {cores} × R / 4 = {bound:.0} tx/s"
    );
    println!(
        "full load: {rate:.0} tx/s finalised ({} of {count}, {} failed{}), {:.2} of the bound; {cpu_ms:.3} CPU ms per tx in all four; {disk_bytes:.0} bytes per tx per node; answer p50 {:.0} ms p99 {:.0} ms",
        peak.finalised,
        peak.failed,
        peak.reason.map(|reason| format!(", first: {reason}")).unwrap_or_default(),
        rate / bound,
        peak_latencies.ms(0.5),
        peak_latencies.ms(0.99),
    );
    println!("{line}");
    if arguments.until == Some(Stage::Load) {
        return Ok(());
    }

    // Latency, at a quarter of the peak and at fixed rates; small requests, as clients send them.
    let seconds = if quick { 8.0 } else { 20.0 };
    let mut latency = Vec::new();
    let rates = [("25 % of peak", rate / 4.0), ("500 tx/s", 500.0), ("1,000 tx/s", 1_000.0), ("2,000 tx/s", 2_000.0)];
    for (name, offered) in rates {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let transactions = maker.deposits((offered * seconds) as usize, network.height().await?);
        let meter = Meter::start(&network).await?;
        let mut load = load::open(&clients, &transactions, offered, 10).await?;
        records += load.finalised;
        let (p50, p99) = (load.latencies.ms(0.5), load.latencies.ms(0.99));
        println!(
            "{name} ({offered:.0}/s for {seconds:.0} s): from sending to final p50 {p50:.1} ms, p99 {p99:.1} ms; {} answers, {} failed",
            load.latencies.len(),
            load.failed
        );
        println!("{}", meter.line(&network).await?);
        latency.push((p50, p99));
    }

    if arguments.until == Some(Stage::Latency) {
        return Ok(());
    }

    // One validator dead.
    let fault = fault::run(&mut network, &clients, &maker).await?;
    let fault_rate = fault.load.finalised as f64 / fault.load.time.as_secs_f64();
    records += fault::BEFORE + fault.load.finalised;
    println!(
        "one validator killed: {fault_rate:.0} tx/s finalised by the others ({} failed), longest time without a block {:.0} ms",
        fault.load.failed,
        fault.gap.as_secs_f64() * 1e3
    );

    // A batch.
    let entries = if quick { 200_000 } else { 1_000_000 };
    let batch = batch::run(&network.client, &network.network, &maker, entries, network.height().await?).await?;
    let batch_rate = batch.count as f64 / batch.time.as_secs_f64();
    println!(
        "batch of {}: final after {:.0} ms, every receipt made after {:.0} ms: {batch_rate:.0} records/s",
        batch.count,
        batch.finalised.as_secs_f64() * 1e3,
        batch.time.as_secs_f64() * 1e3
    );

    // Cases of a procedure.
    let (case_steps, case_steps_one_core) = cases(&network, &clients, maker.keys(), quick).await?;

    // Proofs.
    let transaction = maker.deposits(1, network.height().await?);
    let views = network.client.submit(&transaction, zhulian_api::Wait::Finalised(Duration::from_secs(10))).await?;
    let id = views.first().and_then(|view| view.id).context("one deposit has an id")?;
    let (receipt, get) = timed(50, || async { anyhow::Ok(network.client.receipt(id).await?) }).await?;
    let (_, verify) = timed(500, || async { verify_receipt(&network.network, &receipt).map_err(Into::into) }).await?;
    println!("receipt: {} bytes, fetched in {get:.2} ms, verified offline in {verify:.3} ms", receipt.len());

    // Memory and restart.
    let deadline = Instant::now() + Duration::from_secs(if quick { 75 } else { 600 });
    while records < arguments.records && Instant::now() < deadline {
        let transactions = maker.deposits(40_000.min(arguments.records - records), network.height().await?);
        records += load::closed(&clients, &transactions, CONNECTIONS, PER_REQUEST).await?.finalised;
    }
    let rss = network.rss_mb()?;
    let restart = network.restart().await?.as_secs_f64();
    println!(
        "{records} records: {rss:.0} MB resident in the largest node; all four killed and voting again after {restart:.1} s"
    );

    let full = records >= arguments.records && arguments.records >= 1_000_000;
    let round = |value: f64, digits: i32| (value * 10f64.powi(digits)).round() / 10f64.powi(digits);
    println!(
        "{}",
        json!({
            "ed25519_batch_per_core": per_core.round(),
            "single_tx_per_s": rate.round(),
            "bound_ratio": round(rate / bound, 3),
            "p50_ms_at_quarter": round(latency[0].0, 1),
            "p99_ms_at_quarter": round(latency[0].1, 1),
            "p50_ms_at_500": round(latency[1].0, 1),
            "p99_ms_at_500": round(latency[1].1, 1),
            "p50_ms_at_1000": round(latency[2].0, 1),
            "p99_ms_at_1000": round(latency[2].1, 1),
            "p50_ms_at_2000": round(latency[3].0, 1),
            "p99_ms_at_2000": round(latency[3].1, 1),
            "one_dead_tx_per_s": fault_rate.round(),
            "one_dead_gap_ms": round(fault.gap.as_secs_f64() * 1e3, 0),
            "batch_records_per_s": batch_rate.round(),
            "node_cpu_ms_per_tx": round(cpu_ms, 4),
            "disk_bytes_per_tx_per_node": disk_bytes.round(),
            // Only what was measured at a million records is called so.
            "rss_mb_at_1m": if full { json!(rss.round()) } else { json!(null) },
            "restart_s_at_1m": if full { json!(round(restart, 2)) } else { json!(null) },
            "records_at_restart": records,
            "rss_mb_at_restart": rss.round(),
            "restart_s": round(restart, 2),
            "receipt_verify_ms": round(verify, 3),
            "case_steps_per_s": case_steps.round(),
            "case_steps_per_s_one_core": case_steps_one_core.round(),
        })
    );
    Ok(())
}

fn binary(arguments: &Arguments) -> anyhow::Result<std::path::PathBuf> {
    match &arguments.binary {
        Some(binary) => Ok(binary.clone()),
        None => Ok(std::env::current_exe()?.with_file_name("zhulian")),
    }
}

/// Measures cases of a five-step procedure: steps a second on the network, and of execution alone on one core.
async fn cases(
    network: &Validators,
    clients: &[zhulian_api::Client],
    officers: &[zhulian_crypto::SigningKey],
    quick: bool,
) -> anyhow::Result<(f64, f64)> {
    let signers = cases::Signers { chain: network.network.chain, representatives: &network.representatives, officers };
    let count = if quick { 4_000 } else { 12_000 };
    let alone = cases::on_one_core(&network.genesis, &signers, count.min(4_000))?;
    println!(
        "cases, execution alone on one core: {:.0} steps/s, {:.0} openings/s ({} cases of {} steps, {} refused{})",
        alone.steps_per_s,
        alone.opens_per_s,
        alone.cases,
        cases::STEPS,
        alone.failed.0,
        alone.failed.1.map(|reason| format!(", first: {reason}")).unwrap_or_default(),
    );
    let meter = Meter::start(network).await?;
    let run = cases::on_network(clients, &signers, count).await?;
    println!(
        "cases on four validators: {:.0} steps/s finalised, {:.0} openings/s ({} cases of {} steps, {} failed{})",
        run.steps_per_s,
        run.opens_per_s,
        run.cases,
        cases::STEPS,
        run.failed.0,
        run.failed.1.map(|reason| format!(", first: {reason}")).unwrap_or_default(),
    );
    println!("{}", meter.line(network).await?);
    Ok((run.steps_per_s, alone.steps_per_s))
}

/// Runs something often; its last result, and the milliseconds each took.
async fn timed<T, F: Future<Output = anyhow::Result<T>>>(times: u32, run: impl Fn() -> F) -> anyhow::Result<(T, f64)> {
    let start = Instant::now();
    let mut last = run().await?;
    for _ in 1..times {
        last = run().await?;
    }
    Ok((last, start.elapsed().as_secs_f64() * 1e3 / f64::from(times)))
}
