//! Activities: work, messages, decisions, sub-processes, calls, and their repetition.

use super::{Move, Run};
use crate::instance::{Active, CALLS_MAX, Fault, Number, Rounds, Status, What};
use crate::model::{Kind, Node, NodeId, Process, Repeat, Trigger};
use crate::value::{Variables, Wire};
use zhulian_rules::Value;

/// Bytes of what a repetition goes through at most: no instance with more can be stored.
const ITEMS_BYTES_MAX: usize = 1 << 20;

impl Run<'_> {
    /// Starts a procedure inside of its body.
    pub fn begin(&mut self, body: Number, process: &Process, message: Option<&str>) -> Result<(), Fault> {
        let starts = process.starts(None);
        let kind = |id: &NodeId| process.node(*id).map(|node| &node.kind);
        let chosen: Vec<NodeId> = match message {
            Some(name) => {
                let wanted = |id: &&NodeId| matches!(kind(id), Some(Kind::Start(Trigger::Message(m))) if m == name);
                starts.iter().filter(wanted).copied().take(1).collect()
            }
            None => {
                let none = |id: &&NodeId| !matches!(kind(id), Some(Kind::Start(trigger)) if *trigger != Trigger::None);
                let free: Vec<NodeId> = starts.iter().filter(none).copied().collect();
                // The only start is meant, whatever its trigger.
                if free.is_empty() && starts.len() == 1 { starts } else { free }
            }
        };
        if chosen.is_empty() {
            return Err(Fault::NoProcedure);
        }
        self.queue.extend(chosen.into_iter().map(|node| Move::Into(body, node)));
        Ok(())
    }

    /// A token reached an activity.
    pub(super) fn begin_activity(&mut self, scope: Number, at: NodeId, process: &Process, node: &Node) -> Result<(), Fault> {
        let procedure = self.active(scope)?.procedure;
        let Some(repeat) = &node.repeat else {
            let number = self.add(Active::inside(scope, procedure, Some(at)))?;
            self.trace(What::Entered, procedure, &node.id, number);
            self.set_timers(number, process, &node.boundaries)?;
            return self.perform(number, process, node);
        };
        let items = self.items(scope, repeat)?;
        let number = self.add(Active::inside(scope, procedure, Some(at)))?;
        self.trace(What::Entered, procedure, &node.id, number);
        self.set_timers(number, process, &node.boundaries)?;
        let results = vec![Wire::of(&Value::Null).ok_or(Fault::Loop)?; items.len()];
        let rounds = if repeat.sequential { 1 } else { items.len() };
        self.active_mut(number)?.rounds = Some(Rounds { items, begun: 0, results });
        for _ in 0..rounds {
            self.next_round(number, process, node)?;
        }
        self.end_rounds(number, process, node)
    }

    /// What a repetition goes through.
    fn items(&mut self, scope: Number, repeat: &Repeat) -> Result<Vec<Wire>, Fault> {
        let value = match (&repeat.collection, &repeat.cardinality) {
            (Some(list), _) => self.evaluate(scope, list),
            (None, Some(count)) => self.evaluate(scope, count).and_then(|count| {
                let count = count.as_number().and_then(|n| n.to_i64()).filter(|n| (0..=i64::from(repeat.max)).contains(n));
                let numbers = (1..=count.ok_or(Fault::Loop)?).map(|n| Value::Number(n.into())).collect();
                Ok(Value::list(numbers)?)
            }),
            (None, None) => Err(Fault::Loop),
        };
        let value = match value {
            Err(Fault::Expression | Fault::Loop) if self.simulated() => Value::list(vec![Value::Null])?,
            other => other?,
        };
        let Value::List(list) = value else { return Err(Fault::Loop) };
        if list.items().len() > repeat.max as usize {
            return Err(Fault::Loop);
        }
        let mut left = ITEMS_BYTES_MAX;
        let stored = list.items().iter().map(|item| {
            let item = Wire::of(item)?;
            left = left.checked_sub(item.size())?;
            Some(item)
        });
        stored.collect::<Option<_>>().ok_or(Fault::TooLarge)
    }

    /// Begins the next round of a repetition, if there is one.
    fn next_round(&mut self, number: Number, process: &Process, node: &Node) -> Result<(), Fault> {
        // An earlier round may already have ended the repetition.
        let Ok(active) = self.active_mut(number) else { return Ok(()) };
        let (parent, procedure, at) = (number, active.procedure, active.node);
        let Some(rounds) = &mut active.rounds else { return Ok(()) };
        let place = rounds.begun;
        let Some(item) = rounds.items.get(place as usize).cloned() else { return Ok(()) };
        rounds.begun += 1;
        let mut round = Active { round: Some(place), ..Active::inside(parent, procedure, at) };
        let element = node.repeat.as_ref().and_then(|repeat| repeat.element.as_deref());
        let counter = Wire::of(&Value::Number((u64::from(place) + 1).into())).ok_or(Fault::Loop)?;
        let child = if self.host.mended() {
            round.variables.0.insert("loopCounter".into(), counter);
            let child = self.add(round)?;
            if let Some(name) = element.filter(|name| *name != "loopCounter") {
                self.set_local(child, name, item.value())?;
            }
            child
        } else {
            round.variables.0.extend(element.map(|name| (name.to_owned(), item)));
            round.variables.0.insert("loopCounter".into(), counter);
            self.add(round)?
        };
        self.trace(What::Entered, procedure, &node.id, child);
        self.perform(child, process, node)
    }

    /// Ends a repetition whose rounds are all done.
    fn end_rounds(&mut self, number: Number, process: &Process, node: &Node) -> Result<(), Fault> {
        let Ok(active) = self.active(number) else { return Ok(()) };
        let Some(rounds) = &active.rounds else { return Ok(()) };
        let all_begun = rounds.begun as usize >= rounds.items.len();
        if !all_begun || self.has_children(number) {
            return Ok(());
        }
        let results = rounds.results.clone();
        self.close_rounds(number, process, node, results)
    }

    fn close_rounds(&mut self, number: Number, process: &Process, node: &Node, results: Vec<Wire>) -> Result<(), Fault> {
        let (scope, procedure) = (self.active(number)?.parent, self.active(number)?.procedure);
        self.cancel_inside(number)?;
        if let Some(name) = node.repeat.as_ref().and_then(|repeat| repeat.results.clone()) {
            let list = Value::list(results.iter().map(|wire| wire.value().clone()).collect())?;
            self.set(scope, &name, &list)?;
        }
        self.instance.active.remove(&number);
        self.trace(What::Completed, procedure, &node.id, number);
        self.leave(scope, process, node)
    }

    /// What an activity does once it is active.
    fn perform(&mut self, number: Number, process: &Process, node: &Node) -> Result<(), Fault> {
        for mapping in &node.inputs {
            let value = self.mapped(number, &mapping.source)?;
            self.set_local(number, &mapping.target, &value)?;
        }
        match &node.kind {
            Kind::Task => self.end_activity(number),
            Kind::Send { message } => {
                self.report.sent.push(message.clone());
                self.end_activity(number)
            }
            Kind::Person(assignment) => {
                let mut groups = Vec::new();
                for expression in [&assignment.groups, &assignment.assignee].into_iter().flatten() {
                    match self.mapped(number, expression)? {
                        Value::String(text) => groups.extend(text.split(',').map(|group| group.trim().to_owned())),
                        Value::List(list) => {
                            groups.extend(list.items().iter().filter_map(Value::as_text).map(str::to_owned))
                        }
                        Value::Null if self.simulated() => {}
                        _ => return Err(Fault::Expression),
                    }
                }
                groups.retain(|group| !group.is_empty());
                self.active_mut(number)?.groups = groups;
                Ok(())
            }
            Kind::Service { .. } => {
                // The organisation whose system does the work.
                let groups = node.properties.get("organisation").or_else(|| node.headers.get("organisation"));
                let groups = groups.map(|text| text.split(',').map(|group| group.trim().to_owned()).collect());
                self.active_mut(number)?.groups = groups.unwrap_or_default();
                Ok(())
            }
            Kind::Decision { decision, result } => {
                if self.simulated() {
                    return self.end_activity(number);
                }
                let facts = self.in_sight(number)?;
                let decided = self.host.decide(decision, &facts, &mut self.gas)?;
                self.decided(&node.id, decision, &decided)?;
                self.finish_with(number, &[(result.clone(), decided.value)])
            }
            Kind::SubProcess => {
                let starts = process.starts(Some(self.active(number)?.node.unwrap_or_default()));
                self.queue.extend(starts.into_iter().map(|start| Move::Into(number, start)));
                Ok(())
            }
            Kind::Call { procedure: Some(procedure) } => self.call(number, procedure, node),
            Kind::Call { procedure: None } | Kind::Receive { .. } => Ok(()),
            _ => self.end_activity(number),
        }
    }

    /// Starts another procedure inside of a call activity.
    fn call(&mut self, number: Number, procedure: &str, node: &Node) -> Result<(), Fault> {
        let mut depth = 0;
        let mut at = number;
        while let Ok(active) = self.active(at) {
            depth += usize::from(active.node.is_none());
            at = active.parent;
        }
        if depth >= CALLS_MAX {
            return Err(Fault::TooLarge);
        }
        let (key, process) = self.host.current(procedure).ok_or(Fault::NoProcedure)?;
        let place = match self.instance.procedures.iter().position(|known| *known == key) {
            Some(place) => place,
            None => {
                self.instance.procedures.push(key);
                self.instance.procedures.len() - 1
            }
        };
        let place = u16::try_from(place).map_err(|_| Fault::TooLarge)?;
        self.processes.insert(place, process.clone());
        // With inputs named, the called procedure sees those; without, all that is in sight.
        let variables = if node.inputs.is_empty() {
            let seen = self.in_sight(number)?;
            Variables(seen.iter().filter_map(|(name, value)| Some((name.to_string(), Wire::of(value)?))).collect())
        } else {
            self.active(number)?.variables.clone()
        };
        let body = self.add(Active { variables, ..Active::inside(number, place, None) })?;
        self.begin(body, &process, None)
    }

    /// Work was done.
    pub fn work_done(&mut self, number: Number, results: &Variables) -> Result<(), Fault> {
        self.is_work(number)?;
        let results: Vec<(String, Value)> = results.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        self.finish_with(number, &results)
    }

    /// Work ended in an error.
    pub fn work_failed(&mut self, number: Number, error: &str, results: &Variables) -> Result<(), Fault> {
        self.is_work(number)?;
        let element = self.element(number)?;
        let scope = self.active(number)?.parent;
        for (name, value) in results.iter() {
            self.set(scope, name, value)?;
        }
        self.throw(number, &element, error)
    }

    fn is_work(&self, number: Number) -> Result<(), Fault> {
        let process = self.process_of(number)?;
        let active = self.active(number)?;
        let kind = active.node.and_then(|at| process.node(at)).map(|node| &node.kind);
        let waits = matches!(kind, Some(Kind::Person(_) | Kind::Service { .. } | Kind::Call { procedure: None }));
        if waits && active.rounds.is_none() { Ok(()) } else { Err(Fault::NoWork) }
    }

    /// A message arrived.
    pub fn message(&mut self, name: &str, content: &Variables) -> Result<(), Fault> {
        let mut found = None;
        for (number, active) in &self.instance.active {
            let process = self.process(active.procedure)?;
            if let Some((_, event)) = super::awaited(&process, active).into_iter().find(|(message, _)| message == name) {
                found = Some((*number, event));
                break;
            }
        }
        let (number, event) = found.ok_or(Fault::NobodyWaits)?;
        let process = self.process_of(number)?;
        let waiting = self.active(number)?;
        let (scope, own) = (waiting.parent, waiting.node == Some(event));
        let mapped = process.node(event).is_some_and(|node| !node.outputs.is_empty());
        if own && process.node(event).is_some_and(Node::is_activity) {
            let content: Vec<(String, Value)> =
                content.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            return self.finish_with(number, &content);
        }
        for (name, value) in content.iter() {
            // What an event maps is seen by its mappings only.
            if mapped { self.set_local(scope, name, value)? } else { self.set(scope, name, value)? }
        }
        self.happen(number, event)
    }

    /// Ends an activity with results, which its output mappings see; without mappings they go up as they are.
    pub(super) fn finish_with(&mut self, number: Number, results: &[(String, Value)]) -> Result<(), Fault> {
        let process = self.process_of(number)?;
        let active = self.active(number)?;
        let Some(node) = active.node.and_then(|at| process.node(at)) else { return Err(Fault::NoWork) };
        // The results of a round are the repetition's to collect.
        let local = !node.outputs.is_empty() || active.round.is_some();
        let scope = active.parent;
        for (name, value) in results {
            if local { self.set_local(number, name, value)? } else { self.set(scope, name, value)? }
        }
        self.end_activity(number)
    }

    /// An activity is done: outputs, the way out, or the next round.
    pub(super) fn end_activity(&mut self, number: Number) -> Result<(), Fault> {
        let process = self.process_of(number)?;
        let (scope, procedure, at, round) = {
            let active = self.active(number)?;
            (active.parent, active.procedure, active.node, active.round)
        };
        let Some(node) = at.and_then(|at| process.node(at)) else { return Err(Fault::NoWork) };
        // A round's outputs stay in the round's surroundings: the scope around the repetition.
        let outside = if round.is_some() { self.active(scope)?.parent } else { scope };
        for mapping in &node.outputs {
            let value = self.mapped(number, &mapping.source)?;
            let (head, path) = mapping.target.split_once('.').map_or((mapping.target.as_str(), None), |(h, p)| (h, Some(p)));
            let value = match path {
                None => value,
                Some(path) => {
                    let now = self.in_sight(outside)?.into_iter().find(|(name, _)| &**name == head).map(|(_, value)| value);
                    super::scope::with_member(now.as_ref(), path, &value)?
                }
            };
            if round.is_none() { self.set(outside, head, &value)? } else { self.set_local(number, head, &value)? }
        }
        let Some(place) = round else {
            self.instance.active.remove(&number);
            self.trace(What::Completed, procedure, &node.id, number);
            return self.leave(scope, &process, node);
        };
        self.end_round(number, scope, place, &process, node)
    }

    fn end_round(
        &mut self,
        number: Number,
        repetition: Number,
        place: u32,
        process: &Process,
        node: &Node,
    ) -> Result<(), Fault> {
        let Some(repeat) = &node.repeat else { return Err(Fault::Loop) };
        let procedure = self.active(number)?.procedure;
        if let Some(result) = &repeat.result {
            let value = self.mapped(number, result)?;
            let wire = Wire::of(&value).ok_or(Fault::TooLarge)?;
            if let Some(rounds) = &mut self.active_mut(repetition)?.rounds
                && let Some(slot) = rounds.results.get_mut(place as usize)
            {
                *slot = wire;
            }
        }
        let enough = match &repeat.until {
            Some(_) if self.simulated() => false,
            Some(until) => self.holds(number, until)?,
            None => false,
        };
        self.instance.active.remove(&number);
        self.trace(What::Completed, procedure, &node.id, number);
        if enough {
            let results = self.active(repetition)?.rounds.as_ref().map(|rounds| rounds.results.clone()).unwrap_or_default();
            return self.close_rounds(repetition, process, node, results);
        }
        if repeat.sequential {
            self.next_round(repetition, process, node)?;
        }
        self.end_rounds(repetition, process, node)
    }

    /// An error leaves an activity or a scope: the nearest event that catches it takes over, else the instance fails.
    pub(super) fn throw(&mut self, from: Number, element: &str, code: &str) -> Result<(), Fault> {
        let mut at = from;
        loop {
            self.gas.charge(super::MOVE)?;
            let active = self.active(at)?;
            let (parent, procedure, round) = (active.parent, active.procedure, active.round);
            let process = self.process(procedure)?;
            if let (Some(node), None) = (active.node, round)
                && let Some(event) = process.catcher(node, code)
            {
                self.cancel(at)?;
                let Some(event) = process.node(event) else { return Err(Fault::NoProcedure) };
                self.trace(What::Entered, procedure, &event.id, 0);
                return self.leave(parent, &process, event);
            }
            if parent == 0 {
                self.instance.result = self.active(at)?.variables.clone();
                self.trace(What::Failed, procedure, element, 0);
                self.instance.active.clear();
                self.instance.status = Status::Failed(code.to_owned());
                return Ok(());
            }
            at = parent;
        }
    }
}
