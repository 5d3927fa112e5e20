//! Reading requests strictly: query parameters, parts of the path, bodies, and what the client accepts.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use futures::StreamExt;
use tokio::time::Instant;
use zhulian_api::{ErrorCode, Hex32, LIMIT_DEFAULT, LIMIT_MAX};

use crate::{Failure, listener::Peer};

/// The query of a request, not yet read.
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        pairs
            .map(|Query(pairs)| Self(pairs))
            .map_err(|_| Failure::new(ErrorCode::MalformedQuery, "the query string cannot be read"))
    }
}

impl Params {
    /// Refuses parameters that are not among `known`, or given twice.
    pub fn only(self, known: &[&'static str]) -> Result<Self, Failure> {
        let mut seen = BTreeSet::new();
        for (name, _) in &self.0 {
            let Some(name) = known.iter().find(|known| *known == name) else {
                let known = if known.is_empty() { "takes none".into() } else { format!("takes {}", known.join(", ")) };
                return Err(Failure::new(ErrorCode::MalformedQuery, format!("unknown parameter; this address {known}")));
            };
            if !seen.insert(name) {
                return Err(Failure::new(ErrorCode::MalformedQuery, format!("{name}: given twice")));
            }
        }
        Ok(self)
    }

    /// The parameter's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The parameter read by `read`, which gives what is expected if it fails.
    pub fn get<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, Failure> {
        let read = |text| read(text).map_err(|why| Failure::new(ErrorCode::MalformedQuery, format!("{name}: {why}")));
        self.text(name).map(read).transpose()
    }

    /// A whole number between two bounds.
    pub fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Failure> {
        self.get(name, |text| number(text, min, max))
    }

    /// `limit`.
    pub fn limit(&self) -> Result<usize, Failure> {
        let limit = self.number("limit", 1, LIMIT_MAX as u64)?;
        Ok(limit.map_or(LIMIT_DEFAULT, |limit| limit as usize))
    }

    /// A block time in milliseconds.
    pub fn time(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.number(name, 0, NUMBER_MAX)
    }
}

/// The largest number that is read: what a signed 64-bit integer holds, since stores and other languages have no more.
pub const NUMBER_MAX: u64 = i64::MAX as u64;

/// Decimal digits without sign, space or leading zero.
pub fn number(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    let value = if plain { text.parse().ok() } else { None };
    value.filter(|value| (min..=max).contains(value)).ok_or_else(|| format!("expected a whole number from {min} to {max}"))
}

/// 64 hexadecimal digits.
pub fn hex32(text: &str) -> Result<Hex32, String> {
    Hex32::from_str(text).map_err(|error| error.to_string())
}

/// The form of a unified social credit code; whether one exists is another question.
pub fn organisation_code(text: &str) -> Result<String, String> {
    let form = text.len() == 18 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if form { Ok(text.into()) } else { Err("expected a unified social credit code: 18 characters from 0-9 and A-Z".into()) }
}

/// The form of a rule pack's id; whether one exists is another question.
pub fn pack_id(text: &str) -> Result<String, String> {
    let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let form = (2..=32).contains(&text.len()) && letters && text.starts_with(|c: char| c.is_ascii_lowercase());
    if form { Ok(text.into()) } else { Err("expected a rule pack: 2 to 32 of a-z, 0-9 and -, a letter first".into()) }
}

/// The one variable part of an address.
pub struct Segment(String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let segment = Path::<String>::from_request_parts(parts, state).await;
        segment
            .map(|Path(text)| Self(text))
            .map_err(|_| Failure::new(ErrorCode::MalformedPath, "the path is not valid UTF-8"))
    }
}

impl Segment {
    /// The part read by `read`, which gives what is expected if it fails.
    pub fn get<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Failure> {
        read(&self.0).map_err(|why| Failure::new(ErrorCode::MalformedPath, format!("{name}: {why}")))
    }
}

/// The two variable parts of an address.
pub struct Segments(Segment, Segment);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let segments = Path::<(String, String)>::from_request_parts(parts, state).await;
        segments
            .map(|Path((first, second))| Self(Segment(first), Segment(second)))
            .map_err(|_| Failure::new(ErrorCode::MalformedPath, "the path is not valid UTF-8"))
    }
}

impl Segments {
    /// The parts, each read by its function.
    pub fn get<A, B>(
        &self,
        (first, read_first): (&str, impl FnOnce(&str) -> Result<A, String>),
        (second, read_second): (&str, impl FnOnce(&str) -> Result<B, String>),
    ) -> Result<(A, B), Failure> {
        Ok((self.0.get(first, read_first)?, self.1.get(second, read_second)?))
    }
}

/// Which of `media` the body is.
pub fn content_type(headers: &HeaderMap, media: &[&'static str]) -> Result<&'static str, Failure> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    media.iter().find(|known| known.eq_ignore_ascii_case(essence)).copied().ok_or_else(|| {
        Failure::new(ErrorCode::UnsupportedMediaType, format!("the body must be of type {}", media.join(" or ")))
    })
}

/// Which of `media`, in the order of our preference, the client accepts. Quality values other than zero are not weighed.
pub fn accepted(headers: &HeaderMap, media: &[&'static str]) -> Result<&'static str, Failure> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        ranges.extend(value.to_str().unwrap_or("").split(','));
    }
    if ranges.iter().all(|range| range.trim().is_empty()) {
        return Ok(media[0]);
    }
    let takes = |known: &str, wild: bool| {
        ranges.iter().any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or("");
            let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0f32)));
            let (family, _) = known.split_once('/').unwrap_or((known, ""));
            let matches = if wild {
                name == "*/*" || name.strip_suffix("/*").is_some_and(|given| given.eq_ignore_ascii_case(family))
            } else {
                name.eq_ignore_ascii_case(known)
            };
            matches && !refused
        })
    };
    // A type named outright goes before one that a wildcard takes.
    let named = media.iter().find(|known| takes(known, false)).or_else(|| media.iter().find(|known| takes(known, true)));
    named.copied().ok_or_else(|| Failure::new(ErrorCode::NotAcceptable, format!("available as {}", media.join(" or "))))
}

/// When the body of a request must be read at the latest.
#[derive(Clone, Copy)]
pub struct BodyUntil(Instant);

impl BodyUntil {
    /// Of a request that may take so long from now on. A body that is late is the client's matter, and is told before that time is up.
    pub fn within(timeout: Duration) -> Self {
        Self(Instant::now() + timeout * 9 / 10)
    }
}

/// How slowly a body may come.
#[derive(Clone, Copy)]
pub struct Pace {
    /// How long it may take before it must come at the rate.
    grace: Duration,
    /// The least rate, in bytes a second.
    rate: u64,
}

impl Pace {
    /// While others are read, too.
    pub const ALONE: Self = Self { grace: Duration::from_secs(15), rate: 4 << 10 };
    /// While others wait for it, so that nobody keeps them waiting at leisure.
    pub const OTHERS_WAIT: Self = Self { grace: Duration::from_secs(10), rate: 32 << 10 };
}

/// Reads a body of at most `bytes_max` bytes, and at least one.
pub async fn body(request: Request, bytes_max: usize) -> Result<Bytes, Failure> {
    body_at(request, bytes_max, Pace::ALONE).await
}

/// Reads a body of at most `bytes_max` bytes, and at least one, that comes no slower than `pace`.
pub async fn body_at(request: Request, bytes_max: usize, pace: Pace) -> Result<Bytes, Failure> {
    let too_large = || Failure::new(ErrorCode::BodyTooLarge, format!("the body may have at most {bytes_max} bytes"));
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let (begun, until) = (Instant::now(), request.extensions().get::<BodyUntil>().copied());
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let _awaited = peer.map(|ConnectInfo(peer)| peer.awaits_body());
    let mut stream = Body::into_data_stream(request.into_body());
    let mut first = Bytes::new();
    let mut rest = Vec::new();
    loop {
        let received = first.len().max(rest.len()) as u64;
        let due = begun + pace.grace + Duration::from_millis(received * 1_000 / pace.rate);
        let due = until.map_or(due, |BodyUntil(until)| due.min(until));
        let chunk = tokio::time::timeout_at(due, stream.next()).await;
        let Some(chunk) = chunk.map_err(|_| Failure::from(ErrorCode::BodyTooSlow))? else { break };
        let chunk =
            chunk.map_err(|_| Failure::new(ErrorCode::MalformedBody, "the body ended before its announced length"))?;
        if first.len().max(rest.len()) + chunk.len() > bytes_max {
            return Err(too_large());
        }
        // A body that comes in one piece is not copied.
        if first.is_empty() && rest.is_empty() {
            first = chunk;
        } else {
            if rest.is_empty() {
                rest.reserve(announced.unwrap_or(first.len() + chunk.len()));
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&chunk);
        }
    }
    let body = if rest.is_empty() { first } else { rest.into() };
    if body.is_empty() { Err(ErrorCode::EmptyBody.into()) } else { Ok(body) }
}
