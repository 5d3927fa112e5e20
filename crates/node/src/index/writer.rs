//! The index's thread: takes finalised blocks at its own pace, off the way of consensus, and writes many at once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use futures::{executor::block_on, future::BoxFuture};
use tokio::sync::watch;
use zhulian_primitives::{Block, Height};

use super::{Holders, IndexError, Store, rows};

/// Where blocks that were missed are read again.
pub trait Blocks: Send + Sync + 'static {
    /// The finalised block at a height; `None` when it is not here, for now or for good.
    fn block(&self, height: Height) -> BoxFuture<'_, Option<Arc<Block>>>;
    /// The first height from which on this node has all blocks, up to its tip; `None` while it has none.
    fn first(&self) -> BoxFuture<'_, Option<Height>>;
    /// The last finalised height.
    fn tip(&self) -> Option<Height>;
}

/// How far the index is.
#[derive(Clone, Debug)]
pub struct Progress {
    height: watch::Receiver<Height>,
    totals: Arc<[AtomicU64; 2]>,
    failed: Arc<AtomicBool>,
}

impl Progress {
    /// The last block in the index.
    pub fn height(&self) -> Height {
        *self.height.borrow()
    }

    /// Transactions in the index, and pieces of evidence.
    pub fn totals(&self) -> (u64, u64) {
        (self.totals[0].load(Relaxed), self.totals[1].load(Relaxed))
    }

    /// Whether writing failed and is being tried again.
    pub fn failing(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Waits until the index has this block; false when the index has stopped.
    pub async fn reached(&self, height: Height) -> bool {
        self.height.clone().wait_for(|at| *at >= height).await.is_ok()
    }
}

/// A running index.
pub struct Indexer {
    queue: SyncSender<Arc<Block>>,
    stopping: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    progress: Progress,
}

/// Blocks that wait in memory; more are read from the archive later.
const QUEUE: usize = 64;
/// How long blocks are gathered before they are written.
const GATHER: Duration = Duration::from_millis(50);
/// How long, when there is much: a page is then written once for many rows.
const GATHER_MUCH: Duration = Duration::from_millis(1_000);
/// Transactions in the first block that are much.
const MUCH: usize = 256;
/// Transactions written at once at most.
const TRANSACTIONS: usize = 32_768;
const RETRY: Duration = Duration::from_secs(1);
/// Blocks handed over that are in the index already, after which it looks into the archive for its next ones.
const PASSED_MAX: u32 = 1_024;
const IDLE: Duration = Duration::from_millis(200);

impl Indexer {
    /// An index and its writer, which somebody has to keep going: [`start`](Self::start) gives it a thread, a simulation takes it
    /// step by step.
    pub fn new<B: Blocks>(store: Store, blocks: B) -> (Self, Writer<B>) {
        let (queue, incoming) = sync_channel(QUEUE);
        let (height, watch) = watch::channel(store.height());
        let (transactions, evidence) = store.totals();
        let progress =
            Progress { height: watch, totals: Arc::new([transactions.into(), evidence.into()]), failed: Arc::default() };
        let writer = Writer { store, holders: None, blocks, incoming, height, progress: progress.clone() };
        (Self { queue, stopping: Arc::default(), thread: Mutex::new(None), progress }, writer)
    }

    /// Starts the thread. It opens the index if it is closed, as often as need be, and begins with what it missed.
    pub fn start(store: Store, blocks: impl Blocks) -> Self {
        let (indexer, mut writer) = Self::new(store, blocks);
        let stop = indexer.stopping.clone();
        let run = move || {
            while !stop.load(Relaxed) {
                match block_on(writer.turn(Receiver::recv_timeout)) {
                    None => return,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        // Said once and then seldom: a server may be away for days.
                        match writer.progress.failed.swap(true, Relaxed) {
                            false => tracing::error!(%error, "the index cannot be written; trying again every second"),
                            true => tracing::debug!(%error, "the index still cannot be written"),
                        }
                        thread::sleep(RETRY);
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("index".into()).spawn(run).expect("a thread can be started");
        *indexer.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(thread);
        indexer
    }

    /// Hands over a finalised block. Never waits: what does not fit is read from the archive.
    pub fn push(&self, block: Arc<Block>) {
        let _ = self.queue.try_send(block);
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Indexer {
    /// Ends the thread after what it is writing.
    pub fn stop(&self) {
        self.stopping.store(true, Relaxed);
        let thread = self.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Writes blocks, those handed over and those missed.
pub struct Writer<B> {
    store: Store,
    /// Who holds which key; unknown while the store is closed.
    holders: Option<Holders>,
    blocks: B,
    incoming: Receiver<Arc<Block>>,
    height: watch::Sender<Height>,
    progress: Progress,
}

/// How the next block is taken from the queue; may wait for it.
type Next = fn(&Receiver<Arc<Block>>, Duration) -> Result<Arc<Block>, RecvTimeoutError>;

impl<B: Blocks> Writer<B> {
    /// Writes what waits at this moment or was missed; false when there is nothing.
    ///
    /// # Errors
    /// When it cannot be written; it is tried again with the next step.
    pub async fn step(&mut self) -> Result<bool, IndexError> {
        let next: Next = |incoming, _| {
            incoming.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        };
        self.turn(next).await.unwrap_or(Ok(false))
    }

    /// One batch, if there is any; `None` at the end.
    async fn turn(&mut self, next: Next) -> Option<Result<bool, IndexError>> {
        if let Err(error) = self.ready() {
            return Some(Err(error));
        }
        let batch = self.gather(next).await?;
        let written = match batch.is_empty() {
            true => Ok(false),
            false => self.write(&batch).map(|()| true),
        };
        if written.is_ok() {
            let (transactions, evidence) = self.store.totals();
            self.progress.totals[0].store(transactions, Relaxed);
            self.progress.totals[1].store(evidence, Relaxed);
            self.height.send_replace(self.store.height());
        }
        Some(written)
    }

    /// Opens the store if it is closed, and reads who holds which key whenever it was.
    fn ready(&mut self) -> Result<(), IndexError> {
        if self.store.reopen()? {
            self.holders = None;
        }
        if self.holders.is_none() {
            self.holders = Some(self.store.holders()?);
            self.height.send_replace(self.store.height());
        }
        Ok(())
    }

    fn write(&mut self, batch: &[Arc<Block>]) -> Result<(), IndexError> {
        let holders = self.holders.get_or_insert_default();
        let batch: Vec<_> = batch.iter().map(|block| rows(block, holders)).collect();
        self.store.write(&batch)?;
        self.progress.failed.store(false, Relaxed);
        Ok(())
    }

    /// The next blocks, from the queue or, where it left some out, from the archive; `None` at the end.
    async fn gather(&mut self, take: Next) -> Option<Vec<Arc<Block>>> {
        let height = self.store.height();
        let (mut batch, mut count, mut passed) = (Vec::new(), 0, 0);
        let mut next = height + 1;
        let began = Instant::now();
        while count < TRANSACTIONS {
            let gather = if batch.first().is_some_and(|first: &Arc<Block>| first.transactions.len() >= MUCH) {
                GATHER_MUCH
            } else {
                GATHER
            };
            let wait = if batch.is_empty() { IDLE } else { gather.saturating_sub(began.elapsed()) };
            let block = match take(&self.incoming, wait) {
                Ok(block) => block,
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if batch.is_empty() && self.blocks.tip().is_some_and(|tip| tip >= next) {
                        // Of a node that fetched its state the earlier blocks come later, in order; that nobody has them is the
                        // engine's to say, by handing over a later one.
                        catch_up(&self.blocks, &mut batch, &mut next, false).await;
                    }
                    break;
                }
            };
            let given = block.header.height;
            if given < next {
                // The engine may begin far behind the index, whose own next blocks are in the archive.
                passed += 1;
                if passed == PASSED_MAX {
                    catch_up(&self.blocks, &mut batch, &mut next, false).await;
                    break;
                }
                continue;
            }
            if given > next {
                // The rest of the gap comes with the next call; the queue's blocks are then passed over.
                let empty = height == 0 && batch.is_empty();
                catch_up(&self.blocks, &mut batch, &mut next, empty).await;
                break;
            }
            count += block.transactions.len();
            next += 1;
            batch.push(block);
        }
        Some(batch)
    }
}

async fn catch_up(blocks: &impl Blocks, batch: &mut Vec<Arc<Block>>, next: &mut Height, empty: bool) {
    if empty {
        let Some(first) = blocks.first().await else { return };
        if first > *next {
            tracing::warn!(first, "this node has no earlier blocks; its index begins here");
            *next = first;
        }
    }
    let mut count = batch.iter().map(|block| block.transactions.len()).sum::<usize>();
    while count < TRANSACTIONS && batch.len() < 4_096 {
        let Some(block) = blocks.block(*next).await else { return };
        count += block.transactions.len();
        *next += 1;
        batch.push(block);
    }
}
