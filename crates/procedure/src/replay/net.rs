//! A procedure as a Petri net, which is what conformance is defined on: places hold tokens, transitions move them, and those that
//! stand for activities carry a label.

use super::ReplayError;
use crate::model::{End, FlowId, Kind, Node, NodeId, Process};
use std::collections::BTreeSet;

/// Index of a place.
pub(super) type Place = u16;
/// Index of a label.
pub(super) type Label = u16;

/// How many tokens each place holds.
pub(super) type Marking = Vec<u8>;

/// A transition.
#[derive(Clone, Debug)]
pub(super) struct Transition {
    /// The activity it stands for; none for what happens by itself.
    pub label: Option<Label>,
    /// Places it takes a token from, each once.
    pub from: Vec<Place>,
    /// Places it puts a token on.
    pub to: Vec<Place>,
    /// Whether it takes all other tokens away: a terminate end.
    pub clears: bool,
}

/// A net with one place at its start and one at its end.
#[derive(Clone, Debug)]
pub(super) struct Net {
    pub transitions: Vec<Transition>,
    /// Names of the activities.
    pub labels: Vec<String>,
    pub source: Place,
    pub sink: Place,
    /// How many places there are.
    pub places: usize,
}

struct Builder<'p> {
    process: &'p Process,
    seen: &'p BTreeSet<&'p str>,
    net: Net,
    places: Place,
}

impl Net {
    /// The net of a process. An activity is known by its identifier where the log has that, else by the name that is drawn. What
    /// happens by itself and is never in the log is not waited for.
    pub fn of(process: &Process, seen: &BTreeSet<&str>) -> Result<Self, ReplayError> {
        let flows = process.flows.len() as Place;
        let net = Self { transitions: Vec::new(), labels: Vec::new(), source: flows, sink: flows + 1, places: 0 };
        let mut builder = Builder { process, seen, net, places: flows + 2 };
        for id in process.starts(None) {
            let node = process.node(id).ok_or(ReplayError::NoProcess)?;
            if matches!(node.kind, Kind::Start(_)) {
                for way in ways(process, node) {
                    builder.add(None, vec![builder.net.source], way);
                }
            } else {
                let entry = builder.entry(id);
                builder.add(None, vec![builder.net.source], vec![entry]);
            }
        }
        for (id, node) in process.numbered() {
            builder.node(id, node)?;
        }
        Ok(Self { places: usize::from(builder.places), ..builder.net })
    }

    /// Whether the net has an activity of this name.
    pub fn label(&self, name: &str) -> Option<Label> {
        self.labels.iter().position(|label| label == name).map(|at| at as Label)
    }

    /// The marking in which a case begins.
    pub fn start(&self) -> Marking {
        let mut marking = vec![0; self.places];
        marking[usize::from(self.source)] = 1;
        marking
    }

    /// Whether a marking is the end: all tokens have arrived.
    pub fn is_end(&self, marking: &Marking) -> bool {
        marking.iter().enumerate().all(|(place, tokens)| (*tokens > 0) == (place == usize::from(self.sink)))
    }

    /// Whether a transition can fire.
    pub fn enabled(&self, transition: &Transition, marking: &Marking) -> bool {
        transition.from.iter().all(|place| marking[usize::from(*place)] > 0)
    }

    /// The marking after a transition; places that lack a token are passed over.
    pub fn fire(&self, transition: &Transition, marking: &Marking) -> Marking {
        let mut after = if transition.clears { vec![0; self.places] } else { marking.clone() };
        if !transition.clears {
            for place in &transition.from {
                let tokens = &mut after[usize::from(*place)];
                *tokens = tokens.saturating_sub(1);
            }
        }
        for place in &transition.to {
            let tokens = &mut after[usize::from(*place)];
            *tokens = tokens.saturating_add(1);
        }
        after
    }
}

/// The ways out of a node, each a set of flows.
fn ways(process: &Process, node: &Node) -> Vec<Vec<Place>> {
    let conditional = |flow: &FlowId| process.flow(*flow).is_some_and(|flow| flow.condition.is_some());
    if matches!(node.kind, Kind::Exclusive | Kind::EventBased) {
        return node.outgoing.iter().map(|flow| vec![*flow]).collect();
    }
    let (choices, mut always): (Vec<FlowId>, Vec<FlowId>) =
        node.outgoing.iter().copied().partition(|flow| conditional(flow) && Some(*flow) != node.default);
    if choices.is_empty() {
        return vec![node.outgoing.clone()];
    }
    always.retain(|flow| Some(*flow) != node.default);
    let mut ways: Vec<Vec<FlowId>> = choices.iter().map(|flow| [&always[..], &[*flow]].concat()).collect();
    if choices.len() > 1 {
        ways.push([&always[..], &choices[..]].concat());
    }
    ways.extend(node.default.map(|flow| [&always[..], &[flow]].concat()));
    ways
}

impl Builder<'_> {
    fn add(&mut self, label: Option<Label>, from: Vec<Place>, to: Vec<Place>) {
        self.net.transitions.push(Transition { label, from, to, clears: false });
    }

    fn place(&mut self) -> Place {
        self.places += 1;
        self.places - 1
    }

    /// The one place before a node: its flow, or one that all its flows lead to.
    fn entry(&mut self, id: NodeId) -> Place {
        let incoming = self.process.node(id).map(|node| node.incoming.clone()).unwrap_or_default();
        if let [flow] = incoming[..] {
            return flow;
        }
        let entry = self.place();
        for flow in incoming {
            self.add(None, vec![flow], vec![entry]);
        }
        entry
    }

    /// The one place after something, when it has several ways out; else those of its only way.
    fn leave(&mut self, node: &Node) -> Vec<Place> {
        let mut ways = ways(self.process, node);
        match (ways.pop(), ways.is_empty()) {
            (None, _) => vec![self.net.sink],
            (Some(way), true) if way.is_empty() => vec![self.net.sink],
            (Some(way), true) => way,
            (Some(last), false) => {
                let done = self.place();
                for way in ways.into_iter().chain([last]) {
                    self.add(None, vec![done], way);
                }
                vec![done]
            }
        }
    }

    /// The label of an activity; none for what is done by itself and is never in the log.
    fn label(&mut self, node: &Node) -> Option<Label> {
        let drawn = node.name.split_whitespace().collect::<Vec<_>>().join(" ");
        let by_id = drawn.is_empty() || self.seen.contains(node.id.as_str());
        let name = if by_id { node.id.clone() } else { drawn };
        let by_itself = matches!(node.kind, Kind::Catch(_) | Kind::Send { .. } | Kind::Decision { .. } | Kind::Task);
        if by_itself && !self.seen.contains(name.as_str()) {
            return None;
        }
        Some(self.net.label(&name).unwrap_or_else(|| {
            self.net.labels.push(name);
            (self.net.labels.len() - 1) as Label
        }))
    }

    fn node(&mut self, id: NodeId, node: &Node) -> Result<(), ReplayError> {
        match &node.kind {
            Kind::Start(_) | Kind::Boundary { .. } => {}
            Kind::SubProcess => return Err(ReplayError::NotReplayed(node.id.clone())),
            Kind::End(end) => {
                let entry = self.entry(id);
                self.add(None, vec![entry], vec![self.net.sink]);
                if let (End::Terminate | End::Error(_), Some(last)) = (end, self.net.transitions.last_mut()) {
                    last.clears = true;
                }
            }
            Kind::Parallel => {
                let out = self.leave(node);
                self.add(None, node.incoming.clone(), out);
            }
            Kind::Exclusive | Kind::EventBased => {
                let (entry, ways) = (self.entry(id), ways(self.process, node));
                for way in ways {
                    self.add(None, vec![entry], way);
                }
            }
            _ => self.activity(id, node)?,
        }
        Ok(())
    }

    fn activity(&mut self, id: NodeId, node: &Node) -> Result<(), ReplayError> {
        let (entry, out) = (self.entry(id), self.leave(node));
        let label = self.label(node);
        if node.repeat.is_some() {
            // Any number of rounds, none included.
            self.add(label, vec![entry], vec![entry]);
            self.add(None, vec![entry], out);
        } else {
            self.add(label, vec![entry], out);
        }
        for boundary in &node.boundaries {
            let Some(event) = self.process.node(*boundary) else { continue };
            let Kind::Boundary { interrupting, .. } = event.kind else { continue };
            if !interrupting {
                // A token aside, any number of times, is nothing that a log could be measured by.
                return Err(ReplayError::NotReplayed(event.id.clone()));
            }
            let out = self.leave(event);
            self.add(None, vec![entry], out);
        }
        Ok(())
    }
}
