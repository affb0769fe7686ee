//! A plugin's settings under all names Stash may give them.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use stash::client::PluginSettings;

fn settings(stored: Value) -> PluginSettings {
    PluginSettings::of("Stash2Plex", serde_json::from_value(stored).unwrap())
}

/// The value, plugin id and key.
fn found(stored: Value) -> Option<(Value, String, String)> {
    let settings = settings(stored);
    let found = settings.get("plex_url")?;
    Some((
        found.value.clone(),
        found.plugin_id.to_owned(),
        found.key.to_owned(),
    ))
}

#[test]
fn the_exact_name_comes_first_then_the_others_in_order() {
    // Everything at once, and then without the first, and so on.
    let names = [
        ("Stash2Plex", "plex_url"),
        ("Stash2Plex", "plexUrl"),
        ("stash2Plex", "plex_url"),
        ("stash2Plex", "plexUrl"),
        ("stash2_plex", "plex_url"),
        ("stash2_plex", "plexUrl"),
        ("STASH2PLEX", "plex_url"),
    ];
    for first in 0..names.len() {
        let mut stored = json!({"Other": {"plex_url": "not ours"}});
        for (id, key) in &names[first..] {
            stored[id][key] = json!(format!("{id}.{key}"));
        }
        let (id, key) = names[first];
        let expected = (json!(format!("{id}.{key}")), id.to_owned(), key.to_owned());
        assert_eq!(found(stored), Some(expected));
    }
    assert_eq!(found(json!({"Other": {"plex_url": "not ours"}})), None);
    assert_eq!(found(json!({})), None);
}

#[test]
fn a_cleared_text_is_a_setting_and_null_is_none() {
    let old = json!({"plexUrl": "http://old:32400"});
    let cleared = found(json!({"Stash2Plex": {"plex_url": ""}, "stash2Plex": old.clone()}));
    assert_eq!(cleared.unwrap().0, "");
    let (value, id, key) =
        found(json!({"Stash2Plex": {"plex_url": null}, "stash2Plex": old})).unwrap();
    assert_eq!(
        (value, id.as_str(), key.as_str()),
        (json!("http://old:32400"), "stash2Plex", "plexUrl")
    );
}

#[test]
fn a_key_without_underscores_is_itself() {
    let settings = settings(json!({"Stash2Plex": {"enabled": "false"}}));
    assert_eq!(settings.get("enabled").unwrap().value, "false");
}

#[test]
fn no_value_shows() {
    let shown = format!(
        "{:?}",
        settings(json!({"Stash2Plex": {"plex_token": "secret"}}))
    );
    assert!(
        shown.contains("plex_token") && !shown.contains("secret"),
        "{shown}"
    );
}
