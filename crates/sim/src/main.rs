//! The simulation's command line.

use std::{
    collections::VecDeque,
    panic,
    process::ExitCode,
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use clap::Parser;
use zhulian_sim::{run::run, scenario::Scenario};

/// Lives through many lives of a four-validator network, each made from its seed.
#[derive(Parser)]
struct Arguments {
    /// How many scenarios.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Only this one, twice, to show that it is the same both times.
    #[arg(long)]
    seed: Option<u64>,
    /// Scenarios at the same time; by default as many as there are processors.
    #[arg(long)]
    jobs: Option<usize>,
    /// Print what the nodes log.
    #[arg(long)]
    log: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.log {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter("info,zhulian_engine=debug").init();
    }
    let seeds: VecDeque<u64> = match arguments.seed {
        Some(seed) => [seed, seed].into(),
        None => (arguments.first..arguments.first + arguments.seeds).collect(),
    };
    let total = seeds.len();
    let jobs = arguments.jobs.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let jobs = if arguments.seed.is_some() { 1 } else { jobs };
    // The message of a broken property is printed with its seed below.
    panic::set_hook(Box::new(|_| ()));

    let begun = Instant::now();
    let seeds = Arc::new(Mutex::new(seeds));
    let results = Arc::new(Mutex::new((Vec::new(), Vec::new(), 0u64, 0u64)));
    let workers: Vec<_> = (0..jobs)
        .map(|_| {
            let (seeds, results) = (seeds.clone(), results.clone());
            thread::spawn(move || {
                loop {
                    let Some(seed) = seeds.lock().ok().and_then(|mut seeds| seeds.pop_front()) else { return };
                    live(seed, &results);
                }
            })
        })
        .collect();
    for worker in workers {
        let _ = worker.join();
    }

    let Ok(results) = results.lock() else { return ExitCode::FAILURE };
    let (failed, traces, blocks, transactions) = &*results;
    let seconds = begun.elapsed().as_secs();
    println!(
        "{total} scenarios, {blocks} blocks, {transactions} transactions in {seconds} s: {} broke a property",
        failed.len()
    );
    for seed in failed {
        println!("replay with: zhulian-sim --seed {seed} --log");
    }
    let same = arguments.seed.is_none() || traces.windows(2).all(|pair| pair[0] == pair[1]);
    if !same {
        println!("the two runs of the seed differ");
    }
    if failed.is_empty() && same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Failed seeds, traces, blocks and transactions.
type Results = Mutex<(Vec<u64>, Vec<String>, u64, u64)>;

fn live(seed: u64, results: &Results) {
    let scenario = Scenario::of(seed);
    let outcome = panic::catch_unwind(|| run(&scenario));
    let Ok(mut results) = results.lock() else { return };
    match outcome {
        Ok(report) => {
            println!(
                "seed {seed:>4}  ok    height {:>4}  {:>3} transactions  {scenario}",
                report.height, report.transactions
            );
            results.1.push(report.trace);
            results.2 += report.height;
            results.3 += report.transactions;
        }
        Err(reason) => {
            let text = reason.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| reason.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            println!("seed {seed:>4}  BROKEN  {scenario}\n    {text}");
            results.0.push(seed);
        }
    }
}
