//! BPMN 2.0 XML to the compiled form. Names are matched by namespace, whatever the prefix.
//!
//! Bounds: 4 MiB of text, 200,000 nodes, and those of [`zhulian_rules::xml`].

mod element;
mod zeebe;

use crate::model::{Definitions, ELEMENTS_MAX, Flow, FlowId, Kind, NESTING_MAX, Node, NodeId, Process};
use crate::refusal::{Reason, Refusal};
use element::Context;
use roxmltree::Node as Xml;
use std::collections::{BTreeMap, BTreeSet};
use zhulian_rules::xml::{self, XmlError};

const BYTES_MAX: usize = 4 * 1024 * 1024;
const NODES_MAX: u32 = 200_000;
const REFUSALS_MAX: usize = 100;

pub(crate) const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
pub(crate) const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";

/// The children that are elements of BPMN.
pub(crate) fn children<'a, 'd>(xml: &Xml<'a, 'd>) -> impl Iterator<Item = Xml<'a, 'd>> {
    xml.children().filter(|child| child.is_element() && child.tag_name().namespace() == Some(BPMN))
}

/// The first child of a name.
pub(crate) fn child<'a, 'd>(xml: &Xml<'a, 'd>, name: &str) -> Option<Xml<'a, 'd>> {
    children(xml).find(|child| child.tag_name().name() == name)
}

pub(crate) fn attribute(xml: &Xml<'_, '_>, name: &str) -> Option<String> {
    xml.attribute(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The text inside of an element.
pub(crate) fn text(xml: &Xml<'_, '_>) -> String {
    let parts: String = xml.descendants().filter(Xml::is_text).filter_map(|node| node.text()).collect();
    parts.trim().to_owned()
}

/// What follows the prefix of a qualified name.
pub(crate) fn local(reference: &str) -> &str {
    reference.rsplit_once(':').map_or(reference, |(_, name)| name)
}

/// Reads a file.
pub(crate) fn definitions(source: &str) -> Result<Definitions, Vec<Refusal>> {
    let whole = |reason, detail: &str| vec![Refusal::file(reason, detail)];
    let document = xml::document(source, BYTES_MAX, NODES_MAX).map_err(|error| match error {
        XmlError::TooLarge(_) => whole(Reason::TooLarge, &error.to_string()),
        XmlError::Unacceptable(_) => whole(Reason::Xml, &error.to_string()),
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "definitions" || root.tag_name().namespace() != Some(BPMN) {
        return Err(whole(Reason::NotBpmn, root.tag_name().namespace().unwrap_or("no namespace")));
    }
    let context = Context::of(&root);
    let mut reader = Reader { context, refusals: Vec::new(), identifiers: BTreeSet::new() };
    let mut processes = Vec::new();
    let is_process =
        |id: &str| children(&root).any(|xml| xml.tag_name().name() == "process" && xml.attribute("id") == Some(id));
    for xml in children(&root) {
        let process = match xml.tag_name().name() {
            "process" => reader.process(&xml),
            // One editor writes a global task beside a process of the same identifier; the process is what is called.
            word if word.starts_with("global") && xml.attribute("id").is_some_and(is_process) => None,
            "globalTask" | "globalUserTask" | "globalManualTask" | "globalBusinessRuleTask" => reader.global_task(&xml),
            _ => None,
        };
        processes.extend(process);
    }
    if !reader.refusals.is_empty() {
        return Err(reader.refusals);
    }
    if processes.is_empty() {
        return Err(whole(Reason::NotBpmn, "no process has elements"));
    }
    Ok(Definitions { processes })
}

pub(crate) struct Reader {
    pub(crate) context: Context,
    refusals: Vec<Refusal>,
    identifiers: BTreeSet<String>,
}

/// A process while it is read.
#[derive(Default)]
struct Draft<'a, 'd> {
    nodes: Vec<Node>,
    by_id: BTreeMap<String, NodeId>,
    flows: Vec<(Xml<'a, 'd>, Option<NodeId>)>,
    /// Host and default flow of nodes, by the identifiers the file uses.
    hosts: Vec<(NodeId, String)>,
    defaults: Vec<(NodeId, String)>,
    defects: Vec<Refusal>,
}

impl Reader {
    pub(crate) fn refuse(&mut self, element: &str, name: &str, reason: Reason, detail: impl Into<String>) {
        if self.refusals.len() < REFUSALS_MAX {
            self.refusals.push(Refusal::of(element, name, reason, detail));
        }
    }

    /// The identifier of an element, which no other element has.
    fn identifier(&mut self, xml: &Xml<'_, '_>) -> Option<String> {
        let name = attribute(xml, "name").unwrap_or_default();
        let Some(id) = attribute(xml, "id") else {
            self.refuse("", &name, Reason::Identifier, xml.tag_name().name());
            return None;
        };
        if id.len() > 200 || !self.identifiers.insert(id.clone()) {
            self.refuse(&id, &name, Reason::Identifier, xml.tag_name().name());
            return None;
        }
        Some(id)
    }

    fn process(&mut self, xml: &Xml<'_, '_>) -> Option<Process> {
        let id = self.identifier(xml)?;
        let name = attribute(xml, "name").unwrap_or_default();
        let mut draft = Draft::default();
        self.scope(xml, None, 0, &mut draft);
        if draft.nodes.is_empty() {
            return None;
        }
        if draft.nodes.len() > ELEMENTS_MAX || draft.flows.len() > ELEMENTS_MAX {
            self.refuse(&id, &name, Reason::TooLarge, "more than 2,000 nodes or flows");
            return None;
        }
        let flows = self.connect(&mut draft);
        let extension = zeebe::Extension::of(xml);
        Some(Process {
            id,
            name,
            version_tag: extension.version_tag,
            properties: extension.properties,
            nodes: draft.nodes,
            flows,
            defects: draft.defects,
        })
    }

    /// A task that stands alone, to be called: a process of one task.
    fn global_task(&mut self, xml: &Xml<'_, '_>) -> Option<Process> {
        let id = self.identifier(xml)?;
        let name = attribute(xml, "name").unwrap_or_default();
        let kind = match xml.tag_name().name() {
            "globalTask" => Kind::Task,
            "globalBusinessRuleTask" => element::decision(&zeebe::Extension::of(xml)),
            other => Kind::Person(zeebe::Extension::of(xml).assignment(other == "globalManualTask")),
        };
        let node = element::blank(format!("{id}.task"), name.clone(), None, kind);
        let extension = zeebe::Extension::of(xml);
        let (version_tag, properties) = (extension.version_tag, extension.properties);
        Some(Process { id, name, version_tag, properties, nodes: vec![node], flows: Vec::new(), defects: Vec::new() })
    }

    /// Reads the nodes and flows of a process or sub-process.
    fn scope<'a, 'd>(&mut self, xml: &Xml<'a, 'd>, scope: Option<NodeId>, nesting: usize, draft: &mut Draft<'a, 'd>) {
        for item in children(xml) {
            let word = item.tag_name().name();
            if element::is_ignored(word) {
                continue;
            }
            if word == "sequenceFlow" {
                if self.identifiers.len() <= 4 * ELEMENTS_MAX {
                    draft.flows.push((item, scope));
                }
                continue;
            }
            let Some(id) = self.identifier(&item) else { continue };
            let name = attribute(&item, "name").unwrap_or_default();
            let Some(kind) = self.kind(&item, &id, &name) else { continue };
            let Ok(number) = NodeId::try_from(draft.nodes.len()) else { return };
            if draft.nodes.len() > ELEMENTS_MAX {
                return;
            }
            let extension = zeebe::Extension::of(&item);
            let mut node = element::blank(id.clone(), name.clone(), scope, kind);
            node.repeat = self.repeat(&item, &extension, &id, &name);
            node.inputs = extension.inputs;
            node.outputs = extension.outputs;
            node.properties = extension.properties;
            node.headers = extension.headers;
            if let Some(flow) = attribute(&item, "default") {
                draft.defaults.push((number, flow));
            }
            if let Kind::Boundary { .. } = node.kind {
                draft.hosts.push((number, attribute(&item, "attachedToRef").unwrap_or_default()));
            }
            let inner = matches!(node.kind, Kind::SubProcess);
            draft.by_id.insert(id.clone(), number);
            draft.nodes.push(node);
            if inner && nesting >= NESTING_MAX {
                self.refuse(&id, &name, Reason::TooLarge, "sub-processes are nested more than 8 deep");
            } else if inner {
                self.scope(&item, Some(number), nesting + 1, draft);
            }
        }
    }

    /// Resolves the references between nodes and flows.
    fn connect(&mut self, draft: &mut Draft<'_, '_>) -> Vec<Flow> {
        let mut flows: Vec<Flow> = Vec::new();
        let mut flow_ids: BTreeMap<String, FlowId> = BTreeMap::new();
        for (xml, scope) in std::mem::take(&mut draft.flows) {
            let Some(id) = self.identifier(&xml) else { continue };
            let name = attribute(&xml, "name").unwrap_or_default();
            let end = |which: &str| {
                let reference = attribute(&xml, which).unwrap_or_default();
                let found = draft.by_id.get(local(&reference)).or_else(|| draft.by_id.get(&reference)).copied();
                found.ok_or(if reference.is_empty() { which.to_owned() } else { reference })
            };
            let (from, to) = match (end("sourceRef"), end("targetRef")) {
                (Ok(from), Ok(to)) => (from, to),
                // Some editors leave flows behind whose end is gone. The rest can still be read and played, not deployed.
                (Err(missing), _) | (_, Err(missing)) => {
                    draft.defects.push(Refusal::of(&id, &name, Reason::MissingReference, missing));
                    continue;
                }
            };
            if draft.nodes[usize::from(from)].scope != scope || draft.nodes[usize::from(to)].scope != scope {
                self.refuse(&id, &name, Reason::Misplaced, "a flow across the edge of a sub-process");
                continue;
            }
            let number = flows.len() as FlowId;
            draft.nodes[usize::from(from)].outgoing.push(number);
            draft.nodes[usize::from(to)].incoming.push(number);
            flow_ids.insert(id.clone(), number);
            let condition = self.context.condition(&xml);
            flows.push(Flow { id, name, from, to, condition });
        }
        for (number, flow) in std::mem::take(&mut draft.defaults) {
            let at = usize::from(number);
            let (id, name) = (draft.nodes[at].id.clone(), draft.nodes[at].name.clone());
            match flow_ids.get(local(&flow)).or_else(|| flow_ids.get(&flow)) {
                Some(flow) if draft.nodes[at].outgoing.contains(flow) => draft.nodes[at].default = Some(*flow),
                _ => self.refuse(&id, &name, Reason::MissingReference, flow),
            }
        }
        for (number, reference) in std::mem::take(&mut draft.hosts) {
            let (id, name, scope) = {
                let node = &draft.nodes[usize::from(number)];
                (node.id.clone(), node.name.clone(), node.scope)
            };
            let found = draft.by_id.get(local(&reference)).or_else(|| draft.by_id.get(&reference)).copied();
            let Some(host) = found.filter(|host| draft.nodes[usize::from(*host)].is_activity()) else {
                self.refuse(&id, &name, Reason::MissingReference, reference);
                continue;
            };
            if draft.nodes[usize::from(host)].scope != scope {
                self.refuse(&id, &name, Reason::Misplaced, reference);
                continue;
            }
            draft.nodes[usize::from(host)].boundaries.push(number);
            if let Kind::Boundary { host: of, .. } = &mut draft.nodes[usize::from(number)].kind {
                *of = host;
            }
        }
        self.placement(draft, &flows);
        flows
    }

    /// What may follow what.
    fn placement(&mut self, draft: &Draft<'_, '_>, flows: &[Flow]) {
        for node in &draft.nodes {
            let mut misplaced = |detail: &str| self.refuse(&node.id, &node.name, Reason::Misplaced, detail);
            match &node.kind {
                Kind::Start(_) if !node.incoming.is_empty() => misplaced("a flow into a start event"),
                Kind::Boundary { .. } if !node.incoming.is_empty() => misplaced("a flow into a boundary event"),
                Kind::End(_) if !node.outgoing.is_empty() => misplaced("a flow out of an end event"),
                Kind::EventBased => {
                    let waits = |flow: &FlowId| {
                        let to = &draft.nodes[usize::from(flows[usize::from(*flow)].to)];
                        matches!(to.kind, Kind::Catch(_) | Kind::Receive { .. }) && to.incoming.len() == 1
                    };
                    if node.outgoing.is_empty() || !node.outgoing.iter().all(waits) {
                        misplaced("events, each with one way in, must follow an event-based gateway");
                    }
                }
                _ => {}
            }
        }
    }
}
