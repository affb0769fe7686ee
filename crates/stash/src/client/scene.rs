//! Scenes as Stash tells of them. Everything but the id tolerates null and absence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Error;
use crate::protocol::json::unsigned;
use crate::timestamp;

/// A scene's id. GraphQL sends ids as text, hooks as numbers; they are whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SceneId(pub u64);

impl From<u64> for SceneId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl fmt::Display for SceneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SceneId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl<'de> Deserialize<'de> for SceneId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        loose_u64(deserializer)?
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a scene without an id"))
    }
}

/// A scene. Text Stash has not is empty.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Scene {
    /// Its id.
    pub id: SceneId,
    /// The title; empty after a scan, where Stash shows the file name.
    #[serde(default, deserialize_with = "or_default")]
    pub title: String,
    /// The studio's code.
    #[serde(default, deserialize_with = "or_default")]
    pub code: String,
    /// The description.
    #[serde(default, deserialize_with = "or_default")]
    pub details: String,
    /// The director.
    #[serde(default, deserialize_with = "or_default")]
    pub director: String,
    /// `YYYY-MM-DD`; since Stash 0.30 also `YYYY-MM` or `YYYY`.
    #[serde(default, deserialize_with = "or_default")]
    pub date: String,
    /// The rating, 1 to 100; none if unrated (or before Stash 0.18).
    #[serde(default, deserialize_with = "rating")]
    pub rating100: Option<u8>,
    /// Marked as organized.
    #[serde(default, deserialize_with = "or_default")]
    pub organized: bool,
    /// Web addresses.
    #[serde(default, alias = "url", deserialize_with = "one_or_more")]
    pub urls: Vec<String>,
    /// Its files, the primary one first; may be empty.
    #[serde(default, deserialize_with = "or_default")]
    pub files: Vec<SceneFile>,
    /// The studio.
    #[serde(default)]
    pub studio: Option<Studio>,
    /// The performers.
    #[serde(default, deserialize_with = "or_default")]
    pub performers: Vec<Performer>,
    /// The tags.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<Tag>,
    /// The groups (movies before Stash 0.27).
    #[serde(default, alias = "movies", deserialize_with = "groups")]
    pub groups: Vec<Group>,
    /// The cover's address, for [`Client::image`](super::Client::image). Its `t=` changes with the
    /// scene.
    #[serde(default, rename = "paths", deserialize_with = "screenshot")]
    pub screenshot: Option<String>,
    /// When it was created, in seconds since 1970.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: i64,
    /// When it was last changed. Renamed performers, studios and tags do not move it, nor does a
    /// moved file.
    #[serde(default, deserialize_with = "instant")]
    pub updated_at: i64,
}

/// A scene's file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SceneFile {
    /// The path as Stash sees it.
    #[serde(default, deserialize_with = "or_default")]
    pub path: String,
    /// The file name.
    #[serde(default, deserialize_with = "or_default")]
    pub basename: String,
    /// The size in bytes.
    #[serde(default, deserialize_with = "loose_u64")]
    pub size: Option<u64>,
    /// The duration in seconds.
    #[serde(default)]
    pub duration: Option<f64>,
}

/// A studio.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Studio {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The studio it belongs to.
    #[serde(default)]
    pub parent_studio: Option<Box<Studio>>,
}

/// A performer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Performer {
    /// The id.
    pub id: String,
    /// The name, which several performers may have.
    pub name: String,
    /// What tells performers of one name apart; empty for most (and before Stash 0.20).
    #[serde(default, deserialize_with = "or_default")]
    pub disambiguation: String,
    /// The picture's address; see [`is_placeholder`](super::is_placeholder).
    #[serde(default)]
    pub image_path: Option<String>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A group, called movie before Stash 0.27.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A scene's id and times: the cheapest row of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SceneStamp {
    /// Its id.
    pub id: SceneId,
    /// When it was created, in seconds since 1970.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: i64,
    /// When it was last changed.
    #[serde(default, deserialize_with = "instant")]
    pub updated_at: i64,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// How many rows Stash counts in this page and those that follow.
    pub total: u64,
    /// The rows of this page.
    pub rows: Vec<T>,
    /// Those whose description is not understood ([`Error::Unreadable`]).
    pub failed: Vec<(SceneId, Error)>,
    /// After which scene the next page starts; `None` when no further page follows.
    pub next: Option<SceneId>,
}

/// The scenes asked for, which of them Stash no longer has, and which it failed to read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FoundScenes {
    /// Those found.
    pub scenes: Vec<Scene>,
    /// Those gone.
    pub missing: Vec<SceneId>,
    /// Those that are there, as far as is known, but that Stash could not answer for while it could
    /// for others, or whose description is not understood ([`Error::Unreadable`]).
    pub failed: Vec<(SceneId, Error)>,
}

pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn rating<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let rating: Option<i64> = Option::deserialize(deserializer)?;
    Ok(rating.and_then(|rating| u8::try_from(rating.clamp(0, 100)).ok()))
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(url) if !url.is_empty() => vec![url],
        Value::Array(urls) => urls
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    })
}

fn groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Group>, D::Error> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(alias = "movie")]
        group: Group,
    }
    let entries: Option<Vec<Entry>> = Option::deserialize(deserializer)?;
    let entries = entries.into_iter().flatten();
    Ok(entries.map(|entry| entry.group).collect())
}

fn screenshot<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let paths = Value::deserialize(deserializer)?;
    Ok(paths["screenshot"].as_str().map(str::to_owned))
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = Value::deserialize(deserializer)?;
    Ok(text.as_str().and_then(timestamp::parse).unwrap_or_default())
}

fn loose_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(unsigned(&Value::deserialize(deserializer)?))
}
