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
use zhulian_primitives::{Height, Timestamp};

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
    /// The last block it has executed; 0 while it is not known.
    pub height: Height,
    /// Its view.
    pub view: u64,
    /// Its clock minus this node's, in milliseconds, not counting the way of the message.
    pub clock_skew_ms: i64,
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
    /// The last height its observer was given.
    pub observed: Height,
    /// The other validators, sorted by key.
    pub peers: Vec<PeerStatus>,
    /// Contradictory votes seen, by signer's index in the sorted validators.
    pub misbehaviour: BTreeMap<u32, u64>,
    /// Stored records found damaged.
    pub damage: Vec<String>,
}

/// A peer counts as connected for so long after it was heard; it says something every second.
const CONNECTED_MS: u64 = 5_000;

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
    misbehaviour: BTreeMap<u32, u64>,
}

/// Where the parts of the engine note what they see.
#[derive(Clone)]
pub(crate) struct Board {
    /// Validators sorted by key.
    validators: Arc<Vec<crate::Peer>>,
    me: [u8; 32],
    inner: Arc<Mutex<Inner>>,
}

impl Board {
    pub fn new(validators: Vec<crate::Peer>, me: [u8; 32]) -> Self {
        let inner = Inner {
            phase: Phase::Starting,
            empty: false,
            epoch: 0,
            view: 1,
            heard: BTreeMap::new(),
            misbehaviour: BTreeMap::new(),
        };
        Self { validators: Arc::new(validators), me, inner: Arc::new(Mutex::new(inner)) }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().expect("never panics while held"))
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
            inner.heard.len() + 1 == self.validators.len() && inner.heard.values().all(|heard| heard.height == Some(0))
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

    fn misbehaved(&self, signer: u32, view: u64, what: &str) {
        tracing::warn!(signer, view, what, "a validator signed contradictory votes");
        self.with(|inner| *inner.misbehaviour.entry(signer).or_default() += 1);
    }

    /// The board's part of a status at `now`.
    pub fn read(&self, now: Timestamp) -> Status {
        self.with(|inner| {
            let peers = self.validators.iter().filter(|peer| peer.public_key != self.me).map(|peer| {
                let heard = inner.heard.get(&peer.public_key).copied();
                let Heard { at, height, view, clock_skew_ms } = heard.unwrap_or_default();
                PeerStatus {
                    public_key: peer.public_key,
                    address: peer.address.clone(),
                    last_seen: heard.map(|_| at),
                    connected: heard.is_some() && now.saturating_sub(at) < CONNECTED_MS,
                    height: height.unwrap_or_default(),
                    view,
                    clock_skew_ms,
                }
            });
            Status {
                phase: inner.phase,
                epoch: inner.epoch,
                view: inner.view,
                leader: leader(&self.validators, inner.epoch, inner.view),
                height: None,
                time: None,
                observed: 0,
                peers: peers.collect(),
                misbehaviour: inner.misbehaviour.clone(),
                damage: Vec::new(),
            }
        })
    }
}

/// Leaders take turns in the order of their keys.
fn leader(validators: &[crate::Peer], epoch: u64, view: u64) -> [u8; 32] {
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
                self.misbehaved(usize::from(it.signer()) as u32, it.view().get(), "two proposals")
            }
            Activity::ConflictingFinalize(it) => {
                self.misbehaved(usize::from(it.signer()) as u32, it.view().get(), "two blocks")
            }
            Activity::NullifyFinalize(it) => {
                self.misbehaved(usize::from(it.signer()) as u32, it.view().get(), "to skip and to finalise")
            }
            _ => {}
        }
        Feedback::Ok
    }
}
