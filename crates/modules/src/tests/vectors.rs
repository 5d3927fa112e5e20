//! Pinned bytes of every call's arguments, every event, the state and the genesis document. They are forever: what changes one of
//! them needs the line `Consensus-breaking: yes`.

use std::fmt::Write as _;

use zhulian_crypto::sha256;
use zhulian_execution::Event;
use zhulian_primitives::{PROTOCOL_NEWEST, Transaction, codec};
use zhulian_verify::{Deposit as VerifierDeposit, deposit_of};

use super::{
    city::{City, code, file, genesis, subject, validator_key},
    documents::compare,
};
use crate::{
    Genesis,
    evidence::{
        CaseHint, Deposit, DepositBatch, Details, Entry, EvidenceId, FieldCommitment, Generation, GenerationField,
        LegalBasis, SourceType, commitment,
    },
    executor,
    governance::{
        Action, Address, Failure, GenesisError, MotionClosed, MotionStatus, OpenMotion, Parameter, Parameters, Seat,
        ValidatorsChanged,
    },
    identity::OrganisationName,
    procedure::{CaseId, ClockSettled},
    rulepack::{Annulled, PackId},
};

/// Details with every field.
fn full_details() -> Details {
    Details {
        source_type: SourceType::Web,
        legal_basis: LegalBasis::parse("人民法院在线诉讼规则第十六条").expect("a legal basis"),
        custodian: Some(code("notary")),
        case_hint: Some(CaseHint::parse("(2026)浙0192民初1234号").expect("a hint")),
        generation: Some(Generation {
            facts: [2; 32],
            commitments: vec![FieldCommitment {
                field: GenerationField::Url,
                commitment: commitment(&[9; 32], "https://example.com/"),
            }],
        }),
        prior_evidence: vec![EvidenceId([1; 16]), EvidenceId([2; 16])],
        retention_until: Some(1_900_000_000_000),
        name_commitment: Some([7; 32]),
        process_log_root: Some([8; 32]),
        notes: vec![1, 300],
        timestamp_token: Some([10; 32]),
    }
}

/// A walk through every call of every module, whose arguments, events and state are pinned.
const WALK: &str = "
    court.sys add_member clerk-01
    court.sys add_member robot-01 system
    court.sec register_key clerk-01 K1
    court.sec register_key robot-01 bank-like-K2
    court.sec assign_roles clerk-01 system_admin,officer
    court.sys confirm_roles clerk-01 system_admin,officer
    court.sys suspend_member robot-01
    court.sys reinstate_member robot-01
    K1 rotate_key K3 of=court.clerk-01 overlap=5
    court.sec revoke_key bank-like-K2 lost
    court.rep open_motion set vote_blocks 30
    court.rep cast_ballot 0 yes
    bureau.rep cast_ballot 0 yes
    bank.rep cast_ballot 0 yes
    court.rep open_motion suspend bank
    court.rep withdraw_motion 1
    court.rep open_motion suspend firm
    court.rep cast_ballot 2 yes
    bureau.rep cast_ballot 2 yes
    bank.rep cast_ballot 2 yes
    court.rep open_motion reinstate firm
    court.rep cast_ballot 3 yes
    bureau.rep cast_ballot 3 yes
    bank.rep cast_ballot 3 yes
    court.rep open_motion admit hospital
    court.rep cast_ballot 4 yes
    bureau.rep cast_ballot 4 yes
    bank.rep cast_ballot 4 yes
    bureau.off deposit F1 custodian=notary hint=case-7
    bank.off deposit F1
    bank.off deposit_batch B1 count=5
    notary.off record_custody F1 sealed
    notary.off record_custody F1 transferred to=court
    court.judge freeze B1#0/3 (2026)浙0192民初1号
    court.judge unfreeze B1#0/3 (2026)浙0192民初1号
    bank.off withdraw F1#1 mistake
    court.rep stage_part fees 0
    court.rep stage_part fees 1
    court.rep draft fees from=45 to=1000 notice=0
    court.rep open_motion enact 0
    court.rep cast_ballot 5 yes
    bureau.rep cast_ballot 5 yes
    bank.rep cast_ballot 5 yes
    notary.rep cast_ballot 5 yes
    bank.off decide fees Fee x=12 subject=case-7 commit=x
    court.rep stage_part permit 0
    court.rep stage_part permit 1
    court.rep stage_part permit 2
    court.rep stage_part permit 3
    court.rep stage_part permit 4
    court.rep draft permit from=57 notice=0
    court.rep open_motion enact 1
    court.rep cast_ballot 6 yes
    bureau.rep cast_ballot 6 yes
    bank.rep cast_ballot 6 yes
    notary.rep cast_ballot 6 yes
    bureau.off open permit x=12 income=5000
    bureau.off claim 0 accept
    bureau.off return_task 0 accept
    bureau.off submit_material 0 deed
    bureau.off pause 0 correction
    bureau.off resume 0
    bureau.off complete 0 accept
    notary.off transfer 0 review to=bank
    bank.off complete 0 review
    bureau.off propose_override 0 extend 5
    court.off confirm_override 0 yes
    later 13
    bank.off tick 0
    bureau.off message 0 payment paid=true
    bureau.off complete 0 issue outcome=granted
    bureau.off rate 0 5
    court.rep stage_part bills 0
    court.rep stage_part bills 1
    court.rep draft bills from=1123400 notice=0
    court.rep open_motion enact 2
    court.rep cast_ballot 7 yes
    bureau.rep cast_ballot 7 yes
    bank.rep cast_ballot 7 yes
    notary.rep cast_ballot 7 yes
    later 1
    bureau.off open bills with=form
    bureau.off complete 1 accept file=F9
    bureau.off open bills with=form,bill
    bureau.off complete 2 accept file=F9
    court.rep open_motion add_validator firm V5
    court.rep cast_ballot 8 yes
    bureau.rep cast_ballot 8 yes
    bank.rep cast_ballot 8 yes
    notary.rep cast_ballot 8 yes
    court.rep open_motion schedule_protocol 3 400
    court.rep cast_ballot 9 yes
    bureau.rep cast_ballot 9 yes
    bank.rep cast_ballot 9 yes
    notary.rep cast_ballot 9 yes
    court.rep open_motion annul_protocol 3
    court.rep cast_ballot 10 yes
    bureau.rep cast_ballot 10 yes
    bank.rep cast_ballot 10 yes
    notary.rep cast_ballot 10 yes
";

#[test]
fn encodings_are_pinned() {
    let mut out =
        String::from("# Pinned encodings: `name hex`. `make docs` rewrites this file; defend every other byte in review.\n");
    let mut line = |name: &str, bytes: &[u8]| {
        let _ = writeln!(out, "{name} {}", hex::encode(bytes));
    };
    let first = genesis().with_protocol(1).expect("the first");
    line("genesis", &first.encode());
    line("genesis.chain_id", &first.chain_id());
    for protocol in 2..=PROTOCOL_NEWEST {
        let genesis = genesis().with_protocol(protocol).expect("a protocol");
        line(&format!("genesis.protocol_{protocol}"), &genesis.encode());
    }
    line("details.full", &codec::to_bytes(&full_details()));
    line("entry", &Entry { name_commitment: Some([7; 32]), ..file("F1").into() }.encode());
    let set = OpenMotion { action: Action::Set(Parameter::VoteBlocks, 30) };
    line("action.set", &codec::to_bytes(&set));
    let failure = Some(Failure { module: "identity".into(), number: 26 });
    let pack = PackId::parse("fees").expect("a pack id");
    let annul = OpenMotion { action: Action::AnnulRules(pack.clone(), 2) };
    line("action.annul_rules", &codec::to_bytes(&annul));
    let address = Address::parse("node.example:4600").expect("an address");
    let seat = Seat {
        name: OrganisationName::parse("court").expect("a name"),
        organisation: code("court"),
        public_key: validator_key("V5"),
        address: Some(address.clone()),
    };
    let open = |action| codec::to_bytes(&OpenMotion { action });
    line("action.add_validator", &open(Action::AddValidator(seat.clone())));
    line("action.remove_validator", &open(Action::RemoveValidator(code("court"), validator_key("court"))));
    line(
        "action.rekey_validator",
        &open(Action::RekeyValidator(validator_key("court"), validator_key("V6"), Some(address))),
    );
    let changed = ValidatorsChanged { number: 1, epoch: 1, height: 50, seats: vec![seat] };
    line("validators_changed", &changed.record().data.0);
    line("annul.event.annulled", &Annulled { pack, version: 2 }.record().data.0);
    let case = CaseId::parse("BJ20261222-000001").expect("a case number");
    let settled = ClockSettled { case, promised_due: 0, limit_due: 1_799_251_200_000, open: true };
    line("calendar.event.clock_settled", &settled.record().data.0);
    line("motion_closed.failed", &MotionClosed { motion: 3, status: MotionStatus::Failed, failure }.record().data.0);

    // The protocol by which these were pinned first; by the newest they are the same, but for the protocol that is voted.
    let mut city = City::founded(&genesis().with_protocol(2).expect("a protocol"), executor());
    for (number, request) in WALK.lines().map(str::trim).filter(|request| !request.is_empty()).enumerate() {
        if let Some(days) = request.strip_prefix("later ") {
            city.days(days.parse().expect("a number"));
            continue;
        }
        let outcome = city.run(request);
        assert_eq!(outcome.slug, "ok", "{request}");
        let call = request.split_whitespace().nth(1).expect("a call");
        let bytes = city.last_transaction();
        let transaction = Transaction::decode(&bytes).expect("our own");
        // A signature by ES256 is never the same twice, so what follows from one is pinned with the number hidden.
        line(&format!("{number:02}.call.{call}"), &hide_proof(transaction.call.args));
        for event in &outcome.receipt.events {
            line(&format!("{number:02}.event.{}", event.name), &blank_ids(&event.data.0));
        }
    }
    let state = city.chain.state();
    let names = ["evidence/file", "evidence/batch", "evidence/entry", "rulepack/manifest", "rulepack/version"];
    let keys = [
        crate::evidence::file_state_key(&file("F1").sha256, 0),
        crate::evidence::batch_state_key(&sha256(b"B1"), 0),
        crate::evidence::entry_state_key(&sha256(b"B1"), 0, 3),
        crate::rulepack::manifest_state_key(&city.drafts[0]),
        crate::rulepack::version_state_key(&PackId::parse("fees").expect("a pack id"), 1),
    ];
    for (name, key) in names.iter().zip(keys) {
        line(&format!("state.{name}.key"), &key);
        line(&format!("state.{name}.value"), &blank_ids(&state[&key]));
    }
    let key = crate::procedure::case_state_key(&city.case("0"));
    line("state.procedure/case.key", &key);
    line("state.procedure/case.value", &state[&key]);
    compare("crates/modules/src/tests/vectors.txt", &out);
}

/// Replaces the 64 bytes of a proof signature, which differ from run to run under ES256.
fn hide_proof(args: &[u8]) -> Vec<u8> {
    let mut args = args.to_vec();
    if let Some(at) = args.windows(2).position(|pair| pair == [0x58, 0x40]) {
        args[at + 2..at + 66].fill(0);
    }
    args
}

/// Replaces every 16-byte string: evidence numbers, which follow from signatures.
fn blank_ids(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    let mut at = 0;
    while at + 17 <= data.len() {
        if data[at] == 0x50 {
            data[at + 1..at + 17].fill(0);
            at += 17;
        } else {
            at += 1;
        }
    }
    data
}

#[test]
fn every_call_and_event_is_walked() {
    let text = include_str!("vectors.txt");
    for module in crate::MODULES {
        for call in module.calls {
            assert!(text.contains(&format!(".call.{} ", call.name)), "{}.{}", module.name, call.name);
        }
        for event in module.events {
            assert!(text.contains(&format!(".event.{} ", event.name)), "{}.{}", module.name, event.name);
        }
    }
}

#[test]
fn the_verifier_reads_the_same_deposit() {
    let deposit = Deposit { file: file("F1"), details: full_details() };
    let Some(VerifierDeposit::File(read)) =
        deposit_of("evidence", "deposit", &codec::to_bytes(&deposit)).expect("the shape")
    else {
        panic!("a file")
    };
    assert_eq!((read.sha256, read.sm3, read.size, read.chunks_root), {
        let file = &deposit.file;
        (file.sha256, file.sm3, file.size, file.chunks_root)
    });
    let batch = DepositBatch { root: [3; 32], count: 17, details: full_details() };
    let read = deposit_of("evidence", "deposit_batch", &codec::to_bytes(&batch)).expect("the shape");
    assert_eq!(read, Some(VerifierDeposit::Batch { root: [3; 32], count: 17 }));
    for name_commitment in [None, Some([7; 32])] {
        let entry = Entry { name_commitment, ..file("F1").into() };
        let read = zhulian_verify::Entry::decode(&entry.encode()).expect("the shape");
        assert_eq!(read.encode(), entry.encode());
        assert_eq!(Entry::decode(&read.encode()), Ok(entry));
    }
}

#[test]
fn genesis_is_strict_and_names_the_network() {
    let genesis = genesis();
    let bytes = genesis.encode();
    assert_eq!(Genesis::decode(&bytes).expect("our own"), genesis);
    assert_eq!(genesis.network().chain, sha256(&bytes));
    assert_eq!(genesis.network().check(), Ok(()));
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(Genesis::decode(&longer), Err(GenesisError::Encoding(_))));
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        // Another document, or none at all; never this one.
        assert!(Genesis::decode(&other).map_or(true, |other| other.chain_id() != genesis.chain_id()));
    }
}

#[test]
fn a_genesis_names_its_protocol_in_one_way() {
    let (first, second) = (genesis().with_protocol(1).expect("the first"), genesis().with_protocol(2).expect("the second"));
    assert_eq!((first.protocol(), second.protocol()), (1, 2));
    assert_ne!(first.chain_id(), second.chain_id());
    assert_eq!(Genesis::decode(&first.encode()), Ok(first.clone()));
    assert_eq!(Genesis::decode(&second.encode()), Ok(second.clone()));
    assert_eq!(genesis().protocol(), PROTOCOL_NEWEST);
    // The last item of the document: key 7 and the number.
    let bytes = second.encode();
    assert_eq!((bytes[0], &bytes[bytes.len() - 2..]), (0xa8, &[7, 2][..]));
    for (protocol, error) in [(1, GenesisError::Protocol(1)), (0, GenesisError::Protocol(0)), (9, GenesisError::Protocol(9))]
    {
        let mut other = bytes.clone();
        *other.last_mut().expect("a byte") = protocol;
        assert_eq!(Genesis::decode(&other), Err(error));
    }
    assert_eq!(genesis().with_protocol(PROTOCOL_NEWEST + 1), Err(GenesisError::Protocol(PROTOCOL_NEWEST + 1)));
}

#[test]
fn a_genesis_that_could_not_govern_itself_is_refused() {
    let good = genesis();
    let with = |change: fn(&mut Genesis)| {
        let mut genesis = good.clone();
        change(&mut genesis);
        let Genesis { name, time, validators, organisations, parameters, .. } = genesis;
        Genesis::new(&name, time, validators, organisations, parameters)
    };
    assert!(with(|_| {}).is_ok());
    assert!(matches!(with(|g| g.name = " x".into()), Err(GenesisError::Name)));
    assert!(matches!(with(|g| g.validators.clear()), Err(GenesisError::Network(_))));
    assert!(matches!(with(|g| g.validators[1] = g.validators[0].clone()), Err(GenesisError::Network(_))));
    assert!(matches!(with(|g| g.validators[0].organisation = code("hospital")), Err(GenesisError::ForeignValidator(_))));
    assert!(matches!(with(|g| g.organisations.push(g.organisations[0].clone())), Err(GenesisError::DoubledOrganisation(_))));
    assert!(matches!(with(|g| drop(g.organisations[0].members.remove(0))), Err(GenesisError::Founding(..))));
    assert!(matches!(
        with(|g| g.organisations[0].members[0].keys = g.organisations[1].members[0].keys.clone()),
        Err(GenesisError::DoubledKey(_))
    ));
    assert!(matches!(with(|g| g.parameters = Parameters { vote_blocks: 1, ..g.parameters }), Err(GenesisError::Parameters)));
    assert!(matches!(with(|g| g.organisations.iter_mut().for_each(|o| o.votes = false)), Err(GenesisError::NoVoters)));
}

#[test]
fn subjects_have_three_forms() {
    assert_eq!(codec::to_bytes(&subject("F1"))[..2], [0x83, 0x00]);
    assert_eq!(codec::to_bytes(&subject("B1#2"))[..2], [0x83, 0x01]);
    assert_eq!(codec::to_bytes(&subject("B1#0/3"))[..2], [0x84, 0x02]);
}
