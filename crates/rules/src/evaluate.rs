//! Runs the compiled form. Every node costs gas; nesting is counted, so no input can exhaust the stack.

mod arithmetic;
mod call;
mod collection;
mod conform;

use crate::errors::{Fault, Halt};
use crate::gas::{DEPTH_MAX, Gas, SEARCHES_MAX, STEP};
use crate::ir::{Comparison, Ir, Test};
use crate::model::Model;
use crate::number::Decimal;
use crate::value::{Function, Range, Value, compare, equal};
use std::cmp::Ordering;
use std::sync::Arc;

/// Most faults that are remembered of one evaluation.
const FAULTS_MAX: usize = 32;

/// A rule of a table that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The table, by its index in the model.
    pub table: u16,
    /// The rule, from 0.
    pub rule: u16,
}

pub(crate) struct Evaluator<'m> {
    pub(crate) model: &'m Model,
    gas: Gas,
    /// What searches for patterns may still cost.
    searches: u64,
    depth: u32,
    stack: Vec<Value>,
    base: usize,
    closure: Option<Arc<Function>>,
    pub(crate) memo: Vec<Option<Value>>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) hits: Vec<Hit>,
    /// When explaining: what each table saw.
    pub(crate) trace: Option<Vec<Trace>>,
}

/// What a table saw: the values of its inputs, and for each rule the columns that did not match.
pub(crate) struct Trace {
    pub table: u16,
    pub values: Vec<Value>,
    pub failing: Vec<Vec<usize>>,
}

impl<'m> Evaluator<'m> {
    pub fn new(model: &'m Model, gas: Gas) -> Self {
        Self {
            model,
            gas,
            searches: SEARCHES_MAX,
            depth: 0,
            stack: Vec::with_capacity(16),
            base: 0,
            closure: None,
            memo: vec![None; model.globals()],
            faults: Vec::new(),
            hits: Vec::new(),
            trace: None,
        }
    }

    /// Forgets everything but the memory it holds.
    pub fn reset(&mut self, gas: Gas) {
        (self.gas, self.depth, self.base, self.closure) = (gas, 0, 0, None);
        self.searches = SEARCHES_MAX;
        self.stack.clear();
        self.memo.clear();
        self.memo.resize(self.model.globals(), None);
        self.faults.clear();
        self.hits.clear();
    }

    /// The meter.
    pub fn gas(&mut self) -> &mut Gas {
        &mut self.gas
    }

    /// Takes what a search for a pattern may cost. This is no gas, which is seen: it is a bound far above what any rule needs.
    pub fn search(&mut self, cost: u64) -> Result<(), Halt> {
        self.searches = self.searches.checked_sub(cost).ok_or(Halt::TooLarge)?;
        Ok(())
    }

    /// Remembers why a value is null, and gives null.
    #[cold]
    pub fn fault(&mut self, fault: Fault) -> Value {
        if self.faults.len() < FAULTS_MAX && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
        Value::Null
    }

    /// Evaluates in a fresh frame of so many slots.
    pub fn in_frame(&mut self, ir: &Ir, frame: u16) -> Result<Value, Halt> {
        let (old, start) = (self.base, self.stack.len());
        self.stack.resize(start + usize::from(frame), Value::Null);
        self.base = start;
        let value = self.eval(ir)?;
        self.stack.truncate(start);
        self.base = old;
        Ok(value)
    }

    #[inline]
    pub(crate) fn local(&self, slot: u16) -> &Value {
        self.stack.get(self.base + usize::from(slot)).unwrap_or(&Value::Null)
    }

    #[inline]
    fn set(&mut self, slot: u16, value: Value) {
        if let Some(cell) = self.stack.get_mut(self.base + usize::from(slot)) {
            *cell = value;
        }
    }

    /// Fills a slot of this frame.
    pub(crate) fn store(&mut self, slot: u16, value: Value) {
        self.set(slot, value);
    }

    /// A copy of what is in a slot of this frame.
    pub(crate) fn load(&self, slot: u16) -> Value {
        self.local(slot).clone()
    }

    /// Evaluates a node.
    #[inline]
    pub fn eval(&mut self, ir: &Ir) -> Result<Value, Halt> {
        self.gas.charge(STEP)?;
        match ir {
            Ir::Const(value) => Ok(value.clone()),
            Ir::Local(slot) => Ok(self.local(*slot).clone()),
            Ir::Global(index) => Ok(self.memo.get(usize::from(*index)).cloned().flatten().unwrap_or_default()),
            other => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(Halt::TooDeep);
                }
                let value = self.step(other)?;
                self.depth -= 1;
                Ok(value)
            }
        }
    }

    fn step(&mut self, ir: &Ir) -> Result<Value, Halt> {
        match ir {
            Ir::Arithmetic(op, ab) => {
                let a = self.eval(&ab[0])?;
                let b = self.eval(&ab[1])?;
                self.arithmetic(*op, a, b)
            }
            Ir::Compare(op, ab) => {
                let a = self.eval(&ab[0])?;
                let b = self.eval(&ab[1])?;
                self.comparison(*op, &a, &b)
            }
            Ir::Builtin(function, arguments) => self.builtin(*function, arguments),
            Ir::Member(of, name) => {
                let of = self.eval(of)?;
                self.member(&of, name)
            }
            Ir::ItemMember(item, name, otherwise) => {
                let item = self.eval(item)?;
                match item.member(name) {
                    Some(value) => Ok(value.clone()),
                    None => self.eval(otherwise),
                }
            }
            Ir::If(abc) => match self.eval(&abc[0])? {
                Value::Boolean(true) => self.eval(&abc[1]),
                Value::Boolean(false) => self.eval(&abc[2]),
                // The standard goes on with `else`. That something is not known must not decide (D4).
                Value::Null => {
                    self.fault(Fault::Condition);
                    self.eval(&abc[2])
                }
                _ => Ok(self.fault(Fault::Condition)),
            },
            Ir::And(terms) => self.logic(terms, false),
            Ir::Or(terms) => self.logic(terms, true),
            Ir::Negate(a) => {
                let a = self.eval(a)?;
                Ok(self.negate(a))
            }
            Ir::Between(abc) => self.between(abc),
            Ir::In(value, slot, tests) => self.contained(value, *slot, tests),
            Ir::Filter(filter) => self.filter(filter),
            Ir::For(iteration) => self.iterate(iteration),
            Ir::Quantified(quantified) => self.quantify(quantified),
            Ir::List(items) => self.list(items),
            Ir::Context(entries) => self.context(entries),
            Ir::Block(entries, result) => {
                for (entry, slot) in entries {
                    let value = self.eval(entry)?;
                    self.set(*slot, value);
                }
                self.eval(result)
            }
            Ir::Range(range) => self.range(range),
            Ir::Captured(index) => Ok(self.captured(*index)),
            Ir::Fault(fault) => Ok(self.fault(*fault)),
            Ir::Call(callee, arguments) => self.call(callee, arguments),
            Ir::CallNamed(callee, arguments) => self.call_named(callee, arguments),
            Ir::Lambda(lambda) => self.lambda(lambda),
            Ir::InstanceOf(value, ty) => {
                let value = self.eval(value)?;
                Ok(Value::Boolean(self.instance_of(&value, ty)?))
            }
            Ir::Coerce(value, ty) => {
                let value = self.eval(value)?;
                self.coerce(value, ty)
            }
            Ir::Table(table) => self.table(table),
            Ir::Const(_) | Ir::Local(_) | Ir::Global(_) => self.eval(ir),
        }
    }

    fn captured(&mut self, index: u16) -> Value {
        match self.closure.as_deref() {
            Some(Function::Closure(closure)) => closure.captured.get(usize::from(index)).cloned().unwrap_or_default(),
            _ => Value::Null,
        }
    }

    /// Three-valued `and` (stops at false) and `or` (stops at true).
    fn logic(&mut self, terms: &[Ir], stop: bool) -> Result<Value, Halt> {
        let mut result = Value::Boolean(!stop);
        for term in terms {
            match self.eval(term)? {
                Value::Boolean(b) if b == stop => return Ok(Value::Boolean(stop)),
                Value::Boolean(_) => {}
                Value::Null => result = Value::Null,
                _ => result = self.fault(Fault::OperandKind),
            }
        }
        Ok(result)
    }

    fn comparison(&mut self, op: Comparison, a: &Value, b: &Value) -> Result<Value, Halt> {
        Ok(match self.compare_by(op, a, b)? {
            Some(b) => Value::Boolean(b),
            None => self.fault(Fault::OperandKind),
        })
    }

    /// `None` where the comparison is not defined.
    pub(crate) fn compare_by(&mut self, op: Comparison, a: &Value, b: &Value) -> Result<Option<bool>, Halt> {
        Ok(match op {
            Comparison::Equal => equal(a, b, &mut self.gas)?,
            Comparison::NotEqual => equal(a, b, &mut self.gas)?.map(|same| !same),
            _ => compare(a, b, &mut self.gas)?.map(|order| holds(op, order)),
        })
    }

    fn between(&mut self, abc: &[Ir; 3]) -> Result<Value, Halt> {
        let (value, low, high) = (self.eval(&abc[0])?, self.eval(&abc[1])?, self.eval(&abc[2])?);
        let above = self.compare_by(Comparison::GreaterOrEqual, &value, &low)?;
        let below = self.compare_by(Comparison::LessOrEqual, &value, &high)?;
        Ok(match (above, below) {
            (Some(a), Some(b)) => Value::Boolean(a && b),
            _ => self.fault(Fault::OperandKind),
        })
    }

    fn contained(&mut self, value: &Ir, slot: u16, tests: &[Test]) -> Result<Value, Halt> {
        let value = self.eval(value)?;
        self.set(slot, value.clone());
        let mut result = Value::Boolean(false);
        for test in tests {
            match self.test(test, &value)? {
                Some(true) => return Ok(Value::Boolean(true)),
                Some(false) => {}
                None => result = Value::Null,
            }
        }
        if result.is_null() {
            self.fault(Fault::OperandKind);
        }
        Ok(result)
    }

    /// Whether a value passes a unary test; `None` where the test is not defined for it.
    pub(crate) fn test(&mut self, test: &Test, value: &Value) -> Result<Option<bool>, Halt> {
        self.gas.charge(STEP)?;
        Ok(match test {
            Test::Any => Some(true),
            Test::Number(op, n) => match value {
                Value::Number(v) => Some(holds(*op, v.cmp(n))),
                Value::Null if *op == Comparison::NotEqual => Some(true),
                _ => self.test_slow(test, value)?,
            },
            Test::Interval { low, high, low_included, high_included } => match value {
                Value::Number(v) => Some(inside(v, low, high, *low_included, *high_included)),
                _ => None,
            },
            Test::Text(text) => match value {
                Value::String(v) => Some(v == text),
                _ => self.test_slow(test, value)?,
            },
            other => self.test_slow(other, value)?,
        })
    }

    fn test_slow(&mut self, test: &Test, value: &Value) -> Result<Option<bool>, Halt> {
        match test {
            Test::Any => Ok(Some(true)),
            Test::Number(op, n) => {
                let n = Value::Number(*n);
                self.test_against(*op, value, &n)
            }
            Test::Text(text) => {
                let text = Value::String(text.clone());
                self.test_against(Comparison::Equal, value, &text)
            }
            Test::Interval { .. } => Ok(None),
            Test::Compare(op, ir) => {
                let other = self.eval(ir)?;
                self.compare_by(*op, value, &other)
            }
            Test::Holds(ir) => match self.eval(ir)? {
                Value::Boolean(b) => Ok(Some(b)),
                _ => Ok(None),
            },
            Test::Member(ir) => {
                let set = self.eval(ir)?;
                // A range without an end is null, and nothing can be told about it.
                if set.is_null() && matches!(ir, Ir::Range(_)) {
                    return Ok(None);
                }
                self.is_in(value, &set)
            }
            Test::Not(tests) => {
                let mut result = Some(true);
                for test in tests {
                    match self.test(test, value)? {
                        Some(true) => return Ok(Some(false)),
                        Some(false) => {}
                        None => result = None,
                    }
                }
                Ok(result)
            }
        }
    }

    /// A list passes a test for one of its items only when it is that single item.
    fn test_against(&mut self, op: Comparison, value: &Value, constant: &Value) -> Result<Option<bool>, Halt> {
        match value {
            Value::List(list) if list.items().len() == 1 => self.compare_by(op, &list.items()[0], constant),
            _ => self.compare_by(op, value, constant),
        }
    }

    /// `value in set`: a range contains it, a list has it or a range that contains it, or it is equal.
    pub(crate) fn is_in(&mut self, value: &Value, set: &Value) -> Result<Option<bool>, Halt> {
        match set {
            Value::List(list) => {
                if matches!(value, Value::List(_)) && equal(value, set, &mut self.gas)? == Some(true) {
                    return Ok(Some(true));
                }
                for item in list.items() {
                    let found = match item {
                        Value::Range(range) => self.in_range(value, range)?,
                        other => equal(value, other, &mut self.gas)?,
                    };
                    if found == Some(true) {
                        return Ok(Some(true));
                    }
                }
                Ok(Some(false))
            }
            Value::Range(range) => {
                if let Value::Range(_) = value {
                    return equal(value, set, &mut self.gas);
                }
                self.in_range(value, range)
            }
            // A condition that does not name the input: `date > start`.
            Value::Boolean(true) if !matches!(value, Value::Boolean(_) | Value::Null) => Ok(Some(true)),
            Value::Boolean(false) if !matches!(value, Value::Boolean(_) | Value::Null) => Ok(Some(false)),
            other => equal(value, other, &mut self.gas),
        }
    }

    pub(crate) fn in_range(&mut self, value: &Value, range: &Range) -> Result<Option<bool>, Halt> {
        let mut inside = true;
        for (end, low, included) in [(&range.start, true, range.start_included), (&range.end, false, range.end_included)] {
            let Some(end) = end else { continue };
            let Some(order) = compare(value, end, &mut self.gas)? else { return Ok(None) };
            let wanted = if low { Ordering::Greater } else { Ordering::Less };
            inside &= order == wanted || (included && order == Ordering::Equal);
        }
        Ok(Some(inside))
    }
}

pub(crate) fn holds(op: Comparison, order: Ordering) -> bool {
    match op {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

pub(crate) fn inside(v: &Decimal, low: &Decimal, high: &Decimal, low_included: bool, high_included: bool) -> bool {
    let above = v.cmp(low);
    let below = v.cmp(high);
    (above.is_gt() || (low_included && above.is_eq())) && (below.is_lt() || (high_included && below.is_eq()))
}
