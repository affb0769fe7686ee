//! What did syncs do to an item?

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Field, Rating, TagKind, What};

/// What syncs did to an item: the base of the next three-way merge, kept in the ledger per Plex
/// item.
///
/// What a value is in decides what may happen to it: only what *we sent* ([`fields`](Self::fields),
/// [`tags`](Self::tags), [`rating`](Self::rating)) is removed once Stash drops it. A value that
/// Plex showed before our request is [`preexisting`](Self::preexisting), and stays. A value is in
/// one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LastWritten {
    /// [`content_hash`](crate::content_hash) of the scene then.
    pub content: String,
    /// The text fields we sent; one that was cleared is absent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, String>,
    /// The tags we sent, per kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagKind, Vec<String>>,
    /// The user rating we sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// What Plex showed before we sent anything of it, equal to what Stash has.
    #[serde(skip_serializing_if = "Preexisting::is_empty")]
    pub preexisting: Preexisting,
    /// Tags on record that Plex was sent and shows another spelling of: it takes the two for the
    /// same tag.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub folded: BTreeMap<TagKind, Vec<String>>,
    /// The poster; the caller fills it in after an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster: Option<ImageWritten>,
    /// The background; the caller fills it in after an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<ImageWritten>,
    /// What the item did not take though it took the rest, and as which version: not tried again
    /// while that is the same ([`Policy::retry_refused`](crate::Policy::retry_refused)). The caller
    /// fills it in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<Part, String>,
    /// When a part was refused over a trouble that passes, in milliseconds since 1970: it is tried
    /// again after an hour ([`due`](Self::due)). The caller fills it in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_at: BTreeMap<Part, i64>,
    /// What was sent and may have arrived, or may yet, oldest first: only the item can tell
    /// ([`EditPlan::intent`](crate::EditPlan::intent)). The caller drops those that are too old to
    /// come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<Intent>,
}

/// A trouble that passes may have passed after this time, in milliseconds.
const PASSING: u64 = 3_600_000;

impl LastWritten {
    /// Notes that the item did not take this version of a part; `failed_at` is when, if it may take
    /// the same later.
    pub fn refuse(&mut self, part: Part, version: String, failed_at: Option<i64>) {
        self.refused.insert(part, version);
        self.failed_at.remove(&part);
        self.failed_at.extend(failed_at.map(|at| (part, at)));
    }

    /// The parts that may be taken at `now` as they are, though they were refused.
    pub fn due(&self, now: i64) -> impl Iterator<Item = Part> {
        let failed = self.failed_at.iter();
        // Also where the clock was set back.
        failed.filter_map(move |(part, at)| (now.abs_diff(*at) >= PASSING).then_some(*part))
    }

    /// The same without the refusals that are no reason any more not to try.
    #[must_use]
    pub fn without_due(&self, now: i64) -> Self {
        let mut rest = self.clone();
        for part in self.due(now) {
            rest.refused.remove(&part);
            rest.failed_at.remove(&part);
        }
        rest
    }
}

/// Values that both Plex and Stash had before we sent anything: a person's, an agent's or another
/// tool's.
///
/// They tell a later edit in Plex, but are never removed or cleared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preexisting {
    /// The text fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, String>,
    /// The tags per kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagKind, Vec<String>>,
    /// The user rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
}

/// What is sent by a request of its own, and is no reason to count the rest as not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The poster; its version is [`Scene::cover`](crate::Scene::cover).
    Poster,
    /// The background, likewise.
    Background,
    /// The user rating; its version is the rating in words, empty for none.
    Rating,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Poster => "poster",
            Self::Background => "background",
            Self::Rating => "rating",
        })
    }
}

/// An edit that was about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Intent {
    /// When it was about to be sent, or was given up, in milliseconds since 1970.
    pub at: i64,
    /// The record it would have made.
    pub written: LastWritten,
}

/// A picture that was given to an item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "StoredImage", into = "StoredImage")]
pub struct ImageWritten {
    /// What named the cover in Stash: [`Scene::cover`](crate::Scene::cover).
    pub source: String,
    /// The SHA-1 of its bytes, by which Plex names uploads. Another one selected later
    /// ([`Item::poster`](crate::Item::poster)) means that the picture was replaced or deleted in
    /// Plex.
    pub sha1: String,
    /// The last look at what Plex has selected.
    pub seen: Option<ImageSeen>,
}

/// A look at an item's selected picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageSeen {
    /// Plex's address of it (`thumb`, `art`). The same address later is the same picture, and no
    /// look is needed; another one proves nothing, since Plex may change it with any edit.
    pub address: String,
    /// What was selected, as [`Item::poster`](crate::Item::poster) names it.
    pub selected: String,
}

/// As it is stored: mostly what was given is what is seen, and is not repeated.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredImage {
    source: String,
    sha1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<StoredSeen>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredSeen {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<String>,
}

impl From<ImageWritten> for StoredImage {
    fn from(image: ImageWritten) -> Self {
        let seen = image.seen.map(|seen| StoredSeen {
            selected: Some(seen.selected).filter(|selected| *selected != image.sha1),
            address: seen.address,
        });
        Self {
            source: image.source,
            sha1: image.sha1,
            seen,
        }
    }
}

impl From<StoredImage> for ImageWritten {
    fn from(stored: StoredImage) -> Self {
        let seen = stored.seen.map(|seen| ImageSeen {
            selected: seen.selected.unwrap_or_else(|| stored.sha1.clone()),
            address: seen.address,
        });
        Self {
            source: stored.source,
            sha1: stored.sha1,
            seen,
        }
    }
}

/// A value on record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Known<T> {
    /// A request of ours carried it to an item that did not show it.
    Sent(T),
    /// Plex showed it before.
    Found(T),
}

impl<T> Known<T> {
    pub(crate) fn of(value: T, ours: bool) -> Self {
        match ours {
            true => Self::Sent(value),
            false => Self::Found(value),
        }
    }

    pub(crate) fn value(&self) -> &T {
        match self {
            Self::Sent(value) | Self::Found(value) => value,
        }
    }
}

impl LastWritten {
    pub(crate) fn field(&self, field: Field) -> Option<Known<String>> {
        let sent = self.fields.get(&field).cloned().map(Known::Sent);
        let found = || self.preexisting.fields.get(&field).cloned();
        sent.or_else(|| found().map(Known::Found))
    }

    pub(crate) fn set_field(&mut self, field: Field, known: Option<Known<String>>) {
        self.fields.remove(&field);
        self.preexisting.fields.remove(&field);
        match known {
            Some(Known::Sent(value)) => self.fields.insert(field, value),
            Some(Known::Found(value)) => self.preexisting.fields.insert(field, value),
            None => None,
        };
    }

    pub(crate) fn known_rating(&self) -> Option<Known<Rating>> {
        let sent = self.rating.map(Known::Sent);
        sent.or(self.preexisting.rating.map(Known::Found))
    }

    pub(crate) fn set_rating(&mut self, known: Option<Known<Rating>>) {
        (self.rating, self.preexisting.rating) = match known {
            Some(Known::Sent(rating)) => (Some(rating), None),
            Some(Known::Found(rating)) => (None, Some(rating)),
            None => (None, None),
        };
    }

    /// Has on record what another record has of something.
    pub(crate) fn copy(&mut self, what: What, from: &Self) {
        match what {
            What::Field(field) => self.set_field(field, from.field(field)),
            What::Rating => self.set_rating(from.known_rating()),
            What::Tag(kind) => {
                let names = |lists| names(lists, kind).to_vec();
                set_names(&mut self.tags, kind, names(&from.tags));
                let found = names(&from.preexisting.tags);
                set_names(&mut self.preexisting.tags, kind, found);
                set_names(&mut self.folded, kind, names(&from.folded));
            }
        }
    }
}

type Lists = BTreeMap<TagKind, Vec<String>>;

/// The names on record of a kind.
pub(crate) fn names(lists: &Lists, kind: TagKind) -> &[String] {
    lists.get(&kind).map_or(&[], Vec::as_slice)
}

/// Puts names on record; a list without any is left out of it.
pub(crate) fn set_names(lists: &mut Lists, kind: TagKind, names: Vec<String>) {
    lists.remove(&kind);
    if !names.is_empty() {
        lists.insert(kind, names);
    }
}

impl Preexisting {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_after_an_hour_and_nothing_else_is() {
        let mut last = LastWritten::default();
        last.refuse(Part::Poster, "a".into(), Some(1_000));
        last.refuse(Part::Rating, "80".into(), None);
        let due = |last: &LastWritten, now| last.due(now).collect::<Vec<_>>();
        assert_eq!(due(&last, 3_600_999), []);
        assert_eq!(last.without_due(3_600_999), last);
        assert_eq!(due(&last, 3_601_000), [Part::Poster]);
        assert_eq!(
            due(&last, -3_599_000),
            [Part::Poster],
            "the clock was set back"
        );
        let rest = last.without_due(3_601_000);
        assert_eq!(rest.refused, BTreeMap::from([(Part::Rating, "80".into())]));
        assert_eq!(due(&rest, i64::MAX), []);
        // Refused for good now.
        last.refuse(Part::Poster, "a".into(), None);
        assert_eq!(due(&last, i64::MAX), []);
    }

    #[test]
    fn what_is_seen_is_stored_only_where_it_differs_from_what_was_given() {
        let image = |selected: &str| ImageWritten {
            source: "cover".into(),
            sha1: "abc".into(),
            seen: Some(ImageSeen {
                address: "/thumb/1".into(),
                selected: selected.into(),
            }),
        };
        for (image, times) in [(image("abc"), 1), (image("def"), 1), (image(""), 1)] {
            let text = serde_json::to_string(&image).unwrap();
            assert_eq!(text.matches("abc").count(), times, "{text}");
            assert_eq!(serde_json::from_str::<ImageWritten>(&text).unwrap(), image);
        }
    }
}
