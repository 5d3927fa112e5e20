//! The gateway's own metrics, and one text for Prometheus from several.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// What requests are counted by. The route is the pattern, never the address asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// Counters of the gateway.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
    transactions: Counter,
    /// Event streams that are open.
    pub streams: Gauge,
}

const SECONDS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("zhulian_http");
        let requests = Family::default();
        registry.register("requests", "HTTP requests answered", requests.clone());
        let seconds = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        registry.register("request_seconds", "Time from a request to its answer, waits included", seconds.clone());
        let transactions = Counter::default();
        registry.register("submitted_transactions", "Transactions received for submission", transactions.clone());
        let streams = Gauge::default();
        registry.register("event_streams", "Event streams that are open", streams.clone());
        Self { registry, requests, seconds, transactions, streams }
    }
}

impl Metrics {
    /// Counts a request.
    pub fn answered(&self, method: &axum::http::Method, route: &str, status: u16, took: Duration) {
        let method = match method.as_str() {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "POST" => "POST",
            _ => "other",
        };
        self.requests.get_or_create(&Labels { method, route: route.into(), status }).inc();
        self.seconds.get_or_create(&RouteLabels { route: route.into() }).observe(took.as_secs_f64());
    }

    /// Counts transactions received.
    pub fn received(&self, transactions: usize) {
        self.transactions.inc_by(transactions as u64);
    }

    /// The metrics in the text format of OpenMetrics.
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}

/// Counts an open stream until it is dropped.
pub struct OpenStream(Arc<crate::Gateway>);

impl OpenStream {
    /// Counts one more.
    pub fn new(gateway: Arc<crate::Gateway>) -> Self {
        gateway.metrics.streams.inc();
        Self(gateway)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.metrics.streams.dec();
    }
}

/// Joins texts in the format of OpenMetrics or Prometheus into one of Prometheus: counters are described under the name that their
/// samples have, help texts have no full stop, and a family is described once.
pub fn exposition(texts: &[&str]) -> String {
    let mut out = String::new();
    let mut described = BTreeSet::new();
    for text in texts {
        let counters: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
            .filter(|name| !name.ends_with("_total"))
            .collect();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let Some((kind, rest)) = line.strip_prefix("# ").map(|rest| rest.split_once(' ').unwrap_or((rest, ""))) else {
                push(&mut out, &[line]);
                continue;
            };
            let (name, what) = rest.split_once(' ').unwrap_or((rest, ""));
            if !matches!(kind, "HELP" | "TYPE") || !described.insert((kind.to_owned(), name.to_owned())) {
                continue;
            }
            let suffix = if counters.contains(name) { "_total" } else { "" };
            // OpenMetrics calls what has no type unknown, Prometheus untyped.
            let what = if kind == "TYPE" { what.replace("unknown", "untyped") } else { what.trim_end_matches('.').into() };
            push(&mut out, &["# ", kind, " ", name, suffix, " ", &what]);
        }
    }
    out
}

fn push(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
    out.push('\n');
}
