//! Small files and a runner that tells what happened in a line.

use std::collections::BTreeMap;
use std::sync::Arc;
use zhulian_procedure::instance::{Decided, Trace, What};
use zhulian_procedure::{Definitions, Fault, Host, Instance, Process, Refusal, Report, Status, Variables};
use zhulian_rules::{Name, Value, gas::Gas};

pub const GAS: u64 = 1_000_000;
pub const NOON: i64 = 1_767_240_000_000;

pub const NAMESPACES: &str = r#"xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#;

/// A file around elements of `definitions`.
pub fn definitions(inner: &str) -> String {
    format!(r#"<definitions {NAMESPACES} id="defs" targetNamespace="urn:test">{inner}</definitions>"#)
}

/// A file of one process, `p`.
pub fn file(inner: &str) -> String {
    definitions(&format!(r#"<process id="p" name="Test" isExecutable="true">{inner}</process>"#))
}

pub fn extension(inner: &str) -> String {
    format!("<extensionElements>{inner}</extensionElements>")
}

/// An element without content.
pub fn one(word: &str, id: &str) -> String {
    format!(r#"<{word} id="{id}" name="{id}"/>"#)
}

/// An element with content.
pub fn with(word: &str, id: &str, inner: &str) -> String {
    format!(r#"<{word} id="{id}" name="{id}">{inner}</{word}>"#)
}

/// User tasks of group `office`.
pub fn users(ids: &str) -> String {
    let assignment = extension(r#"<zeebe:assignmentDefinition candidateGroups="office"/>"#);
    ids.split_whitespace().map(|id| with("userTask", id, &assignment)).collect()
}

/// Flows `a>b c>d`.
pub fn flows(pairs: &str) -> String {
    let flow = |pair: &str| {
        let (from, to) = pair.split_once('>').expect("from>to");
        format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#)
    };
    pairs.split_whitespace().map(flow).collect()
}

/// A flow with a condition.
pub fn flow_if(from: &str, to: &str, condition: &str) -> String {
    let condition = condition.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"><conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression></sequenceFlow>"#
    )
}

pub fn boundary(id: &str, host: &str, interrupting: bool, event: &str) -> String {
    format!(r#"<boundaryEvent id="{id}" attachedToRef="{host}" cancelActivity="{interrupting}">{event}</boundaryEvent>"#)
}

pub fn duration(text: &str) -> String {
    format!("<timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition>")
}

pub fn parse(source: &str) -> Definitions {
    Definitions::parse(source).unwrap_or_else(|refusals| panic!("{refusals:#?}"))
}

pub fn refusals(source: &str) -> Vec<Refusal> {
    Definitions::parse(source).err().unwrap_or_default()
}

/// The world of a test: processes of a file, decisions from a table.
#[derive(Default)]
pub struct World {
    pub processes: BTreeMap<String, Arc<Process>>,
    pub decisions: BTreeMap<String, Value>,
}

impl World {
    pub fn of(source: &str) -> Self {
        let processes = parse(source).processes.into_iter().map(|process| (process.id.clone(), Arc::new(process)));
        Self { processes: processes.collect(), decisions: BTreeMap::new() }
    }
}

impl Host for World {
    fn current(&self, procedure: &str) -> Option<(String, Arc<Process>)> {
        Some((procedure.to_owned(), self.processes.get(procedure)?.clone()))
    }

    fn process(&self, key: &str) -> Option<Arc<Process>> {
        self.processes.get(key).cloned()
    }

    fn decide(&self, decision: &str, _: &[(Name, Value)], gas: &mut Gas) -> Result<Decided, Fault> {
        gas.charge(10)?;
        let value = self.decisions.get(decision).cloned().ok_or(Fault::NoDecision)?;
        Ok(Decided { value, version: format!("{decision}@1"), hits: vec!["0.1".into()] })
    }

    /// In this world only even days are working days.
    fn working_days_after(&self, from: i64, days: u32) -> Option<(i64, u32)> {
        Some((from + i64::from(days) * 2 * 86_400_000, 0))
    }
}

/// A case in play.
pub struct Case {
    pub world: World,
    pub instance: Instance,
    pub last: Report,
    pub now: i64,
}

pub fn numbers<const N: usize>(entries: [(&str, i64); N]) -> Variables {
    Variables::of(entries.map(|(name, n)| (name, Value::Number(n.into()))))
}

impl Case {
    pub fn new(source: &str) -> Self {
        Self::with(World::of(source), &Variables::default())
    }

    pub fn with(world: World, variables: &Variables) -> Self {
        Self::try_with(world, "p", None, variables).expect("the case starts")
    }

    pub fn try_with(world: World, id: &str, message: Option<&str>, variables: &Variables) -> Result<Self, Fault> {
        let (instance, last) = Instance::start(&world, id, message, variables, NOON, GAS)?;
        Ok(Self { world, instance, last, now: NOON })
    }

    fn number(&self, element: &str) -> u32 {
        let work = self.instance.work(&self.world);
        work.iter().find(|work| work.element == element).unwrap_or_else(|| panic!("no work {element}: {work:?}")).number
    }

    fn take(&mut self, step: Result<(Instance, Report), Fault>) -> &mut Self {
        let (instance, report) = step.expect("the step is taken");
        self.instance = instance;
        self.last = report;
        self
    }

    /// What waits as work, by element.
    pub fn work(&self) -> String {
        self.instance.work(&self.world).iter().map(|work| work.element.clone()).collect::<Vec<_>>().join(" ")
    }

    pub fn done(&mut self, element: &str) -> &mut Self {
        self.done_with(element, &Variables::default())
    }

    pub fn done_with(&mut self, element: &str, results: &Variables) -> &mut Self {
        let step = self.try_done(element, results);
        self.take(step)
    }

    pub fn try_done(&self, element: &str, results: &Variables) -> Result<(Instance, Report), Fault> {
        self.instance.complete(&self.world, self.number(element), results, self.now, GAS)
    }

    pub fn fail(&mut self, element: &str, error: &str) -> &mut Self {
        let number = self.number(element);
        let step = self.instance.fail(&self.world, number, error, &Variables::default(), self.now, GAS);
        self.take(step)
    }

    pub fn message(&mut self, name: &str) -> &mut Self {
        let step = self.try_message(name, &Variables::default());
        self.take(step)
    }

    pub fn try_message(&self, name: &str, content: &Variables) -> Result<(Instance, Report), Fault> {
        self.instance.deliver(&self.world, name, content, self.now, GAS)
    }

    /// Lets hours pass.
    pub fn hours(&mut self, hours: i64) -> &mut Self {
        self.now += hours * 3_600_000;
        let step = self.instance.tick(&self.world, self.now, GAS);
        self.take(step)
    }

    /// The last step: `a` passed, `+a` begun, `-a` done, `xa` ended from outside, `!a` failed.
    pub fn trace(&self) -> String {
        line(&self.last.trace)
    }

    pub fn is_over(&self) -> bool {
        *self.instance.status() == Status::Completed
    }

    pub fn variable(&self, name: &str) -> String {
        let value = self.instance.variables().get(name).cloned().unwrap_or_default();
        value.to_feel(&mut Gas::new(10_000)).expect("a short value")
    }
}

pub fn line(trace: &[Trace]) -> String {
    let word = |trace: &Trace| {
        let mark = match (trace.what, trace.number) {
            (What::Entered, 0) => "",
            (What::Entered, _) => "+",
            (What::Completed, _) => "-",
            (What::Cancelled, _) => "x",
            (What::Failed, _) => "!",
        };
        format!("{mark}{}", trace.element)
    };
    trace.iter().map(word).collect::<Vec<_>>().join(" ")
}
