//! `zhulian rules bench`: how long a decision takes, gas included.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use serde_json::json;
use zhulian_modules::rulepack::{DECISION_GAS, Pack};
use zhulian_rules::{Name, Value};

use super::{
    facts::{Facts, decision, undecided},
    source::Source,
    test::read_cases,
};
use crate::{
    failure::{Exit, Failure, Result},
    report::{Report, Table},
    text,
    text::Text,
};

/// Evaluations of a batch; one reading of the clock for each batch.
const BATCH: u32 = 50;
/// Batches.
const BATCHES: usize = 400;
/// Sets of facts that are timed.
const SETS_MAX: usize = 50;

/// Options of `rules bench`.
#[derive(Args, Debug)]
pub struct Bench {
    /// The rules
    #[command(flatten)]
    pub source: Source,
    /// The decision; may be left out where there is only one (决策；只有一个时可省略)
    #[arg(long, short)]
    pub decision: Option<String>,
    /// The facts
    #[command(flatten)]
    pub facts: Facts,
    /// A table of cases instead: each that has this decision is timed (改用测试用例表)
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["facts", "fact"])]
    pub cases: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When nothing is decided on the facts.
pub fn run(args: &Bench) -> Result<Report> {
    let pack = args.source.compile()?;
    let decision = decision(&pack, args.decision.as_deref())?;
    let mut sets = Vec::new();
    match &args.cases {
        None => sets.push(("-".to_owned(), args.facts.read(&pack)?)),
        Some(path) => {
            let cases = read_cases(&pack, path)?.into_iter();
            let mine = cases.filter(|case| case.results.iter().any(|expected| expected.name == decision));
            sets.extend(mine.take(SETS_MAX).map(|case| (case.id, case.facts)));
        }
    }
    if sets.is_empty() {
        return Err(Failure::new(Exit::Usage, "cases", text!("没有“{decision}”的用例", "there is no case of {decision}")));
    }
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    for (id, facts) in sets {
        let (least, median, gas) = time(&pack, &decision, &facts)?;
        let us = |nanos: u128| format!("{:.3}", nanos as f64 / 1_000.0);
        rows.push(vec![id.as_str().into(), us(least).into(), us(median).into(), gas.to_string().into()]);
        all.push(json!({ "case": id, "least_us": least as f64 / 1e3, "median_us": median as f64 / 1e3, "gas": gas }));
    }
    let count = BATCH as usize * BATCHES;
    let mut report = Report::new(
        text!(
            "“{decision}”每次决策的用时（微秒），每组 {count} 次。",
            "{decision}: time of one evaluation in µs, from {count} each."
        ),
        json!({ "decision": decision, "evaluations": count, "cases": all }),
    );
    report.table = Some(Table {
        head: vec![
            Text::fixed("用例", "case"),
            Text::fixed("最短", "least"),
            Text::fixed("中位", "median"),
            Text::fixed("计算量", "gas"),
        ],
        rows,
    });
    Ok(report)
}

/// Least and median time of one evaluation in ns, and its gas.
fn time(pack: &Pack, decision: &str, facts: &[(Name, Value)]) -> Result<(u128, u128, u64)> {
    let needed = |name: &str| pack.model().required(decision).any(|(needed, _)| needed == name) && !pack.fixes(name);
    let facts: Vec<_> = facts.iter().filter(|(name, _)| needed(name)).cloned().collect();
    let gas = pack.decide(decision, &facts).map_err(|why| undecided(pack, decision, &why))?.gas;
    let model = pack.model();
    let at = model.decision_index(decision).unwrap_or_default();
    let given = |name: &str| facts.iter().chain(pack.rates()).find(|(fact, _)| &**fact == name);
    let values: Vec<Value> =
        model.inputs().map(|(name, _)| given(name).map(|(_, value)| value.clone()).unwrap_or_default()).collect();
    let mut session = model.session();
    let mut times = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..BATCH {
            let _ = std::hint::black_box(session.decide(at, std::hint::black_box(&values), DECISION_GAS));
        }
        times.push(start.elapsed().as_nanos() / u128::from(BATCH));
    }
    times.sort_unstable();
    Ok((times[0], times[BATCHES / 2], gas))
}
