//! The world outside the validators: clients, and what their disks and memories keep over crashes.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use zhulian_engine::{Observer, Transactions};
use zhulian_ledger::BlockContext;
use zhulian_primitives::{Block, Certificate, Height};

use crate::{machine::Lie, scenario::VALIDATORS};

/// What everybody has been told, by honest nodes.
#[derive(Default)]
pub struct Record {
    /// Blocks by height.
    pub blocks: BTreeMap<Height, Arc<Block>>,
    /// The last height that each node's observer has handled.
    pub positions: [Height; VALIDATORS],
    /// Transactions that no honest node has reported in a block yet.
    pub pending: BTreeMap<u64, Vec<u8>>,
    /// Transactions ever submitted.
    pub submitted: u64,
}

/// The shared record.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Record>>);

impl Memory {
    /// The record.
    pub fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The number that makes a transaction unique.
fn number(transaction: &[u8]) -> Option<u64> {
    transaction.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Pool and observer of one node.
pub struct Node {
    index: usize,
    honest: bool,
    lie: Option<Lie>,
    pool: Mutex<VecDeque<Vec<u8>>>,
    memory: Memory,
}

impl Node {
    /// An honest node reports to the memory; another one only pretends.
    pub fn new(index: usize, honest: bool, lie: Option<Lie>, memory: Memory) -> Self {
        Self { index, honest, lie, pool: Mutex::default(), memory }
    }

    fn pool(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        self.pool.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes a transaction, if it is not in a block already.
    pub fn take(&self, transaction: Vec<u8>) {
        let Some(number) = number(&transaction) else { return };
        if self.memory.lock().pending.contains_key(&number) {
            let mut pool = self.pool();
            if !pool.contains(&transaction) {
                pool.push_back(transaction);
            }
        }
    }
}

impl Transactions for Node {
    fn propose(&self, context: &BlockContext, ancestors: &[Arc<Block>], bytes_max: usize, count_max: usize) -> Vec<Vec<u8>> {
        if self.lie == Some(Lie::Transaction) && context.height.is_multiple_of(2) {
            return vec![vec![0; 7]];
        }
        let mut bytes = 0;
        let pool = self.pool();
        let fresh =
            pool.iter().filter(|transaction| !ancestors.iter().any(|block| block.transactions.contains(transaction)));
        let fitting = fresh.take(count_max).take_while(|transaction| {
            bytes += transaction.len();
            bytes <= bytes_max
        });
        fitting.cloned().collect()
    }

    fn waiting(&self) -> bool {
        !self.pool().is_empty()
    }
}

impl Observer for Node {
    fn position(&self) -> Height {
        if self.honest { self.memory.lock().positions[self.index] } else { 0 }
    }

    fn finalised(&self, block: Arc<Block>, _: Option<Certificate>) {
        self.pool().retain(|transaction| !block.transactions.contains(transaction));
        if !self.honest {
            return;
        }
        let mut record = self.memory.lock();
        let height = block.header.height;
        for transaction in &block.transactions {
            if let Some(number) = number(transaction) {
                record.pending.remove(&number);
            }
        }
        let known = record.blocks.entry(height).or_insert_with(|| block.clone());
        assert_eq!(known.header, block.header, "ONE CHAIN: node {} saw another block at height {height}", self.index);
        record.positions[self.index] = height;
    }
}
