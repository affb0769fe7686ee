//! The smallest edit that makes an item what its scene wants.

use std::collections::BTreeSet;

use crate::intent::base;
use crate::last_written::set_names;
use crate::merge::{self, Sides};
use crate::text::wide_key;
use crate::wanted::plain;
use crate::{
    Field, Item, LastWritten, Note, Part, Policy, Rating, Scene, Tag, TagKind, Wanted, What,
};

/// What to change on an item. Its `Display` says it in words, for a dry run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EditPlan {
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
    /// What Plex has now is what a sync of ours sent.
    pub ours: bool,
}

/// A tag list to change.
///
/// Whether Plex adds the tags of an edit to the list or replaces it is not known, so send all of
/// `target` *and* the removal of `remove`: the outcome is then the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagEdit {
    /// Which list.
    pub kind: TagKind,
    /// The whole list as it should be: what stays, in Plex's spelling and order, then what is new.
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
    /// What Plex has now is what a sync of ours sent.
    pub ours: bool,
}

/// Plans the edit of `item` to what `scene` wants, given what was `last` written.
///
/// Pass the item's details, not a listing row, and the record of this very item.
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
    if last.is_none() && !scene.has_metadata() {
        return EditPlan {
            notes: vec![Note::NoMetadata],
            ..EditPlan::default()
        };
    }
    let wanted = Wanted::of(scene, policy);
    let content = wanted.content_hash();
    let wanted = wanted.without(&policy.unsupported);
    let last = &base(item, last);
    let mut written = LastWritten {
        content,
        ..last.clone()
    };
    for what in &policy.unsupported {
        written.copy(*what, &LastWritten::default());
    }
    let mut planner = Planner {
        item,
        last,
        policy,
        written,
        plan: EditPlan {
            notes: wanted.notes,
            ..EditPlan::default()
        },
    };
    for (field, value) in wanted.fields {
        planner.field(field, value);
    }
    for (kind, names) in wanted.tags {
        planner.tags(kind, &names);
    }
    if let Some(rating) = wanted.rating {
        planner.rating(rating);
    }
    planner.plan.poster = planner.image(Part::Poster, wanted.poster.as_deref());
    planner.plan.background = planner.image(Part::Background, wanted.background.as_deref());
    EditPlan {
        written: Some(planner.written),
        ..planner.plan
    }
}

struct Planner<'a> {
    item: &'a Item,
    last: &'a LastWritten,
    policy: &'a Policy,
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
            last: self.last.field(field),
            by_hand: self.item.locked.contains(field.plex_name()),
        };
        let edit = FieldEdit {
            field,
            from: from.to_owned(),
            to: wanted,
            ours: sides.ours(),
        };
        let Some(merged) = sides.merge(self.policy.preserve_plex_edits) else {
            self.plan.notes.push(Note::KeptEdit(field.to_string()));
            return;
        };
        self.plan.fields.extend(merged.sends.then_some(edit));
        self.written.set_field(field, merged.known);
    }

    fn tags(&mut self, kind: TagKind, wanted: &[String]) {
        let current = self.item.tags(kind);
        let list = merge::tags(kind, wanted, current, self.last, self.policy);
        if list.left_out > 0 {
            let over = self.plan.notes.iter_mut().find_map(|note| match note {
                Note::TooMany(of, count) if *of == kind => Some(count),
                _ => None,
            });
            match over {
                Some(count) => *count += list.left_out,
                None => self.plan.notes.push(Note::TooMany(kind, list.left_out)),
            }
        }
        self.plan.tags.extend(list.edit);
        set_names(&mut self.written.tags, kind, list.sent);
        set_names(&mut self.written.preexisting.tags, kind, list.found);
        set_names(&mut self.written.folded, kind, list.folded);
    }

    fn rating(&mut self, wanted: Option<Rating>) {
        let from = self.item.rating.map(Rating::from_plex);
        let sides = Sides {
            wanted,
            current: from,
            last: self.last.known_rating(),
            // No agent gives user ratings.
            by_hand: true,
        };
        let edit = RatingEdit {
            from,
            to: wanted,
            ours: sides.ours(),
        };
        let merged = sides.merge(self.policy.preserve_plex_edits);
        let sends = merged.as_ref().is_some_and(|merged| merged.sends);
        let version = wanted.map(|rating| rating.to_string()).unwrap_or_default();
        if self.was_refused(Part::Rating, &version, sends) {
            return;
        }
        let Some(merged) = merged else {
            self.plan.notes.push(Note::KeptEdit("rating".into()));
            return;
        };
        self.plan.rating = sends.then_some(edit);
        self.written.set_rating(merged.known);
    }

    fn image(&mut self, part: Part, wanted: Option<&str>) -> bool {
        let (lock, last, shown) = match part {
            Part::Background => ("art", &self.last.background, &self.item.background),
            _ => ("thumb", &self.last.poster, &self.item.poster),
        };
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
        if self.policy.preserve_plex_edits && edited {
            self.plan.notes.push(Note::KeptEdit(part.to_string()));
            return false;
        }
        let sends = outdated || edited;
        sends && !self.was_refused(part, wanted, true)
    }

    /// Whether the item refused this very version, so that it is not sent again. What is sent, or
    /// need not be, is no longer refused.
    fn was_refused(&mut self, part: Part, version: &str, sends: bool) -> bool {
        let refused = self.last.refused.get(&part).map(String::as_str);
        if sends && refused == Some(version) && !self.policy.retry_refused {
            self.plan.notes.push(Note::Refused(part));
            return true;
        }
        self.written.refused.remove(&part);
        self.written.failed_at.remove(&part);
        false
    }
}

impl EditPlan {
    /// Nothing to change: no request is needed.
    pub fn is_empty(&self) -> bool {
        self.sent().is_empty() && !self.poster && !self.background
    }

    /// The same without the rating, which the item does not take; `last` is what the plan was made
    /// with.
    #[must_use]
    pub fn without_rating(mut self, last: Option<&LastWritten>) -> Self {
        self.rating = None;
        if let Some(written) = &mut self.written {
            let nothing = LastWritten::default();
            written.copy(What::Rating, last.unwrap_or(&nothing));
        }
        self
    }

    /// What is sent, pictures apart.
    pub fn sent(&self) -> Vec<What> {
        let fields = self.fields.iter().map(|edit| What::Field(edit.field));
        let tags = self.tags.iter().map(|edit| What::Tag(edit.kind));
        let rating = self.rating.iter().map(|_| What::Rating);
        fields.chain(tags).chain(rating).collect()
    }

    /// The names of what is sent, for a person.
    pub fn names(&self) -> Vec<String> {
        self.sent().iter().map(What::to_string).collect()
    }

    /// Whether to read the item once more after the edit: Plex is not known to honour removals in
    /// full, and may take a new tag for another spelling of one it has.
    pub fn needs_readback(&self) -> bool {
        let folds = |edit: &TagEdit| {
            let keys = edit.target.iter().map(|tag| wide_key(&tag.name));
            keys.collect::<BTreeSet<_>>().len() < edit.target.len()
        };
        let mut lists = self.tags.iter();
        lists.any(|edit| !edit.remove.is_empty() || folds(edit))
    }
}
