//! How much a proposer takes on, so that the others can vote for its block in time.
//!
//! A block that takes longer than a view has is voted for by nobody, and the next proposer would build the same one: a network of slow
//! machines, or one with costly transactions, would stand still while they wait. So a proposer measures what its blocks cost it, and
//! takes as many transactions as fit into a share of the view. The others' rules know nothing of it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use commonware_runtime::Clock;

use crate::Timeouts;

/// What a build costs besides its transactions makes one of fewer seem dearer than it is.
const COUNT_MIN: usize = 64;

/// What a transaction costs to build into a block, learnt from this node's own blocks.
pub(crate) struct Budget {
    /// A build should take no longer.
    target: Duration,
    /// Nanoseconds per transaction; 0 until the first block.
    cost: AtomicU64,
}

impl Budget {
    /// A third of a view is for the build; the rest is the others' check, and the way to them and back.
    pub fn new(timeouts: &Timeouts) -> Self {
        Self { target: timeouts.leader / 3, cost: AtomicU64::new(0) }
    }

    /// How many transactions the next block may have, of at most `max`; always one.
    pub fn room(&self, max: usize) -> usize {
        match self.cost.load(Ordering::Relaxed) {
            0 => max,
            cost => usize::try_from(self.target.as_nanos() as u64 / cost).unwrap_or(max).min(max).max(1),
        }
    }

    /// Measures a build of `count` transactions until what it gives is dropped, be it finished or given up.
    pub fn measure<'a, C: Clock>(&'a self, clock: &'a C, count: usize) -> Build<'a, C> {
        Build { budget: self, clock, since: clock.current(), count }
    }

    fn learn(&self, count: usize, took: Duration) {
        if count == 0 {
            return;
        }
        let now = took.as_nanos() as u64 / count as u64;
        let before = self.cost.load(Ordering::Relaxed);
        // A small block that was in time teaches only that transactions are cheaper than they were thought to be.
        if count < COUNT_MIN && took < self.target && now >= before {
            return;
        }
        let cost = if before == 0 { now } else { (before.saturating_mul(3).saturating_add(now)) / 4 };
        self.cost.store(cost, Ordering::Relaxed);
    }
}

/// A build under way.
pub(crate) struct Build<'a, C: Clock> {
    budget: &'a Budget,
    clock: &'a C,
    since: SystemTime,
    count: usize,
}

impl<C: Clock> Drop for Build<'_, C> {
    fn drop(&mut self) {
        // A clock that was set back says nothing.
        if let Ok(took) = self.clock.current().duration_since(self.since) {
            self.budget.learn(self.count, took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Budget {
        Budget::new(&Timeouts { leader: Duration::from_millis(1_200), ..Timeouts::default() })
    }

    #[test]
    fn nothing_is_held_back_before_anything_is_known_and_while_blocks_are_cheap() {
        let budget = budget();
        assert_eq!(budget.room(4_000), 4_000);
        budget.learn(4_000, Duration::from_millis(100));
        assert_eq!(budget.room(4_000), 4_000);
    }

    #[test]
    fn blocks_that_take_too_long_become_smaller_and_larger_again() {
        let budget = budget();
        budget.learn(4_000, Duration::from_millis(4_000));
        assert_eq!(budget.room(4_000), 400, "a millisecond each, 400 of them");
        for _ in 0..40 {
            budget.learn(400, Duration::from_millis(20));
        }
        assert_eq!(budget.room(4_000), 4_000);
    }

    #[test]
    fn a_few_costly_transactions_count_and_a_few_cheap_ones_do_not() {
        let budget = budget();
        budget.learn(3, Duration::from_millis(30));
        assert_eq!(budget.room(4_000), 4_000);
        budget.learn(3, Duration::from_millis(1_200));
        assert_eq!(budget.room(4_000), 1);
        budget.learn(0, Duration::from_secs(9));
        assert_eq!(budget.room(4_000), 1, "an empty block says nothing");
    }

    #[test]
    fn after_a_standstill_blocks_of_one_transaction_lead_back_to_full_ones() {
        let budget = budget();
        budget.learn(1, Duration::from_secs(3_600));
        assert_eq!(budget.room(4_000), 1, "one transaction always fits");
        for _ in 0..100 {
            let count = budget.room(4_000);
            budget.learn(count, Duration::from_millis(2) + Duration::from_micros(30) * count as u32);
        }
        assert_eq!(budget.room(4_000), 4_000);
    }
}
