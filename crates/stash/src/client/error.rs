//! Why did a call to Stash give no result?

use std::time::Duration;

/// Why a call to Stash gave no result, and what to do. No text here carries a cookie, a key or a
/// URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address, credentials or HTTP set-up cannot work.
    #[error("the connection to Stash cannot be set up: {0}")]
    Setup(String),
    /// No answer: try again later.
    #[error(
        "Stash does not answer this program ({kind}: {detail}). If its port or HTTPS setting was changed, or this lasts, restart Stash"
    )]
    Unreachable {
        /// Where it failed.
        kind: Unreachable,
        /// The cause, in the words of the network stack.
        detail: String,
    },
    /// The session ended or the key is wrong. A wrong key is refused even where no password is set.
    #[error(
        "Stash refuses the login: a plugin's session ends after an hour. Save any scene to go on; an API key (Settings > Security in Stash) makes that needless. If a save does not help, something in front of Stash may refuse this program"
    )]
    Unauthorized,
    /// Stash, or a proxy before it, answered with a status that is no result.
    #[error("Stash answered with status {status}; look in Stash's log, then try again")]
    Status {
        /// The HTTP status code.
        status: u16,
    },
    /// Stash does not know a part of the query: it is older or newer than this program expects.
    #[error(
        "this Stash does not know what it was asked for, so it is probably too old: update it to 0.24 or newer ({})",
        .messages.join("; ")
    )]
    Query {
        /// Stash's messages.
        messages: Vec<String>,
    },
    /// Stash understood the query and failed to answer it.
    #[error("Stash could not answer the query: {}", .messages.join("; "))]
    Resolver {
        /// Stash's messages.
        messages: Vec<String>,
    },
    /// The answer is not what Stash sends.
    #[error("the answer is not Stash's: {0}; check that the address is that of Stash")]
    Malformed(String),
    /// Stash describes this scene in a way that is not understood; others may well be.
    #[error("Stash describes the scene in a form that this program cannot read ({0})")]
    Unreadable(String),
    /// The answer exceeds the limit.
    #[error("the answer from Stash is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// There is no such image (a scene's cover is made some time after its scan).
    #[error("Stash has no such image (yet)")]
    NoImage,
    /// What came is no picture a media server takes.
    #[error("Stash sent {content_type} where a picture was expected")]
    NotAPicture {
        /// The content type of the answer.
        content_type: String,
    },
}

/// How a call failed to get an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// No connection: refused, no such name, or TLS failed.
    #[error("no connection")]
    Connect,
    /// Nothing came in time.
    #[error("timeout")]
    Timeout,
    /// The connection broke in the middle.
    #[error("connection lost")]
    Interrupted,
}

impl Error {
    /// Whether the fault lies with Stash or the way to it, so that the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unauthorized | Self::Resolver { .. } => true,
            Self::Status { status } => *status >= 500 || *status == 429,
            _ => false,
        }
    }

    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self::Unreadable(place(error))
    }

    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        Self::Malformed(place(error))
    }

    pub(super) fn from_reqwest(error: reqwest::Error, limit: Duration) -> Self {
        if error.is_builder() {
            return Self::Setup(chain(&error.without_url()));
        }
        let kind = match &error {
            error if error.is_connect() => Unreachable::Connect,
            error if error.is_timeout() => Unreachable::Timeout,
            _ => Unreachable::Interrupted,
        };
        let detail = match kind {
            Unreachable::Timeout => format!("nothing within {} s", limit.as_secs()),
            _ => without_number(chain(&error.without_url())),
        };
        Self::Unreachable { kind, detail }
    }
}

/// The innermost cause: reqwest's outer texts say only that a request failed.
fn chain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The system's number of an error tells a person nothing that its words do not.
fn without_number(mut text: String) -> String {
    if let Some(at) = text.rfind(" (os error ") {
        text.truncate(at);
    }
    text
}

/// Only the place: serde's own text may quote a value.
fn place(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("unexpected JSON at line {line}, column {column}")
}
