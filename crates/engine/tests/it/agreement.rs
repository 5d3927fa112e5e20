//! Validators agree, on good and bad networks and with wrong clocks.

use std::time::Duration;

use commonware_p2p::simulated::Link;
use commonware_runtime::{Clock as _, Runner as _, deterministic};
use commonware_utils::{NZUsize, probability};
use zhulian_engine::{Config, ConfigError, Pace, Peer, Timeouts};

use crate::{
    toy::{GENESIS, key, put},
    world::{GOOD, World, config, network, secrets},
};

#[test]
fn four_nodes_agree_and_serve_what_they_agreed_on() {
    deterministic::Runner::seeded(1).start(|context| async move {
        let world = World::running(&context, 4, GOOD).await;
        for n in 0..50 {
            world.submit(&put(key(n), format!("value {n}").as_bytes()));
        }
        world.drained().await;
        let height = world.nodes[&0].handle.tip().unwrap().header.height;
        world.reach(height).await;
        world.agree();

        let network = network(&world.secrets);
        network.check().unwrap();
        for running in world.nodes.values() {
            let (_, values) = running.handle.get(vec![key(3), key(99), GENESIS.0]).await.unwrap();
            assert_eq!(values, [Some(b"value 3".to_vec()), None, Some(GENESIS.1.to_vec())]);
            for at in 1..=height {
                let finality = running.handle.certificate_for(at).await.unwrap();
                assert_eq!(finality.headers[0].height, at);
                assert_eq!(finality.headers.last().unwrap().digest(), finality.certificate.block);
                finality.certificate.verify(&network).unwrap();
            }
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    // The runtime hashes all that happens: each task that is run, each write, read and message, each random number.
    let run = |seed, log_bytes| {
        deterministic::Runner::seeded(seed).start(|context| async move {
            let mut world = World::new(&context, 4, GOOD).await;
            for index in 0..4 {
                world.start(index, &format!("node{index}"), |config| config.storage.log_bytes = log_bytes).await;
            }
            world.submit(&put(key(1), b"value"));
            world.reach(5).await;
            (world.nodes[&0].handle.tip().unwrap().header.digest(), context.auditor().state())
        })
    };
    for log_bytes in [16 << 10, 20 << 10] {
        assert_eq!(run(5, log_bytes), run(5, log_bytes));
    }
}

#[test]
fn an_idle_network_makes_a_block_a_heartbeat_and_a_transaction_waits_for_none() {
    deterministic::Runner::seeded(2).start(|context| async move {
        let world = World::running(&context, 4, GOOD).await;
        world.reach(3).await;
        let (begun, height) = (context.current(), world.nodes[&0].handle.tip().unwrap().header.height);
        world.reach(height + 10).await;
        let ten = context.current().duration_since(begun).unwrap();
        assert!(ten > Duration::from_millis(2_700) && ten < Duration::from_millis(3_600), "ten empty blocks took {ten:?}");

        for n in 0..5 {
            let begun = context.current();
            world.submit(&put(key(n), b"value"));
            world.drained().await;
            let took = context.current().duration_since(begun).unwrap();
            assert!(took < Duration::from_millis(200), "a transaction took {took:?}");
            context.sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn nodes_agree_although_links_lose_messages() {
    let lossy =
        Link { latency: Duration::from_millis(15), jitter: Duration::from_millis(10), success_rate: probability!(0.8) };
    for seed in 0..3 {
        let link = lossy.clone();
        deterministic::Runner::seeded(seed).start(|context| async move {
            let world = World::running(&context, 4, link).await;
            for n in 0..30 {
                world.submit(&put(key(n), b"value"));
            }
            world.drained().await;
            world.reach(10).await;
            world.agree();
        });
    }
}

#[test]
fn three_of_four_go_on_without_the_fourth_and_two_wait() {
    deterministic::Runner::seeded(3).start(|context| async move {
        let mut world = World::running(&context, 4, GOOD).await;
        world.reach(3).await;
        world.kill(3).await;
        world.submit(&put(key(1), b"value"));
        world.drained().await;

        world.kill(2).await;
        context.sleep(Duration::from_secs(5)).await;
        let height = world.nodes[&0].handle.tip().unwrap().header.height;
        context.sleep(Duration::from_secs(10)).await;
        assert_eq!(world.nodes[&0].handle.tip().unwrap().header.height, height, "two of four must not finalise anything");
        world.start(2, "node2", |_| ()).await;
        world.reach(height + 3).await;
        world.agree();
    });
}

#[test]
fn a_clock_that_runs_ahead_delays_but_neither_splits_nor_stops_the_network() {
    for (seed, skew) in [(1, 200), (2, 2_500), (3, -2_500)] {
        deterministic::Runner::seeded(seed).start(|context| async move {
            let mut world = World::new(&context, 4, GOOD).await;
            for index in 0..4 {
                world
                    .start(index, &format!("node{index}"), |config| config.clock_skew_ms = if index == 1 { skew } else { 0 })
                    .await;
            }
            for n in 0..20 {
                world.submit(&put(key(n), b"value"));
                context.sleep(Duration::from_millis(300)).await;
            }
            world.drained().await;
            world.agree();
            let times: Vec<u64> = {
                let seen = world.nodes[&0].node.blocks.lock().unwrap();
                seen.iter().map(|(block, _)| block.header.time).collect()
            };
            assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "times {times:?}");
            let skews: Vec<_> =
                world.nodes[&0].handle.status().await.unwrap().peers.iter().map(|peer| peer.clock_skew_ms).collect();
            assert!((skews[0] - skew).abs() < 100, "skews {skews:?}");
        });
    }
}

/// A clock that is far ahead costs its validator its turns, and the others nothing but them, although their states are pruned at every other block.
#[test]
fn a_block_far_ahead_holds_up_neither_the_state_nor_its_pruning() {
    deterministic::Runner::seeded(5).start(|context| async move {
        let mut world = World::new(&context, 4, GOOD).await;
        for index in 0..4 {
            world
                .start(index, &format!("node{index}"), |config| {
                    config.clock_skew_ms = if index == 1 { 3_000_000 } else { 0 };
                    config.storage.prune_every_blocks = NZUsize!(2);
                })
                .await;
        }
        let begun = context.current();
        world.reach(40).await;
        let took = context.current().duration_since(begun).unwrap();
        assert!(took < Duration::from_secs(600), "40 blocks took {took:?}");
        world.agree();
    });
}

#[test]
fn status_names_the_leader_and_the_peers() {
    deterministic::Runner::seeded(4).start(|context| async move {
        let mut world = World::running(&context, 4, GOOD).await;
        world.reach(5).await;
        let handle = world.nodes[&0].handle.clone();
        for _ in 0..20 {
            let status = handle.status().await.unwrap();
            let tip = handle.tip().unwrap();
            if status.view == tip.header.view + 1 {
                let next = handle.reached(tip.header.height + 1).await.unwrap();
                if next.header.view == status.view {
                    assert_eq!(next.header.proposer, status.leader);
                }
            }
            context.sleep(Duration::from_millis(70)).await;
        }
        world.kill(3).await;
        context.sleep(Duration::from_secs(8)).await;
        let status = handle.status().await.unwrap();
        assert_eq!(status.peers.iter().map(|peer| peer.connected).collect::<Vec<_>>(), [true, true, false]);
        assert!(status.misbehaviour.is_empty() && status.damage.is_empty());
        assert!(handle.metrics().await.unwrap().contains("engine_marshal_processed_height"));
    });
}

#[test]
fn gossip_reaches_the_others() {
    deterministic::Runner::seeded(6).start(|context| async move {
        let mut world = World::running(&context, 4, GOOD).await;
        world.reach(2).await;
        assert!(world.nodes[&0].handle.gossip(bytes::Bytes::from_static(b"hello")));
        for index in 1..4 {
            let (from, bytes) = world.nodes.get_mut(&index).unwrap().gossip.recv().await.unwrap();
            assert_eq!((from.to_vec(), &bytes[..]), (world.keys[0].as_ref().to_vec(), &b"hello"[..]));
        }
        assert!(!world.nodes[&0].handle.gossip(vec![0; zhulian_engine::GOSSIP_BYTES_MAX + 1].into()));
    });
}

#[test]
fn a_configuration_that_would_stop_a_running_node_is_refused() {
    let good = config(&secrets(4), 0);
    good.check().unwrap();
    let peer = |n: u64| Peer { public_key: [n as u8; 32], address: format!("10.0.0.{n}:1") };
    let peers = |count: u64| Config { peers: (0..count).map(peer).collect(), ..good.clone() };
    peers(127).check().unwrap();
    assert_eq!(peers(128).check(), Err(ConfigError::Peers(128)));
    let late = Timeouts { leader: Duration::from_secs(9), ..good.timeouts };
    assert_eq!(Config { timeouts: late, ..good.clone() }.check(), Err(ConfigError::Timeouts));
    let slow = Pace { block_interval: Duration::from_secs(1), ..good.pace };
    assert_eq!(Config { pace: slow, ..good.clone() }.check(), Err(ConfigError::Pace));
    assert_eq!(Config { epoch_blocks: 1, ..good.clone() }.check(), Err(ConfigError::Epoch));
    assert_eq!(Config { threads: 0, ..good }.check(), Err(ConfigError::Threads));
}
