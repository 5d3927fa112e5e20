//! State keys of the governance module. No other file spells them.

use zhulian_execution::StateEntry;
use zhulian_ledger::Map;

use super::{
    protocol::ProtocolPlan,
    seats::Seats,
    types::{Motion, NetworkRecord, Parameters},
};

/// `governance/network`: written by genesis (G1).
pub(super) const NETWORK: Map<(), NetworkRecord> = Map::new("governance/network");
/// `governance/parameters`: written by genesis and by motions (G4, G6).
pub(crate) const PARAMETERS: Map<(), Parameters> = Map::new("governance/parameters");
/// `governance/validators`: who decides blocks now and from the next epoch on; written by genesis and by motions (G7, G8).
pub(super) const SEATS: Map<(), Seats> = Map::new("governance/validators");
/// `governance/protocol`: which protocol is in force and which is to come; written by genesis unless it is the first, and by motions (G9).
pub(super) const PROTOCOL: Map<(), ProtocolPlan> = Map::new("governance/protocol");
/// `governance/motions`: how many motions there ever were.
pub(super) const MOTIONS: Map<(), u32> = Map::new("governance/motions");
/// `governance/motion/{n}`: the n-th motion, never deleted.
pub(super) const MOTION: Map<u32, Motion> = Map::new("governance/motion");

/// For `docs/state.md`.
pub(super) const CATALOGUE: &[StateEntry] = &[
    StateEntry {
        map: NETWORK.name,
        key: "",
        value: "{0: name, 1: time of genesis, 2: [[name, organisation, Ed25519 key]…], 3: blocks of an epoch}",
        writers: "genesis",
    },
    StateEntry {
        map: PARAMETERS.name,
        key: "",
        value: "{0: batch_entries_max, 1: details_bytes_max, 2: vote_blocks}",
        writers: "genesis; governance.cast_ballot (set)",
    },
    StateEntry {
        map: SEATS.name,
        key: "",
        value: "{0: number of changes since genesis, 1: first epoch, 2: [[name, organisation, Ed25519 key, address / null]…] from it on, 3: those before}",
        writers: "genesis; governance.cast_ballot (add_validator, remove_validator, rekey_validator)",
    },
    StateEntry {
        map: PROTOCOL.name,
        key: "",
        value: "{0: protocol, ?1: [the protocol that follows, its first height]}; absent: protocol 1",
        writers: "genesis, unless protocol 1; governance.cast_ballot (schedule_protocol, annul_protocol)",
    },
    StateEntry { map: MOTIONS.name, key: "", value: "number of motions ever opened", writers: "governance.open_motion" },
    StateEntry {
        map: MOTION.name,
        key: "n: 4 bytes big-endian",
        value: "{0: organisation, 1: member, 2: action, 3: opened height, 4: last height for ballots, 5: status, 6: [[organisation, member, approve, height]…], ?7: decided height, ?8: [module, number] of the failure}",
        writers: "governance.open_motion, cast_ballot, withdraw_motion",
    },
];
