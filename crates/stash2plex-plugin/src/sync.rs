//! One scene's way to Plex: find the item, plan the smallest edit, send it.

mod convert;
mod failure;
mod find;
mod index;
mod listing;
mod reconcile;
mod write;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::SystemTime;

use scene_sync::{LastWritten, PathMap, Policy};
use tokio::sync::{Mutex, Semaphore};

use crate::job::Related;
use crate::ledger::Row;
use crate::obfuscate::Paths;
use crate::outcome::Outcome;
use crate::settings::Settings;

use failure::Failed;
use find::{Finder, NotFound, Place};
use index::Indexes;
use listing::Listing;
use write::Writer;

pub(crate) use reconcile::Stopped;

/// A scene and its item are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// What to remember.
    pub row: Row<LastWritten>,
    /// The names of what was written; empty when nothing had to be.
    pub changes: Vec<String>,
}

/// Both servers, and how to carry a scene from one to the other.
pub struct Syncer {
    stash: stash::client::Client,
    plex: plex::Client,
    policy: Policy,
    map: PathMap,
    strict: bool,
    libraries: Vec<String>,
    places: RefCell<Option<Rc<[Place]>>>,
    /// Plex has one database writer: edits go one at a time, while reads overlap.
    writing: Mutex<()>,
    /// Reads that may overlap.
    reading: Semaphore,
    indexes: Indexes,
    /// What Plex has, while a reconciliation runs that asks for it.
    listing: RefCell<Option<(SystemTime, Rc<Listing>)>>,
    /// Reconciliations look at what Plex has.
    missing: bool,
    /// What Plex does not have is not tried.
    skip_not_found: bool,
    paths: Paths,
}

impl Syncer {
    /// Built anew when the settings change.
    pub fn new(stash: stash::client::Client, plex: plex::Client, settings: &Settings) -> Self {
        Self {
            stash,
            plex,
            policy: convert::policy(settings),
            map: convert::path_map(settings),
            strict: settings.strict_matching,
            libraries: settings.libraries.clone(),
            places: RefCell::default(),
            writing: Mutex::default(),
            reading: Semaphore::new(settings.concurrency),
            indexes: Indexes::default(),
            listing: RefCell::default(),
            missing: settings.reconcile_missing,
            skip_not_found: settings.skip_not_found,
            paths: Paths {
                hidden: settings.obfuscate_paths,
            },
        }
    }

    /// Makes Plex's item equal to the scene. `row` is what the ledger holds of it; `force` looks at
    /// Plex even when Stash has not changed since.
    pub async fn scene(
        &self,
        scene: &stash::client::Scene,
        row: Option<Row<LastWritten>>,
        force: bool,
        now_ms: i64,
    ) -> Outcome<Synced> {
        let pure = convert::scene(scene);
        let hash = scene_sync::content_hash(&pure, &self.policy);
        if !force && row.as_ref().is_some_and(|row| row.content_hash == hash) {
            return Outcome::Skipped("unchanged since the last sync".to_owned());
        }
        match self.carry(&pure, row.as_ref()).await {
            Ok(Some((written, changes))) => {
                let row = Row {
                    rating_key: written.item.clone(),
                    content_hash: written.content.clone(),
                    synced_at: now_ms,
                    refs: convert::related(scene),
                    written,
                };
                Outcome::Synced(Synced { row, changes })
            }
            Ok(None) => Outcome::Skipped("no metadata yet".to_owned()),
            Err(why) => not_found(why),
        }
    }

    async fn carry(
        &self,
        scene: &scene_sync::Scene,
        row: Option<&Row<LastWritten>>,
    ) -> Result<Option<(LastWritten, Vec<String>)>, NotFound> {
        let last = row.map(|row| &row.written);
        // A scene without metadata has nothing to look for in Plex; the plan says so for any item.
        let nothing = scene_sync::plan(scene, &scene_sync::Item::default(), None, &self.policy);
        if last.is_none() && nothing.written.is_none() {
            return Ok(None);
        }
        let found = self.find(scene, row).await?;
        let plan = scene_sync::plan(scene, &convert::item(&found.item), last, &self.policy);
        let changes = changes(&plan);
        if plan.is_empty() {
            return Ok(plan.written.map(|written| (written, changes)));
        }
        let _one_at_a_time = self.writing.lock().await;
        let writer = Writer {
            plex: &self.plex,
            stash: &self.stash,
        };
        let written = writer
            .apply(plan, scene, &found, last)
            .await
            .map_err(NotFound::Failed)?;
        Ok(written.map(|written| (written, changes)))
    }

    async fn find(
        &self,
        scene: &scene_sync::Scene,
        row: Option<&Row<LastWritten>>,
    ) -> Result<find::Found, NotFound> {
        // Closed never, so this only waits.
        let _overlapping = self.reading.acquire().await;
        let places = self.places().await?;
        let finder = Finder {
            plex: &self.plex,
            places: &places,
            map: &self.map,
            strict: self.strict,
            indexes: &self.indexes,
            paths: self.paths,
        };
        let known = row.and_then(|row| row.rating_key.parse().ok());
        finder.find(scene, known.as_ref()).await
    }

    /// The sections to search, read once for each worker.
    async fn places(&self) -> Result<Rc<[Place]>, NotFound> {
        if let Some(places) = self.places.borrow().as_ref() {
            return Ok(places.clone());
        }
        let sections = self.plex.sections().await?;
        let wanted = |title: &str| {
            self.libraries.is_empty()
                || self
                    .libraries
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(title))
        };
        let missing: Vec<_> = self
            .libraries
            .iter()
            .filter(|name| !sections.iter().any(|s| s.title.eq_ignore_ascii_case(name)))
            .cloned()
            .collect();
        if !missing.is_empty() {
            let there: Vec<_> = sections
                .iter()
                .map(|section| section.title.as_str())
                .collect();
            return Err(NotFound::NotThere(format!(
                "Plex has no library named {}; it has {}",
                missing.join(", "),
                there.join(", ")
            )));
        }
        let places: Rc<[Place]> = sections
            .into_iter()
            .filter(|section| wanted(&section.title))
            .filter_map(|section| {
                Some(Place {
                    kind: section.video_kind()?,
                    section: section.id,
                })
            })
            .collect();
        *self.places.borrow_mut() = Some(places.clone());
        Ok(places)
    }

    /// The scenes with these ids, and which of the ids are gone.
    pub async fn fetch(
        &self,
        ids: &[stash::client::SceneId],
    ) -> Result<stash::client::FoundScenes, stash::client::Error> {
        self.stash.find_scenes(ids).await
    }

    /// The scenes that show a performer, studio, tag or group.
    pub async fn scenes_of(&self, of: Related, id: u64) -> Result<Vec<u64>, stash::client::Error> {
        use stash::client::SceneFilter;
        let filter = match of {
            Related::Performer => SceneFilter::Performer(id),
            Related::Studio => SceneFilter::Studio(id),
            Related::Tag => SceneFilter::Tag(id),
            Related::Group => SceneFilter::Group(id),
        };
        self.ids(filter).await
    }

    /// The scenes changed since a time in Unix seconds, or all.
    pub async fn scenes_since(&self, since: Option<i64>) -> Result<Vec<u64>, stash::client::Error> {
        use stash::client::SceneFilter;
        self.ids(since.map_or(SceneFilter::All, SceneFilter::UpdatedSince))
            .await
    }

    async fn ids(
        &self,
        filter: stash::client::SceneFilter,
    ) -> Result<Vec<u64>, stash::client::Error> {
        Ok(self
            .stash
            .stamps(filter)
            .await?
            .iter()
            .map(|stamp| stamp.id.0)
            .collect())
    }

    /// Asks Plex to scan a folder, given as Stash sees it, in the sections that hold it.
    pub async fn scan<L>(&self, folder: &str) -> Outcome<L> {
        let path = self.map.map(folder);
        let result: Result<(), NotFound> = async {
            let sections = self.plex.sections().await?;
            for section in sections {
                if section.locations.iter().any(|root| within(&path, root)) {
                    self.plex.scan(&section.id, &path).await?;
                }
            }
            Ok(())
        }
        .await;
        match result {
            Ok(()) => Outcome::Skipped(format!("Plex scans {}", self.paths.show(&path))),
            Err(NotFound::Failed(failed)) => failed.into(),
            Err(_) => Outcome::Skipped("no library".to_owned()),
        }
    }
}

fn changes(plan: &scene_sync::EditPlan) -> Vec<String> {
    let fields = plan.fields.iter().map(|edit| edit.field.to_string());
    let tags = plan.tags.iter().map(|edit| edit.kind.to_string());
    let others = [
        (plan.rating.is_some(), "rating"),
        (plan.poster, "poster"),
        (plan.background, "background"),
    ];
    let others = others
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| name.to_owned());
    fields.chain(tags).chain(others).collect()
}

/// Whether a folder is a section's root or below it.
fn within(path: &str, root: &str) -> bool {
    let root = root.trim_end_matches(['/', '\\']);
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
}

/// What it means for a job that there is no item to write to.
pub(crate) fn not_found<L>(why: NotFound) -> Outcome<L> {
    match why {
        NotFound::NoFile => Outcome::Invalid("the scene has no file".to_owned()),
        NotFound::NotThere(why) => Outcome::NotInPlex(why),
        NotFound::Ambiguous(why) => Outcome::Ambiguous(why),
        NotFound::Failed(failed) => failed.into(),
    }
}

/// A scene that Stash could not deliver.
pub fn stash_failed<L>(error: stash::client::Error) -> Outcome<L> {
    Failed::from(error).into()
}
