//! One scene's job: find its items, and for each of them look, plan, record the intent, send, and
//! record what arrived.

mod bind;
mod compare;
mod item;

use std::collections::BTreeSet;

use scene_sync::{EditPlan, LastWritten, Scene, SceneFile};

use crate::core::outcome::{Done, Failure, Outcome, SceneFault, Whose};
use crate::core::reconcile::unix_millis;
use crate::core::time::Time;
use crate::core::words;
use crate::storage::db::Db;
use crate::storage::ledger::{self, SceneRow, ServerId};
use crate::sync::convert;
use crate::sync::cover::{self, Cover, Fetched};
use crate::sync::hand::Hand;
use crate::sync::record::{Becomes, Record, sync_hash};
use crate::sync::stopped::Stopped;
use crate::sync::syncer::Syncer;

/// A scene and its items are equal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Synced {
    /// The scene's title, for a person.
    pub title: String,
    /// What was written, an entry for each item: its key and the names of the fields.
    pub changes: Vec<(String, Vec<String>)>,
    /// What was left out, shortened or kept, in words.
    pub notes: Vec<String>,
    /// What is still to be written, in words: the scene then counts as unequal, so that the next
    /// look tries again.
    pub owed: Option<String>,
}

/// How a scene's job ended, and what to record of it, whatever becomes of the job.
pub struct Ended {
    /// How.
    pub outcome: Outcome<Synced>,
    /// What changes on record.
    pub record: Record,
    /// What a person should hear of once, because something is wrong.
    pub news: Vec<String>,
    /// The same of what is merely left out.
    pub told: Vec<String>,
}

/// A job under way.
struct SceneJob<'a, 'q, T> {
    syncer: &'a Syncer,
    db: &'a Db<'q>,
    server: ServerId,
    id: u64,
    scene: Scene,
    /// Its files as Plex should see them.
    files: Vec<SceneFile>,
    time: &'a T,
    force: bool,
    /// Where the cover is, and the picture once it was fetched.
    address: Option<String>,
    cover: Option<Cover>,
    /// What Plex does not get, in words.
    left_out: BTreeSet<String>,
    /// What of that a warning tells already.
    warned: BTreeSet<String>,
    record: Record,
    synced: Synced,
    news: Vec<String>,
    told: Vec<String>,
    hand: Hand<'a>,
    /// What would be sent, where nothing is.
    planned: Vec<(String, EditPlan)>,
    /// Its cover is not known, and was not fetched.
    cover_unknown: bool,
}

impl Syncer {
    /// Makes every item that holds a file of the scene equal to it. `force` looks at Plex even when
    /// nothing changed.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn sync<'a, T: Time>(
        &'a self,
        (db, server): (&'a Db<'_>, ServerId),
        scene: &stash::client::Scene,
        force: bool,
        time: &'a T,
    ) -> queue::Result<Ended> {
        let mut job = SceneJob::new(self, (db, server), scene, force, time, Hand::Writes);
        let outcome = Stopped::apart(job.run().await)?;
        Ok(Ended {
            outcome,
            record: job.record,
            news: job.news,
            told: job.told,
        })
    }

    /// Files as Plex should see them.
    pub(super) fn mapped(&self, files: &[SceneFile]) -> Vec<SceneFile> {
        let mapped = |file: &SceneFile| SceneFile {
            path: self.map.map(&file.path),
            ..file.clone()
        };
        files.iter().map(mapped).collect()
    }
}

impl<'a, 'q, T: Time> SceneJob<'a, 'q, T> {
    fn new(
        syncer: &'a Syncer,
        (db, server): (&'a Db<'q>, ServerId),
        scene: &stash::client::Scene,
        force: bool,
        time: &'a T,
        hand: Hand<'a>,
    ) -> Self {
        let pure = convert::scene(scene);
        Self {
            syncer,
            db,
            server,
            id: scene.id.0,
            files: syncer.mapped(&pure.files),
            scene: pure,
            time,
            force,
            address: None,
            cover: None,
            left_out: BTreeSet::new(),
            warned: BTreeSet::new(),
            record: Record::new(server, scene.id.0, convert::related(scene)),
            synced: Synced::default(),
            news: Vec::new(),
            told: Vec::new(),
            hand,
            planned: Vec::new(),
            cover_unknown: false,
        }
    }

    async fn run(&mut self) -> Result<Done<Synced>, Stopped> {
        let (db, server, id) = (self.db, self.server, self.id);
        let rows = db.read(|db| ledger::items_of::<LastWritten>(db, server, id))?;
        let before = db.read(|db| ledger::scene(db, server, id))?;
        // Without metadata there is nothing to write, unless an item of it bears what was written
        // for an earlier scene.
        let bare = rows.is_empty() && !self.scene.has_metadata();
        if bare && !self.is_on_record()? {
            return Ok(Done::Skipped("no metadata yet".to_owned()));
        }
        let row = self.name_cover(before.clone().unwrap_or_default()).await?;
        let content = scene_sync::content_hash(&self.scene, &self.syncer.policy);
        let owned = rows.iter().map(|row| row.item.as_str());
        let hash = sync_hash(&content, &self.files, owned);
        let now = unix_millis(self.time.wall());
        let is_same = before.as_ref().and_then(|before| before.hash) == Some(hash);
        let is_due = || rows.iter().any(|row| row.written.due(now).next().is_some());
        if !self.force && is_same && !is_due() {
            let is_other = before.is_some_and(|before| before != row);
            self.record.becomes = Becomes::Unchanged(is_other.then_some(row));
            return Ok(Done::Skipped("unchanged since the last sync".to_owned()));
        }
        let targets = self.find(&rows).await?;
        let (mut owned, mut failed, several) = (Vec::new(), None, targets.len() > 1);
        for target in targets {
            let key = target.key().to_owned();
            let path = self.syncer.paths.show(&target.bound.path).into_owned();
            match self.one(target, &rows).await {
                Ok(true) => owned.push(key),
                Ok(false) => {}
                // One item that fails is no reason to leave the others as they are.
                Err(Stopped::Failed(mut why)) if several && why.is_of_one_item() => {
                    why.why = format!("the Plex item of {path} ({key}): {}", why.why);
                    failed.get_or_insert(why);
                }
                Err(why) => return Err(why),
            }
        }
        if let Some(why) = failed {
            self.note_left_out()?;
            return Err(why.into());
        }
        let owed = self.synced.owed.is_some();
        self.synced.title.clone_from(&self.scene.title);
        let hash = sync_hash(&content, &self.files, owned.iter().map(String::as_str));
        self.note_left_out()?;
        self.record.becomes = Becomes::Equal(SceneRow {
            hash: (!owed).then_some(hash),
            synced_at: unix_millis(self.time.wall()),
            ..row
        });
        Ok(match owned.is_empty() {
            true => Done::Skipped("its items in Plex belong to other scenes".to_owned()),
            false => Done::Synced(std::mem::take(&mut self.synced)),
        })
    }

    /// Records what Plex does not get of the scene, and tells what is new of it.
    fn note_left_out(&mut self) -> queue::Result<()> {
        let id = self.id;
        let before = self.db.read(|db| ledger::left_out_of(db, id))?;
        let left_out = std::mem::take(&mut self.left_out);
        let is_new = |why: &&String| !before.contains(why) && !self.warned.contains(*why);
        let new = left_out.iter().filter(is_new);
        self.told.extend(new.map(|what| words::left_out(what)));
        self.record.left_out = left_out.into_iter().collect();
        Ok(())
    }

    /// Names the scene's cover by its picture instead of its address, which each save moves. `row`
    /// says what was at which address before.
    async fn name_cover(&mut self, mut row: SceneRow) -> Result<SceneRow, Failure> {
        let syncer = self.syncer;
        let is_wanted = syncer.policy.poster || syncer.policy.background;
        let Some(address) = self.scene.cover.clone().filter(|_| is_wanted) else {
            return Ok(row);
        };
        let place = cover::place(&address);
        if row.cover_address != place && matches!(self.hand, Hand::Compares(_)) {
            // That would be a download for each scene.
            self.cover_unknown = true;
            self.scene.cover = None;
            return Ok(row);
        }
        if row.cover_address != place {
            let known = Some(row.cover.as_str()).filter(|known| !known.is_empty());
            let fetched = syncer.covers.fetch(&syncer.stash, &address, known).await?;
            row.cover = match fetched {
                Fetched::Same => row.cover,
                Fetched::Picture(cover) => self.cover.insert(cover).source.clone(),
                Fetched::Nothing(why) => {
                    self.left_out.extend(why);
                    String::new()
                }
                Fetched::Owed { attempt, why } => {
                    self.owe_cover(attempt, &why);
                    self.scene.cover = None;
                    return Ok(row);
                }
            };
            let now = self.time.wall();
            row.cover_address = cover::lasting_place(&address, now).to_owned();
        }
        self.scene.cover = Some(row.cover.clone()).filter(|name| !name.is_empty());
        self.address = Some(address);
        Ok(row)
    }

    /// The rest is written without the cover, which is fetched again in a while, a few times.
    fn owe_cover(&mut self, attempt: u32, why: &str) {
        let again = attempt < cover::TRIES;
        self.record.looks_again = again;
        self.owe(words::cover_not_given(why, again));
    }

    /// The rest is written without this, and the scene does not count as equal.
    fn owe(&mut self, what: String) {
        let owed = &mut self.synced.owed;
        owed.get_or_insert_with(|| words::synced_without(&what));
        self.warned.insert(what.clone());
        self.left_out.insert(what);
    }
}

fn not_in_plex(why: String) -> Failure {
    Failure::new(Whose::Scene(SceneFault::NotInPlex), why)
}
