//! What is checked before a procedure may be deployed: everything that could stop a case for ever, or leave it without anybody
//! responsible, without data, or with a decision that cannot be made.

mod states;

use crate::expression::{Expression, Language};
use crate::model::{Kind, Node, Process, Timer, Trigger};
use crate::refusal::{Reason, Refusal};
use crate::time;
use crate::value::NAME_MAX;
use std::collections::BTreeMap;
use zhulian_rules::types::Type;
use zhulian_rules::{Profile, Refusal as RuleRefusal, Value, Variables};

/// Where the data of a material may come from: property `material:NAME` is one of these words, or `word:which`.
pub const SOURCES: [&str; 6] = ["applicant", "licence", "catalogue", "exchange", "evidence", "case"];

/// The types of declared variables: property `variable:NAME` of the process is one of these words. A `commitment` is a salted
/// digest of a private fact, 64 hexadecimal digits.
pub const TYPES: [&str; 12] = [
    "number",
    "string",
    "boolean",
    "date",
    "time",
    "date and time",
    "days and time duration",
    "years and months duration",
    "list",
    "context",
    "any",
    "commitment",
];

/// What exploring a procedure found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// States that the procedure can be in.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
}

/// Checks a process for deployment.
///
/// # Errors
/// Everything that is wrong, by element and with a remedy.
pub fn check(process: &Process) -> Result<Explored, Vec<Refusal>> {
    let mut refusals = process.defects.clone();
    let variables = variables(process, &mut refusals);
    // Read once, for all expressions.
    let names: Vec<(&str, Type)> = variables.iter().map(|(name, ty)| (name.as_str(), ty.clone())).collect();
    let variables = Variables::new(&names);
    let startable = starts(process, &mut refusals);
    for (name, source) in process.materials() {
        let kind = source.split(':').next().unwrap_or_default();
        if !SOURCES.contains(&kind) {
            let detail = if source.is_empty() { name.to_owned() } else { format!("{name}: {source}") };
            refusals.push(Refusal::of(&process.id, &process.name, Reason::NoSource, detail));
        }
    }
    for node in &process.nodes {
        Element { process, node, variables: &variables, refusals: &mut refusals }.check();
    }
    // Where nothing says what begins, everything that no flow leads to would, in all combinations.
    if !startable {
        return Err(refusals);
    }
    match states::explore(process) {
        Ok(explored) if refusals.is_empty() => Ok(explored),
        Ok(_) => Err(refusals),
        Err(found) => {
            refusals.extend(found);
            Err(refusals)
        }
    }
}

/// Names of variables that no case can keep. Apart from [`check`], so that procedures which were deployed before this was looked for
/// stay deployed.
///
/// # Errors
/// Each, by element.
pub fn names(process: &Process) -> Result<(), Vec<Refusal>> {
    let bad = |name: &str| name.is_empty() || name.len() > NAME_MAX;
    let mut refusals: Vec<Refusal> = process
        .variables()
        .filter(|(name, _)| bad(name))
        .map(|(name, _)| Refusal::of(&process.id, &process.name, Reason::VariableName, name))
        .collect();
    for node in &process.nodes {
        for name in targets(node).into_iter().filter(|name| bad(name)) {
            refusals.push(Refusal::of(&node.id, &node.name, Reason::VariableName, name));
        }
    }
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

/// Variables that an element sets.
fn targets(node: &Node) -> Vec<&str> {
    let mappings = node.inputs.iter().chain(&node.outputs);
    let mut names: Vec<&str> = mappings.map(|mapping| mapping.target.split('.').next().unwrap_or_default()).collect();
    if let Kind::Decision { result, .. } = &node.kind {
        names.push(result);
    }
    names.extend(node.result_variable());
    if let Some(repeat) = &node.repeat {
        names.extend(repeat.element.as_deref().into_iter().chain(repeat.results.as_deref()));
    }
    names
}

/// The variables that expressions may name, with their types.
fn variables(process: &Process, refusals: &mut Vec<Refusal>) -> BTreeMap<String, Type> {
    let mut known = BTreeMap::from([("loopCounter".to_owned(), Type::Number)]);
    for (name, ty) in process.variables() {
        if !TYPES.contains(&ty) || name.is_empty() {
            let detail = format!("variable:{name}: {ty}");
            refusals.push(Refusal::of(&process.id, &process.name, Reason::Expression, detail));
        }
        known
            .insert(name.to_owned(), if ty == "commitment" { Type::String } else { Type::builtin(ty).unwrap_or(Type::Any) });
    }
    for node in &process.nodes {
        for name in targets(node) {
            known.entry(name.to_owned()).or_insert(Type::Any);
        }
    }
    known
}

/// Refuses what does not begin in one way; whether there was nothing to refuse.
fn starts(process: &Process, refusals: &mut Vec<Refusal>) -> bool {
    let before = refusals.len();
    let count = |scope| {
        let inside = process.nodes.iter().filter(|node| node.scope == scope);
        let triggers = inside.filter_map(|node| if let Kind::Start(trigger) = &node.kind { Some(trigger) } else { None });
        triggers.fold((0, 0), |(none, other), trigger| match trigger {
            Trigger::None => (none + 1, other),
            _ => (none, other + 1),
        })
    };
    match count(None) {
        (1, _) => {}
        (0, other) if other > 0 => {}
        (none, _) => {
            let detail = format!("{none} start events without a trigger");
            refusals.push(Refusal::of(&process.id, &process.name, Reason::Start, detail));
        }
    }
    for (id, node) in process.numbered().filter(|(_, node)| matches!(node.kind, Kind::SubProcess)) {
        let (none, other) = count(Some(id));
        if none != 1 || other != 0 {
            let detail = format!("{none} start events without a trigger, {other} with one");
            refusals.push(Refusal::of(&node.id, &node.name, Reason::Start, detail));
        }
    }
    refusals.len() == before
}

/// The checks of one element.
struct Element<'a> {
    process: &'a Process,
    node: &'a Node,
    variables: &'a Result<Variables, Vec<RuleRefusal>>,
    refusals: &'a mut Vec<Refusal>,
}

impl Element<'_> {
    fn refuse(&mut self, reason: Reason, detail: impl Into<String>) {
        self.refusals.push(Refusal::of(&self.node.id, &self.node.name, reason, detail));
    }

    fn check(&mut self) {
        let node = self.node;
        for mapping in node.inputs.iter().chain(&node.outputs) {
            self.expression(&mapping.source);
        }
        self.flows();
        match &node.kind {
            Kind::Person(assignment) => {
                let holders = [&assignment.groups, &assignment.assignee];
                let named =
                    |e: &Expression| e.language == Language::Feel || e.text.split(',').any(|group| !group.trim().is_empty());
                if !holders.into_iter().flatten().any(named) {
                    self.refuse(Reason::NoDutyHolder, "candidateGroups");
                }
                holders.into_iter().flatten().for_each(|expression| self.expression(expression));
            }
            Kind::Service { job } if job.is_empty() => self.refuse(Reason::NothingCalled, "taskDefinition"),
            Kind::Call { procedure: None } => self.refuse(Reason::NothingCalled, "calledElement"),
            Kind::Start(trigger) | Kind::Catch(trigger) | Kind::Boundary { trigger, .. } => {
                if let Trigger::Timer(timer) = trigger {
                    self.timer(timer);
                }
            }
            _ => {}
        }
        if let Kind::Boundary { interrupting: false, trigger: Trigger::Error(_), .. } = node.kind {
            self.refuse(Reason::Misplaced, "an error ends what it leaves");
        }
        if let Some(repeat) = &node.repeat {
            if repeat.collection.is_none() && repeat.cardinality.is_none() {
                self.refuse(Reason::Loop, "inputCollection");
            }
            for expression in [&repeat.collection, &repeat.cardinality, &repeat.result, &repeat.until].into_iter().flatten()
            {
                self.expression(expression);
            }
        }
    }

    fn flows(&mut self) {
        let node = self.node;
        let choice = matches!(node.kind, Kind::Exclusive) && node.outgoing.len() > 1;
        for id in &node.outgoing {
            let Some(flow) = self.process.flow(*id) else { continue };
            let default = node.default == Some(*id);
            match &flow.condition {
                Some(condition) if !default => {
                    if let Err((reason, detail)) = self.compiles(condition) {
                        self.refusals.push(Refusal::of(&flow.id, &flow.name, reason, detail));
                    }
                }
                None if choice && !default => {
                    self.refusals.push(Refusal::of(&flow.id, &flow.name, Reason::NoCondition, node.id.clone()));
                }
                _ => {}
            }
        }
    }

    fn expression(&mut self, expression: &Expression) {
        if let Err((reason, detail)) = self.compiles(expression) {
            self.refuse(reason, detail);
        }
    }

    fn compiles(&self, expression: &Expression) -> Result<(), (Reason, String)> {
        match expression.language {
            Language::Literal => Ok(()),
            Language::Foreign => Err((Reason::ForeignExpression, expression.text.clone())),
            Language::Feel => {
                let checked = match self.variables {
                    Ok(variables) => variables.check(&expression.text, Profile::Strict),
                    Err(refusals) => Err(refusals.clone()),
                };
                match checked {
                    Ok(()) => Ok(()),
                    Err(refusals) => {
                        let why = refusals.first().map(|refusal| refusal.detail.clone()).unwrap_or_default();
                        Err((Reason::Expression, why))
                    }
                }
            }
        }
    }

    fn timer(&mut self, timer: &Timer) {
        let words: [(&str, &[&str]); 2] = [("unit", &["workday"]), ("clock", &["case", "own"])];
        for (property, known) in words {
            if let Some(word) = self.node.properties.get(property).filter(|word| !known.contains(&word.as_str())) {
                self.refuse(Reason::Timer, format!("{property}: {word}"));
            }
        }
        let (expression, readable) = match timer {
            Timer::Date(date) => (date, time::point(&Value::text(&date.text)).is_some()),
            Timer::Duration(length) => (length, time::read_length(&length.text).is_some()),
            Timer::Cycle(_, every) => (every, time::read_length(&every.text).is_some()),
        };
        if expression.language == Language::Literal && !readable {
            self.refuse(Reason::Timer, expression.text.clone());
        }
        // A cycle fires again while what it belongs to goes on.
        let again = matches!(timer, Timer::Cycle(2.., _));
        if again && !matches!(self.node.kind, Kind::Boundary { interrupting: false, .. }) {
            self.refuse(Reason::Timer, "a cycle needs an event that does not interrupt");
        }
        self.expression(expression);
    }
}
