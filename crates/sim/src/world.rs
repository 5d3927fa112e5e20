//! Validators on a simulated network and disk.

use std::{sync::Arc, time::Duration};

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{
    LimitedSender as _, Recipients, Sender as _,
    simulated::{self, Oracle, SplitOrigin, SplitTarget},
};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock as _, Handle as Task, IoBuf, Spawner as _, Supervisor as _, deterministic::Context};
use commonware_utils::{NZUsize, channel::oneshot};
use zhulian_engine::{
    Config, Handle, Limits, Pace, StateSync, Storage, Timeouts,
    wiring::{self, CHANNELS, Network, Parts},
};

use crate::{
    machine::{Book, Lie},
    outside::{Memory, Node},
    properties::identity,
    scenario::{Adversary, Random, Scenario, VALIDATORS},
};

/// The simulated network's identity.
pub const CHAIN: [u8; 32] = [42; 32];
/// Blocks of an epoch: few, so that faults meet its end.
const EPOCH_BLOCKS: u64 = 16;

type Oracles = Oracle<PublicKey, Context>;

/// Secrets of the validators, in the order of their public keys.
pub fn secrets() -> Vec<[u8; 32]> {
    let mut secrets: Vec<[u8; 32]> = (1..=VALIDATORS as u8).map(|n| [n; 32]).collect();
    secrets.sort_by_key(public);
    secrets
}

fn private(secret: &[u8; 32]) -> PrivateKey {
    PrivateKey::decode(Copying(secret)).expect("any 32 bytes are a secret")
}

/// The public key of a secret.
pub fn public(secret: &[u8; 32]) -> [u8; 32] {
    private(secret).public_key().as_ref().try_into().expect("32 bytes")
}

fn config(secrets: &[[u8; 32]], index: usize, skew: i64) -> Config {
    Config {
        chain: CHAIN,
        genesis_time: 0,
        validators: identity(secrets).validators,
        epoch_blocks: EPOCH_BLOCKS,
        peers: Vec::new(),
        secret: secrets[index],
        listen: "127.0.0.1:1".parse().expect("an address"),
        directory: "simulated".into(),
        threads: 1,
        any_source_address: false,
        limits: Limits {
            transactions_bytes_max: 32 << 10,
            transactions_max: 100,
            receipts_bytes_max: 32 << 10,
            value_bytes_max: 16 << 10,
        },
        pace: Pace { block_interval: Duration::from_millis(20), heartbeat: Duration::from_millis(300) },
        timeouts: Timeouts {
            leader: Duration::from_millis(900),
            certification: Duration::from_millis(1_400),
            skip: Duration::from_millis(3_000),
            fetch: Duration::from_millis(500),
        },
        state_sync: StateSync::WhenEmpty { wait: Duration::from_millis(700), views_min: 5 },
        storage: Storage { page_cache_bytes: 1 << 20, compress: true, retained_blocks: 8, log_bytes: 64 << 10 },
        clock_skew_ms: skew,
    }
}

/// A node that runs.
struct Running {
    handle: Handle,
    node: Arc<Node>,
    task: Task<()>,
}

/// The network in one segment of a scenario.
pub struct World {
    context: Context,
    scenario: Scenario,
    secrets: Vec<[u8; 32]>,
    keys: Vec<PublicKey>,
    oracle: Oracles,
    memory: Memory,
    /// How often each node was wiped; names its store.
    wiped: [u32; VALIDATORS],
    running: [Option<Running>; VALIDATORS],
    adversary: Vec<Task<()>>,
    starts: u64,
}

impl World {
    /// The network with all links and no nodes.
    pub async fn new(context: &Context, scenario: &Scenario, wiped: [u32; VALIDATORS], memory: Memory) -> Self {
        let secrets = secrets();
        let keys: Vec<PublicKey> = secrets.iter().map(|secret| private(secret).public_key()).collect();
        let (network, oracle) = simulated::Network::new_with_peers(
            context.child("network"),
            simulated::Config {
                max_size: wiring::message_bytes_max(&config(&secrets, 0, 0)),
                max_peers_per_set: NZUsize!(VALIDATORS),
                disconnect_on_block: true,
                tracked_peer_sets: NZUsize!(1),
            },
            keys.clone(),
        )
        .await;
        network.start();
        let world = Self {
            context: context.child("world"),
            scenario: scenario.clone(),
            secrets,
            keys,
            oracle,
            memory,
            wiped,
            running: Default::default(),
            adversary: Vec::new(),
            starts: 0,
        };
        for a in 0..VALIDATORS {
            for b in 0..VALIDATORS {
                world.link(a, b, true).await;
            }
        }
        world
    }

    /// Connects or cuts one direction between two nodes.
    pub async fn link(&self, from: usize, to: usize, whole: bool) {
        if from == to {
            return;
        }
        let (from, to) = (self.keys[from].clone(), self.keys[to].clone());
        // What is to be cut may be cut already, by a node that has shut out another, and the other way round.
        let _ = self.oracle.remove_link(from.clone(), to.clone()).await;
        if whole {
            let _ = self.oracle.add_link(from, to, self.scenario.links.link()).await;
        }
    }

    async fn channels(&self, index: usize) -> Vec<(simulated::Sender<PublicKey, Context>, simulated::Receiver<PublicKey>)> {
        let control = self.oracle.control(self.keys[index].clone());
        let mut channels = Vec::new();
        for channel in 0..CHANNELS {
            channels.push(control.register(channel, wiring::quota()).await.expect("a channel registers"));
        }
        channels
    }

    /// Starts a node on its store, in its role.
    pub async fn start(&mut self, index: usize) {
        self.starts += 1;
        if !self.scenario.is_byzantine(index) {
            let skew = match self.scenario.adversary {
                Adversary::Clock(skew) if index == self.scenario.faulty => skew,
                _ => 0,
            };
            self.start_engine(index, true, None, skew).await;
            return;
        }
        match self.scenario.adversary {
            Adversary::Liar(lie) => self.start_engine(index, false, Some(lie), 0).await,
            Adversary::Garbage => self.start_garbage(index).await,
            _ => self.start_twins(index).await,
        }
    }

    fn parts(&self, index: usize, name: &str, honest: bool, lie: Option<Lie>) -> (Parts, Arc<Node>) {
        let node = Arc::new(Node::new(index, honest, lie, self.memory.clone()));
        let me = public(&self.secrets[index]);
        let parts = Parts {
            partition: format!("{name}{index}w{}", self.wiped[index]),
            machine: Arc::new(Book { me, lie }),
            transactions: node.clone(),
            observer: node.clone(),
        };
        (parts, node)
    }

    async fn start_engine(&mut self, index: usize, honest: bool, lie: Option<Lie>, skew: i64) {
        let config = config(&self.secrets, index, skew);
        let network = Network {
            channels: self.channels(index).await,
            provider: self.oracle.manager(),
            blocker: self.oracle.control(self.keys[index].clone()),
            connect: Box::new(|_| ()),
        };
        let (parts, node) = self.parts(index, "node", honest, lie);
        let (sender, receiver) = oneshot::channel();
        let pool = node.clone();
        let context = self.context.child("node").with_attribute("start", self.starts);
        let task = context.spawn(move |context| async move {
            let running = wiring::start(context.child("engine"), Sequential, config, network, parts).await.expect("starts");
            let (handle, mut gossip, ended) = running.split();
            let waker = handle.clone();
            let _ = sender.send(handle);
            context.child("pool").spawn(move |_| async move {
                while let Some((_, transaction)) = gossip.recv().await {
                    pool.take(transaction.to_vec());
                    waker.wake();
                }
            });
            ended.await;
            panic!("a part of node {index} ended");
        });
        // The node looks for others before it has a handle; the world goes on meanwhile.
        let handle = receiver.await.expect("the node starts");
        self.running[index] = Some(Running { handle, node, task });
    }

    /// The same validator twice. The first half talks to the first two of the others, the second half to the last two.
    async fn start_twins(&mut self, index: usize) {
        let others: Vec<PublicKey> =
            (0..VALIDATORS).filter(|other| *other != index).map(|other| self.keys[other].clone()).collect();
        let halves = [others[..2].to_vec(), others[1..].to_vec()];
        let [mut first, mut second] = [Vec::new(), Vec::new()];
        for (channel, (sender, receiver)) in self.channels(index).await.into_iter().enumerate() {
            let (all, sets) = (others.clone(), halves.clone());
            let (a, b) = sender.split_with(move |origin, recipients: &Recipients<PublicKey>, _: &IoBuf| {
                let half = &sets[usize::from(matches!(origin, SplitOrigin::Secondary))];
                let wanted: Vec<PublicKey> = match recipients {
                    Recipients::All => all.clone(),
                    Recipients::Some(some) => some.clone(),
                    Recipients::One(one) => vec![one.clone()],
                };
                Some(Recipients::Some(wanted.into_iter().filter(|key| half.contains(key)).collect()))
            });
            let sets = halves.clone();
            let context = self.context.child("twin").with_attribute("channel", channel).with_attribute("start", self.starts);
            let (c, d) = receiver.split_with(context, move |(from, _): &(PublicKey, IoBuf)| {
                match (sets[0].contains(from), sets[1].contains(from)) {
                    (true, true) => SplitTarget::Both,
                    (true, false) => SplitTarget::Primary,
                    (false, true) => SplitTarget::Secondary,
                    (false, false) => SplitTarget::None,
                }
            });
            first.push((a, c));
            second.push((b, d));
        }
        for (name, channels) in [("twin", first), ("other", second)] {
            let mut config = config(&self.secrets, index, 0);
            config.state_sync = StateSync::Never;
            let network = Network {
                channels,
                provider: self.oracle.manager(),
                blocker: self.oracle.control(self.keys[index].clone()),
                connect: Box::new(|_| ()),
            };
            let (parts, node) = self.parts(index, name, false, None);
            // Each half has something of its own to propose.
            let own =
                crate::machine::transaction(u64::MAX - self.starts * 2 - u64::from(name == "twin"), 999, name.as_bytes());
            let memory = self.memory.clone();
            let context = self.context.child("twin_node").with_attribute("name", name).with_attribute("start", self.starts);
            self.adversary.push(context.spawn(move |context| async move {
                let running =
                    wiring::start(context.child("engine"), Sequential, config, network, parts).await.expect("starts");
                let (handle, mut gossip, ended) = running.split();
                let pool = node.clone();
                memory.lock().pending.insert(u64::from_be_bytes(*own.first_chunk().expect("has a number")), own.clone());
                node.take(own.clone());
                memory.lock().pending.remove(&u64::from_be_bytes(*own.first_chunk().expect("has a number")));
                handle.wake();
                context.child("pool").spawn(move |_| async move {
                    while let Some((_, transaction)) = gossip.recv().await {
                        pool.take(transaction.to_vec());
                    }
                });
                ended.await;
            }));
        }
    }

    async fn start_garbage(&mut self, index: usize) {
        let channels = self.channels(index).await;
        let mut random = Random::new(self.scenario.seed ^ self.starts);
        let context = self.context.child("garbage").with_attribute("start", self.starts);
        self.adversary.push(context.spawn(move |context| async move {
            let (mut senders, _receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
            loop {
                for sender in &mut senders {
                    let bytes: Vec<u8> = (0..random.below(300)).map(|_| random.next() as u8).collect();
                    let _ = sender.check(Recipients::All).is_ok();
                    sender.send(Recipients::All, IoBuf::from(bytes), false);
                }
                context.sleep(Duration::from_millis(20 + random.below(50))).await;
            }
        }));
    }

    /// Stops a node without warning.
    pub async fn kill(&mut self, index: usize) {
        let tasks = match self.running[index].take() {
            Some(running) => vec![running.task],
            None if self.scenario.is_byzantine(index) => std::mem::take(&mut self.adversary),
            None => Vec::new(),
        };
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
    }

    /// Forgets a node's store and what it told its observer.
    pub fn wipe(&mut self, index: usize) {
        self.wiped[index] += 1;
        self.memory.lock().positions[index] = 0;
    }

    /// How often each node was wiped.
    pub fn wiped(&self) -> [u32; VALIDATORS] {
        self.wiped
    }

    /// Honest nodes that run, with their handles.
    pub fn honest(&self) -> impl Iterator<Item = (usize, &Handle)> {
        let running = self.running.iter().enumerate().filter(|(index, _)| !self.scenario.is_byzantine(*index));
        running.filter_map(|(index, running)| Some((index, &running.as_ref()?.handle)))
    }

    /// Whether contradictory votes of this validator are to be expected.
    pub fn may_be_accused(&self, index: usize) -> bool {
        (self.scenario.adversary == Adversary::Twin && index == self.scenario.faulty) || self.wiped[index] > 0
    }

    /// A client gives a transaction to a node, which tells the others.
    pub fn submit(&self, index: usize, transaction: Vec<u8>) -> bool {
        let Some(running) = &self.running[index] else { return false };
        running.node.take(transaction.clone());
        running.handle.gossip(transaction.into());
        running.handle.wake();
        true
    }
}
