//! One scene's way to Plex: find the item, plan the smallest edit, send it.

use std::time::SystemTime;

use scene_sync::{EditPlan, ImageSeen, LastWritten};

use super::find::{Finder, Found, NotFound};
use super::picture::{self, Cover, Fetched, Pictures};
use super::write::{Done, Writer};
use super::{Syncer, convert, not_found};
use crate::job::Related;
use crate::ledger::Row;
use crate::outcome::Outcome;
use crate::reconcile::unix_millis;

/// A scene and its item are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// What to remember.
    pub row: Row<LastWritten>,
    /// The names of what was written; empty when nothing had to be.
    pub changes: Vec<String>,
    /// What was left out, shortened or kept, in words.
    pub notes: Vec<String>,
    /// What is still to be written, in words: the row then equals no scene, so that the next look tries again.
    pub owed: Option<String>,
}

/// What a look at a scene and its item leads to.
pub enum Looked {
    /// Nothing is to be sent.
    Ended(Box<Outcome<Synced>>),
    /// This.
    Send(Box<Draft>),
}

impl Looked {
    fn ended(outcome: Outcome<Synced>) -> Self {
        Self::Ended(Box::new(outcome))
    }
}

/// What is to be sent to Plex.
pub struct Draft {
    /// What to remember before it is sent: Plex may carry it out and nobody hear of it.
    pub intent: Row<LastWritten>,
    plan: EditPlan,
    found: Found,
    seen: Pictures<Option<ImageSeen>>,
    cover: Option<Cover>,
    aside: Aside,
}

/// What a sync leaves aside, in words.
#[derive(Default)]
struct Aside {
    notes: Vec<String>,
    owed: Option<String>,
}

impl Syncer {
    /// Plans what makes Plex's item equal to the scene. `row` is what the ledger holds of it; `force` looks at Plex even
    /// when Stash has not changed since.
    pub async fn look(
        &self,
        scene: &stash::client::Scene,
        row: Option<Row<LastWritten>>,
        force: bool,
        now: SystemTime,
    ) -> Looked {
        let pure = convert::scene(scene);
        let hash = scene_sync::content_hash(&pure, &self.policy);
        if !force && row.as_ref().is_some_and(|row| row.content_hash == hash) {
            let why = "unchanged since the last sync".to_owned();
            return Looked::ended(Outcome::Skipped(why));
        }
        let refs = convert::related(scene);
        match self.plan(&pure, row.as_ref(), refs, now).await {
            Ok(looked) => looked,
            Err(why) => Looked::ended(not_found(why)),
        }
    }

    /// Sends what was planned.
    pub async fn send(&self, draft: Draft, now: SystemTime) -> Outcome<Synced> {
        let refs = draft.intent.refs.clone();
        let writer = self.writer();
        let cover = draft.cover.as_ref();
        let sent = writer.apply(&draft.plan, &draft.found, cover, draft.seen);
        match sent.await {
            Ok(done) => finished(done, draft.aside, refs, now),
            Err(failed) => failed.into(),
        }
    }

    fn writer(&self) -> Writer<'_> {
        Writer {
            plex: &self.plex,
            lanes: &self.lanes,
        }
    }

    async fn plan(
        &self,
        scene: &scene_sync::Scene,
        row: Option<&Row<LastWritten>>,
        refs: Vec<(Related, u64)>,
        now: SystemTime,
    ) -> Result<Looked, NotFound> {
        let last = row.map(|row| &row.written);
        // A scene without metadata has nothing to look for in Plex; the plan says so for any item.
        let nothing = scene_sync::plan(scene, &scene_sync::Item::default(), None, &self.policy);
        if last.is_none() && nothing.written.is_none() {
            return Ok(Looked::ended(Outcome::Skipped(
                "no metadata yet".to_owned(),
            )));
        }
        let (found, seen) = self.find(scene, row, now).await?;
        let mut item = convert::item(&found.item);
        let selected = |seen: &Option<ImageSeen>| seen.as_ref().map(|seen| seen.selected.clone());
        item.poster = selected(&seen.poster);
        item.background = selected(&seen.background);
        let mut plan = scene_sync::plan(scene, &item, last, &self.policy);
        let mut aside = Aside {
            notes: plan.notes.iter().map(ToString::to_string).collect(),
            owed: None,
        };
        let mut cover = None;
        if plan.poster || plan.background {
            let source = scene.cover.as_deref().unwrap_or_default();
            match self.covers.fetch(&self.stash, source).await? {
                Fetched::Picture(picture) => cover = Some(picture),
                Fetched::Nothing(why) => aside.notes.push(why),
                Fetched::Owed(why) => aside.owed = Some(why),
            }
            let there = cover.is_some();
            (plan.poster, plan.background) = (plan.poster && there, plan.background && there);
        }
        let at = unix_millis(now);
        if let Some(written) = &mut plan.written {
            // What was cut off longer ago would be here if it still came.
            let recent = 0..self.late.as_millis().try_into().unwrap_or(i64::MAX);
            written
                .intents
                .retain(|intent| recent.contains(&at.saturating_sub(intent.at)));
        }
        let Some(mut intent) = plan.intent(&item, last, at) else {
            let done = self.writer().apply(&plan, &found, None, seen).await?;
            return Ok(Looked::ended(finished(done, aside, refs, now)));
        };
        if let (Some(intended), Some(cover)) = (intent.intents.last_mut(), &cover) {
            cover.intend(&plan, &mut intended.written);
        }
        let intent = Row {
            rating_key: intent.item.clone(),
            content_hash: intent.content.clone(),
            // Not yet.
            synced_at: row.map_or(0, |row| row.synced_at),
            refs,
            written: intent,
        };
        Ok(Looked::Send(Box::new(Draft {
            intent,
            plan,
            found,
            seen,
            cover,
            aside,
        })))
    }

    /// The item, and the pictures it shows.
    async fn find(
        &self,
        scene: &scene_sync::Scene,
        row: Option<&Row<LastWritten>>,
        now: SystemTime,
    ) -> Result<(Found, Pictures<Option<ImageSeen>>), NotFound> {
        let _overlapping = self.lanes.read().await;
        let places = self.places().await?;
        let finder = Finder {
            plex: &self.plex,
            places: &places,
            map: &self.map,
            strict: self.strict,
            indexes: &self.indexes,
            paths: self.paths,
            now,
        };
        let known = row.and_then(|row| row.rating_key.parse().ok());
        let found = finder.find(scene, known.as_ref()).await?;
        let last = row.map(|row| &row.written);
        let seen = picture::look(&self.plex, &found.item, last, &self.policy).await?;
        Ok((found, seen))
    }
}

/// What a scene ends as whose plan was sent, or needed no sending.
fn finished(
    done: Done,
    aside: Aside,
    refs: Vec<(Related, u64)>,
    now: SystemTime,
) -> Outcome<Synced> {
    let Done {
        written,
        changes,
        refused,
    } = done;
    let Aside { notes, owed } = aside;
    let owed = owed.or(refused);
    let Some(mut written) = written else {
        return Outcome::Skipped("no metadata yet".to_owned());
    };
    if owed.is_some() {
        written.content.clear();
    }
    let row = Row {
        rating_key: written.item.clone(),
        content_hash: written.content.clone(),
        synced_at: unix_millis(now),
        refs,
        written,
    };
    Outcome::Synced(Synced {
        row,
        changes,
        notes,
        owed,
    })
}
