//! What of an item may an edit change?

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Field, TagKind};

/// Something of an item that an edit may change. Its `Display` is its name for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A text field.
    Field(Field),
    /// A list of tags.
    Tag(TagKind),
    /// The user rating.
    Rating,
}

impl What {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let fields = Field::ALL.into_iter().map(Self::Field);
        let tags = TagKind::ALL.into_iter().map(Self::Tag);
        fields.chain(tags).chain([Self::Rating])
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Tag(kind) => kind.fmt(f),
            Self::Rating => f.write_str("rating"),
        }
    }
}

/// What the items of a library cannot hold: Plex takes an edit of it and shows nothing.
///
/// ```
/// use scene_sync::{Field, Unsupported, What};
/// let mut unsupported = Unsupported::default();
/// unsupported.insert(What::Field(Field::Tagline));
/// assert!(unsupported.contains(What::Field(Field::Tagline)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unsupported {
    /// Text fields.
    pub fields: BTreeSet<Field>,
    /// Kinds of tags.
    pub tags: BTreeSet<TagKind>,
    /// The user rating.
    pub rating: bool,
}

impl Unsupported {
    /// Adds something, such as one of [`EditPlan::unshown`](crate::EditPlan::unshown).
    pub fn insert(&mut self, what: What) {
        match what {
            What::Field(field) => {
                self.fields.insert(field);
            }
            What::Tag(kind) => {
                self.tags.insert(kind);
            }
            What::Rating => self.rating = true,
        }
    }

    /// Whether it is one of these.
    pub fn contains(&self, what: What) -> bool {
        match what {
            What::Field(field) => self.fields.contains(&field),
            What::Tag(kind) => self.tags.contains(&kind),
            What::Rating => self.rating,
        }
    }

    /// All of these.
    pub fn iter(&self) -> impl Iterator<Item = What> {
        let fields = self.fields.iter().copied().map(What::Field);
        let tags = self.tags.iter().copied().map(What::Tag);
        fields
            .chain(tags)
            .chain(self.rating.then_some(What::Rating))
    }
}
