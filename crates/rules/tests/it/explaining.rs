//! Explanations name the rule, the facts and what was missing.

use crate::support::{GAS, table};
use zhulian_rules::{Decimal, Model, Name, Profile, Value};

#[test]
fn an_explanation_names_the_rule_and_the_facts() {
    let source = table("number", "UNIQUE", "", &[("< 18", "\"child\""), ("[18..60)", "\"adult\""), (">= 60", "\"senior\"")]);
    let model = Model::compile(&[&source], Profile::Strict).expect("compiles");
    let facts = [(Name::from("x"), Value::Number(Decimal::from(20)))];
    let (outcome, why) = model.explain("Answer", &facts, GAS).expect("decides");
    assert_eq!(outcome.value.as_text(), Some("adult"));
    assert_eq!(why.tables.len(), 1);
    assert_eq!(why.tables[0].matched[0].number, 2);
    assert_eq!(
        why.en(),
        "Table Answer: facts: x = 20\n  rule 2 (r2): because: x [18..60); gives: \"adult\"\n  rule 1 would have matched if: x < 18\n  rule 3 would have matched if: x >= 60\nResult: \"adult\"\n"
    );
    assert!(why.zh().contains("规则 2 (r2): 条件: x [18..60); 结论: \"adult\""));
    let plain = model.decide("Answer", &facts, GAS).expect("decides");
    assert_eq!(plain.hits, outcome.hits);
    assert_eq!((plain.hits.len(), plain.hits[0].rule), (1, 1));
    assert!(plain.faults.is_empty());
}

#[test]
fn no_null_is_silent() {
    let source = table("number", "UNIQUE", "", &[("< 18", "1")]);
    let model = Model::compile(&[&source], Profile::Standard).expect("compiles");
    let outcome = model.decide("Answer", &[(Name::from("x"), Value::Number(Decimal::from(20)))], GAS).expect("decides");
    assert!(outcome.value.is_null());
    assert_eq!(outcome.faults, [zhulian_rules::Fault::NoRule]);
}
