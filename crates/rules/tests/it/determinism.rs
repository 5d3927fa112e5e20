//! The same bytes wherever and whenever a node runs.

use crate::support::{GAS, decide, expression};
use zhulian_rules::gas::Gas;

const EXPRESSIONS: [&str; 14] = [
    "date and time(\"2020-01-01T00:00:00\") = date and time(\"2020-01-01T00:00:00Z\")",
    "time(\"10:00:00@Asia/Shanghai\") - time(\"10:00:00Z\")",
    "string(date and time(\"2026-11-22T09:30:00@Asia/Shanghai\"))",
    "date and time(date(\"2026-01-31\"), time(\"08:00:00\")) + duration(\"P1M\")",
    "exp(1.5) * log(17) ** sqrt(2)",
    "1 / 3",
    "{b: 1, a: 2, c: {y: 1, x: [1, 2]}}",
    "get entries({z: 1, y: 2, x: 3})",
    "distinct values([3, 1, 3, \"a\", \"a\"])",
    "upper case(\"straße İ\")",
    "split(\"a1b22c\", \"[0-9]+\")",
    "sort([3, 1, 2], function(a, b) a < b)",
    "for i in 1..5 return i ** 2",
    "day of week(date(\"2026-11-22\"))",
];

/// Result and gas of every expression.
fn digest() -> String {
    let mut out = String::new();
    for text in EXPRESSIONS {
        let outcome = decide(&expression(text), &[], GAS).expect("decides");
        let value = outcome.value.to_canonical(&mut Gas::new(GAS)).expect("is short");
        out.push_str(&format!("{value} {} {:?}|", outcome.gas, outcome.faults));
    }
    out
}

#[test]
fn prints_a_digest() {
    println!("\nDIGEST {}", digest());
}

#[test]
fn zone_and_locale_of_the_machine_do_not_matter() {
    let own = digest();
    for (zone, locale) in [("UTC", "C"), ("Asia/Shanghai", "zh_CN.UTF-8"), ("America/New_York", "tr_TR.UTF-8")] {
        let output = std::process::Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "determinism::prints_a_digest", "--nocapture"])
            .env("TZ", zone)
            .env("LC_ALL", locale)
            .env("LANG", locale)
            .output()
            .expect("runs itself");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&format!("DIGEST {own}")), "{zone}: {text}");
    }
}

#[test]
fn threads_do_not_matter() {
    let own = digest();
    for count in [1, 2, 8] {
        let threads: Vec<_> = (0..count).map(|_| std::thread::spawn(digest)).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().expect("ends"), own));
    }
}

#[test]
fn a_second_run_costs_the_same() {
    assert_eq!(digest(), digest());
}

#[test]
fn a_session_decides_as_a_fresh_start_does() {
    use zhulian_rules::{Decimal, Model, Profile, Value};
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let model = shared(Model::compile(&[include_str!("../data/medical.dmn")], Profile::Strict).expect("compiles"));
    let index = model.decision_index("Assistance").expect("exists");
    let mut session = model.session();
    let kinds = ["Orphan", "Low Income", "nobody", "Urban Employee"];
    for cost in [0, 999, 1000, 5000, 20_000, 1_000_000] {
        for kind in kinds {
            // An evaluation that halts must leave nothing behind.
            assert!(session.decide(index, &[], 3).is_err());
            let facts = [Value::text(kind), Value::Number(Decimal::from(cost)), Value::Number(Decimal::from(12))];
            let (a, b) = (model.decide_in_order(index, &facts, GAS), session.decide(index, &facts, GAS));
            let text = |o: &zhulian_rules::Outcome| o.value.to_canonical(&mut Gas::new(GAS));
            let (a, b) = (a.expect("decides"), b.expect("decides"));
            assert_eq!((text(&a), a.gas, &a.hits, &a.faults), (text(&b), b.gas, &b.hits, &b.faults));
        }
    }
}
