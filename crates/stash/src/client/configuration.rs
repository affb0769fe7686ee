//! What does a plugin need of Stash's configuration?

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::scene::or_default;
use super::settings::{PluginSettings, spellings};
use super::{Client, Error};
use crate::Secret;

const QUERY: &str = "query Configuration($include: [ID!]) \
    { configuration { general { apiKey username } plugins(include: $include) } }";

/// What a plugin needs of Stash's configuration.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The plugin's settings under all names Stash may have given them. Unset ones are absent, so
    /// every default must mean "absent"; types are as they were sent, numbers may be text.
    pub stored: PluginSettings,
    /// The API key, if one was made. It outlives the session: see [`Client::use_api_key`].
    pub api_key: Option<Secret>,
    /// Whether Stash asks for a user's name and password: then a session that ends needs the API
    /// key.
    pub has_login: bool,
}

#[derive(Deserialize)]
pub(super) struct Data {
    configuration: Wire,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default, deserialize_with = "or_default")]
    general: General,
    #[serde(default, deserialize_with = "or_default")]
    plugins: BTreeMap<String, Option<Map<String, Value>>>,
}

#[derive(Default, Deserialize)]
struct General {
    #[serde(default, rename = "apiKey", deserialize_with = "or_default")]
    api_key: String,
    #[serde(default, deserialize_with = "or_default")]
    username: String,
}

impl Client {
    /// The settings of a plugin (its id is the manifest's file name without `.yml`) and the API
    /// key.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Query`] before Stash 0.24, which keeps no plugin settings.
    pub async fn configuration(&self, plugin_id: &str) -> Result<Configuration, Error> {
        let variables = json!({ "include": spellings(plugin_id) });
        let data: Data = self.query(QUERY, variables).await?;
        Ok(data.of(plugin_id))
    }

    /// Replaces all settings of a plugin: what is to stay must be among them.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Query`] before Stash 0.24, which keeps no plugin settings.
    pub async fn configure_plugin(
        &self,
        plugin_id: &str,
        settings: &Map<String, Value>,
    ) -> Result<(), Error> {
        const QUERY: &str = "mutation ConfigurePlugin($id: ID!, $input: Map!) { configurePlugin(plugin_id: $id, input: $input) }";
        let variables = json!({"id": plugin_id, "input": settings});
        self.query::<IgnoredAny>(QUERY, variables).await.map(drop)
    }
}

impl Data {
    pub(super) fn of(self, plugin_id: &str) -> Configuration {
        let Wire { general, plugins } = self.configuration;
        let set = |(id, settings): (_, Option<_>)| Some((id, settings?));
        let plugins = plugins.into_iter().filter_map(set).collect();
        let api_key = Some(general.api_key).filter(|key| !key.is_empty());
        Configuration {
            stored: PluginSettings::of(plugin_id, plugins),
            api_key: api_key.map(Secret::new),
            has_login: !general.username.is_empty(),
        }
    }
}
