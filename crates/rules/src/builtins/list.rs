//! Functions on lists.

use super::{Answer, Builtin, Failure, in_range, integer, items};
use crate::errors::Fault;
use crate::evaluate::Evaluator;
use crate::gas::TRANSCENDENTAL;
use crate::number::Decimal;
use crate::value::{Value, compare, equal};
use std::cmp::Ordering;

pub(super) fn call(function: Builtin, ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    // sum(1, 2) means sum([1, 2]).
    let spread = arguments.len() != 1 && function.spec().variadic;
    let list = if spread { arguments } else { items(arguments, 0)? };
    ev.gas().charge_items(list.len())?;
    match function {
        Builtin::Count => Ok(Value::Number(Decimal::from(list.len()))),
        Builtin::Min => extreme(ev, list, Ordering::Less),
        Builtin::Max => extreme(ev, list, Ordering::Greater),
        Builtin::Sum => fold(list, Decimal::ZERO, Decimal::add),
        Builtin::Product => fold(list, Decimal::ONE, Decimal::mul),
        Builtin::Mean => Ok(Value::Number(mean(list)?)),
        Builtin::Median => median(list),
        Builtin::Stddev => stddev(ev, list),
        Builtin::Mode => mode(list),
        Builtin::All | Builtin::And => logic(list, false),
        Builtin::Any | Builtin::Or => logic(list, true),
        Builtin::ListContains => {
            for item in list {
                if equal(item, &arguments[1], ev.gas())? == Some(true) {
                    return Ok(Value::Boolean(true));
                }
            }
            Ok(Value::Boolean(false))
        }
        Builtin::IndexOf => {
            let mut found = Vec::new();
            for (i, item) in list.iter().enumerate() {
                if equal(item, &arguments[1], ev.gas())? == Some(true) {
                    found.push(Value::Number(Decimal::from(i + 1)));
                }
            }
            Ok(Value::list(found)?)
        }
        Builtin::Sublist => sublist(list, arguments),
        Builtin::Append => Ok(Value::list(list.iter().chain(&arguments[1..]).cloned().collect())?),
        Builtin::Concatenate | Builtin::Union => {
            let parts = if spread { arguments } else { &arguments[..1] };
            let mut out = Vec::new();
            for part in parts {
                let part = if part.is_null() { std::slice::from_ref(part) } else { part.as_items() };
                ev.gas().charge_items(part.len())?;
                for item in part {
                    if function == Builtin::Concatenate || !contains(ev, &out, item)? {
                        out.push(item.clone());
                    }
                }
            }
            Ok(Value::list(out)?)
        }
        Builtin::DistinctValues => {
            let mut out = Vec::new();
            for item in list {
                if !contains(ev, &out, item)? {
                    out.push(item.clone());
                }
            }
            Ok(Value::list(out)?)
        }
        Builtin::DuplicateValues => {
            let mut out: Vec<Value> = Vec::new();
            for (i, item) in list.iter().enumerate() {
                if contains(ev, &list[..i], item)? && !contains(ev, &out, item)? {
                    out.push(item.clone());
                }
            }
            Ok(Value::list(out)?)
        }
        Builtin::InsertBefore => {
            let at = position(list, arguments)?;
            let mut out = list.to_vec();
            out.insert(at, arguments[2].clone());
            Ok(Value::list(out)?)
        }
        Builtin::Remove => {
            let at = position(list, arguments)?;
            let mut out = list.to_vec();
            out.remove(at);
            Ok(Value::list(out)?)
        }
        Builtin::Reverse => Ok(Value::list(list.iter().rev().cloned().collect())?),
        Builtin::Flatten => {
            let mut out = Vec::new();
            flatten(ev, list, &mut out)?;
            Ok(Value::list(out)?)
        }
        Builtin::ListReplace => replace(ev, list, arguments),
        _ => sort(ev, list, arguments),
    }
}

fn contains(ev: &mut Evaluator, list: &[Value], wanted: &Value) -> Result<bool, Failure> {
    for item in list {
        if equal(item, wanted, ev.gas())? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Index of the position in argument 1: from 1 forwards, from -1 backwards.
fn position(list: &[Value], arguments: &[Value]) -> Result<usize, Failure> {
    let length = list.len() as i64;
    let index = match integer(arguments, 1)? {
        n if n > 0 => n - 1,
        n if n < 0 => length.saturating_add(n),
        _ => -1,
    };
    in_range(usize::try_from(index).ok().filter(|i| *i < list.len()))
}

fn extreme(ev: &mut Evaluator, list: &[Value], wanted: Ordering) -> Answer {
    let Some((first, rest)) = list.split_first() else { return Err(Fault::Argument.into()) };
    if compare(first, first, ev.gas())?.is_none() {
        return Err(Fault::Argument.into());
    }
    let mut best = first;
    for item in rest {
        match compare(item, best, ev.gas())? {
            Some(order) if order == wanted => best = item,
            Some(_) => {}
            None => return Err(Fault::Argument.into()),
        }
    }
    Ok(best.clone())
}

fn numbers(list: &[Value]) -> Result<Vec<Decimal>, Failure> {
    list.iter().map(|item| item.as_number().ok_or(Failure::Fault(Fault::Argument))).collect()
}

fn fold(list: &[Value], start: Decimal, step: fn(Decimal, Decimal) -> Option<Decimal>) -> Answer {
    if list.is_empty() {
        return Err(Fault::Argument.into());
    }
    let mut total = start;
    for item in list {
        let n = item.as_number().ok_or(Fault::Argument)?;
        total = in_range(step(total, n))?;
    }
    Ok(Value::Number(total))
}

fn mean(list: &[Value]) -> Result<Decimal, Failure> {
    match fold(list, Decimal::ZERO, Decimal::add)? {
        Value::Number(total) => in_range(total.div(Decimal::from(list.len()))),
        _ => Err(Fault::Argument.into()),
    }
}

fn median(list: &[Value]) -> Answer {
    let mut sorted = numbers(list)?;
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2) {
        (None, _) => Ok(Value::Null),
        (Some(n), 1) => Ok(Value::Number(*n)),
        (Some(n), _) => {
            let sum = in_range(n.add(sorted[middle - 1]))?;
            Ok(Value::Number(in_range(sum.div(Decimal::from(2)))?))
        }
    }
}

/// The deviation of a sample.
fn stddev(ev: &mut Evaluator, list: &[Value]) -> Answer {
    if list.len() < 2 {
        return Err(Fault::Argument.into());
    }
    ev.gas().charge(TRANSCENDENTAL)?;
    let mean = mean(list)?;
    let mut total = Decimal::ZERO;
    for n in numbers(list)? {
        let gap = in_range(n.sub(mean))?;
        total = in_range(gap.mul(gap).and_then(|square| total.add(square)))?;
    }
    let variance = in_range(total.div(Decimal::from(list.len() - 1)))?;
    Ok(Value::Number(in_range(variance.sqrt())?))
}

fn mode(list: &[Value]) -> Answer {
    let mut sorted = numbers(list)?;
    sorted.sort_unstable();
    let runs: Vec<&[Decimal]> = sorted.chunk_by(|a, b| a == b).collect();
    let most = runs.iter().map(|run| run.len()).max().unwrap_or(0);
    let modes = runs.iter().filter(|run| run.len() == most).map(|run| Value::Number(run[0]));
    Ok(Value::list(modes.collect())?)
}

/// `all` stops at false, `any` at true; null where another value leaves it open.
fn logic(list: &[Value], stop: bool) -> Answer {
    let mut result = Value::Boolean(!stop);
    for item in list {
        match item {
            Value::Boolean(b) if *b == stop => return Ok(Value::Boolean(stop)),
            Value::Boolean(_) => {}
            Value::Null => result = Value::Null,
            _ => return Err(Fault::Argument.into()),
        }
    }
    Ok(result)
}

fn sublist(list: &[Value], arguments: &[Value]) -> Answer {
    let from = position(list, arguments)?;
    let count = match arguments.get(2) {
        None | Some(Value::Null) => list.len() - from,
        Some(_) => in_range(usize::try_from(integer(arguments, 2)?).ok().filter(|n| *n <= list.len() - from))?,
    };
    Ok(Value::list(list[from..from + count].to_vec())?)
}

/// Lists nest no deeper than values may.
fn flatten(ev: &mut Evaluator, list: &[Value], out: &mut Vec<Value>) -> Result<(), Failure> {
    for item in list {
        ev.gas().charge(1)?;
        match item {
            Value::List(inner) => flatten(ev, inner.items(), out)?,
            other => out.push(other.clone()),
        }
    }
    Ok(())
}

fn replace(ev: &mut Evaluator, list: &[Value], arguments: &[Value]) -> Answer {
    let new = &arguments[2];
    let mut out = list.to_vec();
    if matches!(arguments[1], Value::Function(_)) {
        for item in &mut out {
            match ev.call_value(&arguments[1], &[item.clone(), new.clone()])? {
                Value::Boolean(true) => *item = new.clone(),
                Value::Boolean(false) => {}
                _ => return Err(Fault::Condition.into()),
            }
        }
        return Ok(Value::list(out)?);
    }
    let at = position(list, arguments)?;
    out[at] = new.clone();
    Ok(Value::list(out)?)
}

fn sort(ev: &mut Evaluator, list: &[Value], arguments: &[Value]) -> Answer {
    let precedes = arguments.get(1).filter(|p| !p.is_null());
    let mut sorted = list.to_vec();
    // Merging runs of doubling length: stable, and the order of comparisons is part of the meaning of gas.
    let mut width = 1;
    while width < sorted.len() {
        let mut merged = Vec::with_capacity(sorted.len());
        for pair in sorted.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some(a), Some(b)) = (left.first(), right.first()) {
                let takes_right = before(ev, precedes, b, a)?;
                let from = if takes_right { &mut right } else { &mut left };
                merged.push(from[0].clone());
                *from = &from[1..];
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        sorted = merged;
        width *= 2;
    }
    Ok(Value::list(sorted)?)
}

fn before(ev: &mut Evaluator, precedes: Option<&Value>, a: &Value, b: &Value) -> Result<bool, Failure> {
    ev.gas().charge(1)?;
    match precedes {
        None => match compare(a, b, ev.gas())? {
            Some(order) => Ok(order == Ordering::Less),
            None => Err(Fault::Argument.into()),
        },
        Some(function) => match ev.call_value(function, &[a.clone(), b.clone()])? {
            Value::Boolean(b) => Ok(b),
            _ => Err(Fault::Condition.into()),
        },
    }
}
