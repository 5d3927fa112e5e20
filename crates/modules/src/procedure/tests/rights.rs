//! B8: what cases do in other modules.

use std::collections::BTreeMap;

use proptest::prelude::*;
use zhulian_execution::Event;
use zhulian_ledger::{Key, Value};
use zhulian_primitives::{EvidenceId, codec};

use super::{super::*, waiting_in};
use crate::{
    evidence::{Deposit, Deposited, Subject, record},
    rulepack::{ItemKind, Pack, PackError},
    tests::{City, bills, check_in, code, enacted, file, manifest},
};

fn subject(name: &str) -> Subject {
    Subject::File(file(name).sha256, 0)
}

/// The state without the replay window, in which every transaction leaves its mark.
fn content(city: &City) -> BTreeMap<Key, Value> {
    let mut state = city.chain.state().clone();
    let window = [zhulian_ledger::Map::<(), ()>::new("transaction/tip").key(&())];
    let slots = (0..1024u64).map(|slot| zhulian_ledger::Map::<u64, ()>::new("transaction/window").key(&slot));
    for key in window.into_iter().chain(slots) {
        state.remove(&key);
    }
    state
}

#[test]
fn a_case_deposits_in_the_name_of_the_office_that_has_the_right() {
    let mut city = enacted("bills");
    check_in(
        &mut city,
        "
        bureau.off open bills                      -> procedure.material_missing
        bureau.off open bills with=passport        -> procedure.material_unknown
        bureau.off open bills with=form            -> ok case_opened material_submitted progressed
    ",
    );
    let outcome = city.run("bureau.off complete 0 accept file=F1");
    assert_eq!(outcome.events, ["deposited", "call_made", "progressed"]);
    let deposited = Deposited::of(&outcome.receipt.events[0]).expect("a deposit");
    assert_eq!((deposited.organisation, deposited.member.as_str()), (code("notary"), "case"));
    assert_eq!(deposited.id, EvidenceId::of(&outcome.receipt.transaction));
    let made = CallMade::of(&outcome.receipt.events[1]).expect("a call");
    assert_eq!((made.organisation, made.module.as_str(), made.call.as_str()), (code("notary"), "evidence", "deposit"));
    assert_eq!((made.element.as_str(), made.refusal), ("lock", None));
    let args: Deposit = codec::from_bytes(&made.args.expect("arguments").0).expect("a deposit");
    assert_eq!((args.file, args.details.legal_basis.as_str()), (file("F1"), "某市票据办法第三条"));
    // The verifiers, which know nothing of modules, find it too.
    let found = zhulian_verify::deposit_by_case(&outcome.receipt.events).expect("of the published shape");
    assert!(matches!(found, Some(zhulian_verify::Deposit::File(record)) if record.sha256 == file("F1").sha256));
    let moved = Progressed::of(&outcome.receipt.events[2]).expect("a step");
    assert_eq!((moved.organisation, moved.member.as_str()), (code("bureau"), "off"));
    let elements: Vec<&str> = moved.lines.iter().map(|line| line.element.as_str()).collect();
    assert_eq!(elements, ["accept", "lock", "lock", "decide"]);
    // The outcome is a variable.
    let variables = instance(&city.source(), &city.case("0")).expect("it runs").variables().clone();
    let bill = variables.get("bill").expect("the outcome");
    assert_eq!(bill.member("id").and_then(|id| id.as_text().map(str::to_owned)), Some(deposited.id.to_string()));
    // It ends well only with the bill itself.
    check_in(
        &mut city,
        "
        bureau.off complete 0 decide paid=true     -> procedure.material_missing
        bureau.off submit_material 0 bill          -> ok
        bureau.off complete 0 decide paid=true     -> ok progressed case_closed
    ",
    );
}

#[test]
fn a_refusal_goes_the_way_that_is_drawn_for_its_code() {
    let mut city = enacted("bills");
    check_in(
        &mut city,
        "
        bureau.off open bills with=form                  -> ok
        bureau.off open bills with=form                  -> ok
        bureau.off complete 0 accept file=F1             -> ok deposited call_made progressed
    ",
    );
    let outcome = city.run("bureau.off complete 1 accept file=F1");
    assert_eq!((outcome.slug.as_str(), outcome.events.join(" ").as_str()), ("ok", "call_made progressed"));
    let made = CallMade::of(&outcome.receipt.events[0]).expect("a call");
    assert_eq!(made.refusal, Some(("evidence".into(), crate::evidence::Error::AlreadyDeposited as u16)));
    assert_eq!(zhulian_verify::deposit_by_case(&outcome.receipt.events).expect("of the published shape"), None);
    assert_eq!((waiting_in(&city, "0").as_str(), waiting_in(&city, "1").as_str()), ("decide", "tell"));
    check_in(
        &mut city,
        "
        bureau.off complete 1 tell outcome=refused       -> ok progressed case_closed
        bureau.off complete 0 decide paid=false outcome=refused -> ok withdrawn call_made progressed case_closed
        bureau.off open bills with=form,bill             -> ok
        bureau.off complete 2 accept file=F1             -> ok deposited call_made progressed
        bureau.off complete 2 decide paid=false outcome=refused -> ok withdrawn call_made progressed case_closed
    ",
    );
    let first = record(&city.source(), &subject("F1")).expect("a deposit");
    assert_eq!((first.deposits, first.standing.withdrawn.is_some()), (2, true));
}

#[test]
fn what_nothing_catches_refuses_the_step_and_leaves_nothing() {
    let mut city = enacted("bills");
    check_in(&mut city, "bureau.off open bills with=form -> ok\nbureau.off claim 0 accept -> ok");
    let before = content(&city);
    check_in(
        &mut city,
        "
        bureau.off complete 0 accept                     -> procedure.undecidable
        bureau.off complete 0 accept file=F1 size=-1     -> procedure.input_unfit
        bureau.off complete 0 accept file=F1 size=0      -> evidence.inconsistent_file
        bureau.off complete 0 lock                       -> procedure.task_not_found
    ",
    );
    assert_eq!(content(&city), before);
    check_in(
        &mut city,
        "
        court.rep open_motion suspend notary             -> ok
        court.rep cast_ballot 1 yes                      -> ok
        bureau.rep cast_ballot 1 yes                     -> ok
        bank.rep cast_ballot 1 yes                       -> ok
    ",
    );
    let before = content(&city);
    check_in(&mut city, "bureau.off complete 0 accept file=F1 -> procedure.organisation_not_active");
    assert_eq!(content(&city), before);
}

#[test]
fn two_deposits_of_one_step_have_two_transactions() {
    let mut city = enacted("twobills");
    check_in(
        &mut city,
        "
        bureau.off open twobills with=form               -> ok
        bureau.off complete 0 accept file=F1             -> ok deposited call_made progressed
        bureau.off complete 0 lock2                      -> procedure.task_not_found
        notary.off complete 0 lock2                      -> procedure.task_not_found
        firm.aud   tick 0                                -> ok deposited call_made progressed
        firm.aud   tick 0                                -> procedure.nothing_due
    ",
    );
    assert_eq!(waiting_in(&city, "0"), "decide");
}

#[test]
fn nobody_has_the_name_under_which_cases_act() {
    check_in(&mut City::default(), "court.sys add_member case -> identity.malformed_member");
}

fn compiled(drawing: &str) -> Result<Pack, PackError> {
    let mut options = BTreeMap::new();
    options.insert("version", "1");
    let mut manifest = manifest("bills", &options);
    let text = drawing.as_bytes();
    manifest.items = vec![rulepack::Item::of(ItemKind::Procedure, "bills.bpmn", text)];
    Pack::compile(manifest, &[text.to_vec()])
}

use crate::rulepack;

#[test]
fn a_pack_gives_exactly_the_rights_that_its_procedures_need() {
    assert!(compiled(&bills()).is_ok());
    let refused = |from: &str, to: &str, why: &str| {
        let drawing = bills().replace(from, to);
        assert_ne!(drawing, bills(), "{from}");
        match compiled(&drawing) {
            Err(PackError::OtherProcedure(_, detail)) => assert!(detail.contains(why), "{detail}"),
            other => panic!("{from} -> {to}: {other:?}"),
        }
    };
    let unlock = "<zeebe:property name=\"right:evidence.withdraw\" value=\"keeper\"/>";
    refused(unlock, "", "does not give the right:evidence.withdraw");
    refused("right:evidence.withdraw\" value=\"keeper\"", "right:evidence.withdraw\" value=\"desk\"", "does not give");
    refused(
        "right:evidence.withdraw\" value=\"keeper\"",
        "right:evidence.withdraw\" value=\"keeper,desk\"",
        "used by no task",
    );
    refused(
        unlock,
        &format!("{unlock}<zeebe:property name=\"right:evidence.freeze\" value=\"keeper\"/>"),
        "used by no task",
    );
    refused("type=\"evidence.withdraw\"", "type=\"evidence.freeze\"", "a case may not make this call");
    refused("type=\"evidence.withdraw\"", "type=\"identity.add_member\"", "a case may not make this call");
    refused("type=\"evidence.withdraw\"", "type=\"procedure.open\"", "a case may not make this call");
    refused("target=\"reason\"", "target=\"cause\"", "the input reason is missing");
    refused("target=\"sequence\"", "target=\"number\"", "takes no input number");
    refused("evidence.already_deposited", "evidence.already_deposit", "is no refusal of evidence.deposit");
    refused("office:keeper\"", "office:other\"", "right:evidence.deposit");
    refused("organisation\" value=\"keeper\"", "organisation\" value=\"nobody\"", "no such office");
}

#[test]
fn what_is_asked_for_is_in_the_pack_s_list() {
    let with = |documents: &str| {
        let mut manifest = manifest("bills", &BTreeMap::new());
        let files = [(ItemKind::Procedure, "bills.bpmn", bills()), (ItemKind::Documents, "d", documents.to_owned())];
        manifest.items = files.iter().map(|(kind, name, text)| rulepack::Item::of(*kind, name, text.as_bytes())).collect();
        Pack::compile(manifest, &files.map(|(.., text)| text.into_bytes())).map(|_| ()).map_err(|error| error.to_string())
    };
    let (form, bill) = ("form | applicant | 申请表 | Form | 办法第一条\n", "bill | exchange:bills | 票据 | Bill\n");
    assert_eq!(with(&[form, bill].concat()), Ok(()));
    assert!(with(form).is_err_and(|why| why.contains("material:bill is not in the pack's list")));
    let elsewhere = [form, "bill | applicant | 票据 | Bill\n"].concat();
    assert!(with(&elsewhere).is_err_and(|why| why.contains("comes from exchange:bills here and from applicant")));
    let nowhere = [form, "bill | somewhere | 票据 | Bill\n"].concat();
    assert!(with(&nowhere).is_err_and(|why| why.contains("line 2")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// B8: whatever bills are claimed, paid and given up in whatever order, a bill is locked by one case at a time; what is refused
    /// changes nothing; and the same calls give the same state.
    #[test]
    fn a_bill_is_claimed_once(lines in prop::collection::vec((0..3usize, 0..2usize, 0..4usize), 0..24)) {
        let (mut city, mut again) = (enacted("bills"), enacted("bills"));
        for city in [&mut city, &mut again] {
            check_in(city, &"bureau.off open bills with=form,bill -> ok\n".repeat(3));
        }
        // Where each case is, and with which bill; which case holds a bill.
        let mut at = [("accept", 0); 3];
        let mut held: [Option<usize>; 2] = [None; 2];
        for (case, bill, what) in lines {
            let line = match what {
                0 => format!("bureau.off complete {case} accept file=F{bill}"),
                1 => format!("bureau.off complete {case} decide paid=true"),
                2 => format!("bureau.off complete {case} decide paid=false outcome=refused"),
                _ => format!("bureau.off complete {case} tell outcome=refused"),
            };
            let expected = match (at[case].0, what) {
                ("end", _) => "procedure.case_is_closed",
                ("accept", 0) if held[bill].is_some() => { at[case] = ("tell", bill); "ok" }
                ("accept", 0) => { at[case] = ("decide", bill); held[bill] = Some(case); "ok" }
                ("decide", 1) => { at[case].0 = "end"; "ok" }
                ("decide", 2) => { held[at[case].1] = None; at[case].0 = "end"; "ok" }
                ("tell", 3) => { at[case].0 = "end"; "ok" }
                _ => "procedure.task_not_found",
            };
            let before = content(&city);
            let outcome = city.run(&line);
            prop_assert_eq!(&*outcome.slug, expected, "{}", line);
            if expected != "ok" {
                prop_assert_eq!(content(&city), before, "{}", line);
            }
            prop_assert_eq!(again.run(&line).receipt, outcome.receipt);
            for (bill, held) in held.iter().enumerate() {
                let last = crate::evidence::files(&city.source(), &file(&format!("F{bill}")).sha256).pop();
                let locked = last.is_some_and(|view| view.record.standing.withdrawn.is_none());
                prop_assert_eq!(locked, held.is_some());
            }
        }
        prop_assert_eq!(city.chain.state(), again.chain.state());
    }
}
