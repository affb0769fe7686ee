//! Edits that were cut off: what of them is in Plex.

use std::collections::BTreeSet;

use crate::last_written::{Known, names, set_names};
use crate::text::{key, keys};
use crate::wanted::plain;
use crate::{EditPlan, Field, ImageWritten, Intent, Item, LastWritten, Rating, Tag, TagKind, What};

/// Intents kept: more versions of one scene are hardly under way at once.
const MOST: usize = 8;

impl LastWritten {
    /// Whether an edit to something else, sent before this was written, may come yet and change it.
    pub fn may_be_overtaken(&self) -> bool {
        let mut intents = self.intents.iter();
        intents.any(|intent| intent.written.content != self.content)
    }

    /// What is known to be written, given what the item shows: each edit that was cut off may have
    /// been carried out in part, in full or not at all.
    fn as_shown(&self, item: &Item) -> Self {
        let mut known = self.clone();
        for intent in &self.intents {
            known.take_in(&intent.written, item);
        }
        known
    }

    /// Takes what the item shows of an edit for written, by the edit if it carried it.
    fn take_in(&mut self, intended: &Self, item: &Item) {
        for field in Field::ALL {
            let shown = plain(field, item.field(field));
            let shown = Some(shown).filter(|shown| !shown.is_empty());
            let known = arrived(self.field(field), intended.field(field), shown);
            self.set_field(field, known);
        }
        let shown = item.rating.map(Rating::from_plex);
        let known = arrived(self.known_rating(), intended.known_rating(), shown);
        self.set_rating(known);
        for kind in TagKind::ALL {
            self.take_in_tags(kind, intended, item.tags(kind));
        }
        let given = |known: &mut Option<ImageWritten>, sent: &Option<ImageWritten>, shown| {
            if sent.as_ref().is_some_and(|sent| Some(&sent.sha1) == shown) {
                known.clone_from(sent);
            }
        };
        given(&mut self.poster, &intended.poster, item.poster.as_ref());
        let background = item.background.as_ref();
        given(&mut self.background, &intended.background, background);
    }

    /// Whether an edit to this puts into Plex what an edit to another record does.
    fn sends_as(&self, other: &Self) -> bool {
        (&self.content, &self.fields, &self.tags, self.rating)
            == (&other.content, &other.fields, &other.tags, other.rating)
    }

    fn take_in_tags(&mut self, kind: TagKind, intended: &Self, shown: &[Tag]) {
        let shown: BTreeSet<_> = shown.iter().map(|tag| key(&tag.name)).collect();
        let sent_then = names(&intended.tags, kind);
        let found_then = names(&intended.preexisting.tags, kind);
        let (sent_keys, found_keys) = (keys(sent_then), keys(found_then));
        let mut sent = self.tags.remove(&kind).unwrap_or_default();
        let mut found = self.preexisting.tags.remove(&kind).unwrap_or_default();
        // Not sent again and gone: it was removed as intended.
        let all = [&sent_keys, &found_keys, &shown];
        let stays = |key: &String| all.iter().any(|keys| keys.contains(key));
        sent.retain(|name| stays(&key(name)));
        // Shown and sent: from now on it is ours.
        let arrived = |key: &String| shown.contains(key) && sent_keys.contains(key);
        found.retain(|name| stays(&key(name)) && !arrived(&key(name)));
        let add = |names: &mut Vec<String>, more: &[String], known: &BTreeSet<String>| {
            let new = more.iter().filter(|name| {
                let key = key(name);
                shown.contains(&key) && !known.contains(&key)
            });
            names.extend(new.cloned());
        };
        let known = keys(&sent);
        add(&mut sent, sent_then, &known);
        let known = &keys(&sent) | &keys(&found);
        add(&mut found, found_then, &known);
        set_names(&mut self.tags, kind, sent);
        set_names(&mut self.preexisting.tags, kind, found);
    }
}

/// What is known of a value after an edit that may have been carried out.
fn arrived<T: PartialEq>(
    known: Option<Known<T>>,
    intended: Option<Known<T>>,
    shown: Option<T>,
) -> Option<Known<T>> {
    if intended.as_ref().map(Known::value) != shown.as_ref() {
        return known;
    }
    match intended {
        // Plex showed it before the edit, which carried nothing: what is known of it stays known.
        Some(Known::Found(_)) if known.as_ref().map(Known::value) == shown.as_ref() => known,
        intended => intended,
    }
}

impl EditPlan {
    /// The record to keep *before* this plan of `item` is sent, given the `last` one: if the sender
    /// dies or never hears what became of it, the next plan knows its own edits from other
    /// people's. It equals no scene's content, so the next sync looks again. `None` for a plan with
    /// nothing to send. As with [`written`](Self::written), the caller fills in the pictures: those
    /// of the last of the [`intents`](LastWritten::intents). `at` is now, in milliseconds since
    /// 1970.
    ///
    /// An intent stays on record beyond the edits that succeed after it, until the caller drops it:
    /// Plex may carry it out last.
    ///
    /// ```
    /// use scene_sync::{Item, Policy, Scene, plan};
    ///
    /// let scene = |tag: &str| Scene { title: "Dawn".into(), tags: vec![tag.into()], ..Scene::default() };
    /// let mut item = Item { key: "7".into(), ..Item::default() };
    /// let policy = Policy::default();
    /// let first = plan(&scene("Old"), &item, None, &policy);
    /// let ledger = first.intent(&item, None, 0);
    ///
    /// // Plex carries it out, and goes down before it says so. Meanwhile the scene changes.
    /// item.title = "Dawn".into();
    /// item.genres = first.tags[0].target.clone();
    /// let second = plan(&scene("New"), &item, ledger.as_ref(), &policy);
    /// assert_eq!(second.to_string(), "add genre \"New\"\nremove genre \"Old\"\n");
    /// ```
    pub fn intent(&self, item: &Item, last: Option<&LastWritten>, at: i64) -> Option<LastWritten> {
        let mut written = self.written.clone().filter(|_| !self.is_empty())?;
        let mut record = base(item, last);
        // What is not sent is settled.
        let sent = self.sent();
        for what in What::all().filter(|what| !sent.contains(what)) {
            record.copy(what, &written);
        }
        let mut intents = std::mem::take(&mut written.intents);
        // Of the same edit tried again, the last try is enough.
        intents.retain(|earlier| !earlier.written.sends_as(&written));
        intents.push(Intent { at, written });
        intents.drain(..intents.len().saturating_sub(MOST));
        Some(LastWritten {
            content: String::new(),
            intents,
            ..record
        })
    }
}

/// What is known to be written to this item.
pub(crate) fn base(item: &Item, last: Option<&LastWritten>) -> LastWritten {
    last.map(|last| last.as_shown(item)).unwrap_or_default()
}
