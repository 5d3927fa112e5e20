//! A log replayed on a procedure: which cases it would have allowed, where it would have refused the others, who handed over to
//! whom, what was late, and how much waiting came from doing one after another what the procedure lets be done side by side.
//!
//! Two measures of conformance are given. A case *fits* when some run of the procedure gives exactly its events, from start to end;
//! that is searched for exactly. *Fitness* is the token-based one of Rozinat and van der Aalst (2008): a case is played as well as it can
//! be, tokens that were missing are put there, and the share of missing and of remaining tokens is counted.

mod log;
mod net;
mod tokens;

pub use log::{Log, LogCase, LogError, LogEvent, time};

use crate::model::Process;
use net::Net;
use std::collections::{BTreeMap, BTreeSet};
use tokens::{Counts, Verdict};

/// Why a log cannot be replayed on a procedure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The procedure has no start.
    #[error("the procedure has no start")]
    NoProcess,
    /// An element that a log cannot be measured by: a sub-process, or an event at an edge that does not interrupt.
    #[error("{0}: logs are not replayed on this kind of element")]
    NotReplayed(String),
}

/// Cases that did the same in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The activities.
    pub activities: Vec<String>,
    /// How many cases.
    pub cases: u64,
    /// Whether the procedure allows it, from start to end.
    pub fits: bool,
    /// The first activity, by its place, that the procedure does not allow there; `None` when it fits, or stops before the end.
    pub refused_at: Option<usize>,
    /// Token-based fitness in millionths.
    pub fitness: u32,
}

/// How often something was handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOffs {
    /// In all cases.
    pub total: u64,
    /// Cases with one at least.
    pub cases: u64,
    /// From whom to whom, and how often; the most frequent first.
    pub pairs: Vec<(String, String, u64)>,
}

/// What was late. Times of the log count; a case without a date is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// Cases with a deadline.
    pub with_deadline: u64,
    /// Of these, with an end.
    pub ended: u64,
    /// Ended after their deadline.
    pub ended_late: u64,
    /// Whose last event is after their deadline.
    pub last_event_late: u64,
    /// Without an end, and the log goes on after their deadline.
    pub open_late: u64,
    /// How late those that ended late were, in milliseconds: half were later.
    pub median_late_ms: i64,
}

/// Waiting that an order without need caused, in cases that fit. For each event the time since the event before it is taken as what it
/// takes; in the procedure it could have begun as soon as its own predecessors were done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Cases that were measured.
    pub cases: u64,
    /// Cases that would have been shorter.
    pub shorter: u64,
    /// Sum of their lengths, in milliseconds.
    pub total_ms: i64,
    /// Sum of what would have been saved.
    pub saved_ms: i64,
}

/// What the replay of a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conformance {
    /// Cases of the log.
    pub cases: u64,
    /// Events of the log.
    pub events: u64,
    /// Cases that fit.
    pub fitting: u64,
    /// Token-based fitness of the whole log, in millionths.
    pub fitness: u32,
    /// Mean of the cases' own fitness, in millionths.
    pub mean_fitness: u32,
    /// Tokens produced, consumed, missing and remaining.
    pub tokens: [u64; 4],
    /// The variants, the most frequent first.
    pub variants: Vec<Variant>,
    /// What would have been refused first, by activity and the one before it: how many cases; the most frequent first.
    pub refused: Vec<(String, String, u64)>,
    /// Cases that stop before the end, by their last activity.
    pub stopped: Vec<(String, u64)>,
    /// Of these, cases of which the log says that they ended all the same.
    pub ended_early: u64,
    /// Events of activities that the procedure does not have.
    pub unknown: BTreeMap<String, u64>,
    /// Activities of the procedure that the log never shows.
    pub never: Vec<String>,
    /// Hand-offs between people.
    pub resources: HandOffs,
    /// Hand-offs between groups or organisations.
    pub groups: HandOffs,
    /// What was late.
    pub deadlines: Deadlines,
    /// What an order without need cost.
    pub saved: Saved,
}

/// Replays a log on a process.
///
/// # Errors
/// When the process has elements that a log cannot be measured by.
pub fn replay(process: &Process, log: &Log) -> Result<Conformance, ReplayError> {
    let names = || log.cases.iter().flat_map(|case| &case.events).map(|event| event.activity.as_str());
    let seen: BTreeSet<&str> = names().collect();
    let net = Net::of(process, &seen)?;
    let mut variants: BTreeMap<Vec<&str>, (u64, Vec<&LogCase>)> = BTreeMap::new();
    for case in &log.cases {
        let activities = case.events.iter().map(|event| event.activity.as_str()).collect();
        let entry = variants.entry(activities).or_default();
        entry.0 += 1;
        entry.1.push(case);
    }
    let (mut sum, mut fitting, mut mean) = (Counts::default(), 0, 0u64);
    let (mut refused, mut stopped) = (BTreeMap::<(String, String), u64>::new(), BTreeMap::<String, u64>::new());
    let (mut all, mut saved, mut ended_early) = (Vec::new(), Saved::default(), 0);
    for (activities, (count, cases)) in &variants {
        let Verdict { counts, fits, refused_at } = tokens::play(&net, activities);
        sum.add(&counts, *count);
        mean += u64::from(counts.fitness()) * count;
        match (fits, refused_at) {
            (true, _) => {
                fitting += count;
                let run = tokens::run(&net, activities).unwrap_or_default();
                cases.iter().for_each(|case| saved.add(tokens::saved(&net, &run, case)));
            }
            (false, Some(at)) => {
                let before = at.checked_sub(1).map_or("", |at| activities[at]);
                *refused.entry((activities[at].to_owned(), before.to_owned())).or_default() += count;
            }
            (false, None) => {
                *stopped.entry(activities.last().copied().unwrap_or("").to_owned()).or_default() += count;
                ended_early += cases.iter().filter(|case| case.attributes.contains_key("enddate")).count() as u64;
            }
        }
        all.push(Variant {
            activities: activities.iter().map(|name| (*name).to_owned()).collect(),
            cases: *count,
            fits,
            refused_at,
            fitness: counts.fitness(),
        });
    }
    all.sort_by(|a, b| b.cases.cmp(&a.cases).then_with(|| a.activities.cmp(&b.activities)));
    let mut unknown = BTreeMap::new();
    names().filter(|name| net.label(name).is_none()).for_each(|name| *unknown.entry(name.to_owned()).or_default() += 1);
    Ok(Conformance {
        cases: log.cases.len() as u64,
        events: log.events() as u64,
        fitting,
        fitness: sum.fitness(),
        mean_fitness: u32::try_from(mean / (log.cases.len() as u64).max(1)).unwrap_or(0),
        tokens: [sum.produced, sum.consumed, sum.missing, sum.remaining],
        variants: all,
        refused: frequent(refused.into_iter().map(|((activity, before), count)| (activity, before, count)), |it| it.2),
        stopped: frequent(stopped.into_iter(), |it| it.1),
        ended_early,
        unknown,
        never: net.labels.iter().filter(|name| !seen.contains(name.as_str())).cloned().collect(),
        resources: hand_offs(log, |event| &event.resource),
        groups: hand_offs(log, |event| &event.group),
        deadlines: deadlines(log),
        saved,
    })
}

fn frequent<T: Ord>(found: impl Iterator<Item = T>, count: impl Fn(&T) -> u64) -> Vec<T> {
    let mut all: Vec<T> = found.collect();
    all.sort_by(|a, b| count(b).cmp(&count(a)).then_with(|| a.cmp(b)));
    all
}

/// One event is done by somebody, the next by somebody else. Events of nobody are passed over.
fn hand_offs(log: &Log, who: impl Fn(&LogEvent) -> &String) -> HandOffs {
    let (mut pairs, mut cases) = (BTreeMap::<(String, String), u64>::new(), 0);
    for case in &log.cases {
        let hands: Vec<&String> = case.events.iter().map(&who).filter(|name| !name.is_empty()).collect();
        let passed = hands.windows(2).filter(|pair| pair[0] != pair[1]);
        let before = pairs.values().sum::<u64>();
        passed.for_each(|pair| *pairs.entry((pair[0].clone(), pair[1].clone())).or_default() += 1);
        cases += u64::from(pairs.values().sum::<u64>() > before);
    }
    let total = pairs.values().sum();
    HandOffs { total, cases, pairs: frequent(pairs.into_iter().map(|((from, to), count)| (from, to, count)), |it| it.2) }
}

/// Deadlines by the log's own attributes `deadline` and `enddate` of each case.
fn deadlines(log: &Log) -> Deadlines {
    let last = |case: &LogCase| case.events.iter().filter_map(|event| event.at).max();
    let end_of_log = log.cases.iter().filter_map(last).max();
    let (mut found, mut late) = (Deadlines::default(), Vec::new());
    for case in &log.cases {
        let date = |name: &str| case.attributes.get(name).and_then(|text| time(text));
        let Some(deadline) = date("deadline") else { continue };
        found.with_deadline += 1;
        found.last_event_late += u64::from(last(case).is_some_and(|at| at > deadline));
        match date("enddate") {
            Some(end) => {
                found.ended += 1;
                if end > deadline {
                    found.ended_late += 1;
                    late.push(end - deadline);
                }
            }
            None => found.open_late += u64::from(end_of_log.is_some_and(|end| end > deadline)),
        }
    }
    late.sort_unstable();
    found.median_late_ms = late.get(late.len() / 2).copied().unwrap_or(0);
    found
}

impl Saved {
    fn add(&mut self, case: Option<(i64, i64)>) {
        let Some((length, saved)) = case else { return };
        self.cases += 1;
        self.shorter += u64::from(saved > 0);
        self.total_ms += length;
        self.saved_ms += saved;
    }
}
