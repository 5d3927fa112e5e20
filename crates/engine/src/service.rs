//! Answers the node's questions from the finalised state and the archive.

use std::sync::{Arc, OnceLock};

use commonware_cryptography::sha256::Digest;
use commonware_macros::select_loop;
use commonware_parallel::Strategy;
use commonware_runtime::{Metrics, Spawner};
use commonware_storage::Context;
use commonware_utils::{channel::mpsc, futures::Pool};
use tokio::sync::Semaphore;
use zhulian_ledger::{Key, Value};
use zhulian_primitives::{Block, Header};

use crate::{
    Corrupt, Error, Finality, StateProof, Status,
    archive::{Damage, place},
    certificate::certificate,
    clock,
    handle::Query,
    reader::Reader,
    sets::Sets,
    state::{self, Databases, verify_state_proof},
    status::Board,
};

/// Questions answered at the same time.
const CONCURRENT: usize = 64;
/// Questions for old blocks answered at the same time, beside the others, which so never wait for the archive's disk.
const CONCURRENT_OLD: usize = 8;
/// Questions that are answered or wait for their turn; the next ones wait outside.
const WAITING: usize = 2_048;
/// Headers in a proof of finality at most; blocks are certified singly or a few at a time.
const HEADERS_MAX: u64 = 1_024;

/// The state, once there is one.
pub(crate) type Opened<E, S> = Arc<OnceLock<Databases<E, S>>>;

/// What the service reads from.
pub(crate) struct Service<E: Context + Spawner, S: Strategy> {
    pub reader: Reader<E>,
    pub state: Opened<E, S>,
    pub board: Board,
    pub damage: Damage,
    pub sets: Sets,
    pub clock_skew_ms: i64,
}

/// Whose turn it is, in the order in which they came.
struct Turns {
    others: Semaphore,
    old: Semaphore,
}

/// Answers until the engine stops.
pub(crate) async fn run<E, S>(context: E, service: Service<E, S>, mut queries: mpsc::Receiver<Query>)
where
    E: Context + Spawner + Metrics,
    S: Strategy,
{
    let service = Arc::new(service);
    let turns = Arc::new(Turns { others: Semaphore::new(CONCURRENT), old: Semaphore::new(CONCURRENT_OLD) });
    let mut pending: Pool<'static, ()> = Pool::default();
    let context = Arc::new(context);
    select_loop! {
        context,
        on_start => {
            let full = pending.len() >= WAITING;
        },
        on_stopped => {},
        _ = pending.next_completed() => {},
        query = async {
            if full { futures::future::pending().await } else { queries.recv().await }
        } => {
            let Some(query) = query else { break };
            // Waits for nothing: who asks learns from it how the rest is.
            if let Query::Status(_) = query {
                service.answer(&*context, query).await;
                continue;
            }
            let (service, context, turns) = (service.clone(), context.clone(), turns.clone());
            pending.push(async move {
                let turns = if service.is_old(&query) { &turns.old } else { &turns.others };
                let Ok(_turn) = turns.acquire().await else { return };
                if !query.is_closed() {
                    service.answer(&*context, query).await;
                }
            });
        },
    }
}

impl<E, S> Service<E, S>
where
    E: Context + Spawner + Metrics,
    S: Strategy,
{
    fn is_old(&self, query: &Query) -> bool {
        match query {
            Query::Block(height, _) | Query::Finality(height, _) => self.reader.is_old(*height),
            _ => false,
        }
    }

    async fn answer(&self, context: &E, query: Query) {
        // Who asked may have gone; then the answer is for nobody.
        match query {
            Query::Block(height, reply) => drop(reply.send(self.block(height).await)),
            Query::Finality(height, reply) => drop(reply.send(self.finality(height).await)),
            Query::Get(keys, reply) => drop(reply.send(self.get(keys).await)),
            Query::Prove(key, reply) => drop(reply.send(self.prove(key).await)),
            Query::Status(reply) => drop(reply.send(Ok(self.status(clock::now(context, self.clock_skew_ms))))),
            Query::Metrics(reply) => drop(reply.send(Ok(context.encode()))),
        }
    }

    async fn block(&self, height: u64) -> Result<Arc<Block>, Error> {
        match self.reader.block(height).await {
            Some(block) => Ok(block),
            None => Err(self.absent("block", height)),
        }
    }

    fn absent(&self, what: &str, height: u64) -> Error {
        let place = place(what, height);
        if self.damage.contains(&place) {
            return Corrupt { what: "a stored record fails its checksum or its digest".into(), place }.into();
        }
        match height > 0 && height < self.reader.retention.floor() {
            true => Error::Archived(height),
            false => Error::NoBlock(height),
        }
    }

    async fn finality(&self, height: u64) -> Result<Finality, Error> {
        let tip = self.reader.chain.height().ok_or(Error::NotReady)?;
        let mut headers: Vec<Header> = Vec::new();
        for at in height..=tip.min(height.saturating_add(HEADERS_MAX)) {
            let header = self.block(at).await?.header.clone();
            let linked = headers.last().is_none_or(|parent| parent.digest() == header.parent);
            if !linked {
                return Err(
                    Corrupt { what: "a block does not name its predecessor".into(), place: place("block", at) }.into()
                );
            }
            headers.push(header);
            let Some(finalization) = self.reader.certificate(at).await else {
                if self.damage.contains(&place("certificate", at)) && at == tip {
                    return Err(self.absent("certificate", at));
                }
                continue;
            };
            let certificate = certificate(&finalization);
            if headers.last().map(Header::digest) != Some(certificate.block) {
                return Err(
                    Corrupt { what: "a certificate is for another block".into(), place: place("certificate", at) }.into()
                );
            }
            let handovers = self.sets.handovers(certificate.epoch);
            return Ok(Finality { headers, certificate, handovers });
        }
        Err(Error::NoBlock(height))
    }

    fn opened(&self) -> Result<Databases<E, S>, Error> {
        self.state.get().cloned().ok_or(Error::NotReady)
    }

    /// The header whose state is the one that is open, given its root.
    fn header(&self, root: Digest) -> Result<Header, Error> {
        let genesis = self.reader.chain.tip().filter(|tip| tip.header.height == 0);
        let header = self.reader.chain.header_of(&root.0).or(genesis.map(|tip| tip.header.clone()));
        header.ok_or_else(|| {
            Corrupt { what: "the state has a root that no finalised block states".into(), place: hex::encode(root.0) }.into()
        })
    }

    async fn get(&self, keys: Vec<Key>) -> Result<(Header, Vec<Option<Value>>), Error> {
        let databases = self.opened()?;
        let state = databases.read().await;
        let header = self.header(state.root())?;
        let keys: Vec<Digest> = keys.into_iter().map(Digest).collect();
        let references: Vec<&Digest> = keys.iter().collect();
        let values = state.get_many(&references).await.map_err(|error| Corrupt {
            what: format!("state values cannot be read ({error})"),
            place: format!("state at height {}", header.height),
        })?;
        Ok((header, values.into_iter().map(|value| value.map(|value| value.to_vec())).collect()))
    }

    async fn prove(&self, key: Key) -> Result<StateProof, Error> {
        let databases = self.opened()?;
        let state = databases.read().await;
        let header = self.header(state.root())?;
        let place = || format!("key {} at height {}", hex::encode(key), header.height);
        let (value, proof) = state::prove(&state, &key)
            .await
            .map_err(|error| Corrupt { what: format!("the state cannot be read ({error})"), place: place() })?;
        // Before anybody else looks at it.
        if header.height > 0 && !verify_state_proof(&header.state_root, &key, value.as_deref(), &proof) {
            return Err(Corrupt {
                what: "the stored state does not lead to the root that was finalised".into(),
                place: place(),
            }
            .into());
        }
        Ok(StateProof { header, value, proof })
    }

    fn status(&self, now: u64) -> Status {
        let tip = self.reader.chain.tip();
        Status {
            height: tip.as_ref().map(|tip| tip.header.height),
            time: tip.as_ref().map(|tip| tip.header.time),
            damage: self.damage.places(),
            archive: self.reader.archive(),
            sets: self.sets.networks(),
            ..self.board.read(now)
        }
    }
}
