//! Writing rows.

use std::collections::HashMap;

use rusqlite::ErrorCode;
use zhulian_crypto::PublicKey;
use zhulian_primitives::{Code, Height};

use super::{
    BlockRows, Database, Holders, IndexError, cases,
    schema::{EPOCH, FORMAT, INDEX_BITS, META, TABLES},
    sql::{Cell, Sql, cells},
    tasks::Tasks,
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

/// The writing end of the index.
pub struct Store {
    database: Database,
    chain: [u8; 32],
    genesis: Vec<(PublicKey, String)>,
    /// None before the first connection, and after the server was lost.
    connection: Option<Box<dyn Sql>>,
    /// Ids of names, which are few: organisations, calls, refusing modules, packs, procedures, decisions.
    names: Names,
    at: Position,
}

/// What the index says of itself.
#[derive(Clone, Copy, Default)]
struct Position {
    height: Height,
    first: Height,
    epoch: i64,
    in_epoch: i64,
    transactions: i64,
    evidence: i64,
}

impl Position {
    const NAMES: [&'static str; 6] = ["height", "first", "epoch", "in_epoch", "transactions", "evidence"];

    fn numbers(&self) -> [i64; 6] {
        [self.height as i64, self.first as i64, self.epoch, self.in_epoch, self.transactions, self.evidence]
    }

    fn read(sql: &mut dyn Sql) -> Result<Self, IndexError> {
        let mut number = |name| sql.meta(name).map(Option::unwrap_or_default);
        Ok(Self {
            height: number("height")? as u64,
            first: number("first")? as u64,
            epoch: number("epoch")?,
            in_epoch: number("in_epoch")?,
            transactions: number("transactions")?,
            evidence: number("evidence")?,
        })
    }

    fn write(&self, sql: &mut dyn Sql) -> Result<(), IndexError> {
        for (name, value) in Self::NAMES.into_iter().zip(self.numbers()) {
            sql.execute("update meta set value = ?2 where name = ?1", cells![name, value])?;
        }
        Ok(())
    }
}

impl Store {
    /// Opens the index, making it if there is none, or none of this format. A file that is broken or another network's is
    /// replaced; one that only cannot be had at the moment is not, nor is another network's schema.
    pub fn open(database: impl Into<Database>, chain: &[u8; 32]) -> Result<Self, IndexError> {
        let mut store = Self::closed(database, chain);
        store.reopen()?;
        Ok(store)
    }

    /// The index as it is before it is opened: empty, as far as one can tell.
    pub fn closed(database: impl Into<Database>, chain: &[u8; 32]) -> Self {
        Self {
            database: database.into(),
            chain: *chain,
            genesis: Vec::new(),
            connection: None,
            names: Names::default(),
            at: Position::default(),
        }
    }

    /// Opens the index if it is closed, and tells whether it was. Height and totals may then be others than before.
    pub fn reopen(&mut self) -> Result<bool, IndexError> {
        if self.connection.is_some() {
            return Ok(false);
        }
        let mut sql = match self.connect() {
            Ok(Some(sql)) => sql,
            Ok(None) => {
                tracing::info!("the index has another format or is another network's; building it anew");
                self.connect_anew()?
            }
            Err(error) if matches!(self.database, Database::Sqlite(_)) && is_broken(&error) => {
                tracing::warn!(%error, "the index is broken; building it anew");
                self.connect_anew()?
            }
            Err(error) => return Err(error),
        };
        self.at = Position::read(&mut *sql)?;
        self.names = Names::read(&mut *sql)?;
        write_keys(&mut *sql, &self.genesis)?;
        self.connection = Some(sql);
        Ok(true)
    }

    /// Deletes the index, so that it is built anew.
    pub fn remove(database: impl Into<Database>) -> Result<(), IndexError> {
        database.into().remove()
    }

    fn connect_anew(&self) -> Result<Box<dyn Sql>, IndexError> {
        self.database.remove()?;
        let new = self.connect()?;
        new.ok_or_else(|| IndexError::Io(std::io::Error::other("a new index is of another format")))
    }

    /// A connection to the index; `None` when it must be built anew.
    fn connect(&self) -> Result<Option<Box<dyn Sql>>, IndexError> {
        let mut sql = self.database.writer()?;
        // The tables of another format may not go together with these.
        sql.batch(&format!("create table if not exists {META}"))?;
        let network = i64::from_be_bytes(std::array::from_fn(|i| self.chain[i]));
        match (sql.meta("format")?, sql.meta("network")?) {
            (None, None) => {
                // All or nothing: a power cut may come at any write, and what it leaves half made looks as if there were nothing.
                sql.batch("begin; delete from meta")?;
                create_tables(&mut *sql)?;
                let zeros = Position::NAMES.into_iter().map(|name| (name, 0));
                let all = zeros.chain([("format", FORMAT), ("network", network)]);
                let cells: Vec<Cell> = all.flat_map(|(name, value)| [Cell::from(name), value.into()]).collect();
                sql.append("meta", 2, &cells)?;
                sql.batch("commit")?;
            }
            (Some(FORMAT), Some(found)) if found == network => create_tables(&mut *sql)?,
            (_, Some(found)) if found != network => {
                // A file beside this node's data is its own; a schema may be somebody else's.
                if let Database::Postgres(settings) = &self.database {
                    return Err(IndexError::Foreign(settings.schema.clone()));
                }
                return Ok(None);
            }
            _ => return Ok(None),
        }
        Ok(Some(sql))
    }

    /// The last block in the index; 0 when it is empty.
    pub fn height(&self) -> Height {
        self.at.height
    }

    /// The first block in the index; 0 when it is empty.
    pub fn first(&self) -> Height {
        self.at.first
    }

    /// Transactions in the index, and pieces of evidence.
    pub fn totals(&self) -> (u64, u64) {
        (self.at.transactions as u64, self.at.evidence as u64)
    }

    /// Every key in the index.
    pub fn holders(&mut self) -> Result<Holders, IndexError> {
        let mut holders = Holders::new();
        for row in self.sql()?.rows("select key, organisation from keys", &[])? {
            if let Some(Cell::Bytes(key)) = row.0.first()
                && let Ok(key) = PublicKey::parse(key)
            {
                holders.insert(key, row.text(1)?);
            }
        }
        Ok(holders)
    }

    /// Writes keys that no block registered: those of genesis. May be repeated.
    pub fn genesis(&mut self, keys: &[(PublicKey, String)]) -> Result<(), IndexError> {
        self.genesis = keys.to_vec();
        match &mut self.connection {
            Some(sql) => write_keys(&mut **sql, keys),
            None => Ok(()),
        }
    }

    fn sql(&mut self) -> Result<&mut Box<dyn Sql>, IndexError> {
        self.connection.as_mut().ok_or_else(|| IndexError::Io(std::io::Error::other("not connected")))
    }

    /// Writes blocks that follow the last one, all or none. Blocks already written are passed over. The index of a node that
    /// synced its state begins where its archive does, so an empty one takes any block as the first.
    pub fn write(&mut self, blocks: &[BlockRows]) -> Result<(), IndexError> {
        self.reopen()?;
        let before = self.at;
        let result = self.sql()?.batch("begin").and_then(|()| self.try_write(blocks));
        if result.is_err() {
            self.at = before;
            // Names of the failed attempt are gone with it.
            self.names = Names::default();
            let rolled_back = self.sql()?.batch("rollback");
            if rolled_back.is_err() || matches!(self.database, Database::Postgres(_)) {
                self.connection = None;
            }
        }
        result
    }

    fn try_write(&mut self, blocks: &[BlockRows]) -> Result<(), IndexError> {
        let Self { connection: Some(sql), names, at, .. } = self else { return Ok(()) };
        let sql = &mut **sql;
        let mut written = Rows::new("blocks", 3);
        let mut transactions = Rows::new("transactions", 7);
        let mut ids = Vec::new();
        let mut digests = Vec::new();
        let mut case_deposits = Rows::new("case_deposits", 2);
        let mut by_organisation = Rows::new("by_organisation", 3);
        let mut by_call = Rows::new("by_call", 2);
        let mut history = Rows::new("history", 4);
        let mut tasks = Tasks::default();
        for block in blocks {
            if at.height > 0 && block.height <= at.height {
                continue;
            }
            if at.height > 0 && block.height != at.height + 1 {
                return Err(IndexError::Gap { expected: at.height + 1, given: block.height });
            }
            if at.height == 0 {
                at.first = block.height;
            }
            at.height = block.height;
            let count = block.transactions.len() as i64;
            written.add([(block.height as i64).into(), (block.time as i64).into(), count.into()]);
            for (index, row) in block.transactions.iter().enumerate() {
                let seq = Place::new(block.height, index as u32).0;
                let call_name = format!("{}.{}", row.module, row.call);
                let call = names.id(sql, &call_name)?;
                let organisation = match &row.organisation {
                    Some(code) => Some(names.id(sql, code)?),
                    None => None,
                };
                let refusal = match &row.refusal {
                    Some(Code { module, number }) => Some(names.id(sql, module)? << 16 | i64::from(*number)),
                    None => None,
                };
                let deposit = row.deposit.map(|it| i64::from(it.sequence) << 1 | i64::from(it.batch));
                transactions.add([
                    seq.into(),
                    row.id.0.into(),
                    call.into(),
                    organisation.into(),
                    refusal.into(),
                    row.deposit.map(|deposit| deposit.digest).into(),
                    deposit.into(),
                ]);
                ids.push([at.epoch, prefix(&row.id.0), seq]);
                if let Some(deposit) = &row.deposit {
                    digests.push([at.epoch, prefix(&deposit.digest), seq]);
                }
                if let Some(code) = &row.depositor {
                    case_deposits.add([seq.into(), names.id(sql, code)?.into()]);
                }
                if let Some(organisation) = organisation {
                    by_organisation.add([organisation.into(), seq.into(), call.into()]);
                }
                if call_name != HOT_CALL {
                    by_call.add([call.into(), seq.into()]);
                }
                at.in_epoch += 1;
                if at.in_epoch == EPOCH {
                    (at.epoch, at.in_epoch) = (at.epoch + 1, 0);
                }
            }
            at.transactions += count;
            at.evidence += block.evidence as i64;
            for (index, event, id) in &block.history {
                let seq = Place::new(block.height, *index).0;
                history.add([prefix(id).into(), seq.into(), i64::from(*event).into(), (*id).into()]);
            }
            for it in &block.happenings {
                cases::write(sql, names, &mut tasks, Place::new(block.height, it.transaction).0, it)?;
            }
            write_keys(sql, &block.keys)?;
        }
        let [ids, digests] = [("ids", ids), ("digests", digests)].map(|(table, rows)| Rows::sorted(table, rows));
        for rows in [written, transactions, ids, digests, case_deposits, by_organisation, by_call, history] {
            rows.write(sql)?;
        }
        tasks.write(sql)?;
        at.write(sql)?;
        sql.batch("commit")
    }
}

fn create_tables(sql: &mut dyn Sql) -> Result<(), IndexError> {
    sql.batch(TABLES)?;
    sql.batch(cases::TABLES)
}

/// Whether a file is none of ours any more. Whatever else keeps it from being opened (a lock, a full disk, too many open files, an owner)
/// may pass, and must not cost the index.
fn is_broken(error: &IndexError) -> bool {
    match error {
        IndexError::Sql(rusqlite::Error::SqliteFailure(error, _) | rusqlite::Error::SqlInputError { error, .. }) => {
            // The last is what SQLite says of tables of another shape.
            [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase, ErrorCode::Unknown].contains(&error.code)
        }
        IndexError::Sql(
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..),
        )
        | IndexError::Malformed(_) => true,
        _ => false,
    }
}

/// The call that nearly all transactions make has no rows in `by_call`: whoever looks for it reads `transactions` itself.
pub(super) const HOT_CALL: &str = "evidence.deposit";

/// The first 8 bytes of an id.
pub(super) fn prefix(id: &[u8]) -> i64 {
    i64::from_be_bytes(std::array::from_fn(|i| id[i]))
}

fn write_keys(sql: &mut dyn Sql, keys: &[(PublicKey, String)]) -> Result<(), IndexError> {
    for (key, organisation) in keys {
        sql.execute("insert into keys values (?1, ?2) on conflict do nothing", cells![key.as_bytes(), organisation])?;
    }
    Ok(())
}

/// Numbers of the names that are in the index.
#[derive(Default)]
pub(super) struct Names(HashMap<String, i64>);

impl Names {
    fn read(sql: &mut dyn Sql) -> Result<Self, IndexError> {
        let rows = sql.rows("select name, id from names", &[])?;
        rows.iter().map(|row| Ok((row.text(0)?, row.integer(1)?))).collect::<Result<_, _>>().map(Self)
    }

    /// The number of a name, which is written if it is new. Numbers follow the order in which names first occur, so that equal
    /// chains have equal ones.
    pub(super) fn id(&mut self, sql: &mut dyn Sql, name: &str) -> Result<i64, IndexError> {
        if let Some(id) = self.0.get(name) {
            return Ok(*id);
        }
        let known = sql.row("select id from names where name = ?1", cells![name])?;
        let id = match known {
            Some(row) => row.integer(0)?,
            None => {
                let next =
                    sql.row("select coalesce(max(id), 0) + 1 from names", &[])?.map_or(Ok(1), |row| row.integer(0))?;
                sql.execute("insert into names (id, name) values (?1, ?2)", cells![next, name])?;
                next
            }
        };
        self.0.insert(name.into(), id);
        Ok(id)
    }
}

/// Rows on their way into a table, many by one statement.
pub(super) struct Rows {
    table: &'static str,
    columns: usize,
    cells: Vec<Cell>,
}

impl Rows {
    pub(super) fn new(table: &'static str, columns: usize) -> Self {
        Self { table, columns, cells: Vec::new() }
    }

    /// Rows with random keys, in the order in which a B-tree takes them soonest.
    fn sorted<const N: usize>(table: &'static str, mut rows: Vec<[i64; N]>) -> Self {
        rows.sort_unstable();
        Self { table, columns: N, cells: rows.into_iter().flatten().map(Cell::from).collect() }
    }

    pub(super) fn add<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.columns);
        self.cells.extend(row);
    }

    pub(super) fn write(self, sql: &mut dyn Sql) -> Result<(), IndexError> {
        sql.append(self.table, self.columns, &self.cells)
    }
}
