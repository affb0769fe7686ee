//! How is the simulated Stash set up?

use std::path::PathBuf;
use std::time::Duration;

/// How Stash gives the names of a plugin's settings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SettingsSpelling {
    /// As they were set.
    #[default]
    Exact,
    /// `plex_url` comes back as `plexUrl`, as from v0.24 and v0.25.
    CamelKeys,
    /// Under another plugin id too: `Stash2Plex` comes back as `stash2Plex`, after the migration to
    /// v0.26.
    CamelKeysAndId,
}

impl SettingsSpelling {
    pub(super) fn id(self, id: &str) -> String {
        match self {
            Self::CamelKeysAndId => {
                let mut characters = id.chars();
                let first = characters.next().into_iter().flat_map(char::to_lowercase);
                first.chain(characters).collect()
            }
            _ => id.to_owned(),
        }
    }

    pub(super) fn settings(self, settings: &serde_json::Value) -> serde_json::Value {
        match settings {
            serde_json::Value::Object(map) => map
                .iter()
                .map(|(key, value)| (self.key(key), value.clone()))
                .collect(),
            other => other.clone(),
        }
    }

    pub(super) fn key(self, key: &str) -> String {
        match self {
            Self::Exact => key.to_owned(),
            _ => {
                let mut words = key.split('_');
                let first = words.next().unwrap_or_default().to_owned();
                words.fold(first, |name, word| {
                    let mut characters = word.chars();
                    let initial = characters.next().into_iter().flat_map(char::to_uppercase);
                    name.chars().chain(initial).chain(characters).collect()
                })
            }
        }
    }
}

/// How the simulated Stash is set up. [`StashServer::set`](super::StashServer::set) changes it
/// while it runs.
#[derive(Debug, Clone)]
pub struct StashOptions {
    /// Whether a user name and password are set: requests then need the session cookie or the API
    /// key.
    pub credentials: bool,
    /// The API key; `None` if none was made. A wrong key gives 401 even without credentials.
    pub api_key: Option<String>,
    /// The `Dir` of hooks: Stash's configuration directory.
    pub config_dir: PathBuf,
    /// The `PluginDir` of hooks; may be relative to Stash's working directory.
    pub plugin_dir: PathBuf,
    /// The `Host` of hooks, verbatim as configured: `0.0.0.0` by default in Stash.
    pub host: String,
    /// The version told.
    pub version: String,
    /// `Type.field` names that this version does not have yet, for instance [`BEFORE_GROUPS`].
    pub missing_fields: Vec<String>,
    /// How settings come back from `configuration { plugins }`.
    pub settings_spelling: SettingsSpelling,
    /// Absolute addresses (`paths.*`, images) begin so instead of with the request's `Host`.
    pub external_host: Option<String>,
    /// The server's local offset from UTC in minutes, which goes into the text of new `updated_at`
    /// values.
    pub utc_offset: i32,
    /// Fixed time in Unix seconds instead of the real one.
    pub now: Option<i64>,
    /// What Stash is at, as `jobQueue` tells: `Scanning...`. Empty means nothing.
    pub jobs: Vec<String>,
    /// Idle connections are closed after this. Fixed at the start.
    pub keep_alive: Duration,
}

/// What a Stash older than 0.27 lacks.
pub const BEFORE_GROUPS: [&str; 4] = [
    "Scene.groups",
    "SceneFilterType.groups",
    "Query.findGroups",
    "Query.findGroup",
];

impl Default for StashOptions {
    fn default() -> Self {
        Self {
            credentials: true,
            api_key: Some("stash-api-key-9Zx4".to_owned()),
            config_dir: PathBuf::from("/root/.stash"),
            plugin_dir: PathBuf::from("/root/.stash/plugins/stash2plex"),
            host: "0.0.0.0".to_owned(),
            version: "v0.30.1".to_owned(),
            missing_fields: Vec::new(),
            settings_spelling: SettingsSpelling::default(),
            external_host: None,
            utc_offset: 0,
            now: None,
            jobs: Vec::new(),
            keep_alive: Duration::from_secs(120),
        }
    }
}
