//! Where is Stash, and who asks?

use url::Url;

use super::Error;
use crate::Secret;
use crate::connection::{ServerConnection, SessionCookie};

/// How a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all: a Stash without a password needs nothing.
    None,
    /// The session Stash gave the plugin. Every answer brings a fresh one, which the client takes.
    Session(SessionCookie),
    /// The API key, which does not end by itself.
    ApiKey(Secret),
}

impl Credentials {
    /// The texts without them, should someone have echoed them.
    pub(super) fn redact(&self, texts: Vec<String>) -> Vec<String> {
        let secret = match self {
            Self::None => "",
            Self::Session(cookie) => cookie.value.expose().trim(),
            Self::ApiKey(key) => key.expose().trim(),
        };
        match secret {
            "" => texts,
            secret => texts
                .into_iter()
                .map(|text| text.replace(secret, "[secret]"))
                .collect(),
        }
    }
}

/// Where a Stash is, and how to prove who asks.
///
/// ```
/// use stash::client::Endpoint;
/// use stash::Secret;
/// let endpoint = Endpoint::new("http://nas:9999")?.with_api_key(Secret::new("eyJ…"));
/// assert_eq!(endpoint.base().as_str(), "http://nas:9999/");
/// # Ok::<(), stash::client::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(super) base: Url,
    pub(super) credentials: Credentials,
    pub(super) verify_tls: bool,
}

impl Endpoint {
    /// A Stash at an `http` or `https` address, with a path where a proxy puts it under one.
    ///
    /// # Errors
    /// [`Error::Setup`] when the text is not such an address.
    pub fn new(url: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Error::Setup(format!("the address is not usable: {why}"));
        let mut base = Url::parse(url.trim()).map_err(|error| refuse(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            let why = "it must start with http:// or https:// and name a host";
            return Err(refuse(why));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(refuse("leave user name and password out, use an API key"));
        }
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&format!("{path}/"));
        Ok(Self {
            base,
            credentials: Credentials::None,
            verify_tls: true,
        })
    }

    /// The Stash that started this plugin, with the session it gave.
    ///
    /// Its certificate is not verified: the address is the listen address, which no certificate
    /// names.
    ///
    /// # Errors
    /// [`Error::Setup`] when the configured host is no host name.
    pub fn of_plugin(connection: &ServerConnection) -> Result<Self, Error> {
        let mut endpoint = Self::new(&connection.url())?.without_tls_verification();
        if let Some(cookie) = &connection.session_cookie {
            endpoint.credentials = Credentials::Session(cookie.clone());
        }
        Ok(endpoint)
    }

    /// The same with an API key instead of the session.
    #[must_use]
    pub fn with_api_key(mut self, key: Secret) -> Self {
        self.credentials = Credentials::ApiKey(key);
        self
    }

    /// The same, taking any certificate of this one server (feature `rustls`).
    #[must_use]
    pub fn without_tls_verification(mut self) -> Self {
        self.verify_tls = false;
        self
    }

    /// The base address, ending in `/`.
    pub fn base(&self) -> &Url {
        &self.base
    }
}
