//! Reads for the gateway and for auditors.

use zhulian_ledger::Key;
use zhulian_primitives::{Height, codec};

use super::{
    protocol::ProtocolPlan,
    seats::{Seat, Seats},
    state,
    types::{Motion, MotionStatus, NetworkRecord, Parameters},
};
use crate::source::{Source, load};

/// A motion with its number, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MotionView {
    /// Its number.
    pub number: u32,
    /// Its record.
    pub motion: Motion,
    /// How it stands at the height that was asked for.
    pub standing: MotionStatus,
}

/// What the state says of the network itself.
pub fn network(source: &impl Source) -> Option<NetworkRecord> {
    load(source, &state::NETWORK, &())
}

/// The parameters in force.
pub fn parameters(source: &impl Source) -> Parameters {
    load(source, &state::PARAMETERS, &()).unwrap_or_default()
}

/// Which protocol is in force, and which is to come.
pub fn protocol_plan(source: &impl Source) -> ProtocolPlan {
    load(source, &state::PROTOCOL, &()).unwrap_or_default()
}

/// The validators that the state names last.
pub fn seats(source: &impl Source) -> Option<Seats> {
    load(source, &state::SEATS, &())
}

/// The validators that a value under [`seats_state_key`] names last; `None` if it is no such value.
pub fn seats_in(value: &[u8]) -> Option<Vec<Seat>> {
    codec::from_bytes::<Seats>(value).ok().map(|found| found.seats)
}

/// State key of the validators.
pub fn seats_state_key() -> Key {
    state::SEATS.key(&())
}

/// A motion, as it stands at `height`.
pub fn motion(source: &impl Source, number: u32, height: Height) -> Option<MotionView> {
    let motion = load(source, &state::MOTION, &number)?;
    let standing = motion.standing(height);
    Some(MotionView { number, motion, standing })
}

/// Motions with a number below `before`, newest first, as they stand at `height`.
pub fn motions(source: &impl Source, before: Option<u32>, limit: usize, height: Height) -> Vec<MotionView> {
    let count = load(source, &state::MOTIONS, &()).unwrap_or(0);
    let numbers = (0..before.map_or(count, |before| before.min(count))).rev();
    numbers.take(limit).filter_map(|number| motion(source, number, height)).collect()
}

/// State key of a motion's record, for a proof.
pub fn motion_state_key(number: u32) -> Key {
    state::MOTION.key(&number)
}

/// State key of the parameters, for a proof.
pub fn parameters_state_key() -> Key {
    state::PARAMETERS.key(&())
}
