//! Genres, actors, collections and the like.

use serde::{Deserialize, Deserializer};

use crate::lenient;

/// A kind of tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagKind {
    /// Genres.
    Genre,
    /// Collections. Adding an item to one makes it when it is missing.
    Collection,
    /// Actors, with roles.
    Actor,
    /// Labels.
    Label,
    /// Directors.
    Director,
    /// Writers.
    Writer,
    /// Producers.
    Producer,
    /// Countries.
    Country,
}

impl TagKind {
    /// The name in edits and locks.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Genre => "genre",
            Self::Collection => "collection",
            Self::Actor => "actor",
            Self::Label => "label",
            Self::Director => "director",
            Self::Writer => "writer",
            Self::Producer => "producer",
            Self::Country => "country",
        }
    }
}

/// A tag of an item. Plex compares names without case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// The name.
    #[serde(rename = "tag", default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Whom an actor plays; empty for none.
    #[serde(default, deserialize_with = "lenient::text")]
    pub role: String,
}

impl From<&str> for Tag {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

impl From<String> for Tag {
    fn from(name: String) -> Self {
        let role = String::new();
        Self { name, role }
    }
}

/// The tags that have a name.
pub(crate) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Tag>, D::Error> {
    let mut tags: Vec<Tag> = lenient::list(deserializer)?;
    tags.retain(|tag| !tag.name.is_empty());
    Ok(tags)
}
