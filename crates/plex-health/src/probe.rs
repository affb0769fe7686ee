//! The requests of a probe: small, bounded in time and size, never redirected.

use std::{
    fmt,
    time::{Duration, Instant},
};

use reqwest::{
    ClientBuilder, Proxy, Url,
    header::{ACCEPT, HeaderMap, HeaderValue},
};
use serde::Serialize;
use thiserror::Error;

use crate::{Unreachable, Verdict, answer::Answer};

/// How long each request of a probe may take, from connecting to the last byte.
pub const LIMIT: Duration = Duration::from_secs(5);

/// A server with a thousand libraries stays far below this.
const LONGEST_BODY: usize = 4 << 20;

/// Why a [`Probe`] cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address is not a plain `http` or `https` one.
    #[error(
        "not the address of a Plex server: write it like http://192.168.1.10:32400, without user, password, token or anything else behind"
    )]
    Url,
    /// The token or identifier has characters that no HTTP header may have.
    #[error(
        "the Plex token or client identifier has characters that cannot be sent: copy it again"
    )]
    Header,
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[source] reqwest::Error),
}

/// Asks one server how it is. Cheap to clone.
///
/// The caller's `ClientBuilder` decides on TLS (roots, or to skip verification for this server);
/// redirects, proxies and the limits of time are set here. Each request has a connection of its
/// own: one that was kept may answer though nobody listens any more, or end just as it is used
/// again.
#[derive(Clone, Debug)]
pub struct Probe {
    http: reqwest::Client,
    base: Url,
    limit: Duration,
    signed_in: HeaderMap,
    expected: Option<String>,
}

/// A verdict and how long it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// From the first request to the verdict.
    #[serde(rename = "latency_ms", serialize_with = "millis")]
    pub latency: Duration,
}

fn millis<S: serde::Serializer>(latency: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(latency.as_secs_f64() * 1e3)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.verdict.to_string();
        match text.strip_prefix("healthy") {
            Some(rest) => write!(
                f,
                "healthy, responded in {} ms{rest}",
                self.latency.as_millis()
            ),
            None => f.write_str(&text),
        }
    }
}

impl Probe {
    /// A probe of the server at `url`, with [`LIMIT`] for each request.
    ///
    /// When reqwest is built with `rustls-no-provider`, install a provider before, once for the
    /// program (`rustls::crypto::ring::default_provider().install_default()`): reqwest panics
    /// without one.
    ///
    /// # Errors
    /// `url` is not a plain `http(s)://host[:port][/path]`, or `builder` cannot build.
    pub fn new(builder: ClientBuilder, url: &str) -> Result<Self, SetupError> {
        Self::with_limit(builder, url, LIMIT)
    }

    /// As [`Probe::new`] with another limit for each request.
    ///
    /// # Errors
    /// As [`Probe::new`].
    pub fn with_limit(
        builder: ClientBuilder,
        url: &str,
        limit: Duration,
    ) -> Result<Self, SetupError> {
        Self::build(builder.no_proxy(), url, limit)
    }

    /// As [`Probe::with_limit`] through a proxy, which sees the token of a deep probe unless the
    /// address is `https`. Without this a probe asks no proxy, whatever the builder or the
    /// environment says: it would answer in Plex's place.
    ///
    /// # Errors
    /// As [`Probe::new`].
    pub fn through_proxy(
        builder: ClientBuilder,
        url: &str,
        limit: Duration,
        proxy: Proxy,
    ) -> Result<Self, SetupError> {
        Self::build(builder.no_proxy().proxy(proxy), url, limit)
    }

    fn build(builder: ClientBuilder, url: &str, limit: Duration) -> Result<Self, SetupError> {
        let mut base = Url::parse(url.trim()).map_err(|_| SetupError::Url)?;
        let plain = matches!(base.scheme(), "http" | "https")
            && base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !plain {
            return Err(SetupError::Url);
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let http = builder
            .redirect(reqwest::redirect::Policy::none())
            // Shorter than the whole, to tell a host that is gone from one that hangs.
            .connect_timeout(limit.mul_f64(0.6))
            .timeout(limit)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(SetupError::Client)?;
        Ok(Self {
            http,
            base,
            limit,
            signed_in: HeaderMap::new(),
            expected: None,
        })
    }

    /// Sends `token` with the requests of a deep probe that need one, and `client_identifier`,
    /// which Plex uses to know the device again.
    ///
    /// # Errors
    /// One of them cannot be sent in a header.
    pub fn sign_in(mut self, token: &str, client_identifier: &str) -> Result<Self, SetupError> {
        let mut token = HeaderValue::from_str(token).map_err(|_| SetupError::Header)?;
        token.set_sensitive(true);
        let identifier =
            HeaderValue::from_str(client_identifier).map_err(|_| SetupError::Header)?;
        self.signed_in.insert("x-plex-token", token);
        self.signed_in
            .insert("x-plex-client-identifier", identifier);
        Ok(self)
    }

    /// Accepts only the server with this `machineIdentifier`; another one is a
    /// [`Verdict::WrongServer`] and never gets the token.
    #[must_use]
    pub fn expect_server(mut self, machine_identifier: impl Into<String>) -> Self {
        self.expected = Some(machine_identifier.into());
        self
    }

    /// `GET /identity`: is Plex there? Needs no token and takes at most the limit.
    pub async fn shallow(&self) -> Report {
        let started = Instant::now();
        let verdict = self.identity().await;
        Report {
            verdict,
            latency: started.elapsed(),
        }
    }

    /// [`Probe::shallow`], then `/` and `/library/sections`: is Plex usable? Takes at most three
    /// times the limit.
    pub async fn deep(&self) -> Report {
        let started = Instant::now();
        let verdict = match self.identity().await {
            Verdict::Healthy { server, .. } => match self.database().await {
                Ok(libraries) => Verdict::Healthy {
                    server,
                    libraries: Some(libraries),
                },
                Err(verdict) => verdict,
            },
            verdict => verdict,
        };
        Report {
            verdict,
            latency: started.elapsed(),
        }
    }

    async fn identity(&self) -> Verdict {
        match self.get("identity", HeaderMap::new()).await {
            Ok((status, plex, body)) => {
                Answer::new(status, plex, &body).identity(self.expected.as_deref())
            }
            Err(verdict) => verdict,
        }
    }

    async fn database(&self) -> Result<crate::Libraries, Verdict> {
        let (status, plex, body) = self.get("", self.signed_in.clone()).await?;
        if let Some(verdict) = Answer::new(status, plex, &body).still_starting() {
            return Err(verdict);
        }
        match self.get("library/sections", self.signed_in.clone()).await {
            Ok((status, plex, body)) => Answer::new(status, plex, &body).libraries(),
            Err(Verdict::Hanging { limit }) => Err(Verdict::DatabaseSlow { limit }),
            Err(verdict) => Err(verdict),
        }
    }

    async fn get(&self, path: &str, headers: HeaderMap) -> Result<(u16, bool, Vec<u8>), Verdict> {
        let url = self
            .base
            .join(path)
            .map_err(|_| Verdict::NotPlex { status: 0 })?;
        let mut response = self
            .http
            .get(url)
            .headers(headers)
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| self.failed(&error))?;
        let status = response.status().as_u16();
        let plex = response.headers().contains_key("x-plex-protocol");
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LONGEST_BODY => {
                    return Err(Verdict::NotPlex { status });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok((status, plex, self.redacted(body))),
                Err(error) if error.is_timeout() => return Err(self.failed(&error)),
                Err(_) => return Err(Verdict::Garbled),
            }
        }
    }

    /// The answer without the token, should someone have echoed it: a verdict quotes it.
    fn redacted(&self, body: Vec<u8>) -> Vec<u8> {
        let token = self.signed_in.get("x-plex-token");
        let token = token.and_then(|token| token.to_str().ok());
        match (token, std::str::from_utf8(&body)) {
            (Some(token), Ok(text)) if !token.is_empty() && text.contains(token) => {
                text.replace(token, "[token]").into_bytes()
            }
            _ => body,
        }
    }

    fn failed(&self, error: &reqwest::Error) -> Verdict {
        if error.is_timeout() && !error.is_connect() {
            Verdict::Hanging { limit: self.limit }
        } else {
            Verdict::Unreachable {
                cause: Unreachable::classify(error, self.base.scheme() == "https"),
            }
        }
    }
}
