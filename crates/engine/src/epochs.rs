//! One consensus engine after the other: an epoch ends with a block, whose state says who the validators of the next are.
//!
//! A node whose key is not among an epoch's validators runs the engine without voting and so follows. A node that missed the end of an
//! epoch asks others for that block's certificate, one epoch after the other, until it has come to the present one.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use commonware_consensus::{
    CertifiableAutomaton, Epochable as _, Relay, Reporter, Reporters,
    simplex::{
        self, SkipBudget,
        config::{Floor, ForwardPolicy, SkipPolicy},
        elector::RoundRobin,
        scheme::ed25519::Scheme,
        types::{Activity, Context},
    },
    types::{Epoch, ViewDelta},
};
use commonware_cryptography::{
    Sha256,
    certificate::{Provider as _, Scheme as _},
    ed25519::PublicKey,
    sha256::Digest,
};
use commonware_macros::select;
use commonware_p2p::{
    Blocker, Receiver, Sender,
    utils::mux::{MuxHandle, Muxer, SubReceiver, SubSender},
};
use commonware_parallel::Strategy;
use commonware_runtime::{Handle as Task, buffer::paged::CacheRef};
use commonware_utils::{NZUsize, NonZeroDuration, vec::NonEmptyVec};
use zhulian_ledger::{Machine, Seat};
use zhulian_primitives::{Handover, Header, Network, Validator};

use crate::{
    Peer, Timeouts,
    certificate::{Finalization, certificate},
    keys,
    pace::Paced,
    reader::Reader,
    service::Opened,
    sets::{Sets, Store},
    status::Board,
    wiring::{self, Runtime},
};

/// How often the node looks whether it is behind and whether others are to be let in.
const LOOK: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_millis(20);
/// Former sets whose validators may go on following.
const FORMER_SETS: usize = 8;

/// Who is to be connected: the epoch's validators, and those that only follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connected {
    /// The validators.
    pub validators: Vec<Peer>,
    /// Others: validators to be, former ones, and those that the configuration names.
    pub followers: Vec<Peer>,
}

/// Told whom to connect, whenever that changes.
pub type Connect = Box<dyn FnMut(Connected) + Send>;

/// What the orchestration works with.
pub(crate) struct Epochs<E: Runtime, S: Strategy, A, B> {
    pub prefix: String,
    pub epoch_blocks: u64,
    pub sets: Sets,
    pub store: Store<E>,
    /// Where a node that fetches the state begins.
    pub floor: Option<Finalization>,
    pub genesis: Digest,
    pub reader: Reader<E>,
    pub state: Opened<E, S>,
    pub machine: Arc<dyn Machine>,
    pub board: Board,
    pub connect: Connect,
    /// Addresses from the configuration.
    pub configured: BTreeMap<[u8; 32], String>,
    /// All that are known: the state's count where the configuration has none.
    pub addresses: BTreeMap<[u8; 32], String>,
    pub application: A,
    pub automaton: Paced<E, A>,
    pub blocker: B,
    pub strategy: S,
    pub timeouts: Timeouts,
    pub fetch_timeout: NonZeroDuration,
    pub page_cache: CacheRef,
}

/// Votes, certificates and resolutions of one epoch.
type Channels<Sn> = [(SubSender<Sn>, SubReceiver<PublicKey>); 3];

/// An epoch's engine, which ends when it is dropped.
struct Running(Task<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<E, S, A, B> Epochs<E, S, A, B>
where
    E: Runtime,
    S: Strategy,
    A: CertifiableAutomaton<Context = Context<Digest, PublicKey>, Digest = Digest>
        + Relay<Digest = Digest, PublicKey = PublicKey, Plan = simplex::Plan<PublicKey>>
        + Reporter<Activity = Activity<Scheme, Digest>>,
    B: Blocker<PublicKey = PublicKey>,
{
    /// Goes from epoch to epoch until the node stops.
    pub async fn run<Sn, Rc>(mut self, context: E, channels: [(Sn, Rc); 3])
    where
        Sn: Sender<PublicKey = PublicKey>,
        Rc: Receiver<PublicKey = PublicKey>,
    {
        let mut muxers = Vec::new();
        for ((sender, receiver), name) in channels.into_iter().zip(["votes", "certificates", "resolutions"]) {
            let (muxer, handle) = Muxer::new(context.child("mux").with_attribute("channel", name), sender, receiver);
            muxer.start();
            muxers.push(handle);
        }
        let Some((mut epoch, mut floor)) = self.beginning(&context).await else { return };
        let Some(mut own) = register(&mut muxers, epoch).await else { return };
        let mut connected = Connected::default();
        let chain = self.reader.chain.clone();
        loop {
            let network = self.sets.network(epoch).expect("an epoch is entered when its validators are known");
            self.meet(&network, &mut connected).await;
            self.board.begin(epoch, network.validators.clone(), self.addresses.clone());
            // Nobody votes in an epoch before the last one again.
            if let Some(over) = epoch.checked_sub(2) {
                let _ = context.remove(&format!("{}-votes-{over}", self.prefix), None).await;
            }
            // Others may be in the next epoch a moment earlier, and what they send then is kept.
            let Some(next) = register(&mut muxers, epoch + 1).await else { return };
            let mut running = self.start(&context, epoch, floor, own);
            let last = (epoch + 1).saturating_mul(self.epoch_blocks) - 1;
            loop {
                let mut shutdown = context.stopped();
                select! {
                    _ = &mut shutdown => return,
                    _ = &mut running.0 => {
                        tracing::error!(epoch, "consensus ended");
                        return;
                    },
                    _ = chain.reached(last) => break,
                    _ = context.sleep(LOOK) => {
                        self.meet(&network, &mut connected).await;
                        self.catch_up(last);
                    },
                }
            }
            let Some(header) = self.hand_over(&context, epoch, last, &network).await else { return };
            drop(running);
            self.sets.reach(epoch + 1);
            (epoch, floor, own) = (epoch + 1, Floor::Genesis(Digest(header.digest())), next);
        }
    }

    /// The epoch to begin with, and from where.
    async fn beginning(&mut self, context: &E) -> Option<(u64, Floor<Scheme, Digest>)> {
        if let Some(floor) = self.floor.take() {
            return Some((floor.epoch().get(), Floor::Finalized(floor)));
        }
        let chain = self.reader.chain.clone();
        let mut shutdown = context.stopped();
        let height = select! {
            _ = &mut shutdown => return None,
            tip = chain.reached(0) => tip.header.height,
        };
        let mut epoch = height / self.epoch_blocks;
        // A node that stopped before the end of an epoch was kept enters that epoch once more, and sees at once that it is over.
        while epoch > 0 && self.sets.network(epoch).is_none() {
            epoch -= 1;
        }
        if epoch == 0 {
            return Some((0, Floor::Genesis(self.genesis)));
        }
        let before = epoch * self.epoch_blocks - 1;
        if self.reader.block(before).await.is_none() {
            // This node fetched a state of this epoch and does not have the block before it yet.
            for height in (before + 1..=height).rev() {
                if let Some(finalization) = self.reader.certificate(height).await {
                    return Some((epoch, Floor::Finalized(finalization)));
                }
            }
        }
        let before = self.block(context, before).await?;
        Some((epoch, Floor::Genesis(Digest(before.digest()))))
    }

    /// The header of a block that this node has, or is about to have.
    async fn block(&mut self, context: &E, height: u64) -> Option<Header> {
        loop {
            if let Some(block) = self.reader.block(height).await {
                return Some(block.header.clone());
            }
            self.pause(context).await?;
        }
    }

    /// Waits a moment; `None` when the node stops.
    async fn pause(&mut self, context: &E) -> Option<()> {
        let mut shutdown = context.stopped();
        select! {
            _ = &mut shutdown => None,
            _ = context.sleep(RETRY) => Some(()),
        }
    }

    fn start<Sn>(&self, context: &E, epoch: u64, floor: Floor<Scheme, Digest>, channels: Channels<Sn>) -> Running
    where
        Sn: Sender<PublicKey = PublicKey>,
    {
        let scheme = self.sets.scheme(Epoch::new(epoch)).expect("an epoch is entered when its validators are known");
        let votes = scheme.me().and_then(|me| me.signer()).is_some();
        let engine = simplex::Engine::new(
            context.child("simplex").with_attribute("epoch", epoch),
            simplex::Config {
                scheme: scheme.as_ref().clone(),
                elector: RoundRobin::<Sha256>::default(),
                blocker: self.blocker.clone(),
                automaton: self.automaton.clone(),
                relay: self.application.clone(),
                reporter: Reporters::<_, Board>::from((self.application.clone(), self.board.clone())),
                strategy: self.strategy.clone(),
                partition: format!("{}-votes-{epoch}", self.prefix),
                mailbox_size: NZUsize!(wiring::MAILBOX),
                epoch: Epoch::new(epoch),
                // A node that synced must not vote again in views before its floor, in which it may have voted.
                floor,
                replay_buffer: NZUsize!(1 << 20),
                write_buffer: NZUsize!(64 << 10),
                page_cache: self.page_cache.clone(),
                leader_timeout: self.timeouts.leader,
                certification_timeout: self.timeouts.certification,
                timeout_retry: self.timeouts.leader,
                view_retention: ViewDelta::new(wiring::VIEW_RETENTION),
                skip: SkipPolicy::Enabled { timeout: self.timeouts.skip, budget: SkipBudget::Participants },
                fetch_timeout: self.fetch_timeout,
                fetch_retry_delay: wiring::FETCH_RETRY,
                forward: ForwardPolicy::SilentVoters,
                track_historical_votes: false,
            },
        );
        let [votes_channel, certificates, resolutions] = channels;
        tracing::info!(epoch, votes, "an epoch begins");
        Running(engine.start(votes_channel, certificates, resolutions))
    }

    /// What the state says of the validators to be.
    async fn seats(&mut self) -> Option<Vec<Seat>> {
        let key = self.machine.validators_key()?;
        let state = self.state.get()?;
        let value = state.read().await.get(&Digest(key)).await;
        match value {
            Ok(value) => self.machine.validators(&value?),
            Err(error) => {
                panic!("the validators cannot be read from the state ({error}); restore or wipe this node's directory")
            }
        }
    }

    /// Connects the epoch's validators and whoever else is to follow.
    async fn meet(&mut self, network: &Network, connected: &mut Connected) {
        let seats = self.seats().await.unwrap_or_default();
        for seat in &seats {
            let key = seat.validator.public_key;
            if !seat.address.is_empty() && !self.configured.contains_key(&key) {
                self.addresses.insert(key, seat.address.clone());
            }
        }
        let peer =
            |key: &[u8; 32]| self.addresses.get(key).map(|address| Peer { public_key: *key, address: address.clone() });
        let is_validator = |key: &[u8; 32]| network.validators.iter().any(|it| it.public_key == *key);
        let former = self.sets.networks();
        let former = former.iter().rev().take(FORMER_SETS).flat_map(|network| &network.validators);
        let mut others: Vec<[u8; 32]> = former.map(|it| it.public_key).collect();
        others.extend(seats.iter().map(|seat| seat.validator.public_key));
        others.extend(self.addresses.keys());
        others.retain(|key| !is_validator(key));
        others.sort_unstable();
        others.dedup();
        let now = Connected {
            validators: network.validators.iter().filter_map(|it| peer(&it.public_key)).collect(),
            followers: others.iter().filter_map(peer).collect(),
        };
        if now != *connected {
            for missing in network.validators.iter().filter(|it| peer(&it.public_key).is_none()) {
                tracing::warn!(validator = missing.name, "no address of this validator is known; it has to be configured");
            }
            (self.connect)(now.clone());
            *connected = now;
        }
    }

    /// Asks for the end of the epoch when others are past it.
    fn catch_up(&self, last: u64) {
        if self.reader.chain.height().is_some_and(|height| height >= last) {
            return;
        }
        let ahead: Vec<PublicKey> = self.board.peers_at(last).iter().filter_map(keys::public).collect();
        if let Ok(ahead) = NonEmptyVec::try_from(ahead) {
            tracing::info!(height = last, "others are in a later epoch; asking for the end of this one");
            self.reader.marshal.hint_finalized(wiring::height(last), ahead);
        }
    }

    /// Keeps who decides the next epoch, and gives the header of the last block of this one.
    async fn hand_over(&mut self, context: &E, epoch: u64, last: u64, network: &Network) -> Option<Header> {
        let header = self.block(context, last).await?;
        if header.validators == network.validators_digest() || self.sets.latest() > epoch {
            return Some(header);
        }
        // The tip may be there a moment before the state is open to readers.
        while self.state.get().is_none() {
            self.pause(context).await?;
        }
        // The state is that of this very block: without knowing the next validators the node takes no later block.
        let seats = self.seats().await.unwrap_or_default();
        let validators: Vec<Validator> = seats.into_iter().map(|seat| seat.validator).collect();
        let finalization = loop {
            if let Some(finalization) = self.reader.certificate(last).await {
                break finalization;
            }
            self.pause(context).await?;
        };
        let handover = Handover::new(&header, &certificate(&finalization), &validators);
        if let Err(error) = handover.follow(network) {
            panic!("the validators that the state names are not those that block {last} hands over to: {error}");
        }
        self.store.keep(&self.sets, Some(&handover)).await;
        self.sets.extend(handover).expect("just checked");
        tracing::info!(epoch = epoch + 1, count = validators.len(), "the validators change");
        Some(header)
    }
}

async fn register<Sn>(muxers: &mut [MuxHandle<Sn>], epoch: u64) -> Option<Channels<Sn>>
where
    Sn: Sender<PublicKey = PublicKey>,
{
    let mut channels = Vec::new();
    for muxer in muxers {
        channels.push(muxer.register(epoch).await.ok()?);
    }
    channels.try_into().ok()
}
