//! The query index: rows of finalised blocks in SQLite, for questions that the state cannot answer, such as "all deposits of this
//! organisation in May".
//!
//! # Invariants
//! - **X1** The index holds exactly what [`rows()`] gives for the blocks from `first` to `height`, each block once: a block and the
//!   marker are written in one SQL transaction, and a block that is not the next one is not written.
//! - **X2** It can be deleted at any time. What is not on the ledger, the uploaded entries of batches, is kept elsewhere
//!   ([`Entries`]).
//! - **X3** No personal data: codes, ids, digests and places only.

mod entries;
mod facts;
mod query;
mod rows;
mod schema;
mod store;
mod writer;

pub use entries::Entries;
pub use query::{Filter, Found, HistoryHit, Queries};
pub use rows::{BlockRows, DepositRow, Holders, TransactionRow, genesis_keys, rows};
pub use store::{Place, Store};
pub use writer::{Blocks, Indexer, Progress, Writer};

/// Why the index cannot answer or go on.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// SQLite says why.
    #[error("the index: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The directory cannot be made or the file not removed.
    #[error("the index: {0}")]
    Io(#[from] std::io::Error),
    /// A block was skipped.
    #[error("the index expects block {expected} and was given block {given}")]
    Gap {
        /// The next height.
        expected: u64,
        /// The block's height.
        given: u64,
    },
}
