//! After an edit: what Plex did not take.

use std::collections::BTreeSet;

use crate::mapping::plain;
use crate::text::key;
use crate::{EditPlan, Item, LastWritten, Rating, TagEdit};

impl EditPlan {
    /// Compares the item as read back with what was planned: the edits Plex did not take, to be sent once more, or
    /// `None` if it took them all. Pictures are not looked at.
    pub fn verify(&self, readback: &Item) -> Option<Self> {
        let repair = Self {
            item: self.item.clone(),
            fields: self
                .fields
                .iter()
                .filter(|edit| plain(edit.field, readback.field(edit.field)) != edit.to)
                .cloned()
                .collect(),
            tags: self
                .tags
                .iter()
                .filter_map(|edit| edit.unmet(readback))
                .collect(),
            rating: self
                .rating
                .filter(|edit| edit.to != readback.rating.map(Rating::from_plex)),
            written: self.written.clone(),
            ..Self::default()
        };
        (!repair.is_empty()).then_some(repair)
    }

    /// The same as several edits with one tag list each: Plex may honour only the first removal of an edit.
    pub fn apart(mut self) -> impl Iterator<Item = Self> {
        let lists = self.tags.split_off(self.tags.len().min(1));
        let item = self.item.clone();
        let more = lists.into_iter().map(move |list| Self {
            item: item.clone(),
            tags: vec![list],
            ..Self::default()
        });
        std::iter::once(self).chain(more)
    }

    /// The record to keep given what Plex shows after the edit: what it did not take is not recorded as written, so
    /// the next sync tries again and takes nothing of it for a person's edit.
    pub fn written_after(&self, readback: &Item) -> Option<LastWritten> {
        let mut written = self.written.clone()?;
        let Some(unmet) = self.verify(readback) else {
            return Some(written);
        };
        // Not equal to any scene's hash: the next sync must look again.
        written.content.clear();
        for edit in unmet.fields {
            let shown = plain(edit.field, readback.field(edit.field));
            if shown.is_empty() {
                written.fields.remove(&edit.field);
            } else {
                written.fields.insert(edit.field, shown);
            }
        }
        for edit in unmet.tags {
            let missing: BTreeSet<_> = edit.add.iter().map(|name| key(name)).collect();
            let names = written.tags.entry(edit.kind).or_default();
            names.retain(|name| !missing.contains(&key(name)));
            names.extend(edit.remove);
        }
        if unmet.rating.is_some() {
            written.rating = readback.rating.map(Rating::from_plex);
        }
        Some(written)
    }
}

impl TagEdit {
    fn unmet(&self, readback: &Item) -> Option<Self> {
        let shown = readback.tags(self.kind);
        let shown_keys: BTreeSet<_> = shown.iter().map(|tag| key(&tag.name)).collect();
        let removed: BTreeSet<_> = self.remove.iter().map(|name| key(name)).collect();
        let names = self.target.iter().map(|tag| &tag.name);
        let unmet = Self {
            kind: self.kind,
            target: self.target.clone(),
            add: names
                .filter(|name| !shown_keys.contains(&key(name)))
                .cloned()
                .collect(),
            remove: shown
                .iter()
                .filter(|tag| removed.contains(&key(&tag.name)))
                .map(|tag| tag.name.clone())
                .collect(),
        };
        (!unmet.add.is_empty() || !unmet.remove.is_empty()).then_some(unmet)
    }
}
