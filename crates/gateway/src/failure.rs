//! Every way in which a request can fail, as one type that becomes a problem body.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use zhulian_api::{ErrorCode, PROBLEM_MEDIA_TYPE, Problem};

use crate::BackendError;

/// Why a request is not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: ErrorCode,
    detail: String,
}

/// How long to wait before the next try, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

impl Failure {
    /// A failure with its exact reason, which never repeats what was sent.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The problem body.
    pub fn problem(&self) -> Problem {
        let entry = self.code.entry();
        Problem {
            kind: format!("/v1/errors#{}", entry.code),
            title: status(entry.status).canonical_reason().unwrap_or("Error").into(),
            status: entry.status,
            detail: self.detail.clone(),
            code: entry.code.into(),
            zh: entry.zh.into(),
            en: entry.en.into(),
            remedy_zh: entry.remedy_zh.into(),
            remedy_en: entry.remedy_en.into(),
            retry: entry.retry,
        }
    }
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.entry().en)
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::NotReady => ErrorCode::NotReady.into(),
            BackendError::Overloaded => ErrorCode::TooBusy.into(),
            BackendError::Stopping => ErrorCode::Stopping.into(),
            BackendError::Damaged(what) => {
                tracing::error!(%what, "stored data is damaged and not served");
                ErrorCode::Damaged.into()
            }
            BackendError::Archived(height) => {
                let detail = format!("block {height} was moved to this node's archive, which cannot be read now");
                Self::new(ErrorCode::BlockArchived, detail)
            }
            BackendError::Internal(what) => {
                tracing::error!(%what, "a request failed by our own fault");
                ErrorCode::Internal.into()
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = self.problem();
        let body = serde_json::to_vec(&problem).expect("a problem has only strings and numbers");
        let mut response = (status(problem.status), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        if matches!(problem.status, 429 | 503) && problem.retry {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        response
    }
}
