//! The simulation's command line.

use std::{
    collections::{BTreeMap, VecDeque},
    process::ExitCode,
    sync::{Mutex, MutexGuard},
    thread,
    time::Instant,
};

use clap::Parser;
use tracing_subscriber::EnvFilter;
use zhulian_sim::{
    run::{Report, run},
    scenario::{Scenario, WRITE_POINTS},
};

/// Lives through many lives of a four-validator network, each made from its seed.
#[derive(Parser)]
struct Arguments {
    /// How many scenarios.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Only this one, twice, to show that it is the same both times, with a readable trace.
    #[arg(long)]
    seed: Option<u64>,
    /// A power cut at every N-th write of a short life, instead of scenarios; 1 for every write.
    #[arg(long, value_name = "N")]
    write_points: Option<u64>,
    /// Each scenario twice, to show that equal seeds give equal traces.
    #[arg(long)]
    twice: bool,
    /// Scenarios at the same time; by default as many as there are processors.
    #[arg(long)]
    jobs: Option<usize>,
    /// Print a line for each scenario, not only for those that fail.
    #[arg(long)]
    verbose: bool,
    /// Print what the nodes log, or what `RUST_LOG` says of it; with --seed.
    #[arg(long)]
    log: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.log {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,zhulian_engine=debug"));
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    }
    match arguments.seed {
        Some(seed) => replay(seed),
        None => many(&arguments),
    }
}

const DIFFERENT: &str = "EQUAL SEEDS GIVE EQUAL TRACES: the two runs of the seed differ";

/// One scenario twice.
fn replay(seed: u64) -> ExitCode {
    let scenario = Scenario::of(seed);
    let begun = Instant::now();
    let [first, second] = [run(&scenario), run(&scenario)];
    for line in &first.trace {
        println!("{line}");
    }
    let same = first == second;
    match (&first.broken, same) {
        (Some(broken), _) => println!("BROKEN  {broken}"),
        (None, false) => println!("BROKEN  {DIFFERENT}"),
        (None, true) => println!("ok, twice the same"),
    }
    let mut total = Total::default();
    total.add(seed, &first);
    total.failed.retain(|_| !(first.broken.is_none() && same));
    if !same && total.failed.is_empty() {
        total.failed.push(seed);
    }
    total.end(begun)
}

fn many(arguments: &Arguments) -> ExitCode {
    let begun = Instant::now();
    let seeds: VecDeque<u64> = match arguments.write_points {
        None => (arguments.first..arguments.first + arguments.seeds).collect(),
        Some(every) => {
            // A cut that never comes: how many writes there are.
            let writes = run(&Scenario::of(2 * WRITE_POINTS)).writes;
            println!("{writes} writes, a power cut after every {every}");
            (WRITE_POINTS + arguments.first..WRITE_POINTS + writes).step_by(every.max(1) as usize).collect()
        }
    };
    let jobs = arguments.jobs.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let queue = Mutex::new(seeds);
    let total = Mutex::new(Total::default());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let Some(seed) = lock(&queue).pop_front() else { return };
                    let scenario = Scenario::of(seed);
                    let mut report = run(&scenario);
                    if arguments.twice && report != run(&scenario) {
                        report.broken.get_or_insert_with(|| DIFFERENT.into());
                    }
                    if let Some(broken) = &report.broken {
                        println!("seed {seed:>4}  BROKEN  {scenario}\n    {broken}\n    replay with: zhulian-sim --seed {seed}");
                    } else if arguments.verbose {
                        let Report { height, transactions, recovery_ms, .. } = report;
                        println!("seed {seed:>4}  ok  height {height}, {transactions} transactions, recovered in {recovery_ms} ms  {scenario}");
                    }
                    lock(&total).add(seed, &report);
                }
            });
        }
    });
    total.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).end(begun)
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The sum of many scenarios.
#[derive(Default)]
struct Total {
    seeds: u64,
    failed: Vec<u64>,
    simulated_ms: u64,
    faults: BTreeMap<&'static str, u64>,
    blocks: u64,
    transactions: u64,
    expired: u64,
    receipts: u64,
    recoveries: Vec<u64>,
}

impl Total {
    fn add(&mut self, seed: u64, report: &Report) {
        self.seeds += 1;
        if report.broken.is_some() {
            self.failed.push(seed);
        }
        self.simulated_ms += report.simulated_ms;
        for (name, count) in &report.faults {
            *self.faults.entry(name).or_default() += count;
        }
        self.blocks += report.height;
        self.transactions += report.transactions;
        self.expired += report.expired;
        self.receipts += report.receipts;
        self.recoveries.push(report.recovery_ms);
    }

    /// The last lines: one to read, one for machines.
    fn end(mut self, begun: Instant) -> ExitCode {
        self.recoveries.sort_unstable();
        let Self { seeds, failed, simulated_ms, faults, blocks, transactions, expired, receipts, recoveries } = self;
        let middle = recoveries.get(recoveries.len() / 2).copied().unwrap_or(0);
        let worst = recoveries.last().copied().unwrap_or(0);
        let by_kind: Vec<String> = faults.iter().map(|(name, count)| format!("{name:?}:{count}")).collect();
        println!(
            "{seeds} scenarios in {} s: {blocks} blocks, {transactions} transactions, {expired} expired, {receipts} receipts verified",
            begun.elapsed().as_secs()
        );
        println!(
            "{{\"seeds\":{seeds},\"failures\":{},\"simulated_s\":{},\"faults\":{},\"failed_seeds\":{failed:?},\
             \"faults_by_kind\":{{{}}},\"recovery_ms\":{{\"median\":{middle},\"worst\":{worst}}}}}",
            failed.len(),
            simulated_ms / 1_000,
            faults.values().sum::<u64>(),
            by_kind.join(",")
        );
        if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
