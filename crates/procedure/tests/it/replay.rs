//! Logs replayed on procedures: what fits, what would have been refused, and the figures of a real municipal log.

use crate::support::{file, flows, one, users};
use std::path::{Path, PathBuf};
use zhulian_procedure::Definitions;
use zhulian_procedure::replay::{Conformance, Log, LogError, replay};

/// Receive, then check and decide side by side; what is checked may be corrected.
fn drawn() -> Definitions {
    let body = one("startEvent", "s")
        + &users("receive check correct decide send")
        + r#"<parallelGateway id="f"/><parallelGateway id="j"/><exclusiveGateway id="g" default="g-m"/><exclusiveGateway id="m"/>"#
        + &one("endEvent", "e")
        + &flows("s>receive receive>f f>check f>decide check>g g>m g>correct correct>check m>j decide>j j>send send>e");
    Definitions::parse(&file(&body)).expect("it reads")
}

fn csv(cases: &[&str]) -> String {
    let mut out = "case:concept:name,concept:name,org:resource,time:timestamp,case:deadline,case:enddate\n".to_owned();
    for (number, case) in cases.iter().enumerate() {
        for (at, step) in case.split_whitespace().enumerate() {
            let (activity, who) = step.split_once('/').unwrap_or((step, "a"));
            out += &format!(
                "c{number},{activity},{who},2026-01-05 09:{at:02}:00+08:00,2026-01-06,2026-01-0{}\n",
                5 + number % 3
            );
        }
    }
    out
}

fn replayed(cases: &[&str]) -> Conformance {
    let definitions = drawn();
    replay(&definitions.processes[0], &Log::parse(&csv(cases)).expect("a log")).expect("it is replayed")
}

#[test]
fn a_case_fits_in_any_order_that_the_procedure_allows() {
    let fits = [
        "receive check decide send",
        "receive decide check send",
        "receive check correct check decide send",
        "receive decide check correct check correct check send",
    ];
    let found = replayed(&fits);
    assert_eq!((found.cases, found.fitting, found.fitness, found.mean_fitness), (4, 4, 1_000_000, 1_000_000));
    assert_eq!(found.tokens[2..], [0, 0]);
    assert!(found.refused.is_empty() && found.stopped.is_empty() && found.unknown.is_empty() && found.never.is_empty());
}

#[test]
fn what_does_not_fit_says_where_and_how_far() {
    let found = replayed(&[
        "receive decide send",
        "receive",
        "receive check decide send",
        "check receive decide send",
        "receive audit check decide send",
    ]);
    assert_eq!((found.cases, found.fitting), (5, 1));
    let of = |first: &str, count: usize| {
        let variant = found.variants.iter().find(|it| it.activities[0] == first && it.activities.len() == count);
        variant.map(|it| (it.fits, it.refused_at, it.fitness)).expect("a variant")
    };
    // The join lacks the token of the check: 1 missing of 9 consumed, and the check's token remains of 9.
    let (fits, at, fitness) = of("receive", 3);
    assert_eq!((fits, at), (false, Some(2)));
    assert!((700_000..950_000).contains(&fitness), "{fitness}");
    assert_eq!(of("receive", 1).1, None);
    assert_eq!(of("check", 4).1, Some(0));
    assert_eq!(found.stopped, [("receive".to_owned(), 1)]);
    assert_eq!(found.refused.iter().map(|it| it.2).sum::<u64>(), 3);
    assert_eq!(found.unknown.iter().collect::<Vec<_>>(), [(&"audit".to_owned(), &1)]);
    assert_eq!(found.never, ["correct"]);
    assert!(found.fitness < 1_000_000 && found.fitness > 500_000);
}

#[test]
fn hand_offs_deadlines_and_needless_waiting_are_counted() {
    let found = replayed(&["receive/a check/b decide/b send/a", "receive/a decide/a check/a send/a", "receive/a check/b"]);
    assert_eq!((found.resources.total, found.resources.cases), (3, 2));
    assert_eq!(found.resources.pairs[0], ("a".into(), "b".into(), 2));
    assert_eq!(found.groups.total, 0);
    let late = &found.deadlines;
    assert_eq!((late.with_deadline, late.ended, late.ended_late), (3, 3, 1));
    assert_eq!(late.median_late_ms, 86_400_000);
    // One minute each: the check and the decision side by side take one, not two.
    let saved = &found.saved;
    assert_eq!((saved.cases, saved.shorter, saved.total_ms, saved.saved_ms), (2, 2, 6 * 60_000, 2 * 60_000));
}

#[test]
fn logs_are_read_as_csv_and_xes_or_refused() {
    let quoted = "case:concept:name,concept:name,time:timestamp\r\n\"c,1\",\"say \"\"yes\"\"\",2026-01-05T09:00:00Z\r\n";
    let log = Log::parse(quoted).expect("a log");
    assert_eq!((log.cases[0].id.as_str(), log.cases[0].events[0].activity.as_str()), ("c,1", "say \"yes\""));
    let xes = r#"<log xmlns="http://www.xes-standard.org/"><trace><string key="concept:name" value="c"/>
        <event><string key="concept:name" value="a"/><string key="lifecycle:transition" value="start"/><date key="time:timestamp" value="2026-01-05T09:00:00+08:00"/></event>
        <event><string key="concept:name" value="a"/><string key="lifecycle:transition" value="complete"/><date key="time:timestamp" value="2026-01-05T09:05:00+08:00"/></event></trace></log>"#;
    let log = Log::parse(xes).expect("a log");
    assert_eq!((log.cases.len(), log.events(), log.cases[0].id.as_str()), (1, 1, "c"));
    assert_eq!(Log::parse("a,b\n1,2\n"), Err(LogError::Column("case:concept:name")));
    assert_eq!(Log::parse("case:concept:name,concept:name,time:timestamp\n1,2\n"), Err(LogError::Line(2)));
    assert_eq!(Log::parse("case:concept:name,concept:name,time:timestamp\n1,\"2,3\n"), Err(LogError::Line(2)));
    let bomb = "<!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><log>&b;</log>";
    assert!(matches!(Log::parse(bomb), Err(LogError::Xes(_))));
    assert!(matches!(Log::parse(&"<log>".repeat(10_000)), Err(LogError::Xes(_))));
}

fn real_log() -> Option<String> {
    let root = match std::env::var_os("ZHULIAN_SHARED_DATA") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    std::fs::read_to_string(root.join("municipal-permits/receipt.csv")).ok()
}

#[test]
fn the_municipal_permit_log_is_replayed_on_its_procedure() {
    let Some(text) = real_log() else {
        println!("skipped: the municipal permit log is not at $ZHULIAN_SHARED_DATA/municipal-permits/receipt.csv");
        return;
    };
    let source = include_str!("../../../../scenarios/municipal-permits/permit-receipt.bpmn");
    let definitions = Definitions::parse(source).expect("it reads");
    zhulian_procedure::check(&definitions.processes[0]).unwrap_or_else(|refusals| panic!("{refusals:#?}"));
    let log = Log::parse(&text).expect("a log");
    let found = replay(&definitions.processes[0], &log).expect("it is replayed");
    assert_eq!((found.cases, found.events, found.variants.len()), (1_434, 8_577, 116));
    assert_eq!((found.fitting, found.variants.iter().filter(|it| it.fits).count()), (1_268, 88));
    assert_eq!(found.refused.iter().map(|it| it.2).sum::<u64>() + found.stopped.iter().map(|it| it.1).sum::<u64>(), 166);
    assert_eq!((found.deadlines.ended_late, found.deadlines.ended, found.deadlines.open_late), (377, 1_329, 39));
    assert_eq!((found.resources.total, found.groups.total), (1_208, 5_440));
    assert!(found.unknown.is_empty() && found.never.is_empty(), "{:?} {:?}", found.unknown, found.never);
    println!(
        "{} of {} cases fit ({} of {} variants), fitness {}, mean {}, tokens {:?}",
        found.fitting,
        found.cases,
        found.variants.iter().filter(|it| it.fits).count(),
        found.variants.len(),
        found.fitness,
        found.mean_fitness,
        found.tokens
    );
    println!("refused {:?}\nstopped {:?}, ended early {}", found.refused, found.stopped, found.ended_early);
    println!(
        "resources {} in {} cases, groups {} in {}",
        found.resources.total, found.resources.cases, found.groups.total, found.groups.cases
    );
    println!("{:?}\n{:?}", found.deadlines, found.saved);
}
