//! Times the 20-rule assistance table: least and median of 400 batches of 50 evaluations, gas included.

#![allow(clippy::disallowed_methods, reason = "it measures; the crate itself has no clock")]

use std::time::Instant;
use zhulian_rules::{Decimal, Model, Profile, Value};

fn main() {
    let model = match Model::compile(&[include_str!("../tests/data/medical.dmn")], Profile::Strict) {
        Ok(model) => model,
        Err(refusals) => return refusals.iter().for_each(|r| println!("{r}")),
    };
    let index = model.decision_index("Assistance").unwrap_or_default();
    for (label, kind, cost) in
        [("rule 1", "Orphan", 500), ("rule 10", "Rural Resident", 2000), ("rule 20", "Urban Employee", 90_000)]
    {
        let facts = vec![
            Value::text(kind),
            Value::Number(Decimal::from(cost)),
            Value::Number(Decimal::from(12)),
            Value::Boolean(false),
            Value::Number(Decimal::from(3)),
        ];
        let (mut single, mut gas) = (Vec::new(), 0);
        let mut reused = Vec::new();
        let mut session = model.session();
        for _ in 0..400 {
            let start = Instant::now();
            for _ in 0..50 {
                if let Ok(outcome) = model.decide_in_order(index, std::hint::black_box(&facts), 100_000) {
                    gas = std::hint::black_box(outcome).gas;
                }
            }
            single.push(start.elapsed().as_nanos() / 50);
            let start = Instant::now();
            for _ in 0..50 {
                let _ = std::hint::black_box(session.decide(index, std::hint::black_box(&facts), 100_000));
            }
            reused.push(start.elapsed().as_nanos() / 50);
        }
        single.sort_unstable();
        reused.sort_unstable();
        println!(
            "{label}: least {} ns, median {} ns; in a session least {} ns, median {} ns; gas {gas}",
            single[0], single[200], reused[0], reused[200]
        );
    }
}
