//! The sign to stop, given once and seen by all.

use tokio::sync::watch;

/// Sees the sign to stop.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Gives the sign to stop. Dropping it gives the sign, too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// A sign and its giver.
pub fn shutdown() -> (Stopper, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Shutdown(receiver))
}

impl Stopper {
    /// Gives the sign.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Waits for the sign.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.clone();
        // An error is a dropped giver, which is the sign, too.
        let _ = receiver.wait_for(|stop| *stop).await;
    }
}
