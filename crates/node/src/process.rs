//! Starting and stopping all of it.

use std::{
    future::Future,
    path::Path,
    sync::{Arc, OnceLock, RwLock},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, task::JoinHandle as Task};
use zhulian_crypto::{Algorithm, PublicKey, SigningKey};
use zhulian_engine::{self as engine, Engine};
use zhulian_gateway::{self as gateway, NodeStatus};
use zhulian_modules::{Genesis, governance::ProtocolPlan};
use zhulian_primitives::{Network, Protocol};

use crate::{
    backend::{Index, NodeBackend},
    calendars,
    config::{Config, ConfigError},
    disk,
    holdings::{self, Holdings},
    index::{Database, IndexError, Indexer, Queries, Store},
    keys,
    mempool::{self, Intake},
    observer::Finalised,
    parts::{self, Parts},
    protocol,
};

/// Why a node does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration does not fit the network.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] engine::Failure),
    /// The engine, after it had found stored records that are not what was written.
    #[error("the engine stopped, and stored records are damaged: {0}")]
    Damaged(String),
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The directory cannot be made, or the gateway's address not be had.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The validator's key must be Ed25519.
    #[error("the validator's key must be an EdDSA key")]
    KeyAlgorithm,
}

/// A running node.
pub struct Node {
    engine: Option<Engine>,
    backend: Arc<NodeBackend>,
    intake_thread: Option<JoinHandle<()>>,
    tasks: Vec<Task<()>>,
}

/// What people are told of a peer that counts as connected is how the engine counts.
const _: () = assert!(engine::CONNECTED_MS == gateway::CONNECTED_SECONDS * 1_000);
/// How often the status is taken from the engine.
const STATUS_EVERY: Duration = Duration::from_millis(250);
/// Stack of each thread that checks and executes. Nothing is known to need a quarter of it.
const STACK: usize = 8 << 20;
/// An engine that does not say for so long how it is, is not well.
const STATUS_PATIENCE: Duration = Duration::from_secs(5);
/// A node that has listened to the others for less does not know yet who is away: links come up one by one.
const SETTLING: Duration = Duration::from_secs(10);
/// A chain whose height has not changed for so many heartbeats is said to stall.
const STALL_HEARTBEATS: u32 = 8;
impl Node {
    /// Starts a node: engine, mempool and, if configured, index. Must be called within a tokio runtime.
    pub fn start(config: &Config, genesis: &Genesis, key: &SigningKey) -> Result<Self, NodeError> {
        if key.public_key().algorithm() != Algorithm::EdDsa {
            return Err(NodeError::KeyAlgorithm);
        }
        let network = genesis.network();
        let secret = key.secret();
        let PublicKey::EdDsa(me) = key.public_key() else { return Err(NodeError::KeyAlgorithm) };
        let engine_config = config.engine(genesis, me, *secret)?;
        let directory = &config.directory;
        std::fs::create_dir_all(directory)
            .map_err(|source| NodeError::Io { what: format!("making the directory {}", directory.display()), source })?;
        // The first start in a process decides; all nodes of one process, as in tests, share the threads.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(config.threads()).stack_size(STACK).build_global();

        let limits = mempool::Limits { count_max: config.mempool.transactions_max, bytes_max: config.mempool.bytes_max };
        let parts = Parts::new(genesis, config.protocol_known(), limits, directory);
        let store = match &config.gateway {
            None => None,
            Some(gateway) => {
                let database = gateway.database(directory);
                Some((database.clone(), parts::open_index(database, genesis)?))
            }
        };

        let (engine, mut messages) =
            Engine::start(engine_config, parts.machine.clone(), parts.observer.clone(), parts.observer.clone())?;
        let handle = engine.handle();
        let outside = parts.outside(&handle, genesis);
        let Parts { executor, verifier, mempool, observer, .. } = parts;
        let (intake, intake_thread) = Intake::start(mempool.clone(), verifier, executor, outside);
        let index = match store {
            None => None,
            Some((database, store)) => Some(start_index(database, store, directory, &handle, &observer)?),
        };
        let status = Arc::new(RwLock::new(starting(&network, genesis, config.protocol_known(), key)));
        let passed_on = intake.clone();
        let mut tasks = vec![
            tokio::spawn(async move {
                while let Some((_, message)) = messages.recv().await {
                    passed_on.message(message);
                }
            }),
            tokio::spawn(watch(
                handle.clone(),
                network.clone(),
                me,
                status.clone(),
                Duration::from_millis(config.pace.heartbeat_ms) * STALL_HEARTBEATS,
            )),
            tokio::spawn(disk::watch(directory.clone(), status.clone())),
            tokio::spawn(protocol::watch(handle.clone(), status.clone())),
            tokio::spawn(calendars::watch(handle.clone(), status.clone())),
        ];
        if let (Some(settings), Some(index)) = (&config.gateway, &index)
            && settings.key_days > 0
        {
            let watch = keys::Watch {
                handle: handle.clone(),
                queries: index.queries.clone(),
                me,
                genesis_time: genesis.time,
                days: settings.key_days,
            };
            tasks.push(tokio::spawn(keys::watch(watch, status.clone())));
        }
        if let Some(Index { queries, holdings, .. }) = &index {
            tasks.push(tokio::spawn(holdings::check(handle.clone(), queries.clone(), holdings.clone())));
        }
        let issuer = config.gateway.as_ref().map_or_else(|| key.public_key().to_string(), public_url);
        let key = SigningKey::from_secret(Algorithm::EdDsa, &secret).map_err(|_| NodeError::KeyAlgorithm)?;
        let backend = Arc::new(NodeBackend { network, handle, mempool, intake, observer, index, status, key, issuer });
        Ok(Self { engine: Some(engine), backend, intake_thread: Some(intake_thread), tasks })
    }

    /// The node as a gateway sees it.
    pub fn backend(&self) -> Arc<NodeBackend> {
        self.backend.clone()
    }

    /// Whether the engine has stopped by itself.
    pub fn has_failed(&self) -> bool {
        self.engine.as_ref().is_none_or(Engine::is_finished)
    }

    /// Stops everything in order; what is written is written. Blocks the thread for a moment.
    ///
    /// # Errors
    /// When the engine had stopped by itself before.
    pub fn stop(mut self) -> Result<(), NodeError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), NodeError> {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.backend.intake.stop();
        if let Some(thread) = self.intake_thread.take() {
            let _ = thread.join();
        }
        // The index reads from the engine, so it ends first.
        if let Some(indexer) = self.backend.observer.indexer.get() {
            indexer.stop();
        }
        self.engine.take().map_or(Ok(()), |engine| engine.stop().map_err(NodeError::from))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the engine had stopped by itself");
        }
    }
}

/// Where people reach the gateway.
fn public_url(gateway: &crate::config::Gateway) -> String {
    let url = gateway.public_url.clone().unwrap_or_else(|| format!("http://{}", gateway.listen));
    url.trim_end_matches('/').into()
}

/// Deletes the index of a stopped node, so that the next start builds it again from the ledger. Uploaded batch entries stay.
pub fn remove_index(directory: &Path) -> Result<(), IndexError> {
    Store::remove(&directory.join("index"))
}

fn start_index(
    database: Database,
    store: Store,
    directory: &Path,
    handle: &engine::Handle,
    observer: &Finalised,
) -> Result<Index, NodeError> {
    let queries = Arc::new(Queries::open(database));
    let holdings = Arc::new(Holdings::open(directory)?);
    let indexer = Indexer::start(store, parts::archive(handle));
    let progress = indexer.progress();
    let cell: &OnceLock<Indexer> = &observer.indexer;
    let _ = cell.set(indexer);
    Ok(Index { queries, holdings, progress })
}

fn starting(network: &Network, genesis: &Genesis, protocol_known: Protocol, key: &SigningKey) -> NodeStatus {
    let own = network.validators.iter().map(|it| it.public_key).find(|it| it[..] == *key.public_key().as_bytes());
    NodeStatus {
        phase: gateway::Phase::Starting,
        public_key: own,
        height: None,
        time: None,
        block: None,
        genesis_time: genesis.time,
        epoch: 0,
        sets: vec![network.clone()],
        view: 0,
        leader: None,
        peers: Vec::new(),
        followers: Vec::new(),
        settling: true,
        mempool_transactions: 0,
        mempool_bytes: 0,
        mempool_bytes_max: 0,
        indexed_height: 0,
        transactions: 0,
        evidence: 0,
        damage: Vec::new(),
        disk: None,
        archive: None,
        keys_due: Vec::new(),
        protocols: ProtocolPlan::of(genesis.protocol()),
        protocol_known,
        calendars: Vec::new(),
        version: env!("CARGO_PKG_VERSION").into(),
        stall: None,
    }
}

/// Keeps the status fresh, so that asking for it never waits, and says when the chain stands still.
async fn watch(
    handle: engine::Handle,
    network: Network,
    me: [u8; 32],
    status: Arc<RwLock<NodeStatus>>,
    stall_after: Duration,
) {
    let mut moved = (None, Instant::now());
    let mut listens: Option<Instant> = None;
    let mut every = tokio::time::interval(STATUS_EVERY);
    loop {
        every.tick().await;
        let answer = tokio::time::timeout(STATUS_PATIENCE, handle.status()).await;
        let Ok(Ok(now)) = answer else {
            if matches!(answer, Ok(Err(engine::Error::Stopped))) {
                let mut status = status.write().unwrap_or_else(|poisoned| poisoned.into_inner());
                status.phase = gateway::Phase::Starting;
                status.stall = Some(gateway::ENGINE_STOPPED.en.into());
                return;
            }
            // While it opens its state it answers nothing; after that, what it said last would be shown as if it were so.
            if answer.is_err() && moved.0.is_some() {
                let mut status = status.write().unwrap_or_else(|poisoned| poisoned.into_inner());
                status.phase = gateway::Phase::Starting;
                // Whom it heard then says nothing of now.
                (listens, status.settling) = (None, true);
                let text = gateway::ENGINE_SILENT.en;
                if status.stall.replace(text.into()).as_deref() != Some(text) {
                    tracing::error!("{text}");
                }
            }
            continue;
        };
        if moved.0 != now.height {
            moved = (now.height, Instant::now());
        }
        if now.phase != engine::Phase::Starting {
            listens.get_or_insert_with(Instant::now);
        }
        let standing = moved.1.elapsed();
        let set = now.sets.iter().rev().find(|set| set.epoch <= now.epoch).unwrap_or(&network);
        let stall = (standing > stall_after && now.phase == engine::Phase::Running).then(|| stall(set, &now, standing));
        let mut status = status.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let protocol = status.protocol_after(now.height.unwrap_or(0));
        let stall = protocol.unknown().filter(|_| protocol.is_blocked()).map(|(en, _)| en).or(stall);
        if let Some(text) = &stall
            && status.stall.is_none()
        {
            tracing::warn!("{text}");
        }
        let misbehaviour = |key: &[u8; 32]| now.misbehaviour.get(key).copied();
        status.sets = now.sets.iter().map(|set| Network { name: network.name.clone(), ..set.clone() }).collect();
        let votes = status.network(now.epoch).validators.iter().any(|it| it.public_key == me);
        status.public_key = votes.then_some(me);
        let peer = |peer: &engine::PeerStatus| gateway::Peer {
            public_key: peer.public_key,
            last_seen: peer.last_seen,
            connected: peer.connected,
            height: peer.height,
            clock_skew_ms: peer.clock_skew_ms,
            misbehaviour: misbehaviour(&peer.public_key).unwrap_or_default(),
        };
        status.peers = now.peers.iter().map(peer).collect();
        status.followers = now.followers.iter().map(peer).collect();
        status.settling = listens.is_none_or(|since| since.elapsed() < SETTLING);
        status.phase = match now.phase {
            engine::Phase::Starting => gateway::Phase::Starting,
            engine::Phase::Syncing => gateway::Phase::Syncing,
            engine::Phase::Running => gateway::Phase::Running,
        };
        status.epoch = now.epoch;
        status.view = now.view;
        status.leader = Some(now.leader);
        status.damage = now.damage;
        status.archive =
            now.archive.map(|archive| gateway::Archive { archived: archive.archived, problem: archive.problem });
        status.stall = stall;
    }
}

/// Why no block comes: who cannot be reached.
fn stall(network: &Network, now: &engine::Status, standing: Duration) -> String {
    let absent: Vec<&str> = now
        .peers
        .iter()
        .filter(|peer| !peer.connected)
        .filter_map(|peer| network.validators.iter().find(|it| it.public_key == peer.public_key))
        .map(|validator| validator.name.as_str())
        .collect();
    let reachable = network.validators.len() - absent.len();
    let quorum = zhulian_primitives::quorum(network.validators.len());
    let seconds = standing.as_secs();
    if absent.len() == now.peers.len() && reachable < quorum {
        return format!(
            "no block for {seconds} s: no other validator can be reached, so this node is cut off or all are down: {}",
            absent.join(", ")
        );
    }
    if reachable < quorum {
        return format!(
            "no block for {seconds} s: {reachable} of {quorum} needed validators can be reached; missing are {}",
            absent.join(", ")
        );
    }
    format!("no block for {seconds} s although {reachable} of {quorum} needed validators can be reached; see the log")
}

/// Runs a node until `shutdown` is done: engine, mempool and, if configured, index and gateway.
///
/// # Errors
/// When something does not start, or the engine stops by itself.
pub async fn run(
    config: Config,
    genesis: Genesis,
    key: SigningKey,
    shutdown: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let listener =
        match &config.gateway {
            None => None,
            Some(gateway) => Some(TcpListener::bind(gateway.listen).await.map_err(|source| NodeError::Io {
                what: format!("listening on {} for the gateway", gateway.listen),
                source,
            })?),
        };
    let node = Node::start(&config, &genesis, &key)?;
    drop(key);
    let (stopper, stopping) = gateway::shutdown();
    let served = match (listener, &config.gateway) {
        (Some(listener), Some(settings)) => {
            let settings = gateway::Config { public_url: public_url(settings), ..gateway::Config::default() };
            tracing::info!(url = settings.public_url, "the gateway listens");
            Some(tokio::spawn(gateway::serve(listener, node.backend(), settings, stopping)))
        }
        _ => None,
    };
    let failed = async {
        let mut every = tokio::time::interval(STATUS_EVERY);
        while !node.has_failed() {
            every.tick().await;
        }
    };
    tokio::pin!(shutdown);
    tokio::select! {
        () = &mut shutdown => tracing::info!("stopping"),
        // Whoever asks is better served by a node that is gone than by one that says so for ever; a supervisor starts it again.
        () = failed => tracing::error!("the engine has stopped by itself"),
    }
    let damage = gateway::Backend::status(&*node.backend()).damage;
    stopper.stop();
    if let Some(served) = served {
        match tokio::time::timeout(Duration::from_secs(10), served).await {
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the gateway ended with an error"),
            Ok(_) => {}
            Err(_) => tracing::warn!("requests were still open when the gateway was stopped"),
        }
    }
    let stopped = tokio::task::spawn_blocking(move || node.stop()).await.unwrap_or(Ok(()));
    match stopped {
        Err(NodeError::Engine(engine::Failure::Ended)) if !damage.is_empty() => Err(NodeError::Damaged(damage.join(", "))),
        stopped => stopped,
    }
}
