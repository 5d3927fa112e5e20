//! A typed client for every endpoint, over HTTP/1.1 with kept connections.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use reqwest::{Method, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{Hex32, MEDIA_CBOR, MEDIA_CBOR_SEQ, MEDIA_COSE, MEDIA_JSON, MEDIA_OCTETS, Problem, diagnosis::Diagnosis, view};

/// Why a call did not give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The node answered with a problem.
    #[error("{}: {} ({})", .problem.code, .problem.en, .problem.detail)]
    Problem {
        /// The problem.
        problem: Box<Problem>,
        /// How long to wait before the next try, if the node says.
        retry_after: Option<Duration>,
    },
    /// An answer that is neither what was asked nor a problem: not a node of this kind, or something between.
    #[error("unexpected answer with status {0}")]
    Unexpected(u16),
    /// The node is not reached, or the connection broke.
    #[error("the node is not reached: {0}")]
    Transport(#[source] reqwest::Error),
    /// The node did not answer in the time allowed.
    #[error("the node did not answer in time")]
    Silent,
    /// The address sends its clients elsewhere. That is not followed: a transaction would come as a question, or to somebody else.
    #[error("the address refers to {location} (status {status}), which is not followed")]
    Redirected {
        /// The status, 300 to 399.
        status: u16,
        /// Whereto: the address of a gateway, if the path was left as it is; without what was asked.
        location: String,
    },
    /// The answer is larger than any of a node is.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer is not of the published form.
    #[error("the answer is not of the published form: {0}")]
    Form(#[source] serde_json::Error),
}

impl ClientError {
    /// The stable code, if the node gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem { problem, .. } => Some(&problem.code),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn retry(&self) -> bool {
        match self {
            Self::Problem { problem, .. } => problem.retry,
            Self::Transport(_) | Self::Silent => true,
            // Something between says that it does not reach the node, as while that restarts.
            Self::Unexpected(status) => matches!(status, 502..=504),
            _ => false,
        }
    }
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            return Self::Silent;
        }
        // The address may hold ids that are nobody's business in a log.
        Self::Transport(error.without_url())
    }
}

/// Whether to wait until transactions are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Answer at once.
    No,
    /// Answer when all are in a terminal state, or after this time.
    Finalised(Duration),
}

/// Conditions of a list: pairs of parameter and value. Empty ones are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// No condition.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition if there is a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

/// A server-sent event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEvent {
    /// `block`, or the module that says so.
    pub event: String,
    /// `height:index`; give it to [`Client::events`] to go on after it.
    pub id: String,
    /// Its JSON.
    pub data: String,
}

/// A stream of server-sent events.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<ServerEvent, ClientError>> + Send>>;

/// A client of one node. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    patience: Duration,
    silence: Duration,
}

/// How long a connection may take, and any answer beyond what it was asked to wait.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
/// For the answer to come that the node gives at the end of the time that it was asked to wait.
const GRACE: Duration = Duration::from_secs(1);
/// A stream of events on which nothing comes for so long is dead: the node says every 15 seconds that it is alive.
const EVENTS_SILENCE: Duration = Duration::from_secs(45);
/// Bytes of an answer that are read: the largest, a receipt file in JSON and a list of the largest events, are some tens of MiB.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Bytes of a problem.
const PROBLEM_BYTES_MAX: usize = 64 << 10;

impl Client {
    /// A client of the node at `base`, for example `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the operating system lets no client be made.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("zhulian/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), patience: Duration::MAX, silence: EVENTS_SILENCE })
    }

    /// Gives up an answer that has not come after this time, also one that was asked to wait for longer; an upload of entries has its own.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// After how long an answer is given up that is not asked to wait.
    pub fn patience(&self) -> Duration {
        ANSWER_TIMEOUT.min(self.patience)
    }

    /// How long an answer may take that is asked to wait for `wait`.
    fn within(&self, wait: Duration) -> Duration {
        if wait.is_zero() {
            return self.patience();
        }
        (ANSWER_TIMEOUT + wait).min(self.patience.max(wait).saturating_add(GRACE))
    }

    /// The node's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    fn request(&self, method: Method, path: &str, query: &Query) -> reqwest::RequestBuilder {
        let mut address = format!("{}{path}", self.base);
        for (index, (name, value)) in query.0.iter().enumerate() {
            address.push(if index == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            percent(&mut address, value);
        }
        self.http.request(method, address).timeout(self.patience())
    }

    async fn answer(request: reqwest::RequestBuilder) -> Result<reqwest::Response, ClientError> {
        let response = request.send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if let Some(location) = response.headers().get(header::LOCATION).filter(|_| status.is_redirection()) {
            let location = referred(&String::from_utf8_lossy(location.as_bytes()), response.url().path());
            return Err(ClientError::Redirected { status: status.as_u16(), location });
        }
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = match Self::read(response, PROBLEM_BYTES_MAX).await {
            Err(ClientError::TooLarge(_)) => Vec::new(),
            body => body?,
        };
        match serde_json::from_slice(&body) {
            Ok(problem) => Err(ClientError::Problem { problem: Box::new(problem), retry_after }),
            Err(_) => Err(ClientError::Unexpected(status.as_u16())),
        }
    }

    /// The body, if it has no more than so many bytes.
    async fn read(mut response: reqwest::Response, max: usize) -> Result<Vec<u8>, ClientError> {
        let told = response.content_length().unwrap_or(0);
        if told > max as u64 {
            return Err(ClientError::TooLarge(max));
        }
        let mut body = Vec::with_capacity(told as usize);
        while let Some(chunk) = response.chunk().await? {
            if chunk.len() > max - body.len() {
                return Err(ClientError::TooLarge(max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn whole(request: reqwest::RequestBuilder) -> Result<Vec<u8>, ClientError> {
        Self::read(Self::answer(request).await?, ANSWER_BYTES_MAX).await
    }

    async fn json<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, ClientError> {
        let body = Self::whole(request).await?;
        serde_json::from_slice(&body).map_err(ClientError::Form)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: Query) -> Result<T, ClientError> {
        Self::json(self.request(Method::GET, path, &query)).await
    }

    async fn bytes(&self, path: &str, accept: &'static str) -> Result<Vec<u8>, ClientError> {
        let request = self.request(Method::GET, path, &Query::new()).header(header::ACCEPT, accept);
        Self::whole(request).await
    }

    /// The network's identity and parameters.
    pub async fn network(&self) -> Result<view::NetworkView, ClientError> {
        self.get("/v1/network", Query::new()).await
    }

    /// How the node is.
    pub async fn status(&self) -> Result<view::StatusView, ClientError> {
        self.get("/v1/status", Query::new()).await
    }

    /// What keeps the network from going on, or soon may.
    pub async fn diagnosis(&self) -> Result<Diagnosis, ClientError> {
        self.get("/v1/diagnosis", Query::new()).await
    }

    /// The validators.
    pub async fn validators(&self) -> Result<view::Validators, ClientError> {
        self.get("/v1/validators", Query::new()).await
    }

    /// Submits transactions in one request; one answer for each, in order. `transactions` are COSE_Sign1 bytes.
    ///
    /// A problem is the answer only when none was looked at; see the state of each otherwise.
    pub async fn submit(
        &self,
        transactions: &[impl AsRef<[u8]>],
        wait: Wait,
    ) -> Result<Vec<view::TransactionView>, ClientError> {
        let mut body = Vec::with_capacity(transactions.iter().map(|transaction| transaction.as_ref().len()).sum());
        for transaction in transactions {
            body.extend_from_slice(transaction.as_ref());
        }
        let media = if transactions.len() == 1 { MEDIA_COSE } else { MEDIA_CBOR_SEQ };
        self.submit_body(body.into(), media, wait).await
    }

    /// Submits transactions that lie one after the other in `body` already; nothing is copied.
    pub async fn submit_sequence(&self, body: Bytes, wait: Wait) -> Result<Vec<view::TransactionView>, ClientError> {
        self.submit_body(body, MEDIA_CBOR_SEQ, wait).await
    }

    async fn submit_body(
        &self,
        body: Bytes,
        media: &'static str,
        wait: Wait,
    ) -> Result<Vec<view::TransactionView>, ClientError> {
        let (query, extra) = waiting(wait);
        let request = self
            .request(Method::POST, "/v1/transactions", &query)
            .timeout(self.within(extra))
            .header(header::CONTENT_TYPE, media)
            .body(body);
        Ok(Self::json::<view::Submitted>(request).await?.transactions)
    }

    /// Where a transaction stands.
    pub async fn transaction(&self, id: Hex32, wait: Wait) -> Result<view::TransactionView, ClientError> {
        let (query, extra) = waiting(wait);
        let request = self.request(Method::GET, &format!("/v1/transactions/{id}"), &query);
        Self::json(request.timeout(self.within(extra))).await
    }

    /// Finalised transactions: `organisation`, `module`, `from`, `to`, `cursor`, `limit`.
    pub async fn transactions(&self, query: Query) -> Result<view::TransactionList, ClientError> {
        self.get("/v1/transactions", query).await
    }

    /// The receipt file of a finalised transaction.
    pub async fn receipt(&self, id: Hex32) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/transactions/{id}/receipt"), MEDIA_CBOR).await
    }

    /// The JSON view of a receipt file.
    pub async fn receipt_json(&self, id: Hex32) -> Result<serde_json::Value, ClientError> {
        let path = format!("/v1/transactions/{id}/receipt");
        Self::json(self.request(Method::GET, &path, &Query::new()).header(header::ACCEPT, MEDIA_JSON)).await
    }

    /// The RFC 9942 COSE receipt of a finalised transaction.
    pub async fn cose_receipt(&self, id: Hex32) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/transactions/{id}/cose-receipt"), MEDIA_COSE).await
    }

    /// Finalised blocks: `cursor`, `limit`.
    pub async fn blocks(&self, query: Query) -> Result<view::BlockList, ClientError> {
        self.get("/v1/blocks", query).await
    }

    /// A block.
    pub async fn block(&self, height: u64) -> Result<view::BlockDetail, ClientError> {
        self.get(&format!("/v1/blocks/{height}"), Query::new()).await
    }

    /// Organisations: `cursor`, `limit`.
    pub async fn organisations(&self, query: Query) -> Result<view::OrganisationList, ClientError> {
        self.get("/v1/organisations", query).await
    }

    /// An organisation with members and keys.
    pub async fn organisation(&self, uscc: &str) -> Result<view::OrganisationView, ClientError> {
        self.get(&segment("/v1/organisations/", uscc, ""), Query::new()).await
    }

    /// Motions of governance: `cursor`, `limit`.
    pub async fn motions(&self, query: Query) -> Result<view::MotionList, ClientError> {
        self.get("/v1/motions", query).await
    }

    /// Evidence: `sha256`, `organisation`, `from`, `to`, `cursor`, `limit`.
    pub async fn evidence_list(&self, query: Query) -> Result<view::EvidenceList, ClientError> {
        self.get("/v1/evidence", query).await
    }

    /// A piece of evidence by its number.
    pub async fn evidence(&self, id: &str) -> Result<view::EvidenceView, ClientError> {
        self.get(&segment("/v1/evidence/", id, ""), Query::new()).await
    }

    /// All that happened to a piece of evidence.
    pub async fn evidence_history(&self, id: &str) -> Result<view::EvidenceHistory, ClientError> {
        self.get(&segment("/v1/evidence/", id, "/history"), Query::new()).await
    }

    /// The receipt file of a piece of evidence; for an entry of a batch it proves that entry.
    pub async fn evidence_receipt(&self, id: &str) -> Result<Vec<u8>, ClientError> {
        self.bytes(&segment("/v1/evidence/", id, "/receipt"), MEDIA_CBOR).await
    }

    /// The evidence certificate as PDF.
    pub async fn certificate(&self, id: &str) -> Result<Vec<u8>, ClientError> {
        self.bytes(&segment("/v1/evidence/", id, "/certificate.pdf"), "application/pdf").await
    }

    /// Whether a file is deposited.
    pub async fn check(&self, question: &view::CheckRequest) -> Result<view::CheckAnswer, ClientError> {
        Self::json(self.request(Method::POST, "/v1/evidence/check", &Query::new()).json(question)).await
    }

    /// Uploads the entries of a batch deposit, one after the other in `entries`, so that they can be found and proved one by one.
    pub async fn upload_entries(&self, batch: &str, entries: Bytes) -> Result<view::EntriesAnswer, ClientError> {
        let request = self
            .request(Method::POST, &segment("/v1/evidence/batches/", batch, "/entries"), &Query::new())
            .timeout(Duration::from_secs(300))
            .header(header::CONTENT_TYPE, MEDIA_CBOR_SEQ)
            .body(entries);
        Self::json(request).await
    }

    /// Cases: `organisation`, `pack`, `process`, `state`, `due_before`, `cursor`, `limit`.
    pub async fn cases(&self, query: Query) -> Result<view::CaseList, ClientError> {
        self.get("/v1/cases", query).await
    }

    /// A case by its number.
    pub async fn case(&self, id: &str) -> Result<view::CaseView, ClientError> {
        self.get(&segment("/v1/cases/", id, ""), Query::new()).await
    }

    /// What happened to a case: `cursor`, `limit`.
    pub async fn case_history(&self, id: &str, query: Query) -> Result<view::CaseHistory, ClientError> {
        self.get(&segment("/v1/cases/", id, "/history"), query).await
    }

    /// Tasks that wait: `organisation`, which must be given, `role`, `pack`, `cursor`, `limit`.
    pub async fn tasks(&self, query: Query) -> Result<view::TaskList, ClientError> {
        self.get("/v1/tasks", query).await
    }

    /// Rule packs: `cursor`, `limit`.
    pub async fn packs(&self, query: Query) -> Result<view::PackList, ClientError> {
        self.get("/v1/packs", query).await
    }

    /// A rule pack with its versions, drafts and votes.
    pub async fn pack(&self, pack: &str) -> Result<view::PackView, ClientError> {
        self.get(&segment("/v1/packs/", pack, ""), Query::new()).await
    }

    /// Decisions that a rule pack made: `version`, `decision`, `cursor`, `limit`.
    pub async fn pack_decisions(&self, pack: &str, query: Query) -> Result<view::DecisionList, ClientError> {
        self.get(&segment("/v1/packs/", pack, "/decisions"), query).await
    }

    /// What a version or draft of a rule pack is.
    pub async fn manifest(&self, digest: Hex32) -> Result<view::ManifestView, ClientError> {
        self.get(&format!("/v1/manifests/{digest}"), Query::new()).await
    }

    /// The bytes of a file of a rule pack.
    pub async fn pack_file(&self, manifest: Hex32, sha256: Hex32) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/manifests/{manifest}/files/{sha256}"), MEDIA_OCTETS).await
    }

    /// A state value, or its absence, with its proof.
    pub async fn state(&self, key: Hex32) -> Result<view::StateView, ClientError> {
        self.get(&format!("/v1/state/{key}"), Query::new()).await
    }

    /// Every error and refusal.
    pub async fn errors(&self) -> Result<view::ErrorCatalogue, ClientError> {
        self.get("/v1/errors", Query::new()).await
    }

    /// The OpenAPI document.
    pub async fn openapi(&self) -> Result<serde_json::Value, ClientError> {
        self.get("/openapi.json", Query::new()).await
    }

    /// Whether the node's process is up.
    pub async fn live(&self) -> Result<view::Health, ClientError> {
        self.get("/health/live", Query::new()).await
    }

    /// Whether the node serves and votes.
    pub async fn ready(&self) -> Result<view::Health, ClientError> {
        self.get("/health/ready", Query::new()).await
    }

    /// Metrics in Prometheus' text format.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let body = Self::whole(self.request(Method::GET, "/metrics", &Query::new())).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// What is finalised from now on, or after the event `last`. `types` limits the events to `block` and the modules named.
    ///
    /// A connection on which nothing comes any more, not even that the node is alive, is given up and made anew after the last event; where no
    /// event was had after which it could go on, and where the new one is silent too, the stream ends with [`ClientError::Silent`].
    pub async fn events(&self, last: Option<&str>, types: &[&str]) -> Result<EventStream, ClientError> {
        let query = Query::new().with("types", (!types.is_empty()).then(|| types.join(",")));
        let body = self.open_events(last, &query).await?;
        let again = Some((self.clone(), query));
        Ok(Box::pin(Events { again, silence: self.silence, ..Events::new(body, last) }.stream()))
    }

    async fn open_events(&self, last: Option<&str>, query: &Query) -> Result<Chunks, ClientError> {
        // A stream has no end, so no time after which it must have come; but it begins like any answer.
        let mut request = self.request(Method::GET, "/v1/events", query).timeout(Duration::from_secs(365 * 86_400));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, Self::answer(request));
        let response = answer.await.map_err(|_| ClientError::Silent)??;
        Ok(Box::pin(response.bytes_stream()))
    }
}

/// Where a client is referred to: the address of the gateway, if it is only another one, and without what was asked in any case, for that may
/// hold ids that are nobody's business in a log.
fn referred(location: &str, path: &str) -> String {
    let place = location.split(['?', '#']).next().unwrap_or_default();
    let asked = path.find("/v1/").map_or(path, |at| &path[at..]);
    let base = place.strip_suffix(asked).filter(|base| !base.is_empty());
    base.unwrap_or(place).chars().filter(|it| !it.is_control()).take(200).collect()
}

fn waiting(wait: Wait) -> (Query, Duration) {
    match wait {
        Wait::No => (Query::new(), Duration::ZERO),
        Wait::Finalised(timeout) => {
            (Query::new().with("wait", Some("finalised")).with("timeout_ms", Some(timeout.as_millis())), timeout)
        }
    }
}

fn segment(before: &str, value: &str, after: &str) -> String {
    let mut path = before.to_owned();
    percent(&mut path, value);
    path.push_str(after);
    path
}

/// Appends `value` with everything but unreserved characters escaped (RFC 3986 §2.3).
pub(crate) fn percent(out: &mut String, value: &str) {
    use std::fmt::Write as _;
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => write!(out, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
}

/// Longest event that is read.
const EVENT_BYTES_MAX: usize = 1 << 20;

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// A stream of events, and what it takes to go on with it.
struct Events {
    body: Chunks,
    parser: Parser,
    /// Something came on this connection.
    heard: bool,
    silence: Duration,
    /// With whom to begin again, and for what.
    again: Option<(Client, Query)>,
}

impl Events {
    fn new(body: Chunks, last: Option<&str>) -> Self {
        let parser = Parser { buffer: Vec::new(), id: last.unwrap_or_default().to_owned() };
        Self { body, parser, heard: false, silence: EVENTS_SILENCE, again: None }
    }

    fn stream(self) -> impl Stream<Item = Result<ServerEvent, ClientError>> + Send {
        futures::stream::unfold(Some(self), |state| async move {
            let mut events = state?;
            match events.next().await? {
                Ok(event) => Some((Ok(event), Some(events))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    async fn next(&mut self) -> Option<Result<ServerEvent, ClientError>> {
        loop {
            if let Some(event) = self.parser.next().transpose() {
                return Some(event);
            }
            let Ok(chunk) = tokio::time::timeout(self.silence, self.body.next()).await else {
                if let Err(error) = self.begin_again().await {
                    return Some(Err(error));
                }
                continue;
            };
            match chunk? {
                Ok(bytes) => {
                    self.heard = true;
                    self.parser.buffer.extend_from_slice(&bytes);
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }

    async fn begin_again(&mut self) -> Result<(), ClientError> {
        let last = Some(self.parser.id.clone()).filter(|id| !id.is_empty());
        let (Some((client, query)), Some(last), true) = (&self.again, last, self.heard) else {
            return Err(ClientError::Silent);
        };
        let body = client.open_events(Some(&last), query).await?;
        (self.body, self.heard) = (body, false);
        self.parser.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
pub(crate) fn parse_events(
    body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = Result<ServerEvent, ClientError>> + Send {
    Events::new(Box::pin(body), None).stream()
}

/// Reads the event stream format of the HTML standard, as far as our server writes it: lines end with a line feed.
#[derive(Default)]
struct Parser {
    buffer: Vec<u8>,
    id: String,
}

impl Parser {
    fn next(&mut self) -> Result<Option<ServerEvent>, ClientError> {
        while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let (mut event, mut data) = (String::new(), Vec::new());
            for line in String::from_utf8_lossy(&block).lines() {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "event" => event = value.into(),
                    "data" => data.push(value.to_owned()),
                    "id" => self.id = value.into(),
                    _ => {}
                }
            }
            if !data.is_empty() {
                return Ok(Some(ServerEvent { event, id: self.id.clone(), data: data.join("\n") }));
            }
        }
        if self.buffer.len() > EVENT_BYTES_MAX {
            return Err(ClientError::Unexpected(StatusCode::OK.as_u16()));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
