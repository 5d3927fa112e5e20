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
    /// The column's value that the condition was tested on, in the order of the conditions.
    pub seen: Vec<String>,
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
    /// Rules that missed by the fewest conditions and would have given another result; the conditions are those that were
    /// not met.
    pub near: Vec<RuleText>,
    /// What the table gives where no rule matches, when that is what happened.
    pub default: Option<Vec<Name>>,
}

/// What one decision gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionText {
    /// Its name.
    pub name: Name,
    /// The expression as it was written; empty when a table or another boxed expression decided.
    pub written: Name,
    /// Its value as FEEL writes it.
    pub value: String,
}

/// An explanation, in the order the tables were used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The result as FEEL writes it.
    pub result: String,
    /// The facts that were given, by name.
    pub facts: Vec<(Name, String)>,
    /// The tables.
    pub tables: Vec<TableText>,
    /// The decisions, in the order they were decided, the last one being the answer.
    pub decisions: Vec<DecisionText>,
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
        let mut given = Vec::new();
        for (name, value) in facts {
            given.push((name.clone(), value.to_feel(&mut meter)?));
        }
        let decisions = self.decision_texts(index, &ev, &result, &mut meter)?;
        Ok((outcome, Explanation { result, facts: given, tables, decisions }))
    }

    fn decision_texts(
        &self,
        wanted: usize,
        ev: &Evaluator,
        result: &str,
        meter: &mut Gas,
    ) -> Result<Vec<DecisionText>, Halt> {
        let mut out = Vec::new();
        for &i in &self.decisions[wanted].plan {
            let Some(decision) = self.decision(i) else { continue };
            let value = match &ev.memo[usize::from(decision.global)] {
                Some(value) if usize::from(i) != wanted => value.to_feel(meter)?,
                // The answer itself was taken out.
                _ => result.to_owned(),
            };
            let written = decision.written.clone().unwrap_or_default();
            out.push(DecisionText { name: decision.name.clone(), written, value });
        }
        Ok(out)
    }

    fn table_text(&self, seen: &Trace, meter: &mut Gas) -> Result<Option<TableText>, Halt> {
        let Some(table) = self.tables.get(usize::from(seen.table)) else { return Ok(None) };
        let mut facts = Vec::new();
        for (input, value) in table.inputs.iter().zip(&seen.values) {
            facts.push((input.label.clone(), value.to_feel(meter)?));
        }
        let rule = |i: usize, columns: &dyn Fn(usize) -> bool| {
            let rule = &table.rules[i];
            let inputs = table.inputs.len();
            let conditions = table.inputs.iter().zip(&rule.written).enumerate();
            let conditions: Vec<_> =
                conditions.filter(|(c, (_, text))| columns(*c) && !matches!(&***text, "" | "-")).collect();
            RuleText {
                seen: conditions.iter().map(|(c, _)| facts[*c].1.clone()).collect(),
                number: i + 1,
                id: rule.id.clone(),
                conditions: conditions.into_iter().map(|(_, (input, text))| (input.label.clone(), text.clone())).collect(),
                results: rule.written.iter().skip(inputs).cloned().collect(),
            }
        };
        let mut matched: Vec<usize> = (0..table.rules.len()).filter(|&i| seen.failing[i].is_empty()).collect();
        if matches!(table.policy, crate::table::HitPolicy::First) {
            matched.truncate(1);
        }
        // A rule with the results that came out anyway would change nothing.
        let results = |i: usize| &table.rules[i].written[table.inputs.len().min(table.rules[i].written.len())..];
        // Nor would one that comes after the first match.
        let first = matches!(table.policy, crate::table::HitPolicy::First).then(|| matched.first().copied()).flatten();
        let other = |i: usize| first.is_none_or(|first| i < first) && !matched.iter().any(|&hit| results(hit) == results(i));
        let candidates: Vec<usize> = (0..table.rules.len()).filter(|&i| !seen.failing[i].is_empty() && other(i)).collect();
        let fewest = candidates.iter().map(|&i| seen.failing[i].len()).min().unwrap_or(0);
        let near = candidates.iter().filter(|&&i| seen.failing[i].len() == fewest).take(NEAR_MAX);
        let near = near.map(|&i| rule(i, &|c| seen.failing[i].contains(&c))).collect();
        let default = matched.is_empty().then(|| table.outputs.iter().filter_map(|o| o.written.clone()).collect());
        let matched = matched.into_iter().map(|i| rule(i, &|_| true)).collect();
        Ok(Some(TableText {
            element: table.element.clone(),
            facts,
            matched,
            near,
            default: default.filter(|default: &Vec<Name>| !default.is_empty()),
        }))
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
            default: "what holds otherwise",
            near: "would have matched if",
            now: "is",
            decision: "Decision",
            result: "Result",
            marks: [": ", "; ", ", ", " (", ")"],
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
            default: "按默认结论",
            near: "若满足以下条件则会命中",
            now: "现为",
            decision: "决策",
            result: "结果",
            marks: ["：", "；", "，", "（", "）"],
        })
    }

    fn text(&self, words: &Words) -> String {
        let [colon, semicolon, comma, open, close] = words.marks;
        let conditions = |rule: &RuleText| {
            let list: Vec<String> = rule.conditions.iter().map(|(column, test)| format!("{column} {test}")).collect();
            list.join(semicolon)
        };
        let results = |rule: &RuleText| format!("{}{colon}{}", words.gives, rule.results.join(comma));
        let list = |pairs: &[(Name, String)]| {
            pairs.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(semicolon)
        };
        let mut out = String::new();
        for table in &self.tables {
            let facts = list(&table.facts);
            out.push_str(&format!("{} {}{colon}{}{colon}{facts}\n", words.table, table.element, words.facts));
            for rule in &table.matched {
                let (n, id, when, then) = (rule.number, &rule.id, conditions(rule), results(rule));
                out.push_str(&format!(
                    "  {} {n}{open}{id}{close}{colon}{}{colon}{when}{semicolon}{then}\n",
                    words.rule, words.because
                ));
            }
            if table.matched.is_empty() {
                out.push_str(&format!("  {}", words.none));
                if let Some(default) = &table.default {
                    out.push_str(&format!("{semicolon}{}{colon}{}", words.default, default.join(comma)));
                }
                out.push('\n');
            }
            for rule in &table.near {
                let missed = rule.conditions.iter().zip(&rule.seen);
                let missed: Vec<String> = missed
                    .map(|((column, test), seen)| format!("{column} {test}{open}{} {seen}{close}", words.now))
                    .collect();
                let (missed, then) = (missed.join(semicolon), results(rule));
                out.push_str(&format!("  {} {} {}{colon}{missed}{semicolon}{then}\n", words.rule, rule.number, words.near));
            }
        }
        for decision in self.decisions.iter().filter(|decision| !decision.written.is_empty()) {
            let written = decision.written.split_whitespace().collect::<Vec<_>>().join(" ");
            out.push_str(&format!("{} {}{colon}{written} = {}\n", words.decision, decision.name, decision.value));
        }
        out.push_str(&format!("{}{colon}{}\n", words.result, self.result));
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
    default: &'static str,
    near: &'static str,
    now: &'static str,
    decision: &'static str,
    result: &'static str,
    /// Colon, semicolon, comma and brackets.
    marks: [&'static str; 5],
}
