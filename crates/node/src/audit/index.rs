//! The index against the ledger: an index is built from the blocks that were read, and every row of both is compared.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};
use zhulian_ledger::merkle::{leaf, root_of_leaves};
use zhulian_modules::Genesis;
use zhulian_primitives::{Block, Height, TransactionId};

use super::{
    Findings, What,
    copy::{Parts, database},
    fault::Faults,
};
use crate::index::{Holders, IndexError, Store, genesis_keys, rows};

/// Blocks written at once.
const BATCH: usize = 256;
/// Rows of a table that are named one by one at most, of those that are wrong.
const NAMED_MAX: usize = 100;

/// What the index should be, as far as the blocks were read.
pub(super) struct IndexAudit {
    parts: Parts,
    expected: PathBuf,
    store: Store,
    holders: Holders,
    waiting: Vec<crate::index::BlockRows>,
    /// The node's index, its first and last block; `None` for a node without one.
    own: Option<(Connection, Height, Height)>,
    /// Whether the first block was there to begin with.
    from_first: bool,
    /// Roots of the batches that were deposited.
    batches: std::collections::BTreeMap<TransactionId, [u8; 32]>,
    failed: bool,
}

impl IndexAudit {
    pub fn start(copy: &Path, genesis: &Genesis, faults: &mut Faults) -> Option<Self> {
        let parts = Parts::of(copy);
        let expected = copy.join("expected-index");
        let keys = genesis_keys(&genesis.events());
        let built = Store::open(&expected, &genesis.chain_id()).and_then(|mut store| {
            store.genesis(&keys)?;
            Ok(store)
        });
        let store = match built {
            Ok(store) => store,
            Err(error) => {
                faults.add(None, What::Index, "an index built again", error.to_string());
                return None;
            }
        };
        let own = match parts.index.is_dir().then(|| own(&parts)) {
            None => None,
            Some(Ok(own)) => Some(own),
            Some(Err(error)) => {
                faults.add(None, What::Index, "a whole file", error.to_string());
                None
            }
        };
        let holders = keys.into_iter().collect();
        Some(Self {
            parts,
            expected,
            store,
            holders,
            waiting: Vec::new(),
            own,
            from_first: false,
            batches: Default::default(),
            failed: false,
        })
    }

    /// Takes in a block and tells its deposits, and the pieces of evidence in them.
    pub fn block(&mut self, block: &Block, faults: &mut Faults) -> (u64, u64) {
        let rows = rows(block, &mut self.holders);
        self.from_first |= rows.height == 1;
        let deposits = rows.transactions.iter().filter(|row| row.deposit.is_some()).count() as u64;
        let pieces = rows.evidence;
        for row in &rows.transactions {
            if let Some(deposit) = row.deposit.filter(|deposit| deposit.batch) {
                self.batches.insert(row.id, deposit.digest);
            }
        }
        if self.own.as_ref().is_some_and(|(_, first, last)| (*first..=*last).contains(&rows.height)) {
            self.waiting.push(rows);
        }
        if self.waiting.len() >= BATCH {
            self.flush(faults);
        }
        (deposits, pieces)
    }

    fn flush(&mut self, faults: &mut Faults) {
        let waiting = std::mem::take(&mut self.waiting);
        if !self.failed
            && let Err(error) = self.store.write(&waiting)
        {
            // A block is missing. That is a fault of the archive already; here it means that nothing is known of the rows.
            self.failed = true;
            faults.add(None, What::Index, "every row compared with the blocks", format!("rows not compared: {error}"));
        }
    }

    pub fn finish(mut self, last: Height, found: &mut Findings) {
        self.flush(&mut found.faults);
        let Self { parts, expected, store, own, from_first, batches, failed, .. } = self;
        drop(store);
        if parts.index.is_dir() && !parts.entries.exists() {
            found.faults.add(None, What::Entries, "a file beside the index, be it empty", "none");
        }
        if let Some((connection, first, height)) = own {
            if height > last {
                let expected = format!("an index up to {last}");
                found.faults.add(height, What::Index, expected, format!("one up to {height}"));
            }
            // An honest one begins later only where old blocks were out of reach when it was built. Here they are not, and nobody can
            // tell it from one whose history was taken out.
            if height > 0 && first != 1 && from_first {
                found.faults.add(first, What::Index, "an index from block 1 on", format!("one from block {first} on"));
            }
            // What it lacks at the end it takes in once the node runs: as a rule few blocks, many where it was being built anew.
            found.index_lacks = last.saturating_sub(height);
            if !failed {
                match compare(&connection, &expected.join("index.sqlite"), &mut found.faults) {
                    Ok(rows) => found.index = Some((rows, height)),
                    Err(error) => found.faults.add(None, What::Index, "rows that can be read", error.to_string()),
                }
            }
        }
        if parts.entries.exists() {
            match entries(&parts.entries, &batches, &mut found.faults) {
                Ok(count) => found.batches = count,
                Err(error) => found.faults.add(None, What::Entries, "a whole file", error.to_string()),
            }
        }
    }
}

fn own(parts: &Parts) -> Result<(Connection, Height, Height), IndexError> {
    let connection = database(&parts.index.join("index.sqlite"))?;
    whole(&connection)?;
    let meta = |name: &str| -> Result<Height, rusqlite::Error> {
        let value: Option<i64> =
            connection.query_row("select value from meta where name = ?", [name], |row| row.get(0)).optional()?;
        Ok(value.unwrap_or_default().max(0) as u64)
    };
    let (first, last) = (meta("first")?, meta("height")?);
    Ok((connection, first, last))
}

/// SQLite's own examination of a file.
fn whole(connection: &Connection) -> Result<(), IndexError> {
    let said: String = connection.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(IndexError::Io(std::io::Error::other(said))) }
}

/// Compares every table and its shape; gives the number of rows.
fn compare(own: &Connection, expected: &Path, faults: &mut Faults) -> Result<u64, IndexError> {
    own.execute("attach ? as expected", [expected.display().to_string()])?;
    let list =
        |sql: &str| -> Result<Vec<String>, rusqlite::Error> { own.prepare(sql)?.query_map([], |row| row.get(0))?.collect() };
    let shape = |name: &str| {
        list(&format!(
            "select type || ' ' || name || ' ' || coalesce(sql, '') from {name}.sqlite_master order by type, name"
        ))
    };
    for (right, given) in differences(shape("expected")?, shape("main")?) {
        faults.add(
            None,
            What::IndexRow,
            right.unwrap_or_else(|| "nothing".into()),
            given.unwrap_or_else(|| "nothing".into()),
        );
    }
    let mut count = 0;
    for table in list("select name from expected.sqlite_master where type = 'table' order by name")? {
        let columns = list(&format!("select name from pragma_table_info('{table}', 'expected')"))?;
        let row = columns.iter().map(|column| format!("quote({column})")).collect::<Vec<_>>().join(" || ',' || ");
        let side = |name: &str| format!("select {row} from {name}.{table}");
        let (right, given) = (side("expected"), side("main"));
        let missing = list(&format!("{right} except {given} limit {NAMED_MAX}"))?;
        let extra = list(&format!("{given} except {right} limit {NAMED_MAX}"))?;
        for row in missing {
            faults.add(None, What::IndexRow, format!("{table}: {row}"), "no such row");
        }
        for row in extra {
            faults.add(None, What::IndexRow, "no such row", format!("{table}: {row}"));
        }
        let rows = |name: &str| own.query_row(&format!("select count(*) from {name}.{table}"), [], |row| row.get(0));
        let (right, given): (i64, i64) = (rows("expected")?, rows("main")?);
        if right != given {
            faults.add(None, What::IndexRow, format!("{table}: {right} rows"), format!("{given} rows"));
        }
        count += given as u64;
    }
    Ok(count)
}

fn differences(right: Vec<String>, given: Vec<String>) -> Vec<(Option<String>, Option<String>)> {
    let missing = right.iter().filter(|it| !given.contains(it)).map(|it| (Some(it.clone()), None));
    let extra = given.iter().filter(|it| !right.contains(it)).map(|it| (None, Some(it.clone())));
    missing.chain(extra).collect()
}

/// Uploaded entries against the deposited roots; gives the number of batches.
fn entries(
    path: &Path,
    batches: &std::collections::BTreeMap<TransactionId, [u8; 32]>,
    faults: &mut Faults,
) -> Result<u64, IndexError> {
    let connection = database(path)?;
    whole(&connection)?;
    let mut count = 0;
    let mut listed = connection.prepare("select batch, id, count from batches")?;
    let mut rows = listed.query([])?;
    while let Some(row) = rows.next()? {
        let (number, id, stated): (i64, [u8; 32], i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut leaves = Vec::new();
        let mut read = connection.prepare_cached("select number, bytes from entries where batch = ? order by number")?;
        let mut entries = read.query([number])?;
        while let Some(entry) = entries.next()? {
            let bytes: Vec<u8> = entry.get(1)?;
            leaves.push(leaf(&bytes));
        }
        let (found, id) = (leaves.len() as i64, TransactionId(id));
        let root = root_of_leaves(leaves);
        match batches.get(&id) {
            Some(right) if *right == root && found == stated => count += 1,
            Some(right) => faults.add(
                None,
                What::Entries,
                format!("batch {id}: {stated} entries, root {}", hex::encode(right)),
                format!("{found} entries, root {}", hex::encode(root)),
            ),
            None => faults.add(None, What::Entries, format!("batch {id} on the ledger"), "no such deposit"),
        }
    }
    Ok(count)
}
