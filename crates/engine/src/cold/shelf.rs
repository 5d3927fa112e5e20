//! Reads old blocks from the archive, on a thread that may wait for a slow disk.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
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

/// What those who ask know of the thread that reads.
#[derive(Default)]
struct Progress {
    /// Questions that it is done with.
    done: u64,
    /// It was done with none for as long as somebody waited: a network disk may hang for hours. Nobody waits until it is done with one.
    silent: bool,
}

impl Progress {
    fn answered(&mut self) {
        self.done += 1;
        self.silent = false;
    }

    /// Somebody has waited in vain, since it was done with so many.
    fn missed(&mut self, done: u64) {
        if self.done == done && !self.silent {
            self.silent = true;
            tracing::warn!("the archive does not answer; until it does, nobody waits for its blocks");
        }
    }
}

/// To ask for blocks of the archive.
pub(crate) struct Shelf<E> {
    questions: mpsc::Sender<Question>,
    clock: Arc<E>,
    progress: Arc<Mutex<Progress>>,
}

impl<E> Clone for Shelf<E> {
    fn clone(&self) -> Self {
        Self { questions: self.questions.clone(), clock: self.clock.clone(), progress: self.progress.clone() }
    }
}

impl<E> Shelf<E> {
    fn new(clock: Arc<E>) -> (Self, mpsc::Receiver<Question>) {
        let (questions, asked) = mpsc::channel(QUEUE);
        (Self { questions, clock, progress: Arc::default() }, asked)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().expect("never panics while held")
    }

    /// Whether the archive has not answered for so long that it is not waited for.
    pub fn is_silent(&self) -> bool {
        self.progress().silent
    }
}

impl<E: Spawner + Clock> Shelf<E> {
    /// Starts reading from a directory, which need not be there yet.
    pub fn start(context: E, path: PathBuf, damage: Damage) -> (Self, Handle<()>) {
        let (shelf, mut questions) = Self::new(Arc::new(context.child("clock")));
        let progress = shelf.progress.clone();
        let handle = context.dedicated().spawn(move |_| async move {
            let mut directory = None;
            while let Some((height, reply)) = questions.recv().await {
                let answered = || progress.lock().expect("never panics while held").answered();
                if reply.is_closed() {
                    answered();
                    continue;
                }
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
                // Before whoever asked goes on, perhaps to ask again.
                answered();
                let _ = reply.send(record);
            }
        });
        (shelf, handle)
    }
}

impl<E: Clock> Shelf<E> {
    /// The block at a height, if a segment has it; `None` at once while the archive does not answer.
    pub async fn record(&self, height: u64) -> Option<Record> {
        let done = {
            let progress = self.progress();
            (!progress.silent).then_some(progress.done)?
        };
        let asked = async {
            let (reply, answer) = oneshot::channel();
            self.questions.send((height, reply)).await.ok()?;
            answer.await.ok()?
        };
        select! {
            record = asked => record,
            _ = self.clock.sleep(PATIENCE) => {
                self.progress().missed(done);
                None
            },
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

#[cfg(test)]
mod tests {
    use commonware_runtime::{Runner as _, deterministic};

    use super::*;

    #[test]
    fn an_archive_that_does_not_answer_is_waited_for_once() {
        deterministic::Runner::default().start(|context| async move {
            let context = Arc::new(context);
            let (shelf, mut questions) = Shelf::new(context.clone());
            let begun = context.current();
            let since = || context.current().duration_since(begun).unwrap();
            assert!(shelf.record(1).await.is_none());
            let waited = since();
            assert!(waited >= PATIENCE && shelf.is_silent());
            for height in 2..100 {
                assert!(shelf.record(height).await.is_none());
            }
            assert!(since() < waited + PATIENCE / 2);

            // The thread comes back from the disk, finds nobody who waits for this one, and answers the next.
            let (height, reply) = questions.recv().await.unwrap();
            assert!(height == 1 && reply.is_closed());
            shelf.progress().answered();
            let answer = async {
                let (height, reply) = questions.recv().await.unwrap();
                shelf.progress().answered();
                assert!(reply.send(None).is_ok());
                height
            };
            let (record, height) = futures::join!(shelf.record(100), answer);
            assert!(record.is_none() && height == 100);
            assert!(since() < waited + PATIENCE / 2 && !shelf.is_silent());
        });
    }

    #[test]
    fn an_archive_with_much_to_do_is_not_taken_for_silent() {
        deterministic::Runner::default().start(|context| async move {
            let context = Arc::new(context);
            let (shelf, mut questions) = Shelf::new(context.clone());
            // One is answered while the other waits in vain.
            let answer = async {
                context.sleep(PATIENCE / 2).await;
                let (_, reply) = questions.recv().await.unwrap();
                shelf.progress().answered();
                assert!(reply.send(None).is_ok());
            };
            futures::join!(shelf.record(1), shelf.record(2), answer);
            assert!(!shelf.is_silent());
        });
    }
}
