//! Cases (办件) and the tasks that wait in them.

use axum::{Json, extract::State};
use zhulian_api::{ErrorCode, view};
use zhulian_execution::Role;
use zhulian_modules::{
    identity::Uscc,
    procedure::{CaseId, Detail, OpenTask, Outcome},
};

use crate::{
    CaseFilter, CaseState, Failure, HistoryRow, PagePosition, Shared, TaskFilter, cases,
    cursor::{self, ListKind},
    request::{Params, Segment, organisation_code, pack_id},
    show,
};

/// Cases looked at in one go for tasks.
const CHUNK: usize = 100;
/// Cases that one request for tasks looks at. Nearly all of them hold one: those whose period was extended may not.
const LOOKS_MAX: usize = 1_000;

/// Reads the number in the path. A day or number that cannot be is that of nothing, rather than malformed.
fn number(segment: &Segment) -> Result<CaseId, Failure> {
    let form = |text: &str| {
        let shape = text.strip_prefix("BJ").and_then(|rest| rest.split_once('-'));
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        match shape {
            Some((day, number)) if digits(day, 8) && digits(number, 6) => Ok(CaseId::parse(text).ok()),
            _ => Err("expected a case number such as BJ20260105-000042".to_owned()),
        }
    };
    segment.get("id", form)?.ok_or_else(|| ErrorCode::CaseNotFound.into())
}

fn case_state(text: &str) -> Result<CaseState, String> {
    match text {
        "open" => Ok(CaseState::Open),
        "closed" => Ok(CaseState::Closed),
        outcome => Outcome::parse(outcome)
            .map(CaseState::Ended)
            .ok_or_else(|| "expected open, closed, granted, refused, withdrawn, done or failed".into()),
    }
}

/// Cases, the latest opened first
///
/// A part may hold fewer than were asked for, or none, and still have a `next`.
#[utoipa::path(get, path = "/v1/cases", tag = "cases", operation_id = "cases",
    params(
        ("organisation" = Option<crate::openapi::OrganisationCode>, Query, description = "Unified social credit code of the organisation that leads the case"),
        ("pack" = Option<crate::openapi::PackName>, Query, description = "The rule pack"),
        ("procedure" = Option<String>, Query, description = "The process with its pack, `pack/process`"),
        ("state" = Option<crate::openapi::CaseStateName>, Query, description = "How it stands, or how it ended"),
        ("due_before" = Option<u64>, Query, minimum = 0, maximum = 9223372036854775807u64, description = "The statutory period, or the promised one where there is no other, ends before this, in milliseconds"),
        ("cursor" = Option<crate::openapi::CaseCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The cases", body = view::CaseList)))]
pub async fn list(State(gateway): State<Shared>, params: Params) -> Result<Json<view::CaseList>, Failure> {
    let params = params.only(&["organisation", "pack", "procedure", "state", "due_before", "cursor", "limit"])?;
    let filter = CaseFilter {
        organisation: params.get("organisation", organisation_code)?,
        pack: params.get("pack", pack_id)?,
        procedure: params.text("procedure").map(ToOwned::to_owned),
        state: params.get("state", case_state)?,
        due_before: params.time("due_before")?,
    };
    let limit = params.limit()?;
    let before = params.text("cursor").map(cursor::read_case).transpose()?;
    let mut ids = gateway.backend.cases(filter.clone(), before, limit + 1).await?;
    let more = ids.len() > limit;
    ids.truncate(limit);
    let next = ids.last().filter(|_| more).map(|id| cursor::write_case(*id));
    let (_, found) = cases::details(&gateway, &ids).await?;
    // The index may be behind the state, and does not know of extensions.
    let items = found.iter().filter(|(_, detail)| stands(detail, &filter)).map(|(id, it)| cases::row(*id, it));
    Ok(Json(view::CaseList { items: items.collect(), next }))
}

fn stands(detail: &Detail, filter: &CaseFilter) -> bool {
    let (case, outcome) = (&detail.case, detail.case.closed.map(|(outcome, _)| outcome));
    let state = match filter.state {
        None => true,
        Some(CaseState::Open) => outcome.is_none(),
        Some(CaseState::Closed) => outcome.is_some(),
        Some(CaseState::Ended(wanted)) => outcome == Some(wanted),
    };
    let clock = &case.clock;
    let (due, left) =
        if clock.limit > 0 { (clock.limit_due, clock.limit_left) } else { (clock.promised_due, clock.promised_left) };
    state && filter.due_before.is_none_or(|before| due > 0 && left == 0 && due < before)
}

/// A case by its number
#[utoipa::path(get, path = "/v1/cases/{id}", tag = "cases", operation_id = "case",
    params(("id" = crate::openapi::CaseNumber, Path, description = "The case number")),
    responses((status = 200, description = "The case", body = view::CaseView)))]
pub async fn one(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::CaseView>, Failure> {
    Ok(Json(cases::view(&gateway, number(&segment)?).await?))
}

/// What happened to a case
#[utoipa::path(get, path = "/v1/cases/{id}/history", tag = "cases", operation_id = "case_history",
    params(
        ("id" = crate::openapi::CaseNumber, Path, description = "The case number"),
        ("cursor" = Option<crate::openapi::CaseHistoryCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "Oldest first", body = view::CaseHistory)))]
pub async fn history(
    State(gateway): State<Shared>,
    segment: Segment,
    params: Params,
) -> Result<Json<view::CaseHistory>, Failure> {
    let params = params.only(&["cursor", "limit"])?;
    let limit = params.limit()?;
    let after = params.text("cursor").map(|text| cursor::read(ListKind::CaseHistory, text)).transpose()?;
    let id = number(&segment)?;
    let (_, found) = cases::details(&gateway, &[id]).await?;
    if found.is_empty() {
        return Err(ErrorCode::CaseNotFound.into());
    }
    let mut rows = gateway.backend.case_history(id, after, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| cursor::write(ListKind::CaseHistory, place(row)));
    Ok(Json(view::CaseHistory { id: id.to_string(), items: rows.into_iter().map(show::history).collect(), next }))
}

/// The place of an event in a list.
pub fn place(row: &HistoryRow) -> PagePosition {
    PagePosition { position: row.position, item: u64::from(row.number) + 1 }
}

/// Tasks that wait for an organisation
///
/// Of the latest case first. A part may hold fewer tasks than were asked for, or none, and still have a `next`.
#[utoipa::path(get, path = "/v1/tasks", tag = "cases", operation_id = "tasks",
    params(
        ("organisation" = crate::openapi::OrganisationCode, Query, description = "Unified social credit code of the organisation whose duty they are"),
        ("role" = Option<crate::openapi::RoleName>, Query, description = "The role whose duty they are"),
        ("pack" = Option<crate::openapi::PackName>, Query, description = "Only of cases of this rule pack"),
        ("cursor" = Option<crate::openapi::TaskCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The tasks", body = view::TaskList)))]
pub async fn tasks(State(gateway): State<Shared>, params: Params) -> Result<Json<view::TaskList>, Failure> {
    let params = params.only(&["organisation", "role", "pack", "cursor", "limit"])?;
    let code = params.get("organisation", organisation_code)?;
    let code = code.ok_or_else(|| Failure::new(ErrorCode::MalformedQuery, "organisation: missing"))?;
    let role = params.get("role", |text| Role::parse(text).ok_or_else(|| "expected a role, such as officer".into()))?;
    let pack = params.get("pack", pack_id)?;
    let limit = params.limit()?;
    let after = params.text("cursor").map(cursor::read_task).transpose()?;
    // A code whose check character does not fit is nobody's, and has no duties.
    let Ok(organisation) = Uscc::parse(&code) else { return Ok(Json(view::TaskList { items: Vec::new(), next: None })) };
    let now = gateway.backend.status().time.unwrap_or_default();
    let filter = TaskFilter { organisation: code, role, pack, now };
    let mine = |open: &&OpenTask| {
        open.duties.iter().any(|duty| duty.organisation == organisation && role.is_none_or(|role| duty.role == role))
    };
    let (mut items, mut looked) = (Vec::new(), 0);
    // The cursor's own case may have more tasks.
    let mut before = after.map(|(case, _)| case.saturating_add(1));
    loop {
        let ids = gateway.backend.cases_with_tasks(filter.clone(), before, CHUNK).await?;
        let (_, found) = cases::details(&gateway, &ids).await?;
        for (id, detail) in &found {
            let done = after.filter(|(case, _)| *case == id.ordinal()).map_or(0, |(_, task)| task);
            for open in detail.tasks.iter().filter(|open| open.view.work.number > done).filter(mine) {
                if items.len() == limit {
                    // The last one that was given is not the last one there is.
                    let next = last(&items).map(|(case, task)| cursor::write_task(case, task));
                    return Ok(Json(view::TaskList { items: items.into_iter().map(|(_, _, item)| item).collect(), next }));
                }
                items.push((*id, open.view.work.number, item(*id, detail, open)));
            }
        }
        looked += ids.len();
        let more = ids.last().filter(|_| ids.len() == CHUNK).copied();
        let next = match more {
            Some(id) if looked < LOOKS_MAX => {
                before = Some(id.ordinal());
                continue;
            }
            // Every task of the last case was looked at.
            Some(id) => Some(cursor::write_task(id, u32::MAX)),
            None => None,
        };
        return Ok(Json(view::TaskList { items: items.into_iter().map(|(_, _, item)| item).collect(), next }));
    }
}

fn last(items: &[(CaseId, u32, view::TaskItem)]) -> Option<(CaseId, u32)> {
    items.last().map(|(case, task, _)| (*case, *task))
}

fn item(id: CaseId, detail: &Detail, open: &OpenTask) -> view::TaskItem {
    view::TaskItem { case: cases::row(id, detail), task: cases::task(open) }
}
