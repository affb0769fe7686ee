//! Jobs that only find out what else is to be done: fan-out, bulk, scans.

use std::collections::BTreeSet;

use queue::{DeadFilter, Options, Queue};
use scene_sync::path::folder_of;
use stash::client::{Scene, SceneFilter};

use crate::core::catch_up::Stamp;
use crate::core::job::{Job, Related, scene_of_key};
use crate::core::outcome::{Done, ErrorKind, Outcome};
use crate::core::reconcile::{Listed, Run, Step};
use crate::core::time::Time;
use crate::core::words::format::count;
use crate::storage::db::Db;
use crate::storage::ledger::{self, ServerId};
use crate::storage::notices::{self, Topic};
use crate::sync::{Ended, Found, Record, Stopped, Synced, Syncer, changed_within};
use crate::worker::recording::scene_job;

/// Scenes queued by one transaction of a bulk job.
const BULK: usize = 1000;

/// What an follow_up brought.
pub struct FollowUp {
    pub outcome: Outcome<Synced>,
    /// Scenes to queue, together with the follow_up's acknowledgement.
    pub scenes: Vec<u64>,
    /// Whether to look at Plex even for scenes that have not changed.
    pub force: bool,
    /// A folder Plex shall scan, if the user wants that.
    pub scan: Option<String>,
    /// What follows a page of a reconciliation, or the end of a bulk job.
    pub step: Option<Step>,
    /// Dead letters of the scenes that are queued again.
    pub letters: Vec<i64>,
    /// What a reconciliation found out about what is on record.
    pub found: Option<(ServerId, Found)>,
    /// What a scene's job leaves on record.
    pub record: Option<Record>,
    /// What its scene was when it was read.
    pub looked: Option<(ServerId, Stamp)>,
    /// What a person should hear of once, because something is wrong.
    pub news: Vec<String>,
    /// The same of what is merely left out.
    pub told: Vec<String>,
}

impl From<Outcome<Synced>> for FollowUp {
    fn from(outcome: Outcome<Synced>) -> Self {
        Self {
            outcome,
            scenes: Vec::new(),
            force: false,
            scan: None,
            step: None,
            letters: Vec::new(),
            found: None,
            record: None,
            looked: None,
            news: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl FollowUp {
    fn done(why: impl Into<String>) -> Self {
        Ok(Done::Skipped(why.into())).into()
    }
}

impl From<Ended> for FollowUp {
    fn from(ended: Ended) -> Self {
        Self {
            record: Some(ended.record),
            news: ended.news,
            told: ended.told,
            ..ended.outcome.into()
        }
    }
}

/// Runs every job but those that are about one scene.
///
/// # Errors
/// The database cannot be read.
pub async fn run(
    syncer: &Syncer,
    job: Job,
    (db, server): (&Db<'_>, ServerId),
    time: &impl Time,
) -> queue::Result<FollowUp> {
    if job.asks_for_the_library() {
        db.write(|tx| {
            ledger::set_library(tx.sql(), server, 0)?;
            // This was the last one.
            notices::clear(tx.sql(), Topic::NextStep)?;
            Ok(ledger::consent(tx.sql(), server)?)
        })?;
    }
    let follow_up = follow(syncer, job, (db, server), time).await;
    Ok(Stopped::apart(follow_up)?.unwrap_or_else(|why| Err(why).into()))
}

async fn follow(
    syncer: &Syncer,
    job: Job,
    (db, server): (&Db<'_>, ServerId),
    time: &impl Time,
) -> Result<FollowUp, Stopped> {
    Ok(match job {
        Job::Scene { .. } | Job::Scanned { .. } => FollowUp::done(""),
        Job::PlexScan { folder } => {
            let (outcome, news) = syncer.scan(&folder).await;
            FollowUp {
                news: news.into_iter().collect(),
                ..outcome.into()
            }
        }
        Job::FanOut { of, id } => {
            let mut scenes = syncer.ids(showing(of, id)).await?;
            // Those that used to show what Stash no longer has are on record.
            scenes.extend(db.read(|db| ledger::scenes_of(db, of, id))?);
            all_of(scenes, false, "changed", db).await?
        }
        Job::Bulk { scope } => {
            let scenes = syncer.ids(changed_within(scope, time.wall())).await?;
            let (queued, job) = (scenes.len() as u64, 0);
            let listed = Step::Listed(Listed { scope, queued, job });
            FollowUp {
                step: Some(listed),
                ..all_of(scenes, true, "read from Stash", db).await?
            }
        }
        Job::Reconcile(run) => reconcile(syncer, run, (db, server), time).await?,
    })
}

/// Queues all of these scenes but the last few, which are queued together with the follow_up's
/// acknowledgement. Repeated after a crash, they coalesce by key.
async fn all_of(scenes: Vec<u64>, force: bool, why: &str, db: &Db<'_>) -> queue::Result<FollowUp> {
    let scenes = BTreeSet::from_iter(scenes);
    let mut scenes = Vec::from_iter(scenes);
    let queued = count(scenes.len() as u64, "scene", "scenes");
    let why = format!("{why}, {queued} queued");
    while scenes.len() > BULK {
        let rest = scenes.split_off(BULK);
        let jobs = scenes.iter().map(|id| scene_job(*id, force));
        db.with(|queue| queue.enqueue_all(jobs))?;
        scenes = rest;
        // The worker has one thread, and others wait for it.
        tokio::task::yield_now().await;
    }
    Ok(FollowUp {
        scenes,
        force,
        ..FollowUp::done(why)
    })
}

/// What a scan of Stash leads to, for the scene of its file; `None` when that is gone.
pub fn scanned(scene: Option<&Scene>) -> FollowUp {
    let Some(scene) = scene else {
        return FollowUp::done("gone from Stash");
    };
    let folder = scene.files.first().and_then(|file| folder_of(&file.path));
    // A scene made by hand or by an import may have metadata already; one without any is skipped
    // then. A file that was renamed or moved may be another item now, though the scene's content is
    // the same: so Plex is looked at.
    FollowUp {
        scenes: vec![scene.id.0],
        force: true,
        scan: folder.map(str::to_owned),
        ..FollowUp::done("scanned")
    }
}

/// A page of a reconciliation. A scene that was set aside because Plex does not have it stays so
/// while Plex still has not.
async fn reconcile(
    syncer: &Syncer,
    run: Run,
    (db, server): (&Db<'_>, ServerId),
    time: &impl Time,
) -> Result<FollowUp, Stopped> {
    let database = db.with(|queue| queue.path().to_owned());
    let reader = Queue::<Job>::open(database, Options::inspector())?;
    let (mut slice, mut step) = syncer.reconcile(run, (reader.sql(), server), time).await?;
    let of = |filter: DeadFilter| -> queue::Result<Vec<(i64, u64)>> {
        let scene = |(letter, key): (_, String)| Some((letter, scene_of_key(&key)?));
        Ok(reader
            .dead_keys(&filter)?
            .into_iter()
            .filter_map(scene)
            .collect())
    };
    if !slice.nowhere.is_empty() {
        for (_, id) in of(DeadFilter::all().error_type(ErrorKind::NotInPlex.word()))? {
            if slice.nowhere.contains(&id) {
                slice.differ.remove(&id);
            }
        }
    }
    let mut letters = Vec::new();
    if !slice.differ.is_empty() {
        letters = of(DeadFilter::all())?;
        letters.retain(|(_, id)| slice.differ.contains(id));
    }
    let queued = slice.differ.len() as u64;
    match &mut step {
        Step::Next(run) => run.report.queued += queued,
        Step::Ended(ended) => ended.report.queued += queued,
        Step::Listed(_) => {}
    }
    Ok(FollowUp {
        scenes: slice.differ.into_iter().collect(),
        force: true,
        step: Some(step),
        letters: letters.into_iter().map(|(letter, _)| letter).collect(),
        found: Some((server, slice.found)),
        news: slice.news,
        ..FollowUp::done("a page compared")
    })
}

/// The scenes that show a performer, studio, tag or group.
fn showing(of: Related, id: u64) -> SceneFilter {
    match of {
        Related::Performer => SceneFilter::Performer(id),
        Related::Studio => SceneFilter::Studio(id),
        Related::Tag => SceneFilter::Tag(id),
        Related::Group => SceneFilter::Group(id),
    }
}
