//! A value that is read and waited for.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

/// A value that is read and waited for. A tokio watch would do, but wakes its waiters in random order, and equal seeds of a simulation
/// must give equal lives.
pub(crate) struct Watched<T> {
    value: Mutex<T>,
    /// Wakes who waits, in the order in which they began to.
    moved: Notify,
}

impl<T> Watched<T> {
    pub fn new(value: T) -> Self {
        Self { value: Mutex::new(value), moved: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().expect("never panics while held")
    }

    /// Looks at it.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    /// Changes it and wakes who waits.
    pub fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock());
        self.moved.notify_waiters();
    }

    /// Waits until `look` finds something in it.
    pub async fn until<R>(&self, look: impl Fn(&T) -> Option<R>) -> R {
        loop {
            // Made before the question, so that what comes between is not missed.
            let moved = self.moved.notified();
            if let Some(found) = self.read(&look) {
                return found;
            }
            moved.await;
        }
    }
}
