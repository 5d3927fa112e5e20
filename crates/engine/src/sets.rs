//! Who the validators of each epoch are: the sets since genesis, each proven by the one before.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use commonware_codec::RangeCfg;
use commonware_consensus::{simplex::scheme::ed25519::Scheme, types::Epoch};
use commonware_cryptography::{
    certificate::{Provider, Scoped},
    ed25519::PublicKey,
};
use commonware_storage::{
    Context,
    metadata::{self, Metadata},
};
use commonware_utils::{ordered::Set, sequence::U64};
use zhulian_primitives::{HANDOVERS_MAX, Handover, HandoverError, Network, codec};

use crate::{ConfigError, certificate, error::remedy, keys};

/// A set of validators and what checks its signatures.
struct Entry {
    network: Network,
    scheme: Arc<Scheme>,
}

struct Inner {
    /// In order of their first epochs; the first is that of genesis.
    entries: Vec<Entry>,
    /// One for each entry but the first.
    handovers: Vec<Handover>,
    /// The last epoch whose validators are known.
    known: u64,
    /// While this node learns the sets from others: how many answered.
    learning: Option<BTreeMap<[u8; 32], usize>>,
}

/// The sets since genesis, shared by all parts of the engine.
#[derive(Clone)]
pub(crate) struct Sets {
    inner: Arc<Mutex<Inner>>,
    secret: [u8; 32],
}

fn entry(network: Network, secret: &[u8; 32]) -> Result<Entry, ConfigError> {
    network.check().map_err(|_| ConfigError::Validators)?;
    let participants = keys_of(&network).ok_or(ConfigError::Validators)?;
    let scheme = Arc::new(certificate::scheme(&network.chain, participants, keys::private(secret)));
    Ok(Entry { network, scheme })
}

/// The validators' keys, sorted.
pub(crate) fn keys_of(network: &Network) -> Option<Set<PublicKey>> {
    let keys = network.validators.iter().map(|it| keys::public(&it.public_key)).collect::<Option<Vec<_>>>()?;
    Set::try_from(keys).ok()
}

impl Sets {
    /// The sets of a node that knows only genesis.
    pub fn new(genesis: Network, secret: [u8; 32]) -> Result<Self, ConfigError> {
        let entries = vec![entry(genesis, &secret)?];
        let inner = Inner { entries, handovers: Vec::new(), known: 0, learning: None };
        Ok(Self { inner: Arc::new(Mutex::new(inner)), secret })
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().expect("never panics while held"))
    }

    /// The network with the validators of an epoch; `None` if they are not known yet.
    pub fn network(&self, epoch: u64) -> Option<Network> {
        self.with(|inner| inner.of(epoch).map(|entry| entry.network.clone()))
    }

    /// Every set since genesis, the latest last.
    pub fn networks(&self) -> Vec<Network> {
        self.with(|inner| inner.entries.iter().map(|entry| entry.network.clone()).collect())
    }

    /// The handovers that lead from genesis to the validators of an epoch.
    pub fn handovers(&self, epoch: u64) -> Vec<Handover> {
        self.with(|inner| {
            let after = inner.entries.iter().skip(1).take_while(|entry| entry.network.epoch <= epoch).count();
            inner.handovers[..after].to_vec()
        })
    }

    /// All handovers.
    pub fn all_handovers(&self) -> Vec<Handover> {
        self.with(|inner| inner.handovers.clone())
    }

    /// The first epoch of the latest set.
    pub fn latest(&self) -> u64 {
        self.with(|inner| inner.entries.last().expect("never empty").network.epoch)
    }

    /// Takes the next handover, if it is one.
    pub fn extend(&self, handover: Handover) -> Result<(), HandoverError> {
        self.with(|inner| {
            let after = handover.follow(&inner.entries.last().expect("never empty").network)?;
            let next = entry(after, &self.secret).map_err(|_| HandoverError::Validators)?;
            inner.known = inner.known.max(next.network.epoch);
            inner.entries.push(next);
            inner.handovers.push(handover);
            Ok(())
        })
    }

    /// Whoever asks may know that the latest set decides this epoch, too.
    pub fn reach(&self, epoch: u64) {
        self.with(|inner| inner.known = inner.known.max(epoch));
    }

    /// Begins to take handovers from others. Until [`Self::learned`] the latest set counts for all later epochs.
    pub fn learn(&self) {
        self.with(|inner| inner.learning = Some(BTreeMap::new()));
    }

    /// Ends it.
    pub fn learned(&self) {
        self.with(|inner| inner.learning = None);
    }

    /// Whether the node takes handovers from others.
    pub fn is_learning(&self) -> bool {
        self.with(|inner| inner.learning.is_some())
    }

    /// How many have answered.
    pub fn answers(&self) -> usize {
        self.with(|inner| inner.learning.as_ref().map_or(0, BTreeMap::len))
    }

    /// What a peer says the handovers are. Each is proven by the set before it, so the longest proven chain is taken, whoever sent it.
    pub fn offer(&self, peer: [u8; 32], handovers: Vec<Handover>) {
        let known = self.with(|inner| {
            let Some(answers) = &mut inner.learning else { return None };
            answers.insert(peer, handovers.len());
            Some(inner.handovers.len())
        });
        let Some(known) = known else { return };
        for handover in handovers.into_iter().skip(known) {
            if let Err(error) = self.extend(handover) {
                tracing::warn!(peer = %hex::encode(peer), %error, "a peer sent a handover between validators that proves nothing");
                return;
            }
        }
    }
}

impl Inner {
    fn of(&self, epoch: u64) -> Option<&Entry> {
        let known = epoch <= self.known || self.learning.is_some();
        self.entries.iter().rev().find(|entry| entry.network.epoch <= epoch).filter(|_| known)
    }
}

impl Provider for Sets {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        self.with(|inner| inner.of(epoch.get()).map(|entry| Scoped::scheme(entry.scheme.clone())))
    }
}

/// The handovers on disk, by number.
pub(crate) struct Store<E: Context>(Option<Metadata<E, U64, Vec<u8>>>);

impl<E: Context> Store<E> {
    /// Opens the store and gives what it holds to the sets.
    ///
    /// # Panics
    /// When the disk fails or what it holds is damaged.
    pub async fn open(context: E, prefix: &str, sets: &Sets) -> Self {
        let config =
            metadata::Config { partition: format!("{prefix}-handovers"), codec_config: (RangeCfg::new(..=1 << 20), ()) };
        let store: Metadata<E, U64, Vec<u8>> =
            Metadata::init(context, config).await.unwrap_or_else(|error| stop(&error.to_string()));
        for number in 0..HANDOVERS_MAX as u64 {
            let Some(bytes) = store.get(&U64::new(number)) else { break };
            let handover: Handover = codec::from_bytes(bytes).unwrap_or_else(|error| stop(&error.to_string()));
            sets.extend(handover).unwrap_or_else(|error| stop(&error.to_string()));
        }
        Self(Some(store))
    }

    /// Keeps all handovers that there are now, and `next` after them.
    pub async fn keep(&mut self, sets: &Sets, next: Option<&Handover>) {
        let mut store = self.0.take().expect("put back after every write");
        for (number, handover) in (0..).zip(sets.all_handovers().iter().chain(next)) {
            let number = U64::new(number);
            if store.get(&number).is_none() {
                store.put(number, codec::to_bytes(handover));
            }
        }
        self.0 = Some(store.sync().await.unwrap_or_else(|error| stop(&error.to_string())));
    }
}

fn stop(error: &str) -> ! {
    panic!("the handovers between validators cannot be kept ({error}); {}", remedy(&error))
}
