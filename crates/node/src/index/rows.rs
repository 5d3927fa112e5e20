//! From a finalised block to rows: a pure function, so that an index can be built again at any time and be the same.

use std::collections::HashMap;

use zhulian_crypto::PublicKey;
use zhulian_primitives::{Block, Code, Event, Height, Receipt, Timestamp, Transaction, TransactionId};

use super::{
    cases::{Happening, happenings},
    facts::{Fact, fact},
};

/// Every key that was ever registered, with the unified social credit code of its holder's organisation. A key never changes
/// hands.
pub type Holders = HashMap<PublicKey, String>;

/// What the index keeps of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockRows {
    /// The block.
    pub height: Height,
    /// Its time.
    pub time: Timestamp,
    /// Its transactions, in order.
    pub transactions: Vec<TransactionRow>,
    /// What happened to evidence that was deposited before: transaction, number of the event, evidence id.
    pub history: Vec<(u32, u32, [u8; 16])>,
    /// What happened to cases and rule packs.
    pub happenings: Vec<Happening>,
    /// Keys that were registered, with their organisations.
    pub keys: Vec<(PublicKey, String)>,
    /// Pieces of evidence deposited, entries of batches counted one by one.
    pub evidence: u64,
}

/// What the index keeps of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionRow {
    /// Its id.
    pub id: TransactionId,
    /// The called module.
    pub module: String,
    /// The call.
    pub call: String,
    /// Unified social credit code of the signer's organisation.
    pub organisation: Option<String>,
    /// Why it was refused.
    pub refusal: Option<Code>,
    /// What it deposited.
    pub deposit: Option<DepositRow>,
    /// In whose name a case deposited it, by its unified social credit code; none where the signer's organisation did.
    pub depositor: Option<String>,
}

/// Where a deposit is in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepositRow {
    /// SHA-256 of the file, or the root of the batch.
    pub digest: [u8; 32],
    /// Which deposit of that file or batch, from 0.
    pub sequence: u32,
    /// Whether it is a batch.
    pub batch: bool,
}

/// The keys that the genesis document registers.
pub fn genesis_keys(events: &[Event]) -> Vec<(PublicKey, String)> {
    let key = |event| match fact(event) {
        Some(Fact::Key(key, organisation)) => Some((key, organisation)),
        _ => None,
    };
    events.iter().filter_map(key).collect()
}

/// The rows of a block. Keys that it registers are added to `holders`.
pub fn rows(block: &Block, holders: &mut Holders) -> BlockRows {
    let mut rows = BlockRows { height: block.header.height, time: block.header.time, ..BlockRows::default() };
    rows.transactions.reserve(block.transactions.len());
    for (index, (bytes, receipt)) in block.transactions.iter().zip(&block.receipts).enumerate() {
        // A finalised block holds nothing else than transactions and receipts.
        let Ok(receipt) = Receipt::decode(receipt) else { continue };
        let Some(transaction) = Transaction::decode_again(bytes, receipt.transaction) else { continue };
        let (mut deposit, mut depositor) = (None, None);
        for (number, event) in receipt.events.iter().enumerate() {
            match fact(event) {
                Some(Fact::Deposited { row, pieces, by }) => {
                    deposit = Some(row);
                    depositor = (transaction.call.module != event.module).then_some(by);
                    rows.evidence += pieces;
                }
                Some(Fact::Evidence(id)) => rows.history.push((index as u32, number as u32, id)),
                Some(Fact::Key(key, organisation)) => {
                    holders.insert(key, organisation.clone());
                    rows.keys.push((key, organisation));
                }
                None => {}
            }
        }
        happenings(index as u32, &receipt.events, &mut rows.happenings);
        rows.transactions.push(TransactionRow {
            id: receipt.transaction,
            module: transaction.call.module.into(),
            call: transaction.call.call.into(),
            organisation: holders.get(&transaction.signer).cloned(),
            refusal: receipt.refusal,
            deposit,
            depositor,
        });
    }
    rows
}
