//! After an edit: what Plex did not take.

use std::collections::BTreeSet;

use crate::last_written::{Known, names, set_names};
use crate::text::{key, keys, wide_key};
use crate::wanted::plain;
use crate::{EditPlan, FieldEdit, Item, LastWritten, Rating, RatingEdit, TagEdit, What};

impl EditPlan {
    /// Compares the item as read back with what was planned: the edits Plex did not take, to be
    /// sent once more, or `None` if it took them all. Pictures are not looked at.
    ///
    /// A tag that Plex shows in another spelling was taken, as far as such a Plex can.
    pub fn verify(&self, readback: &Item) -> Option<Self> {
        let fields = self.fields.iter().filter(|edit| edit.unmet(readback));
        let tags = self.tags.iter().filter_map(|edit| edit.unmet(readback));
        let repair = Self {
            fields: fields.cloned().collect(),
            tags: tags.collect(),
            rating: self.rating.filter(|edit| edit.unmet(readback)),
            written: self.written.clone(),
            ..Self::default()
        };
        (!repair.is_empty()).then_some(repair)
    }

    /// The same as several edits with one tag list each: Plex may honour only the first removal of
    /// an edit.
    pub fn apart(mut self) -> impl Iterator<Item = Self> {
        let lists = self.tags.split_off(self.tags.len().min(1));
        let more = lists.into_iter().map(|list| Self {
            tags: vec![list],
            ..Self::default()
        });
        std::iter::once(self).chain(more)
    }

    /// Whether the item shows anything of the edit: a value or one of the tags as sent, or that a tag
    /// is gone. One that was read before Plex carried the edit out shows nothing of it.
    pub fn is_seen_in(&self, readback: &Item) -> bool {
        let changed = |edit: &TagEdit| {
            let tags = readback.tags(edit.kind).iter();
            let shown: BTreeSet<_> = tags.map(|tag| key(&tag.name)).collect();
            let is_shown = |name: &String| shown.contains(&key(name));
            edit.add.iter().any(is_shown) || !edit.remove.iter().all(is_shown)
        };
        self.fields.iter().any(|edit| !edit.unmet(readback))
            || self.tags.iter().any(changed)
            || self.rating.is_some_and(|edit| !edit.unmet(readback))
    }

    /// What the item shows nothing of after the edit: a field or rating that is as it was before, a
    /// list without any of the tags that were added. An item of a kind that cannot hold something
    /// ends so.
    pub fn unshown(&self, readback: &Item) -> Vec<What> {
        let as_before = |edit: &&FieldEdit| {
            let shown = plain(edit.field, readback.field(edit.field));
            let unmet = !edit.to.is_empty() && shown != edit.to;
            unmet && shown == plain(edit.field, &edit.from)
        };
        let without = |edit: &&TagEdit| {
            let unmet = edit.unmet(readback).map_or(Vec::new(), |unmet| unmet.add);
            !edit.add.is_empty() && edit.add.iter().all(|name| unmet.contains(name))
        };
        let unrated = |edit: &&RatingEdit| {
            edit.to.is_some() && edit.unmet(readback) && edit.from == rating_of(readback)
        };
        let fields = self.fields.iter().filter(as_before);
        let tags = self.tags.iter().filter(without);
        let rating = self.rating.iter().filter(unrated).map(|_| What::Rating);
        let fields = fields.map(|edit| What::Field(edit.field));
        let tags = tags.map(|edit| What::Tag(edit.kind));
        fields.chain(tags).chain(rating).collect()
    }

    /// The record to keep given what Plex shows after the edit: what it did not take is not
    /// recorded as written, so the next sync tries again and takes nothing of it for a person's
    /// edit.
    pub fn written_after(&self, readback: &Item) -> Option<LastWritten> {
        let mut written = self.written.clone()?;
        for edit in &self.tags {
            let shown = Shown::of(edit, readback);
            let mut folded = written.folded.remove(&edit.kind).unwrap_or_default();
            let recorded = names(&written.tags, edit.kind).iter();
            folded.extend(recorded.filter(|name| shown.in_its_place(name)).cloned());
            folded.sort();
            folded.dedup();
            set_names(&mut written.folded, edit.kind, folded);
        }
        let Some(unmet) = self.verify(readback) else {
            return Some(written);
        };
        // Not equal to any scene's hash: the next sync must look again.
        written.content.clear();
        for edit in unmet.fields {
            let shown = plain(edit.field, readback.field(edit.field));
            let still_ours = edit.ours && shown == plain(edit.field, &edit.from);
            let known = Some(shown).filter(|shown| !shown.is_empty());
            written.set_field(edit.field, known.map(|shown| Known::of(shown, still_ours)));
        }
        for edit in unmet.tags {
            let missing = keys(&edit.add);
            let mut sent = written.tags.remove(&edit.kind).unwrap_or_default();
            sent.retain(|name| !missing.contains(&key(name)));
            // Only what we sent is ever removed.
            sent.extend(edit.remove);
            set_names(&mut written.tags, edit.kind, sent);
        }
        if let Some(edit) = unmet.rating {
            let shown = rating_of(readback);
            let still_ours = edit.ours && shown == edit.from;
            written.set_rating(shown.map(|shown| Known::of(shown, still_ours)));
        }
        Some(written)
    }
}

fn rating_of(item: &Item) -> Option<Rating> {
    item.rating.map(Rating::from_plex)
}

/// The tags of a kind that an item shows.
struct Shown {
    keys: BTreeSet<String>,
    wide: BTreeSet<String>,
}

impl Shown {
    fn of(edit: &TagEdit, item: &Item) -> Self {
        let tags = item.tags(edit.kind);
        Self {
            keys: tags.iter().map(|tag| key(&tag.name)).collect(),
            wide: tags.iter().map(|tag| wide_key(&tag.name)).collect(),
        }
    }

    /// Another spelling is shown instead of the name.
    fn in_its_place(&self, name: &str) -> bool {
        !self.keys.contains(&key(name)) && self.wide.contains(&wide_key(name))
    }
}

impl FieldEdit {
    fn unmet(&self, readback: &Item) -> bool {
        plain(self.field, readback.field(self.field)) != self.to
    }
}

impl RatingEdit {
    fn unmet(&self, readback: &Item) -> bool {
        self.to != rating_of(readback)
    }
}

impl TagEdit {
    fn unmet(&self, readback: &Item) -> Option<Self> {
        let shown = Shown::of(self, readback);
        let removed = keys(&self.remove);
        let wanted = self.target.iter().map(|tag| &tag.name);
        let left = readback.tags(self.kind).iter().map(|tag| &tag.name);
        let is_missing = |name: &&String| !shown.wide.contains(&wide_key(name));
        let is_left = |name: &&String| removed.contains(&key(name));
        let unmet = Self {
            kind: self.kind,
            target: self.target.clone(),
            add: wanted.filter(is_missing).cloned().collect(),
            remove: left.filter(is_left).cloned().collect(),
        };
        (!unmet.add.is_empty() || !unmet.remove.is_empty()).then_some(unmet)
    }
}
