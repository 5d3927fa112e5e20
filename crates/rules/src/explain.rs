//! Why a decision came out as it did: the rules that matched, the facts they saw, and what would have to change.

use crate::errors::Halt;
use crate::evaluate::{Evaluator, Trace};
use crate::gas::Gas;
use crate::model::{Model, Outcome};
use crate::value::{Name, Value};

/// Most near misses that are told of one table.
const NEAR_MAX: usize = 3;

/// A rule in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// The number of the rule, from 1.
    pub number: usize,
    /// The identifier in the file.
    pub id: Name,
    /// Conditions, as `(column, condition)`.
    pub conditions: Vec<(Name, Name)>,
    /// Outputs as written.
    pub results: Vec<Name>,
}

/// What one table did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableText {
    /// The decision or knowledge model of the table.
    pub element: Name,
    /// The facts, as `(column, value)`.
    pub facts: Vec<(Name, String)>,
    /// The rules that matched.
    pub matched: Vec<RuleText>,
    /// Rules that missed by the fewest conditions; the conditions are those that were not met.
    pub near: Vec<RuleText>,
}

/// An explanation, in the order the tables were used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The result as FEEL writes it.
    pub result: String,
    /// The tables.
    pub tables: Vec<TableText>,
}

impl Model {
    /// Decides again and tells why.
    ///
    /// # Errors
    /// As [`Model::decide`].
    pub fn explain(&self, decision: &str, facts: &[(Name, Value)], gas: u64) -> Result<(Outcome, Explanation), Halt> {
        let index = self.decision_index(decision).ok_or(Halt::NoSuchElement)?;
        let mut ev = Evaluator::new(self, Gas::new(gas));
        ev.trace = Some(Vec::new());
        let outcome = self.run_with(&mut ev, index, &self.in_order(facts))?;
        let trace = ev.trace.take().unwrap_or_default();
        let mut meter = Gas::new(gas);
        let mut tables = Vec::new();
        for seen in &trace {
            tables.extend(self.table_text(seen, &mut meter)?);
        }
        let result = outcome.value.to_feel(&mut meter)?;
        Ok((outcome, Explanation { result, tables }))
    }

    fn table_text(&self, seen: &Trace, meter: &mut Gas) -> Result<Option<TableText>, Halt> {
        let Some(table) = self.tables.get(usize::from(seen.table)) else { return Ok(None) };
        let rule = |i: usize, columns: &dyn Fn(usize) -> bool| {
            let rule = &table.rules[i];
            let inputs = table.inputs.len();
            let conditions = table.inputs.iter().zip(&rule.written).enumerate();
            let conditions = conditions.filter(|(c, (_, text))| columns(*c) && !matches!(&***text, "" | "-"));
            RuleText {
                number: i + 1,
                id: rule.id.clone(),
                conditions: conditions.map(|(_, (input, text))| (input.label.clone(), text.clone())).collect(),
                results: rule.written.iter().skip(inputs).cloned().collect(),
            }
        };
        let mut matched: Vec<usize> = (0..table.rules.len()).filter(|&i| seen.failing[i].is_empty()).collect();
        if matches!(table.policy, crate::table::HitPolicy::First) {
            matched.truncate(1);
        }
        let fewest = seen.failing.iter().map(Vec::len).filter(|&n| n > 0).min().unwrap_or(0);
        let near = (0..table.rules.len()).filter(|&i| fewest > 0 && seen.failing[i].len() == fewest).take(NEAR_MAX);
        let near = near.map(|i| rule(i, &|c| seen.failing[i].contains(&c))).collect();
        let mut facts = Vec::new();
        for (input, value) in table.inputs.iter().zip(&seen.values) {
            facts.push((input.label.clone(), value.to_feel(meter)?));
        }
        let matched = matched.into_iter().map(|i| rule(i, &|_| true)).collect();
        Ok(Some(TableText { element: table.element.clone(), facts, matched, near }))
    }
}

impl Explanation {
    /// The explanation in English.
    pub fn en(&self) -> String {
        self.text(&Words {
            table: "Table",
            facts: "facts",
            rule: "rule",
            because: "because",
            gives: "gives",
            none: "no rule matched",
            near: "would have matched if",
            result: "Result",
        })
    }

    /// The explanation in Chinese.
    pub fn zh(&self) -> String {
        self.text(&Words {
            table: "决策表",
            facts: "事实",
            rule: "规则",
            because: "条件",
            gives: "结论",
            none: "没有规则命中",
            near: "若满足以下条件则会命中",
            result: "结果",
        })
    }

    fn text(&self, words: &Words) -> String {
        let conditions = |rule: &RuleText| {
            let list: Vec<String> = rule.conditions.iter().map(|(column, test)| format!("{column} {test}")).collect();
            list.join("; ")
        };
        let mut out = String::new();
        for table in &self.tables {
            let facts: Vec<String> = table.facts.iter().map(|(column, value)| format!("{column} = {value}")).collect();
            out.push_str(&format!("{} {}: {}: {}\n", words.table, table.element, words.facts, facts.join("; ")));
            for rule in &table.matched {
                let (n, id) = (rule.number, &rule.id);
                out.push_str(&format!(
                    "  {} {n} ({id}): {}: {}; {}: {}\n",
                    words.rule,
                    words.because,
                    conditions(rule),
                    words.gives,
                    rule.results.join(", ")
                ));
            }
            if table.matched.is_empty() {
                out.push_str(&format!("  {}\n", words.none));
            }
            for rule in &table.near {
                out.push_str(&format!("  {} {} {}: {}\n", words.rule, rule.number, words.near, conditions(rule)));
            }
        }
        out.push_str(&format!("{}: {}\n", words.result, self.result));
        out
    }
}

struct Words {
    table: &'static str,
    facts: &'static str,
    rule: &'static str,
    because: &'static str,
    gives: &'static str,
    none: &'static str,
    near: &'static str,
    result: &'static str,
}
