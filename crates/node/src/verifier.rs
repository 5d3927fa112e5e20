//! Signature checks: in batches, and each transaction once in the life of a node.
//!
//! The mempool checks what clients and peers send, the machine what proposers put into blocks; both ask here. What one of them has
//! checked, or is checking at this moment, the other does not check again.

use std::sync::{Condvar, Mutex};

use zhulian_crypto::{Signed, verify_batch};
use zhulian_primitives::{ChainId, Transaction, TransactionId};

use crate::ids::{Generations, IdSet};

/// Remembers which transactions are well formed, of this network, and truly signed.
pub struct Verifier {
    chain: ChainId,
    seen: Mutex<Seen>,
    finished: Condvar,
}

struct Seen {
    valid: Generations<IdSet>,
    /// Being checked by some thread now.
    running: IdSet,
}

impl Verifier {
    /// A verifier for this network that remembers at least the last `remembered` transactions.
    pub fn new(chain: ChainId, remembered: usize) -> Self {
        let seen = Seen { valid: Generations::new(remembered), running: IdSet::default() };
        Self { chain, seen: Mutex::new(seen), finished: Condvar::new() }
    }

    /// The network.
    pub fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// Which of the ids are known to be valid. Not knowing one says nothing.
    pub fn knows(&self, ids: &[TransactionId]) -> Vec<bool> {
        let seen = self.lock();
        ids.iter().map(|id| seen.valid.contains(id)).collect()
    }

    /// Whether each transaction is for this network and truly signed. Uses the threads of the current rayon pool.
    pub fn verify(&self, transactions: &[Transaction<'_>]) -> Vec<bool> {
        let (mut mine, mut others, mut valid) = (Vec::new(), Vec::new(), vec![false; transactions.len()]);
        {
            let mut seen = self.lock();
            for (index, transaction) in transactions.iter().enumerate() {
                if transaction.call.chain != self.chain {
                    continue;
                }
                if seen.valid.contains(&transaction.id) {
                    valid[index] = true;
                } else if seen.running.insert(transaction.id) {
                    mine.push(index);
                } else {
                    others.push(index);
                }
            }
        }
        if !mine.is_empty() {
            let running = Running { verifier: self, ids: mine.iter().map(|index| transactions[*index].id).collect() };
            // All messages in one buffer, and where each ends.
            let mut messages = Vec::with_capacity(mine.iter().map(|index| transactions[*index].signed_bytes_len()).sum());
            let ends: Vec<usize> = mine
                .iter()
                .map(|index| {
                    transactions[*index].write_signed_bytes(&mut messages);
                    messages.len()
                })
                .collect();
            let mut start = 0;
            let signed: Vec<Signed<'_>> = mine
                .iter()
                .zip(ends)
                .map(|(index, end)| {
                    let transaction = &transactions[*index];
                    let message = &messages[std::mem::replace(&mut start, end)..end];
                    Signed { key: transaction.signer, message, signature: transaction.signature }
                })
                .collect();
            let answers = verify_batch(&signed);
            let mut seen = self.lock();
            for (index, answer) in mine.iter().zip(answers) {
                valid[*index] = answer;
                if answer {
                    seen.valid.insert(transactions[*index].id);
                }
            }
            drop(seen);
            drop(running);
        }
        if !others.is_empty() {
            // Whoever waits has finished its own part, so two threads never wait for each other. None of them is a thread that a check needs:
            // the engine's pool is another one than that of the checks.
            let busy = |seen: &mut Seen| others.iter().any(|index| seen.running.contains(&transactions[*index].id));
            let seen = self.finished.wait_while(self.lock(), busy).unwrap_or_else(|poisoned| poisoned.into_inner());
            for index in others {
                valid[index] = seen.valid.contains(&transactions[index].id);
            }
        }
        valid
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Ids marked as running, unmarked also if the check panics, lest others wait for ever.
struct Running<'a> {
    verifier: &'a Verifier,
    ids: Vec<TransactionId>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut seen = self.verifier.lock();
        for id in &self.ids {
            seen.running.remove(id);
        }
        drop(seen);
        self.verifier.finished.notify_all();
    }
}
