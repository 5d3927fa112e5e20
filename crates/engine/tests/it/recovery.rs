//! Nodes that were away, crashed, or lost everything.

use std::{sync::atomic::Ordering, time::Duration};

use commonware_runtime::{Clock as _, Runner as _, deterministic};
use zhulian_engine::{Phase, StateSync};

use crate::{
    toy::{key, put},
    world::{GOOD, World},
};

/// Values of many sizes, the largest above a page and near the limit.
fn value(n: u64) -> Vec<u8> {
    vec![n as u8; (n * 37 % 900) as usize + if n % 50 == 7 { 15_000 } else { 0 }]
}

async fn fill(world: &World, keys: std::ops::Range<u64>) {
    for n in keys {
        world.submit(&put(key(n), &value(n)));
    }
    world.drained().await;
}

async fn holds(world: &World, index: usize, keys: std::ops::Range<u64>) {
    for n in keys {
        let proved = world.nodes[&index].handle.prove(key(n)).await.unwrap();
        assert_eq!(proved.value, Some(value(n)), "key {n} on node {index}");
    }
}

#[test]
fn a_node_that_was_killed_catches_up_by_blocks() {
    deterministic::Runner::seeded(1).start(|context| async move {
        let mut world = World::running(&context, 4, GOOD).await;
        fill(&world, 0..50).await;
        world.kill(3).await;
        fill(&world, 50..300).await;
        world.start(3, "node3", |_| ()).await;
        let height = world.nodes[&0].handle.tip().unwrap().header.height;
        world.reach(height).await;
        holds(&world, 3, 0..300).await;
        // Its blocks from before are still there.
        assert_eq!(world.nodes[&3].handle.block(1).await.unwrap(), world.nodes[&0].handle.block(1).await.unwrap());
        world.reach(height + 3).await;
        world.agree();
        // It votes: without it there would be no quorum any more.
        world.kill(0).await;
        world.reach(height + 8).await;
    });
}

#[test]
fn a_wiped_node_syncs_the_state_with_values_of_any_size_and_votes() {
    deterministic::Runner::seeded(2).start(|context| async move {
        let mut world = World::running(&context, 4, GOOD).await;
        fill(&world, 0..600).await;
        world.submit(&put(key(5), b"delete"));
        world.drained().await;
        world.kill(3).await;
        world.reach(40).await;
        let before = world.nodes[&0].handle.tip().unwrap().header.height;
        let policy = StateSync::WhenEmpty { wait: Duration::from_secs(3), views_min: 10 };
        world.start(3, "empty", |config| config.state_sync = policy).await;
        let handle = world.nodes[&3].handle.clone();
        let begun = context.current();
        handle.reached(before).await.unwrap();
        let took = context.current().duration_since(begun).unwrap();
        assert!(took < Duration::from_secs(10), "took {took:?}");
        assert_eq!(handle.status().await.unwrap().phase, Phase::Running);
        // By state, not by blocks.
        let executed = world.nodes[&3].machine.executed.load(Ordering::Relaxed);
        assert!(executed < before / 2, "executed {executed} of {before} blocks");
        holds(&world, 3, 6..600).await;
        assert_eq!(handle.prove(key(5)).await.unwrap().value, None);

        world.kill(0).await;
        let height = world.nodes[&1].handle.tip().unwrap().header.height;
        fill(&world, 600..650).await;
        world.reach(height + 5).await;
        holds(&world, 3, 600..650).await;
        // The blocks from before came after the state, for its users and its observer.
        let first = world.nodes[&3].node.blocks.lock().unwrap()[0].0.clone();
        assert_eq!(first.header.height, 1);
        assert_eq!(handle.block(1).await.unwrap(), first);
        assert!(handle.certificate_for(1).await.is_ok());
        world.agree();
        // Its pool did not wait for them.
        let told = world.nodes[&3].node.told.lock().unwrap().clone();
        assert!(told[0] > before / 2, "told of {} first, of {before} blocks", told[0]);
        assert!(told.is_sorted_by(|one, next| one + 1 == *next), "{told:?}");

        // And it can be restarted like any other.
        world.kill(3).await;
        world.start(3, "empty", |config| config.state_sync = policy).await;
        world.reach(height + 15).await;
        holds(&world, 3, 600..650).await;
    });
}

#[test]
fn a_new_network_starts_from_genesis_although_nodes_look_for_a_state() {
    deterministic::Runner::seeded(3).start(|context| async move {
        let mut world = World::new(&context, 4, GOOD).await;
        let policy = StateSync::WhenEmpty { wait: Duration::from_millis(500), views_min: 10 };
        for index in 0..4 {
            world.start(index, &format!("node{index}"), |config| config.state_sync = policy).await;
        }
        world.reach(3).await;
        world.agree();
    });
}

#[test]
fn all_nodes_survive_a_crash_without_warning() {
    let mut checkpoint = None;
    let mut done = 0u64;
    for round in 0..4u64 {
        let runner = checkpoint.map_or_else(|| deterministic::Runner::seeded(7), deterministic::Runner::from);
        let begin = done;
        let (end, next) = runner.start_and_recover(move |context| async move {
            let world = World::running(&context, 4, GOOD).await;
            if begin > 0 {
                world.reach(1).await;
                for index in 0..4 {
                    holds(&world, index, 0..begin).await;
                }
            }
            fill(&world, begin..begin + 40).await;
            // Stop in the middle of things.
            for n in begin + 40..begin + 60 {
                world.submit(&put(key(10_000 + n), b"under way"));
            }
            context.sleep(Duration::from_millis(10 + 17 * round)).await;
            world.agree();
            begin + 40
        });
        done = end;
        checkpoint = Some(next);
    }
}
