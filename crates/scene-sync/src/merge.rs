//! Three-way merge: what Stash wants, what Plex has, what is on record.

use std::collections::BTreeSet;

use crate::last_written::{Known, names};
use crate::text::{encoded, key, keys, wide_key};
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
    /// For the record: names we sent, names Plex showed before, names Plex shows in another
    /// spelling.
    pub sent: Vec<String>,
    pub found: Vec<String>,
    pub folded: Vec<String>,
    /// Wanted names there was no room for.
    pub left_out: usize,
}

/// Merges a tag list. Tags that are neither wanted nor sent by us are somebody else's and stay.
/// With `preserve`, a tag on record that a person removed in Plex stays removed. `room` is how long
/// the list may be in a request.
pub(crate) fn tags(
    kind: TagKind,
    wanted: &[String],
    current: &[Tag],
    last: &LastWritten,
    preserve: bool,
    room: Option<usize>,
) -> List {
    let sent = keys(names(&last.tags, kind));
    let found = keys(names(&last.preexisting.tags, kind));
    let folded = keys(names(&last.folded, kind));
    let wanted_keys = keys(wanted);
    let shown: Vec<Shown> = current.iter().map(|tag| Shown::of(tag, &sent)).collect();

    let mut room = Room {
        kind,
        left: room.unwrap_or(usize::MAX),
        tags: 0,
    };
    // What is not ours stays, whatever there is room for.
    shown
        .iter()
        .filter(|shown| !shown.ours)
        .for_each(|shown| room.take(shown.tag));
    let mut list = List::default();
    let mut edit = TagEdit {
        kind,
        target: Vec::new(),
        add: Vec::new(),
        remove: Vec::new(),
    };
    let mut kept = BTreeSet::new();
    for name in wanted {
        let key = key(name);
        // Every spelling Plex already has is kept as it is.
        let mut same: Vec<_> = shown.iter().filter(|shown| shown.key == key).collect();
        let in_its_place = same.is_empty() && folded.contains(&key);
        let mut goes = false;
        if in_its_place {
            let wide = wide_key(name);
            let stays = |shown: &&Shown| !shown.ours || wanted_keys.contains(&shown.key);
            let like = shown
                .iter()
                .filter(|shown| wide_key(&shown.tag.name) == wide);
            let (stay, go): (Vec<_>, Vec<_>) = like.partition(stays);
            (same, goes) = (stay, !go.is_empty());
        }
        let missing = same.is_empty();
        let known = sent.contains(&key) || found.contains(&key);
        let removed_by_hand = missing && preserve && known && !goes;
        let add = missing && !removed_by_hand;
        let fits = match add {
            true => room.fit(&Tag::from(name.as_str())),
            false => same
                .iter()
                .all(|shown| !shown.ours || kept.contains(&shown.key) || room.fit(shown.tag)),
        };
        if !fits {
            list.left_out += 1;
            continue;
        }
        kept.extend(same.iter().map(|shown| &shown.key));
        if add {
            edit.add.push(name.clone());
        }
        if in_its_place && !missing {
            list.folded.push(name.clone());
        }
        match add || sent.contains(&key) {
            true => list.sent.push(name.clone()),
            false => list.found.push(name.clone()),
        }
    }
    for Shown { tag, key, ours } in &shown {
        if *ours && !kept.contains(key) {
            edit.remove.push(tag.name.clone());
        } else {
            edit.target.push((*tag).clone());
        }
    }
    // Behind what is there: a Plex that takes two spellings for one tag keeps the one it has.
    let new = edit.add.iter().map(|name| Tag::from(name.as_str()));
    edit.target.extend(new);
    list.edit = (!edit.add.is_empty() || !edit.remove.is_empty()).then_some(edit);
    list
}

/// A tag that Plex shows.
struct Shown<'a> {
    tag: &'a Tag,
    key: String,
    /// A request of ours put it there.
    ours: bool,
}

impl<'a> Shown<'a> {
    fn of(tag: &'a Tag, sent: &BTreeSet<String>) -> Self {
        let key = key(&tag.name);
        let ours = sent.contains(&key);
        Self { tag, key, ours }
    }
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
