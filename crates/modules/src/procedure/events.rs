//! Events of the procedure module.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::{Event, Text};
use zhulian_primitives::Timestamp;

use super::types::{Alert, CaseId, Line, Outcome, Override, OverrideReason, PauseReason};
use crate::{
    identity::{MemberId, Uscc},
    rulepack::PackId,
};

/// A case was opened; its clock runs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CaseOpened {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The pack.
    #[n(1)]
    pub pack: PackId,
    /// The version it runs by.
    #[n(2)]
    pub version: u32,
    /// The process.
    #[n(3)]
    pub process: String,
    /// The organisation that leads it.
    #[n(4)]
    pub organisation: Uscc,
    /// The member that opened it.
    #[n(5)]
    pub member: MemberId,
    /// Salted commitment to the applicant.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub applicant: Digest,
    /// First moment after the promised period; 0 for none.
    #[n(7)]
    pub promised_due: Timestamp,
    /// First moment after the statutory period; 0 for none.
    #[n(8)]
    pub limit_due: Timestamp,
}

impl Event for CaseOpened {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "case_opened";
    const ABOUT: Text = Text { en: "A case was opened; its clock runs.", zh: "已立案,开始计时。" };
    const CDDL: &'static str = "{ 0: case_id, 1: pack_id, 2: uint, 3: tstr, 4: uscc, 5: member, 6: digest, 7: timestamp, 8: timestamp }   ; case, pack, version, process, organisation, member, applicant, promised_due, limit_due";
}

/// A case moved on: elements entered, done, ended from outside; messages sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Progressed {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Whose member caused it.
    #[n(1)]
    pub organisation: Uscc,
    /// Who caused it.
    #[n(2)]
    pub member: MemberId,
    /// What happened, in order.
    #[n(3)]
    pub lines: Vec<Line>,
    /// Messages sent, in order.
    #[n(4)]
    pub sent: Vec<String>,
}

impl Event for Progressed {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "progressed";
    const ABOUT: Text = Text {
        en: "A case moved on: elements entered, done, ended from outside; messages sent.",
        zh: "办件已推进:进入、完成或终止的环节及发出的消息。",
    };
    const CDDL: &'static str =
        "{ 0: case_id, 1: uscc, 2: member, 3: [* case_line], 4: [* tstr] }   ; case, organisation, member, lines, sent";
}

/// A member took a task on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TaskClaimed {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The task.
    #[n(1)]
    pub task: u32,
    /// The organisation.
    #[n(2)]
    pub organisation: Uscc,
    /// The member.
    #[n(3)]
    pub member: MemberId,
}

impl Event for TaskClaimed {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "task_claimed";
    const ABOUT: Text = Text { en: "A member took a task on.", zh: "任务已认领。" };
    const CDDL: &'static str = "{ 0: case_id, 1: uint, 2: uscc, 3: member }   ; case, task, organisation, member";
}

/// A member gave a task back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TaskReturned {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The task.
    #[n(1)]
    pub task: u32,
    /// The organisation.
    #[n(2)]
    pub organisation: Uscc,
    /// The member.
    #[n(3)]
    pub member: MemberId,
}

impl Event for TaskReturned {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "task_returned";
    const ABOUT: Text = Text { en: "A member gave a task back.", zh: "任务已退回。" };
    const CDDL: &'static str = "{ 0: case_id, 1: uint, 2: uscc, 3: member }   ; case, task, organisation, member";
}

/// A task was handed over to another organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TaskTransferred {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The task.
    #[n(1)]
    pub task: u32,
    /// By whom.
    #[n(2)]
    pub organisation: Uscc,
    /// The member.
    #[n(3)]
    pub member: MemberId,
    /// To whom.
    #[n(4)]
    pub to: Uscc,
}

impl Event for TaskTransferred {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "task_transferred";
    const ABOUT: Text = Text { en: "A task was handed over to another organisation.", zh: "任务已转办。" };
    const CDDL: &'static str =
        "{ 0: case_id, 1: uint, 2: uscc, 3: member, 4: uscc }   ; case, task, organisation, member, to";
}

/// A material was submitted by its commitment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MaterialSubmitted {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The material.
    #[n(1)]
    pub name: String,
    /// Commitment to it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub commitment: Digest,
    /// By whom.
    #[n(3)]
    pub organisation: Uscc,
    /// The member.
    #[n(4)]
    pub member: MemberId,
}

impl Event for MaterialSubmitted {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "material_submitted";
    const ABOUT: Text = Text { en: "A material was submitted by its commitment.", zh: "材料已以承诺方式提交。" };
    const CDDL: &'static str =
        "{ 0: case_id, 1: tstr, 2: digest, 3: uscc, 4: member }   ; case, name, commitment, organisation, member";
}

/// The clock of a case stands still.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClockPaused {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Why.
    #[n(1)]
    pub reason: PauseReason,
    /// By whom.
    #[n(2)]
    pub organisation: Uscc,
    /// The member.
    #[n(3)]
    pub member: MemberId,
}

impl Event for ClockPaused {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "clock_paused";
    const ABOUT: Text = Text { en: "The clock of a case stands still.", zh: "计时已暂停。" };
    const CDDL: &'static str = "{ 0: case_id, 1: pause_reason, 2: uscc, 3: member }   ; case, reason, organisation, member";
}

/// The clock of a case runs again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClockResumed {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// By whom.
    #[n(1)]
    pub organisation: Uscc,
    /// The member.
    #[n(2)]
    pub member: MemberId,
    /// First moment after the promised period; 0 for none.
    #[n(3)]
    pub promised_due: Timestamp,
    /// First moment after the statutory period; 0 for none.
    #[n(4)]
    pub limit_due: Timestamp,
}

impl Event for ClockResumed {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "clock_resumed";
    const ABOUT: Text = Text { en: "The clock of a case runs again.", zh: "计时已恢复。" };
    const CDDL: &'static str = "{ 0: case_id, 1: uscc, 2: member, 3: timestamp, 4: timestamp }   ; case, organisation, member, promised_due, limit_due";
}

/// A period of a case is nearly over, or over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Alerted {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// What about.
    #[n(1)]
    pub alert: Alert,
    /// Whom it concerns beside those who work on it.
    #[n(2)]
    pub supervisor: Option<Uscc>,
}

impl Event for Alerted {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "alerted";
    const ABOUT: Text = Text { en: "A period of a case is nearly over, or over.", zh: "办件期限临近或已超期。" };
    const CDDL: &'static str = "{ 0: case_id, 1: case_alert, ? 2: uscc }   ; case, alert, supervisor";
}

/// A member proposed to act on a case against its procedure.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OverrideProposed {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// What it does.
    #[n(1)]
    pub action: Override,
    /// Why.
    #[n(2)]
    pub reason: OverrideReason,
    /// Digest of the written grounds.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub grounds: Digest,
    /// By whom.
    #[n(4)]
    pub organisation: Uscc,
    /// The member.
    #[n(5)]
    pub member: MemberId,
}

impl Event for OverrideProposed {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "override_proposed";
    const ABOUT: Text =
        Text { en: "A member proposed to act on a case against its procedure.", zh: "已提出人工干预。" };
    const CDDL: &'static str = "{ 0: case_id, 1: override, 2: override_reason, 3: digest, 4: uscc, 5: member }   ; case, action, reason, grounds, organisation, member";
}

/// A second member confirmed or rejected an override.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OverrideConfirmed {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Whether it was carried out.
    #[n(1)]
    pub approve: bool,
    /// Why it was proposed.
    #[n(2)]
    pub reason: OverrideReason,
    /// Overrides of the case so far.
    #[n(3)]
    pub count: u32,
    /// By whom.
    #[n(4)]
    pub organisation: Uscc,
    /// The member.
    #[n(5)]
    pub member: MemberId,
}

impl Event for OverrideConfirmed {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "override_confirmed";
    const ABOUT: Text =
        Text { en: "A second member confirmed or rejected an override.", zh: "人工干预已由第二人复核。" };
    const CDDL: &'static str = "{ 0: case_id, 1: bool, 2: override_reason, 3: uint, 4: uscc, 5: member }   ; case, approve, reason, count, organisation, member";
}

/// A case came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CaseClosed {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// How.
    #[n(1)]
    pub outcome: Outcome,
    /// Whether after the statutory period.
    #[n(2)]
    pub late: bool,
    /// Overrides it took.
    #[n(3)]
    pub overrides: u32,
}

impl Event for CaseClosed {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "case_closed";
    const ABOUT: Text = Text { en: "A case came to its end.", zh: "办件已办结。" };
    const CDDL: &'static str = "{ 0: case_id, 1: case_outcome, 2: bool, 3: uint }   ; case, outcome, late, overrides";
}

/// An applicant's rating was put on record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CaseRated {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// 5 very satisfied to 1 very dissatisfied.
    #[n(1)]
    pub level: u8,
    /// By whom.
    #[n(2)]
    pub organisation: Uscc,
}

impl Event for CaseRated {
    const MODULE: &'static str = "procedure";
    const NAME: &'static str = "case_rated";
    const ABOUT: Text = Text { en: "An applicant's rating was put on record.", zh: "已登记好差评。" };
    const CDDL: &'static str = "{ 0: case_id, 1: 1..5, 2: uscc }   ; case, level, organisation";
}
