//! Events of the procedure module.

use zhulian_crypto::Digest;
use zhulian_primitives::{Raw, Timestamp};

use super::types::{Alert, CaseId, Line, Outcome, Override, OverrideReason, PauseReason, Waiting};
use crate::{
    identity::{MemberId, Uscc},
    rulepack::PackId,
};

fn is_false(flag: &bool) -> bool {
    !flag
}

zhulian_execution::events! { "procedure";
    CaseOpened = "case_opened", "A case was opened; its clock runs.", "已立案，开始计时。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// The pack.
        1 pack: PackId = "1: pack_id",
        /// The version it runs by.
        2 version: u32 = "2: uint",
        /// The process.
        3 process: String = "3: tstr",
        /// The organisation that leads it.
        4 organisation: Uscc = "4: uscc",
        /// The member that opened it.
        5 member: MemberId = "5: member",
        /// Salted commitment to the applicant.
        #[cbor(with = "minicbor::bytes")]
        6 applicant: Digest = "6: digest",
        /// First moment after the promised period; 0 for none.
        7 promised_due: Timestamp = "7: timestamp",
        /// First moment after the statutory period; 0 for none.
        8 limit_due: Timestamp = "8: timestamp",
        /// The organisation that may take its tasks over once it is late.
        9 supervisor: Option<Uscc> = "? 9: uscc",
        /// Whether a period ends in a year whose calendar is not in force yet: its moment is then the first after the last day counted.
        #[cbor(skip_if = "is_false")]
        10 open: bool = "? 10: true",
    }

    Progressed = "progressed", "A case moved on: elements entered, done, ended from outside; messages sent.",
    "办件已推进：进入、完成或终止的环节及发出的消息。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// Whose member caused it.
        1 organisation: Uscc = "1: uscc",
        /// Who caused it.
        2 member: MemberId = "2: member",
        /// What happened, in order.
        3 lines: Vec<Line> = "3: [* case_line]",
        /// Messages sent, in order.
        4 sent: Vec<String> = "4: [* tstr]",
        /// Tasks that came and wait, with those whose duty they are.
        #[cbor(skip_if = "Vec::is_empty")]
        5 waiting: Vec<Waiting> = "? 5: [1* case_waiting]",
    }

    TaskClaimed = "task_claimed", "A member took a task on.", "任务已认领。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// The task.
        1 task: u32 = "1: uint",
        /// The organisation.
        2 organisation: Uscc = "2: uscc",
        /// The member.
        3 member: MemberId = "3: member",
    }

    TaskReturned = "task_returned", "A member gave a task back.", "任务已退回。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// The task.
        1 task: u32 = "1: uint",
        /// The organisation.
        2 organisation: Uscc = "2: uscc",
        /// The member.
        3 member: MemberId = "3: member",
    }

    TaskTransferred = "task_transferred", "A task was handed over to another organisation.", "任务已转办。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// The task.
        1 task: u32 = "1: uint",
        /// By whom.
        2 organisation: Uscc = "2: uscc",
        /// The member.
        3 member: MemberId = "3: member",
        /// To whom.
        4 to: Uscc = "4: uscc",
    }

    MaterialSubmitted = "material_submitted", "A material was submitted by its commitment.", "材料已以承诺方式提交。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// The material.
        1 name: String = "1: tstr",
        /// Commitment to it.
        #[cbor(with = "minicbor::bytes")]
        2 commitment: Digest = "2: digest",
        /// By whom.
        3 organisation: Uscc = "3: uscc",
        /// The member.
        4 member: MemberId = "4: member",
    }

    ClockPaused = "clock_paused", "The clock of a case stands still.", "计时已暂停。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// Why.
        1 reason: PauseReason = "1: pause_reason",
        /// By whom.
        2 organisation: Uscc = "2: uscc",
        /// The member.
        3 member: MemberId = "3: member",
    }

    ClockResumed = "clock_resumed", "The clock of a case runs again.", "计时已恢复。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// By whom.
        1 organisation: Uscc = "1: uscc",
        /// The member.
        2 member: MemberId = "2: member",
        /// First moment after the promised period; 0 for none.
        3 promised_due: Timestamp = "3: timestamp",
        /// First moment after the statutory period; 0 for none.
        4 limit_due: Timestamp = "4: timestamp",
        /// Whether a period ends in a year whose calendar is not in force yet.
        #[cbor(skip_if = "is_false")]
        5 open: bool = "? 5: true",
    }

    ClockSettled = "clock_settled", "A period that ended in a year without a calendar has its end, since that calendar is in force.",
    "下一年度工作日历生效，办件期限已确定。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// First moment after the promised period; 0 for none.
        1 promised_due: Timestamp = "1: timestamp",
        /// First moment after the statutory period; 0 for none.
        2 limit_due: Timestamp = "2: timestamp",
        /// Whether a period ends still later, in a year whose calendar is not in force yet.
        #[cbor(skip_if = "is_false")]
        3 open: bool = "? 3: true",
    }

    Alerted = "alerted", "A period of a case is nearly over, or over.", "办件期限临近或已超期。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// What about.
        1 alert: Alert = "1: case_alert",
        /// Whom it concerns beside those who work on it.
        2 supervisor: Option<Uscc> = "? 2: uscc",
    }

    OverrideProposed = "override_proposed", "A member proposed to act on a case against its procedure.", "已提出人工干预。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// What it does.
        1 action: Override = "1: override",
        /// Why.
        2 reason: OverrideReason = "2: override_reason",
        /// Digest of the written grounds.
        #[cbor(with = "minicbor::bytes")]
        3 grounds: Digest = "3: digest",
        /// By whom.
        4 organisation: Uscc = "4: uscc",
        /// The member.
        5 member: MemberId = "5: member",
    }

    OverrideConfirmed = "override_confirmed", "A second member confirmed or rejected an override.", "人工干预已由第二人复核。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// Whether it was carried out.
        1 approve: bool = "1: bool",
        /// Why it was proposed.
        2 reason: OverrideReason = "2: override_reason",
        /// Overrides of the case so far.
        3 count: u32 = "3: uint",
        /// By whom.
        4 organisation: Uscc = "4: uscc",
        /// The member.
        5 member: MemberId = "5: member",
    }

    CaseClosed = "case_closed", "A case came to its end.", "办件已办结。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// How.
        1 outcome: Outcome = "1: case_outcome",
        /// Whether after the statutory period.
        2 late: bool = "2: bool",
        /// Overrides it took.
        3 overrides: u32 = "3: uint",
    }

    CaseRated = "case_rated", "An applicant's rating was put on record.", "已登记好差评。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// 5 very satisfied to 1 very dissatisfied.
        1 level: u8 = "1: 1..5",
        /// By whom.
        2 organisation: Uscc = "2: uscc",
    }

    CallMade = "call_made", "A case made a call of another module by the right that its procedure gives; refused where a refusal is named.",
    "办件依流程授权向其他模块发起了办理；注明拒绝代码的为被拒绝。" {
        /// The case.
        0 case: CaseId = "0: case_id",
        /// The task.
        1 task: u32 = "1: uint",
        /// The element, with its procedure when that is not the case's own.
        2 element: String = "2: tstr",
        /// In whose name.
        3 organisation: Uscc = "3: uscc",
        /// The module.
        4 module: String = "4: tstr",
        /// The call.
        5 call: String = "5: tstr",
        /// Its arguments, as a signed transaction would have them; absent where the task's inputs did not fit the call.
        6 args: Option<Raw> = "? 6: any",
        /// Why it was refused, if it was: module and number. The procedure then went its way for that error.
        7 refusal: Option<(String, u16)> = "? 7: case_refusal",
    }
}
