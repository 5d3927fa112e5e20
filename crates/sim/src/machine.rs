//! A small ledger in which everything matters: the order, content and number of transactions all change the state root.

use std::collections::BTreeMap;

use zhulian_crypto::sha256;
use zhulian_ledger::{BlockContext, Execution, Key, Loaded, Machine, Missing, Outcome, Value};

/// Shortest well-formed transaction.
const BYTES_MIN: usize = 40;

/// The number of transactions so far, as eight bytes.
pub const COUNT: Key = [1; 32];

/// A transaction: a number that makes it unique, the key it writes, and bytes appended to what is there. Every seventh deletes.
pub fn transaction(number: u64, key: u64, value: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &key_of(key), value].concat()
}

/// The state key with this number.
pub fn key_of(number: u64) -> Key {
    sha256(&number.to_be_bytes())
}

/// How a validator lies about the blocks it proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The state is not what the transactions make it.
    State,
    /// A receipt is not what execution gave.
    Receipt,
    /// A transaction is malformed.
    Transaction,
}

/// The ledger, honest or not.
pub struct Book {
    /// This validator's key.
    pub me: [u8; 32],
    /// How it lies about its own blocks, if it does.
    pub lie: Option<Lie>,
}

impl Machine for Book {
    fn check(&self, transactions: &[Vec<u8>]) -> bool {
        transactions.iter().all(|transaction| transaction.len() >= BYTES_MIN)
    }

    fn start(&self, context: &BlockContext, transactions: &[Vec<u8>]) -> Box<dyn Execution> {
        let lie = self.lie.filter(|_| context.proposer == self.me);
        let (height, transactions) = (context.height, transactions.to_vec());
        Box::new(move |loaded: &Loaded| execute(height, &transactions, lie, loaded))
    }

    fn genesis(&self) -> BTreeMap<Key, Value> {
        [(COUNT, 0u64.to_be_bytes().to_vec())].into()
    }
}

fn execute(height: u64, transactions: &[Vec<u8>], lie: Option<Lie>, loaded: &Loaded) -> Result<Outcome, Missing> {
    let keys = transactions.iter().filter_map(|t| Some(t.get(8..40)?.try_into().expect("32 bytes"))).chain([COUNT]);
    let missing = Missing(keys.filter(|key| !loaded.contains_key(key)).collect());
    if !missing.0.is_empty() {
        return Err(missing);
    }
    let mut outcome = Outcome::default();
    for transaction in transactions {
        apply(transaction, loaded, &mut outcome);
    }
    match lie {
        Some(Lie::Receipt) if !outcome.receipts.is_empty() => outcome.receipts[0].push(0),
        Some(Lie::Transaction) | None => {}
        Some(_) => {
            outcome.writes.insert(key_of(height), Some(b"never deposited".to_vec()));
        }
    }
    Ok(outcome)
}

fn apply(transaction: &[u8], loaded: &Loaded, outcome: &mut Outcome) {
    let before = |outcome: &Outcome, key: &Key| outcome.writes.get(key).or_else(|| loaded.get(key)).cloned().flatten();
    let Some((number, rest)) = transaction.split_first_chunk::<8>() else {
        outcome.receipts.push(vec![0xff]);
        return;
    };
    let Some((key, value)) = rest.split_first_chunk::<32>() else {
        outcome.receipts.push(vec![0xff]);
        return;
    };
    let count = before(outcome, &COUNT).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
    outcome.writes.insert(COUNT, Some((count + 1).to_be_bytes().to_vec()));
    let old = before(outcome, key);
    let new = match &old {
        Some(_) if u64::from_be_bytes(*number).is_multiple_of(7) => None,
        Some(old) => Some([&old[..], value].concat()),
        None => Some(value.to_vec()),
    };
    outcome.receipts.push([&number[..], &sha256(&[old.as_deref().unwrap_or_default(), value].concat())].concat());
    outcome.writes.insert(*key, new);
}

/// The state that a chain of blocks leads to.
pub fn replay<'a>(blocks: impl Iterator<Item = &'a [Vec<u8>]>) -> BTreeMap<Key, Value> {
    let book = Book { me: [0; 32], lie: None };
    let mut state = book.genesis();
    for transactions in blocks {
        let mut outcome = Outcome::default();
        let loaded: Loaded = state.iter().map(|(key, value)| (*key, Some(value.clone()))).collect();
        for transaction in transactions {
            apply(transaction, &loaded, &mut outcome);
        }
        for (key, value) in outcome.writes {
            match value {
                Some(value) => state.insert(key, value),
                None => state.remove(&key),
            };
        }
    }
    state
}
