//! How the network rules itself: the genesis document, the parameters, and motions on which the organisations vote.
//!
//! # Invariants
//! - **G1** Everything the network starts from is in the genesis document, and its SHA-256 names the network.
//! - **G2** One organisation, one vote, cast once by one of its representatives; an organisation does not vote on its own case.
//! - **G3** A motion is carried by more than two thirds of the organisations that may vote when the deciding ballot is cast;
//!   ballots of organisations that may no longer vote do not count.
//! - **G4** The deciding ballot executes the motion, wholly or not at all; nothing else changes parameters or admits, suspends,
//!   reinstates or recovers an organisation.
//! - **G5** A motion is decided once: executed, failed, rejected or withdrawn; after its period it is expired.
//! - **G6** A parameter is always within its bounds.
//! - **G7** A carried change of validators takes effect with the next epoch, whole; until then there is no other.
//! - **G8** No change of validators gives an organisation a third of them, or a greater share if it has a third already; an organisation's
//!   first validator is excepted, which is a third only in a network of fewer than four. Until protocol 2 only the greatest share was looked at, so
//!   that a second organisation could come to a third where one had it from the start.
//! - **G9** Protocols follow one another by number, each from a height that was voted an epoch's blocks before or more. What was in force
//!   once stays executable: a changed rule asks which protocol its block follows.

mod calls;
mod errors;
mod events;
mod genesis;
mod protocol;
mod queries;
mod rules;
mod seats;
mod state;
#[cfg(test)]
mod tests;
mod types;

use zhulian_execution::{CallEntry, EventEntry, Module, Text};

pub(crate) use state::PARAMETERS;
pub use {
    calls::{CastBallot, OpenMotion, WithdrawMotion},
    errors::Error,
    events::{
        BallotCast, MotionClosed, MotionOpened, ParameterChanged, ProtocolAnnulled, ProtocolScheduled, ValidatorsChanged,
    },
    genesis::{EPOCH_BLOCKS, Genesis, GenesisError, GenesisValidator},
    protocol::{ProtocolPlan, Upgrade, protocol_state_key, protocols},
    queries::{
        MotionView, motion, motion_state_key, motions, network, parameters, parameters_state_key, protocol_plan, seats,
        seats_in, seats_state_key,
    },
    seats::{Address, Concentration, Power, Seat, Seats, change},
    types::{Action, Ballot, Failure, Motion, MotionStatus, NetworkRecord, Parameter, Parameters},
};

/// The module.
pub static MODULE: Module = Module {
    name: "governance",
    about: Text {
        en: "Parameters, validators and protocols of the network, and motions on which its organisations vote.",
        zh: "网络参数、验证节点与协议版本，以及由各机构表决的动议。",
    },
    cddl: types::CDDL,
    calls: &[CallEntry::of::<OpenMotion>(), CallEntry::of::<CastBallot>(), CallEntry::of::<WithdrawMotion>()],
    refusals: Error::ALL,
    events: &[
        EventEntry::of::<MotionOpened>(),
        EventEntry::of::<BallotCast>(),
        EventEntry::of::<MotionClosed>(),
        EventEntry::of::<ParameterChanged>(),
        EventEntry::of::<ValidatorsChanged>(),
        EventEntry::of::<ProtocolScheduled>(),
        EventEntry::of::<ProtocolAnnulled>(),
    ],
    state: state::CATALOGUE,
};
