//! Reading the index.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, ToSql, params, params_from_iter};
use zhulian_primitives::{Code, Height, Timestamp, TransactionId};

use super::{
    DepositRow, IndexError, Place, cases,
    schema::INDEX_BITS,
    store::{HOT_CALL, path, prefix},
};

/// Which transactions are asked for; every given condition holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Unified social credit code of the signer's organisation.
    pub organisation: Option<String>,
    /// The called module.
    pub module: Option<String>,
    /// Block time at or after this.
    pub from: Option<Timestamp>,
    /// Block time before this.
    pub to: Option<Timestamp>,
    /// Only what lies before this place.
    pub before: Option<Place>,
    /// Only executed deposits.
    pub deposits: bool,
}

/// A transaction as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place.
    pub place: Place,
    /// Its id.
    pub id: TransactionId,
    /// Time of its block.
    pub time: Timestamp,
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
}

/// An event of a piece of evidence: its transaction, and which event of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryHit {
    /// The transaction.
    pub found: Found,
    /// Number of the event in its receipt.
    pub event: u32,
}

/// The reading end of the index; may be used from many threads.
pub struct Queries {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// Connections kept open.
const CONNECTIONS: usize = 4;

pub(super) const COLUMNS: &str = "t.seq, t.id, b.time, c.name, o.name, t.refusal, t.digest, t.deposit";
pub(super) const JOINS: &str =
    "join blocks b on b.height = t.seq >> 20 join names c on c.id = t.call left join names o on o.id = t.organisation";
const _: () = assert!(INDEX_BITS == 20, "the number in the SQL above");

impl Queries {
    /// Reads the index in `directory`, which a [`Store`](super::Store) has opened before.
    pub fn open(directory: &Path) -> Self {
        Self { path: path(directory), idle: Mutex::default() }
    }

    pub(super) fn with<T>(&self, query: impl FnOnce(&Connection) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let idle = || self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                connection.busy_timeout(std::time::Duration::from_secs(2))?;
                connection.set_prepared_statement_cache_capacity(32);
                connection
            }
        };
        let answer = query(&connection)?;
        let mut idle = idle();
        if idle.len() < CONNECTIONS {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// The transaction whose id begins with these bytes, 8 at least; its first place, should it stand in the chain twice.
    pub fn find(&self, id: &[u8]) -> Result<Option<Found>, IndexError> {
        self.with(|sql| {
            let newest: i64 =
                sql.prepare_cached("select value from meta where name = 'epoch'")?.query_row([], |row| row.get(0))?;
            let mut lookup = sql.prepare_cached("select seq from ids where epoch = ? and prefix = ? order by seq")?;
            let mut read = sql.prepare_cached(&format!("select {COLUMNS} from transactions t {JOINS} where t.seq = ?"))?;
            for epoch in 0..=newest {
                let places = lookup.query_map(params![epoch, prefix(id)], |row| row.get(0))?;
                for seq in places.collect::<Result<Vec<i64>, _>>()? {
                    let found = read.query_row([seq], |row| found(sql, row))?;
                    if found.id.0.starts_with(id) {
                        return Ok(Some(found));
                    }
                }
            }
            Ok(None)
        })
    }

    /// Deposits of a file or batch with this digest, oldest first.
    pub fn deposits(&self, digest: &[u8; 32]) -> Result<Vec<Found>, IndexError> {
        self.with(|sql| {
            let newest: i64 =
                sql.prepare_cached("select value from meta where name = 'epoch'")?.query_row([], |row| row.get(0))?;
            let statement = format!(
                "select {COLUMNS} from digests d cross join transactions t on t.seq = d.seq {JOINS}
                 where d.epoch = ? and d.prefix = ? and t.digest = ? order by d.seq"
            );
            let mut statement = sql.prepare_cached(&statement)?;
            let mut all = Vec::new();
            for epoch in 0..=newest {
                for row in statement.query_map(params![epoch, prefix(digest), digest], |row| found(sql, row))? {
                    all.push(row?);
                }
            }
            Ok(all)
        })
    }

    /// Transactions, newest first.
    pub fn transactions(&self, filter: &Filter, limit: usize) -> Result<Vec<Found>, IndexError> {
        self.with(|sql| {
            let Some((low, high)) = span(sql, filter)? else { return Ok(Vec::new()) };
            let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(low), Box::new(high)];
            let calls = match &filter.module {
                Some(module) => Some(calls(sql, module)?),
                None => None,
            };
            let organisation = match &filter.organisation {
                Some(code) => {
                    let Some(id) = name_id(sql, code)? else { return Ok(Vec::new()) };
                    Some(id)
                }
                None => None,
            };
            let hot = name_id(sql, HOT_CALL)?;
            let among = |calls: &[i64]| calls.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            let deposits = if filter.deposits { "and t.deposit is not null" } else { "" };
            let body = match (organisation, &calls) {
                (Some(organisation), calls) => {
                    values.push(Box::new(organisation));
                    let called = calls.as_ref().map_or(String::new(), |calls| format!("and x.call in ({})", among(calls)));
                    format!(
                        "by_organisation x cross join transactions t on t.seq = x.seq {JOINS}
                         where x.seq >= ?1 and x.seq < ?2 and x.organisation = ?3 {called} {deposits} order by x.seq desc"
                    )
                }
                // Nearly everything is of such a module, so reading everything is the quickest way.
                (None, Some(calls)) if hot.is_some_and(|hot| calls.contains(&hot)) => format!(
                    "transactions t {JOINS} where t.seq >= ?1 and t.seq < ?2 and t.call in ({}) {deposits} order by t.seq desc",
                    among(calls)
                ),
                (None, Some(calls)) => format!(
                    "by_call x cross join transactions t on t.seq = x.seq {JOINS}
                     where x.seq >= ?1 and x.seq < ?2 and x.call in ({}) {deposits} order by x.seq desc",
                    among(calls)
                ),
                (None, None) => {
                    format!("transactions t {JOINS} where t.seq >= ?1 and t.seq < ?2 {deposits} order by t.seq desc")
                }
            };
            let mut statement = sql.prepare_cached(&format!("select {COLUMNS} from {body} limit {limit}"))?;
            let rows = statement.query_map(params_from_iter(values.iter()), |row| found(sql, row))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What happened to a piece of evidence after its deposit, oldest first.
    pub fn history(&self, evidence: &[u8; 16]) -> Result<Vec<HistoryHit>, IndexError> {
        self.with(|sql| {
            let statement = format!(
                "select {COLUMNS}, h.event from history h cross join transactions t on t.seq = h.seq {JOINS}
                 where h.prefix = ? and h.evidence = ? order by h.seq, h.event"
            );
            let mut statement = sql.prepare_cached(&statement)?;
            let rows = statement.query_map(params![prefix(evidence), evidence], |row| {
                Ok(HistoryHit { found: found(sql, row)?, event: row.get(8)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All of the index as text, for comparing two of them in tests.
    pub fn dump(&self) -> Result<Vec<String>, IndexError> {
        let all = Filter::default();
        let mut lines: Vec<String> =
            self.transactions(&all, usize::MAX >> 1)?.iter().map(|row| format!("{row:?}")).collect();
        self.with(|sql| {
            let tables = ["meta", "ids", "digests", "by_organisation", "by_call", "history", "keys", "names"];
            for table in tables.into_iter().chain(cases::NAMES) {
                let mut statement = sql.prepare(&format!("select * from {table} order by 1"))?;
                let columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    (0..columns).map(|i| row.get::<_, rusqlite::types::Value>(i)).collect::<Result<Vec<_>, _>>()
                })?;
                for row in rows {
                    lines.push(format!("{table} {:?}", row?));
                }
            }
            Ok(())
        })?;
        lines.sort();
        Ok(lines)
    }
}

/// The places that the filter's times and cursor leave, from and up to.
fn span(sql: &Connection, filter: &Filter) -> Result<Option<(i64, i64)>, IndexError> {
    let bound = |time: Option<Timestamp>| time.map(|time| first_at(sql, time)).transpose();
    let low = bound(filter.from)?.map_or(0, |height| Place::new(height, 0).0);
    let high = bound(filter.to)?.map_or(i64::MAX, |height| Place::new(height, 0).0);
    let high = high.min(filter.before.map_or(i64::MAX, |place| place.0));
    Ok((low < high).then_some((low, high)))
}

/// The first height whose block is at `time` or later. Times ascend with heights, so it is found by halving.
fn first_at(sql: &Connection, time: Timestamp) -> Result<Height, IndexError> {
    let meta = |name: &str| -> Result<i64, rusqlite::Error> {
        sql.prepare_cached("select value from meta where name = ?")?.query_row([name], |row| row.get(0))
    };
    let (mut low, mut high) = (meta("first")?, meta("height")? + 1);
    let mut read = sql.prepare_cached("select time from blocks where height = ?")?;
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<i64> = read.query_row([middle], |row| row.get(0)).optional()?;
        if at.is_none_or(|at| (at as u64) < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low as u64)
}

pub(super) fn name_id(sql: &Connection, name: &str) -> Result<Option<i64>, IndexError> {
    Ok(sql.prepare_cached("select id from names where name = ?")?.query_row([name], |row| row.get(0)).optional()?)
}

/// Ids of the calls of a module that were ever made.
fn calls(sql: &Connection, module: &str) -> Result<Vec<i64>, IndexError> {
    let mut statement = sql.prepare_cached("select id from names where name > ?1 || '.' and name < ?1 || '/'")?;
    let rows = statement.query_map([module], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn found(sql: &Connection, row: &Row<'_>) -> Result<Found, rusqlite::Error> {
    let id: [u8; 32] = row.get(1)?;
    let name: String = row.get(3)?;
    let (module, call) = name.split_once('.').unwrap_or((&name, ""));
    let refusal = match row.get::<_, Option<i64>>(5)? {
        None => None,
        Some(code) => {
            let module =
                sql.prepare_cached("select name from names where id = ?")?.query_row([code >> 16], |row| row.get(0))?;
            Some(Code { module, number: code as u16 })
        }
    };
    let deposit = match (row.get::<_, Option<[u8; 32]>>(6)?, row.get::<_, Option<i64>>(7)?) {
        (Some(digest), Some(deposit)) => {
            Some(DepositRow { digest, sequence: (deposit >> 1) as u32, batch: deposit & 1 == 1 })
        }
        _ => None,
    };
    Ok(Found {
        place: Place(row.get(0)?),
        id: TransactionId(id),
        time: row.get::<_, i64>(2)? as u64,
        module: module.into(),
        call: call.into(),
        organisation: row.get(4)?,
        refusal,
        deposit,
    })
}
