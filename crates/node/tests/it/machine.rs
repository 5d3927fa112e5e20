//! Blocks are checked whole, in batches, and each transaction once.

use std::{collections::BTreeMap, sync::Arc};

use zhulian_execution::Refusal as _;
use zhulian_ledger::{BlockContext, Loaded, Machine as _, Outcome, Pause, RECEIPTS_BYTES_MAX, VALUE_BYTES_MAX};
use zhulian_node::{CityMachine, Verifier};
use zhulian_primitives::{Receipt, Transaction, TransactionError};

use crate::toy::{self, CHAIN, Note, id, key, note};

fn machine() -> (CityMachine, Arc<Verifier>) {
    let verifier = Arc::new(Verifier::new(CHAIN, 10_000));
    (CityMachine::new(toy::executor(), verifier.clone(), None, BTreeMap::new()), verifier)
}

fn block(count: u64) -> Vec<Vec<u8>> {
    let keys: Vec<_> = (1..=16).map(key).collect();
    (0..count).map(|n| note(&keys[n as usize % keys.len()], n, 100)).collect()
}

fn execute(machine: &CityMachine, transactions: &[Vec<u8>]) -> Outcome {
    let context = BlockContext { chain: CHAIN, height: 1, time: 1, parent: [0; 32], proposer: [0; 32] };
    let mut execution = machine.start(&context, transactions);
    let mut loaded = Loaded::default();
    loop {
        match execution.resume(&loaded) {
            Ok(outcome) => return outcome,
            Err(Pause::Missing(keys)) => loaded.extend(keys.into_iter().map(|key| (key, None))),
            Err(Pause::Unknown(unknown)) => panic!("{unknown:?}"),
        }
    }
}

#[test]
fn a_forged_signature_among_thousands_fails_the_block() {
    let (machine, _) = machine();
    let mut transactions = block(3_000);
    let last = transactions[1_234].len() - 1;
    transactions[1_234][last] ^= 1;
    assert!(!machine.check(&transactions));
    transactions[1_234][last] ^= 1;
    assert!(machine.check(&transactions));
}

#[test]
fn what_was_checked_is_remembered_and_what_failed_is_not() {
    let (machine, verifier) = machine();
    let mut transactions = block(50);
    let ids = |all: &[Vec<u8>]| all.iter().map(|bytes| id(bytes)).collect::<Vec<_>>();
    assert_eq!(verifier.knows(&ids(&transactions)), [false; 50]);
    let last = transactions[7].len() - 1;
    transactions[7][last] ^= 1;
    assert!(!machine.check(&transactions));
    let known = verifier.knows(&ids(&transactions));
    assert_eq!(known.iter().filter(|known| **known).count(), 49);
    assert!(!known[7]);
    // Also when it is asked for again, alone.
    assert!(!machine.check(&transactions[7..8]));
}

#[test]
fn another_networks_transaction_fails_the_block() {
    let (machine, _) = machine();
    let stray = toy::call(&key(1), [8; 32], &Note { text: "x".into() }, 1, 100);
    assert!(!machine.check(&[stray]));
}

#[test]
fn a_block_of_rubbish_is_refused_and_its_execution_does_no_harm() {
    let (machine, _) = machine();
    for rubbish in [vec![], vec![0xff; 10], note(&key(1), 1, 100)[..50].to_vec()] {
        let transactions = [note(&key(1), 2, 100), rubbish];
        assert!(!machine.check(&transactions));
        assert_eq!(execute(&machine, &transactions), Outcome::default());
    }
}

/// A node that met it in a block would end, whoever proposed it.
#[test]
fn what_no_block_could_hold_is_refused_and_hurts_no_other() {
    let (machine, _) = machine();
    let say = |n: u64, text: String| toy::call(&key(1), CHAIN, &Note { text }, n, 100);
    let fits = Receipt { transaction: id(&[]), refusal: None, events: Vec::new() }.encode().len() + 40;
    let transactions = [
        say(1, format!("write {}", VALUE_BYTES_MAX + 1)),
        say(2, format!("tell {RECEIPTS_BYTES_MAX}")),
        say(3, format!("write {VALUE_BYTES_MAX}")),
        say(4, format!("tell {}", RECEIPTS_BYTES_MAX - fits)),
    ];
    let outcome = execute(&machine, &transactions);
    let refusals: Vec<_> = outcome.receipts.iter().map(|bytes| Receipt::decode(bytes).unwrap().refusal).collect();
    let refused = Some(TransactionError::TooMuch.code());
    assert_eq!(refusals, [refused.clone(), refused, None, None]);
    assert!(outcome.receipts.iter().all(|receipt| receipt.len() <= RECEIPTS_BYTES_MAX));
    assert_eq!(outcome.writes[&[1; 32]].as_ref().map(Vec::len), Some(VALUE_BYTES_MAX));
}

#[test]
fn execution_is_the_same_whether_the_transactions_are_known_or_not() {
    let (fresh, _) = machine();
    let (knowing, _) = machine();
    let transactions = block(300);
    assert!(knowing.check(&transactions));
    let outcome = execute(&fresh, &transactions);
    assert_eq!(execute(&knowing, &transactions), outcome);
    for (bytes, receipt) in transactions.iter().zip(&outcome.receipts) {
        let receipt = Receipt::decode(receipt).unwrap();
        assert_eq!(receipt.transaction, id(bytes));
        assert_eq!(receipt.refusal, None);
    }
}

#[test]
fn threads_that_check_the_same_transactions_at_once_agree() {
    let verifier = Verifier::new(CHAIN, 10_000);
    let mut transactions = block(1_000);
    let last = transactions[500].len() - 1;
    transactions[500][last] ^= 1;
    let parsed: Vec<Transaction<'_>> = transactions.iter().map(|bytes| Transaction::decode(bytes).unwrap()).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| verifier.verify(&parsed))).collect();
        for thread in threads {
            let valid = thread.join().unwrap();
            assert_eq!(valid.iter().position(|valid| !valid), Some(500));
            assert_eq!(valid.iter().filter(|valid| **valid).count(), 999);
        }
    });
}
