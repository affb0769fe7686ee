//! Libraries.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Client, Error, ItemKind, SectionId, lenient};

/// A library.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Section {
    /// Its key.
    #[serde(rename = "key")]
    pub id: SectionId,
    /// `movie`, `show`, `artist`, `photo`. A library of other videos is a `movie` one.
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    pub kind: String,
    /// The name a user sees.
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: String,
    /// Where its metadata comes from; `tv.plex.agents.none` for personal media.
    #[serde(default, deserialize_with = "lenient::text")]
    pub agent: String,
    /// Whether it is being scanned.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub refreshing: bool,
    /// Its folders, as Plex's host sees them.
    #[serde(rename = "Location", default, deserialize_with = "paths")]
    pub locations: Vec<String>,
}

impl Section {
    /// The kind of its items that have video files; `None` for music and photos.
    #[must_use]
    pub fn video_kind(&self) -> Option<ItemKind> {
        match self.kind.as_str() {
            "movie" => Some(ItemKind::Movie),
            "show" => Some(ItemKind::Episode),
            _ => None,
        }
    }
}

fn paths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let locations: Vec<Value> = lenient::list(deserializer)?;
    let paths = locations
        .iter()
        .filter_map(|location| location["path"].as_str());
    let paths = paths.filter(|path| !path.is_empty());
    Ok(paths.map(str::to_owned).collect())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sections {
    #[serde(rename = "Directory", deserialize_with = "lenient::list")]
    sections: Vec<Value>,
}

impl Sections {
    fn readable(self) -> Result<Vec<Section>, Error> {
        // A list would pass for an object with its fields in order.
        let read = |entry: &Value| match entry.is_object() {
            true => Section::deserialize(entry),
            false => Err(serde::de::Error::custom("a library is no object")),
        };
        let (mut readable, mut failed) = (Vec::new(), None);
        for read in self.sections.iter().map(read) {
            match read {
                Ok(section) => readable.push(section),
                Err(why) => failed = Some(why),
            }
        }
        match failed.filter(|_| readable.is_empty()) {
            Some(why) => Err(Error::Malformed(why)),
            None => Ok(readable),
        }
    }
}

impl Client {
    /// All libraries; one that Plex describes in a form that cannot be read is left out, where there
    /// are others. Needs the token, and Plex's database.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn sections(&self) -> Result<Vec<Section>, Error> {
        let limit = self.timeouts.list;
        let found: Sections = self.get(limit, &["library", "sections"], &[]).await?;
        found.readable()
    }
}
