//! A scene in Plex's terms: which fields it has a say in, and the values it wants there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest, Sha256};

use crate::date;
use crate::text;
use crate::{Field, Part, Performer, Policy, Rating, Scene, TagKind, Unsupported, What};

/// Longest title, tagline, studio, tag and content rating in characters: Plex declares its columns
/// so wide.
const SHORT: usize = 255;
/// Longest summary in characters.
const LONG: usize = 10_000;

/// What a scene wants of its items under a policy, whatever their library can hold. A field or kind
/// that is absent is none of the scene's business; one that is present and empty has no value in
/// Stash.
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
    /// The date is not a calendar date.
    UnknownDate,
    /// Text was longer than Plex's field.
    Shortened(Field),
    /// More tags than the policy allows or a request has room for; holds how many were left out.
    TooMany(TagKind, usize),
    /// The item refused this part as it is, and it is not sent again until it is another.
    Refused(Part),
}

impl Wanted {
    /// What the scene wants.
    pub fn of(scene: &Scene, policy: &Policy) -> Self {
        let mut wanted = Self::default();
        for field in policy.fields.iter().copied() {
            match (field, scene.field(field)) {
                (Field::Date, Some(date)) => wanted.date(date, policy),
                (_, Some(text)) => wanted.text(field, text, policy.max_encoded),
                (_, None) => {}
            }
        }
        if let Some(content_rating) = &policy.content_rating {
            wanted.text(Field::ContentRating, content_rating, policy.max_encoded);
        }
        if policy.tags {
            let names = scene.tags.iter().map(String::as_str);
            wanted.names(TagKind::Genre, names, policy.max_tags);
        }
        if policy.performers {
            let names = told_apart(&scene.performers);
            let names = names.iter().map(String::as_str);
            wanted.names(TagKind::Actor, names, policy.max_performers);
        }
        if policy.collection {
            wanted.names(TagKind::Collection, scene.studio.as_deref(), 1);
        }
        let rating = scene.rating100.filter(|rating| *rating > 0);
        wanted.rating = policy.rating.then(|| rating.map(Rating::from_stash));
        wanted.poster = scene.cover.clone().filter(|_| policy.poster);
        wanted.background = scene.cover.clone().filter(|_| policy.background);
        wanted
    }

    fn text(&mut self, field: Field, value: &str, encoded: usize) {
        let chars = if field == Field::Summary { LONG } else { SHORT };
        let plain = plain(field, value);
        let fitted = text::cut(&plain, chars, encoded);
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
            Ok(date) => drop(self.fields.insert(Field::Date, date)),
            Err(why) => self.notes.push(why),
        }
    }

    fn names<'a>(&mut self, kind: TagKind, names: impl IntoIterator<Item = &'a str>, limit: usize) {
        let mut names = text::names(names, SHORT);
        if names.len() > limit {
            self.notes.push(Note::TooMany(kind, names.len() - limit));
            names.truncate(limit);
        }
        self.tags.insert(kind, names);
    }

    /// Without what the items of a library cannot hold, and without what there is to say of it.
    pub(crate) fn without(mut self, unsupported: &Unsupported) -> Self {
        let held = |what| !unsupported.contains(&what);
        self.fields.retain(|field, _| held(What::Field(*field)));
        self.tags.retain(|kind, _| held(What::Tag(*kind)));
        self.rating = self.rating.filter(|_| held(What::Rating));
        self.notes.retain(|note| note.what().is_none_or(held));
        self
    }

    /// A fingerprint of all of this: equal for equal wishes on every platform and release. Notes do
    /// not count.
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
        // Half of it tells versions of one scene apart for ever, and takes half the room.
        let half = &hash.finalize()[..16];
        half.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The performers' names, with what tells two of the same name apart.
fn told_apart(performers: &[Performer]) -> Vec<String> {
    let mut namesakes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let lines = |one: &Performer| (text::line(&one.name), text::line(&one.disambiguation));
    let performers: Vec<_> = performers.iter().map(lines).collect();
    for (name, apart) in &performers {
        let namesakes = namesakes.entry(text::key(name)).or_default();
        namesakes.insert(text::key(apart));
    }
    let named = |(name, apart): (String, String)| {
        let namesakes = namesakes.get(&text::key(&name)).map_or(0, BTreeSet::len);
        match namesakes > 1 && !name.is_empty() && !apart.is_empty() {
            true => format!("{name} ({apart})"),
            false => name,
        }
    };
    performers.into_iter().map(named).collect()
}

/// A value as it would be sent, whatever its length: two values that agree so are equal to both
/// servers.
pub(crate) fn plain(field: Field, value: &str) -> String {
    match field {
        Field::Summary => text::paragraphs(value),
        _ => text::line(value),
    }
}

/// The fingerprint of what the scene wants of its items: equal to the ledger's means that nothing
/// changed in Stash. What a library can hold ([`Policy::unsupported`],
/// [`Policy::max_list_encoded`]) is no part of it.
pub fn content_hash(scene: &Scene, policy: &Policy) -> String {
    Wanted::of(scene, policy).content_hash()
}

impl Note {
    /// Whether something of the scene was left out or cut, so that a person should be told; else it
    /// is a remark on how things are meant to be.
    pub fn is_loss(&self) -> bool {
        !matches!(
            self,
            Self::NoMetadata | Self::EmptyTitle | Self::KeptEdit(_)
        )
    }

    fn what(&self) -> Option<What> {
        match self {
            Self::PartialDate(_) | Self::UnknownDate => Some(What::Field(Field::Date)),
            Self::Shortened(field) => Some(What::Field(*field)),
            Self::TooMany(kind, _) => Some(What::Tag(*kind)),
            Self::Refused(_) | Self::NoMetadata | Self::EmptyTitle | Self::KeptEdit(_) => None,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMetadata => f.write_str("the scene has no metadata yet, so nothing is synced"),
            Self::EmptyTitle => {
                f.write_str("the scene has no title in Stash, so Plex keeps its own")
            }
            Self::KeptEdit(name) => write!(f, "the {name} was changed in Plex and is kept"),
            Self::PartialDate(date) => {
                write!(f, "the date {date} has no day and is skipped")
            }
            Self::UnknownDate => f.write_str("the date is not a calendar date and is skipped"),
            Self::Shortened(field) => {
                write!(f, "the {field} is too long for Plex and is shortened")
            }
            Self::Refused(part) => write!(
                f,
                "the {part} was refused by Plex and is not sent again while it is the same"
            ),
            Self::TooMany(kind, 1) => write!(f, "1 {kind} is over the limit and is left out"),
            Self::TooMany(kind, count) => {
                write!(f, "{count} {kind}s are over the limit and are left out")
            }
        }
    }
}
