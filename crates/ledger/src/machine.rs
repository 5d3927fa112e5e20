//! The state transition as the engine sees it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use zhulian_crypto::{Digest, DigestState};
use zhulian_primitives::{ChainId, Header, Height, Protocol, Timestamp, Validator};

use crate::{Key, Value, Writes};

/// Bytes of one state value at most.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Bytes of a block's receipts at most, and so of one.
pub const RECEIPTS_BYTES_MAX: usize = 2 << 20;

/// What a block says about itself before it is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// The network.
    pub chain: ChainId,
    /// The block's height.
    pub height: Height,
    /// The block's time.
    pub time: Timestamp,
    /// Digest of the parent block; names the state that is built on.
    pub parent: Digest,
    /// The validator that proposes.
    pub proposer: [u8; 32],
}

impl From<&Header> for BlockContext {
    fn from(header: &Header) -> Self {
        let Header { chain, height, time, parent, proposer, .. } = *header;
        Self { chain, height, time, parent, proposer }
    }
}

/// A validator that takes its seat, and where to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who it is.
    pub validator: Validator,
    /// `address:port` or `hostname:port`; empty when only configurations know it. No certificate speaks for it.
    pub address: String,
}

/// State values known at the parent block; `None` is a key known to be absent.
pub type Loaded = HashMap<Key, Option<Value>, DigestState>;

/// Keys that an execution needs and was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing(pub BTreeSet<Key>);

/// A protocol that this build does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownProtocol(pub Protocol);

/// Why an execution does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It needs values that it was not given.
    Missing(BTreeSet<Key>),
    /// By the state the block follows rules that this build does not know. Nothing was executed; a newer build will.
    Unknown(UnknownProtocol),
}

impl From<Missing> for Pause {
    fn from(Missing(keys): Missing) -> Self {
        Self::Missing(keys)
    }
}

/// What executing a block yields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The protocol by which it was executed, as the state before the block has it. The header must state it.
    pub protocol: Protocol,
    /// Changed keys in key order; `None` deletes.
    pub writes: Writes,
    /// Encoded receipts, one for each transaction, in order.
    pub receipts: Vec<Vec<u8>>,
}

/// The deterministic state transition. Every validator that executes the same block on the same state gets the same bytes.
pub trait Machine: Send + Sync + 'static {
    /// Whether every transaction of a proposed block is well formed and truly signed. Needs no state, is heavy on the
    /// processor, and may remember what it has checked before.
    fn check(&self, transactions: &[Vec<u8>]) -> bool;

    /// Begins the execution of a block: does whatever needs no state.
    fn start(&self, context: &BlockContext, transactions: &[Vec<u8>]) -> Box<dyn Execution>;

    /// The state at genesis.
    fn genesis(&self) -> BTreeMap<Key, Value>;

    /// Under which key the state says who the validators are to be. `None`: they stay those of genesis.
    fn validators_key(&self) -> Option<Key> {
        None
    }

    /// The validators that a value under that key names, sorted by public key; after an epoch's last block they are those of the next
    /// epoch. `None` when it names none.
    fn validators(&self, _: &[u8]) -> Option<Vec<Seat>> {
        None
    }
}

/// A block on its way through execution.
pub trait Execution: Send {
    /// Executes as far as the values in `loaded` reach, which hold at the parent. If it needs more it says which keys, as many at
    /// once as it can find, and is called again with them added. After the outcome it is not called any more.
    ///
    /// # Errors
    /// A [`Pause`], and nothing else: a transaction that is refused has a receipt, and a block that passed [`Machine::check`]
    /// always executes, if its protocol is known.
    fn resume(&mut self, loaded: &Loaded) -> Result<Outcome, Pause>;
}

impl<F: FnMut(&Loaded) -> Result<Outcome, Pause> + Send> Execution for F {
    fn resume(&mut self, loaded: &Loaded) -> Result<Outcome, Pause> {
        self(loaded)
    }
}
