//! Sending a plan to Plex: the edit, the rating, the images, and a look at what became of it where that may differ.

use plex::{Edit, UserRating};
use scene_sync::{EditPlan, ImageSeen, LastWritten, Part, TagEdit, What};
use tokio::sync::MutexGuard;

use crate::core::client_errors::is_of_part;
use crate::core::outcome::{Failure, SceneFault, Whose};
use crate::core::words;
use crate::sync::capabilities::Learned;
use crate::sync::convert;
use crate::sync::cover::Cover;
use crate::sync::find::Target;
use crate::sync::images::{self, Pictures};
use crate::sync::writer::{Refused, Writer};

/// What became of a plan.
pub struct Arrived {
    /// What to remember; none for a scene that must not count as synced.
    pub written: Option<LastWritten>,
    /// The names of what Plex was told and keeps, as far as was looked.
    pub changes: Vec<String>,
    /// What Plex was told twice and does not show, in words.
    pub refused: Option<String>,
    /// Parts that it does not take, which are no reason to try the rest again.
    pub parts: Vec<Refused>,
    /// What this taught about Plex.
    pub learned: Vec<Learned>,
    /// What is no longer sent for it, in words.
    pub given_up: Vec<String>,
    /// It taught how long a list may be: what was sent was too long, and must be planned again.
    pub limited: bool,
}

impl Writer<'_> {
    /// Makes the item what the plan says. `seen` are the pictures it shows, as far as they are known.
    pub async fn apply(
        &self,
        plan: &EditPlan,
        cover: Option<&Cover>,
        seen: Pictures<Option<ImageSeen>>,
    ) -> Result<Arrived, Failure> {
        let capabilities = &self.syncer.capabilities;
        let limit = capabilities.list_limit();
        let sent = self.send(plan).await;
        let (requests, mut learned) = sent.map_err(Failure::of_personal_request)?;
        let mut parts = Vec::from_iter(self.rate(plan).await?);
        let plan = &match parts.is_empty() {
            true => plan.clone(),
            false => plan.clone().without_rating(self.last),
        };
        let given = match cover {
            Some(cover) => self.give(self.item, plan, cover, &seen, &mut parts).await?,
            None => Pictures::default(),
        };
        let sent = plan.sent();
        let given_names = [(&given.poster, "poster"), (&given.background, "background")]
            .into_iter()
            .filter(|(given, _)| given.as_ref().is_some_and(|given| given.changed))
            .map(|(_, name)| name.to_owned());
        let given_names: Vec<_> = given_names.collect();

        // An edit may change the addresses of the pictures too: not known, they would cost the next sync two lists.
        let moved = !given_names.is_empty() || requests > 0 && seen != Pictures::default();
        let unknown = !capabilities.knows(&self.target.section, &sent);
        let is_limited = || capabilities.list_limit() != limit;
        let (mut after, mut unshown) = (None, Vec::new());
        let (mut given_up, mut owed) = (Vec::new(), Vec::new());
        if plan.needs_readback() || moved || requests > 1 || unknown || is_limited() {
            let mut item = self.read().await?;
            if let Some(repair) = plan.verify(&convert::item(&item)) {
                learned.extend(self.repair(repair, requests > 1).await?);
                item = self.read().await?;
                let shown = convert::item(&item);
                unshown = plan.unshown(&shown);
                owed = plan
                    .verify(&shown)
                    .map_or_else(Vec::new, |left| left.sent());
            }
            let key = self.target.key.as_str();
            let section = &self.target.section;
            let (more, gone) = capabilities.learn(section, key, &sent, &unshown);
            learned.extend(more);
            if !gone.is_empty() {
                given_up.push(words::not_kept(&self.target.library, &words(&gone)));
            }
            // Given up with this very item, nothing more is owed of it.
            owed.retain(|what| !gone.contains(what));
            after = Some(item);
        }
        if learned.iter().any(Learned::limits_lists) {
            given_up.push(words::LISTS_CUT.to_owned());
        }
        let refused = (!owed.is_empty()).then(|| words::not_shown(&words(&owed)));
        let mut written = match &after {
            Some(item) => plan.written_after(&convert::item(item)),
            None => plan.written.clone(),
        };
        if let Some(written) = &mut written {
            images::remember(written, after.as_ref().unwrap_or(self.item), given, seen);
            for one in &parts {
                written.refuse(one.part, one.version.clone(), one.passes.then_some(self.at));
            }
        }
        let kept = |name: &String| !unshown.iter().any(|what| what.to_string() == *name);
        let mut changes: Vec<_> = plan.names().into_iter().filter(kept).collect();
        changes.extend(given_names);
        Ok(Arrived {
            written,
            changes,
            refused,
            parts,
            learned,
            given_up,
            limited: is_limited(),
        })
    }

    async fn read(&self) -> Result<plex::Item, plex::Error> {
        let _overlapping = self.syncer.limits.read().await;
        self.syncer.plex.item(&self.target.key).await
    }

    /// Sends once more what Plex did not take, each list apart: Plex may honour only the first removal of an edit. A list
    /// that went out `in_parts` may have been replaced by its last part, and goes out whole.
    async fn repair(&self, repair: EditPlan, in_parts: bool) -> Result<Vec<Learned>, Failure> {
        let mut learned = Vec::new();
        for mut part in repair.apart() {
            let list = part.tags.pop_if(|list| in_parts && !list.add.is_empty());
            if let Some(list) = list {
                learned.extend(self.send_whole(&list).await?);
            }
            let (_, more) = self.send(&part).await?;
            learned.extend(more);
        }
        Ok(learned)
    }

    /// Gives the rating, or says that Plex does not take it.
    async fn rate(&self, plan: &EditPlan) -> Result<Option<Refused>, Failure> {
        let Some(change) = &plan.rating else {
            return Ok(None);
        };
        let rating = change
            .to
            .and_then(|rating| UserRating::new(rating.to_plex()));
        let _alone = self.turn().await?;
        match self.syncer.plex.rate(&self.target.key, rating).await {
            Ok(()) => Ok(None),
            Err(error) if is_of_part(&error) => {
                let version = change.to.map(|rating| rating.to_string());
                Ok(Some(Refused::new(
                    Part::Rating,
                    version.unwrap_or_default(),
                    &error,
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a list to a Plex that replaces lists; whether it takes a line of any length is known then.
    async fn send_whole(&self, list: &TagEdit) -> Result<Vec<Learned>, Failure> {
        let edit = with_tags(self.edit(), list);
        let _alone = self.turn().await?;
        let takes_long_lines = match self.syncer.plex.edit_whole(&edit).await {
            Ok(()) => true,
            Err(plex::Error::LineTooLong { .. } | plex::Error::TooLong(_)) => false,
            Err(error) => return Err(error.into()),
        };
        Ok(self.syncer.capabilities.replaces(takes_long_lines))
    }

    fn edit(&self) -> Edit {
        let Target {
            section, kind, key, ..
        } = self.target;
        Edit::new(section.clone(), *kind, key.clone())
    }

    /// The turn to write, for one request, unless another scene has taken the item meanwhile.
    pub(super) async fn turn(&self) -> Result<MutexGuard<'_, ()>, Failure> {
        let turn = self.syncer.limits.write().await;
        self.next.take();
        match (self.may_send)() {
            true => Ok(turn),
            false => Err(Failure::new(
                Whose::Scene(SceneFault::NotInPlex),
                format!("Plex item {} belongs to another scene now", self.target.key),
            )),
        }
    }

    /// Sends what is not a picture; how many requests the edit of the item took, and what it taught.
    async fn send(&self, plan: &EditPlan) -> Result<(usize, Vec<Learned>), Failure> {
        let plex = &self.syncer.plex;
        let mut edit = self.edit();
        for change in &plan.fields {
            let value = plex::fit(&change.to, plex::MAX_VALUE);
            edit = edit.set(convert::field(change.field), value);
        }
        let whole = self.syncer.capabilities.replaces_lists()
            && self.syncer.capabilities.list_limit().is_none();
        let (mut requests, mut learned) = (0, Vec::new());
        for list in &plan.tags {
            match whole {
                true => {
                    learned.extend(self.send_whole(list).await?);
                    requests += 1;
                }
                false => edit = with_tags(edit, list),
            }
        }
        if !edit.is_empty() {
            let _alone = self.turn().await?;
            requests += plex.edit(&edit).await?;
        }
        Ok((requests, learned))
    }
}

fn words(what: &[What]) -> String {
    let names: Vec<_> = what.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn with_tags(edit: Edit, list: &TagEdit) -> Edit {
    let kind = convert::tag_kind(list.kind);
    let tags = list.target.iter().map(|tag| plex::Tag {
        name: tag.name.clone(),
        role: tag.role.clone().unwrap_or_default(),
    });
    edit.tags(kind, tags)
        .remove_tags(kind, list.remove.iter().cloned())
}
