//! The state transition over a list of modules.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use zhulian_ledger::{BlockContext, Key, Loaded, Missing, Outcome, Pause, UnknownProtocol};
use zhulian_primitives::{Height, Transaction, TransactionError as E, codec};

use crate::{
    CallEntry, Directory, Module, Prepared, Protocols, Refusal, Run,
    habit::Habits,
    window::{self, TIP, Tip, UseId, UseIds, Windows},
};

/// The state transition over a fixed list of modules. Clones share their memory of the replay window.
#[derive(Clone)]
pub struct Executor(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    modules: BTreeMap<&'static str, &'static Module>,
    pub(crate) directory: Directory,
    pub(crate) protocols: Protocols,
    windows: Mutex<Windows>,
    habits: Mutex<Habits>,
}

impl Executor {
    /// The transition with these modules, whose actors `directory` resolves, by the rules that `protocols` tell.
    pub fn new(modules: &[&'static Module], directory: Directory, protocols: Protocols) -> Self {
        let modules = modules.iter().map(|module| (module.name, *module)).collect();
        Self(Arc::new(Inner { modules, directory, protocols, windows: Mutex::default(), habits: Mutex::default() }))
    }

    /// Makes a parsed transaction ready: everything that needs no state. The mempool refuses what cannot be, before anything is
    /// spread.
    pub fn prepare(&self, transaction: &Transaction<'_>) -> Prepared {
        Prepared::new(transaction, self.find(transaction).map_err(|error| error.code()))
    }

    fn find(&self, transaction: &Transaction<'_>) -> Result<&'static CallEntry, E> {
        let module = self.0.modules.get(transaction.call.module).ok_or(E::UnknownModule)?;
        module.calls.iter().find(|call| call.name == transaction.call.call).ok_or(E::UnknownCall)
    }

    /// Begins a block's execution.
    pub fn start(&self, block: BlockContext, transactions: Vec<Arc<Prepared>>) -> Run {
        Run::new(self.clone(), block, transactions)
    }

    /// Prepares and executes a block, with whatever state it asks for.
    ///
    /// # Errors
    /// When the block follows a protocol that is not known here.
    ///
    /// # Panics
    /// When a transaction does not parse; blocks are checked before they are executed.
    pub fn execute(
        &self,
        block: &BlockContext,
        transactions: &[Vec<u8>],
        state: impl Fn(&Key) -> Option<Vec<u8>>,
    ) -> Result<Outcome, UnknownProtocol> {
        let prepare = |bytes: &Vec<u8>| Arc::new(self.prepare(&Transaction::decode(bytes).expect("a checked block")));
        let mut run = self.start(block.clone(), transactions.iter().map(prepare).collect());
        let mut loaded = Loaded::default();
        loop {
            match run.resume(&loaded) {
                Ok(outcome) => return Ok(outcome),
                Err(Pause::Unknown(unknown)) => return Err(unknown),
                Err(Pause::Missing(keys)) => {
                    assert!(keys.iter().any(|key| !loaded.contains_key(key)), "asks only for what it has");
                    loaded.extend(keys.into_iter().map(|key| (key, state(&key))));
                }
            }
        }
    }

    /// The parent's replay window, and which of the ids it has seen.
    pub(crate) fn window(&self, height: Height, ids: &[UseId], loaded: &Loaded) -> Result<(Tip, Vec<bool>), Missing> {
        let tip = match loaded.get(&TIP.key(&())) {
            Some(Some(bytes)) => codec::from_bytes(bytes).expect("the window's tip decodes"),
            _ => Tip::default(),
        };
        let mut windows = self.0.windows.lock().expect("no panic holds it");
        if !windows.knows(tip) {
            let missing: BTreeSet<Key> = window::slot_keys().filter(|key| !loaded.contains_key(key)).collect();
            if !missing.is_empty() {
                return Err(Missing(missing));
            }
            windows.rebuild(tip, loaded);
        }
        Ok((tip, windows.seen(tip, height, ids)))
    }

    /// A block missed these while its calls were executed.
    pub(crate) fn missed(&self, keys: &BTreeSet<Key>) {
        self.0.habits.lock().expect("no panic holds it").missed(keys);
    }

    /// What blocks keep missing.
    pub(crate) fn habitual(&self) -> Vec<Key> {
        self.0.habits.lock().expect("no panic holds it").keys().collect()
    }

    pub(crate) fn add_window(&self, parent: Tip, tip: Tip, height: Height, ids: UseIds) {
        self.0.windows.lock().expect("no panic holds it").add(parent, tip, height, ids);
    }
}
