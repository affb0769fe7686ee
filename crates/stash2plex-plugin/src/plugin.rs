//! A process that Stash started: one document in, one document out.

use std::io::{Read, Write};
use std::time::Duration;

use queue::{NewJob, Options};
use serde_json::{Value, json};
use stash::protocol::{Log, PluginInput, Reply, ServerConnection, visible};

use crate::data_dir::DataDir;
use crate::job::Job;
use crate::request::Request;
use crate::spawn::Start;
use crate::{spawn, store, tasks};

/// Why a call could not be carried out, in words for the user.
type Failure = Box<dyn std::error::Error>;

/// Answers one call. Stash expects exit code 0 also when the answer is an error.
pub fn run(stdin: impl Read, stdout: impl Write) {
    let log = Log::stderr();
    let reply = match answer(stdin, &log) {
        Ok(output) => Reply::Output(output),
        // Stash logs it.
        Err(why) => Reply::Error(visible(&why.to_string()).into_owned()),
    };
    // Stash drops lines it has not read when the process ends; without lines this returns at once.
    log.linger();
    // When Stash is gone, nobody reads the answer.
    let _ = reply.write_to(stdout);
}

fn answer(stdin: impl Read, log: &Log<std::io::Stderr>) -> Result<Value, Failure> {
    let input = PluginInput::read(stdin)?;
    match Request::of(&input.args)? {
        Request::Ignore => {
            go_on(&input.server_connection);
            Ok(json!("nothing that Plex shows has changed"))
        }
        Request::Record(job) => record(&input.server_connection, job, log),
        Request::Task(task) => {
            let answer = tasks::run(task, &input.server_connection, log);
            go_on(&input.server_connection);
            answer
        }
    }
}

/// A worker may have been killed with work left. What cannot be done here, the next call tries again.
fn go_on(connection: &ServerConnection) {
    let dir = DataDir::locate(&connection.dir);
    let _ = spawn::ensure_work_goes_on(&dir, connection);
}

/// A hundred saves at once on a slow disk take turns; better a slow save than a lost one.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// Stores the job, durably, and makes sure that a worker will do it. No network, no runtime: the
/// user's save waits for this.
fn record(
    connection: &ServerConnection,
    job: Job,
    log: &Log<std::io::Stderr>,
) -> Result<Value, Failure> {
    let dir = DataDir::create(&connection.dir)?;
    let say = |said| log.error(said);
    let options = Options::producer().busy_timeout(LOCK_PATIENCE);
    let words = |why: queue::Error| store::words(&dir, &why);
    let mut queue = store::open(&dir, options, say).map_err(words)?;
    let key = job.key();
    let by_hand = matches!(job, Job::Bulk { .. } | Job::Reconcile(_));
    let new = NewJob::new(job).key(&key).merge(Job::merge);
    if let Err(wrong) = queue.enqueue(new.clone()) {
        queue = store::repair(queue, wrong, say).map_err(words)?;
        queue.enqueue(new).map_err(words)?;
    }
    drop(queue);
    let start = if by_hand {
        Start::Always
    } else {
        Start::IfUseful
    };
    // A hook, for whose end a save waits, says nothing.
    if by_hand {
        log.info(format!(
            "Queued for the background worker: View Queue Status shows the progress, {} the details",
            dir.worker_log().display()
        ));
    }
    Ok(match spawn::ensure_worker(&dir, connection, start) {
        Ok(()) => json!(format!("recorded {key}")),
        Err(why) => {
            let words = format!(
                "the background worker could not be started ({why}); the next change in Stash tries again"
            );
            log.warn(&words);
            json!(format!("recorded {key}; {words}"))
        }
    })
}
