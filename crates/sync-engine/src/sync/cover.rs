//! A scene's cover, as Stash gives it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::SystemTime;

use plex::ImageFormat;
use scene_sync::{EditPlan, ImageWritten, LastWritten};

use crate::core::client_errors::is_of_scene;
use crate::core::outcome::Failure;
use crate::core::reconcile::unix;
use crate::core::words;

/// A cover is a few hundred kilobytes; Plex takes at most ten megabytes.
const LARGEST: usize = 10_000_000;

/// Before what Stash names a picture by: the MD5 of its bytes.
const ETAG: &str = "etag ";

/// A scene's cover, in a form Plex takes.
pub struct Cover {
    /// What names this picture, whatever its address.
    pub source: String,
    pub(super) bytes: Vec<u8>,
    pub(super) format: ImageFormat,
    pub(super) sha1: String,
}

/// What Stash gave of a cover.
pub enum Fetched {
    Picture(Cover),
    /// It is the one that is known.
    Same,
    /// None, and why, where a person may want to know.
    Nothing(Option<String>),
    /// None, since Stash failed to give it, the so-many-th time and why. It is to be fetched another
    /// time.
    Owed {
        attempt: u32,
        why: String,
    },
}

/// Fetches covers. Counts how often Stash is reached and yet fails to give one, which holds up no
/// other field of its scene.
#[derive(Default)]
pub struct Covers(RefCell<HashMap<String, u32>>);

/// Tries of one cover before it waits for the scene's next save or a reconciliation.
pub const TRIES: u32 = 3;

impl Covers {
    /// Fetches the picture at an address, unless it is the `known` one.
    ///
    /// # Errors
    /// Stash is away.
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
            let why = (!is_placeholder(&error)).then(|| words::cover_left_out(&error));
            return Ok(Fetched::Nothing(why));
        }
        // A Stash that is gone says nothing about the cover.
        if is_away(&error) {
            return Err(error.into());
        }
        let tries = failed.entry(path.to_owned()).or_default();
        *tries += 1;
        let attempt = *tries;
        if attempt == TRIES {
            failed.remove(path);
        }
        let why = error.to_string();
        Ok(Fetched::Owed { attempt, why })
    }
}

/// What Stash shows of a scene that has no cover, such as one that was just scanned, is no picture
/// of it.
fn is_placeholder(error: &stash::client::Error) -> bool {
    use stash::client::Error;
    matches!(error, Error::NotAPicture { content_type } if content_type.starts_with("image/svg"))
}

fn is_away(error: &stash::client::Error) -> bool {
    use stash::client::{Error, Unreachable};
    // A session that has ended is no exception: the next question about the scene says so before
    // its cover is asked for.
    matches!(error, Error::Unreachable { kind, .. } if *kind == Unreachable::Connect)
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

    /// Puts into the record what the plan is about to give.
    pub fn intend(&self, plan: &EditPlan, record: &mut LastWritten) {
        if plan.poster {
            record.poster = Some(self.written());
        }
        if plan.background {
            record.background = Some(self.written());
        }
    }

    pub(super) fn written(&self) -> ImageWritten {
        ImageWritten {
            source: self.source.clone(),
            sha1: self.sha1.clone(),
            seen: None,
        }
    }
}

/// The address tells the second in which the scene was last changed. In that second its cover may
/// change again, unseen.
const SAME_SECOND: u64 = 2;

/// The place to remember a picture by that was looked at `now`; none while another one may still
/// come to the same place.
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
