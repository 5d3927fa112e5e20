//! The context a call runs in: state at this point of the block, block facts, the actor, and the events it emits.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use zhulian_crypto::DigestState;
use zhulian_ledger::{BlockContext, Key, Loaded, Value};
use zhulian_primitives::{ChainId, Event as Record, Height, Protocol, Timestamp, TransactionError, TransactionId};

use crate::{Actor, CallEntry, Event, Halt};

/// What a block has written so far. Only looked up, never walked through before it is sorted.
pub(crate) type Written = HashMap<Key, Option<Value>, DigestState>;

/// Everything a call may see and do.
pub struct Context<'a> {
    block: &'a BlockContext,
    protocol: Protocol,
    loaded: &'a Loaded,
    /// Writes of the block's earlier transactions.
    before: &'a Written,
    /// Writes of this transaction, one a key, dropped if it is refused. They are few, so a list is the quickest to search.
    pub(crate) writes: Vec<(Key, Option<Value>)>,
    pub(crate) events: Vec<Record>,
    pub(crate) missing: &'a mut BTreeSet<Key>,
    pub(crate) actor: Option<Arc<Actor>>,
    /// Keys read, while somebody wants to know.
    pub(crate) trace: Option<Vec<Key>>,
    transaction: TransactionId,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        block: &'a BlockContext,
        protocol: Protocol,
        loaded: &'a Loaded,
        before: &'a Written,
        missing: &'a mut BTreeSet<Key>,
        transaction: TransactionId,
    ) -> Self {
        Self {
            block,
            protocol,
            loaded,
            before,
            writes: Vec::new(),
            events: Vec::new(),
            missing,
            actor: None,
            trace: None,
            transaction,
        }
    }

    /// Who signed.
    ///
    /// # Panics
    /// While the actor itself is being resolved; calls run after that.
    pub fn actor(&self) -> &Actor {
        self.actor.as_ref().expect("calls run with an actor")
    }

    /// The network.
    pub fn chain(&self) -> ChainId {
        self.block.chain
    }

    /// Height of this block.
    pub fn height(&self) -> Height {
        self.block.height
    }

    /// The protocol in force. A rule that was changed asks it, and goes on as before in blocks of an earlier one.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Time of this block, the only time there is.
    pub fn block_time(&self) -> Timestamp {
        self.block.time
    }

    /// The running transaction.
    pub fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// Adds an event to the receipt.
    pub fn emit<E: Event>(&mut self, event: &E) {
        self.record(event.record());
    }

    /// Adds an event that is already in the form of a receipt.
    pub fn record(&mut self, event: Record) {
        self.events.push(event);
    }

    /// Sets an encoded entry, as [`Read::entry`](crate::Read::entry) makes it.
    pub fn set(&mut self, (key, value): (Key, Value)) {
        self.write(key, Some(value));
    }

    /// Makes a call within this one on behalf of another actor, with that actor's roles and no others. It goes through the same
    /// door as a signed one: strict decoding, its own checks, who may make it. A refusal leaves nothing of it behind, and what
    /// surrounds it may go on.
    ///
    /// # Errors
    /// Why it is refused, or [`Halt::Missing`].
    pub fn call(&mut self, entry: &CallEntry, actor: Actor, args: &[u8]) -> Result<(), Halt> {
        if !entry.allowed.admits(actor.roles) {
            return Err(TransactionError::NotAllowed.into());
        }
        let call = (entry.prepare)(args).map_err(Halt::Refused)?;
        let (writes, events) = (self.writes.clone(), self.events.len());
        let signer = self.actor.replace(Arc::new(actor));
        let result = call.execute(self);
        self.actor = signer;
        if result.is_err() {
            self.writes = writes;
            self.events.truncate(events);
        }
        result
    }

    /// Events of this transaction so far.
    pub fn events(&self) -> &[Record] {
        &self.events
    }

    /// Announces reads, so that values not yet loaded are all fetched in one go.
    ///
    /// # Errors
    /// [`Halt::Missing`] when one of them is not loaded.
    pub fn want(&mut self, keys: &[Key]) -> Result<(), Halt> {
        let known =
            |key: &Key| self.written(key).is_some() || self.before.contains_key(key) || self.loaded.contains_key(key);
        let unknown: Vec<Key> = keys.iter().filter(|key| !known(key)).copied().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.missing.extend(unknown);
        Err(Halt::Missing)
    }

    pub(crate) fn read(&mut self, key: Key) -> Result<Option<&[u8]>, Halt> {
        if let Some(trace) = &mut self.trace {
            trace.push(key);
        }
        if let Some(index) = self.written(&key) {
            return Ok(self.writes[index].1.as_deref());
        }
        if let Some(value) = self.before.get(&key) {
            return Ok(value.as_deref());
        }
        match self.loaded.get(&key) {
            Some(value) => Ok(value.as_deref()),
            None => {
                self.missing.insert(key);
                Err(Halt::Missing)
            }
        }
    }

    pub(crate) fn write(&mut self, key: Key, value: Option<Vec<u8>>) {
        match self.written(&key) {
            Some(index) => self.writes[index].1 = value,
            None => self.writes.push((key, value)),
        }
    }

    fn written(&self, key: &Key) -> Option<usize> {
        self.writes.iter().position(|(written, _)| written == key)
    }
}
