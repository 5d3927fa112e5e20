//! Validators come, go and change their keys while the network goes on.

use std::time::Duration;

use commonware_runtime::{Clock as _, Runner as _, deterministic};
use zhulian_engine::{Config, Phase, StateSync};
use zhulian_primitives::Network;

use crate::{
    toy::{SEATS, key, put},
    world::{GOOD, World, network, public},
};

const EPOCH: u64 = 10;
/// Validators of genesis; the other nodes are guests.
const FIRST: usize = 4;

fn founded(world: &World) -> Network {
    network(&world.secrets[..FIRST])
}

async fn start(world: &mut World, index: usize, change: impl FnOnce(&mut Config)) {
    let validators = founded(world).validators;
    let with = |config: &mut Config| {
        (config.validators, config.epoch_blocks) = (validators, EPOCH);
        change(config);
    };
    world.start(index, &format!("node{index}"), with).await;
}

async fn world(context: &deterministic::Context, count: u8) -> World {
    let mut world = World::new(context, count, GOOD).await;
    for index in 0..FIRST {
        start(&mut world, index, |_| ()).await;
    }
    world
}

fn comes(world: &World, index: usize) -> Vec<u8> {
    [b"+", &public(&world.secrets[index])[..]].concat()
}

fn goes(world: &World, index: usize) -> Vec<u8> {
    [b"-", &public(&world.secrets[index])[..]].concat()
}

/// Puts a change into the state and waits until the validators are those of `indices`.
async fn change(world: &World, what: Vec<u8>, indices: &[usize]) {
    world.submit(&put(SEATS, &what));
    world.drained().await;
    let running = world.nodes.values().next().unwrap();
    let mut expected: Vec<[u8; 32]> = indices.iter().map(|index| public(&world.secrets[*index])).collect();
    expected.sort_unstable();
    for n in 0.. {
        let status = running.handle.status().await.unwrap();
        let now: Vec<[u8; 32]> = status.sets.last().unwrap().validators.iter().map(|it| it.public_key).collect();
        if now == expected && status.epoch >= status.sets.last().unwrap().epoch {
            break;
        }
        assert!(n < 600, "the validators do not change: {:?}", status.sets.len());
        world.submit(&put(key(n % 50), b"work"));
        world.context.sleep(Duration::from_millis(50)).await;
    }
}

/// Every block is proven final from what was known at genesis, by the validators of its epoch.
async fn all_proven(world: &World, index: usize) -> usize {
    let handle = &world.nodes[&index].handle;
    let tip = handle.tip().unwrap().header.height;
    let mut changes = 0;
    for height in 1..=tip {
        let finality = handle.certificate_for(height).await.unwrap();
        let mut network = founded(world);
        for handover in &finality.handovers {
            network = handover.follow(&network).unwrap();
        }
        assert_eq!(finality.headers[0].height, height);
        assert_eq!(finality.headers[0].epoch, height / EPOCH);
        assert!(finality.headers.iter().all(|header| header.epoch == height / EPOCH));
        assert!(finality.certificate.finalises(finality.headers.last().unwrap()), "{height}");
        finality.certificate.verify(&network).unwrap();
        changes = finality.handovers.len();
    }
    changes
}

#[test]
fn one_comes_one_goes_one_changes_its_key_and_nothing_stops() {
    deterministic::Runner::timed(Duration::from_secs(600)).start(|context| async move {
        let mut world = world(&context, 6).await;
        world.reach(3).await;
        start(&mut world, 4, |_| ()).await;

        change(&world, comes(&world, 4), &[0, 1, 2, 3, 4]).await;
        world.reach(world.nodes[&1].handle.tip().unwrap().header.height + 3).await;
        change(&world, goes(&world, 0), &[1, 2, 3, 4]).await;
        // Node 0 follows on, and node 5 begins with the state of the others.
        world.reach(world.nodes[&1].handle.tip().unwrap().header.height + 3).await;
        start(&mut world, 5, |config| {
            config.state_sync = StateSync::WhenEmpty { wait: Duration::from_secs(3), views_min: 1 };
        })
        .await;
        let rekeyed = [goes(&world, 1), comes(&world, 5)].concat();
        change(&world, rekeyed, &[2, 3, 4, 5]).await;
        let tip = world.nodes[&2].handle.tip().unwrap().header.height;
        world.reach(tip + 2 * EPOCH).await;
        world.drained().await;
        world.agree();

        for index in [0, 2, 4] {
            assert_eq!(all_proven(&world, index).await, 3, "node {index}");
        }
        // What the newest node fetched of the time before it came is proven, too.
        while world.nodes[&5].handle.block(1).await.is_err() {
            context.sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(all_proven(&world, 5).await, 3);
        let status = world.nodes[&5].handle.status().await.unwrap();
        assert_eq!((status.phase, status.peers.len()), (Phase::Running, 3));

        // No gap is longer than an idle network's.
        let blocks = world.nodes[&2].node.blocks.lock().unwrap();
        let longest = blocks.windows(2).map(|pair| pair[1].0.header.time - pair[0].0.header.time).max().unwrap();
        assert!(longest < 900, "{longest} ms without a block");
    });
}

#[test]
fn a_node_that_was_away_for_epochs_comes_back_and_a_whole_network_restarts() {
    deterministic::Runner::timed(Duration::from_secs(600)).start(|context| async move {
        let mut world = world(&context, 5).await;
        world.reach(3).await;
        start(&mut world, 4, |_| ()).await;
        world.kill(3).await;
        change(&world, comes(&world, 4), &[0, 1, 2, 3, 4]).await;
        let tip = world.nodes[&0].handle.tip().unwrap().header.height;
        world.reach(tip + 3 * EPOCH).await;
        start(&mut world, 3, |_| ()).await;
        let tip = world.nodes[&0].handle.tip().unwrap().header.height;
        world.reach(tip + EPOCH).await;

        for index in 0..5 {
            world.kill(index).await;
        }
        for index in 0..5 {
            start(&mut world, index, |_| ()).await;
        }
        world.submit(&put(key(7), b"after"));
        world.reach(tip + 3 * EPOCH).await;
        world.drained().await;
        assert_eq!(all_proven(&world, 3).await, 1);
    });
}

#[test]
fn a_node_whose_key_is_nobody_s_follows_without_a_vote() {
    deterministic::Runner::timed(Duration::from_secs(120)).start(|context| async move {
        let mut world = world(&context, 5).await;
        start(&mut world, 4, |_| ()).await;
        world.submit(&put(key(1), b"value"));
        world.reach(2 * EPOCH).await;
        world.agree();
        let finality = world.nodes[&4].handle.certificate_for(EPOCH).await.unwrap();
        finality.certificate.verify(&founded(&world)).unwrap();
        assert!(finality.handovers.is_empty());
    });
}
