//! Procedures and cases (事项与办件): a procedure is drawn in BPMN and voted in with its rule pack; a case of it runs through all
//! departments under one number, by its clock, until its outcome (行政许可法 arts. 42–45, 82; 优化营商环境条例 art. 36).
//!
//! # Invariants
//! - **B1** A case runs by the version of the pack that was in force when it was opened, unless the pack says otherwise.
//! - **B2** Every step is signed by a member of the organisation whose duty it is, or decided by a named version of rules.
//! - **B3** A case moves only as its procedure says. Whatever else is done to it is an override: proposed with a reason by one
//!   member, confirmed by another, and counted.
//! - **B4** The clock counts statutory working days. It stands still only for a reason that the procedure lists, and says since when.
//!   Of a year whose calendar is not in force yet nothing is assumed: an end in it is open until it is.
//! - **B5** Time is block time: timers and alerts fire when a call of the case, or [`Tick`], comes after they were due.
//! - **B6** No personal plaintext: applicants, materials and private facts are salted commitments; texts are short and looked into.
//! - **B7** A closed case changes no more, but for one rating.
//! - **B8** A case makes calls of other modules only by a right that its pack gives and the organisations voted in: this call, in this
//!   organisation's name, as an officer and as nothing else. It happens in the case's step or not at all.

mod calls;
mod clock;
mod deploy;
mod desk;
mod errors;
mod events;
mod host;
mod open;
mod overrides;
mod queries;
mod rights;
mod rules;
mod state;
#[cfg(test)]
pub(crate) mod tests;
mod types;
mod views;

use zhulian_execution::{CallEntry, Module, Text};
use zhulian_primitives::Protocol;

/// The protocol since which cases stay readable, and go on where they could stand still for ever: what `docs/operations.md` says
/// of protocol 3.
const CASES_MENDED: Protocol = 3;

pub use zhulian_procedure::instance::What as Step;
pub use {
    calls::{
        Claim, Complete, ConfirmOverride, Message, Pause, ProposeOverride, Resume, ReturnTask, SubmitMaterial, Tick,
        Transfer,
    },
    errors::Error,
    events::{
        Alerted, CallMade, CaseClosed, CaseOpened, CaseRated, ClockPaused, ClockResumed, ClockSettled, MaterialSubmitted,
        OverrideConfirmed, OverrideProposed, Progressed, TaskClaimed, TaskReturned, TaskTransferred,
    },
    host::STEP_GAS,
    open::{Enclosed, Open, Rate},
    queries::{TaskView, case, case_state_key, cases, instance, tasks, timers, totals},
    rights::{CASE_CALLS, CaseCall},
    types::{
        Alert, Case, CaseId, Channel, Clock, Duty, Line, Material, Outcome, Override, OverrideReason, PauseReason,
        PauseRecord, Task, Totals, Waiting,
    },
    views::{Detail, OpenTask, case_of, detail},
};
pub(crate) use {
    deploy::{compile, link, papers},
    rules::Settings,
};

/// The module.
pub static MODULE: Module = Module {
    name: "procedure",
    about: Text {
        en: "Cases run by procedures that were voted in: tasks, materials, clocks, overrides, outcomes and ratings.",
        zh: "按表决生效的流程办理办件：任务、材料、时限、人工干预、办理结果与好差评。",
    },
    cddl: types::CDDL,
    calls: &[
        CallEntry::of::<Open>(),
        CallEntry::of::<Claim>(),
        CallEntry::of::<Complete>(),
        CallEntry::of::<ReturnTask>(),
        CallEntry::of::<Transfer>(),
        CallEntry::of::<Message>(),
        CallEntry::of::<SubmitMaterial>(),
        CallEntry::of::<Pause>(),
        CallEntry::of::<Resume>(),
        CallEntry::of::<Tick>(),
        CallEntry::of::<ProposeOverride>(),
        CallEntry::of::<ConfirmOverride>(),
        CallEntry::of::<Rate>(),
    ],
    refusals: Error::ALL,
    events: events::EVENTS,
    state: state::CATALOGUE,
};
