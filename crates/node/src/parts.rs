//! The node's parts around the engine. The process gives them threads and a network, the simulation takes them step by step.

use std::{collections::HashMap, path::Path, sync::Arc};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use zhulian_crypto::PublicKey;
use zhulian_engine as engine;
use zhulian_execution::Executor;
use zhulian_ledger::{Key, Value};
use zhulian_modules::{
    Genesis, governance,
    identity::{self, MemberKey},
};
use zhulian_primitives::{Block, Height, Protocol};

use crate::{
    CityMachine, Verifier,
    index::{Blocks, Database, IndexError, Indexer, Store, genesis_keys},
    mempool::{Limits, Mempool, Outside},
    observer::Finalised,
};

/// Transactions whose valid signature is remembered, besides those that wait.
const REMEMBERED: usize = 1 << 17;

/// What a node is made of, besides its engine, intake and index.
pub struct Parts {
    /// The modules.
    pub executor: Arc<Executor>,
    /// Signature checks, remembered.
    pub verifier: Arc<Verifier>,
    /// What waits for a block.
    pub mempool: Arc<Mempool>,
    /// The state transition.
    pub machine: Arc<CityMachine>,
    /// What the engine asks for transactions and tells of finalised blocks.
    pub observer: Arc<Finalised>,
}

impl Parts {
    /// The parts of a node of this network that knows the protocols up to `newest`, and whose observer keeps its marker in `directory`.
    pub fn new(genesis: &Genesis, newest: Protocol, limits: Limits, directory: &Path) -> Self {
        let executor = Arc::new(zhulian_modules::executor_until(newest));
        let verifier = Arc::new(Verifier::new(genesis.chain_id(), REMEMBERED.max(limits.count_max)));
        let mempool = Arc::new(Mempool::new(limits));
        let machine = CityMachine::new(executor.clone(), verifier.clone(), Some(mempool.clone()), genesis.state());
        let observer = Arc::new(Finalised::new(mempool.clone(), directory));
        Self { executor, verifier, mempool, machine: Arc::new(machine), observer }
    }

    /// Hands finalised blocks to an index from now on.
    pub fn feed(&self, indexer: Indexer) {
        let _ = self.observer.indexer.set(indexer);
    }

    /// The running engine as the intake needs it; from now on others are told again of what waits for long.
    pub fn outside(&self, handle: &engine::Handle, genesis: &Genesis) -> Arc<dyn Outside> {
        let founders = genesis_keys(&genesis.events()).into_iter().map(|(key, organisation)| (key, organisation.into()));
        let outside = Neighbours { handle: handle.clone(), founders: founders.collect(), founded_with: genesis.protocol() };
        let outside = Arc::new(outside);
        let _ = self.observer.outside.set(outside.clone());
        outside
    }
}

/// The running engine's archive as the index needs it.
pub fn archive(handle: &engine::Handle) -> impl Blocks + use<> {
    Archive(handle.clone())
}

/// Opens the index, with the keys that the genesis document registers. A file must be there. A server may not be: a validator votes
/// without an index, which is opened later.
pub fn open_index(database: Database, genesis: &Genesis) -> Result<Store, IndexError> {
    let in_file = matches!(database, Database::Sqlite(_));
    let mut store = Store::closed(database, &genesis.chain_id());
    store.genesis(&genesis_keys(&genesis.events()))?;
    if in_file {
        store.reopen()?;
    }
    Ok(store)
}

/// The engine as the intake needs it.
struct Neighbours {
    handle: engine::Handle,
    /// Keys of the genesis document. Its state is written by the first block only, and cannot be read while a node starts; a key
    /// never changes hands. What the state says of them comes first.
    founders: HashMap<PublicKey, Arc<str>>,
    /// The protocol of the genesis document, for as long.
    founded_with: Protocol,
}

impl Neighbours {
    /// What the state has for these; nothing while it cannot be read.
    async fn read(&self, keys: impl Iterator<Item = Key>) -> HashMap<Key, Option<Value>> {
        let keys: Vec<_> = keys.collect();
        let values = self.handle.get(keys.clone()).await.map(|(_, values)| values).unwrap_or_default();
        keys.into_iter().zip(values).collect()
    }
}

fn state(found: &HashMap<Key, Option<Value>>) -> impl Fn(&Key) -> Option<Value> {
    |key| found.get(key).cloned().flatten()
}

impl Outside for Neighbours {
    fn gossip(&self, message: Bytes) -> bool {
        self.handle.gossip(message)
    }

    fn wake(&self) {
        self.handle.wake();
    }

    fn tip(&self) -> Option<Height> {
        self.handle.tip().map(|tip| tip.header.height)
    }

    fn protocol(&self) -> BoxFuture<'_, Protocol> {
        async move {
            let Ok((header, values)) = self.handle.get(vec![governance::protocol_state_key()]).await else {
                return self.founded_with;
            };
            governance::protocol_plan(&|_: &Key| values.first().cloned().flatten()).at(header.height + 1)
        }
        .boxed()
    }

    fn organisations<'a>(&'a self, keys: &'a [PublicKey]) -> BoxFuture<'a, Vec<Option<Arc<str>>>> {
        async move {
            let next = self.tip().unwrap_or(0) + 1;
            let found = self.read(keys.iter().map(|key| identity::key_state_key(&MemberKey(*key)))).await;
            let records: Vec<_> = keys.iter().map(|key| identity::key(&state(&found), &MemberKey(*key))).collect();
            let members = records.iter().flatten().map(|key| identity::member_state_key(&key.organisation, &key.member));
            let found = self.read(members).await;
            let owner = |(key, record): (&PublicKey, Option<identity::Key>)| {
                let Some(record) = record else { return self.founders.get(key).cloned() };
                let member = identity::member(&state(&found), &record.organisation, &record.member);
                let acts = record.until.is_none_or(|until| next < until) && member.is_none_or(|member| member.is_active());
                acts.then(|| record.organisation.as_str().into())
            };
            keys.iter().zip(records).map(owner).collect()
        }
        .boxed()
    }
}

/// The archive as the index needs it.
struct Archive(engine::Handle);

impl Archive {
    async fn first_block(&self) -> Option<Height> {
        let (mut absent, mut present) = (0, self.tip().filter(|tip| *tip > 0)?);
        if self.is_here(1).await? {
            return Some(1);
        }
        while absent + 1 < present {
            let middle = absent + (present - absent) / 2;
            match self.is_here(middle).await? {
                true => present = middle,
                false => absent = middle,
            }
        }
        Some(present)
    }

    /// Only what is surely not here counts as absent; any other failure is for a later try.
    async fn is_here(&self, height: Height) -> Option<bool> {
        match self.0.block(height).await {
            Ok(_) => Some(true),
            Err(engine::Error::NoBlock(_)) => Some(false),
            // Of an archive that is configured, it is waited for: an index that began after it would lack it for good.
            Err(engine::Error::Archived(_)) => {
                self.0.status().await.ok()?.archive.is_some_and(|archive| archive.directory.is_none()).then_some(false)
            }
            Err(_) => None,
        }
    }
}

impl Blocks for Archive {
    fn block(&self, height: Height) -> BoxFuture<'_, Option<Arc<Block>>> {
        async move {
            match self.0.block(height).await {
                Ok(block) => Some(block),
                Err(engine::Error::Corrupt(corrupt)) => {
                    tracing::error!(%corrupt, "the index cannot go on");
                    None
                }
                Err(_) => None,
            }
        }
        .boxed()
    }

    fn first(&self) -> BoxFuture<'_, Option<Height>> {
        self.first_block().boxed()
    }

    fn tip(&self) -> Option<Height> {
        self.0.tip().map(|tip| tip.header.height)
    }
}
