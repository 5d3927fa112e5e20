//! What everybody has been told, kept outside the nodes, over their crashes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use zhulian_engine::Observer;
use zhulian_node::Finalised;
use zhulian_primitives::{Block, Certificate, Code, Height, Receipt, TransactionError, TransactionId};

use crate::{change::Change, city::NODES};

/// What a client sent, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An honest transaction, which the rules may still refuse in its receipt.
    Honest,
    /// One of the last, by which it is measured whether anybody blocks anybody.
    Probe,
    /// Part of a flood.
    Flood,
    /// One that is valid for so short a time that it may expire.
    Short,
    /// Not what its signer signed, or for another network.
    Forged,
}

/// A transaction on its way.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What for.
    pub kind: Kind,
    /// Whose.
    pub department: usize,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Last height at which it may be executed.
    pub valid_until: Height,
    /// When it was first taken, in milliseconds; `None` if it has not been.
    pub taken: Option<u64>,
}

/// Where a transaction ended first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The block.
    pub height: Height,
    /// Index in the block.
    pub index: usize,
    /// Why it was refused there.
    pub refusal: Option<Code>,
    /// When it was first seen there, in milliseconds.
    pub at: u64,
}

/// All of it.
#[derive(Default)]
pub struct Record {
    /// Simulated milliseconds since the beginning.
    pub now: u64,
    /// Blocks that honest nodes reported, by height.
    pub blocks: BTreeMap<Height, Arc<Block>>,
    /// The last height that each node's observer was given.
    pub positions: [Height; NODES],
    /// Where transactions ended.
    pub places: BTreeMap<TransactionId, Place>,
    /// What clients sent.
    pub sent: BTreeMap<TransactionId, Sent>,
    /// What was taken and has not ended.
    pub pending: BTreeSet<TransactionId>,
    /// Taken, and expired before any block had them.
    pub expired: BTreeSet<TransactionId>,
    /// How far the change of validators has come.
    pub change: Change,
    /// Receipt files that clients hold.
    pub receipts: Vec<(TransactionId, Vec<u8>)>,
    /// Faults by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// What happened, in order.
    pub trace: Vec<String>,
    /// The first property that did not hold.
    pub broken: Option<String>,
}

impl Record {
    /// Writes an event down.
    pub fn note(&mut self, text: impl std::fmt::Display) {
        self.trace.push(format!("{:>7} ms  {text}", self.now));
    }

    /// A property does not hold.
    pub fn fail(&mut self, text: impl std::fmt::Display) {
        self.note(&text);
        self.broken.get_or_insert_with(|| text.to_string());
    }

    /// A fault happens.
    pub fn fault(&mut self, name: &'static str, text: impl std::fmt::Display) {
        *self.faults.entry(name).or_default() += 1;
        self.note(text);
    }

    /// Height of the last block that anybody reported.
    pub fn tip(&self) -> Height {
        self.blocks.keys().next_back().copied().unwrap_or(0)
    }

    fn finalised(&mut self, index: usize, block: &Arc<Block>) {
        let header = &block.header;
        let height = header.height;
        if let Some(known) = self.blocks.get(&height) {
            if known.header != *header {
                self.fail(format_args!("ONE STATE ROOT PER HEIGHT: node {index} finalised another block {height}"));
            }
        } else {
            let digest = hex::encode(&header.digest()[..4]);
            self.note(format_args!(
                "block {height} {digest} of view {}, {} transactions, first seen at node {index}",
                header.view, header.transaction_count
            ));
            self.blocks.insert(height, block.clone());
            for (at, receipt) in block.receipts.iter().enumerate() {
                match Receipt::decode(receipt) {
                    Ok(receipt) => self.ended(height, at, receipt),
                    Err(error) => self.fail(format_args!("RECEIPTS: number {at} of block {height} cannot be read: {error}")),
                }
            }
        }
        self.positions[index] = height;
    }

    fn ended(&mut self, height: Height, index: usize, receipt: Receipt) {
        let id = receipt.transaction;
        let refused = |error: TransactionError| receipt.refusal == Some(zhulian_execution::Refusal::code(error));
        let over = self.sent.get(&id).is_some_and(|sent| sent.valid_until < height);
        // In a block again it has no effect, and is told so; whether it is too late is looked at first.
        let replayed = refused(TransactionError::Replayed) || (over && refused(TransactionError::Expired));
        self.pending.remove(&id);
        match self.sent.get(&id).map(|sent| sent.kind) {
            Some(Kind::Forged) => self.fail(format_args!("FORGERIES ARE REFUSED: {id} is in block {height}")),
            None => self.fail(format_args!("NOBODY SENT IT: {id} is in block {height}")),
            _ => {}
        }
        if self.expired.contains(&id) {
            self.fail(format_args!("ENDS ARE TERMINAL: {id} had expired and is in block {height}"));
        }
        match self.places.get(&id) {
            Some(first) if !replayed => {
                let before = first.height;
                self.fail(format_args!("EXECUTED ONCE: {id} of block {before} is executed again in block {height}"));
            }
            Some(_) => {}
            None => {
                self.places.insert(id, Place { height, index, refusal: receipt.refusal, at: self.now });
            }
        }
    }

    /// What can be in no later block any more has expired.
    pub fn expire(&mut self, height: Height) {
        let over: Vec<TransactionId> =
            self.pending.iter().filter(|id| self.sent[id].valid_until <= height).copied().collect();
        for id in over {
            self.pending.remove(&id);
            self.expired.insert(id);
            self.note(format_args!("{} has expired", short(&id)));
        }
    }
}

/// The beginning of an id.
pub fn short(id: &TransactionId) -> String {
    hex::encode(&id.0[..4])
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

/// The node's observer, overheard. What a Byzantine node is told is nobody's business.
pub struct Overheard {
    /// The real one.
    pub inner: Arc<Finalised>,
    /// The node.
    pub index: usize,
    /// Whether it follows the protocol.
    pub honest: bool,
    /// Where it is written down.
    pub memory: Memory,
}

impl Observer for Overheard {
    fn position(&self) -> Height {
        self.inner.position()
    }

    fn finalised(&self, block: Arc<Block>, certificate: Option<Certificate>) {
        if self.honest {
            self.memory.lock().finalised(self.index, &block);
        }
        self.inner.finalised(block, certificate);
    }
}
