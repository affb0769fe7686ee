//! What a person does next of a first run: a line in the worker's log, and words for the next save.

use queue::rusqlite::{self, Connection};

use crate::core::first_run::{Known, Step};
use crate::core::settings::{Fault, Settings};
use crate::core::words::next_step::next_step;
use crate::storage::first_run;
use crate::storage::log::WorkerLog;
use crate::storage::notices::{self, Topic};

/// Says it, as the settings are now; nothing where all is done.
///
/// # Errors
/// The database cannot be read or written.
pub fn tell(
    (settings, faults): (&Settings, &[Fault]),
    db: &Connection,
    log: &WorkerLog<'_>,
) -> rusqlite::Result<()> {
    let known = Known::of(settings, faults, first_run::done(db)?);
    let Some(step) = known.next_step() else {
        return notices::clear(db, Topic::NextStep);
    };
    // These keep everything from being sent, and are told with what is wrong.
    if matches!(step, Step::Address | Step::Token) {
        return Ok(());
    }
    let words = next_step(step);
    log.info(&words);
    notices::leave(db, Topic::NextStep, &format!("{step:?}"), &words)
}
