//! The router and the server.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Instant,
};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use tokio::{net::TcpListener, sync::Semaphore};
use zhulian_api::{ErrorCode, WAIT_MS_MAX};
use zhulian_document::Fonts;

use crate::{
    Backend, Config, Failure, Shutdown,
    listener::{Bounded, Peer},
    metrics::Metrics,
    openapi,
    request::BodyUntil,
    routes,
    routes::page,
};

/// Everything that handlers share.
pub struct Gateway {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) openapi: Bytes,
    pub(crate) assets: Vec<page::Tagged>,
    pub(crate) requests: Semaphore,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) uploads: Semaphore,
    pub(crate) shutdown: Shutdown,
    /// Loaded when the first certificate is asked for; the text says why there are none.
    pub(crate) fonts: OnceLock<Fonts>,
}

/// The shared state of handlers.
pub(crate) type Shared = Arc<Gateway>;

/// The router over a backend. Event streams end when `shutdown` is given.
pub fn router(backend: Arc<dyn Backend>, config: Config, shutdown: Shutdown) -> Router {
    let gateway = Arc::new(Gateway {
        backend,
        metrics: Metrics::default(),
        openapi: openapi::text().into(),
        assets: page::tagged(),
        requests: Semaphore::new(config.requests_max),
        streams: Arc::new(Semaphore::new(config.streams_max)),
        uploads: Semaphore::new(config.uploads_max),
        config,
        shutdown,
        fonts: OnceLock::new(),
    });
    Router::new()
        .route("/v1/network", get(routes::node::network))
        .route("/v1/status", get(routes::node::status))
        .route("/v1/diagnosis", get(routes::node::diagnosis))
        .route("/v1/validators", get(routes::node::validators))
        .route("/v1/transactions", post(routes::submit::submit).get(routes::transactions::list))
        .route("/v1/transactions/{id}", get(routes::transactions::one))
        .route("/v1/transactions/{id}/receipt", get(routes::transactions::receipt))
        .route("/v1/transactions/{id}/cose-receipt", get(routes::transactions::cose_receipt))
        .route("/v1/blocks", get(routes::blocks::list))
        .route("/v1/blocks/{height}", get(routes::blocks::one))
        .route("/v1/organisations", get(routes::organisations::list))
        .route("/v1/organisations/{uscc}", get(routes::organisations::one))
        .route("/v1/motions", get(routes::organisations::motions))
        .route("/v1/evidence", get(routes::evidence::list))
        .route("/v1/evidence/check", post(routes::evidence::answer))
        .route("/v1/evidence/batches/{id}/entries", post(routes::evidence::upload))
        .route("/v1/evidence/{id}", get(routes::evidence::one))
        .route("/v1/evidence/{id}/history", get(routes::evidence::history))
        .route("/v1/evidence/{id}/receipt", get(routes::evidence::receipt))
        .route("/v1/evidence/{id}/certificate.pdf", get(routes::evidence::certificate_pdf))
        .route("/v1/cases", get(routes::cases::list))
        .route("/v1/cases/{id}", get(routes::cases::one))
        .route("/v1/cases/{id}/history", get(routes::cases::history))
        .route("/v1/tasks", get(routes::cases::tasks))
        .route("/v1/packs", get(routes::packs::list))
        .route("/v1/packs/{pack}", get(routes::packs::one))
        .route("/v1/packs/{pack}/decisions", get(routes::packs::decisions))
        .route("/v1/manifests/{digest}", get(routes::packs::manifest))
        .route("/v1/manifests/{digest}/files/{sha256}", get(routes::packs::file))
        .route("/v1/state/{key}", get(routes::state::one))
        .route("/v1/events", get(routes::events::events))
        .route("/v1/errors", get(routes::catalogue::errors))
        .route("/openapi.json", get(routes::catalogue::openapi))
        .route("/health/live", get(routes::health::live))
        .route("/health/ready", get(routes::health::ready))
        .route("/metrics", get(routes::health::metrics))
        .route("/", get(page::index))
        .method_not_allowed_fallback(|| async { Failure::from(ErrorCode::MethodNotAllowed) })
        .fallback(page::file)
        .layer(middleware::from_fn_with_state(gateway.clone(), guard))
        .layer(middleware::map_response(harden))
        .with_state(gateway)
}

/// Serves until `shutdown` is given; requests under way are finished.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(listener: TcpListener, backend: Arc<dyn Backend>, config: Config, shutdown: Shutdown) -> io::Result<()> {
    let listener = Bounded::new(listener, &config);
    let router = router(backend, config, shutdown.clone()).into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, router).with_graceful_shutdown(async move { shutdown.cancelled().await }).await
}

/// Addresses that are served however busy the gateway is, and event streams, which have a limit of their own.
fn is_exempt(path: &str) -> bool {
    matches!(path, "/health/live" | "/health/ready" | "/metrics" | "/v1/events")
}

/// Limits how many requests run at once and for how long, and counts them.
async fn guard(State(gateway): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let busy = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.busy());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let response = limited(&gateway, &route, request, next).await.unwrap_or_else(Failure::into_response);
    let took = started.elapsed();
    gateway.metrics.answered(&method, &route, response.status().as_u16(), took);
    tracing::debug!(%method, route, status = response.status().as_u16(), ms = took.as_millis() as u64, "answered");
    response.map(|body| match busy {
        Some(busy) => busy.until_sent(body),
        None => body,
    })
}

async fn limited(gateway: &Gateway, route: &str, mut request: Request, next: Next) -> Result<Response, Failure> {
    let _permit = match is_exempt(route) {
        true => None,
        false => Some(gateway.requests.try_acquire().map_err(|_| Failure::from(ErrorCode::TooBusy))?),
    };
    let mut timeout = gateway.config.request_timeout;
    if route.ends_with("/entries") {
        timeout = gateway.config.upload_wait + gateway.config.upload_timeout;
    } else if route.starts_with("/v1/transactions") {
        timeout += std::time::Duration::from_millis(WAIT_MS_MAX);
    }
    request.extensions_mut().insert(BodyUntil::within(timeout));
    tokio::time::timeout(timeout, next.run(request)).await.map_err(|_| ErrorCode::TimedOut.into())
}

/// Headers that keep a browser from doing what the page does not need.
static HARDENING: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
         connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

async fn harden(mut response: Response) -> Response {
    for (name, value) in &HARDENING {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if response.status() != StatusCode::NOT_MODIFIED && !response.headers().contains_key(header::CACHE_CONTROL) {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
