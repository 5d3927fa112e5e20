//! The city's scenarios as packs: each is accepted as it stands, and a bill is reimbursed once on chain.

use std::{fs, path::PathBuf};

use super::{super::*, waiting_in};
use crate::{
    rulepack::{Item, ItemKind, Manifest, Pack},
    tests::{City, check_in, code, enacted, file, manifest},
};

fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// The files that a pack's description names.
fn files(pack: &str) -> Vec<(ItemKind, String, Vec<u8>)> {
    let path = scenarios().join(pack);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{pack}: {error}"));
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\": \""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let file = |line: &str| {
        let (kind, name) = (field(line, "kind")?, field(line, "file")?);
        let bytes = fs::read(path.parent()?.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Some((ItemKind::parse(&kind)?, name, bytes))
    };
    text.lines().filter_map(file).collect()
}

#[test]
fn every_pack_is_accepted() {
    let packs = [
        ("authorised-loan/pack.json", 2),
        ("company-deregistration/pack.json", 1),
        ("marriage-registration/pack.json", 2),
        ("medical-assistance/pack.json", 1),
        ("medical-assistance/pack-2.json", 1),
        ("medical-reimbursement/pack.json", 1),
        ("property-transfer/pack.json", 1),
        ("packs/working-days/pack.json", 0),
    ];
    for (pack, procedures) in packs {
        let files = files(pack);
        let items = files.iter().map(|(kind, name, bytes)| Item::of(*kind, &name.replace("../", ""), bytes)).collect();
        let manifest = Manifest { items, ..manifest("fees", &Default::default()) };
        let bytes: Vec<Vec<u8>> = files.into_iter().map(|(.., bytes)| bytes).collect();
        let compiled = Pack::compile(manifest, &bytes).unwrap_or_else(|error| panic!("{pack}: {error}"));
        assert_eq!(compiled.procedures().len(), procedures, "{pack}");
        let based = compiled.documents().iter().all(|document| document.statute.is_some());
        assert!(based, "{pack}: a document without its legal basis");
    }
}

/// The reimbursement with the test city's organisations as its offices.
pub(crate) fn reimbursement() -> Vec<(ItemKind, &'static str, String)> {
    let text = |name: &str| fs::read_to_string(scenarios().join("medical-reimbursement").join(name)).expect("a file");
    let offices = [
        ("11339900MA0HL0189X", "bureau"),
        ("11339900MA0HL0197Q", "notary"),
        ("12339900MA0HL0082F", "notary"),
        ("91339900MA0HL004XR", "bank"),
        ("11339900MA0HL02189", "court"),
    ];
    let drawn =
        offices.iter().fold(text("medical-reimbursement.bpmn"), |text, (from, to)| text.replace(from, code(to).as_str()));
    let drawn = drawn.replace("<zeebe:property name=\"calendar\" value=\"working-days\" />", "");
    vec![
        (ItemKind::Procedure, "medical-reimbursement.bpmn", drawn),
        (ItemKind::Decisions, "medical-reimbursement.dmn", text("medical-reimbursement.dmn")),
        (ItemKind::Rates, "rates.txt", text("rates.txt")),
        (ItemKind::Documents, "documents.txt", text("documents.txt")),
        (ItemKind::Calendar, "days", "calendar 1\ncovers 2026-01-01 2026-12-31\noff 2026-01-01 元旦\n".into()),
    ]
}

#[test]
fn a_bill_is_reimbursed_once() {
    let mut city = enacted("reimbursement");
    for _ in 0..2 {
        check_in(
            &mut city,
            "bureau.off open reimbursement medical-reimbursement with=id-card,medical-bills,fee-list,discharge-record -> ok",
        );
    }
    let bill = "Bill+sha256=@sha Bill+sm3=@sm Bill+chunks+root=@root Bill+size=5";
    let bill = [("@sha", file("bill").sha256), ("@sm", file("bill").sm3), ("@root", file("bill").chunks_root)]
        .iter()
        .fold(bill.to_owned(), |line, (name, digest)| line.replace(name, &hex::encode(digest)));
    check_in(
        &mut city,
        &format!(
            "
        bureau.off complete 0 accept {bill} -> ok deposited call_made progressed
        bureau.off complete 1 accept {bill} -> ok call_made progressed
    "
        ),
    );
    assert_eq!((waiting_in(&city, "0").as_str(), waiting_in(&city, "1").as_str()), ("lock insured visits", "refuse"));
    check_in(
        &mut city,
        "
        bureau.off complete 1 refuse                     -> ok progressed case_closed
        notary.off complete 0 lock Bill+verified=false Bill+already+claimed=false -> ok
        bureau.off complete 0 insured                    -> ok
        notary.off complete 0 visits                     -> ok decided progressed
        notary.off complete 0 unlock                     -> ok withdrawn call_made progressed
        bureau.off complete 0 refuse                     -> ok progressed case_closed
    ",
    );
    let closed: Vec<Option<Outcome>> =
        ["0", "1"].map(|at| case(&city.source(), &city.case(at)).and_then(|case| case.closed).map(|(how, _)| how)).into();
    assert_eq!(closed, [Some(Outcome::Refused), Some(Outcome::Refused)]);
    // Given up, it may be claimed again.
    again(&mut city, &bill);
}

fn again(city: &mut City, bill: &str) {
    check_in(
        city,
        &format!(
            "
        bureau.off open reimbursement medical-reimbursement with=id-card,medical-bills,fee-list,discharge-record -> ok
        bureau.off complete 2 accept {bill} -> ok deposited call_made progressed
    "
        ),
    );
}
