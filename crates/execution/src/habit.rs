//! Keys that blocks keep asking for though no call names them beforehand, such as the version of the rule pack by which a case runs.
//!
//! A call that misses a value is executed again once it is there, and so is every call after it. What blocks missed before is
//! therefore asked for with the first round of the next ones. Nothing is decided by it: a block executes alike, whatever was asked for.

use std::collections::{BTreeMap, BTreeSet};

use zhulian_ledger::Key;

/// A block that misses more than this has needs of its own.
const MISSED_MAX: usize = 64;
/// Keys remembered.
const KEYS_MAX: usize = 512;
/// How often a key was missed when it is asked for beforehand.
const TIMES: u32 = 2;

/// What blocks missed on their way, and how often.
#[derive(Default)]
pub(crate) struct Habits(BTreeMap<Key, u32>);

impl Habits {
    /// A block missed these.
    pub(crate) fn missed(&mut self, keys: &BTreeSet<Key>) {
        if keys.len() > MISSED_MAX {
            return;
        }
        // What is still asked for will be missed again.
        if self.0.len() + keys.len() > KEYS_MAX {
            self.0.clear();
        }
        for key in keys {
            *self.0.entry(*key).or_default() += 1;
        }
    }

    /// What the next block will ask for, as far as one can tell.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.0.iter().filter(|(_, times)| **times >= TIMES).map(|(key, _)| *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: impl IntoIterator<Item = u8>) -> BTreeSet<Key> {
        names.into_iter().map(|name| [name; 32]).collect()
    }

    #[test]
    fn what_is_missed_again_and_again_is_asked_for() {
        let mut habits = Habits::default();
        habits.missed(&keys([1, 2]));
        assert_eq!(habits.keys().count(), 0);
        habits.missed(&keys([1, 3]));
        assert_eq!(habits.keys().collect::<Vec<_>>(), [[1; 32]]);
        habits.missed(&keys(0..=MISSED_MAX as u8));
        assert_eq!(habits.keys().count(), 1, "one block's own needs");
    }

    #[test]
    fn little_is_remembered() {
        let mut habits = Habits::default();
        for round in 0..100_000u32 {
            habits.missed(&BTreeSet::from([std::array::from_fn(|at| (round >> (at % 4 * 8)) as u8)]));
        }
        assert!(habits.0.len() <= KEYS_MAX);
    }
}
