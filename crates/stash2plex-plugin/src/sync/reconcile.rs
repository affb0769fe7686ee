//! One page of a reconciliation: scenes of Stash beside the ledger, and beside Plex where that is asked for.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use queue::rusqlite::{self, Connection};
use scene_sync::LastWritten;
use scene_sync::gap::{self, Gap, InPlex};
use stash::client::SceneFilter;

use super::Syncer;
use super::convert;
use super::find::NotFound;
use super::listing::Listing;
use crate::ledger::{self, Row};
use crate::reconcile::{Ended, Reach, Run, Step, time, unix};
use crate::settings::Scope;

/// Scenes of a page: about a megabyte.
const PAGE: u32 = 250;
/// Items whose details are read in one request.
const DETAILS: usize = 50;
/// What Plex had this long ago is near enough.
const FRESH: Duration = Duration::from_secs(600);

/// What a page brought.
pub struct Slice {
    /// Scenes that differ, each to be looked at whatever the ledger says.
    pub differ: BTreeSet<u64>,
    /// Those of them whose file Plex does not have.
    pub nowhere: BTreeSet<u64>,
    pub step: Step,
}

/// Why a page could not be looked at.
pub enum Stopped {
    Server(NotFound),
    Database(queue::Error),
}

impl From<queue::Error> for Stopped {
    fn from(error: queue::Error) -> Self {
        Self::Database(error)
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<NotFound> for Stopped {
    fn from(why: NotFound) -> Self {
        Self::Server(why)
    }
}

impl From<plex::Error> for Stopped {
    fn from(error: plex::Error) -> Self {
        Self::Server(error.into())
    }
}

impl From<stash::client::Error> for Stopped {
    fn from(error: stash::client::Error) -> Self {
        Self::Server(error.into())
    }
}

impl Syncer {
    /// Looks at the next page of a run.
    pub async fn reconcile(
        &self,
        mut run: Run,
        db: &Connection,
        now: SystemTime,
    ) -> Result<Slice, Stopped> {
        let began = *run.began.get_or_insert(unix(now));
        let filter = match run.reach.scope().reach() {
            None => SceneFilter::All,
            Some(reach) => SceneFilter::UpdatedSince(unix(time(began) - reach)),
        };
        let listing = if self.missing {
            Some(self.listing(now).await?)
        } else {
            None
        };
        let page = self.stash.scene_page(filter, run.pages + 1, PAGE).await?;
        let rows: Vec<Option<Row<LastWritten>>> = page
            .rows
            .iter()
            .map(|scene| ledger::get(db, scene.id.0))
            .collect::<Result<_, _>>()?;
        let details = if run.reach == Reach::Metadata {
            self.details(rows.iter().flatten()).await?
        } else {
            HashMap::new()
        };
        let (mut differ, mut nowhere) = (BTreeSet::new(), BTreeSet::new());
        for (scene, row) in page.rows.iter().zip(&rows) {
            let pure = convert::scene(scene);
            // Without a file nothing can be found in Plex.
            if row.is_none() && pure.files.is_empty() {
                continue;
            }
            let place = place(&pure, row.as_ref(), listing.as_deref());
            let key = row.as_ref().map_or("", |row| row.rating_key.as_str());
            let place = match (place, details.get(key)) {
                (InPlex::Unknown | InPlex::There, Some(item)) => InPlex::Shown(item),
                (InPlex::Unknown, None) if row.is_some() && run.reach == Reach::Metadata => {
                    InPlex::Elsewhere
                }
                (place, _) => place,
            };
            let last = row.as_ref().map(|row| &row.written);
            if let Some(gap) = gap::find(&pure, place, last, &self.policy) {
                run.report.gaps.add(&gap);
                let not_there = gap == Gap::NotInPlex;
                if not_there && self.skip_not_found {
                    continue;
                }
                differ.insert(scene.id.0);
                if not_there {
                    nowhere.insert(scene.id.0);
                }
            }
        }
        let upto = page.rows.last().map_or(run.last, |scene| scene.id.0);
        if run.reach.scope() == Scope::All {
            let known: BTreeSet<_> = page.rows.iter().map(|scene| scene.id.0).collect();
            let end = (!page.last).then_some(upto);
            let gone = ledger::scenes_between(db, run.last, end)?;
            let gone = gone.into_iter().filter(|scene| !known.contains(scene));
            let before = differ.len();
            differ.extend(gone);
            run.report.gaps.deleted_in_stash += (differ.len() - before) as u64;
        }
        run.report.checked += page.rows.len() as u64;
        run.pages += 1;
        run.last = upto.max(run.last);
        let step = if page.last {
            self.listing.take();
            Step::Ended(Ended {
                reach: run.reach,
                began,
                ended: unix(now),
                report: run.report,
            })
        } else {
            Step::Next(run)
        };
        Ok(Slice {
            differ,
            nowhere,
            step,
        })
    }

    /// What Plex has, read once for the pages of a run.
    async fn listing(&self, now: SystemTime) -> Result<Rc<Listing>, Stopped> {
        if let Some((at, listing)) = self.listing.borrow().as_ref()
            && now.duration_since(*at).is_ok_and(|age| age < FRESH)
        {
            return Ok(listing.clone());
        }
        self.listing.take();
        let places = self.places().await?;
        // Closed never, so this only waits.
        let _overlapping = self.lanes.read().await;
        let listing = Rc::new(Listing::read(&self.plex, &places.list).await?);
        *self.listing.borrow_mut() = Some((now, listing.clone()));
        Ok(listing)
    }

    /// The items of these rows, by their keys.
    async fn details(
        &self,
        rows: impl Iterator<Item = &Row<LastWritten>>,
    ) -> Result<HashMap<String, scene_sync::Item>, Stopped> {
        let keys: Vec<_> = rows.filter_map(|row| row.rating_key.parse().ok()).collect();
        let mut details = HashMap::new();
        for keys in keys.chunks(DETAILS) {
            let _overlapping = self.lanes.read().await;
            let items = match self.plex.items(keys).await {
                Err(plex::Error::NotFound) => Vec::new(),
                items => items?,
            };
            let items = items.iter().map(convert::item);
            details.extend(items.map(|item| (item.key.clone(), item)));
        }
        Ok(details)
    }
}

/// Where the scene's item is, as far as a listing tells.
fn place<'a>(
    scene: &scene_sync::Scene,
    row: Option<&Row<LastWritten>>,
    listing: Option<&Listing>,
) -> InPlex<'a> {
    let Some(listing) = listing else {
        return match row {
            // The item was forgotten on purpose.
            Some(row) if row.rating_key.is_empty() => InPlex::Elsewhere,
            _ => InPlex::Unknown,
        };
    };
    if row.is_some_and(|row| listing.has_item(&row.rating_key)) {
        InPlex::There
    } else if scene
        .files
        .iter()
        .any(|file| listing.has_name_of(&file.path))
    {
        InPlex::Elsewhere
    } else {
        InPlex::Nowhere
    }
}
