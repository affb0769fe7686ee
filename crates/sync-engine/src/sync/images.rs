//! Posters and backgrounds: what an item shows, and making it show the scene's cover, with as few requests as that takes.

use plex::ImageKind;
use scene_sync::{EditPlan, ImageSeen, ImageWritten, LastWritten, Part, Policy};

use crate::core::client_errors::is_of_part;
use crate::core::outcome::Failure;
use crate::sync::cover::Cover;
use crate::sync::writer::{Refused, Writer};

/// One value for the poster, one for the background.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures<T> {
    pub poster: T,
    pub background: T,
}

/// What the item shows, where that tells a person's choice from ours: of pictures we gave it, or may have. The lists are read only
/// when an address is another than at the last look.
pub async fn look(
    plex: &plex::Client,
    item: &plex::Item,
    last: Option<&LastWritten>,
    policy: &Policy,
) -> Result<Pictures<Option<ImageSeen>>, plex::Error> {
    let given = |on: bool, of: fn(&LastWritten) -> &Option<ImageWritten>| {
        let last = last?;
        // What may have been given must be known before it is forgotten, whatever the settings are now.
        let intended = last.intents.iter().map(|intent| &intent.written);
        let records = intended
            .chain(on.then_some(last))
            .filter_map(|one| of(one).as_ref());
        // A picture that may have been given was not seen yet, whatever its address.
        records.min_by_key(|given| given.seen.is_some())
    };
    let poster = given(policy.poster, |last| &last.poster);
    let background = given(policy.background, |last| &last.background);
    Ok(Pictures {
        poster: look_at(plex, item, ImageKind::Poster, poster).await?,
        background: look_at(plex, item, ImageKind::Background, background).await?,
    })
}

async fn look_at(
    plex: &plex::Client,
    item: &plex::Item,
    kind: ImageKind,
    given: Option<&ImageWritten>,
) -> Result<Option<ImageSeen>, plex::Error> {
    let Some(given) = given else { return Ok(None) };
    let address = address(item, kind);
    if let Some(seen) = given.seen.as_ref().filter(|seen| seen.address == address) {
        return Ok(Some(seen.clone()));
    }
    let images = plex.images(&item.key, kind).await?;
    let selected = images.iter().find(|image| image.selected);
    Ok(Some(ImageSeen {
        address: address.to_owned(),
        selected: selected.map(|image| name(&image.name)).unwrap_or_default(),
    }))
}

/// A picture that an item has from us, and whether Plex had to be told.
pub struct Given {
    written: ImageWritten,
    changed: bool,
}

impl Pictures<Option<Given>> {
    /// The names of those that Plex had to be told.
    pub fn changed(&self) -> Vec<String> {
        let named = [(&self.poster, "poster"), (&self.background, "background")];
        let is_changed = |given: &Option<Given>| given.as_ref().is_some_and(|one| one.changed);
        let changed = named.iter().filter(|(given, _)| is_changed(given));
        changed.map(|(_, name)| name.to_string()).collect()
    }
}

impl Writer<'_> {
    /// Makes the item show the cover where the plan wants it, and returns what it was given; `refused` takes what it
    /// does not take. Fails where the item is no longer the scene's.
    pub(super) async fn give(
        &self,
        plan: &EditPlan,
        cover: &Cover,
        seen: &Pictures<Option<ImageSeen>>,
        refused: &mut Vec<Refused>,
    ) -> Result<Pictures<Option<Given>>, Failure> {
        let mut given = Pictures::default();
        let Pictures { poster, background } = &mut given;
        for (part, wanted, seen, given) in [
            (Part::Poster, plan.poster, &seen.poster, poster),
            (
                Part::Background,
                plan.background,
                &seen.background,
                background,
            ),
        ] {
            if !wanted {
                continue;
            }
            let is_shown = |seen: &ImageSeen| seen.selected == cover.sha1;
            let changed = match seen.as_ref().is_some_and(is_shown) {
                true => Ok(false),
                false => self.show(part, cover).await?,
            };
            let written = cover.written();
            match changed {
                Ok(changed) => *given = Some(Given { written, changed }),
                Err(why) if is_of_part(&why) => {
                    refused.push(Refused::new(part, cover.name().to_owned(), &why));
                }
                Err(why) => return Err(why.into()),
            }
        }
        Ok(given)
    }

    /// Makes the item show the cover, without sending bytes that Plex already has; whether it had to be told.
    async fn show(&self, part: Part, cover: &Cover) -> Result<Result<bool, plex::Error>, Failure> {
        let (plex, key) = (&self.syncer.plex, &self.item.key);
        let kind = match part {
            Part::Background => ImageKind::Background,
            _ => ImageKind::Poster,
        };
        let there = {
            let _overlapping = self.syncer.limits.read().await;
            plex.images(key, kind).await
        };
        let there = match there {
            Ok(there) => there,
            Err(why) => return Ok(Err(why)),
        };
        let there = there.iter().find(|image| image.is_upload_of(&cover.sha1));
        if there.is_some_and(|image| image.selected) {
            return Ok(Ok(false));
        }
        let _alone = self.turn().await?;
        let shown = match there {
            Some(image) => plex.select_image(key, kind, image).await,
            None => {
                let bytes = cover.bytes.clone();
                plex.upload_image(key, kind, cover.format, bytes).await
            }
        };
        Ok(shown.map(|()| true))
    }
}

/// Puts into the record what the item was given and shows now; `item` is as last read.
pub fn remember(
    written: &mut LastWritten,
    item: &plex::Item,
    given: Pictures<Option<Given>>,
    seen: Pictures<Option<ImageSeen>>,
) {
    let one = |record: &mut Option<ImageWritten>, given: Option<Given>, seen, kind| {
        let selected = match given {
            Some(given) => Some(record.insert(given.written).sha1.clone()),
            None => Option::map(seen, |seen: ImageSeen| seen.selected),
        };
        if let (Some(record), Some(selected)) = (record, selected) {
            let address = address(item, kind).to_owned();
            record.seen = Some(ImageSeen { address, selected });
        }
    };
    let Pictures { poster, background } = given;
    one(&mut written.poster, poster, seen.poster, ImageKind::Poster);
    let (record, kind) = (&mut written.background, ImageKind::Background);
    one(record, background, seen.background, kind);
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
