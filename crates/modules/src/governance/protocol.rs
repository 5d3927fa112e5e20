//! Which protocol is in force, and from which height on the next one is (G9).

use minicbor::{Decode, Encode};
use zhulian_execution::Protocols;
use zhulian_primitives::{Height, PROTOCOL_FIRST, Protocol, codec};

use super::{errors::Error, state};

/// Blocks from the vote to the first block of a protocol, at most. The fewest are those of an epoch.
const NOTICE_MAX: u64 = 10_000_000;

/// A protocol that begins at a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Upgrade {
    /// The protocol.
    #[n(0)]
    pub protocol: Protocol,
    /// The first height that follows it.
    #[n(1)]
    pub height: Height,
}

/// What was voted about protocols. Nothing is written when a height is reached: the record tells for every height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProtocolPlan {
    /// The protocol before [`next`](Self::next).
    #[n(0)]
    pub protocol: Protocol,
    /// The one that follows, if one was voted.
    #[n(1)]
    pub next: Option<Upgrade>,
}

impl Default for ProtocolPlan {
    fn default() -> Self {
        Self::of(PROTOCOL_FIRST)
    }
}

impl ProtocolPlan {
    /// This protocol, and no other voted.
    pub fn of(protocol: Protocol) -> Self {
        Self { protocol, next: None }
    }

    /// The protocol of a block at this height.
    pub fn at(&self, height: Height) -> Protocol {
        self.next.filter(|next| next.height <= height).map_or(self.protocol, |next| next.protocol)
    }

    /// The protocol that is to come after this height.
    pub fn after(&self, height: Height) -> Option<Upgrade> {
        self.next.filter(|next| next.height > height)
    }

    /// What a vote for a protocol leads to that is cast at height `now`. One follows another, and an epoch's blocks of
    /// notice let every operator install a build that knows it.
    pub(super) fn schedule(self, upgrade: Upgrade, now: Height, epoch_blocks: u64) -> Result<Self, Error> {
        if self.after(now).is_some() {
            return Err(Error::ProtocolPending);
        }
        let protocol = self.at(now);
        if protocol.checked_add(1) != Some(upgrade.protocol) {
            return Err(Error::ProtocolNotNext);
        }
        if !(now + epoch_blocks..=now + NOTICE_MAX).contains(&upgrade.height) {
            return Err(Error::ProtocolHeight);
        }
        Ok(Self { protocol, next: Some(upgrade) })
    }

    /// What a vote against a protocol to come leads to that is cast at height `now`.
    pub(super) fn annul(self, protocol: Protocol, now: Height) -> Result<Self, Error> {
        match self.after(now) {
            Some(next) if next.protocol == protocol => Ok(Self::of(self.protocol)),
            _ => Err(Error::ProtocolNotPending),
        }
    }
}

/// How an execution that knows the protocols up to `newest` learns which one a block follows.
pub fn protocols(newest: Protocol) -> Protocols {
    let at = |value: Option<&[u8]>, height| value.map_or_else(ProtocolPlan::default, plan).at(height);
    Protocols { key: protocol_state_key, at, newest }
}

fn plan(value: &[u8]) -> ProtocolPlan {
    codec::from_bytes(value).expect("an entry of governance/protocol decodes")
}

/// State key of what was voted about protocols.
pub fn protocol_state_key() -> zhulian_ledger::Key {
    state::PROTOCOL.key(&())
}
