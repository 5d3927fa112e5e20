//! One queue for each organisation, so that none can push the others out.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::pool::Handle;

/// Whose queue a transaction waits in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// An organisation, by its unified social credit code.
    Organisation(Arc<str>),
    /// All keys that are registered to nobody share one queue: keys cost nothing, so each must not have its own.
    Nobody,
}

impl Owner {
    /// A lane may grow to `free / divisor`. However many lanes are flooded, some room stays for the next, and the flooders share
    /// alike (the dynamic threshold of shared-memory switches).
    fn divisor(&self) -> usize {
        match self {
            Self::Organisation(_) => 1,
            Self::Nobody => 8,
        }
    }
}

#[derive(Default)]
pub(super) struct Lane {
    pub queue: VecDeque<Handle>,
    pub count: usize,
    pub bytes: usize,
}

/// The queues, in the order in which they take turns.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: Vec<Option<Lane>>,
    free: Vec<u32>,
    by_owner: HashMap<Owner, u32>,
    owners: HashMap<u32, Owner>,
    /// Lanes that are not empty.
    pub ring: VecDeque<u32>,
}

impl Lanes {
    pub fn get(&mut self, lane: u32) -> &mut Lane {
        self.lanes[lane as usize].as_mut().expect("a lane lives while something waits in it")
    }

    /// Whether the owner may have one more of `bytes`, when so much room is free in all.
    pub fn has_share(&self, owner: &Owner, bytes: usize, free_count: usize, free_bytes: usize) -> bool {
        let lane = self.by_owner.get(owner).and_then(|lane| self.lanes[*lane as usize].as_ref());
        let (count, held) = lane.map_or((0, 0), |lane| (lane.count, lane.bytes));
        count < free_count.div_ceil(owner.divisor()) && held + bytes <= free_bytes.div_ceil(owner.divisor())
    }

    /// The owner's lane, made if it has none.
    pub fn of(&mut self, owner: Owner) -> u32 {
        if let Some(lane) = self.by_owner.get(&owner) {
            return *lane;
        }
        let fresh = Some(Lane::default());
        let lane = match self.free.pop() {
            Some(lane) => {
                self.lanes[lane as usize] = fresh;
                lane
            }
            None => {
                self.lanes.push(fresh);
                (self.lanes.len() - 1) as u32
            }
        };
        self.by_owner.insert(owner.clone(), lane);
        self.owners.insert(lane, owner);
        self.ring.push_back(lane);
        lane
    }

    /// Takes one of `bytes` off a lane's account, and the lane away when it was the last. Its handle stays in the queue and is
    /// passed over there; `live` says which handles still stand for something.
    pub fn left(&mut self, lane: u32, bytes: usize, live: impl Fn(&Handle) -> bool) {
        let it = self.get(lane);
        it.count -= 1;
        it.bytes -= bytes;
        if it.count == 0 {
            self.lanes[lane as usize] = None;
            self.free.push(lane);
            self.ring.retain(|other| *other != lane);
            if let Some(owner) = self.owners.remove(&lane) {
                self.by_owner.remove(&owner);
            }
        } else if it.queue.len() > 64 && it.queue.len() > 2 * it.count {
            it.queue.retain(live);
        }
    }

    /// Transactions waiting for each owner, for metrics and tests.
    pub fn counts(&self) -> impl Iterator<Item = (&Owner, usize)> {
        self.by_owner.iter().map(|(owner, lane)| (owner, self.lanes[*lane as usize].as_ref().map_or(0, |lane| lane.count)))
    }
}
