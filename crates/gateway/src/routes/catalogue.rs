//! What the API says about itself.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use zhulian_api::{ErrorCode, view};

use crate::{Shared, refusals};

/// Every error and refusal with its stable code
#[utoipa::path(get, path = "/v1/errors", tag = "operation", operation_id = "errors",
    responses((status = 200, description = "The catalogue", body = view::ErrorCatalogue)))]
pub async fn errors() -> Json<view::ErrorCatalogue> {
    let own = ErrorCode::ALL.iter().map(|code| {
        let entry = code.entry();
        view::ErrorView {
            code: entry.code.into(),
            status: entry.status,
            zh: entry.zh.into(),
            en: entry.en.into(),
            remedy_zh: entry.remedy_zh.into(),
            remedy_en: entry.remedy_en.into(),
            retry: entry.retry,
        }
    });
    Json(view::ErrorCatalogue { items: own.chain(refusals::catalogue()).collect() })
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "operation", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = crate::openapi::AnyObject)))]
pub async fn openapi(State(gateway): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, zhulian_api::MEDIA_JSON)], gateway.openapi.clone()).into_response()
}
