//! Four validators on a simulated network, with their disks.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{
    LimitedSender as _, Recipients, Sender as _,
    simulated::{self, Oracle, Receiver, Sender, SplitOrigin, SplitTarget},
};
use commonware_runtime::{Clock as _, Handle as Task, IoBuf, Spawner as _, Supervisor as _, deterministic::Context};
use commonware_utils::NZUsize;
use zhulian_engine::wiring::{self, CHANNELS, Network};
use zhulian_node::mempool;

use crate::{
    city::{BEGIN, City, NEWCOMER, NODES},
    disk::{Points, Power},
    node::{self, Live, Node, Plan, Role, config},
    random::Random,
    record::Memory,
    scenario::{Adversary, Scenario},
    wire::{Ear, Hearing},
};

/// Transactions that a mempool holds, and when a department floods it.
const POOL: usize = 4_096;
const POOL_FLOODED: usize = 200;

type Channels<R> = Vec<(Sender<PublicKey, Context>, R)>;

/// The network in one segment of a scenario.
pub struct World {
    context: Context,
    /// The city.
    pub city: Arc<City>,
    scenario: Scenario,
    keys: Vec<PublicKey>,
    oracle: Oracle<PublicKey, Context>,
    memory: Memory,
    directory: PathBuf,
    /// How often each node was wiped; names its store.
    wiped: [u32; NODES],
    power: [Power; NODES],
    nodes: [Option<Node>; NODES],
    twins: Vec<Task<()>>,
    starts: u64,
    random: Random,
}

fn key(secret: &[u8; 32]) -> PublicKey {
    PrivateKey::decode(Copying(secret)).expect("any 32 bytes are a secret").public_key()
}

impl World {
    /// The network with all links and no nodes.
    pub async fn new(
        context: &Context,
        city: &Arc<City>,
        scenario: &Scenario,
        directory: &Path,
        wiped: [u32; NODES],
        memory: &Memory,
    ) -> Self {
        let keys: Vec<PublicKey> = city.secrets.iter().map(key).collect();
        let (network, oracle) = simulated::Network::new_with_peers(
            context.child("network"),
            simulated::Config {
                max_size: wiring::message_bytes_max(&config(city, 0, Role::default())),
                max_peers_per_set: NZUsize!(NODES),
                disconnect_on_block: true,
                tracked_peer_sets: NZUsize!(1),
            },
            keys.clone(),
        )
        .await;
        network.start();
        let all = Arc::new(Points::default());
        let world = Self {
            context: context.child("world"),
            city: city.clone(),
            scenario: scenario.clone(),
            keys,
            oracle,
            memory: memory.clone(),
            directory: directory.into(),
            wiped,
            power: std::array::from_fn(|_| Power { city: all.clone(), ..Power::default() }),
            nodes: Default::default(),
            twins: Vec::new(),
            starts: 0,
            random: Random::new(scenario.seed ^ 0x5eed),
        };
        world.link_all().await;
        world
    }

    /// Writes the simulated time into the record.
    pub fn tick(&self) {
        let now = self.context.current().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.memory.lock().now = now.as_millis() as u64 - BEGIN;
    }

    /// Lets simulated time pass.
    pub async fn sleep(&self, millis: u64) {
        self.context.sleep(Duration::from_millis(millis)).await;
        self.tick();
    }

    /// A part of the runtime for somebody outside the nodes.
    pub fn outside(&self) -> Context {
        self.context.child("outside")
    }

    /// The write points of all nodes.
    pub fn writes(&self) -> &Points {
        &self.power[0].city
    }

    /// A node's own disk.
    pub fn disk(&self, index: usize) -> &Power {
        &self.power[index]
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

    /// Connects all nodes.
    pub async fn link_all(&self) {
        for a in 0..self.count() {
            for b in 0..self.count() {
                self.link(a, b, true).await;
            }
        }
    }

    async fn channels(&self, index: usize) -> Channels<Receiver<PublicKey>> {
        let control = self.oracle.control(self.keys[index].clone());
        let mut channels = Vec::new();
        for channel in 0..CHANNELS {
            channels.push(control.register(channel, wiring::quota()).await.expect("a channel registers"));
        }
        channels
    }

    /// The channels as an honest node hears them.
    async fn hearing(&mut self, index: usize) -> Channels<Ear<Receiver<PublicKey>>> {
        let (liar, reordered) = (self.keys[self.scenario.faulty].clone(), self.scenario.links.reordered);
        let lies = self.scenario.adversary == Adversary::SyncLiar && index != self.scenario.faulty;
        let mut ears = Vec::new();
        for ((sender, receiver), channel) in self.channels(index).await.into_iter().zip(0..) {
            let hearing = Hearing { reordered, liar: lies.then(|| liar.clone()), channel };
            let context = self.context.child("ear").with_attribute("channel", channel).with_attribute("start", self.starts);
            ears.push((sender, Ear::new(receiver, context, hearing, self.random.fork())));
        }
        ears
    }

    /// Starts a node on its store, in its role.
    pub async fn start(&mut self, index: usize) {
        self.starts += 1;
        self.power[index].node.go_on();
        let faulty = index == self.scenario.faulty;
        let role = match self.scenario.adversary {
            Adversary::Clock(skew) if faulty => Role { skew, ..Role::default() },
            _ if !faulty => Role::default(),
            Adversary::InvalidBlocks(lie) => Role { byzantine: true, lie: Some(lie), ..Role::default() },
            Adversary::SilentLeader => Role { byzantine: true, silent: true, ..Role::default() },
            Adversary::SyncLiar => Role { byzantine: true, ..Role::default() },
            Adversary::Garbage => return self.start_garbage(index).await,
            Adversary::Equivocator => return self.start_twins(index).await,
            Adversary::None | Adversary::Clock(_) => Role::default(),
        };
        let channels = self.hearing(index).await;
        let network = self.network(index, channels);
        let node = node::start(&self.context, &self.city, self.plan(index, "node", role), network, &self.memory);
        self.nodes[index] = Some(node);
    }

    fn network<C>(
        &self,
        index: usize,
        channels: Vec<C>,
    ) -> Network<C, simulated::Manager<PublicKey, Context>, simulated::Control<PublicKey, Context>> {
        Network {
            channels,
            provider: self.oracle.manager(),
            blocker: self.oracle.control(self.keys[index].clone()),
            connect: Box::new(|_| ()),
        }
    }

    fn plan(&self, index: usize, name: &str, role: Role) -> Plan {
        let name = format!("{name}{index}w{}", self.wiped[index]);
        let directory = self.directory.join(&name);
        let count_max = if self.scenario.flood.is_some() { POOL_FLOODED } else { POOL };
        let mempool = mempool::Limits { count_max, bytes_max: 4 << 20 };
        Plan { index, name, directory, role, mempool, power: self.power[index].clone() }
    }

    /// The directories of all nodes' indexes.
    pub fn indexes(&self) -> Vec<PathBuf> {
        (0..self.count()).map(|index| self.plan(index, "node", Role::default()).directory.join("index")).collect()
    }

    /// The same validator twice. The first half talks to the first two of the others, the second half to the last two.
    async fn start_twins(&mut self, index: usize) {
        let others: Vec<PublicKey> =
            (0..self.count()).filter(|other| *other != index).map(|other| self.keys[other].clone()).collect();
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
            let role = Role { byzantine: true, no_sync: true, ..Role::default() };
            let plan = self.plan(index, name, role);
            let network = self.network(index, channels);
            let twin = node::start(&self.context, &self.city, plan, network, &self.memory);
            // Each half has something of its own to propose.
            let nonce = 1 << 62 | self.starts << 1 | u64::from(name == "twin");
            let own = self.city.deposit(index, nonce, nonce, 500);
            let (memory, live) = (self.memory.clone(), twin.live.clone());
            let speaks = self.context.child("own").with_attribute("name", name).with_attribute("start", self.starts);
            self.twins.push(speaks.spawn(move |context| async move {
                while live.get().is_none() {
                    context.sleep(Duration::from_millis(50)).await;
                }
                if let Some(live) = live.get() {
                    crate::clients::remember(&memory, &own, index, 500);
                    let _ = live.intake.submit(vec![own.into()]).await;
                }
            }));
            self.twins.push(twin.task);
        }
    }

    async fn start_garbage(&mut self, index: usize) {
        let channels = self.channels(index).await;
        let mut random = self.random.fork();
        let context = self.context.child("garbage").with_attribute("start", self.starts);
        self.twins.push(context.spawn(move |context| async move {
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
        let mut tasks: Vec<Task<()>> = self.nodes[index].take().map(|node| node.task).into_iter().collect();
        if index == self.scenario.faulty {
            tasks.append(&mut self.twins);
        }
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
    }

    /// Forgets a node's store, its index, and what its observer was told.
    pub fn wipe(&mut self, index: usize) {
        self.wiped[index] += 1;
        self.memory.lock().positions[index] = 0;
    }

    /// How often each node was wiped.
    pub fn wiped(&self) -> [u32; NODES] {
        self.wiped
    }

    /// A disk is full, or has room again.
    pub fn fill(&self, index: usize, full: bool) {
        self.power[index].full.store(full, Relaxed);
    }

    /// Whether a disk is full.
    pub fn is_full(&self) -> bool {
        self.power.iter().any(|power| power.full.load(Relaxed))
    }

    /// Nodes, with the newcomer even before it has come.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// Honest nodes, with the newcomer once it has come.
    pub fn honest(&self) -> impl Iterator<Item = usize> {
        let count = if self.memory.lock().change.has_newcomer() { self.count() } else { NEWCOMER };
        (0..count).filter(|index| !self.scenario.is_byzantine(*index))
    }

    /// Keys of the validators after both changes: all nodes' but the faulty one's.
    pub fn after_changes(&self) -> Vec<[u8; 32]> {
        let others = self.keys.iter().enumerate().filter(|(index, _)| *index != self.scenario.faulty);
        let mut keys: Vec<[u8; 32]> = others.map(|(_, key)| key.as_ref().try_into().expect("a key has 32 bytes")).collect();
        keys.sort_unstable();
        keys
    }

    /// The node with this key.
    pub fn index_of(&self, key: &[u8; 32]) -> Option<usize> {
        self.keys.iter().position(|other| other.as_ref() == key)
    }

    /// A node, if it answers.
    pub fn live(&self, index: usize) -> Option<&Live> {
        self.nodes[index].as_ref()?.live.get()
    }

    /// Whether contradictory votes of this validator are to be expected.
    pub fn may_be_accused(&self, index: usize) -> bool {
        (self.scenario.adversary == Adversary::Equivocator && index == self.scenario.faulty) || self.wiped[index] > 0
    }
}
