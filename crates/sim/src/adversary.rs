//! The proposer of invalid blocks: the real machine and mempool, with a lie about its own blocks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use zhulian_engine::Transactions;
use zhulian_ledger::{BlockContext, Execution, Key, Loaded, Machine, Seat, Value};
use zhulian_node::CityMachine;
use zhulian_primitives::Block;

use crate::scenario::Lie;

/// A machine that lies about the outcome of blocks that it proposes itself.
pub struct LyingMachine {
    /// The truth.
    pub inner: Arc<CityMachine>,
    /// This validator.
    pub me: [u8; 32],
    /// The lie.
    pub lie: Lie,
}

impl Machine for LyingMachine {
    fn check(&self, transactions: &[Vec<u8>]) -> bool {
        self.inner.check(transactions)
    }

    fn start(&self, context: &BlockContext, transactions: &[Vec<u8>]) -> Box<dyn Execution> {
        let mut honest = self.inner.start(context, transactions);
        if context.proposer != self.me {
            return honest;
        }
        let (lie, count) = (self.lie, transactions.len());
        Box::new(move |loaded: &Loaded| {
            let mut outcome = honest.resume(loaded)?;
            match lie {
                Lie::State => {
                    outcome.writes.insert([7; 32], Some(b"never deposited".to_vec()));
                }
                Lie::Receipt => {
                    if let Some(receipt) = outcome.receipts.first_mut() {
                        receipt.push(0);
                    }
                }
                // What is no transaction has no receipt, but a block has one for each.
                Lie::Malformed => outcome.receipts.resize(count, Vec::new()),
                Lie::Forged | Lie::Again => {}
            }
            Ok(outcome)
        })
    }

    fn genesis(&self) -> BTreeMap<Key, Value> {
        self.inner.genesis()
    }

    fn validators_key(&self) -> Option<Key> {
        self.inner.validators_key()
    }

    fn validators(&self, value: &[u8]) -> Option<Vec<Seat>> {
        self.inner.validators(value)
    }
}

/// A mempool that proposes what should not be.
pub struct LyingMempool {
    /// The truth.
    pub inner: Arc<dyn Transactions>,
    /// The lie.
    pub lie: Lie,
    /// Transactions seen in blocks.
    pub seen: Mutex<Vec<Vec<u8>>>,
}

impl Transactions for LyingMempool {
    fn propose(&self, context: &BlockContext, ancestors: &[Arc<Block>], bytes_max: usize, count_max: usize) -> Vec<Vec<u8>> {
        let mut transactions = self.inner.propose(context, ancestors, bytes_max, count_max);
        let mut seen = self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match self.lie {
            Lie::Malformed if context.height.is_multiple_of(2) => return vec![vec![0; 7]],
            Lie::Forged => {
                if let Some(byte) = transactions.first_mut().and_then(|first| first.last_mut()) {
                    *byte ^= 1;
                }
            }
            Lie::Again => {
                let again: Vec<Vec<u8>> = seen.iter().rev().take(5).cloned().collect();
                seen.extend(transactions.iter().take(5).cloned());
                transactions.extend(again);
                transactions.truncate(count_max);
            }
            _ => {}
        }
        transactions
    }

    fn waiting(&self) -> bool {
        self.inner.waiting()
    }

    fn finalised(&self, block: &Arc<Block>) {
        self.inner.finalised(block);
    }
}
