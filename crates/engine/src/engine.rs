//! The engine on the real runtime and network.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use commonware_cryptography::{ChaCha20Poly1305, ed25519::PublicKey};
use commonware_macros::select;
use commonware_p2p::{Address, AddressableManager as _, AddressableTrackedPeers, Ingress, authenticated::lookup};
use commonware_runtime::{Runner as _, Spawner as _, Strategizer as _, Supervisor as _, tokio as runtime};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{Hostname, NZUsize, channel::oneshot, ordered::Map};
use zhulian_ledger::Machine;

use crate::{
    Config, ConfigError, GossipReceiver, Handle, Observer, Peer, Transactions, certificate,
    config::PEERS_MAX,
    keys,
    wiring::{self, CHANNELS, Connected, Network, Parts},
};

/// A peer that says nothing for so long is gone, or its link is; every node says something each second. To wait longer is to wait, after a cut,
/// for TCP, which by then tries less and less often.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long a peer may take to answer a call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long tasks may take to end when the engine is stopped.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A node's engine, running on threads of its own.
pub struct Engine {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), Failure>>>,
}

/// Why an engine stopped by itself, or did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The configuration cannot run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A part of the engine ended; the log says why.
    #[error("a part of the engine ended")]
    Ended,
    /// A part of the engine found something it cannot go on with.
    #[error("the engine stopped: {0}")]
    Panicked(String),
}

impl Engine {
    /// Starts a node with the directory, key and peers of `config`. The node may still be opening its store when this returns;
    /// [`Handle::status`] tells.
    ///
    /// # Errors
    /// When the configuration cannot run, or the store cannot be opened.
    pub fn start(
        config: Config,
        machine: Arc<dyn Machine>,
        transactions: Arc<dyn Transactions>,
        observer: Arc<dyn Observer>,
    ) -> Result<(Self, GossipReceiver), Failure> {
        config.check()?;
        wiring::identity(&config)?;
        addresses(&config.peers)?;
        let parts = Parts {
            partition: "zhulian".into(),
            directory: Some(config.directory.clone()),
            machine,
            transactions,
            observer,
        };
        let (started, running) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let runtime = runtime::Config::new()
                .with_storage_directory(config.directory.clone())
                .with_worker_threads(config.threads)
                .with_connect_timeout(CONNECT_TIMEOUT)
                .with_read_write_timeout(SILENCE_MAX)
                .with_catch_panics(false);
            runtime::Runner::new(runtime).start(|context| async move {
                let ended = match launch(&context, config, parts).await {
                    Ok(running) => {
                        let (handle, gossip, ended) = running.split();
                        let _ = started.send(Ok((handle, gossip)));
                        ended
                    }
                    Err(error) => {
                        let _ = started.send(Err(error.into()));
                        return Ok(());
                    }
                };
                let result = select! {
                    _ = stopped => Ok(()),
                    _ = ended => Err(Failure::Ended),
                };
                if context.stop(0, Some(STOP_TIMEOUT)).await.is_err() {
                    tracing::warn!(
                        seconds = STOP_TIMEOUT.as_secs(),
                        "a part of the engine did not end in time; the node stops without it"
                    );
                }
                result
            })
        };
        let thread = std::thread::Builder::new()
            .name("engine".into())
            // Starting holds all parts of a node at once, which without optimisation is more than a thread has by default.
            .stack_size(16 << 20)
            .spawn(run)
            .map_err(|error| Failure::Panicked(error.to_string()))?;
        match running.recv() {
            Ok(Ok((handle, gossip))) => Ok((Self { handle, stop: Some(stop), thread: Some(thread) }, gossip)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(join(thread).err().unwrap_or(Failure::Ended)),
        }
    }

    /// To talk to the engine.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops the engine and waits for it.
    ///
    /// # Errors
    /// When it had stopped by itself before.
    pub fn stop(mut self) -> Result<(), Failure> {
        drop(self.stop.take());
        self.thread.take().map_or(Ok(()), join)
    }

    /// Waits until the engine stops by itself, and tells why.
    pub fn wait(mut self) -> Failure {
        // Keeps the sender, whose loss would stop the engine.
        let _stop = self.stop.take();
        self.thread.take().map_or(Failure::Ended, |thread| join(thread).err().unwrap_or(Failure::Ended))
    }

    /// Whether the engine has stopped by itself.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

fn join(thread: JoinHandle<Result<(), Failure>>) -> Result<(), Failure> {
    thread.join().unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(Failure::Panicked(text.unwrap_or_else(|| "for an unknown reason".into())))
    })
}

/// Where each node is dialled.
fn addresses(peers: &[Peer]) -> Result<Map<PublicKey, Address>, ConfigError> {
    let peers = peers.iter().map(|peer| {
        let key = keys::public(&peer.public_key).ok_or(ConfigError::Validators)?;
        let bad = || ConfigError::Address(peer.address.clone());
        let address = match peer.address.parse::<SocketAddr>() {
            Ok(address) => Address::Symmetric(address),
            Err(_) => {
                let (host, port) = peer.address.rsplit_once(':').ok_or_else(bad)?;
                let port = port.parse().map_err(|_| bad())?;
                let host = Hostname::new(host).map_err(|_| bad())?;
                // Where it dials from is unknown; see `any_source_address`.
                let egress = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
                Address::Asymmetric { ingress: Ingress::Dns { host, port }, egress }
            }
        };
        Ok((key, address))
    });
    let peers = peers.collect::<Result<Vec<_>, _>>()?;
    Map::try_from(peers).map_err(|_| ConfigError::Validators)
}

async fn launch(context: &runtime::Context, config: Config, parts: Parts) -> Result<wiring::Running, ConfigError> {
    let upgrader = Cups::<_, ChaCha20Poly1305>::new(
        Sake {
            signer: keys::private(&config.secret),
            synchrony_bound: Duration::from_secs(60),
            max_handshake_age: Duration::from_secs(60),
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let peers = addresses(&config.peers)?;
    let dns = peers.values().iter().any(|address| matches!(address, Address::Asymmetric { .. }));
    let mut settings = lookup::Config::local(
        upgrader,
        &certificate::namespace(&config.chain),
        config.listen,
        NZUsize!(PEERS_MAX),
        wiring::message_bytes_max(&config),
        NZUsize!(1_024),
    );
    // Departments meet in private networks, often behind the same address.
    settings.allow_private_ips = true;
    settings.bypass_ip_check = config.any_source_address || dns;
    settings.tracked_peer_sets = NZUsize!(1);
    settings.block_duration = Duration::from_secs(60);
    let (mut network, mut oracle) = lookup::Network::new(context.child("network"), settings);
    oracle.track(0, peers);
    let (mut tracker, mut number) = (oracle.clone(), 0);
    let connect = Box::new(move |connected: Connected| {
        // What the state says was checked when it was voted; still, a bad address must not keep the others apart.
        let dialled = |peers: &[Peer], room: usize| {
            let good = peers.iter().filter_map(|peer| addresses(std::slice::from_ref(peer)).ok());
            Map::try_from(good.flatten().take(room).collect::<Vec<_>>()).unwrap_or_default()
        };
        // One more than there is room for, this node among them, and the library panics.
        let validators = dialled(&connected.validators, PEERS_MAX - 1);
        let followers = dialled(&connected.followers, PEERS_MAX - 1 - validators.len());
        number += 1;
        tracker.track(number, AddressableTrackedPeers::new(validators, followers));
    });
    let channels = (0..CHANNELS).map(|channel| network.register(channel, wiring::quota())).collect();
    network.start();
    let network = Network { channels, provider: oracle.clone(), blocker: oracle, connect };
    let strategy = context.strategy(NZUsize!(2).max(NonZeroUsize::new(config.threads).unwrap_or(NZUsize!(2))));
    wiring::start(context.child("node"), strategy, config, network, parts).await
}
