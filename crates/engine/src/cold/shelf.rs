//! Reads old blocks from the archive, on a thread that may wait for a slow disk.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use commonware_macros::select;
use commonware_runtime::{Clock, Handle, Spawner};
use commonware_utils::channel::{mpsc, oneshot};

use super::{Directory, Fault, Record};
use crate::archive::{Damage, place};

const QUEUE: usize = 64;
/// A disk that does not answer for so long counts as not there, so that nobody waits for it for ever.
const PATIENCE: Duration = Duration::from_secs(5);

type Question = (u64, oneshot::Sender<Option<Record>>);

/// To ask for blocks of the archive.
pub(crate) struct Shelf<E> {
    questions: mpsc::Sender<Question>,
    clock: Arc<E>,
}

impl<E> Clone for Shelf<E> {
    fn clone(&self) -> Self {
        Self { questions: self.questions.clone(), clock: self.clock.clone() }
    }
}

impl<E: Spawner + Clock> Shelf<E> {
    /// Starts reading from a directory, which need not be there yet.
    pub fn start(context: E, path: PathBuf, damage: Damage) -> (Self, Handle<()>) {
        let (sender, mut questions) = mpsc::channel::<Question>(QUEUE);
        let clock = Arc::new(context.child("clock"));
        let handle = context.dedicated().spawn(move |_| async move {
            let mut directory = None;
            while let Some((height, reply)) = questions.recv().await {
                let record = read(&mut directory, &path, height).unwrap_or_else(|fault| {
                    if matches!(fault, Fault::Io(_)) {
                        tracing::warn!(height, %fault, directory = %path.display(), "the archive cannot be read");
                    } else {
                        damage.note(place("block", height), &fault);
                    }
                    // It may have been put right when it is asked next.
                    directory = None;
                    None
                });
                let _ = reply.send(record);
            }
        });
        (Self { questions: sender, clock }, handle)
    }
}

impl<E: Clock> Shelf<E> {
    /// The block at a height, if a segment has it.
    pub async fn record(&self, height: u64) -> Option<Record> {
        let asked = async {
            let (reply, answer) = oneshot::channel();
            self.questions.send((height, reply)).await.ok()?;
            answer.await.ok()?
        };
        select! {
            record = asked => record,
            _ = self.clock.sleep(PATIENCE) => None,
        }
    }
}

fn read(directory: &mut Option<Directory>, path: &Path, height: u64) -> Result<Option<Record>, Fault> {
    let directory = match directory {
        Some(directory) => directory,
        None => directory.insert(Directory::open(path)?),
    };
    if directory.span_of(height).is_none() {
        directory.refresh()?;
    }
    directory.record(height)
}
