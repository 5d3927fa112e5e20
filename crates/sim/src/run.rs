//! Living through a scenario.

use std::{collections::BTreeMap, time::Duration};

use commonware_runtime::{
    Clock as _,
    deterministic::{self, Context, FaultConfig, PartialWriteMode, WriteConfig},
};
use commonware_utils::Probability;

use crate::{
    machine::{key_of, transaction},
    outside::Memory,
    properties,
    scenario::{Mishap, Random, Scenario, Segment, VALIDATORS},
    world::World,
};

/// What came of a scenario in which every property held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Height at the end.
    pub height: u64,
    /// Transactions submitted, all of them in blocks.
    pub transactions: u64,
    /// Hash over every event of the simulated runtime; equal for equal seeds.
    pub trace: String,
}

/// The runtime looks at events in steps of this.
const CYCLE: Duration = Duration::from_millis(1);
/// The world acts in steps of this.
const STEP: u64 = 50;
/// Keys that clients write.
const KEYS: u64 = 40;
/// A network that is whole must finish everything within this.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lives through a scenario.
///
/// # Panics
/// When a property is broken; the message says which.
pub fn run(scenario: &Scenario) -> Report {
    let memory = Memory::default();
    let mut checkpoint = None;
    let mut wiped = [0; VALIDATORS];
    let mut random = Random::new(scenario.seed.wrapping_mul(31));
    let last = scenario.segments.len() - 1;
    let mut trace = String::new();
    for (at, segment) in scenario.segments.iter().enumerate() {
        let runner =
            checkpoint.take().map_or_else(|| deterministic::Runner::new(config(scenario)), deterministic::Runner::from);
        let (this, part, memory, dice) = (scenario.clone(), segment.clone(), memory.clone(), random.clone());
        let ((now_wiped, state), next) = runner.start_and_recover(move |context| async move {
            let mut world = World::new(&context, &this, wiped, memory.clone()).await;
            live(&context, &mut world, &part, &memory, dice).await;
            if at == last {
                finish(&context, &mut world, &memory).await;
                properties::check(&context, &world, &memory).await;
            }
            (world.wiped(), context.auditor().state())
        });
        wiped = now_wiped;
        trace = state;
        checkpoint = Some(next);
        random.next();
    }
    let record = memory.lock();
    Report { height: record.blocks.keys().next_back().copied().unwrap_or(0), transactions: record.submitted, trace }
}

fn config(scenario: &Scenario) -> deterministic::Config {
    let (kept, prefix) = scenario.kept;
    let faults = FaultConfig::default().write(WriteConfig {
        failure_rate: Probability::new(0, 100).expect("a rate"),
        retention_rate: Probability::new(kept, 100).expect("a rate"),
        mode: if prefix { PartialWriteMode::Prefix } else { PartialWriteMode::Subset },
    });
    deterministic::Config::new().with_seed(scenario.seed).with_cycle(CYCLE).with_storage_fault_config(faults)
}

/// What is to be undone, and when.
#[derive(Clone, Copy, Debug)]
enum Undo {
    Start(usize),
    Heal,
}

async fn live(context: &Context, world: &mut World, segment: &Segment, memory: &Memory, mut random: Random) {
    for index in 0..VALIDATORS {
        world.start(index).await;
    }
    resubmit(world, memory);
    let mut mishaps = segment.mishaps.iter().copied().peekable();
    let mut undo: BTreeMap<(u64, usize), Undo> = BTreeMap::new();
    let mut now = 0;
    while now < segment.length {
        while let Some((_, mishap)) = mishaps.next_if(|(at, _)| *at <= now) {
            befall(world, mishap, now, &mut undo).await;
        }
        while let Some(entry) = undo.first_entry().filter(|entry| entry.key().0 <= now) {
            mend(world, memory, entry.remove()).await;
        }
        if random.chance(60) {
            submit(world, memory, &mut random);
        }
        context.sleep(Duration::from_millis(STEP)).await;
        now += STEP;
    }
    // A power cut finds things as they are; at the end all is mended.
    for (_, what) in undo {
        mend(world, memory, what).await;
    }
}

async fn befall(world: &mut World, mishap: Mishap, now: u64, undo: &mut BTreeMap<(u64, usize), Undo>) {
    let order = undo.len();
    match mishap {
        Mishap::Kill(index, time) | Mishap::Wipe(index, time) => {
            if undo.values().any(|undo| matches!(undo, Undo::Start(other) if *other == index)) {
                return;
            }
            world.kill(index).await;
            if matches!(mishap, Mishap::Wipe(..)) {
                world.wipe(index);
            }
            undo.insert((now + time, order), Undo::Start(index));
        }
        Mishap::Isolate(index, time) => {
            for other in 0..VALIDATORS {
                world.link(index, other, false).await;
                world.link(other, index, false).await;
            }
            undo.insert((now + time, order), Undo::Heal);
        }
        Mishap::Split(index, time) => {
            let side = [index, (index + 1) % VALIDATORS];
            for a in 0..VALIDATORS {
                for b in 0..VALIDATORS {
                    if side.contains(&a) != side.contains(&b) {
                        world.link(a, b, false).await;
                    }
                }
            }
            undo.insert((now + time, order), Undo::Heal);
        }
    }
}

async fn mend(world: &mut World, memory: &Memory, what: Undo) {
    match what {
        Undo::Start(index) => {
            world.start(index).await;
            resubmit(world, memory);
        }
        Undo::Heal => {
            for a in 0..VALIDATORS {
                for b in 0..VALIDATORS {
                    world.link(a, b, true).await;
                }
            }
        }
    }
}

/// A client deposits something with a node that runs.
fn submit(world: &World, memory: &Memory, random: &mut Random) {
    let nodes: Vec<usize> = world.honest().map(|(index, _)| index).collect();
    if nodes.is_empty() {
        return;
    }
    let transaction = {
        let mut record = memory.lock();
        record.submitted += 1;
        let number = record.submitted;
        let length = if random.chance(5) { 3_000 } else { random.below(120) };
        let value: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        let transaction = transaction(number, random.below(KEYS), &value);
        record.pending.insert(number, transaction.clone());
        transaction
    };
    world.submit(nodes[random.below(nodes.len() as u64) as usize], transaction);
}

/// Clients whose transactions have not been answered give them to every node again.
fn resubmit(world: &World, memory: &Memory) {
    let pending: Vec<Vec<u8>> = memory.lock().pending.values().cloned().collect();
    for transaction in pending {
        for index in 0..VALIDATORS {
            world.submit(index, transaction.clone());
        }
    }
}

/// With the network whole, everything must end.
async fn finish(context: &Context, world: &mut World, memory: &Memory) {
    resubmit(world, memory);
    let deadline = context.current() + PATIENCE;
    loop {
        let done = {
            let record = memory.lock();
            let top = record.blocks.keys().next_back().copied().unwrap_or(0);
            record.pending.is_empty() && top > 0 && world.honest().all(|(index, _)| record.positions[index] >= top)
        };
        if done {
            return;
        }
        if context.current() > deadline {
            let record = memory.lock();
            panic!(
                "NEVER WEDGED: {} transactions have not ended; observers are at {:?}, the chain at {:?}",
                record.pending.len(),
                record.positions,
                record.blocks.keys().next_back(),
            );
        }
        context.sleep(Duration::from_millis(STEP)).await;
    }
}

/// Keys that clients may have written, and some that nobody wrote.
pub fn keys() -> impl Iterator<Item = zhulian_ledger::Key> {
    (0..KEYS + 5).map(key_of)
}
