//! Executing a block.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Mutex,
};

use zhulian_ledger::{BlockContext, Key, Loaded, Missing, Outcome, Writes};
use zhulian_primitives::{Code, Receipt, Transaction, TransactionError as E, VALIDITY_BLOCKS_MAX, codec};

use crate::{
    CallEntry, Context, Directory, Halt, Module, Refusal,
    window::{self, Slot, TIP, Tip, UseId, WINDOW, Windows},
};

/// The state transition over a fixed list of modules.
pub struct Executor {
    modules: BTreeMap<&'static str, &'static Module>,
    directory: Directory,
    windows: Mutex<Windows>,
}

impl Executor {
    /// The transition with these modules, whose actors `directory` resolves.
    pub fn new(modules: &[&'static Module], directory: Directory) -> Self {
        let modules = modules.iter().map(|module| (module.name, *module)).collect();
        Self { modules, directory, windows: Mutex::default() }
    }

    /// The stateless checks of a parsed transaction's call; the mempool refuses by them before anything is spread.
    pub fn check(&self, transaction: &Transaction<'_>) -> Result<(), Code> {
        let (_, call) = self.find(transaction).map_err(|error| error.code())?;
        (call.check)(transaction.call.args)
    }

    fn find(&self, transaction: &Transaction<'_>) -> Result<(&'static Module, &'static CallEntry), E> {
        let module = self.modules.get(transaction.call.module).ok_or(E::UnknownModule)?;
        let call = module.calls.iter().find(|call| call.name == transaction.call.call).ok_or(E::UnknownCall)?;
        Ok((module, call))
    }

    /// Executes a block; see [`zhulian_ledger::Machine::execute`].
    ///
    /// # Panics
    /// When a transaction does not parse; blocks are checked before they are executed.
    pub fn execute(&self, block: &BlockContext, transactions: &[Vec<u8>], loaded: &Loaded) -> Result<Outcome, Missing> {
        let transactions: Vec<Transaction<'_>> =
            transactions.iter().map(|bytes| Transaction::decode(bytes).expect("a checked block")).collect();
        self.execute_parsed(block, &transactions, loaded)
    }

    /// The same for transactions that the caller has parsed, so that it may remember which bytes it has checked.
    pub fn execute_parsed(
        &self,
        block: &BlockContext,
        transactions: &[Transaction<'_>],
        loaded: &Loaded,
    ) -> Result<Outcome, Missing> {
        // The tip is among what is foreseen, so once it is there, so is all the rest.
        if !loaded.contains_key(&TIP.key(&())) {
            self.foresee(transactions, loaded)?;
        }
        let tip = self.load_window(loaded)?;

        let uses: Vec<UseId> = transactions.iter().map(|t| window::use_id(&t.signer, &t.call.nonce)).collect();
        let seen = self.windows.lock().expect("no panic holds it").seen(tip, block.height, &uses);
        let mut fresh = HashSet::new();
        let mut slot = Slot { height: block.height, ids: Vec::new() };
        let mut missing = BTreeSet::new();
        let mut outcome = Outcome::default();
        for ((transaction, use_id), seen) in transactions.iter().zip(uses).zip(seen) {
            let replayed = seen || fresh.contains(&use_id);
            let result = self.run(block, transaction, replayed, loaded, &outcome.writes, &mut missing);
            if !replayed {
                fresh.insert(use_id);
                slot.ids.extend_from_slice(&use_id);
            }
            let (refusal, events) = match result {
                Ok((writes, events)) => {
                    outcome.writes.extend(writes);
                    (None, events)
                }
                Err(Halt::Refused(code)) => (Some(code), Vec::new()),
                // Go on with the others, to learn what they miss, too.
                Err(Halt::Missing) => continue,
            };
            outcome.receipts.push(Receipt { transaction: transaction.id, refusal, events }.encode());
        }
        if !missing.is_empty() {
            return Err(Missing(missing));
        }
        if !slot.ids.is_empty() {
            let next = window::next_tip(tip, block.height, &slot.ids);
            self.windows.lock().expect("no panic holds it").add(tip, next, block.height, fresh);
            outcome.writes.insert(TIP.key(&()), Some(codec::to_bytes(&next)));
            outcome.writes.insert(WINDOW.key(&(block.height % VALIDITY_BLOCKS_MAX)), Some(codec::to_bytes(&slot)));
        }
        Ok(outcome)
    }

    /// Asks at once for everything that is surely read.
    fn foresee(&self, transactions: &[Transaction<'_>], loaded: &Loaded) -> Result<(), Missing> {
        let mut keys = BTreeSet::from([TIP.key(&())]);
        for transaction in transactions {
            keys.extend((self.directory.reads)(&transaction.signer));
            if let Ok((_, call)) = self.find(transaction) {
                keys.extend((call.reads)(transaction.call.args));
            }
        }
        keys.retain(|key| !loaded.contains_key(key));
        if keys.is_empty() { Ok(()) } else { Err(Missing(keys)) }
    }

    /// Makes sure the parent's replay window is in memory and names it.
    fn load_window(&self, loaded: &Loaded) -> Result<Tip, Missing> {
        let tip = match loaded.get(&TIP.key(&())) {
            Some(Some(bytes)) => codec::from_bytes(bytes).expect("the window's tip decodes"),
            _ => Tip::default(),
        };
        let mut windows = self.windows.lock().expect("no panic holds it");
        if !windows.knows(tip) {
            let missing: BTreeSet<Key> = window::slot_keys().filter(|key| !loaded.contains_key(key)).collect();
            if !missing.is_empty() {
                return Err(Missing(missing));
            }
            windows.rebuild(tip, loaded);
        }
        Ok(tip)
    }

    fn run(
        &self,
        block: &BlockContext,
        transaction: &Transaction<'_>,
        replayed: bool,
        loaded: &Loaded,
        before: &Writes,
        missing: &mut BTreeSet<Key>,
    ) -> Result<(Writes, Vec<zhulian_primitives::Event>), Halt> {
        if block.height > transaction.call.valid_until {
            return Err(E::Expired.into());
        }
        if transaction.call.valid_until > block.height + VALIDITY_BLOCKS_MAX {
            return Err(E::ValidTooLong.into());
        }
        if replayed {
            return Err(E::Replayed.into());
        }
        let (_, call) = self.find(transaction)?;
        let mut ctx = Context::new(block, loaded, before, missing, transaction.id);
        let actor = (self.directory.actor)(&mut ctx, &transaction.signer)?;
        if !call.allowed.admits(actor.roles) {
            return Err(E::NotAllowed.into());
        }
        ctx.actor = Some(actor);
        (call.execute)(transaction.call.args, &mut ctx)?;
        Ok((ctx.writes, ctx.events))
    }
}
