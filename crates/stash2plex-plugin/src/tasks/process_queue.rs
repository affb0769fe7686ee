//! Working the queue off in the foreground, with progress.

use std::io::Stderr;
use std::thread;
use std::time::Duration;

use breaker::Report;
use breaker::machine::Kind;
use queue::{Counts, Options, Queue};
use serde_json::{Value, json};
use stash::protocol::{Log, ServerConnection};

use crate::data_dir::DataDir;
use crate::job::Job;
use crate::journal::Journal;
use crate::status::words::count;
use crate::worker::{Stay, work};
use crate::worker_lock::WorkerLock;
use crate::{spawn, store};

/// Between two looks at what a worker in the background does.
const LOOK: Duration = Duration::from_millis(200);

/// Ends when nothing more can be done at once: the queue is empty, or its jobs wait for their time or for a server.
///
/// # Errors
/// The queue, the settings or the runtime fail.
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
    let before = open()?.counts()?;
    // Goes on even so: a reconciliation may be due.
    log.info(match before.live() {
        0 => "No change is waiting".to_owned(),
        waiting => count(waiting, "change waits", "changes wait"),
    });
    loop {
        if let Some(_lock) = WorkerLock::try_take(&dir)? {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let mut journal = Journal::stash(log);
            runtime.block_on(work(connection, &dir, &mut journal, Stay::UntilDrained))?;
            break;
        }
        log.info("The background worker is processing the queue; showing its progress");
        if watch(&dir, &open, &before, log)? {
            break;
        }
    }
    let counts = open()?.counts()?;
    let done = counts.done.saturating_sub(before.done);
    let failed = counts.dead.saturating_sub(before.dead);
    log.progress(1.0);
    log.info(format!(
        "Done: {}, {failed} failed, {} still waiting",
        count(done, "job", "jobs"),
        counts.live()
    ));
    if counts.live() > 0 && circuit_open(&dir) {
        log.warn(
            "Sending to Plex is paused (circuit OPEN); no change is lost. Run Health Check: it says why and what to do",
        );
    }
    // What waits for its time or for a server would otherwise wait for the next change in Stash; and a hook that came while
    // this task held the lock started none.
    if counts.live() > 0 {
        match spawn::ensure_worker(&dir, connection.handover().expose()) {
            Ok(()) => log.info("The background worker goes on with what is waiting"),
            Err(why) => log.warn(format!(
                "The background worker could not be started ({why}): the next change in Stash tries again"
            )),
        }
    }
    Ok(json!({ "done": done, "failed": failed, "waiting": counts.live() }))
}

/// Follows a worker in the background; true when nothing more can be done at once, false when it ended.
fn watch(
    dir: &DataDir,
    open: &impl Fn() -> Result<Queue<Job>, String>,
    before: &Counts,
    log: &Log<Stderr>,
) -> Result<bool, Box<dyn std::error::Error>> {
    loop {
        // Opened for each look: a worker that has to repair the file must be alone with it.
        let counts = open()?.counts()?;
        let done = counts.done.saturating_sub(before.done) as f64;
        log.progress(done / (done + counts.live() as f64).max(1.0));
        if counts.ready + counts.running == 0 || circuit_open(dir) {
            return Ok(true);
        }
        if !WorkerLock::is_held(dir)? {
            return Ok(false);
        }
        thread::sleep(LOOK);
    }
}

fn circuit_open(dir: &DataDir) -> bool {
    matches!(Report::read(&dir.breaker()), Report::Known(document) if document.state == Kind::Open)
}
