//! Files of blobs, and their pages that the system has in memory.
//!
//! The library hands every read to another thread, which costs several times what copying a page does; and the state needs a page of its log for
//! every entry that it writes. So a page that is in memory is copied where it is wanted. What would have to come from the disk is left to the library.

use std::{
    fs,
    io::IoSliceMut,
    ops::Deref,
    path::{Path, PathBuf},
};

use rustix::io::{ReadWriteFlags, preadv2};

/// A file as the library has it.
pub(super) struct File<B> {
    blob: B,
    pages: Option<Pages>,
}

/// The same file as the system has it.
struct Pages {
    file: fs::File,
    /// Bytes before those of the blob.
    start: u64,
}

impl<B> File<B> {
    /// A blob that was opened just now, with `size` bytes; its file is in `directory`, if it is known where.
    pub fn new(blob: B, size: u64, directory: Option<&Path>, partition: &str, name: &[u8]) -> Self {
        // The library's name for it; that it is right is tested.
        let path =
            directory.map(|directory| PathBuf::from_iter([directory, Path::new(partition), Path::new(&hex::encode(name))]));
        Self { blob, pages: path.and_then(|path| Pages::open(&path, size)) }
    }

    /// Fills `bytes` from `offset` on, if all of them are in memory; otherwise there may be anything in them.
    pub fn copy(&self, offset: u64, bytes: &mut [u8]) -> bool {
        self.pages.as_ref().is_some_and(|pages| pages.copy(offset, bytes))
    }
}

impl<B> Deref for File<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.blob
    }
}

impl Pages {
    fn open(path: &Path, size: u64) -> Option<Self> {
        let file = fs::File::open(path).ok()?;
        let start = file.metadata().ok()?.len().checked_sub(size)?;
        Some(Self { file, start })
    }

    fn copy(&self, offset: u64, bytes: &mut [u8]) -> bool {
        let Some(offset) = self.start.checked_add(offset) else { return false };
        let len = bytes.len();
        preadv2(&self.file, &mut [IoSliceMut::new(bytes)], offset, ReadWriteFlags::NOWAIT).is_ok_and(|read| read == len)
    }
}
