//! The edit language of `PUT …?title.value=…&genre[0].tag.tag=…`: everything stands in the query.

use std::collections::BTreeMap;

use super::item::{FIELDS, Item, Kind, LOCK_ONLY, TagKind};
use super::library::Library;
use super::options::TagMode;
use crate::http::{Request, percent_decode};

/// One edit as read from a query. Names that Plex does not know are left out without error.
#[derive(Debug, Clone, Default)]
pub(super) struct Edit {
    values: Vec<(&'static str, String)>,
    user_rating: Option<String>,
    added_at: Option<String>,
    locks: Vec<(String, bool)>,
    /// By kind and index.
    tags: BTreeMap<(TagKind, u32), NewTag>,
    removals: Vec<(TagKind, Vec<String>)>,
    cleared: Vec<TagKind>,
}

#[derive(Debug, Clone, Default)]
struct NewTag {
    name: Option<String>,
    role: Option<String>,
    portrait: Option<String>,
}

/// Why Plex refuses an edit.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    BadValue,
    NotFound,
    Clash,
}

impl Edit {
    pub fn read(request: &Request) -> Self {
        let mut edit = Self::default();
        for (name, value) in request.params() {
            edit.read_param(&name, &value);
        }
        edit
    }

    fn read_param(&mut self, name: &str, value: &str) {
        if let Some(field) = name.strip_suffix(".locked") {
            self.locks.push((field.to_owned(), value == "1"));
        } else if let Some(field) = name.strip_suffix(".value") {
            match field {
                "userRating" => self.user_rating = Some(value.to_owned()),
                "addedAt" => self.added_at = Some(value.to_owned()),
                _ => {
                    let known = FIELDS.into_iter().find(|known| *known == field);
                    self.values
                        .extend(known.map(|known| (known, value.to_owned())));
                }
            }
        } else if let Some((kind, rest)) = name.split_once('[')
            && let Some(kind) = TagKind::ALL.into_iter().find(|known| known.name() == kind)
            && let Some((index, rest)) = rest.split_once(']')
        {
            self.read_tag(kind, index, rest, value);
        }
    }

    fn read_tag(&mut self, kind: TagKind, index: &str, rest: &str, value: &str) {
        if index.is_empty() {
            match rest {
                ".tag.tag-" => self
                    .removals
                    .push((kind, value.split(',').map(percent_decode).collect())),
                ".tag" if value.is_empty() => self.cleared.push(kind),
                _ => {}
            }
        } else if let Ok(index) = index.parse() {
            let tag = self.tags.entry((kind, index)).or_default();
            match rest {
                ".tag.tag" => tag.name = Some(value.to_owned()),
                ".tagging.text" => tag.role = Some(value.to_owned()),
                ".tag.thumb" => tag.portrait = Some(value.to_owned()),
                _ => {}
            }
        }
    }

    /// Whether every value is one that Plex takes.
    fn check(&self) -> Result<(), Refusal> {
        let is_number = |text: &str| text.is_empty() || text.parse::<f64>().is_ok();
        let good = self.values.iter().all(|(name, value)| match *name {
            "originallyAvailableAt" => value.is_empty() || is_date(value),
            "year" | "rating" | "audienceRating" | "index" | "parentIndex" => is_number(value),
            _ => true,
        });
        let good = good && self.user_rating.as_deref().is_none_or(is_number);
        let good = good && self.added_at.as_deref().is_none_or(is_number);
        if good { Ok(()) } else { Err(Refusal::BadValue) }
    }

    /// Applies the edit to all these items.
    pub fn apply(&self, library: &mut Library, keys: &[u64]) -> Result<(), Refusal> {
        self.check()?;
        if keys.is_empty() {
            return Err(Refusal::NotFound);
        }
        for key in keys {
            let item = library.items.get(key).ok_or(Refusal::NotFound)?;
            let title = self
                .values
                .iter()
                .find(|(name, _)| *name == "title")
                .map(|(_, title)| title);
            if let Some(title) = title
                && item.kind == Kind::Collection
                && !item.title().eq_ignore_ascii_case(title)
                && library.has_collection(item.section, title)
            {
                return Err(Refusal::Clash);
            }
        }
        for key in keys {
            match self.kept_by(library, *key) {
                Some(kept) => kept.apply_to(library, *key),
                None => self.apply_to(library, *key),
            }
        }
        Ok(())
    }

    /// What is left of the edit where items of this kind ignore some fields.
    fn kept_by(&self, library: &Library, key: u64) -> Option<Self> {
        let item = library.items.get(&key)?;
        let ignored = &library.sections.get(&item.section)?.ignored;
        if !ignored.iter().any(|(kind, _)| *kind == item.kind) {
            return None;
        }
        let keeps = |name: &str| !ignored.contains(&(item.kind, name.to_owned()));
        let mut kept = self.clone();
        kept.values.retain(|(name, _)| keeps(name));
        kept.user_rating = kept.user_rating.filter(|_| keeps("userRating"));
        kept.added_at = kept.added_at.filter(|_| keeps("addedAt"));
        kept.locks.retain(|(name, _)| keeps(name));
        kept.tags.retain(|(kind, _), _| keeps(kind.name()));
        kept.removals.retain(|(kind, _)| keeps(kind.name()));
        kept.cleared.retain(|kind| keeps(kind.name()));
        Some(kept)
    }

    fn apply_to(&self, library: &mut Library, key: u64) {
        let (mode, locks, one_removal) = (
            library.options.tag_mode,
            library.options.edits_lock,
            library.options.one_removal_per_edit,
        );
        library.change(key, |item| {
            self.apply_fields(item, locks);
            for kind in &self.cleared {
                item.tags.remove(kind);
            }
            let removals = self
                .removals
                .iter()
                .take(if one_removal { 1 } else { usize::MAX });
            for (kind, names) in removals {
                if let Some(list) = item.tags.get_mut(kind) {
                    list.retain(|tag| {
                        !names
                            .iter()
                            .any(|name| name.eq_ignore_ascii_case(&tag.name))
                    });
                }
            }
            if mode == TagMode::Replace {
                for (kind, _) in self.tags.keys() {
                    item.tags.remove(kind);
                }
            }
        });
        for ((kind, _), tag) in &self.tags {
            let Some(name) = tag.name.as_deref().filter(|name| !name.is_empty()) else {
                continue;
            };
            library.add_tag(key, *kind, name, tag.role.as_deref());
            if let Some(portrait) = &tag.portrait {
                let id = library.tag(*kind, name).id;
                library.portraits.insert(id, portrait.clone());
            }
        }
    }

    fn apply_fields(&self, item: &mut Item, edits_lock: bool) {
        for (name, value) in &self.values {
            item.set_field(name, value);
            let dated = *name == "originallyAvailableAt" && !value.is_empty();
            if dated && !self.values.iter().any(|(name, _)| *name == "year") {
                item.set_field("year", &value[..4]);
            }
            if edits_lock {
                item.locked.insert((*name).to_owned());
            }
        }
        if let Some(rating) = &self.user_rating {
            item.user_rating = rating.parse().ok();
        }
        if let Some(added_at) = self
            .added_at
            .as_deref()
            .and_then(|value| value.parse().ok())
        {
            item.added_at = added_at;
        }
        for (field, locked) in &self.locks {
            if *locked && can_lock(field) {
                item.locked.insert(field.clone());
            } else if !locked {
                item.locked.remove(field);
            }
        }
    }
}

fn can_lock(field: &str) -> bool {
    FIELDS.contains(&field)
        || LOCK_ONLY.contains(&field)
        || ["userRating", "addedAt"].contains(&field)
        || TagKind::ALL.into_iter().any(|kind| kind.name() == field)
}

/// `YYYY-MM-DD`, the only form of a date that edits take.
fn is_date(text: &str) -> bool {
    let digits =
        |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| {
            if at == 4 || at == 7 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        })
        && digits(5..7).is_some_and(|month| (1..=12).contains(&month))
        && digits(8..10).is_some_and(|day| (1..=31).contains(&day))
}
