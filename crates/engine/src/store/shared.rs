//! What the blobs of a node share: their contents above the files, and the end of the log that is not written yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::BytesMut;
use commonware_runtime::{BlobVersion, Error, IoBuf, Storage};
use commonware_utils::channel::oneshot;
use tokio::sync::Notify;

use super::{
    blob::Blob,
    file::File,
    layers::{Layers, Piece},
    log::{HEAD, Operation},
};

/// Bytes that wait for nobody are written when there are so many.
const PENDING_MAX: usize = 4 << 20;
/// Bytes of the buffer that is kept for the next frame.
const SPARE_MAX: usize = 8 << 20;

/// A blob.
pub(super) struct Entry<B> {
    pub partition: String,
    pub name: Vec<u8>,
    pub version: BlobVersion,
    pub layers: Layers,
    /// The open file, once there is one.
    pub file: Option<Arc<File<B>>>,
    /// Whether a file may be there.
    pub in_file: bool,
    /// False when the name is free: nothing was made under it yet, or not again.
    pub exists: bool,
    /// It was removed while somebody had it open, who may still read it.
    pub detached: bool,
    /// It was removed and made again, so the file is not its own.
    pub replaces: bool,
    /// The files lack something of it.
    pub changed: bool,
    /// Position of the last operation.
    pub last: u64,
    /// The turn of the log in which its name was last written.
    pub named: u64,
    /// Held by whoever has it open.
    pub open: Arc<()>,
}

pub(super) struct State<B> {
    pub blobs: BTreeMap<u64, Entry<B>>,
    names: BTreeMap<(String, Vec<u8>), u64>,
    /// Partitions in which something was made.
    partitions: BTreeSet<String>,
    next: u64,
    /// The next frame: room for its head, and operations.
    pub pending: BytesMut,
    spare: BytesMut,
    /// Operations appended so far.
    pub position: u64,
    /// Up to where somebody waits.
    pub wanted: u64,
    /// Counts the turns of the segments.
    pub turn: u64,
    /// Counts the checkpoints that ended.
    pub checkpoints: u64,
    /// Up to where the log is on disk, or why it cannot be written.
    pub durable: Result<u64, Error>,
    /// Who waits, by position and in the order in which they came.
    waiters: u64,
    waiting: BTreeMap<(u64, u64), oneshot::Sender<Result<(), Error>>>,
}

impl<B> State<B> {
    fn append(&mut self, blob: u64, operation: impl FnOnce(&mut BytesMut)) {
        if let Some(entry) = self.blobs.get_mut(&blob) {
            if entry.named != self.turn {
                entry.named = self.turn;
                let name =
                    Operation::Name { blob, version: entry.version.get(), partition: &entry.partition, name: &entry.name };
                name.encode(&mut self.pending);
            }
            entry.changed = true;
            entry.last = self.position + 1;
        }
        operation(&mut self.pending);
        self.position += 1;
    }

    /// Appends all of a blob, so that what was logged of it before is not needed.
    pub fn log_again(&mut self, blob: u64, bytes: &[u8]) {
        self.append(blob, |pending| {
            Operation::Create { blob }.encode(pending);
            Operation::Write { blob, offset: 0, bytes }.encode(pending);
        });
    }

    /// Takes what is pending, with room for the head in front; `None` when there is nothing.
    pub fn take_pending(&mut self) -> Option<BytesMut> {
        if self.pending.len() == HEAD {
            return None;
        }
        let mut next = std::mem::take(&mut self.spare);
        next.clear();
        next.resize(HEAD, 0);
        Some(std::mem::replace(&mut self.pending, next))
    }

    /// Gives a written frame's buffer back.
    pub fn give_back(&mut self, buffer: BytesMut) {
        if buffer.capacity() <= SPARE_MAX && buffer.capacity() > self.spare.capacity() {
            self.spare = buffer;
        }
    }

    /// The blob of a name, made known if it is not.
    pub fn entry(&mut self, partition: &str, name: &[u8], version: BlobVersion) -> u64 {
        let key = (partition.to_string(), name.to_vec());
        if let Some(number) = self.names.get(&key) {
            return *number;
        }
        let number = self.next;
        self.next += 1;
        let entry = Entry {
            partition: key.0.clone(),
            name: key.1.clone(),
            version,
            layers: Layers::default(),
            file: None,
            in_file: false,
            exists: false,
            detached: false,
            replaces: false,
            changed: false,
            last: 0,
            named: 0,
            open: Arc::new(()),
        };
        self.names.insert(key, number);
        self.blobs.insert(number, entry);
        number
    }

    /// The number of a blob of which something is known, if only that it is removed.
    pub fn known(&self, partition: &str, name: &[u8]) -> Option<u64> {
        self.names.get(&(partition.to_string(), name.to_vec())).copied()
    }

    /// Makes a known blob anew.
    pub fn create(&mut self, number: u64, version: BlobVersion) {
        let Some(entry) = self.blobs.get_mut(&number) else { return };
        entry.exists = true;
        entry.replaces |= entry.in_file;
        entry.version = version;
        entry.changed = true;
        entry.layers.clear();
        self.partitions.insert(entry.partition.clone());
    }

    /// Frees a blob's name. Who has it open may still read it.
    pub fn remove(&mut self, number: u64) {
        let Some(entry) = self.blobs.get_mut(&number).filter(|entry| entry.exists) else { return };
        entry.exists = false;
        entry.detached = true;
        // A checkpoint that runs may be making the file.
        let in_file = entry.in_file || entry.layers.is_being_written();
        let (partition, name, version) = (entry.partition.clone(), entry.name.clone(), entry.version);
        self.names.remove(&(partition.clone(), name.clone()));
        let free = self.entry(&partition, &name, version);
        if let Some(free) = self.blobs.get_mut(&free) {
            free.in_file = in_file;
            free.changed = true;
        }
        self.forget_idle(number);
    }

    /// Forgets a partition.
    pub fn remove_all(&mut self, partition: &str) {
        for entry in self.blobs.values_mut().filter(|entry| entry.partition == partition) {
            entry.exists = false;
            entry.detached = true;
        }
        self.names.retain(|(other, _), _| other != partition);
        self.partitions.remove(partition);
    }

    /// Forgets a blob that nobody has open and of which the files hold all, or that is removed.
    pub fn forget_idle(&mut self, number: u64) {
        let idle = |entry: &Entry<B>| {
            Arc::strong_count(&entry.open) == 1 && (entry.detached || !entry.changed && !entry.layers.is_being_written())
        };
        if self.blobs.get(&number).is_some_and(idle)
            && let Some(entry) = self.blobs.remove(&number)
            && !entry.detached
        {
            self.names.remove(&(entry.partition, entry.name));
        }
    }
}

/// The storage of a node behind its log.
pub(super) struct Shared<E: Storage> {
    pub storage: E,
    /// Where the storage has its files, if it has any.
    pub directory: Option<PathBuf>,
    state: Mutex<State<E::Blob>>,
    /// Held while files are written or a partition is removed.
    pub files: tokio::sync::Mutex<()>,
    /// Wakes the writer.
    pub wake: Notify,
}

impl<E: Storage> Shared<E> {
    pub fn new(storage: E, directory: Option<PathBuf>) -> Self {
        let state = State {
            blobs: BTreeMap::new(),
            names: BTreeMap::new(),
            partitions: BTreeSet::new(),
            next: 1,
            pending: BytesMut::zeroed(HEAD),
            spare: BytesMut::new(),
            position: 0,
            wanted: 0,
            turn: 1,
            checkpoints: 0,
            durable: Ok(0),
            waiting: BTreeMap::new(),
            waiters: 0,
        };
        Self { storage, directory, state: Mutex::new(state), files: tokio::sync::Mutex::default(), wake: Notify::new() }
    }

    pub fn lock(&self) -> MutexGuard<'_, State<E::Blob>> {
        self.state.lock().expect("never panics while held")
    }

    /// Appends an operation and applies it.
    pub fn apply(&self, blob: u64, operation: Operation<'_>, change: impl FnOnce(&mut Layers)) -> Result<(), Error> {
        let mut state = self.lock();
        let Some(entry) = state.blobs.get_mut(&blob).filter(|entry| entry.exists) else { return Err(Error::Closed) };
        change(&mut entry.layers);
        state.append(blob, |pending| operation.encode(pending));
        if state.pending.len() > PENDING_MAX {
            state.wanted = state.position;
            drop(state);
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Tells up to where the log is on disk, or that it no longer gets there, which is final.
    pub fn tell(&self, durable: Result<u64, Error>) {
        let mut state = self.lock();
        if state.durable.is_err() {
            return;
        }
        state.durable = durable;
        let reached = state.durable.as_ref().map_or(u64::MAX, |position| position + 1);
        let later = state.waiting.split_off(&(reached, 0));
        let waiting = std::mem::replace(&mut state.waiting, later);
        let result = state.durable.as_ref().map(|_| ()).map_err(Clone::clone);
        drop(state);
        for (_, waiter) in waiting {
            let _ = waiter.send(result.clone());
        }
    }

    /// Resolves when all that was done to a blob so far is on disk. The writing begins with the call.
    pub fn synced(&self, blob: u64) -> impl Future<Output = Result<(), Error>> + Send + use<E> {
        let wanted = self.lock().blobs.get(&blob).map_or(0, |entry| entry.last);
        self.durable_at(wanted)
    }

    fn durable_at(&self, wanted: u64) -> impl Future<Output = Result<(), Error>> + Send + use<E> {
        let mut state = self.lock();
        let waits = match &state.durable {
            Ok(position) if *position >= wanted => Err(Ok(())),
            Err(error) => Err(Err(error.clone())),
            Ok(_) => {
                let (sender, receiver) = oneshot::channel();
                state.waiters += 1;
                let number = state.waiters;
                state.waiting.insert((wanted, number), sender);
                state.wanted = state.wanted.max(wanted);
                Ok(receiver)
            }
        };
        drop(state);
        if waits.is_ok() {
            self.wake.notify_one();
        }
        async move {
            match waits {
                Ok(receiver) => receiver.await.unwrap_or(Err(Error::Closed)),
                Err(known) => known,
            }
        }
    }

    pub async fn open(
        self: &Arc<Self>,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Blob<E>, u64, BlobVersion), Error> {
        let mut state = loop {
            let found = self.find(partition, name, versions.clone()).await?;
            let state = self.lock();
            // A checkpoint that ended since may have forgotten it, now that it has a file.
            if !found || state.known(partition, name).is_some() {
                break state;
            }
        };
        let number = state.entry(partition, name, *versions.end());
        let entry = &state.blobs[&number];
        if !entry.exists {
            let version = *versions.end();
            state.create(number, version);
            state.append(number, |pending| Operation::Create { blob: number }.encode(pending));
        } else if !versions.contains(&entry.version) {
            return Err(Error::BlobVersionMismatch { expected: versions, found: entry.version });
        } else if Arc::strong_count(&entry.open) > 1 {
            return Err(Error::BlobAlreadyOpen(partition.into(), hex::encode(name)));
        }
        let entry = &state.blobs[&number];
        let (size, version, open) = (entry.layers.size(), entry.version, entry.open.clone());
        Ok((Blob { shared: self.clone(), number, _open: open }, size, version))
    }

    /// Makes a blob known that has only a file so far. False when it has none and is not known.
    pub async fn find(&self, partition: &str, name: &[u8], versions: RangeInclusive<BlobVersion>) -> Result<bool, Error> {
        if self.lock().known(partition, name).is_some() {
            return Ok(true);
        }
        let names = self.names_in_files(partition).await?.unwrap_or_default();
        if !names.iter().any(|other| other == name) {
            return Ok(false);
        }
        let (file, size, version) = self.open_file(partition, name, versions).await?;
        let mut state = self.lock();
        if state.known(partition, name).is_none() {
            let number = state.entry(partition, name, version);
            if let Some(entry) = state.blobs.get_mut(&number) {
                entry.exists = true;
                entry.in_file = true;
                entry.file = Some(file);
                entry.layers = Layers::of_file(size);
            }
        }
        Ok(true)
    }

    /// A blob's file, which is made if there is none.
    pub async fn open_file(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Arc<File<E::Blob>>, u64, BlobVersion), Error> {
        let (blob, size, version) = self.storage.open_versioned(partition, name, versions).await?;
        Ok((Arc::new(File::new(blob, size, self.directory.as_deref(), partition, name)), size, version))
    }

    /// The names that have files; `None` when there is no such partition.
    async fn names_in_files(&self, partition: &str) -> Result<Option<Vec<Vec<u8>>>, Error> {
        match self.storage.scan(partition).await {
            Ok(names) => Ok(Some(names)),
            Err(Error::PartitionMissing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        let (files, state) = loop {
            let before = self.lock().checkpoints;
            let files = self.names_in_files(partition).await?;
            let state = self.lock();
            // What a checkpoint that ended since has forgotten may have got a file, or lost it, after they were listed.
            if state.checkpoints == before {
                break (files, state);
            }
        };
        if files.is_none() && !state.partitions.contains(partition) {
            return Err(Error::PartitionMissing(partition.into()));
        }
        let mut names: BTreeSet<Vec<u8>> = files.unwrap_or_default().into_iter().collect();
        for entry in state.blobs.values().filter(|entry| entry.partition == partition && !entry.detached) {
            match entry.exists {
                true => names.insert(entry.name.clone()),
                false => names.remove(&entry.name),
            };
        }
        Ok(names.into_iter().collect())
    }

    pub async fn remove(self: &Arc<Self>, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        let Some(name) = name else { return self.remove_all(partition).await };
        if !self.scan(partition).await?.iter().any(|other| other == name) {
            return Err(Error::BlobMissing(partition.into(), hex::encode(name)));
        }
        let mut state = self.lock();
        let known = state.known(partition, name);
        let number = state.entry(partition, name, BlobVersion::new(0));
        let entry = state.blobs.get_mut(&number).expect("was made or is known");
        if known.is_none() {
            // It is in a file only, which nobody has open.
            entry.in_file = true;
            entry.exists = true;
        }
        if entry.exists {
            // Not waited for: whatever anybody builds on it comes later in the log.
            state.append(number, |pending| Operation::Remove { blob: number }.encode(pending));
            state.remove(number);
        }
        Ok(())
    }

    async fn remove_all(self: &Arc<Self>, partition: &str) -> Result<(), Error> {
        let in_files = self.names_in_files(partition).await?.is_some();
        let position = {
            let mut state = self.lock();
            if !in_files && !state.partitions.contains(partition) {
                return Err(Error::PartitionMissing(partition.into()));
            }
            state.append(0, |pending| Operation::RemoveAll { partition }.encode(pending));
            state.remove_all(partition);
            state.wanted = state.position;
            state.position
        };
        self.durable_at(position).await?;
        let _files = self.files.lock().await;
        match self.storage.remove(partition, None).await {
            // Asked again, since a checkpoint may have made files in the meantime.
            Err(Error::PartitionMissing(_)) => Ok(()),
            removed => removed,
        }
    }

    /// The bytes of a range, and what of them must be read from the file.
    pub fn read(&self, blob: u64, offset: u64, len: usize) -> Result<Found<E::Blob>, Error> {
        let state = self.lock();
        let entry = state.blobs.get(&blob).filter(|entry| entry.exists || entry.detached).ok_or(Error::Closed)?;
        let pieces = entry.layers.pieces(offset, len).ok_or(Error::BlobInsufficientLength)?;
        Ok((pieces, entry.file.clone()))
    }
}

/// The pieces of a range, and the file that holds what is in none of them.
type Found<B> = (Vec<Piece>, Option<Arc<File<B>>>);

/// Bytes that are worth keeping as they are; smaller ones are copied, so that they do not keep a larger buffer alive.
const SHARED_MIN: usize = 1_024;

/// A buffer as layers keep it.
pub(super) fn kept(bytes: IoBuf) -> IoBuf {
    match bytes.len() < SHARED_MIN {
        true => IoBuf::copy_from_slice(bytes.as_ref()),
        false => bytes,
    }
}
