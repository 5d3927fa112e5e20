//! The index's tables.
//!
//! A transaction's place is one number, `seq = height · 2^20 + index`. Rows are appended in that order, which costs a B-tree little.
//! Only the way from an id to its place goes by a random key; it is cut into epochs of 65,536 transactions, so that the pages being
//! written stay few whatever the index holds, at the price of one look-up an epoch. The same holds for the digests of deposits.
//!
//! The words are SQLite's; see [`sql`](super::sql) for what PostgreSQL makes of them.

/// Raised when a table or its meaning changes; an index of another format is built anew.
pub(super) const FORMAT: i64 = 3;

/// Every table.
pub(super) const NAMES: [&str; 11] = [
    "meta",
    "names",
    "blocks",
    "transactions",
    "ids",
    "digests",
    "case_deposits",
    "by_organisation",
    "by_call",
    "history",
    "keys",
];

/// What the index says of itself; of the same shape in every format.
pub(super) const META: &str = "meta (name text primary key, value integer not null) without rowid";

pub(super) const TABLES: &str = "
create table if not exists meta (name text primary key, value integer not null) without rowid;
create table if not exists names (id integer primary key, name text not null unique);
create table if not exists blocks (height integer primary key, time integer not null, transactions integer not null);
create table if not exists transactions (
    seq integer primary key, id blob not null, call integer not null, organisation integer, refusal integer,
    digest blob, deposit integer);
create table if not exists ids (epoch integer, prefix integer, seq integer, primary key (epoch, prefix, seq)) without rowid;
create table if not exists digests (epoch integer, prefix integer, seq integer, primary key (epoch, prefix, seq)) without rowid;
create table if not exists case_deposits (seq integer primary key, organisation integer not null);
create index if not exists case_deposits_of_organisation on case_deposits (organisation, seq);
create table if not exists by_organisation (organisation integer, seq integer, call integer not null,
    primary key (organisation, seq)) without rowid;
create table if not exists by_call (call integer, seq integer, primary key (call, seq)) without rowid;
create table if not exists history (prefix integer, seq integer, event integer, evidence blob not null,
    primary key (prefix, seq, event)) without rowid;
create table if not exists keys (key blob primary key, organisation text not null) without rowid;
";

/// Transactions of a block that a place can tell apart.
pub(super) const INDEX_BITS: u32 = 20;
/// Transactions of an epoch.
pub(super) const EPOCH: i64 = 1 << 16;
