//! Recording what is to be done: durably, before the process ends. No network, no runtime: a save waits for it.

use std::io::Stderr;
use std::time::Duration;

use queue::{NewJob, Options, Queue};
use serde_json::{Value, json};
use stash::protocol::{Log, Reply, ServerConnection};

use crate::data_dir::DataDir;
use crate::hook::Change;
use crate::job::Job;
use crate::noted::Noted;
use crate::spawn::{self, Start};
use crate::standstill::Standstill;
use crate::{catch_up, notice, store};

/// Why nothing was recorded, in words for the user.
type Failure = Box<dyn std::error::Error>;

/// A hundred saves at once on a slow disk take turns; better a slow save than a lost one.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// Records what a hook tells, and makes sure that a worker will do it. Its answer brings what the worker wants said in Stash's log.
///
/// # Errors
/// Nothing was recorded.
pub fn change(
    connection: &ServerConnection,
    change: Change,
    log: &Log<Stderr>,
) -> Result<Reply, Failure> {
    let dir = DataDir::create(&connection.dir)?;
    let key = change.job().key();
    // Stash had committed all of the edit before the first of its hooks ran, and that one recorded all of it.
    if let Some(edit) = &change.edit
        && Noted::read(&dir).has(edit, change.id)
    {
        let recorded = start_worker(&dir, connection, &key, Start::IfUseful, log);
        return Ok(Reply::Output(recorded));
    }
    let words = in_queue(&dir, log, |queue| {
        store(queue, &change)?;
        // The change is recorded, whatever becomes of the words.
        Ok(notice::take(queue).unwrap_or_default())
    })?;
    if let Some(edit) = &change.edit {
        Noted::read(&dir).add(&dir, edit, change.id);
    }
    let recorded = start_worker(&dir, connection, &key, Start::IfUseful, log);
    Ok(match words {
        Some(words) => Reply::Warned(recorded, words),
        None => Reply::Output(recorded),
    })
}

/// Records what a person asked for, and makes sure that a worker will do it. Returns what `look` saw just before.
///
/// # Errors
/// Nothing was recorded.
pub fn by_hand<R>(
    (dir, connection): (&DataDir, &ServerConnection),
    job: &Job,
    log: &Log<Stderr>,
    look: impl Fn(&Queue<Job>) -> queue::Result<R>,
) -> Result<R, Failure> {
    let seen = in_queue(dir, log, |queue| {
        let seen = look(queue)?;
        queue.enqueue(new(job))?;
        Ok(seen)
    })?;
    catch_up::note(dir);
    // A person may have changed what kept the last worker from working.
    Standstill::end(dir);
    start_worker(dir, connection, &job.key(), Start::Always, log);
    Ok(seen)
}

/// Writes to the queue; twice, should the file turn out to be damaged and be replaced.
fn in_queue<R>(
    dir: &DataDir,
    log: &Log<Stderr>,
    write: impl Fn(&mut Queue<Job>) -> queue::Result<R>,
) -> Result<R, String> {
    let say = |said| log.error(said);
    let options = Options::producer().busy_timeout(LOCK_PATIENCE);
    let words = |why: queue::Error| store::words(dir, &why);
    let mut queue = store::open(dir, options, say).map_err(words)?;
    match write(&mut queue) {
        Err(wrong) => {
            let mut queue = store::repair(queue, wrong, say).map_err(words)?;
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
        None => queue.ensure(new(&change.job()), Job::covers).map(drop),
        Some(edit) => queue.transaction(|tx| {
            tx.enqueue(new(&change.job()))?;
            change
                .jobs(edit)
                .try_for_each(|job| tx.enqueue(new(&job)).map(drop))
        }),
    }
}

fn start_worker(
    dir: &DataDir,
    connection: &ServerConnection,
    key: &str,
    start: Start,
    log: &Log<Stderr>,
) -> Value {
    match spawn::ensure_worker(dir, connection, start) {
        Ok(()) => json!(format!("recorded {key}")),
        Err(why) => {
            let words = format!(
                "the background worker could not be started ({why}); the next change in Stash tries again"
            );
            log.warn(&words);
            json!(format!("recorded {key}; {words}"))
        }
    }
}
