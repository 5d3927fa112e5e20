//! A machine that puts values under keys, and the smallest node around it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use zhulian_engine::{Observer, Transactions};
use zhulian_ledger::{BlockContext, Execution, Key, Loaded, Machine, Missing, Outcome, Pause, Seat, Value};
use zhulian_primitives::{Block, Certificate, Height, Validator};

/// A transaction is a key of 32 bytes and a value; the same key again makes the value longer. An empty transaction is invalid.
#[derive(Default)]
pub struct Toy {
    /// Blocks executed to the end.
    pub executed: Arc<AtomicU64>,
    /// The validators of genesis.
    pub validators: Vec<Validator>,
}

/// Where the state says who comes (`+` and a key) and who goes (`-` and a key), since genesis.
pub const SEATS: Key = [8; 32];

pub fn validator(public_key: [u8; 32]) -> Validator {
    Validator { name: "a department".into(), organisation: "123456789012345678".into(), public_key }
}

pub fn put(key: Key, value: &[u8]) -> Vec<u8> {
    [&key[..], value].concat()
}

pub fn key(n: u64) -> Key {
    zhulian_crypto::sha256(&n.to_be_bytes())
}

/// What [`Toy`] writes at genesis.
pub const GENESIS: (Key, &[u8]) = ([7; 32], b"genesis");

impl Machine for Toy {
    fn check(&self, transactions: &[Vec<u8>]) -> bool {
        transactions.iter().all(|transaction| transaction.len() >= 32)
    }

    fn start(&self, _: &BlockContext, transactions: &[Vec<u8>]) -> Box<dyn Execution> {
        let (transactions, executed) = (transactions.to_vec(), self.executed.clone());
        Box::new(move |loaded: &Loaded| execute(&transactions, &executed, loaded))
    }

    fn genesis(&self) -> BTreeMap<Key, Value> {
        [(GENESIS.0, GENESIS.1.to_vec())].into()
    }

    fn validators_key(&self) -> Option<Key> {
        Some(SEATS)
    }

    fn validators(&self, value: &[u8]) -> Option<Vec<Seat>> {
        let mut keys: BTreeSet<[u8; 32]> = self.validators.iter().map(|it| it.public_key).collect();
        for change in value.chunks(33) {
            let key = change[1..].try_into().expect("a key");
            if change[0] == b'+' {
                keys.insert(key);
            } else {
                keys.remove(&key);
            }
        }
        Some(keys.into_iter().map(|key| Seat { validator: validator(key), address: String::new() }).collect())
    }
}

fn execute(transactions: &[Vec<u8>], executed: &AtomicU64, loaded: &Loaded) -> Result<Outcome, Pause> {
    let mut missing = Missing::default();
    let mut outcome = Outcome { protocol: 1, ..Outcome::default() };
    for transaction in transactions {
        let key: Key = transaction[..32].try_into().expect("checked");
        if !loaded.contains_key(&key) {
            missing.0.insert(key);
        }
    }
    if !missing.0.is_empty() {
        return Err(missing.into());
    }
    for transaction in transactions {
        let (key, value) = transaction.split_at(32);
        let key: Key = key.try_into().expect("checked");
        let before = outcome.writes.get(&key).or_else(|| loaded.get(&key)).cloned().flatten().unwrap_or_default();
        if value == b"delete" {
            outcome.writes.insert(key, None);
        } else {
            outcome.writes.insert(key, Some([&before[..], value].concat()));
        }
        outcome.receipts.push(vec![before.len() as u8, value.len() as u8]);
    }
    executed.fetch_add(1, Ordering::Relaxed);
    Ok(outcome)
}

/// Pool and observer of one node.
#[derive(Default)]
pub struct Node {
    pool: Mutex<VecDeque<Vec<u8>>>,
    pub blocks: Mutex<Vec<(Arc<Block>, Option<Certificate>)>>,
    /// Heights of which the pool was told.
    pub told: Mutex<Vec<Height>>,
}

impl Node {
    pub fn submit(&self, transaction: Vec<u8>) {
        self.pool.lock().unwrap().push_back(transaction);
    }

    pub fn waiting(&self) -> usize {
        self.pool.lock().unwrap().len()
    }

    /// Digests of the blocks it was told of, by height.
    pub fn digests(&self) -> BTreeMap<Height, [u8; 32]> {
        self.blocks.lock().unwrap().iter().map(|(block, _)| (block.header.height, block.header.digest())).collect()
    }
}

impl Transactions for Node {
    fn propose(&self, _: &BlockContext, ancestors: &[Arc<Block>], bytes_max: usize, count_max: usize) -> Vec<Vec<u8>> {
        let pool = self.pool.lock().unwrap();
        let mut bytes = 0;
        let fresh =
            pool.iter().filter(|transaction| !ancestors.iter().any(|block| block.transactions.contains(transaction)));
        let fitting = fresh.take(count_max).take_while(|transaction| {
            bytes += transaction.len();
            bytes <= bytes_max
        });
        fitting.cloned().collect()
    }

    fn waiting(&self) -> bool {
        self.waiting() > 0
    }

    fn finalised(&self, block: &Arc<Block>) {
        self.pool.lock().unwrap().retain(|transaction| !block.transactions.contains(transaction));
        self.told.lock().unwrap().push(block.header.height);
    }
}

impl Observer for Node {
    fn position(&self) -> Height {
        self.blocks.lock().unwrap().last().map_or(0, |(block, _)| block.header.height)
    }

    fn finalised(&self, block: Arc<Block>, certificate: Option<Certificate>) {
        self.blocks.lock().unwrap().push((block, certificate));
    }
}
