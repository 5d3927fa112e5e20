//! The query index: rows of finalised blocks in SQLite or PostgreSQL, for questions that the state cannot answer, such as "all deposits of this
//! organisation in May".
//!
//! # Invariants
//! - **X1** The index holds exactly what [`rows()`] gives for the blocks from `first` to `height`, each block once: a block and the
//!   marker are written in one SQL transaction, and a block that is not the next one is not written.
//! - **X2** It can be deleted at any time. What is not on the ledger, the uploaded entries of batches, is kept elsewhere
//!   ([`Entries`]).
//! - **X3** No personal data: codes, ids, digests and places only.

mod cases;
mod entries;
mod facts;
mod postgres;
mod query;
mod rows;
mod schema;
mod sql;
mod sqlite;
mod store;
mod tasks;
mod writer;

pub use cases::{CaseFilter, CaseState, Happening, PackMotion, What};
pub use entries::Entries;
pub use postgres::Settings as PostgresSettings;
pub use query::{Filter, Found, HistoryHit, Queries};
pub use rows::{BlockRows, DepositRow, Holders, TransactionRow, genesis_keys, rows};
pub use sql::Database;
pub use store::{Place, Store};
pub use tasks::TaskFilter;
pub use writer::{Blocks, Indexer, Progress, Writer};

/// Why the index cannot answer or go on.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// SQLite says why.
    #[error("the index: {0}")]
    Sql(#[from] rusqlite::Error),
    /// PostgreSQL says why.
    #[error("the index in PostgreSQL: {}", database_error(.0))]
    Postgres(#[from] ::postgres::Error),
    /// A value of another type than the index wrote.
    #[error("the index: column {0} of a row is not as it was written")]
    Malformed(usize),
    /// Another node writes there.
    #[error("the schema {0} is in use by another node; give each node a schema of its own")]
    Taken(String),
    /// Something else lies there.
    #[error("the schema {0} holds something else than this network's index; nothing in it is touched")]
    Foreign(String),
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

/// What the server said, in its own words, or what the network did.
fn database_error(error: &::postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
    }
}
