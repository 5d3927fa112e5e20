//! Which batches of the ledger this node can look into. The ledger has their roots only: a file can be said not to be deposited only by a
//! node that has the entries of every batch, and has checked them since it started.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rusqlite::ErrorCode;
use zhulian_crypto::Digest;
use zhulian_engine as engine;
use zhulian_gateway::DAMAGED_ENTRIES;
use zhulian_ledger::merkle::{leaf, root_from_path};
use zhulian_primitives::{EvidenceId, TransactionId};
use zhulian_verify::BatchEntry;

use crate::index::{Entries, Holders, IndexError, Place, Queries, Sought, rows};

/// Batches of the ledger looked up at once.
const BATCHES: usize = 1_000;
/// Damages that are remembered by name.
const NAMED_MAX: usize = 100;
/// How long a batch that is not in the index yet is waited for, at first and at most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(600);

/// The uploaded entries, and what is known of them since the start.
pub struct Holdings {
    entries: Entries,
    known: Mutex<Known>,
    /// Held by whoever changes the entries, until what is known of them says the same.
    changing: Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// Up to where the ledger's batches were looked at.
    seen: Option<Place>,
    /// Batches whose entries give the ledger's root.
    held: BTreeMap<TransactionId, Digest>,
    roots: BTreeSet<Digest>,
    /// Roots on the ledger without entries here.
    lacking: BTreeSet<Digest>,
    damage: Vec<String>,
    /// Changes of the entries so far, and which was the last of each batch and of the whole file.
    changes: u64,
    changed: BTreeMap<TransactionId, u64>,
    renewed: u64,
}

impl Known {
    fn hold(&mut self, batch: TransactionId, root: Digest) {
        self.held.insert(batch, root);
        self.roots.insert(root);
        self.lacking.remove(&root);
    }

    fn lose(&mut self, batch: &TransactionId) {
        if let Some(root) = self.held.remove(batch) {
            self.roots.remove(&root);
            self.lacking.insert(root);
        }
    }

    fn note(&mut self, damage: &str) {
        if self.damage.len() < NAMED_MAX && !self.damage.iter().any(|it| it == damage) {
            self.damage.push(damage.into());
        }
    }

    fn change(&mut self, batch: &TransactionId) {
        self.changes += 1;
        self.changed.insert(*batch, self.changes);
    }

    /// Whether the entries of a batch are others than when so many changes had been made.
    fn has_changed(&self, batch: &TransactionId, since: u64) -> bool {
        self.renewed > since || self.changed.get(batch).is_some_and(|at| *at > since)
    }
}

/// How far damage reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Row,
    File,
}

fn damage(error: &IndexError) -> Option<Reach> {
    match error {
        IndexError::Sql(rusqlite::Error::SqliteFailure(error, _)) => {
            matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase).then_some(Reach::File)
        }
        IndexError::Sql(
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..),
        ) => Some(Reach::Row),
        _ => None,
    }
}

impl Holdings {
    /// Opens the entries in `directory`. A file that is none any more is set aside, and its batches are lacking.
    pub fn open(directory: &Path) -> Result<Self, IndexError> {
        let mut known = Known::default();
        let entries = match Entries::open(directory) {
            Err(error) if damage(&error).is_some() => {
                tracing::error!(%error, "the uploaded entries of batches are damaged, and set aside");
                known.note(&format!("{DAMAGED_ENTRIES}: the whole file, set aside"));
                Entries::set_aside(directory)?;
                Entries::open(directory)?
            }
            opened => opened?,
        };
        Ok(Self { entries, known: Mutex::new(known), changing: Mutex::default() })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Changes made so far. Whoever finds damage says what it read by this, so that nothing is dropped which came since.
    fn changes(&self) -> u64 {
        self.known().changes
    }

    /// What was found damaged since the start.
    pub fn damage(&self) -> Vec<String> {
        self.known().damage.clone()
    }

    /// Keeps the entries of a batch, which must be all of them in order, and give the root.
    pub fn put<T: AsRef<[u8]>>(&self, batch: &TransactionId, root: Digest, entries: &[T]) -> Result<(), IndexError> {
        let changing = self.changing();
        if self.known().held.contains_key(batch) {
            return Ok(());
        }
        // What lies there is not known to be whole.
        match self.entries.put(batch, entries) {
            Ok(()) => {
                let mut known = self.known();
                known.change(batch);
                known.hold(*batch, root);
                Ok(())
            }
            Err(error) if damage(&error).is_some() => Err(self.renew(&changing, &error)),
            Err(error) => Err(error),
        }
    }

    /// An entry, proven to be in the batch that the ledger has with this root and count.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when what is stored does not lead there. Then the batch's entries are dropped.
    pub fn get(
        &self,
        batch: &TransactionId,
        index: u64,
        (root, count): (Digest, u64),
    ) -> Result<Option<BatchEntry>, IndexError> {
        loop {
            let since = self.changes();
            let Some(entry) = self.sound(Some(batch), || self.entries.get(batch, index))? else { return Ok(None) };
            if root_from_path(leaf(&entry.bytes), index, count, &entry.path) == Some(root) {
                return Ok(Some(entry));
            }
            self.drop(batch, since)?;
        }
    }

    /// The batches with a file of this SHA-256, and the entry's index in each.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when it was in a batch that is damaged.
    pub fn find(&self, sha256: &Digest) -> Result<Vec<(TransactionId, u64)>, IndexError> {
        let mut dropped = None;
        loop {
            let since = self.changes();
            let Sought { found, damaged } = self.sound(None, || self.entries.find(sha256))?;
            let mut replaced = false;
            for batch in &damaged {
                match self.drop(batch, since) {
                    Ok(()) => replaced = true,
                    Err(error) => dropped = Some(error),
                }
            }
            match dropped {
                _ if replaced => {}
                Some(error) if found.is_empty() => return Err(error),
                _ => return Ok(found),
            }
        }
    }

    /// How many batches of the ledger this node cannot look into: their entries were not uploaded here, are damaged, or are not checked
    /// yet. Blocks that the index lacks count as one.
    pub fn lacking(&self, queries: &Queries) -> Result<u64, IndexError> {
        loop {
            let seen = self.known().seen.unwrap_or(Place(-1));
            let (first, batches) = queries.batches(seen, BATCHES)?;
            let mut known = self.known();
            for (place, root) in &batches {
                known.seen = known.seen.max(Some(*place));
                if !known.roots.contains(root) {
                    known.lacking.insert(*root);
                }
            }
            if batches.len() < BATCHES {
                return Ok(known.lacking.len() as u64 + u64::from(first > 1));
            }
        }
    }

    /// Checks all entries of a batch against the root on the ledger, and drops them when they do not give it.
    pub fn check(&self, batch: &TransactionId, root: Digest) -> Result<(), IndexError> {
        self.check_by(batch, root, || self.entries.examine(batch))
    }

    fn check_by(
        &self,
        batch: &TransactionId,
        root: Digest,
        examine: impl Fn() -> Result<Option<Digest>, IndexError>,
    ) -> Result<(), IndexError> {
        loop {
            let since = {
                let known = self.known();
                if known.held.contains_key(batch) {
                    return Ok(());
                }
                known.changes
            };
            if self.sound(Some(batch), &examine)? != Some(root) {
                self.drop(batch, since)?;
                continue;
            }
            let mut known = self.known();
            if !known.has_changed(batch, since) {
                known.hold(*batch, root);
                return Ok(());
            }
        }
    }

    /// Drops the entries of a batch, which were read when so many changes had been made.
    ///
    /// # Errors
    /// That they are damaged; none when they have changed since, as by an upload, and have to be read again.
    fn drop(&self, batch: &TransactionId, since: u64) -> Result<(), IndexError> {
        let changing = self.changing();
        let damaged = format!("{DAMAGED_ENTRIES} of {}", EvidenceId::of(batch));
        {
            let mut known = self.known();
            if known.has_changed(batch, since) {
                return Ok(());
            }
            known.change(batch);
            known.lose(batch);
            known.note(&damaged);
        }
        tracing::error!("{damaged} do not give the root on the ledger, and are dropped");
        if let Err(error) = self.entries.remove(batch) {
            tracing::error!(%error, "damaged entries of a batch cannot be dropped");
            if damage(&error).is_some() {
                self.renew(&changing, &error);
            }
        }
        Err(IndexError::Damaged(damaged))
    }

    /// Sets the file aside, and gives the error that tells so.
    fn renew(&self, _: &MutexGuard<'_, ()>, error: &IndexError) -> IndexError {
        tracing::error!(%error, "the uploaded entries of batches are damaged, and set aside");
        let damaged = format!("{DAMAGED_ENTRIES}: the whole file, set aside");
        {
            let mut known = self.known();
            let held: Vec<TransactionId> = known.held.keys().copied().collect();
            held.iter().for_each(|batch| known.lose(batch));
            known.note(&damaged);
            known.changes += 1;
            known.renewed = known.changes;
        }
        match self.entries.renew() {
            Ok(()) => IndexError::Damaged(damaged),
            Err(error) => error,
        }
    }

    /// What is read, unless it tells of damage: then a batch is dropped, or the file set aside. What has changed meanwhile is read again.
    fn sound<T>(&self, batch: Option<&TransactionId>, read: impl Fn() -> Result<T, IndexError>) -> Result<T, IndexError> {
        loop {
            let since = self.changes();
            let error = match read() {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match (damage(&error), batch) {
                (None, _) => return Err(error),
                (Some(Reach::Row), Some(batch)) => self.drop(batch, since)?,
                (Some(_), _) => {
                    let changing = self.changing();
                    if self.known().renewed <= since {
                        return Err(self.renew(&changing, &error));
                    }
                }
            }
        }
    }
}

/// Checks what was uploaded in earlier runs, a batch at a time, until all of it is known to be whole or dropped.
pub(crate) async fn check(handle: engine::Handle, queries: Arc<Queries>, holdings: Arc<Holdings>) {
    let listed = {
        let holdings = holdings.clone();
        tokio::task::spawn_blocking(move || holdings.sound(None, || holdings.entries.batches())).await
    };
    let Ok(Ok(mut left)) = listed else { return };
    let mut again = AGAIN;
    loop {
        let mut later = Vec::new();
        for batch in left {
            let Some(root) = root(&handle, &queries, batch).await else {
                later.push(batch);
                continue;
            };
            let holdings = holdings.clone();
            // What is wrong is logged and noted where it is found.
            let _ = tokio::task::spawn_blocking(move || holdings.check(&batch, root)).await;
        }
        if later.is_empty() {
            return;
        }
        left = later;
        tokio::time::sleep(again).await;
        again = (again * 2).min(AGAIN_MAX);
    }
}

/// The root of a batch by its finalised block; `None` while it or the index's word for its place is not there.
async fn root(handle: &engine::Handle, queries: &Arc<Queries>, batch: TransactionId) -> Option<Digest> {
    let queries = queries.clone();
    let place = tokio::task::spawn_blocking(move || queries.find(&batch.0)).await.ok()?.ok()??.place;
    let block = handle.block(place.height()).await.ok()?;
    let row = rows(&block, &mut Holders::default()).transactions.into_iter().nth(place.index() as usize)?;
    row.deposit.filter(|deposit| deposit.batch && row.id == batch).map(|deposit| deposit.digest)
}

#[cfg(test)]
mod tests {
    use zhulian_crypto::sha256;
    use zhulian_ledger::merkle;
    use zhulian_verify::{Entry, FileRecord};

    use super::*;

    const BATCH: TransactionId = TransactionId([5; 32]);

    fn entries(count: usize) -> Vec<Vec<u8>> {
        let file = |n: usize| FileRecord { sha256: sha256(&[n as u8]), sm3: [1; 32], size: 1, chunks_root: [2; 32] };
        (0..count).map(|n| Entry { file: file(n), name_commitment: None }.encode()).collect()
    }

    fn held() -> (tempfile::TempDir, Holdings, Digest) {
        let directory = tempfile::tempdir().unwrap();
        let holdings = Holdings::open(directory.path()).unwrap();
        let (all, root) = (entries(10), merkle::root(&entries(10)));
        holdings.put(&BATCH, root, &all).unwrap();
        (directory, holdings, root)
    }

    /// What is changed while the node runs is found when it is asked for.
    #[test]
    fn damaged_entries_are_refused_once_and_gone_then() {
        for (change, found_by_digest) in [
            (
                "update entries set bytes = cast(substr(bytes, 1, length(bytes) - 1) || x'00' as blob) where number = 3",
                false,
            ),
            ("update entries set bytes = x'00' where number = 3", true),
            ("update entries set bytes = 'text' where number = 3", true),
            ("delete from entries where number = 3", true),
        ] {
            let (directory, holdings, root) = held();
            let sql = rusqlite::Connection::open(directory.path().join("entries.sqlite")).unwrap();
            assert_eq!(sql.execute(change, []).unwrap(), 1, "{change}");
            if found_by_digest {
                let asked = holdings.find(&sha256(&[3]));
                assert!(matches!(asked, Err(IndexError::Damaged(_))), "{change}: {asked:?}");
            } else {
                let asked = holdings.get(&BATCH, 4, (root, 10));
                assert!(matches!(asked, Err(IndexError::Damaged(_))), "{change}: {asked:?}");
            }
            assert_eq!(holdings.damage().len(), 1, "{change}");
            assert_eq!(holdings.get(&BATCH, 4, (root, 10)).unwrap(), None, "{change}");
            holdings.put(&BATCH, root, &entries(10)).unwrap();
            assert!(holdings.get(&BATCH, 4, (root, 10)).unwrap().is_some(), "{change}");
            assert_eq!(holdings.find(&sha256(&[3])).unwrap(), [(BATCH, 3)]);
        }
    }

    #[test]
    fn a_file_that_is_none_any_more_is_set_aside() {
        let (directory, holdings, root) = held();
        std::mem::drop(holdings);
        std::fs::write(directory.path().join("entries.sqlite"), vec![7; 8_192]).unwrap();
        let holdings = Holdings::open(directory.path()).unwrap();
        assert_eq!(holdings.damage().len(), 1);
        assert!(directory.path().join("entries.sqlite.damaged").exists());
        assert_eq!(holdings.get(&BATCH, 4, (root, 10)).unwrap(), None);
    }

    /// What lies there from an earlier run is examined while the same batch is uploaded again.
    #[test]
    fn an_upload_outlives_a_check_of_what_it_replaced() {
        let (directory, holdings, root) = held();
        std::mem::drop(holdings);
        for examined in [None, Some([9; 32])] {
            let holdings = Holdings::open(directory.path()).unwrap();
            let times = std::cell::Cell::new(0);
            let examine = || {
                times.set(times.get() + 1);
                if times.get() == 1 {
                    holdings.put(&BATCH, root, &entries(10)).unwrap();
                }
                Ok(examined)
            };
            holdings.check_by(&BATCH, root, examine).unwrap();
            assert_eq!(times.get(), 1);
            assert!(holdings.damage().is_empty());
            assert!(holdings.get(&BATCH, 4, (root, 10)).unwrap().is_some(), "the upload is gone");
        }
        // Stored, but not yet said to be held: whoever read before must not drop it.
        let holdings = Holdings::open(directory.path()).unwrap();
        let since = holdings.changes();
        holdings.put(&BATCH, root, &entries(10)).unwrap();
        holdings.drop(&BATCH, since).unwrap();
        assert!(holdings.get(&BATCH, 4, (root, 10)).unwrap().is_some(), "the upload is gone");
        assert!(matches!(holdings.drop(&BATCH, holdings.changes()), Err(IndexError::Damaged(_))));
        assert_eq!(holdings.get(&BATCH, 4, (root, 10)).unwrap(), None);
    }

    #[test]
    fn an_upload_that_fails_leaves_what_was_there() {
        let (directory, holdings, root) = held();
        std::mem::drop(holdings);
        let sql = rusqlite::Connection::open(directory.path().join("entries.sqlite")).unwrap();
        let full = "create trigger full before insert on nodes begin select raise(abort, 'no room'); end";
        sql.execute_batch(full).unwrap();
        let holdings = Holdings::open(directory.path()).unwrap();
        assert!(holdings.put(&BATCH, root, &entries(10)).is_err());
        assert!(holdings.get(&BATCH, 4, (root, 10)).unwrap().is_some(), "entries that were there are lost");
    }
}
