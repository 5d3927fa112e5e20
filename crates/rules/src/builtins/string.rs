//! Functions on texts, counted in Unicode scalars.

use super::{Answer, Builtin, Failure, integer, items, pattern, single, text};
use crate::errors::{Fault, Halt};
use crate::evaluate::Evaluator;
use crate::gas::SIZE_MAX;
use crate::number::Decimal;
use crate::value::Value;

pub(super) fn call(function: Builtin, ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    if function == Builtin::Not {
        return match single(arguments, 0) {
            Value::Boolean(b) => Ok(Value::Boolean(!b)),
            Value::Null => Ok(Value::Null),
            _ => Err(Fault::Argument.into()),
        };
    }
    if function == Builtin::StringJoin {
        return join(ev, arguments);
    }
    let subject = text(arguments, 0)?;
    ev.gas().charge_items(subject.len() / 4)?;
    match function {
        Builtin::Substring => substring(subject, arguments),
        Builtin::StringLength => Ok(Value::Number(Decimal::from(subject.chars().count()))),
        Builtin::UpperCase => Ok(Value::text(&subject.to_uppercase())),
        Builtin::LowerCase => Ok(Value::text(&subject.to_lowercase())),
        Builtin::Replace => pattern::replace(ev, subject, arguments),
        Builtin::Matches => pattern::matches(ev, subject, arguments),
        Builtin::Split => pattern::split(ev, subject, arguments),
        _ => {
            let part = text(arguments, 1)?;
            ev.gas().charge_items(part.len() / 4)?;
            Ok(match function {
                Builtin::SubstringBefore => Value::text(subject.find(part).map_or("", |at| &subject[..at])),
                Builtin::SubstringAfter => Value::text(subject.find(part).map_or("", |at| &subject[at + part.len()..])),
                Builtin::Contains => Value::Boolean(subject.contains(part)),
                Builtin::StartsWith => Value::Boolean(subject.starts_with(part)),
                _ => Value::Boolean(subject.ends_with(part)),
            })
        }
    }
}

/// Positions count from 1, or from -1 backwards from the end.
fn substring(subject: &str, arguments: &[Value]) -> Answer {
    let start = integer(arguments, 1)?;
    let length = subject.chars().count() as i64;
    let from = match start {
        0 => return Err(Fault::OutOfRange.into()),
        n if n > 0 => n - 1,
        n => length.saturating_add(n),
    };
    if from < 0 || from >= length.max(1) {
        return Err(Fault::OutOfRange.into());
    }
    let count = match arguments.get(2) {
        None | Some(Value::Null) => i64::MAX,
        Some(_) => match integer(arguments, 2)? {
            n if n < 1 => return Err(Fault::OutOfRange.into()),
            n => n,
        },
    };
    let out: String = subject.chars().skip(from as usize).take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
    Ok(Value::text(&out))
}

fn join(ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    let delimiter = match arguments.get(1) {
        None | Some(Value::Null) => "",
        Some(_) => text(arguments, 1)?,
    };
    let (mut out, mut first) = (String::new(), true);
    for item in items(arguments, 0)? {
        match item {
            Value::Null => continue,
            Value::String(part) => {
                ev.gas().charge_items(1 + (part.len() + delimiter.len()) / 8)?;
                out.push_str(if first { "" } else { delimiter });
                out.push_str(part);
                first = false;
            }
            _ => return Err(Fault::Argument.into()),
        }
        if out.len() > SIZE_MAX {
            return Err(Failure::Halt(Halt::TooLarge));
        }
    }
    Ok(Value::text(&out))
}
