//! What each element of BPMN becomes.

use super::zeebe::Extension;
use super::{Reader, attribute, child, children, local, text};
use crate::expression::Expression;
use crate::model::{End, Kind, LOOP_DEFAULT, LOOP_MAX, Node, NodeId, Repeat, Timer, Trigger};
use crate::refusal::Reason;
use roxmltree::Node as Xml;
use std::collections::BTreeMap;

/// What the file says outside of processes.
pub(crate) struct Context {
    /// Names of messages by identifier.
    messages: BTreeMap<String, String>,
    /// Codes of errors by identifier.
    errors: BTreeMap<String, String>,
    /// Whether expressions are FEEL where nothing else is said.
    feel: bool,
}

fn is_feel(language: &str) -> bool {
    language.to_ascii_lowercase().contains("feel")
}

impl Context {
    pub(crate) fn of(root: &Xml<'_, '_>) -> Self {
        let (mut messages, mut errors) = (BTreeMap::new(), BTreeMap::new());
        for item in children(root) {
            let Some(id) = attribute(&item, "id") else { continue };
            match item.tag_name().name() {
                "message" => messages.insert(id.clone(), attribute(&item, "name").unwrap_or(id)),
                "error" => {
                    let code = attribute(&item, "errorCode").or_else(|| attribute(&item, "name"));
                    errors.insert(id.clone(), code.unwrap_or(id))
                }
                _ => None,
            };
        }
        let feel = attribute(root, "expressionLanguage").is_some_and(|language| is_feel(&language));
        Self { messages, errors, feel }
    }

    /// The condition of a flow.
    pub(crate) fn condition(&self, flow: &Xml<'_, '_>) -> Option<Expression> {
        let condition = child(flow, "conditionExpression")?;
        let feel = attribute(&condition, "language").map_or(self.feel, |language| is_feel(&language));
        let written = text(&condition);
        // An empty condition is none, as several editors write it.
        (!written.is_empty()).then(|| Expression::condition(&written, feel))
    }
}

/// A node that nothing is known about yet but its kind.
pub(crate) fn blank(id: String, name: String, scope: Option<NodeId>, kind: Kind) -> Node {
    Node {
        id,
        name,
        scope,
        kind,
        incoming: Vec::new(),
        outgoing: Vec::new(),
        default: None,
        boundaries: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        properties: BTreeMap::new(),
        headers: BTreeMap::new(),
        repeat: None,
    }
}

/// Elements inside of a process that say nothing about its execution.
pub(crate) fn is_ignored(word: &str) -> bool {
    matches!(
        word,
        "laneSet"
            | "dataObject"
            | "dataObjectReference"
            | "dataStoreReference"
            | "dataInput"
            | "dataOutput"
            | "dataInputAssociation"
            | "dataOutputAssociation"
            | "textAnnotation"
            | "association"
            | "group"
            | "documentation"
            | "extensionElements"
            | "ioSpecification"
            | "ioBinding"
            | "property"
            | "incoming"
            | "outgoing"
            | "potentialOwner"
            | "humanPerformer"
            | "performer"
            | "resourceRole"
            | "correlationSubscription"
            | "monitoring"
            | "auditing"
            | "supports"
            | "supportedInterfaceRef"
            | "category"
            | "categoryValueRef"
            | "multiInstanceLoopCharacteristics"
            | "standardLoopCharacteristics"
    )
}

/// What a business-rule task is: a decision, or work of a system.
pub(crate) fn decision(extension: &Extension) -> Kind {
    match &extension.decision {
        Some((decision, result)) => Kind::Decision { decision: decision.clone(), result: result.clone() },
        None => Kind::Service { job: extension.job.clone().unwrap_or_default() },
    }
}

impl Reader {
    fn unsupported(&mut self, id: &str, name: &str, what: &str) {
        self.refuse(id, name, Reason::Unsupported, what);
    }

    /// What an element does; `None`, with a refusal, when it is not executed.
    pub(super) fn kind(&mut self, xml: &Xml<'_, '_>, id: &str, name: &str) -> Option<Kind> {
        let word = xml.tag_name().name();
        let yes = |key: &str| attribute(xml, key).as_deref() == Some("true");
        if yes("isForCompensation") {
            self.unsupported(id, name, "compensation");
            return None;
        }
        if child(xml, "standardLoopCharacteristics").is_some() {
            self.unsupported(id, name, "standardLoopCharacteristics");
            return None;
        }
        let extension = Extension::of(xml);
        match word {
            "task" => Some(Kind::Task),
            "userTask" => Some(Kind::Person(extension.assignment(false))),
            "manualTask" => Some(Kind::Person(extension.assignment(true))),
            "serviceTask" => Some(Kind::Service { job: extension.job.unwrap_or_default() }),
            "businessRuleTask" => Some(decision(&extension)),
            "sendTask" => Some(match extension.job {
                Some(job) => Kind::Service { job },
                None => Kind::Send { message: self.message(xml, id, name) },
            }),
            "receiveTask" if yes("instantiate") => {
                self.unsupported(id, name, "a receive task that starts the process");
                None
            }
            "receiveTask" => Some(Kind::Receive { message: self.message(xml, id, name) }),
            "exclusiveGateway" => Some(Kind::Exclusive),
            "parallelGateway" => Some(Kind::Parallel),
            "eventBasedGateway" if yes("instantiate") => {
                self.unsupported(id, name, "a gateway that starts the process");
                None
            }
            "eventBasedGateway" => Some(Kind::EventBased),
            "subProcess" if yes("triggeredByEvent") => {
                self.unsupported(id, name, "event sub-process");
                None
            }
            "subProcess" => Some(Kind::SubProcess),
            "callActivity" => {
                let called = extension.called.or_else(|| attribute(xml, "calledElement"));
                Some(Kind::Call { procedure: called.map(|reference| local(&reference).to_owned()) })
            }
            "startEvent" => match self.trigger(xml, id, name)? {
                Trigger::Error(_) => {
                    self.unsupported(id, name, "error start event");
                    None
                }
                trigger => Some(Kind::Start(trigger)),
            },
            "intermediateCatchEvent" => match self.trigger(xml, id, name)? {
                trigger @ (Trigger::Message(_) | Trigger::Timer(_)) => Some(Kind::Catch(trigger)),
                _ => {
                    self.unsupported(id, name, "an event that catches nothing");
                    None
                }
            },
            "intermediateThrowEvent" => match self.trigger(xml, id, name)? {
                Trigger::None => Some(Kind::Send { message: String::new() }),
                Trigger::Message(message) => Some(Kind::Send { message }),
                _ => {
                    self.unsupported(id, name, "an event that throws this");
                    None
                }
            },
            "boundaryEvent" => {
                let trigger = self.trigger(xml, id, name)?;
                let interrupting = attribute(xml, "cancelActivity").as_deref() != Some("false");
                match trigger {
                    Trigger::None => {
                        self.unsupported(id, name, "a boundary event without a trigger");
                        None
                    }
                    // Host 0 until the references are resolved.
                    trigger => Some(Kind::Boundary { host: 0, interrupting, trigger }),
                }
            }
            "endEvent" => self.end(xml, id, name).map(Kind::End),
            other => {
                self.unsupported(id, name, other);
                None
            }
        }
    }

    /// The name of the message an element sends or waits for.
    fn message(&self, xml: &Xml<'_, '_>, id: &str, name: &str) -> String {
        let reference = attribute(xml, "messageRef");
        let named =
            reference.as_deref().and_then(|r| self.context.messages.get(local(r)).or_else(|| self.context.messages.get(r)));
        named.cloned().unwrap_or_else(|| if name.is_empty() { id.to_owned() } else { name.to_owned() })
    }

    fn error(&self, xml: &Xml<'_, '_>) -> Option<String> {
        let reference = attribute(xml, "errorRef")?;
        let code = self.context.errors.get(local(&reference)).or_else(|| self.context.errors.get(&reference));
        Some(code.cloned().unwrap_or(reference))
    }

    /// The one event definition of an event; `None`, with a refusal, for those that are not executed.
    fn definition<'a, 'd>(&mut self, xml: &Xml<'a, 'd>, id: &str, name: &str) -> Option<Option<Xml<'a, 'd>>> {
        let mut all = children(xml).filter(|item| {
            let word = item.tag_name().name();
            word.ends_with("EventDefinition") || word == "eventDefinitionRef"
        });
        let (first, second) = (all.next(), all.next());
        if second.is_some() {
            self.unsupported(id, name, "several triggers of one event");
            return None;
        }
        Some(first)
    }

    fn trigger(&mut self, xml: &Xml<'_, '_>, id: &str, name: &str) -> Option<Trigger> {
        let Some(definition) = self.definition(xml, id, name)? else { return Some(Trigger::None) };
        match definition.tag_name().name() {
            "messageEventDefinition" => Some(Trigger::Message(self.message(&definition, id, name))),
            "timerEventDefinition" => self.timer(&definition, id, name).map(Trigger::Timer),
            "errorEventDefinition" => Some(Trigger::Error(self.error(&definition))),
            other => {
                self.unsupported(id, name, other);
                None
            }
        }
    }

    fn end(&mut self, xml: &Xml<'_, '_>, id: &str, name: &str) -> Option<End> {
        let Some(definition) = self.definition(xml, id, name)? else { return Some(End::None) };
        match definition.tag_name().name() {
            "messageEventDefinition" => Some(End::Message(self.message(&definition, id, name))),
            "errorEventDefinition" => Some(End::Error(self.error(&definition).unwrap_or_default())),
            "terminateEventDefinition" => Some(End::Terminate),
            other => {
                self.unsupported(id, name, other);
                None
            }
        }
    }

    fn timer(&mut self, xml: &Xml<'_, '_>, id: &str, name: &str) -> Option<Timer> {
        if let Some(date) = child(xml, "timeDate") {
            return Some(Timer::Date(Expression::value(&text(&date))));
        }
        if let Some(cycle) = child(xml, "timeCycle") {
            let written = text(&cycle);
            let bounded = written.strip_prefix('R').and_then(|rest| rest.split_once('/'));
            let times = bounded.and_then(|(times, every)| Some((times.parse::<u16>().ok()?, every)));
            let Some((times @ 1..=100, every)) = times else {
                self.refuse(id, name, Reason::Timer, format!("{written}: a cycle of 1 to 100 times such as R6/P1D"));
                return None;
            };
            return Some(Timer::Cycle(times, Expression::value(every)));
        }
        let duration = child(xml, "timeDuration").map(|duration| text(&duration)).unwrap_or_default();
        Some(Timer::Duration(Expression::value(&duration)))
    }

    /// The repetition of an activity.
    pub(super) fn repeat(&mut self, xml: &Xml<'_, '_>, extension: &Extension, id: &str, name: &str) -> Option<Repeat> {
        let marked = child(xml, "multiInstanceLoopCharacteristics")?;
        let cardinality = child(&marked, "loopCardinality").map(|n| text(&n)).filter(|text| !text.is_empty());
        let until = child(&marked, "completionCondition").map(|c| text(&c)).filter(|text| !text.is_empty());
        let max = match extension.properties.get("loop:max").map(|text| text.parse::<u32>()) {
            None => LOOP_DEFAULT,
            Some(Ok(max @ 1..=LOOP_MAX)) => max,
            Some(_) => {
                self.refuse(id, name, Reason::Loop, "loop:max is a number from 1 to 1,000");
                return None;
            }
        };
        let loops = Extension::of(&marked).loops.unwrap_or_default();
        let cardinality = cardinality.map(|text| {
            let text = text.trim_start_matches('=').trim().to_owned();
            Expression::value(&format!("={text}"))
        });
        Some(Repeat {
            sequential: attribute(&marked, "isSequential").as_deref() == Some("true"),
            collection: loops.collection,
            cardinality,
            element: loops.element,
            results: loops.results,
            result: loops.result,
            until: until.map(|text| Expression::condition(&text, self.context.feel)),
            max,
        })
    }
}
