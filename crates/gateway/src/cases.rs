//! Cases as the API shows them: which there are from the index, where each stands from the state.

use zhulian_api::{ErrorCode, view};
use zhulian_modules::{
    identity::Uscc,
    procedure::{self, CaseId, Detail, OpenTask, Override, Task},
};
use zhulian_primitives::Header;

use crate::{Failure, Shared, state};

/// Cases with where they stand; those that the state does not have are left out.
pub async fn details(gateway: &Shared, ids: &[CaseId]) -> Result<(Header, Vec<(CaseId, Detail)>), Failure> {
    let (header, found) = state::query(&*gateway.backend, |source, header| {
        ids.iter().map(|id| procedure::detail(&source, id, header.time, header.version)).collect::<Vec<_>>()
    })
    .await?;
    let found = ids.iter().zip(found).filter_map(|(id, detail)| Some((*id, detail?)));
    Ok((header, found.collect()))
}

/// One case.
pub async fn view(gateway: &Shared, id: CaseId) -> Result<view::CaseView, Failure> {
    let (header, mut found) = details(gateway, &[id]).await?;
    let (_, detail) = found.pop().ok_or_else(|| Failure::from(ErrorCode::CaseNotFound))?;
    let case = &detail.case;
    Ok(view::CaseView {
        case: row(id, &detail),
        member: case.member.to_string(),
        applicant: case.applicant.into(),
        parties: case.parties.iter().map(ToString::to_string).collect(),
        clock: view::ClockView {
            promised: case.clock.promised,
            limit: case.clock.limit,
            pauses: case
                .clock
                .pauses
                .iter()
                .map(|pause| view::PauseView { reason: pause.reason.name().into(), from_ms: pause.from, to_ms: pause.to })
                .collect(),
            alerts: case.clock.alerts.iter().map(|alert| alert.name().into()).collect(),
        },
        tasks: detail.tasks.iter().map(task).collect(),
        awaited: detail.awaited.clone(),
        next_due_ms: match case.closed {
            None => detail.instance.next_due().and_then(|due| u64::try_from(due).ok()),
            Some(_) => None,
        },
        materials: case
            .materials
            .iter()
            .map(|material| view::MaterialView {
                name: material.name.clone(),
                commitment: material.commitment.into(),
                organisation: material.organisation.to_string(),
                time_ms: material.at,
            })
            .collect(),
        variables: detail.variables(),
        pending: case.pending.as_ref().map(|pending| view::PendingView {
            action: match &pending.action {
                Override::CompleteTask(..) => "complete_task",
                Override::Close(_) => "close",
                Override::Extend(_) => "extend",
                Override::Reassign(..) => "reassign",
            }
            .into(),
            reason: pending.reason.name().into(),
            grounds: pending.grounds.into(),
            organisation: pending.organisation.to_string(),
            member: pending.member.to_string(),
        }),
        height: header.height,
    })
}

/// A case in a list.
pub fn row(id: CaseId, detail: &Detail) -> view::CaseRow {
    let case = &detail.case;
    let due = |days: u16, due: u64| (days > 0).then_some(due);
    let left = |days: u32| (days > 0).then_some(days);
    let state = match case.closed {
        Some(_) => "closed",
        None if case.is_paused() => "paused",
        None => "open",
    };
    view::CaseRow {
        id: id.to_string(),
        pack: case.pack.to_string(),
        version: case.version,
        process: case.process.clone(),
        name: detail.process.as_ref().map(|process| process.name.clone()).unwrap_or_default(),
        organisation: case.organisation.to_string(),
        channel: case.channel.name().into(),
        state: state.into(),
        outcome: case.closed.map(|(outcome, _)| outcome.name().into()),
        opened_ms: case.clock.started,
        opened_height: case.height,
        closed_ms: case.closed.map(|(_, at)| at),
        promised_due_ms: due(case.clock.promised, case.clock.promised_due),
        promised_days_left: left(case.clock.promised_left),
        limit_due_ms: due(case.clock.limit, case.clock.limit_due),
        limit_days_left: left(case.clock.limit_left),
        late: detail.late,
        overrides: case.overrides,
        rating: case.rating,
    }
}

/// A task that waits.
pub fn task(open: &OpenTask) -> view::TaskView {
    let (work, Task { claimed, transferred, .. }) = (&open.view.work, &open.view.task);
    let materials = work.properties.keys().filter_map(|key| key.strip_prefix("material:"));
    view::TaskView {
        task: work.number,
        element: work.element.clone(),
        name: work.name.clone(),
        by_person: work.by_person,
        job: work.job.clone(),
        form: work.form.clone(),
        duties: open
            .duties
            .iter()
            .map(|duty| view::DutyView { organisation: duty.organisation.to_string(), role: duty.role.name().into() })
            .collect(),
        claimed: claimed.as_ref().map(|(organisation, member)| view::ClaimView {
            organisation: organisation.to_string(),
            member: member.to_string(),
        }),
        transferred: transferred.as_ref().map(Uscc::to_string),
        due_ms: work.due.and_then(|due| u64::try_from(due).ok()),
        materials: materials.map(ToOwned::to_owned).collect(),
    }
}
