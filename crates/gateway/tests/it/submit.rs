//! Submission, waiting, and what became of a transaction.

use std::time::Duration;

use zhulian_api::{Hex32, Query, Wait, view::TransactionState};
use zhulian_verify::{ReceiptFile, verify_receipt};

use crate::world::{World, id_of};

const SOON: Wait = Wait::Finalised(Duration::from_secs(10));

#[tokio::test]
async fn a_deposit_is_finalised_and_its_receipt_verifies() {
    let world = World::start().await;
    let transaction = world.deposit(b"a contract");
    let answers = world.client.submit(&[&transaction], SOON).await.unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].state, answers[0].id), (TransactionState::Finalised, Some(id_of(&transaction))));
    assert!(answers[0].height.is_some() && answers[0].events.is_none());

    let one = world.client.transaction(id_of(&transaction), Wait::No).await.unwrap();
    assert_eq!(one.events.as_ref().unwrap()[0].module, "evidence");

    let receipt = world.client.receipt(id_of(&transaction)).await.unwrap();
    let facts = verify_receipt(&world.network, &receipt).unwrap();
    assert_eq!((facts.transaction.0, facts.height), (id_of(&transaction).0, one.height.unwrap()));
    let shown = world.client.receipt_json(id_of(&transaction)).await.unwrap();
    assert_eq!(shown["transaction"]["id"], id_of(&transaction).to_string());

    let cose = world.client.cose_receipt(id_of(&transaction)).await.unwrap();
    assert_eq!(cose[0], 0xd2, "tag 18");
}

#[tokio::test]
async fn many_transactions_have_an_answer_each_and_one_bad_hides_none() {
    let world = World::start().await;
    let mut items: Vec<Vec<u8>> = (0..40u8).map(|n| world.deposit(&[n])).collect();
    let mut forged = world.deposit(b"forged");
    *forged.last_mut().unwrap() ^= 1;
    items.insert(7, forged);
    let answers = world.client.submit(&items, SOON).await.unwrap();
    assert_eq!(answers.len(), 41);
    for (index, answer) in answers.iter().enumerate() {
        match index {
            7 => {
                assert_eq!(answer.state, TransactionState::Refused);
                assert_eq!(answer.refusal.as_ref().unwrap().code, "transaction.bad_signature");
                assert!(answer.height.is_none());
            }
            _ => assert_eq!(answer.state, TransactionState::Finalised),
        }
    }
    // All in one block: every receipt's path is exercised.
    for item in items.iter().enumerate().filter(|(index, _)| *index != 7).map(|(_, item)| item) {
        let receipt = world.client.receipt(id_of(item)).await.unwrap();
        verify_receipt(&world.network, &receipt).unwrap();
    }
}

#[tokio::test]
async fn the_same_bytes_again_are_the_same_transaction() {
    let world = World::start().await;
    let transaction = world.deposit(b"once");
    let first = world.client.submit(&[&transaction], SOON).await.unwrap();
    let again = world.client.submit(&[&transaction], SOON).await.unwrap();
    assert_eq!(first, again);
    let both = world.client.submit(&[&transaction, &transaction], SOON).await.unwrap();
    assert_eq!(both, [first[0].clone(), first[0].clone()]);
}

#[tokio::test]
async fn a_refusal_in_a_block_has_a_receipt_that_verifies() {
    let world = World::start().await;
    let transaction = world.by_stranger(b"not registered");
    let answer = world.client.submit(&[&transaction], SOON).await.unwrap().remove(0);
    assert_eq!(answer.state, TransactionState::Refused);
    let refusal = answer.refusal.unwrap();
    assert_eq!((refusal.code.as_str(), refusal.status, refusal.retry), ("transaction.unknown_key", 401, true));
    assert!(!refusal.zh.is_empty() && !refusal.remedy_zh.is_empty() && !refusal.remedy_en.is_empty());
    let receipt = world.client.receipt(id_of(&transaction)).await.unwrap();
    let facts = verify_receipt(&world.network, &receipt).unwrap();
    assert!(facts.refusal.is_some() && facts.deposit.is_none());
}

#[tokio::test]
async fn waiting_ends_at_its_timeout_and_unknown_is_answered_at_once() {
    let world = World::paused().await;
    let transaction = world.deposit(b"waits");
    let started = std::time::Instant::now();
    let answer = world.client.submit(&[&transaction], Wait::Finalised(Duration::from_millis(200))).await.unwrap().remove(0);
    assert_eq!(answer.state, TransactionState::Pending);
    assert!(started.elapsed() >= Duration::from_millis(200));
    let error = world.client.receipt(id_of(&transaction)).await.unwrap_err();
    assert_eq!(error.code(), Some("query.transaction_not_final"));
    world.memory.produce();
    let answer = world.client.transaction(id_of(&transaction), SOON).await.unwrap();
    assert_eq!(answer.state, TransactionState::Finalised);
    let answer = world.client.transaction(Hex32([9; 32]), SOON).await.unwrap();
    assert_eq!(answer.state, TransactionState::Unknown);
}

#[tokio::test]
async fn a_transaction_that_expires_while_it_waits_says_so() {
    let world = World::paused().await;
    let transaction = world.deposit_until(b"too late", world.memory.height() + 1);
    let late = world.deposit_until(b"much too late", world.memory.height() + 1);
    assert_eq!(world.client.submit(&[&transaction], Wait::No).await.unwrap()[0].state, TransactionState::Pending);
    world.memory.hold(id_of(&transaction));
    world.memory.produce();
    world.memory.produce();
    let answer = world.client.transaction(id_of(&transaction), SOON).await.unwrap();
    assert_eq!(answer.state, TransactionState::Expired);
    assert_eq!(answer.refusal.unwrap().code, "transaction.expired");
    let answer = world.client.submit(&[&late], SOON).await.unwrap().remove(0);
    assert_eq!((answer.state, answer.height), (TransactionState::Expired, None));
}

#[tokio::test]
async fn a_full_mempool_is_429_with_retry_after_and_partly_full_says_which() {
    let world = World::paused().await;
    for chunk in 0..2 {
        let items: Vec<Vec<u8>> = (0..1_000u32).map(|n| world.deposit(&[&[chunk][..], &n.to_be_bytes()].concat())).collect();
        let answers = world.client.submit(&items, Wait::No).await.unwrap();
        let busy = answers.iter().filter(|answer| answer.state == TransactionState::Busy).count();
        assert_eq!(busy, if chunk == 0 { 0 } else { 500 });
    }
    let error = world.client.submit(&[world.deposit(b"one more")], Wait::No).await.unwrap_err();
    assert_eq!(error.code(), Some("mempool.full"));
    let zhulian_api::ClientError::Problem { problem, retry_after } = error else { panic!() };
    assert_eq!((problem.status, problem.retry, retry_after), (429, true, Some(Duration::from_secs(1))));
}

#[tokio::test]
async fn transactions_are_listed_newest_first_with_cursors_and_filters() {
    let world = World::start().await;
    for n in 0..7u8 {
        world.client.submit(&[world.deposit(&[n])], SOON).await.unwrap();
    }
    world.client.submit(&[world.by_stranger(b"x")], SOON).await.unwrap();
    let mut query = Query::new().with("limit", Some(3)).with("module", Some("evidence"));
    let (mut seen, mut parts) = (Vec::new(), 0);
    loop {
        let part = world.client.transactions(query).await.unwrap();
        seen.extend(part.items);
        parts += 1;
        let Some(next) = part.next else { break };
        query = Query::new().with("limit", Some(3)).with("module", Some("evidence")).with("cursor", Some(next));
    }
    assert_eq!((seen.len(), parts), (8, 3));
    assert!(seen.windows(2).all(|pair| (pair[0].height, pair[0].index) > (pair[1].height, pair[1].index)));
    let mine = world.client.transactions(Query::new().with("organisation", Some(world.organisation()))).await.unwrap();
    assert_eq!(mine.items.len(), 7);
    let (from, to) = (seen[5].time_ms, seen[2].time_ms);
    let some = world.client.transactions(Query::new().with("from", Some(from)).with("to", Some(to))).await.unwrap();
    assert_eq!(some.items.len(), 3);
    let none = world.client.transactions(Query::new().with("module", Some("governance"))).await.unwrap();
    assert!(none.items.is_empty() && none.next.is_none());
}

#[tokio::test]
async fn a_receipt_may_end_in_a_later_certificate() {
    let world = World::start().await;
    let mut lengths = Vec::new();
    for n in 0..8u8 {
        let transaction = world.deposit(&[n]);
        world.client.submit(&[&transaction], SOON).await.unwrap();
        if n == 4 {
            // Else each transaction would be at an odd height.
            world.memory.produce();
        }
        world.memory.produce();
        let receipt = world.client.receipt(id_of(&transaction)).await.unwrap();
        verify_receipt(&world.network, &receipt).unwrap();
        lengths.push(ReceiptFile::decode(&receipt).unwrap().headers.len());
    }
    assert!(lengths.contains(&1) && lengths.contains(&2), "{lengths:?}");
}
