//! What of an item may an edit change?

use std::collections::BTreeSet;
use std::fmt;

use crate::{Field, TagKind};

/// Something of an item that an edit may change. Its `Display` is its name for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A text field.
    Field(Field),
    /// A list of tags.
    Tag(TagKind),
    /// The user rating.
    Rating,
}

impl What {
    /// Whatever an edit may change.
    pub fn all() -> impl Iterator<Item = Self> {
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

/// What the items of a library cannot hold, such as
/// [`EditPlan::unshown`](crate::EditPlan::unshown): Plex takes an edit of it and shows nothing.
pub type Unsupported = BTreeSet<What>;
