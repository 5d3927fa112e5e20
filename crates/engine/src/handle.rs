//! How the node talks to a running engine.

use std::sync::Arc;

use bytes::Bytes;
use commonware_macros::select;
use commonware_utils::channel::{mpsc, oneshot};
use zhulian_ledger::{Key, Value};
use zhulian_primitives::{Block, Certificate, Handover, Header, Height};

use crate::{Error, Status, chain::Chain, gossip::GOSSIP_BYTES_MAX};

/// A state value with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// The header whose `state_root` the proof leads to.
    pub header: Header,
    /// The value; `None` proves that there is none.
    pub value: Option<Value>,
    /// For [`verify_state_proof`](crate::verify_state_proof).
    pub proof: Vec<u8>,
}

/// Proof that a block is final: the headers from it up to a certified one, and that one's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finality {
    /// Headers in order of height, each the parent of the next; the first is the block's, the last is certified.
    pub headers: Vec<Header>,
    /// Certificate of the last header.
    pub certificate: Certificate,
    /// How the validators of genesis handed over to those that signed it.
    pub handovers: Vec<Handover>,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A question to the engine's reading task.
pub(crate) enum Query {
    Block(Height, Reply<Arc<Block>>),
    Finality(Height, Reply<Finality>),
    Get(Vec<Key>, Reply<(Header, Vec<Option<Value>>)>),
    Prove(Key, Reply<StateProof>),
    Status(Reply<Status>),
    Metrics(Reply<String>),
}

impl Query {
    /// Whether whoever asked has gone.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Block(_, reply) => reply.is_closed(),
            Self::Finality(_, reply) => reply.is_closed(),
            Self::Get(_, reply) => reply.is_closed(),
            Self::Prove(_, reply) => reply.is_closed(),
            Self::Status(reply) => reply.is_closed(),
            Self::Metrics(reply) => reply.is_closed(),
        }
    }
}

/// A running engine, from any thread and any asynchronous runtime.
#[derive(Clone)]
pub struct Handle {
    pub(crate) queries: mpsc::Sender<Query>,
    pub(crate) gossip: mpsc::Sender<Bytes>,
    pub(crate) chain: Arc<Chain>,
}

impl Handle {
    async fn ask<T>(&self, query: impl FnOnce(Reply<T>) -> Query) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.queries.send(query(reply)).await.map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)?
    }

    /// The last finalised block whose state is readable; `None` before there is one.
    pub fn tip(&self) -> Option<Arc<Block>> {
        self.chain.tip()
    }

    /// Waits until the tip is at `height` or above, and returns it.
    ///
    /// # Errors
    /// When the engine stops before.
    pub async fn reached(&self, height: Height) -> Result<Arc<Block>, Error> {
        select! {
            tip = self.chain.reached(height) => Ok(tip),
            _ = self.queries.closed() => Err(Error::Stopped),
        }
    }

    /// The finalised block at `height`, checked against its header.
    pub async fn block(&self, height: Height) -> Result<Arc<Block>, Error> {
        self.ask(|reply| Query::Block(height, reply)).await
    }

    /// Proof that the block at `height` is final.
    pub async fn certificate_for(&self, height: Height) -> Result<Finality, Error> {
        self.ask(|reply| Query::Finality(height, reply)).await
    }

    /// The values of `keys` in one finalised state, with that state's header.
    pub async fn get(&self, keys: Vec<Key>) -> Result<(Header, Vec<Option<Value>>), Error> {
        self.ask(|reply| Query::Get(keys, reply)).await
    }

    /// The value of `key` in the last finalised state, or its absence, with a proof.
    pub async fn prove(&self, key: Key) -> Result<StateProof, Error> {
        self.ask(|reply| Query::Prove(key, reply)).await
    }

    /// How the node and its peers are.
    pub async fn status(&self) -> Result<Status, Error> {
        self.ask(Query::Status).await
    }

    /// Metrics in Prometheus' text format.
    pub async fn metrics(&self) -> Result<String, Error> {
        self.ask(Query::Metrics).await
    }

    /// Sends bytes to all other validators, best effort. False when they were not even queued: too long, or too many wait.
    pub fn gossip(&self, bytes: Bytes) -> bool {
        bytes.len() <= GOSSIP_BYTES_MAX && self.gossip.try_send(bytes).is_ok()
    }

    /// Tells an idle proposer that transactions wait.
    pub fn wake(&self) {
        self.chain.wake.notify_waiters();
    }
}
