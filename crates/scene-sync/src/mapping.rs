//! A scene in Plex's terms: which fields it has a say in, and the values it wants there.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use crate::date::{self, DateFault};
use crate::text::{self, Limit};
use crate::{Field, Policy, Rating, Scene, TagKind};

/// Longest title, tagline, studio, tag and content rating in characters: Plex declares its columns so wide.
const SHORT: usize = 255;
/// Longest summary in characters.
const LONG: usize = 10_000;

/// What a scene wants of its item under a policy. A field or kind that is absent is none of the scene's business;
/// one that is present and empty has no value in Stash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Text fields.
    pub fields: BTreeMap<Field, String>,
    /// Tag lists, without names Plex takes for the same.
    pub tags: BTreeMap<TagKind, Vec<String>>,
    /// The user rating: `None` is none of the scene's business, `Some(None)` unrated.
    pub rating: Option<Option<Rating>>,
    /// The cover, if it is wanted as poster.
    pub poster: Option<String>,
    /// The cover, if it is wanted as background.
    pub background: Option<String>,
    /// What was left out or shortened on the way.
    pub notes: Vec<Note>,
}

/// Something a person looking at a plan should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The scene has no metadata yet, so identification may still be running; nothing is planned.
    NoMetadata,
    /// Stash has no title, and an empty title never clears one.
    EmptyTitle,
    /// Changed by hand in Plex, and such edits are preserved. Holds the field's name.
    KeptEdit(String),
    /// The date is only a year or a month, and those are skipped.
    PartialDate(String),
    /// The date is none of the calendar.
    UnknownDate,
    /// Text was longer than Plex's field.
    Shortened(Field),
    /// More tags than the policy allows; holds how many were left out.
    TooMany(TagKind, usize),
}

impl Wanted {
    /// What the scene wants.
    pub fn of(scene: &Scene, policy: &Policy) -> Self {
        let mut wanted = Self::default();
        let studio = scene.studio.as_deref().unwrap_or_default();
        for (on, field, value) in [
            (policy.title, Field::Title, scene.title.as_str()),
            (policy.summary, Field::Summary, &scene.details),
            (policy.tagline, Field::Tagline, &scene.tagline),
            (policy.studio, Field::Studio, studio),
        ] {
            if on {
                wanted.text(field, value, policy.max_encoded);
            }
        }
        if let Some(content_rating) = &policy.content_rating {
            wanted.text(Field::ContentRating, content_rating, policy.max_encoded);
        }
        if policy.date {
            wanted.date(&scene.date, policy);
        }
        for (on, kind, names, limit) in [
            (policy.tags, TagKind::Genre, &scene.tags, policy.max_tags),
            (
                policy.performers,
                TagKind::Actor,
                &scene.performers,
                policy.max_performers,
            ),
        ] {
            if on {
                wanted.names(kind, names.iter().map(String::as_str), limit);
            }
        }
        if policy.collection {
            wanted.names(TagKind::Collection, [studio], 1);
        }
        wanted.rating = policy.rating.then(|| {
            scene
                .rating100
                .filter(|rating| *rating > 0)
                .map(Rating::from_stash)
        });
        wanted.poster = scene.cover.clone().filter(|_| policy.poster);
        wanted.background = scene.cover.clone().filter(|_| policy.background);
        wanted
    }

    fn text(&mut self, field: Field, value: &str, encoded: usize) {
        let chars = if field == Field::Summary { LONG } else { SHORT };
        let plain = plain(field, value);
        let fitted = text::cut(&plain, Limit { chars, encoded });
        if fitted.len() < plain.len() {
            self.notes.push(Note::Shortened(field));
        }
        self.fields.insert(field, fitted.to_owned());
    }

    fn date(&mut self, text: &str, policy: &Policy) {
        let text = text.trim();
        if text.is_empty() {
            self.fields.insert(Field::Date, String::new());
            return;
        }
        match date::full(text, policy.partial_dates) {
            Ok(date) => {
                self.fields.insert(Field::Date, date);
            }
            Err(DateFault::Partial) => self.notes.push(Note::PartialDate(text.to_owned())),
            Err(DateFault::Unknown) => self.notes.push(Note::UnknownDate),
        }
    }

    fn names<'a>(&mut self, kind: TagKind, names: impl IntoIterator<Item = &'a str>, limit: usize) {
        let mut names = text::names(
            names,
            Limit {
                chars: SHORT,
                ..Limit::NONE
            },
        );
        if names.len() > limit {
            self.notes.push(Note::TooMany(kind, names.len() - limit));
            names.truncate(limit);
        }
        self.tags.insert(kind, names);
    }

    /// A fingerprint of all of this: equal for equal wishes on every platform and release. Notes do not count.
    pub fn content_hash(&self) -> String {
        let mut hash = Sha256::new();
        // A length before each text keeps ("ab", "c") and ("a", "bc") apart.
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        for (field, value) in &self.fields {
            add(field.plex_name());
            add(value);
        }
        for (kind, names) in &self.tags {
            add(kind.plex_name());
            add(&names.len().to_string());
            names.iter().for_each(|name| add(name));
        }
        if let Some(rating) = self.rating {
            add("rating");
            add(&rating.map(|rating| rating.to_string()).unwrap_or_default());
        }
        for (name, cover) in [("poster", &self.poster), ("background", &self.background)] {
            if let Some(cover) = cover {
                add(name);
                add(cover);
            }
        }
        hash.finalize()
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

/// A value as it would be sent, whatever its length: two values that agree so are equal to both servers.
pub(crate) fn plain(field: Field, value: &str) -> String {
    match field {
        Field::Summary => text::paragraphs(value),
        _ => text::line(value),
    }
}

/// The fingerprint of what the scene wants of its item: equal to the ledger's means nothing changed in Stash.
pub fn content_hash(scene: &Scene, policy: &Policy) -> String {
    Wanted::of(scene, policy).content_hash()
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMetadata => f.write_str("the scene has no metadata yet, so nothing is synced"),
            Self::EmptyTitle => f.write_str("Stash has no title; Plex keeps its own"),
            Self::KeptEdit(name) => write!(f, "{name} was changed by hand in Plex and stays"),
            Self::PartialDate(date) => {
                write!(f, "the date {date} is not a whole date and is skipped")
            }
            Self::UnknownDate => f.write_str("the date is none of the calendar and is skipped"),
            Self::Shortened(field) => write!(f, "{field} is too long for Plex and is shortened"),
            Self::TooMany(kind, count) => write!(
                f,
                "{count} of the {kind}s are over the limit and are left out"
            ),
        }
    }
}
