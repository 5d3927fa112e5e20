//! What a node knows about itself and the others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use commonware_actor::Feedback;
use commonware_consensus::{
    Epochable as _, Reporter, Viewable as _,
    simplex::{scheme::ed25519::Scheme, types::Activity},
};
use commonware_cryptography::sha256::Digest;
use zhulian_primitives::{Height, Network, Timestamp, Validator};

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opening its store, or asking others where they are.
    Starting,
    /// Fetching the state from others.
    Syncing,
    /// Executing blocks and voting.
    Running,
}

/// Another validator as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Its Ed25519 key.
    pub public_key: [u8; 32],
    /// Its configured address.
    pub address: String,
    /// When it was last heard, in this node's milliseconds; `None` if never since the start.
    pub last_seen: Option<Timestamp>,
    /// Whether it was heard within the last seconds.
    pub connected: bool,
    /// The last block it has executed; `None` while it has not said, as when it opens its store.
    pub height: Option<Height>,
    /// Its view.
    pub view: u64,
    /// Its clock minus this node's, in milliseconds, not counting the way of the message.
    pub clock_skew_ms: i64,
}

/// A node's archive of old blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveStatus {
    /// Where it is, if the configuration says so.
    pub directory: Option<std::path::PathBuf>,
    /// Blocks up to this height are in it, proven, and need no longer be in the node's own store.
    pub archived: Height,
    /// Why nothing more is archived at the moment, or why it cannot be read.
    pub problem: Option<String>,
}

/// The state of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How far it has come.
    pub phase: Phase,
    /// Consensus epoch.
    pub epoch: u64,
    /// The view it is in.
    pub view: u64,
    /// The validator that leads the view.
    pub leader: [u8; 32],
    /// The last block it has executed; `None` before there is a state.
    pub height: Option<Height>,
    /// Time of that block.
    pub time: Option<Timestamp>,
    /// The network with every set of validators since genesis; the last is that of the epoch, or of one to come.
    pub sets: Vec<Network>,
    /// The other validators of the epoch, sorted by key.
    pub peers: Vec<PeerStatus>,
    /// Others that were heard since the start, sorted by key: validators to be, that follow already, and former ones.
    pub followers: Vec<PeerStatus>,
    /// Contradictory votes seen since the start, by signer's key.
    pub misbehaviour: BTreeMap<[u8; 32], u64>,
    /// Stored records found damaged.
    pub damage: Vec<String>,
    /// How the archive of old blocks is, if the node has or had one.
    pub archive: Option<ArchiveStatus>,
}

/// A peer counts as connected for so long after it was heard; it says something every second.
pub const CONNECTED_MS: u64 = 5_000;

#[derive(Clone, Copy, Default)]
struct Heard {
    at: Timestamp,
    height: Option<Height>,
    view: u64,
    clock_skew_ms: i64,
}

struct Inner {
    phase: Phase,
    empty: bool,
    epoch: u64,
    view: u64,
    heard: BTreeMap<[u8; 32], Heard>,
    misbehaviour: BTreeMap<[u8; 32], u64>,
    /// Of the epoch, sorted by key.
    validators: Vec<Validator>,
    addresses: BTreeMap<[u8; 32], String>,
}

/// Where the parts of the engine note what they see.
#[derive(Clone)]
pub(crate) struct Board {
    me: [u8; 32],
    inner: Arc<Mutex<Inner>>,
}

impl Board {
    pub fn new(validators: Vec<Validator>, addresses: BTreeMap<[u8; 32], String>, me: [u8; 32]) -> Self {
        let inner = Inner {
            phase: Phase::Starting,
            empty: false,
            epoch: 0,
            view: 1,
            heard: BTreeMap::new(),
            misbehaviour: BTreeMap::new(),
            validators,
            addresses,
        };
        Self { me, inner: Arc::new(Mutex::new(inner)) }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().expect("never panics while held"))
    }

    /// An epoch begins with these validators.
    pub fn begin(&self, epoch: u64, validators: Vec<Validator>, addresses: BTreeMap<[u8; 32], String>) {
        self.with(|inner| {
            if epoch > inner.epoch {
                (inner.epoch, inner.view) = (epoch, 1);
            }
            (inner.validators, inner.addresses) = (validators, addresses);
        });
    }

    /// Peers that have executed a height, as far as they said.
    pub fn peers_at(&self, height: Height) -> Vec<[u8; 32]> {
        self.with(|inner| {
            let there = inner.heard.iter().filter(|(_, heard)| heard.height.is_some_and(|at| at >= height));
            there.map(|(peer, _)| *peer).collect()
        })
    }

    pub fn set_phase(&self, phase: Phase) {
        self.with(|inner| inner.phase = phase);
    }

    /// Whether the node is still starting.
    pub fn is_starting(&self) -> bool {
        self.with(|inner| inner.phase == Phase::Starting)
    }

    /// The node has an empty store.
    pub fn set_empty(&self) {
        self.with(|inner| inner.empty = true);
    }

    pub fn is_empty(&self) -> bool {
        self.with(|inner| inner.empty)
    }

    /// Whether all other validators have said that they have nothing either: a new network.
    pub fn all_empty(&self) -> bool {
        self.with(|inner| {
            let said = |key: &[u8; 32]| inner.heard.get(key).is_some_and(|heard| heard.height == Some(0));
            inner.validators.iter().all(|it| it.public_key == self.me || said(&it.public_key))
        })
    }

    pub fn view(&self) -> u64 {
        self.with(|inner| inner.view)
    }

    /// A peer said how far it is.
    pub fn heard(&self, peer: [u8; 32], at: Timestamp, height: Option<Height>, view: u64, clock_skew_ms: i64) {
        self.with(|inner| inner.heard.insert(peer, Heard { at, height, view, clock_skew_ms }));
    }

    /// A peer said something else.
    pub fn seen(&self, peer: [u8; 32], at: Timestamp) {
        self.with(|inner| inner.heard.entry(peer).or_default().at = at);
    }

    fn entered(&self, epoch: u64, view: u64) {
        self.with(|inner| {
            if (epoch, view) > (inner.epoch, inner.view) {
                (inner.epoch, inner.view) = (epoch, view);
            }
        });
    }

    fn misbehaved(&self, epoch: u64, signer: u32, view: u64, what: &str) {
        tracing::warn!(epoch, signer, view, what, "a validator signed contradictory votes");
        self.with(|inner| {
            // Votes of another epoch are not counted under a wrong name.
            let signer = inner.validators.get(signer as usize).filter(|_| epoch == inner.epoch).map(|it| it.public_key);
            if let Some(signer) = signer {
                *inner.misbehaviour.entry(signer).or_default() += 1;
            }
        });
    }

    /// The board's part of a status at `now`.
    pub fn read(&self, now: Timestamp) -> Status {
        self.with(|inner| {
            let peer = |key: &[u8; 32]| {
                let heard = inner.heard.get(key).copied();
                let Heard { at, height, view, clock_skew_ms } = heard.unwrap_or_default();
                PeerStatus {
                    public_key: *key,
                    address: inner.addresses.get(key).cloned().unwrap_or_default(),
                    last_seen: heard.map(|_| at),
                    connected: heard.is_some() && now.saturating_sub(at) < CONNECTED_MS,
                    height,
                    view,
                    clock_skew_ms,
                }
            };
            let validators: Vec<[u8; 32]> = inner.validators.iter().map(|it| it.public_key).collect();
            let peers = validators.iter().filter(|key| **key != self.me).map(peer).collect();
            let followers = inner.heard.keys().filter(|key| !validators.contains(key)).map(peer).collect();
            Status {
                phase: inner.phase,
                epoch: inner.epoch,
                view: inner.view,
                leader: leader(&inner.validators, inner.epoch, inner.view),
                height: None,
                time: None,
                sets: Vec::new(),
                peers,
                followers,
                misbehaviour: inner.misbehaviour.clone(),
                damage: Vec::new(),
                archive: None,
            }
        })
    }
}

/// Leaders take turns in the order of their keys.
fn leader(validators: &[Validator], epoch: u64, view: u64) -> [u8; 32] {
    let index = epoch.wrapping_add(view) % validators.len() as u64;
    validators[index as usize].public_key
}

impl Reporter for Board {
    type Activity = Activity<Scheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        use commonware_consensus::simplex::types::Attributable as _;
        match &activity {
            Activity::Notarization(it) => self.entered(it.proposal.epoch().get(), it.proposal.view().get() + 1),
            Activity::Finalization(it) => self.entered(it.proposal.epoch().get(), it.proposal.view().get() + 1),
            Activity::Nullification(it) => self.entered(it.epoch().get(), it.view().get() + 1),
            Activity::ConflictingNotarize(it) => {
                self.misbehaved(it.epoch().get(), usize::from(it.signer()) as u32, it.view().get(), "two proposals")
            }
            Activity::ConflictingFinalize(it) => {
                self.misbehaved(it.epoch().get(), usize::from(it.signer()) as u32, it.view().get(), "two blocks")
            }
            Activity::NullifyFinalize(it) => {
                let (epoch, signer) = (it.epoch().get(), usize::from(it.signer()) as u32);
                self.misbehaved(epoch, signer, it.view().get(), "to skip and to finalise")
            }
            _ => {}
        }
        Feedback::Ok
    }
}
