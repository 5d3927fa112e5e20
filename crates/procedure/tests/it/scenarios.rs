//! The city's procedures under `scenarios/`: each is accepted for deployment, is drawn, and comes to its ends whatever is decided.

use crate::support::{Case, World};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use zhulian_procedure::instance::What;
use zhulian_procedure::model::{Kind, Trigger};
use zhulian_procedure::{Definitions, Expression, Process, Variables, check, simulate};
use zhulian_rules::{Model, Profile, Value, gas::Gas};

/// Plays of each procedure.
const PLAYS: u64 = 300;

/// The procedures with the folders of their packs, so that none is lost.
const PROCEDURES: [(&str, &str); 8] = [
    ("authorised-loan", "authorised-loan"),
    ("authorised-loan", "loan-monitoring"),
    ("company-deregistration", "company-deregistration"),
    ("marriage-registration", "divorce-registration"),
    ("marriage-registration", "marriage-registration"),
    ("medical-assistance", "medical-assistance"),
    ("medical-reimbursement", "medical-reimbursement"),
    ("property-transfer", "property-transfer"),
];

/// Procedures that were drawn after a log, without decisions of their own.
const MODELLED: [(&str, &str); 1] = [("municipal-permits", "permit-receipt")];

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROCEDURES.into_iter().chain(MODELLED)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn parsed(folder: &str, name: &str) -> (String, Definitions) {
    let source = read(&format!("{folder}/{name}.bpmn"));
    let definitions = Definitions::parse(&source).unwrap_or_else(|refusals| panic!("{name}: {refusals:#?}"));
    assert_eq!(definitions.processes.iter().map(|process| process.id.as_str()).collect::<Vec<_>>(), [name]);
    (source, definitions)
}

#[test]
fn every_file_is_known_here() {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("scenarios").flatten().filter(|entry| entry.path().is_dir()) {
        let scenario = entry.file_name().into_string().expect("a name");
        for file in std::fs::read_dir(entry.path()).expect("a folder").flatten() {
            let file = file.file_name().into_string().expect("a name");
            found.extend(file.strip_suffix(".bpmn").map(|name| (scenario.clone(), name.to_owned())));
        }
    }
    found.sort();
    let mut known: Vec<_> = all().map(|(folder, name)| (folder.to_owned(), name.to_owned())).collect();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn each_is_accepted_and_comes_to_every_end() {
    for (folder, name) in all() {
        let (_, definitions) = parsed(folder, name);
        let process = &definitions.processes[0];
        check(process).unwrap_or_else(|refusals| panic!("{name}: {refusals:#?}"));
        let mut entered = BTreeSet::new();
        for seed in 0..PLAYS {
            let play =
                simulate::play(&definitions, name, seed, 1_000).unwrap_or_else(|fault| panic!("{name} {seed}: {fault}"));
            assert!(play.ended, "{name} {seed}: {:?}", play.trace);
            entered.extend(play.trace.into_iter().filter(|trace| trace.what == What::Entered).map(|trace| trace.element));
        }
        // Plays do not fail at work: what only an error leads to is tried in a case of its own.
        let failure = |id: &str| {
            let node = process.find(id).and_then(|id| process.node(id));
            matches!(node.map(|node| &node.kind), Some(Kind::Boundary { trigger: Trigger::Error(_), .. }))
        };
        let never: Vec<&str> =
            process.nodes.iter().map(|node| node.id.as_str()).filter(|id| !entered.contains(*id) && !failure(id)).collect();
        let wanted: &[&str] = if name == "medical-reimbursement" { &["account"] } else { &[] };
        assert_eq!(never, wanted, "{name}");
    }
}

#[test]
fn what_is_decided_is_in_the_pack_and_its_facts_can_be_stated() {
    for (folder, name) in PROCEDURES {
        let (_, definitions) = parsed(folder, name);
        let process = &definitions.processes[0];
        let model = Model::compile(&[&read(&format!("{folder}/{folder}.dmn"))], Profile::Strict).expect("decisions");
        let rates = if self::folder().join(folder).join("rates.txt").exists() {
            read(&format!("{folder}/rates.txt"))
        } else {
            String::new()
        };
        for node in &process.nodes {
            let Kind::Decision { decision, .. } = &node.kind else { continue };
            assert!(model.decision_index(decision).is_some(), "{name}: {decision}");
            for (fact, _) in model.required(decision) {
                let stated = process.variables().any(|(known, _)| known == fact);
                let mapped = node.inputs.iter().any(|mapping| mapping.target == fact);
                let fixed = rates.lines().any(|line| line.split_once('=').is_some_and(|(rate, _)| rate.trim() == fact));
                assert!(stated || mapped || fixed, "{name}: {decision} needs {fact}");
            }
        }
    }
}

#[test]
fn each_is_drawn_without_overlaps() {
    for (folder, name) in all() {
        let (source, definitions) = parsed(folder, name);
        let process = &definitions.processes[0];
        let document = roxmltree::Document::parse(&source).expect("XML");
        let mut shapes = Vec::new();
        for shape in document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.omg.org/spec/BPMN/20100524/DI", "BPMNShape")))
        {
            let bounds = shape.children().find(|node| node.tag_name().name() == "Bounds").expect("bounds");
            let side = |key: &str| bounds.attribute(key).and_then(|text| text.parse::<i32>().ok()).expect("a whole number");
            let element = shape.attribute("bpmnElement").expect("an element");
            shapes.push((element, side("x"), side("y"), side("width"), side("height")));
        }
        let edges = |id: &str| source.contains(&format!("bpmnElement=\"{id}\""));
        assert!(process.flows.iter().all(|flow| edges(&flow.id)), "{name}: a flow is not drawn");
        assert_eq!(shapes.len(), process.nodes.len(), "{name}: an element is not drawn");
        let kind =
            |process: &Process, id: &str| process.find(id).and_then(|id| process.node(id)).map(|node| node.kind.clone());
        let may_cover = |id: &str| matches!(kind(process, id), Some(Kind::Boundary { .. } | Kind::SubProcess));
        for (at, (a, ax, ay, aw, ah)) in shapes.iter().enumerate() {
            for (b, bx, by, bw, bh) in &shapes[at + 1..] {
                let apart = ax + aw <= *bx || bx + bw <= *ax || ay + ah <= *by || by + bh <= *ay;
                assert!(apart || may_cover(a) || may_cover(b), "{name}: {a} and {b} overlap");
            }
        }
    }
}

/// The value of an expression without variables.
fn feel(text: &str) -> Value {
    Expression::value(&format!("={text}")).evaluate(&[], &mut Gas::new(10_000)).expect("a value")
}

/// A case of a scenario whose decisions are given.
fn case(folder: &str, name: &str, decisions: &[(&str, &str)]) -> Case {
    let source = read(&format!("{folder}/{name}.bpmn"));
    let mut world = World::of(&source);
    for (decision, result) in decisions {
        world.decisions.insert((*decision).to_owned(), feel(result));
    }
    Case::try_with(world, name, None, &Variables::default()).expect("the case starts")
}

fn outcome(case: &Case) -> String {
    assert!(case.is_over(), "waits for {}", case.work());
    case.variable("outcome")
}

#[test]
fn a_deregistration_waits_twenty_days_and_its_late_decision_is_reminded() {
    let decisions = [("decision_Track", r#"{track: "简易注销"}"#), ("decision_Approval", "{approved: true}")];
    let mut case = case("company-deregistration", "company-deregistration", &decisions);
    case.done("accept").done("publish");
    assert_eq!(case.work(), "check_tax check_hr check_customs check_bank");
    for check in ["check_tax", "check_hr", "check_customs", "check_bank"] {
        case.done(check);
    }
    case.hours(20 * 24 - 1);
    assert!(case.try_message("application", &Variables::default()).is_err(), "the twenty days are not over");
    case.hours(1).message("application");
    assert_eq!(case.work(), "grant");
    // Three working days, of which this world has one in two days.
    case.hours(5 * 24);
    assert!(!case.trace().contains("grant_late"));
    case.hours(24);
    assert_eq!(case.trace(), "grant_late grant_reminded");
    assert_eq!(case.work(), "grant");
    case.done("grant").done("cancel");
    assert_eq!(outcome(&case), r#""granted""#);
}

#[test]
fn an_objection_ends_a_simplified_deregistration_with_its_checks() {
    let mut case = case("company-deregistration", "company-deregistration", &[("decision_Track", r#"{track: "简易注销"}"#)]);
    case.done("accept").done("publish").done("check_tax").hours(19 * 24).message("objection");
    case.done("object");
    assert!(case.trace().contains("xcheck_bank xcheck_customs xcheck_hr"), "{}", case.trace());
    assert_eq!(outcome(&case), r#""refused""#);
}

#[test]
fn nobody_who_does_not_apply_within_twenty_days_of_publicity_is_deregistered() {
    let mut case = case("company-deregistration", "company-deregistration", &[("decision_Track", r#"{track: "简易注销"}"#)]);
    case.done("accept").done("publish").done("check_tax").done("check_hr").done("check_customs").done("check_bank");
    case.hours(20 * 24).hours(20 * 24);
    case.done("lapse");
    assert_eq!(outcome(&case), r#""withdrawn""#);
}

#[test]
fn a_divorce_cools_for_thirty_days_and_lapses_after_thirty_more() {
    let begun = |stage: &str| case("marriage-registration", "divorce-registration", &[("decision_Divorce", stage)]);
    let mut waiting = begun(r#"{step: "等待双方到场"}"#);
    waiting.done("accept").hours(30 * 24 - 1);
    assert!(waiting.try_message("appearance", &Variables::default()).is_err(), "still cooling");
    waiting.hours(1);
    // One who comes alone waits on, and the thirty days do not begin again.
    waiting.hours(20 * 24).message("appearance").hours(10 * 24);
    waiting.done("lapse");
    assert_eq!(outcome(&waiting), r#""withdrawn""#);
    let mut granted = begun(r#"{step: "准予离婚"}"#);
    granted.done("accept").hours(30 * 24).message("appearance").done("issue");
    assert_eq!(outcome(&granted), r#""granted""#);
    for early in [true, false] {
        let mut withdrawn = begun(r#"{step: "准予离婚"}"#);
        withdrawn.done("accept").hours(if early { 1 } else { 31 * 24 }).message("withdrawal").done("withdraw");
        assert_eq!(outcome(&withdrawn), r#""withdrawn""#);
    }
}

/// What is known of a bill when it is accepted.
fn bill() -> Variables {
    let digest = Value::text(&"0".repeat(64));
    let digests = ["Bill sha256", "Bill sm3", "Bill chunks root"].map(|name| (name, digest.clone()));
    let [sha256, sm3, root] = digests;
    Variables::of([sha256, sm3, root, ("Bill size", Value::Number(5.into()))])
}

#[test]
fn a_reimbursement_is_paid_again_to_the_right_account() {
    let decisions =
        [("decision_Claim", "{accepted: true}"), ("decision_Fund_pays", "50000.01"), ("decision_Patient_pays", "9")];
    let mut case = case("medical-reimbursement", "medical-reimbursement", &decisions);
    case.done_with("accept", &bill()).done("anchor").done("lock").done("insured").done("visits");
    assert_eq!(case.work(), "review");
    case.done("review").fail("pay", "account-invalid").done("account").done("pay");
    assert_eq!(outcome(&case), r#""granted""#);
}

#[test]
fn a_bill_that_was_reimbursed_is_refused_and_one_that_is_not_accepted_is_given_up() {
    let mut again = case("medical-reimbursement", "medical-reimbursement", &[]);
    again.done_with("accept", &bill()).fail("anchor", "evidence.already_deposited").done("refuse");
    assert_eq!(outcome(&again), r#""refused""#);
    let mut refused = case("medical-reimbursement", "medical-reimbursement", &[("decision_Claim", "{accepted: false}")]);
    let evidence = Variables::of([("bill evidence", feel("{sequence: 0}"))]);
    refused.done_with("accept", &bill()).done_with("anchor", &evidence).done("lock").done("insured").done("visits");
    refused.done("unlock").done("release");
    refused.done("refuse");
    assert_eq!(outcome(&refused), r#""refused""#);
}

#[test]
fn an_objection_to_assistance_is_looked_into_and_the_class_is_decided_again() {
    let decisions = [("decision_Class", r#""二类""#), ("decision_Assistance", "6000.01")];
    let mut case = case("medical-assistance", "medical-assistance", &decisions);
    case.done("accept").done("means").done("review").done("publish").message("objection").done("visit");
    case.done("review").done("publish").hours(7 * 24).done("confirm").done("pay");
    assert_eq!((outcome(&case).as_str(), case.variable("assistance").as_str()), (r#""granted""#, "6000.01"));
}

#[test]
fn a_transfer_is_corrected_once_and_registered_with_its_mortgage() {
    let decisions = |proceed: &'static str| {
        [
            ("decision_Purchase", "{allowed: true}"),
            ("decision_Loan_ceiling", "1700000"),
            ("decision_Deed_tax", "21000"),
            ("decision_Registration", proceed),
        ]
    };
    let mut case = case("property-transfer", "property-transfer", &decisions("{proceed: false}"));
    case.done("accept");
    assert_eq!(case.work(), "check_rights check_houses check_marriage check_insured appraise");
    for check in ["check_rights", "check_houses", "check_marriage", "check_insured", "appraise"] {
        case.done(check);
    }
    case.done("contract").done("pay_tax").done("correct");
    case.world.decisions.insert("decision_Registration".into(), feel("{proceed: true}"));
    case.message("corrected").done("register").done("issue").done("release").done("utilities_move");
    assert_eq!(outcome(&case), r#""granted""#);
}

#[test]
fn a_loan_without_usable_data_waits_for_a_new_authorisation() {
    let decisions = [
        ("decision_Data_use", "{usable: false}"),
        ("decision_Grade", r#"{grade: "一"}"#),
        ("decision_Ceiling", "3000000"),
        ("decision_Loan", "{granted: true}"),
    ];
    let mut case = case("authorised-loan", "authorised-loan", &decisions);
    case.done("accept").done("tax_data").done("hr_data").done("court_data");
    case.world.decisions.insert("decision_Data_use".into(), feel("{usable: true}"));
    case.message("authorisation-renewed").done("tax_data").done("hr_data").done("court_data").done("sign").done("disburse");
    assert_eq!(outcome(&case), r#""granted""#);
}

#[test]
fn the_data_of_a_loan_are_renewed_monthly_until_it_is_repaid() {
    let mut case = case("authorised-loan", "loan-monitoring", &[("decision_Data_use", "{usable: true}")]);
    case.hours(31 * 24).done("refresh").hours(31 * 24).done("refresh").message("loan-repaid");
    assert_eq!(case.work(), "expire");
    case.done("expire");
    assert!(case.is_over());
}

#[test]
fn a_marriage_is_registered_by_what_three_found() {
    for (registered, task, wanted) in [("true", "issue", r#""granted""#), ("false", "refuse", r#""refused""#)] {
        let decision = format!("{{registered: {registered}}}");
        let mut case = case("marriage-registration", "marriage-registration", &[("decision_Marriage", &decision)]);
        case.done("accept").done("ask").done("identify").done("query");
        if registered == "true" {
            case.done("record");
        }
        case.done(task);
        assert_eq!(outcome(&case), wanted);
    }
}
