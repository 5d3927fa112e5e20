//! When a leader builds, and that a node which stands at a block that it cannot execute is asked for nothing more.
//!
//! The wait is before the build and not in it: a node that builds applies no finalised block, so a leader that waited inside would learn last
//! what is final, and its clients with it.

use std::sync::Arc;

use commonware_consensus::{Automaton, CertifiableAutomaton, Handoff, simplex::types::Context, types::Round};
use commonware_cryptography::{ed25519::PublicKey, sha256::Digest};
use commonware_macros::select;
use commonware_runtime::{Clock, Spawner};
use commonware_utils::channel::oneshot;

use crate::{Pace, Transactions, chain::Chain, clock};

/// What decides when it is time for a block.
pub(crate) struct Pacer {
    pub pace: Pace,
    pub clock_skew_ms: i64,
    pub chain: Arc<Chain>,
    pub transactions: Arc<dyn Transactions>,
    pub genesis: Digest,
}

impl Pacer {
    /// Waits until a transaction waits and the block interval is over, or the heartbeat is.
    async fn wait(&self, clock: &impl Clock, parent: Digest) {
        let now = || clock::now(clock, self.clock_skew_ms);
        // Not longer than the full time from now, whatever clock the parent's proposer had.
        let from = self.chain.time_of(&parent.0).map_or_else(now, |time| time.min(now()));
        let after = |time: std::time::Duration| from.saturating_add(time.as_millis() as u64);
        let earliest = after(self.pace.block_interval);
        // The genesis state should be readable soon.
        let latest = if parent == self.genesis { earliest } else { after(self.pace.heartbeat) };
        loop {
            // Made before the question, so that what comes between is not missed.
            let woken = self.chain.wake.notified();
            let until = if self.transactions.waiting() { earliest } else { latest };
            if now() >= until {
                return;
            }
            select! {
                _ = clock.sleep_until(clock::moment(until, self.clock_skew_ms)) => {},
                _ = woken => {},
            }
        }
    }
}

/// An automaton that is asked to build when it is time.
pub(crate) struct Paced<E, A> {
    context: Arc<E>,
    inner: A,
    pacer: Arc<Pacer>,
}

impl<E, A> Paced<E, A> {
    pub fn new(context: E, inner: A, pacer: Pacer) -> Self {
        Self { context: Arc::new(context), inner, pacer: Arc::new(pacer) }
    }

    fn stands(&self) -> bool {
        self.pacer.chain.stands()
    }
}

impl<E: Spawner, A> Paced<E, A> {
    /// An answer that does not come. The state's actor waits at the block for ever and would only pile up the questions.
    fn never(&self) -> oneshot::Receiver<bool> {
        let (mut sender, receiver) = oneshot::channel();
        self.context.child("standing").spawn(move |_| async move { sender.closed().await });
        receiver
    }
}

impl<E, A: Clone> Clone for Paced<E, A> {
    fn clone(&self) -> Self {
        Self { context: self.context.clone(), inner: self.inner.clone(), pacer: self.pacer.clone() }
    }
}

impl<E, A> Automaton for Paced<E, A>
where
    E: Spawner + Clock,
    A: Automaton<Context = Context<Digest, PublicKey>, Digest = Digest>,
{
    type Context = Context<Digest, PublicKey>;
    type Digest = Digest;

    #[allow(clippy::async_yields_async)]
    async fn propose(&mut self, request: Self::Context) -> oneshot::Receiver<Digest> {
        let (mut sender, receiver) = oneshot::channel();
        if self.stands() {
            // Others need not wait for this leader.
            return receiver;
        }
        let (mut inner, pacer) = (self.inner.clone(), self.pacer.clone());
        self.context.child("propose").spawn(move |context| async move {
            // Consensus drops its end when the view is over; then there is nothing to build for.
            select! {
                _ = sender.closed() => return,
                _ = pacer.wait(&context, request.parent.1) => {},
            }
            let built = inner.propose(request).await;
            select! {
                _ = sender.closed() => {},
                digest = built => {
                    if let Ok(digest) = digest {
                        let _ = sender.send(digest);
                    }
                },
            }
        });
        receiver
    }

    async fn verify(&mut self, request: Self::Context, digest: Digest) -> oneshot::Receiver<bool> {
        if self.stands() {
            return self.never();
        }
        self.inner.verify(request, digest).await
    }
}

impl<E, A> CertifiableAutomaton for Paced<E, A>
where
    E: Spawner + Clock,
    A: CertifiableAutomaton<Context = Context<Digest, PublicKey>, Digest = Digest>,
{
    async fn prepare(&mut self, request: Self::Context) -> oneshot::Receiver<Handoff<Digest>> {
        self.inner.prepare(request).await
    }

    async fn certify(&mut self, round: Round, digest: Digest) -> oneshot::Receiver<bool> {
        if self.stands() {
            return self.never();
        }
        self.inner.certify(round, digest).await
    }
}
