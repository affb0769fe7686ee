//! The tasks that throw something away. Each is one transaction of the queue, so a worker at it is
//! never in the way.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queue::{DeadFilter, Options, Queue};
use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::console::Failure;
use crate::core::job::Job;
use crate::core::words::status::{Line, info};
use crate::core::words::tasks as texts;
use crate::storage::data_dir::DataDir;
use crate::storage::notices::{self, Topic};
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
        lines.push(info(texts::cleared_changes()));
    }
    Ok((lines, json!({ "cleared": cleared, "running": running })))
}

/// Clear Failed Changes, or with `days` Clear Old Failed Changes: those that failed that long ago.
pub fn dead(connection: &ServerConnection, days: Option<u32>) -> Result<Shown, Failure> {
    let mut filter = DeadFilter::all();
    if let Some(days) = days {
        let age = Duration::from_hours(24) * days;
        filter = filter.died_before(SystemTime::now().checked_sub(age).unwrap_or(UNIX_EPOCH));
    }
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
            let db = tx.sql();
            Ok(match ledger::is_made(db)? {
                true => {
                    // It may have told of the server that is no longer expected.
                    notices::clear(db, Topic::Plex)?;
                    (ledger::forget_matches(db)?, plex_server::forget(db)?)
                }
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
    let queue = queue_file::existing(&dir, Options::producer());
    Ok(queue.map_err(texts::nothing_cleared)?)
}
