//! What Stash keeps of a scene.

use std::sync::Arc;

/// A scene as Stash keeps it. Related things are given by their ids.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    /// The id; on the wire a string in GraphQL and a number in hooks.
    pub id: u64,
    /// Empty for a scene just scanned: Stash then shows the file name.
    pub title: String,
    /// The studio's code.
    pub code: String,
    /// The description.
    pub details: String,
    /// The director.
    pub director: String,
    /// Links.
    pub urls: Vec<String>,
    /// `YYYY-MM-DD`; since Stash 0.30 also `YYYY-MM` or `YYYY`; empty when unset.
    pub date: String,
    /// 1 to 100.
    pub rating100: Option<u32>,
    /// The "organized" mark.
    pub organized: bool,
    /// Unix seconds.
    pub created_at: i64,
    /// RFC 3339 in the server's offset at the time of writing: Stash compares this **text**.
    pub updated_at: String,
    /// The same moment in Unix seconds.
    pub updated: i64,
    /// The first is the primary file; there may be none.
    pub files: Vec<SceneFile>,
    /// The studio.
    pub studio: Option<u64>,
    /// Performers, in order.
    pub performers: Vec<u64>,
    /// Tags, in order.
    pub tags: Vec<u64>,
    /// Groups with the scene's number in each.
    pub groups: Vec<(u64, Option<u32>)>,
    /// Endpoint and id of each stash-box entry.
    pub stash_ids: Vec<(String, String)>,
    /// How often it was played.
    pub play_count: u32,
    /// The o-counter.
    pub o_counter: u32,
    /// The bytes of the screenshot; `None` while Stash has not generated any.
    pub cover: Option<Arc<[u8]>>,
    /// Whether a preview video was generated.
    pub has_preview: bool,
    /// The title is answered as a number, which the schema does not allow.
    pub misshapen: bool,
}

/// A file of a scene, as Stash sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SceneFile {
    /// The file's own id.
    pub id: u64,
    /// The path.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Seconds.
    pub duration: f64,
    /// OpenSubtitles hash, 16 hexadecimal digits.
    pub oshash: String,
}

/// A performer, tag, studio or group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entity {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// What tells a performer from others of the name; empty when unset.
    pub disambiguation: String,
    /// Further names.
    pub aliases: Vec<String>,
    /// The studio above, for studios only.
    pub parent: Option<u64>,
    /// Whether it has a picture of its own; else Stash serves a placeholder.
    pub has_image: bool,
    /// Unix seconds.
    pub updated: i64,
}

/// What an [`Entity`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum EntityKind {
    Performer,
    Tag,
    Studio,
    Group,
}

impl EntityKind {
    /// The GraphQL type, also the first word of hook names.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Performer => "Performer",
            Self::Tag => "Tag",
            Self::Studio => "Studio",
            Self::Group => "Group",
        }
    }

    /// The first segment of its image addresses.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Performer => "performer",
            Self::Tag => "tag",
            Self::Studio => "studio",
            Self::Group => "group",
        }
    }
}
