//! A plugin's settings, under whatever names this Stash gives them.
//!
//! Stash 0.24 and 0.25 give the key `plex_url` back as `plexUrl`. The first start of 0.26 or later
//! rewrites the keys of what they stored in the same way, and the plugin's id: `Stash2Plex`, stored
//! as `stash2_plex`, becomes `stash2Plex`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// A plugin's settings, found under all names Stash may have given them.
///
/// ```
/// use stash::client::PluginSettings;
///
/// let stored = serde_json::from_str(r#"{"stash2Plex": {"plexUrl": "http://nas:32400"}}"#)?;
/// let settings = PluginSettings::of("Stash2Plex", stored);
/// let found = settings.get("plex_url").unwrap();
/// assert_eq!(found.value, "http://nas:32400");
/// assert_eq!((found.plugin_id, found.key), ("stash2Plex", "plexUrl"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct PluginSettings {
    /// By plugin id, the preferred one first.
    maps: Vec<(String, Map<String, Value>)>,
}

/// A setting, and the names under which it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting<'a> {
    /// As it was stored: numbers may be text.
    pub value: &'a Value,
    /// The plugin's id as Stash spells it there.
    pub plugin_id: &'a str,
    /// The setting's key as Stash spells it there.
    pub key: &'a str,
}

impl PluginSettings {
    /// Those of a plugin (its id is the manifest's file name without `.yml`) among the settings of
    /// plugins by id.
    pub fn of(plugin_id: &str, mut stored: BTreeMap<String, Map<String, Value>>) -> Self {
        let known = spellings(plugin_id).into_iter();
        let mut maps: Vec<_> = known.filter_map(|id| stored.remove_entry(&id)).collect();
        let others = stored.into_iter();
        maps.extend(others.filter(|(id, _)| id.eq_ignore_ascii_case(plugin_id)));
        Self { maps }
    }

    /// The settings under the plugin's exact id, and beside them, under its own key, each of these
    /// that Stash keeps under another name: for
    /// [`Client::configure_plugin`](super::Client::configure_plugin). `None` where all are in their
    /// place.
    ///
    /// ```
    /// # use stash::client::PluginSettings;
    /// let stored = serde_json::from_str(r#"{"Stash2Plex": {"mine": 1}, "stash2Plex": {"plexUrl": "http://nas:32400"}}"#)?;
    /// let settings = PluginSettings::of("Stash2Plex", stored);
    /// let restored = settings.restored("Stash2Plex", ["plex_url", "plex_token"]).unwrap();
    /// assert_eq!(serde_json::Value::from(restored), serde_json::json!({"mine": 1, "plex_url": "http://nas:32400"}));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn restored<'k>(
        &self,
        plugin_id: &str,
        keys: impl IntoIterator<Item = &'k str>,
    ) -> Option<Map<String, Value>> {
        let exact = self.maps.iter().find(|(id, _)| id == plugin_id);
        let mut map = exact.map(|(_, map)| map.clone()).unwrap_or_default();
        let mut moved = false;
        for key in keys {
            let Some(found) = self.get(key) else { continue };
            if (found.plugin_id, found.key) != (plugin_id, key) {
                map.insert(key.to_owned(), found.value.clone());
                moved = true;
            }
        }
        moved.then_some(map)
    }

    /// The setting with this key: under the plugin's exact id before any other, and there under the
    /// exact key before the one in camel case. A cleared text is one; null counts as absent.
    pub fn get(&self, key: &str) -> Option<Setting<'_>> {
        let keys = [key.to_owned(), camel_case(key)];
        self.maps.iter().find_map(|(plugin_id, map)| {
            let mut found = keys.iter().filter_map(|key| map.get_key_value(key));
            let (key, value) = found.find(|(_, value)| !value.is_null())?;
            Some(Setting {
                value,
                plugin_id,
                key,
            })
        })
    }
}

/// Only the keys: the values may hold secrets.
impl fmt::Debug for PluginSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let maps = self.maps.iter();
        let keys = maps.map(|(id, map)| (id, map.keys().collect::<Vec<_>>()));
        f.debug_map().entries(keys).finish()
    }
}

/// The ids under which Stash may keep a plugin's settings, the preferred one first.
pub(super) fn spellings(plugin_id: &str) -> [String; 3] {
    let snake = snake_case(plugin_id);
    [plugin_id.to_owned(), camel_case(&snake), snake]
}

/// As Stash 0.24 and 0.25 store a name.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut after_underscore = false;
    for c in name.chars() {
        after_underscore = c.is_uppercase() && !after_underscore && !snake.is_empty();
        if after_underscore {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// As Stash gives such a name back.
fn camel_case(name: &str) -> String {
    let word = name.trim_start_matches('_');
    let mut camel = name[..name.len() - word.len()].to_owned();
    let mut upper = false;
    for c in word.chars() {
        match c {
            '_' => {}
            c if upper => camel.extend(c.to_uppercase()),
            c => camel.push(c),
        }
        upper = c == '_';
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::{camel_case, snake_case};

    /// What Stash's own functions make of the same names.
    #[test]
    fn names_change_as_in_stash() {
        for (name, snake, camel) in [
            ("plex_url", "plex_url", "plexUrl"),
            ("Stash2Plex", "stash2_plex", "Stash2Plex"),
            ("stash2_plex", "stash2_plex", "stash2Plex"),
            ("someIDs", "some_ids", "someIDs"),
            ("__a__b_", "__a__b_", "__aB"),
            ("", "", ""),
        ] {
            assert_eq!(
                (snake_case(name), camel_case(name)),
                (snake.into(), camel.into())
            );
        }
    }
}
