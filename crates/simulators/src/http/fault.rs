//! What goes wrong with a request?

use std::time::Duration;

use super::{Request, Response};
use crate::random::Random;

/// What goes wrong with a request. Connection refused is not among them, since it is a state of the
/// whole server: see [`Server::down`](super::Server::down).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is read and never answered. The connection closes when the faults change.
    /// Nothing is applied.
    Hang,
    /// The request is **applied**, and its answer never comes: the client cannot know.
    AnswerLost,
    /// The answer comes this much later.
    Slow(Duration),
    /// The connection is closed without an answer; nothing is applied.
    Close,
    /// The request is applied, half of the answer is sent, then the connection is reset (RST).
    Reset,
    /// The request is applied; the connection ends in order in the middle of the body, before
    /// `Content-Length`.
    Truncated,
    /// The request is applied; a complete HTTP message carries half of the document.
    BrokenDocument,
    /// 503 "Maintenance" with this text: XML, or JSON when asked for.
    Maintenance(String),
    /// 503 of an overloaded server: no "Maintenance" in it.
    Unavailable,
    /// 401.
    Unauthorized,
    /// 502 of a proxy in front: its own HTML, no header of the simulated server.
    BadGateway,
    /// 504 of a proxy in front.
    GatewayTimeout,
    /// 429 with `Retry-After` in whole seconds.
    TooManyRequests(Duration),
    /// 200 with an HTML page: a captive portal, a router, another program.
    HtmlPage,
    /// 400 "still starting up, retry later".
    StartingUp,
    /// Any other status with the server's usual error body.
    Status(u16),
    /// This answer in the place of the server's: a redirect, a filter's 403, a 413 for bodies.
    /// Nothing is applied.
    Answer(Response),
}

impl Fault {
    /// The 503 of a server that migrates its database.
    pub fn maintenance() -> Self {
        Self::Maintenance("Plex Media Server is currently running database migrations.".to_owned())
    }
}

/// Which requests something befalls, and what: a [`Fault`] for
/// [`Server::fail_when`](super::Server::fail_when). All requests, unless narrowed.
///
/// ```
/// use simulators::{Fault, Rule};
/// // Of the edits, 3 in 10 answer 500, at most five times in all.
/// let rule = Rule::new(Fault::Status(500)).method("PUT").path("/library/sections").flaky(30, 7).times(5);
/// # let _ = rule;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Rule<W = Fault> {
    pub(super) what: W,
    method: Option<String>,
    path: Option<String>,
    query: Option<String>,
    containing: Option<String>,
    with_body: bool,
    before: u32,
    left: Option<u32>,
    dice: Option<(u32, Random)>,
}

/// Requests alone, for what is done before or after them: see
/// [`PlexServer::before`](crate::PlexServer::before).
pub type Requests = Rule<()>;

impl Rule {
    /// The fault for every request.
    pub fn new(fault: Fault) -> Self {
        Requests::all().with(fault)
    }
}

impl Requests {
    /// The fault for these requests.
    pub fn failing(self, fault: Fault) -> Rule {
        self.with(fault)
    }

    /// Every request.
    pub fn all() -> Self {
        Self {
            what: (),
            method: None,
            path: None,
            query: None,
            containing: None,
            with_body: false,
            before: 0,
            left: None,
            dice: None,
        }
    }
}

impl<W> Rule<W> {
    /// The same requests with something else.
    pub(super) fn with<T>(self, what: T) -> Rule<T> {
        Rule {
            what,
            method: self.method,
            path: self.path,
            query: self.query,
            containing: self.containing,
            with_body: self.with_body,
            before: self.before,
            left: self.left,
            dice: self.dice,
        }
    }

    /// Only requests with this method.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path begins so.
    pub fn path(mut self, prefix: &str) -> Self {
        self.path = Some(prefix.to_owned());
        self
    }

    /// Only requests with this text in the query, which is compared as sent.
    pub fn query(mut self, text: &str) -> Self {
        self.query = Some(text.to_owned());
        self
    }

    /// Only requests that bring a body.
    pub fn with_body(mut self) -> Self {
        self.with_body = true;
        self
    }

    /// Only requests with this text in query or body, for instance the name of a GraphQL operation.
    pub fn containing(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }

    /// Only after `count` requests that match.
    pub fn after(mut self, count: u32) -> Self {
        self.before = count;
        self
    }

    /// Only the first `count` requests that match.
    pub fn times(mut self, count: u32) -> Self {
        self.left = Some(count);
        self
    }

    /// Only `percent` of the requests that match, chosen by a generator with this seed.
    pub fn flaky(mut self, percent: u32, seed: u64) -> Self {
        self.dice = Some((percent, Random::new(seed)));
        self
    }

    fn matches(&self, request: &Request) -> bool {
        fn all(wanted: &Option<String>, holds: impl FnOnce(&str) -> bool) -> bool {
            wanted.as_deref().is_none_or(holds)
        }
        all(&self.method, |method| method == request.method)
            && all(&self.path, |prefix| request.path.starts_with(prefix))
            && all(&self.query, |text| request.query.contains(text))
            && all(&self.containing, |text| {
                request.query.contains(text)
                    || String::from_utf8_lossy(&request.body).contains(text)
            })
            && !(self.with_body && request.body.is_empty())
    }

    /// Whether it befalls this request; counts and rolls the dice when it matches.
    pub(super) fn strikes(&mut self, request: &Request) -> bool {
        if !self.matches(request) || self.left == Some(0) {
            return false;
        }
        if self.before > 0 {
            self.before -= 1;
            return false;
        }
        if let Some((percent, random)) = &mut self.dice
            && random.below(100) >= u64::from(*percent)
        {
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        true
    }
}
