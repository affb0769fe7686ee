//! The smallest edit that makes an item what its scene wants.

use crate::intent::base;
use crate::mapping::plain;
use crate::merge::{self, Merged, Sides};
use crate::{
    Field, ImageWritten, Item, LastWritten, Note, Policy, Rating, Scene, Tag, TagKind, Wanted,
};

/// What to change on an item. Its `Display` says it in words, for a dry run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EditPlan {
    /// The item's key.
    pub item: String,
    /// Text fields to set or clear; lock each of them.
    pub fields: Vec<FieldEdit>,
    /// Tag lists to change, at most one edit per kind; lock each of them.
    pub tags: Vec<TagEdit>,
    /// The user rating to set or remove.
    pub rating: Option<RatingEdit>,
    /// The cover should be looked at and, unless Plex has its bytes selected, become the poster.
    pub poster: bool,
    /// The same for the background.
    pub background: bool,
    /// What a person should know.
    pub notes: Vec<Note>,
    /// The record to keep once this is done. None for a scene that must not count as synced.
    pub written: Option<LastWritten>,
}

/// A text field to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldEdit {
    /// Which.
    pub field: Field,
    /// What Plex has now.
    pub from: String,
    /// The value to send; empty clears.
    pub to: String,
}

/// A tag list to change.
///
/// Whether Plex adds the tags of an edit to the list or replaces it is not known, so send all of `target` *and* the
/// removal of `remove`: the outcome is then the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagEdit {
    /// Which list.
    pub kind: TagKind,
    /// The whole list as it should be: wanted tags, then those of others.
    pub target: Vec<Tag>,
    /// What Plex lacks of it.
    pub add: Vec<String>,
    /// What Plex has too many, in Plex's spelling.
    pub remove: Vec<String>,
}

/// A user rating to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatingEdit {
    /// What Plex has now.
    pub from: Option<Rating>,
    /// The rating to give; none removes it.
    pub to: Option<Rating>,
}

/// Plans the edit of `item` to what `scene` wants, given what was `last` written.
///
/// Pass the item's details, not a listing row. Records of another item are ignored.
///
/// ```
/// use scene_sync::{Item, Policy, Scene, plan};
///
/// let scene = Scene {
///     title: "Dawn".into(),
///     tags: vec!["Outdoor".into()],
///     ..Scene::default()
/// };
/// let item = Item { key: "7".into(), title: "dawn-1080p".into(), ..Item::default() };
///
/// let plan = plan(&scene, &item, None, &Policy::default());
/// assert_eq!(
///     plan.to_string(),
///     "set title to \"Dawn\" (was \"dawn-1080p\")\nadd genre \"Outdoor\"\n"
/// );
/// ```
pub fn plan(scene: &Scene, item: &Item, last: Option<&LastWritten>, policy: &Policy) -> EditPlan {
    let wanted = Wanted::of(scene, policy);
    if last.is_none() && !scene.has_metadata() {
        return EditPlan {
            item: item.key.clone(),
            notes: vec![Note::NoMetadata],
            ..EditPlan::default()
        };
    }
    let last = &base(item, last);
    let mut planner = Planner {
        item,
        last,
        preserve: policy.preserve_plex_edits,
        written: LastWritten {
            content: wanted.content_hash(),
            ..last.clone()
        },
        plan: EditPlan {
            item: item.key.clone(),
            notes: wanted.notes,
            ..EditPlan::default()
        },
    };
    for (field, value) in wanted.fields {
        planner.field(field, value);
    }
    for (kind, names) in wanted.tags {
        planner.tags(kind, names);
    }
    if let Some(rating) = wanted.rating {
        planner.rating(rating);
    }
    planner.plan.poster = planner.image(
        "poster",
        "thumb",
        wanted.poster.as_deref(),
        &last.poster,
        &item.poster,
    );
    planner.plan.background = planner.image(
        "background",
        "art",
        wanted.background.as_deref(),
        &last.background,
        &item.background,
    );
    EditPlan {
        written: Some(planner.written),
        ..planner.plan
    }
}

struct Planner<'a> {
    item: &'a Item,
    last: &'a LastWritten,
    preserve: bool,
    plan: EditPlan,
    written: LastWritten,
}

impl Planner<'_> {
    fn field(&mut self, field: Field, wanted: String) {
        if field == Field::Title && wanted.is_empty() {
            self.plan.notes.push(Note::EmptyTitle);
            return;
        }
        let from = self.item.field(field);
        // What Plex has is compared as it would have been sent.
        let sides = Sides {
            wanted: Some(wanted.clone()).filter(|text| !text.is_empty()),
            current: Some(plain(field, from)).filter(|text| !text.is_empty()),
            last: self.last.fields.get(&field).cloned(),
            by_hand: self.item.locked.contains(field.plex_name()),
        };
        match sides.merge(self.preserve) {
            Merged::Keep => {
                self.plan.notes.push(Note::KeptEdit(field.to_string()));
                return;
            }
            Merged::Leave => {}
            Merged::Set(_) | Merged::Clear => self.plan.fields.push(FieldEdit {
                field,
                from: from.to_owned(),
                to: wanted.clone(),
            }),
        }
        if wanted.is_empty() {
            self.written.fields.remove(&field);
        } else {
            self.written.fields.insert(field, wanted);
        }
    }

    fn tags(&mut self, kind: TagKind, wanted: Vec<String>) {
        let last = self.last.tags.get(&kind).map_or(&[][..], Vec::as_slice);
        let edit = merge::tags(kind, &wanted, self.item.tags(kind), last, self.preserve);
        self.plan.tags.extend(edit);
        self.written.tags.insert(kind, wanted);
    }

    fn rating(&mut self, wanted: Option<Rating>) {
        let from = self.item.rating.map(Rating::from_plex);
        let sides = Sides {
            wanted,
            current: from,
            last: self.last.rating,
            // No agent gives user ratings.
            by_hand: true,
        };
        match sides.merge(self.preserve) {
            Merged::Keep => {
                self.plan.notes.push(Note::KeptEdit("rating".into()));
                return;
            }
            Merged::Leave => {}
            Merged::Set(_) | Merged::Clear => {
                self.plan.rating = Some(RatingEdit { from, to: wanted });
            }
        }
        self.written.rating = wanted;
    }

    fn image(
        &mut self,
        name: &str,
        lock: &str,
        wanted: Option<&str>,
        last: &Option<ImageWritten>,
        shown: &Option<String>,
    ) -> bool {
        let Some(wanted) = wanted else {
            return false;
        };
        let (outdated, edited) = match last {
            Some(last) => (
                last.source != wanted,
                shown.as_ref().is_some_and(|shown| *shown != last.sha1),
            ),
            None => (true, self.item.locked.contains(lock)),
        };
        if self.preserve && edited {
            self.plan.notes.push(Note::KeptEdit(name.to_owned()));
            return false;
        }
        outdated || edited
    }
}

impl EditPlan {
    /// Nothing to change: no request is needed.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
            && self.tags.is_empty()
            && self.rating.is_none()
            && !self.poster
            && !self.background
    }

    /// Whether to read the item once more after the edit: removals are what Plex is not known to honour in full.
    pub fn needs_readback(&self) -> bool {
        self.tags.iter().any(|edit| !edit.remove.is_empty())
    }
}
