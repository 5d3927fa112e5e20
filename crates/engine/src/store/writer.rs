//! Writes the log, and from time to time the files.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::BytesMut;
use commonware_macros::select;
use commonware_runtime::{
    Blob as _, BlobVersion, Error, Handle, IoBuf, IoBufs, ReadOptions, Spawner, Storage, WriteOptions, signal::Signal,
};

use super::{
    file::File,
    layers::Flush,
    log::{HEAD, Operation, replay, seal},
    shared::{Entry, Shared, State},
};

/// What a checkpoint does to one file.
struct Job<B> {
    number: u64,
    partition: String,
    name: Vec<u8>,
    version: BlobVersion,
    file: Option<Arc<File<B>>>,
    in_file: bool,
    replaces: bool,
    /// Length of the file, and what becomes of it; `None` when it goes.
    flush: Option<(u64, Flush)>,
}

pub(super) struct Writer<E: Storage> {
    shared: Arc<Shared<E>>,
    segments: [Arc<E::Blob>; 2],
    segment_bytes: u64,
    mark: u64,
    current: usize,
    offset: u64,
    /// Of the next frame.
    number: u64,
    /// Frames up to this are in the files.
    done: Arc<AtomicU64>,
    /// The last checkpoint that was begun, and the frames it brings to the files.
    checkpoint: Option<(u64, Handle<()>)>,
}

/// Opens a log, and does again what the files lack of it. A log that is made has the fresh mark.
pub(super) async fn open<E: Storage>(
    storage: E,
    directory: Option<PathBuf>,
    partition: &str,
    segment_bytes: u64,
    fresh_mark: u64,
) -> Result<(Arc<Shared<E>>, Writer<E>), Error> {
    let mut segments = Vec::new();
    let mut contents = Vec::new();
    for name in [b"0", b"1"] {
        let (blob, size) = storage.open(partition, name).await?;
        contents.push(match size {
            0 => Vec::new(),
            size => blob.read_at(0, size as usize, ReadOptions::default()).await?.coalesce().as_ref().to_vec(),
        });
        segments.push(Arc::new(blob));
    }
    let segments = <[_; 2]>::try_from(segments).unwrap_or_else(|_| unreachable!("there are two"));
    let damaged = |number: u64| {
        let reason = format!("frame {number} of the log is damaged; restore or wipe this node's directory");
        Error::BlobCorrupt(partition.into(), "log".into(), reason)
    };
    let found = replay([&contents[0], &contents[1]]).map_err(damaged)?;

    let shared = Arc::new(Shared::new(storage, directory));
    let mut numbers = BTreeMap::new();
    for frame in &found.frames {
        let mut payload = frame.payload;
        while !payload.is_empty() {
            let operation = Operation::decode(&mut payload).ok_or_else(|| damaged(frame.number))?;
            redo(&shared, &mut numbers, &operation).await?.ok_or_else(|| damaged(frame.number))?;
        }
    }
    let mut writer = Writer {
        shared: shared.clone(),
        segments,
        segment_bytes,
        mark: found.mark.unwrap_or(fresh_mark),
        current: found.segment,
        offset: found.end,
        number: found.last + 1,
        done: Arc::new(AtomicU64::new(found.last)),
        checkpoint: None,
    };
    if !found.frames.is_empty() {
        let jobs = jobs(&mut shared.lock(), 0);
        carry_out(&shared, jobs).await?;
    }
    // From here on, the frames that were read count as done. The other segment may begin with one of them, so that is said behind them first; if this
    // write is cut short, they are there to be read again.
    if found.last > 0 {
        writer.write(BytesMut::zeroed(HEAD)).await?;
        writer.done.store(found.last + 1, Ordering::Release);
    }
    writer.current = 1 - found.segment;
    writer.offset = 0;
    writer.write(BytesMut::zeroed(HEAD)).await?;
    Ok((shared, writer))
}

/// Does a logged operation again. `None` when it speaks of a blob that has no name.
async fn redo<E: Storage>(
    shared: &Arc<Shared<E>>,
    numbers: &mut BTreeMap<u64, u64>,
    operation: &Operation<'_>,
) -> Result<Option<()>, Error> {
    match *operation {
        Operation::Name { blob, version, partition, name } => {
            let version = BlobVersion::new(version);
            shared.find(partition, name, version..=version).await?;
            numbers.insert(blob, shared.lock().entry(partition, name, version));
            return Ok(Some(()));
        }
        Operation::RemoveAll { partition } => {
            match shared.storage.remove(partition, None).await {
                Ok(()) | Err(Error::PartitionMissing(_)) => {}
                Err(error) => return Err(error),
            }
            shared.lock().remove_all(partition);
            return Ok(Some(()));
        }
        Operation::Create { blob }
        | Operation::Write { blob, .. }
        | Operation::Resize { blob, .. }
        | Operation::Remove { blob } => {
            let Some(&number) = numbers.get(&blob) else { return Ok(None) };
            let mut state = shared.lock();
            let Some(entry) = state.blobs.get(&number) else { return Ok(None) };
            let (version, exists) = (entry.version, entry.exists);
            // What is removed later has no file any more, though its first operations are still in the log.
            if !exists || matches!(operation, Operation::Create { .. }) {
                state.create(number, version);
            }
            let Some(entry) = state.blobs.get_mut(&number) else { return Ok(None) };
            entry.changed = true;
            match *operation {
                Operation::Write { offset, bytes, .. } => entry.layers.write(offset, IoBuf::copy_from_slice(bytes)),
                Operation::Resize { len, .. } => entry.layers.resize(len),
                Operation::Remove { .. } => state.remove(number),
                _ => {}
            }
        }
    }
    Ok(Some(()))
}

impl<E: Storage> Writer<E> {
    /// Seals a frame and writes it.
    async fn write(&mut self, mut frame: BytesMut) -> Result<(), Error> {
        seal(self.mark, self.number, self.done.load(Ordering::Acquire), &mut frame);
        let len = frame.len() as u64;
        let frame = frame.freeze();
        self.segments[self.current].write_at(self.offset, IoBuf::from(frame.clone()), WriteOptions::SYNC).await?;
        if let Ok(buffer) = frame.try_into_mut() {
            self.shared.lock().give_back(buffer);
        }
        self.offset += len;
        self.number += 1;
        Ok(())
    }
}

impl<E: Storage + Spawner> Writer<E> {
    /// Writes whatever somebody waits for, until the node stops; then what is left, to the files.
    pub async fn run(mut self, context: E, stopped: Signal) {
        let shared = self.shared.clone();
        let mut stopped = Some(stopped);
        loop {
            let stopping = match &mut stopped {
                Some(signal) => select! {
                    _ = shared.wake.notified() => false,
                    _ = signal => true,
                },
                None => {
                    shared.wake.notified().await;
                    false
                }
            };
            let result = match stopping {
                true => self.finish().await,
                false => self.serve(&context).await,
            };
            if let Err(error) = result {
                tracing::error!(%error, "the log cannot be written");
                shared.tell(Err(error));
                return;
            }
            if stopping {
                // The last hold on the signal; now the runtime knows that this task needs no more time.
                stopped = None;
            }
        }
    }

    async fn serve(&mut self, context: &E) -> Result<(), Error> {
        loop {
            {
                let state = self.shared.lock();
                if state.durable.clone()? >= state.wanted {
                    return Ok(());
                }
            }
            self.commit(context).await?;
        }
    }

    /// Writes what is pending as one frame. When the segment is full with it, begins a checkpoint and goes on in the other segment.
    async fn commit(&mut self, context: &E) -> Result<(), Error> {
        let full = self.offset >= self.segment_bytes;
        if full && self.offset >= 2 * self.segment_bytes {
            self.settle().await?;
        }
        // Until the files hold what the other segment has, this one grows.
        let turn = full && !self.is_checkpointing();
        let (frame, position, jobs) = {
            let mut state = self.shared.lock();
            let frame = state.take_pending();
            let jobs = turn.then(|| jobs(&mut state, self.segment_bytes / 4));
            (frame, state.position, jobs)
        };
        let through = self.number;
        self.write(frame.unwrap_or_else(|| BytesMut::zeroed(HEAD))).await?;
        self.shared.tell(Ok(position));
        if let Some(jobs) = jobs {
            let (shared, done) = (self.shared.clone(), self.done.clone());
            let task = context.child("checkpoint").spawn(move |_| async move {
                match carry_out(&shared, jobs).await {
                    Ok(()) => done.store(through, Ordering::Release),
                    Err(error) => {
                        tracing::error!(%error, "a checkpoint failed");
                        shared.tell(Err(error));
                    }
                }
            });
            self.checkpoint = Some((through, task));
            self.current = 1 - self.current;
            self.offset = 0;
        }
        Ok(())
    }

    fn is_checkpointing(&self) -> bool {
        self.checkpoint.as_ref().is_some_and(|(through, _)| self.done.load(Ordering::Acquire) < *through)
    }

    /// Waits for the checkpoint that runs, if one does.
    async fn settle(&mut self) -> Result<(), Error> {
        if let Some((_, task)) = self.checkpoint.take() {
            task.await?;
        }
        self.shared.lock().durable.clone().map(|_| ())
    }

    /// Brings all to the files, so that nothing of the log is needed.
    async fn finish(&mut self) -> Result<(), Error> {
        self.settle().await?;
        let (frame, position, jobs) = {
            let mut state = self.shared.lock();
            (state.take_pending(), state.position, jobs(&mut state, 0))
        };
        let through = self.number;
        self.write(frame.unwrap_or_else(|| BytesMut::zeroed(HEAD))).await?;
        self.shared.tell(Ok(position));
        carry_out(&self.shared, jobs).await?;
        self.done.store(through, Ordering::Release);
        self.write(BytesMut::zeroed(HEAD)).await
    }
}

/// A blob without a file stays without one, and in the log, as long as it is no larger: what is made for a view or two is soon gone.
const SMALL: u64 = 16 << 10;

/// What a checkpoint must write; begins it. The last one has ended. Blobs that stay in the log for another turn are logged again, up to
/// `again_max` bytes; with none, all get a file, empty ones too.
fn jobs<B>(state: &mut State<B>, mut again_max: u64) -> Vec<Job<B>> {
    state.turn += 1;
    let changed = |(number, entry): (&u64, &Entry<B>)| (entry.changed && !entry.detached).then_some(*number);
    let changed: Vec<u64> = state.blobs.iter().filter_map(changed).collect();
    let mut jobs = Vec::new();
    for number in changed {
        let Some(entry) = state.blobs.get_mut(&number) else { continue };
        let size = entry.layers.size();
        if entry.exists
            && !entry.in_file
            && again_max > 0
            && size <= SMALL.min(again_max)
            && let Some(bytes) = entry.layers.held()
        {
            again_max -= size;
            state.log_again(number, &bytes);
            continue;
        }
        entry.changed = false;
        jobs.push(Job {
            number,
            partition: entry.partition.clone(),
            name: entry.name.clone(),
            version: entry.version,
            file: entry.file.clone(),
            in_file: entry.in_file,
            replaces: std::mem::take(&mut entry.replaces),
            flush: entry.exists.then(|| (entry.layers.file(), entry.layers.begin())),
        });
    }
    jobs
}

/// Writes files, and has them on disk.
async fn carry_out<E: Storage>(shared: &Arc<Shared<E>>, jobs: Vec<Job<E::Blob>>) -> Result<(), Error> {
    let _files = shared.files.lock().await;
    let mut written = Vec::new();
    for job in jobs {
        // What was removed since needs no file; if it has one, whoever has its name now removes it.
        if shared.lock().blobs.get(&job.number).is_none_or(|entry| entry.detached) {
            continue;
        }
        let Job { number, partition, name, version, file, in_file, replaces, flush } = job;
        if replaces || (flush.is_none() && in_file) {
            match shared.storage.remove(&partition, Some(&name)).await {
                Ok(()) | Err(Error::BlobMissing(..) | Error::PartitionMissing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let Some((len, Flush { cut, writes, size })) = flush else {
            written.push((number, None));
            continue;
        };
        let (file, mut len) = match file {
            Some(file) if !replaces => (file, len),
            _ => {
                let (file, len, _) = shared.open_file(&partition, &name, version..=version).await?;
                (file, len)
            }
        };
        if cut < len {
            file.resize(cut).await?;
            len = cut;
        }
        for (offset, run) in writes {
            let bytes: IoBufs = run.into();
            len = len.max(offset + bytes.len() as u64);
            file.write_at(offset, bytes, WriteOptions::default()).await?;
        }
        if len != size {
            file.resize(size).await?;
        }
        let sync = file.start_sync().await;
        written.push((number, Some((file, size, sync))));
    }
    let mut ended = Vec::new();
    for (number, file) in written {
        ended.push(match file {
            Some((file, size, sync)) => {
                sync.await?;
                (number, Some((file, size)))
            }
            None => (number, None),
        });
    }
    let mut state = shared.lock();
    state.checkpoints += 1;
    for (number, file) in ended {
        let Some(entry) = state.blobs.get_mut(&number) else { continue };
        entry.in_file = file.is_some();
        if let Some((file, size)) = file {
            entry.layers.end(size);
            entry.file = Some(file);
        }
    }
    let all: Vec<u64> = state.blobs.keys().copied().collect();
    all.into_iter().for_each(|number| state.forget_idle(number));
    Ok(())
}
