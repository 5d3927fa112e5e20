//! From the first block to the last: links, rules, signatures, execution, certificates and state.

use std::{collections::BTreeMap, path::Path};

use zhulian_crypto::{Signed, sha256, verify_batch};
use zhulian_engine::audit::Stores;
use zhulian_execution::Executor;
use zhulian_ledger::{Key, Value, Writes, merkle};
use zhulian_modules::governance;
use zhulian_primitives::{
    Block, Header, Height, Network, PROTOCOL_FIRST, PROTOCOL_NEWEST, PROTOCOLS, Receipt, Transaction, TransactionError,
};

use super::{Counts, Findings, Mark, Subject, What, index::IndexAudit};

/// Most milliseconds between a block and its parent.
const TIME_STEP_MAX: u64 = 3_600_000;
/// Blocks that a stopped node's state may be behind its archive; as many are executed again at its start.
const STATE_BEHIND_MAX: u64 = 64;

struct Walk<'a> {
    subject: Subject<'a>,
    executor: Executor,
    found: Findings,
    state: BTreeMap<Key, Value>,
    /// False once a block was missing or not executable.
    executing: bool,
    /// The block before, with its digest.
    parent: Option<(Header, [u8; 32])>,
    /// The first height since the last valid certificate.
    uncovered: Option<Height>,
    /// The network with the validators of the block's epoch.
    deciding: Network,
    /// Root and end of the node's own state, until a block is found that states them.
    own: Option<([u8; 32], u64)>,
}

pub(super) fn walk(
    copy: &Path,
    stores: &mut Stores,
    subject: Subject<'_>,
    mut progress: impl FnMut(Height, Height),
) -> Findings {
    let mut walk = Walk {
        subject,
        executor: zhulian_modules::executor(),
        found: Findings::default(),
        state: subject.genesis.state(),
        executing: true,
        parent: None,
        uncovered: None,
        deciding: subject.genesis.network(),
        own: None,
    };
    match stores.genesis() {
        Ok(genesis) => walk.parent = Some((genesis.header.clone(), genesis.header.digest())),
        Err(error) => walk.found.faults.add(0, What::Identity, "a genesis block", error),
    }
    match stores.state() {
        Ok(own) => walk.own = Some(own),
        Err(error) => walk.found.faults.add(None, What::State, "a state", error),
    }
    let mut index = IndexAudit::start(copy, subject.genesis, &mut walk.found.faults);
    let last = stores.last();
    if last == 0 {
        walk.found.faults.add(1, What::BlockMissing, "block 1", "an empty archive");
    }
    for height in 1..=last {
        progress(height, last);
        let block = match stores.block(height) {
            Ok(Some(block)) => block,
            Ok(None) => {
                walk.absent(height, What::BlockMissing, "nothing".into());
                continue;
            }
            Err(error) => {
                walk.absent(height, What::Block, error);
                continue;
            }
        };
        let digest = block.header.digest();
        walk.header(height, &block, digest);
        walk.count(&block, digest);
        walk.transactions(height, &block);
        walk.execute(height, &block, stores);
        walk.certificate(height, &block.header, digest, stores);
        walk.validators(height, &block.header);
        if let Some(index) = &mut index {
            let (deposits, pieces) = index.block(&block, &mut walk.found.faults);
            walk.deposits(&block.header, deposits, pieces);
        }
        walk.parent = Some((block.header.clone(), digest));
    }
    if let Some(first) = walk.uncovered {
        walk.uncertified(first, last);
    }
    if stores.last_certified() > last {
        let found = format!("a certificate at {}", stores.last_certified());
        walk.found.faults.add(last, What::Certificate, "no certificate after the last block", found);
    }
    if let (true, Some((root, end))) = (walk.executing, walk.own) {
        let found = format!("root {}, end {end}", hex::encode(root));
        walk.found.faults.add(None, What::State, "the state after one of the blocks", found);
    }
    if let Some((_, at)) = walk.found.state
        && at + STATE_BEHIND_MAX < last
    {
        let expected = format!("the state of one of the last {STATE_BEHIND_MAX} blocks before {last}");
        walk.found.faults.add(at, What::State, expected, format!("that of block {at}"));
    }
    if let Some(index) = index {
        index.finish(last, &mut walk.found);
    }
    walk.found
}

impl Walk<'_> {
    fn absent(&mut self, height: Height, what: What, found: String) {
        self.found.faults.add(height, what, format!("block {height}"), found);
        self.cannot_execute(height);
        if let Some(first) = self.uncovered.take() {
            self.uncertified(first, height - 1);
        }
        self.parent = None;
    }

    fn cannot_execute(&mut self, height: Height) {
        if std::mem::replace(&mut self.executing, false) {
            self.found.faults.add(height, What::NotExecuted, "every block executed again", format!("none from {height} on"));
        }
    }

    fn uncertified(&mut self, first: Height, last: Height) {
        self.found.faults.add(
            first,
            What::Uncertified,
            "a certificate of these blocks or a descendant",
            format!("none for {first} to {last}"),
        );
    }

    fn header(&mut self, height: Height, block: &Block, digest: [u8; 32]) {
        let (header, network) = (&block.header, &self.deciding);
        let faults = &mut self.found.faults;
        let mut rule = |holds: bool, expected: String, found: String| {
            if !holds {
                faults.add(height, What::Header, expected, found);
            }
        };
        let known = PROTOCOLS.contains(&header.version);
        rule(known, format!("protocol {PROTOCOL_FIRST} to {PROTOCOL_NEWEST}"), header.version.to_string());
        rule(header.chain == network.chain, format!("chain {}", hex::encode(network.chain)), hex::encode(header.chain));
        rule(header.height == height, format!("height {height}"), header.height.to_string());
        let epoch = height / self.subject.genesis.epoch_blocks;
        rule(header.epoch == epoch, format!("epoch {epoch}"), header.epoch.to_string());
        let known = network.validators.iter().any(|it| it.public_key == header.proposer);
        rule(known, "a validator as proposer".into(), hex::encode(header.proposer));
        if let Some((parent, _)) = &self.parent {
            let (low, high) = (parent.time.saturating_add(1), parent.time.saturating_add(TIME_STEP_MAX));
            rule((low..=high).contains(&header.time), format!("a time from {low} to {high}"), header.time.to_string());
            // Views begin anew with each epoch.
            let before = if parent.epoch == header.epoch { parent.view } else { 0 };
            rule(header.view > before, format!("a view after {before}"), header.view.to_string());
            rule(header.parent_view == before, format!("parent's view {before}"), header.parent_view.to_string());
        }
        let (transactions, receipts) = (block.transactions.len(), block.receipts.len());
        rule(
            header.transaction_count == transactions as u64 && transactions == receipts,
            format!("{} transactions and receipts", header.transaction_count),
            format!("{transactions} transactions, {receipts} receipts"),
        );
        if let Some((_, parent)) = self.parent
            && header.parent != parent
        {
            self.found.faults.digest(height, What::Link, &parent, &header.parent);
            // A certificate above speaks for what it is linked to.
            if let Some(first) = self.uncovered.take() {
                self.uncertified(first, height - 1);
            }
        }
        debug_assert_eq!(digest, header.digest());
        let faults = &mut self.found.faults;
        faults.digest(height, What::TransactionsRoot, &merkle::root(&block.transactions), &header.transactions_root);
        faults.digest(height, What::ReceiptsRoot, &merkle::root(&block.receipts), &header.receipts_root);
    }

    fn counts(&mut self, header: &Header) -> [Option<&mut Counts>; 2] {
        let (from, to) = self.subject.range;
        let within = from.is_none_or(|from| header.time >= from) && to.is_none_or(|to| header.time < to);
        [Some(&mut self.found.chain), within.then_some(&mut self.found.range)]
    }

    fn count(&mut self, block: &Block, digest: [u8; 32]) {
        let mark = Mark { height: block.header.height, time: block.header.time, digest };
        for counts in self.counts(&block.header).into_iter().flatten() {
            counts.blocks += 1;
            counts.transactions += block.transactions.len() as u64;
            counts.first.get_or_insert(mark);
            counts.last = Some(mark);
        }
    }

    fn deposits(&mut self, header: &Header, deposits: u64, pieces: u64) {
        for counts in self.counts(header).into_iter().flatten() {
            counts.deposits += deposits;
            counts.pieces += pieces;
        }
    }

    fn transactions(&mut self, height: Height, block: &Block) {
        let faults = &mut self.found.faults;
        let mut parsed = Vec::with_capacity(block.transactions.len());
        for (at, (bytes, receipt)) in block.transactions.iter().zip(&block.receipts).enumerate() {
            let id = sha256(bytes);
            let named = Receipt::decode(receipt).map(|receipt| receipt.transaction.0);
            match named {
                Ok(named) if named == id => {}
                Ok(named) => faults.digest(height, What::Receipt, &id, &named),
                Err(error) => faults.add(height, What::Receipt, format!("receipt {at} of its form"), error.to_string()),
            }
            match Transaction::decode(bytes) {
                Ok(transaction) if transaction.call.chain != self.subject.network.chain => {
                    let found = TransactionError::WrongChain.to_string();
                    faults.add(height, What::Transaction, format!("transaction {at} ({})", hex::encode(id)), found);
                }
                Ok(transaction) => parsed.push((at, transaction)),
                Err(error) => {
                    faults.add(
                        height,
                        What::Transaction,
                        format!("transaction {at} ({})", hex::encode(id)),
                        error.to_string(),
                    );
                }
            }
        }
        let messages: Vec<_> = parsed.iter().map(|(_, transaction)| transaction.signed_bytes()).collect();
        let signed: Vec<_> = parsed
            .iter()
            .zip(&messages)
            .map(|((_, transaction), message)| Signed { key: transaction.signer, message, signature: transaction.signature })
            .collect();
        for ((at, transaction), valid) in parsed.iter().zip(verify_batch(&signed)) {
            if !valid {
                let found = TransactionError::BadSignature.to_string();
                faults.add(height, What::Transaction, format!("transaction {at} ({})", transaction.id), found);
            }
        }
        if parsed.len() != block.transactions.len() {
            self.cannot_execute(height);
        }
    }

    fn execute(&mut self, height: Height, block: &Block, stores: &mut Stores) {
        let header = &block.header;
        if !self.executing {
            // What the header states is all there is to compare with.
            if let Some((own, _)) = self.own.take_if(|(_, end)| *end == header.sync_end) {
                self.found.faults.digest(height, What::State, &header.state_root, &own);
            }
            return;
        }
        let outcome = match self.executor.execute(&header.into(), &block.transactions, |key| self.state.get(key).cloned()) {
            Ok(outcome) => outcome,
            // What the header states was held against what this build knows.
            Err(_) => return self.cannot_execute(height),
        };
        let before = self.found.faults.count;
        let protocol = |protocol| format!("protocol {protocol}");
        self.found.faults.same(height, What::Header, protocol(outcome.protocol), protocol(header.version));
        for (at, (given, stored)) in outcome.receipts.iter().zip(&block.receipts).enumerate() {
            if given != stored {
                let expected = format!("receipt {at}: {}", hex::encode(given));
                self.found.faults.add(height, What::Receipt, expected, hex::encode(stored));
            }
        }
        self.apply(&outcome.writes);
        match stores.repeat(height, outcome.writes) {
            Ok(roots) => {
                let faults = &mut self.found.faults;
                faults.digest(height, What::StateRoot, &roots.state, &header.state_root);
                faults.digest(height, What::StateRoot, &roots.sync, &header.sync_root);
                let range = |start, end| format!("log {start} to {end}");
                let stated = range(header.sync_start, header.sync_end);
                faults.same(height, What::StateRoot, range(roots.start, roots.end), stated);
                if self.own.is_some_and(|(_, end)| end == roots.end) {
                    self.compare(height, roots.state, stores);
                }
            }
            Err(error) => {
                self.found.faults.add(height, What::StateRoot, "a root computed again", error);
                self.cannot_execute(height);
            }
        }
        self.found.executed += u64::from(self.found.faults.count == before);
    }

    fn apply(&mut self, writes: &Writes) {
        for (key, value) in writes {
            match value {
                Some(value) => self.state.insert(*key, value.clone()),
                None => self.state.remove(key),
            };
        }
    }

    /// The node's own state against what execution gave at this height.
    fn compare(&mut self, height: Height, root: [u8; 32], stores: &mut Stores) {
        let Some((own, _)) = self.own.take() else { return };
        let (state, faults) = (&self.state, &mut self.found.faults);
        faults.digest(height, What::State, &root, &own);
        let mut count = 0;
        let mut expected = state.iter().peekable();
        let read = stores.entries(|key, value, proven| {
            count += 1;
            while let Some((missing, lost)) = expected.next_if(|(next, _)| **next < key) {
                faults.add(height, What::StateEntry, entry(missing, lost), "nothing");
            }
            match expected.next_if(|(next, _)| **next == key) {
                Some((_, right)) if *right != value => {
                    faults.add(height, What::StateEntry, entry(&key, right), entry(&key, &value));
                }
                Some(_) => {}
                None => faults.add(height, What::StateEntry, "nothing", entry(&key, &value)),
            }
            if !proven {
                faults.add(height, What::StateEntry, format!("a proof of {}", hex::encode(key)), "one that does not hold");
            }
        });
        match read {
            Ok(()) => {
                for (missing, lost) in expected {
                    faults.add(height, What::StateEntry, entry(missing, lost), "nothing");
                }
            }
            Err(error) => faults.add(height, What::State, "every entry readable", error),
        }
        self.found.state = Some((count, height));
    }

    /// Who decides the next block, by the state after this one.
    fn validators(&mut self, height: Height, header: &Header) {
        if (height + 1).is_multiple_of(self.subject.genesis.epoch_blocks) {
            let source = |key: &Key| self.state.get(key).cloned();
            if let Some(seats) = governance::seats(&source).filter(|_| self.executing) {
                self.deciding.validators = seats.seats.iter().map(governance::Seat::validator).collect();
            }
            self.deciding.epoch = height / self.subject.genesis.epoch_blocks + 1;
            let pinned = self.subject.network;
            // Where a later identity is pinned, history must have led to its validators.
            if self.executing && self.deciding.epoch == pinned.epoch && self.deciding.validators != pinned.validators {
                let (epoch, digest) = (pinned.epoch, |network: &Network| hex::encode(network.validators_digest()));
                let expected = format!("the pinned validators of epoch {epoch}, digest {}", digest(pinned));
                let found = format!("those by the state after block {height}, digest {}", digest(&self.deciding));
                self.found.faults.add(height, What::Identity, expected, found);
            }
        }
        self.found.faults.digest(height, What::Header, &self.deciding.validators_digest(), &header.validators);
    }

    fn certificate(&mut self, height: Height, header: &Header, digest: [u8; 32], stores: &Stores) {
        self.uncovered.get_or_insert(height);
        let faults = &mut self.found.faults;
        let certificate = match stores.certificate(height) {
            Ok(Some(certificate)) => certificate,
            Ok(None) => return,
            Err(error) => return faults.add(height, What::Certificate, "a readable certificate", error),
        };
        let before = faults.count;
        faults.digest(height, What::Certificate, &digest, &certificate.block);
        if !certificate.finalises(header) {
            let place = |epoch, view, parent| format!("epoch {epoch}, view {view}, parent's view {parent}");
            let stated = place(header.epoch, header.view, header.parent_view);
            let named = place(certificate.epoch, certificate.view, certificate.parent_view);
            faults.same(height, What::Certificate, stated, named);
        }
        if let Err(error) = certificate.verify(&self.deciding) {
            faults.add(height, What::Certificate, "signatures of a quorum", error.to_string());
        }
        if faults.count == before {
            self.found.certificates += 1;
            self.uncovered = None;
        }
    }
}

fn entry(key: &Key, value: &[u8]) -> String {
    format!("{} = {}", hex::encode(key), hex::encode(value))
}
