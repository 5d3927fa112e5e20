//! What a node hears: in another order than it was said, and from a liar not what its engine said.

use std::{collections::VecDeque, fmt, num::NonZeroUsize, time::Duration};

use commonware_cryptography::ed25519::PublicKey;
use commonware_macros::select;
use commonware_p2p::{Message, Receiver};
use commonware_runtime::{Clock as _, IoBuf, deterministic::Context};

use crate::random::Random;

/// Channels by which a node that is behind gets blocks, the state, where to begin, and old blocks.
const CATCHING_UP: [u64; 4] = [3, 5, 6, 8];
/// A message that is overtaken comes this much later at most.
const OVERTAKEN: Duration = Duration::from_millis(30);
/// Messages of the liar kept, to be said again.
const KEPT: usize = 16;

/// How one node hears on one channel.
pub struct Hearing {
    /// Messages overtaken by the next one, in percent.
    pub reordered: u64,
    /// Who falsifies what others need to catch up.
    pub liar: Option<PublicKey>,
    /// The channel.
    pub channel: u64,
}

/// A receiver with such a hearing.
pub struct Ear<R> {
    inner: R,
    context: Context,
    hearing: Hearing,
    random: Random,
    ready: VecDeque<Message<PublicKey>>,
    held: Option<Message<PublicKey>>,
    kept: VecDeque<IoBuf>,
}

impl<R> Ear<R> {
    /// The receiver as this node hears it.
    pub fn new(inner: R, context: Context, hearing: Hearing, random: Random) -> Self {
        Self { inner, context, hearing, random, ready: VecDeque::new(), held: None, kept: VecDeque::new() }
    }

    /// The message, unless its sender is the liar.
    fn heard(&mut self, (from, message): Message<PublicKey>) -> Message<PublicKey> {
        if self.hearing.liar.as_ref() != Some(&from) || !CATCHING_UP.contains(&self.hearing.channel) {
            return (from, message);
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(message.clone());
        let mut bytes = message.as_ref().to_vec();
        let at = self.random.below(bytes.len().max(1) as u64) as usize;
        let falsified = match self.random.below(6) {
            0 if !bytes.is_empty() => {
                bytes[at] ^= 1 << self.random.below(8);
                IoBuf::from(bytes)
            }
            1 => {
                bytes.truncate(at);
                IoBuf::from(bytes)
            }
            2 => self.kept[self.random.below(self.kept.len() as u64) as usize].clone(),
            3 if bytes.len() > 8 => {
                let len = bytes.len();
                bytes[len - 8..].copy_from_slice(&self.random.next().to_be_bytes());
                IoBuf::from(bytes)
            }
            _ => message,
        };
        (from, falsified)
    }
}

impl<R> fmt::Debug for Ear<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").field("channel", &self.hearing.channel).finish_non_exhaustive()
    }
}

impl<R: Receiver<PublicKey = PublicKey>> Receiver for Ear<R> {
    type Error = R::Error;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, Self::Error> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(message);
            }
            // Whoever waits here may stop waiting at any time, so what was heard is kept in `self`.
            if self.held.is_some() {
                let next = select! {
                    message = self.inner.recv() => Some(message?),
                    _ = self.context.sleep(OVERTAKEN) => None,
                };
                if let Some(next) = next {
                    let next = self.heard(next);
                    self.ready.push_back(next);
                }
                self.ready.extend(self.held.take());
                continue;
            }
            let message = self.inner.recv().await?;
            let message = self.heard(message);
            if !self.random.chance(self.hearing.reordered) {
                return Ok(message);
            }
            self.held = Some(message);
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.inner.capacity()
    }
}
