//! Copies: an audit never writes to what it examines.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

/// Stores of the engine that belong to the record. The others hold votes and blocks on their way, which prove nothing.
const RECORD: [&str; 5] =
    ["zhulian-blocks-", "zhulian-certificates-", "zhulian-history-", "zhulian-state-", "zhulian-retention"];
/// The engine's log of writes, of which a node that was killed has not everything in its files.
const LOG: &str = "zhulian-log";

/// Where the parts of a node's directory are.
pub struct Parts {
    /// The engine's.
    pub chain: PathBuf,
    /// The index's, if the node has one.
    pub index: PathBuf,
    /// Uploaded entries of batches.
    pub entries: PathBuf,
}

impl Parts {
    /// The parts of a node's directory.
    pub fn of(directory: &Path) -> Self {
        Self { chain: directory.join("chain"), index: directory.join("index"), entries: directory.join("entries.sqlite") }
    }
}

/// Copies what belongs to the record from a stopped node's directory.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy_record(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let (from, to) = (Parts::of(from), Parts::of(to));
    fs::create_dir_all(&to.chain)?;
    for entry in fs::read_dir(&from.chain)? {
        let entry = entry?;
        let name = entry.file_name();
        if belongs(&name) || name == LOG {
            copy(&entry.path(), &to.chain.join(name))?;
        }
    }
    if to.chain.join(LOG).is_dir() {
        zhulian_engine::audit::settle(&to.chain).map_err(io::Error::other)?;
        for entry in fs::read_dir(&to.chain)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() && !belongs(&entry.file_name()) {
                fs::remove_dir_all(entry.path())?;
            }
        }
    }
    if from.index.is_dir() {
        copy(&from.index, &to.index)?;
    }
    for suffix in ["", "-wal"] {
        let file = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        if file(&from.entries).exists() {
            fs::copy(file(&from.entries), file(&to.entries))?;
        }
    }
    Ok(())
}

fn belongs(name: &OsStr) -> bool {
    RECORD.iter().any(|part| name.to_str().is_some_and(|name| name.starts_with(part)))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The two halves of a small store, which hold the same in turn: either is enough, so the loss of one is passed over in silence.
const HALVES: [&str; 2] = ["6c656674", "7269676874"];

/// Stores that may be written once only, and then have one half for good: what the archives that are pruned say of themselves.
const WRITTEN_ONCE: &str = "-recent-metadata";

/// Stores of a copy that have lost one of their halves.
pub(super) fn lost_halves(copy: &Path) -> io::Result<Vec<String>> {
    let mut lost = Vec::new();
    for entry in fs::read_dir(Parts::of(copy).chain)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(WRITTEN_ONCE) {
            continue;
        }
        let here = HALVES.map(|half| entry.path().join(half).exists());
        if let Some(at) = here.iter().position(|here| !here).filter(|_| here.contains(&true)) {
            lost.push(format!("{}/{}", entry.file_name().display(), HALVES[at]));
        }
    }
    lost.sort();
    Ok(lost)
}

/// Opens a database of a copy, to read.
pub(super) fn database(path: &Path) -> Result<Connection, rusqlite::Error> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}
