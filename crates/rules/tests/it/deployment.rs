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
    assert_eq!(found[0].zh(), "Answer (t)：没有规则覆盖以下事实（x = 18）；请增加规则或默认输出");
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
    assert_eq!(reasons(&table("number", "FIRST", "", &rules)), [Reason::Unproven]);
    assert_eq!(reasons(&table("number", "FIRST", "0", &rules)), []);
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

/// A table with an input `x` and one output with a type, output values and a default.
fn typed(policy: &str, ty: &str, values: &str, default: &str, rows: &str) -> String {
    let text = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<{name}><text>{}</text></{name}>", crate::support::escape(text)),
    };
    definitions(&format!(
        r##"<inputData id="x" name="x"><variable name="x" typeRef="number"/></inputData>
        <decision id="a" name="Answer"><variable name="Answer"/>
        <informationRequirement><requiredInput href="#x"/></informationRequirement>
        <decisionTable id="t" hitPolicy="{policy}"><input label="x"><inputExpression typeRef="number"><text>x</text></inputExpression></input>
        <output typeRef="{ty}">{}{}</output>{rows}</decisionTable></decision>"##,
        text("outputValues", values),
        text("defaultOutputEntry", default)
    ))
}

fn row(cells: &[&str], outputs: &[&str]) -> String {
    let cell = |name: &str, text: &&str| format!("<{name}><text>{}</text></{name}>", crate::support::escape(text));
    let ins: String = cells.iter().map(|text| cell("inputEntry", text)).collect();
    let outs: String = outputs.iter().map(|text| cell("outputEntry", text)).collect();
    format!("<rule>{ins}{outs}</rule>")
}

#[test]
fn a_result_of_another_type_than_declared_is_refused() {
    let mismatch = [Reason::Expression(Fault::TypeMismatch)];
    assert_eq!(reasons(&typed("UNIQUE", "number", "", "0", &row(&["< 5"], &["1"]))), []);
    assert!(reasons(&typed("UNIQUE", "number", "", "0", &row(&["< 5"], &["\"one\""]))).starts_with(&mismatch));
    assert_eq!(reasons(&typed("UNIQUE", "number", "", "\"none\"", &row(&["< 5"], &["1"]))), mismatch);
    assert_eq!(reasons(&typed("UNIQUE", "string", "\"yes\",\"no\"", "\"no\"", &row(&["< 5"], &["\"yes\""]))), []);
    assert_eq!(reasons(&typed("UNIQUE", "string", "\"yes\",\"no\"", "\"no\"", &row(&["< 5"], &["\"maybe\""]))), mismatch);
}

#[test]
fn a_result_that_may_be_null_is_refused() {
    let silent = [Reason::SilentNull];
    assert_eq!(reasons(&typed("UNIQUE", "number", "", "0", &row(&["< 5"], &["null"]))), silent);
    assert_eq!(reasons(&typed("UNIQUE", "number", "", "null", &row(&["< 5"], &["1"]))), silent);
    assert_eq!(reasons(&expression("if 1 < 2 then 3 else null")), silent);
    assert_eq!(reasons(&expression("if 1 < 2 then 3 else 0")), []);
    let found = refusals(&typed("UNIQUE", "number", "", "0", &row(&["< 5"], &["null"])));
    assert_eq!(
        found[0].en(),
        "Answer / rule 1, output 1: the result may be null (null); say what is decided, for example 0 or a reason, instead of nothing"
    );
}

#[test]
fn the_sum_of_nothing_needs_a_default_and_a_list_of_nothing_does_not() {
    let rules = [("< 18", "1"), ("> 60", "2")];
    assert_eq!(reasons(&table("number", "COLLECT", "", &rules)), []);
    let sum = |default: &str| {
        reasons(&table("number", "COLLECT", default, &rules).replace("\"COLLECT\"", "\"COLLECT\" aggregation=\"SUM\""))
    };
    assert!(sum("").contains(&Reason::Gap));
    assert_eq!(sum("0"), []);
}

#[test]
fn a_row_has_a_cell_for_every_column() {
    assert_eq!(reasons(&typed("UNIQUE", "number", "", "0", &row(&["< 5"], &["1"]))), []);
    assert!(reasons(&typed("UNIQUE", "number", "", "0", &row(&[], &["1"]))).contains(&Reason::Cells));
    assert!(reasons(&typed("UNIQUE", "number", "", "0", &row(&["< 5"], &[]))).contains(&Reason::Cells));
    assert!(reasons(&typed("UNIQUE", "number", "", "0", &row(&["< 5", "6"], &["1"]))).contains(&Reason::Cells));
}

#[test]
fn a_hit_policy_is_one_of_the_standard_s_and_priorities_are_listed() {
    let rows = row(&["< 5"], &["1"]);
    assert_eq!(reasons(&typed("BEST", "number", "", "0", &rows)), [Reason::HitPolicy]);
    assert_eq!(reasons(&typed("PRIORITY", "number", "", "0", &rows)), [Reason::HitPolicy]);
    assert_eq!(reasons(&typed("PRIORITY", "number", "1,0", "0", &rows)), []);
}

#[test]
fn rules_that_may_match_together_are_refused_where_only_one_may() {
    let rules = [("< x + 1", "1"), (">= 2", "2")];
    assert_eq!(reasons(&table("number", "UNIQUE", "0", &rules)), [Reason::UnprovenOverlap]);
    assert_eq!(reasons(&table("number", "FIRST", "0", &rules)), []);
    assert_eq!(reasons(&table("number", "ANY", "0", &rules)), [Reason::UnprovenOverlap]);
    assert_eq!(reasons(&table("number", "ANY", "0", &[("< x + 1", "1"), (">= 2", "1")])), []);
}

#[test]
fn two_elements_of_one_name_are_refused() {
    let answer = |id: &str, name: &str| {
        format!(
            r#"<decision id="{id}" name="{name}"><variable name="{name}"/><literalExpression><text>1</text></literalExpression></decision>"#
        )
    };
    assert_eq!(reasons(&definitions(&(answer("a", "A") + &answer("b", "B")))), []);
    assert_eq!(reasons(&definitions(&(answer("a", "A") + &answer("b", "A")))), [Reason::Duplicate]);
    assert_eq!(reasons(&definitions(&(answer("a", "A") + &answer("a", "B")))), [Reason::Duplicate]);
}

#[test]
fn a_cell_of_another_type_than_its_column_is_refused() {
    assert_eq!(reasons(&table("number", "UNIQUE", "0", &[("\"a\"", "1")])).len(), 1);
    assert_eq!(reasons(&table("string", "UNIQUE", "0", &[("\"a\"", "1")])), []);
    let declared = table("number", "UNIQUE", "0", &[("5", "1")]);
    let declared = declared.replacen("<inputExpression typeRef=\"number\">", "<inputExpression typeRef=\"string\">", 1);
    assert!(reasons(&declared).contains(&Reason::Expression(Fault::TypeMismatch)));
}

#[test]
fn an_input_without_a_type_is_refused() {
    let typed = table("number", "UNIQUE", "0", &[("< 18", "1")]);
    assert_eq!(reasons(&typed), []);
    assert_eq!(
        reasons(&typed.replacen("<variable name=\"x\" typeRef=\"number\"/>", "<variable name=\"x\"/>", 1)),
        [Reason::Untyped]
    );
    let found = refusals(&typed.replacen("typeRef=\"number\"", "typeRef=\"Any\"", 1));
    assert_eq!(found[0].en(), "x: the input has no type (x); choose its type, such as number, string or date");
}

#[test]
fn what_depends_on_no_fact_and_fails_is_refused() {
    assert_eq!(reasons(&expression("1 / 0")), [Reason::Expression(Fault::OutOfRange)]);
    assert_eq!(reasons(&expression("get value({a: 1}, \"b\")")), [Reason::SilentNull]);
    assert_eq!(reasons(&expression("{class: \"a\", amount: null}")), [Reason::SilentNull]);
    assert_eq!(reasons(&expression("[1, null]")), [Reason::SilentNull]);
    assert_eq!(reasons(&expression("{class: \"a\", amount: 1}")), []);
}
