//! A whole chain in one process, for tests of modules: real transactions, real execution, a map for a store.

use std::collections::BTreeMap;

use zhulian_crypto::{SigningKey, sha256};
use zhulian_ledger::{BlockContext, Key, Value};
use zhulian_primitives::{Call, ChainId, Height, Receipt, Timestamp, codec, sign};

use crate::Executor;

/// A chain whose blocks are made one call at a time.
pub struct TestChain {
    executor: Executor,
    state: BTreeMap<Key, Value>,
    /// The network.
    pub chain: ChainId,
    /// Height of the last block.
    pub height: Height,
    /// Time of the last block.
    pub time: Timestamp,
    /// Time and transactions of every block so far.
    pub history: Vec<(Timestamp, Vec<Vec<u8>>)>,
    nonce: u64,
}

impl TestChain {
    /// A chain at genesis.
    pub fn new(executor: Executor, genesis: BTreeMap<Key, Value>) -> Self {
        Self { executor, state: genesis, chain: [7; 32], height: 0, time: 1_767_225_600_000, history: Vec::new(), nonce: 0 }
    }

    /// Signs a call, with a fresh nonce and the usual validity.
    pub fn sign<T: minicbor::Encode<()>>(&mut self, key: &SigningKey, module: &str, call: &str, args: &T) -> Vec<u8> {
        self.nonce += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonce.to_be_bytes());
        let args = codec::to_bytes(args);
        sign(&Call { chain: self.chain, module, call, args: &args, nonce, valid_until: self.height + 100 }, key)
    }

    /// Executes one block with these transactions and returns their receipts.
    ///
    /// # Panics
    /// When a transaction does not parse, or the protocol in force is not known.
    pub fn block(&mut self, transactions: &[Vec<u8>]) -> Vec<Receipt> {
        self.height += 1;
        self.time += 1_000;
        let block = BlockContext {
            chain: self.chain,
            height: self.height,
            time: self.time,
            parent: sha256(&self.height.to_be_bytes()),
            proposer: [0; 32],
        };
        let outcome = self.executor.execute(&block, transactions, |key| self.state.get(key).cloned());
        let outcome = outcome.expect("a known protocol");
        for (key, value) in outcome.writes {
            match value {
                Some(value) => self.state.insert(key, value),
                None => self.state.remove(&key),
            };
        }
        self.history.push((self.time, transactions.to_vec()));
        outcome.receipts.iter().map(|bytes| Receipt::decode(bytes).expect("our own receipt")).collect()
    }

    /// Signs and executes one call in a block of its own.
    pub fn apply<T: minicbor::Encode<()>>(&mut self, key: &SigningKey, module: &str, call: &str, args: &T) -> Receipt {
        let transaction = self.sign(key, module, call, args);
        self.block(&[transaction]).remove(0)
    }

    /// The whole state.
    pub fn state(&self) -> &BTreeMap<Key, Value> {
        &self.state
    }

    /// A state value.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.state.get(key)
    }
}
