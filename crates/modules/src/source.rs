//! Where queries take state values from.

use std::{cell::RefCell, collections::BTreeSet};

use minicbor::{Decode, Encode};
use zhulian_execution::Read;
use zhulian_ledger::{Key, KeyPart, Loaded, Map, Missing, Value};

/// Gives state values at one height.
pub trait Source {
    /// The value of a key, if there is one.
    fn value(&self, key: &Key) -> Option<Value>;
}

impl<F: Fn(&Key) -> Option<Value>> Source for F {
    fn value(&self, key: &Key) -> Option<Value> {
        self(key)
    }
}

/// Reads one entry.
///
/// # Panics
/// When a value is there and is not one of the map: the state is ours, and checked against its root before it is read.
pub(crate) fn load<K: KeyPart + ?Sized, V>(source: &impl Source, map: &Map<K, V>, key: &K) -> Option<V>
where
    V: Encode<()> + for<'b> Decode<'b, ()>,
{
    let value = source.value(&map.key(key))?;
    Some(map.decode(&value).unwrap_or_else(|| panic!("an entry of {} does not decode", map.name)))
}

/// Values that were fetched so far; remembers which others a query asked for.
struct Fetched<'a> {
    loaded: &'a Loaded,
    missing: RefCell<BTreeSet<Key>>,
}

impl Source for Fetched<'_> {
    fn value(&self, key: &Key) -> Option<Value> {
        match self.loaded.get(key) {
            Some(value) => value.clone(),
            None => {
                self.missing.borrow_mut().insert(*key);
                None
            }
        }
    }
}

/// Runs a query over values that must be fetched first, for a caller whose store answers later: it names what is missing, the
/// caller fetches that into `loaded` (absent keys as `None`) and runs it again.
///
/// # Errors
/// [`Missing`] as long as the query asks for keys that are not in `loaded`.
pub fn query<T>(loaded: &Loaded, query: impl FnOnce(&dyn Fn(&Key) -> Option<Value>) -> T) -> Result<T, Missing> {
    let fetched = Fetched { loaded, missing: RefCell::default() };
    let answer = query(&|key: &Key| fetched.value(key));
    let missing = fetched.missing.into_inner();
    if missing.is_empty() { Ok(answer) } else { Err(Missing(missing)) }
}
