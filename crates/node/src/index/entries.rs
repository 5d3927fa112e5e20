//! Uploaded entries of batch deposits. The ledger holds a batch's root only; who has the entries may leave them with a node, so that
//! others can ask for one. They are kept apart from the index, which may be deleted.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard},
};

use rusqlite::{Connection, OptionalExtension as _, params};
use zhulian_crypto::Digest;
use zhulian_ledger::merkle::{Tree, leaf, root_of_leaves};
use zhulian_primitives::TransactionId;
use zhulian_verify::{BatchEntry, Entry};

use super::{IndexError, store::prefix};

/// Leaves below a stored node of the tree: a power of two, so that the nodes are the tree's own.
const CHUNK: usize = 1_024;

const TABLES: &str = "
create table if not exists batches (batch integer primary key, id blob not null unique, count integer not null);
create table if not exists entries (batch integer, number integer, bytes blob not null, primary key (batch, number)) without rowid;
create table if not exists nodes (batch integer, number integer, hash blob not null, primary key (batch, number)) without rowid;
create table if not exists digests (prefix integer, batch integer, number integer, primary key (prefix, batch, number)) without rowid;
";

/// The uploaded entries.
pub struct Entries(Mutex<Connection>);

impl Entries {
    /// Opens the store in `directory`, making it if there is none.
    pub fn open(directory: &Path) -> Result<Self, IndexError> {
        std::fs::create_dir_all(directory)?;
        let connection = Connection::open(directory.join("entries.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.execute_batch(TABLES)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Keeps the entries of a batch, which must be all of them in order; the same batch may come again.
    pub fn put<T: AsRef<[u8]>>(&self, batch: &TransactionId, entries: &[T]) -> Result<(), IndexError> {
        let connection = self.lock();
        let sql = connection.unchecked_transaction()?;
        let count = entries.len() as i64;
        if sql.execute("insert or ignore into batches (id, count) values (?, ?)", params![batch.0, count])? == 0 {
            return Ok(());
        }
        let number = sql.last_insert_rowid();
        let mut digests: Vec<(i64, i64)> = Vec::with_capacity(entries.len());
        {
            let mut insert = sql.prepare("insert into entries values (?, ?, ?)")?;
            for (at, entry) in entries.iter().enumerate() {
                insert.execute(params![number, at as i64, entry.as_ref()])?;
                if let Ok(entry) = Entry::decode(entry.as_ref()) {
                    digests.push((prefix(&entry.file.sha256), at as i64));
                }
            }
            let mut insert = sql.prepare("insert into nodes values (?, ?, ?)")?;
            for (at, chunk) in entries.chunks(CHUNK).enumerate() {
                let node = root_of_leaves(chunk.iter().map(|entry| leaf(entry.as_ref())).collect());
                insert.execute(params![number, at as i64, node])?;
            }
            // In the order of the table, which writes each of its pages once.
            digests.sort_unstable();
            let mut insert = sql.prepare("insert into digests values (?, ?, ?)")?;
            for (prefix, at) in digests {
                insert.execute(params![prefix, number, at])?;
            }
        }
        sql.commit()?;
        Ok(())
    }

    /// An entry with its path to the batch's root.
    pub fn get(&self, batch: &TransactionId, index: u64) -> Result<Option<BatchEntry>, IndexError> {
        let sql = self.lock();
        let found: Option<(i64, i64)> = sql
            .prepare_cached("select batch, count from batches where id = ?")?
            .query_row([batch.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((number, _)) = found.filter(|(_, count)| index < *count as u64) else { return Ok(None) };
        let (chunk, place) = (index / CHUNK as u64, (index % CHUNK as u64) as usize);
        let (from, to) = (chunk * CHUNK as u64, (chunk + 1) * CHUNK as u64);
        let entries: Vec<Vec<u8>> = sql
            .prepare_cached("select bytes from entries where batch = ? and number >= ? and number < ? order by number")?
            .query_map(params![number, from as i64, to as i64], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let nodes: Vec<Digest> = sql
            .prepare_cached("select hash from nodes where batch = ? order by number")?
            .query_map([number], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let Some(bytes) = entries.get(place).cloned() else { return Ok(None) };
        let mut path = Tree::new(entries.iter().map(|entry| leaf(entry)).collect()).path(place);
        path.extend(Tree::new(nodes).path(chunk as usize));
        Ok(Some(BatchEntry { bytes, index, path }))
    }

    /// The uploaded entries of a file with this SHA-256: the batch and the entry's index.
    pub fn find(&self, sha256: &Digest) -> Result<Vec<(TransactionId, u64)>, IndexError> {
        let sql = self.lock();
        let mut statement = sql.prepare_cached(
            "select b.id, d.number, e.bytes from digests d join batches b on b.batch = d.batch
             join entries e on e.batch = d.batch and e.number = d.number where d.prefix = ?",
        )?;
        let rows = statement.query_map([prefix(sha256)], |row| {
            Ok((TransactionId(row.get(0)?), row.get::<_, i64>(1)? as u64, row.get::<_, Vec<u8>>(2)?))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (batch, index, bytes) = row?;
            if Entry::decode(&bytes).is_ok_and(|entry| entry.file.sha256 == *sha256) {
                found.push((batch, index));
            }
        }
        Ok(found)
    }
}
