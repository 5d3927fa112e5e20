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
        "Table Answer: facts: x = 20\n  rule 2 (r2): because: x [18..60); gives: \"adult\"\n  rule 1 would have matched if: x < 18 (is 20); gives: \"child\"\n  rule 3 would have matched if: x >= 60 (is 20); gives: \"senior\"\nResult: \"adult\"\n"
    );
    assert!(why.zh().contains("规则 2（r2）：条件：x [18..60)；结论：\"adult\""));
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

#[test]
fn an_explanation_tells_the_default_and_the_expressions_of_the_other_decisions() {
    let source = crate::support::definitions(
        r##"<inputData id="x" name="x"><variable name="x" typeRef="number"/></inputData>
        <decision id="r" name="Rate"><variable name="Rate" typeRef="number"/>
        <informationRequirement><requiredInput href="#x"/></informationRequirement>
        <decisionTable id="t" hitPolicy="UNIQUE"><input label="x"><inputExpression typeRef="number"><text>x</text></inputExpression></input>
        <output typeRef="number"><defaultOutputEntry><text>0</text></defaultOutputEntry></output>
        <rule id="r1"><inputEntry><text>&lt; 18</text></inputEntry><outputEntry><text>0.5</text></outputEntry></rule>
        <rule id="r2"><inputEntry><text>[50..60]</text></inputEntry><outputEntry><text>0</text></outputEntry></rule></decisionTable></decision>
        <decision id="a" name="Answer"><variable name="Answer" typeRef="number"/>
        <informationRequirement><requiredInput href="#x"/></informationRequirement>
        <informationRequirement><requiredDecision href="#r"/></informationRequirement>
        <literalExpression><text>Rate * x</text></literalExpression></decision>"##,
    );
    let model = Model::compile(&[&source], Profile::Strict).expect("compiles");
    let (_, why) = model.explain("Answer", &[(Name::from("x"), Value::Number(Decimal::from(20)))], GAS).expect("decides");
    assert_eq!(
        why.en(),
        "Table Rate: facts: x = 20\n  no rule matched; what holds otherwise: 0\n  rule 1 would have matched if: x < 18 (is 20); gives: 0.5\n  \
         rule 2 would have matched if: x [50..60] (is 20); gives: 0\nDecision Answer: Rate * x = 0\nResult: 0\n"
    );
    assert!(why.zh().contains("没有规则命中；按默认结论：0"), "{}", why.zh());
    assert!(why.zh().contains("规则 1 若满足以下条件则会命中：x < 18（现为 20）；结论：0.5"), "{}", why.zh());
}

#[test]
fn of_a_first_match_only_rules_before_it_would_change_anything() {
    let rules = [("< 5", "\"a\""), ("< 10", "\"b\""), ("> 100", "\"c\"")];
    let model = Model::compile(&[&table("number", "FIRST", "\"d\"", &rules)], Profile::Strict).expect("compiles");
    let near = |x: i64| {
        let (_, why) = model.explain("Answer", &[(Name::from("x"), Value::Number(Decimal::from(x)))], GAS).expect("decides");
        why.tables[0].near.iter().map(|rule| rule.number).collect::<Vec<_>>()
    };
    assert_eq!((near(7), near(50), near(1)), (vec![1], vec![1, 2, 3], vec![]));
}
