//! A runtime whose storage has a log.

use std::{
    convert::Infallible,
    future::Future,
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use commonware_runtime::{
    BlobVersion, Clock, Error, Handle, Metrics, Name, Spawner, Storage, Supervisor, signal,
    telemetry::metrics::{Metric, Registered},
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand::rand_core::{CryptoRng, TryCryptoRng, TryRng};

use super::{blob::Blob, file, shared::Shared, writer};

/// Any runtime, with [the log](super) between its storage and its user.
pub(crate) struct Logged<E: Storage> {
    inner: E,
    store: Arc<Shared<E>>,
}

impl<E: Storage + Spawner + CryptoRng> Logged<E> {
    /// Puts a log under everything in `context`'s storage that is not used without it, and does again what the files lack of it.
    ///
    /// `partition` is where the log is, and `segment_bytes` how long a half of it grows. `directory` is where the storage has its files, if it has
    /// any.
    ///
    /// # Errors
    /// When the log is damaged, or storage fails.
    pub async fn open(
        mut context: E,
        directory: Option<PathBuf>,
        partition: &str,
        segment_bytes: u64,
    ) -> Result<Self, Error> {
        let mark = context.next_u64();
        let (store, writer) = writer::open(context.child("log"), directory, partition, segment_bytes, mark).await?;
        let stopped = context.stopped();
        context.child("log_writer").spawn(move |context| writer.run(context, stopped));
        Ok(Self { inner: context, store })
    }
}

impl<E: Storage + Supervisor + Spawner> Logged<E> {
    /// Has the system bring the files of a partition into its memory, meanwhile and as far as it has room.
    pub fn will_need(&self, partition: &str) {
        let Some(directory) = self.store.directory.as_ref().map(|directory| directory.join(partition)) else { return };
        self.inner.child("read_ahead").shared(true).spawn(move |_| async move { file::will_need(&directory) });
    }
}

impl<E: Storage> Logged<E> {
    fn with(&self, inner: E) -> Self {
        Self { inner, store: self.store.clone() }
    }
}

impl<E: Storage + Supervisor> Supervisor for Logged<E> {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.with(self.inner.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        Self { inner: self.inner.with_attribute(key, value), store: self.store }
    }
}

impl<E: Storage + Spawner> Spawner for Logged<E> {
    fn shared(self, blocking: bool) -> Self {
        Self { inner: self.inner.shared(blocking), store: self.store }
    }

    fn dedicated(self) -> Self {
        Self { inner: self.inner.dedicated(), store: self.store }
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let store = self.store;
        self.inner.spawn(move |inner| f(Self { inner, store }))
    }

    fn stop(self, value: i32, timeout: Option<Duration>) -> impl Future<Output = Result<(), Error>> + Send {
        self.inner.stop(value, timeout)
    }

    fn stopped(&self) -> signal::Signal {
        self.inner.stopped()
    }
}

impl<E: Storage + Metrics> Metrics for Logged<E> {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(&self, name: N, help: H, metric: M) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl<E: Storage + Clock + Clone> Clone for Logged<E> {
    fn clone(&self) -> Self {
        self.with(self.inner.clone())
    }
}

impl<E: Storage + Clock> GovernorClock for Logged<E> {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.inner.current()
    }
}

impl<E: Storage + Clock> ReasonablyRealtime for Logged<E> {}

impl<E: Storage + Clock> Clock for Logged<E> {
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

impl<E: Storage + CryptoRng> TryRng for Logged<E> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.inner.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.inner.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.inner.fill_bytes(bytes);
        Ok(())
    }
}

impl<E: Storage + CryptoRng> TryCryptoRng for Logged<E> {}

impl<E: Storage> Storage for Logged<E> {
    type Blob = Blob<E>;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Self::Blob, u64, BlobVersion), Error> {
        self.store.open(partition, name, versions).await
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.store.remove(partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.store.scan(partition).await
    }
}
