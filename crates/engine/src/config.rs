//! What an operator sets.

use std::{
    net::SocketAddr,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use commonware_utils::{NZU64, NZUsize};
use zhulian_ledger::{RECEIPTS_BYTES_MAX, VALUE_BYTES_MAX};
use zhulian_primitives::{ChainId, Timestamp, Validator};

/// Nodes connected at the same time at most: validators and followers. Each has a place for its burst in the queue of every channel, and
/// these queues are made at the start.
pub(crate) const PEERS_MAX: usize = 128;

/// A node and where to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Ed25519 key, for votes and for the transport.
    pub public_key: [u8; 32],
    /// `address:port` or `hostname:port`.
    pub address: String,
}

/// Upper bounds of a block. Every node of a network must have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sum of the transactions' bytes.
    pub transactions_bytes_max: usize,
    /// Number of transactions.
    pub transactions_max: usize,
    /// Sum of the receipts' bytes.
    pub receipts_bytes_max: usize,
    /// One state value, in bytes.
    pub value_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transactions_bytes_max: 2 << 20,
            transactions_max: 4_000,
            receipts_bytes_max: RECEIPTS_BYTES_MAX,
            value_bytes_max: VALUE_BYTES_MAX,
        }
    }
}

/// How fast blocks follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Least time between a block and its parent while transactions wait.
    pub block_interval: Duration,
    /// Time after which a block is proposed although nothing waits.
    pub heartbeat: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { block_interval: Duration::from_millis(25), heartbeat: Duration::from_millis(1_000) }
    }
}

/// When to give up waiting for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Wait for the leader's proposal; above the heartbeat, since an idle leader waits that long.
    pub leader: Duration,
    /// Wait for a view to be certified; above `leader`.
    pub certification: Duration,
    /// A leader that was silent for so long is skipped at once; above `certification`. Little above, so that of a dead validator only
    /// the first turn is waited for.
    pub skip: Duration,
    /// Wait for a peer's answer.
    pub fetch: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            leader: Duration::from_millis(1_200),
            certification: Duration::from_millis(1_500),
            skip: Duration::from_millis(1_600),
            fetch: Duration::from_millis(1_000),
        }
    }
}

/// How a node with an empty directory gets its state. A node that has some catches up by blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateSync {
    /// Execute every block since genesis.
    Never,
    /// Ask the others for so long; when more than `f` of them have finalised past `views_min` views, fetch their state instead
    /// of their blocks. The blocks before are fetched afterwards, and not executed.
    WhenEmpty {
        /// How long to ask before starting from genesis.
        wait: Duration,
        /// A shorter chain is executed from genesis.
        views_min: u64,
    },
}

impl Default for StateSync {
    fn default() -> Self {
        Self::WhenEmpty { wait: Duration::from_millis(3_000), views_min: 1_000 }
    }
}

/// Memory and disk. Fixed for the life of a directory, except `page_cache_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Cache of file pages.
    pub page_cache_bytes: usize,
    /// Operations of the state's log kept, in blocks, for nodes that sync; older inactive ones are pruned.
    pub retained_blocks: usize,
    /// Blocks between two prunings of that log.
    pub prune_every_blocks: NonZeroUsize,
    /// Bytes of the log of writes, half of it, before they are carried to the files they are for.
    pub log_bytes: u64,
    /// Blocks that are dropped together, where a [`Cold`] archive lets them be dropped.
    pub section_blocks: NonZeroU64,
    /// Operations of the state's log in a file; files of which no operation is needed are dropped.
    pub state_file_operations: NonZeroU64,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            page_cache_bytes: 32 << 20,
            retained_blocks: 256,
            prune_every_blocks: NZUsize!(256),
            log_bytes: 8 << 20,
            section_blocks: NZU64!(4_096),
            state_file_operations: NZU64!(1 << 18),
        }
    }
}

/// The archive of old blocks, and how many stay in the node's own store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cold {
    /// Where the segments are; of this node alone.
    pub directory: PathBuf,
    /// The newest blocks that stay in the node's own store at least.
    pub retention_blocks: u64,
    /// Blocks of a segment.
    pub segment_blocks: u64,
    /// A segment ends early with so many bytes, before they are compressed.
    pub segment_bytes: u64,
    /// Rest between two steps of the archiver, to rehearse a stop between them.
    pub pause: Duration,
}

impl Cold {
    /// An archive in `directory`, beside so many blocks.
    pub fn new(directory: PathBuf, retention_blocks: u64) -> Self {
        let pause = Duration::ZERO;
        Self { directory, retention_blocks, segment_blocks: 16_384, segment_bytes: 64 << 20, pause }
    }
}

/// Configuration of a node's engine.
#[derive(Clone)]
pub struct Config {
    /// The network.
    pub chain: ChainId,
    /// Time of the genesis block.
    pub genesis_time: Timestamp,
    /// The validators of epoch 0, sorted by key.
    pub validators: Vec<Validator>,
    /// Blocks of an epoch: after so many the validators may change.
    pub epoch_blocks: u64,
    /// Where to reach others. What the state says of later validators is used where nothing is said here.
    pub peers: Vec<Peer>,
    /// This node's Ed25519 secret. While its public key is not among the validators, the node follows without voting.
    pub secret: [u8; 32],
    /// Where to listen for other validators.
    pub listen: SocketAddr,
    /// Everything the node stores.
    pub directory: PathBuf,
    /// Threads for asynchronous work.
    pub threads: usize,
    /// Accept validators from addresses other than the configured ones (behind NAT or in containers). They authenticate
    /// with their keys in either case.
    pub any_source_address: bool,
    /// Block bounds.
    pub limits: Limits,
    /// Pace of blocks.
    pub pace: Pace,
    /// Timeouts.
    pub timeouts: Timeouts,
    /// State sync.
    pub state_sync: StateSync,
    /// Storage.
    pub storage: Storage,
    /// Old blocks go to an archive; without one they stay in the node's own store for good.
    pub cold: Option<Cold>,
    /// Added to the clock, in milliseconds, to rehearse a wrong one.
    pub clock_skew_ms: i64,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the secret.
        f.debug_struct("Config")
            .field("chain", &hex::encode(self.chain))
            .field("validators", &self.validators)
            .field("peers", &self.peers)
            .field("listen", &self.listen)
            .field("directory", &self.directory)
            .field("limits", &self.limits)
            .field("pace", &self.pace)
            .field("timeouts", &self.timeouts)
            .field("state_sync", &self.state_sync)
            .field("storage", &self.storage)
            .field("cold", &self.cold)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Checks what would otherwise stop a running node.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Timeouts { leader, certification, skip, fetch } = self.timeouts;
        if !(self.pace.heartbeat < leader && leader < certification && certification < skip) || fetch.is_zero() {
            return Err(ConfigError::Timeouts);
        }
        if self.pace.block_interval > self.pace.heartbeat {
            return Err(ConfigError::Pace);
        }
        if self.limits.transactions_max == 0 || self.limits.transactions_bytes_max == 0 {
            return Err(ConfigError::Limits);
        }
        if self.epoch_blocks < 2 {
            return Err(ConfigError::Epoch);
        }
        if self.threads == 0 {
            return Err(ConfigError::Threads);
        }
        if self.peers.len() >= PEERS_MAX {
            return Err(ConfigError::Peers(self.peers.len()));
        }
        // Nodes that start and peers that are a little behind need the newest ones.
        let kept = self.storage.retained_blocks;
        if self.cold.as_ref().is_some_and(|cold| cold.retention_blocks < kept as u64 || cold.segment_blocks == 0) {
            return Err(ConfigError::Retention(kept));
        }
        Ok(())
    }
}

/// Why a configuration cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The order that the protocol needs.
    #[error("timeouts must satisfy heartbeat < leader < certification < skip, and fetch > 0")]
    Timeouts,
    /// The block interval is the lower bound, the heartbeat the upper one.
    #[error("the block interval must not exceed the heartbeat")]
    Pace,
    /// No block could hold a transaction.
    #[error("block limits must be above zero")]
    Limits,
    /// Genesis is no block of an epoch.
    #[error("an epoch has at least two blocks")]
    Epoch,
    /// Fewer blocks would stay than a node needs to start, and its peers to catch up.
    #[error("at least {0} blocks must stay in the node's own store")]
    Retention(usize),
    /// Nothing would run.
    #[error("at least one thread is needed")]
    Threads,
    /// A key is not an Ed25519 point, or one is there twice.
    #[error("the validators must have distinct Ed25519 public keys")]
    Validators,
    /// More than a node has room for.
    #[error("{0} peers, but a node has room for {max}", max = PEERS_MAX - 1)]
    Peers(usize),
    /// An address that cannot be dialled.
    #[error("not an address:port or hostname:port: {0}")]
    Address(String),
}
