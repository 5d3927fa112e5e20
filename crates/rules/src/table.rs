//! Decision tables: hit policies, aggregation, priorities (DMN 1.5 §8.2).

use crate::errors::{Fault, Halt};
use crate::evaluate::{Evaluator, Hit, Trace};
use crate::ir::{Ir, Test};
use crate::number::Decimal;
use crate::types::Type;
use crate::value::{Name, Value, compare, equal};
use std::cmp::Ordering;
use std::ops::Range;

/// How several matching rules make one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitPolicy {
    /// At most one rule matches.
    Unique,
    /// Matching rules agree.
    Any,
    /// The matching rule whose outputs come first in their lists of values.
    Priority,
    /// The first matching rule.
    First,
    /// All matching rules, in order.
    RuleOrder,
    /// All matching rules, by the priority of their outputs.
    OutputOrder,
    /// All matching rules, or an aggregate of them.
    Collect(Option<Aggregator>),
}

/// What `COLLECT` makes of the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregator {
    /// The sum.
    Sum,
    /// How many.
    Count,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

/// An input column.
#[derive(Debug)]
pub struct Input {
    /// The text of the expression, for people.
    pub label: Name,
    /// The expression.
    pub expression: Ir,
    /// The slot of the value, which cells call `?`.
    pub slot: u16,
    /// The declared type.
    pub ty: Type,
    /// The allowed values, if declared.
    pub allowed: Option<Box<[Test]>>,
}

/// An output column.
#[derive(Debug)]
pub struct Output {
    /// The name; absent for a single output.
    pub name: Option<Name>,
    /// The value where no rule matches.
    pub default: Option<Ir>,
    /// The same as it was written.
    pub written: Option<Name>,
    /// The values in order of priority.
    pub priority: Vec<Value>,
    /// The declared type.
    pub ty: Type,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// The identifier in the file.
    pub id: Name,
    /// For each input, tests of which one must hold.
    pub tests: Box<[Box<[Test]>]>,
    /// For each output, an expression.
    pub outputs: Box<[Ir]>,
    /// The cells as they were written: inputs, then outputs.
    pub written: Box<[Name]>,
}

/// A decision table.
#[derive(Debug)]
pub struct Table {
    /// The index in the model.
    pub index: u16,
    /// The element it decides.
    pub element: Name,
    /// The identifier in the file.
    pub id: Name,
    /// The hit policy.
    pub policy: HitPolicy,
    /// Input columns.
    pub inputs: Box<[Input]>,
    /// Output columns.
    pub outputs: Box<[Output]>,
    /// The rules.
    pub rules: Box<[Rule]>,
}

impl Evaluator<'_> {
    pub(crate) fn table(&mut self, table: &Table) -> Result<Value, Halt> {
        for input in &table.inputs {
            let value = self.eval(&input.expression)?;
            if let Some(allowed) = &input.allowed
                && !value.is_null()
                && !self.any(allowed, &value)?
            {
                return Ok(self.fault(Fault::TypeMismatch));
            }
            self.store(input.slot, value);
        }
        if self.trace.is_some() {
            self.record(table)?;
        }
        let first_only = matches!(table.policy, HitPolicy::First);
        // The matching rules are those of the new hits; rows may add hits of other tables after them.
        let start = self.hits.len();
        for (i, rule) in table.rules.iter().enumerate() {
            if self.matches(table, rule)? {
                self.hits.push(Hit { table: table.index, rule: i as u16 });
                if first_only {
                    break;
                }
            }
        }
        let matched = start..self.hits.len();
        if matched.is_empty() {
            return self.no_rule(table);
        }
        match table.policy {
            HitPolicy::Unique if matched.len() > 1 => Ok(self.fault(Fault::SeveralRules)),
            HitPolicy::Unique | HitPolicy::First => self.row(table, start),
            HitPolicy::Any => {
                let first = self.row(table, start)?;
                for hit in matched.skip(1) {
                    let other = self.row(table, hit)?;
                    if equal(&first, &other, self.gas())? != Some(true) {
                        return Ok(self.fault(Fault::RulesDisagree));
                    }
                }
                Ok(first)
            }
            HitPolicy::Priority => {
                let rows = self.by_priority(table, matched)?;
                Ok(rows.into_iter().next().unwrap_or_default())
            }
            HitPolicy::OutputOrder => {
                let rows = self.by_priority(table, matched)?;
                Value::list(rows)
            }
            HitPolicy::RuleOrder | HitPolicy::Collect(None) => {
                let rows = self.rows(table, matched)?;
                Value::list(rows)
            }
            HitPolicy::Collect(Some(aggregator)) => {
                let rows = self.rows(table, matched)?;
                self.aggregate(aggregator, &rows)
            }
        }
    }

    /// Notes for an explanation what every rule missed.
    fn record(&mut self, table: &Table) -> Result<(), Halt> {
        let values: Vec<Value> = table.inputs.iter().map(|input| self.load(input.slot)).collect();
        let mut failing = Vec::with_capacity(table.rules.len());
        for rule in &table.rules {
            let mut columns = Vec::new();
            for (column, (tests, value)) in rule.tests.iter().zip(&values).enumerate() {
                if !self.any(tests, value)? {
                    columns.push(column);
                }
            }
            failing.push(columns);
        }
        if let Some(trace) = &mut self.trace {
            trace.push(Trace { table: table.index, values, failing });
        }
        Ok(())
    }

    fn matches(&mut self, table: &Table, rule: &Rule) -> Result<bool, Halt> {
        for (input, tests) in table.inputs.iter().zip(&rule.tests) {
            if let [Test::Any] = &tests[..] {
                continue;
            }
            // The value is moved out for the test and back, which spares a copy.
            let value = self.take(input.slot);
            let met = match &tests[..] {
                [Test::Number(..) | Test::Text(_) | Test::Interval { .. }] => self.any(tests, &value)?,
                _ => {
                    self.store(input.slot, value.clone());
                    self.any(tests, &value)?
                }
            };
            self.store(input.slot, value);
            if !met {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn any(&mut self, tests: &[Test], value: &Value) -> Result<bool, Halt> {
        for test in tests {
            if self.test(test, value)? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn rows(&mut self, table: &Table, matched: Range<usize>) -> Result<Vec<Value>, Halt> {
        matched.map(|hit| self.row(table, hit)).collect()
    }

    /// The outputs of the rule of a hit.
    fn row(&mut self, table: &Table, hit: usize) -> Result<Value, Halt> {
        let Some(rule) = self.hits.get(hit).and_then(|hit| table.rules.get(usize::from(hit.rule))) else {
            return Ok(Value::Null);
        };
        self.result(table, |ev, i| match rule.outputs.get(i) {
            Some(ir) => ev.eval(ir),
            None => Ok(Value::Null),
        })
    }

    /// One output is its value, several are a context.
    fn result(
        &mut self,
        table: &Table,
        mut value: impl FnMut(&mut Self, usize) -> Result<Value, Halt>,
    ) -> Result<Value, Halt> {
        if let [output] = &table.outputs[..] {
            let value = value(self, 0)?;
            return self.coerce(value, &output.ty);
        }
        let mut entries = Vec::with_capacity(table.outputs.len());
        for (i, output) in table.outputs.iter().enumerate() {
            let value = value(self, i)?;
            let value = self.coerce(value, &output.ty)?;
            entries.push((output.name.clone().unwrap_or_default(), value));
        }
        Value::context(entries)
    }

    fn no_rule(&mut self, table: &Table) -> Result<Value, Halt> {
        if table.outputs.iter().any(|output| output.default.is_some()) {
            let value = self.result(table, |ev, i| match &table.outputs[i].default {
                Some(ir) => ev.eval(ir),
                None => Ok(Value::Null),
            })?;
            return match table.policy {
                HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None) => {
                    if matches!(value, Value::List(_)) { Ok(value) } else { Value::list(vec![value]) }
                }
                _ => Ok(value),
            };
        }
        match table.policy {
            HitPolicy::Collect(Some(Aggregator::Count)) => Ok(Value::Number(Decimal::ZERO)),
            // An empty list is an answer: nothing was collected.
            HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None) => Value::list(Vec::new()),
            _ => Ok(self.fault(Fault::NoRule)),
        }
    }

    /// Rows ordered by the place of each output in its list of values, the first output weighing most.
    fn by_priority(&mut self, table: &Table, matched: Range<usize>) -> Result<Vec<Value>, Halt> {
        let mut ranked: Vec<(Vec<usize>, Value)> = Vec::with_capacity(matched.len());
        for hit in matched {
            let row = self.row(table, hit)?;
            let mut rank = Vec::with_capacity(table.outputs.len());
            for output in &table.outputs {
                let value = match &output.name {
                    Some(name) if table.outputs.len() > 1 => row.member(name).cloned().unwrap_or_default(),
                    _ => row.clone(),
                };
                let mut place = output.priority.len();
                for (i, listed) in output.priority.iter().enumerate() {
                    if equal(listed, &value, self.gas())? == Some(true) {
                        place = i;
                        break;
                    }
                }
                rank.push(place);
            }
            ranked.push((rank, row));
        }
        ranked.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(ranked.into_iter().map(|(_, row)| row).collect())
    }

    fn aggregate(&mut self, aggregator: Aggregator, rows: &[Value]) -> Result<Value, Halt> {
        let wanted = match aggregator {
            Aggregator::Count => return Ok(Value::Number(Decimal::from(rows.len()))),
            Aggregator::Sum => {
                let mut total = Decimal::ZERO;
                for row in rows {
                    match row.as_number().and_then(|n| total.add(n)) {
                        Some(sum) => total = sum,
                        None => return Ok(self.fault(Fault::OperandKind)),
                    }
                }
                return Ok(Value::Number(total));
            }
            Aggregator::Min => Ordering::Less,
            Aggregator::Max => Ordering::Greater,
        };
        let mut best: Option<&Value> = None;
        for row in rows {
            let better = match best {
                None => true,
                Some(best) => match compare(row, best, self.gas())? {
                    Some(order) => order == wanted,
                    None => return Ok(self.fault(Fault::OperandKind)),
                },
            };
            if better {
                best = Some(row);
            }
        }
        Ok(best.cloned().unwrap_or_default())
    }
}
