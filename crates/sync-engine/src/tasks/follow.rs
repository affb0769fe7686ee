//! The tasks that start much work: it is recorded first, then followed for a while, since Stash
//! runs one task at a time.

use queue::Queue;
use queue::rusqlite::{self, Connection};
use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::console::{Console, Failure};
use crate::core::job::Job;
use crate::core::reconcile::{Ended, Listed};
use crate::core::settings::Settings;
use crate::core::status::SettingsStatus;
use crate::core::words::format::count;
use crate::core::words::tasks as texts;
use crate::record;
use crate::storage::data_dir::DataDir;
use crate::storage::meta;
use crate::tasks::status;
use crate::tasks::watch::{End, Mark, Since, Watch};

/// Records the job, sees that a worker does it, and follows that.
///
/// # Errors
/// Nothing was recorded, or the queue cannot be read afterwards.
pub fn run(
    job: &Job,
    connection: &ServerConnection,
    console: &dyn Console,
) -> Result<Value, Failure> {
    let dir = &DataDir::create(&connection.dir)?;
    let (mark, before) = record::by_hand((dir, connection), job, console, |queue| {
        Ok((Mark::of(queue)?, remembered(queue.sql(), job)?))
    })?;
    let told = status::runtime()?.block_on(status::settings(connection)).1;
    let settings = told.settings.as_ref();
    let at_most = settings.map_or(Settings::DEFAULT_WATCH, |settings| settings.watch_time);
    let recorded = job.key();
    let goes_on = || console.info(texts::goes_on(&dir.worker_log()));
    if at_most.is_zero() {
        goes_on();
        return Ok(json!({ "recorded": recorded }));
    }
    let watch = Watch { dir, console, mark };
    let writes = settings.is_none_or(|settings| settings.toggles.master);
    let mut found = None;
    let end = watch.follow(Some(at_most), |queue: &Queue<Job>| {
        if found.is_none()
            && let Some((words, data)) = new(queue.sql(), job, before.as_deref())?
        {
            let while_off = texts::while_off(writes);
            console.info(format!("{}: {words}{while_off}", job.words()));
            found = Some(data);
        }
        Ok(found.is_some())
    })?;
    let since = watch.since(&watch.queue()?)?;
    let waiting = since.counts.live();
    let waits_for_stash = match &told.reading {
        Some(SettingsStatus::Failed { why }) if found.is_none() => {
            console.warn(texts::waits_for_stash(&job.words(), why));
            true
        }
        _ => false,
    };
    if found.is_none() && !waits_for_stash {
        console.info(texts::unfinished(&job.words()));
    }
    tell(console, &since, writes);
    if !waits_for_stash {
        watch.held_up(&end, waiting, told);
        if end == End::TimeUp {
            console.info(texts::watched(at_most.as_secs_f64()));
        }
        if waiting > 0 && matches!(end, End::NothingDue | End::TimeUp) {
            goes_on();
        }
    }
    Ok(json!({
        "recorded": recorded, "found": found, "synced": since.synced, "skipped": since.skipped, "failed": since.failed,
        "waiting": waiting,
    }))
}

/// What was done meanwhile, in figures.
fn tell(console: &dyn Console, since: &Since, writes: bool) {
    if since.counts.live() == 0 {
        console.progress(1.0);
    }
    console.info(texts::since(
        writes,
        since.synced,
        since.skipped,
        since.failed,
        since.counts.live().saturating_sub(since.tasks),
        since.tasks,
    ));
}

/// What is remembered of the last job like this one.
fn remembered(db: &Connection, job: &Job) -> rusqlite::Result<Option<String>> {
    let key = match job {
        Job::Reconcile(_) => meta::RECONCILED,
        _ => meta::LISTED,
    };
    meta::get_early(db, key)
}

/// What the job found to be done, in words and as data, if what is remembered now is from after its
/// beginning.
fn new(
    db: &Connection,
    job: &Job,
    before: Option<&str>,
) -> rusqlite::Result<Option<(String, Value)>> {
    let text = remembered(db, job)?.filter(|text| before != Some(text));
    let text = text.unwrap_or_default();
    // Of another version: nothing is said about it.
    Ok(match job {
        Job::Reconcile(run) => serde_json::from_str::<Ended>(&text)
            .ok()
            .filter(|ended| ended.reach == run.reach)
            .map(|ended| (ended.report.words(), json!(ended.report))),
        Job::Bulk { scope } => serde_json::from_str::<Listed>(&text)
            .ok()
            .filter(|listed| listed.scope == *scope)
            .map(|Listed { queued, .. }| {
                let words = format!("{} queued", count(queued, "scene", "scenes"));
                (words, json!({ "queued": queued }))
            }),
        _ => None,
    })
}
