//! One page of a reconciliation: scenes of Stash beside the ledger, and beside Plex where that is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plex::RatingKey;
use queue::rusqlite::Connection;
use scene_sync::drift::{self, Drift};
use scene_sync::{LastWritten, SceneFile, path};
use stash::client::{SceneFilter, SceneId};

use crate::core::reconcile::{Ended, Reach, Run, Step, time, unix, unix_millis};
use crate::core::settings::Scope;
use crate::core::time::Time;
use crate::storage::ledger::{self, ItemRow, SceneRow, ServerId};
use crate::sync::convert;
use crate::sync::cover::{self, Fetched};
use crate::sync::libraries::Libraries;
use crate::sync::record::sync_hash;
use crate::sync::stopped::Stopped;
use crate::sync::syncer::Syncer;
use crate::sync::unread::is_gone;

/// Scenes of a page: about a megabyte.
const PAGE: u32 = 250;
/// What Plex had this long ago is near enough.
const FRESH: Duration = Duration::from_secs(600);

/// What a page brought.
pub struct Slice {
    /// Scenes that differ, each to be looked at whatever the ledger says.
    pub differ: BTreeSet<u64>,
    /// Those of them whose file Plex does not have.
    pub nowhere: BTreeSet<u64>,
    /// Items on record that Plex has no longer.
    pub gone: Vec<String>,
    /// Scenes whose cover is what it was, at another address.
    pub covers: Vec<(u64, String, String)>,
    /// Items of Plex that cannot be read, in words.
    pub news: Vec<String>,
    pub step: Step,
}

/// What is on record of a scene.
struct OnRecord {
    row: Option<SceneRow>,
    items: Vec<ItemRow<LastWritten>>,
    waits: Vec<String>,
    /// An item that holds a file of it bears what was written, for whichever scene.
    inherits: bool,
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
    /// Looks at the next page of a run.
    pub async fn reconcile(
        &self,
        mut run: Run,
        (db, server): (&Connection, ServerId),
        clock: &impl Time,
    ) -> Result<Slice, Stopped> {
        // A run that nobody asked for leaves alone what nobody asked for.
        let has_consent = !run.by_itself || ledger::has_consent(db, server)?;
        let began = *run.began.get_or_insert(unix(clock.wall()));
        let filter = match run.reach.scope().reach() {
            None => SceneFilter::All,
            Some(reach) => SceneFilter::UpdatedSince(unix(time(began) - reach)),
        };
        let libraries = self.libraries().await?;
        if self.missing {
            // A run begins with what Plex has now.
            let age = match run.last {
                0 => Duration::ZERO,
                _ => FRESH,
            };
            let _overlapping = self.limits.read().await;
            self.indexes
                .renew(&self.plex, &libraries.chosen, age, clock.now())
                .await?;
        }
        let after = (run.last > 0).then_some(SceneId(run.last));
        let page = self.stash.scenes_after(filter, after, PAGE).await?;
        let mut known = Vec::new();
        for scene in &page.rows {
            let id = scene.id.0;
            let mut inherits = false;
            for file in self.mapped(&convert::scene(scene).files) {
                inherits |= ledger::is_bound(db, server, &file.path)?;
            }
            known.push(OnRecord {
                row: ledger::scene(db, server, id)?,
                items: ledger::items_of(db, server, id)?,
                waits: ledger::waited_for(db, server, id)?,
                inherits,
            });
        }
        let details = if run.reach == Reach::Metadata {
            let rows = known.iter().flat_map(|known| &known.items);
            let keys: Vec<_> = rows.filter_map(|row| row.item.parse().ok()).collect();
            by_key(self.details(&keys).await?.items)
        } else {
            BTreeMap::new()
        };
        // What Stash says of a scene and nobody can read is told by the scene's own job.
        let mut unread = BTreeSet::new();
        for (scene, _) in &page.failed {
            let last = ledger::last_look(db, server, scene.0)?;
            if has_consent || last.is_some_and(|last| last.written) {
                unread.insert(scene.0);
            }
        }
        let mut covers = Vec::new();
        let (mut differ, mut nowhere) = (unread, BTreeSet::new());
        for (scene, known) in page.rows.iter().zip(&known) {
            let mut pure = convert::scene(scene);
            // Without a file nothing can be found in Plex.
            if known.items.is_empty() && pure.files.is_empty() {
                continue;
            }
            if let Some(row) = &known.row
                && let Some(address) = self.name_cover(&mut pure, row).await
            {
                let place = cover::lasting_place(&address, clock.wall()).to_owned();
                covers.push((scene.id.0, row.cover.clone(), place));
            }
            let shown = (run.reach == Reach::Metadata).then_some(&details);
            let now = unix_millis(clock.wall());
            let drift = self.drift(&pure, known, (&libraries, shown), now).await;
            let Some(drift) = drift else {
                continue;
            };
            if !has_consent && !known.was_written() {
                run.report.left_alone += 1;
                continue;
            }
            run.report.gaps.add(&drift);
            let not_there = drift == Drift::NotInPlex;
            if not_there && self.skip_not_found {
                continue;
            }
            differ.insert(scene.id.0);
            if not_there {
                nowhere.insert(scene.id.0);
            }
        }
        let end = page.next.map(|scene| scene.0);
        if run.reach.scope() == Scope::All {
            let rows = page.rows.iter().map(|scene| scene.id.0);
            let known: BTreeSet<_> = rows.chain(differ.iter().copied()).collect();
            let gone = ledger::scenes_between(db, server, run.last, end)?;
            let gone = gone.into_iter().filter(|scene| !known.contains(scene));
            let before = differ.len();
            differ.extend(gone);
            run.report.gaps.deleted_in_stash += (differ.len() - before) as u64;
        }
        run.report.checked += (page.rows.len() + page.failed.len()) as u64;
        run.last = end.unwrap_or(run.last);
        let mut gone = Vec::new();
        let step = if end.is_none() {
            if self.missing && run.reach.scope() == Scope::All {
                let there = self.indexes.items().await;
                gone = ledger::ownerless(db, server)?;
                gone.retain(|item| !there.contains(item));
                // The listing may be older than the item.
                let keys: Vec<_> = gone.iter().filter_map(|item| item.parse().ok()).collect();
                let found = self.details(&keys).await?;
                gone.retain(|item| is_gone(&found, item));
            }
            Step::Ended(Ended {
                reach: run.reach,
                began,
                ended: unix(clock.wall()),
                report: run.report,
                job: 0,
            })
        } else {
            Step::Next(run)
        };
        Ok(Slice {
            differ,
            nowhere,
            gone,
            covers,
            news: self.indexes.unread.news(),
            step,
        })
    }

    /// Names the scene's cover as its own job did: by the picture. Where the address is another than at the last look,
    /// Stash tells whether the picture is; then the new address is returned.
    async fn name_cover(&self, scene: &mut scene_sync::Scene, row: &SceneRow) -> Option<String> {
        let is_wanted = self.policy.poster || self.policy.background;
        let address = scene.cover.clone().filter(|_| is_wanted)?;
        let known = Some(row.cover.as_str()).filter(|name| !name.is_empty());
        let (name, moved) = match row.cover_address == cover::place(&address) {
            true => (row.cover.clone(), None),
            false => match self.covers.fetch(&self.stash, &address, known).await {
                Ok(Fetched::Same) => (row.cover.clone(), Some(address)),
                Ok(Fetched::Picture(cover)) => (cover.name().to_owned(), None),
                Ok(Fetched::Nothing(_)) => (String::new(), None),
                // Not equal: the scene's own job asks again.
                Ok(Fetched::Owed(_)) | Err(_) => (address, None),
            },
        };
        scene.cover = Some(name).filter(|name| !name.is_empty());
        moved
    }

    /// How a scene and its items came apart; `shown` are the items' details, where they were read.
    async fn drift(
        &self,
        scene: &scene_sync::Scene,
        known: &OnRecord,
        (libraries, shown): (&Libraries, Option<&BTreeMap<String, plex::Item>>),
        now: i64,
    ) -> Option<Drift> {
        let files = self.mapped(&scene.files);
        let holders = self.holders(&files, libraries).await;
        let synced = known.row.as_ref().and_then(|row| row.hash);
        let Some(synced) = synced else {
            // A scene without metadata is not synced, unless something was written to its items before.
            let is_due = scene.has_metadata() || !known.items.is_empty() || known.inherits;
            return is_due.then_some(match holders {
                Some(holders) if holders.is_empty() && !self.may_be_alike(&files, libraries) => {
                    Drift::NotInPlex
                }
                _ => Drift::NeverSynced,
            });
        };
        let items = known.items.iter().map(|row| row.item.as_str());
        let content = scene_sync::content_hash(scene, &self.policy);
        if synced != sync_hash(&content, &files, items) {
            return Some(Drift::ChangedInStash);
        }
        if let Some(holders) = holders {
            let is_known = |item: &String| {
                known.waits.contains(item) || known.items.iter().any(|row| row.item == *item)
            };
            if !holders.iter().all(is_known) {
                return Some(Drift::NeverSynced);
            }
            for row in &known.items {
                if !self.indexes.holds(&row.item, &row.path).await {
                    return Some(match holders.is_empty() {
                        true => Drift::NotInPlex,
                        false => Drift::NeverSynced,
                    });
                }
            }
        }
        let due = known.items.iter().flat_map(|row| row.written.due(now));
        let due: Vec<_> = due.map(|part| part.to_string()).collect();
        if !due.is_empty() {
            return Some(Drift::ChangedInPlex(due));
        }
        let shown = shown?;
        let mut changed = Vec::new();
        for row in &known.items {
            let Some(item) = shown.get(&row.item) else {
                return Some(Drift::NeverSynced);
            };
            let path = path::key(&row.path);
            if !item.files().any(|part| path::key(&part.file) == path) {
                return Some(Drift::NeverSynced);
            }
            // With preserve_plex_edits, what a person changed in Plex is no gap.
            if self.policy.preserve_plex_edits {
                continue;
            }
            let policy = item
                .section
                .as_ref()
                .map_or_else(|| self.policy.clone(), |section| self.policy_for(section));
            changed.extend(drift::find(
                scene,
                &convert::item(item),
                Some(&row.written),
                &policy,
            ));
        }
        (!changed.is_empty()).then_some(Drift::ChangedInPlex(changed))
    }

    /// The items that hold the files, as far as the indexes tell; none where nobody looked.
    async fn holders(
        &self,
        files: &[SceneFile],
        libraries: &Libraries,
    ) -> Option<BTreeSet<String>> {
        if !self.missing {
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

    /// Whether a file may be found by its likeness, since no library covers its path.
    fn may_be_alike(&self, files: &[SceneFile], libraries: &Libraries) -> bool {
        files.iter().any(|file| !libraries.covers(&file.path))
    }

    /// The items of these keys that Plex has.
    async fn details(&self, keys: &[RatingKey]) -> Result<plex::FoundItems, Stopped> {
        let _overlapping = self.limits.read().await;
        let found = self.plex.items(keys).await?;
        self.indexes.unread.note(&found.skipped);
        Ok(found)
    }
}

fn by_key(items: Vec<plex::Item>) -> BTreeMap<String, plex::Item> {
    let keyed = items.into_iter();
    keyed
        .map(|item| (item.key.as_str().to_owned(), item))
        .collect()
}
