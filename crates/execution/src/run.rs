//! A block on its way through execution.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use zhulian_crypto::{DigestState, PublicKey};
use zhulian_ledger::{
    BlockContext, Key, Loaded, Missing, Outcome, Pause, RECEIPTS_BYTES_MAX, UnknownProtocol, VALUE_BYTES_MAX, Value,
};
use zhulian_primitives::{Code, Event, Protocol, Receipt, TransactionError as E, VALIDITY_BLOCKS_MAX, codec};

use crate::{
    Actor, Context, Directory, Executor, Halt, Prepared, Refusal as _,
    context::Written,
    window::{self, Slot, TIP, Tip, UseId, UseIds, WINDOW},
};

type Signers = HashSet<PublicKey, DigestState>;

/// Executes one block, and goes on where it stopped when it is given the values it lacked.
pub struct Run {
    executor: Executor,
    block: BlockContext,
    transactions: Vec<Arc<Prepared>>,
    foreseen: bool,
    /// By which rules, as the parent's state tells.
    protocol: Protocol,
    /// The parent's replay window, and which of the transactions it has seen.
    window: Option<(Tip, Vec<bool>)>,
    actors: Actors,
    /// Uses of nonces by this block so far.
    fresh: UseIds,
    /// The block's entry of the replay window.
    uses: Vec<u8>,
    /// What the transactions executed so far wrote, which are the first `receipts.len()`.
    written: Written,
    receipts: Vec<Vec<u8>>,
}

impl Run {
    pub(crate) fn new(executor: Executor, block: BlockContext, transactions: Vec<Arc<Prepared>>) -> Self {
        Self {
            executor,
            block,
            transactions,
            foreseen: false,
            protocol: 0,
            window: None,
            actors: Actors::default(),
            fresh: UseIds::default(),
            uses: Vec::new(),
            written: Written::default(),
            receipts: Vec::new(),
        }
    }

    /// Executes to the end, or as far as `loaded` reaches, which must hold at the parent and contain what it contained before.
    ///
    /// # Errors
    /// The keys that it misses, as many as it can find at once; or that the block follows a protocol which is not known here.
    pub fn resume(&mut self, loaded: &Loaded) -> Result<Outcome, Pause> {
        self.foresee(loaded)?;
        if self.window.is_none() {
            let protocols = &self.executor.0.protocols;
            let voted = loaded.get(&(protocols.key)()).and_then(Option::as_deref);
            self.protocol = (protocols.at)(voted, self.block.height);
            if self.protocol > protocols.newest {
                return Err(Pause::Unknown(UnknownProtocol(self.protocol)));
            }
            let ids: Vec<UseId> = self.transactions.iter().map(|transaction| transaction.use_id).collect();
            self.window = Some(self.executor.window(self.block.height, &ids, loaded)?);
        }
        let mut missing = BTreeSet::new();
        if self.receipts.is_empty() {
            // Nothing is written yet, so who acts depends on the parent's state alone. Asked for all at once, it is one round.
            let mut asked = Signers::default();
            for transaction in self.transactions.iter().filter(|transaction| asked.insert(transaction.signer)) {
                let _ = self.actors.resolve(
                    &self.executor.0.directory,
                    &transaction.signer,
                    &mut Context::new(&self.block, self.protocol, loaded, &self.written, &mut missing, transaction.id),
                );
            }
        }
        if missing.is_empty() {
            self.execute(loaded, &mut missing);
            if !missing.is_empty() {
                self.executor.missed(&missing);
            }
        }
        if missing.is_empty() { Ok(self.finish()) } else { Err(Pause::Missing(missing)) }
    }

    /// Asks at once for everything that is surely read.
    fn foresee(&mut self, loaded: &Loaded) -> Result<(), Missing> {
        if std::mem::replace(&mut self.foreseen, true) {
            return Ok(());
        }
        let mut signers = Signers::default();
        let mut keys = BTreeSet::from([TIP.key(&()), (self.executor.0.protocols.key)()]);
        for transaction in &self.transactions {
            if signers.insert(transaction.signer) {
                keys.extend((self.executor.0.directory.reads)(&transaction.signer));
            }
            if let Ok(call) = &transaction.call {
                keys.extend(call.reads());
            }
        }
        if !self.transactions.is_empty() {
            keys.extend(self.executor.habitual());
        }
        keys.retain(|key| !loaded.contains_key(key));
        if keys.is_empty() { Ok(()) } else { Err(Missing(keys)) }
    }

    /// Executes what is left, up to the first transaction that misses something. Those after it are tried only to learn what they
    /// miss, too.
    fn execute(&mut self, loaded: &Loaded, missing: &mut BTreeSet<Key>) {
        for index in self.receipts.len()..self.transactions.len() {
            let transaction = self.transactions[index].clone();
            let replayed =
                self.window.as_ref().is_some_and(|(_, seen)| seen[index]) || self.fresh.contains(&transaction.use_id);
            let mut ctx = Context::new(&self.block, self.protocol, loaded, &self.written, missing, transaction.id);
            let result = run(&transaction, replayed, &self.executor.0.directory, &mut self.actors, &mut ctx);
            let (writes, events) = (ctx.writes, ctx.events);
            if !missing.is_empty() {
                continue;
            }
            let refused =
                |code| Receipt { transaction: transaction.id, refusal: Some(code), events: Vec::<Event>::new() }.encode();
            let receipt = match result {
                Ok(()) => {
                    let receipt = Receipt { transaction: transaction.id, refusal: None, events }.encode();
                    let large =
                        |(_, value): &(Key, Option<Value>)| value.as_ref().is_some_and(|it| it.len() > VALUE_BYTES_MAX);
                    // No block could hold it; whoever proposes or verifies one with it would end.
                    if receipt.len() > RECEIPTS_BYTES_MAX || writes.iter().any(large) {
                        refused(E::TooMuch.code())
                    } else {
                        self.actors.forget_if_written(writes.iter().map(|(key, _)| key));
                        self.written.extend(writes);
                        receipt
                    }
                }
                Err(Halt::Refused(code)) => refused(code),
                Err(Halt::Missing) => unreachable!("a call that misses something says what"),
            };
            // A5: under another id than its signer's a transaction is not executed, and must not keep the signer's own from being so.
            if !replayed && transaction.is_well_signed(self.protocol) {
                self.fresh.insert(transaction.use_id);
                self.uses.extend_from_slice(&transaction.use_id);
            }
            self.receipts.push(receipt);
        }
    }

    fn finish(&mut self) -> Outcome {
        let writes = std::mem::take(&mut self.written).into_iter().collect();
        let mut outcome = Outcome { protocol: self.protocol, writes, receipts: std::mem::take(&mut self.receipts) };
        let (tip, _) = self.window.take().expect("read before anything is executed");
        let slot = Slot { height: self.block.height, ids: std::mem::take(&mut self.uses) };
        if !slot.ids.is_empty() {
            let next = window::next_tip(tip, slot.height, &slot.ids);
            self.executor.add_window(tip, next, slot.height, std::mem::take(&mut self.fresh));
            outcome.writes.insert(TIP.key(&()), Some(codec::to_bytes(&next)));
            outcome.writes.insert(WINDOW.key(&(slot.height % VALIDITY_BLOCKS_MAX)), Some(codec::to_bytes(&slot)));
        }
        outcome
    }
}

fn run(
    transaction: &Prepared,
    replayed: bool,
    directory: &Directory,
    actors: &mut Actors,
    ctx: &mut Context<'_>,
) -> Result<(), Halt> {
    let height = ctx.height();
    if height > transaction.valid_until {
        return Err(E::Expired.into());
    }
    if transaction.valid_until > height + VALIDITY_BLOCKS_MAX {
        return Err(E::ValidTooLong.into());
    }
    if replayed {
        return Err(E::Replayed.into());
    }
    if !transaction.is_well_signed(ctx.protocol()) {
        return Err(E::SignatureForm.into());
    }
    let entry = transaction.entry.as_ref().map_err(|code| Halt::Refused(code.clone()))?;
    let actor = actors.resolve(directory, &transaction.signer, ctx)?;
    if !entry.allowed.admits(actor.roles) {
        return Err(E::NotAllowed.into());
    }
    ctx.actor = Some(actor);
    let call = transaction.call.as_ref().map_err(|code| Halt::Refused(code.clone()))?;
    call.execute(ctx)
}

/// Who acts behind the keys met so far in this block.
#[derive(Default)]
struct Actors {
    known: HashMap<PublicKey, Result<Arc<Actor>, Code>, DigestState>,
    /// The state that says so. When one of these is written, all is asked anew.
    read: BTreeSet<Key>,
}

impl Actors {
    fn resolve(&mut self, directory: &Directory, signer: &PublicKey, ctx: &mut Context<'_>) -> Result<Arc<Actor>, Halt> {
        if let Some(known) = self.known.get(signer) {
            return known.clone().map_err(Halt::Refused);
        }
        ctx.trace = Some(Vec::new());
        let found = (directory.actor)(ctx, signer);
        let read = ctx.trace.take().unwrap_or_default();
        let found = match found {
            Ok(actor) => Ok(Arc::new(actor)),
            Err(Halt::Refused(code)) => Err(code),
            Err(Halt::Missing) => return Err(Halt::Missing),
        };
        self.read.extend(read);
        self.known.insert(*signer, found.clone());
        found.map_err(Halt::Refused)
    }

    fn forget_if_written<'a>(&mut self, mut written: impl Iterator<Item = &'a Key>) {
        if written.any(|key| self.read.contains(key)) {
            *self = Self::default();
        }
    }
}
