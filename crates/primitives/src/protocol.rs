//! Protocols: the numbered sets of rules by which blocks are executed.

use std::ops::RangeInclusive;

/// The number of a protocol. A block's header states by which it was executed, the state from which height on the next one is in
/// force.
pub type Protocol = u16;

/// The first protocol. Block 0, in which nothing is executed, states it in every network.
pub const PROTOCOL_FIRST: Protocol = 1;

/// The newest protocol that this build executes and verifies. It does so with all before it, too: what was once in force stays
/// executable. `docs/operations.md` says how the protocols differ.
pub const PROTOCOL_NEWEST: Protocol = 3;

/// The protocols that this build executes and verifies.
pub const PROTOCOLS: RangeInclusive<Protocol> = PROTOCOL_FIRST..=PROTOCOL_NEWEST;
