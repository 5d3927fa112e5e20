//! Times the 20-rule assistance table: least and median of 400 batches of 50 evaluations, gas included.

use std::time::Instant;
use zhulian_rules::{Decimal, Model, Profile, Value};

fn main() {
    let model = match Model::compile(&[include_str!("../tests/data/medical.dmn")], Profile::Strict) {
        Ok(model) => model,
        Err(refusals) => return refusals.iter().for_each(|r| println!("{r}")),
    };
    let index = model.decision_index("Assistance").unwrap_or_default();
    for (label, kind, cost) in [("rule 1", "Orphan", 500), ("rule 10", "Rural Resident", 2000), ("rule 20", "Urban Employee", 90_000)] {
        let facts = vec![
            Value::text(kind),
            Value::Number(Decimal::from(cost)),
            Value::Number(Decimal::from(12)),
            Value::Boolean(false),
            Value::Number(Decimal::from(3)),
        ];
        let (mut times, mut gas) = (Vec::new(), 0);
        for _ in 0..400 {
            let start = Instant::now();
            for _ in 0..50 {
                if let Ok(outcome) = model.decide_in_order(index, facts.clone(), 100_000) {
                    gas = std::hint::black_box(outcome).gas;
                }
            }
            times.push(start.elapsed().as_nanos() / 50);
        }
        times.sort_unstable();
        println!("{label}: least {} ns, median {} ns, gas {gas}", times[0], times[200]);
    }
}
