//! Limits of the gateway. The defaults are meant for a node on a small machine.

use std::time::Duration;

/// What the gateway allows.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where people reach this gateway, without a trailing slash; printed in certificates.
    pub public_url: String,
    /// Connections held at once; a further one takes the place of the one that has asked nothing for the longest.
    pub connections_max: usize,
    /// How long the head of a request may take from its first byte to its last.
    pub head_timeout: Duration,
    /// How long a connection is kept on which nothing is asked: longer than clients keep theirs, so that they are the ones to close it.
    pub keep_alive: Duration,
    /// A connection on which nothing moves for so long while a request is answered is closed. Longer than any request may take.
    pub idle_timeout: Duration,
    /// Requests served at once, beyond which they are answered 503.
    pub requests_max: usize,
    /// Event streams served at once.
    pub streams_max: usize,
    /// Uploads of batch entries read at once, the others waiting: each holds its whole body in memory.
    pub uploads_max: usize,
    /// How long a request may take, not counting the wait that it asks for.
    pub request_timeout: Duration,
    /// How long an upload of batch entries may take, from when it is its turn.
    pub upload_timeout: Duration,
    /// How long an upload waits for its turn before it is answered 503.
    pub upload_wait: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".into(),
            connections_max: 512,
            head_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            idle_timeout: Duration::from_secs(300),
            requests_max: 1024,
            streams_max: 256,
            uploads_max: 1,
            request_timeout: Duration::from_secs(30),
            upload_timeout: Duration::from_secs(240),
            upload_wait: Duration::from_secs(5),
        }
    }
}
