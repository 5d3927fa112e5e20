//! Relations between points and ranges (DMN 1.5 table 78).

use super::{Answer, Builtin, Failure, text};
use crate::errors::Fault;
use crate::evaluate::Evaluator;
use crate::feel;
use crate::ir::Ir;
use crate::value::{Range, Value, compare};
use std::cmp::Ordering;
use std::sync::Arc;

/// A point is a range of itself.
struct Span<'a> {
    start: Option<&'a Value>,
    end: Option<&'a Value>,
    start_in: bool,
    end_in: bool,
    point: bool,
}

impl<'a> Span<'a> {
    fn of(value: &'a Value) -> Result<Self, Failure> {
        match value {
            Value::Null | Value::Function(_) | Value::List(_) | Value::Context(_) => Err(Fault::Argument.into()),
            Value::Range(range) => Ok(Self {
                start: range.start.as_ref(),
                end: range.end.as_ref(),
                start_in: range.start_included,
                end_in: range.end_included,
                point: false,
            }),
            point => Ok(Self { start: Some(point), end: Some(point), start_in: true, end_in: true, point: true }),
        }
    }
}

/// Order of two ends; an absent end lies beyond every value on its side.
fn order(ev: &mut Evaluator, a: Option<&Value>, a_high: bool, b: Option<&Value>, b_high: bool) -> Result<Ordering, Failure> {
    let beyond = |high: bool| if high { Ordering::Greater } else { Ordering::Less };
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b, ev.gas())?.ok_or(Failure::Fault(Fault::Argument)),
        (None, Some(_)) => Ok(beyond(a_high)),
        (Some(_), None) => Ok(beyond(b_high).reverse()),
        (None, None) => Ok(a_high.cmp(&b_high)),
    }
}

pub(super) fn call(function: Builtin, ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    use Builtin as B;
    if function == B::Range {
        return parse(ev, text(arguments, 0)?);
    }
    let (a, b) = (Span::of(&arguments[0])?, Span::of(&arguments[1])?);
    // Functions named from the other side.
    let (function, a, b) = match function {
        B::After => (B::Before, b, a),
        B::MetBy => (B::Meets, b, a),
        B::OverlapsAfter => (B::OverlapsBefore, b, a),
        B::FinishedBy => (B::Finishes, b, a),
        B::Includes => (B::During, b, a),
        B::StartedBy => (B::Starts, b, a),
        other => (other, a, b),
    };
    let needs_ranges = matches!(function, B::Meets | B::Overlaps | B::OverlapsBefore);
    if (needs_ranges && (a.point || b.point)) || (matches!(function, B::Finishes | B::During | B::Starts) && b.point) {
        return Err(Fault::Argument.into());
    }
    let starts = order(ev, a.start, false, b.start, false)?;
    let ends = order(ev, a.end, true, b.end, true)?;
    let end_start = order(ev, a.end, true, b.start, false)?;
    let start_end = order(ev, a.start, false, b.end, true)?;
    let touch = a.end_in && b.start_in;
    let result = match function {
        B::Before => end_start.is_lt() || (end_start.is_eq() && !touch),
        B::Meets => end_start.is_eq() && touch,
        B::Overlaps => {
            (end_start.is_gt() || (end_start.is_eq() && touch))
                && (start_end.is_lt() || (start_end.is_eq() && a.start_in && b.end_in))
        }
        B::OverlapsBefore => {
            (starts.is_lt() || (starts.is_eq() && a.start_in && !b.start_in))
                && (end_start.is_gt() || (end_start.is_eq() && touch))
                && (ends.is_lt() || (ends.is_eq() && (!a.end_in || b.end_in)))
        }
        B::Finishes if a.point => ends.is_eq() && b.end_in,
        B::Finishes => {
            ends.is_eq() && a.end_in == b.end_in && (starts.is_gt() || (starts.is_eq() && (!a.start_in || b.start_in)))
        }
        B::During => {
            (starts.is_gt() || (starts.is_eq() && (b.start_in || !a.start_in)))
                && (ends.is_lt() || (ends.is_eq() && (b.end_in || !a.end_in)))
        }
        B::Starts if a.point => starts.is_eq() && b.start_in,
        B::Starts => {
            starts.is_eq() && a.start_in == b.start_in && (ends.is_lt() || (ends.is_eq() && (!a.end_in || b.end_in)))
        }
        _ => starts.is_eq() && ends.is_eq() && a.start_in == b.start_in && a.end_in == b.end_in,
    };
    Ok(Value::Boolean(result))
}

/// Reads the text of a range literal; its ends are literals too.
fn parse(ev: &mut Evaluator, text: &str) -> Answer {
    ev.gas().charge_items(50 + text.len() * 10)?;
    let mut scope = feel::Scope::new(Arc::default(), feel::Looks::default());
    let Ok((Ir::Range(range), _)) = feel::expression(&mut scope, text) else { return Err(Fault::Unreadable.into()) };
    let mut literal = |ir: &Option<Ir>| match ir {
        Some(Ir::Const(value)) if !value.is_null() => Ok(value.clone()),
        Some(Ir::Builtin(f @ (Builtin::Date | Builtin::Time | Builtin::DateAndTime | Builtin::Duration), arguments)) => {
            match &arguments[..] {
                [Ir::Const(value @ Value::String(_))] => f.call(ev, std::slice::from_ref(value)).map_err(Failure::Halt),
                _ => Err(Fault::Unreadable.into()),
            }
        }
        _ => Err(Fault::Unreadable.into()),
    };
    let (start, end) = (literal(&range.start)?, literal(&range.end)?);
    match compare(&start, &end, ev.gas())? {
        Some(Ordering::Less | Ordering::Equal) => {
            let range = Range::new(Some(start), Some(end), range.start_included, range.end_included)?;
            Ok(Value::Range(Arc::new(range)))
        }
        _ => Err(Fault::Unreadable.into()),
    }
}
