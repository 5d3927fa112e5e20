//! Rule packs: versions, votes, files, and the decisions they made.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use zhulian_api::{ErrorCode, Hex32, MEDIA_OCTETS, view};
use zhulian_modules::rulepack::{self, PackId};

use super::cases::place;
use crate::{
    DecisionFilter, Failure, Page, Shared,
    cursor::{self, ListKind},
    packs,
    request::{self, Params, Segment, Segments, hex32, pack_id},
    state,
};

/// Reads the pack in the path. What has the form of an id and can be none is that of nothing.
fn pack(segment: &Segment) -> Result<PackId, Failure> {
    let text = segment.get("pack", pack_id)?;
    PackId::parse(&text).map_err(|_| ErrorCode::PackNotFound.into())
}

/// Rule packs in the order in which they were first enacted
#[utoipa::path(get, path = "/v1/packs", tag = "packs", operation_id = "packs",
    params(
        ("cursor" = Option<crate::openapi::PackCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The packs", body = view::PackList)))]
pub async fn list(State(gateway): State<Shared>, params: Params) -> Result<Json<view::PackList>, Failure> {
    let params = params.only(&["cursor", "limit"])?;
    let limit = params.limit()?;
    let from = params.text("cursor").map(|text| cursor::read_number('p', text)).transpose()?.unwrap_or(0) as usize;
    let (_, (rows, more)) = state::query(&*gateway.backend, |source, header| {
        let all = rulepack::packs(&source);
        let part = all.iter().skip(from).take(limit);
        let rows: Vec<_> = part.map(|pack| packs::row(source, pack, header.time)).collect();
        (rows, all.len() > from.saturating_add(limit))
    })
    .await?;
    let next = more.then(|| cursor::write_number('p', (from + limit) as u32));
    Ok(Json(view::PackList { items: rows.into_iter().flatten().collect(), next }))
}

/// A rule pack with its versions, drafts and votes
#[utoipa::path(get, path = "/v1/packs/{pack}", tag = "packs", operation_id = "pack",
    params(("pack" = crate::openapi::PackName, Path, description = "The rule pack")),
    responses((status = 200, description = "The pack", body = view::PackView)))]
pub async fn one(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::PackView>, Failure> {
    Ok(Json(packs::view(&gateway, &pack(&segment)?).await?))
}

/// Decisions that a rule pack made, newest first
///
/// Those of steps of cases, too.
#[utoipa::path(get, path = "/v1/packs/{pack}/decisions", tag = "packs", operation_id = "pack_decisions",
    params(
        ("pack" = crate::openapi::PackName, Path, description = "The rule pack"),
        ("version" = Option<u32>, Query, minimum = 1, maximum = 4294967295u64, description = "Only by this version"),
        ("decision" = Option<String>, Query, description = "Only this decision"),
        ("cursor" = Option<crate::openapi::DecisionCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The decisions", body = view::DecisionList)))]
pub async fn decisions(
    State(gateway): State<Shared>,
    segment: Segment,
    params: Params,
) -> Result<Json<view::DecisionList>, Failure> {
    let params = params.only(&["version", "decision", "cursor", "limit"])?;
    let limit = params.limit()?;
    let before = params.text("cursor").map(|text| cursor::read(ListKind::Decisions, text)).transpose()?;
    let version = params.number("version", 1, u64::from(u32::MAX))?.and_then(|number| u32::try_from(number).ok());
    let filter = DecisionFilter {
        pack: pack(&segment)?.to_string(),
        version,
        decision: params.text("decision").map(ToOwned::to_owned),
    };
    let mut rows = gateway.backend.decisions(filter, Page { before, limit: limit + 1 }).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| cursor::write(ListKind::Decisions, place(row)));
    Ok(Json(view::DecisionList { items: rows.iter().filter_map(packs::decision).collect(), next }))
}

/// What a version or draft of a rule pack is
#[utoipa::path(get, path = "/v1/manifests/{digest}", tag = "packs", operation_id = "manifest",
    params(("digest" = zhulian_api::Hex32, Path, description = "SHA-256 of the manifest")),
    responses((status = 200, description = "The version or draft", body = view::ManifestView)))]
pub async fn manifest(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::ManifestView>, Failure> {
    let Hex32(digest) = segment.get("digest", hex32)?;
    Ok(Json(packs::manifest(&gateway, &digest).await?))
}

/// A file of a rule pack
#[utoipa::path(get, path = "/v1/manifests/{digest}/files/{sha256}", tag = "packs", operation_id = "pack_file",
    params(
        ("digest" = zhulian_api::Hex32, Path, description = "SHA-256 of the manifest"),
        ("sha256" = zhulian_api::Hex32, Path, description = "SHA-256 of the file"),
    ),
    responses((status = 200, description = "The file", body = crate::openapi::Binary, content_type = "application/octet-stream")))]
pub async fn file(State(gateway): State<Shared>, segments: Segments, headers: HeaderMap) -> Result<Response, Failure> {
    request::accepted(&headers, &[MEDIA_OCTETS])?;
    let (Hex32(digest), Hex32(sha256)) = segments.get(("digest", hex32), ("sha256", hex32))?;
    let (name, bytes) = packs::file(&gateway, &digest, &sha256).await?;
    // A name may hold what a header may not; its ending says what the file is.
    let ending: String = name.rsplit('.').next().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let disposition = format!("attachment; filename=\"{}.{ending}\"", Hex32(sha256));
    Ok(([(header::CONTENT_TYPE, MEDIA_OCTETS.to_owned()), (header::CONTENT_DISPOSITION, disposition)], bytes)
        .into_response())
}
