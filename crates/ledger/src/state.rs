//! State keys and typed maps over them.

use std::{cell::Cell, collections::BTreeMap, marker::PhantomData};

use zhulian_crypto::sha256;

/// A state key: SHA-256 over the map's name and the parts of the entry's key.
pub type Key = [u8; 32];
/// An encoded state value.
pub type Value = Vec<u8>;
/// Changed keys in key order; `None` deletes.
pub type Writes = BTreeMap<Key, Option<Value>>;

/// What can be part of a state key. The bytes must be such that no two different keys of one map have the same bytes.
pub trait KeyPart {
    /// Appends the part's bytes.
    fn write(&self, out: &mut Vec<u8>);
}

impl<const N: usize> KeyPart for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl KeyPart for u32 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
}

impl KeyPart for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
}

impl KeyPart for str {
    fn write(&self, out: &mut Vec<u8>) {
        // The length goes first, so that ("ab", "c") and ("a", "bc") differ.
        out.extend_from_slice(&(self.len() as u32).to_be_bytes());
        out.extend_from_slice(self.as_bytes());
    }
}

impl KeyPart for String {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().write(out);
    }
}

impl KeyPart for () {
    fn write(&self, _: &mut Vec<u8>) {}
}

impl<A: KeyPart, B: KeyPart> KeyPart for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
}

impl<A: KeyPart, B: KeyPart, C: KeyPart> KeyPart for (A, B, C) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }
}

/// The state key of the entry `key` in the map called `map`: `SHA-256(map ‖ 0x00 ‖ parts)`.
pub fn state_key<K: KeyPart + ?Sized>(map: &str, key: &K) -> Key {
    thread_local! {
        static PARTS: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut parts = PARTS.take();
    parts.clear();
    parts.extend_from_slice(map.as_bytes());
    parts.push(0);
    key.write(&mut parts);
    let hashed = sha256(&parts);
    PARTS.set(parts);
    hashed
}

/// A typed map in the state. Only a module's `state.rs` makes them.
pub struct Map<K: ?Sized, V> {
    /// Name of the map, `module/map`.
    pub name: &'static str,
    types: PhantomData<fn(&K) -> V>,
}

impl<K: KeyPart + ?Sized, V> Map<K, V> {
    /// The map of this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// The state key of an entry.
    pub fn key(&self, key: &K) -> Key {
        state_key(self.name, key)
    }
}
