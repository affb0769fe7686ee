//! Three-way merge: what Stash wants, what Plex has, what was last written.

use std::collections::BTreeSet;

use crate::text::key;
use crate::{Tag, TagEdit, TagKind};

/// The three sides of one value. `None` is "no value" on every side.
pub(crate) struct Sides<T> {
    pub wanted: Option<T>,
    pub current: Option<T>,
    pub last: Option<T>,
    /// The value in Plex is a person's even though nothing was ever written.
    pub by_hand: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Merged<T> {
    /// Plex has what Stash wants, or Stash has nothing to say.
    Leave,
    /// A hand-made edit stays.
    Keep,
    Set(T),
    Clear,
}

impl<T: PartialEq> Sides<T> {
    pub(crate) fn merge(self, preserve: bool) -> Merged<T> {
        let edited = match &self.last {
            Some(_) => self.current != self.last,
            None => self.by_hand && self.current.is_some(),
        };
        match self.wanted {
            wanted if wanted == self.current => Merged::Leave,
            // What was never written is not Stash's to clear.
            None if self.last.is_none() => Merged::Leave,
            _ if preserve && edited => Merged::Keep,
            Some(wanted) => Merged::Set(wanted),
            None => Merged::Clear,
        }
    }
}

/// The edit of a tag list, if one is needed. Tags that are neither wanted nor last written are somebody else's and
/// stay. With `preserve`, a tag of ours that a person removed in Plex stays removed.
pub(crate) fn tags(
    kind: TagKind,
    wanted: &[String],
    current: &[Tag],
    last: &[String],
    preserve: bool,
) -> Option<TagEdit> {
    let keys = |names: &[String]| names.iter().map(|name| key(name)).collect::<BTreeSet<_>>();
    let (wanted_keys, last_keys) = (keys(wanted), keys(last));
    let current_keys: Vec<String> = current.iter().map(|tag| key(&tag.name)).collect();

    let mut edit = TagEdit {
        kind,
        target: Vec::new(),
        add: Vec::new(),
        remove: Vec::new(),
    };
    for name in wanted {
        let wanted_key = key(name);
        // Every spelling Plex already has is kept as it is.
        let mut had = false;
        for (tag, current_key) in current.iter().zip(&current_keys) {
            if *current_key == wanted_key {
                edit.target.push(tag.clone());
                had = true;
            }
        }
        let removed_by_hand = !had && preserve && last_keys.contains(&wanted_key);
        if !had && !removed_by_hand {
            edit.target.push(Tag::from(name.as_str()));
            edit.add.push(name.clone());
        }
    }
    for (tag, current_key) in current.iter().zip(&current_keys) {
        if wanted_keys.contains(current_key) {
            continue;
        }
        if last_keys.contains(current_key) {
            edit.remove.push(tag.name.clone());
        } else {
            edit.target.push(tag.clone());
        }
    }
    (!edit.add.is_empty() || !edit.remove.is_empty()).then_some(edit)
}
