//! Three-way merge: what Stash wants, what Plex has, what is on record.

use std::collections::BTreeSet;

use crate::last_written::{Known, names};
use crate::text::{encoded, key, keys, wide_key};
use crate::{LastWritten, Policy, Tag, TagEdit, TagKind};

/// The three sides of one value. `None` is "no value" on every side.
pub(crate) struct Sides<T> {
    pub wanted: Option<T>,
    pub current: Option<T>,
    pub last: Option<Known<T>>,
    /// The value in Plex is a person's even though there is no record of it.
    pub by_hand: bool,
}

/// What becomes of a value that no hand-made edit keeps as it is.
pub(crate) struct Merged<T> {
    /// What is on record of it then.
    pub known: Option<Known<T>>,
    /// Whether it is sent, or cleared.
    pub sends: bool,
}

impl<T: PartialEq> Sides<T> {
    /// Whether what Plex has now is what a request of ours put there.
    pub(crate) fn ours(&self) -> bool {
        matches!(&self.last, Some(Known::Sent(sent)) if self.current.as_ref() == Some(sent))
    }

    /// None where a hand-made edit stays, and so does the record.
    pub(crate) fn merge(self, preserve: bool) -> Option<Merged<T>> {
        let ours = self.ours();
        let edited = match &self.last {
            Some(last) => self.current.as_ref() != Some(last.value()),
            None => self.by_hand && self.current.is_some(),
        };
        let (known, sends) = match self.wanted {
            wanted if wanted == self.current => (wanted.map(|value| Known::of(value, ours)), false),
            None if self.last.is_none() => (None, false),
            _ if preserve && edited => return None,
            Some(wanted) => (Some(Known::Sent(wanted)), true),
            // What we never sent is not ours to clear.
            None => (None, ours),
        };
        Some(Merged { known, sends })
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
/// Where the policy preserves edits, a tag on record that a person removed in Plex stays removed.
pub(crate) fn tags(
    kind: TagKind,
    wanted: &[String],
    current: &[Tag],
    last: &LastWritten,
    policy: &Policy,
) -> List {
    let recorded = [&last.tags, &last.preexisting.tags, &last.folded];
    let [sent, found, folded] = recorded.map(|lists| keys(names(lists, kind)));
    let wanted_keys = keys(wanted);
    let shown: Vec<Shown> = current.iter().map(|tag| Shown::of(tag, &sent)).collect();
    let mut room = Room {
        kind,
        left: policy.max_list_encoded.unwrap_or(usize::MAX),
        tags: 0,
    };
    // What is not ours stays, whatever there is room for.
    let others = shown.iter().filter(|shown| !shown.ours);
    others.for_each(|shown| room.take(shown.tag));
    let (mut list, mut new, mut kept) = (List::default(), Vec::new(), BTreeSet::new());
    for name in wanted {
        let key = key(name);
        // Every spelling Plex already has is kept as it is.
        let mut same: Vec<_> = shown.iter().filter(|shown| shown.key == key).collect();
        let in_its_place = same.is_empty() && folded.contains(&key);
        let mut goes = false;
        if in_its_place {
            let stays = |shown: &&Shown| !shown.ours || wanted_keys.contains(&shown.key);
            let is_like = |shown: &&Shown| wide_key(&shown.tag.name) == wide_key(name);
            let (stay, go): (_, Vec<_>) = shown.iter().filter(is_like).partition(stays);
            (same, goes) = (stay, !go.is_empty());
        }
        let missing = same.is_empty();
        let known = sent.contains(&key) || found.contains(&key);
        let removed_by_hand = policy.preserve_plex_edits && known && !goes;
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
        let is_folded = in_its_place && !missing;
        new.extend(add.then(|| name.clone()));
        list.folded.extend(is_folded.then(|| name.clone()));
        match add || sent.contains(&key) {
            true => list.sent.push(name.clone()),
            false => list.found.push(name.clone()),
        }
    }
    let goes = |shown: &&Shown| shown.ours && !kept.contains(&shown.key);
    let (go, stay) = shown.iter().partition(goes);
    list.edit = edit(kind, stay, go, new);
    list
}

/// The edit that a list needs. What is new stands behind what is there: a Plex that takes two
/// spellings for one tag keeps the one it has.
fn edit(kind: TagKind, stay: Vec<&Shown>, go: Vec<&Shown>, add: Vec<String>) -> Option<TagEdit> {
    let new = add.iter().map(|name| Tag::from(name.as_str()));
    let stay = stay.iter().map(|shown| shown.tag.clone());
    let edit = TagEdit {
        kind,
        target: stay.chain(new).collect(),
        remove: go.iter().map(|shown| shown.tag.name.clone()).collect(),
        add,
    };
    (!edit.add.is_empty() || !edit.remove.is_empty()).then_some(edit)
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
        let role = |role: &String| start + ".tagging.text=".len() + encoded(role);
        name + tag.role.as_ref().map_or(0, role)
    }
}
