//! The pool itself: what waits, in which order it is proposed, and how it ends. No threads, no clock; one lock around it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::oneshot;
use zhulian_crypto::DigestState;
use zhulian_execution::Prepared;
use zhulian_primitives::{Height, TransactionId, VALIDITY_BLOCKS_MAX};

use super::lanes::{Lanes, Owner};
use crate::ids::{Generations, IdMap};

/// Bounds of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions at most.
    pub count_max: usize,
    /// Their bytes at most.
    pub bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { count_max: 65_536, bytes_max: 64 << 20 }
    }
}

/// A transaction that passed every check that needs no state.
#[derive(Clone)]
pub struct Candidate {
    /// Its id.
    pub id: TransactionId,
    /// Its bytes.
    pub bytes: Box<[u8]>,
    /// Whose it is.
    pub owner: Owner,
    /// Last height at which it may be executed.
    pub valid_until: Height,
    /// Ready for execution, if it has been made so.
    pub prepared: Option<Arc<Prepared>>,
}

/// What the pool says to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It waits from now on.
    New,
    /// It waited already, or is in a finalised block.
    Known,
    /// No height is left at which it could be executed.
    Expired,
    /// It would be executed too early and be refused for good.
    TooEarly,
    /// There is no room.
    Full,
    /// Its organisation has its share of the room.
    ShareFull,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In a finalised block.
    Finalised {
        /// The block.
        height: Height,
        /// Index in the block.
        index: u32,
    },
    /// No block had it while it was valid.
    Expired,
}

/// Where a transaction stands, as far as the pool knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits.
    Pending,
    /// It ended, not long ago.
    Ended(End),
    /// Never heard of, or long ago.
    Unknown,
}

/// A place in the slab, with its turn of use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle {
    slot: u32,
    turn: u32,
}

struct Entry {
    id: TransactionId,
    bytes: Box<[u8]>,
    lane: u32,
    valid_until: Height,
    /// Height of a block it was seen in that is not finalised; 0 if none.
    proposed: Height,
    /// Height at which others were last told of it.
    told: Height,
    /// The last proposal whose ancestors contain it.
    excluded: u64,
    prepared: Option<Arc<Prepared>>,
}

#[derive(Default)]
struct Slot {
    turn: u32,
    entry: Option<Entry>,
}

/// Ended transactions remembered in one generation.
const REMEMBERED: usize = 1 << 17;
/// Transactions of one lane taken in one turn.
const QUANTUM: usize = 8;

const WAITERS_SWEEP: usize = 1_024;
/// What has waited for so many blocks is told to the others once more.
const TOLD_EVERY: Height = 8;
/// Ids waited for at most.
const WAITERS_MAX: usize = 1 << 17;

/// See the module.
pub struct Pool {
    limits: Limits,
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_id: IdMap<u32>,
    lanes: Lanes,
    count: usize,
    bytes: usize,
    /// Entries that are in no proposed block.
    open: usize,
    by_expiry: BTreeMap<Height, Vec<Handle>>,
    /// Handles in it.
    expiries: usize,
    by_proposal: BTreeMap<Height, Vec<Handle>>,
    round: u64,
    height: Height,
    /// The engine's last finalised height, which the pool may not have been told of yet, as after a start.
    tip: Height,
    ended: Generations<HashMap<u64, End, DigestState>>,
    waiters: IdMap<Vec<oneshot::Sender<End>>>,
    /// With so many ids waited for, those nobody waits for any more are dropped.
    waiters_sweep: usize,
}

impl Pool {
    /// An empty pool.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: IdMap::default(),
            lanes: Lanes::default(),
            count: 0,
            bytes: 0,
            open: 0,
            by_expiry: BTreeMap::new(),
            expiries: 0,
            by_proposal: BTreeMap::new(),
            round: 0,
            height: 0,
            tip: 0,
            ended: Generations::new(REMEMBERED),
            waiters: IdMap::default(),
            waiters_sweep: WAITERS_SWEEP,
        }
    }

    /// Transactions that wait.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Their bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bounds.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The last finalised height it was told of.
    pub fn height(&self) -> Height {
        self.height
    }

    /// The chain is at least at `tip`. After a start the pool is told of the blocks that led there only little by little; until then
    /// nothing may be found too early that is not.
    pub fn set_tip(&mut self, tip: Height) {
        self.tip = self.tip.max(tip);
    }

    /// Whether anything waits that is in no proposed block.
    pub fn waiting(&self) -> bool {
        self.open > 0
    }

    /// Transactions of each owner.
    pub fn counts(&self) -> impl Iterator<Item = (&Owner, usize)> {
        self.lanes.counts()
    }

    /// Where a transaction stands.
    pub fn standing(&self, id: &TransactionId) -> Standing {
        if self.by_id.contains_key(id) {
            return Standing::Pending;
        }
        let key = DigestState::default().fingerprint(&id.0);
        match self.ended.young.get(&key).or_else(|| self.ended.old.get(&key)) {
            Some(end) => Standing::Ended(*end),
            None => Standing::Unknown,
        }
    }

    /// What the pool would say to a transaction of which only this is known; `None` when more must be known.
    pub fn verdict(&self, id: &TransactionId, valid_until: Height) -> Option<Admission> {
        match self.standing(id) {
            Standing::Pending | Standing::Ended(End::Finalised { .. }) => return Some(Admission::Known),
            Standing::Ended(End::Expired) => return Some(Admission::Expired),
            Standing::Unknown => {}
        }
        // The next block is at height + 1, and no proposal can be lower.
        if valid_until <= self.height {
            return Some(Admission::Expired);
        }
        if valid_until > self.height.max(self.tip) + VALIDITY_BLOCKS_MAX {
            return Some(Admission::TooEarly);
        }
        (self.count >= self.limits.count_max).then_some(Admission::Full)
    }

    /// Takes a candidate in.
    pub fn admit(&mut self, candidate: Candidate) -> Admission {
        if let Some(verdict) = self.verdict(&candidate.id, candidate.valid_until) {
            return verdict;
        }
        let Candidate { id, bytes, owner, valid_until, prepared } = candidate;
        let len = bytes.len();
        if self.bytes + len > self.limits.bytes_max {
            return Admission::Full;
        }
        let (free_count, free_bytes) = (self.limits.count_max - self.count, self.limits.bytes_max - self.bytes);
        if !self.lanes.has_share(&owner, len, free_count, free_bytes) {
            return Admission::ShareFull;
        }
        let lane = self.lanes.of(owner);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        let at = &mut self.slots[slot as usize];
        at.turn = at.turn.wrapping_add(1);
        at.entry = Some(Entry { id, bytes, lane, valid_until, proposed: 0, told: self.height, excluded: 0, prepared });
        let handle = Handle { slot, turn: at.turn };
        let queue = self.lanes.get(lane);
        queue.queue.push_back(handle);
        queue.count += 1;
        queue.bytes += len;
        self.by_id.insert(id, slot);
        self.by_expiry.entry(valid_until).or_default().push(handle);
        self.expiries += 1;
        self.count += 1;
        self.bytes += len;
        self.open += 1;
        Admission::New
    }

    /// Transactions for a block at `height`: the owners take turns, each in the order of arrival. What `excluded` names is in an
    /// ancestor and is passed over.
    pub fn propose(
        &mut self,
        height: Height,
        excluded: impl Iterator<Item = TransactionId>,
        bytes_max: usize,
        count_max: usize,
    ) -> Vec<Vec<u8>> {
        self.round += 1;
        for id in excluded {
            if let Some(slot) = self.by_id.get(&id)
                && let Some(entry) = &mut self.slots[*slot as usize].entry
            {
                entry.excluded = self.round;
            }
        }
        let mut taken = Vec::with_capacity(count_max.min(self.count));
        let mut bytes = 0;
        // The first lane has the whole block before it, so even the largest transaction has its turn.
        let mut turns: Vec<(u32, usize)> = self.lanes.ring.iter().map(|lane| (*lane, 0)).collect();
        if !self.lanes.ring.is_empty() {
            self.lanes.ring.rotate_left(1);
        }
        while !turns.is_empty() && taken.len() < count_max {
            turns.retain_mut(|(lane, position)| {
                let queue = &mut self.lanes.get(*lane).queue;
                let mut quantum = QUANTUM;
                while quantum > 0 && taken.len() < count_max {
                    let Some(handle) = queue.get(*position) else { return false };
                    let slot = &self.slots[handle.slot as usize];
                    let Some(entry) = slot.entry.as_ref().filter(|_| slot.turn == handle.turn) else {
                        // What stands at the front and is gone need not be passed over again.
                        if *position == 0 {
                            queue.pop_front();
                        } else {
                            *position += 1;
                        }
                        continue;
                    };
                    if entry.excluded != self.round && entry.valid_until >= height {
                        if bytes + entry.bytes.len() > bytes_max {
                            return false;
                        }
                        bytes += entry.bytes.len();
                        taken.push(entry.bytes.to_vec());
                        quantum -= 1;
                    }
                    *position += 1;
                }
                true
            });
        }
        taken
    }

    /// What waits of these, ready for execution.
    pub fn prepared(&self, ids: &[TransactionId]) -> Vec<Option<Arc<Prepared>>> {
        let prepared = |id| self.slots[*self.by_id.get(id)? as usize].entry.as_ref()?.prepared.clone();
        ids.iter().map(prepared).collect()
    }

    /// These stand in a block at `height` that may become final.
    pub fn proposed(&mut self, height: Height, ids: &[TransactionId]) {
        if height <= self.height {
            return;
        }
        for id in ids {
            if let Some(slot) = self.by_id.get(id)
                && let at = &mut self.slots[*slot as usize]
                && let Some(entry) = &mut at.entry
            {
                self.open -= usize::from(entry.proposed == 0);
                if entry.proposed != height {
                    entry.proposed = height;
                    self.by_proposal.entry(height).or_default().push(Handle { slot: *slot, turn: at.turn });
                }
            }
        }
    }

    /// The block at `height` with these transactions is final. Told in order of height; a block may be told again.
    pub fn finalised(&mut self, height: Height, ids: impl Iterator<Item = TransactionId>) {
        for (index, id) in ids.enumerate() {
            self.end(id, End::Finalised { height, index: index as u32 });
        }
        self.height = self.height.max(height);
        #[cfg(feature = "seeded-bugs")]
        if zhulian_engine::seeded::has(zhulian_engine::seeded::Bug::ForgetfulMempool) && self.count > 0 {
            let forgotten = self.by_id.values().min().copied();
            self.by_id.retain(|_, slot| Some(*slot) != forgotten);
            forgotten.into_iter().for_each(|slot| self.drop_entry(slot));
        }
        while let Some(first) = self.by_expiry.first_entry().filter(|first| *first.key() <= self.height) {
            let handles = first.remove();
            self.expiries -= handles.len();
            for handle in handles {
                if let Some(entry) = self.entry(handle) {
                    let id = entry.id;
                    self.end(id, End::Expired);
                }
            }
        }
        while let Some(first) = self.by_proposal.first_entry().filter(|first| *first.key() <= self.height) {
            let at = *first.key();
            for handle in first.remove() {
                // It was in a block that lost; it is open again.
                if let Some(entry) = self.entry(handle).filter(|entry| entry.proposed == at) {
                    entry.proposed = 0;
                    self.open += 1;
                }
            }
        }
    }

    /// What has waited for some blocks, and so may not have reached whoever proposes: a message may be lost, the others may have had no
    /// room, and this node may not propose any more. Not more than so many bytes.
    pub fn untold(&mut self, bytes_max: usize) -> Vec<Bytes> {
        if self.open == 0 || !self.height.is_multiple_of(TOLD_EVERY) {
            return Vec::new();
        }
        let (height, mut bytes) = (self.height, 0);
        let waits = |entry: &&mut Entry| entry.proposed == 0 && entry.told + TOLD_EVERY <= height;
        let waiting = self.slots.iter_mut().filter_map(|slot| slot.entry.as_mut()).filter(waits);
        let some = waiting.take_while(|entry| {
            bytes += entry.bytes.len();
            bytes <= bytes_max
        });
        some.map(|entry| {
            entry.told = height;
            Bytes::copy_from_slice(&entry.bytes)
        })
        .collect()
    }

    fn entry(&mut self, handle: Handle) -> Option<&mut Entry> {
        let slot = &mut self.slots[handle.slot as usize];
        slot.entry.as_mut().filter(|_| slot.turn == handle.turn)
    }

    /// Notes how a transaction ended. The first end is the one that counts: a doubled transaction's second receipt says only that
    /// it is a double.
    fn end(&mut self, id: TransactionId, end: End) {
        let key = DigestState::default().fingerprint(&id.0);
        let end = match self.ended.old.get(&key) {
            Some(first) => *first,
            None => {
                self.ended.turn(self.ended.young.len());
                *self.ended.young.entry(key).or_insert(end)
            }
        };
        if let Some(slot) = self.by_id.remove(&id) {
            self.drop_entry(slot);
        }
        if !self.waiters.is_empty() {
            for waiter in self.waiters.remove(&id).into_iter().flatten() {
                // Who waited may have gone.
                let _ = waiter.send(end);
            }
        }
    }

    fn drop_entry(&mut self, slot: u32) {
        let Some(entry) = self.slots[slot as usize].entry.take() else { return };
        self.free.push(slot);
        self.count -= 1;
        self.bytes -= entry.bytes.len();
        self.open -= usize::from(entry.proposed == 0);
        let slots = &self.slots;
        let live = |handle: &Handle| {
            let slot = &slots[handle.slot as usize];
            slot.turn == handle.turn && slot.entry.is_some()
        };
        self.lanes.left(entry.lane, entry.bytes.len(), live);
        if self.expiries > 4 * self.limits.count_max {
            // Most of them are of transactions that were finalised long before they would have expired.
            self.by_expiry.retain(|_, handles| {
                handles.retain(live);
                !handles.is_empty()
            });
            self.expiries = self.by_expiry.values().map(Vec::len).sum();
        }
    }

    /// Waits for a transaction's end, also of one that is still on its way here from another node. The receiver is closed without an
    /// answer when too many wait.
    pub fn wait(&mut self, id: TransactionId) -> oneshot::Receiver<End> {
        let (sender, receiver) = oneshot::channel();
        if let Standing::Ended(end) = self.standing(&id) {
            let _ = sender.send(end);
            return receiver;
        }
        if self.waiters.len() >= self.waiters_sweep {
            self.waiters.retain(|_, waiters| {
                waiters.retain(|waiter| !waiter.is_closed());
                !waiters.is_empty()
            });
            self.waiters_sweep = WAITERS_SWEEP.max(2 * self.waiters.len());
        }
        if self.waiters.len() < WAITERS_MAX {
            let waiters = self.waiters.entry(id).or_default();
            waiters.retain(|waiter| !waiter.is_closed());
            waiters.push(sender);
        }
        receiver
    }
}
