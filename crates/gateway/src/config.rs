//! Limits of the gateway. The defaults are meant for a node on a small machine.

use std::time::Duration;

/// What the gateway allows.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where people reach this gateway, without a trailing slash; printed in certificates.
    pub public_url: String,
    /// Connections held at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// A connection on which nothing moves for so long is closed. Longer than any request may take.
    pub idle_timeout: Duration,
    /// Requests served at once, beyond which they are answered 503.
    pub requests_max: usize,
    /// Event streams served at once.
    pub streams_max: usize,
    /// Uploads of batch entries read at once, the others waiting: each holds its whole body in memory.
    pub uploads_max: usize,
    /// How long a request may take, not counting the wait that it asks for.
    pub request_timeout: Duration,
    /// How long an upload of batch entries may take.
    pub upload_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".into(),
            connections_max: 512,
            idle_timeout: Duration::from_secs(300),
            requests_max: 1024,
            streams_max: 256,
            uploads_max: 1,
            request_timeout: Duration::from_secs(30),
            upload_timeout: Duration::from_secs(240),
        }
    }
}
