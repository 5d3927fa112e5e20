//! Values as texts, and decisions on which something depends.

use crate::support::{GAS, table};
use proptest::prelude::*;
use std::sync::Arc;
use zhulian_rules::gas::Gas;
use zhulian_rules::literal::assignments;
use zhulian_rules::temporal::{DateTime, DaysDuration, MonthsDuration, Time};
use zhulian_rules::value::Range;
use zhulian_rules::{Decimal, Fault, Model, Name, Profile, Undecided, Value};

fn canonical(value: &Value) -> String {
    value.to_canonical(&mut Gas::new(GAS)).expect("short")
}

#[test]
fn only_the_canonical_text_of_a_value_is_read() {
    for text in [
        "null",
        "true",
        "0",
        "-12.5",
        "1E+50",
        "\"特困\"",
        "\"a\\\"b\\\\\"",
        "@\"2026-01-31\"",
        "@\"P3D\"",
        "@\"P1Y2M\"",
        "@\"2026-01-31T09:00:00+08:00\"",
        "@\"09:30:00@Asia/Shanghai\"",
        "[1, 2]",
        "{\"a\": 1, \"b\": [true]}",
        "[1..2)",
        "(-1.5..1E+50]",
        "[@\"2026-01-31\"..@\"2026-02-01\"]",
        "[[1..2], (\"a\"..\"b\"), [], {}, {\"\": \"\\\"]\"}]",
        "@\"-P1DT2H3M4.5S\"",
    ] {
        assert_eq!(Value::from_canonical(text).map(|value| canonical(&value)).as_deref(), Some(text));
    }
    for text in
        ["1.0", "01", "1 + 1", " 1", "date(\"2026-01-31\")", "{b: 1, a: 2}", "[1,2]", "x", "now()", "", "function(x) x"]
    {
        assert!(Value::from_canonical(text).is_none(), "{text}");
    }
    assert_eq!(Value::from_feel("1 + 1").map(|value| canonical(&value)).as_deref(), Some("2"));
    assert!(Value::from_feel(&"[".repeat(20_000)).is_none());
}

#[test]
fn rates_are_lines_of_name_and_value() {
    let found = assignments("# 起付线\nDeductible = 2000\n\nRate = 0.7\n").expect("in form");
    let found: Vec<(&str, String)> = found.iter().map(|(name, value)| (&**name, canonical(value))).collect();
    assert_eq!(found, [("Deductible", "2000".to_owned()), ("Rate", "0.7".to_owned())]);
    assert_eq!(assignments("a = 1\na = 2").map(|_| ()), Err(2));
    assert_eq!(assignments("a = 1\nb").map(|_| ()), Err(2));
    assert_eq!(assignments("a = null").map(|_| ()), Err(1));
    assert_eq!(assignments("a = b").map(|_| ()), Err(1));
}

#[test]
fn nothing_is_decided_on_missing_unneeded_or_doubled_facts() {
    let model = Model::compile(&[&table("number", "UNIQUE", "", &[("< 18", "1"), (">= 18", "2")])], Profile::Strict);
    let model = model.expect("accepted");
    let number = |name: &str, n: i64| (Name::from(name), Value::Number(Decimal::from(n)));
    let surely =
        |facts: &[(Name, Value)]| model.decide_surely("Answer", facts, GAS).map(|outcome| canonical(&outcome.value));
    assert_eq!(surely(&[number("x", 20)]), Ok("2".into()));
    assert_eq!(surely(&[]), Err(Undecided::MissingFact("x".into())));
    assert_eq!(surely(&[number("x", 20), number("y", 1)]), Err(Undecided::UnneededFact("y".into())));
    assert_eq!(surely(&[number("x", 20), number("x", 1)]), Err(Undecided::UnneededFact("x".into())));
    assert_eq!(surely(&[("x".into(), Value::text("20"))]), Err(Undecided::Faulty(vec![Fault::TypeMismatch, Fault::NoRule])));
    assert_eq!(surely(&[("x".into(), Value::Null)]), Err(Undecided::Faulty(vec![Fault::NoRule])));
    assert_eq!(model.decide_surely("Other", &[], GAS).map(|_| ()).unwrap_err(), Undecided::NoSuchDecision);
    assert_eq!(model.required("Answer").map(|(name, _)| name).collect::<Vec<_>>(), ["x"]);
}

/// Decides an expression over an input `x` of a type.
fn surely(ty: &str, text: &str, x: Value) -> Result<String, Undecided> {
    let source = crate::support::definitions(&format!(
        r##"<inputData id="x" name="x"><variable name="x" typeRef="{ty}"/></inputData>
        <decision id="a" name="Answer"><variable name="Answer"/>
        <informationRequirement><requiredInput href="#x"/></informationRequirement>
        <literalExpression><text>{}</text></literalExpression></decision>"##,
        crate::support::escape(text)
    ));
    let model = Model::compile(&[&source], Profile::Strict).expect("accepted");
    model.decide_surely("Answer", &[("x".into(), x)], GAS).map(|outcome| canonical(&outcome.value))
}

#[test]
fn what_is_not_known_decides_nothing() {
    let condition = Err(Undecided::Faulty(vec![Fault::Condition]));
    assert_eq!(surely("boolean", "if x then \"granted\" else \"refused\"", Value::Null), condition);
    assert_eq!(surely("boolean", "if x and true then 1 else 2", Value::Null), condition);
    assert_eq!(surely("boolean", "count([1, 2][x])", Value::Null), condition);
    // Whoever asks whether something is known may go on.
    assert_eq!(surely("boolean", "if x = null then 0 else if x then 1 else 2", Value::Null), Ok("0".into()));
    assert_eq!(surely("boolean", "if x then 1 else 2", Value::Boolean(false)), Ok("2".into()));
}

#[test]
fn an_answer_with_a_part_missing_is_none() {
    let context = || Value::context(vec![("b".into(), Value::Number(Decimal::ONE))]).expect("shallow");
    let answer = "{class: \"granted\", amount: get value(x, \"amount\")}";
    assert_eq!(surely("context", answer, context()), Err(Undecided::NoAnswer));
    assert_eq!(surely("context", "[1, [get value(x, \"amount\")]]", context()), Err(Undecided::NoAnswer));
    assert_eq!(surely("context", "{amount: get value(x, \"b\")}", context()), Ok("{\"amount\": 1}".into()));
}

#[test]
fn an_empty_list_is_no_fault() {
    let empty = || Value::list(Vec::new()).expect("shallow");
    assert_eq!(surely("list", "count(x[item > 3])", empty()), Ok("0".into()));
    assert_eq!(surely("list", "count(x[amount > 3])", empty()), Ok("0".into()));
    assert_eq!(surely("list", "x[1]", empty()), Err(Undecided::Faulty(vec![Fault::OutOfRange])));
}

#[test]
fn a_decision_without_a_result_decides_nothing_further() {
    let source = crate::support::definitions(
        r##"<inputData id="x" name="x"><variable name="x" typeRef="boolean"/></inputData>
        <decision id="e" name="Eligible"><variable name="Eligible"/><informationRequirement><requiredInput href="#x"/></informationRequirement>
        <literalExpression><text>x and true</text></literalExpression></decision>
        <decision id="a" name="Answer"><variable name="Answer"/><informationRequirement><requiredDecision href="#e"/></informationRequirement>
        <decisionTable id="t"><input label="e"><inputExpression typeRef="boolean"><text>Eligible</text></inputExpression></input>
        <output typeRef="number"><defaultOutputEntry><text>0</text></defaultOutputEntry></output>
        <rule id="r"><inputEntry><text>true</text></inputEntry><outputEntry><text>100</text></outputEntry></rule></decisionTable></decision>"##,
    );
    let model = Model::compile(&[&source], Profile::Strict).expect("accepted");
    let answer = |x| model.decide_surely("Answer", &[("x".into(), x)], GAS).map(|outcome| canonical(&outcome.value));
    assert_eq!(answer(Value::Boolean(true)), Ok("100".into()));
    assert_eq!(answer(Value::Null), Err(Undecided::Faulty(vec![Fault::NoResult])));
}

/// Facts are read before it is known who sent them.
#[test]
fn what_is_not_written_out_is_not_evaluated() {
    let doubled: String = (0..8).map(|i| format!(", a{}: a{i}+a{i}", i + 1)).collect();
    let costly = format!("{{a0: \"{}\"{doubled}, r: string length(replace(a8, \"a(.*b)?\", \"\"))}}.r", "a".repeat(64));
    let start = std::time::Instant::now();
    assert_eq!(Value::from_canonical(&costly).map(drop), None);
    assert!(start.elapsed().as_millis() < 100, "evaluated");
    for text in [
        "{\"null, 1\": 7, \"z\": [null, 1]}",
        "(< 1)",
        "(1)",
        "[1..2[",
        "[1][1]",
        "-[1]",
        "[1, 2",
        "@1",
        "1..2",
        "{\"a\": 1}.a",
        "null()",
    ] {
        assert_eq!(Value::from_canonical(text).map(drop), None, "{text}");
    }
}

/// 2 MiB is what the threads of a pool have.
#[test]
fn brackets_do_not_exhaust_a_small_stack() {
    let reader = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        for open in ["[", "(", "{\"\": ", "-", "[1..", "(1..", "@", "{a: ", "1 in (", "if "] {
            let text = open.repeat(1_024 / open.len());
            assert!(Value::from_canonical(&text).is_none(), "{open}");
            assert!(Value::from_feel(&text).is_none(), "{open}");
        }
        for (open, close) in [("[", "]"), ("{\"\": ", "}"), ("(", ")"), ("[[1..2], ", "]"), ("(< ", ")")] {
            for count in 1..100 {
                let text = format!("{}1{}", open.repeat(count), close.repeat(count));
                let (read, evaluated) = (Value::from_canonical(&text), Value::from_feel(&text));
                assert!(read.is_some() || evaluated.is_none_or(|value| canonical(&value) != text), "{text}");
            }
        }
    });
    reader.expect("a thread").join().expect("enough stack");
}

#[test]
fn the_lines_of_rates_are_paid_together() {
    let costly = "count(for i in 1..15000 return 1)";
    let lines = |count| (0..count).map(|i| format!("a{i} = {costly}\n")).collect::<String>();
    assert_eq!(assignments(&lines(2)).map(|lines| lines.len()), Ok(2));
    assert!(assignments(&lines(1_000)).is_err_and(|line| line < 40));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        (any::<i64>(), -40i32..40).prop_filter_map("a number", |(c, e)| Decimal::new(i128::from(c), e).map(Value::Number)),
        ".*".prop_map(|text| Value::text(&text)),
        (-800_000i64..800_000)
            .prop_filter_map("a date", |days| zhulian_rules::temporal::Date::from_days(days).map(Value::Date)),
        "[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]0[0-9]:[0-5][0-9]|@Asia/Shanghai|@Etc/UTC)?"
            .prop_filter_map("a time", |text| Time::parse(&text).map(Value::Time)),
        "-?[0-9]{4,6}-0[1-9]-[0-2][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]0[0-9]:00|@Asia/Shanghai)?"
            .prop_filter_map("a date and time", |text| DateTime::parse(&text).map(Value::DateTime)),
        "-?P[0-9]{1,5}DT[0-9]{1,5}H[0-9]{1,5}M[0-9]{1,5}(\\.[0-9]{1,9})?S"
            .prop_filter_map("a duration", |text| DaysDuration::parse(&text).map(Value::Days)),
        "-?P[0-9]{1,5}Y[0-9]{1,5}M".prop_filter_map("a duration", |text| MonthsDuration::parse(&text).map(Value::Months)),
        (any::<i64>(), any::<i64>(), any::<bool>(), any::<bool>()).prop_map(|(a, b, from, to)| {
            let end = |n: i64| Some(Value::Number(Decimal::from(n)));
            Value::Range(Arc::new(Range::new(end(a), end(b), from, to).expect("shallow")))
        }),
        (".*", ".*").prop_map(|(a, b)| {
            Value::Range(Arc::new(Range::new(Some(Value::text(&a)), Some(Value::text(&b)), true, false).expect("shallow")))
        }),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_filter_map("shallow", |items| Value::list(items).ok()),
            proptest::collection::btree_map("[a-z\"\\\\ ]{1,4}", inner, 0..4).prop_filter_map("shallow", |members| {
                Value::context(members.into_iter().map(|(name, value)| (Name::from(&*name), value)).collect()).ok()
            }),
        ]
    })
}

proptest! {
    /// The canonical text of any value is read back as a value of the same text.
    #[test]
    fn the_canonical_text_is_read_back(value in any_value()) {
        let text = canonical(&value);
        let back = Value::from_canonical(&text);
        prop_assert!(back.is_some(), "{}", text);
    }
}

proptest! {
    /// No text makes the readers of rates, values and cases panic.
    #[test]
    fn any_text_is_read_or_refused(text in "([a-z ]{1,8} ?= ?[-0-9a-z\"@\\[\\]{}(),.:]{0,24}\n){0,3}.{0,40}") {
        let _ = assignments(&text);
        let _ = Value::from_canonical(&text);
        let _ = zhulian_rules::cases::Suite::parse(&text);
        let _ = zhulian_rules::cases::Suite::parse(&format!("<testCases><testCase>{text}</testCase></testCases>"));
    }
}
