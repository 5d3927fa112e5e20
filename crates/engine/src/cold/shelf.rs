//! Reads old blocks from the archive, on a thread that may wait for a slow disk.

use std::path::PathBuf;

use commonware_runtime::{Handle, Spawner};
use commonware_utils::channel::{mpsc, oneshot};

use super::{Directory, Fault, Record};
use crate::archive::{Damage, place};

const QUEUE: usize = 64;

type Question = (u64, oneshot::Sender<Option<Record>>);

/// To ask for blocks of the archive.
#[derive(Clone)]
pub(crate) struct Shelf(mpsc::Sender<Question>);

impl Shelf {
    /// Starts reading from a directory, which need not be there yet.
    pub fn start<E: Spawner>(context: E, path: PathBuf, damage: Damage) -> (Self, Handle<()>) {
        let (sender, mut questions) = mpsc::channel::<Question>(QUEUE);
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
        (Self(sender), handle)
    }

    /// The block at a height, if a segment has it.
    pub async fn record(&self, height: u64) -> Option<Record> {
        let (reply, answer) = oneshot::channel();
        self.0.send((height, reply)).await.ok()?;
        answer.await.ok()?
    }
}

fn read(directory: &mut Option<Directory>, path: &PathBuf, height: u64) -> Result<Option<Record>, Fault> {
    let directory = match directory {
        Some(directory) => directory,
        None => directory.insert(Directory::open(path)?),
    };
    if directory.span_of(height).is_none() {
        directory.refresh()?;
    }
    directory.record(height)
}
