//! A stopped node's stores, read without running it.
//!
//! Opening a store repairs what an interrupted write left behind, and that writes. So this is for copies only, and the caller makes them.
//! What cannot be read is told as text, never passed over.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    num::NonZeroUsize,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use commonware_codec::{Decode as _, Encode as _};
use commonware_cryptography::Digestible as _;
use commonware_glue::stateful::db::{DatabaseSet, ManagedDb, Merkleized as _, Shared};
use commonware_parallel::Sequential;
use commonware_runtime::{Runner as _, Supervisor as _, buffer::paged::CacheRef, tokio as runtime};
use commonware_storage::archive::Identifier;
use commonware_utils::{NZU16, NZUsize};
use futures::{FutureExt as _, StreamExt as _, executor, pin_mut};
use zhulian_ledger::{Key, Value, Writes};
use zhulian_primitives::{Block, Certificate, Height, Network, Timestamp, VALIDATORS_MAX};

use crate::{
    Limits, Storage,
    application::genesis,
    archive::Opening,
    block::Sealed,
    certificate::{Finalization, certificate},
    cold::{Directory, Record, retention},
    hot::Hot,
    keys,
    state::{self, Databases, State, StateConfig},
    store::Logged,
};

/// What the names of a node's stores begin with.
const PREFIX: &str = "zhulian";
const HISTORY: &str = "zhulian-history";
/// Blocks between two writes of the repeated state to disk.
const FLUSH_EVERY: u64 = 256;
const PAGE_BYTES: u16 = 4_096 - 12;

type Context = Logged<runtime::Context>;
type Blocks = Hot<Context, Arc<Sealed>>;
type Certificates = Hot<Context, Finalization>;
type Live = State<Context, Sequential>;

/// Where a copy is, and what the network is by its genesis document.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The copy of the engine's directory; it is written to.
    pub directory: PathBuf,
    /// The network with the validators of epoch 0.
    pub network: Network,
    /// Time of the genesis block.
    pub genesis_time: Timestamp,
    /// The state at genesis.
    pub genesis_state: BTreeMap<Key, Value>,
    /// Bounds of a block.
    pub limits: Limits,
    /// The node's archive of old blocks; it is only read.
    pub cold: Option<PathBuf>,
}

/// What a state commits to, as a header states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Root of the state.
    pub state: [u8; 32],
    /// Root of its log.
    pub sync: [u8; 32],
    /// First operation of the log that must be kept.
    pub start: u64,
    /// One past the last operation.
    pub end: u64,
}

/// Whether a directory's store is in use by a running node. The operating system's lock tells, on a local disk.
pub fn in_use(directory: &Path) -> bool {
    let hold = std::fs::OpenOptions::new().read(true).open(directory.join(HOLD));
    hold.is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

const HOLD: &str = ".hold";

/// Carries what a copy's log of writes holds into the files it is for; then the copy is whole without the log.
///
/// # Errors
/// When the log is damaged, or a file cannot be written; the text says which.
pub fn settle(directory: &Path) -> Result<(), String> {
    let config = runtime::Config::new().with_storage_directory(directory.to_path_buf()).with_worker_threads(1);
    let run = move || {
        runtime::Runner::new(config).start(|context| async move {
            let opened = Logged::open(context, None, &format!("{PREFIX}-log"), Storage::default().log_bytes).await;
            opened.map(|_| ()).map_err(|error| format!("the log of writes cannot be read: {error}"))
        })
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap_or_else(|panic| Err(told(&*panic))))
}

/// The stores of a copy, opened.
pub struct Stores {
    context: Context,
    setup: Setup,
    pages: CacheRef,
    /// What the node was there for, and what it fetched of the time before.
    archives: Vec<(Blocks, Certificates)>,
    cold: Option<RefCell<Directory>>,
    live: Option<Live>,
    replay: Option<Databases<Context, Sequential>>,
}

/// Opens the archives of a copy and hands them to `work`. The states are opened when they are asked for.
///
/// # Errors
/// When an archive cannot be opened; the text is the library's.
pub fn open<R: Send>(setup: Setup, work: impl FnOnce(&mut Stores) -> R + Send) -> Result<R, String> {
    let config = runtime::Config::new()
        .with_storage_directory(setup.directory.clone())
        .with_worker_threads(2)
        .with_catch_panics(false);
    let run = move || {
        runtime::Runner::new(config).start(|context| async move {
            let log = format!("{PREFIX}-log");
            let log_bytes = Storage::default().log_bytes;
            let opened = Logged::open(context, Some(setup.directory.clone()), &log, log_bytes).await;
            let context = opened.map_err(|error| format!("the log of writes cannot be read: {error}"))?;
            let pages = CacheRef::new(NZU16!(PAGE_BYTES), NZUsize!(4_096));
            let mut archives = Vec::new();
            for (prefix, number) in [(PREFIX, retention::OWN), (HISTORY, retention::HISTORY)] {
                archives.push(open_archives(&context, (prefix, number), &pages, &setup).await?);
            }
            let cold = setup.cold.as_deref().map(|path| Directory::open(path).map(RefCell::new));
            let cold = cold.transpose().map_err(|error| format!("the archive of old blocks cannot be read: {error}"))?;
            let mut stores = Stores { context, setup, pages, archives, cold, live: None, replay: None };
            Ok(work(&mut stores))
        })
    };
    // A thread of its own: the library panics at some damages, and its runtime must not be started within another.
    std::thread::scope(|scope| scope.spawn(run).join().unwrap_or_else(|panic| Err(told(&*panic))))
}

async fn open_archives(
    context: &Context,
    (prefix, number): (&str, u64),
    page_cache: &CacheRef,
    setup: &Setup,
) -> Result<(Blocks, Certificates), String> {
    let open = async {
        let retained = retention::Store::open(context, PREFIX, None).await;
        // A store that was never opened with a retention has all for good.
        let (begin, floor) = (retained.begin(number).unwrap_or(u64::MAX), retained.retention().floor());
        let opening = Opening { page_cache, storage: Storage::default(), limits: setup.limits };
        let child = |label| context.child(label).with_attribute("archive", prefix);
        let config = opening.config(prefix, "blocks", setup.limits);
        let blocks = Hot::open(child("blocks"), &config, begin, floor).await;
        let blocks = blocks.map_err(|error| format!("{prefix}-blocks: {error}"))?;
        let config = opening.config(prefix, "certificates", VALIDATORS_MAX);
        let certificates = Hot::open(child("certificates"), &config, begin, floor).await;
        Ok((blocks, certificates.map_err(|error| format!("{prefix}-certificates: {error}"))?))
    };
    caught(open).await
}

/// Waits for a future within the runtime's first task. That task never gives way while `work` runs, so a share of time that the runtime
/// allots to it would never be renewed, and the future wait for ever.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    executor::block_on(tokio::task::unconstrained(future))
}

/// What a future gives, a panic turned into text.
async fn caught<T>(future: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    AssertUnwindSafe(future).catch_unwind().await.unwrap_or_else(|panic| Err(told(&*panic)))
}

fn told(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the store's library panicked").into()
}

impl Stores {
    /// The last height at which there is a block; 0 without any.
    pub fn last(&self) -> Height {
        let cold = self.cold.as_ref().and_then(|cold| cold.borrow().last());
        self.archives.iter().filter_map(|(blocks, _)| blocks.last_index()).chain(cold).max().unwrap_or(0)
    }

    /// The last height at which there is a certificate; 0 without any.
    pub fn last_certified(&self) -> Height {
        self.archives.iter().filter_map(|(_, certificates)| certificates.last_index()).max().unwrap_or(0)
    }

    fn old(&self, height: Height) -> Result<Option<Record>, String> {
        self.cold.as_ref().map_or(Ok(None), |cold| cold.borrow_mut().record(height).map_err(shown))
    }

    /// The block at a height, by each archive that has one; all must be the same. `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, cannot be found by its digest, or the two archives differ.
    pub fn block(&self, height: Height) -> Result<Option<Arc<Block>>, String> {
        let mut found: Option<Arc<Sealed>> = None;
        for (blocks, _) in &self.archives {
            let read = block_on(caught(async {
                let Some(block) = blocks.get(Identifier::Index(height)).await.map_err(shown)? else { return Ok(None) };
                let digest = block.digest();
                match blocks.get(Identifier::Key(&digest)).await.map_err(shown)? {
                    Some(same) if same == block => Ok(Some(block)),
                    Some(_) => Err(format!("another block is found under the digest {digest}")),
                    None => Err(format!("it is not found under its digest {digest}")),
                }
            }))?;
            match (&found, read) {
                (Some(first), Some(second)) if *first != second => return Err("two archives hold different blocks".into()),
                (None, Some(block)) => found = Some(block),
                _ => {}
            }
        }
        let found = found.map(|sealed| sealed.block().clone());
        match (found, self.old(height)?.map(|record| record.block)) {
            (Some(own), Some(old)) if own != old => Err("the archive of old blocks holds another block".into()),
            (own, old) => Ok(own.or(old)),
        }
    }

    /// The certificate at a height, if the block was certified itself.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn certificate(&self, height: Height) -> Result<Option<Certificate>, String> {
        for (_, certificates) in &self.archives {
            let read = caught(async { certificates.get(Identifier::Index(height)).await.map_err(shown) });
            if let Some(finalization) = block_on(read)? {
                return Ok(Some(certificate(&finalization)));
            }
        }
        Ok(self.old(height)?.and_then(|record| record.certificate))
    }

    /// The block before the first one.
    ///
    /// # Errors
    /// When the first validator's key is none.
    pub fn genesis(&self) -> Result<Arc<Block>, String> {
        let Setup { network, genesis_time, genesis_state, .. } = &self.setup;
        let first =
            network.validators.first().and_then(|it| keys::public(&it.public_key)).ok_or("the network has no validators")?;
        let target = <Databases<Context, Sequential> as DatabaseSet<Context>>::initial_sync_targets();
        let validators = network.validators_digest();
        Ok(genesis(network.chain, *genesis_time, first, validators, genesis_state, &target).block().clone())
    }

    /// Writes a block's outcome to a state of its own, which begins empty, and tells what that commits to. Heights come one by one
    /// from 1.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn repeat(&mut self, height: Height, writes: Writes) -> Result<Roots, String> {
        let run = async {
            if self.replay.is_none() {
                let config = self.state_config("repeated").await;
                let db = <Live as ManagedDb<Context>>::init(self.context.child("repeated"), config, None).await;
                self.replay = Some(Shared::new("audit", db.map_err(|error| format!("{error:?}"))?));
            }
            let state = self.replay.clone().ok_or("no state")?;
            let batch = DatabaseSet::<Context>::new_batches(&state).await;
            let genesis = (height == 1).then_some(&self.setup.genesis_state);
            let merkleized = state::write(batch, genesis, writes).await.map_err(shown)?;
            let roots = Roots {
                state: merkleized.root().0,
                sync: merkleized.ops_root().0,
                start: *merkleized.sync_boundary(),
                end: *merkleized.bounds().tip.size,
            };
            DatabaseSet::<Context>::apply(&state, merkleized).await;
            if height.is_multiple_of(FLUSH_EVERY) {
                DatabaseSet::<Context>::finalize(&state).await.durable().await;
            }
            Ok(roots)
        };
        block_on(caught(run))
    }

    async fn state_config(&self, prefix: &str) -> StateConfig<Sequential> {
        let (value_bytes_max, items) = (self.setup.limits.value_bytes_max, Storage::default().state_file_operations);
        state::config(&self.context, prefix, value_bytes_max, items, self.pages.clone(), NonZeroUsize::MIN, Sequential).await
    }

    async fn live(&mut self) -> Result<&Live, String> {
        if self.live.is_none() {
            let config = self.state_config(PREFIX).await;
            let db = <Live as ManagedDb<Context>>::init(self.context.child("live"), config, None).await;
            self.live = Some(db.map_err(|error| format!("{error:?}"))?);
        }
        self.live.as_ref().ok_or_else(|| "no state".into())
    }

    /// Root and end of the node's own state.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn state(&mut self) -> Result<([u8; 32], u64), String> {
        block_on(caught(async {
            let live = self.live().await?;
            Ok((live.root().0, *live.bounds().end))
        }))
    }

    /// Every entry of the node's own state in order of keys, with whether the proof of it against its root holds.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn entries(&mut self, mut each: impl FnMut(Key, Value, bool)) -> Result<(), String> {
        block_on(caught(async {
            let live = self.live().await?;
            let root = live.root().0;
            let entries = live.stream_range(..);
            pin_mut!(entries);
            while let Some(entry) = entries.next().await {
                let (key, value) = entry.map_err(shown)?;
                let (_, proof) = state::prove(live, &key.0).await.map_err(shown)?;
                let proven = state::verify_state_proof(&root, &key.0, Some(&value), &proof);
                each(key.0, value.to_vec(), proven);
            }
            Ok(())
        }))
    }
}

/// Puts in place of a copy's state one that blocks with these writes give, from 1 on, to rehearse what an audit must find.
///
/// # Errors
/// When the disk does not take it.
pub fn falsify_state(setup: &Setup, writes: &[Writes]) -> Result<(), String> {
    open(setup.clone(), |stores| {
        for (height, writes) in (1..).zip(writes) {
            stores.repeat(height, writes.clone())?;
        }
        let state = stores.replay.clone().ok_or("no blocks")?;
        block_on(async { DatabaseSet::<Context>::finalize(&state).await.durable().await });
        Ok::<_, String>(())
    })??;
    put_in_place(&setup.directory, "repeated-").map_err(shown)
}

/// What a forger does with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgedCertificate {
    /// Leaves it.
    Keep,
    /// Removes it.
    Drop,
    /// Changes one bit of its last signature.
    Flip,
    /// Puts another height's in its place.
    Of(Height),
}

/// Writes the archive of a copy anew as `forge` wants it, to rehearse what an audit must find; `None` leaves a block out. A block is
/// stored under its height and digest, and checksums are right, as a forger with the node's own program would make them.
///
/// # Errors
/// When the copy cannot be read or written.
pub fn falsify_archive(
    setup: &Setup,
    mut forge: impl FnMut(Block) -> Option<(Block, ForgedCertificate)> + Send,
) -> Result<(), String> {
    let directory = setup.directory.clone();
    open(setup.clone(), move |stores| {
        block_on(caught(async {
            let (mut blocks, mut certificates) =
                open_archives(&stores.context, ("forged", retention::OWN), &stores.pages, &stores.setup).await?;
            let (from, signed) = &stores.archives[0];
            for height in 1..=from.last_index().unwrap_or(0) {
                let Some(block) = from.get(Identifier::Index(height)).await.map_err(shown)? else { continue };
                let Some((block, what)) = forge(Block::clone(block.block())) else { continue };
                let proposer = keys::public(&block.header.proposer).ok_or("the proposer is no key")?;
                let sealed = Sealed::new(Arc::new(block), proposer);
                let digest = sealed.digest();
                blocks = blocks.put(height, digest, &Arc::new(sealed)).await.map_err(shown)?;
                let source = if let ForgedCertificate::Of(other) = what { other } else { height };
                let finalization = signed.get(Identifier::Index(source)).await.map_err(shown)?;
                let finalization = match (what, finalization) {
                    (ForgedCertificate::Flip, Some(whole)) => {
                        let mut bytes = whole.encode().to_vec();
                        // The first half of a signature is a point, of which any bytes may be given.
                        if let Some(byte) = bytes.iter_mut().rev().nth(40) {
                            *byte ^= 1;
                        }
                        Some(Finalization::decode_cfg(Bytes::from(bytes), &VALIDATORS_MAX).map_err(shown)?)
                    }
                    (ForgedCertificate::Drop, _) => None,
                    (_, found) => found,
                };
                if let Some(finalization) = finalization {
                    certificates = certificates.put(height, digest, &finalization).await.map_err(shown)?;
                }
            }
            blocks.sync().await.map_err(shown)?;
            certificates.sync().await.map_err(shown)?;
            Ok(())
        }))
    })??;
    put_in_place(&directory, "forged-").map_err(shown)
}

/// Names stores as the node's own, once the files hold all of them.
fn put_in_place(directory: &Path, prefix: &str) -> std::io::Result<()> {
    settle(directory).map_err(std::io::Error::other)?;
    std::fs::remove_dir_all(directory.join(format!("{PREFIX}-log")))?;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(part) = name.to_str().and_then(|name| name.strip_prefix(prefix)) else { continue };
        let own = directory.join(format!("{PREFIX}-{part}"));
        if own.exists() {
            std::fs::remove_dir_all(&own)?;
        }
        std::fs::rename(entry.path(), own)?;
    }
    Ok(())
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}
