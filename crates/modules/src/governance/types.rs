//! Types of the governance module.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_primitives::{Height, Protocol, Timestamp};

use super::{
    errors::Error,
    genesis::GenesisValidator,
    protocol::Upgrade,
    seats::{Address, Seat},
};
use crate::{
    identity::{FirstMember, Founding, MemberId, Uscc},
    rulepack::PackId,
};

/// CDDL of what calls, events, state and genesis share.
pub(super) const CDDL: &str = r#"
parameter = &(batch_entries_max: 0, details_bytes_max: 1, vote_blocks: 2)
parameters = { 0: 1..1000000, 1: 256..16384, 2: 10..10000000 }
action = [0, founding]                        ; admit an organisation
       / [1, uscc]                            ; suspend it
       / [2, uscc]                            ; reinstate it
       / [3, parameter, uint]                 ; set a parameter
       / [4, uscc, [+ first_member]]          ; recover: give it new members with keys
       / [5, digest]                          ; enact the version of a rule pack whose manifest has this SHA-256
       / [6, pack_id, uint]                   ; annul a version of a rule pack before it takes effect
       / [7, seat]                            ; add a validator, with its address
       / [8, uscc, validator_key]             ; remove the validator that an organisation runs with this key
       / [9, validator_key, validator_key, address / null]   ; give a validator another key, and another address
       / [10, upgrade]                        ; begin a protocol at a height
       / [11, protocol]                       ; annul a protocol that has not begun
upgrade = [protocol, height]                  ; its first height
protocol = 1..65535
validator_key = bstr .size 32                 ; Ed25519
address = tstr .size (3..255)                 ; host:port
seat = [name: tstr, organisation: uscc, key: validator_key, address / null]
motion_status = &(open: 0, executed: 1, failed: 2, rejected: 3, withdrawn: 4, expired: 5)
failure = [module: tstr, number: uint]        ; a refusal code
genesis = { 0: 1, 1: tstr .size (1..64), 2: timestamp, 3: [+ validator], 4: [+ founding], 5: parameters, 6: 10..10000000, ? 7: 2..65535 }   ; version, name, time, ..., blocks of an epoch, protocol unless 1
validator = [name, uscc, bstr .size 32]       ; name, organisation, Ed25519 key; sorted by key
"#;

/// A number that the organisations may change by motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Parameter {
    /// Entries of the largest batch deposit.
    #[n(0)]
    BatchEntriesMax,
    /// Bytes of the largest details of a deposit.
    #[n(1)]
    DetailsBytesMax,
    /// Blocks for which a motion is open.
    #[n(2)]
    VoteBlocks,
}

impl Parameter {
    /// Every parameter, in order.
    pub const ALL: [Self; 3] = [Self::BatchEntriesMax, Self::DetailsBytesMax, Self::VoteBlocks];

    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::BatchEntriesMax => "batch_entries_max",
            Self::DetailsBytesMax => "details_bytes_max",
            Self::VoteBlocks => "vote_blocks",
        }
    }

    /// The parameter of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.name() == name)
    }

    /// Its least and greatest value (G6).
    pub fn bounds(self) -> (u64, u64) {
        match self {
            Self::BatchEntriesMax => (1, 1_000_000),
            Self::DetailsBytesMax => (256, 16_384),
            Self::VoteBlocks => (10, 10_000_000),
        }
    }
}

/// The parameters in force.
///
/// Invariant (G6): each within [`Parameter::bounds`]; kept by [`with`](Self::with) and checked in the genesis document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Parameters {
    /// Entries of the largest batch deposit.
    #[n(0)]
    pub batch_entries_max: u64,
    /// Bytes of the largest details of a deposit.
    #[n(1)]
    pub details_bytes_max: u64,
    /// Blocks for which a motion is open.
    #[n(2)]
    pub vote_blocks: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        // A week of blocks, if one comes each second.
        Self { batch_entries_max: 1_000_000, details_bytes_max: 2_048, vote_blocks: 604_800 }
    }
}

impl Parameters {
    /// The value of a parameter.
    pub fn get(&self, parameter: Parameter) -> u64 {
        match parameter {
            Parameter::BatchEntriesMax => self.batch_entries_max,
            Parameter::DetailsBytesMax => self.details_bytes_max,
            Parameter::VoteBlocks => self.vote_blocks,
        }
    }

    /// The parameters with one changed.
    pub fn with(mut self, parameter: Parameter, value: u64) -> Result<Self, Error> {
        let (least, greatest) = parameter.bounds();
        if !(least..=greatest).contains(&value) {
            return Err(Error::ParameterOutOfBounds);
        }
        match parameter {
            Parameter::BatchEntriesMax => self.batch_entries_max = value,
            Parameter::DetailsBytesMax => self.details_bytes_max = value,
            Parameter::VoteBlocks => self.vote_blocks = value,
        }
        Ok(self)
    }

    /// Whether every parameter is within its bounds.
    pub fn check(&self) -> Result<(), Error> {
        Parameter::ALL.into_iter().try_fold(*self, |all, parameter| all.with(parameter, self.get(parameter))).map(|_| ())
    }
}

/// What a motion does when it is carried.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Admits an organisation with its first members.
    #[n(0)]
    Admit(#[n(0)] Founding),
    /// Suspends an organisation.
    #[n(1)]
    Suspend(#[n(0)] Uscc),
    /// Reinstates a suspended organisation.
    #[n(2)]
    Reinstate(#[n(0)] Uscc),
    /// Sets a parameter.
    #[n(3)]
    Set(#[n(0)] Parameter, #[n(1)] u64),
    /// Gives an organisation that lost its administrators new members with keys.
    #[n(4)]
    Recover(#[n(0)] Uscc, #[n(1)] Vec<FirstMember>),
    /// Enacts a drafted version of a rule pack, named by the SHA-256 of its manifest.
    #[n(5)]
    EnactRules(#[cbor(n(0), with = "minicbor::bytes")] Digest),
    /// Annuls a version of a rule pack before it takes effect.
    #[n(6)]
    AnnulRules(#[n(0)] PackId, #[n(1)] u32),
    /// Adds a validator.
    #[n(7)]
    AddValidator(#[n(0)] Seat),
    /// Removes the validator that an organisation runs with this key.
    #[n(8)]
    RemoveValidator(#[n(0)] Uscc, #[cbor(n(1), with = "minicbor::bytes")] [u8; 32]),
    /// Gives a validator another key, and another address if one is named.
    #[n(9)]
    RekeyValidator(
        #[cbor(n(0), with = "minicbor::bytes")] [u8; 32],
        #[cbor(n(1), with = "minicbor::bytes")] [u8; 32],
        #[n(2)] Option<Address>,
    ),
    /// Begins a protocol at a height.
    #[n(10)]
    ScheduleProtocol(#[n(0)] Upgrade),
    /// Annuls a protocol that has not begun.
    #[n(11)]
    AnnulProtocol(#[n(0)] Protocol),
}

impl Action {
    /// Its name in the API and the CLI.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Admit(_) => "admit",
            Self::Suspend(_) => "suspend",
            Self::Reinstate(_) => "reinstate",
            Self::Set(..) => "set_parameter",
            Self::Recover(..) => "recover",
            Self::EnactRules(_) => "enact_rules",
            Self::AnnulRules(..) => "annul_rules",
            Self::AddValidator(_) => "add_validator",
            Self::RemoveValidator(..) => "remove_validator",
            Self::RekeyValidator(..) => "rekey_validator",
            Self::ScheduleProtocol(_) => "schedule_protocol",
            Self::AnnulProtocol(_) => "annul_protocol",
        }
    }

    /// The organisation whose case it is, if there is one.
    pub fn concerns(&self) -> Option<&Uscc> {
        match self {
            Self::Admit(founding) => Some(&founding.organisation),
            Self::Suspend(code) | Self::Reinstate(code) | Self::Recover(code, _) | Self::RemoveValidator(code, _) => {
                Some(code)
            }
            Self::Set(..)
            | Self::EnactRules(_)
            | Self::AnnulRules(..)
            | Self::AddValidator(_)
            | Self::RekeyValidator(..)
            | Self::ScheduleProtocol(_)
            | Self::AnnulProtocol(_) => None,
        }
    }
}

/// How a motion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum MotionStatus {
    /// Ballots are cast.
    #[n(0)]
    Open,
    /// Carried and executed.
    #[n(1)]
    Executed,
    /// Carried, but what it asked for was not possible.
    #[n(2)]
    Failed,
    /// It can no longer be carried.
    #[n(3)]
    Rejected,
    /// Taken back by the organisation that opened it.
    #[n(4)]
    Withdrawn,
    /// Not decided in its period. Never stored: [`Motion::standing`] tells it from the height.
    #[n(5)]
    Expired,
}

impl MotionStatus {
    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Executed => "executed",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Ballot {
    /// The organisation whose vote it is.
    #[n(0)]
    pub organisation: Uscc,
    /// The representative that cast it.
    #[n(1)]
    pub member: MemberId,
    /// For or against.
    #[n(2)]
    pub approve: bool,
    /// Height at which it was cast.
    #[n(3)]
    pub height: Height,
}

/// The refusal that stopped a carried motion.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Failure {
    /// Module of the code.
    #[n(0)]
    pub module: String,
    /// Number of the code.
    #[n(1)]
    pub number: u16,
}

/// A motion as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Motion {
    /// The organisation that opened it.
    #[n(0)]
    pub organisation: Uscc,
    /// The representative that opened it.
    #[n(1)]
    pub member: MemberId,
    /// What it does when carried.
    #[n(2)]
    pub action: Action,
    /// Height at which it was opened.
    #[n(3)]
    pub opened: Height,
    /// Last height at which a ballot is taken.
    #[n(4)]
    pub closes: Height,
    /// How it stands; read it with [`standing`](Self::standing).
    #[n(5)]
    pub status: MotionStatus,
    /// Its ballots in the order in which they were cast.
    #[n(6)]
    pub ballots: Vec<Ballot>,
    /// Height at which it was decided or withdrawn.
    #[n(7)]
    pub decided: Option<Height>,
    /// Why it failed.
    #[n(8)]
    pub failure: Option<Failure>,
}

impl Motion {
    /// How it stands at `height` (G5).
    pub fn standing(&self, height: Height) -> MotionStatus {
        match self.status {
            MotionStatus::Open if height > self.closes => MotionStatus::Expired,
            status => status,
        }
    }
}

/// What the state says of the network itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NetworkRecord {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Time of genesis.
    #[n(1)]
    pub time: Timestamp,
    /// Validators of epoch 0, sorted by key.
    #[n(2)]
    pub validators: Vec<GenesisValidator>,
    /// Blocks of an epoch.
    #[n(3)]
    pub epoch_blocks: u64,
}
