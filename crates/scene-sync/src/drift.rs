//! Reconciliation: which scenes and items came apart without anybody having told.

use std::fmt;

use crate::{Item, LastWritten, Policy, Scene, plan};

/// How a scene and its item came apart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// Plex has no item for it.
    NotInPlex,
    /// It was never synced to this item.
    NeverSynced,
    /// Its content in Stash changed since: its [`content_hash`](crate::content_hash) is another.
    ChangedInStash,
    /// Plex lacks or changed what was written: the names of what, from [`find`].
    ChangedInPlex(Vec<String>),
}

/// The names of what a sync would write to the item now; none if the two are in step. Pictures are
/// not looked at.
///
/// Pass the item's details, not a listing row, which cuts tag lists. `last` is the record of this
/// item.
///
/// ```
/// use scene_sync::{Item, Policy, Scene, drift};
/// let scene = Scene { title: "Dawn".into(), tags: vec!["Solo".into()], ..Scene::default() };
/// let item = Item { title: "Dawn".into(), ..Item::default() };
/// assert_eq!(drift::find(&scene, &item, None, &Policy::default()), ["genre"]);
/// ```
pub fn find(
    scene: &Scene,
    item: &Item,
    last: Option<&LastWritten>,
    policy: &Policy,
) -> Vec<String> {
    plan(scene, item, last, policy).names()
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInPlex => f.write_str("not in Plex"),
            Self::NeverSynced => f.write_str("never synced"),
            Self::ChangedInStash => f.write_str("changed in Stash since the last sync"),
            Self::ChangedInPlex(names) => write!(f, "changed in Plex: {}", names.join(", ")),
        }
    }
}
