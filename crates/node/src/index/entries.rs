//! Uploaded entries of batch deposits. The ledger holds a batch's root only; who has the entries may leave them with a node, so that
//! others can ask for one. They are kept apart from the index, which may be deleted.

use std::{
    path::{Path, PathBuf},
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

/// The file's name, and its name once it was found damaged.
const FILE: &str = "entries.sqlite";
const ASIDE: &str = "entries.sqlite.damaged";

/// The uploaded entries.
pub struct Entries {
    directory: PathBuf,
    connection: Mutex<Connection>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Batches with the file, and the entry's index in each.
    pub found: Vec<(TransactionId, u64)>,
    /// Batches whose entry there is not what was put there.
    pub damaged: Vec<TransactionId>,
}

impl Entries {
    /// Opens the store in `directory`, making it if there is none.
    pub fn open(directory: &Path) -> Result<Self, IndexError> {
        std::fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.into(), connection: Mutex::new(connect(directory)?) })
    }

    /// Renames the file in `directory`, with what belongs to it, for whoever wants to look into it.
    pub fn set_aside(directory: &Path) -> Result<(), IndexError> {
        for suffix in ["", "-wal", "-shm"] {
            match std::fs::rename(directory.join(format!("{FILE}{suffix}")), directory.join(format!("{ASIDE}{suffix}"))) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Sets the file aside and begins anew.
    pub fn renew(&self) -> Result<(), IndexError> {
        let mut connection = self.lock();
        *connection = Connection::open_in_memory()?;
        Self::set_aside(&self.directory)?;
        *connection = connect(&self.directory)?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The batches that lie here, whole or not.
    pub fn batches(&self) -> Result<Vec<TransactionId>, IndexError> {
        let sql = self.lock();
        let mut statement = sql.prepare_cached("select id from batches order by batch")?;
        // What is no id any more is the id of nothing.
        let rows = statement.query_map([], |row| Ok(row.get(0).ok().map(TransactionId)))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The root of all entries of a batch; `None` when they, their nodes and their digests contradict one another. Reads a chunk at a
    /// time, and lets others read in between.
    pub fn examine(&self, batch: &TransactionId) -> Result<Option<Digest>, IndexError> {
        let Some((number, count)) = number(&self.lock(), batch)? else { return Ok(None) };
        let mut roots = Vec::new();
        let mut read = 0;
        while read < count {
            let sql = self.lock();
            let chunk = chunk(&sql, number, roots.len() as u64)?;
            let root = root_of_leaves(chunk.iter().map(|entry| leaf(entry)).collect());
            if chunk.is_empty() || node(&sql, number, roots.len() as u64)? != Some(root) {
                return Ok(None);
            }
            let mut known = sql.prepare_cached("select 1 from digests where prefix = ? and batch = ? and number = ?")?;
            for (at, entry) in (read..).zip(&chunk) {
                if let Ok(entry) = Entry::decode(entry)
                    && !known.exists(params![prefix(&entry.file.sha256), number, at as i64])?
                {
                    return Ok(None);
                }
            }
            read += chunk.len() as u64;
            roots.push(root);
        }
        let sql = self.lock();
        let rows = |table: &str| -> Result<i64, rusqlite::Error> {
            sql.query_row(&format!("select count(*) from {table} where batch = ?"), [number], |row| row.get(0))
        };
        let whole = count > 0 && rows("nodes")? == roots.len() as i64 && rows("entries")? == count as i64;
        Ok(whole.then(|| Tree::new(roots).root()))
    }

    /// Forgets a batch.
    pub fn remove(&self, batch: &TransactionId) -> Result<(), IndexError> {
        let connection = self.lock();
        let sql = connection.unchecked_transaction()?;
        remove(&sql, batch)?;
        sql.commit()?;
        Ok(())
    }

    /// Keeps the entries of a batch, which must be all of them in order, instead of those that lie there: in one transaction, so that a
    /// crash or a full disk leaves the former ones.
    pub fn put<T: AsRef<[u8]>>(&self, batch: &TransactionId, entries: &[T]) -> Result<(), IndexError> {
        let connection = self.lock();
        let sql = connection.unchecked_transaction()?;
        remove(&sql, batch)?;
        let count = entries.len() as i64;
        sql.execute("insert into batches (id, count) values (?, ?)", params![batch.0, count])?;
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

    /// An entry with its path to the batch's root. Whether it leads there, the caller checks.
    pub fn get(&self, batch: &TransactionId, index: u64) -> Result<Option<BatchEntry>, IndexError> {
        let sql = self.lock();
        let Some((number, _)) = number(&sql, batch)?.filter(|(_, count)| index < *count) else { return Ok(None) };
        let (at, place) = (index / CHUNK as u64, (index % CHUNK as u64) as usize);
        let entries = chunk(&sql, number, at)?;
        let nodes: Vec<Digest> = sql
            .prepare_cached("select hash from nodes where batch = ? order by number")?
            .query_map([number], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        // Where rows are missing, there is something that leads nowhere.
        let bytes = entries.get(place).cloned().unwrap_or_default();
        let mut path = Vec::new();
        if place < entries.len() && (at as usize) < nodes.len() {
            path = Tree::new(entries.iter().map(|entry| leaf(entry)).collect()).path(place);
            path.extend(Tree::new(nodes).path(at as usize));
        }
        Ok(Some(BatchEntry { bytes, index, path }))
    }

    /// The uploaded entries of a file with this SHA-256.
    pub fn find(&self, sha256: &Digest) -> Result<Sought, IndexError> {
        let sql = self.lock();
        let mut statement = sql.prepare_cached(
            "select b.id, d.number, e.bytes, d.batch from digests d join batches b on b.batch = d.batch
             left join entries e on e.batch = d.batch and e.number = d.number where d.prefix = ?",
        )?;
        let rows = statement.query_map([prefix(sha256)], |row| {
            let id = row.get(0).ok().map(TransactionId);
            let bytes = row.get_ref(2)?.as_blob().ok().map(<[u8]>::to_vec);
            Ok((id, row.get::<_, i64>(1)? as u64, bytes, row.get::<_, i64>(3)?))
        })?;
        let mut sought = Sought::default();
        for row in rows {
            let (Some(batch), index, bytes, number) = row? else { continue };
            if bytes.is_some_and(|bytes| Entry::decode(&bytes).is_ok_and(|entry| entry.file.sha256 == *sha256)) {
                sought.found.push((batch, index));
                continue;
            }
            // Two files may have the same first 8 bytes; an entry that its own node contradicts has no such excuse.
            let at = index / CHUNK as u64;
            let root = root_of_leaves(chunk(&sql, number, at)?.iter().map(|entry| leaf(entry)).collect());
            if node(&sql, number, at)? != Some(root) {
                sought.damaged.push(batch);
            }
        }
        Ok(sought)
    }
}

fn connect(directory: &Path) -> Result<Connection, IndexError> {
    let connection = Connection::open(directory.join(FILE))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

fn remove(sql: &Connection, batch: &TransactionId) -> Result<(), IndexError> {
    let found: Option<i64> =
        sql.query_row("select batch from batches where id = ?", [batch.0], |row| row.get(0)).optional()?;
    let Some(number) = found else { return Ok(()) };
    for table in ["batches", "entries", "nodes", "digests"] {
        sql.execute(&format!("delete from {table} where batch = ?"), [number])?;
    }
    Ok(())
}

/// The number of a batch here, and of how many entries it is.
fn number(sql: &Connection, batch: &TransactionId) -> Result<Option<(i64, u64)>, IndexError> {
    let mut statement = sql.prepare_cached("select batch, count from batches where id = ?")?;
    Ok(statement.query_row([batch.0], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64))).optional()?)
}

/// The entries below a stored node.
fn chunk(sql: &Connection, number: i64, at: u64) -> Result<Vec<Vec<u8>>, IndexError> {
    let (from, to) = (at * CHUNK as u64, (at + 1) * CHUNK as u64);
    Ok(sql
        .prepare_cached("select bytes from entries where batch = ? and number >= ? and number < ? order by number")?
        // What is no bytes any more is not the entry that it was, and leads nowhere.
        .query_map(params![number, from as i64, to as i64], |row| {
            Ok(row.get_ref(0)?.as_blob().map(<[u8]>::to_vec).unwrap_or_default())
        })?
        .collect::<Result<_, _>>()?)
}

fn node(sql: &Connection, number: i64, at: u64) -> Result<Option<Digest>, IndexError> {
    let mut statement = sql.prepare_cached("select hash from nodes where batch = ? and number = ?")?;
    Ok(statement.query_row(params![number, at as i64], |row| Ok(row.get(0).ok())).optional()?.flatten())
}
