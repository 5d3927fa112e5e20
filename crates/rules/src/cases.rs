//! Tables of test cases in the XML format of the DMN Technology Compatibility Kit, the common one for DMN tests.

use crate::errors::Halt;
use crate::gas::Gas;
use crate::model::xml;
use crate::model::{Model, Outcome};
use crate::number::Decimal;
use crate::refusal::Refusal;
use crate::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time};
use crate::value::{Name, Value};
use roxmltree::Node;

/// Gas of one expected result.
pub const CASE_GAS: u64 = 20_000_000;
/// Most cases of one file.
const CASES_MAX: usize = 20_000;

/// A file of cases.
#[derive(Debug, Default)]
pub struct Suite {
    /// The file name of the model.
    pub model_name: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// Facts with the results they must have.
#[derive(Debug)]
pub struct Case {
    /// The identifier.
    pub id: String,
    /// What it is about.
    pub description: String,
    /// The decision service or knowledge model that is called, when the results are not decisions.
    pub invocable: Option<String>,
    /// The facts.
    pub facts: Vec<(Name, Value)>,
    /// What must come out.
    pub results: Vec<Expected>,
}

/// A result that must come out.
#[derive(Debug)]
pub struct Expected {
    /// The decision.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Whether a halt is also what was expected.
    pub error: bool,
}

/// What became of one expected result.
#[derive(Debug)]
pub struct Checked {
    /// What was evaluated.
    pub found: Result<Outcome, Halt>,
    /// Whether it is what was expected.
    pub met: bool,
}

impl Suite {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// When it is not XML, or larger than a model may be.
    pub fn parse(source: &str) -> Result<Self, Refusal> {
        let document = xml::document(source)?;
        let root = document.root_element();
        let text = |node: Option<Node>| node.and_then(|n| n.text()).unwrap_or_default().trim().to_owned();
        let cases = root.children().filter(|n| n.tag_name().name() == "testCase").take(CASES_MAX);
        Ok(Self {
            model_name: text(child(&root, "modelName")),
            cases: cases
                .map(|case| Case {
                    id: case.attribute("id").unwrap_or("?").to_owned(),
                    description: text(child(&case, "description")),
                    invocable: case.attribute("invocableName").map(str::to_owned),
                    facts: named(&case, "inputNode").map(|n| (Name::from(name(&n)), value(&n))).collect(),
                    results: named(&case, "resultNode")
                        .map(|n| Expected {
                            name: name(&n).to_owned(),
                            value: child(&n, "expected").map_or(Value::Null, |n| value(&n)),
                            error: n.attribute("errorResult") == Some("true"),
                        })
                        .collect(),
                })
                .collect(),
        })
    }
}

impl Case {
    /// Evaluates one expected result.
    pub fn check(&self, model: &Model, expected: &Expected) -> Checked {
        let found = match &self.invocable {
            Some(invocable) => model.invoke(invocable, &self.facts, CASE_GAS).map(|outcome| pick(outcome, &expected.name)),
            None => model.decide(&expected.name, &self.facts, CASE_GAS),
        };
        let met = match &found {
            Ok(outcome) => same(&expected.value, &outcome.value),
            Err(_) => expected.error,
        };
        Checked { found, met }
    }
}

/// Of a service with several outputs, the one that is asked for.
fn pick(outcome: Outcome, name: &str) -> Outcome {
    match outcome.value.member(name).cloned() {
        Some(value) => Outcome { value, ..outcome },
        None => outcome,
    }
}

/// A value for people to read.
pub fn show(value: &Value) -> String {
    value.to_feel(&mut Gas::new(1_000_000)).unwrap_or_else(|halt| halt.to_string())
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| n.tag_name().name() == name)
}

fn named<'a, 'i>(node: &Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    node.children().filter(move |n| n.tag_name().name() == name)
}

fn name<'a>(node: &Node<'a, '_>) -> &'a str {
    node.attribute("name").unwrap_or_default()
}

/// The value of an `inputNode`, `expected`, `item` or `component`.
fn value(node: &Node) -> Value {
    for part in node.children().filter(Node::is_element) {
        match part.tag_name().name() {
            "value" => return simple(&part),
            "list" => {
                let items = named(&part, "item").map(|n| value(&n)).collect();
                return Value::list(items).unwrap_or_default();
            }
            "component" => {
                let members = named(node, "component").map(|n| (Name::from(name(&n)), value(&n)));
                return Value::context(members.collect()).unwrap_or_default();
            }
            _ => {}
        }
    }
    Value::Null
}

fn simple(node: &Node) -> Value {
    const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
    if node.attribute((XSI, "nil")) == Some("true") {
        return Value::Null;
    }
    let text = node.text().unwrap_or_default();
    let ty = node.attribute((XSI, "type")).and_then(|t| t.rsplit(':').next()).unwrap_or("string");
    let trimmed = text.trim();
    let found = match ty {
        "decimal" | "double" | "integer" | "int" | "float" => trimmed.parse::<Decimal>().ok().map(Value::Number),
        "boolean" => Some(Value::Boolean(trimmed == "true")),
        "date" => Date::parse(trimmed).map(Value::Date),
        "time" => Time::parse(trimmed).map(Value::Time),
        "dateTime" => DateTime::parse(trimmed).map(Value::DateTime),
        "duration" => {
            DaysDuration::parse(trimmed).map(Value::Days).or_else(|| MonthsDuration::parse(trimmed).map(Value::Months))
        }
        _ => Some(Value::text(text)),
    };
    found.unwrap_or_else(|| Value::text(&format!("unreadable {ty} {text}")))
}

/// Equality of results. Expected fractions were computed with doubles: they may differ by 10^-8, as in the kit's runner.
pub fn same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Null, Value::Null) => true,
        (Value::Number(a), Value::Number(b)) => {
            if a == b {
                return true;
            }
            let step = Decimal::new(1, -8).unwrap_or(Decimal::ZERO);
            a.exponent() <= -8 && a.sub(*b).is_some_and(|gap| gap.abs() <= step)
        }
        (Value::List(a), Value::List(b)) => {
            a.items().len() == b.items().len() && a.items().iter().zip(b.items()).all(|(a, b)| same(a, b))
        }
        (Value::Context(a), Value::Context(b)) => {
            a.entries().len() == b.entries().len()
                && a.entries().iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (Value::Time(a), Value::Time(b)) => a == b || a.to_string() == b.to_string(),
        (Value::DateTime(a), Value::DateTime(b)) => a == b || a.to_string() == b.to_string(),
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a == b,
        (Value::Days(a), Value::Days(b)) => a == b,
        (Value::Months(a), Value::Months(b)) => a == b,
        _ => false,
    }
}
