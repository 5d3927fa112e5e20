//! A running case of a procedure: what waits, with which variables, until when. Plain data with one encoding.
//!
//! Every change takes an instance and gives another one with a report, or a fault and no change at all.

use crate::model::{Assignment, FlowId, Kind, Node, NodeId, Process};
use crate::step::Run;
use crate::value::{Variables, Wire};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::sync::Arc;
use zhulian_rules::{Halt, Name, Value, gas::Gas};

/// Number of something active in an instance; the root is 1, and 0 is nobody.
pub type Number = u32;

/// Most things active at a time.
pub const ACTIVE_MAX: usize = 2_000;
/// Most bytes of the variables of one scope.
pub const VARIABLES_MAX: usize = 16 * 1024;
/// Deepest nesting of procedures that call one another.
pub const CALLS_MAX: usize = 8;

/// What the surroundings answer: other procedures, decisions, working days.
pub trait Host {
    /// The key and the process that calls of this procedure start now.
    fn current(&self, procedure: &str) -> Option<(String, Arc<Process>)>;
    /// The process of a key that [`Host::current`] gave before.
    fn process(&self, key: &str) -> Option<Arc<Process>>;
    /// Decides by the rules in force for this case.
    ///
    /// # Errors
    /// Unknown decision, out of gas, or a result that may not decide.
    fn decide(&self, decision: &str, facts: &[(Name, Value)], gas: &mut Gas) -> Result<Decided, Fault>;
    /// The end of the n-th working day after a point in time; both in milliseconds since 1970. Where the calendar ends before that:
    /// the end of the last day that was looked at, and how many working days come after it.
    fn working_days_after(&self, _from: i64, _days: u32) -> Option<(i64, u32)> {
        None
    }
    /// How many working days come after one point in time, up to and with the day of another.
    fn working_days_between(&self, _from: i64, _to: i64) -> Option<u32> {
        None
    }
    /// Since when the clock of the case stands still, if it does: timers that follow it neither fire nor count until it runs again.
    fn paused_since(&self) -> Option<i64> {
        None
    }
    /// Whether steps are taken by the rules as they are now: the variable of a round is set as any other is, and what is due fires as
    /// far as half of the gas reaches. A ledger says no where it repeats the steps of a time before these rules.
    fn mended(&self) -> bool {
        true
    }
    /// In a simulation, which of so many ways to take; no expression is evaluated then.
    fn choose(&self, _node: &str, _ways: usize) -> Option<usize> {
        None
    }
}

/// A decision by rules.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The result.
    pub value: Value,
    /// The rules, with their version.
    pub version: String,
    /// The rules that matched, as `table.rule`.
    pub hits: Vec<String>,
}

/// Why a step is not taken. The instance stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The gas limit was reached.
    #[error("the gas limit was reached")]
    OutOfGas,
    /// An expression gave no value, or not one that fits.
    #[error("an expression gives no value")]
    Expression,
    /// A condition in another language than FEEL.
    #[error("a condition is not FEEL")]
    Foreign,
    /// No way out of a choice is open.
    #[error("no way out of the choice is open")]
    NoWay,
    /// A time that cannot be reckoned.
    #[error("a time cannot be reckoned")]
    Timer,
    /// A repetition over more than its bound, or over something that is no list.
    #[error("a repetition has no list, or one beyond its bound")]
    Loop,
    /// Values too large, or too many things active.
    #[error("the case holds too much")]
    TooLarge,
    /// There is no such procedure, or no such start.
    #[error("there is no such procedure or start")]
    NoProcedure,
    /// There is no such decision, or it gave no result.
    #[error("there is no such decision, or it gave no result")]
    NoDecision,
    /// No work of that number waits.
    #[error("no such work waits")]
    NoWork,
    /// Nobody waits for that message.
    #[error("nobody waits for the message")]
    NobodyWaits,
    /// The instance has ended.
    #[error("the instance has ended")]
    Ended,
    /// A join waits for a way that is not taken.
    #[error("a join waits for ever")]
    Stuck,
}

impl From<Halt> for Fault {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::OutOfGas => Self::OutOfGas,
            Halt::TooDeep | Halt::TooLarge => Self::TooLarge,
            Halt::NoSuchElement => Self::NoDecision,
        }
    }
}

/// How an instance stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Status {
    /// Something waits.
    #[n(0)]
    Running,
    /// It came to an end.
    #[n(1)]
    Completed,
    /// An error ended it that nothing caught.
    #[n(2)]
    Failed(#[n(0)] String),
}

/// A timer that runs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Due {
    /// When, in milliseconds since 1970.
    #[n(0)]
    pub at: i64,
    /// The event.
    #[n(1)]
    pub node: NodeId,
    /// How often it fires yet.
    #[n(2)]
    pub left: u16,
    /// Milliseconds between two times.
    #[n(3)]
    pub every: i64,
    /// Working days that come after `at`, in a year whose calendar is not known yet. Until it is, the timer does not fire.
    #[n(4)]
    pub open: u32,
}

/// A repetition that runs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Rounds {
    #[n(0)]
    pub items: Vec<Wire>,
    #[n(1)]
    pub begun: u32,
    #[n(2)]
    pub results: Vec<Wire>,
}

/// Something active: a scope whose inside runs, a repetition, or something that waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Active {
    /// What it is inside of; 0 for the root.
    #[n(0)]
    pub parent: Number,
    /// Index among the instance's procedures.
    #[n(1)]
    pub procedure: u16,
    /// The node; none for the body of a procedure.
    #[n(2)]
    pub node: Option<NodeId>,
    /// Its local variables.
    #[n(3)]
    pub variables: Variables,
    /// Timers attached to it.
    #[n(4)]
    pub timers: Vec<Due>,
    /// Flows that arrived at joins inside of it, and how often.
    #[n(5)]
    pub arrived: BTreeMap<FlowId, u16>,
    /// The rounds, when it is a repetition.
    #[n(6)]
    pub rounds: Option<Rounds>,
    /// Who may do the work.
    #[n(7)]
    pub groups: Vec<String>,
    /// The place in the repetition it is a round of.
    #[n(8)]
    pub round: Option<u32>,
}

/// A running or ended case of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Instance {
    /// Keys of the procedures it runs, its own first.
    #[n(0)]
    pub(crate) procedures: Vec<String>,
    #[n(1)]
    pub(crate) next: Number,
    #[n(2)]
    pub(crate) active: BTreeMap<Number, Active>,
    #[n(3)]
    pub(crate) status: Status,
    /// The variables of the root once it has ended.
    #[n(4)]
    pub(crate) result: Variables,
}

/// What happened to an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum What {
    /// It was reached: an activity starts, an event or gateway is passed.
    #[n(0)]
    Entered,
    /// An activity is done.
    #[n(1)]
    Completed,
    /// An activity was ended from outside.
    #[n(2)]
    Cancelled,
    /// An error left the instance here.
    #[n(3)]
    Failed,
}

/// One line of the trace of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What happened.
    pub what: What,
    /// The key of the procedure.
    pub procedure: String,
    /// Identifier of the element.
    pub element: String,
    /// The number of the activity; 0 for events and gateways.
    pub number: Number,
}

/// A decision that a step took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionTaken {
    /// Identifier of the element.
    pub element: String,
    /// The decision.
    pub decision: String,
    /// The version of the rules.
    pub version: String,
    /// The rules that matched.
    pub hits: Vec<String>,
    /// The result.
    pub result: Wire,
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What happened, in order.
    pub trace: Vec<Trace>,
    /// Messages sent, in order.
    pub sent: Vec<String>,
    /// Decisions by rules, in order.
    pub decisions: Vec<DecisionTaken>,
    /// Gas used.
    pub gas: u64,
}

/// Work that waits for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Its number.
    pub number: Number,
    /// The key of the procedure.
    pub procedure: String,
    /// Identifier of the element.
    pub element: String,
    /// The element's name.
    pub name: String,
    /// Who may do it: organisations or roles.
    pub groups: Vec<String>,
    /// The kind of job, for the work of systems.
    pub job: Option<String>,
    /// Whether a person does it.
    pub by_person: bool,
    /// The form.
    pub form: Option<String>,
    /// `zeebe:taskHeaders`.
    pub headers: BTreeMap<String, String>,
    /// The variable that takes the outcome of a job, task header `resultVariable`.
    pub result_variable: Option<String>,
    /// `zeebe:properties`.
    pub properties: BTreeMap<String, String>,
    /// Variables of the task itself.
    pub variables: Variables,
    /// Nearest time at its edge, in milliseconds since 1970.
    pub due: Option<i64>,
}

/// What every step asks of work that waits.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// The key of the procedure.
    pub procedure: &'a str,
    /// Who may do it: organisations or roles.
    pub groups: &'a [String],
    /// The kind of job, for the work of systems.
    pub job: Option<&'a str>,
}

/// The kind of job of a node that is the work of a system.
fn job(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Service { job } => Some(job),
        Kind::Call { procedure: None } => Some(""),
        _ => None,
    }
}

impl Due {
    /// Makes the timer later by so many working days, beside those that were open.
    fn reckon(&mut self, host: &dyn Host, days: u32) -> Result<(), Fault> {
        let days = self.open.checked_add(days).ok_or(Fault::Timer)?;
        if days > 0 {
            // What is due is the first moment after its last day.
            (self.at, self.open) = host.working_days_after(self.at - 1, days).ok_or(Fault::Timer)?;
        }
        Ok(())
    }
}

impl Instance {
    /// Starts a procedure at its start without a trigger, or at the one of a message.
    ///
    /// # Errors
    /// No such procedure or start, or a fault before something waits.
    pub fn start(
        host: &dyn Host,
        procedure: &str,
        message: Option<&str>,
        variables: &Variables,
        now: i64,
        gas: u64,
    ) -> Result<(Self, Report), Fault> {
        let (key, process) = host.current(procedure).ok_or(Fault::NoProcedure)?;
        let root = Active { variables: variables.clone(), ..Active::inside(0, 0, None) };
        let instance = Self {
            procedures: vec![key],
            next: 2,
            active: BTreeMap::from([(1, root)]),
            status: Status::Running,
            result: Variables::default(),
        };
        let mut run = Run::new(host, instance, now, gas)?;
        run.begin(1, &process, message)?;
        run.finish()
    }

    /// The work is done, with these results.
    ///
    /// # Errors
    /// No such work, or a fault in what follows.
    pub fn complete(
        &self,
        host: &dyn Host,
        work: Number,
        results: &Variables,
        now: i64,
        gas: u64,
    ) -> Result<(Self, Report), Fault> {
        self.running()?;
        let mut run = Run::new(host, self.clone(), now, gas)?;
        run.work_done(work, results)?;
        run.finish()
    }

    /// The work ends in an error, which an event at its edge or around it may catch.
    ///
    /// # Errors
    /// No such work, or a fault in what follows.
    pub fn fail(
        &self,
        host: &dyn Host,
        work: Number,
        error: &str,
        results: &Variables,
        now: i64,
        gas: u64,
    ) -> Result<(Self, Report), Fault> {
        self.running()?;
        let mut run = Run::new(host, self.clone(), now, gas)?;
        run.work_failed(work, error, results)?;
        run.finish()
    }

    /// Delivers a message to the first that waits for it.
    ///
    /// # Errors
    /// Nobody waits, or a fault in what follows.
    pub fn deliver(
        &self,
        host: &dyn Host,
        message: &str,
        content: &Variables,
        now: i64,
        gas: u64,
    ) -> Result<(Self, Report), Fault> {
        self.running()?;
        let mut run = Run::new(host, self.clone(), now, gas)?;
        run.message(message, content)?;
        run.finish()
    }

    /// Fires the timers that are due: all, or as many as half of the gas reaches for, and one at least. What is due then fires with
    /// another tick.
    ///
    /// # Errors
    /// A fault in what follows.
    pub fn tick(&self, host: &dyn Host, now: i64, gas: u64) -> Result<(Self, Report), Fault> {
        self.running()?;
        let mut run = Run::new(host, self.clone(), now, gas)?;
        run.fire_due()?;
        run.finish()
    }

    /// Lets the timers that stood still with the case's clock run again: they fire later by what they missed since `since`, working
    /// days or time.
    ///
    /// # Errors
    /// A time that cannot be reckoned, or out of gas.
    pub fn resume(&mut self, host: &dyn Host, since: i64, now: i64, gas: u64) -> Result<(), Fault> {
        let mut gas = Gas::new(gas);
        let mut stood = None;
        for active in self.active.values_mut().filter(|active| !active.timers.is_empty()) {
            let process = self.procedures.get(usize::from(active.procedure)).and_then(|key| host.process(key));
            let process = process.ok_or(Fault::NoProcedure)?;
            for due in &mut active.timers {
                let Some(node) = process.node(due.node).filter(|node| node.follows_clock()) else { continue };
                due.at = if node.in_working_days() {
                    let days = match stood {
                        Some(days) => days,
                        None => *stood.insert(host.working_days_between(since, now).ok_or(Fault::Timer)?),
                    };
                    gas.charge(u64::from(days) + 1)?;
                    due.reckon(host, days)?;
                    due.at
                } else {
                    gas.charge(1)?;
                    due.at.checked_add(now.saturating_sub(since)).ok_or(Fault::Timer)?
                };
            }
        }
        Ok(())
    }

    fn running(&self) -> Result<(), Fault> {
        if self.status == Status::Running { Ok(()) } else { Err(Fault::Ended) }
    }

    /// How it stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Keys of the procedures it runs, its own first.
    pub fn procedures(&self) -> &[String] {
        &self.procedures
    }

    /// The variables of the procedure itself.
    pub fn variables(&self) -> &Variables {
        self.active.get(&1).map_or(&self.result, |root| &root.variables)
    }

    /// Reckons the timers again whose ends lay beyond the calendar; whether one of them changed. What cannot be reckoned stays as it
    /// is.
    pub fn settle(&mut self, host: &dyn Host) -> bool {
        let mut changed = false;
        for due in self.active.values_mut().flat_map(|active| &mut active.timers).filter(|due| due.open > 0) {
            let before = due.open;
            changed |= due.reckon(host, 0).is_ok() && due.open != before;
        }
        changed
    }

    /// The earliest time at which something fires, if the case's clock runs.
    pub fn next_due(&self) -> Option<i64> {
        self.active.values().flat_map(|active| &active.timers).filter(|due| due.open == 0).map(|due| due.at).min()
    }

    /// Timers that run or stand still: the event and when it fires, if the case's clock runs; the earliest first. One whose end lies
    /// beyond the calendar is not among them.
    pub fn timers(&self, host: &dyn Host) -> Vec<(String, i64)> {
        let mut timers = Vec::new();
        for active in self.active.values() {
            let process = self.procedures.get(usize::from(active.procedure)).and_then(|key| host.process(key));
            let named = |due: &Due| Some((process.as_ref()?.node(due.node)?.id.clone(), due.at));
            timers.extend(active.timers.iter().filter(|due| due.open == 0).filter_map(named));
        }
        timers.sort_by_key(|(_, at)| *at);
        timers
    }

    /// Whether something fires by a point in time. What stands still does not.
    pub fn is_due(&self, host: &dyn Host, now: i64) -> bool {
        self.earliest(host).is_some_and(|(at, ..)| at <= now)
    }

    /// The timer that fires first of those that do not stand still: when, of what, and its place there.
    pub(crate) fn earliest(&self, host: &dyn Host) -> Option<(i64, Number, usize)> {
        let paused = host.paused_since().is_some();
        let stands = |active: &Active, due: &Due| {
            let process = self.procedures.get(usize::from(active.procedure)).and_then(|key| host.process(key));
            process.and_then(|process| process.node(due.node).map(|node| node.follows_clock())).unwrap_or_default()
        };
        let all = self.active.iter().flat_map(|(number, active)| {
            active.timers.iter().enumerate().map(move |(place, due)| (*number, place, active, due))
        });
        let run = all.filter(|(_, _, active, due)| due.open == 0 && (!paused || !stands(active, due)));
        run.map(|(number, place, _, due)| (due.at, number, place)).min()
    }

    /// Whether an event at the edge of a work, or around it, catches an error of that work.
    pub fn catches(&self, host: &dyn Host, work: Number, code: &str) -> bool {
        let mut at = work;
        while let Some(active) = self.active.get(&at) {
            let process = self.procedures.get(usize::from(active.procedure)).and_then(|key| host.process(key));
            // Rounds have no edge of their own.
            let edge = active.node.filter(|_| active.round.is_none());
            if process.is_some_and(|process| edge.is_some_and(|node| process.catcher(node, code).is_some())) {
                return true;
            }
            at = active.parent;
        }
        false
    }

    /// Work that waits, by number.
    pub fn work(&self, host: &dyn Host) -> Vec<Work> {
        self.active.keys().filter_map(|number| self.work_at(host, *number)).collect()
    }

    /// The work of a number, if it waits.
    pub fn work_at(&self, host: &dyn Host, number: Number) -> Option<Work> {
        self.waiting(host, number, |active, key, node| Work {
            number,
            procedure: key.to_owned(),
            element: node.id.clone(),
            name: node.name.clone(),
            groups: active.groups.clone(),
            job: job(node).map(str::to_owned),
            by_person: matches!(node.kind, Kind::Person(_)),
            form: match &node.kind {
                Kind::Person(Assignment { form, .. }) => form.clone(),
                _ => None,
            },
            headers: node.headers.clone(),
            result_variable: node.result_variable().map(str::to_owned),
            properties: node.properties.clone(),
            variables: active.variables.clone(),
            due: active.timers.iter().filter(|due| due.open == 0).map(|due| due.at).min(),
        })
    }

    /// Numbers of what is active, in order: work that waits and what surrounds it.
    pub fn numbers(&self) -> impl Iterator<Item = Number> {
        self.active.keys().copied()
    }

    /// Looks at the work of a number, if it waits, without a copy of it.
    pub fn glance<T>(&self, host: &dyn Host, number: Number, look: impl FnOnce(Glance<'_>) -> T) -> Option<T> {
        self.waiting(host, number, |active, key, node| {
            look(Glance { procedure: key, groups: &active.groups, job: job(node) })
        })
    }

    fn waiting<T>(&self, host: &dyn Host, number: Number, look: impl FnOnce(&Active, &str, &Node) -> T) -> Option<T> {
        let active = self.active.get(&number).filter(|active| active.rounds.is_none())?;
        let key = self.procedures.get(usize::from(active.procedure))?;
        let process = host.process(key)?;
        let node = process.node(active.node?)?;
        let waits = matches!(node.kind, Kind::Person(_) | Kind::Service { .. } | Kind::Call { procedure: None });
        waits.then(|| look(active, key, node))
    }

    /// Messages that something waits for, in the order in which they would be delivered.
    pub fn awaited(&self, host: &dyn Host) -> Vec<String> {
        let mut names = Vec::new();
        for active in self.active.values() {
            let Some(process) = self.procedures.get(usize::from(active.procedure)).and_then(|key| host.process(key)) else {
                continue;
            };
            names.extend(crate::step::awaited(&process, active).into_iter().map(|(name, _)| name));
        }
        names
    }
}

impl Active {
    pub(crate) fn inside(parent: Number, procedure: u16, node: Option<NodeId>) -> Self {
        Self {
            parent,
            procedure,
            node,
            variables: Variables::default(),
            timers: Vec::new(),
            arrived: BTreeMap::new(),
            rounds: None,
            groups: Vec::new(),
            round: None,
        }
    }
}
