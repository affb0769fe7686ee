//! Sending a plan to Plex: one PUT, the rating, the pictures, and one look at what became of it.

use plex::{Edit, UserRating};
use scene_sync::{EditPlan, ImageSeen, LastWritten};

use super::convert;
use super::failure::Failed;
use super::find::Found;
use super::lanes::Lanes;
use super::picture::{self, Cover, Pictures};

/// What became of a plan.
pub struct Done {
    /// What to remember; none for a scene that must not count as synced.
    pub written: Option<LastWritten>,
    /// The names of what Plex was told.
    pub changes: Vec<String>,
    /// What Plex was told twice and does not show, in words.
    pub refused: Option<String>,
}

/// What a plan is sent with.
pub struct Writer<'a> {
    pub plex: &'a plex::Client,
    pub lanes: &'a Lanes,
}

impl Writer<'_> {
    /// Makes the item what the plan says. `seen` are the pictures it shows, as far as they are known.
    pub async fn apply(
        &self,
        plan: &EditPlan,
        found: &Found,
        cover: Option<&Cover>,
        seen: Pictures<Option<ImageSeen>>,
    ) -> Result<Done, Failed> {
        let requests = self.send(plan, found).await?;
        let given = match cover {
            Some(cover) => self.give(&found.item, plan, cover, &seen).await?,
            None => Pictures::default(),
        };
        let mut changes = changes(plan);
        let edits = changes.len();
        let pictures = [(&given.poster, "poster"), (&given.background, "background")];
        let told = pictures
            .into_iter()
            .filter(|(given, _)| given.as_ref().is_some_and(|given| given.changed));
        changes.extend(told.map(|(_, name)| name.to_owned()));

        // An edit may change the addresses of the pictures too: not known, they would cost the next sync two lists.
        let moved = changes.len() > edits || requests > 0 && seen != Pictures::default();
        let (mut after, mut refused) = (None, None);
        if plan.needs_readback() || moved || requests > 1 {
            let mut item = self.read(found).await?;
            if let Some(repair) = plan.verify(&convert::item(&item)) {
                for part in repair.apart() {
                    self.send(&part, found).await?;
                }
                item = self.read(found).await?;
                refused = plan.verify(&convert::item(&item)).map(|left| {
                    let left = self::changes(&left).join(", ");
                    format!("Plex does not show all that was sent ({left}); the next save or reconciliation tries again")
                });
            }
            after = Some(item);
        }
        let mut written = match &after {
            Some(item) => plan.written_after(&convert::item(item)),
            None => plan.written.clone(),
        };
        if let Some(written) = &mut written {
            picture::remember(written, after.as_ref().unwrap_or(&found.item), given, seen);
        }
        Ok(Done {
            written,
            changes,
            refused,
        })
    }

    async fn read(&self, found: &Found) -> Result<plex::Item, plex::Error> {
        let _overlapping = self.lanes.read().await;
        self.plex.item(&found.item.key).await
    }

    /// Sends what is not a picture; how many requests the edit of the item took.
    async fn send(&self, plan: &EditPlan, found: &Found) -> Result<usize, Failed> {
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
        let mut requests = 0;
        if !edit.is_empty() {
            let _alone = self.lanes.write().await;
            requests = self.plex.edit(&edit).await?;
        }
        if let Some(change) = &plan.rating {
            let rating = change
                .to
                .and_then(|rating| UserRating::new(rating.to_plex()));
            let _alone = self.lanes.write().await;
            self.plex.rate(key, rating).await?;
        }
        Ok(requests)
    }
}

/// What the plan changes but for pictures, of which it only says that somebody should look.
fn changes(plan: &EditPlan) -> Vec<String> {
    let fields = plan.fields.iter().map(|edit| edit.field.to_string());
    let tags = plan.tags.iter().map(|edit| edit.kind.to_string());
    let rating = plan.rating.iter().map(|_| "rating".to_owned());
    fields.chain(tags).chain(rating).collect()
}
