//! Connecting: the settings from Stash, and the clients they lead to.

#[cfg(target_os = "linux")]
mod names;
pub mod stored;
pub mod tls;

use std::time::Duration;

use backoff::SplitMix64;
use plex_health::{Probe, Verdict};
use stash::client::{Client, Endpoint, PluginSettings};
use stash::connection::ServerConnection;

use crate::clients::stored::{PLUGIN_ID, by_key};
use crate::core::settings::{Fault, PlexTarget, Settings};
use crate::storage::data_dir::DataDir;

/// Why no client can be made; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address or token of Plex.
    #[error("{0}")]
    Plex(String),
    /// The file that holds this device's identifier.
    #[error("cannot keep the identifier of this device in {0}: {1}")]
    Identifier(std::path::PathBuf, std::io::Error),
}

type Result<T, E = SetupError> = std::result::Result<T, E>;

/// A client of the Stash that started this process.
pub fn stash(connection: &ServerConnection) -> Result<Client, stash::client::Error> {
    Client::new(tls::client_builder(), &Endpoint::of_plugin(connection)?)
}

/// What Stash told of the settings.
pub struct Told {
    /// The settings, and what is wrong with them.
    pub read: (Settings, Vec<Fault>),
    /// As Stash keeps them.
    pub stored: PluginSettings,
    /// A login is set and no API key: work ends with the session.
    pub session_only: bool,
}

/// Reads the settings and, early, the API key, which outlives the session.
pub async fn settings(stash: &Client) -> Result<Told, stash::client::Error> {
    let configuration = stash.configuration(PLUGIN_ID).await?;
    let session_only = configuration.has_login && configuration.api_key.is_none();
    if let Some(key) = configuration.api_key {
        stash.use_api_key(key)?;
    }
    let stored = configuration.stored;
    let read = Settings::read(&by_key(&stored), |name| std::env::var(name).ok());
    Ok(Told {
        read,
        stored,
        session_only,
    })
}

/// A client of Plex.
pub fn plex(target: &PlexTarget, settings: &Settings, dir: &DataDir) -> Result<plex::Client> {
    client(target, settings, &identifier(dir)?, timeouts(settings))
}

/// The same for one who only looks, and leaves no identifier behind.
pub fn looker(target: &PlexTarget, settings: &Settings, dir: &DataDir) -> Result<plex::Client> {
    client(target, settings, &kept_identifier(dir), timeouts(settings))
}

fn timeouts(settings: &Settings) -> plex::Timeouts {
    let read = settings.read_timeout;
    let long = read.max(Duration::from_secs(60));
    limits(settings.connect_timeout, read, long)
}

fn limits(connect: Duration, read: Duration, long: Duration) -> plex::Timeouts {
    plex::Timeouts {
        connect,
        read,
        write: read,
        list: long,
        upload: long,
    }
}

/// A client of Plex for a health check, which leaves nothing behind and has no time.
pub fn reader(target: &PlexTarget, settings: &Settings, dir: &DataDir) -> Result<plex::Client> {
    let limit = plex_health::LIMIT;
    let identifier = kept_identifier(dir);
    client(target, settings, &identifier, limits(limit, limit, limit))
}

fn client(
    target: &PlexTarget,
    settings: &Settings,
    identifier: &str,
    timeouts: plex::Timeouts,
) -> Result<plex::Client> {
    let device = plex::Device::new(identifier, "Stash2Plex", env!("CARGO_PKG_VERSION"));
    let token = target.token.clone();
    plex::Client::new(builder(settings), &target.url, token, &device, timeouts)
        .map_err(|why| SetupError::Plex(why.to_string()))
}

/// A probe of Plex, with the token for its second step.
pub fn probe(target: &PlexTarget, settings: &Settings, dir: &DataDir) -> Result<Probe> {
    signed_in(target, settings, &identifier(dir)?)
}

fn signed_in(target: &PlexTarget, settings: &Settings, identifier: &str) -> Result<Probe> {
    let probe = Probe::new(builder(settings), &target.url);
    match &target.token {
        Some(token) => probe.and_then(|probe| probe.sign_in(token.expose(), identifier)),
        None => probe,
    }
    .map_err(|why| SetupError::Plex(why.to_string()))
}

/// Whether a server lets this program in without a token; `None` when it does not say.
pub async fn needs_no_token(target: &PlexTarget, settings: &Settings) -> Option<bool> {
    match signed_in(target, settings, "").ok()?.deep().await.verdict {
        Verdict::Healthy { .. } => Some(true),
        Verdict::Unauthorized { .. } => Some(false),
        _ => None,
    }
}

/// The probe, made to accept only the server that is known.
pub fn at_home(probe: Probe, server: Option<&str>) -> Probe {
    match server {
        Some(server) => probe.expect_server(server),
        None => probe,
    }
}

/// A probe that leaves nothing behind: a reader has no identifier of its own to keep.
pub fn health_check(target: &PlexTarget, settings: &Settings, dir: &DataDir) -> Result<Probe> {
    signed_in(target, settings, &kept_identifier(dir))
}

fn kept_identifier(dir: &DataDir) -> String {
    let kept = std::fs::read_to_string(dir.path().join("client_identifier"));
    kept.map_or("stash2plex-health-check".to_owned(), |text| {
        text.trim().to_owned()
    })
}

/// TLS for the Plex server alone: nothing else is ever called with this builder.
fn builder(settings: &Settings) -> reqwest::ClientBuilder {
    tls::client_builder().tls_danger_accept_invalid_certs(settings.tls_skip_verify)
}

fn identifier(dir: &DataDir) -> Result<String> {
    let path = dir.path().join("client_identifier");
    plex::client_identifier(&path, random).map_err(|why| SetupError::Identifier(path, why))
}

fn random() -> [u8; 16] {
    use rand_core::Rng;
    let mut bytes = [0; 16];
    SplitMix64::fresh().fill_bytes(&mut bytes);
    bytes
}
