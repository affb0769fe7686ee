//! Posters and backgrounds: what an item shows, and making it show the scene's cover, with as few
//! requests as that takes.

use std::collections::BTreeMap;

use plex::ImageKind;
use scene_sync::{EditPlan, ImageSeen, ImageWritten, LastWritten, Part, Policy};

use crate::core::outcome::Failure;
use crate::core::words;
use crate::sync::cover::Cover;
use crate::sync::syncer::Syncer;
use crate::sync::writer::{Refused, Writer};

/// A value for the poster and one for the background, where there is one.
pub type Pictures<T> = BTreeMap<ImageKind, T>;

const KINDS: [ImageKind; 2] = [ImageKind::Poster, ImageKind::Background];

/// What is known of what an item shows.
#[derive(Default)]
pub struct Looked {
    pub seen: Pictures<ImageSeen>,
    /// The list cannot be read, now or at the last look: that picture is left as it is.
    pub unread: Vec<Part>,
    /// Those of now.
    pub refused: Vec<Refused>,
}

/// What the item shows, where that tells a person's choice from ours: of pictures we gave it, or
/// may have. The lists are read only when an address is another than at the last look.
pub async fn look(
    syncer: &Syncer,
    item: &plex::Item,
    last: Option<&LastWritten>,
    (policy, cover): (&Policy, &str),
) -> Result<Looked, Failure> {
    let mut looked = Looked::default();
    for kind in KINDS {
        let (is_on, record): (_, fn(&LastWritten) -> &Option<ImageWritten>) = match kind {
            ImageKind::Poster => (policy.poster, |last| &last.poster),
            ImageKind::Background => (policy.background, |last| &last.background),
        };
        // What may have been given must be known before it is forgotten, whatever the settings are
        // now.
        let intents = last.into_iter().flat_map(|last| &last.intents);
        let records = intents.map(|intent| &intent.written);
        let records = records
            .chain(last.filter(|_| is_on))
            .filter_map(|one| record(one).as_ref());
        // A picture that may have been given was not seen yet, whatever its address.
        let Some(given) = records.min_by_key(|given| given.seen.is_some()) else {
            continue;
        };
        let address = address(item, kind);
        if let Some(known) = given.seen.as_ref().filter(|known| known.address == address) {
            looked.seen.insert(kind, known.clone());
            continue;
        }
        let part = part(kind);
        let is_certain = last.is_some_and(|last| last.intents.is_empty());
        let refused = last.and_then(|last| last.refused.get(&part));
        if is_certain && refused.is_some_and(|version| version == cover) && !policy.retry_refused {
            looked.unread.push(part);
            continue;
        }
        let read = syncer.part(async || {
            let _overlapping = syncer.limits.read().await;
            Ok(syncer.plex.images(&item.key, kind).await)
        });
        let images = match read.await? {
            Ok(images) => images,
            Err(why) if is_certain => {
                looked.unread.push(part);
                looked
                    .refused
                    .push(Refused::new(part, cover.to_owned(), &why));
                continue;
            }
            Err(why) => return Err(why.into()),
        };
        let selected = images.iter().find(|image| image.selected);
        let selected = selected.map(|image| name(&image.name)).unwrap_or_default();
        let address = address.to_owned();
        let seen = ImageSeen { address, selected };
        looked.seen.insert(kind, seen);
    }
    Ok(looked)
}

/// A picture that an item has from us, and whether Plex had to be told.
pub struct Given {
    written: ImageWritten,
    changed: bool,
}

/// The names of those that Plex had to be told.
pub fn changed(given: &Pictures<Given>) -> Vec<String> {
    let changed = given.iter().filter(|(_, given)| given.changed);
    changed.map(|(kind, _)| part(*kind).to_string()).collect()
}

/// The names of what an item was given and shows nothing in the place of.
pub fn lost(item: &plex::Item, written: &LastWritten, policy: &Policy) -> Vec<String> {
    let is_lost = |kind: &ImageKind| {
        let (is_on, given) = match kind {
            ImageKind::Poster => (policy.poster, &written.poster),
            ImageKind::Background => (policy.background, &written.background),
        };
        let is_refused = written.refused.contains_key(&part(*kind));
        is_on && given.is_some() && !is_refused && address(item, *kind).is_empty()
    };
    let lost = KINDS.into_iter().filter(is_lost);
    lost.map(|kind| part(kind).to_string()).collect()
}

/// Takes out what Plex was told and an item without any picture does not show.
pub fn unshown(given: &mut Pictures<Given>, item: &plex::Item) -> Vec<Refused> {
    let is_lost =
        |kind: &ImageKind, given: &mut Given| given.changed && address(item, *kind).is_empty();
    let lost = given.extract_if(.., is_lost);
    lost.map(|(kind, given)| Refused {
        part: part(kind),
        version: given.written.source,
        why: words::PICTURE_NOT_SHOWN.to_owned(),
        passes: true,
    })
    .collect()
}

fn part(kind: ImageKind) -> Part {
    match kind {
        ImageKind::Poster => Part::Poster,
        ImageKind::Background => Part::Background,
    }
}

impl Writer<'_> {
    /// Makes the item show the cover where the plan wants it, and returns what it was given;
    /// `refused` takes what it does not take. Fails where the item is no longer the scene's.
    pub(super) async fn give(
        &self,
        plan: &EditPlan,
        cover: &Cover,
        seen: &mut Pictures<ImageSeen>,
        refused: &mut Vec<Refused>,
    ) -> Result<Pictures<Given>, Failure> {
        let mut given = Pictures::new();
        for (kind, wanted) in KINDS.into_iter().zip([plan.poster, plan.background]) {
            if !wanted {
                continue;
            }
            let is_shown = |seen: &ImageSeen| seen.selected == cover.sha1;
            let shown = match seen.get(&kind).is_some_and(is_shown) {
                true => Ok(Shown::Already),
                false => {
                    self.syncer
                        .part(async || self.show(kind, cover).await)
                        .await?
                }
            };
            let written = cover.written();
            match shown {
                Ok(Shown::Other(selected)) => {
                    let address = address(self.item, kind).to_owned();
                    seen.insert(kind, ImageSeen { address, selected });
                }
                Ok(shown) => {
                    let changed = shown == Shown::Now;
                    given.insert(kind, Given { written, changed });
                }
                Err(why) => refused.push(Refused::new(part(kind), cover.source.clone(), &why)),
            }
        }
        Ok(given)
    }

    /// Makes the item show the cover, without sending bytes that Plex already has, unless it shows
    /// what a person chose since the last look.
    async fn show(
        &self,
        kind: ImageKind,
        cover: &Cover,
    ) -> Result<Result<Shown, plex::Error>, Failure> {
        let (plex, key) = (&self.syncer.plex, &self.item.key);
        let there = {
            let _overlapping = self.syncer.limits.read().await;
            plex.images(key, kind).await
        };
        let there = match there {
            Ok(there) => there,
            Err(why) => return Ok(Err(why)),
        };
        let selected = there.iter().find(|image| image.selected);
        let selected = selected.map(|image| name(&image.name)).unwrap_or_default();
        let there = there.iter().find(|image| image.is_upload_of(&cover.sha1));
        if there.is_some_and(|image| image.selected) {
            return Ok(Ok(Shown::Already));
        }
        if self.is_chosen(kind, &selected) {
            return Ok(Ok(Shown::Other(selected)));
        }
        let _alone = self.turn().await?;
        let shown = match there {
            Some(image) => plex.select_image(key, kind, image).await,
            None => {
                let bytes = cover.bytes.clone();
                plex.upload_image(key, kind, cover.format, bytes).await
            }
        };
        Ok(shown.map(|()| Shown::Now))
    }

    /// Whether a person chose what is selected, and that counts: it is not what we gave last.
    fn is_chosen(&self, kind: ImageKind, selected: &str) -> bool {
        let last = self.last.filter(|last| last.intents.is_empty());
        let given = last.and_then(|last| match kind {
            ImageKind::Poster => last.poster.as_ref(),
            ImageKind::Background => last.background.as_ref(),
        });
        self.syncer.policy.preserve_plex_edits && given.is_some_and(|given| given.sha1 != selected)
    }
}

/// Which picture an item shows.
#[derive(PartialEq, Eq)]
enum Shown {
    /// The cover, and Plex had to be told.
    Now,
    /// The cover.
    Already,
    /// A person's choice.
    Other(String),
}

/// Puts into the record what the item was given and shows now; `item` is as last read.
pub fn remember(
    written: &mut LastWritten,
    item: &plex::Item,
    mut given: Pictures<Given>,
    mut seen: Pictures<ImageSeen>,
) {
    for kind in KINDS {
        let record = match kind {
            ImageKind::Poster => &mut written.poster,
            ImageKind::Background => &mut written.background,
        };
        let selected = match given.remove(&kind) {
            Some(given) => Some(record.insert(given.written).sha1.clone()),
            None => seen.remove(&kind).map(|seen| seen.selected),
        };
        if let (Some(record), Some(selected)) = (record, selected) {
            let address = address(item, kind).to_owned();
            record.seen = Some(ImageSeen { address, selected });
        }
    }
}

fn address(item: &plex::Item, kind: ImageKind) -> &str {
    match kind {
        ImageKind::Poster => &item.thumb,
        ImageKind::Background => &item.art,
    }
}

/// The SHA-1 of an upload, the whole name of another picture.
fn name(of: &str) -> String {
    let upload = of.strip_prefix("upload://");
    let sha1 = upload.and_then(|path| path.rsplit('/').next());
    sha1.unwrap_or(of).to_owned()
}
