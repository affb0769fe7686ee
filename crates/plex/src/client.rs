//! The one way to the server: one origin, bounded bodies, a limit of time for each kind of call.

use std::time::{Duration, SystemTime};

use reqwest::{
    ClientBuilder, Method, RequestBuilder, Response, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{
    Device, Error, Token, Unreachable, damage, error::Failure, excerpt::excerpt, pasted, query,
};

/// Plex closes idle connections after 20 s; a pool must let go of them sooner.
const IDLE: Duration = Duration::from_secs(15);
/// A page of a thousand items with everything in it takes a few megabytes.
const LONGEST_JSON: usize = 32 << 20;
const LONGEST_ERROR: usize = 64 << 10;

/// Why a [`Client`] cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address is not a plain `http` or `https` one.
    #[error(
        "not the address of a Plex server: write it like http://192.168.1.10:32400, without user, password or token"
    )]
    Url,
    /// The address is that of Plex's website.
    #[error(
        "this is the address of Plex's website: give the one of your own server, like http://192.168.1.10:32400"
    )]
    Website,
    /// A text of the [`Device`] cannot be sent in a header.
    #[error("the device's {0} has characters that cannot be sent")]
    Device(&'static str),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[source] reqwest::Error),
}

/// How long each kind of call may take, from connecting to the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect (5 s).
    pub connect: Duration,
    /// One or a few items, images, the owner's settings (30 s).
    pub read: Duration,
    /// Sections, listings and searches, which wait for the database (60 s).
    pub list: Duration,
    /// An edit, a rating, a scan (30 s).
    pub write: Duration,
    /// Sending an image (60 s).
    pub upload: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            list: Duration::from_secs(60),
            write: Duration::from_secs(30),
            upload: Duration::from_secs(60),
        }
    }
}

/// A client of one Plex Media Server. Cheap to clone; connections are reused.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use plex::{Client, Device, Timeouts};
///
/// let plex = Client::new(
///     reqwest::Client::builder(),
///     "http://192.168.1.10:32400",
///     Some("the-owners-token".parse()?),
///     &Device::new("6d1b2c1e-7c7e-4a7a-9d6f-0f8e6a4b3c2d", "my program", "1.0"),
///     Timeouts::default(),
/// )?;
/// for section in plex.sections().await? {
///     println!("{}: {}", section.id, section.title);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<Token>,
    pub(crate) timeouts: Timeouts,
}

impl Client {
    /// A client of the server at `url`. An unclaimed server needs no token.
    ///
    /// `builder` decides on TLS: the provider, the roots, or to skip verification, which then holds
    /// for this one server, since a client never talks to another and follows no redirect. Proxies,
    /// set there or in the environment, are not used.
    ///
    /// When reqwest is built with `rustls-no-provider`, install a provider before, once for the
    /// program (`rustls::crypto::ring::default_provider().install_default()`): reqwest panics
    /// without one.
    ///
    /// # Errors
    /// `url` holds no `http(s)://host[:port][/path]` (see [`address`](crate::address)), a text of
    /// `device` cannot be sent, or `builder` cannot build.
    pub fn new(
        builder: ClientBuilder,
        url: &str,
        token: Option<Token>,
        device: &Device,
        timeouts: Timeouts,
    ) -> Result<Self, SetupError> {
        let (base, _) = pasted::base(url)?;
        let mut headers = device.headers()?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = &token {
            headers.insert("x-plex-token", token.header().clone());
        }
        let http = builder
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            // A proxy from the environment would see the token.
            .no_proxy()
            .connect_timeout(timeouts.connect)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(SetupError::Client)?;
        Ok(Self {
            http,
            base,
            token,
            timeouts,
        })
    }

    /// The address of `segments` below the server's.
    fn url(&self, segments: &[&str], query: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.set_query((!query.is_empty()).then_some(query));
        url
    }

    /// How many bytes `method …?` takes on the wire, without what is in the query.
    pub(crate) fn line_len(&self, method: &str, segments: &[&str]) -> usize {
        line_len(method, &self.url(segments, ""))
    }

    /// Gets a `MediaContainer`.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        limit: Duration,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Error> {
        let url = self.url(segments, &query::join(query));
        let response = self.send(self.http.get(url), limit).await?;
        let status = response.status().as_u16();
        let body = read(response, LONGEST_JSON, limit).await?;
        parse(status, &body, self.token.as_ref())
    }

    /// Does something whose answer has no content. `query` must be encoded.
    pub(crate) async fn act(
        &self,
        method: Method,
        segments: &[&str],
        query: &str,
    ) -> Result<(), Error> {
        let request = self.http.request(method, self.url(segments, query));
        self.finish(request, self.timeouts.write).await
    }

    /// Sends an image.
    pub(crate) async fn upload(
        &self,
        segments: &[&str],
        bytes: Vec<u8>,
        content_type: HeaderValue,
    ) -> Result<(), Error> {
        let request = self.http.post(self.url(segments, ""));
        let request = request.header(CONTENT_TYPE, content_type).body(bytes);
        self.finish(request, self.timeouts.upload).await
    }

    async fn finish(&self, request: RequestBuilder, limit: Duration) -> Result<(), Error> {
        let response = self.send(request, limit).await?;
        let status = response.status().as_u16();
        let plex = response.headers().contains_key("x-plex-protocol");
        let body = read(response, LONGEST_ERROR, limit).await?;
        // Plex answers with nothing; a page comes from a login portal, and the write is lost.
        if !plex && looks_like_a_page(&body) {
            return Err(not_plex(status, &body, self.token.as_ref()));
        }
        Ok(())
    }

    async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Response, Error> {
        let failed = |error: reqwest::Error| {
            if error.is_timeout() && !error.is_connect() {
                return Error::Timeout(limit);
            }
            Error::Unreachable {
                cause: Unreachable::classify(&error, self.base.scheme() == "https"),
                source: error.without_url(),
            }
        };
        let request = request.timeout(limit).build().map_err(failed)?;
        let query = request.url().query().map_or(0, str::len);
        let line = line_len(request.method().as_str(), request.url()) + query;
        let response = self.http.execute(request).await.map_err(failed)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let headers: HeaderMap = response.headers().clone();
        // The status counts, even when the words that go with it do not come.
        let body = read(response, LONGEST_ERROR, limit).await;
        let body = words(&body.unwrap_or_default(), self.token.as_ref());
        Err(Failure {
            status,
            headers: &headers,
            body: &body,
            line,
        }
        .error(SystemTime::now()))
    }
}

/// How many bytes a request line takes, but for what is in the query.
fn line_len(method: &str, url: &Url) -> usize {
    method.len() + " ".len() + url.path().len() + "?".len() + " HTTP/1.1".len()
}

async fn read(mut response: Response, max: usize, limit: Duration) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > max => return Err(Error::TooLarge(max)),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(Error::Timeout(limit)),
            Err(error) => return Err(Error::CutShort(error.without_url())),
        }
    }
}

fn looks_like_a_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start[..start.len().min(14)].to_ascii_lowercase();
    start.starts_with(b"<html") || start.starts_with(b"<!doctype html")
}

/// The beginning of an answer as text, without the token, should someone have echoed it.
fn words(body: &[u8], token: Option<&Token>) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(LONGEST_ERROR)]);
    token.map_or_else(|| text.to_string(), |token| token.redact(&text))
}

fn not_plex(status: u16, body: &[u8], token: Option<&Token>) -> Error {
    Error::NotPlex {
        status,
        excerpt: excerpt(&words(body, token)),
    }
}

/// The `MediaContainer` of a JSON answer.
pub(crate) fn parse<T: DeserializeOwned>(
    status: u16,
    body: &[u8],
    token: Option<&Token>,
) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Envelope<T> {
        #[serde(rename = "MediaContainer")]
        container: Option<T>,
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(not_plex(status, body, token));
    }
    serde_json::from_slice::<Envelope<T>>(body)
        .or_else(|_| serde_json::from_str(&damage::repaired(body)))
        .map_err(Error::Malformed)?
        .container
        .ok_or_else(|| not_plex(status, body, token))
}
