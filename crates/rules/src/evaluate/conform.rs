//! `instance of`, and the conversion of values to declared types (DMN 1.5 §10.3.2.9.4).

use super::Evaluator;
use crate::errors::{Fault, Halt};
use crate::temporal::Zone;
use crate::types::{Constrained, Type};
use crate::value::{Function, Value};

impl Evaluator<'_> {
    /// Converts to a type: singleton lists and their items into each other, dates to midnight UTC; null if it does not fit.
    pub(crate) fn coerce(&mut self, value: Value, ty: &Type) -> Result<Value, Halt> {
        if matches!((&value, ty), (Value::Null, _) | (_, Type::Any)) || self.fits(&value, ty)? {
            return Ok(value);
        }
        match (&value, ty.base()) {
            (Value::List(list), other) if list.items().len() == 1 && !matches!(other, Type::List(_)) => {
                let item = list.items()[0].clone();
                if self.fits(&item, ty)? {
                    return Ok(item);
                }
            }
            (single, Type::List(item)) if !matches!(single, Value::List(_)) && self.fits(single, item)? => {
                return Value::list(vec![value]);
            }
            (Value::Date(date), Type::DateTime) => return Ok(Value::DateTime(date.at_midnight(Zone::Offset(0)))),
            _ => {}
        }
        Ok(self.fault(Fault::TypeMismatch))
    }

    /// `value instance of ty`; null is an instance of nothing but Any and Null.
    pub(super) fn instance_of(&mut self, value: &Value, ty: &Type) -> Result<bool, Halt> {
        match (value, ty) {
            (Value::Null, Type::Null) => Ok(true),
            (Value::Null, _) => Ok(false),
            _ => self.is_of(value, ty, false),
        }
    }

    fn fits(&mut self, value: &Value, ty: &Type) -> Result<bool, Halt> {
        self.is_of(value, ty, true)
    }

    /// Whether a value is of a type; null inside lists and contexts is of every type. Allowed values do not take part
    /// in `instance of` (TCK 0070, number_013).
    fn is_of(&mut self, value: &Value, ty: &Type, allowed: bool) -> Result<bool, Halt> {
        self.gas().charge(1)?;
        Ok(match (value, ty) {
            (_, Type::Any) | (Value::Null, _) => true,
            (Value::Boolean(_), Type::Boolean)
            | (Value::Number(_), Type::Number)
            | (Value::String(_), Type::String)
            | (Value::Date(_), Type::Date)
            | (Value::Time(_), Type::Time)
            | (Value::DateTime(_), Type::DateTime)
            | (Value::Days(_), Type::DaysDuration)
            | (Value::Months(_), Type::MonthsDuration) => true,
            (Value::List(list), Type::List(item)) => {
                for value in list.items() {
                    if !self.is_of(value, item, allowed)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Context(context), Type::Context(members)) => {
                for (name, ty) in members.iter() {
                    let Some(value) = context.get(name) else { return Ok(false) };
                    if !self.is_of(value, ty, allowed)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Range(range), Type::Range(item)) => {
                for end in [&range.start, &range.end].into_iter().flatten() {
                    if !self.is_of(end, item, allowed)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Function(function), Type::Function(parameters, result)) => {
                self.function_fits(function, parameters, result)
            }
            (_, Type::Constrained(constrained)) => {
                self.is_of(value, &constrained.base, allowed)? && (!allowed || self.allowed(value, constrained)?)
            }
            _ => false,
        })
    }

    /// A function is of a type when it takes at least as much and gives at most as much.
    fn function_fits(&self, function: &Function, parameters: &[Type], result: &Type) -> bool {
        let compatible = |own: &[Type], own_result: &Type| {
            own.len() == parameters.len()
                && parameters.iter().zip(own).all(|(wanted, own)| matches!(own, Type::Any) || wanted.same(own))
                && (matches!(result, Type::Any) || own_result.same(result))
        };
        if parameters.is_empty() && matches!(result, Type::Any) {
            return true;
        }
        match function {
            Function::Closure(closure) => {
                let own: Vec<Type> = closure.code.parameters.iter().map(|p| p.1.clone()).collect();
                compatible(&own, &closure.code.result)
            }
            Function::Knowledge(index) => self.model.knowledge(*index).is_some_and(|code| {
                let own: Vec<Type> = code.parameters.iter().map(|p| p.1.clone()).collect();
                compatible(&own, &code.result)
            }),
            Function::Builtin(builtin) => {
                let own = builtin.result();
                builtin.accepts(parameters.len())
                    && (matches!((result, &own), (Type::Any, _) | (_, Type::Any)) || own.same(result))
            }
            Function::Service(index) => {
                self.model.service(*index).is_some_and(|service| service.parameters.len() == parameters.len())
            }
        }
    }

    /// Whether one of the allowed values is met.
    fn allowed(&mut self, value: &Value, constrained: &Constrained) -> Result<bool, Halt> {
        self.nested(|ev| {
            let (old, start) = (ev.base, ev.stack.len());
            ev.stack.push(value.clone());
            ev.stack.resize(start + usize::from(constrained.frame).max(1), Value::Null);
            ev.base = start;
            let mut allowed = false;
            for test in &constrained.tests {
                if ev.test(test, value)? == Some(true) {
                    allowed = true;
                    break;
                }
            }
            ev.stack.truncate(start);
            ev.base = old;
            Ok(allowed)
        })
    }
}
