//! `zhulian rules`: checking, testing, explaining, timing, comparing, and deciding again from a receipt.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use zhulian_crypto::{Algorithm, SigningKey, sha256};
use zhulian_execution::Event as _;
use zhulian_ledger::merkle::root;
use zhulian_modules::{
    identity::{MemberId, Uscc},
    rulepack::{Decide, Decided, Fact, Hit, PackId},
};
use zhulian_primitives::{Block, Call, Certificate, Header, Network, Receipt, TransactionId, Validator, codec, sign};
use zhulian_verify::{ReceiptFile, print_network};

use crate::support::{code, json, stderr, stdout, zhulian};

fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn path(of: &str) -> String {
    scenarios().join(of).display().to_string()
}

fn rules(dir: &Path, arguments: &[&str]) -> Output {
    zhulian(dir, &[&["rules"], arguments].concat())
}

/// The facts of a child whose bill is assisted.
const ORPHAN: &str = r#"{"Support class": "孤儿", "Monthly income per head": 0, "Family assets": 0, "Family cars": 0,
    "Own cost": "1234.56", "Family yearly income": 0, "Assisted this year": 0}"#;

#[test]
fn what_would_be_accepted_is_said_with_its_decisions() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = rules(dir.path(), &["check", &path("medical-assistance/pack.json"), "--json"]);
    assert_eq!(code(&output), 0, "{} {}", stdout(&output), stderr(&output));
    let said = json(&output);
    assert_eq!(said["accepted"], true);
    assert_eq!(said["calendar"]["last"], "2026-12-31");
    assert_eq!(said["rates"].as_array().map(Vec::len), Some(4));
    assert_eq!(said["documents"].as_array().map(Vec::len), Some(5));
    let assistance = said["decisions"].as_array().expect("a list").iter().find(|it| it["decision"] == "Assistance");
    // What the pack fixes is not asked for.
    assert_eq!(assistance.expect("a decision")["needs"].as_array().map(Vec::len), Some(7));
    for lone in ["property-transfer", "company-deregistration", "marriage-registration"] {
        let output = rules(dir.path(), &["check", &path(&format!("{lone}/{lone}.dmn"))]);
        assert_eq!(code(&output), 0, "{lone}: {}", stdout(&output));
    }
}

#[test]
fn a_borrowed_calendar_goes_on_where_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let borrowed = rules(dir.path(), &["calendar", &path("medical-assistance/pack.json"), "--out", "next", "--lang", "en"]);
    assert_eq!(code(&borrowed), 2);
    let said = stderr(&borrowed);
    assert!(said.contains("borrows the calendar") && said.contains("working-days/pack.json"), "{said}");
    assert!(!dir.path().join("next").exists(), "nothing is written");
    let own = rules(dir.path(), &["calendar", &path("packs/working-days/pack.json"), "--out", "next"]);
    assert_eq!(code(&own), 0, "{}", stderr(&own));
    assert!(dir.path().join("next/working-days.calendar").exists());
}

#[test]
fn what_would_be_refused_is_said_with_element_and_remedy_in_both_languages() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = fs::read_to_string(path("medical-assistance/medical-assistance.dmn")).expect("a file");
    let wrong = source.replacen("Own cost - Deductible", "Own cots - Deductible", 1);
    fs::write(dir.path().join("wrong.dmn"), wrong).expect("a file");
    let output = rules(dir.path(), &["check", "wrong.dmn", "--json"]);
    assert_eq!(code(&output), 1);
    let said = json(&output);
    assert_eq!(said["accepted"], false);
    let refusals = said["refusals"].as_array().expect("a list");
    let unknown = refusals.iter().find(|it| it["element"] == "Assistance").expect("the element is named");
    assert_eq!(unknown["remedy"]["en"], "add the information requirement, or correct the name");
    assert_eq!(unknown["remedy"]["zh"], "请补充信息依赖，或更正名称");
    let chinese = rules(dir.path(), &["check", "wrong.dmn", "--lang", "zh"]);
    assert!(stdout(&chinese).contains("不会被接受") && stdout(&chinese).contains("请补充信息依赖"), "{}", stdout(&chinese));
    let absent = rules(dir.path(), &["check", "nowhere.dmn"]);
    assert_ne!(code(&absent), 0);
    fs::write(dir.path().join("bomb.dmn"), "<!DOCTYPE d [<!ENTITY a \"a\">]><d>&a;</d>").expect("a file");
    assert_eq!(code(&rules(dir.path(), &["check", "bomb.dmn"])), 1);
}

#[test]
fn a_table_of_cases_passes_or_names_what_does_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let (pack, cases) = (path("medical-assistance/pack.json"), path("medical-assistance/medical-assistance-test.xml"));
    let output = rules(dir.path(), &["test", &pack, "--cases", &cases, "--json"]);
    assert_eq!(code(&output), 0, "{} {}", stdout(&output), stderr(&output));
    assert_eq!(json(&output)["failures"].as_array().map(Vec::len), Some(0));
    assert_eq!(json(&output)["untested_rules"].as_array().map(Vec::len), Some(0));
    let own = format!(
        r#"[{{"id": "right", "facts": {ORPHAN}, "expect": {{"Assistance": 1234.56}}}},
            {{"id": "wrong", "facts": {ORPHAN}, "expect": {{"Assistance": 1, "Class": "一类"}}}}]"#
    );
    fs::write(dir.path().join("cases.json"), own).expect("a file");
    let output = rules(dir.path(), &["test", &pack, "--cases", "cases.json", "--json"]);
    assert_eq!(code(&output), 1);
    let said = json(&output);
    assert_eq!((&said["total"], &said["passed"]), (&3.into(), &2.into()));
    assert_eq!(said["failures"][0]["case"], "wrong");
    assert_eq!(said["failures"][0]["found"], "1234.56");
}

#[test]
fn an_explanation_tells_a_clerk_the_rule_the_facts_and_what_would_change_it() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("facts.json"), ORPHAN).expect("a file");
    let pack = path("medical-assistance/pack.json");
    let asked = ["explain", &pack, "--decision", "Assistance", "--facts", "facts.json"];
    let output = rules(dir.path(), &asked);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    for part in [
        "Assistance gives: 1234.56",
        "国办发〔2021〕42号",
        "Own cost = 1234.56",
        "rule 1 (decision_Class_rule1): because: 救助供养类别 Support class \"特困\",\"孤儿\"; gives: \"一类\"",
        "rule 2 would have matched if: 类别 Class \"二类\" (is \"一类\"); gives: 0.75, 0",
        "Decision Deductible: Terms.deductible share * Disposable income = 0",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let chinese = rules(dir.path(), &[&asked[..], &["--lang", "zh"]].concat());
    assert!(stdout(&chinese).contains("若满足以下条件则会命中"), "{}", stdout(&chinese));
    let class = rules(dir.path(), &["explain", &pack, "--decision", "Class", "--fact", "Support class=\"低保\""]);
    assert_eq!(code(&class), 1);
    assert!(stderr(&class).contains("Monthly income per head is missing"), "{}", stderr(&class));
    let unclear = rules(dir.path(), &["explain", &pack]);
    assert_eq!(code(&unclear), 2);
    assert!(stderr(&unclear).contains("Class, Terms, Deductible, Assistance"), "{}", stderr(&unclear));
}

#[test]
fn a_decision_is_timed_with_its_gas() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("facts.json"), ORPHAN).expect("a file");
    let pack = path("medical-assistance/pack.json");
    let output = rules(dir.path(), &["bench", &pack, "-d", "Assistance", "--facts", "facts.json", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let case = json(&output)["cases"][0].clone();
    assert!(case["gas"].as_u64() > Some(10) && case["least_us"].as_f64() > Some(0.0), "{case}");
    assert!(case["median_us"].as_f64() >= case["least_us"].as_f64());
}

#[test]
fn a_new_version_is_compared_with_the_old_one_on_a_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let (old, new) = (path("medical-assistance/pack.json"), path("medical-assistance/pack-2.json"));
    let log = path("medical-assistance/log.jsonl");
    let same = json(&rules(dir.path(), &["compare", &old, &old, "--log", &log, "--json"]));
    assert_eq!((&same["decisions"], &same["same"], &same["changed"]), (&60.into(), &60.into(), &0.into()));
    let output = rules(dir.path(), &["compare", &old, &new, "--log", &log, "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let said = json(&output);
    let count = |name: &str| said[name].as_u64().expect("a count");
    assert_eq!(count("same") + count("changed") + count("newly_undecided"), 60);
    assert!(count("changed") > 0 && count("same") > 0, "{said}");
    assert_eq!(said["changes"].as_array().map(Vec::len), Some(count("changed") as usize));
    assert_ne!(said["sum_of_numbers"]["old"], said["sum_of_numbers"]["new"]);
    // The ledger's own form of an event, with an outcome that the old version does not give.
    let event = r#"{"module": "rulepack", "name": "decided", "data": {"decision": "Terms", "facts": [], "outcome": "1"}}"#;
    fs::write(
        dir.path().join("log.jsonl"),
        format!("{event}\n\n{{\"module\": \"evidence\", \"name\": \"deposited\", \"data\": {{}}}}\n"),
    )
    .expect("a file");
    let said = json(&rules(dir.path(), &["compare", &old, &new, "--log", "log.jsonl", "--json"]));
    assert_eq!((&said["decisions"], &said["undecided_in_both"], &said["not_as_logged"]), (&1.into(), &1.into(), &1.into()));
    fs::write(dir.path().join("log.jsonl"), "no json\n").expect("a file");
    assert_eq!(code(&rules(dir.path(), &["compare", &old, &new, "--log", "log.jsonl"])), 2);
}

/// A network of four and the receipt of a decision that it certified.
struct World {
    network: Network,
    keys: Vec<SigningKey>,
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &sha256(name.as_bytes())).expect("a seed")
}

impl World {
    fn new() -> Self {
        let mut keys: Vec<SigningKey> = (0..4).map(|n| key(&format!("validator {n}"))).collect();
        keys.sort_by_key(SigningKey::public_key);
        let validators = keys.iter().enumerate().map(|(n, key)| Validator {
            name: format!("validator {n}"),
            organisation: "11330100MB0000001X".into(),
            public_key: key.public_key().as_bytes().try_into().expect("32 bytes"),
        });
        let network = Network { name: "Test City".into(), chain: [7; 32], epoch: 0, validators: validators.collect() };
        network.check().expect("sorted");
        Self { network, keys }
    }

    fn receipt(&self, decided: &Decided) -> Vec<u8> {
        let args = codec::to_bytes(&Decide {
            pack: decided.pack.clone(),
            version: None,
            decision: decided.decision.clone(),
            facts: decided.facts.clone(),
            subject: None,
        });
        let call =
            Call { chain: [7; 32], module: "rulepack", call: "decide", args: &args, nonce: [1; 16], valid_until: 100 };
        let transaction = sign(&call, &key("officer"));
        let id = TransactionId(sha256(&transaction));
        let receipt = Receipt { transaction: id, refusal: None, events: vec![decided.record()] }.encode();
        let (transactions, receipts) = (vec![transaction], vec![receipt]);
        let header = Header {
            version: 1,
            chain: [7; 32],
            height: 9,
            time: 1_795_334_400_000,
            epoch: 0,
            view: 12,
            parent_view: 11,
            parent: [3; 32],
            proposer: self.network.validators[0].public_key,
            transaction_count: 1,
            validators: self.network.validators_digest(),
            transactions_root: root(&transactions),
            receipts_root: root(&receipts),
            state_root: [4; 32],
            sync_root: [5; 32],
            sync_start: 0,
            sync_end: 10,
        };
        let mut certificate =
            Certificate { epoch: 0, view: 12, parent_view: 11, block: header.digest(), signatures: Vec::new() };
        let message = certificate.message(&[7; 32]);
        certificate.signatures = (0..3).map(|i| (i, self.keys[i as usize].sign(&message))).collect();
        ReceiptFile::assemble(&Block { header, transactions, receipts }, 0, &[], &certificate, &[])
            .expect("in the block")
            .encode()
    }
}

/// What the ledger would have said of the decision on `ORPHAN`, as the command line computes it.
fn decided(dir: &Path) -> Decided {
    fs::write(dir.join("facts.json"), ORPHAN).expect("a file");
    let pack = path("medical-assistance/pack.json");
    let said = json(&rules(dir, &["explain", &pack, "-d", "Assistance", "--facts", "facts.json", "--json"]));
    let digest = hex::decode(said["manifest"].as_str().expect("a digest")).expect("hex");
    let fact = |(name, value): (&str, &str)| Fact { name: name.into(), value: value.into(), commitment: None };
    let facts = [
        ("Assisted this year", "0"),
        ("Family assets", "0"),
        ("Family cars", "0"),
        ("Family yearly income", "0"),
        ("Monthly income per head", "0"),
        ("Own cost", "1234.56"),
        ("Support class", "\"孤儿\""),
    ];
    Decided {
        pack: PackId::parse("medical-assistance").expect("a pack id"),
        version: 1,
        digest: digest.try_into().expect("32 bytes"),
        decision: "Assistance".into(),
        facts: facts.map(fact).into(),
        outcome: "1234.56".into(),
        gas: said["gas"].as_u64().expect("gas"),
        hits: vec![Hit { table: 0, rule: 0 }, Hit { table: 1, rule: 0 }],
        organisation: Uscc::complete("11330100MB0000001").expect("17 characters"),
        member: MemberId::parse("clerk-01").expect("an id"),
        in_force: Some(1),
        subject: None,
    }
}

#[test]
fn a_receipt_is_decided_again_to_the_same_bytes_or_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let (world, made) = (World::new(), decided(dir.path()));
    let pack = path("medical-assistance/pack.json");
    fs::write(dir.path().join("network.json"), print_network(&world.network)).expect("a file");
    let rerun = |made: &Decided, more: &[&str]| {
        fs::write(dir.path().join("a.zlr"), world.receipt(made)).expect("a file");
        rules(dir.path(), &[&["rerun", "a.zlr", "--pack", &pack], more].concat())
    };
    let output = rerun(&made, &["--network", "network.json", "--json"]);
    assert_eq!(code(&output), 0, "{} {}", stdout(&output), stderr(&output));
    let said = json(&output);
    assert_eq!((&said["identical"], &said["receipt_verified"]), (&true.into(), &true.into()));
    assert_eq!(said["canonical"], "1234.56");
    assert!(said["explanation"]["zh"].as_str().expect("text").contains("规则 1"));

    let unproven = rerun(&made, &[]);
    assert_eq!(code(&unproven), 0, "{}", stderr(&unproven));
    assert!(stdout(&unproven).contains("The receipt itself is not verified"), "{}", stdout(&unproven));

    let other_outcome = rerun(&Decided { outcome: "1234.57".into(), ..made.clone() }, &["--network", "network.json"]);
    assert_eq!(code(&other_outcome), 4, "{}", stdout(&other_outcome));
    let other_gas = rerun(&Decided { gas: made.gas + 1, ..made.clone() }, &["--network", "network.json"]);
    assert_eq!(code(&other_gas), 4);
    let other_pack = rerun(&Decided { digest: [1; 32], ..made.clone() }, &["--network", "network.json"]);
    assert_eq!(code(&other_pack), 5);
    assert!(stderr(&other_pack).contains("is not the pack that decided"), "{}", stderr(&other_pack));
    let second = path("medical-assistance/pack-2.json");
    let with_second = rules(dir.path(), &["rerun", "a.zlr", "--pack", &second]);
    assert_eq!(code(&with_second), 5);

    let mut forged = world.receipt(&made);
    let at = forged.windows(7).position(|bytes| bytes == b"1234.56").expect("the outcome");
    forged[at] = b'9';
    fs::write(dir.path().join("a.zlr"), forged).expect("a file");
    let output = rules(dir.path(), &["rerun", "a.zlr", "--pack", &pack, "--network", "network.json"]);
    assert_eq!(code(&output), 5, "{}", stdout(&output));
}

#[test]
fn every_office_of_the_scenarios_is_in_the_demonstration_city() {
    let city = zhulian_cli::local::Plan::demo();
    let mut offices = 0;
    // The procedure that was modelled after a municipality's log has that municipality's desks.
    let ours = |entry: &std::fs::DirEntry| entry.path().is_dir() && entry.file_name() != "municipal-permits";
    for folder in std::fs::read_dir(scenarios()).expect("scenarios").flatten().filter(ours) {
        for file in std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.path()) {
            if file.extension().is_none_or(|ending| ending != "bpmn") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a file");
            for named in text.split("name=\"office:").skip(1) {
                let (handle, rest) = named.split_once("\" value=\"").expect("a value");
                let code = rest.split('"').next().expect("a code");
                let found = city.organisations.iter().find(|organisation| organisation.uscc == code);
                assert_eq!(found.map(|found| found.handle.as_str()), Some(handle), "{}: {code}", file.display());
                offices += 1;
            }
        }
    }
    assert!(offices > 20, "{offices}");
}
