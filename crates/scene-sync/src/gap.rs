//! Reconciliation: which scenes differ from their items without anybody having told.

use std::fmt;

use crate::{Item, LastWritten, Policy, Scene, Wanted, plan};

/// How a scene and its item came apart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// Plex has no item for it.
    NotInPlex,
    /// It was never synced, or to another item.
    NeverSynced,
    /// Its content in Stash changed since.
    ChangedInStash,
    /// Plex lacks or changed what was written: the names of what.
    ChangedInPlex(Vec<String>),
}

/// What is known of a scene's item in Plex.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InPlex<'a> {
    /// Nobody looked.
    Unknown,
    /// No item has a file of the scene's name.
    Nowhere,
    /// Some item may have its file, but not the one it was synced to.
    Elsewhere,
    /// The item it was synced to is there; what it shows is not known.
    There,
    /// The item's details as Plex shows them; not a row of a listing, which cuts tag lists.
    Shown(&'a Item),
}

/// Compares *content*, since Stash's times miss renames.
///
/// None means equal as far as is known, or a scene without metadata that is not synced yet anyway. With
/// `preserve_plex_edits` a change in Plex is no gap.
pub fn find(
    scene: &Scene,
    plex: InPlex<'_>,
    last: Option<&LastWritten>,
    policy: &Policy,
) -> Option<Gap> {
    let wanted = Wanted::of(scene, policy);
    let Some(last) = last else {
        return scene.has_metadata().then_some(match plex {
            InPlex::Nowhere => Gap::NotInPlex,
            _ => Gap::NeverSynced,
        });
    };
    let shown = match plex {
        InPlex::Nowhere => return Some(Gap::NotInPlex),
        InPlex::Elsewhere => return Some(Gap::NeverSynced),
        InPlex::Shown(item) if last.item != item.key => return Some(Gap::NeverSynced),
        InPlex::Shown(item) => Some(item),
        InPlex::Unknown | InPlex::There => None,
    };
    if last.content != wanted.content_hash() {
        return Some(Gap::ChangedInStash);
    }
    let item = shown.filter(|_| !policy.preserve_plex_edits)?;
    // Exactly what a sync would write, but for the pictures, which nobody looked at.
    let edit = plan(scene, item, Some(last), policy);
    let fields = edit.fields.iter().map(|edit| edit.field.to_string());
    let lists = edit.tags.iter().map(|edit| edit.kind.to_string());
    let rating = edit.rating.iter().map(|_| "rating".to_owned());
    let names: Vec<_> = fields.chain(lists).chain(rating).collect();
    (!names.is_empty()).then_some(Gap::ChangedInPlex(names))
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInPlex => f.write_str("not in Plex"),
            Self::NeverSynced => f.write_str("never synced"),
            Self::ChangedInStash => f.write_str("changed in Stash since the last sync"),
            Self::ChangedInPlex(names) => write!(f, "changed in Plex: {}", names.join(", ")),
        }
    }
}
