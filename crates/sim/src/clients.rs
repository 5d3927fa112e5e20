//! The people at the counters: honest departments, forgers, and one that floods.

use std::sync::Arc;

use bytes::Bytes;
use commonware_runtime::Spawner as _;
use zhulian_crypto::sha256;
use zhulian_execution::Refusal as _;
use zhulian_node::mempool::{Mempool, Owner, Verdict};
use zhulian_primitives::{Height, TransactionError, TransactionId};
use zhulian_verify::ReceiptFile;

use crate::{
    city::{City, VALIDATORS, code},
    random::Random,
    record::{Kind, Memory, Sent, short},
    world::World,
};

/// Files that clients deposit again and again, so that deposits meet.
const FILES: u64 = 60;
/// Transactions that a flooding department sends at once.
const FLOOD: u64 = 12;

/// Everybody outside.
pub struct Clients {
    city: Arc<City>,
    memory: Memory,
    random: Random,
    nonce: u64,
}

/// A transaction that a client is about to send.
pub fn remember(memory: &Memory, bytes: &[u8], department: usize, valid_until: Height) -> TransactionId {
    remember_as(memory, bytes, Kind::Honest, department, valid_until)
}

fn remember_as(memory: &Memory, bytes: &[u8], kind: Kind, department: usize, valid_until: Height) -> TransactionId {
    let id = TransactionId(sha256(bytes));
    let sent = Sent { kind, department, bytes: bytes.to_vec(), valid_until, taken: None };
    memory.lock().sent.entry(id).or_insert(sent);
    id
}

impl Clients {
    /// Nobody has sent anything yet.
    pub fn new(city: &Arc<City>, memory: &Memory, random: Random, nonce: u64) -> Self {
        Self { city: city.clone(), memory: memory.clone(), random, nonce }
    }

    /// The next number, and where chance has come to, for the next segment.
    pub fn state(&self) -> (Random, u64) {
        (self.random.clone(), self.nonce)
    }

    fn next(&mut self) -> u64 {
        self.nonce += 1;
        self.nonce
    }

    /// Something that a client may do now.
    pub fn act(&mut self, world: &World, flood: Option<usize>) {
        if let Some(department) = flood {
            self.flood(world, department);
        }
        if !self.random.chance(50) {
            return;
        }
        let Some((node, height)) = self.somewhere(world) else { return };
        let (department, file) = (self.random.below(VALIDATORS as u64) as usize, self.random.below(FILES));
        let (nonce, far) = (self.next(), height + 20 + self.random.below(1_000));
        match self.random.below(20) {
            0 | 1 => self.forge(world, node, department, file, far),
            2 | 3 => self.repeat(world, node),
            4 => {
                let until = height + 1 + self.random.below(5);
                let bytes = self.city.deposit(department, file, nonce, until);
                self.send(world, node, bytes, Kind::Short, department, until);
            }
            5 | 6 => {
                let bytes = self.city.withdraw(department, file, nonce, far);
                self.send(world, node, bytes, Kind::Honest, department, far);
            }
            7 => {
                // The same nonce twice: only one of the two may be executed.
                for file in [file, file + 1] {
                    let bytes = self.city.deposit(department, file, nonce, far);
                    self.send(world, node, bytes, Kind::Honest, department, far);
                }
            }
            8 => self.ask_for_receipt(world, node),
            _ => {
                let bytes = self.city.deposit(department, file, nonce, far);
                self.send(world, node, bytes, Kind::Honest, department, far);
            }
        }
    }

    fn forge(&mut self, world: &World, node: usize, department: usize, file: u64, until: Height) {
        let nonce = self.next();
        let mut bytes = self.city.deposit(department, file, nonce, until);
        match self.random.below(5) {
            0 => bytes = self.city.stray(department, file, nonce, until),
            1 => {
                let len = bytes.len();
                bytes.truncate(self.random.below(len as u64) as usize);
            }
            2 => {
                // Somebody else's signature.
                let other = self.city.strange(file, nonce, until);
                let (len, theirs) = (bytes.len(), other.len());
                bytes[len - 64..].copy_from_slice(&other[theirs - 64..]);
            }
            3 => bytes.push(0),
            _ => {
                let at = self.random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << self.random.below(8);
            }
        }
        *self.memory.lock().faults.entry("forged").or_default() += 1;
        self.send(world, node, bytes, Kind::Forged, department, until);
    }

    /// Sends bytes that were sent before, by whomever.
    fn repeat(&mut self, world: &World, node: usize) {
        let (bytes, department, until) = {
            let record = self.memory.lock();
            let ids: Vec<&TransactionId> = record.places.keys().collect();
            if ids.is_empty() {
                return;
            }
            let sent = &record.sent[*self.random.pick(&ids)];
            (sent.bytes.clone(), sent.department, sent.valid_until)
        };
        *self.memory.lock().faults.entry("replayed").or_default() += 1;
        self.send(world, node, bytes, Kind::Honest, department, until);
    }

    /// A department sends many at once, to one node.
    pub fn flood(&mut self, world: &World, department: usize) {
        let Some((node, height)) = self.somewhere(world) else { return };
        *self.memory.lock().faults.entry("flood").or_default() += FLOOD;
        for _ in 0..FLOOD {
            let (nonce, file, until) = (self.next(), self.random.below(FILES), height + 300);
            let bytes = self.city.deposit(department, file, nonce, until);
            self.send(world, node, bytes, Kind::Flood, department, until);
        }
    }

    /// The last ones, one of each department but the flooding one at each honest node; returns their ids.
    pub fn probe(&mut self, world: &World, flood: Option<usize>) -> Vec<TransactionId> {
        let mut ids = Vec::new();
        for node in world.honest() {
            let Some(tip) = world.live(node).and_then(|live| live.handle.tip()) else { continue };
            // Who floods blocks nobody but itself.
            for department in (0..VALIDATORS).filter(|department| Some(*department) != flood) {
                let (nonce, until) = (self.next(), tip.header.height + 900);
                let bytes = self.city.deposit(department, FILES + nonce, nonce, until);
                ids.push(TransactionId(sha256(&bytes)));
                self.send(world, node, bytes, Kind::Probe, department, until);
            }
        }
        ids
    }

    /// Sends something honest that a representative has signed to some node; its id, or `None` when no node is there.
    pub fn represent(
        &mut self,
        world: &World,
        department: usize,
        sign: impl FnOnce(&City, u64, Height) -> Vec<u8>,
    ) -> Option<TransactionId> {
        let (node, height) = self.somewhere(world)?;
        let (nonce, until) = (self.next(), height + 900);
        let bytes = sign(&self.city, nonce, until);
        let id = TransactionId(sha256(&bytes));
        self.send(world, node, bytes, Kind::Honest, department, until);
        Some(id)
    }

    /// Sends once more what was sent before, to some node.
    pub fn again(&mut self, world: &World, id: TransactionId) {
        let Some((node, _)) = self.somewhere(world) else { return };
        let bytes = self.memory.lock().sent[&id].bytes.clone();
        self.submit(world, node, id, bytes);
    }

    /// Some honest node that answers, and its height.
    fn somewhere(&mut self, world: &World) -> Option<(usize, Height)> {
        let nodes: Vec<usize> = world.honest().filter(|index| world.live(*index).is_some()).collect();
        if nodes.is_empty() {
            return None;
        }
        let node = *self.random.pick(&nodes);
        world.live(node).and_then(|live| live.handle.tip()).map(|tip| (node, tip.header.height))
    }

    fn send(&mut self, world: &World, node: usize, bytes: Vec<u8>, kind: Kind, department: usize, until: Height) {
        let id = remember_as(&self.memory, &bytes, kind, department, until);
        self.submit(world, node, id, bytes);
    }

    /// Gives what was taken and has not ended to every honest node again, as clients do that have had no answer.
    pub fn ask_again(&mut self, world: &World) {
        let pending: Vec<(TransactionId, Vec<u8>)> = {
            let record = self.memory.lock();
            record.pending.iter().map(|id| (*id, record.sent[id].bytes.clone())).collect()
        };
        for (id, bytes) in pending {
            for node in world.honest() {
                self.submit(world, node, id, bytes.clone());
            }
        }
    }

    fn submit(&self, world: &World, node: usize, id: TransactionId, bytes: Vec<u8>) {
        let Some(live) = world.live(node) else { return };
        let (intake, mempool, memory) = (live.intake.clone(), live.mempool.clone(), self.memory.clone());
        let tip = live.handle.tip().map_or(0, |tip| tip.header.height);
        world.outside().spawn(move |_| async move {
            let Some(verdicts) = intake.submit(vec![Bytes::from(bytes)]).await else { return };
            for verdict in verdicts {
                answered(&memory, &mempool, (node, tip), id, verdict);
            }
        });
    }

    /// A client fetches the receipt file of something that is in a block.
    pub fn ask_for_receipt(&mut self, world: &World, node: usize) {
        let found = {
            let record = self.memory.lock();
            let ids: Vec<&TransactionId> = record.places.keys().collect();
            if ids.is_empty() {
                return;
            }
            let id = **self.random.pick(&ids);
            (id, record.places[&id].clone())
        };
        let Some(live) = world.live(node) else { return };
        let (handle, memory, (id, place)) = (live.handle.clone(), self.memory.clone(), found);
        world.outside().spawn(move |_| async move {
            // A node that has just started, or synced, may not have the block.
            let (Ok(block), Ok(finality)) = (handle.block(place.height).await, handle.certificate_for(place.height).await)
            else {
                return;
            };
            let mut record = memory.lock();
            match ReceiptFile::assemble(
                &block,
                place.index,
                &finality.headers[1..],
                &finality.certificate,
                &finality.handovers,
            ) {
                Ok(file) => record.receipts.push((id, file.encode())),
                Err(error) => record.fail(format_args!("RECEIPTS: node {node} has none for {id}: {error}")),
            }
        });
    }
}

/// What the node, whose chain had this tip, said to what was sent.
fn answered(memory: &Memory, mempool: &Mempool, (node, tip): (usize, Height), id: TransactionId, verdict: Verdict) {
    let mut record = memory.lock();
    let now = record.now;
    let Some(sent) = record.sent.get_mut(&id) else { return };
    let kind = sent.kind;
    let until = sent.valid_until;
    match verdict {
        Verdict::Taken(_) if kind == Kind::Forged => {
            record.fail(format_args!("FORGERIES ARE REFUSED: node {node} took {id}"));
        }
        Verdict::Taken(taken) => {
            let first = sent.taken.is_none();
            sent.taken.get_or_insert(now);
            if taken != id {
                record.fail(format_args!("IDS: node {node} calls {id} {taken}"));
            }
            if !record.places.contains_key(&id) && !record.expired.contains(&id) && record.pending.insert(id) && first {
                record.note(format_args!("node {node} takes {} ({kind:?}, until {until})", short(&id)));
            }
        }
        Verdict::Refused(..) if kind == Kind::Forged => {}
        Verdict::Refused(_, code) => {
            // A pool may be told of a block a moment before the first observer.
            let final_now = record.tip().max(mempool.lock().height());
            let expired = code == TransactionError::Expired.code() && until <= final_now;
            // A node that is behind finds it too early; the same bytes may be given to another.
            let early =
                code == TransactionError::ValidTooLong.code() && until > tip + zhulian_primitives::VALIDITY_BLOCKS_MAX;
            if !expired && !early {
                record.fail(format_args!(
                    "GOOD TRANSACTIONS ARE TAKEN: node {node} at {tip} refused {id}, valid until {until}: {code:?}"
                ));
            }
        }
        Verdict::Full(_) | Verdict::ShareFull(_) if kind == Kind::Flood => {}
        Verdict::Full(_) | Verdict::ShareFull(_) => {
            let department = sent.department;
            // A department that has nothing waiting always finds room.
            let pool = mempool.lock();
            let code = code(department);
            let waits = |(owner, count): (&Owner, usize)| {
                matches!(owner, Owner::Organisation(it) if **it == *code.as_str()) && count > 0
            };
            if !pool.counts().any(waits) {
                let all: Vec<(&Owner, usize)> = pool.counts().collect();
                record.fail(format_args!("NO INPUT BLOCKS ANOTHER'S: node {node} has no room for {id} of department {department}: {verdict:?}, {all:?}"));
            }
        }
    }
}
