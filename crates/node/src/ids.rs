//! Maps and sets keyed by transaction id.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hasher, RandomState},
    sync::OnceLock,
};

use zhulian_primitives::TransactionId;

/// A map keyed by transaction id.
pub(crate) type IdMap<V> = HashMap<TransactionId, V, IdState>;
/// A set of transaction ids.
pub(crate) type IdSet = HashSet<TransactionId, IdState>;

/// Hashes ids, which are digests already, by folding 16 of their bytes with secret numbers: as quick as can be, and nobody can choose
/// ids that collide without knowing the numbers.
#[derive(Clone, Copy)]
pub(crate) struct IdState([u64; 2]);

impl Default for IdState {
    fn default() -> Self {
        static SECRET: OnceLock<[u64; 2]> = OnceLock::new();
        Self(*SECRET.get_or_init(|| [RandomState::new().hash_one(0), RandomState::new().hash_one(1)]))
    }
}

impl IdState {
    /// 64 bits that stand for the id within this process.
    pub fn fingerprint(self, id: &TransactionId) -> u64 {
        fold(self.0, &id.0)
    }
}

fn fold(secret: [u64; 2], id: &[u8]) -> u64 {
    let word = |at: usize| id.get(at..at + 8).map_or(0, |b| u64::from_le_bytes(b.try_into().expect("8 bytes")));
    let product = u128::from(word(0) ^ secret[0]) * u128::from(word(8) ^ secret[1]);
    (product >> 64) as u64 ^ product as u64
}

impl BuildHasher for IdState {
    type Hasher = IdHasher;
    fn build_hasher(&self) -> IdHasher {
        IdHasher { secret: self.0, hash: 0 }
    }
}

/// The hasher of [`IdState`].
pub(crate) struct IdHasher {
    secret: [u64; 2],
    hash: u64,
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.hash ^= fold(self.secret, bytes);
    }
    // The length of an array, always the same.
    fn write_usize(&mut self, _: usize) {}
    fn finish(&self) -> u64 {
        self.hash
    }
}

/// A set or map that forgets the oldest: two generations, the older is dropped when the younger is full.
pub(crate) struct Generations<M> {
    pub young: M,
    pub old: M,
    /// Entries of one generation.
    pub size: usize,
}

impl<M: Default> Generations<M> {
    pub fn new(size: usize) -> Self {
        Self { young: M::default(), old: M::default(), size }
    }

    /// To be called with the younger one's length before it grows.
    pub fn turn(&mut self, len: usize) {
        if len >= self.size {
            self.old = std::mem::take(&mut self.young);
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
