//! What a transaction costs a node outside of consensus and storage. Run it in a release build:
//! `cargo test --release -p zhulian-node -- --ignored --nocapture speed`.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use zhulian_ledger::{BlockContext, Loaded, Machine as _, Pause};
use zhulian_node::{
    CityMachine, Verifier,
    index::{Store, genesis_keys, rows},
    mempool::{Candidate, Limits, Mempool, Owner},
};
use zhulian_primitives::{Block, Header, Transaction, TransactionId};

use crate::{city::City, toy::id};

const COUNT: u64 = 4_000;
const ROUNDS: u64 = 5;

fn report(what: &str, began: Instant, count: u64) {
    println!("{what:<44}{:>8.2} µs a transaction", began.elapsed().as_secs_f64() * 1e6 / count as f64);
}

fn header(height: u64) -> Header {
    Header {
        version: 1,
        chain: [0; 32],
        height,
        time: height,
        epoch: 0,
        view: 0,
        parent_view: 0,
        parent: [0; 32],
        proposer: [0; 32],
        transaction_count: 0,
        validators: [0; 32],
        transactions_root: [0; 32],
        receipts_root: [0; 32],
        state_root: [0; 32],
        sync_root: [0; 32],
        sync_start: 0,
        sync_end: 0,
    }
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let city = City::new();
    let chain = city.genesis.chain_id();
    let executor = Arc::new(zhulian_modules::executor());
    let verifier = Arc::new(Verifier::new(chain, 1 << 17));
    let mempool = Arc::new(Mempool::new(Limits { count_max: 1 << 17, bytes_max: 1 << 28 }));
    let machine = CityMachine::new(executor.clone(), verifier.clone(), Some(mempool.clone()), city.genesis.state());
    let mut state: BTreeMap<_, _> = city.genesis.state();
    let mut holders = genesis_keys(&city.genesis.events()).into_iter().collect();
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path(), &chain).unwrap();
    for round in 0..ROUNDS {
        let height = round + 1;
        let transactions: Vec<_> =
            (0..COUNT).map(|n| city.deposit(n as usize % 4, round * COUNT + n, height + 500)).collect();
        println!("round {round}: {} bytes a transaction", transactions[0].len());

        let began = Instant::now();
        let parsed: Vec<_> = transactions.iter().map(|bytes| Transaction::decode(bytes).unwrap()).collect();
        report("decode", began, COUNT);
        let began = Instant::now();
        for it in &parsed {
            Transaction::decode_knowing(&transactions[0], TransactionId([0; 32]), |_| true).unwrap();
            assert!(executor.prepare(it).refusal().is_none());
        }
        report("decode with known key, check of the call", began, COUNT);
        let began = Instant::now();
        assert!(verifier.verify(&parsed).into_iter().all(|valid| valid));
        report("signatures", began, COUNT);

        let candidates: Vec<_> = parsed
            .iter()
            .zip(&transactions)
            .map(|(it, bytes)| Candidate {
                id: it.id,
                bytes: bytes[..].into(),
                owner: Owner::Organisation("one".into()),
                valid_until: it.call.valid_until,
                prepared: Some(Arc::new(executor.prepare(it))),
            })
            .collect();
        let began = Instant::now();
        let mut pool = mempool.lock();
        for candidate in candidates {
            pool.admit(candidate);
        }
        report("admit", began, COUNT);
        let began = Instant::now();
        let proposal = pool.propose(height, std::iter::empty(), 16 << 20, COUNT as usize);
        assert_eq!(proposal.len() as u64, COUNT);
        report("propose", began, COUNT);
        drop(pool);

        let began = Instant::now();
        assert!(machine.check(&transactions));
        report("check of a block already known", began, COUNT);
        let context = BlockContext { chain, height, time: 1_800_000_000_000 + height, parent: [0; 32], proposer: [0; 32] };
        let mut loaded = Loaded::default();
        let began = Instant::now();
        let mut execution = machine.start(&context, &transactions);
        let mut passes = 0;
        let outcome = loop {
            passes += 1;
            match execution.resume(&loaded) {
                Ok(outcome) => break outcome,
                Err(Pause::Missing(keys)) => loaded.extend(keys.into_iter().map(|key| (key, state.get(&key).cloned()))),
                Err(Pause::Unknown(unknown)) => panic!("{unknown:?}"),
            }
        };
        report(&format!("execute, {passes} passes"), began, COUNT);
        for (key, value) in outcome.writes {
            match value {
                Some(value) => state.insert(key, value),
                None => state.remove(&key),
            };
        }
        let block = Block { header: header(height), transactions, receipts: outcome.receipts };
        let began = Instant::now();
        mempool.finalised(&block);
        report("removal from the mempool", began, COUNT);
        assert_eq!(mempool.lock().count(), 0);
        let began = Instant::now();
        let rows = rows(&block, &mut holders);
        report("rows of the index", began, COUNT);
        assert_eq!(rows.evidence, COUNT);
        let began = Instant::now();
        store.write(&[rows]).unwrap();
        report("writing them", began, COUNT);
        assert_eq!(id(&block.transactions[0]).0[..], block.receipts[0][3..35]);
    }
    println!("index: {} bytes a transaction", crate::city::size(directory.path()) / (COUNT * ROUNDS));
}
