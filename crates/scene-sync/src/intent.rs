//! Edits that were cut off: what of them is in Plex.

use std::collections::BTreeSet;

use crate::mapping::plain;
use crate::text::key;
use crate::{EditPlan, ImageWritten, Item, LastWritten, Rating};

impl LastWritten {
    /// What is known to be written, given what the item shows: an edit that was cut off may have been carried out in
    /// part, in full or not at all.
    pub(crate) fn as_shown(&self, item: &Item) -> Self {
        let Some(intended) = &self.intended else {
            return self.clone();
        };
        let mut known = Self {
            intended: None,
            ..self.clone()
        };
        let fields: BTreeSet<_> = self.fields.keys().chain(intended.fields.keys()).collect();
        for field in fields {
            let sent = intended.fields.get(field);
            if plain(*field, item.field(*field)) == sent.map_or("", String::as_str) {
                match sent {
                    Some(sent) => known.fields.insert(*field, sent.clone()),
                    None => known.fields.remove(field),
                };
            }
        }
        for (kind, sent) in &intended.tags {
            let shown: BTreeSet<_> = item.tags(*kind).iter().map(|tag| key(&tag.name)).collect();
            let sent_keys: BTreeSet<_> = sent.iter().map(|name| key(name)).collect();
            let names = known.tags.entry(*kind).or_default();
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
            known.rating = intended.rating;
        }
        let arrived = |known: &mut Option<ImageWritten>, sent: &Option<ImageWritten>, shown| {
            if sent.as_ref().is_some_and(|sent| Some(&sent.sha1) == shown) {
                known.clone_from(sent);
            }
        };
        arrived(&mut known.poster, &intended.poster, item.poster.as_ref());
        let background = item.background.as_ref();
        arrived(&mut known.background, &intended.background, background);
        known
    }
}

impl EditPlan {
    /// The record to keep *before* this plan of `item` is sent, given the `last` one: if the sender dies or never hears
    /// what became of it, the next plan knows its own edits from other people's. It equals no scene's content, so the
    /// next sync looks again. `None` for a plan with nothing to send. As with [`written`](Self::written), the caller fills
    /// in the pictures: those of [`intended`](LastWritten::intended).
    ///
    /// ```
    /// use scene_sync::{Item, Policy, Scene, plan};
    ///
    /// let scene = |tag: &str| Scene { title: "Dawn".into(), tags: vec![tag.into()], ..Scene::default() };
    /// let mut item = Item { key: "7".into(), ..Item::default() };
    /// let policy = Policy::default();
    /// let first = plan(&scene("Old"), &item, None, &policy);
    /// let ledger = first.intent(&item, None);
    ///
    /// // Plex carries it out, and goes down before it says so. Meanwhile the scene changes.
    /// item.title = "Dawn".into();
    /// item.genres = first.tags[0].target.clone();
    /// let second = plan(&scene("New"), &item, ledger.as_ref(), &policy);
    /// assert_eq!(second.to_string(), "add genre \"New\"\nremove genre \"Old\"\n");
    /// ```
    pub fn intent(&self, item: &Item, last: Option<&LastWritten>) -> Option<LastWritten> {
        let written = self.written.clone().filter(|_| !self.is_empty())?;
        Some(LastWritten {
            content: String::new(),
            intended: Some(Box::new(written)),
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
