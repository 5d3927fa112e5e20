//! Transactions and their receipts.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use zhulian_api::{ErrorCode, MEDIA_CBOR, MEDIA_COSE, MEDIA_JSON, view};
use zhulian_primitives::TransactionId;
use zhulian_verify::ReceiptFile;

use super::submit::wait;
use crate::{
    Failure, Page, PagePosition, Shared, TransactionFilter, TransactionRow,
    cursor::{self, ListKind},
    read,
    request::{self, Params, Segment, hex32, organisation_code},
    show,
};

fn id(segment: &Segment) -> Result<TransactionId, Failure> {
    segment.get("id", hex32).map(|id| TransactionId(id.0))
}

/// Where a transaction stands
#[utoipa::path(get, path = "/v1/transactions/{id}", tag = "transactions", operation_id = "transaction",
    params(
        ("id" = zhulian_api::Hex32, Path, description = "The transaction's id: SHA-256 of its bytes"),
        ("wait" = Option<crate::openapi::WaitFor>, Query, description = "`finalised` waits for a terminal state"),
        ("timeout_ms" = Option<u64>, Query, minimum = 0, maximum = 60000, description = "How long to wait; 10,000 if not given"),
    ),
    responses((status = 200, description = "The transaction; `unknown` if it was never heard of here", body = view::TransactionView)))]
pub async fn one(
    State(gateway): State<Shared>,
    segment: Segment,
    params: Params,
) -> Result<Json<view::TransactionView>, Failure> {
    let params = params.only(&["wait", "timeout_ms"])?;
    let wait = wait(&params)?;
    let id = id(&segment)?;
    let state = match wait {
        Some(timeout) => gateway.backend.wait(id, timeout).await?,
        None => gateway.backend.transaction(id).await?,
    };
    Ok(Json(show::transaction(id, &state, true)))
}

/// The receipt file of a finalised transaction
///
/// `application/cbor` is the receipt file (`.zlr`), which proves the transaction to whoever holds the network identity;
/// `application/json` only shows it.
#[utoipa::path(get, path = "/v1/transactions/{id}/receipt", tag = "transactions", operation_id = "transaction_receipt",
    params(("id" = zhulian_api::Hex32, Path, description = "The transaction's id")),
    responses((status = 200, description = "The receipt", content(
        (crate::openapi::Binary = "application/cbor"),
        (crate::openapi::AnyObject = "application/json"),
    ))))]
pub async fn receipt(State(gateway): State<Shared>, segment: Segment, headers: HeaderMap) -> Result<Response, Failure> {
    let media = request::accepted(&headers, &[MEDIA_CBOR, MEDIA_JSON])?;
    let id = id(&segment)?;
    let outcome = read::outcome(&*gateway.backend, id).await?;
    let file = read::receipt_file(&*gateway.backend, outcome.position).await?;
    Ok(receipt_response(media, &file, &id.to_string()))
}

/// A receipt file as asked for.
pub fn receipt_response(media: &'static str, file: &ReceiptFile, name: &str) -> Response {
    if media == MEDIA_JSON {
        return Json(zhulian_verify::receipt_json(file)).into_response();
    }
    let disposition = format!("attachment; filename=\"{name}.zlr\"");
    ([(header::CONTENT_TYPE, MEDIA_CBOR.to_owned()), (header::CONTENT_DISPOSITION, disposition)], file.encode())
        .into_response()
}

/// The COSE receipt (RFC 9942) of a finalised transaction
///
/// It is signed by the node that answers and proves the transaction's place in its block to stock tools; the leaf's entry is the
/// transaction's bytes.
#[utoipa::path(get, path = "/v1/transactions/{id}/cose-receipt", tag = "transactions", operation_id = "cose_receipt",
    params(("id" = zhulian_api::Hex32, Path, description = "The transaction's id")),
    responses((status = 200, description = "The COSE receipt", body = crate::openapi::Binary, content_type = "application/cose")))]
pub async fn cose_receipt(State(gateway): State<Shared>, segment: Segment, headers: HeaderMap) -> Result<Response, Failure> {
    request::accepted(&headers, &[MEDIA_COSE])?;
    let id = id(&segment)?;
    let receipt = match gateway.backend.cose_receipt(id).await? {
        Some(receipt) => receipt,
        None => {
            read::outcome(&*gateway.backend, id).await?;
            return Err(ErrorCode::TransactionNotFound.into());
        }
    };
    Ok(([(header::CONTENT_TYPE, MEDIA_COSE)], receipt).into_response())
}

/// Finalised transactions, newest first
#[utoipa::path(get, path = "/v1/transactions", tag = "transactions", operation_id = "transactions",
    params(
        ("organisation" = Option<crate::openapi::OrganisationCode>, Query, description = "Unified social credit code of the signer's organisation"),
        ("module" = Option<crate::openapi::ModuleName>, Query, description = "The called module"),
        ("from" = Option<u64>, Query, minimum = 0, maximum = 9223372036854775807u64, description = "Block time at or after this, in milliseconds"),
        ("to" = Option<u64>, Query, minimum = 0, maximum = 9223372036854775807u64, description = "Block time before this, in milliseconds"),
        ("cursor" = Option<crate::openapi::TransactionCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The transactions", body = view::TransactionList)))]
pub async fn list(State(gateway): State<Shared>, params: Params) -> Result<Json<view::TransactionList>, Failure> {
    let params = params.only(&["organisation", "module", "from", "to", "cursor", "limit"])?;
    let filter = TransactionFilter {
        organisation: params.get("organisation", organisation_code)?,
        module: params.get("module", module_name)?,
        from: params.time("from")?,
        to: params.time("to")?,
    };
    let limit = params.limit()?;
    let before = params.text("cursor").map(|text| cursor::read(ListKind::Transactions, text)).transpose()?;
    // One more than asked tells whether there is a next part.
    let mut rows = gateway.backend.transactions(filter, Page { before, limit: limit + 1 }).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|row| PagePosition { position: row.position, item: 0 });
    let next = last.filter(|_| more).map(|at| cursor::write(ListKind::Transactions, at));
    Ok(Json(view::TransactionList { items: rows.into_iter().map(row).collect(), next }))
}

fn row(row: TransactionRow) -> view::TransactionRow {
    view::TransactionRow {
        id: row.id.into(),
        state: if row.refusal.is_some() { view::TransactionState::Refused } else { view::TransactionState::Finalised },
        height: row.position.height,
        index: row.position.index,
        time_ms: row.time,
        module: row.module,
        call: row.call,
        organisation: row.organisation,
        refusal: row.refusal.as_ref().map(show::refusal),
    }
}

fn module_name(text: &str) -> Result<String, String> {
    let form = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if form { Ok(text.into()) } else { Err("expected a module name: 1 to 32 characters from a-z and _".into()) }
}
