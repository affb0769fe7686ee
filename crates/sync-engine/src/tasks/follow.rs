//! The tasks that start much work: it is recorded first, then followed for a while, since Stash runs one task at a time.

use queue::Queue;
use queue::rusqlite::{self, Connection};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::console::Console;
use crate::storage::meta;

use crate::console::Failure;
use crate::core::job::Job;
use crate::core::reconcile::{Ended, Listed, Report};
use crate::core::settings::Settings;
use crate::core::status::SettingsStatus;
use crate::core::words::format::count;
use crate::core::words::tasks as texts;
use crate::record;
use crate::storage::data_dir::DataDir;
use crate::tasks::status;
use crate::tasks::watch::{End, Mark, Watch};

/// What the job found to be done, once it has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Found {
    Queued { queued: u64 },
    Compared(Report),
}

impl Found {
    fn words(&self) -> String {
        match self {
            Self::Queued { queued } => {
                format!("{} queued", count(*queued, "scene", "scenes"))
            }
            Self::Compared(report) => report.words(),
        }
    }
}

/// Records the job, sees that a worker does it, and follows that.
///
/// # Errors
/// Nothing was recorded, or the queue cannot be read afterwards.
pub fn run(
    job: &Job,
    connection: &ServerConnection,
    console: &dyn Console,
) -> Result<Value, Failure> {
    let dir = DataDir::create(&connection.dir)?;
    let (mark, before) = record::by_hand((&dir, connection), job, console, |queue| {
        Ok((Mark::of(queue)?, remembered(queue.sql(), job)?))
    })?;
    let told = status::runtime()?.block_on(status::settings(connection)).1;
    let at_most = told
        .settings
        .as_ref()
        .map_or(Settings::DEFAULT_WATCH, |settings| settings.watch_time);
    let recorded = job.key();
    let goes_on = || console.info(texts::goes_on(&dir.worker_log()));
    if at_most.is_zero() {
        goes_on();
        return Ok(json!({ "recorded": recorded }));
    }
    let watch = Watch {
        dir: &dir,
        console,
        mark,
    };
    let writes = !matches!(
        &told.reading,
        Some(SettingsStatus::Done { writes: false, .. })
    );
    let mut found = None;
    let end = watch.follow(Some(at_most), |queue: &Queue<Job>| {
        if found.is_none() {
            found = new(queue.sql(), job, before.as_deref())?;
            if let Some(found) = &found {
                let while_off = texts::while_off(writes);
                console.info(format!("{}: {}{while_off}", job.words(), found.words()));
            }
        }
        Ok(found.is_some())
    })?;
    let since = watch.since()?;
    let waiting = since.counts.live();
    if waiting == 0 {
        console.progress(1.0);
    }
    let without_stash = match &told.reading {
        Some(SettingsStatus::Failed { why }) if found.is_none() => {
            console.warn(texts::waits_for_stash(&job.words(), why));
            true
        }
        _ => {
            if found.is_none() {
                console.info(texts::unfinished(&job.words()));
            }
            false
        }
    };
    console.info(texts::since(
        writes,
        since.synced,
        since.skipped,
        since.failed,
        waiting.saturating_sub(since.tasks),
        since.tasks,
    ));
    if !without_stash {
        watch.held_up(&end, waiting, told);
    }
    if end == End::TimeUp && !without_stash {
        console.info(texts::watched(at_most.as_secs_f64()));
    }
    if waiting > 0 && !without_stash && matches!(end, End::NothingDue | End::TimeUp) {
        goes_on();
    }
    Ok(json!({
        "recorded": recorded, "found": found, "synced": since.synced, "skipped": since.skipped, "failed": since.failed,
        "waiting": waiting,
    }))
}

/// What is remembered of the last job like this one.
fn remembered(db: &Connection, job: &Job) -> rusqlite::Result<Option<String>> {
    let key = match job {
        Job::Reconcile(_) => meta::RECONCILED,
        _ => meta::LISTED,
    };
    meta::get_early(db, key)
}

/// What the job found, if what is remembered now is from after its beginning.
fn new(db: &Connection, job: &Job, before: Option<&str>) -> rusqlite::Result<Option<Found>> {
    let remembered = remembered(db, job)?.filter(|text| before != Some(text));
    Ok(remembered.and_then(|text| match job {
        Job::Reconcile(run) => read::<Ended>(&text)
            .filter(|ended| ended.reach == run.reach)
            .map(|ended| Found::Compared(ended.report)),
        Job::Bulk { scope } => read::<Listed>(&text)
            .filter(|listed| listed.scope == *scope)
            .map(|listed| Found::Queued {
                queued: listed.queued,
            }),
        _ => None,
    }))
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    // Of another version: nothing is said about it.
    serde_json::from_str(text).ok()
}
