//! What Plex keeps of an item.

use std::collections::{BTreeMap, BTreeSet};

use super::images::Images;

/// What an item is, with Plex's type number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A movie, or a file of an "other videos" library: type 1.
    Movie,
    /// A show: type 2.
    Show,
    /// A season: type 3.
    Season,
    /// An episode: type 4.
    Episode,
    /// An artist of a music library: type 8.
    Artist,
    /// A collection: type 18.
    Collection,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Movie,
        Self::Show,
        Self::Season,
        Self::Episode,
        Self::Artist,
        Self::Collection,
    ];

    /// Plex's number of the type.
    pub fn number(self) -> u32 {
        match self {
            Self::Movie => 1,
            Self::Show => 2,
            Self::Season => 3,
            Self::Episode => 4,
            Self::Artist => 8,
            Self::Collection => 18,
        }
    }

    /// Plex's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Movie => "movie",
            Self::Show => "show",
            Self::Season => "season",
            Self::Episode => "episode",
            Self::Artist => "artist",
            Self::Collection => "collection",
        }
    }

    /// The XML element of an item of this type.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Movie | Self::Episode => "Video",
            _ => "Directory",
        }
    }
}

/// The tag lists of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum TagKind {
    Genre,
    Collection,
    Label,
    Actor,
    Director,
    Writer,
    Producer,
    Country,
}

impl TagKind {
    pub(super) const ALL: [Self; 8] = [
        Self::Genre,
        Self::Collection,
        Self::Label,
        Self::Actor,
        Self::Director,
        Self::Writer,
        Self::Producer,
        Self::Country,
    ];

    /// The name in edits, filters and locks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Genre => "genre",
            Self::Collection => "collection",
            Self::Label => "label",
            Self::Actor => "actor",
            Self::Director => "director",
            Self::Writer => "writer",
            Self::Producer => "producer",
            Self::Country => "country",
        }
    }

    /// The name in answers.
    pub fn element(self) -> &'static str {
        match self {
            Self::Genre => "Genre",
            Self::Collection => "Collection",
            Self::Label => "Label",
            Self::Actor => "Role",
            Self::Director => "Director",
            Self::Writer => "Writer",
            Self::Producer => "Producer",
            Self::Country => "Country",
        }
    }

    /// How many of them a listing shows; details show all.
    pub(super) fn listed(self) -> usize {
        match self {
            Self::Genre | Self::Writer | Self::Country | Self::Collection => 2,
            Self::Actor => 3,
            Self::Director => 1,
            Self::Label | Self::Producer => 0,
        }
    }
}

/// One tag of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The id of the name, shared by all items that bear it.
    pub id: u64,
    /// The name as first written anywhere in the library.
    pub name: String,
    /// For actors: the role played.
    pub role: Option<String>,
}

/// One file of an item, as the Plex server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The path.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Milliseconds.
    pub duration: u64,
}

/// A version of an item: usually one, several when Plex merged duplicates; several parts when the
/// film is split.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Media {
    /// The files.
    pub parts: Vec<Part>,
}

/// An item of a library, as the simulator keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The `ratingKey`; on the wire it is a string and clients must treat it as opaque.
    pub key: u64,
    /// The section it is in.
    pub section: u32,
    /// What it is.
    pub kind: Kind,
    /// The show of a season, the season of an episode.
    pub parent: Option<u64>,
    /// Text fields by their name in edits (`title`, `summary`, `originallyAvailableAt`, …); an
    /// empty one is absent.
    pub fields: BTreeMap<&'static str, String>,
    /// Tag lists; an empty one is absent.
    pub tags: BTreeMap<TagKind, Vec<Tag>>,
    /// Names of the locked fields, as in `Field[].name`.
    pub locked: BTreeSet<String>,
    /// The stars of the owner, 0 to 10.
    pub user_rating: Option<f64>,
    /// Versions with their files.
    pub media: Vec<Media>,
    /// Posters to choose from.
    pub posters: Images,
    /// Backgrounds to choose from.
    pub arts: Images,
    /// Unix seconds.
    pub added_at: i64,
    /// Unix seconds; a changed rating does not move it.
    pub updated_at: i64,
    /// Since when its file is gone, in Unix seconds: it lies in the trash.
    pub deleted_at: Option<i64>,
    /// What makes answers with this item no valid document.
    pub spoilt: Option<Spoilt>,
}

/// What some titles and summaries in real libraries end with, written out as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoilt {
    /// A byte that is no UTF-8.
    InvalidUtf8,
    /// A control character, which JSON forbids to stand unescaped.
    ControlCharacter,
    /// No text at all: `Media`, a list elsewhere, is a number.
    WrongShape,
}

impl Spoilt {
    /// What texts end with, as the character that stands for it until the document is bytes, and
    /// the byte.
    pub(super) const BYTES: [(Self, char, u8); 2] = [
        (Self::InvalidUtf8, '\u{f8f0}', 0xFF),
        (Self::ControlCharacter, '\u{f8f1}', 0x01),
    ];

    pub(super) fn mark(self) -> Option<char> {
        let (_, mark, _) = Self::BYTES.into_iter().find(|(of, ..)| *of == self)?;
        Some(mark)
    }
}

/// Fields an edit can set, beside the tags and `userRating`.
pub(super) const FIELDS: [&str; 14] = [
    "title",
    "titleSort",
    "originalTitle",
    "studio",
    "summary",
    "tagline",
    "originallyAvailableAt",
    "year",
    "contentRating",
    "rating",
    "audienceRating",
    "editionTitle",
    "index",
    "parentIndex",
];

/// What can only be locked.
pub(super) const LOCK_ONLY: [&str; 5] = ["thumb", "art", "theme", "clearLogo", "squareArt"];

impl Item {
    /// A text field; empty when absent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The title.
    pub fn title(&self) -> &str {
        self.field("title")
    }

    /// The names in a tag list, in order.
    pub fn tag_names(&self, kind: TagKind) -> Vec<&str> {
        self.tags
            .get(&kind)
            .into_iter()
            .flatten()
            .map(|tag| tag.name.as_str())
            .collect()
    }

    /// All files with size and duration.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.media.iter().flat_map(|media| &media.parts)
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.parts().map(|part| part.file.as_str())
    }

    pub(super) fn replace_part(&mut self, old: &str, new: &Part) {
        let parts = self.media.iter_mut().flat_map(|media| &mut media.parts);
        parts
            .filter(|part| part.file == old)
            .for_each(|part| *part = new.clone());
    }

    /// Sets a text field, as a person does in Plex Web; an unknown name or an empty value leaves no
    /// field.
    pub fn set_field(&mut self, name: &str, value: &str) {
        if let Some(name) = FIELDS.into_iter().find(|known| *known == name) {
            if value.is_empty() {
                self.fields.remove(name);
            } else {
                self.fields.insert(name, value.to_owned());
            }
        }
    }
}
