//! Functions that make one kind of value from another.

use super::{Answer, Builtin, in_range, integer, number, single, text};
use crate::errors::Fault;
use crate::evaluate::Evaluator;
use crate::number::Decimal;
use crate::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time, Zone};
use crate::value::{Value, write_text};

pub(super) fn call(function: Builtin, ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    match function {
        Builtin::Date => date(arguments),
        Builtin::Time => time(arguments),
        Builtin::DateAndTime => date_and_time(arguments),
        Builtin::Number => to_number(arguments),
        Builtin::String => match single(arguments, 0) {
            Value::Null => Err(Fault::Argument.into()),
            _ => {
                let mut out = String::new();
                write_text(&arguments[0], false, false, &mut out, ev.gas())?;
                Ok(Value::text(&out))
            }
        },
        Builtin::Duration => {
            let text = text(arguments, 0)?;
            let days = DaysDuration::parse(text).map(Value::Days);
            let found = days.or_else(|| MonthsDuration::parse(text).map(Value::Months));
            found.ok_or(Fault::Unreadable.into())
        }
        _ => {
            let (Some(from), Some(to)) = (instant(single(arguments, 0)), instant(single(arguments, 1))) else {
                return Err(Fault::Argument.into());
            };
            Ok(Value::Months(in_range(MonthsDuration::between(&from, &to))?))
        }
    }
}

fn instant(value: &Value) -> Option<DateTime> {
    match value {
        Value::Date(date) => Some(date.at_midnight(Zone::Local)),
        Value::DateTime(v) => Some(*v),
        _ => None,
    }
}

fn unreadable(text: &str) -> Fault {
    let zone = text.rsplit_once('@').map(|(_, name)| name);
    if zone.is_some_and(|name| Zone::named(name).is_none()) { Fault::NamedZone } else { Fault::Unreadable }
}

fn date(arguments: &[Value]) -> Answer {
    if arguments.len() == 3 {
        let (year, month, day) = (integer(arguments, 0)?, integer(arguments, 1)?, integer(arguments, 2)?);
        return Ok(Value::Date(in_range(Date::new(year, month, day))?));
    }
    match single(arguments, 0) {
        Value::String(text) => Date::parse(text).map(Value::Date).ok_or(unreadable(text).into()),
        Value::Date(date) => Ok(Value::Date(*date)),
        Value::DateTime(v) => Ok(Value::Date(v.date)),
        _ => Err(Fault::Argument.into()),
    }
}

/// Whole seconds and nanoseconds of a number of seconds.
fn seconds(n: Decimal) -> Option<(i64, u32)> {
    let whole = n.truncate_to_i64().filter(|s| (0..60).contains(s))?;
    let nanos = n.sub(Decimal::from(whole))?.mul(Decimal::new(1, 9)?)?.truncate_to_i64()?;
    Some((whole, u32::try_from(nanos).ok()?))
}

fn zone(value: &Value) -> Result<Zone, Fault> {
    match value {
        Value::Null => Ok(Zone::Local),
        Value::Days(offset) => {
            let seconds = offset.nanos() / 1_000_000_000;
            i64::try_from(seconds).ok().and_then(Zone::from_offset).ok_or(Fault::OutOfRange)
        }
        Value::String(name) => Zone::named(name).ok_or(Fault::NamedZone),
        _ => Err(Fault::Argument),
    }
}

fn time(arguments: &[Value]) -> Answer {
    if arguments.len() > 1 {
        let (hour, minute) = (integer(arguments, 0)?, integer(arguments, 1)?);
        let (second, nanos) = in_range(seconds(number(arguments, 2)?))?;
        let zone = zone(single(arguments, 3))?;
        return Ok(Value::Time(in_range(Time::new(hour, minute, second, nanos, zone))?));
    }
    match single(arguments, 0) {
        Value::String(text) => {
            let found = Time::parse(text).or_else(|| DateTime::parse(text).filter(|_| text.contains('T')).map(|v| v.time));
            found.map(Value::Time).ok_or(unreadable(text).into())
        }
        Value::Time(time) => Ok(Value::Time(*time)),
        Value::DateTime(v) => Ok(Value::Time(v.time)),
        // Midnight UTC (DMN 1.5 table 71: a date is midnight UTC).
        Value::Date(date) => Ok(Value::Time(date.at_midnight(Zone::Offset(0)).time)),
        _ => Err(Fault::Argument.into()),
    }
}

fn date_and_time(arguments: &[Value]) -> Answer {
    match arguments.len() {
        1 => match single(arguments, 0) {
            Value::String(text) => DateTime::parse(text).map(Value::DateTime).ok_or(unreadable(text).into()),
            Value::DateTime(v) => Ok(Value::DateTime(*v)),
            Value::Date(date) => Ok(Value::DateTime(date.at_midnight(Zone::Offset(0)))),
            _ => Err(Fault::Argument.into()),
        },
        2 => {
            let date = match single(arguments, 0) {
                Value::Date(date) => *date,
                Value::DateTime(v) => v.date,
                _ => return Err(Fault::Argument.into()),
            };
            match single(arguments, 1) {
                Value::Time(time) => Ok(Value::DateTime(DateTime { date, time: *time })),
                // date and time(date and time, zone)
                Value::String(name) => {
                    let Value::DateTime(v) = single(arguments, 0) else { return Err(Fault::Argument.into()) };
                    let zone = Zone::named(name).ok_or(Fault::NamedZone)?;
                    Ok(Value::DateTime(in_range(v.in_zone(zone))?))
                }
                _ => Err(Fault::Argument.into()),
            }
        }
        _ => {
            let date = in_range(Date::new(integer(arguments, 0)?, integer(arguments, 1)?, integer(arguments, 2)?))?;
            let (second, nanos) = in_range(seconds(number(arguments, 5)?))?;
            let zone = zone(single(arguments, 6))?;
            let time = Time::new(integer(arguments, 3)?, integer(arguments, 4)?, second, nanos, zone);
            Ok(Value::DateTime(DateTime { date, time: in_range(time)? }))
        }
    }
}

fn to_number(arguments: &[Value]) -> Answer {
    if let (Value::Number(n), 1) = (single(arguments, 0), arguments.len()) {
        return Ok(Value::Number(*n));
    }
    let from = text(arguments, 0)?;
    if arguments.len() == 2 {
        return Err(Fault::Argument.into());
    }
    let separator = |i: usize, allowed: &[&str]| match single(arguments, i) {
        Value::Null => Ok(None),
        Value::String(s) if allowed.contains(&&**s) => Ok(Some(s.to_string())),
        _ => Err(Fault::Argument),
    };
    let grouping = separator(1, &[" ", ",", "."])?;
    let point = separator(2, &[",", "."])?;
    if grouping.is_some() && grouping == point {
        return Err(Fault::Argument.into());
    }
    let mut plain = from.to_owned();
    if let Some(grouping) = grouping {
        plain = plain.replace(&grouping, "");
    }
    if let Some(point) = point
        && point == ","
    {
        if plain.contains('.') {
            return Err(Fault::Unreadable.into());
        }
        plain = plain.replace(',', ".");
    }
    plain.parse::<Decimal>().map(Value::Number).map_err(|_| Fault::Unreadable.into())
}
