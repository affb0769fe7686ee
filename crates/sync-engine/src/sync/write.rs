//! Sending a plan to Plex: the edit, the rating, the images, and a look at what became of it where
//! that may differ.

use plex::{Edit, UserRating};
use scene_sync::{EditPlan, ImageSeen, LastWritten, Part, TagEdit, What};
use tokio::sync::MutexGuard;

use crate::core::outcome::{Failure, SceneFault, Whose};
use crate::core::words;
use crate::sync::capabilities::Learned;
use crate::sync::convert;
use crate::sync::cover::Cover;
use crate::sync::find::Target;
use crate::sync::images::{self, Pictures};
use crate::sync::writer::{Refused, Writer};

/// What became of a plan.
#[derive(Default)]
pub struct Arrived {
    /// What to remember; none for a scene that must not count as synced.
    pub written: Option<LastWritten>,
    /// The names of what Plex was told and keeps, as far as was looked.
    pub changes: Vec<String>,
    /// What Plex was told twice and does not show, by name.
    pub not_shown: Option<String>,
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
    /// Makes the item what the plan says. `seen` are the pictures it shows, as far as they are
    /// known, and `unread` the parts of which that cannot be told.
    pub async fn apply(
        &self,
        plan: &EditPlan,
        cover: Option<&Cover>,
        (mut seen, unread): (Pictures<ImageSeen>, Vec<Refused>),
    ) -> Result<Arrived, Failure> {
        let capabilities = &self.syncer.capabilities;
        let limit = capabilities.list_limit();
        let sent = self.send(plan).await;
        let (requests, learned) = sent.map_err(Failure::of_personal_request)?;
        let unrated = self.rate(plan).await?;
        let plan = &match unrated {
            None => plan.clone(),
            Some(_) => plan.clone().without_rating(self.last),
        };
        let mut parts = unread;
        parts.extend(unrated);
        let mut given = match cover {
            Some(cover) => self.give(plan, cover, &mut seen, &mut parts).await?,
            None => Pictures::default(),
        };
        let mut arrived = Arrived {
            parts,
            learned,
            ..Arrived::default()
        };
        // An edit may change the addresses of the pictures too: not known, they would cost the next
        // sync two lists.
        let moved = !images::changed(&given).is_empty() || requests > 0 && !seen.is_empty();
        let unknown = !capabilities.knows(&self.target.library.section, &plan.sent());
        let is_limited = || capabilities.list_limit() != limit;
        let (mut after, mut unshown) = (None, Vec::new());
        // What the last edit became was not seen whole: this one is not taken on trust either.
        let doubted = self.last.is_some_and(|last| last.content.is_empty());
        let looks = plan.needs_readback() || moved || requests > 1 || unknown || doubted;
        if looks || is_limited() {
            let read = self.read_back(plan, requests > 1, &mut arrived).await?;
            (after, unshown) = (Some(read.0), read.1);
        }
        if arrived.learned.iter().any(Learned::limits_lists) {
            arrived.given_up.push(words::LISTS_CUT.to_owned());
        }
        if let Some(item) = &after {
            arrived.parts.extend(images::unshown(&mut given, item));
        }
        let given_names = images::changed(&given);
        let mut written = match &after {
            Some(item) => plan.written_after(&convert::item(item)),
            None => plan.written.clone(),
        };
        if let Some(written) = &mut written {
            images::remember(written, after.as_ref().unwrap_or(self.item), given, seen);
            for one in &arrived.parts {
                written.refuse(one.part, one.version.clone(), one.passes.then_some(self.at));
            }
        }
        let kept = |name: &String| !unshown.iter().any(|what| what.to_string() == *name);
        let changes = plan.names().into_iter().filter(kept);
        Ok(Arrived {
            written,
            changes: changes.chain(given_names).collect(),
            limited: is_limited(),
            ..arrived
        })
    }

    /// Looks at what became of an edit, and repairs it once; the item, and what it does not
    /// show.
    async fn read_back(
        &self,
        plan: &EditPlan,
        in_parts: bool,
        arrived: &mut Arrived,
    ) -> Result<(plex::Item, Vec<What>), Failure> {
        let (mut item, mut unshown, mut owed) = (self.read().await?, Vec::new(), Vec::new());
        if let Some(repair) = plan.verify(&convert::item(&item)) {
            arrived.learned.extend(self.repair(repair, in_parts).await?);
            item = self.read().await?;
            let shown = convert::item(&item);
            unshown = plan.unshown(&shown);
            let left = plan.verify(&shown);
            owed = left.map_or_else(Vec::new, |left| left.sent());
        }
        let (capabilities, target) = (&self.syncer.capabilities, self.target);
        let (section, key, sent) = (&target.library.section, target.key(), plan.sent());
        let (more, gone) = match plan.is_seen_in(&convert::item(&item)) {
            true => capabilities.learn(section, key, &sent, &unshown),
            false => Default::default(),
        };
        arrived.learned.extend(more);
        if !gone.is_empty() {
            let gone = words::not_kept(&target.library.title, &words(&gone));
            arrived.given_up.push(gone);
        }
        // Given up with this very item, nothing more is owed of it.
        owed.retain(|what| !gone.contains(what));
        arrived.not_shown = (!owed.is_empty()).then(|| words(&owed));
        unshown.append(&mut owed);
        Ok((item, unshown))
    }

    async fn read(&self) -> Result<plex::Item, plex::Error> {
        let _overlapping = self.syncer.limits.read().await;
        self.syncer.plex.item(&self.target.item.key).await
    }

    /// Sends once more what Plex did not take, each list apart: Plex may honour only the first
    /// removal of an edit. A list that went out `in_parts` may have been replaced by its last part,
    /// and goes out whole.
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
        let rating = change.to.and_then(|to| UserRating::new(to.to_plex()));
        let sent = self.syncer.part(async || {
            let _alone = self.turn().await?;
            Ok(self.syncer.plex.rate(&self.target.item.key, rating).await)
        });
        Ok(sent.await?.err().map(|why| {
            let version = change.to.map_or_else(String::new, |to| to.to_string());
            Refused::new(Part::Rating, version, &why)
        }))
    }

    /// Sends a list to a Plex that replaces lists; whether it takes a line of any length is known
    /// then.
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
        let Target { library, item, .. } = self.target;
        Edit::new(library.section.clone(), library.kind, item.key.clone())
    }

    /// The turn to write, for one request, unless another scene has taken the item meanwhile.
    pub(super) async fn turn(&self) -> Result<MutexGuard<'_, ()>, Failure> {
        let turn = self.syncer.limits.write().await;
        self.next.take();
        match (self.may_send)() {
            true => Ok(turn),
            false => {
                let key = self.target.key();
                let why = format!("Plex item {key} belongs to another scene now");
                Err(Failure::new(Whose::Scene(SceneFault::NotInPlex), why))
            }
        }
    }

    /// Sends what is not a picture; how many requests the edit of the item took, and what it
    /// taught.
    async fn send(&self, plan: &EditPlan) -> Result<(usize, Vec<Learned>), Failure> {
        let plex = &self.syncer.plex;
        let mut edit = self.edit();
        for change in &plan.fields {
            let value = plex::fit(&change.to, plex::MAX_VALUE);
            edit = edit.set(convert::field(change.field), value);
        }
        let capabilities = &self.syncer.capabilities;
        let whole = capabilities.replaces_lists() && capabilities.list_limit().is_none();
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
