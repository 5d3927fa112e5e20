//! Functions on contexts.

use super::{Answer, Builtin, Failure, single};
use crate::errors::Fault;
use crate::evaluate::Evaluator;
use crate::value::{Context, Name, Value};

pub(super) fn call(function: Builtin, ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    match function {
        Builtin::GetValue => get_value(ev, arguments),
        Builtin::GetEntries => {
            let context = context(single(arguments, 0))?;
            ev.gas().charge_items(context.entries().len() * 3)?;
            let (key, value) = (Name::from("key"), Name::from("value"));
            let entries = context.entries().iter().map(|(name, item)| {
                Value::context(vec![(key.clone(), Value::String(name.clone())), (value.clone(), item.clone())])
            });
            Ok(Value::list(entries.collect::<Result<_, _>>()?)?)
        }
        Builtin::Context => from_entries(ev, arguments),
        Builtin::ContextPut => put(ev, arguments),
        _ => merge(ev, arguments),
    }
}

fn context(value: &Value) -> Result<&Context, Failure> {
    match value {
        Value::Context(context) => Ok(context),
        _ => Err(Fault::Argument.into()),
    }
}

fn get_value(ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    let mut found = single(arguments, 0);
    context(found)?;
    let keys = match &arguments[1] {
        Value::String(_) => std::slice::from_ref(&arguments[1]),
        Value::List(keys) => keys.items(),
        _ => return Err(Fault::Argument.into()),
    };
    for key in keys {
        let key = key.as_text().ok_or(Fault::Argument)?;
        ev.gas().charge_items(1 + context(found)?.entries().len() / 8)?;
        match found.member(key) {
            Some(value) => found = value,
            None => return Ok(Value::Null),
        }
    }
    Ok(found.clone())
}

fn from_entries(ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    let mut out: Vec<(Name, Value)> = Vec::new();
    let entries = match &arguments[0] {
        Value::Null => return Err(Fault::Argument.into()),
        list => list.as_items(),
    };
    for entry in entries {
        let entry = context(entry)?;
        let (Some(Value::String(key)), Some(value)) = (entry.get("key"), entry.get("value")) else {
            return Err(Fault::Argument.into());
        };
        ev.gas().charge_items(1 + out.len() / 8)?;
        if out.iter().any(|(name, _)| name == key) {
            return Err(Fault::Argument.into());
        }
        out.push((key.clone(), value.clone()));
    }
    Ok(Value::context(out)?)
}

fn set(out: &mut Vec<(Name, Value)>, key: &Name, value: Value) {
    match out.iter_mut().find(|(name, _)| name == key) {
        Some(entry) => entry.1 = value,
        None => out.push((key.clone(), value)),
    }
}

fn put(ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    let keys = match &arguments[1] {
        Value::String(_) => std::slice::from_ref(&arguments[1]),
        Value::List(keys) if !keys.items().is_empty() => keys.items(),
        _ => return Err(Fault::Argument.into()),
    };
    put_path(ev, single(arguments, 0), keys, &arguments[2])
}

/// Replaces or adds along a path of keys; its length is bounded by the depth of the contexts on it.
fn put_path(ev: &mut Evaluator, into: &Value, keys: &[Value], value: &Value) -> Answer {
    let into = context(into)?;
    let Some((Value::String(key), rest)) = keys.split_first() else { return Err(Fault::Argument.into()) };
    ev.gas().charge_items(1 + into.entries().len())?;
    let mut out = into.entries().to_vec();
    let inner =
        if rest.is_empty() { value.clone() } else { put_path(ev, into.get(key).unwrap_or(&Value::Null), rest, value)? };
    set(&mut out, key, inner);
    Ok(Value::context(out)?)
}

fn merge(ev: &mut Evaluator, arguments: &[Value]) -> Answer {
    let contexts = match &arguments[0] {
        Value::Null => return Err(Fault::Argument.into()),
        list => list.as_items(),
    };
    let mut out: Vec<(Name, Value)> = Vec::new();
    for item in contexts {
        for (key, value) in context(item)?.entries() {
            ev.gas().charge_items(1 + out.len() / 8)?;
            set(&mut out, key, value.clone());
        }
    }
    Ok(Value::context(out)?)
}
