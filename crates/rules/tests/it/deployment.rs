//! What the strict profile refuses, and that it says so by name in both languages.

use crate::support::{definitions, expression, reasons, refusals, table};
use zhulian_rules::{Fault, Model, Profile, Reason};

#[test]
fn a_total_table_is_accepted() {
    let source = table("number", "UNIQUE", "", &[("< 18", "1"), ("[18..60)", "2"), (">= 60", "3")]);
    assert_eq!(reasons(&source), []);
    assert_eq!(reasons(&table("boolean", "UNIQUE", "", &[("true", "1"), ("false", "2")])), []);
    let days = [("< date(\"2026-01-01\")", "1"), ("date(\"2026-01-01\")", "2"), (">= date(\"2026-01-02\")", "3")];
    assert_eq!(reasons(&table("date", "UNIQUE", "", &days)), []);
}

#[test]
fn a_gap_is_refused_unless_a_default_covers_it() {
    let rules = [("< 18", "1"), ("(18..60)", "2"), (">= 60", "3")];
    let found = refusals(&table("number", "UNIQUE", "", &rules));
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].reason, &*found[0].detail), (&Reason::Gap, "x = 18"));
    assert_eq!(found[0].en(), "Answer (t): no rule covers these facts (x = 18); add a rule or a default output");
    assert_eq!(found[0].zh(), "Answer (t):没有规则覆盖以下事实(x = 18);请增加规则或默认输出");
    assert_eq!(reasons(&table("number", "UNIQUE", "0", &rules)), []);
    assert_eq!(reasons(&table("string", "UNIQUE", "", &[("\"a\"", "1"), ("\"b\"", "2")])), [Reason::Gap]);
    assert_eq!(reasons(&table("string", "UNIQUE", "", &[("\"a\"", "1"), ("not(\"a\")", "2")])), []);
}

#[test]
fn rules_that_match_together_are_refused_where_only_one_may() {
    let rules = [("<= 18", "1"), (">= 18", "2")];
    let found = refusals(&table("number", "UNIQUE", "", &rules));
    assert_eq!((&found[0].reason, &*found[0].detail), (&Reason::Overlap, "1 + 2: x = 18"));
    assert_eq!(reasons(&table("number", "FIRST", "", &rules)), []);
    assert_eq!(reasons(&table("number", "ANY", "", &rules)), [Reason::Overlap]);
    assert_eq!(reasons(&table("number", "ANY", "", &[("<= 18", "1"), (">= 18", "1")])), []);
    assert_eq!(reasons(&table("number", "FIRST", "", &[("-", "1"), ("> 5", "2")])), [Reason::Unreachable]);
    assert_eq!(reasons(&table("number", "COLLECT", "", &rules)), []);
}

#[test]
fn what_cannot_be_proved_needs_a_default() {
    let rules = [("? > 5", "1"), ("? <= 5", "2")];
    assert_eq!(reasons(&table("number", "UNIQUE", "", &rules)), [Reason::Unproven]);
    assert_eq!(reasons(&table("number", "UNIQUE", "0", &rules)), []);
}

#[test]
fn expressions_are_refused_by_reason() {
    let refused = |text: &str| reasons(&expression(text));
    let one = |fault| vec![Reason::Expression(fault)];
    assert_eq!(refused("1 + 2"), []);
    assert_eq!(refused("nobody + 2"), one(Fault::UnknownName));
    assert_eq!(refused("now()"), one(Fault::NotDeterministic));
    assert_eq!(refused("today()"), one(Fault::NotDeterministic));
    assert_eq!(refused("random number()"), one(Fault::NotDeterministic));
    assert_eq!(refused("@\"10:00:00@Europe/Paris\""), one(Fault::NamedZone));
    assert_eq!(refused("time(\"10:00:00@Asia/Shanghai\")"), []);
    assert_eq!(refused("date and time(\"2026-01-01T10:00:00@Europe/Paris\")"), one(Fault::NamedZone));
    assert_eq!(refused("1 + \"a\""), one(Fault::OperandKind));
    assert_eq!(refused("1 < \"a\""), one(Fault::OperandKind));
    assert_eq!(refused("abs(1, 2)"), one(Fault::Argument));
    assert_eq!(refused("if 1 then 2 else 3"), one(Fault::Condition));
    assert_eq!(refused("1 +"), one(Fault::Syntax));
    assert_eq!(refused("function() external {java: {class: \"a\", method signature: \"b\"}}"), one(Fault::NotDeterministic));
    assert_eq!(refused("{a: 1}.b"), one(Fault::UnknownName));
}

#[test]
fn a_refusal_names_the_rule_and_the_column() {
    let found = refusals(&table("number", "UNIQUE", "0", &[("< someone", "1")]));
    assert_eq!(found.len(), 1);
    assert!(found[0].en().starts_with("Answer / rule 1, x: a name is not known here (someone)"), "{}", found[0].en());
}

#[test]
fn a_declared_type_that_cannot_hold_is_refused() {
    let source = definitions(
        r#"<decision id="a" name="Answer"><variable name="Answer" typeRef="number"/><literalExpression><text>"a"</text></literalExpression></decision>"#,
    );
    assert_eq!(reasons(&source), [Reason::Expression(Fault::TypeMismatch)]);
    let standard = Model::compile(&[&source], Profile::Standard).expect("the standard makes it null");
    assert_eq!(standard.warnings().len(), 1);
}

#[test]
fn the_assistance_table_is_accepted() {
    let found = refusals(include_str!("../data/medical.dmn"));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_condition_of_a_procedure_is_an_expression_over_its_variables() {
    use zhulian_rules::{Decimal, Value, types::Type};
    let variables = [("amount", Type::Number), ("applicant name", Type::String)];
    let compile = |text: &str| Model::expression(text, &variables, Profile::Strict);
    let model = compile("amount > 100 and contains(applicant name, \"Li\")").expect("compiles");
    let facts = [Value::Number(Decimal::from(120)), Value::text("Li Lei")];
    let outcome = model.decide_in_order(0, &facts, 1_000).expect("decides");
    assert!(matches!(outcome.value, Value::Boolean(true)) && outcome.faults.is_empty());
    let reason = |text: &str| compile(text).err().map(|refusals| refusals[0].reason.clone());
    assert_eq!(reason("amont > 100"), Some(Reason::Expression(Fault::UnknownName)));
    assert_eq!(reason("amount > \"100\""), Some(Reason::Expression(Fault::OperandKind)));
    assert_eq!(reason("amount >"), Some(Reason::Expression(Fault::Syntax)));
}
