//! Finding files and hashing them: one pass over each, a mebibyte in memory for each thread.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;
use rayon::prelude::*;
use serde_json::{Value, json};
use walkdir::WalkDir;
use zhulian_verify::{FileHasher, FileRecord, HashedFile};

use crate::{commands::verify::RECEIPT_ENDING, failure::io_reason, text, text::Text};

/// A file to deposit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its place below the folder that was named; for a file named itself, its name.
    pub relative: PathBuf,
    /// The folder that was named and in which it was found.
    pub folder: Option<PathBuf>,
    /// Bytes when it was found.
    pub size: u64,
}

/// A file that is left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Stable name of the reason.
    pub code: &'static str,
    /// The reason.
    pub why: Text,
}

impl Skipped {
    /// Left out because it cannot be read.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self { path: path.into(), code: "unreadable", why: io_reason(error) }
    }

    /// Left out because it is a device, a pipe or a socket: such a thing may give bytes for ever, and has no content to return to.
    pub fn special(path: &Path) -> Self {
        Self { path: path.into(), code: "not_a_file", why: text!("不是普通文件", "it is no regular file") }
    }

    /// The object for programs.
    pub fn json(&self) -> Value {
        json!({ "file": self.path.display().to_string(), "code": self.code, "zh": self.why.zh, "en": self.why.en })
    }
}

/// Every file that the paths name, folders walked in the order of names, each file once. Receipts are no content and passed over;
/// links are not followed inside folders, because what they point at may lie elsewhere and is then deposited unasked.
pub fn find(paths: &[PathBuf]) -> (Vec<Found>, Vec<Skipped>) {
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for path in paths {
        let top = match std::fs::metadata(path) {
            Ok(top) => top,
            Err(error) => {
                skipped.push(Skipped::unreadable(path, &error));
                continue;
            }
        };
        if !top.is_dir() {
            if !top.is_file() {
                skipped.push(Skipped::special(path));
                continue;
            }
            let relative = PathBuf::from(path.file_name().unwrap_or(path.as_os_str()));
            take(Found { path: path.clone(), relative, folder: None, size: top.len() }, &mut seen, &mut found);
            continue;
        }
        for entry in WalkDir::new(path).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.path().extension().is_some_and(|ending| ending == RECEIPT_ENDING) => {}
                Ok(entry) if entry.file_type().is_file() => {
                    let relative = entry.path().strip_prefix(path).unwrap_or(entry.path()).to_path_buf();
                    let size = entry.metadata().map(|data| data.len()).unwrap_or(0);
                    let file = Found { path: entry.path().into(), relative, folder: Some(path.clone()), size };
                    take(file, &mut seen, &mut found);
                }
                Ok(entry) if entry.path_is_symlink() => skipped.push(Skipped {
                    path: entry.path().into(),
                    code: "link",
                    why: text!("是符号链接，未跟随", "it is a symbolic link, and is not followed"),
                }),
                Ok(entry) => skipped.push(Skipped::special(entry.path())),
                Err(error) => {
                    let at = error.path().unwrap_or(path).to_path_buf();
                    let why = error.io_error().map_or_else(|| error.to_string().into(), io_reason);
                    skipped.push(Skipped { path: at, code: "unreadable", why });
                }
            }
        }
    }
    (found, skipped)
}

fn take(file: Found, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<Found>) {
    let real = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
    if seen.insert(real) {
        found.push(file);
    }
}

/// A reader that counts what passes, for a progress bar.
struct Counted<'a, R> {
    inner: R,
    bar: &'a ProgressBar,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bar.inc(count as u64);
        Ok(count)
    }
}

/// Opens a regular file. What it is, is asked before it is opened, because opening a pipe waits for whoever writes into it.
///
/// # Errors
/// When it cannot be opened, or is a directory, a device, a pipe or a socket.
pub fn open(path: &Path) -> Result<File, Skipped> {
    let unreadable = |error: std::io::Error| Skipped::unreadable(path, &error);
    let data = std::fs::metadata(path).map_err(unreadable)?;
    if data.is_dir() {
        return Err(Skipped { path: path.into(), code: "not_a_file", why: text!("是目录", "it is a directory") });
    }
    if !data.is_file() {
        return Err(Skipped::special(path));
    }
    File::open(path).map_err(unreadable)
}

/// Hashes one file; what is read moves the bar on.
///
/// # Errors
/// When the file cannot be read, is a directory, or changed while it was read.
pub fn hash(path: &Path, bar: &ProgressBar) -> Result<HashedFile, Skipped> {
    let unreadable = |error: std::io::Error| Skipped::unreadable(path, &error);
    let file = open(path)?;
    let before = file.metadata().map_err(unreadable)?;
    let hashed = FileHasher::read(Counted { inner: &file, bar }).map_err(unreadable)?;
    let after = file.metadata().map_err(unreadable)?;
    // A file that grows while it is read has no one content to deposit.
    let changed = after.len() != hashed.record.size || before.modified().ok() != after.modified().ok();
    if changed {
        return Err(Skipped {
            path: path.into(),
            code: "changed",
            why: text!("读取期间文件被改动", "the file changed while it was read"),
        });
    }
    Ok(hashed)
}

/// Hashes many files on all processors, in order.
pub fn hash_all(files: &[Found], bar: &ProgressBar) -> Vec<Result<HashedFile, Skipped>> {
    files.par_iter().map(|file| hash(&file.path, bar)).collect()
}

/// A file's record for programs.
pub fn record_json(record: &FileRecord) -> Value {
    json!({
        "sha256": hex::encode(record.sha256),
        "sm3": hex::encode(record.sm3),
        "size": record.size,
        "chunks_root": hex::encode(record.chunks_root),
    })
}
