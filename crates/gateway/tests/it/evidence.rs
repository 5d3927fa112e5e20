//! Evidence: find, check, prove.

use std::time::Duration;

use zhulian_api::{Hex32, Query, Wait, view};
use zhulian_modules::evidence::{CaseNumber, Freeze, Subject, Unfreeze, Withdraw, WithdrawReason};
use zhulian_primitives::{EvidenceId, TransactionId, codec};
use zhulian_verify::{Entry, FileRecord, verify_receipt};

use crate::{
    city,
    world::{World, id_of},
};

const SOON: Wait = Wait::Finalised(Duration::from_secs(10));

fn number(transaction: &[u8]) -> String {
    EvidenceId::of(&TransactionId(id_of(transaction).0)).to_string()
}

pub async fn deposited(world: &World, transaction: &[u8]) -> String {
    let answer = world.client.submit(&[transaction], SOON).await.unwrap().remove(0);
    assert_eq!(answer.state, view::TransactionState::Finalised, "{:?}", answer.refusal);
    number(transaction)
}

fn question(record: &FileRecord) -> view::CheckRequest {
    view::CheckRequest {
        sha256: record.sha256.into(),
        sm3: Some(record.sm3.into()),
        size: Some(record.size),
        chunks_root: Some(record.chunks_root.into()),
        id: None,
    }
}

pub fn entries(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|n| Entry { file: city::file(&n.to_be_bytes()), name_commitment: None }.encode()).collect()
}

#[tokio::test]
async fn a_deposit_is_found_by_number_digest_and_depositor() {
    let world = World::start().await;
    let id = deposited(&world, &world.deposit(b"a contract")).await;
    let one = world.client.evidence(&id).await.unwrap();
    assert_eq!((one.id.as_str(), one.status.as_str(), &one.organisation), (id.as_str(), "in_use", &world.organisation()));
    assert_eq!(one.file.as_ref().unwrap().sha256.0, city::file(b"a contract").sha256);
    assert_eq!((one.organisation_name.as_str(), one.member.as_str()), ("市中级人民法院", "clerk-01"));
    assert_eq!((one.details.source_type.as_str(), one.details.legal_basis.as_str()), ("contract", "民法典第四百六十九条"));
    for spelling in [id.to_lowercase(), format!("{}-{}", &id[..9], &id[9..])] {
        assert_eq!(world.client.evidence(&spelling).await.unwrap(), one);
    }
    deposited(&world, &world.deposit(b"another")).await;
    let by_digest =
        world.client.evidence_list(Query::new().with("sha256", Some(one.file.as_ref().unwrap().sha256))).await.unwrap();
    assert_eq!(by_digest.items, [one]);
    let mine = world.client.evidence_list(Query::new().with("organisation", Some(world.organisation()))).await.unwrap();
    assert_eq!(mine.items.len(), 2);
    let others = world.client.evidence_list(Query::new().with("organisation", Some(city::codes()[2]))).await.unwrap();
    assert!(others.items.is_empty());
}

#[tokio::test]
async fn a_check_has_exactly_three_answers() {
    let world = World::start().await;
    let (record, other) = (city::file(b"a contract"), city::file(b"a forged contract"));
    let unknown = world.client.check(&question(&record)).await.unwrap();
    assert_eq!((unknown.answer, unknown.evidence.len()), (view::Answer::NotDeposited, 0));
    let id = deposited(&world, &world.deposit(b"a contract")).await;
    let verified = world.client.check(&question(&record)).await.unwrap();
    assert_eq!((verified.answer, verified.evidence[0].id.as_str()), (view::Answer::Verified, id.as_str()));
    assert!(!verified.zh.is_empty() && !verified.en.is_empty());
    let against = |record: &FileRecord| view::CheckRequest { id: Some(id.clone()), ..question(record) };
    assert_eq!(world.client.check(&against(&record)).await.unwrap().answer, view::Answer::Verified);
    let forged = world.client.check(&against(&other)).await.unwrap();
    assert_eq!(forged.answer, view::Answer::Mismatch);
    assert_eq!(forged.differing, ["sha256", "sm3", "size", "chunks_root"]);
    // The same SHA-256 with another SM3 would be a collision: told, not hidden.
    let collision = view::CheckRequest { sm3: Some(Hex32([7; 32])), ..question(&record) };
    let collision = world.client.check(&collision).await.unwrap();
    assert_eq!((collision.answer, collision.differing), (view::Answer::Mismatch, vec!["sm3".to_owned()]));
    let nobody = view::CheckRequest { id: Some(EvidenceId([3; 16]).to_string()), ..question(&record) };
    assert_eq!(world.client.check(&nobody).await.unwrap().answer, view::Answer::NotDeposited);
}

#[tokio::test]
async fn a_number_that_proves_nothing_does_not_say_that_the_file_is_not_deposited() {
    let world = World::start().await;
    let record = city::file(b"a contract");
    deposited(&world, &world.deposit(b"a contract")).await;
    let entries = entries(3);
    let batch = deposited(&world, &world.deposit_batch(&entries)).await;
    world.client.upload_entries(&batch, entries.concat().into()).await.unwrap();
    let nobody = EvidenceId([3; 16]).to_string();
    let mistyped = format!("{}{}", &nobody[..28], if nobody.ends_with('A') { 'B' } else { 'A' });
    for (id, zh, en) in [
        (nobody, "链上没有该编号的存证", "holds no deposit of this number"),
        (mistyped, "校验符不符", "typing error"),
        (batch, "该编号是一个批次", "that of a batch"),
    ] {
        let answer = world.client.check(&view::CheckRequest { id: Some(id), ..question(&record) }).await.unwrap();
        assert_eq!(answer.answer, view::Answer::NotDeposited);
        assert!(answer.zh.contains(zh) && answer.en.contains(en), "{} {}", answer.zh, answer.en);
        assert!(!answer.zh.contains("尚未存证") && !answer.en.contains("no deposit of this file."), "{answer:?}");
    }
}

#[tokio::test]
async fn wrong_facts_beside_a_digest_do_not_hide_the_honest_deposit() {
    let world = World::start().await;
    let honest = city::file(b"a contract");
    // Another organisation deposits and withdraws, as often as it likes.
    let signed = |call: &str, args: &[u8]| world.sign(&city::officer(2), "evidence", call, args, world.until());
    let wrong = async |n: u8, sequence: u32| {
        deposited(&world, &signed("deposit", &city::deposit_of(FileRecord { sm3: [n; 32], ..honest }))).await;
        let withdraw = Withdraw { subject: Subject::File(honest.sha256, sequence), reason: WithdrawReason::Mistake };
        deposited(&world, &signed("withdraw", &codec::to_bytes(&withdraw))).await;
    };
    wrong(0, 0).await;
    let id = deposited(&world, &world.deposit(b"a contract")).await;
    for n in 1..=45 {
        wrong(n, u32::from(n) + 1).await;
    }
    let answer = world.client.check(&question(&honest)).await.unwrap();
    assert_eq!((answer.answer, answer.evidence[0].id.as_str()), (view::Answer::Verified, id.as_str()));
    let unlike = question(&FileRecord { sm3: [99; 32], ..honest });
    assert_eq!(world.client.check(&unlike).await.unwrap().answer, view::Answer::Mismatch);
}

#[tokio::test]
async fn a_batch_that_was_deposited_before_is_named_by_entry() {
    let world = World::start().await;
    let entries = entries(3);
    let first = deposited(&world, &world.deposit_batch(&entries)).await;
    let again = world.sign(&city::officer(2), "evidence", "deposit_batch", &city::deposit_batch(&entries), world.until());
    let again = deposited(&world, &again).await;
    world.client.upload_entries(&again, entries.concat().into()).await.unwrap();
    let batch = world.client.evidence(&again).await.unwrap();
    assert_eq!(batch.first_deposit, Some(first.clone()));
    let entry = world.client.evidence(&format!("{again}-2")).await.unwrap();
    assert_eq!(entry.first_deposit, Some(format!("{first}-2")));
}

#[tokio::test]
async fn history_and_receipt_of_a_deposit() {
    let world = World::start().await;
    let transaction = world.deposit(b"a contract");
    let id = deposited(&world, &transaction).await;
    let history = world.client.evidence_history(&id).await.unwrap();
    assert_eq!((history.items.len(), history.items[0].transaction), (1, id_of(&transaction)));
    let data = &history.items[0].event.data;
    assert_eq!(
        (data["id"].as_str(), data["source"].as_str(), data["member"].as_str()),
        (Some(id.as_str()), Some("contract"), Some("clerk-01"))
    );
    let receipt = world.client.evidence_receipt(&id).await.unwrap();
    let facts = verify_receipt(&world.network, &receipt).unwrap();
    assert_eq!(facts.file(), Some(&city::file(b"a contract")));
    let missing = EvidenceId([3; 16]).to_string();
    for error in [
        world.client.evidence(&missing).await.unwrap_err(),
        world.client.evidence_history(&missing).await.unwrap_err(),
        world.client.evidence_receipt(&missing).await.unwrap_err(),
        world.client.certificate(&missing).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Some("query.evidence_not_found"));
    }
}

#[tokio::test]
async fn a_batch_entry_is_found_and_proven_once_its_entries_are_uploaded() {
    let world = World::start().await;
    let entries = entries(1_000);
    let id = deposited(&world, &world.deposit_batch(&entries)).await;
    let batch = world.client.evidence(&id).await.unwrap();
    assert_eq!((batch.batch_count, batch.file), (Some(1_000), None));
    let entry = format!("{id}-777");
    let record = city::file(&777u32.to_be_bytes());
    assert_eq!(world.client.evidence_receipt(&entry).await.unwrap_err().code(), Some("query.entry_not_found"));
    // It may be in the batch: that is not to be told from "not deposited" without its entries.
    let error = world.client.check(&question(&record)).await.unwrap_err();
    assert_eq!((error.code(), error.retry()), (Some("batch.entries_lacking"), false));
    let entry_asked = view::CheckRequest { id: Some(entry.clone()), ..question(&record) };
    assert_eq!(world.client.check(&entry_asked).await.unwrap_err().code(), Some("batch.entries_lacking"));

    let kept = world.client.upload_entries(&id, entries.concat().into()).await.unwrap();
    assert_eq!((kept.id.as_str(), kept.entries), (id.as_str(), 1_000));
    let facts = verify_receipt(&world.network, &world.client.evidence_receipt(&entry).await.unwrap()).unwrap();
    assert_eq!(facts.file(), Some(&record));
    let answer = world.client.check(&question(&record)).await.unwrap();
    assert_eq!((answer.answer, answer.evidence[0].id.as_str()), (view::Answer::Verified, entry.as_str()));
    let absent = world.client.check(&question(&city::file(b"in no batch"))).await.unwrap();
    assert_eq!(absent.answer, view::Answer::NotDeposited);
    let against = view::CheckRequest { id: Some(format!("{id}-776")), ..question(&record) };
    assert_eq!(world.client.check(&against).await.unwrap().answer, view::Answer::Mismatch);
    let beyond = world.client.evidence(&format!("{id}-1000")).await.unwrap_err();
    assert_eq!(beyond.code(), Some("query.entry_not_found"));
}

#[tokio::test]
async fn entries_that_are_not_the_deposited_ones_are_not_kept() {
    let world = World::start().await;
    let all = entries(5);
    let id = deposited(&world, &world.deposit_batch(&all)).await;
    let single = deposited(&world, &world.deposit(b"single")).await;
    let mut swapped = all.clone();
    swapped.swap(1, 2);
    let mut broken = all.concat();
    let length = broken.len();
    broken.truncate(length - 1);
    let cases = [
        (&id, all[..4].concat(), "batch.entries_mismatch"),
        (&id, [&all[..], &all[..1]].concat().concat(), "batch.entries_mismatch"),
        (&id, swapped.concat(), "batch.entries_mismatch"),
        (&id, broken, "batch.entry_malformed"),
        (&id, vec![0x01; 5], "batch.entry_malformed"),
        (&single, all.concat(), "batch.not_a_batch"),
    ];
    for (id, body, code) in cases {
        let error = world.client.upload_entries(id, body.into()).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    assert_eq!(world.client.evidence_receipt(&format!("{id}-0")).await.unwrap_err().code(), Some("query.entry_not_found"));
}

#[tokio::test]
async fn a_certificate_is_a_pdf_with_the_number() {
    let world = World::start().await;
    let entries = entries(3);
    let file = deposited(&world, &world.deposit(b"a contract")).await;
    let batch = deposited(&world, &world.deposit_batch(&entries)).await;
    world.client.upload_entries(&batch, entries.concat().into()).await.unwrap();
    for id in [file, batch.clone(), format!("{batch}-2")] {
        let pdf = match world.client.certificate(&id).await {
            Ok(pdf) => pdf,
            Err(error) if error.code() == Some("certificate.no_fonts") => {
                eprintln!("no Chinese font is installed; the certificate is left out");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        assert!(pdf.starts_with(b"%PDF-"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("certificate.pdf");
        std::fs::write(&path, pdf).unwrap();
        let Ok(output) = std::process::Command::new("pdftotext").arg(&path).arg("-").output() else { continue };
        let text = String::from_utf8_lossy(&output.stdout).replace(char::is_whitespace, "");
        assert!(text.contains(&id), "{id} is not in the certificate: {text}");
        assert!(text.contains("存证证书"), "{text}");
        assert!(text.contains("截至") && text.contains("区块高度"), "{text}");
        assert_eq!(text.contains("批次Merkle根"), id == batch, "{id}: {text}");
        assert_eq!(text.contains("一份电子文件的数字指纹"), id != batch, "{id}: {text}");
    }
}

#[tokio::test]
async fn status_and_history_follow_freeze_release_and_withdrawal() {
    let world = World::start().await;
    let id = deposited(&world, &world.deposit(b"a contract")).await;
    let subject = Subject::File(city::file(b"a contract").sha256, 0);
    let case = CaseNumber::parse("(2026)浙0192民初1234号").unwrap();
    let (judge, clerk) = (city::judge(), city::clerk());
    let apply = async |key, call: &str, args: Vec<u8>| {
        let transaction = world.sign(key, "evidence", call, &args, world.until());
        world.client.submit(&[transaction], SOON).await.unwrap().remove(0)
    };
    let frozen = apply(&judge, "freeze", codec::to_bytes(&Freeze { subject, case: case.clone() })).await;
    assert_eq!(frozen.state, view::TransactionState::Finalised, "{:?}", frozen.refusal);
    let one = world.client.evidence(&id).await.unwrap();
    assert_eq!((one.status.as_str(), one.freezes[0].case.as_str()), ("frozen", case.as_str()));
    assert_eq!(one.freezes[0].court.name, "市中级人民法院");
    let withdraw = codec::to_bytes(&Withdraw { subject, reason: WithdrawReason::Mistake });
    let refused = apply(&clerk, "withdraw", withdraw.clone()).await;
    let refusal = refused.refusal.unwrap();
    assert_eq!((refusal.code.as_str(), refusal.status), ("evidence.is_frozen", 409));
    apply(&judge, "unfreeze", codec::to_bytes(&Unfreeze { subject, case })).await;
    apply(&clerk, "withdraw", withdraw).await;
    let one = world.client.evidence(&id).await.unwrap();
    assert_eq!((one.status.as_str(), one.withdrawal.unwrap().reason.as_str()), ("withdrawn", "mistake"));
    let history = world.client.evidence_history(&id).await.unwrap();
    let names: Vec<&str> = history.items.iter().map(|item| item.event.name.as_str()).collect();
    assert_eq!(names, ["deposited", "frozen", "unfrozen", "withdrawn"]);
    // Withdrawn from use is not erased: the file is still what was deposited.
    let answer = world.client.check(&question(&city::file(b"a contract"))).await.unwrap();
    assert_eq!((answer.answer, answer.evidence[0].status.as_str()), (view::Answer::Verified, "withdrawn"));
    assert!(answer.zh.contains("停止使用") && answer.en.contains("withdrawn"), "{} {}", answer.zh, answer.en);
}

#[tokio::test]
async fn a_later_deposit_by_another_names_the_first() {
    let world = World::start().await;
    let first = deposited(&world, &world.deposit(b"a contract")).await;
    let later = world.sign(&city::officer(2), "evidence", "deposit", &city::deposit(b"a contract"), world.until());
    let later = deposited(&world, &later).await;
    let view = world.client.evidence(&later).await.unwrap();
    assert_eq!((view.sequence, view.first_deposit.as_deref()), (1, Some(first.as_str())));
    let answer = world.client.check(&question(&city::file(b"a contract"))).await.unwrap();
    let ids: Vec<&str> = answer.evidence.iter().map(|view| view.id.as_str()).collect();
    assert_eq!(ids, [first.as_str(), later.as_str()]);
    let history = world.client.evidence_history(&later).await.unwrap();
    assert_eq!(history.items.iter().filter(|item| item.event.name == "priority_conflict").count(), 1);
}
