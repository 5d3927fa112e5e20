//! Where receipts go.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use zhulian_verify::Verified;

use crate::{
    commands::verify::beside,
    hashing::Found,
    opening::{self, Secret},
};

/// Where receipts go.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The directory that was named, if any.
    pub dir: Option<PathBuf>,
    /// Whether several paths were named, so that folders keep their names below `dir`.
    pub several: bool,
}

impl Place {
    /// The receipt of a file: below the directory that was named; else beside the file; else, for a file of a folder, in
    /// `FOLDER.receipts`, so that the folder itself stays as it is.
    pub fn of(&self, file: &Found) -> PathBuf {
        let inside = match (&file.folder, self.several) {
            (Some(folder), true) => PathBuf::from(name(folder)).join(&file.relative),
            _ => file.relative.clone(),
        };
        match (&self.dir, &file.folder) {
            (Some(dir), _) => beside(&dir.join(inside)),
            (None, None) => beside(&file.path),
            (None, Some(folder)) => beside(&receipts_of(folder).join(&file.relative)),
        }
    }

    /// Where the files of a batch as a whole go.
    pub fn of_batch(&self, first: &Found) -> PathBuf {
        match (&self.dir, &first.folder) {
            (Some(dir), _) => dir.clone(),
            (None, Some(folder)) => receipts_of(folder),
            (None, None) => first.path.parent().map(Path::to_path_buf).unwrap_or_default(),
        }
    }
}

fn name(folder: &Path) -> std::ffi::OsString {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.into());
    full.file_name().unwrap_or_default().to_os_string()
}

/// Where the receipts of a folder's files go: `FOLDER.receipts` beside it.
pub fn receipts_of(folder: &Path) -> PathBuf {
    // As it was named, so that what is shown can be read; `.` and `..` have a name only where they lead to.
    let named = folder.file_name().is_some() && !folder.ends_with(".");
    let full = if named { folder.into() } else { folder.canonicalize().unwrap_or_else(|_| folder.into()) };
    let mut name = full.file_name().unwrap_or_default().to_os_string();
    name.push(".receipts");
    full.with_file_name(name)
}

/// Makes a directory and sees that a file can be written in it.
///
/// # Errors
/// When it cannot.
pub fn prepare(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let probe = dir.join(format!(".zhulian.{}.tmp", std::process::id()));
    let written = std::fs::write(&probe, [0; 4096]);
    let _ = std::fs::remove_file(&probe);
    written
}

/// A receipt that is kept under a file's name.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// Name of another file whose first receipt it may be instead, as `a.pdf.2.zlr` may be that of `a.pdf.2`.
    pub rival: Option<OsString>,
}

/// The receipts of one file that are there: `a.pdf.zlr`; `a.pdf.2.zlr` and so on, as earlier versions called those of later deposits;
/// `a.pdf.2.zlr.zlr` and so on.
pub fn kept(path: &Path) -> Vec<Kept> {
    let sure = |path: PathBuf| Kept { path, rival: None };
    let file = path.file_stem().unwrap_or_default();
    let old = (2..=run(path)).map(|number| Kept { path: old(path, number), rival: Some(with_number(file, number)) });
    let later = (2..).map(|number| numbered(path, number)).take_while(|path| path.exists());
    std::iter::once(path.to_path_buf()).filter(|path| path.exists()).map(sure).chain(old).chain(later.map(sure)).collect()
}

/// Up to which number earlier versions may have given out names of receipts: they left no number out, and began with the plain name.
pub fn run(path: &Path) -> u32 {
    let there = (2..).take_while(|number| old(path, *number).exists());
    if path.exists() { there.last().unwrap_or(1) } else { 0 }
}

/// Takes the number off the name of a file or receipt: `a.pdf.2` is `a.pdf` and 2.
pub fn without_number(path: &Path) -> Option<(PathBuf, u32)> {
    let text = path.extension()?.to_str()?;
    let number: u32 = text.parse().ok().filter(|number| *number >= 2)?;
    (number.to_string() == text).then(|| (path.with_extension(""), number))
}

/// Whose a receipt is whose name fits two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// That of the file itself, of a later deposit.
    Its,
    /// The first one of the other.
    Rivals,
    /// It cannot be told.
    Unclear,
}

/// Decides it by the name that the deposit commits to, if this home's secret made the commitment; else a file that is there has the
/// receipt of its name.
pub fn whose(secret: Option<&Secret>, facts: Option<&Verified>, file: &Path, rival: &Path) -> Whose {
    let committed = |file: &Path| -> bool {
        let (Some(secret), Some(facts)) = (secret, facts) else { return false };
        opening::open(secret, facts, opening::NAME, &opening::names(file)).is_some()
    };
    if committed(file) {
        Whose::Its
    } else if committed(rival) || rival.symlink_metadata().is_ok() {
        Whose::Rivals
    } else {
        Whose::Unclear
    }
}

fn with_number(name: &OsStr, number: u32) -> OsString {
    let mut name = name.to_os_string();
    name.push(format!(".{number}"));
    name
}

fn old(path: &Path, number: u32) -> PathBuf {
    beside(&path.with_file_name(with_number(path.file_stem().unwrap_or_default(), number)))
}

/// Ends twice as receipts do: what ends so once is no content, so that no file of a folder has a receipt of this name.
fn numbered(path: &Path, number: u32) -> PathBuf {
    beside(&old(path, number))
}

/// A path that is free: `a.pdf.zlr`, else `a.pdf.2.zlr.zlr`, and so on. An older receipt is never overwritten.
pub fn free(path: &Path) -> PathBuf {
    let later = (2u32..).map(|number| numbered(path, number));
    std::iter::once(path.to_path_buf()).chain(later).find(|path| !path.exists()).unwrap_or_else(|| path.into())
}
