//! The extension elements of Zeebe, which bpmn-js with its properties panel and the Camunda Modeler write.

use super::{BPMN, ZEEBE, attribute};
use crate::expression::Expression;
use crate::model::{Assignment, Mapping};
use roxmltree::Node as Xml;
use std::collections::BTreeMap;

/// What an element says beyond BPMN.
#[derive(Default)]
pub(crate) struct Extension {
    pub inputs: Vec<Mapping>,
    pub outputs: Vec<Mapping>,
    pub properties: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub job: Option<String>,
    /// Decision and the variable of its result.
    pub decision: Option<(String, String)>,
    pub called: Option<String>,
    pub version_tag: Option<String>,
    pub loops: Option<Loops>,
    groups: Option<String>,
    assignee: Option<String>,
    form: Option<String>,
}

/// `zeebe:loopCharacteristics`.
#[derive(Default)]
pub(crate) struct Loops {
    pub collection: Option<Expression>,
    pub element: Option<String>,
    pub results: Option<String>,
    pub result: Option<Expression>,
}

fn zeebe<'a, 'd>(xml: &Xml<'a, 'd>) -> impl Iterator<Item = Xml<'a, 'd>> {
    xml.children().filter(|child| child.is_element() && child.tag_name().namespace() == Some(ZEEBE))
}

impl Extension {
    /// The extension of an element.
    pub fn of(xml: &Xml<'_, '_>) -> Self {
        let mut all = Self::default();
        let extensions = xml.children().filter(|child| child.tag_name().namespace() == Some(BPMN));
        for item in extensions
            .filter(|child| child.tag_name().name() == "extensionElements")
            .flat_map(|e| zeebe(&e).collect::<Vec<_>>())
        {
            all.take(&item);
        }
        all
    }

    fn take(&mut self, item: &Xml<'_, '_>) {
        match item.tag_name().name() {
            "taskDefinition" => self.job = attribute(item, "type"),
            "calledDecision" => {
                let result = attribute(item, "resultVariable").unwrap_or_else(|| "result".into());
                self.decision = attribute(item, "decisionId").map(|decision| (decision, result));
            }
            "calledElement" => self.called = attribute(item, "processId"),
            "versionTag" => self.version_tag = attribute(item, "value"),
            "formDefinition" => {
                self.form = ["formId", "formKey", "externalReference"].iter().find_map(|key| attribute(item, key));
            }
            "assignmentDefinition" => {
                self.groups = attribute(item, "candidateGroups");
                self.assignee = attribute(item, "assignee");
            }
            "ioMapping" => {
                for mapping in zeebe(item) {
                    let (Some(source), Some(target)) = (attribute(&mapping, "source"), attribute(&mapping, "target")) else {
                        continue;
                    };
                    let mapped = Mapping { source: Expression::value(&source), target };
                    match mapping.tag_name().name() {
                        "input" => self.inputs.push(mapped),
                        "output" => self.outputs.push(mapped),
                        _ => {}
                    }
                }
            }
            "taskHeaders" => self.headers.extend(pairs(item, "key")),
            "properties" => self.properties.extend(pairs(item, "name")),
            "loopCharacteristics" => {
                self.loops = Some(Loops {
                    collection: attribute(item, "inputCollection").map(|text| Expression::value(&text)),
                    element: attribute(item, "inputElement"),
                    results: attribute(item, "outputCollection"),
                    result: attribute(item, "outputElement").map(|text| Expression::value(&text)),
                });
            }
            _ => {}
        }
    }

    /// Whose work it is.
    pub fn assignment(&self, manual: bool) -> Assignment {
        Assignment {
            groups: self.groups.as_deref().map(Expression::value),
            assignee: self.assignee.as_deref().map(Expression::value),
            form: self.form.clone(),
            manual,
        }
    }
}

fn pairs(item: &Xml<'_, '_>, key: &str) -> Vec<(String, String)> {
    let pair = |child: Xml<'_, '_>| Some((attribute(&child, key)?, attribute(&child, "value").unwrap_or_default()));
    zeebe(item).filter_map(pair).collect()
}
