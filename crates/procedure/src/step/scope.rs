//! Scopes: what is inside of what, and which variables are in sight.

use super::Run;
use crate::expression::Expression;
use crate::instance::{Fault, Number, Status, VARIABLES_MAX, What};
use crate::model::Node;
use crate::value::{NAME_MAX, Wire};
use zhulian_rules::{Name, Value};

/// Deepest path of a mapping's target.
const PATH_MAX: usize = 8;

impl Run<'_> {
    pub(super) fn has_children(&self, number: Number) -> bool {
        self.instance.active.values().any(|active| active.parent == number)
    }

    pub(super) fn element(&self, number: Number) -> Result<String, Fault> {
        let process = self.process_of(number)?;
        let node = self.active(number)?.node.and_then(|at| process.node(at).map(|node| node.id.clone()));
        Ok(node.unwrap_or_default())
    }

    /// Variables in sight of something active: its own, those around it, up to the edge of its procedure.
    pub(super) fn in_sight(&mut self, number: Number) -> Result<Vec<(Name, Value)>, Fault> {
        let mut seen: Vec<(Name, Value)> = Vec::new();
        let mut at = number;
        loop {
            let active = self.instance.active.get(&at).ok_or(Fault::NoWork)?;
            self.gas.charge_items(active.variables.0.len() + 1)?;
            for (name, value) in active.variables.iter() {
                if !seen.iter().any(|(known, _)| &**known == name) {
                    seen.push((Name::from(name), value.clone()));
                }
            }
            if active.node.is_none() {
                return Ok(seen);
            }
            at = active.parent;
        }
    }

    /// Evaluates a mapping; in a simulation, what cannot be evaluated is null.
    pub(super) fn mapped(&mut self, at: Number, expression: &Expression) -> Result<Value, Fault> {
        match self.evaluate(at, expression) {
            Err(Fault::Expression | Fault::Foreign) if self.simulated() => Ok(Value::Null),
            other => other,
        }
    }

    /// Sets a variable of something active itself. The name may be a path.
    pub(super) fn set_local(&mut self, number: Number, target: &str, value: &Value) -> Result<(), Fault> {
        let (head, value) = match target.split_once('.') {
            None => (target, value.clone()),
            Some((head, path)) => {
                let now = self.active(number)?.variables.get(head).cloned();
                (head, with_member(now.as_ref(), path, value)?)
            }
        };
        if head.is_empty() || head.len() > NAME_MAX {
            return Err(Fault::TooLarge);
        }
        let wire = Wire::of(&value).ok_or(Fault::TooLarge)?;
        let variables = &mut self.active_mut(number)?.variables;
        variables.0.insert(head.to_owned(), wire);
        let size = variables.size();
        self.gas.charge_items(size / 8)?;
        if size > VARIABLES_MAX { Err(Fault::TooLarge) } else { Ok(()) }
    }

    /// Sets a variable where it is known, from the inside outwards; where it is not, in the procedure itself.
    pub(super) fn set(&mut self, from: Number, name: &str, value: &Value) -> Result<(), Fault> {
        let mut at = from;
        loop {
            let active = self.active(at)?;
            if active.node.is_none() || active.variables.0.contains_key(name) {
                return self.set_local(at, name, value);
            }
            at = active.parent;
        }
    }

    /// Output mappings of an event that was passed.
    pub(super) fn map_event(&mut self, scope: Number, node: &Node) -> Result<(), Fault> {
        for mapping in &node.outputs {
            let value = self.mapped(scope, &mapping.source)?;
            self.set(scope, &mapping.target, &value)?;
        }
        Ok(())
    }

    /// Ends something active and all that is inside of it, the inside first.
    pub(super) fn cancel(&mut self, number: Number) -> Result<(), Fault> {
        self.cancel_inside(number)?;
        let (element, procedure) = (self.element(number)?, self.active(number)?.procedure);
        let of_node = self.active(number)?.node.is_some();
        self.instance.active.remove(&number);
        if of_node {
            self.trace(What::Cancelled, procedure, &element, number);
        }
        Ok(())
    }

    /// Ends all that is inside of something active.
    pub(super) fn cancel_inside(&mut self, number: Number) -> Result<(), Fault> {
        let mut inside = vec![number];
        let mut at = 0;
        // Numbers rise, so what is inside is found by going through once.
        for (child, active) in &self.instance.active {
            if inside.contains(&active.parent) {
                inside.push(*child);
            }
        }
        self.gas.charge_items(self.instance.active.len() + inside.len() * inside.len())?;
        self.active_mut(number)?.arrived.clear();
        inside.reverse();
        while at + 1 < inside.len() {
            let (child, procedure) = (inside[at], self.active(inside[at])?.procedure);
            let (element, of_node) = (self.element(child)?, self.active(child)?.node.is_some());
            self.instance.active.remove(&child);
            if of_node {
                self.trace(What::Cancelled, procedure, &element, child);
            }
            at += 1;
        }
        Ok(())
    }

    /// Ends one scope in which nothing is left; whether there was one.
    pub(super) fn end_empty_scope(&mut self) -> Result<bool, Fault> {
        // The innermost come last.
        let numbers: Vec<Number> = self.instance.active.keys().rev().copied().collect();
        self.gas.charge_items(numbers.len())?;
        for number in numbers {
            if !self.is_scope(number)? || self.has_children(number) {
                continue;
            }
            let active = self.active(number)?;
            if !active.arrived.is_empty() {
                return Err(Fault::Stuck);
            }
            if active.node.is_some() {
                self.end_activity(number)?;
                return Ok(true);
            }
            let (variables, parent) = (active.variables.clone(), active.parent);
            self.instance.active.remove(&number);
            if parent == 0 {
                self.instance.result = variables;
                self.instance.status = Status::Completed;
                return Ok(false);
            }
            let results: Vec<(String, Value)> =
                variables.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            self.finish_with(parent, &results)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether something active ends when nothing is left inside of it.
    fn is_scope(&self, number: Number) -> Result<bool, Fault> {
        let active = self.active(number)?;
        let Some(at) = active.node else { return Ok(true) };
        let process = self.process_of(number)?;
        let inner = process.node(at).is_some_and(|node| matches!(node.kind, crate::model::Kind::SubProcess));
        Ok(inner && active.rounds.is_none())
    }
}

/// A context with the member at a path changed.
pub(super) fn with_member(now: Option<&Value>, path: &str, value: &Value) -> Result<Value, Fault> {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.len() > PATH_MAX || parts.iter().any(|part| part.is_empty()) {
        return Err(Fault::Expression);
    }
    let mut result = value.clone();
    for depth in (0..parts.len()).rev() {
        // What stands at this depth now.
        let around = parts[..depth].iter().try_fold(now, |value, part| value.map(|value| value.member(part)));
        let mut entries = match around.flatten() {
            Some(Value::Context(context)) => context.entries().to_vec(),
            _ => Vec::new(),
        };
        match entries.iter_mut().find(|(name, _)| &**name == parts[depth]) {
            Some(entry) => entry.1 = result,
            None => entries.push((Name::from(parts[depth]), result)),
        }
        result = Value::context(entries)?;
    }
    Ok(result)
}
