//! The decision tables of the city's scenarios: accepted for deployment, right on every case, and no rule without a case.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use zhulian_rules::cases::{CASE_GAS, Suite, same, show};
use zhulian_rules::{Model, Name, Profile, Value};

/// The scenarios with the number of their expected results, so that none is lost.
const SCENARIOS: [(&str, usize); 6] = [
    ("authorised-loan", 25),
    ("company-deregistration", 18),
    ("marriage-registration", 16),
    ("medical-assistance", 27),
    ("medical-reimbursement", 29),
    ("property-transfer", 24),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn read(scenario: &str, ending: &str) -> String {
    let path = folder().join(scenario).join(format!("{scenario}{ending}"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_scenario_is_accepted_and_decides_its_cases() {
    let mut counts = Vec::new();
    for (scenario, _) in SCENARIOS {
        let source = read(scenario, ".dmn");
        let model = Model::compile(&[&source], Profile::Strict).unwrap_or_else(|refusals| {
            panic!("{scenario}: {}", refusals.iter().map(|r| r.en()).collect::<Vec<_>>().join("\n"))
        });
        let suite = Suite::parse(&read(scenario, "-test.xml")).expect("cases");
        assert_eq!(suite.model_name, format!("{scenario}.dmn"));
        let (mut count, mut hit) = (0, BTreeSet::new());
        for (case, expected) in suite.cases.iter().flat_map(|case| case.results.iter().map(move |result| (case, result))) {
            let needed = |name: &Name| model.required(&expected.name).any(|(needed, _)| needed == &**name);
            let facts: Vec<(Name, Value)> = case.facts.iter().filter(|(name, _)| needed(name)).cloned().collect();
            let outcome = model.decide_surely(&expected.name, &facts, CASE_GAS);
            let outcome = outcome.unwrap_or_else(|why| panic!("{scenario} {} {}: {why}", case.id, expected.name));
            assert!(
                same(&expected.value, &outcome.value),
                "{scenario} {} {}: expected {}, found {}",
                case.id,
                expected.name,
                show(&expected.value),
                show(&outcome.value)
            );
            count += 1;
            hit.extend(outcome.hits.iter().map(|hit| (hit.table, hit.rule)));
        }
        for table in model.tables() {
            for rule in 0..table.rules.len() as u16 {
                assert!(
                    hit.contains(&(table.index, rule)),
                    "{scenario}: no case for rule {} of {}",
                    rule + 1,
                    table.element
                );
            }
        }
        counts.push((scenario, count));
    }
    assert_eq!(counts, SCENARIOS);
}

#[test]
fn every_scenario_is_drawn_for_the_editors() {
    for (scenario, _) in SCENARIOS {
        let source = read(scenario, ".dmn");
        let text = source.as_str();
        let ids = |start: &str| {
            text.split(start).skip(1).filter_map(|rest| rest.split_once('"').map(|(id, _)| id)).collect::<Vec<_>>()
        };
        let shapes: BTreeSet<&str> = ids("dmnElementRef=\"").into_iter().collect();
        let elements =
            ids("<decision id=\"").into_iter().chain(ids("<inputData id=\"")).chain(ids("<informationRequirement id=\""));
        for element in elements {
            assert!(shapes.contains(element), "{scenario}: {element} is not drawn");
        }
        let all = ids(" id=\"");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{scenario}: an id is there twice");
    }
}
