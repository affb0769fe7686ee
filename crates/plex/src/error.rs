//! What went wrong, sorted by what a caller does about it.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use thiserror::Error;

use crate::{
    Skipped, TooLong, Unreachable,
    excerpt::{excerpt, reason},
};

/// Why a call failed. The variants are sorted by what to do, and the list is closed on purpose: a
/// caller that matches decides about each. No text holds the token or the address.
///
/// | variant | Plex is | the same call later |
/// |---|---|---|
/// | `Unreachable` | down or unknown | will do |
/// | `Starting` | up, not ready; this may last hours | will do |
/// | `Timeout`, `Overloaded`, `Gateway`, `Malformed` | in trouble | may do |
/// | `Unauthorized` | up, or behind a login | needs another token or address |
/// | `NotFound` | up | needs another key: look the item up again |
/// | `LineTooLong` | up | needs smaller requests |
/// | `Rejected`, `TooLong`, `BadFile`, `Unreadable` | up | will fail the same way |
/// | `NotPlex`, `Redirected`, `TooLarge` | something else | needs another address |
#[derive(Debug, Error)]
pub enum Error {
    /// No connection.
    #[error("Plex is unreachable: {cause}")]
    Unreachable {
        /// Why not.
        cause: Unreachable,
        /// The details.
        source: reqwest::Error,
    },
    /// Connected, but no complete answer in time. An edit may or may not have happened; it can be
    /// repeated.
    #[error("Plex did not answer within {0:?}")]
    Timeout(Duration),
    /// Plex says that it is starting or in maintenance.
    #[error("Plex is not ready: {0}")]
    Starting(String),
    /// The token is missing, wrong, or not the owner's; or a proxy in front of Plex wants a login
    /// (401, 403).
    #[error("{} (HTTP {status})", refused(*by_plex))]
    Unauthorized {
        /// 401 or 403.
        status: u16,
        /// Whether the answer has the form of Plex's own. Otherwise a proxy may have given it,
        /// which knows nothing of the token.
        by_plex: bool,
    },
    /// Plex knows no such item, library or path. Removed and re-added files get new keys.
    #[error("Plex has no such item (HTTP 404)")]
    NotFound,
    /// The request line is too long for Plex or for a proxy (414, or 400 on a long line).
    #[error("the texts and lists are too long for one request ({bytes} bytes, HTTP {status})")]
    LineTooLong {
        /// The HTTP status.
        status: u16,
        /// How long it was.
        bytes: usize,
    },
    /// Plex refuses this request (400 and other 4xx).
    #[error("Plex, or a proxy in front of it, refused the request (HTTP {status}): {text}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// What it said.
        text: String,
    },
    /// Plex cannot serve requests now (408, 429, 500, 503).
    #[error("Plex is overloaded or in trouble (HTTP {status}): {text}")]
    Overloaded {
        /// The HTTP status.
        status: u16,
        /// What it said.
        text: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// A proxy answers for Plex, which is gone (502, 504).
    #[error("the proxy in front of Plex cannot reach it (HTTP {status})")]
    Gateway {
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The address redirects. The token was not sent on.
    #[error("the address redirects to {to} (HTTP {status}){}", quoted(excerpt))]
    Redirected {
        /// The HTTP status.
        status: u16,
        /// Scheme, host and port of the target.
        to: String,
        /// How the page begins, in at most 200 characters; may be empty.
        excerpt: String,
    },
    /// Something answered that is not Plex.
    #[error(
        "something that is not Plex answered (HTTP {status}){}",
        quoted(excerpt)
    )]
    NotPlex {
        /// The HTTP status.
        status: u16,
        /// How the answer begins, in at most 200 characters; may be empty.
        excerpt: String,
    },
    /// Plex's answer is broken, as happens during a restart.
    #[error("Plex's answer is incomplete or damaged: {0}")]
    Malformed(#[source] serde_json::Error),
    /// The answer is whole, and this item in it is not what an item is.
    #[error("what Plex answers about {0} cannot be read")]
    Unreadable(Skipped),
    /// The answer broke off.
    #[error("Plex's answer broke off")]
    CutShort(#[source] reqwest::Error),
    /// The answer is larger than it can be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// A value of an edit does not fit into one request.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// A path has no file name to look for.
    #[error("the path has no file name")]
    BadFile,
}

impl Error {
    /// How long the server asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after, .. } | Self::Gateway { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }
}

fn refused(by_plex: bool) -> &'static str {
    if by_plex {
        "Plex refused the request, or the token that it carried"
    } else {
        "something in front of Plex, such as a proxy or a login page, refused access"
    }
}

fn quoted(excerpt: &str) -> String {
    if excerpt.is_empty() {
        return String::new();
    }
    format!("; the answer begins: {excerpt}")
}

/// No server is known to refuse shorter request lines with 400 for their length.
const LONG_LINE: usize = 4000;

/// An answer whose status is not 2xx.
pub(crate) struct Failure<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a str,
    /// Length of the request line in bytes.
    pub line: usize,
}

impl Failure<'_> {
    pub fn error(&self, now: SystemTime) -> Error {
        let status = self.status;
        let text = self.text();
        let says = |word| contains_ignore_case(self.body, word);
        let retry_after = retry_after(self.headers, now);
        let gateway = || Error::Gateway {
            status,
            retry_after,
        };
        match status {
            300..400 => Error::Redirected {
                status,
                to: redirect_target(self.headers),
                excerpt: excerpt(self.body),
            },
            400 if says("starting up") => Error::Starting(text),
            414 | 431 => self.too_long(),
            400 | 413 if self.line > LONG_LINE => self.too_long(),
            401 | 403 => Error::Unauthorized {
                status,
                by_plex: self.is_from_plex(),
            },
            404 | 410 => Error::NotFound,
            503 if says("maintenance") => Error::Starting(text),
            503 if self.is_from_a_proxy() => gateway(),
            408 | 429 | 500 | 503 => Error::Overloaded {
                status,
                text,
                retry_after,
            },
            400..500 => Error::Rejected { status, text },
            501.. => gateway(),
            _ => Error::NotPlex {
                status,
                excerpt: excerpt(self.body),
            },
        }
    }

    /// What the answer says, without the status that a proxy's page begins with.
    fn text(&self) -> String {
        let text = reason(self.body);
        let rest = text.strip_prefix(&self.status.to_string());
        match rest.map(str::trim_start) {
            Some(rest) if !rest.is_empty() => rest.to_owned(),
            _ => text,
        }
    }

    fn too_long(&self) -> Error {
        let (status, bytes) = (self.status, self.line);
        Error::LineTooLong { status, bytes }
    }

    /// Plex answers with its header or with a page of one form: others have line breaks in it, or
    /// no title.
    fn is_from_plex(&self) -> bool {
        contains_ignore_case(self.body, "</title></head><body><h1>")
            || self.headers.contains_key("x-plex-protocol")
    }

    fn is_from_a_proxy(&self) -> bool {
        !self.is_from_plex() && !has_plex_shape(self.body)
    }
}

/// Whether a body is an error with a title, or a container.
fn has_plex_shape(body: &str) -> bool {
    let body = body.trim();
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
        return json["title"].is_string() || json["MediaContainer"].is_object();
    }
    roxmltree::Document::parse(body).is_ok_and(|xml| {
        let root = xml.root_element().tag_name().name();
        matches!(root, "Response" | "MediaContainer")
    })
}

fn contains_ignore_case(text: &str, lower_case: &str) -> bool {
    text.to_ascii_lowercase().contains(lower_case)
}

fn redirect_target(headers: &HeaderMap) -> String {
    let to = headers.get("location").and_then(|to| to.to_str().ok());
    match to.map(reqwest::Url::parse) {
        Some(Ok(to)) => to.origin().ascii_serialization(),
        _ => "another path".to_owned(),
    }
}

fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}
