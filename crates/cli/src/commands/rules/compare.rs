//! `zhulian rules compare`: what would change if a new version decided what was decided before.

use std::{io::BufRead as _, path::PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};
use zhulian_modules::rulepack::Pack;
use zhulian_rules::{Decimal, Name, Value};

use super::{
    facts::{canonical, named, undecided},
    source::Source,
};
use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    report::{Report, Table},
    text,
    text::Text,
};

/// Changes that are shown; all are counted.
const SHOWN_MAX: usize = 20;

/// Options of `rules compare`.
#[derive(Args, Debug)]
pub struct Compare {
    /// The old version: a DMN file or a pack.json (旧版本)
    pub old: PathBuf,
    /// The new version (新版本)
    pub new: PathBuf,
    /// Decisions that were made, one JSON object a line: {"decision", "facts"}, or events of the ledger (历史决定，每行一项)
    #[arg(long, value_name = "events.jsonl")]
    pub log: PathBuf,
    /// Only this decision (只比对此决策)
    #[arg(long, short)]
    pub decision: Option<String>,
}

/// A decision of the log.
struct Logged {
    decision: String,
    facts: Vec<(Name, Value)>,
    outcome: Option<String>,
}

/// What is counted.
#[derive(Default)]
struct Counts {
    decisions: u64,
    same: u64,
    changed: u64,
    newly_undecided: u64,
    newly_decided: u64,
    undecided: u64,
    not_as_logged: u64,
    old_sum: Option<Decimal>,
    new_sum: Option<Decimal>,
}

/// Runs the command.
///
/// # Errors
/// When a version or the log cannot be read.
pub fn run(args: &Compare) -> Result<Report> {
    let source = |file: &PathBuf| Source { file: file.clone(), import: Vec::new() };
    let (old, new) = (source(&args.old).compile()?, source(&args.new).compile()?);
    let file = std::fs::File::open(&args.log).at(&args.log)?;
    let mut counts = Counts { old_sum: Some(Decimal::ZERO), new_sum: Some(Decimal::ZERO), ..Counts::default() };
    let (mut rows, mut changes) = (Vec::new(), Vec::new());
    for (at, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.at(&args.log)?;
        if line.trim().is_empty() {
            continue;
        }
        let json: Json = serde_json::from_str(&line)
            .map_err(|error| unreadable(args, at + 1).why(crate::failure::library_reason(&error.to_string())))?;
        for record in records(&json) {
            let Some(logged) = logged(&old, record).map_err(|failure| unreadable(args, at + 1).why(failure.what))? else {
                continue;
            };
            if args.decision.as_ref().is_some_and(|only| *only != logged.decision) {
                continue;
            }
            let (was, is) = (answer(&old, &logged), answer(&new, &logged));
            if counts.count(&logged, &was, &is) {
                let facts: Vec<String> = logged.facts.iter().map(|(n, v)| format!("{n} = {}", canonical(v))).collect();
                if rows.len() < SHOWN_MAX {
                    rows.push(vec![
                        (at + 1).to_string().into(),
                        logged.decision.as_str().into(),
                        facts.join("; ").into(),
                        words(&was),
                        words(&is),
                    ]);
                }
                changes.push(json!({
                    "line": at + 1,
                    "decision": logged.decision,
                    "facts": facts,
                    "old": words(&was).en,
                    "new": words(&is).en,
                }));
            }
        }
    }
    Ok(report(&counts, rows, changes))
}

/// The value a version gives, or why it gives none.
type Answer = std::result::Result<Value, Text>;

fn words(answer: &Answer) -> Text {
    match answer {
        Ok(value) => canonical(value).into(),
        Err(why) => Text { zh: format!("未决：{}", why.zh).into(), en: format!("undecided: {}", why.en).into() },
    }
}

/// What a version says. Facts that it fixes itself, or does not need any more, are left out, as a clerk would.
fn answer(pack: &Pack, logged: &Logged) -> Answer {
    let needed = |name: &str| pack.model().required(&logged.decision).any(|(needed, _)| needed == name);
    let facts: Vec<_> = logged.facts.iter().filter(|(name, _)| needed(name) && !pack.fixes(name)).cloned().collect();
    let decided = pack.decide(&logged.decision, &facts).map(|outcome| outcome.value);
    decided.map_err(|why| undecided(pack, &logged.decision, &why).why.unwrap_or_else(|| why.to_string().into()))
}

impl Counts {
    /// Counts one decision; says whether it changed.
    fn count(&mut self, logged: &Logged, was: &Answer, is: &Answer) -> bool {
        self.decisions += 1;
        self.not_as_logged += u64::from(match (&logged.outcome, was) {
            (Some(outcome), Ok(value)) => canonical(value) != *outcome,
            (Some(_), Err(_)) => true,
            (None, _) => false,
        });
        if let (Ok(Value::Number(a)), Ok(Value::Number(b))) = (was, is) {
            self.old_sum = self.old_sum.and_then(|sum| sum.add(*a));
            self.new_sum = self.new_sum.and_then(|sum| sum.add(*b));
        }
        let (slot, changed) = match (was, is) {
            (Ok(a), Ok(b)) if canonical(a) == canonical(b) => (&mut self.same, false),
            (Ok(_), Ok(_)) => (&mut self.changed, true),
            (Ok(_), Err(_)) => (&mut self.newly_undecided, true),
            (Err(_), Ok(_)) => (&mut self.newly_decided, true),
            (Err(_), Err(_)) => (&mut self.undecided, false),
        };
        *slot += 1;
        changed
    }
}

/// The decisions in a line: itself, an event, or the events of a transaction.
fn records(json: &Json) -> Vec<&Json> {
    match (&json["events"], &json["data"]) {
        (Json::Array(events), _) => events.iter().filter(|event| is_decision(event)).map(|event| &event["data"]).collect(),
        (_, data @ Json::Object(_)) if is_decision(json) => vec![data],
        (_, Json::Object(_)) => Vec::new(),
        _ => vec![json],
    }
}

fn is_decision(event: &Json) -> bool {
    event["module"] == "rulepack" && event["name"] == "decided"
}

/// Reads a decision. Facts are an object of JSON values, or the ledger's list of name and canonical FEEL.
fn logged(pack: &Pack, json: &Json) -> Result<Option<Logged>> {
    let field = |name: &str, key: &str| json.get(name).or_else(|| json.get(key)).cloned().unwrap_or(Json::Null);
    let Json::String(decision) = field("decision", "3") else { return Ok(None) };
    let facts = match field("facts", "4") {
        Json::Object(members) => members.iter().map(|(name, json)| named(pack, name, json)).collect::<Result<Vec<_>>>()?,
        Json::Array(items) => items
            .iter()
            .map(|item| {
                let part = |name: &str, key: &str| item.get(name).or_else(|| item.get(key)).and_then(Json::as_str);
                let value = part("value", "1").and_then(Value::from_canonical);
                let fact = part("name", "0").map(Name::from).zip(value);
                fact.ok_or_else(|| {
                    Failure::new(
                        Exit::Usage,
                        "fact.unreadable",
                        text!("无法读取事实 {item}", "the fact {item} cannot be read"),
                    )
                })
            })
            .collect::<Result<_>>()?,
        _ => return Ok(None),
    };
    let outcome = match field("outcome", "5") {
        Json::String(outcome) => Some(outcome),
        _ => None,
    };
    Ok(Some(Logged { decision, facts, outcome }))
}

fn unreadable(args: &Compare, line: usize) -> Failure {
    let shown = args.log.display();
    Failure::new(Exit::Usage, "log", text!("无法读取 {shown} 第 {line} 行", "line {line} of {shown} cannot be read"))
}

fn report(counts: &Counts, rows: Vec<Vec<Text>>, changes: Vec<Json>) -> Report {
    let (all, changed) = (counts.decisions, changes.len());
    let sums = counts.old_sum.zip(counts.new_sum).map(|(old, new)| (old.to_string(), new.to_string()));
    let mut report = Report::new(
        text!("{all} 项决定中，新版本会改变 {changed} 项。", "Of {all} decisions the new version would change {changed}."),
        json!({
            "decisions": all,
            "same": counts.same,
            "changed": counts.changed,
            "newly_undecided": counts.newly_undecided,
            "newly_decided": counts.newly_decided,
            "undecided_in_both": counts.undecided,
            "not_as_logged": counts.not_as_logged,
            "sum_of_numbers": sums.as_ref().map(|(old, new)| json!({ "old": old, "new": new })),
            "changes": changes,
        }),
    );
    for (label, count) in [
        (Text::fixed("相同", "the same"), counts.same),
        (Text::fixed("结果不同", "another result"), counts.changed),
        (Text::fixed("新版本不能决定", "no longer decided"), counts.newly_undecided),
        (Text::fixed("新版本才能决定", "decided only now"), counts.newly_decided),
        (Text::fixed("均不能决定", "undecided in both"), counts.undecided),
        (Text::fixed("旧版本与记录不符", "old version differs from the log"), counts.not_as_logged),
    ] {
        report = report.fact(label, count.to_string());
    }
    if let Some((old, new)) = sums {
        report = report.fact(Text::fixed("数值结果合计", "sum of numbers"), format!("{old} → {new}"));
    }
    report.table = Some(Table {
        head: vec![
            Text::fixed("行", "line"),
            Text::fixed("决策", "decision"),
            Text::fixed("事实", "facts"),
            Text::fixed("旧", "old"),
            Text::fixed("新", "new"),
        ],
        rows,
    });
    report
}
