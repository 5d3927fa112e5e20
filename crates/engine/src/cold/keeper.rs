//! Moves old blocks to the archive: writes segments, reads each back and proves it, and only then lets the node's own store drop its blocks.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use commonware_runtime::{Clock, Handle, Spawner};
use commonware_storage::Context;
use zhulian_primitives::{Header, Network};

use super::{
    Directory, Fault, Span,
    retention::{self, Retention},
    segment::Writer,
};
use crate::{Cold, certificate::certificate, reader::Reader, sets::Sets, wiring};

const RETRY: Duration = Duration::from_secs(10);
const PART: &str = ".part";

/// What the archiver needs.
pub(crate) struct Keeper<E: Context> {
    pub config: Cold,
    pub epoch_blocks: u64,
    /// The network at genesis, against which segments are proven.
    pub genesis: Network,
    pub sets: Sets,
    pub reader: Reader<E>,
    pub store: retention::Store<E>,
}

/// A segment that is being written.
struct Draft {
    writer: Writer<BufWriter<File>>,
    path: PathBuf,
    first: u64,
}

/// What a step of the archiver came to.
enum Step {
    /// There may be more to do.
    Done,
    /// There is nothing to do before the next block.
    Rest,
    /// This block is not here yet: others have to send it.
    Lacks(u64),
}

/// The archive's directory, with the lock that keeps other nodes from writing to it.
struct Held {
    directory: Directory,
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("segment {}: {}", .0.file_name(), .1)]
    Segment(Span, Fault),
    #[error("the segments before block {0} are not there: mount the archive, or put back at least its newest segment")]
    Missing(u64),
    #[error("segment {} is of another chain than this node's", .0.file_name())]
    OtherChain(Span),
}

/// Starts the archiver.
pub(crate) fn start<E: Context + Spawner + Clock>(context: E, keeper: Keeper<E>) -> Handle<()> {
    context.dedicated().spawn(move |context| run(context, keeper))
}

async fn run<E: Context + Spawner + Clock>(context: E, mut keeper: Keeper<E>) {
    let (mut held, mut draft) = (None, None);
    let mut told: Option<String> = None;
    let chain = keeper.reader.chain.clone();
    chain.reached(0).await;
    // A stop may have come after blocks were let go and before they were dropped.
    keeper.drop_blocks().await;
    loop {
        let step = keeper.step(&context, &mut held, &mut draft).await;
        let problem = match &step {
            Ok(Step::Lacks(height)) => Some(format!("block {height} is not here yet; it has to come from the others")),
            Ok(_) => None,
            Err(problem) => Some(problem.to_string()),
        };
        if let Some(problem) = problem.as_ref().filter(|_| step.is_err() && told != problem) {
            let directory = keeper.config.directory.display();
            tracing::warn!(%problem, %directory, "old blocks cannot be archived; this node keeps them until that is put right");
        }
        keeper.retention().set_problem(problem.clone());
        told = problem;
        match step {
            Ok(Step::Done) => {}
            Ok(Step::Rest | Step::Lacks(_)) => {
                let next = chain.height().unwrap_or(0) + 1;
                chain.reached(next).await;
            }
            Err(_) => {
                (held, draft) = (None, None);
                context.sleep(RETRY).await;
            }
        }
    }
}

impl<E: Context + Spawner + Clock> Keeper<E> {
    fn retention(&self) -> Retention {
        self.store.retention()
    }

    /// The lowest height that must stay: the newest blocks, and the one before the epoch, with which a restart begins.
    fn kept_from(&self, height: u64) -> u64 {
        let newest = (height + 1).saturating_sub(self.config.retention_blocks);
        let epoch = height / self.epoch_blocks;
        if epoch == 0 { newest } else { newest.min(epoch * self.epoch_blocks - 1) }
    }

    /// Does the next thing.
    async fn step(&mut self, context: &E, held: &mut Option<Held>, draft: &mut Option<Draft>) -> Result<Step, Problem> {
        let kept = self.kept_from(self.reader.chain.height().unwrap_or(0));
        let floor = self.retention().floor();
        let Held { directory, .. } = match held {
            Some(held) => held,
            None => held.insert(open(&self.config.directory, floor)?),
        };
        if let Some(span) = directory.span_of(floor) {
            *draft = None;
            if span.last >= kept {
                return Ok(Step::Rest);
            }
            return self.let_go(context, directory, span).await;
        }
        if directory.last().map_or(1, |last| last + 1) != floor {
            return Err(Problem::Missing(floor));
        }
        let next = draft.as_ref().map_or(floor, |draft| draft.writer.last() + 1);
        if next >= kept {
            return Ok(Step::Rest);
        }
        let Some(block) = self.reader.block(next).await else { return Ok(Step::Lacks(next)) };
        let finalization = self.reader.certificate(next).await;
        let draft_now = match draft {
            Some(draft) => draft,
            None => draft.insert(begin(directory.path(), &block.header)?),
        };
        draft_now.writer.push(&block, finalization.as_ref().map(certificate).as_ref())?;
        let full =
            draft_now.writer.blocks() >= self.config.segment_blocks || draft_now.writer.bytes() >= self.config.segment_bytes;
        if full
            && draft_now.writer.may_end()
            && let Some(draft) = draft.take()
        {
            context.sleep(self.config.pause).await;
            self.place(context, directory, draft, block.header.epoch).await?;
        }
        Ok(Step::Done)
    }

    /// Completes a segment and puts it in its place, where from then on it does not change.
    async fn place(&mut self, context: &E, directory: &mut Directory, draft: Draft, epoch: u64) -> Result<(), Problem> {
        let span = Span { first: draft.first, last: draft.writer.last() };
        let mut file = draft.writer.finish(self.sets.handovers(epoch))?;
        file.flush()?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        drop(file);
        context.sleep(self.config.pause).await;
        fs::rename(&draft.path, directory.path().join(span.file_name()))?;
        context.sleep(self.config.pause).await;
        directory.refresh()?;
        tracing::info!(first = span.first, last = span.last, "old blocks are written to the archive");
        Ok(())
    }

    /// Reads a segment back, proves it, and lets the node's own store drop its blocks.
    async fn let_go(&mut self, context: &E, directory: &mut Directory, span: Span) -> Result<Step, Problem> {
        // A node that was restored beside its archive has yet to fetch these blocks from the others.
        let Some(own) = self.reader.block(span.last).await else { return Ok(Step::Lacks(span.last)) };
        directory.close();
        let checked = directory.segment(span).and_then(|segment| segment.check(&self.genesis));
        let checked = checked.map_err(|fault| Problem::Segment(span, fault))?;
        if own.header.digest() != checked.digest {
            return Err(Problem::OtherChain(span));
        }
        // The file and its name are on the disk before the blocks go, whoever put it there.
        File::open(directory.path().join(span.file_name()))?.sync_all()?;
        File::open(directory.path())?.sync_all()?;
        context.sleep(self.config.pause).await;
        self.store.raise(span.last + 1).await;
        context.sleep(self.config.pause).await;
        self.drop_blocks().await;
        Ok(Step::Done)
    }

    async fn drop_blocks(&mut self) {
        let floor = self.retention().floor();
        if floor > 1 {
            self.reader.marshal.prune(wiring::height(floor));
            self.reader.history.prune(floor).await;
        }
    }
}

/// Opens the archive for writing. One that this node has written to before is not made anew: it may only not be mounted.
fn open(path: &Path, floor: u64) -> Result<Held, Problem> {
    if floor == 1 {
        fs::create_dir_all(path)?;
    }
    let directory = Directory::open(path)?;
    let lock = directory.hold()?;
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.to_str().is_some_and(|path| path.ends_with(PART)) {
            fs::remove_file(path)?;
        }
    }
    Ok(Held { directory, _lock: lock })
}

fn begin(directory: &Path, first: &Header) -> io::Result<Draft> {
    let path = directory.join(format!("{:012}{PART}", first.height));
    let writer = Writer::new(BufWriter::with_capacity(1 << 20, File::create(&path)?), first)?;
    Ok(Draft { writer, path, first: first.height })
}
