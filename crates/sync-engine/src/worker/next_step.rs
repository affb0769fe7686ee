//! What a person does next of a first run: a line in the worker's log, and words for the next save.

use queue::{Queue, State};

use crate::core::first_run::{Known, Step};
use crate::core::job::Job;
use crate::core::settings::{Fault, Settings};
use crate::core::words::next_step::next_step;
use crate::storage::first_run;
use crate::storage::log::WorkerLog;
use crate::storage::notices::{self, Topic};

/// So many jobs are looked at.
const FIRST: usize = 100;

/// Says it, as the settings are now; nothing where all is done.
///
/// # Errors
/// The database cannot be read or written.
pub fn tell(
    (settings, faults): (&Settings, &[Fault]),
    queue: &Queue<Job>,
    log: &WorkerLog<'_>,
) -> queue::Result<()> {
    let db = queue.sql();
    let known = Known::of(settings, faults, first_run::done(db)?);
    let Some(step) = known.next_step() else {
        return Ok(notices::clear(db, Topic::NextStep)?);
    };
    // These keep everything from being sent, and are told with what is wrong.
    if matches!(step, Step::Address | Step::Token) || is_task_queued(queue)? {
        return Ok(());
    }
    let words = next_step(step);
    log.info(&words);
    let state = format!("{step:?}");
    Ok(notices::leave(db, Topic::NextStep, (&state, &words), None)?)
}

/// Whether a person has just started the task that would be advised.
fn is_task_queued(queue: &Queue<Job>) -> queue::Result<bool> {
    let jobs = queue.jobs(State::Ready, FIRST)?.into_iter();
    let mut jobs = jobs.filter_map(|job| serde_json::from_str::<Job>(&job.payload).ok());
    Ok(jobs.any(|job| job.is_task()))
}
