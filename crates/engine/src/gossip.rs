//! The node's own messages between validators, and the heartbeats by which they see each other.

use std::{collections::BTreeMap, time::Duration};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use commonware_cryptography::ed25519::PublicKey;
use commonware_macros::select_loop;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Handle, Spawner};
use commonware_utils::channel::mpsc;
use std::sync::Arc;

use zhulian_primitives::{HANDOVERS_MAX, Handover, codec};

use crate::{chain::Chain, clock, keys, sets::Sets, status::Board};

/// A message of the node may have so many bytes.
pub const GOSSIP_BYTES_MAX: usize = 1 << 20;
/// Messages that wait for the node, and for the network.
pub(crate) const QUEUE: usize = 1_024;
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A node that starts wants to know soon whether the others are new as well.
const STARTING: Duration = Duration::from_millis(200);
/// In place of a height while a node opens its store.
const UNKNOWN: u64 = u64::MAX;

const STATUS: u8 = 0;
const MESSAGE: u8 = 1;
/// Asks for the handovers between validators.
const ASK_HANDOVERS: u8 = 2;
const HANDOVERS: u8 = 3;
/// A peer is answered that at most once in so many milliseconds.
const ANSWER_EVERY_MS: u64 = 900;

/// A message of another node: the sender's key and the bytes.
pub type Gossip = ([u8; 32], Bytes);

/// Messages of other nodes.
pub type GossipReceiver = mpsc::Receiver<Gossip>;

/// Starts the exchange. What the node does not take in time is dropped: gossip is best effort.
#[expect(clippy::too_many_arguments, reason = "the two ends of what it joins, and whom it asks")]
pub(crate) fn start<E: Spawner + Clock>(
    context: E,
    (mut sender, mut receiver): (impl Sender<PublicKey = PublicKey>, impl Receiver<PublicKey = PublicKey>),
    mut outgoing: mpsc::Receiver<Bytes>,
    incoming: mpsc::Sender<Gossip>,
    chain: Arc<Chain>,
    board: Board,
    sets: Sets,
    clock_skew_ms: i64,
) -> Handle<()> {
    context.spawn(move |context| async move {
        let mut beat = context.current();
        let mut answered: BTreeMap<[u8; 32], u64> = BTreeMap::new();
        select_loop! {
            context,
            on_stopped => {},
            _ = context.sleep_until(beat) => {
                beat = context.current() + if board.is_starting() { STARTING } else { HEARTBEAT };
                let height = chain.height().or(board.is_empty().then_some(0)).unwrap_or(UNKNOWN);
                let mut message = BytesMut::with_capacity(25);
                message.put_u8(STATUS);
                message.put_u64(height);
                message.put_u64(board.view());
                message.put_u64(clock::now(&context, clock_skew_ms));
                sender.send(Recipients::All, message.freeze(), false);
                if sets.is_learning() {
                    sender.send(Recipients::All, Bytes::from_static(&[ASK_HANDOVERS]), false);
                }
            },
            Some(bytes) = outgoing.recv() else break => {
                let mut message = BytesMut::with_capacity(1 + bytes.len());
                message.put_u8(MESSAGE);
                message.put_slice(&bytes);
                sender.send(Recipients::All, message.freeze(), false);
            },
            received = receiver.recv() => {
                let Ok((peer, message)) = received else { break };
                let now = clock::now(&context, clock_skew_ms);
                let key = peer;
                let peer = keys::raw(&key);
                let mut message: Bytes = message.into();
                match message.first() {
                    Some(&STATUS) if message.len() == 25 => {
                        message.advance(1);
                        let (height, view, time) = (message.get_u64(), message.get_u64(), message.get_u64());
                        board.heard(peer, now, (height != UNKNOWN).then_some(height), view, (time as i64).wrapping_sub(now as i64));
                    }
                    Some(&MESSAGE) => {
                        board.seen(peer, now);
                        let _ = incoming.try_send((peer, message.split_off(1)));
                    }
                    Some(&ASK_HANDOVERS) => {
                        let due = answered.get(&peer).is_none_or(|last| now.saturating_sub(*last) >= ANSWER_EVERY_MS);
                        // A node that learns itself has nothing to tell yet.
                        let answer = (due && !sets.is_learning()).then(|| codec::to_bytes(&sets.all_handovers()));
                        if let Some(answer) = answer.filter(|answer| answer.len() <= GOSSIP_BYTES_MAX) {
                            answered.insert(peer, now);
                            let mut message = BytesMut::with_capacity(1 + answer.len());
                            message.put_u8(HANDOVERS);
                            message.put_slice(&answer);
                            sender.send(Recipients::One(key), message.freeze(), false);
                        }
                    }
                    Some(&HANDOVERS) if sets.is_learning() => {
                        if let Ok(handovers) = codec::from_bytes::<Vec<Handover>>(&message[1..])
                            && handovers.len() <= HANDOVERS_MAX
                        {
                            sets.offer(peer, handovers);
                        }
                    }
                    _ => board.seen(peer, now),
                }
            },
        }
    })
}
