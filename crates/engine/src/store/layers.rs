//! What a blob holds above what its file holds.

use std::collections::BTreeMap;

use commonware_runtime::IoBuf;

/// Written bytes by offset; none overlap.
#[derive(Clone)]
pub(super) struct Layer {
    extents: BTreeMap<u64, IoBuf>,
    /// Bytes beneath are visible below this offset only: the least length the blob was cut to since the layer began.
    floor: u64,
}

impl Default for Layer {
    fn default() -> Self {
        Self { extents: BTreeMap::new(), floor: u64::MAX }
    }
}

/// Where some bytes of a blob are.
pub(super) enum Piece {
    /// In memory.
    Held(IoBuf),
    /// In the file, from this offset, so many.
    File(u64, usize),
    /// Nowhere: they were skipped by a write and read as zero.
    Zero(usize),
}

impl Layer {
    fn write(&mut self, offset: u64, bytes: IoBuf) {
        let end = offset + bytes.len() as u64;
        // One that begins before may reach into or over the range.
        if let Some((&start, before)) = self.extents.range(..offset).next_back() {
            let before = before.clone();
            let before_end = start + before.len() as u64;
            if before_end > offset {
                self.extents.insert(start, before.slice(..(offset - start) as usize));
            }
            if before_end > end {
                self.extents.insert(end, before.slice((end - start) as usize..));
            }
        }
        // Those that begin within it are covered; the last may reach over.
        while let Some((&start, inside)) = self.extents.range(offset..end).next() {
            let inside = inside.clone();
            self.extents.remove(&start);
            if start + inside.len() as u64 > end {
                self.extents.insert(end, inside.slice((end - start) as usize..));
            }
        }
        if !bytes.is_empty() {
            self.extents.insert(offset, bytes);
        }
    }

    fn cut(&mut self, len: u64) {
        self.floor = self.floor.min(len);
        self.extents.split_off(&len);
        if let Some((&start, last)) = self.extents.range(..len).next_back()
            && start + last.len() as u64 > len
        {
            let kept = last.slice(..(len - start) as usize);
            self.extents.insert(start, kept);
        }
    }
}

/// A blob's contents: what was written since the last checkpoint began, what that checkpoint writes out, and what the file holds.
#[derive(Clone, Default)]
pub(super) struct Layers {
    size: u64,
    young: Layer,
    old: Option<Layer>,
    /// Length of what the file is known to hold.
    file: u64,
}

/// What a checkpoint does to a file.
pub(super) struct Flush {
    /// First, the file is cut to at most this.
    pub cut: u64,
    /// Then these are written.
    pub writes: Vec<(u64, Vec<IoBuf>)>,
    /// And last, it has this length.
    pub size: u64,
}

impl Layers {
    /// Of a file of `size` bytes.
    pub fn of_file(size: u64) -> Self {
        Self { size, file: size, ..Self::default() }
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn write(&mut self, offset: u64, bytes: IoBuf) {
        self.size = self.size.max(offset + bytes.len() as u64);
        self.young.write(offset, bytes);
    }

    pub fn resize(&mut self, len: u64) {
        if len < self.size {
            self.young.cut(len);
        }
        self.size = len;
    }

    /// Forgets all contents, as when the blob is made anew.
    pub fn clear(&mut self) {
        self.resize(0);
        self.young.floor = 0;
    }

    /// Where the bytes of a range are, in order; `None` when it reaches over the end.
    pub fn pieces(&self, offset: u64, len: usize) -> Option<Vec<Piece>> {
        let end = offset.checked_add(len as u64).filter(|end| *end <= self.size)?;
        let mut pieces = Vec::new();
        let beneath = self.old.as_ref();
        Self::collect(&self.young, offset, end, &mut pieces, &mut |from, to, pieces| match beneath {
            Some(old) => Self::collect(old, from, to, pieces, &mut |from, to, pieces| self.of(from, to, pieces)),
            None => self.of(from, to, pieces),
        });
        Some(pieces)
    }

    /// All bytes, when none of them are in the file.
    pub fn held(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.size as usize);
        for piece in self.pieces(0, self.size as usize)? {
            match piece {
                Piece::Held(held) => bytes.extend_from_slice(held.as_ref()),
                Piece::Zero(len) => bytes.resize(bytes.len() + len, 0),
                Piece::File(..) => return None,
            }
        }
        Some(bytes)
    }

    fn of(&self, from: u64, to: u64, pieces: &mut Vec<Piece>) {
        let known = to.min(self.file).max(from);
        if known > from {
            pieces.push(Piece::File(from, (known - from) as usize));
        }
        if to > known {
            pieces.push(Piece::Zero((to - known) as usize));
        }
    }

    fn collect(
        layer: &Layer,
        from: u64,
        to: u64,
        pieces: &mut Vec<Piece>,
        beneath: &mut dyn FnMut(u64, u64, &mut Vec<Piece>),
    ) {
        let mut gap = |from: u64, to: u64, pieces: &mut Vec<Piece>| {
            let seen = to.min(layer.floor).max(from);
            if seen > from {
                beneath(from, seen, pieces);
            }
            if to > seen {
                pieces.push(Piece::Zero((to - seen) as usize));
            }
        };
        let first = layer.extents.range(..=from).next_back().map_or(from, |(start, _)| *start);
        let mut at = from;
        for (&start, bytes) in layer.extents.range(first..to) {
            let end = start + bytes.len() as u64;
            if end <= at {
                continue;
            }
            if start > at {
                gap(at, start, pieces);
                at = start;
            }
            let until = end.min(to);
            pieces.push(Piece::Held(bytes.slice((at - start) as usize..(until - start) as usize)));
            at = until;
        }
        if at < to {
            gap(at, to, pieces);
        }
    }

    /// Begins a checkpoint: what is held becomes what it writes out. Must not be called before the last one has ended.
    pub fn begin(&mut self) -> Flush {
        debug_assert!(self.old.is_none());
        let layer = std::mem::take(&mut self.young);
        let mut writes: Vec<(u64, Vec<IoBuf>)> = Vec::new();
        let mut end = None;
        for (&start, bytes) in &layer.extents {
            match writes.last_mut() {
                Some((_, run)) if end == Some(start) => run.push(bytes.clone()),
                _ => writes.push((start, vec![bytes.clone()])),
            }
            end = Some(start + bytes.len() as u64);
        }
        let flush = Flush { cut: layer.floor, writes, size: self.size };
        self.old = Some(layer);
        flush
    }

    /// Whether a checkpoint has begun and not ended.
    pub fn is_being_written(&self) -> bool {
        self.old.is_some()
    }

    /// Length of what the file is known to hold.
    pub fn file(&self) -> u64 {
        self.file
    }

    /// Ends a checkpoint, after which the file has the length that [`begin`](Self::begin) told.
    pub fn end(&mut self, size: u64) {
        self.old = None;
        self.file = size;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        Resize(u64),
        Clear,
        Begin,
        End,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0u64..200, vec(any::<u8>(), 0..60)).prop_map(|(offset, bytes)| Step::Write(offset, bytes)),
            2 => (0u64..220).prop_map(Step::Resize),
            1 => Just(Step::Clear),
            2 => Just(Step::Begin),
            2 => Just(Step::End),
        ]
    }

    fn read(layers: &Layers, file: &[u8], offset: u64, len: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for piece in layers.pieces(offset, len)? {
            match piece {
                Piece::Held(held) => bytes.extend_from_slice(held.as_ref()),
                Piece::File(from, len) => bytes.extend_from_slice(&file[from as usize..from as usize + len]),
                Piece::Zero(len) => bytes.resize(bytes.len() + len, 0),
            }
        }
        Some(bytes)
    }

    fn flush(file: &mut Vec<u8>, flush: &Flush) {
        file.truncate(flush.cut.min(file.len() as u64) as usize);
        for (offset, run) in &flush.writes {
            let bytes: Vec<u8> = run.iter().flat_map(|bytes| bytes.as_ref().to_vec()).collect();
            let end = *offset as usize + bytes.len();
            file.resize(file.len().max(end), 0);
            file[*offset as usize..end].copy_from_slice(&bytes);
        }
        file.resize(flush.size as usize, 0);
    }

    proptest! {
        #[test]
        fn layers_read_as_a_plain_file(steps in vec(step(), 0..60), early in any::<bool>()) {
            let (mut plain, mut file): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
            let mut layers = Layers::default();
            let mut running: Option<Flush> = None;
            for step in steps {
                match step {
                    Step::Write(offset, bytes) => {
                        if !bytes.is_empty() {
                            let end = offset as usize + bytes.len();
                            plain.resize(plain.len().max(end), 0);
                            plain[offset as usize..end].copy_from_slice(&bytes);
                            layers.write(offset, bytes.into());
                        }
                    }
                    Step::Resize(len) => {
                        plain.resize(len as usize, 0);
                        layers.resize(len);
                    }
                    Step::Clear => {
                        plain.clear();
                        layers.clear();
                    }
                    Step::Begin if running.is_none() => {
                        let job = layers.begin();
                        if early {
                            flush(&mut file, &job);
                        }
                        running = Some(job);
                    }
                    Step::End => if let Some(job) = running.take() {
                        if !early {
                            flush(&mut file, &job);
                        }
                        layers.end(job.size);
                    },
                    Step::Begin => {}
                }
                prop_assert_eq!(layers.size(), plain.len() as u64);
                // Also while a checkpoint writes: nothing is read from what it changes.
                let whole = read(&layers, &file, 0, plain.len());
                prop_assert_eq!(whole.as_ref(), Some(&plain));
                prop_assert!(read(&layers, &file, 1, plain.len()).is_none());
            }
        }
    }
}
