//! Typed reads and writes of maps through a context.

use minicbor::{Decode, Encode, decode::Error as DecodeError};
use zhulian_ledger::{Key, KeyPart, Map, Value};
use zhulian_primitives::codec;

use crate::{Context, Halt};

/// Reading and writing entries of a typed map.
pub trait Read<K: KeyPart + ?Sized, V> {
    /// The entry, if there is one.
    ///
    /// # Errors
    /// [`Halt::Missing`] when its value is not loaded.
    fn get(&self, ctx: &mut Context<'_>, key: &K) -> Result<Option<V>, Halt>;
    /// The same for a map of which an entry may not decode: it was written by a protocol that did not look.
    ///
    /// # Errors
    /// [`Halt::Missing`] when its value is not loaded.
    fn try_get(&self, ctx: &mut Context<'_>, key: &K) -> Result<Option<Result<V, DecodeError>>, Halt>;
    /// Sets the entry.
    fn put(&self, ctx: &mut Context<'_>, key: &K, value: &V);
    /// Removes the entry.
    fn remove(&self, ctx: &mut Context<'_>, key: &K);
    /// The entry as the store holds it, for states that are made outside of a block, such as genesis.
    fn entry(&self, key: &K, value: &V) -> (Key, Value);
    /// Decodes a stored value; `None` when it is not one of this map.
    fn decode(&self, value: &[u8]) -> Option<V>;
}

impl<K: KeyPart + ?Sized, V: Encode<()> + for<'b> Decode<'b, ()>> Read<K, V> for Map<K, V> {
    fn get(&self, ctx: &mut Context<'_>, key: &K) -> Result<Option<V>, Halt> {
        let name = self.name;
        let entry = self.try_get(ctx, key)?;
        Ok(entry.map(|entry| entry.unwrap_or_else(|error| panic!("an entry of {name} does not decode: {error}"))))
    }

    fn try_get(&self, ctx: &mut Context<'_>, key: &K) -> Result<Option<Result<V, DecodeError>>, Halt> {
        Ok(ctx.read(self.key(key))?.map(minicbor::decode))
    }

    fn put(&self, ctx: &mut Context<'_>, key: &K, value: &V) {
        ctx.set(self.entry(key, value));
    }

    fn remove(&self, ctx: &mut Context<'_>, key: &K) {
        ctx.write(self.key(key), None);
    }

    fn entry(&self, key: &K, value: &V) -> (Key, Value) {
        (self.key(key), codec::to_bytes(value))
    }

    fn decode(&self, value: &[u8]) -> Option<V> {
        codec::from_bytes(value).ok()
    }
}
