//! Process Queue: the worker is started and followed for as long as it has something to do at once.

use std::io::Stderr;
use std::time::SystemTime;

use serde_json::{Value, json};
use stash::protocol::{Log, ServerConnection};

use super::Failure;
use super::watch::{End, Mark, Watch};
use crate::data_dir::DataDir;
use crate::ledger;
use crate::reconcile::unix_millis;
use crate::spawn::{self, Start};
use crate::standstill::Standstill;
use crate::texts::tasks as texts;
use crate::worker::ASKED_KEY;
use crate::{catch_up, store};

/// Ends when nothing more can be done at once: the queue is empty, or its jobs wait for their time or for a server.
///
/// # Errors
/// The queue cannot be read, or there can be no worker.
pub fn run(connection: &ServerConnection, log: &Log<Stderr>) -> Result<Value, Failure> {
    let dir = DataDir::create(&connection.dir)?;
    // Made when missing, so that the first task of a new installation finds an empty queue.
    let queue = store::open(&dir, queue::Options::producer(), |said| log.error(said))
        .map_err(|why| store::words(&dir, &why))?;
    let (mark, before) = (Mark::of(&queue)?, queue.counts()?.live());
    log.info(texts::waiting(before));
    // A person may have changed a setting, whether there is a worker or not.
    Standstill::end(&dir);
    let now = unix_millis(SystemTime::now()).to_string();
    // Without its tables no worker has ever read a setting.
    let _ = ledger::set_meta(queue.sql(), ASKED_KEY, &now);
    drop(queue);
    catch_up::note(&dir);
    spawn::ensure_worker(&dir, connection, Start::Always)?;
    let watch = Watch {
        dir: &dir,
        log,
        mark,
    };
    let end = match before {
        0 => End::NothingDue,
        _ => watch.follow(None, |_| Ok(true))?,
    };
    if let End::Standstill(why) = end {
        return Err(why.into());
    }
    let since = watch.since()?;
    let waiting = since.counts.live();
    log.progress(1.0);
    log.info(texts::processed(since.done, since.failed, waiting));
    if waiting > 0 {
        match end {
            End::CircuitOpen => log.warn(texts::PAUSED),
            End::NoWorker => log.warn(texts::NO_WORKER),
            End::Stalled => log.warn(texts::STALLED),
            End::NothingDue | End::Standstill(_) | End::TimeUp => log.info(texts::GOES_ON),
        }
    }
    Ok(json!({ "done": since.done, "failed": since.failed, "waiting": waiting }))
}
