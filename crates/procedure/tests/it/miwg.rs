//! The BPMN Model Interchange test cases of the OMG's working group: every file is read or refused by name, and what is read
//! runs to an end whatever ways are chosen. The files are not part of the project; without them the test says so and skips.

use std::path::{Path, PathBuf};
use zhulian_procedure::{Definitions, Fault, Reason, Refusal, simulate};

/// Cases of which every file must be read and run to its end.
const REQUIRED: [&str; 18] = [
    "A.1.0", "A.2.0", "A.2.1", "A.4.0", "A.4.1", "B.1.0", "C.1.0", "C.1.1", "C.2.0", "C.3.0", "C.8.0", "C.8.1", "C.9.1",
    "A.1.1", "A.1.2", "A.2.2", "A.4.2", "C.8.2",
];
/// Plays of each process, with other choices each.
const PLAYS: u64 = 50;

fn data() -> Option<PathBuf> {
    let root = match std::env::var_os("ZHULIAN_SHARED_DATA") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let files = root.join("bpmn-miwg");
    files.is_dir().then_some(files)
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "bpmn") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_is_read_or_refused_and_runs_to_an_end() {
    let Some(root) = data() else {
        println!("skipped: the BPMN MIWG files are not there");
        return;
    };
    let (mut read, mut refused, mut ended, mut wrong) = (0, 0, 0, Vec::new());
    let all = files(&root);
    for path in &all {
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        let case = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.get(..5)).unwrap_or_default();
        let required = REQUIRED.contains(&case);
        let bytes = std::fs::read(path).expect("it can be read");
        let source = String::from_utf8_lossy(&bytes);
        let definitions = match Definitions::parse(&source) {
            Ok(definitions) => definitions,
            Err(refusals) => {
                refused += 1;
                assert!(refusals.iter().all(|r| !r.element.is_empty() && !r.detail.is_empty()), "{name}: {refusals:?}");
                let first = refusals[0].en();
                // What hangs on a refused element may be missed in consequence.
                let inside = |it: &&Refusal| it.reason == Reason::Unsupported && !OUTSIDE.contains(&it.detail.as_str());
                let found =
                    refusals.iter().find(inside).or(refusals.iter().find(|_| refusals[0].reason != Reason::Unsupported));
                wrong.extend(found.map(|it| format!("{name}: {}", it.en())));
                println!("{name}: refused: {first}");
                if required {
                    wrong.push(format!("{name}: {first}"));
                }
                continue;
            }
        };
        read += 1;
        let mut faults: Vec<(String, Fault)> = Vec::new();
        for process in &definitions.processes {
            for seed in 0..PLAYS {
                match simulate::play(&definitions, &process.id, seed, 1_000) {
                    Ok(play) if play.ended => {}
                    Ok(_) => faults.push((process.id.clone(), Fault::OutOfGas)),
                    Err(fault) => faults.push((process.id.clone(), fault)),
                }
            }
        }
        if faults.is_empty() {
            ended += 1;
        } else {
            println!("{name}: {} plays of {:?} did not end: {}", faults.len(), faults[0].0, faults[0].1);
            if required {
                wrong.push(format!("{name}: {:?}", faults[0]));
            }
        }
    }
    println!(
        "BPMN MIWG: {} files, {read} read, {ended} run to an end in all of {PLAYS} plays, {refused} refused by element",
        all.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What lies outside of the subset that is executed, as refusals name it. A file is refused for one of these and nothing else.
const OUTSIDE: [&str; 12] = [
    "adHocSubProcess",
    "cancelEventDefinition",
    "compensateEventDefinition",
    "compensation",
    "complexGateway",
    "conditionalEventDefinition",
    "escalationEventDefinition",
    "event sub-process",
    "inclusiveGateway",
    "linkEventDefinition",
    "signalEventDefinition",
    "standardLoopCharacteristics",
];

/// Expected traces of three executable cases, ours: the working group's cases test interchange, not execution.
mod traces {
    use super::data;
    use crate::support::{Case, World};
    use zhulian_procedure::Variables;
    use zhulian_rules::{Model, Profile, Value};

    /// The decision that C.8.1 imports is not among the working group's files; this one is ours, with the same results.
    const VACATION: &str = r##"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="v" name="Vacation Approval" namespace="urn:test:vacation">
<inputData id="r" name="Days requested"><variable name="Days requested" typeRef="number"/></inputData>
<inputData id="l" name="Days left"><variable name="Days left" typeRef="number"/></inputData>
<decision id="s" name="Vacation Approval Status"><variable name="Vacation Approval Status"/>
<informationRequirement><requiredInput href="#r"/></informationRequirement><informationRequirement><requiredInput href="#l"/></informationRequirement>
<decisionTable id="t" hitPolicy="UNIQUE"><input><inputExpression typeRef="boolean"><text>Days requested &lt;= Days left</text></inputExpression></input>
<input><inputExpression typeRef="number"><text>Days requested</text></inputExpression></input>
<output name="Approval" typeRef="string"/><output name="Reason" typeRef="string"/>
<rule id="a"><inputEntry><text>false</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>"Refused"</text></outputEntry><outputEntry><text>"too few days are left"</text></outputEntry></rule>
<rule id="b"><inputEntry><text>true</text></inputEntry><inputEntry><text>&gt; 20</text></inputEntry><outputEntry><text>"Manual Validation Required"</text></outputEntry><outputEntry><text>"a long absence"</text></outputEntry></rule>
<rule id="c"><inputEntry><text>true</text></inputEntry><inputEntry><text>&lt;= 20</text></inputEntry><outputEntry><text>"Approved"</text></outputEntry><outputEntry><text>"days are left"</text></outputEntry></rule>
</decisionTable></decision></definitions>"##;

    fn reference(name: &str) -> Option<String> {
        let path = data()?.join("reference").join(name);
        Some(String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned())
    }

    #[test]
    fn c_9_1_reminds_daily_and_calls_after_a_week() {
        let Some(source) = reference("C.9.1.bpmn") else { return println!("skipped: the BPMN MIWG files are not there") };
        let begin =
            || Case::try_with(World::of(&source), "requestDocument_en", None, &Variables::default()).expect("starts");
        let mut case = begin();
        assert_eq!(case.trace(), "StartEvent_DocumentRequested +SendTask_RequestDocument");
        assert_eq!(case.done("SendTask_RequestDocument").trace(), "-SendTask_RequestDocument +ReceiveTask_WaitForDocument");
        assert_eq!(case.hours(24).trace(), "BoundaryEvent_1 +SendTask_SendReminderEmail");
        assert_eq!(case.done("SendTask_SendReminderEmail").trace(), "-SendTask_SendReminderEmail EndEvent_ReminderSent");
        let mut answered =
            Case { world: World::of(&source), instance: case.instance.clone(), last: case.last.clone(), now: case.now };
        assert_eq!(
            answered.message("MESSAGE_documentReceived").trace(),
            "-ReceiveTask_WaitForDocument EndEvent_GotDocument"
        );
        assert!(answered.is_over());
        // Five more reminders at once, then the call.
        assert_eq!(case.hours(24 * 6).trace().matches("BoundaryEvent_1 ").count(), 5);
        assert!(
            case.trace().ends_with("xReceiveTask_WaitForDocument BoundaryEvent_2 +UserTask_CallCustomer"),
            "{}",
            case.trace()
        );
        case.done("UserTask_CallCustomer");
        for _ in 0..5 {
            assert!(!case.is_over());
            case.done("SendTask_SendReminderEmail");
        }
        assert!(case.is_over());
    }

    #[test]
    fn c_8_1_decides_by_its_conditions() {
        let Some(source) = reference("C.8.1.bpmn") else { return println!("skipped: the BPMN MIWG files are not there") };
        let context = |entries: &[(&str, Value)]| {
            let entries = entries.iter().map(|(name, value)| (zhulian_rules::Name::from(*name), value.clone()));
            Value::context(entries.collect()).expect("short")
        };
        let id = |case: &Case, name: &str| {
            let process = &case.world.processes["VacationRequestProcess"];
            let found = process.nodes.iter().find(|node| node.name.split_whitespace().collect::<Vec<_>>().join(" ") == name);
            found.unwrap_or_else(|| panic!("no {name}")).id.clone()
        };
        let first_work =
            |case: &Case| case.instance.work(&case.world)[0].name.split_whitespace().collect::<Vec<_>>().join(" ");
        let model = Model::compile(&[VACATION], Profile::Strict).expect("the decision is accepted");
        for (requested, approval) in [(5, "Approved"), (12, "Refused"), (25, "Manual Validation Required")] {
            let left = if requested == 25 { 30 } else { 10 };
            let facts = Variables::of([
                ("Employee Badge Number", Value::Number(7.into())),
                ("From", Value::text("2026-01-05")),
                ("To", Value::text("2026-01-09")),
            ]);
            let mut case = Case::try_with(World::of(&source), "VacationRequestProcess", None, &facts).expect("starts");
            let lookup = first_work(&case);
            let status =
                context(&[("name", Value::text("n")), ("email", Value::text("m")), ("days", Value::Number(left.into()))]);
            let body = context(&[("value", Value::list(vec![status]).expect("short"))]);
            let element = id(&case, &lookup);
            case.done_with(&element, &Variables::of([("body", body)]));
            let facts = [("Days requested", requested), ("Days left", left)];
            let facts = facts.map(|(name, days)| (zhulian_rules::Name::from(name), Value::Number(days.into())));
            let decided = model.decide_surely("Vacation Approval Status", &facts, 100_000).expect("it is decided").value;
            let rule = first_work(&case);
            let element = id(&case, &rule);
            case.done_with(&element, &Variables::of([("Vacation Approval Status", decided)]));
            assert_eq!(case.variable("Vacation Approval"), format!("\"{approval}\""));
            let now = first_work(&case);
            let person = case.instance.work(&case.world)[0].by_person;
            assert_eq!(person, approval == "Manual Validation Required", "{now}");
            if person {
                let element = id(&case, &now);
                case.done_with(&element, &Variables::of([("Vacation Approval", Value::text("Approved"))]));
                assert_ne!(first_work(&case), now);
            }
            while !case.is_over() {
                let element = case.instance.work(&case.world)[0].element.clone();
                case.done(&element);
            }
        }
    }

    #[test]
    fn c_1_1_can_be_drawn_and_played_but_not_deployed_with_foreign_conditions() {
        let Some(source) = reference("C.1.1.bpmn") else { return println!("skipped: the BPMN MIWG files are not there") };
        let process = World::of(&source).processes["handle-invoice"].clone();
        let found = zhulian_procedure::check(&process).expect_err("it is not for deployment");
        let reasons: Vec<_> = found.iter().map(|refusal| refusal.reason).collect();
        assert_eq!(reasons.iter().filter(|reason| **reason == zhulian_procedure::Reason::ForeignExpression).count(), 4);
        // The same with its conditions in FEEL, and a rejected invoice that is clarified at last.
        let feel = source
            .replace("bpmn:getDataObject('approved')]]", "=approved]]")
            .replace("not(=approved]]", "=not(approved)]]")
            .replace("not(bpmn:getDataObject('approved'))", "=not(approved)")
            .replace("bpmn:getDataObject('clarified') = 'yes'", "=clarified")
            .replace("bpmn:getDataObject('clarified') = 'no'", "=not(clarified)");
        let world = World::of(&feel);
        let mut case = Case::try_with(world, "handle-invoice", None, &Variables::default()).expect("starts");
        let yes = |name: &str, value: bool| Variables::of([(name, Value::Boolean(value))]);
        assert_eq!(case.trace(), "StartEvent_1 +assignApprover");
        assert_eq!(case.done("assignApprover").trace(), "-assignApprover +approveInvoice");
        assert_eq!(
            case.done_with("approveInvoice", &yes("approved", false)).trace(),
            "-approveInvoice invoice_approved +reviewInvoice"
        );
        assert_eq!(
            case.done_with("reviewInvoice", &yes("clarified", true)).trace(),
            "-reviewInvoice reviewSuccessful_gw +approveInvoice"
        );
        assert_eq!(
            case.done_with("approveInvoice", &yes("approved", true)).trace(),
            "-approveInvoice invoice_approved +prepareBankTransfer"
        );
        let trace = case.done("prepareBankTransfer").trace();
        assert!(trace.starts_with("-prepareBankTransfer +"), "{trace}");
        while !case.is_over() {
            let element = case.instance.work(&case.world)[0].element.clone();
            case.done(&element);
        }
        assert!(case.trace().ends_with("invoiceProcessed"), "{}", case.trace());
    }
}
