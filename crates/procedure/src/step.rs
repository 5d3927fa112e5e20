//! The token game. A token is always at something active or has arrived at a join; in between it is in the queue of this run.
//!
//! Every move is paid before it is made, and moves are made in the order in which they were caused.

mod activity;
mod scope;

use crate::expression::Expression;
use crate::instance::{ACTIVE_MAX, Active, DecisionTaken, Due, Fault, Host, Instance, Number, Report, Status, Trace, What};
use crate::model::{End, FlowId, Kind, Node, NodeId, Process, Timer, Trigger};
use crate::time;
use crate::value::Wire;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use zhulian_rules::{Value, gas::Gas};

/// Price of one move.
const MOVE: u64 = 20;
/// Price of making or reading one active thing at the beginning and the end of a step.
const ACTIVE: u64 = 2;

/// A move of a token inside of a scope.
enum Move {
    /// Along a flow.
    Along(Number, FlowId),
    /// Into a node.
    Into(Number, NodeId),
}

pub(crate) struct Run<'h> {
    host: &'h dyn Host,
    instance: Instance,
    now: i64,
    limit: u64,
    gas: Gas,
    queue: VecDeque<Move>,
    processes: BTreeMap<u16, Arc<Process>>,
    report: Report,
}

/// Messages that something active waits for, and the node at which each arrives.
pub(crate) fn awaited(process: &Process, active: &Active) -> Vec<(String, NodeId)> {
    let Some(at) = active.node else { return Vec::new() };
    let Some(node) = process.node(at) else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |id: NodeId| {
        let message = match process.node(id).map(|node| &node.kind) {
            Some(Kind::Receive { message } | Kind::Catch(Trigger::Message(message))) => Some(message),
            Some(Kind::Boundary { trigger: Trigger::Message(message), .. }) => Some(message),
            _ => None,
        };
        found.extend(message.map(|message| (message.clone(), id)));
    };
    match node.kind {
        Kind::EventBased => node.outgoing.iter().filter_map(|flow| process.flow(*flow)).for_each(|flow| add(flow.to)),
        // A repetition waits in its rounds.
        _ if active.rounds.is_none() => add(at),
        _ => {}
    }
    // Rounds have no edge of their own.
    if active.round.is_none() {
        node.boundaries.iter().for_each(|boundary| add(*boundary));
    }
    found
}

impl<'h> Run<'h> {
    pub fn new(host: &'h dyn Host, instance: Instance, now: i64, gas: u64) -> Result<Self, Fault> {
        let mut run = Self {
            host,
            instance,
            now,
            limit: gas,
            gas: Gas::new(gas),
            queue: VecDeque::new(),
            processes: BTreeMap::new(),
            report: Report::default(),
        };
        run.gas.charge(run.instance.active.len() as u64 * ACTIVE)?;
        for (number, key) in (0..).zip(run.instance.procedures.clone()) {
            run.processes.insert(number, host.process(&key).ok_or(Fault::NoProcedure)?);
        }
        Ok(run)
    }

    /// Gives the instance after all that was caused.
    pub fn finish(mut self) -> Result<(Instance, Report), Fault> {
        self.settle()?;
        self.gas.charge(self.instance.active.len() as u64 * ACTIVE)?;
        self.report.gas = self.limit - self.gas.left();
        Ok((self.instance, self.report))
    }

    fn active(&self, number: Number) -> Result<&Active, Fault> {
        self.instance.active.get(&number).ok_or(Fault::NoWork)
    }

    fn active_mut(&mut self, number: Number) -> Result<&mut Active, Fault> {
        self.instance.active.get_mut(&number).ok_or(Fault::NoWork)
    }

    fn process(&self, procedure: u16) -> Result<Arc<Process>, Fault> {
        self.processes.get(&procedure).cloned().ok_or(Fault::NoProcedure)
    }

    /// The process that something active belongs to.
    fn process_of(&self, number: Number) -> Result<Arc<Process>, Fault> {
        self.process(self.active(number)?.procedure)
    }

    /// Makes something active inside of something else.
    fn add(&mut self, active: Active) -> Result<Number, Fault> {
        if self.instance.active.len() >= ACTIVE_MAX {
            return Err(Fault::TooLarge);
        }
        let number = self.instance.next;
        self.instance.next = number.checked_add(1).ok_or(Fault::TooLarge)?;
        self.instance.active.insert(number, active);
        Ok(number)
    }

    fn trace(&mut self, what: What, procedure: u16, element: &str, number: Number) {
        let procedure = self.instance.procedures.get(usize::from(procedure)).cloned().unwrap_or_default();
        self.report.trace.push(Trace { what, procedure, element: element.to_owned(), number });
    }

    /// Makes moves until nothing moves, and ends scopes that have nothing left.
    fn settle(&mut self) -> Result<(), Fault> {
        loop {
            while let Some(next) = self.queue.pop_front() {
                self.gas.charge(MOVE)?;
                match next {
                    Move::Along(scope, flow) => self.along(scope, flow)?,
                    Move::Into(scope, node) => self.enter(scope, node)?,
                }
                if self.instance.status != Status::Running {
                    self.queue.clear();
                }
            }
            if !self.end_empty_scope()? {
                return Ok(());
            }
        }
    }

    fn along(&mut self, scope: Number, flow: FlowId) -> Result<(), Fault> {
        // The scope may have been ended by what happened before in this step.
        if !self.instance.active.contains_key(&scope) {
            return Ok(());
        }
        let process = self.process_of(scope)?;
        let Some(to) = process.flow(flow).map(|flow| flow.to) else { return Err(Fault::NoProcedure) };
        let Some(node) = process.node(to) else { return Err(Fault::NoProcedure) };
        if !matches!(node.kind, Kind::Parallel) || node.incoming.len() < 2 {
            return self.enter(scope, to);
        }
        let arrived = &mut self.active_mut(scope)?.arrived;
        let count = arrived.entry(flow).or_default();
        *count = count.checked_add(1).ok_or(Fault::TooLarge)?;
        if !node.incoming.iter().all(|flow| arrived.contains_key(flow)) {
            return Ok(());
        }
        for flow in &node.incoming {
            if let Some(count) = arrived.get_mut(flow) {
                *count -= 1;
                if *count == 0 {
                    arrived.remove(flow);
                }
            }
        }
        self.enter(scope, to)
    }

    fn enter(&mut self, scope: Number, at: NodeId) -> Result<(), Fault> {
        if !self.instance.active.contains_key(&scope) {
            return Ok(());
        }
        let process = self.process_of(scope)?;
        let Some(node) = process.node(at) else { return Err(Fault::NoProcedure) };
        let procedure = self.active(scope)?.procedure;
        if node.is_activity() && !matches!(node.kind, Kind::Send { .. }) {
            return self.begin_activity(scope, at, &process, node);
        }
        self.trace(What::Entered, procedure, &node.id, 0);
        match &node.kind {
            Kind::Exclusive => {
                let flow = self.choice(scope, &process, node)?;
                self.queue.extend(flow.map(|flow| Move::Along(scope, flow)));
                Ok(())
            }
            Kind::Send { message } => {
                if !message.is_empty() {
                    self.report.sent.push(message.clone());
                }
                self.leave(scope, &process, node)
            }
            // A case that starts at a time waits for it.
            Kind::EventBased | Kind::Catch(_) | Kind::Start(Trigger::Timer(_)) => {
                let number = self.add(Active::inside(scope, procedure, Some(at)))?;
                let events: Vec<NodeId> = match node.kind {
                    Kind::EventBased => {
                        node.outgoing.iter().filter_map(|flow| process.flow(*flow)).map(|flow| flow.to).collect()
                    }
                    _ => vec![at],
                };
                self.set_timers(number, &process, &events)
            }
            Kind::End(end) => self.end(scope, node, end),
            _ => self.leave(scope, &process, node),
        }
    }

    fn end(&mut self, scope: Number, node: &Node, end: &End) -> Result<(), Fault> {
        match end {
            End::None => Ok(()),
            End::Message(message) => {
                self.report.sent.push(message.clone());
                Ok(())
            }
            End::Terminate => {
                // Tokens of this scope that are still under way end with it; those inside of it find it gone.
                self.queue.retain(|next| !matches!(next, Move::Along(of, _) | Move::Into(of, _) if *of == scope));
                self.cancel_inside(scope)
            }
            End::Error(code) => self.throw(scope, &node.id, code),
        }
    }

    /// Sends tokens out of a node that is passed or done.
    fn leave(&mut self, scope: Number, process: &Process, node: &Node) -> Result<(), Fault> {
        let conditional = |flow: &FlowId| process.flow(*flow).is_some_and(|flow| flow.condition.is_some());
        if !node.outgoing.iter().any(conditional) {
            // A default without conditions is a flow as any other.
            self.queue.extend(node.outgoing.iter().map(|flow| Move::Along(scope, *flow)));
            return Ok(());
        }
        if let Some(way) = self.host.choose(&node.id, node.outgoing.len()) {
            self.queue.extend(node.outgoing.get(way).map(|flow| Move::Along(scope, *flow)));
            return Ok(());
        }
        let mut taken = Vec::new();
        for flow in node.outgoing.iter().filter(|flow| Some(**flow) != node.default) {
            match process.flow(*flow).and_then(|flow| flow.condition.as_ref()) {
                Some(condition) if !self.holds(scope, condition)? => {}
                _ => taken.push(*flow),
            }
        }
        if taken.is_empty() {
            taken.push(node.default.ok_or(Fault::NoWay)?);
        }
        self.queue.extend(taken.into_iter().map(|flow| Move::Along(scope, flow)));
        Ok(())
    }

    /// The one way out of an exclusive gateway: the first whose condition holds, or the default. None when it has no way out.
    fn choice(&mut self, scope: Number, process: &Process, node: &Node) -> Result<Option<FlowId>, Fault> {
        if let [] | [_] = node.outgoing[..] {
            return Ok(node.outgoing.first().copied());
        }
        if let Some(way) = self.host.choose(&node.id, node.outgoing.len()) {
            return Ok(node.outgoing.get(way).copied());
        }
        for flow in node.outgoing.iter().filter(|flow| Some(**flow) != node.default) {
            let condition = process.flow(*flow).and_then(|flow| flow.condition.as_ref()).ok_or(Fault::NoWay)?;
            if self.holds(scope, condition)? {
                return Ok(Some(*flow));
            }
        }
        node.default.map(Some).ok_or(Fault::NoWay)
    }

    /// Whether a condition is true; neither true nor false is a fault, because a null must not decide.
    fn holds(&mut self, scope: Number, condition: &Expression) -> Result<bool, Fault> {
        match self.evaluate(scope, condition)? {
            Value::Boolean(holds) => Ok(holds),
            _ => Err(Fault::Expression),
        }
    }

    /// Evaluates an expression over the variables in sight of something active.
    fn evaluate(&mut self, at: Number, expression: &Expression) -> Result<Value, Fault> {
        let variables = self.in_sight(at)?;
        expression.evaluate(&variables, &mut self.gas)
    }

    fn simulated(&self) -> bool {
        self.host.choose("", 1).is_some()
    }

    /// Starts the timers of events for something active.
    fn set_timers(&mut self, number: Number, process: &Process, events: &[NodeId]) -> Result<(), Fault> {
        for event in events {
            let Some(node) = process.node(*event) else { continue };
            let Some(timer) = node.timer() else { continue };
            // While the case's clock stands still, its time is the moment at which that began.
            let from = self.host.paused_since().filter(|_| node.follows_clock()).unwrap_or(self.now);
            let due = match self.due(number, node, timer, from) {
                Err(Fault::Expression | Fault::Timer) if self.simulated() => {
                    Due { at: self.now, node: *event, left: 1, every: 0, open: 0 }
                }
                other => Due { node: *event, ..other? },
            };
            self.active_mut(number)?.timers.push(due);
        }
        Ok(())
    }

    /// When a timer fires that counts from a point in time.
    fn due(&mut self, number: Number, node: &Node, timer: &Timer, from: i64) -> Result<Due, Fault> {
        let (left, written) = match timer {
            Timer::Date(date) => {
                let value = self.evaluate(number, date)?;
                let at = time::point(&value).ok_or(Fault::Timer)?;
                return Ok(Due { at, node: 0, left: 1, every: 0, open: 0 });
            }
            Timer::Duration(duration) => (1, duration),
            Timer::Cycle(times, every) => (*times, every),
        };
        let value = self.evaluate(number, written)?;
        let length = time::length(&value).ok_or(Fault::Timer)?;
        // 工作日: the event says that its days are working days.
        let (at, open) = if node.in_working_days() {
            let days = length.whole_days().ok_or(Fault::Timer)?;
            self.host.working_days_after(from, days).ok_or(Fault::Timer)?
        } else {
            (length.after(from)?, 0)
        };
        Ok(Due { at, node: 0, left, every: at - from, open })
    }

    /// Fires the timers that are due, the earliest first. Many that are due at once must not keep the case from moving at all, so
    /// what is done stays done, and no other is begun when less than half of the gas is left.
    pub fn fire_due(&mut self) -> Result<(), Fault> {
        loop {
            let Some((at, number, place)) = self.instance.earliest(self.host) else { return Ok(()) };
            if at > self.now || self.instance.status != Status::Running {
                return Ok(());
            }
            self.gas.charge(MOVE)?;
            let fired = self.active_mut(number)?.timers.remove(place);
            if fired.left > 1 {
                self.again(number, place, &fired)?;
            }
            self.happen(number, fired.node)?;
            self.settle()?;
            if self.host.mended() && self.gas.left() < self.limit / 2 {
                return Ok(());
            }
        }
    }

    /// Sets a cycle that fired for its next time: a month later is another number of days each time, and so is a working day.
    fn again(&mut self, number: Number, place: usize, fired: &Due) -> Result<(), Fault> {
        let process = self.process_of(number)?;
        let Some((node, timer)) = process.node(fired.node).and_then(|node| Some((node, node.timer()?))) else {
            return Err(Fault::NoProcedure);
        };
        // The first moment after a working day belongs to the next one.
        let from = if node.in_working_days() { fired.at - 1 } else { fired.at };
        let next = match self.due(number, node, timer, from) {
            Err(Fault::Expression | Fault::Timer) if self.simulated() => return Ok(()),
            other => other?,
        };
        if next.at > fired.at || next.open > 0 {
            let next = Due { node: fired.node, left: fired.left - 1, ..next };
            self.active_mut(number)?.timers.insert(place, next);
        }
        Ok(())
    }

    /// An event happens for something active: at its edge, or the one it waits for.
    fn happen(&mut self, number: Number, event: NodeId) -> Result<(), Fault> {
        let process = self.process_of(number)?;
        let Some(node) = process.node(event) else { return Err(Fault::NoProcedure) };
        let (scope, procedure, at) = {
            let active = self.active(number)?;
            (active.parent, active.procedure, active.node)
        };
        match node.kind {
            Kind::Boundary { interrupting, .. } => {
                if interrupting {
                    self.cancel(number)?;
                }
                self.trace(What::Entered, procedure, &node.id, 0);
                self.leave(scope, &process, node)
            }
            // The gateway, or the event itself, is passed.
            _ if at == Some(event) && node.is_activity() => self.end_activity(number),
            _ => {
                self.instance.active.remove(&number);
                if at != Some(event) {
                    self.trace(What::Entered, procedure, &node.id, 0);
                }
                self.map_event(scope, node)?;
                self.leave(scope, &process, node)
            }
        }
    }

    /// Records a decision.
    fn decided(&mut self, element: &str, decision: &str, decided: &crate::instance::Decided) -> Result<(), Fault> {
        self.report.decisions.push(DecisionTaken {
            element: element.to_owned(),
            decision: decision.to_owned(),
            version: decided.version.clone(),
            hits: decided.hits.clone(),
            result: Wire::of(&decided.value).ok_or(Fault::TooLarge)?,
        });
        Ok(())
    }
}
