//! Reconciliations that start by themselves.

use std::time::{Duration, SystemTime};

use queue::{OnConflict, Queue};

use crate::core::job::Job;
use crate::core::reconcile::{self, Run};
use crate::core::settings::Settings;
use crate::storage::meta;
use crate::worker::recording::{BULK_PRIORITY, keyed};

/// When a run was last started by the timetable, in Unix seconds.
const STARTED_KEY: &str = "reconciliation_started";

/// A run waits so long for a moment in which nothing else is to be done.
const LATEST: Duration = Duration::from_secs(6 * 3600);

/// Queues a reconciliation when one is due; what it queued, in words.
pub fn keep(
    queue: &mut Queue<Job>,
    settings: &Settings,
    now: SystemTime,
) -> queue::Result<Option<&'static str>> {
    // A value nobody wrote counts as none.
    let started = meta::get(queue.sql(), STARTED_KEY)?.and_then(|text| text.parse().ok());
    let (interval, started) = (settings.reconcile_interval, started.map(reconcile::time));
    let due = reconcile::due_at(interval, started, now);
    let Some(due) = due.filter(|due| *due <= now) else {
        return Ok(None);
    };
    // It looks at every scene, which must not keep a person's changes waiting.
    if queue.counts()?.live() > 0 && now < due + LATEST {
        return Ok(None);
    }
    let reach = settings.reconcile_scope.into();
    let job = keyed(Job::Reconcile(Run {
        by_itself: true,
        ..Run::new(reach)
    }));
    let job = job.priority(BULK_PRIORITY).on_conflict(OnConflict::Keep);
    queue.transaction(|tx| -> queue::Result<()> {
        // Remembered at the start: a run that fails is not due again at once.
        meta::set(tx.sql(), STARTED_KEY, &reconcile::unix(now).to_string())?;
        tx.enqueue(job)?;
        Ok(())
    })?;
    Ok(Some(reach.words()))
}
