//! Writing rows.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension as _, Params, ToSql, Transaction, params, params_from_iter};
use zhulian_crypto::PublicKey;
use zhulian_primitives::{Code, Height};

use super::{
    BlockRows, Holders, IndexError, cases,
    schema::{EPOCH, FORMAT, INDEX_BITS, TABLES},
};

/// The place of a transaction as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub i64);

impl Place {
    /// The place of transaction `index` of the block at `height`.
    pub fn new(height: Height, index: u32) -> Self {
        Self(((height << INDEX_BITS) | u64::from(index)) as i64)
    }

    /// Height of the block.
    pub fn height(self) -> Height {
        self.0 as u64 >> INDEX_BITS
    }

    /// Index in the block.
    pub fn index(self) -> u32 {
        (self.0 as u64 & ((1 << INDEX_BITS) - 1)) as u32
    }
}

/// Rows written by one statement.
const ROWS: usize = 32;

/// The writing end of the index.
pub struct Store {
    connection: Connection,
    /// Ids of names, which are few: organisations, calls, refusing modules, packs, procedures, decisions.
    names: Names,
    height: Height,
    first: Height,
    epoch: i64,
    in_epoch: i64,
    transactions: i64,
    evidence: i64,
}

impl Store {
    /// Opens the index in `directory`, making it if there is none, or none of this format and network.
    pub fn open(directory: &Path, chain: &[u8; 32]) -> Result<Self, IndexError> {
        std::fs::create_dir_all(directory)?;
        let path = path(directory);
        match Self::open_file(&path, chain) {
            Ok(Some(store)) => return Ok(store),
            Ok(None) => tracing::info!("the index has another format or is another network's; building it anew"),
            Err(error) => tracing::warn!(%error, "the index cannot be read; building it anew"),
        }
        Self::remove(directory)?;
        let store = Self::open_file(&path, chain)?;
        store.ok_or_else(|| IndexError::Io(std::io::Error::other("a new index is of another format")))
    }

    /// Deletes the index, so that it is built anew.
    pub fn remove(directory: &Path) -> Result<(), IndexError> {
        let path = path(directory);
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match std::fs::remove_file(PathBuf::from(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn open_file(path: &Path, chain: &[u8; 32]) -> Result<Option<Self>, IndexError> {
        let connection = Connection::open(path)?;
        // Losing the last moments in a power cut is harmless, they come again from the ledger; half a write would not be, and
        // cannot happen in this mode.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(TABLES)?;
        connection.execute_batch(cases::TABLES)?;
        let network = i64::from_be_bytes(std::array::from_fn(|i| chain[i]));
        let meta = |name: &str| -> Result<Option<i64>, rusqlite::Error> {
            connection.query_row("select value from meta where name = ?", [name], |row| row.get(0)).optional()
        };
        match (meta("format")?, meta("network")?) {
            (None, None) => {
                let mut insert = connection.prepare("insert into meta values (?, ?)")?;
                let zeros = ["height", "first", "epoch", "in_epoch", "transactions", "evidence"];
                for (name, value) in
                    zeros.into_iter().map(|name| (name, 0)).chain([("format", FORMAT), ("network", network)])
                {
                    insert.execute(params![name, value])?;
                }
            }
            (Some(FORMAT), Some(found)) if found == network => {}
            _ => return Ok(None),
        }
        let number = |name| meta(name).map(Option::unwrap_or_default);
        let (height, first) = (number("height")? as u64, number("first")? as u64);
        let (epoch, in_epoch) = (number("epoch")?, number("in_epoch")?);
        let (transactions, evidence) = (number("transactions")?, number("evidence")?);
        let names = connection
            .prepare("select name, id from names")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok(Some(Self { connection, names: Names(names), height, first, epoch, in_epoch, transactions, evidence }))
    }

    /// The last block in the index; 0 when it is empty.
    pub fn height(&self) -> Height {
        self.height
    }

    /// The first block in the index; 0 when it is empty.
    pub fn first(&self) -> Height {
        self.first
    }

    /// Transactions in the index, and pieces of evidence.
    pub fn totals(&self) -> (u64, u64) {
        (self.transactions as u64, self.evidence as u64)
    }

    /// Every key in the index.
    pub fn holders(&self) -> Result<Holders, IndexError> {
        let mut statement = self.connection.prepare("select key, organisation from keys")?;
        let found = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))?;
        let mut holders = Holders::new();
        for row in found {
            let (key, organisation) = row?;
            if let Ok(key) = PublicKey::parse(&key) {
                holders.insert(key, organisation);
            }
        }
        Ok(holders)
    }

    /// Writes keys that no block registered: those of genesis. May be repeated.
    pub fn genesis(&mut self, keys: &[(PublicKey, String)]) -> Result<(), IndexError> {
        let transaction = self.connection.unchecked_transaction()?;
        write_keys(&transaction, keys)?;
        transaction.commit()?;
        Ok(())
    }

    /// Writes blocks that follow the last one, all or none. Blocks already written are passed over. The index of a node that
    /// synced its state begins where its archive does, so an empty one takes any block as the first.
    pub fn write(&mut self, blocks: &[BlockRows]) -> Result<(), IndexError> {
        let before = (self.height, self.first, self.epoch, self.in_epoch, self.transactions, self.evidence);
        let result = self.try_write(blocks);
        if result.is_err() {
            (self.height, self.first, self.epoch, self.in_epoch, self.transactions, self.evidence) = before;
            // Names of the failed attempt are gone with it.
            self.names.0.clear();
        }
        result
    }

    fn try_write(&mut self, blocks: &[BlockRows]) -> Result<(), IndexError> {
        let sql = self.connection.unchecked_transaction()?;
        let mut transactions = Rows::new(&sql, "transactions", 7)?;
        let mut ids = Rows::new(&sql, "ids", 3)?;
        let mut digests = Rows::new(&sql, "digests", 3)?;
        let mut by_organisation = Rows::new(&sql, "by_organisation", 3)?;
        let mut by_call = Rows::new(&sql, "by_call", 2)?;
        for block in blocks {
            if self.height > 0 && block.height <= self.height {
                continue;
            }
            if self.height > 0 && block.height != self.height + 1 {
                return Err(IndexError::Gap { expected: self.height + 1, given: block.height });
            }
            if self.height == 0 {
                self.first = block.height;
            }
            self.height = block.height;
            run(
                &sql,
                "insert into blocks values (?, ?, ?)",
                params![block.height as i64, block.time as i64, block.transactions.len() as i64],
            )?;
            for (index, row) in block.transactions.iter().enumerate() {
                let seq = Place::new(block.height, index as u32).0;
                let call_name = format!("{}.{}", row.module, row.call);
                let call = self.names.id(&sql, &call_name)?;
                let organisation = match &row.organisation {
                    Some(code) => Some(self.names.id(&sql, code)?),
                    None => None,
                };
                let refusal = match &row.refusal {
                    Some(Code { module, number }) => Some(self.names.id(&sql, module)? << 16 | i64::from(*number)),
                    None => None,
                };
                let digest = row.deposit.map(|deposit| deposit.digest.to_vec());
                let deposit = row.deposit.map(|it| i64::from(it.sequence) << 1 | i64::from(it.batch));
                transactions.add([
                    seq.into(),
                    row.id.0.to_vec().into(),
                    call.into(),
                    organisation.into(),
                    refusal.into(),
                    digest.into(),
                    deposit.into(),
                ])?;
                ids.add([self.epoch.into(), prefix(&row.id.0).into(), seq.into()])?;
                if let Some(deposit) = &row.deposit {
                    digests.add([self.epoch.into(), prefix(&deposit.digest).into(), seq.into()])?;
                }
                if let Some(organisation) = organisation {
                    by_organisation.add([organisation.into(), seq.into(), call.into()])?;
                }
                if call_name != HOT_CALL {
                    by_call.add([call.into(), seq.into()])?;
                }
                self.in_epoch += 1;
                if self.in_epoch == EPOCH {
                    (self.epoch, self.in_epoch) = (self.epoch + 1, 0);
                }
            }
            self.transactions += block.transactions.len() as i64;
            self.evidence += block.evidence as i64;
            for (index, event, id) in &block.history {
                let seq = Place::new(block.height, *index).0;
                run(&sql, "insert into history values (?, ?, ?, ?)", params![prefix(id), seq, event, id])?;
            }
            for it in &block.happenings {
                cases::write(&sql, &mut self.names, Place::new(block.height, it.transaction).0, it)?;
            }
            write_keys(&sql, &block.keys)?;
        }
        transactions.finish()?;
        ids.finish()?;
        digests.finish()?;
        by_organisation.finish()?;
        by_call.finish()?;
        let meta = [
            ("height", self.height as i64),
            ("first", self.first as i64),
            ("epoch", self.epoch),
            ("in_epoch", self.in_epoch),
            ("transactions", self.transactions),
            ("evidence", self.evidence),
        ];
        for (name, value) in meta {
            run(&sql, "update meta set value = ?2 where name = ?1", params![name, value])?;
        }
        sql.commit()?;
        Ok(())
    }
}

/// The call that nearly all transactions make has no rows in `by_call`: whoever looks for it reads `transactions` itself.
pub(super) const HOT_CALL: &str = "evidence.deposit";

/// The file of the index.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("index.sqlite")
}

/// The first 8 bytes of an id.
pub(super) fn prefix(id: &[u8]) -> i64 {
    i64::from_be_bytes(std::array::from_fn(|i| id[i]))
}

pub(super) fn run(sql: &Transaction<'_>, statement: &str, params: impl Params) -> Result<(), IndexError> {
    sql.prepare_cached(statement)?.execute(params)?;
    Ok(())
}

fn write_keys(sql: &Transaction<'_>, keys: &[(PublicKey, String)]) -> Result<(), IndexError> {
    for (key, organisation) in keys {
        run(sql, "insert or ignore into keys values (?, ?)", params![key.as_bytes(), organisation])?;
    }
    Ok(())
}

/// Ids of names that are in the index.
#[derive(Default)]
pub(super) struct Names(HashMap<String, i64>);

impl Names {
    /// The id of a name, which is written if it is new.
    pub(super) fn id(&mut self, sql: &Transaction<'_>, name: &str) -> Result<i64, IndexError> {
        if let Some(id) = self.0.get(name) {
            return Ok(*id);
        }
        run(sql, "insert or ignore into names (name) values (?)", [name])?;
        let id = sql.prepare_cached("select id from names where name = ?")?.query_row([name], |row| row.get(0))?;
        self.0.insert(name.into(), id);
        Ok(id)
    }
}

/// Rows on their way into a table, many by one statement.
struct Rows<'a> {
    sql: &'a Transaction<'a>,
    table: &'static str,
    columns: usize,
    values: Vec<rusqlite::types::Value>,
    full: String,
}

impl<'a> Rows<'a> {
    fn new(sql: &'a Transaction<'a>, table: &'static str, columns: usize) -> Result<Self, IndexError> {
        let full = insert(table, columns, ROWS);
        Ok(Self { sql, table, columns, values: Vec::with_capacity(columns * ROWS), full })
    }

    fn add<const N: usize>(&mut self, row: [rusqlite::types::Value; N]) -> Result<(), IndexError> {
        debug_assert_eq!(N, self.columns);
        self.values.extend(row);
        if self.values.len() < self.columns * ROWS {
            return Ok(());
        }
        self.sql.prepare_cached(&self.full)?.execute(params_from_iter(self.values.drain(..)))?;
        Ok(())
    }

    fn finish(mut self) -> Result<(), IndexError> {
        if self.values.is_empty() {
            return Ok(());
        }
        let rows = self.values.len() / self.columns;
        let one = insert(self.table, self.columns, 1);
        let mut statement = self.sql.prepare_cached(&one)?;
        for row in 0..rows {
            let values = self.values[row * self.columns..][..self.columns].iter().map(|value| value as &dyn ToSql);
            statement.execute(params_from_iter(values))?;
        }
        self.values.clear();
        Ok(())
    }
}

fn insert(table: &str, columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    format!("insert into {table} values {}", vec![row; rows].join(","))
}
