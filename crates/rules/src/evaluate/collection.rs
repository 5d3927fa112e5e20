//! Lists, contexts, ranges, filters, iterations, quantifiers.

use super::Evaluator;
use crate::errors::{Fault, Halt};
use crate::ir::{Domain, Filter, For, Ir, Quantified, RangeIr};
use crate::number::Decimal;
use crate::temporal::Date;
use crate::value::{Name, Range, Value, compare};
use std::sync::Arc;

/// The values a variable runs through, without writing them down.
enum Run {
    Items(Value),
    Numbers { next: Decimal, step: Decimal, left: u64 },
    Days { next: i64, step: i64, left: u64 },
}

impl Run {
    fn take(&mut self, i: usize) -> Option<Value> {
        match self {
            Self::Items(list) => list.as_items().get(i).cloned(),
            Self::Numbers { next, step, left } => {
                *left = left.checked_sub(1)?;
                let value = *next;
                *next = next.add(*step).unwrap_or(*next);
                Some(Value::Number(value))
            }
            Self::Days { next, step, left } => {
                *left = left.checked_sub(1)?;
                let value = Date::from_days(*next)?;
                *next += *step;
                Some(Value::Date(value))
            }
        }
    }
}

impl Evaluator<'_> {
    pub(super) fn list(&mut self, items: &[Ir]) -> Result<Value, Halt> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            out.push(self.eval(item)?);
        }
        Value::list(out)
    }

    pub(super) fn context(&mut self, entries: &[(Name, Ir, u16)]) -> Result<Value, Halt> {
        let mut out = Vec::with_capacity(entries.len());
        for (name, ir, slot) in entries {
            let value = self.eval(ir)?;
            self.set(*slot, value.clone());
            out.push((name.clone(), value));
        }
        Value::context(out)
    }

    pub(super) fn range(&mut self, range: &RangeIr) -> Result<Value, Halt> {
        let (mut ends, mut broken) = ([None, None], false);
        for (end, ir) in ends.iter_mut().zip([&range.start, &range.end]) {
            if let Some(ir) = ir {
                let value = self.eval(ir)?;
                broken |= value.is_null();
                *end = Some(value);
            }
        }
        let [start, end] = ends;
        if let (Some(a), Some(b)) = (&start, &end) {
            broken |= compare(a, b, self.gas())?.is_none() && range.start.is_some();
        }
        if broken {
            return Ok(self.fault(Fault::OperandKind));
        }
        Ok(Value::Range(Arc::new(Range::new(start, end, range.start_included, range.end_included)?)))
    }

    /// A number chooses an item; a condition keeps the items for which it is true.
    pub(super) fn filter(&mut self, filter: &Filter) -> Result<Value, Halt> {
        let list = self.eval(&filter.list)?;
        let items = list.as_items();
        if items.is_empty() {
            // There is no item: what the condition makes of none is nobody's fault.
            let faults = self.faults.len();
            self.set(filter.item, Value::Null);
            let condition = self.eval(&filter.condition)?;
            self.faults.truncate(faults);
            return match condition {
                Value::Number(_) => Ok(self.fault(Fault::OutOfRange)),
                _ => Value::list(Vec::new()),
            };
        }
        let mut kept = Vec::new();
        for item in items {
            self.gas().charge(1)?;
            self.set(filter.item, item.clone());
            match self.eval(&filter.condition)? {
                Value::Boolean(true) => kept.push(item.clone()),
                Value::Boolean(false) => {}
                Value::Null => drop(self.fault(Fault::Condition)),
                Value::Number(n) => return Ok(self.item_at(items, n)),
                _ => return Ok(self.fault(Fault::Condition)),
            }
        }
        Value::list(kept)
    }

    fn item_at(&mut self, items: &[Value], n: Decimal) -> Value {
        let index = match n.to_i64() {
            Some(n) if n > 0 => n - 1,
            Some(n) if n < 0 => (items.len() as i64).saturating_add(n),
            _ => -1,
        };
        match usize::try_from(index).ok().and_then(|i| items.get(i)) {
            Some(item) => item.clone(),
            None => self.fault(Fault::OutOfRange),
        }
    }

    /// What a variable runs through; `None` when it cannot.
    fn run_of(&mut self, domain: &Domain) -> Result<Option<Run>, Halt> {
        Ok(match domain {
            Domain::Items(ir) => match self.eval(ir)? {
                Value::Range(range) => match (&range.start, &range.end) {
                    (Some(start), Some(end)) => span(start, end, range.start_included, range.end_included, false),
                    _ => None,
                },
                Value::Null => None,
                list => Some(Run::Items(list)),
            },
            Domain::Between(from, to) => {
                let (from, to) = (self.eval(from)?, self.eval(to)?);
                span(&from, &to, true, true, true)
            }
        })
    }

    /// Runs through all combinations, the last variable fastest; `false` from `each` stops.
    fn each(
        &mut self,
        domains: &[(u16, Domain)],
        each: &mut dyn FnMut(&mut Self) -> Result<bool, Halt>,
    ) -> Result<Option<bool>, Halt> {
        let Some(((slot, domain), rest)) = domains.split_first() else { return each(self).map(Some) };
        let Some(mut run) = self.run_of(domain)? else { return Ok(None) };
        let mut i = 0;
        while let Some(value) = run.take(i) {
            self.gas().charge(1)?;
            self.set(*slot, value);
            let goes_on = self.nested(|ev| ev.each(rest, each))?;
            match goes_on {
                Some(true) => i += 1,
                other => return Ok(other),
            }
        }
        Ok(Some(true))
    }

    pub(super) fn iterate(&mut self, iteration: &For) -> Result<Value, Halt> {
        let mut out: Vec<Value> = Vec::new();
        let done = self.each(&iteration.domains, &mut |ev| {
            if let Some(partial) = iteration.partial {
                ev.gas().charge_items(out.len())?;
                let so_far = Value::list(out.clone())?;
                ev.set(partial, so_far);
            }
            let value = ev.eval(&iteration.result)?;
            if out.len() >= crate::gas::SIZE_MAX {
                return Err(Halt::TooLarge);
            }
            out.push(value);
            Ok(true)
        })?;
        match done {
            Some(_) => Value::list(out),
            None => Ok(self.fault(Fault::OperandKind)),
        }
    }

    pub(super) fn quantify(&mut self, quantified: &Quantified) -> Result<Value, Halt> {
        let stop = !quantified.every;
        let mut result = Value::Boolean(!stop);
        let done = self.each(&quantified.domains, &mut |ev| {
            match ev.eval(&quantified.condition)? {
                Value::Boolean(b) if b == stop => {
                    result = Value::Boolean(stop);
                    return Ok(false);
                }
                Value::Boolean(_) => {}
                Value::Null => result = Value::Null,
                _ => {
                    result = ev.fault(Fault::Condition);
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        match done {
            Some(_) => Ok(result),
            None => Ok(self.fault(Fault::OperandKind)),
        }
    }
}

/// Whole steps from one end to the other; downwards only where `both` allows it.
fn span(start: &Value, end: &Value, start_in: bool, end_in: bool, both: bool) -> Option<Run> {
    let (a, b) = match (start, end) {
        (Value::Number(a), Value::Number(b)) => (a.to_i64()?, b.to_i64()?),
        (Value::Date(a), Value::Date(b)) => (a.days(), b.days()),
        _ => return None,
    };
    if a > b && !both {
        return None;
    }
    let step = if a <= b { 1 } else { -1 };
    let length = i128::from(a.abs_diff(b)) + 1 - i128::from(!start_in) - i128::from(!end_in);
    let left = u64::try_from(length.max(0)).ok()?;
    let next = if start_in { a } else { a.checked_add(step)? };
    Some(match start {
        Value::Number(_) => Run::Numbers { next: Decimal::from(next), step: Decimal::from(step), left },
        _ => Run::Days { next, step, left },
    })
}
