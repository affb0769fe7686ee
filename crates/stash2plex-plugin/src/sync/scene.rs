//! One scene's job: find its items, and for each of them look, plan, record the intent, send, and record what arrived.

use std::collections::BTreeSet;

use scene_sync::matching::{self, Bound, Candidate, Evidence, Likeness, Reason};
use scene_sync::{ImageSeen, LastWritten, Policy, Scene, SceneFile, path};
use stash::client::SceneId;

use super::find::{Finder, Search, Target};
use super::libraries::Libraries;
use super::picture::{self, Cover, Fetched, Pictures};
use super::record::{Record, sync_hash};
use super::write::{Arrived, Refused, Writer};
use super::{Stopped, Syncer, convert};
use crate::db::Db;
use crate::ledger::{self, ItemRow, SceneRow, ServerId};
use crate::outcome::{Done, Failure, Outcome, SceneFault, Whose};
use crate::reconcile::unix_millis;
use crate::worker::time::Time;

/// A scene and its items are equal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Synced {
    /// What was written, an entry for each item: its key and the names of the fields.
    pub changes: Vec<(String, Vec<String>)>,
    /// What was left out, shortened or kept, in words.
    pub notes: Vec<String>,
    /// What is still to be written, in words: the scene then counts as unequal, so that the next look tries again.
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
    record: Record,
    synced: Synced,
    news: Vec<String>,
    told: Vec<String>,
}

impl Syncer {
    /// Makes every item that holds a file of the scene equal to it. `force` looks at Plex even when nothing changed.
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
        let pure = convert::scene(scene);
        let mut job = SceneJob {
            syncer: self,
            db,
            server,
            id: scene.id.0,
            files: self.mapped(&pure.files),
            scene: pure,
            time,
            force,
            address: None,
            cover: None,
            left_out: BTreeSet::new(),
            record: Record::new(server, scene.id.0, convert::related(scene)),
            synced: Synced::default(),
            news: Vec::new(),
            told: Vec::new(),
        };
        let outcome = match job.run().await {
            Ok(done) => Ok(done),
            Err(Stopped::Database(why)) => return Err(why),
            Err(Stopped::Failed(why)) => Err(why),
        };
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

impl<T: Time> SceneJob<'_, '_, T> {
    async fn run(&mut self) -> Result<Done<Synced>, Stopped> {
        let (db, server, id) = (self.db, self.server, self.id);
        let rows = db.read(|db| ledger::items_of::<LastWritten>(db, server, id))?;
        let before = db.read(|db| ledger::scene(db, server, id))?;
        // Without metadata there is nothing to write, unless an item of it bears what was written for an earlier scene.
        let bare = rows.is_empty() && !self.scene.has_metadata();
        if bare && !self.is_on_record()? {
            return Ok(Done::Skipped("no metadata yet".to_owned()));
        }
        let row = self.name_cover(before.clone().unwrap_or_default()).await?;
        let content = scene_sync::content_hash(&self.scene, &self.syncer.policy);
        let owned = rows.iter().map(|row| row.item.as_str());
        let hash = sync_hash(&content, &self.files, owned);
        if !self.force
            && before
                .as_ref()
                .is_some_and(|before| before.hash == Some(hash))
        {
            self.record
                .unchanged(before.filter(|before| *before != row).map(|_| row));
            return Ok(Done::Skipped("unchanged since the last sync".to_owned()));
        }
        let targets = self.find(&rows).await?;
        let mut owned = Vec::new();
        for target in targets {
            let key = target.key.as_str().to_owned();
            if self.one(target).await? {
                owned.push(key);
            }
        }
        let owed = self.synced.owed.is_some();
        let hash = sync_hash(&content, &self.files, owned.iter().map(String::as_str));
        self.note_left_out()?;
        self.record.equal(SceneRow {
            hash: (!owed).then_some(hash),
            synced_at: unix_millis(self.time.now()),
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
        let new = left_out.iter().filter(|why| !before.contains(why));
        self.told.extend(new.cloned());
        self.record.left_out = left_out.into_iter().collect();
        Ok(())
    }

    /// Names the scene's cover by its picture instead of its address, which each save moves. `row` says what was at
    /// which address before.
    async fn name_cover(&mut self, mut row: SceneRow) -> Result<SceneRow, Failure> {
        let syncer = self.syncer;
        let is_wanted = syncer.policy.poster || syncer.policy.background;
        let Some(address) = self.scene.cover.clone().filter(|_| is_wanted) else {
            return Ok(row);
        };
        if row.cover_address != address {
            let known = Some(row.cover.as_str()).filter(|known| !known.is_empty());
            let fetched = syncer.covers.fetch(&syncer.stash, &address, known).await?;
            row.cover = match fetched {
                Fetched::Same => row.cover,
                Fetched::Picture(cover) => self.cover.insert(cover).name().to_owned(),
                Fetched::Nothing(why) => {
                    self.left_out.insert(why);
                    String::new()
                }
                Fetched::Owed(why) => {
                    self.synced.owed = Some(why);
                    self.scene.cover = None;
                    return Ok(row);
                }
            };
            row.cover_address = address;
        }
        self.scene.cover = Some(row.cover.clone()).filter(|name| !name.is_empty());
        self.address = Some(row.cover_address.clone());
        Ok(row)
    }

    /// Whether an item was once written to that holds a file of the scene.
    fn is_on_record(&self) -> queue::Result<bool> {
        let (db, server) = (self.db, self.server);
        db.read(|db| {
            for file in &self.files {
                if ledger::is_bound(db, server, &file.path)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// The items that hold the scene's files. Those that no longer do are released.
    async fn find(&mut self, rows: &[ItemRow<LastWritten>]) -> Result<Vec<Target>, Stopped> {
        let syncer = self.syncer;
        let libraries = syncer.libraries().await?;
        let finder = Finder {
            plex: &syncer.plex,
            libraries: &libraries,
            indexes: &syncer.indexes,
            limits: &syncer.limits,
            now: self.time.now(),
        };
        let Search {
            mut targets,
            missing,
            gone,
            mut others,
        } = finder.by_path(&self.files, rows).await?;
        let (mut absent, mut doubt) = (Vec::new(), None);
        for nth in missing {
            if libraries.covers(&self.files[nth].path) {
                absent.push(nth);
                continue;
            }
            match self.alike(&finder, nth, &mut others).await? {
                Ok(target) => targets.push(target),
                Err(Likeness::None { .. }) => absent.push(nth),
                Err(several) => doubt = Some(syncer.shown(several)),
            }
        }
        let bound = |item: &str| targets.iter().any(|target| target.key.as_str() == item);
        let lost = rows
            .iter()
            .map(|row| &row.item)
            .filter(|item| !bound(item) && !gone.contains(item));
        self.record.released.extend(lost.cloned());
        self.record.gone = gone;
        self.record.hint = self.hint(&targets, &others);
        if targets.is_empty() {
            if !syncer.owner_known.get() {
                syncer.owner_check().await?;
            }
            let nth = absent.first().copied().unwrap_or_default();
            return Err(match doubt {
                Some(doubt) => Failure::new(Whose::Scene(SceneFault::Ambiguous), doubt),
                None => not_in_plex(self.absent(nth, &libraries, &others)),
            }
            .into());
        }
        for nth in absent {
            let shown = syncer.paths.show(&self.files[nth].path);
            self.synced
                .notes
                .push(format!("its other file is not in Plex yet: {shown}"));
        }
        Ok(targets)
    }

    /// The item that is most like the file, where no path can tell.
    async fn alike(
        &mut self,
        finder: &Finder<'_>,
        nth: usize,
        others: &mut Vec<Candidate>,
    ) -> Result<Result<Target, Likeness>, Stopped> {
        let file = self.files[nth].clone();
        let found = finder.by_name(&file).await?;
        let mut taken = BTreeSet::new();
        for (_, item) in &found {
            let by_likeness = Evidence::Likeness(Reason::NameOnly);
            let contested = self.contested(item.key.as_str(), &[], by_likeness);
            if contested.await?.is_some() {
                taken.insert(item.key.as_str().to_owned());
            }
        }
        let items: Vec<_> = found
            .iter()
            .flat_map(|(_, item)| convert::candidates(std::slice::from_ref(item)))
            .collect();
        let (item, path, reason) = match matching::by_likeness(&file, &items, |item| {
            taken.contains(item)
        }) {
            Likeness::One { item, path, reason } => (item, path, reason),
            Likeness::Several { candidates, reason }
                if !self.syncer.strict && !candidates.is_empty() =>
            {
                let best = &candidates[0];
                self.news.push(format!(
                    "Plex item {} is a guess: {reason}. Fill in the path map, or turn strict_matching on",
                    best.item
                ));
                (best.item.clone(), best.path.clone(), reason)
            }
            other => {
                others.extend(items);
                return Ok(Err(other));
            }
        };
        let found = found.into_iter().find(|(_, one)| one.key.as_str() == item);
        let Some((library, one)) = found else {
            return Ok(Err(Likeness::None { reason }));
        };
        let bound = Bound {
            item,
            path,
            file: nth,
            evidence: Evidence::Likeness(reason),
        };
        Ok(Ok(Target::new(&library, one, bound, false)))
    }

    /// The path map rule that the items found, or files of the same name and size, speak for.
    fn hint(&self, targets: &[Target], others: &[Candidate]) -> Option<String> {
        let by_likeness = |bound: &Bound| matches!(bound.evidence, Evidence::Likeness(_));
        let found = targets.iter().map(|target| &target.bound);
        let mut liked = found
            .filter(|bound| by_likeness(bound))
            .map(|bound| (bound.file, bound.path.as_str()));
        let same = |nth: usize| {
            let file = &self.files[nth];
            let alike = matching::by_likeness(file, others, |_| false);
            let Likeness::One {
                path,
                reason: Reason::SameNameAndSize,
                ..
            } = alike
            else {
                return None;
            };
            let other = others.iter().find(|other| other.path == path)?;
            Some((nth, other.path.as_str()))
        };
        let (nth, theirs) = match (liked.next(), targets.is_empty()) {
            (Some(liked), _) => liked,
            (None, true) => (0..self.files.len()).find_map(same)?,
            (None, false) => return None,
        };
        let (from, to) = path::suggested_rule(&self.scene.files.get(nth)?.path, theirs)?;
        Some(format!("{from}=>{to}"))
    }

    fn absent(&self, nth: usize, libraries: &Libraries, others: &[Candidate]) -> String {
        let file = &self.files[nth];
        let shown = self.syncer.paths.show(&file.path);
        let mut why = format!(
            "not in Plex yet: {shown} (path as Plex should see it; let Plex scan, or check the path map)"
        );
        let holds = libraries.holding(&file.path).next().is_some();
        if let Some(title) = libraries.other_holding(&file.path).filter(|_| !holds) {
            why = format!(
                "{why}; the library \"{title}\" holds this folder, and plex_library does not name it"
            );
        }
        if let Some(missing) = &libraries.missing {
            why = format!("{why}; {missing}");
        }
        match (&self.record.hint, others.first()) {
            (Some(rule), _) if !self.syncer.paths.hidden => {
                why = format!(
                    "{why}; a file of the same name and size speaks for the path map {rule}"
                );
            }
            (_, Some(other)) => {
                let other = self.syncer.paths.show(&other.path);
                why = format!("{why}; of this name Plex has another file, {other}");
            }
            _ => {}
        }
        why
    }

    /// Another living scene that owns the item and is not beaten by this evidence: one that holds a file of it too, or
    /// whichever, by likeness. An owner that is gone from Stash, or is beaten, loses the item here.
    async fn contested(
        &mut self,
        item: &str,
        paths: &[String],
        evidence: Evidence,
    ) -> Result<Option<u64>, Stopped> {
        let (db, server, id) = (self.db, self.server, self.id);
        let owner = db.read(|db| ledger::owner(db, server, item))?;
        let Some(other) = owner.filter(|owner| *owner != id) else {
            return Ok(None);
        };
        let found = self.syncer.fetch(&[SceneId(other)]).await?;
        if let Some((_, why)) = found.failed.into_iter().next() {
            return Err(why.into());
        }
        let freed = match found.scenes.first() {
            Some(scene) => {
                let theirs = self.syncer.mapped(&convert::scene(scene).files);
                let holds = |key: fn(&str) -> String| {
                    let keys: BTreeSet<_> = paths.iter().map(|path| key(path)).collect();
                    theirs.iter().any(|file| keys.contains(&key(&file.path)))
                };
                let keeps = match evidence {
                    Evidence::Path => holds(path::key),
                    Evidence::PathButCase => holds(path::loose_key),
                    Evidence::Likeness(_) => true,
                };
                if keeps {
                    return Ok(Some(other));
                }
                let mut freed =
                    db.write(|tx| Ok(ledger::release(tx.sql(), server, item, other)?))?;
                // It has other items, or none: its own job will tell.
                freed.push(other);
                freed
            }
            None => db.write(|tx| Ok(ledger::forget_scene(tx.sql(), other)?))?,
        };
        self.record
            .queue
            .extend(freed.into_iter().filter(|scene| *scene != id));
        Ok(None)
    }

    /// Makes one item equal; whether it is the scene's.
    async fn one(&mut self, mut target: Target) -> Result<bool, Stopped> {
        let syncer = self.syncer;
        let key = target.key.as_str().to_owned();
        loop {
            let policy = Policy {
                retry_refused: self.force,
                ..syncer.policy_for(&target.section)
            };
            let late_look = policy.preserve_plex_edits || syncer.capabilities.replaces_lists();
            let evidence = target.bound.evidence;
            if let Some(other) = self.contested(&key, &target.paths, evidence).await? {
                self.wait_for(key, other)?;
                return Ok(false);
            }
            let (db, server) = (self.db, self.server);
            let row = db.read(|db| ledger::item::<LastWritten>(db, server, &key))?;
            let last = row.as_ref().map(|row| &row.written);
            let mine = row.as_ref().is_some_and(|row| row.owner == Some(self.id));
            // Where a person's edit counts, the look is the last request before the write.
            let mut next = None;
            let early = target.details.take().filter(|item| {
                let item = convert::item(item);
                !late_look || scene_sync::plan(&self.scene, &item, last, &policy).is_empty()
            });
            let item = match early {
                Some(item) => item,
                None => {
                    if late_look {
                        next = Some(syncer.limits.next().await);
                    }
                    let _overlapping = syncer.limits.read().await;
                    syncer.plex.item(&target.key).await?
                }
            };
            if !target.still_holds(&item) {
                let shown = syncer.paths.show(&target.bound.path);
                let why = format!("Plex item {key} has lost the file {shown} meanwhile");
                return Err(not_in_plex(why).into());
            }
            let draft = self.draft(&item, last, &policy).await?;
            let (id, path) = (self.id, target.bound.path.clone());
            let row = |written| ItemRow {
                item: key.clone(),
                owner: Some(id),
                path: path.clone(),
                written,
            };
            let at = unix_millis(self.time.now());
            let mut intent = draft.plan.intent(&draft.item, last, at);
            if let (Some(intended), Some(cover)) = (
                intent.as_mut().and_then(|intent| intent.intents.last_mut()),
                &self.cover,
            ) {
                cover.intend(&draft.plan, &mut intended.written);
            }
            let ours = match (&intent, &draft.plan.written) {
                (Some(intent), _) => self.take(&row(intent.clone()))?,
                (None, Some(_)) if !mine => self.take(&row(last.cloned().unwrap_or_default()))?,
                (None, _) => true,
            };
            // Another scene took it in between: whose it is must be asked again.
            if !ours {
                target.details = Some(item);
                continue;
            }
            let writer = Writer {
                syncer,
                target: &target,
                item: &item,
                last,
                next: next.into(),
            };
            let done = writer
                .apply(&draft.plan, self.cover.as_ref(), draft.seen)
                .await;
            match done {
                // A list was longer than this Plex takes: it is planned anew, as what fits.
                Ok(mut done) if done.limited => {
                    if let Some(written) = &done.written {
                        self.take(&row(written.clone()))?;
                    }
                    done.refused = None;
                    self.arrived(done, Vec::new(), row, &key);
                    continue;
                }
                Ok(done) => self.arrived(done, draft.notes, row, &key),
                Err(failed) => {
                    // Given up only now: it had to wait for its turn, and then for an answer.
                    if let Some(mut intent) = intent {
                        if let Some(sent) = intent.intents.last_mut() {
                            sent.at = unix_millis(self.time.now());
                        }
                        self.record.items.push(row(intent));
                    }
                    return Err(failed.into());
                }
            }
            return Ok(true);
        }
    }

    /// Records that the item is the scene's, with what is about to be sent; false when it is another one's.
    fn take(&self, row: &ItemRow<LastWritten>) -> queue::Result<bool> {
        let (server, id) = (self.server, self.id);
        self.db.write(|tx| {
            let owner = ledger::owner(tx.sql(), server, &row.item)?;
            if owner.is_some_and(|owner| owner != id) {
                return Ok(false);
            }
            ledger::put_item(tx.sql(), server, row)?;
            ledger::make_unequal(tx.sql(), server, id)?;
            Ok(true)
        })
    }

    fn arrived(
        &mut self,
        done: Arrived,
        notes: Vec<String>,
        row: impl Fn(LastWritten) -> ItemRow<LastWritten>,
        key: &str,
    ) {
        let Arrived {
            written,
            changes,
            refused,
            parts,
            learned,
            given_up,
            limited: _,
        } = done;
        for Refused { part, why, .. } in parts {
            self.news.push(format!(
                "Plex does not take the {part} ({why}); the rest is synced. It is tried again when it changes, or with Sync All Scenes"
            ));
            self.left_out
                .insert(scene_sync::Note::Refused(part).to_string());
        }
        if let Some(written) = written {
            self.record.items.push(row(written));
        }
        match self.synced.changes.iter_mut().find(|(item, _)| item == key) {
            Some((_, all)) => {
                all.extend(changes);
                let mut seen = BTreeSet::new();
                all.retain(|name| seen.insert(name.clone()));
            }
            None if changes.is_empty() => {}
            None => self.synced.changes.push((key.to_owned(), changes)),
        }
        for note in notes {
            if !self.synced.notes.contains(&note) {
                self.synced.notes.push(note);
            }
        }
        self.record.learned.extend(learned);
        self.news.extend(given_up);
        self.synced.owed = self.synced.owed.take().or(refused);
    }

    fn wait_for(&mut self, item: String, other: u64) -> queue::Result<()> {
        let (server, id) = (self.server, self.id);
        let waited = self.db.read(|db| ledger::waited_for(db, server, id))?;
        if !waited.contains(&item) {
            self.news.push(format!(
                "Plex item {item} holds a file of scene {other} too, which was first: it shows that scene. Split the item in \
                 Plex to have both"
            ));
        }
        self.record.waits.push(item);
        Ok(())
    }

    async fn draft(
        &mut self,
        found: &plex::Item,
        last: Option<&LastWritten>,
        policy: &Policy,
    ) -> Result<Draft, Stopped> {
        let syncer = self.syncer;
        let seen = {
            let _overlapping = syncer.limits.read().await;
            picture::look(&syncer.plex, found, last, policy).await?
        };
        let mut item = convert::item(found);
        let selected = |seen: &Option<ImageSeen>| seen.as_ref().map(|seen| seen.selected.clone());
        item.poster = selected(&seen.poster);
        item.background = selected(&seen.background);
        let mut plan = scene_sync::plan(&self.scene, &item, last, policy);
        let mut notes = Vec::new();
        for note in &plan.notes {
            match note.is_loss() {
                true => drop(self.left_out.insert(note.to_string())),
                false => notes.push(note.to_string()),
            }
        }
        if plan.poster || plan.background {
            self.fetch_cover().await?;
            let there = self.cover.is_some();
            (plan.poster, plan.background) = (plan.poster && there, plan.background && there);
        }
        let at = unix_millis(self.time.now());
        if let Some(written) = &mut plan.written {
            // What was cut off longer ago would be here if it still came.
            let recent = 0..syncer.late.as_millis().try_into().unwrap_or(i64::MAX);
            written
                .intents
                .retain(|intent| recent.contains(&at.saturating_sub(intent.at)));
        }
        Ok(Draft {
            item,
            plan,
            seen,
            notes,
        })
    }

    /// Brings the bytes of the cover, for the first item that needs them.
    async fn fetch_cover(&mut self) -> Result<(), Failure> {
        let syncer = self.syncer;
        let (None, Some(address)) = (&self.cover, &self.address) else {
            return Ok(());
        };
        match syncer.covers.fetch(&syncer.stash, address, None).await? {
            Fetched::Picture(cover) => self.cover = Some(cover),
            Fetched::Nothing(why) => drop(self.left_out.insert(why)),
            Fetched::Owed(why) => self.synced.owed = Some(why),
            Fetched::Same => {}
        }
        Ok(())
    }
}

fn not_in_plex(why: String) -> Failure {
    Failure::new(Whose::Scene(SceneFault::NotInPlex), why)
}

/// What is to be sent to an item.
struct Draft {
    item: scene_sync::Item,
    plan: scene_sync::EditPlan,
    seen: Pictures<Option<ImageSeen>>,
    notes: Vec<String>,
}
