//! DMN XML to a plain tree, before names or types mean anything.
//!
//! Bounds: 4 MiB of text, 100,000 nodes, and those of [`crate::xml`].

use crate::refusal::{Reason, Refusal};
use crate::xml::XmlError;
use roxmltree::{Document, Node};

const BYTES_MAX: usize = 4 * 1024 * 1024;
const NODES_MAX: u32 = 100_000;

/// The namespaces of DMN 1.2 to 1.5.
const NAMESPACES: [&str; 4] = [
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

#[derive(Debug, Default)]
pub(crate) struct RawModel {
    pub name: String,
    pub namespace: String,
    /// Alias and namespace.
    pub imports: Vec<(String, String)>,
    pub items: Vec<RawItem>,
    pub inputs: Vec<RawElement>,
    pub decisions: Vec<RawElement>,
    pub knowledge: Vec<RawElement>,
    pub services: Vec<RawService>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct RawItem {
    pub name: String,
    pub type_ref: Option<String>,
    pub collection: bool,
    pub allowed: Option<String>,
    pub constraint: Option<String>,
    pub components: Vec<RawItem>,
    /// Parameter types and result type.
    pub function: Option<(Vec<Option<String>>, Option<String>)>,
}

#[derive(Debug, Default)]
pub(crate) struct RawElement {
    pub id: String,
    pub name: String,
    pub type_ref: Option<String>,
    /// References to decisions and inputs.
    pub information: Vec<String>,
    /// References to knowledge models and services.
    pub knowledge: Vec<String>,
    pub logic: Option<RawExpr>,
}

#[derive(Debug, Default)]
pub(crate) struct RawService {
    pub id: String,
    pub name: String,
    pub type_ref: Option<String>,
    pub outputs: Vec<String>,
    pub input_decisions: Vec<String>,
    pub inputs: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct RawExpr {
    pub type_ref: Option<String>,
    pub kind: RawKind,
}

pub(crate) type RawVariable = (String, Option<String>);

#[derive(Debug)]
pub(crate) enum RawKind {
    Literal(String),
    Table(Box<RawTable>),
    Context(Vec<(Option<RawVariable>, Option<RawExpr>)>),
    Invocation(Option<Box<RawExpr>>, Vec<(String, Option<RawExpr>)>),
    List(Vec<RawExpr>),
    Relation(Vec<RawVariable>, Vec<Vec<RawExpr>>),
    Function {
        external: bool,
        parameters: Vec<RawVariable>,
        body: Option<Box<RawExpr>>,
    },
    Conditional(Vec<Option<RawExpr>>),
    Filter(Vec<Option<RawExpr>>),
    /// `for`, `some`, `every`: the word, the variable, the domain, the body.
    Iterator(&'static str, String, Vec<Option<RawExpr>>),
}

/// Name, type, values, default.
pub(crate) type RawOutput = (Option<String>, Option<String>, Option<String>, Option<String>);

#[derive(Debug, Default)]
pub(crate) struct RawTable {
    pub id: String,
    pub policy: String,
    pub aggregation: String,
    /// Expression, its type, allowed values, label.
    pub inputs: Vec<(String, Option<String>, Option<String>, String)>,
    /// Name, type, values, default.
    pub outputs: Vec<RawOutput>,
    /// Identifier, input cells, output cells.
    pub rules: Vec<(String, Vec<String>, Vec<String>)>,
}

fn refuse(reason: Reason, detail: impl Into<String>) -> Refusal {
    Refusal { element: "definitions".into(), reason, detail: detail.into() }
}

/// Parses a file within the bounds of models.
pub(crate) fn document(source: &str) -> Result<Document<'_>, Refusal> {
    crate::xml::document(source, BYTES_MAX, NODES_MAX).map_err(|error| match error {
        XmlError::TooLarge(_) => refuse(Reason::TooLarge, error.to_string()),
        XmlError::Unacceptable(_) => refuse(Reason::Xml, error.to_string()),
    })
}

/// Reads a file.
pub(crate) fn read(source: &str) -> Result<RawModel, Refusal> {
    let document = document(source)?;
    let root = document.root_element();
    if root.tag_name().name() != "definitions" || !is_dmn(&root) {
        return Err(refuse(Reason::NotDmn, root.tag_name().namespace().unwrap_or("no namespace")));
    }
    let mut model = RawModel {
        name: attribute(&root, "name").unwrap_or_default(),
        namespace: attribute(&root, "namespace").unwrap_or_default(),
        ..RawModel::default()
    };
    for node in elements(&root) {
        match node.tag_name().name() {
            "import" => {
                let import =
                    (attribute(&node, "name").unwrap_or_default(), attribute(&node, "namespace").unwrap_or_default());
                // Other import types (XSD, PMML) name things FEEL cannot see.
                if attribute(&node, "importType").is_none_or(|ty| ty.contains("/DMN/")) {
                    model.imports.push(import);
                }
            }
            "itemDefinition" => model.items.push(item(&node)),
            "inputData" => model.inputs.push(element(&node)),
            "decision" => model.decisions.push(element(&node)),
            "businessKnowledgeModel" => model.knowledge.push(element(&node)),
            "decisionService" => model.services.push(service(&node)),
            _ => {}
        }
    }
    Ok(model)
}

fn is_dmn(node: &Node) -> bool {
    node.tag_name().namespace().is_some_and(|uri| NAMESPACES.contains(&uri))
}

fn elements<'a, 'i>(node: &Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    node.children().filter(|child| child.is_element() && is_dmn(child))
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(node).find(|child| child.tag_name().name() == name)
}

fn attribute(node: &Node, name: &str) -> Option<String> {
    node.attribute(name).map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|v| !v.is_empty())
}

/// A type reference without the prefix older files write.
fn type_ref(node: &Node) -> Option<String> {
    attribute(node, "typeRef").map(|name| name.strip_prefix("feel:").unwrap_or(&name).to_owned())
}

/// The text of the `text` child.
fn text(node: &Node) -> Option<String> {
    let text: String = child(node, "text")?.children().filter(Node::is_text).filter_map(|n| n.text()).collect();
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

fn texts(node: &Node, name: &str) -> Option<String> {
    child(node, name).as_ref().and_then(text)
}

fn item(node: &Node) -> RawItem {
    let content =
        |node: &Node| node.text().map(|t| t.trim().trim_start_matches("feel:").to_owned()).filter(|t| !t.is_empty());
    RawItem {
        name: attribute(node, "name").unwrap_or_default(),
        type_ref: child(node, "typeRef").as_ref().and_then(content),
        collection: node.attribute("isCollection") == Some("true"),
        allowed: texts(node, "allowedValues"),
        constraint: texts(node, "typeConstraint"),
        components: elements(node).filter(|n| n.tag_name().name() == "itemComponent").map(|n| item(&n)).collect(),
        function: child(node, "functionItem").map(|function| {
            let parameters = elements(&function).filter(|n| n.tag_name().name() == "parameters");
            let output = attribute(&function, "outputTypeRef");
            (parameters.map(|n| type_ref(&n)).collect(), output)
        }),
    }
}

fn reference(node: &Node, name: &str) -> Option<String> {
    child(node, name).and_then(|n| attribute(&n, "href"))
}

fn element(node: &Node) -> RawElement {
    let variable = child(node, "variable");
    let mut out = RawElement {
        id: attribute(node, "id").unwrap_or_default(),
        name: variable.as_ref().and_then(|v| attribute(v, "name")).or_else(|| attribute(node, "name")).unwrap_or_default(),
        type_ref: variable.as_ref().and_then(type_ref),
        ..RawElement::default()
    };
    for part in elements(node) {
        match part.tag_name().name() {
            "informationRequirement" => {
                out.information.extend(reference(&part, "requiredDecision"));
                out.information.extend(reference(&part, "requiredInput"));
            }
            "knowledgeRequirement" => out.knowledge.extend(reference(&part, "requiredKnowledge")),
            _ => {
                if let Some(logic) = expression(&part) {
                    out.logic = Some(logic);
                }
            }
        }
    }
    out
}

fn service(node: &Node) -> RawService {
    let variable = child(node, "variable");
    let references =
        |name: &str| elements(node).filter(|n| n.tag_name().name() == name).filter_map(|n| attribute(&n, "href")).collect();
    RawService {
        id: attribute(node, "id").unwrap_or_default(),
        name: attribute(node, "name").unwrap_or_default(),
        type_ref: variable.as_ref().and_then(type_ref),
        outputs: references("outputDecision"),
        input_decisions: references("inputDecision"),
        inputs: references("inputData"),
    }
}

/// The first boxed expression among the children.
fn inner(node: &Node) -> Option<RawExpr> {
    elements(node).find_map(|n| expression(&n))
}

fn inner_of(node: &Node, name: &str) -> Option<RawExpr> {
    child(node, name).as_ref().and_then(inner)
}

fn variable(node: &Node) -> RawVariable {
    (attribute(node, "name").unwrap_or_default(), type_ref(node))
}

fn expression(node: &Node) -> Option<RawExpr> {
    let kind = match node.tag_name().name() {
        "literalExpression" => RawKind::Literal(text(node).unwrap_or_default()),
        "decisionTable" => RawKind::Table(Box::new(table(node))),
        "context" => RawKind::Context(
            elements(node)
                .filter(|n| n.tag_name().name() == "contextEntry")
                .map(|n| (child(&n, "variable").as_ref().map(variable), inner(&n)))
                .collect(),
        ),
        "invocation" => RawKind::Invocation(
            inner(node).map(Box::new),
            elements(node)
                .filter(|n| n.tag_name().name() == "binding")
                .map(|n| (child(&n, "parameter").and_then(|p| attribute(&p, "name")).unwrap_or_default(), inner(&n)))
                .collect(),
        ),
        "list" => RawKind::List(elements(node).filter_map(|n| expression(&n)).collect()),
        "relation" => RawKind::Relation(
            elements(node).filter(|n| n.tag_name().name() == "column").map(|n| variable(&n)).collect(),
            elements(node)
                .filter(|n| n.tag_name().name() == "row")
                .map(|n| elements(&n).filter_map(|cell| expression(&cell)).collect())
                .collect(),
        ),
        "functionDefinition" | "encapsulatedLogic" => RawKind::Function {
            external: node.attribute("kind").is_some_and(|kind| kind != "FEEL"),
            parameters: elements(node).filter(|n| n.tag_name().name() == "formalParameter").map(|n| variable(&n)).collect(),
            body: inner(node).map(Box::new),
        },
        "conditional" => RawKind::Conditional(["if", "then", "else"].map(|part| inner_of(node, part)).into()),
        "filter" => RawKind::Filter(["in", "match"].map(|part| inner_of(node, part)).into()),
        "for" => iterator(node, "for", "return"),
        "some" => iterator(node, "some", "satisfies"),
        "every" => iterator(node, "every", "satisfies"),
        _ => return None,
    };
    Some(RawExpr { type_ref: type_ref(node), kind })
}

fn iterator(node: &Node, word: &'static str, body: &str) -> RawKind {
    let name = attribute(node, "iteratorVariable").unwrap_or_default();
    RawKind::Iterator(word, name, ["in", body].map(|part| inner_of(node, part)).into())
}

fn table(node: &Node) -> RawTable {
    let mut out = RawTable {
        id: attribute(node, "id").unwrap_or_default(),
        policy: attribute(node, "hitPolicy").unwrap_or_else(|| "UNIQUE".into()),
        aggregation: attribute(node, "aggregation").unwrap_or_default(),
        ..RawTable::default()
    };
    for part in elements(node) {
        match part.tag_name().name() {
            "input" => {
                let expression = child(&part, "inputExpression");
                let written = expression.as_ref().and_then(text).unwrap_or_default();
                let label = attribute(&part, "label").unwrap_or_else(|| written.clone());
                out.inputs.push((written, expression.as_ref().and_then(type_ref), texts(&part, "inputValues"), label));
            }
            "output" => out.outputs.push((
                attribute(&part, "name"),
                type_ref(&part),
                texts(&part, "outputValues"),
                texts(&part, "defaultOutputEntry"),
            )),
            "rule" => {
                let cells = |name: &str| {
                    elements(&part).filter(|n| n.tag_name().name() == name).map(|n| text(&n).unwrap_or_default()).collect()
                };
                out.rules.push((attribute(&part, "id").unwrap_or_default(), cells("inputEntry"), cells("outputEntry")));
            }
            _ => {}
        }
    }
    out
}
