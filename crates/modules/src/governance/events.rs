//! Events of the governance module.

use minicbor::{Decode, Encode};
use zhulian_execution::{Event, Text};
use zhulian_primitives::{Height, Protocol};

use super::{
    seats::Seat,
    types::{Action, Failure, MotionStatus, Parameter},
};
use crate::identity::{MemberId, Uscc};

/// A motion was opened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MotionOpened {
    /// Its number.
    #[n(0)]
    pub motion: u32,
    /// The organisation that opened it.
    #[n(1)]
    pub organisation: Uscc,
    /// The representative.
    #[n(2)]
    pub member: MemberId,
    /// What it does when carried.
    #[n(3)]
    pub action: Action,
    /// Last height at which a ballot is taken.
    #[n(4)]
    pub closes: Height,
}

impl Event for MotionOpened {
    const MODULE: &'static str = "governance";
    const NAME: &'static str = "motion_opened";
    const ABOUT: Text = Text { en: "A motion was opened for ballots.", zh: "动议已提出，开始表决。" };
    const CDDL: &'static str =
        "{ 0: uint, 1: uscc, 2: member, 3: action, 4: height }   ; number, organisation, member, action, closes";
}

/// A ballot was cast.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BallotCast {
    /// The motion.
    #[n(0)]
    pub motion: u32,
    /// The organisation whose vote it is.
    #[n(1)]
    pub organisation: Uscc,
    /// The representative.
    #[n(2)]
    pub member: MemberId,
    /// For or against.
    #[n(3)]
    pub approve: bool,
}

impl Event for BallotCast {
    const MODULE: &'static str = "governance";
    const NAME: &'static str = "ballot_cast";
    const ABOUT: Text = Text { en: "An organisation voted on a motion.", zh: "机构已就动议投票。" };
    const CDDL: &'static str = "{ 0: uint, 1: uscc, 2: member, 3: bool }   ; motion, organisation, member, approve";
}

/// A motion was decided or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MotionClosed {
    /// The motion.
    #[n(0)]
    pub motion: u32,
    /// How it stands from now on.
    #[n(1)]
    pub status: MotionStatus,
    /// Why it failed.
    #[n(2)]
    pub failure: Option<Failure>,
}

impl Event for MotionClosed {
    const MODULE: &'static str = "governance";
    const NAME: &'static str = "motion_closed";
    const ABOUT: Text = Text {
        en: "A motion was executed, failed, rejected or withdrawn. (An expired one has no event: its last height is known.)",
        zh: "动议已执行、执行失败、被否决或撤回。(到期未决者无事件，其截止高度已知。)",
    };
    const CDDL: &'static str = "{ 0: uint, 1: motion_status, ? 2: failure }   ; motion, status, why it failed";
}

/// A parameter was changed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ParameterChanged {
    /// The parameter.
    #[n(0)]
    pub parameter: Parameter,
    /// Its value before.
    #[n(1)]
    pub before: u64,
    /// Its value from the next transaction on.
    #[n(2)]
    pub after: u64,
}

impl Event for ParameterChanged {
    const MODULE: &'static str = "governance";
    const NAME: &'static str = "parameter_changed";
    const ABOUT: Text = Text { en: "A parameter has a new value.", zh: "参数已更改。" };
    const CDDL: &'static str = "{ 0: parameter, 1: uint, 2: uint }   ; parameter, before, after";
}

/// The validators change with the next epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ValidatorsChanged {
    /// How often they were changed since genesis, this time included.
    #[n(0)]
    pub number: u32,
    /// The first epoch of the new validators.
    #[n(1)]
    pub epoch: u64,
    /// The height at which that epoch begins.
    #[n(2)]
    pub height: Height,
    /// All validators from then on, sorted by key.
    #[n(3)]
    pub seats: Vec<Seat>,
}

impl Event for ValidatorsChanged {
    const MODULE: &'static str = "governance";
    const NAME: &'static str = "validators_changed";
    const ABOUT: Text =
        Text { en: "The validators change with the next epoch.", zh: "验证节点将自下一任期起变更。" };
    const CDDL: &'static str =
        "{ 0: uint, 1: uint, 2: height, 3: [+ seat] }   ; number of the change, first epoch, first height, all validators";
}

/// A protocol begins at a height.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProtocolScheduled {
    /// The protocol.
    #[n(0)]
    pub protocol: Protocol,
    /// The first height that follows it.
    #[n(1)]
    pub height: Height,
}

impl Event for ProtocolScheduled {
    const MODULE: &'static str = "governance";
    const NAME: &'static str = "protocol_scheduled";
    const ABOUT: Text = Text {
        en: "A protocol begins at a height; nodes need a build that knows it by then.",
        zh: "协议升级已定于某一高度生效；届时各节点须已安装支持该协议的程序。",
    };
    const CDDL: &'static str = "{ 0: protocol, 1: height }   ; protocol, first height";
}

/// A protocol that had not begun was annulled.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProtocolAnnulled {
    /// The protocol.
    #[n(0)]
    pub protocol: Protocol,
}

impl Event for ProtocolAnnulled {
    const MODULE: &'static str = "governance";
    const NAME: &'static str = "protocol_annulled";
    const ABOUT: Text =
        Text { en: "A protocol that had not begun will not begin.", zh: "尚未生效的协议升级已撤销。" };
    const CDDL: &'static str = "{ 0: protocol }   ; protocol";
}
