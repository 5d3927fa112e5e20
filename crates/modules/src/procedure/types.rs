//! Types of the procedure module.

use std::{collections::BTreeMap, fmt};

use minicbor::{
    Decode, Decoder, Encode, Encoder, decode::Error as DecodeError, encode::Error as EncodeError, encode::Write,
};
use zhulian_crypto::Digest;
use zhulian_execution::{Role, invalid};
use zhulian_ledger::KeyPart;
use zhulian_primitives::{Height, Timestamp};
use zhulian_procedure::{Variables, instance::What};

use super::errors::Error;
use crate::{
    identity::{MemberId, Uscc},
    rulepack::PackId,
};

/// CDDL of what calls, events and state share.
pub(super) const CDDL: &str = r#"
case_id = tstr .regexp "BJ[0-9]{8}-[0-9]{6}"   ; day of opening in China, number of that day
case_channel = &(window: 0, online: 1, terminal: 2, agent: 3)
; A value: number, text, true, false, null, list, context, or what CBOR has no form for: decimal, date, time, date and time, durations.
case_value = int / tstr / bool / null / [* case_value] / { * tstr => case_value } / { 0: tstr } / { 1: tstr } / { 2: tstr } / { 3: tstr } / { 4: tstr } / { 5: tstr }
case_variables = { * tstr => case_value }
pause_reason = &(correction: 0, announcement: 1, appraisal: 2, hearing: 3, inspection: 4, expert_review: 5, tender: 6)
case_alert = &(promise_near: 0, promise_over: 1, limit_near: 2, limit_over: 3)
case_outcome = &(granted: 0, refused: 1, withdrawn: 2, done: 3, failed: 4)
override_reason = &(system_fault: 0, disaster: 1, court_order: 2, rule_gap: 3, data_error: 4, applicant_need: 5)
override = [0, uint, case_variables]          ; the task counts as done, with these results
         / [1, case_outcome]                  ; the case is closed
         / [2, 1..60]                         ; the limit is so many working days longer
         / [3, uint, uscc]                    ; the task goes to another organisation
case_line = [&(entered: 0, completed: 1, cancelled: 2, failed: 3), tstr, uint]   ; what, element, number of the task or 0
case_task = { ? 0: [uscc, member], ? 1: uscc }   ; claimed by, transferred to
case_clock = { 0: timestamp, 1: uint, 2: uint, 3: timestamp, 4: timestamp, 5: [* [pause_reason, timestamp, timestamp / null]], 6: [* case_alert], ? 7: 1..4294967295, ? 8: 1..4294967295 }   ; started, promised and statutory working days, promised and statutory due, pauses, alerts given, working days to count after the promised and after the statutory due, in a year without a calendar yet
case_waiting = [uint, [* [uscc, 0..5]]]       ; number of a task, those whose duty it is: organisation and role (system_admin 0, security_admin 1, audit_admin 2, representative 3, officer 4, judge 5)
case_refusal = [tstr, uint]                   ; module and number
case_material = { 0: tstr, 1: digest, 2: uscc, 3: timestamp }   ; name, salted commitment, by, at
"#;

/// Longest name of a process, an element, a message or a material, in bytes.
pub const NAME_MAX: usize = 120;

/// The number of a case through all departments, 办件编号: `BJ20260105-000042`.
///
/// Invariant: the day of opening in China, and the number of that day from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId {
    day: u32,
    number: u32,
}

impl CaseId {
    /// The number of a case; `None` beyond 999,999 a day.
    pub fn new(year: i32, month: u32, day: u32, number: u32) -> Option<Self> {
        let year = u32::try_from(year).ok().filter(|year| (1970..=9999).contains(year))?;
        let good = (1..=12).contains(&month) && (1..=31).contains(&day) && (1..=999_999).contains(&number);
        good.then_some(Self { day: year * 10_000 + month * 100 + day, number })
    }

    /// Parses a number as it is printed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let digits = |text: &str, len: usize| {
            let good = text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
            if good { text.parse::<u32>().ok() } else { None }
        };
        let parts = text.strip_prefix("BJ").and_then(|rest| rest.split_once('-'));
        let (day, number) = parts.ok_or(Error::MalformedCaseId)?;
        let (day, number) =
            (digits(day, 8).ok_or(Error::MalformedCaseId)?, digits(number, 6).ok_or(Error::MalformedCaseId)?);
        let year = i32::try_from(day / 10_000).map_err(|_| Error::MalformedCaseId)?;
        Self::new(year, day / 100 % 100, day % 100, number).ok_or(Error::MalformedCaseId)
    }

    /// The day of opening, `yyyymmdd`.
    pub fn day(self) -> u32 {
        self.day
    }

    /// Runs `of` with the number as it is printed, which steps of cases do often.
    fn with_text<T>(self, of: impl FnOnce(&str) -> T) -> T {
        let mut text = *b"BJ00000000-000000";
        for (mut number, digits) in [(self.day, 2..10), (self.number, 11..17)] {
            for digit in text[digits].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        of(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl KeyPart for CaseId {
    fn write(&self, out: &mut Vec<u8>) {
        self.day.write(out);
        self.number.write(out);
    }
}

impl<C> Encode<C> for CaseId {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        self.with_text(|text| e.str(text)?.ok())
    }
}

impl<'b, C> Decode<'b, C> for CaseId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        Self::parse(d.str()?).map_err(invalid)
    }
}

/// Declares an enumeration with its names in the API and the CLI.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $n:literal, $word:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        #[cbor(index_only)]
        pub enum $name {
            $($(#[$vdoc])* #[n($n)] $variant,)+
        }

        impl $name {
            /// Each, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in the API and the CLI.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.name() == name)
            }
        }
    };
}

names! {
    /// How an application came in.
    Channel {
        /// 窗口.
        Window = 0, "window";
        /// 网上.
        Online = 1, "online";
        /// 自助终端.
        Terminal = 2, "terminal";
        /// 代办.
        Agent = 3, "agent";
    }
}

names! {
    /// Why a clock stands still (行政许可法 art. 45 and the rules on corrections and announcements).
    PauseReason {
        /// 补正.
        Correction = 0, "correction";
        /// 公告.
        Announcement = 1, "announcement";
        /// 鉴定.
        Appraisal = 2, "appraisal";
        /// 听证.
        Hearing = 3, "hearing";
        /// 检验、检测、检疫.
        Inspection = 4, "inspection";
        /// 专家评审.
        ExpertReview = 5, "expert_review";
        /// 招标、拍卖.
        Tender = 6, "tender";
    }
}

names! {
    /// What a clock warns of.
    Alert {
        /// The promised period is nearly over.
        PromiseNear = 0, "promise_near";
        /// The promised period is over.
        PromiseOver = 1, "promise_over";
        /// The statutory period is nearly over.
        LimitNear = 2, "limit_near";
        /// The statutory period is over: the supervisor may take the tasks over.
        LimitOver = 3, "limit_over";
    }
}

names! {
    /// How a case ended.
    Outcome {
        /// 准予.
        Granted = 0, "granted";
        /// 不予.
        Refused = 1, "refused";
        /// 撤回.
        Withdrawn = 2, "withdrawn";
        /// 办结.
        Done = 3, "done";
        /// An error ended it.
        Failed = 4, "failed";
    }
}

names! {
    /// Why a person acts against the procedure.
    OverrideReason {
        /// 系统故障.
        SystemFault = 0, "system_fault";
        /// 不可抗力.
        Disaster = 1, "disaster";
        /// 法院裁判.
        CourtOrder = 2, "court_order";
        /// 规则未覆盖.
        RuleGap = 3, "rule_gap";
        /// 数据差错.
        DataError = 4, "data_error";
        /// 申请人特殊需要.
        ApplicantNeed = 5, "applicant_need";
    }
}

/// What an override does.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Override {
    /// The task counts as done, with these results.
    #[n(0)]
    CompleteTask(#[n(0)] u32, #[n(1)] Variables),
    /// The case is closed.
    #[n(1)]
    Close(#[n(0)] Outcome),
    /// Both periods are so many working days longer.
    #[n(2)]
    Extend(#[n(0)] u16),
    /// The task goes to another organisation.
    #[n(3)]
    Reassign(#[n(0)] u32, #[n(1)] Uscc),
}

/// An override that waits for its second signer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pending {
    /// What it does.
    #[n(0)]
    pub action: Override,
    /// Why.
    #[n(1)]
    pub reason: OverrideReason,
    /// Digest of the written grounds.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub grounds: Digest,
    /// The organisation that proposed it.
    #[n(3)]
    pub organisation: Uscc,
    /// The member that proposed it.
    #[n(4)]
    pub member: MemberId,
}

/// A pause of the clock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PauseRecord {
    /// Why.
    #[n(0)]
    pub reason: PauseReason,
    /// Since when.
    #[n(1)]
    pub from: Timestamp,
    /// Until when.
    #[n(2)]
    pub to: Option<Timestamp>,
}

/// The clock of a case (B4).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Clock {
    /// When it started.
    #[n(0)]
    pub started: Timestamp,
    /// Working days promised; 0 for no promise.
    #[n(1)]
    pub promised: u16,
    /// Working days that the law gives; 0 for no limit.
    #[n(2)]
    pub limit: u16,
    /// First moment after the promised period.
    #[n(3)]
    pub promised_due: Timestamp,
    /// First moment after the statutory period.
    #[n(4)]
    pub limit_due: Timestamp,
    /// Its pauses in order; the last may be open.
    #[n(5)]
    pub pauses: Vec<PauseRecord>,
    /// Alerts given.
    #[n(6)]
    pub alerts: Vec<Alert>,
    /// Working days to count after `promised_due`, in a year whose calendar is not in force yet.
    #[cbor(n(7), skip_if = "is_zero")]
    pub promised_left: u32,
    /// Working days to count after `limit_due`, likewise.
    #[cbor(n(8), skip_if = "is_zero")]
    pub limit_left: u32,
}

fn is_zero(days: &u32) -> bool {
    *days == 0
}

/// A material that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Material {
    /// Its name in the procedure or the pack's list.
    #[n(0)]
    pub name: String,
    /// Salted commitment to it, or its evidence digest.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitment: Digest,
    /// Who submitted it.
    #[n(2)]
    pub organisation: Uscc,
    /// When.
    #[n(3)]
    pub at: Timestamp,
}

/// What is known of a task beyond its procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Task {
    /// Who works on it.
    #[n(0)]
    pub claimed: Option<(Uscc, MemberId)>,
    /// The organisation it was transferred to.
    #[n(1)]
    pub transferred: Option<Uscc>,
}

/// A case as the state holds it. Where it stands in its procedure is in `procedure/instance`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Case {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The version it runs by (B1).
    #[n(1)]
    pub version: u32,
    /// The process in the pack.
    #[n(2)]
    pub process: String,
    /// The organisation that opened it and leads it.
    #[n(3)]
    pub organisation: Uscc,
    /// The member that opened it.
    #[n(4)]
    pub member: MemberId,
    /// Salted commitment to the applicant (B6).
    #[cbor(n(5), with = "minicbor::bytes")]
    pub applicant: Digest,
    /// How it came in.
    #[n(6)]
    pub channel: Channel,
    /// Height at which it was opened.
    #[n(7)]
    pub height: Height,
    /// Its clock.
    #[n(8)]
    pub clock: Clock,
    /// Materials submitted.
    #[n(9)]
    pub materials: Vec<Material>,
    /// Tasks of which more is known than the procedure says.
    #[n(10)]
    pub tasks: BTreeMap<u32, Task>,
    /// Overrides confirmed (B3).
    #[n(11)]
    pub overrides: u32,
    /// An override that waits for its second signer.
    #[n(12)]
    pub pending: Option<Pending>,
    /// How and when it ended.
    #[n(13)]
    pub closed: Option<(Outcome, Timestamp)>,
    /// The applicant's rating, 1 to 5 (好差评).
    #[n(14)]
    pub rating: Option<u8>,
    /// Organisations that take part beside the leading one: tasks were transferred to them.
    #[n(15)]
    pub parties: Vec<Uscc>,
    /// Whether its statutory period was over when it was closed. Cases that were closed before protocol 3 do not say.
    #[n(16)]
    pub late: Option<bool>,
}

/// An organisation and the role in it whose duty a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Duty {
    /// The organisation.
    #[n(0)]
    pub organisation: Uscc,
    /// The role.
    #[n(1)]
    pub role: Role,
}

/// A task that came in a step and waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Waiting {
    /// Its number in the case.
    #[n(0)]
    pub task: u32,
    /// Whose duty it is.
    #[n(1)]
    pub duties: Vec<Duty>,
}

/// One line of what a step did: what, element, number of the task or 0.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Line {
    /// What happened.
    #[n(0)]
    pub what: What,
    /// The element, with its procedure when that is not the case's own.
    #[n(1)]
    pub element: String,
    /// The number of the task; 0 for events and gateways.
    #[n(2)]
    pub number: u32,
}

/// Counts over all cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Totals {
    /// Cases opened.
    #[n(0)]
    pub opened: u64,
    /// Cases closed.
    #[n(1)]
    pub closed: u64,
    /// Of these, closed after the statutory period.
    #[n(2)]
    pub late: u64,
    /// Overrides confirmed (B3).
    #[n(3)]
    pub overrides: u64,
}
