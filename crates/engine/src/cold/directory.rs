//! A directory of segments.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use zhulian_primitives::{Height, Network};

use super::segment::{Checked, Fault, Record, Segment};

const ENDING: &str = ".zlseg";
const LOCK: &str = ".hold";

/// The heights of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Of its first block.
    pub first: Height,
    /// Of its last block.
    pub last: Height,
}

impl Span {
    /// What its file is called.
    pub fn file_name(&self) -> String {
        format!("{:012}-{:012}{ENDING}", self.first, self.last)
    }

    fn parse(name: &str) -> Option<Self> {
        let (first, last) = name.strip_suffix(ENDING)?.split_once('-')?;
        let span = Self { first: first.parse().ok()?, last: last.parse().ok()? };
        (span.first <= span.last && span.last < Height::MAX && span.file_name() == name).then_some(span)
    }
}

/// Where a transaction is in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Height of its block.
    pub height: Height,
    /// Its index there.
    pub index: u32,
}

/// An archive's directory.
pub struct Directory {
    path: PathBuf,
    spans: Vec<Span>,
    open: Option<(Span, Segment)>,
}

impl Directory {
    /// Lists a directory; files that are no segments are passed over.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut directory = Self { path: path.into(), spans: Vec::new(), open: None };
        directory.refresh()?;
        Ok(directory)
    }

    /// Lists it again.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn refresh(&mut self) -> io::Result<()> {
        let mut spans = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            spans.extend(entry?.file_name().to_str().and_then(Span::parse));
        }
        spans.sort_unstable();
        self.spans = spans;
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its segments in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The last height of the newest segment.
    pub fn last(&self) -> Option<Height> {
        self.spans.last().map(|span| span.last)
    }

    /// The segment with a height.
    pub fn span_of(&self, height: Height) -> Option<Span> {
        let at = self.spans.partition_point(|span| span.first <= height).checked_sub(1)?;
        Some(self.spans[at]).filter(|span| height <= span.last)
    }

    /// A segment, open; it must hold what its name says.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn segment(&mut self, span: Span) -> Result<&mut Segment, Fault> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != span) {
            let segment = Segment::open(&self.path.join(span.file_name()))?;
            if (segment.first(), segment.last()) != (span.first, span.last) {
                return Err(Fault::Damaged("it has another file's name"));
            }
            self.open = Some((span, segment));
        }
        match &mut self.open {
            Some((_, segment)) => Ok(segment),
            None => Err(Fault::Damaged("it is not open")),
        }
    }

    /// Forgets what is open, so that the next read is from the file as it is then.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// The block at a height; `None` when no segment has it.
    ///
    /// # Errors
    /// When its segment is damaged.
    pub fn record(&mut self, height: Height) -> Result<Option<Record>, Fault> {
        match self.span_of(height) {
            Some(span) => self.segment(span)?.record(height),
            None => Ok(None),
        }
    }

    /// Where the transaction is whose id begins so, with at least 8 bytes; of several, the first.
    ///
    /// # Errors
    /// When a segment is damaged.
    pub fn find(&mut self, id: &[u8]) -> Result<Option<Found>, Fault> {
        for span in self.spans.clone() {
            if let Some((height, index)) = self.segment(span)?.find(id)? {
                return Ok(Some(Found { height, index }));
            }
        }
        Ok(None)
    }

    /// Takes the directory for one writer, until the file is dropped.
    ///
    /// # Errors
    /// When another has it, or it cannot be written.
    pub(crate) fn hold(&self) -> io::Result<File> {
        let file = File::options().create(true).truncate(false).write(true).open(self.path.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(io::Error::other("another node writes to this archive")),
            // Some network file systems know no locks.
            Err(fs::TryLockError::Error(_)) => Ok(file),
        }
    }
}

/// Checks every segment of an archive against a network's identity, and that they follow each other without a gap, decided by whom the one before
/// names; tells of each, with what is wrong with it.
pub fn check(directory: &mut Directory, network: &Network, mut each: impl FnMut(Span, Result<Checked, Fault>)) {
    let mut before: Option<Checked> = None;
    for span in directory.spans().to_vec() {
        let stated = before.filter(|last| last.last + 1 == span.first).map(|last| last.validators);
        let checked = directory.segment(span).and_then(|segment| segment.check_after(stated, network));
        let checked = checked.and_then(|it| match before {
            Some(last) if last.last + 1 != it.first => {
                Err(Fault::Unproven(it.first, format!("the segment before ends with block {}", last.last)))
            }
            Some(last) if last.digest != it.parent => {
                Err(Fault::Unproven(it.first, "it does not follow the last block of the segment before".into()))
            }
            _ => Ok(it),
        });
        before = checked.as_ref().ok().copied();
        each(span, checked);
    }
}
