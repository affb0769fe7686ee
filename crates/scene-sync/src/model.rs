//! The two sides as plain data: a scene as Stash has it, an item as Plex has it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A scene as Stash has it. Empty text means Stash has none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    /// The title.
    pub title: String,
    /// The description.
    pub details: String,
    /// A short line; Stash has no such field, so the caller chooses what to put here.
    pub tagline: String,
    /// `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub date: String,
    /// The rating, 1 to 100.
    pub rating100: Option<u8>,
    /// The studio's name.
    pub studio: Option<String>,
    /// The performers.
    pub performers: Vec<Performer>,
    /// The tags' names.
    pub tags: Vec<String>,
    /// What names this version of the cover; none if there is no cover. It is part of the
    /// [`content_hash`](crate::content_hash), so it should change with the picture and with nothing
    /// else.
    pub cover: Option<String>,
    /// Its files, the primary one first.
    pub files: Vec<SceneFile>,
}

impl Scene {
    /// What it has for a text field of an item; the content rating is the policy's.
    pub fn field(&self, field: Field) -> Option<&str> {
        match field {
            Field::Title => Some(&self.title),
            Field::Summary => Some(&self.details),
            Field::Tagline => Some(&self.tagline),
            Field::Studio => Some(self.studio.as_deref().unwrap_or_default()),
            Field::Date => Some(&self.date),
            Field::ContentRating => None,
        }
    }

    /// Whether anything but a cover is known of it. Without, identification may still be running,
    /// so [`plan`](crate::plan()) leaves an item alone that was not synced before.
    pub fn has_metadata(&self) -> bool {
        let mut texts = Field::ALL.into_iter().filter_map(|field| self.field(field));
        texts.any(|text| !text.trim().is_empty())
            || self.rating100.is_some_and(|rating| rating > 0)
            || !self.performers.is_empty()
            || !self.tags.is_empty()
    }
}

/// A performer of a scene.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Performer {
    /// The name.
    pub name: String,
    /// What tells them from others of the name; empty if nothing does. It becomes part of the
    /// actor's name, in brackets, only where a scene has two performers of one name.
    pub disambiguation: String,
}

impl From<&str> for Performer {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            disambiguation: String::new(),
        }
    }
}

/// A scene's file, as Stash sees it or mapped to how Plex does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SceneFile {
    /// The full path.
    pub path: String,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The duration in seconds.
    pub duration: Option<f64>,
}

/// An item as Plex shows it in its *details*: listings cut the tag lists and leave out the locks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// Plex's `ratingKey`.
    pub key: String,
    /// `title`.
    pub title: String,
    /// `summary`.
    pub summary: String,
    /// `tagline`.
    pub tagline: String,
    /// `studio`.
    pub studio: String,
    /// `originallyAvailableAt`.
    pub date: String,
    /// `contentRating`.
    pub content_rating: String,
    /// `userRating`, 0 to 10.
    pub rating: Option<f64>,
    /// `Genre`.
    pub genres: Vec<Tag>,
    /// `Role`.
    pub actors: Vec<Tag>,
    /// `Collection`.
    pub collections: Vec<Tag>,
    /// The names of the locked fields, as Plex calls them in `Field`.
    pub locked: BTreeSet<String>,
    /// The selected poster: the SHA-1 of an upload, as in its `upload://…/<sha1>`, or the whole
    /// name of another picture; empty if nothing is selected, none if nobody looked. Not `thumb`:
    /// it changes with other edits too.
    pub poster: Option<String>,
    /// The selected background, likewise.
    pub background: Option<String>,
}

impl Item {
    /// The text of a field.
    pub fn field(&self, field: Field) -> &str {
        match field {
            Field::Title => &self.title,
            Field::Summary => &self.summary,
            Field::Tagline => &self.tagline,
            Field::Studio => &self.studio,
            Field::Date => &self.date,
            Field::ContentRating => &self.content_rating,
        }
    }

    /// The tags of a kind.
    pub fn tags(&self, kind: TagKind) -> &[Tag] {
        match kind {
            TagKind::Genre => &self.genres,
            TagKind::Actor => &self.actors,
            TagKind::Collection => &self.collections,
        }
    }
}

/// A tag on an item: a genre, an actor or a collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// An actor's role, which an edit must repeat or lose.
    pub role: Option<String>,
}

impl From<&str> for Tag {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            role: None,
        }
    }
}

/// A text field of an item that a scene has a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Field {
    Title,
    Summary,
    Tagline,
    Studio,
    Date,
    ContentRating,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Title,
        Self::Summary,
        Self::Tagline,
        Self::Studio,
        Self::Date,
        Self::ContentRating,
    ];

    /// Plex's name for it, in edits (`<name>.value`, `<name>.locked`) and in locks.
    pub fn plex_name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Summary => "summary",
            Self::Tagline => "tagline",
            Self::Studio => "studio",
            Self::Date => "originallyAvailableAt",
            Self::ContentRating => "contentRating",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Date => "date",
            Self::ContentRating => "content rating",
            field => field.plex_name(),
        })
    }
}

/// A list of tags of an item that a scene has values for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagKind {
    /// Stash's tags.
    Genre,
    /// Stash's performers.
    Actor,
    /// Stash's studio.
    Collection,
}

impl TagKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Genre, Self::Actor, Self::Collection];

    /// Plex's name for it, in edits (`<name>[0].tag.tag`) and in locks.
    pub fn plex_name(self) -> &'static str {
        match self {
            Self::Genre => "genre",
            Self::Actor => "actor",
            Self::Collection => "collection",
        }
    }
}

impl fmt::Display for TagKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plex_name())
    }
}

/// A rating in tenths of Plex's scale of 0 to 10, which are Stash's 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rating(u8);

impl Rating {
    /// From Stash's `rating100`.
    pub fn from_stash(rating100: u8) -> Self {
        Self(rating100.min(100))
    }

    /// From Plex's `userRating`, rounded to a tenth; what is no number is 0.
    pub fn from_plex(rating: f64) -> Self {
        // In range by the clamp; NaN becomes 0.
        Self((rating * 10.0).round().clamp(0.0, 100.0) as u8)
    }

    /// On Plex's scale of 0 to 10.
    pub fn to_plex(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_plex().fmt(f)
    }
}
