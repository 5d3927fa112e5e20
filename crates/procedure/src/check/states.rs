//! Explores every state a procedure can be in, whatever is decided: which ways tokens can take, where they can meet or wait.
//!
//! A state is a set of places: flows on which a token is, activities and events that are active. What happens by itself happens
//! at once, as in the token game, so that only what waits for somebody multiplies states.

use super::Explored;
use crate::model::{End, FlowId, Kind, Node, NodeId, Process, Trigger};
use crate::refusal::{Reason, Refusal};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Most states that are explored.
const STATES_MAX: usize = 100_000;
/// Most places looked at: a large procedure is explored to fewer states, so that no file keeps a node busy.
const LOOKS_MAX: usize = 40_000_000;
/// Most places looked at for what is inside of sub-processes, of which each state may have many.
const INSIDE_MAX: usize = 400_000_000;
/// Most steps between states.
const STEPS_MAX: usize = 1_000_000;

/// A set of places, one bit each.
type State = Box<[u64]>;

struct Explorer<'p> {
    process: &'p Process,
    /// For each node, whether an event that does not interrupt leads to it: there, several tokens are meant.
    repeatable: Vec<bool>,
    entered: Vec<bool>,
    found: BTreeMap<State, u32>,
    queue: Vec<State>,
    steps: Vec<(u32, u32)>,
    inside: Cell<usize>,
    refusals: BTreeSet<(Reason, NodeId)>,
}

/// Explores the states of a process.
pub(super) fn explore(process: &Process) -> Result<Explored, Vec<Refusal>> {
    let mut explorer = Explorer {
        process,
        repeatable: repeatable(process),
        entered: vec![false; process.nodes.len()],
        found: BTreeMap::new(),
        queue: Vec::new(),
        steps: Vec::new(),
        inside: Cell::new(0),
        refusals: BTreeSet::new(),
    };
    let complete = explorer.run();
    let refusal =
        |id: NodeId, reason, detail: &str| process.node(id).map(|node| Refusal::of(&node.id, &node.name, reason, detail));
    let mut refusals: Vec<Refusal> =
        explorer.refusals.iter().filter_map(|(reason, id)| refusal(*id, *reason, "parallel ways")).collect();
    if !complete {
        refusals.push(Refusal::of(&process.id, &process.name, Reason::TooManyStates, "more than 100,000"));
        return Err(refusals);
    }
    // What comes after a stuck join is not reached because of it: one finding is enough.
    if refusals.is_empty() {
        for (id, node) in process.numbered().filter(|(id, _)| !explorer.entered[usize::from(*id)]) {
            let end = matches!(node.kind, Kind::End(_));
            let reason = if end { Reason::UnreachableEnd } else { Reason::DeadElement };
            refusals.extend(refusal(id, reason, "no way leads here"));
        }
    }
    if refusals.is_empty() {
        refusals.extend(explorer.trapped().and_then(|id| refusal(id, Reason::NoWayOut, "an endless loop")));
    }
    if refusals.is_empty() {
        Ok(Explored { states: explorer.found.len(), steps: explorer.steps.len() })
    } else {
        Err(refusals)
    }
}

/// Nodes that a token of an event that does not interrupt can come to.
fn repeatable(process: &Process) -> Vec<bool> {
    let mut marked = vec![false; process.nodes.len()];
    let aside = |node: &Node| matches!(node.kind, Kind::Boundary { interrupting: false, .. });
    let mut stack: Vec<NodeId> = process.numbered().filter(|(_, node)| aside(node)).map(|(id, _)| id).collect();
    while let Some(id) = stack.pop() {
        let Some(node) = process.node(id) else { continue };
        if std::mem::replace(&mut marked[usize::from(id)], true) {
            continue;
        }
        stack.extend(node.outgoing.iter().filter_map(|flow| process.flow(*flow)).map(|flow| flow.to));
        stack.extend(&node.boundaries);
        if matches!(node.kind, Kind::SubProcess) {
            stack.extend(process.numbered().filter(|(_, inner)| inner.scope == Some(id)).map(|(inner, _)| inner));
        }
    }
    marked
}

impl Explorer<'_> {
    fn place_of(&self, node: NodeId) -> usize {
        self.process.flows.len() + usize::from(node)
    }

    fn has(state: &State, place: usize) -> bool {
        state[place / 64] & 1 << (place % 64) != 0
    }

    fn clear(state: &mut State, place: usize) {
        state[place / 64] &= !(1 << (place % 64));
    }

    /// Puts a token on a place; one that is there already is a finding.
    fn put(&mut self, state: &mut State, place: usize, node: NodeId) {
        if Self::has(state, place) {
            let at = self.process.node(node);
            let join = at.is_some_and(|at| matches!(at.kind, Kind::Parallel) && at.incoming.len() > 1);
            if join {
                self.refusals.insert((Reason::UnsafeJoin, node));
            } else if !self.repeatable[usize::from(node)] {
                self.refusals.insert((Reason::TwoTokens, node));
            }
        }
        state[place / 64] |= 1 << (place % 64);
    }

    fn put_flows(&mut self, state: &mut State, flows: &[FlowId]) {
        for flow in flows {
            if let Some(to) = self.process.flow(*flow).map(|flow| flow.to) {
                self.put(state, usize::from(*flow), to);
            }
        }
    }

    /// Explores; whether the bound was enough.
    fn run(&mut self) -> bool {
        let places = self.process.flows.len() + self.process.nodes.len();
        let empty: State = vec![0u64; places.div_ceil(64).max(1)].into();
        for start in self.first(&empty) {
            self.arrive(None, start);
        }
        while let Some(state) = self.queue.pop() {
            if self.found.len() > STATES_MAX.min(LOOKS_MAX / places.max(1))
                || self.steps.len() > STEPS_MAX
                || self.inside.get() > INSIDE_MAX
            {
                return false;
            }
            let from = self.found.get(&state).copied();
            for next in self.next(&state) {
                self.arrive(from, next);
            }
        }
        true
    }

    fn arrive(&mut self, from: Option<u32>, state: State) {
        let number = match self.found.get(&state) {
            Some(number) => *number,
            None => {
                let number = self.found.len() as u32;
                self.found.insert(state.clone(), number);
                self.queue.push(state);
                number
            }
        };
        self.steps.extend(from.map(|from| (from, number)));
    }

    /// The states in which the process can begin: one for each start event.
    fn first(&mut self, empty: &State) -> Vec<State> {
        let process = self.process;
        let starts = process.starts(None);
        let events = starts.iter().all(|id| process.node(*id).is_some_and(|node| matches!(node.kind, Kind::Start(_))));
        let groups: Vec<Vec<NodeId>> = if events { starts.iter().map(|id| vec![*id]).collect() } else { vec![starts] };
        let mut first = Vec::new();
        for group in groups {
            let mut states = vec![empty.clone()];
            for id in group {
                states = states.into_iter().flat_map(|state| self.enter(state, id)).collect();
            }
            first.extend(states);
        }
        first
    }

    /// What can happen next.
    fn next(&mut self, state: &State) -> Vec<State> {
        let process = self.process;
        // What happens by itself, one thing at a time.
        for (flow, drawn) in process.numbered_flows() {
            if !Self::has(state, usize::from(flow)) {
                continue;
            }
            let Some(node) = process.node(drawn.to) else { continue };
            if !matches!(node.kind, Kind::Parallel) || node.incoming.len() < 2 {
                let mut after = state.clone();
                Self::clear(&mut after, usize::from(flow));
                return self.enter(after, drawn.to);
            }
            if node.incoming.iter().all(|flow| Self::has(state, usize::from(*flow))) {
                let mut after = state.clone();
                node.incoming.iter().for_each(|flow| Self::clear(&mut after, usize::from(*flow)));
                return self.enter(after, drawn.to);
            }
        }
        self.stuck(state);
        let mut next = Vec::new();
        for (id, node) in process.numbered() {
            if Self::has(state, self.place_of(id)) && !matches!(node.kind, Kind::Boundary { .. }) {
                next.extend(self.happen(state, id, node));
            }
        }
        next
    }

    /// A scope in which only joins hold tokens waits for ever.
    fn stuck(&mut self, state: &State) {
        let process = self.process;
        let mut waiting: BTreeMap<Option<NodeId>, NodeId> = BTreeMap::new();
        for (flow, drawn) in process.numbered_flows() {
            if Self::has(state, usize::from(flow)) {
                waiting.entry(process.node(drawn.to).and_then(|node| node.scope)).or_insert(drawn.to);
            }
        }
        for (scope, join) in waiting {
            self.looked();
            let alive = process.numbered().any(|(id, node)| {
                let active = Self::has(state, self.place_of(id)) && !matches!(node.kind, Kind::Boundary { .. });
                active && node.scope == scope
            });
            if !alive {
                self.refusals.insert((Reason::Deadlock, join));
            }
        }
    }

    /// What something active can do.
    fn happen(&mut self, state: &State, id: NodeId, node: &Node) -> Vec<State> {
        let process = self.process;
        let mut next = Vec::new();
        let inside_empty = !matches!(node.kind, Kind::SubProcess) || !self.any_inside(state, id);
        match node.kind {
            Kind::EventBased => {
                for target in node.outgoing.iter().filter_map(|flow| process.flow(*flow)).map(|flow| flow.to) {
                    let mut after = state.clone();
                    Self::clear(&mut after, self.place_of(id));
                    self.entered[usize::from(target)] = true;
                    next.extend(process.node(target).map(|target| self.leave(after, target)).unwrap_or_default());
                }
            }
            _ if inside_empty => {
                let mut after = state.clone();
                self.end(&mut after, id);
                next.extend(self.leave(after, node));
            }
            _ => {}
        }
        for boundary in &node.boundaries {
            let Some(event) = process.node(*boundary) else { continue };
            let Kind::Boundary { interrupting, trigger, .. } = &event.kind else { continue };
            if matches!((trigger, &node.kind), (Trigger::Error(_), Kind::SubProcess)) && !self.may_fail(id) {
                continue;
            }
            let mut after = state.clone();
            if *interrupting {
                self.end(&mut after, id);
            } else if Self::has(state, self.place_of(*boundary)) {
                // Once in a state is enough to see where its token can go.
                continue;
            } else {
                let place = self.place_of(*boundary);
                after[place / 64] |= 1 << (place % 64);
            }
            self.entered[usize::from(*boundary)] = true;
            next.extend(self.leave(after, event));
        }
        next
    }

    /// Whether something inside of a sub-process can end in an error that no end event there names.
    fn may_fail(&self, id: NodeId) -> bool {
        self.looked();
        let fails =
            |kind: &Kind| matches!(kind, Kind::Person(_) | Kind::Service { .. } | Kind::Call { .. } | Kind::SubProcess);
        self.process.nodes.iter().any(|node| node.scope == Some(id) && fails(&node.kind))
    }

    /// Ends something active with all that is inside of it and the marks of its boundary.
    fn end(&self, state: &mut State, id: NodeId) {
        Self::clear(state, self.place_of(id));
        let Some(node) = self.process.node(id) else { return };
        node.boundaries.iter().for_each(|boundary| Self::clear(state, self.place_of(*boundary)));
        if matches!(node.kind, Kind::SubProcess) {
            self.end_inside(state, Some(id));
        }
    }

    /// Notes that all places were looked at.
    fn looked(&self) {
        self.inside.set(self.inside.get() + self.process.flows.len() + self.process.nodes.len());
    }

    fn end_inside(&self, state: &mut State, scope: Option<NodeId>) {
        self.looked();
        for (flow, drawn) in self.process.numbered_flows() {
            if self.process.node(drawn.to).is_some_and(|node| node.scope == scope) {
                Self::clear(state, usize::from(flow));
            }
        }
        for (id, node) in self.process.numbered() {
            if node.scope == scope && Self::has(state, self.place_of(id)) {
                self.end(state, id);
            }
        }
    }

    fn any_inside(&self, state: &State, scope: NodeId) -> bool {
        self.looked();
        let mut flows = self.process.numbered_flows();
        let here = |id: NodeId| self.process.node(id).is_some_and(|node| node.scope == Some(scope));
        flows.any(|(flow, drawn)| Self::has(state, usize::from(flow)) && here(drawn.to))
            || self.process.numbered().any(|(id, node)| {
                let active = Self::has(state, self.place_of(id)) && !matches!(node.kind, Kind::Boundary { .. });
                active && node.scope == Some(scope)
            })
    }

    /// A token comes into a node.
    fn enter(&mut self, mut state: State, id: NodeId) -> Vec<State> {
        let Some(node) = self.process.node(id) else { return Vec::new() };
        self.entered[usize::from(id)] = true;
        match &node.kind {
            Kind::End(End::None | End::Message(_)) => vec![state],
            Kind::End(End::Terminate) => {
                self.end_inside(&mut state, node.scope);
                vec![state]
            }
            Kind::End(End::Error(code)) => self.throw(state, node.scope, code),
            Kind::SubProcess => {
                let place = self.place_of(id);
                self.put(&mut state, place, id);
                let mut states = vec![state];
                for start in self.process.starts(Some(id)) {
                    states = states.into_iter().flat_map(|state| self.enter(state, start)).collect();
                }
                states
            }
            Kind::Person(_)
            | Kind::Service { .. }
            | Kind::Receive { .. }
            | Kind::Call { .. }
            | Kind::EventBased
            | Kind::Catch(_) => {
                let place = self.place_of(id);
                self.put(&mut state, place, id);
                vec![state]
            }
            _ => self.leave(state, node),
        }
    }

    /// An error goes up to the nearest event that catches it.
    fn throw(&mut self, mut state: State, scope: Option<NodeId>, code: &str) -> Vec<State> {
        self.end_inside(&mut state, scope);
        let Some(id) = scope else { return vec![state] };
        let around = self.process.node(id).and_then(|node| node.scope);
        match self.process.catcher(id, code) {
            Some(event) => {
                self.end(&mut state, id);
                self.entered[usize::from(event)] = true;
                self.process.node(event).map(|event| self.leave(state, event)).unwrap_or_default()
            }
            None => self.throw(state, around, code),
        }
    }

    /// The ways out of a node that is passed or done.
    fn leave(&mut self, state: State, node: &Node) -> Vec<State> {
        let conditional = |flow: &FlowId| self.process.flow(*flow).is_some_and(|flow| flow.condition.is_some());
        let ways: Vec<Vec<FlowId>> = if matches!(node.kind, Kind::Exclusive) && node.outgoing.len() > 1 {
            node.outgoing.iter().map(|flow| vec![*flow]).collect()
        } else if node.outgoing.iter().any(conditional) {
            let mut always = node.outgoing.clone();
            always.retain(|flow| !conditional(flow) && Some(*flow) != node.default);
            let choices: Vec<FlowId> =
                node.outgoing.iter().copied().filter(|flow| conditional(flow) && Some(*flow) != node.default).collect();
            let mut ways: Vec<Vec<FlowId>> = choices.iter().map(|flow| [&always[..], &[*flow]].concat()).collect();
            if choices.len() > 1 {
                ways.push([&always[..], &choices[..]].concat());
            }
            ways.extend(node.default.map(|flow| [&always[..], &[flow]].concat()));
            ways
        } else {
            vec![node.outgoing.clone()]
        };
        let mut states = Vec::with_capacity(ways.len());
        for way in ways {
            let mut after = state.clone();
            self.put_flows(&mut after, &way);
            states.push(after);
        }
        states
    }

    /// Something active in a state from which the end cannot be reached.
    fn trapped(&self) -> Option<NodeId> {
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); self.found.len()];
        for (from, to) in &self.steps {
            before[*to as usize].push(*from);
        }
        let mut good = vec![false; self.found.len()];
        let ended = |state: &State| state.iter().all(|word| *word == 0);
        let mut stack: Vec<u32> = self.found.iter().filter(|(state, _)| ended(state)).map(|(_, number)| *number).collect();
        while let Some(number) = stack.pop() {
            if !std::mem::replace(&mut good[number as usize], true) {
                stack.extend(&before[number as usize]);
            }
        }
        let bad = || self.found.iter().filter(|(_, number)| !good[**number as usize]).map(|(state, _)| state);
        let waits =
            |state: &State| self.process.numbered().find(|(id, _)| Self::has(state, self.place_of(*id))).map(|(id, _)| id);
        let moves = |state: &State| {
            let mut flows = self.process.numbered_flows();
            flows.find(|(flow, _)| Self::has(state, usize::from(*flow))).map(|(_, flow)| flow.to)
        };
        bad().find_map(waits).or_else(|| bad().find_map(moves))
    }
}
