//! What was asked of a server?

use std::time::Duration;

use super::Request;
use super::message::header;

/// One request as the server saw it. Headers and query stand here as sent, secrets too, so that a
/// test can see where a token went.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query, still percent-encoded.
    pub query: String,
    /// Header names as sent.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body.
    pub body_size: usize,
    /// The body, or its first 16 KiB.
    pub body: Vec<u8>,
    /// When the request had arrived, since the server started.
    pub at: Duration,
    /// When the answer was written or given up; `None` while it runs.
    pub ended: Option<Duration>,
    /// The status sent, whether or not the rest arrived; `None` when none was sent.
    pub status: Option<u16>,
}

impl Recorded {
    pub(super) fn new(request: &Request, at: Duration) -> Self {
        const KEPT: usize = 16 * 1024;
        Self {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body_size: request.body.len(),
            body: request.body[..request.body.len().min(KEPT)].to_vec(),
            at,
            ended: None,
            status: None,
        }
    }

    /// A header by name, without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Whether the text stands in the target, a header or the kept body.
    pub fn contains(&self, text: &str) -> bool {
        self.path.contains(text)
            || self.query.contains(text)
            || self.headers.iter().any(|(_, value)| value.contains(text))
            || String::from_utf8_lossy(&self.body).contains(text)
    }
}
