//! Reading the index.

use std::{collections::HashMap, sync::Mutex};

use zhulian_crypto::{Digest, PublicKey};
use zhulian_primitives::{Code, Height, Timestamp, TransactionId};

use super::{
    Database, DepositRow, IndexError, Place, cases,
    schema::{INDEX_BITS, NAMES},
    sql::{Cell, Row, Sql, cells},
    store::{HOT_CALL, prefix},
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
    /// In whose name a case deposited it; none where the signer's organisation did.
    pub depositor: Option<String>,
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
    database: Database,
    idle: Mutex<Vec<Box<dyn Sql>>>,
}

/// The call by which members deposit batches.
const BATCH_CALL: &str = "evidence.deposit_batch";

/// Connections kept open.
const CONNECTIONS: usize = 4;

pub(super) const COLUMNS: &str = "t.seq, t.id, b.time, c.name, o.name, t.refusal, t.digest, t.deposit, dn.name";
/// The column after these.
pub(super) const COLUMN_NEXT: usize = 9;
pub(super) const JOINS: &str =
    "join blocks b on b.height = t.seq >> 20 join names c on c.id = t.call left join names o on o.id = t.organisation
     left join case_deposits cd on cd.seq = t.seq left join names dn on dn.id = cd.organisation";
const _: () = assert!(INDEX_BITS == 20, "the number in the SQL above");

impl Queries {
    /// Reads the index in `database`, which a [`Store`](super::Store) has opened before.
    pub fn open(database: impl Into<Database>) -> Self {
        Self { database: database.into(), idle: Mutex::default() }
    }

    pub(super) fn with<T>(&self, query: impl Fn(&mut dyn Sql) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let idle = || self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let kept = {
            let mut idle = idle();
            idle.retain(|sql| !sql.is_stale());
            idle.pop()
        };
        let was_kept = kept.is_some();
        let mut sql = kept.map_or_else(|| self.database.reader(), Ok)?;
        let answer = match query(&mut *sql) {
            // The server may have been restarted since; what was kept of it is then worth nothing.
            Err(IndexError::Postgres(_)) if was_kept => {
                let stale = std::mem::take(&mut *idle());
                drop(stale);
                sql = self.database.reader()?;
                query(&mut *sql)?
            }
            answer => answer?,
        };
        let mut idle = idle();
        if idle.len() < CONNECTIONS {
            idle.push(sql);
        }
        Ok(answer)
    }

    /// The same of one state of the index, however many statements the query has.
    fn snapshot<T>(&self, query: impl Fn(&mut dyn Sql) -> Result<T, IndexError>) -> Result<T, IndexError> {
        self.with(|sql| {
            sql.batch("begin")?;
            // A connection on which something failed is not used again, so nothing is left open.
            let answer = query(sql)?;
            sql.batch("commit")?;
            Ok(answer)
        })
    }

    /// The transaction whose id begins with these bytes, 8 at least; its first place, should it stand in the chain twice.
    pub fn find(&self, id: &[u8]) -> Result<Option<Found>, IndexError> {
        self.with(|sql| {
            let last = sql.meta("epoch")?.unwrap_or_default();
            find_among(sql, id, (0, last))
        })
    }

    /// Those of the transactions that are in the index, looked for about the heights given with each, from and up to and with. Epochs of
    /// other blocks are left alone, so that many may be asked for at once.
    pub fn find_between(&self, asked: &[(TransactionId, Height, Height)]) -> Result<Vec<TransactionId>, IndexError> {
        self.with(|sql| {
            let last = sql.meta("epoch")?.unwrap_or_default();
            let mut samples: HashMap<i64, i64> = HashMap::new();
            // Any place in an epoch tells the epochs of heights apart, as places ascend with epochs.
            let mut sample = |sql: &mut dyn Sql, epoch: i64| -> Result<i64, IndexError> {
                if let Some(seq) = samples.get(&epoch) {
                    return Ok(*seq);
                }
                let row = sql.row("select seq from ids where epoch = ?1 limit 1", cells![epoch])?;
                let seq = row.map_or(Ok(i64::MAX), |row| row.integer(0))?;
                samples.insert(epoch, seq);
                Ok(seq)
            };
            let mut all = Vec::new();
            for (id, from, to) in asked {
                let (low, high) = (Place::new(*from, 0).0, Place::new(to.saturating_add(1), 0).0);
                let among = epochs(last, (low, high), |epoch| sample(sql, epoch))?;
                all.extend(find_among(sql, &id.0, among)?.map(|found| found.id));
            }
            Ok(all)
        })
    }

    /// Deposits of a file or batch with this digest, oldest first.
    pub fn deposits(&self, digest: &[u8; 32]) -> Result<Vec<Found>, IndexError> {
        let statement = format!(
            "select {COLUMNS} from digests d cross join transactions t on t.seq = d.seq {JOINS}
             where d.epoch = ?1 and d.prefix = ?2 and t.digest = ?3 order by d.seq"
        );
        self.with(|sql| {
            let mut all = Vec::new();
            for epoch in 0..=sql.meta("epoch")?.unwrap_or_default() {
                for row in sql.rows(&statement, cells![epoch, prefix(digest), *digest])? {
                    all.push(found(sql, &row)?);
                }
            }
            Ok(all)
        })
    }

    /// Transactions, newest first.
    pub fn transactions(&self, filter: &Filter, limit: usize) -> Result<Vec<Found>, IndexError> {
        self.with(|sql| {
            let Some((low, high)) = span(sql, filter)? else { return Ok(Vec::new()) };
            let mut values: Vec<Cell> = vec![low.into(), high.into()];
            let calls = match &filter.module {
                Some(module) => Some(calls(sql, module)?),
                None => None,
            };
            if calls.as_ref().is_some_and(Vec::is_empty) {
                return Ok(Vec::new());
            }
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
                    values.push(organisation.into());
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
                (None, Some(calls)) => {
                    // Where the answer ends: of all that the calls ever made, SQLite would sort everything for it.
                    values[0] = lowest(sql, calls, (low, high), deposits, limit)?.into();
                    format!(
                        "by_call x cross join transactions t on t.seq = x.seq {JOINS}
                         where x.seq >= ?1 and x.seq < ?2 and x.call in ({}) {deposits} order by x.seq desc",
                        among(calls)
                    )
                }
                (None, None) => {
                    format!("transactions t {JOINS} where t.seq >= ?1 and t.seq < ?2 {deposits} order by t.seq desc")
                }
            };
            let rows = sql.rows(&format!("select {COLUMNS} from {body} limit {limit}"), &values)?;
            rows.iter().map(|row| found(sql, row)).collect()
        })
    }

    /// Executed deposits, newest first: those that members signed and those that cases made. The filter's organisation is the depositor.
    pub fn deposited(&self, filter: &Filter, limit: usize) -> Result<Vec<Found>, IndexError> {
        // What members sign of this module is in their own organisation's name.
        let module = filter.organisation.is_some().then(|| "evidence".to_owned());
        let mut all = self.transactions(&Filter { module, deposits: true, ..filter.clone() }, limit)?;
        let Some(code) = &filter.organisation else { return Ok(all) };
        all.extend(self.with(|sql| {
            let Some((low, high)) = span(sql, filter)? else { return Ok(Vec::new()) };
            let Some(organisation) = name_id(sql, code)? else { return Ok(Vec::new()) };
            let statement = format!(
                "select {COLUMNS} from case_deposits x cross join transactions t on t.seq = x.seq {JOINS}
                 where x.organisation = ?1 and x.seq >= ?2 and x.seq < ?3 order by x.seq desc limit {limit}"
            );
            let rows = sql.rows(&statement, cells![organisation, low, high])?;
            rows.iter().map(|row| found(sql, row)).collect()
        })?);
        all.sort_by_key(|found| std::cmp::Reverse(found.place));
        all.truncate(limit);
        Ok(all)
    }

    /// Deposits of batches after a place, oldest first: the place and the root of each. Before them the first height in the index.
    pub fn batches(&self, after: Place, limit: usize) -> Result<(Height, Vec<(Place, Digest)>), IndexError> {
        // Whoever goes on after the last one must have been given all before it, from both tables.
        self.snapshot(|sql| {
            let first = sql.meta("first")?.unwrap_or_default() as u64;
            let call = name_id(sql, BATCH_CALL)?.unwrap_or(-1);
            let mut all = Vec::new();
            // Those that members signed, and those that cases made.
            for (table, call) in [("by_call", Some(call)), ("case_deposits", None)] {
                let called = call.map_or(String::new(), |call| format!("x.call = {call} and"));
                let statement = format!(
                    "select x.seq, t.digest from {table} x cross join transactions t on t.seq = x.seq
                     where {called} x.seq > ?1 and t.deposit is not null and t.deposit % 2 = 1 order by x.seq limit {limit}"
                );
                for row in sql.rows(&statement, cells![after.0])? {
                    all.push((Place(row.integer(0)?), row.bytes(1)?));
                }
            }
            all.sort_unstable();
            all.truncate(limit);
            Ok((first, all))
        })
    }

    /// Every key that was ever registered to members of an organisation.
    pub fn keys_of(&self, organisation: &str) -> Result<Vec<PublicKey>, IndexError> {
        self.with(|sql| {
            let rows = sql.rows("select key from keys where organisation = ?1", cells![organisation])?;
            let key = |row: &Row| match row.0.first() {
                Some(Cell::Bytes(bytes)) => PublicKey::parse(bytes).map_err(|_| IndexError::Malformed(0)),
                _ => Err(IndexError::Malformed(0)),
            };
            rows.iter().map(key).collect()
        })
    }

    /// Time of the block at a height; `None` when the index does not have it.
    pub fn time_of(&self, height: Height) -> Result<Option<Timestamp>, IndexError> {
        self.with(|sql| {
            let row = sql.row("select time from blocks where height = ?1", cells![height as i64])?;
            row.map(|row| Ok(row.integer(0)? as u64)).transpose()
        })
    }

    /// What happened to a piece of evidence after its deposit, oldest first.
    pub fn history(&self, evidence: &[u8; 16]) -> Result<Vec<HistoryHit>, IndexError> {
        let statement = format!(
            "select {COLUMNS}, h.event from history h cross join transactions t on t.seq = h.seq {JOINS}
             where h.prefix = ?1 and h.evidence = ?2 order by h.seq, h.event"
        );
        self.with(|sql| {
            let rows = sql.rows(&statement, cells![prefix(evidence), *evidence])?;
            let hit = |row: &Row| Ok(HistoryHit { found: found(sql, row)?, event: row.integer(COLUMN_NEXT)? as u32 });
            rows.iter().map(hit).collect()
        })
    }

    /// All of the index as text, for comparing two of them in tests.
    pub fn dump(&self) -> Result<Vec<String>, IndexError> {
        let all = Filter::default();
        let mut lines: Vec<String> =
            self.transactions(&all, usize::MAX >> 1)?.iter().map(|row| format!("{row:?}")).collect();
        let tables = self.with(|sql| {
            let mut lines = Vec::new();
            for table in NAMES.into_iter().chain(cases::NAMES) {
                for row in sql.rows(&format!("select * from {table}"), &[])? {
                    lines.push(format!("{table} {:?}", row.0));
                }
            }
            Ok(lines)
        })?;
        lines.extend(tables);
        lines.sort();
        Ok(lines)
    }
}

/// The transaction whose id begins so, in epochs from one to another.
fn find_among(sql: &mut dyn Sql, id: &[u8], (from, to): (i64, i64)) -> Result<Option<Found>, IndexError> {
    let read = format!("select {COLUMNS} from transactions t {JOINS} where t.seq = ?1");
    let places = "select seq from ids where epoch = ?1 and prefix = ?2 order by seq";
    for epoch in from..=to {
        for place in sql.rows(places, cells![epoch, prefix(id)])? {
            let Some(row) = sql.row(&read, cells![place.integer(0)?])? else { continue };
            let found = found(sql, &row)?;
            if found.id.0.starts_with(id) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// The first and the last epoch that may hold places from `low` up to `high`, found by halving; `sample` gives any place of an epoch, a
/// very high one for an epoch that is empty.
fn epochs(
    last: i64,
    (low, high): (i64, i64),
    mut sample: impl FnMut(i64) -> Result<i64, IndexError>,
) -> Result<(i64, i64), IndexError> {
    // The first epoch whose sample is at `place` or later. The one before it may hold `place`, too.
    let mut first_at = |place: i64| -> Result<i64, IndexError> {
        let (mut from, mut to) = (0, last);
        while from < to {
            let middle = from + (to - from) / 2;
            if sample(middle)? < place {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from)
    };
    Ok(((first_at(low)? - 1).max(0), first_at(high)?))
}

/// The lowest of the newest places of these calls, so many at most, between two.
fn lowest(
    sql: &mut dyn Sql,
    calls: &[i64],
    (low, high): (i64, i64),
    deposits: &str,
    limit: usize,
) -> Result<i64, IndexError> {
    let joined = if deposits.is_empty() { "" } else { "cross join transactions t on t.seq = x.seq" };
    let newest = format!(
        "select x.seq from by_call x {joined}
         where x.call = ?1 and x.seq >= ?2 and x.seq < ?3 {deposits} order by x.seq desc limit {limit}"
    );
    let mut all = Vec::new();
    for call in calls {
        for row in sql.rows(&newest, cells![*call, low, high])? {
            all.push(row.integer(0)?);
        }
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.truncate(limit);
    Ok(all.last().copied().unwrap_or(low))
}

/// The places that the filter's times and cursor leave, from and up to.
fn span(sql: &mut dyn Sql, filter: &Filter) -> Result<Option<(i64, i64)>, IndexError> {
    let mut bound = |time: Option<Timestamp>| time.map(|time| first_at(sql, time)).transpose();
    let low = bound(filter.from)?.map_or(0, |height| Place::new(height, 0).0);
    let high = bound(filter.to)?.map_or(i64::MAX, |height| Place::new(height, 0).0);
    let high = high.min(filter.before.map_or(i64::MAX, |place| place.0));
    Ok((low < high).then_some((low, high)))
}

/// The first height whose block is at `time` or later. Times ascend with heights, so it is found by halving.
fn first_at(sql: &mut dyn Sql, time: Timestamp) -> Result<Height, IndexError> {
    let (mut low, mut high) =
        (sql.meta("first")?.unwrap_or_default(), sql.meta("height")?.unwrap_or_default().saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let row = sql.row("select time from blocks where height = ?1", cells![middle])?;
        let at = row.map(|row| row.integer(0)).transpose()?;
        if at.is_none_or(|at| (at as u64) < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low as u64)
}

pub(super) fn name_id(sql: &mut dyn Sql, name: &str) -> Result<Option<i64>, IndexError> {
    sql.row("select id from names where name = ?1", cells![name])?.map(|row| row.integer(0)).transpose()
}

/// Ids of the calls of a module that were ever made.
fn calls(sql: &mut dyn Sql, module: &str) -> Result<Vec<i64>, IndexError> {
    let (from, to) = (format!("{module}."), format!("{module}/"));
    let rows = sql.rows("select id from names where name > ?1 and name < ?2 order by id", cells![&from, &to])?;
    rows.iter().map(|row| row.integer(0)).collect()
}

pub(super) fn found(sql: &mut dyn Sql, row: &Row) -> Result<Found, IndexError> {
    let name = row.text(3)?;
    let (module, call) = name.split_once('.').unwrap_or((&name, ""));
    let refusal = match row.integer_or_null(5)? {
        None => None,
        Some(code) => {
            let module = sql.row("select name from names where id = ?1", cells![code >> 16])?;
            let module = module.ok_or(IndexError::Malformed(5))?.text(0)?;
            Some(Code { module, number: code as u16 })
        }
    };
    let deposit = match (row.bytes_or_null(6)?, row.integer_or_null(7)?) {
        (Some(digest), Some(deposit)) => {
            Some(DepositRow { digest, sequence: (deposit >> 1) as u32, batch: deposit & 1 == 1 })
        }
        _ => None,
    };
    Ok(Found {
        place: Place(row.integer(0)?),
        id: TransactionId(row.bytes(1)?),
        time: row.integer(2)? as u64,
        module: module.into(),
        call: call.into(),
        organisation: row.text_or_null(4)?,
        refusal,
        deposit,
        depositor: row.text_or_null(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epochs_of_a_span_are_found_by_a_few_places() {
        // Places 0 to 999 in epochs of 100; of each some place is known, and the last epoch has none yet.
        for sample_at in [0, 37, 99] {
            let mut asked = 0;
            for (low, high) in
                [(0, 1), (0, 1_000), (250, 251), (299, 300), (299, 301), (300, 400), (999, 1_000), (2_000, 3_000)]
            {
                let sample = |epoch: i64| {
                    asked += 1;
                    Ok(if epoch < 10 { epoch * 100 + sample_at } else { i64::MAX })
                };
                let (from, to) = epochs(10, (low, high), sample).unwrap();
                let within = |place: i64| (from..=to).contains(&(place / 100));
                assert!((low..high.min(1_000)).all(within), "{low} to {high}: {from} to {to}");
                assert!(to - from <= (high.min(1_000) - low).max(0) / 100 + 3, "{low} to {high}: {from} to {to}");
            }
            assert!(asked <= 8 * 2 * 4, "{asked}");
        }
        assert_eq!(epochs(0, (5, 6), |_| Ok(i64::MAX)).unwrap(), (0, 0));
    }
}
