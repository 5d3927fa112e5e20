//! Joins consensus, storage, state and network into a node, over any runtime and network.
//!
//! The simulator calls [`start`] with a deterministic runtime and a simulated network; [`Engine`](crate::Engine) calls it with the real ones.

use std::{
    collections::BTreeMap,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use commonware_broadcast::buffered;
use commonware_consensus::{
    BoundedBlock as _, Epochable as _,
    marshal::{
        self,
        core::Actor as MarshalActor,
        resolver::p2p as backfill,
        standard::{Deferred, Standard},
        store::Certificates as _,
    },
    simplex::{self, scheme::ed25519::Scheme},
    types::{Epoch, FixedEpocher, Height, ViewDelta},
};
use commonware_cryptography::{Digested, Digestible as _, Signer as _, ed25519::PublicKey, sha256::Digest};
use commonware_glue::stateful::{
    Config as StatefulConfig, PruneConfig, Stateful, SyncPlan,
    db::{DatabaseSet, SyncEngineConfig},
    probe::{self, Probe},
};
use commonware_macros::select;
use commonware_p2p::{Blocker, Provider, Receiver, Sender, max_message_size, utils::mux};
use commonware_parallel::Strategy;
use commonware_runtime::{
    Clock, Handle as Task, Metrics, Quota, Spawner, Storage, Supervisor as _, buffer::paged::CacheRef,
};
use commonware_storage::qmdb::sync::max_response_size;
use commonware_utils::{
    NZDuration, NZU16, NZU32, NZU64, NZUsize, NonZeroDuration,
    channel::{mpsc, oneshot},
};
use futures::future::select_all;
use rand::rand_core::CryptoRng;
use zhulian_ledger::Machine;
use zhulian_primitives::{Network as Identity, VALIDATORS_MAX};

use crate::{
    Config, ConfigError, GossipReceiver, Handle, Observer, StateSync, Transactions,
    application::{Application, Shared, genesis},
    archive::{self, Damage, Opening},
    block::Sealed,
    budget::Budget,
    chain,
    cold::{
        keeper::{self, Keeper},
        retention,
        shelf::Shelf,
    },
    epochs::Epochs,
    error::remedy,
    gossip,
    history::{self, History},
    keys,
    pace::{Paced, Pacer},
    questions::Questions,
    reader::Reader,
    service::{self, Opened, Service},
    sets::{Sets, Store},
    startup,
    state::{self, Databases},
    status::{Board, Phase},
    store::Logged,
    sync,
};

/// What a runtime must offer; both of the library's do.
pub trait Runtime: Spawner + Clock + Metrics + Storage + CryptoRng {}

impl<T: Spawner + Clock + Metrics + Storage + CryptoRng> Runtime for T {}

pub use crate::epochs::{Connect, Connected};

/// The channels of a node, in the order in which they are registered.
pub const CHANNELS: u64 = 9;

/// Messages that a peer may send on each channel: so many a second, and so many at once.
pub fn quota() -> Quota {
    Quota::per_second(NZU32!(2_048)).allow_burst(NZU32!(32))
}

/// The largest message that nodes with this configuration exchange.
pub fn message_bytes_max(config: &Config) -> u32 {
    let participants = VALIDATORS_MAX as u32;
    max_message_size(&[
        // Each epoch has its own part of the channels.
        mux::prefixed(simplex::max_payload_size::<Scheme, Digest>(participants)),
        marshal::max_payload_size::<Standard<Sealed>, Scheme>(participants, &config.limits),
        probe::max_payload_size::<Standard<Sealed>, Scheme>(participants),
        // An answer is cut to fit, but holds at least one operation.
        sync::ANSWER_BYTES
            + max_response_size::<state::Family, Digest>(1, state::operation_bytes_max(config.limits.value_bytes_max))
            + 64,
        gossip::GOSSIP_BYTES_MAX + 1,
        history::run_bytes_max(Sealed::max_encode_size(&config.limits)) + 64,
    ])
}

/// A node's place in a network.
pub struct Network<C, P, B> {
    /// [`CHANNELS`] pairs of sender and receiver.
    pub channels: Vec<C>,
    /// Who the peers are.
    pub provider: P,
    /// Shuts out peers that misbehave.
    pub blocker: B,
    /// Told whom to connect.
    pub connect: Connect,
}

/// A node's own parts.
pub struct Parts {
    /// What the names of all its stores begin with; nodes that share a store have different ones.
    pub partition: String,
    /// Where the runtime's storage has its files, if it has any.
    pub directory: Option<PathBuf>,
    /// The state transition.
    pub machine: Arc<dyn Machine>,
    /// Where proposals come from.
    pub transactions: Arc<dyn Transactions>,
    /// Who is told of every finalised block.
    pub observer: Arc<dyn Observer>,
}

/// A node that has been started.
pub struct Running {
    /// To talk to it.
    pub handle: Handle,
    /// What other nodes send.
    pub gossip: GossipReceiver,
    tasks: Vec<Task<()>>,
}

impl Running {
    /// Resolves when one of the node's tasks has ended, which none does while the node is whole.
    pub async fn ended(self) {
        let _ = select_all(self.tasks).await;
    }

    /// Splits the node into what its user needs and what waits for its end.
    pub fn split(self) -> (Handle, GossipReceiver, impl Future<Output = ()> + Send + use<>) {
        let tasks = self.tasks;
        (self.handle, self.gossip, async move {
            let _ = select_all(tasks).await;
        })
    }
}

/// The network as its genesis document has it, checked.
pub fn identity(config: &Config) -> Result<Identity, ConfigError> {
    let identity = Identity { name: String::new(), chain: config.chain, epoch: 0, validators: config.validators.clone() };
    identity.check().map_err(|_| ConfigError::Validators)?;
    Ok(identity)
}

pub(crate) const MAILBOX: usize = 1_024;
pub(crate) const FETCH_RETRY: Duration = Duration::from_millis(100);
/// Bytes of a page of the cache, less the checksum that each page ends with.
const PAGE_BYTES: u16 = 4_096 - 12;
/// Executed blocks whose state is not safe on disk yet, at most.
const PENDING_ACKS: usize = 16;
/// Views of which votes are kept.
pub(crate) const VIEW_RETENTION: u64 = 64;
/// Views of which candidate blocks are kept beside the final ones, which have an archive of their own: while a block is on its way
/// to be final, others may ask for it by its view. Full blocks make this most of what a busy node writes, so it is short.
const CANDIDATE_RETENTION: u64 = 16;
/// Views of candidate blocks that are deleted together.
const CANDIDATE_SECTION: NonZeroU64 = NZU64!(8);

/// Starts a node.
///
/// # Errors
/// When the configuration cannot run. Damage that is found while the stores are opened panics, as the library does.
pub async fn start<E, S, Sn, Rc, P, B>(
    context: E,
    strategy: S,
    config: Config,
    network: Network<(Sn, Rc), P, B>,
    parts: Parts,
) -> Result<Running, ConfigError>
where
    E: Runtime,
    S: Strategy,
    Sn: Sender<PublicKey = PublicKey>,
    Rc: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    config.check()?;
    let prefix = parts.partition;
    let context = Logged::open(context, parts.directory, &format!("{prefix}-log"), config.storage.log_bytes)
        .await
        .unwrap_or_else(|error| panic!("the store cannot be opened ({error}); {}", remedy(&error)));
    let identity = identity(&config)?;
    let me = keys::private(&config.secret).public_key();
    let first = keys::public(&identity.validators[0].public_key).ok_or(ConfigError::Validators)?;
    let validators_digest = identity.validators_digest();
    let sets = Sets::new(identity, config.secret)?;
    let mut store = Store::open(context.child("handovers"), &prefix, &sets).await;
    let epoch_length = NonZeroU64::new(config.epoch_blocks).ok_or(ConfigError::Epoch)?;
    let fetch_timeout = NonZeroDuration::new(config.timeouts.fetch).ok_or(ConfigError::Timeouts)?;
    let addresses: BTreeMap<[u8; 32], String> =
        config.peers.iter().map(|peer| (peer.public_key, peer.address.clone())).collect();

    let chain = Arc::new(chain::Chain::new());
    let board = Board::new(config.validators.clone(), addresses.clone(), keys::raw(&me));
    let (queries, asked) = mpsc::channel(MAILBOX);
    let (gossip_out, outgoing) = mpsc::channel(gossip::QUEUE);
    let (incoming, gossip_in) = mpsc::channel(gossip::QUEUE);
    let handle = Handle { queries, gossip: gossip_out, chain: chain.clone() };
    let mut tasks = Vec::new();

    let Network { channels, provider: peers, blocker, connect } = network;
    let [votes, certificates, resolutions, backfills, blocks, states, probes, gossips, histories]: [(Sn, Rc);
        CHANNELS as usize] = channels.try_into().unwrap_or_else(|_| panic!("a node has {CHANNELS} channels"));

    tasks.push(gossip::start(
        context.child("gossip"),
        gossips,
        outgoing,
        incoming,
        chain.clone(),
        board.clone(),
        sets.clone(),
        config.clock_skew_ms,
    ));

    let backfill = backfill::init(
        context.child("backfill"),
        backfill::Config {
            public_key: me.clone(),
            peer_provider: peers.clone(),
            blocker: blocker.clone(),
            mailbox_size: NZUsize!(MAILBOX),
            fetch_timeout,
            fetch_retry_delay: FETCH_RETRY,
            priority_requests: false,
            priority_responses: false,
        },
        backfills,
    );
    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: me.clone(),
            mailbox_size: NZUsize!(MAILBOX),
            deque_size: 8,
            priority: false,
            codec_config: config.limits,
            peer_provider: peers.clone(),
            strategy: strategy.clone(),
        },
    );
    tasks.push(broadcast.start(blocks));

    let pages = (config.storage.page_cache_bytes / usize::from(PAGE_BYTES)).max(16);
    let page_cache = CacheRef::new(NZU16!(PAGE_BYTES), NZUsize!(pages));
    let damage = Damage::default();
    let directory = config.cold.as_ref().map(|cold| cold.directory.clone());
    let mut retained = retention::Store::open(&context, &prefix, directory.clone()).await;
    let retention = retained.retention();
    let opening = Opening { page_cache: &page_cache, storage: config.storage, limits: config.limits };
    let mut archives = async |name: &str, number: u64| {
        archive::open(&context, name, number, &opening, &mut retained, &damage, &chain)
            .await
            .unwrap_or_else(|error| panic!("the archive of blocks cannot be opened ({error}); {}", remedy(&error)))
    };
    let (certificate_archive, block_archive) = archives(&prefix, retention::OWN).await;
    let history = archives(&format!("{prefix}-history"), retention::HISTORY).await;
    let history = Arc::new(History::new(history, retention.floor()));
    let shelf = directory.map(|directory| {
        let (shelf, task) = Shelf::start(context.child("shelf"), directory, damage.clone());
        tasks.push(task);
        shelf
    });

    let genesis_state = parts.machine.genesis();
    let target = <Databases<Logged<E>, S> as DatabaseSet<Logged<E>>>::initial_sync_targets();
    let genesis = genesis(config.chain, config.genesis_time, first, validators_digest, &genesis_state, &target);
    let genesis_digest = genesis.digest();

    // Where to begin: genesis, a state others have, or where this directory is.
    let mut plan = SyncPlan::init(context.child("plan"), &prefix).await;
    // What the archive holds was checked by validators that were known then, and they are kept before that.
    let certified = certificate_archive.last_index().map_or(0, |height| height.get() / config.epoch_blocks);
    sets.reach(certified.max(plan.floor().map_or(0, |floor| floor.epoch().get())));
    let new_network = || async {
        while !board.all_empty() {
            context.sleep(Duration::from_millis(50)).await;
        }
    };
    let may_fetch = plan.may_sync() && plan.floor().is_none() && config.validators.len() > 1;
    let fetch = match config.state_sync {
        StateSync::WhenEmpty { wait, views_min } if may_fetch => Some((wait, views_min)),
        _ => None,
    };
    if let Some((wait, _)) = fetch {
        // Who signs now may be others than at genesis.
        board.set_empty();
        sets.learn();
        let enough = config.validators.len() / 3 + 1;
        let answered = async {
            while sets.answers() < enough {
                context.sleep(Duration::from_millis(50)).await;
            }
        };
        select! {
            _ = answered => {},
            _ = new_network() => {},
            _ = context.sleep(wait) => {},
        }
        store.keep(&sets, None).await;
    }
    let (prober, probe) = Probe::new(probe::Config {
        context: context.child("probe"),
        provider: sets.clone(),
        strategy: strategy.clone(),
        mailbox_size: NZUsize!(MAILBOX),
        blocker: blocker.clone(),
        minimum_epoch: Epoch::new(sets.latest()),
        retry_timeout: NZDuration!(Duration::from_millis(500)),
    });
    tasks.push(prober.start(probes));
    if let Some((wait, views_min)) = fetch {
        let found = select! {
            floor = probe.subscribe() => floor.ok(),
            _ = new_network() => None,
            _ = context.sleep(wait) => None,
        };
        match found {
            Some(floor) if floor.epoch().get() > 0 || floor.proposal.round.view().get() >= views_min => {
                tracing::info!(
                    view = floor.proposal.round.view().get(),
                    "this directory is empty; fetching the state from others"
                );
                sets.reach(floor.epoch().get());
                plan = plan.set_floor(floor).await;
            }
            _ => tracing::info!("this directory is empty; starting from genesis"),
        }
    }
    sets.learned();
    let floor = plan.floor().cloned();
    if floor.is_some() {
        board.set_phase(Phase::Syncing);
    }

    let (marshal_actor, marshal, processed) = MarshalActor::<_, Standard<Sealed>, _, _, _, _, _>::init(
        context.child("marshal"),
        certificate_archive,
        block_archive,
        marshal::Config {
            provider: sets.clone(),
            epocher: FixedEpocher::new(epoch_length),
            start: plan.marshal_start(Digested::precomputed(genesis.clone(), genesis_digest)),
            partition_prefix: prefix.clone(),
            mailbox_size: NZUsize!(MAILBOX),
            view_retention: ViewDelta::new(CANDIDATE_RETENTION),
            prunable_items_per_section: CANDIDATE_SECTION,
            page_cache: page_cache.clone(),
            replay_buffer: NZUsize!(1 << 20),
            key_write_buffer: NZUsize!(64 << 10),
            value_write_buffer: NZUsize!(1 << 20),
            block_codec_config: config.limits,
            max_repair: NZUsize!(32),
            max_pending_acks: NZUsize!(PENDING_ACKS),
            strategy: strategy.clone(),
        },
    )
    .await;

    let reader = Reader { chain: chain.clone(), marshal: marshal.clone(), history, retention, shelf, sets: sets.clone() };
    if let Some(cold) = &config.cold {
        let keeper = Keeper {
            config: cold.clone(),
            epoch_blocks: config.epoch_blocks,
            genesis: sets.networks().swap_remove(0),
            sets: sets.clone(),
            reader: reader.clone(),
            store: retained,
        };
        tasks.push(keeper::start(context.child("keeper"), keeper));
    }
    let (first_height, first_known) = oneshot::channel();
    tasks.push(history::start(
        context.child("history"),
        history::Config {
            me: me.clone(),
            provider: peers.clone(),
            blocker: blocker.clone(),
            fetch_timeout,
            chain: config.chain,
            genesis: genesis_digest,
            sets: sets.clone(),
            limits: config.limits,
            strategy: strategy.clone(),
            reader: reader.clone(),
        },
        first_known,
        histories,
    ));
    let (fetcher, resolver) = sync::start(
        context.child("state_resolver"),
        sync::Config {
            me,
            provider: peers,
            blocker: blocker.clone(),
            fetch_timeout,
            operation: state::operation_config(config.limits.value_bytes_max),
        },
        states,
    );
    tasks.push(resolver);

    let application = Application {
        shared: Arc::new(Shared {
            chain_id: config.chain,
            machine: parts.machine.clone(),
            epoch_blocks: config.epoch_blocks,
            transactions: parts.transactions.clone(),
            limits: config.limits,
            budget: Budget::new(&config.timeouts),
            clock_skew_ms: config.clock_skew_ms,
            genesis: genesis.clone(),
            genesis_state,
            chain: chain.clone(),
        }),
        strategy: strategy.clone(),
    };
    // While the log of the state is read, which takes the processor.
    context.will_need(&state::tree_partition(&prefix));
    let (stateful, executor) = Stateful::new(
        context.child("stateful"),
        StatefulConfig {
            application,
            db_config: state::config(
                &context,
                &prefix,
                config.limits.value_bytes_max,
                config.storage.state_file_operations,
                page_cache.clone(),
                NonZeroUsize::new(config.threads).unwrap_or(NonZeroUsize::MIN),
                strategy.clone(),
            )
            .await,
            provider: (),
            marshal: (marshal.clone(), processed),
            mailbox_size: NZUsize!(MAILBOX),
            plan,
            resolvers: fetcher,
            sync_config: SyncEngineConfig {
                fetch_batch_size: sync::OPERATIONS_PER_REQUEST,
                apply_batch_size: NZU64!(2_048),
                max_outstanding_requests: NZUsize!(8),
            },
            // The archives drop only what is in the cold archive.
            prune_config: Some(PruneConfig {
                maintenance_interval: config.storage.prune_every_blocks,
                retained_marshal_blocks: config.storage.retained_blocks,
                retained_qmdb_blocks: config.storage.retained_blocks,
            }),
            strategy: strategy.clone(),
        },
    );
    let deferred = Deferred::new(
        context.child("deferred"),
        Questions { actor: executor.clone(), clock_skew_ms: config.clock_skew_ms },
        marshal.clone(),
        FixedEpocher::new(epoch_length),
    );

    tasks.push(marshal_actor.start(executor.clone(), buffer, backfill));
    probe.attach(marshal.clone());
    let actor = stateful.start();
    let end = chain.clone();
    tasks.push(context.child("state").spawn(move |context| ended(context, actor, end)));

    // Readers and the observer begin when there is a state and it is the one that was finalised.
    let state = Opened::default();
    let ready = startup::Ready {
        reader: reader.clone(),
        board: board.clone(),
        genesis: genesis.clone(),
        opened: state.clone(),
        transactions: parts.transactions.clone(),
        observer: parts.observer,
        damage: damage.clone(),
        first: first_height,
    };
    tasks.push(context.child("startup").spawn(move |context| startup::run(context, executor, ready)));
    let service = Service {
        reader: reader.clone(),
        state: state.clone(),
        board: board.clone(),
        damage,
        sets: sets.clone(),
        clock_skew_ms: config.clock_skew_ms,
    };
    tasks.push(context.child("service").spawn(move |context| service::run(context, service, asked)));

    let pacer = Pacer {
        pace: config.pace,
        clock_skew_ms: config.clock_skew_ms,
        chain: handle.chain.clone(),
        transactions: parts.transactions,
        genesis: genesis_digest,
    };
    let epochs = Epochs {
        prefix,
        epoch_blocks: config.epoch_blocks,
        sets,
        store,
        floor,
        genesis: genesis_digest,
        reader,
        state,
        machine: parts.machine,
        board,
        connect,
        configured: addresses.clone(),
        addresses,
        automaton: Paced::new(context.child("pace"), deferred.clone(), pacer),
        application: deferred,
        blocker,
        strategy,
        timeouts: config.timeouts,
        fetch_timeout,
        page_cache,
    };
    let channels = [votes, certificates, resolutions];
    tasks.push(context.child("epochs").spawn(move |context| epochs.run(context, channels)));
    Ok(Running { handle, gossip: gossip_in, tasks })
}

/// Waits for the end of the state's actor. At a final block that this build cannot execute that one waits for ever, and hears no stop; nothing is
/// under way then, so it is ended.
async fn ended<E: Spawner>(context: E, mut actor: Task<()>, chain: Arc<chain::Chain>) {
    let stood = async {
        // Not kept: the node's stop waits for all that hold a signal.
        let _ = context.stopped().await;
        chain.stood().await;
    };
    select! {
        _ = &mut actor => {},
        _ = stood => actor.abort(),
    }
}

/// Height of a block as the library counts.
pub(crate) fn height(height: u64) -> Height {
    Height::new(height)
}
