//! Scenarios and properties of the evidence module.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use zhulian_execution::Event;
use zhulian_primitives::TransactionId;

use super::*;
use crate::tests::{City, check, check_in, code, file, subject};

#[test]
fn numbers_are_typed_from_paper_without_slips() {
    let id = EvidenceId::of(&TransactionId([0xab; 32]));
    let text = id.to_string();
    assert_eq!(text, "ZL5BNENTQAXBNENTQAXBNENTQAXB1");
    assert_eq!(text.len(), 29);
    assert_eq!(text.parse(), Ok(id));
    assert_eq!(text.to_lowercase().parse(), Ok(id));
    assert_eq!("zl-5bnen-tqaxb-nentq-axbne-ntqax-b1".parse(), Ok(id));
    assert_eq!("abababababababababababababababab".parse(), Ok(id));
    assert_eq!("ZL00000000000000000000000000".parse::<EvidenceId>(), Err(EvidenceIdError::Shape));
    assert_eq!("ZL8BNENTQAXBNENTQAXBNENTQAXB1".parse::<EvidenceId>(), Err(EvidenceIdError::Character));
    assert_eq!("ZL5BNENTQAXBNENTQAXBNENTQAXB!".parse::<EvidenceId>(), Err(EvidenceIdError::Character));
    assert_eq!("".parse::<EvidenceId>(), Err(EvidenceIdError::Shape));
    assert_eq!("zl证据".parse::<EvidenceId>(), Err(EvidenceIdError::Shape));
    let entry = EvidenceRef { id, entry: Some(41) };
    assert_eq!(entry.to_string(), format!("{text}-41"));
    assert_eq!(entry.to_string().parse(), Ok(entry));
    assert_eq!("abababababababababababababababab-0".parse(), Ok(EvidenceRef { id, entry: Some(0) }));
    assert_eq!(text.parse(), Ok(EvidenceRef { id, entry: None }));
    for bad in ["-01", "-x", "-4294967296"] {
        assert!(format!("{text}{bad}").parse::<EvidenceRef>().is_err(), "{bad}");
    }
}

proptest! {
    /// Every number reads back, and no single wrong or swapped character passes for another number.
    #[test]
    fn a_slip_in_a_number_is_seen(bytes in any::<[u8; 16]>(), at in 2..29usize, letter in prop::sample::select(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".to_vec())) {
        let text = EvidenceId(bytes).to_string();
        prop_assert_eq!(text.parse(), Ok(EvidenceId(bytes)));
        let mut slip = text.clone().into_bytes();
        slip[at] = letter;
        let slip = String::from_utf8(slip).expect("ASCII");
        prop_assert!(slip == text || slip.parse::<EvidenceId>().is_err());
        let mut swapped = text.clone().into_bytes();
        swapped.swap(at, if at + 1 < 29 { at + 1 } else { at - 1 });
        let swapped = String::from_utf8(swapped).expect("ASCII");
        prop_assert!(swapped == text || swapped.parse::<EvidenceId>().is_err());
    }
}

#[test]
fn the_first_deposit_stands_and_another_organisation_s_raises_a_conflict() {
    let city = check(
        "
        court.off  deposit F1  -> ok deposited
        court.off  deposit F1  -> evidence.already_deposited
        bureau.off deposit F1  -> ok deposited priority_conflict
        bank.off   deposit F1  -> ok deposited priority_conflict
        bureau.off deposit F1  -> evidence.already_deposited
        court.rep  deposit F2  -> transaction.not_allowed
    ",
    );
    let records = queries::files(&city.source(), &file("F1").sha256);
    let found: Vec<_> = records.iter().map(|view| (view.seq, view.record.organisation, view.record.height)).collect();
    assert_eq!(found, [(0, code("court"), 1), (1, code("bureau"), 3), (2, code("bank"), 4)]);
    assert_eq!(records[0].record.deposits, 3);
    assert_eq!(queries::files(&city.source(), &file("F2").sha256), []);
}

#[test]
fn a_conflict_names_the_first_deposit() {
    let mut city = check("court.off deposit F1 -> ok");
    let outcome = city.run("bureau.off deposit F1");
    let event = PriorityConflict::of(&outcome.receipt.events[1]).expect("the event");
    let records = queries::files(&city.source(), &file("F1").sha256);
    let first = &records[0].record;
    assert_eq!((event.first, event.organisation, event.height, event.time), (first.id, first.organisation, 1, first.time));
    assert_eq!(event.id, EvidenceId::of(&outcome.receipt.transaction));
    assert_eq!(event.id, records[1].record.id);
}

#[test]
fn time_height_and_number_are_the_block_s() {
    let mut city = City::default();
    city.wait(3);
    let outcome = city.run("court.off deposit F1");
    let records = queries::files(&city.source(), &file("F1").sha256);
    let record = &records[0].record;
    assert_eq!((record.height, record.time), (4, city.chain.time));
    assert_eq!(record.id, EvidenceId::of(&outcome.receipt.transaction));
}

#[test]
fn a_withdrawn_deposit_may_be_replaced_but_never_goes_away() {
    let city = check(
        "
        court.off  deposit F1             -> ok
        bureau.off withdraw F1            -> evidence.not_depositor
        court.off  withdraw F1 mistake    -> ok withdrawn
        court.off  withdraw F1 mistake    -> evidence.already_withdrawn
        court.off  withdraw F2            -> evidence.not_found
        court.off  withdraw F1#1          -> evidence.not_found
        court.off  deposit F1             -> ok deposited
        court.off  deposit F1             -> evidence.already_deposited
        court.off  withdraw F1#1          -> ok
        court.off  deposit F1             -> ok deposited
        bureau.off deposit F1             -> ok deposited priority_conflict
        bureau.off withdraw F1#3          -> ok
        bureau.off deposit F1             -> ok deposited priority_conflict
    ",
    );
    let records = queries::files(&city.source(), &file("F1").sha256);
    assert_eq!(records.len(), 5);
    let status: Vec<Status> = records.iter().map(|view| view.record.standing.status()).collect();
    assert_eq!(status, [Status::Withdrawn, Status::Withdrawn, Status::InUse, Status::Withdrawn, Status::InUse]);
}

#[test]
fn a_court_freezes_and_only_it_releases() {
    let city = check(
        "
        bank.off    deposit F1                  -> ok
        bank.off    freeze F1 case-1            -> transaction.not_allowed
        court.off   freeze F1 case-1            -> transaction.not_allowed
        court.judge freeze F2 case-1            -> evidence.not_found
        court.judge freeze F1 case-1            -> ok frozen
        court.judge freeze F1 case-1            -> evidence.already_frozen
        court.judge freeze F1 case-2            -> ok frozen
        bank.off    withdraw F1                 -> evidence.is_frozen
        court.judge unfreeze F1 case-3          -> evidence.not_frozen_here
        court.judge unfreeze F1 case-1          -> ok unfrozen
        bank.off    withdraw F1                 -> evidence.is_frozen
        court.judge unfreeze F1 case-1          -> evidence.not_frozen_here
        court.judge unfreeze F1 case-2          -> ok
        bank.off    withdraw F1                 -> ok
        court.judge freeze F1 case-4            -> ok
    ",
    );
    let records = queries::files(&city.source(), &file("F1").sha256);
    let standing = &records[0].record.standing;
    assert_eq!((standing.status(), standing.freezes.len()), (Status::Frozen, 1));
    assert!(standing.withdrawn.is_some());
}

#[test]
fn evidence_is_frozen_in_at_most_eight_cases() {
    let mut city = check("bank.off deposit F1 -> ok");
    for n in 0..8 {
        check_in(&mut city, &format!("court.judge freeze F1 case-{n} -> ok"));
    }
    check_in(
        &mut city,
        "
        court.judge freeze F1 case-8   -> evidence.too_many_freezes
        court.judge unfreeze F1 case-0 -> ok
        court.judge freeze F1 case-8   -> ok
    ",
    );
}

#[test]
fn custody_is_recorded_by_who_deposited_or_holds_it() {
    let city = check(
        "
        bureau.off deposit F1 custodian=notary               -> ok
        bank.off   record_custody F1 inspected               -> evidence.not_custodian
        bureau.off record_custody F1 sealed                  -> evidence.not_custodian
        bureau.off record_custody F1 inspected               -> ok custody_recorded
        notary.off record_custody F1 opened                  -> evidence.not_sealed
        notary.off record_custody F1 sealed                  -> ok
        notary.off record_custody F1 sealed                  -> evidence.already_sealed
        notary.off record_custody F1 transferred             -> evidence.recipient_missing
        notary.off record_custody F1 transferred to=notary   -> evidence.recipient_missing
        notary.off record_custody F1 transferred to=hospital -> evidence.recipient_missing
        notary.off record_custody F1 inspected to=bank       -> evidence.recipient_missing
        notary.off record_custody F1 transferred to=bank     -> ok
        notary.off record_custody F1 received                -> evidence.not_custodian
        bank.off   record_custody F1 received                -> ok
        bank.off   record_custody F1 opened                  -> ok
        bank.off   record_custody F1 returned                -> ok
        bureau.off record_custody F1 returned                -> evidence.nothing_to_return
        bank.off   record_custody F1 inspected               -> evidence.not_custodian
        bureau.off record_custody F1 collected               -> ok
        bank.rep   record_custody F1 inspected               -> transaction.not_allowed
    ",
    );
    assert_eq!(queries::files(&city.source(), &file("F1").sha256)[0].record.standing.custody, 7);
}

#[test]
fn a_deposit_is_left_only_with_who_is_there() {
    check(
        "
        bureau.off deposit F1 custodian=hospital       -> evidence.custodian_unknown
        bureau.off deposit_batch B1 custodian=hospital -> evidence.custodian_unknown
        bureau.off deposit F1 custodian=bureau         -> ok
        court.rep  open_motion suspend bank            -> ok
        court.rep  cast_ballot 0 yes                   -> ok
        bureau.rep cast_ballot 0 yes                   -> ok
        bureau.off deposit F2 custodian=bank           -> ok
        notary.rep cast_ballot 0 yes                   -> ok
        bureau.off deposit F3 custodian=bank           -> evidence.custodian_unknown
    ",
    );
    // By the rules of protocol 1 nobody asked.
    let mut before = City::of_protocol_1();
    check_in(
        &mut before,
        "
        bureau.off deposit F1 custodian=hospital       -> ok
        bureau.off deposit_batch B1 custodian=hospital -> ok
        bureau.off record_custody F1 sealed            -> evidence.not_custodian
    ",
    );
}

#[test]
fn frozen_evidence_does_not_change_hands() {
    check(
        "
        bureau.off  deposit F1 custodian=notary            -> ok
        notary.off  record_custody F1 sealed               -> ok
        court.judge freeze F1 case-1                       -> ok
        notary.off  record_custody F1 transferred to=bank  -> evidence.is_frozen
        notary.off  record_custody F1 returned             -> evidence.is_frozen
        notary.off  record_custody F1 opened               -> evidence.is_frozen
        notary.off  record_custody F1 inspected            -> ok
        court.judge unfreeze F1 case-1                     -> ok
        notary.off  record_custody F1 opened               -> ok
    ",
    );
}

#[test]
fn the_custody_digest_proves_the_whole_history() {
    let mut city = check("bureau.off deposit F1 -> ok");
    let mut events = Vec::new();
    for line in [
        "bureau.off record_custody F1 sealed",
        "bureau.off record_custody F1 transferred to=bank",
        "bank.off record_custody F1 received",
    ] {
        let outcome = city.run(line);
        events.push(CustodyRecorded::of(&outcome.receipt.events[0]).expect("the event"));
    }
    let head = queries::files(&city.source(), &file("F1").sha256)[0].record.standing.custody_head;
    assert!(head.is_some());
    assert_eq!(custody_head(&events), head);
    assert_ne!(custody_head(&events[..2]), head);
    events.swap(0, 1);
    assert_ne!(custody_head(&events), head);
}

#[test]
fn an_entry_of_a_batch_is_evidence_of_its_own() {
    let city = check(
        "
        bank.off    deposit_batch B1 count=0               -> evidence.too_many_entries
        bank.off    deposit_batch B1 count=1000001         -> evidence.too_many_entries
        bank.off    deposit_batch B1 count=5 custodian=notary -> ok batch_deposited
        bank.off    deposit_batch B1 count=5               -> evidence.already_deposited
        bureau.off  deposit_batch B1 count=5               -> ok batch_deposited priority_conflict
        court.judge freeze B1#0/5 case-1                   -> evidence.not_found
        court.judge freeze B1#2/0 case-1                   -> evidence.not_found
        court.judge freeze B1#0/3 case-1                   -> ok frozen
        bank.off    withdraw B1#0/3                        -> evidence.is_frozen
        bank.off    withdraw B1#0                          -> evidence.is_frozen
        bank.off    withdraw B1#0/2                        -> ok withdrawn
        notary.off  record_custody B1#0/1 inspected        -> ok
        court.judge unfreeze B1#0/3 case-1                 -> ok
        court.judge freeze B1#0 case-2                     -> ok
        bank.off    withdraw B1#0/3                        -> evidence.is_frozen
        court.judge unfreeze B1#0/3 case-2                 -> evidence.not_frozen_here
        court.judge unfreeze B1#0 case-2                   -> ok
        bank.off    withdraw B1#0                          -> ok
        bank.off    withdraw B1#0/3                        -> evidence.already_withdrawn
    ",
    );
    let Subject::Batch(root, _) = subject("B1") else { panic!("a batch") };
    let source = city.source();
    assert_eq!(queries::batches(&source, &root).len(), 2);
    assert_eq!(queries::entry(&source, &root, 0, 2).expect("an entry").status(), Status::Withdrawn);
    assert_eq!(queries::entry(&source, &root, 0, 4).expect("an entry").status(), Status::Withdrawn);
    assert_eq!(queries::entry(&source, &root, 1, 4).expect("an entry").status(), Status::InUse);
    assert_eq!(queries::entry(&source, &root, 0, 1).expect("an entry").custody, 1);
    assert_eq!(queries::entry(&source, &root, 0, 5), None);
}

#[test]
fn the_neutrality_flag_says_who_holds_the_original() {
    let mut city = City::default();
    let mut deposited = |line: &str| Deposited::of(&city.run(line).receipt.events[0]).expect("the event");
    assert!(deposited("bank.off deposit F1").is_own_custody());
    assert!(deposited("bank.off deposit F2 custodian=bank").is_own_custody());
    let other = deposited("bank.off deposit F3 custodian=notary");
    assert_eq!((other.is_own_custody(), other.custodian), (false, Some(code("notary"))));
}

#[test]
fn details_are_bounded_and_not_personal() {
    check(
        "
        bank.off deposit F1 retention=past    -> evidence.retention_past
        bank.off deposit F1 long=yes          -> evidence.details_too_large
        bank.off deposit F1 retention=later   -> ok
    ",
    );
    assert_eq!(LegalBasis::parse("客户 13812345678 的合同"), Err(Error::PersonalData));
    assert_eq!(CaseHint::parse("身份证11010519491231002X"), Err(Error::PersonalData));
    assert_eq!(CaseNumber::parse("4111 1111 1111 1111"), Err(Error::PersonalData));
    assert_eq!(CaseNumber::parse(""), Err(Error::MalformedText));
    assert_eq!(CaseNumber::parse(" a"), Err(Error::MalformedText));
    assert_eq!(CaseNumber::parse("a\u{202e}b"), Err(Error::MalformedText));
    assert_eq!(CaseHint::parse(&"a".repeat(65)), Err(Error::MalformedText));
    assert!(LegalBasis::parse(&"a".repeat(200)).is_ok());
    let mut details = Details::new(SourceType::Web, LegalBasis::parse("合同第三条").expect("a basis"));
    assert_eq!(details.check(), Ok(()));
    details.notes = vec![2, 1];
    assert_eq!(details.check(), Err(Error::MalformedDetails));
    details.notes = vec![1, 1];
    assert_eq!(details.check(), Err(Error::MalformedDetails));
    details.notes = (0..17).collect();
    assert_eq!(details.check(), Err(Error::MalformedDetails));
    details.notes = (0..16).collect();
    assert_eq!(details.check(), Ok(()));
}

#[test]
fn a_file_s_facts_do_not_contradict_each_other() {
    let good = file("F1");
    let empty = File { chunks_root: zhulian_ledger::merkle::root::<[u8; 0]>(&[]), ..file("") };
    assert_eq!((good.check(), empty.check()), (Ok(()), Ok(())));
    assert_eq!(zhulian_verify::FileHasher::read(&b""[..]).expect("no bytes").record.chunks_root, empty.chunks_root);
    for bad in [
        File { size: 0, ..good.clone() },
        File { size: 1, ..empty.clone() },
        File { sm3: empty.sm3, ..good.clone() },
        File { chunks_root: good.chunks_root, ..empty },
        File { size: (1 << 50) + 1, ..good },
    ] {
        assert_eq!(bad.check(), Err(Error::InconsistentFile), "{bad:?}");
    }
}

#[test]
fn a_commitment_opens_with_its_salt_only() {
    let one = commitment(&[1; 32], "张三");
    assert_eq!(one, commitment(&[1; 32], "张三"));
    assert_ne!(one, commitment(&[2; 32], "张三"));
    assert_ne!(one, commitment(&[1; 32], "李四"));
}

/// Random lines about few files, most of them wrong.
fn any_line() -> impl Strategy<Value = String> {
    let who = prop::sample::select(vec!["court", "bureau", "bank"]);
    let what = prop::sample::select(vec!["F1", "F1#1", "F2", "B1#0", "B1#0/1", "B1#1", "B1#1/4"]);
    let case = prop::sample::select(vec!["case-1", "case-2"]);
    let kind = prop::sample::select(CustodyKind::ALL.to_vec());
    (0..9u8, who, what, case, kind, prop::bool::ANY).prop_map(|(action, who, what, case, kind, flag)| match action {
        0 | 1 => format!(
            "{who}.off deposit {}{}",
            if flag { "F1" } else { "F2" },
            if case == "case-1" { " custodian=bank" } else { "" }
        ),
        2 => format!("{who}.off deposit_batch B1 count=5"),
        3 => format!("{}.judge freeze {what} {case}", if flag { "court" } else { who }),
        4 => format!("court.judge unfreeze {what} {case}"),
        5 | 6 => format!("{who}.off withdraw {what}"),
        _ if kind == CustodyKind::Transferred => {
            format!("{who}.off record_custody {what} transferred to={}", if flag { "bank" } else { "court" })
        }
        _ => format!("{who}.off record_custody {what} {}", kind.name()),
    })
}

/// A plain model: deposits of each content in order, with everything that happened to them.
#[derive(Default)]
struct Model {
    deposits: BTreeMap<String, Vec<ModelRecord>>,
}

#[derive(Clone, Default)]
struct Life {
    withdrawn: bool,
    freezes: BTreeSet<String>,
    custodian: String,
    sealed: bool,
    custody: u32,
}

#[derive(Clone)]
struct ModelRecord {
    depositor: String,
    whole: Life,
    entries: BTreeMap<u32, Life>,
}

impl Model {
    fn apply(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, member) = words[0].split_once('.').expect("a member");
        if member == "judge" && name != "court" {
            return "transaction.unknown_key".into();
        }
        let options: BTreeMap<&str, &str> = words.iter().filter_map(|word| word.split_once('=')).collect();
        if words[1].starts_with("deposit") {
            return self.deposit(words[2], name, options.get("custodian").copied());
        }
        let (content, place) = words[2].split_once('#').unwrap_or((words[2], "0"));
        let (seq, entry) = place.split_once('/').map_or((place, None), |(seq, entry)| (seq, Some(entry)));
        let seq: usize = seq.parse().expect("a number");
        let Some(record) = self.deposits.get_mut(content).and_then(|all| all.get_mut(seq)) else {
            return "evidence.not_found".into();
        };
        let mut after = record.clone();
        let entry: Option<u32> = entry.map(|entry| entry.parse().expect("a number"));
        let (frozen, withdrawn) = match entry {
            None => (!record.whole.freezes.is_empty() || record.entries.values().any(|e| !e.freezes.is_empty()), false),
            Some(n) => {
                let own = record.entries.get(&n).is_some_and(|e| !e.freezes.is_empty());
                (own || !record.whole.freezes.is_empty(), record.whole.withdrawn)
            }
        };
        let fresh = Life { custodian: record.whole.custodian.clone(), sealed: record.whole.sealed, ..Life::default() };
        let life = match entry {
            None => &mut after.whole,
            Some(n) => after.entries.entry(n).or_insert(fresh),
        };
        let slug = happen(life, &record.depositor, frozen, withdrawn, name, &words, options.get("to").copied());
        if slug == "ok" {
            *record = after;
        }
        slug.into()
    }

    fn deposit(&mut self, content: &str, name: &str, custodian: Option<&str>) -> String {
        let all = self.deposits.entry(content.to_string()).or_default();
        if all.iter().any(|record| record.depositor == name && !record.whole.withdrawn) {
            return "evidence.already_deposited".into();
        }
        let whole = Life { custodian: custodian.unwrap_or(name).into(), ..Life::default() };
        all.push(ModelRecord { depositor: name.into(), whole, entries: BTreeMap::new() });
        "ok".into()
    }
}

fn happen(
    life: &mut Life,
    depositor: &str,
    frozen: bool,
    gone: bool,
    name: &str,
    words: &[&str],
    to: Option<&str>,
) -> &'static str {
    match words[1] {
        "freeze" if life.freezes.contains(words[3]) => "evidence.already_frozen",
        "freeze" => {
            life.freezes.insert(words[3].into());
            "ok"
        }
        "unfreeze" if life.freezes.remove(words[3]) => "ok",
        "unfreeze" => "evidence.not_frozen_here",
        "withdraw" if depositor != name => "evidence.not_depositor",
        "withdraw" if life.withdrawn || gone => "evidence.already_withdrawn",
        "withdraw" if frozen => "evidence.is_frozen",
        "withdraw" => {
            life.withdrawn = true;
            "ok"
        }
        _ => custody(life, depositor, frozen, name, words[3], to),
    }
}

fn custody(life: &mut Life, depositor: &str, frozen: bool, name: &str, kind: &str, to: Option<&str>) -> &'static str {
    let handles = ["sealed", "opened", "transferred", "received", "returned"].contains(&kind);
    if life.custodian != name && (handles || depositor != name) {
        return "evidence.not_custodian";
    }
    if frozen && ["opened", "transferred", "returned"].contains(&kind) {
        return "evidence.is_frozen";
    }
    match kind {
        "sealed" if life.sealed => return "evidence.already_sealed",
        "sealed" => life.sealed = true,
        "opened" if !life.sealed => return "evidence.not_sealed",
        "opened" => life.sealed = false,
        "transferred" if to == Some(name) => return "evidence.recipient_missing",
        "transferred" => life.custodian = to.expect("a recipient").into(),
        "returned" if life.custodian == depositor => return "evidence.nothing_to_return",
        "returned" => life.custodian = depositor.into(),
        _ => {}
    }
    life.custody += 1;
    "ok"
}

fn same(life: &Life, standing: &Standing, depositor: &str) -> bool {
    let custodian = standing.custodian.unwrap_or(code(depositor));
    life.withdrawn == standing.withdrawn.is_some()
        && life.freezes.len() == standing.freezes.len()
        && code(&life.custodian) == custodian
        && life.sealed == standing.sealed
        && life.custody == standing.custody
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// E1 to E7: after any calls, the ledger holds what the plain model holds; nothing is ever gone, and no first deposit moves.
    #[test]
    fn agrees_with_the_model(lines in prop::collection::vec(any_line(), 1..80)) {
        let (mut city, mut model) = (City::default(), Model::default());
        let mut firsts: BTreeMap<[u8; 32], EvidenceId> = BTreeMap::new();
        for line in &lines {
            let expected = model.apply(line);
            prop_assert_eq!(city.run(line).slug, expected, "{}", line);
            for name in ["F1", "F2"] {
                let sha256 = file(name).sha256;
                if let Some(view) = queries::files(&city.source(), &sha256).first() {
                    prop_assert_eq!(*firsts.entry(sha256).or_insert(view.record.id), view.record.id, "E1: {}", line);
                }
            }
        }
        for (name, records) in &model.deposits {
            let found = match subject(name) {
                Subject::Batch(root, _) => queries::batches(&city.source(), &root),
                _ => queries::files(&city.source(), &file(name).sha256),
            };
            prop_assert_eq!(found.len(), records.len(), "E2: {}", name);
            for (view, record) in found.iter().zip(records) {
                prop_assert_eq!(view.record.organisation, code(&record.depositor));
                prop_assert!(same(&record.whole, &view.record.standing, &record.depositor), "{}#{}", name, view.seq);
                let frozen = record.entries.values().filter(|life| !life.freezes.is_empty()).count();
                prop_assert_eq!(view.record.frozen_entries as usize, frozen);
            }
        }
    }
}
