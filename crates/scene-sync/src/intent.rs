//! Edits that were cut off: what of them is in Plex.

use std::collections::BTreeSet;

use crate::mapping::plain;
use crate::text::key;
use crate::{EditPlan, ImageWritten, Intent, Item, LastWritten, Rating};

/// Intents kept: more versions of one scene are hardly under way at once.
const MOST: usize = 8;

impl LastWritten {
    /// Whether an edit to something else, sent before this was written, may come yet and change it.
    pub fn may_be_overtaken(&self) -> bool {
        let mut intents = self.intents.iter();
        intents.any(|intent| intent.written.content != self.content)
    }

    /// What is known to be written, given what the item shows: each edit that was cut off may have been carried out in part, in
    /// full or not at all.
    fn as_shown(&self, item: &Item) -> Self {
        let mut known = self.clone();
        for intent in &self.intents {
            known.take_in(&intent.written, item);
        }
        known
    }

    /// Takes what the item shows of an edit for written.
    fn take_in(&mut self, intended: &Self, item: &Item) {
        let fields = self.fields.keys().chain(intended.fields.keys());
        for field in fields.copied().collect::<BTreeSet<_>>() {
            let sent = intended.fields.get(&field);
            if plain(field, item.field(field)) == sent.map_or("", String::as_str) {
                match sent {
                    Some(sent) => self.fields.insert(field, sent.clone()),
                    None => self.fields.remove(&field),
                };
            }
        }
        for (kind, sent) in &intended.tags {
            let shown: BTreeSet<_> = item.tags(*kind).iter().map(|tag| key(&tag.name)).collect();
            let sent_keys: BTreeSet<_> = sent.iter().map(|name| key(name)).collect();
            let names = self.tags.entry(*kind).or_default();
            // Not sent again and gone: it was removed as intended.
            names.retain(|name| sent_keys.contains(&key(name)) || shown.contains(&key(name)));
            let before: BTreeSet<_> = names.iter().map(|name| key(name)).collect();
            let arrived = |name: &&String| {
                let key = key(name);
                shown.contains(&key) && !before.contains(&key)
            };
            names.extend(sent.iter().filter(arrived).cloned());
        }
        if item.rating.map(Rating::from_plex) == intended.rating {
            self.rating = intended.rating;
        }
        let arrived = |known: &mut Option<ImageWritten>, sent: &Option<ImageWritten>, shown| {
            if sent.as_ref().is_some_and(|sent| Some(&sent.sha1) == shown) {
                known.clone_from(sent);
            }
        };
        arrived(&mut self.poster, &intended.poster, item.poster.as_ref());
        let background = item.background.as_ref();
        arrived(&mut self.background, &intended.background, background);
    }
}

impl EditPlan {
    /// The record to keep *before* this plan of `item` is sent, given the `last` one: if the sender dies or never hears
    /// what became of it, the next plan knows its own edits from other people's. It equals no scene's content, so the
    /// next sync looks again. `None` for a plan with nothing to send. As with [`written`](Self::written), the caller fills
    /// in the pictures: those of the last of the [`intents`](LastWritten::intents). `at` is now, in milliseconds since 1970.
    ///
    /// An intent stays on record beyond the edits that succeed after it, until the caller drops it: Plex may carry it out last.
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
        let mut intents = std::mem::take(&mut written.intents);
        intents.retain(|earlier| earlier.written.content != written.content);
        intents.push(Intent { at, written });
        intents.drain(..intents.len().saturating_sub(MOST));
        Some(LastWritten {
            content: String::new(),
            intents,
            ..base(item, last)
        })
    }
}

/// What is known to be written to this item.
pub(crate) fn base(item: &Item, last: Option<&LastWritten>) -> LastWritten {
    let last = last.filter(|last| last.item == item.key);
    last.map_or_else(
        || LastWritten {
            item: item.key.clone(),
            ..LastWritten::default()
        },
        |last| last.as_shown(item),
    )
}
