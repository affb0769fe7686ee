use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Field, Rating, TagKind};

/// What a sync last wrote to an item: the base of the next three-way merge, kept in the ledger per scene.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LastWritten {
    /// The item's key. A record of another item (re-added to Plex) tells nothing about this one.
    pub item: String,
    /// [`content_hash`](crate::content_hash) of the scene then.
    pub content: String,
    /// The text fields; one that is absent was never written, or was cleared.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, String>,
    /// The tags per kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagKind, Vec<String>>,
    /// The user rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// The poster; the caller fills it in after an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster: Option<ImageWritten>,
    /// The background; the caller fills it in after an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<ImageWritten>,
    /// What was sent and may have arrived, or may yet, oldest first ([`EditPlan::intent`](crate::EditPlan::intent)): only the
    /// item can tell. The caller drops those that are too old to come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<Intent>,
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
#[serde(default)]
pub struct ImageWritten {
    /// What named the cover in Stash: [`Scene::cover`](crate::Scene::cover).
    pub source: String,
    /// The SHA-1 of its bytes, by which Plex names uploads. Another one selected later
    /// ([`Item::poster`](crate::Item::poster)) means that the picture was replaced or deleted in Plex.
    pub sha1: String,
    /// The last look at what Plex has selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<ImageSeen>,
}

/// A look at an item's selected picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageSeen {
    /// Plex's address of it (`thumb`, `art`). The same address later is the same picture, and no look is needed; another
    /// one proves nothing, since Plex may change it with any edit.
    pub address: String,
    /// What was selected, as [`Item::poster`](crate::Item::poster) names it.
    pub selected: String,
}
