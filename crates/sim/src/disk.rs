//! A node's disk: it can be full, and it can stop at a chosen write, as everything does in a power cut.

use std::{
    future::{Future, pending},
    io,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use commonware_runtime::{
    Blob, BlobVersion, Clock, Error, Handle, IoBufs, IoBufsMut, Metrics, Name, ReadOptions, Spawner, Storage, Supervisor,
    WriteOptions,
    signal::Signal,
    telemetry::metrics::{Metric, Registered},
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand::{TryCryptoRng, TryRng};

/// Counts everything that changes a disk, and lets nothing pass after a chosen one.
#[derive(Debug)]
pub struct Points {
    passed: AtomicU64,
    last: AtomicU64,
}

impl Default for Points {
    fn default() -> Self {
        Self { passed: AtomicU64::new(0), last: AtomicU64::new(u64::MAX) }
    }
}

impl Points {
    /// Lets `more` pass from now on, and nothing after them.
    pub fn stop_after(&self, more: u64) {
        self.last.store(self.passed.load(Relaxed).saturating_add(more), Relaxed);
    }

    /// Lets everything pass.
    pub fn go_on(&self) {
        self.last.store(u64::MAX, Relaxed);
    }

    /// Whether something was not let pass.
    pub fn stopped(&self) -> bool {
        self.passed.load(Relaxed) > self.last.load(Relaxed)
    }

    /// How many came so far.
    pub fn passed(&self) -> u64 {
        self.passed.load(Relaxed)
    }

    async fn pass(&self) {
        if self.passed.fetch_add(1, Relaxed) >= self.last.load(Relaxed) {
            // The power is gone: whoever waits for the disk waits for ever.
            pending::<()>().await;
        }
    }
}

/// What the world does to a node's disk.
#[derive(Clone, Debug, Default)]
pub struct Power {
    /// Nothing more can be written.
    pub full: Arc<AtomicBool>,
    /// This node's writes.
    pub node: Arc<Points>,
    /// The writes of all nodes.
    pub city: Arc<Points>,
}

impl Power {
    async fn pass(&self) {
        self.city.pass().await;
        self.node.pass().await;
    }

    /// What a write says when there is no room.
    fn room(&self) -> Result<(), Error> {
        if self.full.load(Relaxed) { Err(io::Error::from(io::ErrorKind::StorageFull).into()) } else { Ok(()) }
    }
}

/// A runtime whose storage obeys a [`Power`].
#[derive(Clone)]
pub struct Disk<E> {
    inner: E,
    power: Power,
}

impl<E> Disk<E> {
    /// The runtime with this power.
    pub fn new(inner: E, power: Power) -> Self {
        Self { inner, power }
    }
}

impl<E: Supervisor> Supervisor for Disk<E> {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        Self { inner: self.inner.child(label), power: self.power.clone() }
    }

    fn with_attribute(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        Self { inner: self.inner.with_attribute(key, value), power: self.power }
    }
}

impl<E: Spawner> Spawner for Disk<E> {
    fn shared(self, blocking: bool) -> Self {
        Self { inner: self.inner.shared(blocking), power: self.power }
    }

    fn dedicated(self) -> Self {
        Self { inner: self.inner.dedicated(), power: self.power }
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let power = self.power;
        self.inner.spawn(move |inner| f(Self { inner, power }))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> Signal {
        self.inner.stopped()
    }
}

impl<E: Clock> Clock for Disk<E> {
    fn current(&self) -> SystemTime {
        self.inner.current()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<E> {
        self.inner.sleep(duration)
    }

    fn sleep_until(&self, deadline: SystemTime) -> impl Future<Output = ()> + Send + 'static + use<E> {
        self.inner.sleep_until(deadline)
    }
}

impl<E: Clock> GovernorClock for Disk<E> {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.inner.current()
    }
}

impl<E: Clock> ReasonablyRealtime for Disk<E> {}

impl<E: Metrics> Metrics for Disk<E> {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(&self, name: N, help: H, metric: M) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl<E: TryRng> TryRng for Disk<E> {
    type Error = E::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.inner.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.inner.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.inner.try_fill_bytes(bytes)
    }
}

impl<E: TryCryptoRng> TryCryptoRng for Disk<E> {}

impl<E: Storage> Storage for Disk<E> {
    type Blob = File<E::Blob>;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Self::Blob, u64, BlobVersion), Error> {
        self.power.pass().await;
        let (inner, size, version) = self.inner.open_versioned(partition, name, versions).await?;
        Ok((File { inner, power: self.power.clone() }, size, version))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.power.pass().await;
        self.inner.remove(partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.inner.scan(partition).await
    }
}

/// A file on such a disk.
pub struct File<B> {
    inner: B,
    power: Power,
}

impl<B: Blob> Blob for File<B> {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.inner.read_at_buf(offset, len, bufs, options).await
    }

    async fn read_at(&self, offset: u64, len: usize, options: ReadOptions) -> Result<IoBufsMut, Error> {
        self.inner.read_at(offset, len, options).await
    }

    async fn write_at(&self, offset: u64, bufs: impl Into<IoBufs> + Send, options: WriteOptions) -> Result<(), Error> {
        self.power.pass().await;
        self.power.room()?;
        self.inner.write_at(offset, bufs, options).await
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        self.power.pass().await;
        self.power.room()?;
        self.inner.resize(len).await
    }

    async fn sync(&self) -> Result<(), Error> {
        self.power.pass().await;
        self.inner.sync().await
    }

    async fn start_sync(&self) -> Handle<()> {
        self.power.pass().await;
        self.inner.start_sync().await
    }
}
