//! Living through a scenario.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    panic,
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::Duration,
};

use commonware_runtime::deterministic::{self, Context, FaultConfig, PartialWriteMode, WriteConfig};
use commonware_utils::Probability;

use crate::{
    city::{City, NODES, begin},
    clients::Clients,
    life, node, properties,
    random::Random,
    record::{Memory, Record},
    scenario::{Links, Scenario, Segment},
    world::World,
};

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The property that did not hold; `None` when all did.
    pub broken: Option<String>,
    /// Height at the end.
    pub height: u64,
    /// Transactions in blocks.
    pub transactions: u64,
    /// Transactions that expired.
    pub expired: u64,
    /// Receipt files issued on the way, all of which verify.
    pub receipts: u64,
    /// Writes to all disks, each a point at which a crash can be made to happen.
    pub writes: u64,
    /// Simulated milliseconds.
    pub simulated_ms: u64,
    /// From the end of all faults to the first block that every honest node has, in milliseconds.
    pub recovery_ms: u64,
    /// Faults by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Hash over every event of the simulated runtime; equal for equal seeds.
    pub hash: String,
    /// What happened, in order; equal for equal seeds.
    pub trace: Vec<String>,
}

/// The runtime looks at events in steps of this.
const CYCLE: Duration = Duration::from_millis(1);
thread_local! {
    /// Whether a disk of this thread's scenario is full, so that tasks may panic.
    static EXCUSED: Cell<bool> = const { Cell::new(false) };
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Notes panics for the report instead of printing them.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let simulated = rayon::current_thread_index().is_some();
            if !simulated {
                return before(info);
            }
            if !EXCUSED.get() {
                PANICS.with_borrow_mut(|panics| panics.push(info.to_string()));
            }
        }));
    });
}

/// Lives through a scenario.
pub fn run(scenario: &Scenario) -> Report {
    watch_panics();
    // All of the simulation is one thread: parallel parts of a node run in place.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        PANICS.take();
        let memory = Memory::default();
        let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| live_all(scenario, &memory)));
        EXCUSED.set(false);
        let panics = PANICS.take();
        let mut record = memory.lock();
        if let Some(first) = panics.first() {
            record.fail(format_args!("NO PANIC: {first}"));
        } else if ended.is_err() {
            record.fail("NO PANIC: a task panicked");
        }
        let (hash, writes, recovery_ms) = ended.unwrap_or_default();
        report(&record, hash, writes, recovery_ms)
    })
}

fn report(record: &Record, hash: String, writes: u64, recovery_ms: u64) -> Report {
    Report {
        broken: record.broken.clone(),
        height: record.tip(),
        transactions: record.places.len() as u64,
        expired: record.expired.len() as u64,
        receipts: record.receipts.len() as u64,
        writes,
        simulated_ms: record.now,
        recovery_ms,
        faults: record.faults.clone(),
        hash,
        trace: record.trace.clone(),
    }
}

/// A directory in memory, if the machine has one, for the parts of nodes that keep real files.
fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// What one segment leaves for the next.
struct After {
    wiped: [u32; NODES],
    indexes: Vec<PathBuf>,
    clients: (Random, u64),
    hash: String,
    writes: u64,
    recovery_ms: u64,
}

/// All segments; returns the runtime's hash, the writes of the first segment, and how long the network took to recover.
fn live_all(scenario: &Scenario, memory: &Memory) -> (String, u64, u64) {
    let city = Arc::new(City::new(scenario.change.is_some()));
    let directory = directory();
    standing_faults(scenario, &mut memory.lock());
    let mut dice = Random::new(scenario.seed.wrapping_mul(31));
    let mut clients = (dice.fork(), 0);
    let mut wiped = [0; NODES];
    let mut checkpoint = None;
    let (mut hash, mut writes, mut recovery_ms) = (String::new(), 0, 0);
    for (at, segment) in scenario.segments.iter().enumerate() {
        let ends = at + 1 == scenario.segments.len();
        let runner =
            checkpoint.take().map_or_else(|| deterministic::Runner::new(config(scenario)), deterministic::Runner::from);
        let stage = Stage {
            city: city.clone(),
            scenario: scenario.clone(),
            segment: segment.clone(),
            memory: memory.clone(),
            directory: directory.path().to_path_buf(),
            wiped,
            clients,
            ends,
        };
        let (after, next) = runner.start_and_recover(move |context| stage.play(context));
        EXCUSED.set(false);
        if memory.lock().broken.is_some() {
            break;
        }
        if !ends {
            restore(&after.indexes, directory.path(), &mut dice);
        }
        if at == 0 {
            writes = after.writes;
        }
        (wiped, clients, hash, recovery_ms) = (after.wiped, after.clients, after.hash, after.recovery_ms);
        checkpoint = Some(next);
    }
    (hash, writes, recovery_ms)
}

/// One segment, about to be lived through.
struct Stage {
    city: Arc<City>,
    scenario: Scenario,
    segment: Segment,
    memory: Memory,
    directory: PathBuf,
    wiped: [u32; NODES],
    clients: (Random, u64),
    ends: bool,
}

impl Stage {
    async fn play(self, context: Context) -> After {
        let Self { city, scenario, segment, memory, directory, wiped, clients: (random, nonce), ends } = self;
        let mut world = World::new(&context, &city, &scenario, &directory, wiped, &memory).await;
        let mut clients = Clients::new(&city, &memory, random, nonce);
        life::live(&mut world, &mut clients, &scenario, &segment, &memory).await;
        let mut recovery_ms = 0;
        if ends {
            recovery_ms = life::finish(&mut world, &mut clients, &scenario, &memory).await;
            if memory.lock().broken.is_none() {
                properties::check(&world, &memory).await;
            }
        } else {
            memory.lock().fault("power_cut", "the power goes at all nodes");
            for (index, from) in world.indexes().iter().enumerate() {
                node::copy_index(from, &directory.join(CUT).join(index.to_string()));
            }
        }
        world.tick();
        After {
            wiped: world.wiped(),
            indexes: world.indexes(),
            clients: clients.state(),
            hash: context.auditor().state(),
            writes: world.writes().passed(),
            recovery_ms,
        }
    }
}

/// Where indexes are kept as they were when the power went.
const CUT: &str = "cut";

/// Puts the indexes back as they were, less the ends of their journals that were not on disk yet.
fn restore(indexes: &[PathBuf], directory: &Path, dice: &mut Random) {
    for (index, to) in indexes.iter().enumerate() {
        node::copy_index(&directory.join(CUT).join(index.to_string()), to);
        if dice.chance(70) {
            node::tear(&to.join("index.sqlite-wal"), dice.below(1_001));
        }
        if dice.chance(30) {
            node::tear(&to.with_file_name("observed"), dice.below(1_001));
        }
    }
}

/// Excuses panics of tasks while a disk is full.
pub(crate) fn excuse(full: bool) {
    EXCUSED.set(full);
}

/// What is wrong from the beginning to the end.
fn standing_faults(scenario: &Scenario, record: &mut Record) {
    record.note(scenario);
    let Links { latency, loss, reordered, .. } = scenario.links;
    let names = [
        scenario.adversary.name(),
        (latency >= 20).then_some("slow_links"),
        (loss > 0).then_some("lossy_links"),
        (reordered > 0).then_some("reordered_links"),
        scenario.late.map(|_| "late_joiner"),
    ];
    for name in names.into_iter().flatten() {
        *record.faults.entry(name).or_default() += 1;
    }
}

fn config(scenario: &Scenario) -> deterministic::Config {
    let (kept, prefix) = scenario.kept;
    let faults = FaultConfig::default().write(WriteConfig {
        failure_rate: Probability::new(0, 100).expect("a rate"),
        retention_rate: Probability::new(kept, 100).expect("a rate"),
        mode: if prefix { PartialWriteMode::Prefix } else { PartialWriteMode::Subset },
    });
    deterministic::Config::new()
        .with_seed(scenario.seed)
        .with_cycle(CYCLE)
        .with_start_time(begin())
        .with_catch_panics(scenario.has_full_disk())
        .with_storage_fault_config(faults)
}
