//! Fetching and serving the state for nodes that join: our resolver, since the shipped one takes only values of fixed size.
//!
//! [`Fetcher`] is what the state sync asks; [`Resolver`] carries requests to peers over the library's fetch engine, hands
//! their answers to those who asked, and answers peers from the attached state. Content is never trusted here: the
//! state sync verifies every answer against the root in a finalised header, and its verdict decides whether the peer is blocked.

use bytes::Bytes;
use commonware_codec::{Decode as _, Encode as _, EncodeSize as _};
use commonware_cryptography::{ed25519::PublicKey, sha256::Digest};
use commonware_glue::stateful::db::{AttachableResolver, Shared};
use commonware_macros::select_loop;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_resolver::{self as resolver, Delivery, Fetch, Resolver as _, p2p};
use commonware_runtime::{Clock, Handle, Metrics, Spawner};
use commonware_storage::qmdb::sync::{Feedback, Request as AnyRequest, Response as AnyResponse, Source, source};
use commonware_utils::{
    NZUsize, NonZeroDuration,
    channel::{mpsc, oneshot},
    futures::Pool,
};
use rand::rand_core::Rng;
use std::{cmp::Ordering, num::NonZeroU64, time::Duration};

use crate::state::{Family, Operation, OperationConfig};

type Request = AnyRequest<Family>;
type Response = AnyResponse<Family, Operation, Digest>;
/// An answer, and where to say whether it was good.
type Candidate = (Response, oneshot::Sender<bool>);

/// Operations asked for at once.
pub(crate) const OPERATIONS_PER_REQUEST: NonZeroU64 = commonware_utils::NZU64!(512);
/// Answers are cut to about this size, whatever was asked for.
pub(crate) const ANSWER_BYTES: usize = 2 << 20;
/// Requests of peers, and answers of peers, that wait for this node.
const QUEUE: usize = 256;
/// Requests of peers that are answered at the same time.
const READS: usize = 16;
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The resolver has stopped.
#[derive(Debug, thiserror::Error)]
#[error("the state resolver has stopped")]
pub(crate) struct Gone;

enum Command<DB> {
    Serve(Shared<DB>),
    Fetch(Request, mpsc::Sender<Candidate>),
}

/// Asks peers for parts of the state.
pub(crate) struct Fetcher<DB>(mpsc::UnboundedSender<Command<DB>>);

impl<DB> Clone for Fetcher<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<DB: Send + Sync> Source for Fetcher<DB> {
    type Family = Family;
    type Digest = Digest;
    type Op = Operation;
    type Error = Gone;

    async fn serve(&self, request: Request) -> source::Result<Self> {
        let (sender, mut candidates) = mpsc::channel(1);
        self.0.send(Command::Fetch(request, sender)).map_err(|_| Gone)?;
        let (response, verdict) = candidates.recv().await.ok_or(Gone)?;
        Ok((response, Some(Feedback::new(verdict, candidates))))
    }
}

impl<DB: Send + Sync + 'static> AttachableResolver<DB> for Fetcher<DB> {
    async fn attach_database(&self, state: Shared<DB>) {
        let _ = self.0.send(Command::Serve(state));
    }
}

/// Who asked, told apart by number.
#[derive(Clone)]
struct Asker {
    id: u64,
    candidates: mpsc::Sender<Candidate>,
}

impl PartialEq for Asker {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Asker {}

impl PartialOrd for Asker {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Asker {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

/// A peer answered; the last is where to say whether it answered well.
type Answer = (Delivery<Request, Asker>, Bytes, oneshot::Sender<bool>);
/// A peer asks.
type Question = (Request, oneshot::Sender<Bytes>);

/// Carries the fetch engine's calls to the resolver's task.
#[derive(Clone)]
struct Relay {
    /// Not bounded, since there is at most one answer for each of our requests.
    answers: mpsc::UnboundedSender<Answer>,
    /// Bounded, since peers decide how many there are. A peer that gets no answer asks another.
    questions: mpsc::Sender<Question>,
}

impl resolver::Consumer for Relay {
    type Key = Request;
    type Value = Bytes;
    type Subscriber = Asker;
    type Outcome = bool;

    fn deliver(&mut self, delivery: Delivery<Request, Asker>, value: Bytes) -> oneshot::Receiver<bool> {
        let (verdict, receiver) = oneshot::channel();
        let _ = self.answers.send((delivery, value, verdict));
        receiver
    }
}

impl p2p::Producer for Relay {
    type Key = Request;

    fn produce(&mut self, key: Request) -> oneshot::Receiver<Bytes> {
        let (answer, receiver) = oneshot::channel();
        let _ = self.questions.try_send((key, answer));
        receiver
    }
}

/// What the resolver needs.
pub(crate) struct Config<D, B> {
    pub me: PublicKey,
    pub provider: D,
    pub blocker: B,
    pub fetch_timeout: NonZeroDuration,
    pub operation: OperationConfig,
}

/// Starts the resolver on its channel.
pub(crate) fn start<E, DB, D, B>(
    context: E,
    config: Config<D, B>,
    channel: (impl Sender<PublicKey = PublicKey>, impl Receiver<PublicKey = PublicKey>),
) -> (Fetcher<DB>, Handle<()>)
where
    E: Clock + Spawner + Rng + Metrics,
    DB: Send + Sync + 'static,
    Shared<DB>: Source<Family = Family, Op = Operation, Digest = Digest>,
    D: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let (sender, commands) = mpsc::unbounded_channel();
    let handle = context.spawn(move |context| run(context, config, channel, commands));
    (Fetcher(sender), handle)
}

async fn run<E, DB, D, B>(
    context: E,
    config: Config<D, B>,
    channel: (impl Sender<PublicKey = PublicKey>, impl Receiver<PublicKey = PublicKey>),
    mut commands: mpsc::UnboundedReceiver<Command<DB>>,
) where
    E: Clock + Spawner + Rng + Metrics,
    DB: Send + Sync + 'static,
    Shared<DB>: Source<Family = Family, Op = Operation, Digest = Digest>,
    D: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let (answered, mut answers) = mpsc::unbounded_channel();
    let (asked, mut questions) = mpsc::channel(QUEUE);
    let relay = Relay { answers: answered, questions: asked };
    let (engine, mut fetches) = p2p::Engine::new(
        context.child("fetch"),
        p2p::Config {
            peer_provider: config.provider,
            blocker: config.blocker,
            consumer: relay.clone(),
            producer: relay,
            mailbox_size: NZUsize!(QUEUE),
            me: Some(config.me),
            fetch_timeout: config.fetch_timeout,
            fetch_retry_delay: RETRY_DELAY,
            priority_requests: false,
            priority_responses: false,
        },
    );
    let mut engine = engine.start(channel);
    let mut state: Option<Shared<DB>> = None;
    let mut next_id = 0;
    // Ends of fetches nobody waits for any more, and answers being read from our state.
    let mut ended: Pool<'static, u64> = Pool::default();
    let mut reads: Pool<'static, ()> = Pool::default();

    select_loop! {
        context,
        on_start => {
            let full = reads.len() >= READS;
        },
        on_stopped => {},
        _ = &mut engine => break,
        id = ended.next_completed() => {
            fetches.retain(move |_, asker: &Asker| asker.id != id);
        },
        _ = reads.next_completed() => {},
        Some(command) = commands.recv() else break => match command {
            Command::Serve(database) => state = Some(database),
            Command::Fetch(key, candidates) => {
                let id = next_id;
                next_id += 1;
                fetches.fetch(Fetch {
                    key,
                    subscriber: Asker { id, candidates: candidates.clone() },
                    span: tracing::Span::none(),
                });
                ended.push(async move {
                    candidates.closed().await;
                    id
                });
            },
        },
        Some((delivery, value, verdict)) = answers.recv() else break => {
            hand_over(delivery, value, verdict, &config.operation);
        },
        question = async { if full { futures::future::pending().await } else { questions.recv().await } } => {
            let Some((key, answer)) = question else { break };
            if let Some(state) = state.clone() {
                reads.push(async move {
                    if let Some(response) = read(&state, key).await {
                        let _ = answer.send(response.encode());
                    }
                });
            }
        },
    }
}

/// Gives a peer's answer to who asked for it. Each request of the state sync is its own, so one asker judges for all.
fn hand_over(delivery: Delivery<Request, Asker>, value: Bytes, verdict: oneshot::Sender<bool>, operation: &OperationConfig) {
    let key = delivery.key;
    let mut askers =
        delivery.subscribers.into_vec().into_iter().map(|(asker, _)| asker).filter(|a| !a.candidates.is_closed());
    let Some(first) = askers.next() else { return };
    let decoded = Response::decode_cfg(value, &(key.max_ops().get() as usize, *operation)).ok();
    let fitting = decoded.filter(|response| {
        matches!(
            (&key, response),
            (Request::Operations { .. }, Response::Operations { .. })
                | (Request::Boundary { .. }, Response::Boundary { .. })
        )
    });
    let Some(response) = fitting else {
        let _ = verdict.send(false);
        return;
    };
    for asker in askers {
        let _ = asker.candidates.try_send((response.clone(), oneshot::channel().0));
    }
    let _ = first.candidates.try_send((response, verdict));
}

/// Answers a peer from our state, with as many operations as fit.
async fn read<DB>(state: &Shared<DB>, key: Request) -> Option<Response>
where
    Shared<DB>: Source<Family = Family, Op = Operation, Digest = Digest>,
{
    let Request::Operations { size, start, max_ops } = key else {
        return state.serve(key).await.ok().map(|(response, _)| response);
    };
    let mut count = max_ops.min(OPERATIONS_PER_REQUEST);
    loop {
        let (response, _) = state.serve(Request::Operations { size, start, max_ops: count }).await.ok()?;
        if response.encode_size() <= ANSWER_BYTES || count.get() == 1 {
            return Some(response);
        }
        count = NonZeroU64::new(count.get().div_ceil(4)).expect("at least one");
    }
}
