//! Evidence: find, check, prove.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use zhulian_api::{ErrorCode, MEDIA_CBOR, MEDIA_CBOR_SEQ, MEDIA_JSON, view};
use zhulian_primitives::{EvidenceId, EvidenceIdError, EvidenceRef};
use zhulian_verify::ReceiptFile;

use super::transactions::receipt_response;
use crate::{
    EvidenceFilter, EvidencePlace, EvidenceRow, Failure, Page, Shared, certificate, check,
    cursor::{self, ListKind},
    entries, evidence, read,
    request::{self, BodyUntil, Pace, Params, Segment, hex32, organisation_code},
    show,
};

/// Reads the number in the path. One that only has a typing error is the number of nothing, rather than malformed.
fn number(segment: &Segment) -> Result<EvidenceRef, Failure> {
    match segment.get("id", |text| Ok(text.parse::<EvidenceRef>()))? {
        Ok(number) => Ok(number),
        Err(error @ EvidenceIdError::Check) => Err(Failure::new(ErrorCode::EvidenceNotFound, format!("id: {error}"))),
        Err(error) => Err(Failure::new(ErrorCode::MalformedPath, format!("id: {error}"))),
    }
}

/// The deposit with this number, or the entry of a batch that it names.
async fn find(gateway: &Shared, number: EvidenceRef) -> Result<EvidenceRow, Failure> {
    let mut row =
        gateway.backend.find_evidence(number.id).await?.ok_or_else(|| Failure::from(ErrorCode::EvidenceNotFound))?;
    if let Some(wanted) = number.entry {
        let EvidencePlace::Batch { entry, .. } = &mut row.place else { return Err(ErrorCode::EvidenceNotFound.into()) };
        *entry = Some(wanted.into());
    }
    Ok(row)
}

/// Deposited evidence, newest first
///
/// With `sha256` also the entries of batches whose entries were uploaded to this node.
#[utoipa::path(get, path = "/v1/evidence", tag = "evidence", operation_id = "evidence_list",
    params(
        ("sha256" = Option<zhulian_api::Hex32>, Query, description = "SHA-256 of the file"),
        ("organisation" = Option<crate::openapi::OrganisationCode>, Query, description = "Unified social credit code of the depositor"),
        ("from" = Option<u64>, Query, minimum = 0, maximum = 9223372036854775807u64, description = "Block time at or after this, in milliseconds"),
        ("to" = Option<u64>, Query, minimum = 0, maximum = 9223372036854775807u64, description = "Block time before this, in milliseconds"),
        ("cursor" = Option<crate::openapi::EvidenceCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The evidence", body = view::EvidenceList)))]
pub async fn list(State(gateway): State<Shared>, params: Params) -> Result<Json<view::EvidenceList>, Failure> {
    let params = params.only(&["sha256", "organisation", "from", "to", "cursor", "limit"])?;
    let filter = EvidenceFilter {
        sha256: params.get("sha256", hex32)?.map(|digest| digest.0),
        certain: false,
        organisation: params.get("organisation", organisation_code)?,
        from: params.time("from")?,
        to: params.time("to")?,
    };
    let limit = params.limit()?;
    let before = params.text("cursor").map(|text| cursor::read(ListKind::Evidence, text)).transpose()?;
    let mut rows = gateway.backend.evidence(filter, Page { before, limit: limit + 1 }).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().map(evidence::page_position).filter(|_| more).map(|at| cursor::write(ListKind::Evidence, at));
    Ok(Json(view::EvidenceList { items: evidence::views(&gateway, &rows).await?, next }))
}

/// A piece of evidence by its number
#[utoipa::path(get, path = "/v1/evidence/{id}", tag = "evidence", operation_id = "evidence",
    params(("id" = crate::openapi::EvidenceNumber, Path, description = "The evidence number, with `-n` for the n-th entry of a batch")),
    responses((status = 200, description = "The evidence", body = view::EvidenceView)))]
pub async fn one(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::EvidenceView>, Failure> {
    let row = find(&gateway, number(&segment)?).await?;
    Ok(Json(evidence::view(&gateway, &row).await?))
}

/// All that happened to a piece of evidence
#[utoipa::path(get, path = "/v1/evidence/{id}/history", tag = "evidence", operation_id = "evidence_history",
    params(("id" = crate::openapi::EvidenceNumber, Path, description = "The evidence number")),
    responses((status = 200, description = "Oldest first; the deposit is the first", body = view::EvidenceHistory)))]
pub async fn history(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::EvidenceHistory>, Failure> {
    let number = number(&segment)?;
    find(&gateway, number).await?;
    let rows = gateway.backend.evidence_history(number.id).await?;
    Ok(Json(view::EvidenceHistory { id: number.to_string(), items: rows.into_iter().map(show::history).collect() }))
}

/// The receipt file that proves a piece of evidence, entry included.
async fn prove(gateway: &Shared, row: &EvidenceRow) -> Result<ReceiptFile, Failure> {
    let mut file = read::receipt_file(&*gateway.backend, row.position).await?;
    if let EvidencePlace::Batch { entry: Some(index), .. } = row.place {
        let batch = evidence::batch(gateway, row).await?;
        let entry = gateway.backend.batch_entry(row.transaction, index, batch).await?;
        file.entry = Some(entry.ok_or_else(|| Failure::from(ErrorCode::EntryNotFound))?);
    }
    Ok(file)
}

/// The receipt file of a piece of evidence
///
/// For an entry of a batch it proves that entry; the node must hold the batch's entries.
#[utoipa::path(get, path = "/v1/evidence/{id}/receipt", tag = "evidence", operation_id = "evidence_receipt",
    params(("id" = crate::openapi::EvidenceNumber, Path, description = "The evidence number, with `-n` for the n-th entry of a batch")),
    responses((status = 200, description = "The receipt", content(
        (crate::openapi::Binary = "application/cbor"),
        (crate::openapi::AnyObject = "application/json"),
    ))))]
pub async fn receipt(State(gateway): State<Shared>, segment: Segment, headers: HeaderMap) -> Result<Response, Failure> {
    let media = request::accepted(&headers, &[MEDIA_CBOR, MEDIA_JSON])?;
    let number = number(&segment)?;
    let row = find(&gateway, number).await?;
    let file = prove(&gateway, &row).await?;
    Ok(receipt_response(media, &file, &evidence::file_name(number)))
}

/// The evidence certificate (存证证书)
#[utoipa::path(get, path = "/v1/evidence/{id}/certificate.pdf", tag = "evidence", operation_id = "evidence_certificate",
    params(("id" = crate::openapi::EvidenceNumber, Path, description = "The evidence number, with `-n` for the n-th entry of a batch")),
    responses((status = 200, description = "The certificate in Chinese and English", body = crate::openapi::Binary, content_type = "application/pdf")))]
pub async fn certificate_pdf(
    State(gateway): State<Shared>,
    segment: Segment,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    request::accepted(&headers, &["application/pdf"])?;
    let number = number(&segment)?;
    let row = find(&gateway, number).await?;
    let file = prove(&gateway, &row).await?;
    let (state, view) = evidence::view_at(&gateway, &row).await?;
    let pdf = certificate::make(&gateway, view, &state, &file).await?;
    let disposition = format!("inline; filename=\"{}.pdf\"", evidence::file_name(number));
    Ok(([(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, disposition)], pdf)
        .into_response())
}

/// Whether a file is deposited: exactly one of three answers
///
/// By its SHA-256, or against the number that it is said to have. The file itself is never sent. A node that lacks the entries of a batch
/// does not say that a file is not deposited, but answers `batch.entries_lacking`.
#[utoipa::path(post, path = "/v1/evidence/check", tag = "evidence", operation_id = "check",
    request_body(content = view::CheckRequest, content_type = "application/json"),
    responses((status = 200, description = "The answer", body = view::CheckAnswer)))]
pub async fn answer(State(gateway): State<Shared>, request: Request) -> Result<Json<view::CheckAnswer>, Failure> {
    request::content_type(request.headers(), &[MEDIA_JSON])?;
    request::accepted(request.headers(), &[MEDIA_JSON])?;
    let body = request::body(request, zhulian_api::JSON_BODY_BYTES_MAX).await?;
    let question = check::Question::read(&body)?;
    Ok(Json(check::answer(&gateway, &question).await?))
}

/// Upload the entries of a batch deposit
///
/// All entries, one after the other, in the order of the batch. They are kept only if they give the root that was deposited; then each
/// is found by its digest and has its own receipt. One upload is read at a time, at 32 KiB a second at least; one that waits for longer
/// than 5 seconds is answered 503 and is sent again later.
#[utoipa::path(post, path = "/v1/evidence/batches/{id}/entries", tag = "evidence", operation_id = "upload_entries",
    params(("id" = crate::openapi::DepositNumber, Path, description = "The evidence number of the batch")),
    request_body(content = crate::openapi::Binary, content_type = "application/cbor-seq"),
    responses((status = 200, description = "The entries are kept", body = view::EntriesAnswer)))]
pub async fn upload(
    State(gateway): State<Shared>,
    segment: Segment,
    mut request: Request,
) -> Result<Json<view::EntriesAnswer>, Failure> {
    request::content_type(request.headers(), &[MEDIA_CBOR_SEQ])?;
    request::accepted(request.headers(), &[MEDIA_JSON])?;
    let number = number(&segment)?;
    if number.entry.is_some() {
        return Err(ErrorCode::NotABatch.into());
    }
    let turn = tokio::time::timeout(gateway.config.upload_wait, gateway.uploads.acquire()).await;
    let Ok(Ok(_permit)) = turn else {
        return Err(Failure::new(ErrorCode::TooBusy, "the entries of another batch are being read"));
    };
    // The client could send nothing while it waited for its turn.
    request.extensions_mut().insert(BodyUntil::within(gateway.config.upload_timeout));
    let row = find(&gateway, number).await?;
    let (root, count) = evidence::batch(&gateway, &row).await?;
    let body = request::body_at(request, zhulian_api::ENTRIES_BODY_BYTES_MAX, Pace::OTHERS_WAIT).await?;
    let checked = tokio::task::spawn_blocking(move || entries::check(&body, root, count)).await;
    let entries = checked.map_err(|_| Failure::from(ErrorCode::Internal))??;
    gateway.backend.put_batch_entries(row.transaction, root, entries).await?;
    Ok(Json(view::EntriesAnswer { id: EvidenceId::of(&row.transaction).to_string(), entries: count }))
}
