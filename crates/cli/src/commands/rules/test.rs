//! `zhulian rules test`: a table of cases against rules.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use zhulian_modules::rulepack::Pack;
use zhulian_rules::{
    Name, Value,
    cases::{Case, Expected, Suite, same, show},
    types::Type,
};

use super::{
    facts::{from_json, named, undecided},
    source::{Source, read_text},
};
use crate::{
    failure::{Exit, Failure, Result},
    report::{Report, Table},
    text,
    text::Text,
};

/// Options of `rules test`.
#[derive(Args, Debug)]
pub struct Test {
    /// The rules
    #[command(flatten)]
    pub source: Source,
    /// The cases: XML of the DMN TCK, or JSON [{"id", "facts": {}, "expect": {"decision": value}}] (用例：DMN TCK 的 XML 或 JSON)
    #[arg(long, short, value_name = "FILE.xml|FILE.json")]
    pub cases: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonCase {
    id: String,
    #[serde(default)]
    description: String,
    facts: serde_json::Map<String, Json>,
    expect: serde_json::Map<String, Json>,
}

/// Reads a table of cases.
///
/// # Errors
/// When it cannot be read.
pub fn read_cases(pack: &Pack, path: &std::path::Path) -> Result<Vec<Case>> {
    let (text, shown) = (read_text(path)?, path.display());
    let no_table = || Failure::new(Exit::Usage, "cases", text!("{shown} 不是测试用例表", "{shown} is no table of cases"));
    let wrong = |why: String| no_table().why(why);
    if !text.trim_start().starts_with('[') {
        let suite = Suite::parse(&text).map_err(|refusal| {
            no_table()
                .why(Text { zh: refusal.zh().into(), en: refusal.en().into() })
                .next(Text::fixed("需要 DMN TCK 的 XML 或 JSON 数组", "it must be XML of the DMN TCK, or a JSON array"))
        })?;
        return Ok(suite.cases);
    }
    let cases: Vec<JsonCase> = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let case = |case: JsonCase| -> Result<Case> {
        let facts = case.facts.iter().map(|(name, json)| named(pack, name, json));
        let expected = |(name, json): (&String, &Json)| {
            let ty = pack.model().decisions().find(|(decision, _)| decision == name).map(|(_, ty)| ty.clone());
            let value = from_json(json, &ty.unwrap_or(Type::Any), 0).ok_or_else(|| wrong(format!("{name} = {json}")))?;
            Ok(Expected { name: name.clone(), value, error: false })
        };
        Ok(Case {
            id: case.id,
            description: case.description,
            invocable: None,
            facts: facts.collect::<Result<_>>()?,
            results: case.expect.iter().map(expected).collect::<Result<_>>()?,
        })
    };
    cases.into_iter().map(case).collect()
}

/// Runs the command.
///
/// # Errors
/// When the rules or the cases cannot be read.
pub fn run(args: &Test) -> Result<Report> {
    let pack = args.source.compile()?;
    let cases = read_cases(&pack, &args.cases)?;
    let (mut total, mut failures, mut rows) = (0, Vec::new(), Vec::new());
    let mut hit = std::collections::BTreeSet::new();
    for case in &cases {
        for expected in &case.results {
            total += 1;
            let (met, found) = check(&pack, case, expected, &mut hit);
            if !met {
                rows.push(vec![
                    case.id.as_str().into(),
                    expected.name.as_str().into(),
                    show(&expected.value).into(),
                    found.clone(),
                ]);
                failures.push(json!({
                    "case": case.id,
                    "decision": expected.name,
                    "expected": show(&expected.value),
                    "found": found.en,
                }));
            }
        }
    }
    let passed = total - failures.len();
    // A rule that no case reaches is untested: it is named, though it is no failure.
    let untested: Vec<String> = pack
        .model()
        .tables()
        .iter()
        .flat_map(|table| (0..table.rules.len()).map(move |rule| (table, rule)))
        .filter(|(table, rule)| !hit.contains(&(table.index, *rule as u16)))
        .map(|(table, rule)| format!("{} {}", table.element, rule + 1))
        .collect();
    let sentence = match failures.is_empty() {
        true => text!("{total} 项结果全部符合。", "All {total} results are as expected."),
        false => text!("{total} 项结果中 {passed} 项符合。", "{passed} of {total} results are as expected."),
    };
    let json = json!({ "total": total, "passed": passed, "failures": failures, "untested_rules": untested });
    let exit = if passed == total && total > 0 { Exit::Done } else { Exit::Failed };
    let mut report = Report::new(sentence, json).exit(exit);
    report.table = Some(Table {
        head: vec![
            Text::fixed("用例", "case"),
            Text::fixed("决策", "decision"),
            Text::fixed("应为", "expected"),
            Text::fixed("实为", "found"),
        ],
        rows,
    });
    if !untested.is_empty() {
        let list = untested.join(", ");
        report = report.next(text!("没有用例触及的规则：{list}", "Rules that no case reaches: {list}"));
    }
    Ok(report)
}

fn check(pack: &Pack, case: &Case, expected: &Expected, hit: &mut std::collections::BTreeSet<(u16, u16)>) -> (bool, Text) {
    if case.invocable.is_some() {
        let checked = case.check(pack.model(), expected);
        let found = checked.found.map_or_else(|halt| halt.to_string(), |outcome| show(&outcome.value));
        return (checked.met, found.into());
    }
    // A case states facts for all its results; each decision takes those that it needs.
    let needed = |name: &Name| pack.model().required(&expected.name).any(|(needed, _)| needed == &**name);
    let facts: Vec<(Name, Value)> =
        case.facts.iter().filter(|(name, _)| needed(name) && !pack.fixes(name)).cloned().collect();
    match pack.decide(&expected.name, &facts) {
        Ok(outcome) => {
            hit.extend(outcome.hits.iter().map(|hit| (hit.table, hit.rule)));
            (same(&expected.value, &outcome.value), show(&outcome.value).into())
        }
        Err(why) => {
            let met =
                expected.error || matches!((&expected.value, &why), (Value::Null, zhulian_rules::Undecided::Faulty(_)));
            (met, undecided(pack, &expected.name, &why).why.unwrap_or_else(|| why.to_string().into()))
        }
    }
}
