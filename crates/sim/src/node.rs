//! A whole node on the simulated runtime: engine, mempool, intake, execution, state, observer and query index.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock as _, Handle as Task, Spawner as _, Supervisor as _, deterministic::Context};
use zhulian_engine::{
    Config, Handle, Limits, Pace, StateSync, Storage, Timeouts, Transactions,
    wiring::{self, Network},
};
use zhulian_ledger::Machine;
use zhulian_node::{
    index::{Database, Indexer, Progress, Queries},
    mempool::{self, Intake, Mempool},
    parts::{self, Parts},
};
use zhulian_primitives::PROTOCOL_NEWEST;

use crate::{
    adversary::{LyingMachine, LyingMempool},
    city::{BEGIN, City},
    disk::{Disk, Power},
    record::{Memory, Overheard},
    scenario::Lie,
};

/// How often a node looks at what came in, and writes what is to be indexed.
const INTAKE_EVERY: Duration = Duration::from_millis(5);
const INDEX_EVERY: Duration = Duration::from_millis(100);

/// How a node differs from an honest and healthy one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Role {
    /// It breaks the protocol.
    pub byzantine: bool,
    /// It lies about its own blocks.
    pub lie: Option<Lie>,
    /// It never proposes.
    pub silent: bool,
    /// Its clock is off by so many milliseconds.
    pub skew: i64,
    /// It never fetches others' state.
    pub no_sync: bool,
}

/// A node that answers.
pub struct Live {
    /// Its engine.
    pub handle: Handle,
    /// Its entrance for clients.
    pub intake: Intake,
    /// What waits in it.
    pub mempool: Arc<Mempool>,
    /// How far its index is.
    pub progress: Progress,
    /// The reading end of its index.
    pub queries: Queries,
}

/// A node that was started.
pub struct Node {
    /// Set once it answers.
    pub live: Arc<OnceLock<Live>>,
    /// All of it; ends when a part of it ends.
    pub task: Task<()>,
}

/// What a node is started with.
pub struct Plan {
    /// Its number among the sorted validators.
    pub index: usize,
    /// What its stores are named after.
    pub name: String,
    /// Where its index is.
    pub directory: PathBuf,
    /// What it does differently.
    pub role: Role,
    /// Bounds of its mempool.
    pub mempool: mempool::Limits,
    /// Its disk.
    pub power: Power,
}

/// Block limits that hold for all nodes.
const LIMITS: Limits = Limits {
    transactions_bytes_max: 128 << 10,
    transactions_max: 50,
    receipts_bytes_max: 256 << 10,
    value_bytes_max: 64 << 10,
};

/// The engine's configuration of a node.
pub fn config(city: &City, index: usize, role: Role) -> Config {
    let millis = Duration::from_millis;
    let (pace, timeouts) = if role.silent {
        let hours = |n: u64| Duration::from_secs(3_600 * n);
        let timeouts = Timeouts { leader: hours(2), certification: hours(3), skip: hours(4), fetch: millis(500) };
        (Pace { block_interval: hours(1), heartbeat: hours(1) }, timeouts)
    } else {
        let timeouts =
            Timeouts { leader: millis(700), certification: millis(1_100), skip: millis(2_500), fetch: millis(400) };
        (Pace { block_interval: millis(60), heartbeat: millis(400) }, timeouts)
    };
    Config {
        chain: city.chain,
        genesis_time: BEGIN,
        validators: city.genesis.network().validators,
        epoch_blocks: city.genesis.epoch_blocks,
        peers: Vec::new(),
        secret: city.secrets[index],
        listen: "127.0.0.1:1".parse().expect("an address"),
        directory: "simulated".into(),
        threads: 1,
        any_source_address: false,
        limits: LIMITS,
        pace,
        timeouts,
        state_sync: match role.no_sync {
            true => StateSync::Never,
            false => StateSync::WhenEmpty { wait: millis(700), views_min: 5 },
        },
        storage: Storage { page_cache_bytes: 1 << 20, retained_blocks: 8, log_bytes: 64 << 10, ..Storage::default() },
        cold: None,
        clock_skew_ms: role.skew,
    }
}

/// Starts a node. It answers some time later.
pub fn start<Sn, Rc, P, B>(
    context: &Context,
    city: &Arc<City>,
    plan: Plan,
    network: Network<(Sn, Rc), P, B>,
    memory: &Memory,
) -> Node
where
    Sn: Sender<PublicKey = PublicKey>,
    Rc: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let live = Arc::new(OnceLock::new());
    let (seen, city, memory) = (live.clone(), city.clone(), memory.clone());
    let task = context.child("node").with_attribute("name", &plan.name).spawn(move |context| async move {
        let (index, role) = (plan.index, plan.role);
        let ended = launch(&context, &city, plan, network, &memory, &seen).await;
        ended.await;
        if !role.byzantine {
            memory.lock().note(format_args!("a part of node {index} has ended"));
        }
    });
    Node { live, task }
}

async fn launch<Sn, Rc, P, B>(
    context: &Context,
    city: &Arc<City>,
    plan: Plan,
    network: Network<(Sn, Rc), P, B>,
    memory: &Memory,
    seen: &OnceLock<Live>,
) -> impl Future<Output = ()> + Send + use<Sn, Rc, P, B>
where
    Sn: Sender<PublicKey = PublicKey>,
    Rc: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let Plan { index, name, directory, role, mempool, power } = plan;
    fs::create_dir_all(&directory).expect("a directory for the index");
    let parts = Parts::new(&city.genesis, PROTOCOL_NEWEST, mempool, &directory);
    let observer = Overheard { inner: parts.observer.clone(), index, honest: !role.byzantine, memory: memory.clone() };
    let mut machine: Arc<dyn Machine> = parts.machine.clone();
    let mut transactions: Arc<dyn Transactions> = parts.observer.clone();
    if let Some(lie) = role.lie {
        let me = city.genesis.network().validators[index].public_key;
        machine = Arc::new(LyingMachine { inner: parts.machine.clone(), me, lie });
        transactions = Arc::new(LyingMempool { inner: transactions, lie, seen: Mutex::default() });
    }
    let engine_parts =
        wiring::Parts { partition: name, directory: None, machine, transactions, observer: Arc::new(observer) };
    let disk = Disk::new(context.child("disk"), power);
    let running =
        wiring::start(disk, Sequential, config(city, index, role), network, engine_parts).await.expect("a configuration");
    let (handle, mut gossip, ended) = running.split();

    let database = Database::from(&*directory.join("index"));
    let store = parts::open_index(database, &city.genesis).expect("an index");
    let (indexer, mut writer) = Indexer::new(store, parts::archive(&handle));
    let progress = indexer.progress();
    parts.feed(indexer);
    let outside = parts.outside(&handle, &city.genesis);
    let (intake, mut worker) = Intake::new(parts.mempool.clone(), parts.verifier.clone(), parts.executor.clone(), outside);
    let passed_on = intake.clone();
    context.child("gossip").spawn(move |_| async move {
        while let Some((_, message)) = gossip.recv().await {
            passed_on.message(message);
        }
    });
    context.child("intake").spawn(move |context| async move {
        loop {
            while worker.step().await {}
            context.sleep(INTAKE_EVERY).await;
        }
    });
    let broken = memory.clone();
    context.child("index").spawn(move |context| async move {
        loop {
            if let Err(error) = writer.step().await {
                broken.lock().fail(format_args!("INDEX: node {index}: {error}"));
            }
            context.sleep(INDEX_EVERY).await;
        }
    });
    let queries = Queries::open(&directory.join("index"));
    let _ = seen.set(Live { handle, intake, mempool: parts.mempool, progress, queries });
    ended
}

/// Copies an index as it stands at this moment, with what its connection has not written back yet.
pub fn copy_index(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).expect("a directory");
    for name in ["index.sqlite", "index.sqlite-wal"] {
        if let Ok(bytes) = fs::read(from.join(name)) {
            fs::write(to.join(name), bytes).expect("a copy");
        }
    }
}

/// Cuts a file off after so many thousandths of its length, as a power cut may.
pub fn tear(file: &Path, thousandths: u64) {
    let Ok(bytes) = fs::read(file) else { return };
    let length = bytes.len() as u64 * thousandths / 1_000;
    fs::write(file, &bytes[..length as usize]).expect("a shorter file");
}
