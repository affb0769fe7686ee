//! Three-way merge: what Stash wants, what Plex has, what is on record.

use std::collections::BTreeSet;

use crate::text::{encoded, key, wide_key};
use crate::written::Known;
use crate::{LastWritten, Tag, TagEdit, TagKind};

/// The three sides of one value. `None` is "no value" on every side.
pub(crate) struct Sides<T> {
    pub wanted: Option<T>,
    pub current: Option<T>,
    pub last: Option<Known<T>>,
    /// The value in Plex is a person's even though there is no record of it.
    pub by_hand: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Merged<T> {
    /// Nothing to send; what is now on record.
    Leave(Option<Known<T>>),
    /// A hand-made edit stays, and so does the record.
    Keep,
    Set(T),
    Clear,
}

impl<T: PartialEq> Sides<T> {
    /// Whether what Plex has now is what a request of ours put there.
    pub(crate) fn ours(&self) -> bool {
        matches!(&self.last, Some(Known::Sent(sent)) if self.current.as_ref() == Some(sent))
    }

    pub(crate) fn merge(self, preserve: bool) -> Merged<T> {
        let ours = self.ours();
        let edited = match &self.last {
            Some(last) => self.current.as_ref() != Some(last.value()),
            None => self.by_hand && self.current.is_some(),
        };
        match self.wanted {
            wanted if wanted == self.current => Merged::Leave(wanted.map(|value| match ours {
                true => Known::Sent(value),
                false => Known::Found(value),
            })),
            None if self.last.is_none() => Merged::Leave(None),
            _ if preserve && edited => Merged::Keep,
            Some(wanted) => Merged::Set(wanted),
            // What we never sent is not ours to clear.
            None if ours => Merged::Clear,
            None => Merged::Leave(None),
        }
    }
}

/// A tag list after the merge.
#[derive(Default)]
pub(crate) struct List {
    /// The edit, if one is needed.
    pub edit: Option<TagEdit>,
    /// For the record: names we sent, names Plex showed before, names Plex shows in another spelling.
    pub sent: Vec<String>,
    pub found: Vec<String>,
    pub folded: Vec<String>,
    /// Wanted names there was no room for.
    pub left_out: usize,
}

/// Merges a tag list. Tags that are neither wanted nor sent by us are somebody else's and stay. With
/// `preserve`, a tag on record that a person removed in Plex stays removed. `room` is how long the list
/// may be in a request.
pub(crate) fn tags(
    kind: TagKind,
    wanted: &[String],
    current: &[Tag],
    last: &LastWritten,
    preserve: bool,
    room: Option<usize>,
) -> List {
    let keys = |names: Option<&Vec<String>>| -> BTreeSet<String> {
        names.into_iter().flatten().map(|name| key(name)).collect()
    };
    let sent = keys(last.tags.get(&kind));
    let found = keys(last.preexisting.tags.get(&kind));
    let folded = keys(last.folded.get(&kind));
    let wanted_keys: BTreeSet<_> = wanted.iter().map(|name| key(name)).collect();
    let current: Vec<_> = current.iter().map(|tag| (key(&tag.name), tag)).collect();

    let mut room = Room {
        kind,
        left: room.unwrap_or(usize::MAX),
        tags: 0,
    };
    // What is not ours stays whatever there is room for.
    for (_, tag) in current.iter().filter(|(key, _)| !sent.contains(key)) {
        room.take(tag);
    }
    let mut list = List::default();
    let mut edit = TagEdit {
        kind,
        target: Vec::new(),
        add: Vec::new(),
        remove: Vec::new(),
    };
    let mut kept = BTreeSet::new();
    for name in wanted {
        let wanted = key(name);
        // Every spelling Plex already has is kept as it is.
        let showing = |like: &dyn Fn(&str, &Tag) -> bool| -> Vec<usize> {
            let both = current.iter().enumerate();
            let shown = both.filter(|(_, (key, tag))| like(key, tag));
            shown.map(|(index, _)| index).collect()
        };
        let mut shown = showing(&|key, _| key == wanted);
        let in_place_of_it = shown.is_empty() && folded.contains(&wanted);
        if in_place_of_it {
            let wide = wide_key(name);
            let stays = |key: &str| !sent.contains(key) || wanted_keys.contains(key);
            shown = showing(&|key, tag| stays(key) && wide_key(&tag.name) == wide);
        }
        let fits = if shown.is_empty() {
            let removed_by_hand = sent.contains(&wanted) || found.contains(&wanted);
            if preserve && removed_by_hand {
                let record = if sent.contains(&wanted) {
                    &mut list.sent
                } else {
                    &mut list.found
                };
                record.push(name.clone());
                continue;
            }
            let fits = room.fit(&Tag::from(name.as_str()));
            if fits {
                edit.target.push(Tag::from(name.as_str()));
                edit.add.push(name.clone());
                list.sent.push(name.clone());
            }
            fits
        } else {
            let fits = shown.iter().all(|index| {
                let free = |(key, tag): &(String, &Tag)| !sent.contains(key) || room.fit(tag);
                kept.contains(index) || current.get(*index).is_some_and(free)
            });
            if fits {
                let new = shown.iter().filter(|index| kept.insert(**index));
                let new = new.filter_map(|index| current.get(*index));
                edit.target.extend(new.map(|(_, tag)| (*tag).clone()));
                let record = if sent.contains(&wanted) {
                    &mut list.sent
                } else {
                    &mut list.found
                };
                record.push(name.clone());
                if in_place_of_it {
                    list.folded.push(name.clone());
                }
            }
            fits
        };
        list.left_out += usize::from(!fits);
    }
    for (index, (key, tag)) in current.iter().enumerate() {
        if kept.contains(&index) {
            continue;
        }
        if sent.contains(key) {
            edit.remove.push(tag.name.clone());
        } else {
            edit.target.push((*tag).clone());
        }
    }
    list.edit = (!edit.add.is_empty() || !edit.remove.is_empty()).then_some(edit);
    list
}

/// What is left of the bytes that a list may take in a request.
struct Room {
    kind: TagKind,
    left: usize,
    tags: usize,
}

impl Room {
    fn fit(&mut self, tag: &Tag) -> bool {
        let fits = self.bytes(tag) <= self.left;
        if fits {
            self.take(tag);
        }
        fits
    }

    fn take(&mut self, tag: &Tag) {
        self.left = self.left.saturating_sub(self.bytes(tag));
        self.tags += 1;
    }

    /// As in `&genre[12].tag.tag=NAME&genre[12].tagging.text=ROLE`.
    fn bytes(&self, tag: &Tag) -> usize {
        let start = format!("&{}[{}]", self.kind.plex_name(), self.tags).len();
        let name = start + ".tag.tag=".len() + encoded(&tag.name);
        let role = tag
            .role
            .as_deref()
            .map(|role| start + ".tagging.text=".len() + encoded(role));
        name + role.unwrap_or_default()
    }
}
