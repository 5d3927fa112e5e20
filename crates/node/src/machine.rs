//! The state transition that the engine drives: the modules' executor, with signature checks that remember.

use std::{collections::BTreeMap, sync::Arc};

use rayon::prelude::*;
use zhulian_crypto::sha256;
use zhulian_execution::{Executor, Prepared};
use zhulian_ledger::{BlockContext, Execution, Key, Loaded, Machine, Outcome, Seat, Value};
use zhulian_modules::governance;
use zhulian_primitives::{Transaction, TransactionId};

use crate::{mempool::Mempool, verifier::Verifier};

/// Transactions hashed or parsed by one task.
const CHUNK: usize = 256;

/// The network's modules on its genesis state.
pub struct CityMachine {
    executor: Arc<Executor>,
    verifier: Arc<Verifier>,
    mempool: Option<Arc<Mempool>>,
    genesis: BTreeMap<Key, Value>,
}

impl CityMachine {
    /// A machine; `mempool` is told which transactions stand in proposed blocks.
    pub fn new(
        executor: Arc<Executor>,
        verifier: Arc<Verifier>,
        mempool: Option<Arc<Mempool>>,
        genesis: BTreeMap<Key, Value>,
    ) -> Self {
        Self { executor, verifier, mempool, genesis }
    }

    /// The ids, and which of them are known to be valid.
    fn ids(&self, transactions: &[Vec<u8>]) -> (Vec<TransactionId>, Vec<bool>) {
        let ids: Vec<TransactionId> =
            transactions.par_iter().with_min_len(CHUNK).map(|bytes| TransactionId(sha256(bytes))).collect();
        let known = self.verifier.knows(&ids);
        (ids, known)
    }

    fn parse<'a>(bytes: &'a [u8], id: TransactionId, known: bool) -> Option<Transaction<'a>> {
        if known { Transaction::decode_again(bytes, id) } else { Transaction::decode(bytes).ok() }
    }
}

impl Machine for CityMachine {
    fn check(&self, transactions: &[Vec<u8>]) -> bool {
        let (_, known) = self.ids(transactions);
        let unknown: Vec<&[u8]> =
            transactions.iter().zip(known).filter(|(_, known)| !known).map(|(bytes, _)| &bytes[..]).collect();
        if unknown.is_empty() {
            return true;
        }
        let parsed: Result<Vec<Transaction<'_>>, _> =
            unknown.par_iter().with_min_len(CHUNK).map(|bytes| Transaction::decode(bytes)).collect();
        parsed.is_ok_and(|parsed| self.verifier.verify(&parsed).into_iter().all(|valid| valid))
    }

    fn start(&self, context: &BlockContext, transactions: &[Vec<u8>]) -> Box<dyn Execution> {
        let (ids, known) = self.ids(transactions);
        let waiting = match &self.mempool {
            Some(mempool) => mempool.lock().prepared(&ids),
            None => vec![None; ids.len()],
        };
        #[cfg(feature = "seeded-bugs")]
        let forgets =
            zhulian_engine::seeded::has(zhulian_engine::seeded::Bug::StateOfMempool) && waiting.iter().any(Option::is_none);
        let prepared: Option<Vec<Arc<Prepared>>> = transactions
            .par_iter()
            .with_min_len(CHUNK)
            .zip(&ids)
            .zip(known)
            .zip(waiting)
            .map(|(((bytes, id), known), waiting)| match waiting {
                Some(prepared) => Some(prepared),
                None => Some(Arc::new(self.executor.prepare(&Self::parse(bytes, *id, known)?))),
            })
            .collect();
        // A candidate block is executed beside its check. If one of its transactions does not even parse, the check fails, and
        // what is answered here goes nowhere; a finalised block never comes to this.
        let Some(prepared) = prepared else { return Box::new(|_: &Loaded| Ok(Outcome::default())) };
        let mut run = self.executor.start(context.clone(), prepared);
        let (mempool, height) = (self.mempool.clone(), context.height);
        Box::new(move |loaded: &Loaded| {
            let outcome = run.resume(loaded)?;
            #[cfg(feature = "seeded-bugs")]
            let outcome = Outcome { writes: outcome.writes.into_iter().skip(usize::from(forgets)).collect(), ..outcome };
            if let Some(mempool) = &mempool {
                mempool.proposed(height, &ids);
            }
            Ok(outcome)
        })
    }

    fn genesis(&self) -> BTreeMap<Key, Value> {
        self.genesis.clone()
    }

    fn validators_key(&self) -> Option<Key> {
        Some(governance::seats_state_key())
    }

    fn validators(&self, value: &[u8]) -> Option<Vec<Seat>> {
        let seat = |seat: governance::Seat| Seat {
            validator: seat.validator(),
            address: seat.address.map(|address| address.as_str().into()).unwrap_or_default(),
        };
        Some(governance::seats_in(value)?.into_iter().map(seat).collect())
    }
}
