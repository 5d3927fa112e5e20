//! The mempool: transactions on their way into a block.
//!
//! Clients' transactions and those of other nodes come in through the [`Intake`], which refuses with a code what can never be
//! executed, checks signatures in batches, and passes clients' transactions on to the other validators. The [`pool`](Pool) keeps what
//! is good: bounded, fair to organisations, each until its end, which is one of two: in a finalised block, or expired.
//!
//! # Invariants
//! - **P1** What was answered with "taken" ends: it is finalised, or it expires at its `valid_until`. Only a crash of every node that
//!   has it ends it before, and then the same bytes may be submitted again.
//! - **P2** Count and bytes never exceed the limits, and an organisation that has nothing waiting finds room, whatever others send.
//! - **P3** The end that is told is the first one; a double in a later block changes nothing.

mod intake;
mod lanes;
mod pool;

use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use intake::tell_again;
pub use intake::{Counters, Intake, Outside, Verdict, Worker};
pub use lanes::Owner;
pub use pool::{Admission, Candidate, End, Limits, Pool, Standing};
use zhulian_ledger::BlockContext;
use zhulian_primitives::{Block, Height, TransactionId};

/// The pool behind its lock.
pub struct Mempool(Mutex<Pool>);

impl Mempool {
    /// An empty mempool.
    pub fn new(limits: Limits) -> Self {
        Self(Mutex::new(Pool::new(limits)))
    }

    /// The pool, for as short as can be.
    pub fn lock(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// These stand in a block at `height` that may become final.
    pub fn proposed(&self, height: Height, ids: &[TransactionId]) {
        self.lock().proposed(height, ids);
    }

    /// A block is final.
    pub fn finalised(&self, block: &Block) {
        self.lock().finalised(block.header.height, ids(block));
    }

    /// See the engine's `Transactions::propose`.
    pub fn propose(
        &self,
        context: &BlockContext,
        ancestors: &[Arc<Block>],
        bytes_max: usize,
        count_max: usize,
    ) -> Vec<Vec<u8>> {
        let excluded = ancestors.iter().flat_map(|block| ids(block));
        self.lock().propose(context.height, excluded, bytes_max, count_max)
    }
}

/// Ids of a block's transactions, read off its receipts, which costs no hashing.
pub(crate) fn ids(block: &Block) -> impl Iterator<Item = TransactionId> {
    block.receipts.iter().map(|receipt| receipt_id(receipt).unwrap_or(TransactionId([0; 32])))
}

/// The transaction that a receipt is for: a receipt begins with an array of three and a byte string of 32.
fn receipt_id(receipt: &[u8]) -> Option<TransactionId> {
    let id = receipt.strip_prefix(&[0x83, 0x58, 0x20])?.get(..32)?;
    Some(TransactionId(id.try_into().ok()?))
}
