//! Posters and backgrounds: what an item shows, and making it show the scene's cover, with as few requests as that takes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::SystemTime;

use plex::{ImageFormat, ImageKind, RatingKey};
use scene_sync::{EditPlan, ImageSeen, ImageWritten, LastWritten, Part, Policy};

use crate::core::outcome::{Failure, is_of_part, is_of_scene};
use crate::core::reconcile::unix;
use crate::core::words;
use crate::sync::write::{Refused, Writer};

/// A cover is a few hundred kilobytes; Plex takes at most ten megabytes.
const LARGEST: usize = 10_000_000;

/// Before what Stash names a picture by: the MD5 of its bytes.
const ETAG: &str = "etag ";

/// One value for the poster, one for the background.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures<T> {
    pub poster: T,
    pub background: T,
}

/// A scene's cover, in a form Plex takes.
pub struct Cover {
    source: String,
    bytes: Vec<u8>,
    format: ImageFormat,
    sha1: String,
}

/// What Stash gave of a cover.
pub enum Fetched {
    Picture(Cover),
    /// It is the one that is known.
    Same,
    /// None, and why, where a person may want to know.
    Nothing(Option<String>),
    /// None, and why it has to be fetched another time.
    Owed(String),
}

/// Fetches covers. Counts how often Stash answered and yet failed to give one: that must not hold up a scene's other
/// fields for good.
#[derive(Default)]
pub struct Covers(RefCell<HashMap<String, u32>>);

/// Tries of one cover before the scene does without it.
const TRIES: u32 = 6;

impl Covers {
    /// Fetches the picture at an address, unless it is the `known` one.
    ///
    /// # Errors
    /// Stash may give it later.
    pub async fn fetch(
        &self,
        stash: &stash::client::Client,
        address: &str,
        known: Option<&str>,
    ) -> Result<Fetched, Failure> {
        let etag = known.and_then(|known| known.strip_prefix(ETAG));
        let fetched = stash.image_unless(address, etag, LARGEST).await;
        // The rest of the address is a time, which each save moves.
        let path = address.split('?').next().unwrap_or_default();
        let mut failed = self.0.borrow_mut();
        let error = match fetched {
            Ok(image) => {
                failed.remove(path);
                return Ok(image.map_or(Fetched::Same, |image| Fetched::Picture(Cover::new(image))));
            }
            Err(error) => error,
        };
        if is_of_scene(&error) {
            let why = (!is_placeholder(&error)).then(|| words::cover_left_out(&error.to_string()));
            return Ok(Fetched::Nothing(why));
        }
        // A Stash that is gone says nothing about the cover.
        if is_away(&error) {
            return Err(error.into());
        }
        let tries = failed.entry(path.to_owned()).or_default();
        *tries += 1;
        if *tries < TRIES {
            return Err(error.into());
        }
        failed.remove(path);
        Ok(Fetched::Owed(words::without_cover(
            TRIES,
            &error.to_string(),
        )))
    }
}

/// What Stash shows of a scene that has no cover, such as one that was just scanned, is no picture of it.
fn is_placeholder(error: &stash::client::Error) -> bool {
    use stash::client::Error;
    matches!(error, Error::NotAPicture { content_type } if content_type.starts_with("image/svg"))
}

fn is_away(error: &stash::client::Error) -> bool {
    use stash::client::{Error, Unreachable};
    // A session that has ended is no exception: the next question about the scene says so before its cover is asked for.
    matches!(
        error,
        Error::Unreachable {
            kind: Unreachable::Connect,
            ..
        }
    )
}

impl Cover {
    fn new(image: stash::client::Image) -> Self {
        let format = match image.content_type.as_str() {
            "image/png" => ImageFormat::Png,
            "image/webp" => ImageFormat::Webp,
            // The client lets no fourth type through.
            _ => ImageFormat::Jpeg,
        };
        let sha1 = plex::image_sha1(&image.bytes);
        Self {
            source: match image.etag {
                Some(etag) => format!("{ETAG}{etag}"),
                None => sha1.clone(),
            },
            sha1,
            bytes: image.bytes,
            format,
        }
    }

    /// What names this picture, whatever its address.
    pub fn name(&self) -> &str {
        &self.source
    }

    /// Puts into the record what the plan is about to give.
    pub fn intend(&self, plan: &EditPlan, record: &mut LastWritten) {
        if plan.poster {
            record.poster = Some(self.written());
        }
        if plan.background {
            record.background = Some(self.written());
        }
    }

    fn written(&self) -> ImageWritten {
        ImageWritten {
            source: self.source.clone(),
            sha1: self.sha1.clone(),
            seen: None,
        }
    }
}

/// The address tells the second in which the scene was last changed. In that second its cover may change again, unseen.
const SAME_SECOND: u64 = 2;

/// The place to remember a picture by that was looked at `now`; none while another one may still come to the same place.
pub fn lasting_place(address: &str, now: SystemTime) -> &str {
    let (_, query) = address.split_once('?').unwrap_or_default();
    let changed = query.split('&').find_map(|pair| pair.strip_prefix("t="));
    let changed: Option<i64> = changed.and_then(|seconds| seconds.parse().ok());
    match changed.is_some_and(|changed| changed.abs_diff(unix(now)) < SAME_SECOND) {
        true => "",
        false => place(address),
    }
}

/// An address without the server, which may come back under another.
pub fn place(address: &str) -> &str {
    let host = address.split_once("://").map_or(address, |(_, host)| host);
    host.find('/').map_or(address, |at| &host[at..])
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
    pub changed: bool,
}

impl Writer<'_> {
    /// Makes the item show the cover where the plan wants it, and returns what it was given; `refused` takes what it
    /// does not take.
    pub(super) async fn give(
        &self,
        item: &plex::Item,
        plan: &EditPlan,
        cover: &Cover,
        seen: &Pictures<Option<ImageSeen>>,
        refused: &mut Vec<Refused>,
    ) -> Result<Pictures<Option<Given>>, Failure> {
        let mut taken = |part, given| match given {
            Err(error) if is_of_part(&error) => {
                let version = cover.source.clone();
                refused.push(Refused::new(part, version, &error));
                Ok(None)
            }
            given => given,
        };
        let poster = (plan.poster, ImageKind::Poster, &seen.poster);
        let poster = taken(Part::Poster, self.give_one(item, cover, poster).await?)?;
        let background = (plan.background, ImageKind::Background, &seen.background);
        let background = taken(
            Part::Background,
            self.give_one(item, cover, background).await?,
        )?;
        Ok(Pictures { poster, background })
    }

    /// What the item was given, or how Plex refused; it fails where the item is no longer the scene's.
    async fn give_one(
        &self,
        item: &plex::Item,
        cover: &Cover,
        (wanted, kind, seen): (bool, ImageKind, &Option<ImageSeen>),
    ) -> Result<Result<Option<Given>, plex::Error>, Failure> {
        if !wanted {
            return Ok(Ok(None));
        }
        let shown = seen
            .as_ref()
            .is_some_and(|seen| seen.selected == cover.sha1);
        let changed = match shown {
            true => Ok(false),
            false => self.show(&item.key, kind, cover).await?,
        };
        let written = cover.written();
        Ok(changed.map(|changed| Some(Given { written, changed })))
    }

    /// Makes the item show the cover, without sending bytes that Plex already has; whether it had to be told.
    async fn show(
        &self,
        key: &RatingKey,
        kind: ImageKind,
        cover: &Cover,
    ) -> Result<Result<bool, plex::Error>, Failure> {
        let there = {
            let _overlapping = self.syncer.limits.read().await;
            self.syncer.plex.images(key, kind).await
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
        let plex = &self.syncer.plex;
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
    let (poster, background) = (ImageKind::Poster, ImageKind::Background);
    one(&mut written.poster, given.poster, seen.poster, poster);
    one(
        &mut written.background,
        given.background,
        seen.background,
        background,
    );
}

fn address(item: &plex::Item, kind: ImageKind) -> &str {
    match kind {
        ImageKind::Poster => &item.thumb,
        ImageKind::Background => &item.art,
    }
}

/// The SHA-1 of an upload, the whole name of another picture.
fn name(of: &str) -> String {
    let sha1 = of
        .strip_prefix("upload://")
        .and_then(|path| path.rsplit('/').next());
    sha1.unwrap_or(of).to_owned()
}
