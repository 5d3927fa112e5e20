//! Functions on numbers.

use super::{Answer, Builtin, Failure, in_range, number, single};
use crate::errors::Fault;
use crate::evaluate::Evaluator;
use crate::gas::TRANSCENDENTAL;
use crate::number::{Decimal, Rounding};
use crate::temporal::MonthsDuration;
use crate::value::Value;

/// Scales a decimal128 can have (DMN 1.5 table 74).
const SCALES: std::ops::RangeInclusive<i64> = -6111..=6176;

pub(super) fn call(function: Builtin, ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    if function == Builtin::Abs {
        return match single(arguments, 0) {
            Value::Number(n) => Ok(Value::Number(n.abs())),
            Value::Days(d) => Ok(Value::Days(if d.nanos() < 0 { d.neg() } else { *d })),
            Value::Months(d) => Ok(Value::Months(MonthsDuration { months: d.months.abs() })),
            _ => Err(Fault::Argument.into()),
        };
    }
    if function == Builtin::RandomNumber {
        return Err(Fault::NotDeterministic.into());
    }
    let n = number(arguments, 0)?;
    Ok(match function {
        Builtin::Odd => Value::Boolean(!n.is_even()),
        Builtin::Even => Value::Boolean(n.is_even()),
        _ => Value::Number(match function {
            Builtin::Decimal => round(n, arguments, Rounding::HalfEven)?,
            Builtin::Floor => round(n, arguments, Rounding::Floor)?,
            Builtin::Ceiling => round(n, arguments, Rounding::Ceiling)?,
            Builtin::RoundUp => round(n, arguments, Rounding::Up)?,
            Builtin::RoundDown => round(n, arguments, Rounding::Down)?,
            Builtin::RoundHalfUp => round(n, arguments, Rounding::HalfUp)?,
            Builtin::RoundHalfDown => round(n, arguments, Rounding::HalfDown)?,
            Builtin::Modulo => in_range(n.modulo(number(arguments, 1)?))?,
            root_or_power => {
                ev.gas().charge(TRANSCENDENTAL)?;
                in_range(match root_or_power {
                    Builtin::Sqrt => n.sqrt(),
                    Builtin::Log => n.ln(),
                    _ => n.exp(),
                })?
            }
        }),
    })
}

fn round(n: Decimal, arguments: &[Value], mode: Rounding) -> Result<Decimal, Failure> {
    let scale = if arguments.len() > 1 { number(arguments, 1)? } else { Decimal::ZERO };
    let scale = in_range(scale.truncate_to_i64().filter(|scale| SCALES.contains(scale)))?;
    in_range(n.round(scale as i32, mode))
}
