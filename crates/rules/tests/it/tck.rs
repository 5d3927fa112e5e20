//! Runs the official DMN TCK: every test file of a level against its models.

use roxmltree::{Document, Node};
use std::path::{Path, PathBuf};
use zhulian_rules::number::Decimal;
use zhulian_rules::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time};
use zhulian_rules::{Model, Name, Outcome, Profile, Value};

/// Gas of one result node.
const GAS: u64 = 20_000_000;

/// One expected result that was not met.
pub struct Failure {
    pub case: String,
    pub expected: String,
    pub found: String,
}

#[derive(Default)]
pub struct Report {
    pub passed: usize,
    pub total: usize,
    pub excluded: Vec<String>,
    pub failures: Vec<Failure>,
}

/// The folder of shared data, or `None` when it is not there.
pub fn data() -> Option<PathBuf> {
    let root = match std::env::var_os("ZHULIAN_SHARED_DATA") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let cases = root.join("dmn-tck/TestCases");
    cases.is_dir().then_some(cases)
}

/// The published list of cases that do not count, with the reason: `folder case: reason`.
pub fn exclusions() -> Vec<(String, String)> {
    include_str!("tck-exclusions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(case, reason)| (case.to_owned(), reason.to_owned()))
        .collect()
}

pub fn run(level: &Path) -> Report {
    let (mut report, excluded) = (Report::default(), exclusions());
    let mut folders: Vec<PathBuf> = std::fs::read_dir(level).into_iter().flatten().flatten().map(|e| e.path()).collect();
    folders.sort();
    for folder in folders {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
        files.sort();
        for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "xml")) {
            run_file(&folder, file, &files, &excluded, &mut report);
        }
    }
    report
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| n.tag_name().name() == name)
}

fn run_file(folder: &Path, file: &Path, files: &[PathBuf], excluded: &[(String, String)], report: &mut Report) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Ok(document) = Document::parse(&text) else { return };
    let root = document.root_element();
    let model_name = child(&root, "modelName").and_then(|n| n.text()).unwrap_or_default().trim().to_owned();
    let mut sources = vec![std::fs::read_to_string(folder.join(&model_name)).unwrap_or_default()];
    for other in files.iter().filter(|f| f.extension().is_some_and(|e| e == "dmn") && !f.ends_with(&model_name)) {
        sources.push(std::fs::read_to_string(other).unwrap_or_default());
    }
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let model = Model::compile(&sources, Profile::Standard);
    let folder_name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    for case in root.children().filter(|n| n.tag_name().name() == "testCase") {
        let id = case.attribute("id").unwrap_or("?");
        let facts: Vec<(Name, Value)> = case
            .children()
            .filter(|n| n.tag_name().name() == "inputNode")
            .map(|n| (Name::from(n.attribute("name").unwrap_or_default()), value(&n)))
            .collect();
        for result in case.children().filter(|n| n.tag_name().name() == "resultNode") {
            let name = result.attribute("name").unwrap_or_default();
            let key = format!("{folder_name} {id}");
            if let Some((_, reason)) = excluded.iter().find(|(case, _)| *case == key || *case == folder_name) {
                report.excluded.push(format!("{key}: {reason}"));
                continue;
            }
            report.total += 1;
            let expected = child(&result, "expected").map_or(Value::Null, |n| value(&n));
            let found = match &model {
                Err(refusals) => Err(refusals.iter().map(|r| r.en()).collect::<Vec<_>>().join("; ")),
                Ok(model) => match case.attribute("invocableName") {
                    Some(invocable) => model
                        .invoke(invocable, &facts, GAS)
                        .map_err(|halt| halt.to_string())
                        .map(|outcome| pick(outcome, name)),
                    None => model.decide(name, &facts, GAS).map_err(|halt| halt.to_string()),
                },
            };
            let met = match &found {
                Ok(outcome) => same(&expected, &outcome.value),
                Err(_) => result.attribute("errorResult") == Some("true"),
            };
            if met {
                report.passed += 1;
            } else {
                let found = match found {
                    Ok(outcome) => format!("{} {:?}", show(&outcome.value), outcome.faults),
                    Err(error) => error,
                };
                report.failures.push(Failure { case: format!("{key} {name}"), expected: show(&expected), found });
            }
        }
    }
}

/// Of a service with several outputs, the one that is asked for.
fn pick(outcome: Outcome, name: &str) -> Outcome {
    match outcome.value.member(name).cloned() {
        Some(value) => Outcome { value, ..outcome },
        None => outcome,
    }
}

fn show(value: &Value) -> String {
    value.to_feel(&mut zhulian_rules::gas::Gas::new(1_000_000)).unwrap_or_else(|halt| halt.to_string())
}

/// The value of an `inputNode`, `expected`, `item` or `component`.
fn value(node: &Node) -> Value {
    for part in node.children().filter(Node::is_element) {
        match part.tag_name().name() {
            "value" => return simple(&part),
            "list" => {
                let items = part.children().filter(|n| n.tag_name().name() == "item").map(|n| value(&n)).collect();
                return Value::list(items).unwrap_or_default();
            }
            "component" => {
                let members = node.children().filter(|n| n.tag_name().name() == "component");
                let members = members.map(|n| (Name::from(n.attribute("name").unwrap_or_default()), value(&n)));
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
fn same(expected: &Value, found: &Value) -> bool {
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
