//! Validators in one deterministic runtime.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use commonware_cryptography::{Signer as _, ed25519::PublicKey};
use commonware_p2p::simulated::{self, Link, Oracle};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock as _, Handle as Task, Spawner as _, Supervisor as _, deterministic::Context};
use commonware_utils::{NZU64, NZUsize, channel::oneshot, probability};
use zhulian_engine::{
    Config, GossipReceiver, Handle, Limits, Pace, StateSync, Storage, Timeouts,
    wiring::{self, CHANNELS, Network, Parts},
};

use crate::toy::{Node, Toy, validator};

/// Secrets of `count` validators, in the order of their public keys.
pub fn secrets(count: u8) -> Vec<[u8; 32]> {
    let mut secrets: Vec<[u8; 32]> = (1..=count).map(|n| [n; 32]).collect();
    secrets.sort_by_key(public);
    secrets
}

pub fn public(secret: &[u8; 32]) -> [u8; 32] {
    private(secret).public_key().as_ref().try_into().unwrap()
}

fn private(secret: &[u8; 32]) -> commonware_cryptography::ed25519::PrivateKey {
    use commonware_codec::DecodeExt as _;
    commonware_cryptography::ed25519::PrivateKey::decode(commonware_codec::Copying(secret)).unwrap()
}

pub const CHAIN: [u8; 32] = [9; 32];

pub fn config(secrets: &[[u8; 32]], index: usize) -> Config {
    Config {
        chain: CHAIN,
        genesis_time: 0,
        validators: network(secrets).validators,
        epoch_blocks: 1_000_000,
        peers: Vec::new(),
        secret: secrets[index],
        listen: "127.0.0.1:1".parse().unwrap(),
        directory: "unused".into(),
        threads: 1,
        any_source_address: false,
        limits: Limits {
            transactions_bytes_max: 64 << 10,
            transactions_max: 200,
            receipts_bytes_max: 64 << 10,
            value_bytes_max: 16 << 10,
        },
        pace: Pace { block_interval: Duration::from_millis(20), heartbeat: Duration::from_millis(300) },
        timeouts: Timeouts {
            leader: Duration::from_millis(800),
            certification: Duration::from_millis(1_200),
            skip: Duration::from_millis(3_000),
            fetch: Duration::from_millis(500),
        },
        state_sync: StateSync::Never,
        storage: Storage {
            page_cache_bytes: 4 << 20,
            retained_blocks: 8,
            log_bytes: 16 << 10,
            section_blocks: NZU64!(4),
            ..Storage::default()
        },
        cold: None,
        clock_skew_ms: 0,
    }
}

/// A link that loses nothing.
pub const GOOD: Link =
    Link { latency: Duration::from_millis(5), jitter: Duration::from_millis(1), success_rate: probability!(1.0) };

pub struct World {
    pub context: Context,
    pub secrets: Vec<[u8; 32]>,
    pub keys: Vec<PublicKey>,
    oracle: Oracle<PublicKey, Context>,
    pub nodes: BTreeMap<usize, Running>,
    starts: u32,
}

pub struct Running {
    pub handle: Handle,
    pub node: Arc<Node>,
    pub machine: Arc<Toy>,
    pub gossip: GossipReceiver,
    task: Task<()>,
}

impl World {
    pub async fn new(context: &Context, count: u8, link: Link) -> Self {
        let secrets = secrets(count);
        let keys: Vec<PublicKey> = secrets.iter().map(|secret| private(secret).public_key()).collect();
        let (network, oracle) = simulated::Network::new_with_peers(
            context.child("network"),
            simulated::Config {
                max_size: wiring::message_bytes_max(&config(&secrets, 0)),
                max_peers_per_set: NZUsize!(16),
                disconnect_on_block: true,
                tracked_peer_sets: NZUsize!(1),
            },
            keys.clone(),
        )
        .await;
        network.start();
        for a in &keys {
            for b in keys.iter().filter(|b| *b != a) {
                oracle.add_link(a.clone(), b.clone(), link.clone()).await.unwrap();
            }
        }
        Self { context: context.child("world"), secrets, keys, oracle, nodes: BTreeMap::new(), starts: 0 }
    }

    /// A network whose nodes all run.
    pub async fn running(context: &Context, count: u8, link: Link) -> Self {
        let mut world = Self::new(context, count, link).await;
        for index in 0..usize::from(count) {
            world.start(index, &format!("node{index}"), |_| ()).await;
        }
        world
    }

    /// Starts a node on the stores called `partition`.
    pub async fn start(&mut self, index: usize, partition: &str, change: impl FnOnce(&mut Config)) {
        let mut config = config(&self.secrets, index);
        change(&mut config);
        let control = self.oracle.control(self.keys[index].clone());
        let mut channels = Vec::new();
        for channel in 0..CHANNELS {
            channels.push(control.register(channel, wiring::quota()).await.unwrap());
        }
        let network = Network { channels, provider: self.oracle.manager(), blocker: control, connect: Box::new(|_| ()) };
        let node = Arc::new(Node::default());
        let machine = Arc::new(Toy { validators: config.validators.clone(), ..Toy::default() });
        let parts = Parts {
            directory: None,
            partition: partition.into(),
            machine: machine.clone(),
            transactions: node.clone(),
            observer: node.clone(),
        };
        let (sender, receiver) = oneshot::channel();
        self.starts += 1;
        let context = self.context.child("node").with_attribute("start", self.starts);
        let task = context.spawn(move |context| async move {
            let running = wiring::start(context.child("engine"), Sequential, config, network, parts).await.expect("starts");
            let (handle, gossip, ended) = running.split();
            let _ = sender.send((handle, gossip));
            ended.await;
        });
        let (handle, gossip) = receiver.await.unwrap();
        self.nodes.insert(index, Running { handle, node, machine, gossip, task });
    }

    /// Stops a node without any warning.
    pub async fn kill(&mut self, index: usize) {
        let running = self.nodes.remove(&index).unwrap();
        running.task.abort();
        let _ = running.task.await;
    }

    /// Gives a transaction to every node.
    pub fn submit(&self, transaction: &[u8]) {
        for running in self.nodes.values() {
            running.node.submit(transaction.to_vec());
            running.handle.wake();
        }
    }

    /// Waits until all running nodes have executed `height`.
    pub async fn reach(&self, height: u64) {
        for running in self.nodes.values() {
            running.handle.reached(height).await.unwrap();
        }
    }

    /// Waits until no pool holds anything.
    pub async fn drained(&self) {
        while self.nodes.values().any(|running| running.node.waiting() > 0) {
            self.context.sleep(Duration::from_millis(50)).await;
        }
    }

    /// All observers saw the same blocks, without gaps from their first one.
    pub fn agree(&self) {
        let mut all: BTreeMap<u64, [u8; 32]> = BTreeMap::new();
        for running in self.nodes.values() {
            let seen = running.node.digests();
            let heights: Vec<u64> = seen.keys().copied().collect();
            assert!(heights.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a gap in {heights:?}");
            for (height, digest) in seen {
                assert_eq!(*all.entry(height).or_insert(digest), digest, "two blocks at height {height}");
            }
        }
        assert!(!all.is_empty());
    }
}

/// The network identity that verifiers pin.
pub fn network(secrets: &[[u8; 32]]) -> zhulian_primitives::Network {
    let validator = |secret: &[u8; 32]| validator(public(secret));
    zhulian_primitives::Network {
        name: "test".into(),
        chain: CHAIN,
        epoch: 0,
        validators: secrets.iter().map(validator).collect(),
    }
}
