//! A block: header, transactions, and the receipts their execution gave.

use crate::Header;

/// A block as it travels and is archived. Receipts are part of it, so that the archive proves outcomes without
/// executing anything again; every validator executes and compares before it votes to finalise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header, which commits to all the rest.
    pub header: Header,
    /// COSE_Sign1 bytes, in execution order.
    pub transactions: Vec<Vec<u8>>,
    /// Receipt bytes, one for each transaction.
    pub receipts: Vec<Vec<u8>>,
}
