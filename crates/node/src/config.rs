//! The node's configuration file: JSON, every field checked, no field unknown.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use zhulian_engine as engine;
use zhulian_modules::Genesis;
use zhulian_primitives::{PROTOCOL_NEWEST, Protocol};

use crate::{
    index::{Database, PostgresSettings},
    mempool,
};

/// What an operator sets. Relative paths are relative to the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the node stores everything.
    pub directory: PathBuf,
    /// The network's genesis document.
    pub genesis: PathBuf,
    /// The validator's key file.
    pub key: PathBuf,
    /// Where the node listens for other validators.
    pub listen: SocketAddr,
    /// Addresses (`host:port`) of validators by their public keys in hex: of all validators of genesis when this node is one of them, else of
    /// at least one that runs. Of validators that came later, the ledger says where they are unless it is said here.
    pub peers: BTreeMap<String, String>,
    /// The gateway; without one the node keeps no index either.
    #[serde(default)]
    pub gateway: Option<Gateway>,
    /// Accept validators from other addresses than the configured ones (behind NAT, in containers).
    #[serde(default)]
    pub any_source_address: bool,
    /// Threads; `null` for one a processor core.
    #[serde(default)]
    pub threads: Option<usize>,
    /// Bounds of the mempool.
    #[serde(default)]
    pub mempool: MempoolLimits,
    /// Pace of blocks. The timeouts follow from it.
    #[serde(default)]
    pub pace: Pace,
    /// How a node with an empty directory begins.
    #[serde(default)]
    pub state_sync: StateSync,
    /// Memory for file pages, in MiB.
    #[serde(default = "page_cache_mib")]
    pub page_cache_mib: usize,
    /// Where old blocks go. Without an archive the node keeps all of them in its own directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
    /// Executes no protocol after this one, as an older build would: to rehearse an upgrade. `null` for all that are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_max: Option<Protocol>,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
}

/// The archive of old blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Where its files are; of this node alone, and on another disk where that is what it is for.
    pub directory: PathBuf,
    /// The newest blocks that stay in the node's own directory at least; an idle network makes 86,400 a day.
    pub retention_blocks: u64,
    /// Blocks of a file; a file ends earlier with 64 MiB.
    #[serde(default = "segment_blocks")]
    pub segment_blocks: u64,
}

fn segment_blocks() -> u64 {
    16_384
}

/// The gateway's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where people reach it; `null` for `http://` and the address above.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Where the query index is kept.
    #[serde(default)]
    pub index: Index,
    /// Days after which a member's key should be replaced, by the organisation's own rule; 0 for no reminder.
    #[serde(default = "key_days")]
    pub key_days: u32,
}

/// Three years.
fn key_days() -> u32 {
    1_095
}

impl Default for Gateway {
    /// On the port of the handbook, on this machine only.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8640)),
            public_url: None,
            index: Index::default(),
            key_days: key_days(),
        }
    }
}

/// Where the query index is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Index {
    /// In a file of SQLite in the node's directory.
    #[default]
    Sqlite,
    /// In a PostgreSQL server.
    Postgres(PostgresSettings),
}

impl Gateway {
    /// The index of a node that stores in `directory`.
    pub(crate) fn database(&self, directory: &Path) -> Database {
        match &self.index {
            Index::Sqlite => Database::Sqlite(directory.join("index")),
            Index::Postgres(settings) => Database::Postgres(settings.clone()),
        }
    }
}

/// Bounds of the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MempoolLimits {
    /// Transactions at most.
    pub transactions_max: usize,
    /// Their bytes at most.
    pub bytes_max: usize,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        let mempool::Limits { count_max, bytes_max } = mempool::Limits::default();
        Self { transactions_max: count_max, bytes_max }
    }
}

/// Pace of blocks, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Least time between blocks while transactions wait.
    pub block_interval_ms: u64,
    /// Time after which an empty block is made.
    pub heartbeat_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        let engine::Pace { block_interval, heartbeat } = engine::Pace::default();
        Self { block_interval_ms: block_interval.as_millis() as u64, heartbeat_ms: heartbeat.as_millis() as u64 }
    }
}

/// How a node with an empty directory begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateSync {
    /// Fetch the others' state when they are far ahead; the node then lacks the blocks before.
    #[default]
    WhenFarBehind,
    /// Fetch the others' state whenever they have one, however short the chain.
    Always,
    /// Fetch the others' state, however long it takes to find them; never begin at genesis. For a validator that was restored: where
    /// it began by itself, it might vote twice.
    Required,
    /// Execute every block since genesis, so that the node and its index have all of them.
    Never,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// One JSON object a line instead of plain text.
    pub json: bool,
    /// Levels, for example `info,zhulian_engine=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { json: false, filter: "info,commonware=warn".into() }
    }
}

fn page_cache_mib() -> usize {
    32
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not JSON of this shape.
    #[error("{path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A validator of the genesis document has no address.
    #[error("peers: no address for validator {name} ({key}); the genesis document names it")]
    NoAddress {
        /// The validator's name.
        name: String,
        /// Its key.
        key: String,
    },
    /// Not 64 lower-case hexadecimal digits.
    #[error("peers: {0} is not the key of a validator")]
    UnknownPeer(String),
    /// Nobody to begin with.
    #[error("peers: this node is no validator of the genesis document, so it needs the address of at least one other")]
    NoPeer,
    /// A number that cannot be.
    #[error("{0} must be above zero")]
    Zero(&'static str),
    /// Fewer blocks would stay than a node needs to start, and its peers to catch up.
    #[error("archive.retention_blocks must be at least {0}")]
    Retention(u64),
    /// The PostgreSQL settings cannot be used.
    #[error("gateway.index.postgres: {0}")]
    Postgres(String),
    /// Both are the same address.
    #[error("listen and gateway.listen are the same address")]
    SameAddress,
}

impl Config {
    /// The newest protocol that the node executes.
    pub fn protocol_known(&self) -> Protocol {
        self.protocol_max.map_or(PROTOCOL_NEWEST, |max| max.min(PROTOCOL_NEWEST))
    }

    /// Reads a file and makes its paths absolute.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let mut config: Self =
            serde_json::from_str(&text).map_err(|source| ConfigError::Parse { path: path.into(), source })?;
        let base = path.parent().unwrap_or(Path::new("."));
        for path in [&mut config.directory, &mut config.genesis, &mut config.key] {
            *path = base.join(&*path);
        }
        if let Some(archive) = &mut config.archive {
            archive.directory = base.join(&archive.directory);
        }
        if let Some(Index::Postgres(PostgresSettings { password_file: Some(path), .. })) =
            config.gateway.as_mut().map(|gateway| &mut gateway.index)
        {
            *path = base.join(&*path);
        }
        config.check()?;
        Ok(config)
    }

    /// The file's text.
    pub fn print(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a configuration is JSON");
        text.push('\n');
        text
    }

    fn check(&self) -> Result<(), ConfigError> {
        let numbers = [
            (self.mempool.transactions_max, "mempool.transactions_max"),
            (self.mempool.bytes_max, "mempool.bytes_max"),
            (self.threads.unwrap_or(1), "threads"),
            (self.page_cache_mib, "page_cache_mib"),
            (self.pace.heartbeat_ms as usize, "pace.heartbeat_ms"),
            (self.archive.as_ref().map_or(1, |archive| archive.segment_blocks as usize), "archive.segment_blocks"),
        ];
        if let Some((_, name)) = numbers.into_iter().find(|(number, _)| *number == 0) {
            return Err(ConfigError::Zero(name));
        }
        let least = engine::Storage::default().retained_blocks as u64;
        if self.archive.as_ref().is_some_and(|archive| archive.retention_blocks < least) {
            return Err(ConfigError::Retention(least));
        }
        if self.gateway.as_ref().is_some_and(|gateway| gateway.listen == self.listen && self.listen.port() != 0) {
            return Err(ConfigError::SameAddress);
        }
        if let Some(Index::Postgres(settings)) = self.gateway.as_ref().map(|gateway| &gateway.index) {
            settings.check().map_err(ConfigError::Postgres)?;
        }
        Ok(())
    }

    /// Threads to use.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from))
    }

    /// The engine's configuration in the network of `genesis`, with this node's key and secret.
    pub fn engine(&self, genesis: &Genesis, me: [u8; 32], secret: [u8; 32]) -> Result<engine::Config, ConfigError> {
        let network = genesis.network();
        let parse = |text: &String| {
            let lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            let key: Option<[u8; 32]> = hex::decode(text).ok().filter(|_| lower).and_then(|key| key.try_into().ok());
            key.ok_or_else(|| ConfigError::UnknownPeer(text.clone()))
        };
        let peer =
            |(key, address): (&String, &String)| Ok(engine::Peer { public_key: parse(key)?, address: address.clone() });
        let peers = self.peers.iter().map(peer).collect::<Result<Vec<_>, ConfigError>>()?;
        let has = |key: &[u8; 32]| peers.iter().any(|peer| peer.public_key == *key);
        match network.validators.iter().any(|it| it.public_key == me) {
            true => {
                if let Some(missing) = network.validators.iter().find(|it| !has(&it.public_key)) {
                    let (name, key) = (missing.name.clone(), hex::encode(missing.public_key));
                    return Err(ConfigError::NoAddress { name, key });
                }
            }
            false if peers.iter().all(|peer| peer.public_key == me) => return Err(ConfigError::NoPeer),
            false => {}
        }
        let heartbeat = Duration::from_millis(self.pace.heartbeat_ms);
        let defaults = engine::Timeouts::default();
        Ok(engine::Config {
            chain: network.chain,
            genesis_time: genesis.time,
            validators: network.validators,
            epoch_blocks: genesis.epoch_blocks,
            peers,
            secret,
            listen: self.listen,
            directory: self.directory.join("chain"),
            threads: self.threads(),
            any_source_address: self.any_source_address,
            limits: engine::Limits::default(),
            pace: engine::Pace { block_interval: Duration::from_millis(self.pace.block_interval_ms), heartbeat },
            timeouts: engine::Timeouts {
                leader: defaults.leader.max(heartbeat * 6 / 5),
                certification: defaults.certification.max(heartbeat * 3 / 2),
                skip: defaults.skip.max(heartbeat * 8 / 5),
                fetch: defaults.fetch,
            },
            state_sync: match self.state_sync {
                StateSync::WhenFarBehind => engine::StateSync::default(),
                StateSync::Always => engine::StateSync::WhenEmpty { wait: Duration::from_secs(10), views_min: 1 },
                StateSync::Required => {
                    engine::StateSync::WhenEmpty { wait: Duration::from_secs(10 * 365 * 86_400), views_min: 1 }
                }
                StateSync::Never => engine::StateSync::Never,
            },
            storage: engine::Storage { page_cache_bytes: self.page_cache_mib << 20, ..engine::Storage::default() },
            cold: self.archive.as_ref().map(|archive| engine::Cold {
                segment_blocks: archive.segment_blocks,
                ..engine::Cold::new(archive.directory.clone(), archive.retention_blocks)
            }),
            clock_skew_ms: 0,
        })
    }
}
