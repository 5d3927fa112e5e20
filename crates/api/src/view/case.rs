use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HistoryItem;
use crate::Hex32;

/// A case (办件) in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseRow {
    /// Its number through all departments (办件编号).
    pub id: String,
    /// The rule pack whose procedure it runs by.
    pub pack: String,
    /// The version of the pack.
    pub version: u32,
    /// The process in the pack.
    pub process: String,
    /// The name of the process, as drawn.
    pub name: String,
    /// Unified social credit code of the organisation that leads it.
    pub organisation: String,
    /// How the application came in: `window`, `online`, `terminal` or `agent`.
    pub channel: String,
    /// `open`, `paused` (its clock stands still) or `closed`.
    pub state: String,
    /// How it ended: `granted`, `refused`, `withdrawn`, `done` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<String>,
    /// When it was opened.
    pub opened_ms: u64,
    /// Height at which it was opened.
    pub opened_height: u64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub closed_ms: Option<u64>,
    /// First moment after the promised period; not before this, while `promised_days_left` is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub promised_due_ms: Option<u64>,
    /// Working days still to be counted after `promised_due_ms`, in a year whose calendar is not in force yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub promised_days_left: Option<u32>,
    /// First moment after the statutory period; not before this, while `limit_days_left` is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub limit_due_ms: Option<u64>,
    /// Working days still to be counted after `limit_due_ms`, in a year whose calendar is not in force yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub limit_days_left: Option<u32>,
    /// Whether its statutory period is over, or was when it ended.
    pub late: bool,
    /// Manual overrides that were confirmed (人工干预).
    pub overrides: u32,
    /// The applicant's rating, 5 very satisfied to 1 very dissatisfied (好差评).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rating: Option<u8>,
}

super::list::list! {
    /// Cases, the latest opened first.
    CaseList of CaseRow
}

/// A case with where it stands. Applicants, materials and private facts are commitments only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseView {
    /// The case.
    pub case: CaseRow,
    /// The member that opened it, by its id in the organisation.
    pub member: String,
    /// Salted commitment to the applicant.
    pub applicant: Hex32,
    /// Organisations that take part beside the leading one.
    pub parties: Vec<String>,
    /// Its clock.
    pub clock: ClockView,
    /// The tasks that wait.
    pub tasks: Vec<TaskView>,
    /// Messages that it waits for.
    pub awaited: Vec<String>,
    /// When the next timer of its procedure fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_due_ms: Option<u64>,
    /// Materials that were submitted.
    pub materials: Vec<MaterialView>,
    /// Its values by name, in canonical FEEL; private ones as commitments.
    pub variables: BTreeMap<String, String>,
    /// An override that waits for its second signer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pending: Option<PendingView>,
    /// Height of the state that this was read from.
    pub height: u64,
}

/// The clock of a case, in statutory working days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockView {
    /// Working days promised; 0 for no promise.
    pub promised: u16,
    /// Working days that the law gives; 0 for no limit.
    pub limit: u16,
    /// Its pauses in order; the last may be open.
    pub pauses: Vec<PauseView>,
    /// Alerts given: `promise_near`, `promise_over`, `limit_near`, `limit_over`.
    pub alerts: Vec<String>,
}

/// A pause of a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PauseView {
    /// `correction`, `announcement`, `appraisal`, `hearing`, `inspection`, `expert_review` or `tender`.
    pub reason: String,
    /// Since when.
    pub from_ms: u64,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub to_ms: Option<u64>,
}

/// A task that waits in a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskView {
    /// Its number in the case.
    pub task: u32,
    /// The element of the procedure.
    pub element: String,
    /// The element's name, as drawn.
    pub name: String,
    /// Whether a person does it; a system otherwise.
    pub by_person: bool,
    /// The kind of job, for the work of systems.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub job: Option<String>,
    /// Its form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub form: Option<String>,
    /// Whose duty it is now.
    pub duties: Vec<DutyView>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub claimed: Option<ClaimView>,
    /// The organisation that it was transferred to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub transferred: Option<String>,
    /// When the nearest timer at its edge fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due_ms: Option<u64>,
    /// Materials without which it cannot be completed.
    pub materials: Vec<String>,
}

/// Whose duty a task is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyView {
    /// Unified social credit code of the organisation.
    pub organisation: String,
    /// The role in it.
    pub role: String,
}

/// Who works on a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimView {
    /// Unified social credit code of the organisation.
    pub organisation: String,
    /// The member, by its id in the organisation.
    pub member: String,
}

/// A material that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MaterialView {
    /// Its name in the procedure or the pack's list.
    pub name: String,
    /// Salted commitment to it, or its evidence digest.
    pub commitment: Hex32,
    /// Unified social credit code of the organisation that submitted it.
    pub organisation: String,
    /// When.
    pub time_ms: u64,
}

/// An override that waits for its second signer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingView {
    /// `complete_task`, `close`, `extend` or `reassign`.
    pub action: String,
    /// `system_fault`, `disaster`, `court_order`, `rule_gap`, `data_error` or `applicant_need`.
    pub reason: String,
    /// Digest of the written grounds.
    pub grounds: Hex32,
    /// Unified social credit code of the organisation that proposed it.
    pub organisation: String,
    /// The member that proposed it.
    pub member: String,
}

/// Something that happened to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseHistory {
    /// The case.
    pub id: String,
    /// Oldest first; the opening is the first.
    pub items: Vec<HistoryItem>,
    /// Cursor of the following part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// A task with its case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskItem {
    /// The case.
    pub case: CaseRow,
    /// The task.
    pub task: TaskView,
}

super::list::list! {
    /// Tasks that wait, of the latest case first. A part may hold fewer than were asked for, or none, and still have a `next`.
    TaskList of TaskItem
}
