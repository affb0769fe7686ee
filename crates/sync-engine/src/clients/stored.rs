//! The names under which Stash keeps the settings: its releases 0.24 and 0.25 give `plex_url` back
//! as `plexUrl`, and updating them renames what they stored, the plugin's id too.

use rusqlite::Connection;
use serde_json::{Map, Value};
use stash::client::{Client, PluginSettings};

use crate::core::settings::names;
use crate::core::words::worker as texts;
use crate::storage::log::WorkerLog;
use crate::storage::meta;

/// The key of the plugin's settings in Stash: the name of its manifest.
pub const PLUGIN_ID: &str = "Stash2Plex";

/// What was told of the names last.
const TOLD: &str = "settings_names";

/// The settings by their own keys, whatever Stash calls them.
pub fn by_key(stored: &PluginSettings) -> Map<String, Value> {
    let keys = names::ALL.iter().map(|(key, _)| *key);
    let found = |key: &str| Some((key.to_owned(), stored.get(key)?.value.clone()));
    keys.filter_map(found).collect()
}

/// The first release that keeps a key as it is written.
fn keeps_names(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split(['.', '-']);
    let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
    (next(), next()).ge(&(Some(0), Some(26)))
}

/// What is to be stored instead, if a setting has another name.
fn restored(stored: &PluginSettings) -> Option<Map<String, Value>> {
    stored.restored(PLUGIN_ID, names::ALL.iter().map(|(key, _)| *key))
}

/// Writes settings that Stash had renamed back under their names, where it keeps them, so that its
/// settings page shows them again; says so, once. Whatever becomes of it, they are read.
///
/// # Errors
/// The database cannot be written.
pub async fn restore(
    client: &Client,
    stored: &PluginSettings,
    db: &Connection,
    log: &WorkerLog<'_>,
) -> rusqlite::Result<()> {
    let Some(all) = restored(stored) else {
        return Ok(());
    };
    // One that does not tell will be asked again.
    let Ok(version) = client.version().await else {
        return Ok(());
    };
    if keeps_names(&version) {
        // Stash takes all settings of a plugin at once, and a person may have changed one since
        // they were read: another worker will see to it.
        let now = client.configuration(PLUGIN_ID).await.ok();
        if now.and_then(|now| restored(&now.stored)).as_ref() != Some(&all) {
            return Ok(());
        }
        log.info(match client.configure_plugin(PLUGIN_ID, &all).await {
            Ok(()) => texts::NAMES_RESTORED.to_owned(),
            Err(why) => texts::names_not_restored(why),
        });
    } else if meta::get(db, TOLD)?.as_deref() != Some(&version) {
        log.info(texts::names_lost(&version));
        meta::set(db, TOLD, &version)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::keeps_names;

    #[test]
    fn names_are_kept_from_0_26_on() {
        for version in [
            "v0.26.0",
            "v0.30.1",
            "0.26.2",
            "v1.0.0",
            "v0.27.0-12-gabcdef",
        ] {
            assert!(keeps_names(version), "{version}");
        }
        for version in ["v0.24.3", "v0.25.1", "v0.25.1-7-g12", "", "v0", "dev"] {
            assert!(!keeps_names(version), "{version}");
        }
    }
}
