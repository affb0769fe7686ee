//! The tasks that throw something away. Each is one transaction of the queue, so a worker at it is never in the way.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queue::{DeadFilter, Options, Queue};
use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::console::Failure;
use crate::core::job::Job;
use crate::core::words::status::{Line, info};
use crate::core::words::tasks as texts;
use crate::storage::data_dir::DataDir;
use crate::storage::{ledger, plex_server, queue_file};

type Shown = (Vec<Line>, Value);

/// Clear Queue: what nobody works on yet.
pub fn queue(connection: &ServerConnection) -> Result<Shown, Failure> {
    let (cleared, running) = match open(connection)? {
        None => (0, 0),
        Some(mut queue) => (queue.clear()?, queue.counts()?.running),
    };
    let mut lines = vec![info(texts::cleared(cleared, running))];
    if cleared > 0 {
        lines.push(info(texts::CLEARED_CHANGES));
    }
    Ok((lines, json!({ "cleared": cleared, "running": running })))
}

/// Clear Failed Changes, or with `days` Clear Old Failed Changes: those that failed that long ago.
pub fn dead(connection: &ServerConnection, days: Option<u32>) -> Result<Shown, Failure> {
    let filter = match days {
        None => DeadFilter::all(),
        Some(days) => {
            let age = Duration::from_secs(u64::from(days) * 24 * 3600);
            let then = SystemTime::now().checked_sub(age).unwrap_or(UNIX_EPOCH);
            DeadFilter::all().died_before(then)
        }
    };
    let (deleted, left) = match open(connection)? {
        None => (0, 0),
        Some(mut queue) => (queue.purge(&filter)?, queue.counts()?.dead),
    };
    let line = texts::deleted(deleted, days, left);
    let data = json!({ "deleted": deleted, "left": left, "older_than_days": days });
    Ok((vec![info(line)], data))
}

/// Clear Match Cache: which item belongs to which scene.
pub fn matches(connection: &ServerConnection) -> Result<Shown, Failure> {
    let (forgotten, server) = match open(connection)? {
        None => (0, false),
        Some(mut queue) => queue.transaction(|tx| -> queue::Result<_> {
            Ok(match ledger::is_made(tx.sql())? {
                true => (
                    ledger::forget_matches(tx.sql())?,
                    plex_server::forget(tx.sql())?,
                ),
                false => (0, false),
            })
        })?,
    };
    let mut lines = vec![info(texts::forgotten_matches(forgotten as u64))];
    if server {
        lines.push(info(texts::forgotten_server()));
    }
    Ok((lines, json!({ "forgotten": forgotten })))
}

/// The queue, where there is one: nothing is made just to be cleared.
fn open(connection: &ServerConnection) -> Result<Option<Queue<Job>>, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let database = dir.database();
    if !database.try_exists()? {
        return Ok(None);
    }
    let queue = Queue::open(database, Options::producer());
    Ok(Some(queue.map_err(|why| {
        texts::nothing_cleared(queue_file::words(&dir, &why))
    })?))
}
