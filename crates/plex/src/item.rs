//! Items as Plex shows them.

use std::{collections::BTreeSet, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{
        IntoDeserializer,
        value::{self, StringDeserializer},
    },
};

use crate::{ImageKind, RatingKey, SectionId, Skipped, Tag, TagKind, lenient, skipped::Entry, tag};

/// What kind of item. The numbers are Plex's `type=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ItemKind {
    /// A movie, or an item of an "other videos" library.
    Movie = 1,
    /// An episode of a show.
    Episode = 4,
    /// A collection.
    Collection = 18,
}

impl ItemKind {
    pub(crate) fn number(self) -> String {
        (self as u8).to_string()
    }
}

/// One file of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Part {
    /// The path as Plex's host sees it; empty when Plex does not show it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub file: String,
    /// In bytes.
    #[serde(default, deserialize_with = "lenient::parsed")]
    pub size: Option<u64>,
    /// Playing time.
    #[serde(default, deserialize_with = "millis")]
    pub duration: Option<Duration>,
}

/// One version of an item: a file, or several that play one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Media {
    /// The files.
    #[serde(rename = "Part", default, deserialize_with = "lenient::list")]
    pub parts: Vec<Part>,
}

/// An item with what Plex knows about it.
///
/// **Listings cut**: they show about two genres and three actors, and never locks. To decide what
/// has changed, read the item itself with [`Client::item`](crate::Client::item).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its key. A file that is removed and added again gets a new one.
    #[serde(rename = "ratingKey")]
    pub key: RatingKey,
    /// Its kind; `None` for one this library does not know.
    #[serde(rename = "type", default, deserialize_with = "kind")]
    pub kind: Option<ItemKind>,
    /// The library it is in.
    #[serde(rename = "librarySectionID")]
    #[serde(default, deserialize_with = "lenient::parsed")]
    pub section: Option<SectionId>,
    /// The title. As all texts here, empty when Plex shows none.
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: String,
    /// The title by which it is sorted; empty when it is the title.
    #[serde(default, deserialize_with = "lenient::text")]
    pub title_sort: String,
    /// The studio.
    #[serde(default, deserialize_with = "lenient::text")]
    pub studio: String,
    /// The summary.
    #[serde(default, deserialize_with = "lenient::text")]
    pub summary: String,
    /// The tagline.
    #[serde(default, deserialize_with = "lenient::text")]
    pub tagline: String,
    /// As `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub originally_available_at: String,
    /// As `R`, `gb/12` or `XXX`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub content_rating: String,
    /// The rating by the token's user, 0 to 10.
    #[serde(default, deserialize_with = "lenient::parsed")]
    pub user_rating: Option<f64>,
    /// When it was added, in Unix seconds.
    #[serde(default, deserialize_with = "lenient::parsed")]
    pub added_at: Option<i64>,
    /// When its metadata last changed, in Unix seconds. A rating does not move it.
    #[serde(default, deserialize_with = "lenient::parsed")]
    pub updated_at: Option<i64>,
    /// When it went into the trash, in Unix seconds; `None` for an item that is not in it. Plex
    /// keeps an item whose file it no longer finds there until the trash is emptied.
    #[serde(default, deserialize_with = "lenient::parsed")]
    pub deleted_at: Option<i64>,
    /// Playing time.
    #[serde(default, deserialize_with = "millis")]
    pub duration: Option<Duration>,
    /// The path of the poster; another one stands for another picture.
    #[serde(default, deserialize_with = "lenient::text")]
    pub thumb: String,
    /// The path of the background; another one stands for another picture.
    #[serde(default, deserialize_with = "lenient::text")]
    pub art: String,
    /// Its versions.
    #[serde(rename = "Media", default, deserialize_with = "lenient::list")]
    pub media: Vec<Media>,
    #[serde(rename = "Genre", default, deserialize_with = "tag::list")]
    genres: Vec<Tag>,
    #[serde(rename = "Collection", default, deserialize_with = "tag::list")]
    collections: Vec<Tag>,
    #[serde(rename = "Role", default, deserialize_with = "tag::list")]
    actors: Vec<Tag>,
    #[serde(rename = "Label", default, deserialize_with = "tag::list")]
    labels: Vec<Tag>,
    #[serde(rename = "Director", default, deserialize_with = "tag::list")]
    directors: Vec<Tag>,
    #[serde(rename = "Writer", default, deserialize_with = "tag::list")]
    writers: Vec<Tag>,
    #[serde(rename = "Producer", default, deserialize_with = "tag::list")]
    producers: Vec<Tag>,
    #[serde(rename = "Country", default, deserialize_with = "tag::list")]
    countries: Vec<Tag>,
    #[serde(rename = "Field", default, deserialize_with = "locks")]
    locks: BTreeSet<String>,
}

/// An editable field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The title.
    Title,
    /// The studio.
    Studio,
    /// The tagline.
    Tagline,
    /// The date as `YYYY-MM-DD`; Plex takes the year from it.
    OriginallyAvailableAt,
    /// As `R`, `gb/12` or `XXX`.
    ContentRating,
    /// The summary.
    Summary,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 6] = [
        Self::Title,
        Self::Studio,
        Self::Tagline,
        Self::OriginallyAvailableAt,
        Self::ContentRating,
        Self::Summary,
    ];

    /// The name in edits and locks.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Studio => "studio",
            Self::Tagline => "tagline",
            Self::OriginallyAvailableAt => "originallyAvailableAt",
            Self::ContentRating => "contentRating",
            Self::Summary => "summary",
        }
    }
}

/// What can be locked against the metadata agent: a [`Field`], all tags of a [`TagKind`], or the
/// selected image of an [`ImageKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockable(pub(crate) &'static str);

impl From<Field> for Lockable {
    fn from(field: Field) -> Self {
        Self(field.name())
    }
}

impl From<TagKind> for Lockable {
    fn from(kind: TagKind) -> Self {
        Self(kind.name())
    }
}

impl From<ImageKind> for Lockable {
    fn from(kind: ImageKind) -> Self {
        Self(kind.lock_name())
    }
}

impl Item {
    /// The tags of a kind, complete only when the item was read with
    /// [`Client::item`](crate::Client::item).
    #[must_use]
    pub fn tags(&self, kind: TagKind) -> &[Tag] {
        match kind {
            TagKind::Genre => &self.genres,
            TagKind::Collection => &self.collections,
            TagKind::Actor => &self.actors,
            TagKind::Label => &self.labels,
            TagKind::Director => &self.directors,
            TagKind::Writer => &self.writers,
            TagKind::Producer => &self.producers,
            TagKind::Country => &self.countries,
        }
    }

    /// The value of an editable field.
    #[must_use]
    pub fn field(&self, field: Field) -> &str {
        match field {
            Field::Title => &self.title,
            Field::Studio => &self.studio,
            Field::Summary => &self.summary,
            Field::Tagline => &self.tagline,
            Field::OriginallyAvailableAt => &self.originally_available_at,
            Field::ContentRating => &self.content_rating,
        }
    }

    /// Whether the agent may not change it.
    #[must_use]
    pub fn is_locked(&self, what: impl Into<Lockable>) -> bool {
        self.locks.contains(what.into().0)
    }

    /// All files of all versions that Plex shows.
    pub fn files(&self) -> impl Iterator<Item = &Part> {
        let parts = self.media.iter().flat_map(|media| &media.parts);
        parts.filter(|part| !part.file.is_empty())
    }
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ItemKind>, D::Error> {
    let text: StringDeserializer<value::Error> = lenient::text(deserializer)?.into_deserializer();
    Ok(ItemKind::deserialize(text).ok())
}

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(lenient::parsed(deserializer)?.map(Duration::from_millis))
}

fn locks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default, deserialize_with = "lenient::text")]
        name: String,
        #[serde(default, deserialize_with = "lenient::flag")]
        locked: bool,
    }
    let locks: Vec<Lock> = lenient::list(deserializer)?;
    let locked = locks.into_iter().filter(|lock| lock.locked);
    Ok(locked.map(|lock| lock.name).collect())
}

/// A container of items.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Items {
    #[serde(deserialize_with = "lenient::parsed")]
    pub total_size: Option<u64>,
    #[serde(deserialize_with = "lenient::parsed")]
    pub offset: Option<u64>,
    #[serde(rename = "librarySectionID", deserialize_with = "lenient::parsed")]
    section: Option<SectionId>,
    #[serde(rename = "Metadata", deserialize_with = "lenient::list")]
    entries: Vec<Entry>,
}

impl Items {
    /// The items and those that cannot be read; the library often stands on the container only.
    pub fn into_parts(self) -> (Vec<Item>, Vec<Skipped>) {
        let (mut items, mut skipped) = (Vec::new(), Vec::new());
        for entry in self.entries {
            match entry {
                Entry::Item(mut item) => {
                    item.section = item.section.or_else(|| self.section.clone());
                    items.push(*item);
                }
                Entry::Skipped(entry) => skipped.push(entry),
            }
        }
        (items, skipped)
    }
}
