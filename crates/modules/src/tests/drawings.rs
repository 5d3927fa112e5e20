//! Procedures of the tests, drawn small.

use super::code;

/// Offices by their names in the city.
fn offices(text: &str) -> String {
    let text = text.replace("@LOCK", LOCK);
    ["bureau", "notary", "court"].into_iter().fold(text, |text, name| text.replace(&format!("@{name}"), code(name).as_str()))
}

/// Bills are paid once: the case deposits each in the notary's name, which is refused the second time, and gives it up again when
/// it is not paid.
pub(crate) fn bills() -> String {
    offices(BILLS)
}

/// The same with two deposits in one step.
pub(crate) fn twobills() -> String {
    let lock = LOCK
        .replace("id=\"lock\"", "id=\"lock2\"")
        .replace("=sha\"", "=sm\"")
        .replace("=sm\" target=\"sm3\"", "=sha\" target=\"sm3\"");
    let lock = lock.replace("value=\"bill\"", "value=\"bill2\"");
    offices(
        &BILLS
            .replace("id=\"bills\"", "id=\"twobills\"")
            .replace("<!--more-->", &format!("{lock}<sequenceFlow id=\"f9\" sourceRef=\"lock2\" targetRef=\"decide\"/>"))
            .replace("sourceRef=\"lock\" targetRef=\"decide\"", "sourceRef=\"lock\" targetRef=\"lock2\""),
    )
}

const LOCK: &str = r#"<serviceTask id="lock"><extensionElements><zeebe:taskDefinition type="evidence.deposit"/>
<zeebe:taskHeaders><zeebe:header key="resultVariable" value="bill"/></zeebe:taskHeaders>
<zeebe:ioMapping><zeebe:input source="=sha" target="sha256"/><zeebe:input source="=sm" target="sm3"/><zeebe:input source="=size" target="size"/>
<zeebe:input source="=root" target="chunks_root"/><zeebe:input source="某市票据办法第三条" target="legal_basis"/></zeebe:ioMapping>
<zeebe:properties><zeebe:property name="organisation" value="keeper"/></zeebe:properties></extensionElements></serviceTask>"#;

const BILLS: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="urn:test">
<error id="twice" errorCode="evidence.already_deposited"/>
<process id="bills" name="票据" isExecutable="true"><extensionElements><zeebe:properties>
<zeebe:property name="variable:sha" value="commitment"/><zeebe:property name="variable:sm" value="commitment"/><zeebe:property name="variable:root" value="commitment"/>
<zeebe:property name="variable:size" value="number"/><zeebe:property name="variable:paid" value="boolean"/><zeebe:property name="variable:outcome" value="string"/>
<zeebe:property name="office:desk" value="@bureau"/><zeebe:property name="office:keeper" value="@notary"/><zeebe:property name="supervisor" value="@court"/>
<zeebe:property name="right:evidence.deposit" value="keeper"/><zeebe:property name="right:evidence.withdraw" value="keeper"/>
<zeebe:property name="material:bill" value="exchange:bills"/>
</zeebe:properties></extensionElements>
<startEvent id="s"><extensionElements><zeebe:properties><zeebe:property name="material:form" value="applicant"/></zeebe:properties></extensionElements></startEvent>
<userTask id="accept"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask>
@LOCK
<boundaryEvent id="again" attachedToRef="lock"><errorEventDefinition errorRef="twice"/></boundaryEvent>
<userTask id="tell"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask>
<userTask id="decide"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask>
<exclusiveGateway id="g" default="g-unlock"/>
<serviceTask id="unlock"><extensionElements><zeebe:taskDefinition type="evidence.withdraw"/>
<zeebe:ioMapping><zeebe:input source="=sha" target="sha256"/><zeebe:input source="=bill.sequence" target="sequence"/><zeebe:input source="other" target="reason"/></zeebe:ioMapping>
<zeebe:properties><zeebe:property name="organisation" value="keeper"/></zeebe:properties></extensionElements></serviceTask>
<endEvent id="e1"/><endEvent id="e2"/><endEvent id="e3"/><!--more-->
<sequenceFlow id="f1" sourceRef="s" targetRef="accept"/><sequenceFlow id="f2" sourceRef="accept" targetRef="lock"/>
<sequenceFlow id="f3" sourceRef="lock" targetRef="decide"/><sequenceFlow id="f4" sourceRef="decide" targetRef="g"/>
<sequenceFlow id="f5" sourceRef="g" targetRef="e1"><conditionExpression>=paid</conditionExpression></sequenceFlow>
<sequenceFlow id="g-unlock" sourceRef="g" targetRef="unlock"/><sequenceFlow id="f6" sourceRef="unlock" targetRef="e2"/>
<sequenceFlow id="f7" sourceRef="again" targetRef="tell"/><sequenceFlow id="f8" sourceRef="tell" targetRef="e3"/>
</process></definitions>"#;

/// A period of ten working days beside timers of as many: one that follows the clock, one of days that goes on, and one more
/// that begins with the second task.
pub(crate) fn timed() -> String {
    offices(TIMED)
}

const TIMED: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="urn:test">
<process id="timed" name="计时" isExecutable="true"><extensionElements><zeebe:properties>
<zeebe:property name="office:desk" value="@bureau"/><zeebe:property name="limit:statutory" value="10"/>
</zeebe:properties></extensionElements>
<startEvent id="s"/><parallelGateway id="fork"/>
<userTask id="first"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask>
<userTask id="second"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask>
<userTask id="notice"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask>
<boundaryEvent id="first_late" attachedToRef="notice" cancelActivity="false"><extensionElements><zeebe:properties><zeebe:property name="unit" value="workday"/></zeebe:properties></extensionElements><timerEventDefinition><timeDuration>P10D</timeDuration></timerEventDefinition></boundaryEvent>
<boundaryEvent id="notice_over" attachedToRef="notice" cancelActivity="false"><timerEventDefinition><timeDuration>P7D</timeDuration></timerEventDefinition></boundaryEvent>
<boundaryEvent id="second_late" attachedToRef="second" cancelActivity="false"><extensionElements><zeebe:properties><zeebe:property name="unit" value="workday"/></zeebe:properties></extensionElements><timerEventDefinition><timeDuration>P3D</timeDuration></timerEventDefinition></boundaryEvent>
<endEvent id="e"/><endEvent id="e1"/><endEvent id="e2"/><endEvent id="e3"/><endEvent id="e4"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="fork"/><sequenceFlow id="f2" sourceRef="fork" targetRef="first"/><sequenceFlow id="f3" sourceRef="fork" targetRef="notice"/>
<sequenceFlow id="f4" sourceRef="first" targetRef="second"/><sequenceFlow id="f5" sourceRef="second" targetRef="e"/><sequenceFlow id="f6" sourceRef="notice" targetRef="e1"/>
<sequenceFlow id="f7" sourceRef="first_late" targetRef="e2"/><sequenceFlow id="f8" sourceRef="notice_over" targetRef="e3"/><sequenceFlow id="f9" sourceRef="second_late" targetRef="e4"/>
</process></definitions>"#;

/// A procedure of two tasks with something between them, or at the edge of the first, by which cases once stood still.
pub(crate) fn short(name: &str) -> String {
    let flow = |from: &str, to: &str| format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#);
    let through = |element: &str| element.to_owned() + &flow("first", "x") + &flow("x", "second");
    let late = |cancel: bool, more: &str, time: &str| {
        format!(
            r#"<boundaryEvent id="late" attachedToRef="first" cancelActivity="{cancel}"><extensionElements><zeebe:properties>{more}</zeebe:properties></extensionElements><timerEventDefinition>{time}</timerEventDefinition></boundaryEvent><userTask id="urged"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask><endEvent id="e2"/>"#
        ) + &flow("first", "second")
    };
    let between = match name {
        "doubled" => through(
            r#"<businessRuleTask id="x"><extensionElements><zeebe:calledDecision decisionId="grade" resultVariable="grade"/></extensionElements></businessRuleTask>"#,
        ),
        "endless" => through(
            r#"<serviceTask id="x"><extensionElements><zeebe:taskDefinition type="reckon"/><zeebe:properties><zeebe:property name="organisation" value="desk"/></zeebe:properties><zeebe:ioMapping><zeebe:input source="=duration(&quot;P900000000000000Y&quot;) + duration(&quot;P900000000000000Y&quot;)" target="term"/></zeebe:ioMapping></extensionElements></serviceTask>"#,
        ),
        "looped" => through(&format!(
            r#"<userTask id="x"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements><multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=[1,2]" inputElement="{}"/></extensionElements></multiInstanceLoopCharacteristics></userTask>"#,
            "n".repeat(129)
        )),
        "caller" => through(
            r#"<callActivity id="x"><extensionElements><zeebe:calledElement processId="called/called"/></extensionElements></callActivity>"#,
        ),
        "gated" => {
            let deed = r#"<zeebe:property name="material:deed" value="applicant"/>"#;
            late(true, deed, "<timeDuration>P1D</timeDuration>") + &flow("late", "urged") + &flow("urged", "e2")
        }
        // Each time is dear: a list is gone through.
        "crowded" => {
            let gate = r#"<exclusiveGateway id="g" default="g-e2"/><sequenceFlow id="g-urged" sourceRef="g" targetRef="urged"><conditionExpression>=count(for i in 1..20000 return i) = 1</conditionExpression></sequenceFlow>"#;
            late(false, "", "<timeCycle>R100/PT1H</timeCycle>")
                + gate
                + &flow("late", "g")
                + &flow("g", "e2")
                + &flow("urged", "e2")
        }
        _ => flow("first", "second"),
    };
    let user = |id: &str| {
        format!(
            r#"<userTask id="{id}"><extensionElements><zeebe:assignmentDefinition candidateGroups="desk"/></extensionElements></userTask>"#
        )
    };
    let (first, second) = (user("first"), user("second"));
    offices(&format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="urn:test">
<process id="{name}" name="短" isExecutable="true"><extensionElements><zeebe:properties>
<zeebe:property name="variable:n" value="number"/><zeebe:property name="office:desk" value="@bureau"/><zeebe:property name="supervisor" value="@court"/><zeebe:property name="limit:statutory" value="10"/>
</zeebe:properties></extensionElements>
<startEvent id="s"/>{first}{between}{second}<endEvent id="e"/>{}{}
</process></definitions>"#,
        flow("s", "first"),
        flow("second", "e")
    ))
}
