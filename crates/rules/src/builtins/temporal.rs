//! Functions on dates, and `is`.

use super::{Answer, Builtin, single};
use crate::errors::Fault;
use crate::evaluate::Evaluator;
use crate::number::Decimal;
use crate::value::{Value, equal};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn call(function: Builtin, ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    match function {
        Builtin::Is => return is(ev, arguments),
        Builtin::Now | Builtin::Today => return Err(Fault::NotDeterministic.into()),
        _ => {}
    }
    let date = match single(arguments, 0) {
        Value::Date(date) => *date,
        Value::DateTime(v) => v.date,
        _ => return Err(Fault::Argument.into()),
    };
    Ok(match function {
        Builtin::DayOfYear => Value::Number(Decimal::from(date.day_of_year())),
        Builtin::WeekOfYear => Value::Number(Decimal::from(date.week_of_year())),
        Builtin::DayOfWeek => Value::text(DAYS[(date.weekday() as usize - 1) % 7]),
        _ => Value::text(MONTHS[(date.month() as usize - 1) % 12]),
    })
}

/// The same element of the semantic domain: times of different zones differ even at the same instant.
fn is(ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    let null = Value::Null;
    let same = match (arguments.first().unwrap_or(&null), arguments.get(1).unwrap_or(&null)) {
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::DateTime(a), Value::DateTime(b)) => a == b,
        (a, b) => equal(a, b, ev.gas())? == Some(true),
    };
    Ok(Value::Boolean(same))
}
