//! A Plex of a few lines: what an edit does to an item, in the ways it is reported to work.
#![allow(dead_code, clippy::unwrap_used)]

pub mod any;

use scene_sync::{
    EditPlan, Field, ImageWritten, Item, LastWritten, Policy, Scene, Tag, TagKind, plan,
};

/// What sending a tag list does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Add,
    Replace,
}

/// When two tag names are the same tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collation {
    /// SQLite's NOCASE: A to Z only.
    Ascii,
    /// All letters.
    Unicode,
    /// All letters, and what takes several in other case: `ß` is `ss`.
    Full,
}

#[derive(Debug, Clone, Copy)]
pub struct Plex {
    pub mode: Mode,
    pub collation: Collation,
    /// At most so many removals of one edit are honoured.
    pub removals: usize,
}

impl Plex {
    pub const ALL: [Self; 4] = [
        Self::new(Mode::Add, Collation::Ascii),
        Self::new(Mode::Add, Collation::Unicode),
        Self::new(Mode::Replace, Collation::Ascii),
        Self::new(Mode::Replace, Collation::Unicode),
    ];

    pub const fn new(mode: Mode, collation: Collation) -> Self {
        Self {
            mode,
            collation,
            removals: usize::MAX,
        }
    }

    pub fn same(&self, a: &str, b: &str) -> bool {
        match self.collation {
            Collation::Ascii => a.eq_ignore_ascii_case(b),
            Collation::Unicode => a.to_lowercase() == b.to_lowercase(),
            Collation::Full => full(a) == full(b),
        }
    }

    /// Sends the plan, as one edit and one rating call.
    pub fn apply(&self, plan: &EditPlan, item: &mut Item) {
        for edit in &plan.fields {
            *field_mut(item, edit.field) = edit.to.clone();
            item.locked.insert(edit.field.plex_name().into());
        }
        for edit in &plan.tags {
            let mut tags = match self.mode {
                Mode::Add => item.tags(edit.kind).to_vec(),
                Mode::Replace => Vec::new(),
            };
            for new in &edit.target {
                match tags.iter_mut().find(|tag| self.same(&tag.name, &new.name)) {
                    Some(tag) => tag.role.clone_from(&new.role),
                    None => tags.push(new.clone()),
                }
            }
            for name in edit.remove.iter().take(self.removals) {
                tags.retain(|tag| !self.same(&tag.name, name));
            }
            *tags_mut(item, edit.kind) = tags;
            item.locked.insert(edit.kind.plex_name().into());
        }
        if let Some(edit) = plan.rating {
            item.rating = edit.to.map(scene_sync::Rating::to_plex);
        }
        for (wanted, picture, lock) in [
            (plan.poster, &mut item.poster, "thumb"),
            (plan.background, &mut item.background, "art"),
        ] {
            if wanted {
                *picture = Some("ours".into());
                item.locked.insert(lock.into());
            }
        }
    }
}

fn full(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// One sync as a caller of the crate does it: what it sent, and the record after it.
pub fn sync(
    scene: &Scene,
    item: &mut Item,
    last: Option<&LastWritten>,
    policy: &Policy,
    plex: Plex,
) -> (EditPlan, Option<LastWritten>) {
    let edit = plan(scene, item, last, policy);
    plex.apply(&edit, item);
    let written = if edit.needs_readback() {
        if let Some(repair) = edit.verify(item) {
            for part in repair.apart() {
                plex.apply(&part, item);
            }
        }
        edit.written_after(item)
    } else {
        edit.written.clone()
    };
    (edit, written)
}

/// The record after a sync, with the pictures as the caller of the crate fills them in.
pub fn recorded(plan: &EditPlan, cover: Option<&str>) -> LastWritten {
    let mut written = plan.written.clone().unwrap();
    let picture = cover.map(|source| ImageWritten {
        source: source.into(),
        sha1: "ours".into(),
        seen: None,
    });
    if plan.poster {
        written.poster.clone_from(&picture);
    }
    if plan.background {
        written.background = picture;
    }
    written
}

pub fn field_mut(item: &mut Item, field: Field) -> &mut String {
    match field {
        Field::Title => &mut item.title,
        Field::Summary => &mut item.summary,
        Field::Tagline => &mut item.tagline,
        Field::Studio => &mut item.studio,
        Field::Date => &mut item.date,
        Field::ContentRating => &mut item.content_rating,
    }
}

pub fn tags_mut(item: &mut Item, kind: TagKind) -> &mut Vec<Tag> {
    match kind {
        TagKind::Genre => &mut item.genres,
        TagKind::Actor => &mut item.actors,
        TagKind::Collection => &mut item.collections,
    }
}

pub fn names(tags: &[Tag]) -> Vec<&str> {
    tags.iter().map(|tag| tag.name.as_str()).collect()
}
