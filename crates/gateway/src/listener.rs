//! Connections: not more than a limit, none that wastes its place, and always room for the next one.
//!
//! A client must send the head of a request in one go, may keep a connection for a while without asking, and loses it to whoever comes
//! next when there is no more room and nobody has waited longer. So it is while a request's body does not come. A connection whose request
//! is being answered is left alone, as long as what is sent is taken.

use std::{
    collections::BTreeMap,
    future::Future as _,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use http_body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};

use crate::Config;

/// How long a connection that was told to go may take, before another is told.
const GOING: Duration = Duration::from_millis(50);

/// How long a connection may be in each of its states.
#[derive(Clone, Copy)]
struct Limits {
    /// From the first byte of a request's head to its last.
    head: Duration,
    /// Without a request.
    keep_alive: Duration,
    /// While a request is answered, without a byte in either direction.
    stalled: Duration,
}

/// How a connection stands, as the connection, its requests and the listener see it.
pub struct Slot(Mutex<State>);

struct State {
    /// Requests being answered.
    requests: usize,
    /// Those of them whose body is not here yet.
    bodies: usize,
    /// When the first byte of a head came that is not read to its end.
    head: Option<Instant>,
    /// When the last byte went in or out, or the last request ended.
    moved: Instant,
    /// Told to go.
    going: bool,
    waker: Option<Waker>,
}

impl Slot {
    fn new() -> Self {
        Self(Mutex::new(State { requests: 0, bodies: 0, head: None, moved: Instant::now(), going: false, waker: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Bytes came in. Those of a head are given time once.
    fn read(&self) {
        let (mut state, now) = (self.state(), Instant::now());
        if state.requests > 0 {
            state.moved = now;
        } else {
            state.head.get_or_insert(now);
        }
    }

    fn written(&self) {
        self.state().moved = Instant::now();
    }

    /// Until when nothing need come; `None` when it is told to go. The waker is called when it is.
    fn deadline(&self, limits: &Limits, waker: &Waker) -> Option<Instant> {
        let mut state = self.state();
        if state.going {
            return None;
        }
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        Some(match (state.requests, state.head) {
            (0, Some(head)) => head + limits.head,
            (0, None) => state.moved + limits.keep_alive,
            _ => state.moved + limits.stalled,
        })
    }

    /// Since when it has its place for nothing: until a request is here to its end. `None` while one is answered, or when it is told to go.
    fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.requests == state.bodies && !state.going).then(|| state.head.unwrap_or(state.moved))
    }

    fn go(&self) {
        let waker = {
            let mut state = self.state();
            state.going = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The connection that a request came on.
#[derive(Clone)]
pub struct Peer(Arc<Slot>);

impl Peer {
    /// Marks it as answering a request, until what this gives is dropped.
    pub fn busy(&self) -> Busy {
        let mut state = self.0.state();
        state.requests += 1;
        state.head = None;
        state.moved = Instant::now();
        Busy(self.0.clone())
    }

    /// Marks it as waiting for the body of such a request, until what this gives is dropped.
    pub fn awaits_body(&self) -> Awaited {
        self.0.state().bodies += 1;
        Awaited(self.0.clone())
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(stream.io().slot.clone())
    }
}

/// A request being answered.
pub struct Busy(Arc<Slot>);

impl Busy {
    /// The body of the answer, with whose end the request ends.
    pub fn until_sent(self, body: Body) -> Body {
        Body::new(Sending { body, _busy: self })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.moved = Instant::now();
    }
}

/// A request whose body is not here yet.
pub struct Awaited(Arc<Slot>);

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.state().bodies -= 1;
    }
}

struct Sending {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The connections there are.
type Slots = Arc<Mutex<BTreeMap<u64, Arc<Slot>>>>;

/// A listener that makes room for the next connection once there are too many.
pub struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    slots: Slots,
    next: u64,
    limits: Limits,
}

impl Bounded {
    /// With the limits of the gateway.
    pub fn new(listener: TcpListener, config: &Config) -> Self {
        let limits = Limits { head: config.head_timeout, keep_alive: config.keep_alive, stalled: config.idle_timeout };
        let places = Arc::new(Semaphore::new(config.connections_max));
        Self { listener, places, slots: Slots::default(), next: 0, limits }
    }

    /// A place, if need be that of the connection that has had its own for nothing the longest. When all are at work, one is waited for.
    async fn place(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = self.places.clone().try_acquire_owned() {
                return permit;
            }
            let idlest = {
                let slots = lock(&self.slots);
                let idle = slots.values().filter_map(|slot| Some((slot.idle_since()?, slot)));
                idle.min_by_key(|(since, _)| *since).map(|(_, slot)| slot.clone())
            };
            if let Some(slot) = idlest {
                slot.go();
            }
            if let Ok(Ok(permit)) = tokio::time::timeout(GOING, self.places.clone().acquire_owned()).await {
                return permit;
            }
        }
    }
}

fn lock(slots: &Slots) -> MutexGuard<'_, BTreeMap<u64, Arc<Slot>>> {
    slots.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The listener's own loop waits out a lack of descriptors.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let permit = self.place().await;
        // Answers are small and wanted now.
        let _ = stream.set_nodelay(true);
        let (slot, number) = (Arc::new(Slot::new()), self.next);
        self.next += 1;
        lock(&self.slots).insert(number, slot.clone());
        let timer = Box::pin(tokio::time::sleep(self.limits.keep_alive));
        let entry = Entry { slots: self.slots.clone(), number, _permit: permit };
        (Connection { stream, timer, slot, limits: self.limits, _entry: entry }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection's place in the list, which it leaves with its end.
struct Entry {
    slots: Slots,
    number: u64,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.slots).remove(&self.number);
    }
}

/// A connection that ends when its time is up.
pub struct Connection {
    stream: TcpStream,
    timer: Pin<Box<Sleep>>,
    slot: Arc<Slot>,
    limits: Limits,
    _entry: Entry,
}

impl Connection {
    /// Whether its time is up, where nothing moves at the moment; the task is woken when it is.
    fn poll_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(deadline) = self.slot.deadline(&self.limits, cx.waker()) else {
            return Poll::Ready(io::ErrorKind::TimedOut.into());
        };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(cx).map(|()| io::ErrorKind::TimedOut.into())
    }

    /// Where nothing is taken, the time is looked at here, too: while the next request waits to be read nothing is read.
    fn written(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if poll.is_pending() {
            return self.poll_up(cx).map(Err);
        }
        self.slot.written();
        poll
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.slot.read();
        }
        if read.is_ready() {
            return read;
        }
        self.poll_up(cx).map(Err)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn who_takes_nothing_is_given_up_without_being_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config { idle_timeout: Duration::from_millis(200), ..Config::default() };
        let mut listener = Bounded::new(listener, &config);
        let _silent = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = listener.accept().await;
        let _busy = Peer(connection.slot.clone()).busy();
        let write = async {
            let part = vec![0; 1 << 20];
            loop {
                if let Err(error) = connection.write_all(&part).await {
                    return error.kind();
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(10), write).await;
        assert_eq!(ended.expect("given up"), io::ErrorKind::TimedOut);
    }
}
