//! What happens in a segment, and how it is made good.

use std::collections::BTreeMap;

use crate::{
    change,
    city::{NEWCOMER, VALIDATORS},
    clients::Clients,
    record::Memory,
    run::excuse,
    scenario::{Mishap, Scenario, Segment},
    world::World,
};

/// The world acts in steps of this, in milliseconds.
const STEP: u64 = 50;
/// Once links are whole and honest nodes are up, a new block is everywhere within this, in milliseconds.
pub const RETURN: u64 = 30_000;
/// What every department then sends is in a block within this, in milliseconds, whatever others send.
pub const PROBED: u64 = 15_000;
/// Everything that was taken has then ended, and is indexed, within this, in milliseconds.
pub const PATIENCE: u64 = 60_000;

/// A client that has had no answer for so long asks again, in milliseconds.
const ASK_AGAIN: u64 = 5_000;

/// What is to be undone.
#[derive(Clone, Copy, Debug)]
enum Undo {
    Start(usize),
    Room(usize),
    Heal,
}

/// Things to be undone, by the time at which they are.
type Undoing = BTreeMap<(u64, usize), Undo>;

/// Lives through a segment up to its end or until the power goes. At the end everything is made good.
pub async fn live(world: &mut World, clients: &mut Clients, scenario: &Scenario, segment: &Segment, memory: &Memory) {
    world.tick();
    let begun = memory.lock().now;
    let mut undo = Undoing::new();
    if let Some(point) = segment.cut {
        world.writes().stop_after(point);
    }
    for index in 0..world.count() {
        match scenario.late {
            Some((late, at)) if late == index => {
                undo.insert((at, usize::MAX), Undo::Start(index));
            }
            _ if index == NEWCOMER && !memory.lock().change.has_newcomer() => {}
            _ => world.start(index).await,
        }
    }
    let mut mishaps = segment.mishaps.iter().copied().peekable();
    let mut asked = false;
    loop {
        let now = memory.lock().now - begun;
        if world.writes().stopped() {
            memory.lock().fault("cut_at_write", format_args!("after {} writes", world.writes().passed()));
            return;
        }
        if now >= segment.length || memory.lock().broken.is_some() {
            break;
        }
        while let Some((_, mishap)) = mishaps.next_if(|(at, _)| *at <= now) {
            // Receipts are fetched before things go wrong, too.
            for node in 0..world.count() {
                clients.ask_for_receipt(world, node);
            }
            befall(world, memory, mishap, now, &mut undo).await;
        }
        while let Some(entry) = undo.first_entry().filter(|entry| entry.key().0 <= now) {
            mend(world, memory, entry.remove()).await;
        }
        for index in 0..world.count() {
            if world.disk(index).node.stopped() && !is_down(&undo, index) {
                memory.lock().fault("crash_at_write", format_args!("node {index} stops in the middle of a write"));
                world.kill(index).await;
                undo.insert((now + 500, undo.len()), Undo::Start(index));
            }
        }
        if !asked && world.honest().all(|index| world.live(index).is_some()) {
            asked = true;
            clients.ask_again(world);
        }
        clients.act(world, scenario.flood);
        change::go_on(world, clients, scenario, memory).await;
        world.sleep(STEP).await;
    }
    // A power cut finds things as they are; at the end all is mended.
    for (_, what) in undo {
        mend(world, memory, what).await;
    }
}

/// Whether a node is already stopped and will be started.
fn is_down(undo: &Undoing, node: usize) -> bool {
    undo.values().any(|undo| matches!(undo, Undo::Start(other) | Undo::Room(other) if *other == node))
}

async fn befall(world: &mut World, memory: &Memory, mishap: Mishap, now: u64, undo: &mut Undoing) {
    let order = undo.len();
    match mishap {
        Mishap::Kill(node, _) | Mishap::Wipe(node, _) | Mishap::CrashAtWrite(node, ..) | Mishap::DiskFull(node, _)
            if is_down(undo, node) => {}
        Mishap::Kill(node, time) => {
            memory.lock().fault("kill", format_args!("node {node} is killed for {time} ms"));
            world.kill(node).await;
            undo.insert((now + time, order), Undo::Start(node));
        }
        Mishap::Wipe(node, time) => {
            memory.lock().fault("wipe", format_args!("node {node} is killed and wiped for {time} ms"));
            world.kill(node).await;
            world.wipe(node);
            undo.insert((now + time, order), Undo::Start(node));
        }
        Mishap::CrashAtWrite(node, more, _) => world.disk(node).node.stop_after(more),
        Mishap::DiskFull(node, time) => {
            memory.lock().fault("disk_full", format_args!("the disk of node {node} is full for {time} ms"));
            world.fill(node, true);
            excuse(true);
            undo.insert((now + time, order), Undo::Room(node));
        }
        Mishap::Isolate(node, time) => {
            memory.lock().fault("isolated", format_args!("node {node} is cut off for {time} ms"));
            for other in 0..world.count() {
                world.link(node, other, false).await;
                world.link(other, node, false).await;
            }
            undo.insert((now + time, order), Undo::Heal);
        }
        Mishap::Split(node, time) => {
            let side = [node, (node + 1) % VALIDATORS];
            memory.lock().fault("partition", format_args!("nodes {side:?} are parted from the others for {time} ms"));
            for a in 0..world.count() {
                for b in 0..world.count() {
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
        Undo::Start(node) => {
            memory.lock().note(format_args!("node {node} is started"));
            world.start(node).await;
        }
        Undo::Room(node) => {
            memory.lock().note(format_args!("the disk of node {node} has room again; the node is started anew"));
            world.kill(node).await;
            world.fill(node, false);
            excuse(world.is_full());
            world.start(node).await;
        }
        Undo::Heal => {
            memory.lock().note("all links are whole");
            world.link_all().await;
        }
    }
}

/// With the network whole, everything must end. Returns how long it took until a new block was everywhere, in milliseconds.
pub async fn finish(world: &mut World, clients: &mut Clients, scenario: &Scenario, memory: &Memory) -> u64 {
    for index in 0..world.count() {
        if world.disk(index).node.stopped() {
            world.kill(index).await;
            world.start(index).await;
        }
        world.disk(index).node.go_on();
    }
    world.writes().go_on();
    memory.lock().note("everything is whole from now on");
    let begun = memory.lock().now;
    let before = memory.lock().tip();
    let new_block = |memory: &Memory, world: &World| {
        world.honest().all(|index| world.live(index).is_some() && memory.lock().positions[index] > before)
    };
    if !wait(world, clients, scenario, scenario.flood, memory, RETURN, &new_block).await {
        let mut record = memory.lock();
        let positions = record.positions;
        record
            .fail(format_args!("LIVENESS RETURNS: no new block everywhere; observers at {positions:?}, chain at {before}"));
        return RETURN;
    }
    let recovery = memory.lock().now - begun;
    memory.lock().note(format_args!("a new block is everywhere after {recovery} ms"));

    let probes = clients.probe(world, scenario.flood);
    let probed = |memory: &Memory, _: &World| {
        let record = memory.lock();
        probes.iter().all(|id| record.places.contains_key(id))
    };
    if !wait(world, clients, scenario, scenario.flood, memory, PROBED, &probed).await {
        let mut record = memory.lock();
        let late = probes.iter().filter(|id| !record.places.contains_key(id)).count();
        record.fail(format_args!("NO INPUT BLOCKS ANOTHER'S: {late} of {} last deposits are in no block", probes.len()));
        return recovery;
    }

    let all = |memory: &Memory, world: &World| {
        let honest: Vec<usize> = world.honest().collect();
        let tip = {
            let mut record = memory.lock();
            if scenario.change.is_some() && !record.change.is_over() {
                return false;
            }
            let lowest = honest.iter().map(|index| record.positions[*index]).min().unwrap_or(0);
            record.expire(lowest);
            if !record.pending.is_empty() || honest.iter().any(|index| record.positions[*index] < record.tip()) {
                return false;
            }
            record.tip()
        };
        let empty = |index: &usize| {
            world.live(*index).is_some_and(|live| live.mempool.lock().count() == 0 && live.progress.height() >= tip)
        };
        honest.iter().all(empty)
    };
    // Clients whose node forgot what it had taken ask again; where none did, nobody needs to.
    let mut ended = false;
    for _ in 0..PATIENCE / ASK_AGAIN {
        if scenario.has_crashes() {
            clients.ask_again(world);
        }
        ended = wait(world, clients, scenario, None, memory, ASK_AGAIN, &all).await;
        if ended {
            break;
        }
    }
    if !ended {
        let waiting: Vec<_> =
            world.honest().map(|index| world.live(index).map(|live| live.mempool.lock().count())).collect();
        let indexed: Vec<_> = world.honest().map(|index| world.live(index).map(|live| live.progress.height())).collect();
        let mut record = memory.lock();
        let (pending, positions, tip) = (record.pending.len(), record.positions, record.tip());
        if scenario.change.is_some() && !record.change.is_over() {
            let change = record.change.clone();
            record.fail(format_args!("VALIDATORS CHANGE: they have not: {change:?}"));
        }
        record.fail(format_args!(
            "WHAT IS TAKEN ENDS: {pending} transactions have not ended, {waiting:?} wait in mempools; \
             observers at {positions:?}, indexes at {indexed:?}, chain at {tip}"
        ));
    }
    recovery
}

/// Lets time pass until something is so; false when it is not within `millis`.
async fn wait(
    world: &mut World,
    clients: &mut Clients,
    scenario: &Scenario,
    flood: Option<usize>,
    memory: &Memory,
    millis: u64,
    so: &dyn Fn(&Memory, &World) -> bool,
) -> bool {
    let end = memory.lock().now + millis;
    loop {
        if memory.lock().broken.is_some() || so(memory, world) {
            return true;
        }
        if memory.lock().now > end {
            return false;
        }
        if let Some(department) = flood {
            clients.flood(world, department);
        }
        change::go_on(world, clients, scenario, memory).await;
        world.sleep(STEP).await;
    }
}
