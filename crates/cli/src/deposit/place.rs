//! Where receipts go.

use std::path::{Path, PathBuf};

use crate::{commands::verify::beside, hashing::Found};

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

/// The receipts of one file that are there, the oldest first: `a.pdf.zlr`, `a.pdf.2.zlr`, and so on.
pub fn kept(path: &Path) -> Vec<PathBuf> {
    let later = (2u32..).map(|number| numbered(path, number)).take_while(|path| path.exists());
    std::iter::once(path.to_path_buf()).filter(|path| path.exists()).chain(later).collect()
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!(".{number}.{}", crate::commands::verify::RECEIPT_ENDING));
    path.with_file_name(name)
}

/// A path that is free: `a.pdf.zlr`, else `a.pdf.2.zlr`, and so on. An older receipt is never overwritten.
pub fn free(path: &Path) -> PathBuf {
    let later = (2u32..).map(|number| numbered(path, number));
    std::iter::once(path.to_path_buf()).chain(later).find(|path| !path.exists()).unwrap_or_else(|| path.into())
}
