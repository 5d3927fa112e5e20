//! Submission: one or many transactions in one request, an answer for each.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use bytes::Bytes;
use futures::future;
use std::time::Duration;
use zhulian_api::{
    ErrorCode, MEDIA_CBOR_SEQ, MEDIA_COSE, TRANSACTIONS_BODY_BYTES_MAX, TRANSACTIONS_PER_REQUEST_MAX, WAIT_MS_DEFAULT,
    WAIT_MS_MAX, view,
};
use zhulian_primitives::TransactionId;

use crate::{
    Failure, Shared, Submission,
    request::{self, Params},
    sequence, show,
};

/// How long a request waits: `None` is not at all.
pub fn wait(params: &Params) -> Result<Option<Duration>, Failure> {
    let finalised = params.get("wait", |text| match text {
        "finalised" => Ok(true),
        "none" => Ok(false),
        _ => Err("expected finalised or none".into()),
    })?;
    let timeout = params.number("timeout_ms", 0, WAIT_MS_MAX)?;
    Ok((finalised == Some(true)).then(|| Duration::from_millis(timeout.unwrap_or(WAIT_MS_DEFAULT))))
}

/// Submit one transaction, or many
///
/// `application/cose` is one COSE_Sign1; `application/cbor-seq` is up to 1,000 of them one after the other. Each has its own answer, in
/// the order sent: what is wrong with one hides none of the others. The same bytes may be submitted again at any time; they are
/// executed once. From the point where a sequence is no CBOR any more, the rest counts as one malformed transaction.
#[utoipa::path(post, path = "/v1/transactions", tag = "transactions", operation_id = "submit",
    params(
        ("wait" = Option<crate::openapi::WaitFor>, Query, description = "`finalised` waits until all are in a terminal state"),
        ("timeout_ms" = Option<u64>, Query, minimum = 0, maximum = 60000, description = "How long to wait; 10,000 if not given"),
    ),
    request_body(content(
        (crate::openapi::Binary = "application/cose"),
        (crate::openapi::Binary = "application/cbor-seq"),
    )),
    responses(
        (status = 200, description = "All are in a terminal state", body = view::Submitted),
        (status = 202, description = "Some wait for a block", body = view::Submitted),
    ))]
pub async fn submit(
    State(gateway): State<Shared>,
    params: Params,
    request: Request,
) -> Result<(StatusCode, Json<view::Submitted>), Failure> {
    let params = params.only(&["wait", "timeout_ms"])?;
    let wait = wait(&params)?;
    let media = request::content_type(request.headers(), &[MEDIA_COSE, MEDIA_CBOR_SEQ])?;
    request::accepted(request.headers(), &[zhulian_api::MEDIA_JSON])?;
    let body = request::body(request, TRANSACTIONS_BODY_BYTES_MAX).await?;
    let items = if media == MEDIA_COSE { vec![body] } else { sequence::split(&body, TRANSACTIONS_PER_REQUEST_MAX)? };

    let mut views = submitted(&gateway, items).await?;
    if let Some(timeout) = wait {
        let backend = &gateway.backend;
        let pending = views.iter_mut().filter(|view| view.state == view::TransactionState::Pending);
        let waits = pending.filter_map(|view| {
            let id = TransactionId(view.id?.0);
            Some(async move {
                *view = show::transaction(id, &backend.wait(id, timeout).await?, false);
                Ok::<_, Failure>(())
            })
        });
        future::try_join_all(waits).await?;
    }
    let settled = views.iter().all(|view| view.state.is_terminal());
    let status = if settled { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(view::Submitted { transactions: views })))
}

async fn submitted(gateway: &Shared, items: Vec<Bytes>) -> Result<Vec<view::TransactionView>, Failure> {
    let count = items.len();
    gateway.metrics.received(count);
    let answers = gateway.backend.submit(items).await?;
    if answers.len() != count {
        tracing::error!(count, answers = answers.len(), "the node did not answer for each transaction");
        return Err(ErrorCode::Internal.into());
    }
    // Nothing was taken for want of room: that is the request's failure, and the client should slow down.
    let full = |answer: &Submission| matches!(answer, Submission::MempoolFull(_) | Submission::ShareFull(_));
    if answers.iter().all(full) {
        let whole = answers.iter().any(|answer| matches!(answer, Submission::MempoolFull(_)));
        return Err(if whole { ErrorCode::MempoolFull } else { ErrorCode::MempoolShareFull }.into());
    }
    Ok(answers.into_iter().map(answered).collect())
}

fn answered(answer: Submission) -> view::TransactionView {
    match answer {
        Submission::Taken(id) => show::plain(id, view::TransactionState::Pending),
        Submission::Refused(id, code) => show::refused(id, &code),
        Submission::MempoolFull(id) => busy(id, ErrorCode::MempoolFull),
        Submission::ShareFull(id) => busy(id, ErrorCode::MempoolShareFull),
    }
}

fn busy(id: TransactionId, code: ErrorCode) -> view::TransactionView {
    let entry = code.entry();
    let refusal = view::RefusalView {
        code: entry.code.into(),
        zh: entry.zh.into(),
        en: entry.en.into(),
        remedy_zh: entry.remedy_zh.into(),
        remedy_en: entry.remedy_en.into(),
        status: entry.status,
        retry: entry.retry,
    };
    view::TransactionView { refusal: Some(refusal), ..show::plain(id, view::TransactionState::Busy) }
}
