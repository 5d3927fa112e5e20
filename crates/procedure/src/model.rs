//! The compiled form of a BPMN file: elements are indices, names are resolved, pictures are gone.

use crate::expression::Expression;
use crate::refusal::Refusal;
use std::collections::BTreeMap;

/// Index of a node of a process.
pub type NodeId = u16;
/// Index of a sequence flow of a process.
pub type FlowId = u16;

/// Most nodes and most flows of one process.
pub const ELEMENTS_MAX: usize = 2_000;
/// Deepest nesting of sub-processes.
pub const NESTING_MAX: usize = 8;
/// Most rounds of a repetition, whatever the file says.
pub const LOOP_MAX: u32 = 1_000;
/// Most rounds of a repetition that says nothing.
pub const LOOP_DEFAULT: u32 = 100;

/// The processes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definitions {
    /// Processes that have nodes, in the order of the file.
    pub processes: Vec<Process>,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `zeebe:versionTag`.
    pub version_tag: Option<String>,
    /// `zeebe:properties` of the process: `variable:NAME` = type, `material:NAME` = source.
    pub properties: BTreeMap<String, String>,
    /// Its nodes, those of sub-processes included, in the order of the file.
    pub nodes: Vec<Node>,
    /// Its sequence flows in the order of the file.
    pub flows: Vec<Flow>,
    /// Flows that lead from or to nothing. They are left out of `flows`, and the process may not be deployed.
    pub defects: Vec<Refusal>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its identifier.
    pub id: String,
    /// Its name, as drawn.
    pub name: String,
    /// The sub-process it stands in; `None` in the process itself.
    pub scope: Option<NodeId>,
    /// What it does.
    pub kind: Kind,
    /// Flows into it.
    pub incoming: Vec<FlowId>,
    /// Flows out of it, in the order of the file.
    pub outgoing: Vec<FlowId>,
    /// The flow taken when no condition holds.
    pub default: Option<FlowId>,
    /// Boundary events attached to it.
    pub boundaries: Vec<NodeId>,
    /// `zeebe:input`: local variables from expressions.
    pub inputs: Vec<Mapping>,
    /// `zeebe:output`: variables outside from expressions.
    pub outputs: Vec<Mapping>,
    /// `zeebe:properties`.
    pub properties: BTreeMap<String, String>,
    /// `zeebe:taskHeaders`.
    pub headers: BTreeMap<String, String>,
    /// The activity is done for each item of a list.
    pub repeat: Option<Repeat>,
}

/// `target` becomes the value of `source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The value.
    pub source: Expression,
    /// The variable, or `variable.member.member`.
    pub target: String,
}

/// A sequence flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its identifier.
    pub id: String,
    /// Its name, as drawn.
    pub name: String,
    /// Where it comes from.
    pub from: NodeId,
    /// Where it goes.
    pub to: NodeId,
    /// When it is taken.
    pub condition: Option<Expression>,
}

/// What a node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Where a process or sub-process starts.
    Start(Trigger),
    /// Where it ends.
    End(End),
    /// A task without a kind: passed through.
    Task,
    /// Work of a person within the system, `userTask`, or outside of it and confirmed by that person, `manualTask`.
    Person(Assignment),
    /// Work of a system: `serviceTask`, or `businessRuleTask` and `sendTask` that name a job.
    Service {
        /// `zeebe:taskDefinition` type; empty when there is none.
        job: String,
    },
    /// A decision by rules.
    Decision {
        /// Identifier or name of the decision.
        decision: String,
        /// The variable of the result.
        result: String,
    },
    /// Sends a message and goes on: `sendTask` without a job, intermediate throw event.
    Send {
        /// The message; empty for a throw event without one.
        message: String,
    },
    /// Waits for a message: `receiveTask`.
    Receive {
        /// The message.
        message: String,
    },
    /// Exactly one way.
    Exclusive,
    /// All ways; waits for all.
    Parallel,
    /// The way of the event that happens first.
    EventBased,
    /// Waits for an event.
    Catch(Trigger),
    /// An event at the edge of an activity.
    Boundary {
        /// The activity.
        host: NodeId,
        /// Whether it ends the activity.
        interrupting: bool,
        /// The event.
        trigger: Trigger,
    },
    /// A process inside of the process.
    SubProcess,
    /// Another procedure.
    Call {
        /// Its identifier, when the file says so.
        procedure: Option<String>,
    },
}

/// What starts or continues something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Nothing in particular.
    None,
    /// A message of that name.
    Message(String),
    /// A time.
    Timer(Timer),
    /// An error with that code, or any.
    Error(Option<String>),
}

/// A time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// After a duration.
    Duration(Expression),
    /// At a date and time.
    Date(Expression),
    /// So many times, each after a duration.
    Cycle(u16, Expression),
}

/// How a process ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// This way is at its end.
    None,
    /// A message is sent; this way is at its end.
    Message(String),
    /// An error ends the process, unless an event around it catches it.
    Error(String),
    /// All ways of the process or sub-process are at their end.
    Terminate,
}

/// Whose work it is, `zeebe:assignmentDefinition`, and its form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// Organisations or roles, separated by commas.
    pub groups: Option<Expression>,
    /// A certain member.
    pub assignee: Option<Expression>,
    /// `zeebe:formDefinition`.
    pub form: Option<String>,
    /// Done outside of the system.
    pub manual: bool,
}

/// A repetition: multi-instance with `zeebe:loopCharacteristics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// One after another.
    pub sequential: bool,
    /// The list.
    pub collection: Option<Expression>,
    /// A number of rounds instead of a list.
    pub cardinality: Option<Expression>,
    /// The variable of the item.
    pub element: Option<String>,
    /// The variable of the results.
    pub results: Option<String>,
    /// The result of one round.
    pub result: Option<Expression>,
    /// Ends the repetition early.
    pub until: Option<Expression>,
    /// Most rounds.
    pub max: u32,
}

impl Definitions {
    /// Reads a BPMN 2.0 file.
    ///
    /// # Errors
    /// What is refused, by element and with a remedy.
    pub fn parse(source: &str) -> Result<Self, Vec<Refusal>> {
        crate::parse::definitions(source)
    }

    /// The process of an identifier.
    pub fn process(&self, id: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.id == id)
    }
}

impl Process {
    /// The node of an index of this process.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::from(id))
    }

    /// The flow of an index of this process.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(usize::from(id))
    }

    /// The index of a node by its identifier in the file.
    pub fn find(&self, id: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.id == id).and_then(|at| u16::try_from(at).ok())
    }

    /// Nodes with their indices.
    pub fn numbered(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0..).zip(&self.nodes)
    }

    /// Flows with their indices.
    pub fn numbered_flows(&self) -> impl Iterator<Item = (FlowId, &Flow)> {
        (0..).zip(&self.flows)
    }

    /// Where a scope starts: its start events, or, where there are none, what no flow leads to.
    pub fn starts(&self, scope: Option<NodeId>) -> Vec<NodeId> {
        let inside = || self.numbered().filter(|(_, node)| node.scope == scope);
        let events: Vec<NodeId> = inside().filter(|(_, n)| matches!(n.kind, Kind::Start(_))).map(|(id, _)| id).collect();
        if !events.is_empty() {
            return events;
        }
        let free = |node: &Node| node.incoming.is_empty() && !matches!(node.kind, Kind::Boundary { .. });
        inside().filter(|(_, node)| free(node)).map(|(id, _)| id).collect()
    }

    /// The event at the edge of a node that catches an error: the one for this code, or else the one for any.
    pub fn catcher(&self, node: NodeId, code: &str) -> Option<NodeId> {
        let catches = |event: &NodeId, exact: bool| match self.node(*event).map(|event| &event.kind) {
            Some(Kind::Boundary { trigger: Trigger::Error(Some(wanted)), .. }) => exact && wanted == code,
            Some(Kind::Boundary { trigger: Trigger::Error(None), .. }) => !exact,
            _ => false,
        };
        let edge = &self.node(node)?.boundaries;
        let of = |exact| edge.iter().copied().find(|event| catches(event, exact));
        of(true).or_else(|| of(false))
    }

    /// Declared variables and their types: properties `variable:NAME` of the process.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.properties.iter().filter_map(|(key, ty)| Some((key.strip_prefix("variable:")?, ty.as_str())))
    }

    /// Required materials and their sources: properties `material:NAME` of the process and of its nodes.
    pub fn materials(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = std::iter::once(&self.properties).chain(self.nodes.iter().map(|node| &node.properties));
        all.flatten().filter_map(|(key, source)| Some((key.strip_prefix("material:")?, source.as_str())))
    }
}

impl Node {
    /// Its timer, if it is an event that waits for a time.
    pub fn timer(&self) -> Option<&Timer> {
        match &self.kind {
            Kind::Start(Trigger::Timer(timer))
            | Kind::Catch(Trigger::Timer(timer))
            | Kind::Boundary { trigger: Trigger::Timer(timer), .. } => Some(timer),
            _ => None,
        }
    }

    /// Whether the days of its timer are working days: property `unit` = `workday`.
    pub fn in_working_days(&self) -> bool {
        self.properties.get("unit").is_some_and(|unit| unit == "workday")
    }

    /// Whether its timer stands still while the case's clock does: property `clock` = `case`, or `own`. Where nothing is said,
    /// working days do and other lengths do not: they are periods in their own right, such as a public notice. A date never does.
    pub fn follows_clock(&self) -> bool {
        let length = matches!(self.timer(), Some(Timer::Duration(_) | Timer::Cycle(..)));
        length && self.properties.get("clock").map_or(self.in_working_days(), |clock| clock == "case")
    }

    /// The variable that takes the outcome of a job: task header `resultVariable`.
    pub fn result_variable(&self) -> Option<&str> {
        self.headers.get("resultVariable").map(|name| name.trim()).filter(|name| !name.is_empty())
    }

    /// Materials without which it is not passed: properties `material:NAME`.
    pub fn materials(&self) -> impl Iterator<Item = (&str, &str)> {
        self.properties.iter().filter_map(|(key, source)| Some((key.strip_prefix("material:")?, source.as_str())))
    }

    /// Whether it is an activity: something that boundary events, mappings and repetitions can belong to.
    pub fn is_activity(&self) -> bool {
        matches!(
            self.kind,
            Kind::Task
                | Kind::Person(_)
                | Kind::Service { .. }
                | Kind::Decision { .. }
                | Kind::Send { .. }
                | Kind::Receive { .. }
                | Kind::SubProcess
                | Kind::Call { .. }
        )
    }
}
