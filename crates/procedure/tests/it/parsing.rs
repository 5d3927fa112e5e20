//! What is read, and what is refused by name.

use crate::support::{definitions, extension, file, flows, one, parse, refusals, users, with};
use zhulian_procedure::model::{Kind, Trigger};
use zhulian_procedure::{Language, Reason};

#[test]
fn any_prefix_is_read() {
    let source = r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0" id="d">
  <bpmn:process id="p"><bpmn:extensionElements><z:versionTag value="2026.1"/></bpmn:extensionElements>
    <bpmn:startEvent id="s"/><bpmn:endEvent id="e"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/></bpmn:process>
</bpmn:definitions>"#;
    let process = parse(source).processes.remove(0);
    assert_eq!(process.version_tag.as_deref(), Some("2026.1"));
    assert_eq!((process.nodes.len(), process.flows.len()), (2, 1));
}

#[test]
fn the_extension_vocabulary_is_read() {
    let task = with(
        "userTask",
        "a",
        &extension(
            r#"<zeebe:assignmentDefinition candidateGroups="bureau" assignee="=officer"/><zeebe:formDefinition formId="form-1"/>
            <zeebe:ioMapping><zeebe:input source="=x + 1" target="y"/><zeebe:output source="fixed" target="z"/></zeebe:ioMapping>
            <zeebe:taskHeaders><zeebe:header key="k" value="v"/></zeebe:taskHeaders>
            <zeebe:properties><zeebe:property name="material:deed" value="licence:deed"/></zeebe:properties>"#,
        ),
    );
    let rule =
        with("businessRuleTask", "r", &extension(r#"<zeebe:calledDecision decisionId="aid" resultVariable="level"/>"#));
    let call = with("callActivity", "c", &extension(r#"<zeebe:calledElement processId="other"/>"#));
    let job = with("serviceTask", "j", &extension(r#"<zeebe:taskDefinition type="chain:issue"/>"#));
    let process = parse(&file(&(one("startEvent", "s") + &task + &rule + &call + &job))).processes.remove(0);
    let node = |id: &str| process.node(process.find(id).expect("it is there")).expect("it is there");
    let Kind::Person(assignment) = &node("a").kind else { panic!("a person's task") };
    assert_eq!(assignment.groups.as_ref().map(|g| (g.text.as_str(), g.language)), Some(("bureau", Language::Literal)));
    assert_eq!(assignment.assignee.as_ref().map(|g| (g.text.as_str(), g.language)), Some(("officer", Language::Feel)));
    assert_eq!(assignment.form.as_deref(), Some("form-1"));
    assert_eq!((node("a").inputs[0].target.as_str(), node("a").outputs[0].source.text.as_str()), ("y", "fixed"));
    assert_eq!(node("a").headers.get("k").map(String::as_str), Some("v"));
    assert_eq!(process.materials().collect::<Vec<_>>(), [("deed", "licence:deed")]);
    assert_eq!(node("r").kind, Kind::Decision { decision: "aid".into(), result: "level".into() });
    assert_eq!(node("c").kind, Kind::Call { procedure: Some("other".into()) });
    assert_eq!(node("j").kind, Kind::Service { job: "chain:issue".into() });
}

#[test]
fn what_is_not_executed_is_refused_by_identifier_and_name() {
    let event = |word: &str, inner: &str| with(word, "x", inner);
    let cases = [
        one("inclusiveGateway", "x"),
        one("complexGateway", "x"),
        one("scriptTask", "x"),
        one("adHocSubProcess", "x"),
        one("transaction", "x"),
        one("choreographyTask", "x"),
        r#"<subProcess id="x" name="x" triggeredByEvent="true"/>"#.into(),
        r#"<task id="x" name="x" isForCompensation="true"/>"#.into(),
        with("task", "x", "<standardLoopCharacteristics/>"),
        event("startEvent", "<signalEventDefinition/>"),
        event("startEvent", "<conditionalEventDefinition/>"),
        event("intermediateThrowEvent", "<escalationEventDefinition/>"),
        event("intermediateThrowEvent", "<compensateEventDefinition/>"),
        event("intermediateCatchEvent", "<linkEventDefinition/>"),
        event("intermediateCatchEvent", ""),
        event("endEvent", "<cancelEventDefinition/>"),
        event("endEvent", "<messageEventDefinition/><errorEventDefinition/>"),
    ];
    for case in cases {
        let found = refusals(&file(&case));
        assert_eq!(found.len(), 1, "{case}");
        assert_eq!(
            (found[0].reason, found[0].element.as_str(), found[0].name.as_str()),
            (Reason::Unsupported, "x", "x"),
            "{case}"
        );
        assert!(found[0].en().starts_with("x \"x\": ") && found[0].zh().contains("请"), "{case}");
    }
}

#[test]
fn broken_references_are_refused() {
    let reason = |inner: &str| refusals(&file(inner)).first().map(|refusal| refusal.reason);
    // A flow to nothing is read, and kept from deployment.
    let loose = parse(&file(&(one("task", "a") + &flows("a>b")))).processes.remove(0);
    assert_eq!((loose.flows.len(), loose.defects[0].reason), (0, Reason::MissingReference));
    assert!(zhulian_procedure::check(&loose).err().is_some_and(|found| found.contains(&loose.defects[0])));
    assert_eq!(reason(&(one("task", "a") + &one("task", "a"))), Some(Reason::Identifier));
    assert_eq!(reason(r#"<task name="a"/>"#), Some(Reason::Identifier));
    assert_eq!(reason(&(one("task", "a") + &one("startEvent", "s") + &flows("a>s"))), Some(Reason::Misplaced));
    assert_eq!(reason(&(one("task", "a") + &one("endEvent", "e") + &flows("e>a"))), Some(Reason::Misplaced));
    assert_eq!(reason(r#"<exclusiveGateway id="g" default="nothing"/>"#), Some(Reason::MissingReference));
    let edge = r#"<boundaryEvent id="b" attachedToRef="nothing"><errorEventDefinition/></boundaryEvent>"#;
    assert_eq!(reason(edge), Some(Reason::MissingReference));
    let across = with("subProcess", "sub", &one("task", "in")) + &one("task", "out") + &flows("in>out");
    assert_eq!(reason(&across), Some(Reason::Misplaced));
    let gateway = one("eventBasedGateway", "g") + &users("a") + &flows("g>a");
    assert_eq!(reason(&gateway), Some(Reason::Misplaced));
    let cycle = "<timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition>";
    assert_eq!(reason(&with("startEvent", "s", cycle)), Some(Reason::Timer));
}

#[test]
fn a_file_that_is_no_process_is_refused() {
    let reason = |source: &str| refusals(source).first().map(|refusal| refusal.reason);
    assert_eq!(reason("no xml"), Some(Reason::Xml));
    assert_eq!(reason("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"), Some(Reason::Xml));
    assert_eq!(reason("<definitions/>"), Some(Reason::NotBpmn));
    assert_eq!(reason(&definitions("")), Some(Reason::NotBpmn));
    assert_eq!(reason(&file("")), Some(Reason::NotBpmn));
    assert_eq!(reason(&format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000))), Some(Reason::Xml));
    assert_eq!(reason(&"x".repeat(5 << 20)), Some(Reason::TooLarge));
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|n| format!(r#"<subProcess id="n{n}">"#)).collect();
        file(&(open + &"</subProcess>".repeat(depth)))
    };
    assert_eq!(reason(&nested(8)), None);
    assert_eq!(reason(&nested(12)), Some(Reason::TooLarge));
    let many: String = (0..3_000).map(|n| one("task", &format!("t{n}"))).collect();
    assert_eq!(reason(&file(&many)), Some(Reason::TooLarge));
}

#[test]
fn pictures_lanes_and_data_are_passed_over() {
    let inner = r#"<laneSet id="l"><lane id="l1"><flowNodeRef>s</flowNodeRef></lane></laneSet><dataObject id="o"/>
        <textAnnotation id="t"><text>note</text></textAnnotation><association id="as" sourceRef="s" targetRef="t"/>
        <startEvent id="s"><outgoing>s-e</outgoing></startEvent><endEvent id="e"><incoming>s-e</incoming></endEvent>"#;
    let process = parse(&file(&(inner.to_owned() + &flows("s>e")))).processes.remove(0);
    assert_eq!(process.nodes.len(), 2);
    assert_eq!(process.node(0).map(|node| node.kind.clone()), Some(Kind::Start(Trigger::None)));
}
