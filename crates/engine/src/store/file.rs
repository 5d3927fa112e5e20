//! Files of blobs, and their pages that the system has in memory.
//!
//! The library hands every read to another thread, which costs several times what copying a page does; and the state needs a page of its log for
//! every entry that it writes. So a page that is in memory is copied where it is wanted. What would have to come from the disk is left to the library.
//!
//! A state that is opened asks for one page in four of the files of its tree, each for itself. The system reads ahead for whom reads every page, but
//! not for whom leaves some out, and a disk that reads a gigabyte in a second may take a minute for a quarter of it in single pages. So these
//! files are asked for as a whole beforehand; and whoever goes up through a file, with gaps, has what comes next read ahead.

use std::{
    fs,
    io::IoSliceMut,
    num::NonZeroU64,
    ops::Deref,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use rustix::{
    fs::{Advice, fadvise},
    io::{ReadWriteFlags, preadv2},
};

/// Bytes between two reads that go up through a file, at most.
const GAP_MAX: u64 = 64 << 10;
/// Bytes that are read ahead.
const AHEAD: NonZeroU64 = NonZeroU64::new(1 << 20).unwrap();

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
    /// Where the last read began that was not in memory.
    missed: AtomicU64,
    /// Up to where was read ahead.
    ahead: AtomicU64,
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

/// Has the system bring a directory's files into its memory, one after the other. Where it cannot be done nothing is lost.
pub(super) fn will_need(directory: &Path) {
    let mut paths: Vec<_> = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for file in paths.into_iter().filter_map(|path| fs::File::open(path).ok()) {
        let _ = fadvise(&file, 0, None, Advice::WillNeed);
    }
}

impl Pages {
    fn open(path: &Path, size: u64) -> Option<Self> {
        let file = fs::File::open(path).ok()?;
        let start = file.metadata().ok()?.len().checked_sub(size)?;
        Some(Self { file, start, missed: AtomicU64::new(u64::MAX), ahead: AtomicU64::new(0) })
    }

    fn copy(&self, offset: u64, bytes: &mut [u8]) -> bool {
        let Some(offset) = self.start.checked_add(offset) else { return false };
        let len = bytes.len();
        let copied =
            preadv2(&self.file, &mut [IoSliceMut::new(bytes)], offset, ReadWriteFlags::NOWAIT).is_ok_and(|read| read == len);
        if !copied {
            self.read_ahead(offset);
        }
        copied
    }

    /// Has the system read on from `offset`, which is not in memory, if the last such read was a little before it. The bytes are not waited for,
    /// and where it cannot be done nothing is lost.
    fn read_ahead(&self, offset: u64) {
        let missed = self.missed.swap(offset, Relaxed);
        let goes_up = offset.checked_sub(missed).is_some_and(|gap| (1..=GAP_MAX).contains(&gap));
        let known = self.ahead.load(Relaxed);
        if goes_up && !(known.saturating_sub(AHEAD.get())..known).contains(&offset) {
            self.ahead.store(offset.saturating_add(AHEAD.get()), Relaxed);
            let _ = fadvise(&self.file, offset, Some(AHEAD), Advice::WillNeed);
        }
    }
}
