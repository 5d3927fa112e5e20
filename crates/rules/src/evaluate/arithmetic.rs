//! `+ - * / **` on numbers, texts, dates and durations (DMN 1.5 tables 45 to 52), and members of dates.

use super::Evaluator;
use crate::errors::{Fault, Halt};
use crate::gas::TRANSCENDENTAL;
use crate::ir::Arithmetic;
use crate::number::{Decimal, Rounding};
use crate::temporal::{DateTime, DaysDuration, MonthsDuration, Zone};
use crate::value::{Range, Value};
use std::sync::Arc;

impl Evaluator<'_> {
    #[inline]
    pub(super) fn arithmetic(&mut self, op: Arithmetic, a: Value, b: Value) -> Result<Value, Halt> {
        if let (Value::Number(a), Value::Number(b)) = (&a, &b) {
            let result = match op {
                Arithmetic::Add => a.add(*b),
                Arithmetic::Subtract => a.sub(*b),
                Arithmetic::Multiply => a.mul(*b),
                Arithmetic::Divide => a.div(*b),
                Arithmetic::Power => {
                    self.gas().charge(TRANSCENDENTAL)?;
                    a.pow(*b)
                }
            };
            return Ok(match result {
                Some(n) => Value::Number(n),
                None => self.fault(Fault::OutOfRange),
            });
        }
        self.other_arithmetic(op, a, b)
    }

    fn other_arithmetic(&mut self, op: Arithmetic, a: Value, b: Value) -> Result<Value, Halt> {
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        let sign = if op == Subtract { -1 } else { 1 };
        let result = match (op, &a, &b) {
            (Add, Value::String(a), Value::String(b)) => {
                self.gas().charge_items((a.len() + b.len()) / 8)?;
                if a.len() + b.len() > crate::gas::SIZE_MAX {
                    return Err(Halt::TooLarge);
                }
                Some(Value::String(Arc::from([&**a, &**b].concat())))
            }
            (Add, Value::Days(_) | Value::Months(_), Value::Date(_) | Value::DateTime(_) | Value::Time(_)) => {
                return self.other_arithmetic(op, b, a);
            }
            (Add | Subtract, Value::Date(date), Value::Days(d)) => {
                date.at_midnight(Zone::Local).plus(if sign < 0 { d.neg() } else { *d }).map(|v| Value::Date(v.date))
            }
            (Add | Subtract, Value::Date(date), Value::Months(d)) => date.add_months(sign * d.months).map(Value::Date),
            (Add | Subtract, Value::DateTime(v), Value::Days(d)) => {
                v.plus(if sign < 0 { d.neg() } else { *d }).map(Value::DateTime)
            }
            (Add | Subtract, Value::DateTime(v), Value::Months(d)) => v.add_months(sign * d.months).map(Value::DateTime),
            (Add | Subtract, Value::Time(t), Value::Days(d)) => {
                Some(Value::Time(t.plus(if sign < 0 { d.neg() } else { *d })))
            }
            (Add | Subtract, Value::Days(a), Value::Days(b)) => a.add(&if sign < 0 { b.neg() } else { *b }).map(Value::Days),
            (Add | Subtract, Value::Months(a), Value::Months(b)) => {
                MonthsDuration::new(a.months + sign * b.months).map(Value::Months)
            }
            (Subtract, Value::Date(_) | Value::DateTime(_), Value::Date(_) | Value::DateTime(_)) => {
                midnight_utc(&a).zip(midnight_utc(&b)).and_then(|(a, b)| a.minus(&b)).map(Value::Days)
            }
            (Subtract, Value::Time(a), Value::Time(b)) => a.minus(b).map(Value::Days),
            (Multiply, Value::Number(_), Value::Days(_) | Value::Months(_)) => return self.other_arithmetic(op, b, a),
            (Multiply | Divide, Value::Days(d), Value::Number(n)) => {
                scale(op, d.to_decimal(), *n).and_then(DaysDuration::from_decimal).map(Value::Days)
            }
            (Multiply | Divide, Value::Months(d), Value::Number(n)) => {
                scale(op, Some(Decimal::from(d.months)), *n).and_then(MonthsDuration::from_decimal).map(Value::Months)
            }
            (Divide, Value::Days(a), Value::Days(b)) => {
                a.to_decimal().zip(b.to_decimal()).and_then(|(a, b)| a.div(b)).map(Value::Number)
            }
            (Divide, Value::Months(a), Value::Months(b)) => {
                Decimal::from(a.months).div(Decimal::from(b.months)).map(Value::Number)
            }
            (_, Value::Null, _) | (_, _, Value::Null) => return Ok(self.fault(Fault::OperandKind)),
            _ => return Ok(self.fault(Fault::OperandKind)),
        };
        Ok(match result {
            Some(value) => value,
            None => self.fault(Fault::OutOfRange),
        })
    }

    pub(super) fn negate(&mut self, a: Value) -> Value {
        match a {
            Value::Number(n) => Value::Number(n.neg()),
            Value::Days(d) => Value::Days(d.neg()),
            Value::Months(d) => Value::Months(MonthsDuration { months: -d.months }),
            _ => self.fault(Fault::OperandKind),
        }
    }

    /// `of.name`: of a list, the members of its items.
    pub(super) fn member(&mut self, of: &Value, name: &str) -> Result<Value, Halt> {
        if let Value::List(list) = of {
            self.gas().charge_items(list.items().len())?;
            let mut out = Vec::with_capacity(list.items().len());
            for item in list.items() {
                out.push(self.member(item, name)?);
            }
            return Value::list(out);
        }
        if let Value::Context(context) = of {
            self.gas().charge_items(context.entries().len() / 8)?;
            return Ok(match context.get(name) {
                Some(value) => value.clone(),
                None => self.fault(Fault::UnknownName),
            });
        }
        Ok(match property(of, name) {
            Some(value) => value,
            None => self.fault(Fault::UnknownName),
        })
    }
}

fn scale(op: Arithmetic, a: Option<Decimal>, n: Decimal) -> Option<Decimal> {
    if op == Arithmetic::Multiply { a?.mul(n) } else { a?.div(n) }
}

fn midnight_utc(value: &Value) -> Option<DateTime> {
    match value {
        Value::Date(date) => Some(date.at_midnight(Zone::Offset(0))),
        Value::DateTime(v) => Some(*v),
        _ => None,
    }
}

fn property(of: &Value, name: &str) -> Option<Value> {
    let date = match of {
        Value::Date(date) => Some(*date),
        Value::DateTime(v) => Some(v.date),
        _ => None,
    };
    let time = match of {
        Value::Date(date) => Some(date.at_midnight(Zone::Offset(0)).time),
        Value::Time(time) => Some(*time),
        Value::DateTime(v) => Some(v.time),
        _ => None,
    };
    let n = |n: u32| Some(Value::Number(Decimal::from(n)));
    match (name, date, time) {
        ("year", Some(date), _) => return Some(Value::Number(Decimal::from(date.year()))),
        ("month", Some(date), _) => return n(date.month()),
        ("day", Some(date), _) => return n(date.day()),
        ("weekday", Some(date), _) => return n(date.weekday()),
        ("hour", _, Some(time)) => return n(time.hour()),
        ("minute", _, Some(time)) => return n(time.minute()),
        ("second", _, Some(time)) => return n(time.second()),
        ("time offset", _, Some(time)) => {
            let offset = time.zone().offset().and_then(|s| DaysDuration::from_seconds(i64::from(s)));
            return Some(offset.map_or(Value::Null, Value::Days));
        }
        ("timezone", _, Some(time)) => return Some(time.zone().name().map_or(Value::Null, Value::text)),
        _ => {}
    }
    match of {
        Value::Days(d) => {
            let (negative, [days, hours, minutes, seconds, _]) = d.parts();
            let part = match name {
                "days" => days,
                "hours" => hours,
                "minutes" => minutes,
                "seconds" => seconds,
                _ => return None,
            };
            let part = Decimal::from(part);
            Some(Value::Number(if negative { part.neg() } else { part }))
        }
        Value::Months(d) => {
            let months = Decimal::from(d.months);
            let years = months.div(Decimal::from(12)).and_then(|y| y.round(0, Rounding::Down))?;
            match name {
                "years" => Some(Value::Number(years)),
                "months" => Some(Value::Number(months.sub(years.mul(Decimal::from(12))?)?)),
                _ => None,
            }
        }
        Value::Range(range) => range_property(range, name),
        _ => None,
    }
}

fn range_property(range: &Range, name: &str) -> Option<Value> {
    Some(match name {
        "start" => range.start.clone().unwrap_or_default(),
        "end" => range.end.clone().unwrap_or_default(),
        "start included" => Value::Boolean(range.start_included),
        "end included" => Value::Boolean(range.end_included),
        _ => return None,
    })
}
