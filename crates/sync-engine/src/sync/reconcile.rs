//! One page of a reconciliation: scenes of Stash beside the ledger, and beside Plex where that is
//! asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use plex::RatingKey;
use queue::rusqlite::{self, Connection};
use scene_sync::SceneFile;
use scene_sync::drift::{self, Drift};
use stash::client::{Page, Scene, SceneFilter, SceneId};

use crate::core::reconcile::{Ended, Reach, Report, Run, Step, time, unix, unix_millis};
use crate::core::settings::Scope;
use crate::core::time::Time;
use crate::storage::ledger::{self, SceneRow, ServerId};
use crate::sync::convert;
use crate::sync::cover::{self, Fetched};
use crate::sync::find::is_at;
use crate::sync::images;
use crate::sync::libraries::Libraries;
use crate::sync::record::{Row, sync_hash};
use crate::sync::stopped::Stopped;
use crate::sync::syncer::Syncer;
use crate::sync::unread::is_gone;

/// Scenes of a page: about a megabyte.
const PAGE: u32 = 250;
/// What Plex had this long ago is near enough.
const FRESH: Duration = Duration::from_secs(600);

/// What a page brought.
#[derive(Default)]
pub struct Slice {
    /// Scenes that differ, each to be looked at whatever the ledger says.
    pub differ: BTreeSet<u64>,
    /// Those of them whose file Plex does not have.
    pub nowhere: BTreeSet<u64>,
    pub found: Found,
    /// Items of Plex that cannot be read, in words.
    pub news: Vec<String>,
}

/// What is on record and not so any more.
#[derive(Default)]
pub struct Found {
    /// Items that Plex has no longer.
    pub gone: Vec<String>,
    /// Scenes, what names their covers, and where those are now.
    pub covers: Vec<(u64, String, String)>,
}

/// With what a page is compared.
struct Around<'a> {
    libraries: &'a Libraries,
    /// The details of the items on record, where they were asked for.
    shown: Option<BTreeMap<String, plex::Item>>,
    has_consent: bool,
    now: &'a dyn Fn() -> SystemTime,
}

/// What is on record of a scene.
struct OnRecord {
    row: Option<SceneRow>,
    items: Vec<Row>,
    waits: Vec<String>,
    /// An item that holds a file of it bears what was written, for whichever scene.
    inherits: bool,
}

/// The scenes changed within this time before now, or all.
pub(crate) fn changed_within(scope: Scope, now: SystemTime) -> SceneFilter {
    match scope.reach() {
        None => SceneFilter::All,
        Some(reach) => SceneFilter::UpdatedSince(unix(now - reach)),
    }
}

impl OnRecord {
    /// Something was written to Plex for the scene, or for one whose item it has now.
    fn was_written(&self) -> bool {
        self.inherits
            || !self.items.is_empty()
            || self.row.as_ref().is_some_and(|row| row.synced_at > 0)
    }
}

impl Syncer {
    /// Looks at the next page of a run, and says what follows it.
    pub async fn reconcile(
        &self,
        mut run: Run,
        (db, server): (&Connection, ServerId),
        clock: &impl Time,
    ) -> Result<(Slice, Step), Stopped> {
        let began = *run.began.get_or_insert(unix(clock.wall()));
        let filter = changed_within(run.reach.scope(), time(began));
        let libraries = self.libraries().await?;
        if self.settings.reconcile_missing {
            // A run begins with what Plex has now.
            let age = match run.last {
                0 => Duration::ZERO,
                _ => FRESH,
            };
            let (plex, chosen, indexes) = (&self.plex, &libraries.chosen, &self.indexes);
            let _overlapping = self.limits.read().await;
            indexes.renew(plex, chosen, age, clock.now()).await?;
        }
        let after = (run.last > 0).then_some(SceneId(run.last));
        let page = self.stash.scenes_after(filter, after, PAGE).await?;
        let compared = self.compare_page((&page, &libraries), &mut run, (db, server), clock);
        let mut slice = compared.await?;
        let end = page.next.map(|scene| scene.0);
        let is_of_all = run.reach.scope() == Scope::All;
        if is_of_all {
            let mut gone = ledger::scenes_between(db, server, run.last, end)?;
            let there: BTreeSet<_> = page.rows.iter().map(|scene| scene.id.0).collect();
            gone.retain(|scene| !there.contains(scene) && slice.differ.insert(*scene));
            run.report.gaps.deleted_in_stash += gone.len() as u64;
        }
        if end.is_none() && self.settings.reconcile_missing && is_of_all {
            slice.found.gone = self.gone((db, server)).await?;
        }
        run.report.unread |= self.indexes.unread.any().is_some();
        slice.news = self.indexes.unread.news();
        let step = match end {
            Some(last) => Step::Next(Run { last, ..run }),
            None => Step::Ended(Ended {
                reach: run.reach,
                began,
                ended: unix(clock.wall()),
                report: run.report,
                job: 0,
            }),
        };
        Ok((slice, step))
    }

    async fn compare_page(
        &self,
        (page, libraries): (&Page<Scene>, &Libraries),
        run: &mut Run,
        (db, server): (&Connection, ServerId),
        clock: &impl Time,
    ) -> Result<Slice, Stopped> {
        let on_record = |scene| self.on_record((db, server), scene);
        let known = page.rows.iter().map(on_record);
        let known = known.collect::<Result<Vec<_>, _>>()?;
        let around = Around {
            libraries,
            shown: match run.reach {
                Reach::Metadata => Some(self.details_of(&known).await?),
                _ => None,
            },
            // A run that nobody asked for leaves alone what nobody asked for.
            has_consent: !run.by_itself || ledger::has_consent(db, server)?,
            now: &|| clock.wall(),
        };
        let mut slice = Slice::default();
        // What Stash says of a scene and nobody can read is told by the scene's own job.
        for (scene, _) in &page.failed {
            let last = ledger::last_look(db, server, scene.0)?;
            if around.has_consent || last.is_some_and(|last| last.written) {
                slice.differ.insert(scene.0);
            }
        }
        for (scene, known) in page.rows.iter().zip(&known) {
            let to = (&mut slice, &mut run.report);
            self.compare_one(scene, known, &around, to).await;
        }
        run.report.checked += page.rows.len() as u64;
        Ok(slice)
    }

    fn on_record(
        &self,
        (db, server): (&Connection, ServerId),
        scene: &Scene,
    ) -> rusqlite::Result<OnRecord> {
        let (id, mut inherits) = (scene.id.0, false);
        for file in self.mapped(&convert::scene(scene).files) {
            inherits |= ledger::is_bound(db, server, &file.path)?;
        }
        Ok(OnRecord {
            row: ledger::scene(db, server, id)?,
            items: ledger::items_of(db, server, id)?,
            waits: ledger::waited_for(db, server, id)?,
            inherits,
        })
    }

    /// The details of the items on record that Plex has.
    async fn details_of(
        &self,
        known: &[OnRecord],
    ) -> Result<BTreeMap<String, plex::Item>, Stopped> {
        let rows = known.iter().flat_map(|known| &known.items);
        let found = self.details(rows.map(|row| &row.item)).await?;
        let keyed = |item: plex::Item| (item.key.as_str().to_owned(), item);
        Ok(found.items.into_iter().map(keyed).collect())
    }

    /// Items on record that have no owner, and that Plex has no longer.
    async fn gone(&self, (db, server): (&Connection, ServerId)) -> Result<Vec<String>, Stopped> {
        let there = self.indexes.items().await;
        let mut gone = ledger::ownerless(db, server)?;
        gone.retain(|item| !there.contains(item));
        // The listing may be older than the item.
        let found = self.details(&gone).await?;
        gone.retain(|item| is_gone(&found, item));
        Ok(gone)
    }

    /// Whether a scene is to be looked at.
    async fn compare_one(
        &self,
        scene: &Scene,
        known: &OnRecord,
        around: &Around<'_>,
        (slice, report): (&mut Slice, &mut Report),
    ) {
        let (id, mut pure) = (scene.id.0, convert::scene(scene));
        // Without a file nothing can be found in Plex.
        if known.items.is_empty() && pure.files.is_empty() {
            return;
        }
        if let Some(row) = &known.row
            && let Some(address) = self.name_cover(&mut pure, row).await
        {
            let place = cover::lasting_place(&address, (around.now)()).to_owned();
            slice.found.covers.push((id, row.cover.clone(), place));
        }
        let Some(drift) = self.drift(&pure, known, around).await else {
            return;
        };
        if !around.has_consent && !known.was_written() {
            report.left_alone += 1;
            return;
        }
        report.gaps.add(&drift);
        let not_there = drift == Drift::NotInPlex;
        if !not_there || !self.settings.skip_not_found {
            slice.differ.insert(id);
            slice.nowhere.extend(not_there.then_some(id));
        }
    }

    /// Names the scene's cover as its own job did: by the picture. Where the address is another
    /// than at the last look, Stash tells whether the picture is; then the new address is returned.
    async fn name_cover(&self, scene: &mut scene_sync::Scene, row: &SceneRow) -> Option<String> {
        let is_wanted = self.policy.poster || self.policy.background;
        let address = scene.cover.clone().filter(|_| is_wanted)?;
        let known = Some(row.cover.as_str()).filter(|name| !name.is_empty());
        let (name, moved) = match row.cover_address == cover::place(&address) {
            true => (row.cover.clone(), None),
            false => match self.covers.fetch(&self.stash, &address, known).await {
                Ok(Fetched::Same) => (row.cover.clone(), Some(address)),
                Ok(Fetched::Picture(cover)) => (cover.source, None),
                Ok(Fetched::Nothing(_)) => (String::new(), None),
                // Not equal: the scene's own job asks again.
                Ok(Fetched::Owed { .. }) | Err(_) => (address, None),
            },
        };
        scene.cover = Some(name).filter(|name| !name.is_empty());
        moved
    }

    /// How a scene and its items came apart.
    async fn drift(
        &self,
        scene: &scene_sync::Scene,
        known: &OnRecord,
        around: &Around<'_>,
    ) -> Option<Drift> {
        let (files, libraries) = (self.mapped(&scene.files), around.libraries);
        let holders = self.holders(&files, libraries).await;
        let is_nowhere = holders.as_ref().is_some_and(BTreeSet::is_empty);
        let absent = |is_nowhere| match is_nowhere {
            true => Drift::NotInPlex,
            false => Drift::NeverSynced,
        };
        let Some(synced) = known.row.as_ref().and_then(|row| row.hash) else {
            // A file that no library covers may be found by its likeness.
            let may_be_alike = || files.iter().any(|file| !libraries.covers(&file.path));
            // A scene without metadata is not synced, unless something was written to its items
            // before.
            let is_due = scene.has_metadata() || !known.items.is_empty() || known.inherits;
            return is_due.then(|| absent(is_nowhere && !may_be_alike()));
        };
        let items = known.items.iter().map(|row| row.item.as_str());
        let content = scene_sync::content_hash(scene, &self.policy);
        if synced != sync_hash(&content, &files, items) {
            return Some(Drift::ChangedInStash);
        }
        let is_known = |item: &String| {
            known.waits.contains(item) || known.items.iter().any(|row| row.item == *item)
        };
        if let Some(holders) = holders {
            if !holders.iter().all(is_known) {
                return Some(Drift::NeverSynced);
            }
            for row in &known.items {
                if !self.indexes.holds(&row.item, &row.path).await {
                    return Some(absent(is_nowhere));
                }
            }
        }
        let now = unix_millis((around.now)());
        let due = known.items.iter().flat_map(|row| row.written.due(now));
        let due: Vec<_> = due.map(|part| part.to_string()).collect();
        if !due.is_empty() {
            return Some(Drift::ChangedInPlex(due));
        }
        let mut changed = Vec::new();
        for row in &known.items {
            let Some(names) = self.changed(scene, row, around.shown.as_ref()?.get(&row.item))
            else {
                return Some(Drift::NeverSynced);
            };
            changed.extend(names);
        }
        (!changed.is_empty()).then_some(Drift::ChangedInPlex(changed))
    }

    /// What the item shows otherwise than it was written; none where it is not the one that it was.
    fn changed(
        &self,
        scene: &scene_sync::Scene,
        row: &Row,
        item: Option<&plex::Item>,
    ) -> Option<Vec<String>> {
        let item = item.filter(|item| is_at(item, &row.path))?;
        // With preserve_plex_edits, what a person changed in Plex is no gap.
        if self.policy.preserve_plex_edits {
            return Some(Vec::new());
        }
        let section = item.section.as_ref();
        let policy = section.map_or_else(|| self.policy.clone(), |one| self.policy_for(one));
        let lost = images::lost(item, &row.written, &policy);
        let item = convert::item(item);
        let mut changed = drift::find(scene, &item, Some(&row.written), &policy);
        changed.extend(lost);
        Some(changed)
    }

    /// The items that hold the files, as far as the indexes tell; none where nobody looked.
    async fn holders(
        &self,
        files: &[SceneFile],
        libraries: &Libraries,
    ) -> Option<BTreeSet<String>> {
        if !self.settings.reconcile_missing {
            return None;
        }
        let mut holders = BTreeSet::new();
        for file in files {
            for library in libraries.holding(&file.path) {
                holders.extend(self.indexes.holders(library, &file.path).await);
            }
        }
        Some(holders)
    }

    /// The items of these keys that Plex has.
    async fn details(
        &self,
        keys: impl IntoIterator<Item = &String>,
    ) -> Result<plex::FoundItems, Stopped> {
        let keys = keys.into_iter().filter_map(|key| key.parse().ok());
        let keys: Vec<RatingKey> = keys.collect();
        let _overlapping = self.limits.read().await;
        let found = self.plex.items(&keys).await?;
        self.indexes.unread.note(&found.skipped);
        Ok(found)
    }
}
