//! Watching the background worker at work, with progress.

use std::io::Stderr;
use std::thread;
use std::time::{Duration, SystemTime};

use breaker::Report;
use breaker::machine::Kind;
use queue::{Counts, DeadFilter, Options, Queue};
use serde_json::{Value, json};
use stash::protocol::{Log, ServerConnection};

use crate::data_dir::DataDir;
use crate::job::Job;
use crate::ledger;
use crate::reconcile::{instant, unix_millis};
use crate::spawn::{self, Start};
use crate::standstill::Standstill;
use crate::status::words::count;
use crate::worker::ASKED_KEY;
use crate::{catch_up, store, texts, worker_lock};

/// Between two looks at what the worker does.
const LOOK: Duration = Duration::from_millis(200);
/// So many failed jobs are told of.
const LISTED: u64 = 20;
/// A worker that has just been started takes its lock within this time.
const STARTING: u32 = 25;

/// Ends when nothing more can be done at once: the queue is empty, or its jobs wait for their time or for a server. Stopping it
/// stops the watching, and never the work.
///
/// # Errors
/// The queue cannot be read, or there can be no worker.
pub fn run(
    connection: &ServerConnection,
    log: &Log<Stderr>,
) -> Result<Value, Box<dyn std::error::Error>> {
    let dir = DataDir::create(&connection.dir)?;
    // Made when missing, so that the first task of a new installation finds an empty queue.
    let open = || {
        store::open(&dir, Options::producer(), |said| log.error(said))
            .map_err(|why| store::words(&dir, &why))
    };
    let (before, began) = (open()?.counts()?, SystemTime::now());
    log.info(match before.live() {
        0 => "No change is waiting".to_owned(),
        waiting => count(waiting, "change waits", "changes wait"),
    });
    // A person may have changed a setting, whether there is a worker or not.
    Standstill::end(&dir);
    let now = unix_millis(began).to_string();
    // Without its tables no worker has ever read a setting.
    let _ = ledger::set_meta(open()?.sql(), ASKED_KEY, &now);
    catch_up::note(&dir);
    spawn::ensure_worker(&dir, connection, Start::Always)?;
    if before.live() > 0 {
        watch(&dir, &open, &before, log)?;
    }
    let queue = open()?;
    for failed in queue.dead_letters(&DeadFilter::all().died_from(began).limit(LISTED))? {
        let about = serde_json::from_str::<Job>(&failed.payload);
        let name = about.map_or_else(|_| "a job".to_owned(), |job| job.words());
        let (kind, why) = (&failed.error_type, &failed.message);
        let advice = texts::advice(kind);
        log.warn(format!(
            "{name}: failed ({kind}): {why}. What to do: {advice}"
        ));
    }
    let counts = queue.counts()?;
    let done = counts.done.saturating_sub(before.done);
    let failed = counts.dead.saturating_sub(before.dead);
    log.progress(1.0);
    log.info(format!(
        "Done: {}, {failed} failed, {} still waiting",
        count(done, "job", "jobs"),
        counts.live()
    ));
    if counts.live() > 0 {
        if circuit_open(&dir) {
            log.warn(
                "Sending to Plex is paused (circuit OPEN); no change is lost. Run Health Check: it says why and what to do",
            );
        }
        log.info("The background worker goes on with what is waiting");
    }
    Ok(json!({ "done": done, "failed": failed, "waiting": counts.live() }))
}

/// Follows the worker until nothing more can be done at once.
fn watch(
    dir: &DataDir,
    open: &impl Fn() -> Result<Queue<Job>, String>,
    before: &Counts,
    log: &Log<Stderr>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut without = 0;
    loop {
        // Opened for each look: a worker that has to repair the file must be alone with it.
        let counts = open()?.counts()?;
        let done = counts.done.saturating_sub(before.done) as f64;
        log.progress(done / (done + counts.live() as f64).max(1.0));
        let at_work = worker_lock::is_at_work(dir);
        without = if at_work { 0 } else { without + 1 };
        if let Some(mark) = Standstill::read(dir).filter(|_| !at_work) {
            return Err(mark.why.into());
        }
        let nothing_due = counts.ready + counts.running == 0;
        if nothing_due || circuit_open(dir) || without > STARTING {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
}

/// Whether jobs wait for Plex, and not for the next trial that is about to be.
fn circuit_open(dir: &DataDir) -> bool {
    let now = instant(SystemTime::now());
    matches!(Report::read(&dir.breaker()), Report::Known(document)
        if document.state == Kind::Open && document.retry_at.is_none_or(|at| at > now))
}
