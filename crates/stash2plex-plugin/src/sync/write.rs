//! Sending a plan to Plex: one PUT, the rating, the images, and one look at what became of it.

use plex::{Edit, ImageFormat, ImageKind, UserRating};
use scene_sync::{EditPlan, ImageWritten, LastWritten, Scene};

use super::convert;
use super::failure::Failed;
use super::find::Found;

/// A cover is a few hundred kilobytes; Plex takes at most ten megabytes.
const LARGEST_IMAGE: usize = 10_000_000;

/// What a plan is sent with.
pub struct Writer<'a> {
    pub plex: &'a plex::Client,
    pub stash: &'a stash::client::Client,
}

impl Writer<'_> {
    /// Makes the item what the plan says and returns what to remember.
    pub async fn apply(
        &self,
        plan: EditPlan,
        scene: &Scene,
        found: &Found,
        last: Option<&LastWritten>,
    ) -> Result<Option<LastWritten>, Failed> {
        self.send(&plan, found).await?;
        let images = self.images(&plan, scene, found, last).await?;
        let mut written = plan.written.clone();
        if plan.needs_readback() || images.sent {
            let mut shown = convert::item(&self.plex.item(&found.item.key).await?);
            if let Some(repair) = plan.verify(&shown) {
                self.send(&repair, found).await?;
                shown = convert::item(&self.plex.item(&found.item.key).await?);
            }
            written = plan.written_after(&shown);
            if let Some(written) = &mut written {
                remember(&mut written.poster, images.poster, shown.poster);
                remember(&mut written.background, images.background, shown.background);
            }
        } else if let Some(written) = &mut written {
            let shown = convert::item(&found.item);
            remember(&mut written.poster, images.poster, shown.poster);
            remember(&mut written.background, images.background, shown.background);
        }
        Ok(written)
    }

    async fn send(&self, plan: &EditPlan, found: &Found) -> Result<(), Failed> {
        let key = &found.item.key;
        let mut edit = Edit::new(found.section.clone(), found.kind, key.clone());
        for change in &plan.fields {
            let value = plex::fit(&change.to, plex::MAX_VALUE);
            edit = edit.set(convert::field(change.field), value);
        }
        for change in &plan.tags {
            let kind = convert::tag_kind(change.kind);
            let tags = change.target.iter().map(|tag| plex::Tag {
                name: tag.name.clone(),
                role: tag.role.clone().unwrap_or_default(),
            });
            edit = edit
                .tags(kind, tags)
                .remove_tags(kind, change.remove.iter().cloned());
        }
        if !edit.is_empty() {
            self.plex.edit(&edit).await?;
        }
        if let Some(change) = &plan.rating {
            let rating = change
                .to
                .and_then(|rating| UserRating::new(rating.to_plex()));
            self.plex.rate(key, rating).await?;
        }
        Ok(())
    }

    async fn images(
        &self,
        plan: &EditPlan,
        scene: &Scene,
        found: &Found,
        last: Option<&LastWritten>,
    ) -> Result<Images, Failed> {
        let mut images = Images::default();
        let Some(source) = scene
            .cover
            .as_ref()
            .filter(|_| plan.poster || plan.background)
        else {
            return Ok(images);
        };
        // A scene that was just scanned has no cover yet: that must not hold up its other fields.
        let cover = match self.stash.image(source, LARGEST_IMAGE).await {
            Ok(cover) => cover,
            Err(error) if error.is_temporary() => return Err(error.into()),
            Err(_) => return Ok(images),
        };
        let Some(format) = format(&cover.content_type) else {
            return Ok(images);
        };
        let sha1 = plex::image_sha1(&cover.bytes);
        let item = convert::item(&found.item);
        let wanted = [
            (
                plan.poster,
                ImageKind::Poster,
                last.and_then(|l| l.poster.as_ref()),
                item.poster,
            ),
            (
                plan.background,
                ImageKind::Background,
                last.and_then(|l| l.background.as_ref()),
                item.background,
            ),
        ];
        for (wanted, kind, last, shown) in wanted {
            if !wanted {
                continue;
            }
            let still_there = last.is_some_and(|last| last.sha1 == sha1 && last.shown == shown);
            if !still_there {
                let bytes = cover.bytes.clone();
                self.plex
                    .set_image(&found.item.key, kind, format, bytes)
                    .await?;
                images.sent = true;
            }
            let written = ImageWritten {
                source: source.clone(),
                sha1: sha1.clone(),
                shown: None,
            };
            match kind {
                ImageKind::Poster => images.poster = Some(written),
                ImageKind::Background => images.background = Some(written),
            }
        }
        Ok(images)
    }
}

#[derive(Default)]
struct Images {
    poster: Option<ImageWritten>,
    background: Option<ImageWritten>,
    /// Plex was asked to show another one, so what it shows must be read.
    sent: bool,
}

fn remember(row: &mut Option<ImageWritten>, new: Option<ImageWritten>, shown: Option<String>) {
    if let Some(new) = new {
        *row = Some(ImageWritten { shown, ..new });
    }
}

fn format(content_type: &str) -> Option<ImageFormat> {
    match content_type {
        "image/jpeg" => Some(ImageFormat::Jpeg),
        "image/png" => Some(ImageFormat::Png),
        "image/webp" => Some(ImageFormat::Webp),
        _ => None,
    }
}
