//! One request to Stash and its answer: cookies, limits, timeouts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::answer::{Parts, is_faulty, parse, parse_parts};
use super::schema::Schema;
use super::{Credentials, Endpoint, Error};
use crate::Secret;
use crate::protocol::SessionCookie;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest GraphQL answer read: a page of 1,000 full scenes is about 3 MB.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// A client of one Stash. Share it by reference; clones share the session.
///
/// ```no_run
/// # async fn demo() -> Result<(), stash::client::Error> {
/// use stash::client::{Client, Endpoint};
///
/// let endpoint = Endpoint::new("http://localhost:9999")?;
/// let client = Client::new(reqwest::Client::builder(), &endpoint)?;
/// if let Some(scene) = client.find_scene(45.into()).await? {
///     println!("{} by {} performers", scene.title, scene.performers.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    link: Link,
    /// Once it is known.
    schema: Option<Arc<Schema>>,
}

/// Where Stash is, and as whom it is asked.
#[derive(Debug, Clone)]
struct Link {
    http: reqwest::Client,
    base: Url,
    credentials: Credentials,
}

impl Link {
    fn new(builder: ClientBuilder, endpoint: &Endpoint) -> Result<Self, Error> {
        let builder = tls(builder, endpoint)?
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(QUERY_TIMEOUT);
        headers(&endpoint.credentials)?;
        let http = builder.build();
        Ok(Self {
            http: http.map_err(|error| Error::from_reqwest(error, CONNECT_TIMEOUT))?,
            base: endpoint.base.clone(),
            credentials: endpoint.credentials.clone(),
        })
    }

    /// A request with the credentials.
    fn request(
        &self,
        method: Method,
        path: &str,
        query: Option<&str>,
    ) -> Result<RequestBuilder, Error> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url.set_query(query);
        let request = self.http.request(method, url);
        Ok(request.headers(headers(&self.credentials)?))
    }
}

#[derive(Serialize)]
struct Request<'a, V> {
    query: &'a str,
    variables: V,
}

impl Client {
    /// A client on a builder of yours, which chooses roots and user agent; redirects, proxies, time
    /// limits and certificate checks are set here.
    ///
    /// With the feature `rustls`, install a crypto provider first, as with
    /// `rustls::crypto::ring::default_provider().install_default()`.
    ///
    /// # Errors
    /// [`Error::Setup`] without a crypto provider, when the credentials fit no header, or when
    /// reqwest cannot be set up.
    pub fn new(builder: ClientBuilder, endpoint: &Endpoint) -> Result<Self, Error> {
        let (link, schema) = (Link::new(builder, endpoint)?, None);
        let state = Arc::new(Mutex::new(State { link, schema }));
        Ok(Self { state })
    }

    /// From now on this client and all its clones ask the Stash at `endpoint`, with the credentials
    /// given there: a Stash that was restarted may have another port, and its sessions are new.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); then all stays as it was.
    pub fn reconnect(&self, builder: ClientBuilder, endpoint: &Endpoint) -> Result<(), Error> {
        let (link, schema) = (Link::new(builder, endpoint)?, None);
        *self.state() = State { link, schema };
        Ok(())
    }

    /// Uses this API key from now on: it outlives the session.
    ///
    /// # Errors
    /// [`Error::Setup`] when the key fits no header.
    pub fn use_api_key(&self, key: Secret) -> Result<(), Error> {
        let credentials = Credentials::ApiKey(key);
        headers(&credentials)?;
        self.state().link.credentials = credentials;
        Ok(())
    }

    /// Whether it is an API key that this client sends.
    pub fn uses_api_key(&self) -> bool {
        matches!(self.state().link.credentials, Credentials::ApiKey(_))
    }

    /// Sends a query or mutation of your own.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Query`] when this Stash does not know a field.
    pub async fn query<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: impl Serialize,
    ) -> Result<T, Error> {
        let (status, body) = self.post(query, variables).await?;
        self.noticed(parse(status, &body))
    }

    /// Sends a query whose fields are answered each on its own.
    pub(super) async fn query_parts(&self, query: &str) -> Result<Parts, Error> {
        let (status, body) = self.post(query, ()).await?;
        let mut parts = self.noticed(parse_parts(status, &body))?;
        let credentials = &self.state().link.credentials;
        for messages in parts.faults.values_mut() {
            *messages = credentials.redact(std::mem::take(messages));
        }
        Ok(parts)
    }

    async fn post(&self, query: &str, variables: impl Serialize) -> Result<(u16, Vec<u8>), Error> {
        let body = serde_json::to_vec(&Request { query, variables })
            .map_err(|error| Error::Setup(format!("the variables are not JSON: {error}")))?;
        let link = self.state().link.clone();
        let request = link
            .request(Method::POST, "graphql", None)?
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(body);
        let answer = self.send(&link, request, QUERY_TIMEOUT).await?;
        let status = answer.status().as_u16();
        if !answer.status().is_success() && !is_faulty(status) {
            return Err(Error::Status { status });
        }
        Ok((status, read(answer, MAX_ANSWER, QUERY_TIMEOUT).await?))
    }

    /// A Stash that does not know a field is another one than the one whose schema is known. What it
    /// says may echo the credentials.
    fn noticed<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        let mut state = self.state();
        if matches!(result, Err(Error::Query { .. })) {
            state.schema = None;
        }
        let credentials = &state.link.credentials;
        result.map_err(|error| match error {
            Error::Query { messages } => Error::Query {
                messages: credentials.redact(messages),
            },
            Error::Resolver { messages } => Error::Resolver {
                messages: credentials.redact(messages),
            },
            error => error,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn schema(&self) -> Result<Arc<Schema>, Error> {
        let known = self.state().schema.clone();
        if let Some(schema) = known {
            return Ok(schema);
        }
        let schema = Arc::new(Schema::probe(self).await?);
        self.state().schema = Some(schema.clone());
        Ok(schema)
    }

    pub(super) async fn get(
        &self,
        path: &str,
        query: Option<&str>,
        headers: HeaderMap,
        limit: Duration,
    ) -> Result<Response, Error> {
        let link = self.state().link.clone();
        let request = link.request(Method::GET, path, query)?;
        let request = request.headers(headers).timeout(limit);
        self.send(&link, request, limit).await
    }

    async fn send(
        &self,
        used: &Link,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Response, Error> {
        let answer = request.send().await;
        let answer = answer.map_err(|error| Error::from_reqwest(error, limit))?;
        let to_login = || {
            let to = answer.headers().get(LOCATION);
            to.is_some_and(|to| to.to_str().is_ok_and(|to| to.contains("/login")))
        };
        match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Error::Unauthorized),
            status if status.is_redirection() && to_login() => return Err(Error::Unauthorized),
            _ => {}
        }
        self.take_fresh_session(used, answer.headers());
        Ok(answer)
    }

    /// The session goes on under another name; that of a Stash asked before a reconnect is of no
    /// use any more.
    fn take_fresh_session(&self, used: &Link, headers: &HeaderMap) {
        let current = &mut self.state().link.credentials;
        let is_used = *current == used.credentials;
        let Credentials::Session(SessionCookie { name, value }) = current else {
            return;
        };
        let mut cookies = headers.get_all(SET_COOKIE).iter();
        let fresh = cookies.find_map(|header| cookie_value(header.to_str().ok()?, name));
        if let Some(fresh) = fresh.filter(|fresh| is_used && !fresh.is_empty()) {
            *value = Secret::new(fresh);
        }
    }
}

#[cfg(feature = "rustls")]
fn tls(builder: ClientBuilder, endpoint: &Endpoint) -> Result<ClientBuilder, Error> {
    // reqwest would panic.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::Setup(
            "install a rustls crypto provider first, as with rustls::crypto::ring::default_provider().install_default()".into(),
        ));
    }
    // A client of plain http makes no TLS connection; unverified, it also needs no system
    // certificates, which a container may not have.
    let unverified = !endpoint.verify_tls || endpoint.base.scheme() == "http";
    Ok(builder.tls_danger_accept_invalid_certs(unverified))
}

#[cfg(not(feature = "rustls"))]
fn tls(builder: ClientBuilder, endpoint: &Endpoint) -> Result<ClientBuilder, Error> {
    if endpoint.base.scheme() == "https" && !endpoint.verify_tls {
        let why =
            "https without certificate checks needs the feature `rustls` of the crate `stash`";
        return Err(Error::Setup(why.into()));
    }
    Ok(builder)
}

const API_KEY: HeaderName = HeaderName::from_static("apikey");

fn headers(credentials: &Credentials) -> Result<HeaderMap, Error> {
    let (name, text) = match credentials {
        Credentials::None => return Ok(HeaderMap::new()),
        Credentials::Session(SessionCookie { name, value }) => {
            (COOKIE, format!("{name}={}", value.expose()))
        }
        Credentials::ApiKey(key) => (API_KEY, key.expose().trim().to_owned()),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        Error::Setup("the session or API key holds characters no header may carry".into())
    })?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}

/// The value a `Set-Cookie` gives the cookie of this name.
pub(super) fn cookie_value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let (key, rest) = header.split_once('=')?;
    (key.trim() == name).then(|| rest.split(';').next().unwrap_or_default().trim())
}

pub(super) async fn read(
    mut answer: Response,
    limit: usize,
    time: Duration,
) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    let failed = |error| Error::from_reqwest(error, time);
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
