//! Maps and sets keyed by transaction id.

use std::collections::{HashMap, HashSet};

use zhulian_crypto::DigestState;
use zhulian_primitives::TransactionId;

/// A map keyed by transaction id.
pub(crate) type IdMap<V> = HashMap<TransactionId, V, DigestState>;
/// A set of transaction ids.
pub(crate) type IdSet = HashSet<TransactionId, DigestState>;

/// A collection that can be emptied without giving up its room.
pub(crate) trait Clear {
    fn clear(&mut self);
}

impl<K, V, S> Clear for HashMap<K, V, S> {
    fn clear(&mut self) {
        Self::clear(self);
    }
}

impl<K, S> Clear for HashSet<K, S> {
    fn clear(&mut self) {
        Self::clear(self);
    }
}

/// A set or map that forgets the oldest: two generations, the older is emptied for what comes when the younger is full.
pub(crate) struct Generations<M> {
    pub young: M,
    pub old: M,
    /// Entries of one generation.
    pub size: usize,
}

impl<M: Clear + Default> Generations<M> {
    pub fn new(size: usize) -> Self {
        Self { young: M::default(), old: M::default(), size }
    }

    /// To be called with the younger one's length before it grows.
    pub fn turn(&mut self, len: usize) {
        if len >= self.size {
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
        }
    }
}

impl Generations<IdSet> {
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.young.contains(id) || self.old.contains(id)
    }

    pub fn insert(&mut self, id: TransactionId) {
        self.turn(self.young.len());
        self.young.insert(id);
    }
}
