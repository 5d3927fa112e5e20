//! Health and metrics.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use zhulian_api::{ErrorCode, view};

use crate::{Failure, Phase, Shared, metrics};

/// Whether the process is up
///
/// 200 as long as the process runs and answers HTTP. It says nothing of the engine, the disk, the other validators or the network: restart
/// a process that does not answer this, and for no other reason.
#[utoipa::path(get, path = "/health/live", tag = "operation", operation_id = "live",
    responses((status = 200, description = "It is", body = view::Health)))]
pub async fn live() -> Json<view::Health> {
    Json(view::Health { ok: true })
}

/// Whether this node serves and would vote
///
/// 200 when its engine answers, it has opened or fetched the state, it knows the protocol in force, and no stored record was found damaged;
/// else 503 (500 for damage) with the reason. It is about this node alone: a node is ready, too, while the network makes no block because too few
/// validators are up, for it serves what is final and votes as soon as they are back. That the network stands is said by `stall` in
/// `/v1/status`, by `/v1/diagnosis` and by `/metrics`.
#[utoipa::path(get, path = "/health/ready", tag = "operation", operation_id = "ready",
    responses((status = 200, description = "It does", body = view::Health)))]
pub async fn ready(State(gateway): State<Shared>) -> Result<Json<view::Health>, Failure> {
    let status = gateway.backend.status();
    if let Some(place) = status.damage.first() {
        return Err(Failure::new(ErrorCode::Damaged, format!("stored data is damaged, first at: {place}")));
    }
    let protocol = status.protocol();
    if let Some((en, _)) = protocol.unknown().filter(|_| protocol.is_blocked()) {
        return Err(Failure::new(ErrorCode::NotReady, format!("{en}: install a newer one")));
    }
    match status.phase {
        Phase::Running => Ok(Json(view::Health { ok: true })),
        // A node whose engine no longer answers counts as starting, too, and says so.
        Phase::Starting => {
            Err(Failure::new(ErrorCode::NotReady, status.stall.unwrap_or_else(|| "the node is starting".into())))
        }
        Phase::Syncing => Err(Failure::new(ErrorCode::NotReady, "the node is fetching the state from the others")),
    }
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", operation_id = "metrics",
    responses((status = 200, description = "Prometheus' text format", body = String, content_type = "text/plain")))]
pub async fn metrics(State(gateway): State<Shared>) -> Result<Response, Failure> {
    let node = gateway.backend.metrics().await?;
    let text = metrics::exposition(&[&node, &gateway.metrics.render()]);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
