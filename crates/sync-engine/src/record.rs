//! Recording what is to be done: durably, before the process ends. No network, no runtime: a save
//! waits for it.

pub mod catch_up;

use std::cell::Cell;
use std::time::{Duration, Instant};

use queue::{NewJob, Options, Queue};
use stash::connection::ServerConnection;

use crate::console::{Console, Failure};
use crate::core::change::Change;
use crate::core::job::Job;
use crate::core::words::worker as texts;
use crate::start::{self, Start};
use crate::storage::data_dir::DataDir;
use crate::storage::first_run;
use crate::storage::noted_edits::Noted;
use crate::storage::notices::{self, Untold};
use crate::storage::queue_file;
use crate::storage::standstill::Standstill;

/// A hundred saves at once on a slow disk take turns; better a slow save than a lost one.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// In words.
    pub what: String,
    /// What the worker wants a person to know, where nobody has told it yet.
    pub notice: Option<String>,
}

/// The first worker of an installation has said what is to be done next by then, if it can.
const FIRST_WORDS: Duration = Duration::from_secs(2);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(10);

/// Records what a hook tells, and makes sure that a worker will do it.
///
/// # Errors
/// Nothing was recorded.
pub fn change(
    connection: &ServerConnection,
    change: &Change,
    console: &dyn Console,
) -> Result<Recorded, Failure> {
    let dir = DataDir::create(&connection.dir)?;
    let key = change.job.key();
    // Stash had committed all of the edit before the first of its hooks ran, and that one recorded
    // all of it.
    if let Some(edit) = &change.edit
        && Noted::read(&dir).has(edit, change.id)
    {
        let (what, _) = start_worker(&dir, connection, &key, Start::IfUseful, console);
        return Ok(Recorded { what, notice: None });
    }
    let replaced = Cell::new(false);
    let (mut said, is_first) = in_queue(&dir, (console, &replaced), |queue| {
        let is_first = first_run::is_untouched(queue.sql())?;
        store(queue, change)?;
        // The change is recorded, whatever becomes of the words.
        Ok((notices::take(queue).unwrap_or_default(), is_first))
    })?;
    if let Some(edit) = &change.edit {
        Noted::read(&dir).add(&dir, edit, change.id);
    }
    let (what, started) = start_worker(&dir, connection, &key, Start::IfUseful, console);
    // What to do after damage is said already.
    if is_first && started && !replaced.get() {
        said = first_words(&dir);
    }
    if let Some(advice) = said.advice {
        console.info(advice);
    }
    Ok(Recorded {
        what,
        notice: said.trouble,
    })
}

/// What the first worker says. Whoever saves for the first time is told at once what is missing,
/// and waits for it this once.
fn first_words(dir: &DataDir) -> Untold {
    let until = Instant::now() + FIRST_WORDS;
    let Ok(mut queue) = Queue::open(dir.database(), Options::producer()) else {
        return Untold::default();
    };
    while Instant::now() < until {
        match notices::take(&mut queue) {
            Ok(said) if said == Untold::default() => std::thread::sleep(LOOK),
            said => return said.unwrap_or_default(),
        }
    }
    Untold::default()
}

/// Records what a person asked for, and makes sure that a worker will do it. Returns what `look`
/// saw just before.
///
/// # Errors
/// Nothing was recorded.
pub fn by_hand<R>(
    (dir, connection): (&DataDir, &ServerConnection),
    job: &Job,
    console: &dyn Console,
    look: impl Fn(&Queue<Job>) -> queue::Result<R>,
) -> Result<R, Failure> {
    let seen = in_queue(dir, (console, &Cell::new(false)), |queue| {
        let seen = look(queue)?;
        queue.enqueue(new(job))?;
        Ok(seen)
    })?;
    crate::storage::catch_up::note(dir);
    // A person may have changed what kept the last worker from working.
    Standstill::end(dir);
    start_worker(dir, connection, &job.key(), Start::Always, console);
    Ok(seen)
}

/// Writes to the queue; twice, should the file turn out to be damaged and be replaced.
fn in_queue<R>(
    dir: &DataDir,
    (console, replaced): (&dyn Console, &Cell<bool>),
    write: impl Fn(&mut Queue<Job>) -> queue::Result<R>,
) -> Result<R, String> {
    let say = |said| {
        replaced.set(true);
        console.error(said);
    };
    let options = Options::producer().busy_timeout(LOCK_PATIENCE);
    let words = |why: queue::Error| queue_file::words(dir, &why);
    let mut queue = queue_file::open(dir, options, say).map_err(words)?;
    match write(&mut queue) {
        Err(wrong) => {
            let mut queue = queue_file::repair(queue, wrong, say).map_err(words)?;
            write(&mut queue).map_err(words)
        }
        written => written.map_err(words),
    }
}

fn new(job: &Job) -> NewJob<Job> {
    NewJob::new(job.clone()).key(job.key()).merge(Job::merge)
}

/// Stores the jobs: of an edit of several, all of them in one transaction.
fn store(queue: &mut Queue<Job>, change: &Change) -> queue::Result<()> {
    match &change.edit {
        None => queue.ensure(new(&change.job), Job::covers).map(drop),
        Some(edit) => queue.transaction(|tx| {
            tx.enqueue(new(&change.job))?;
            let all = (edit.jobs)();
            all.iter()
                .try_for_each(|job| tx.enqueue(new(job)).map(drop))
        }),
    }
}

/// What was recorded, in words, and whether a worker was started for it.
fn start_worker(
    dir: &DataDir,
    connection: &ServerConnection,
    key: &str,
    start: Start,
    console: &dyn Console,
) -> (String, bool) {
    match start::ensure_worker(dir, connection, start) {
        Ok(started) => (format!("recorded {key}"), started),
        Err(why) => {
            let words = texts::not_started(why);
            console.warn(&words);
            (format!("recorded {key}; {words}"), false)
        }
    }
}
