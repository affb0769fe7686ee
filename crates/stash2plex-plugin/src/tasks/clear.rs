//! The tasks that throw something away. Each is one transaction of the queue, so a worker at it is never in the way.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queue::{DeadFilter, Options, Queue};
use serde_json::{Value, json};
use stash::protocol::ServerConnection;

use super::Failure;
use crate::data_dir::DataDir;
use crate::job::Job;
use crate::settings::names;
use crate::status::render::{Line, info};
use crate::status::words::count;
use crate::{home, ledger, store};

type Shown = (Vec<Line>, Value);

/// Clear Queue: what nobody works on yet.
pub fn queue(connection: &ServerConnection) -> Result<Shown, Failure> {
    let (cleared, running) = match open(connection)? {
        None => (0, 0),
        Some(mut queue) => (queue.clear()?, queue.counts()?.running),
    };
    let mut lines = vec![info(match (cleared, running) {
        (0, 0) => "The queue was empty: nothing to clear".to_owned(),
        (0, _) => "No change was waiting; running jobs are not interrupted".to_owned(),
        (_, 0) => format!("Cleared {}", waiting(cleared)),
        _ => format!(
            "Cleared {}; running jobs are not interrupted",
            waiting(cleared)
        ),
    })];
    if cleared > 0 {
        lines.push(info(
            "The changes themselves are still in Stash: run Reconcile All Scenes to queue what Plex lacks of them",
        ));
    }
    Ok((lines, json!({ "cleared": cleared, "running": running })))
}

/// Clear Dead Letters, or with `days` Purge Old Dead Letters: those that died that long ago.
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
    let older = days.map_or_else(String::new, |days| {
        format!(" older than {}", count(days.into(), "day", "days"))
    });
    let line = match deleted {
        0 if days.is_none() => "No job failed: nothing to delete".to_owned(),
        0 => format!("No failed job is{older}: nothing to delete"),
        _ => format!(
            "Deleted {}{older}",
            count(deleted, "failed job", "failed jobs")
        ),
    };
    let line = match left {
        0 => line,
        _ => format!("{line}; {} kept", count(left, "newer one", "newer ones")),
    };
    let data = json!({ "deleted": deleted, "left": left, "older_than_days": days });
    Ok((vec![info(line)], data))
}

/// Clear Match Cache: which item belongs to which scene.
pub fn matches(connection: &ServerConnection) -> Result<Shown, Failure> {
    let (forgotten, server) = match open(connection)? {
        None => (0, false),
        Some(mut queue) => queue.transaction(|tx| -> queue::Result<_> {
            Ok(match ledger::is_made(tx.sql())? {
                true => (ledger::forget_matches(tx.sql())?, home::forget(tx.sql())?),
                false => (0, false),
            })
        })?,
    };
    let line = match forgotten {
        0 => "No Plex item is on record: nothing to clear".to_owned(),
        _ => format!(
            "Forgot by which file {} found: the next sync looks it up again. Nothing changes in Plex. Reconcile All Scenes \
             does it for all of them now",
            count(forgotten as u64, "Plex item was", "Plex items were")
        ),
    };
    let mut lines = vec![info(line)];
    if server {
        lines.push(info(format!(
            "Forgot which Plex server is the right one: the next that answers at the {} is taken for it",
            names::of("plex_url")
        )));
    }
    Ok((lines, json!({ "forgotten": forgotten })))
}

fn waiting(jobs: u64) -> String {
    count(jobs, "waiting change", "waiting changes")
}

/// The queue, where there is one: nothing is made just to be cleared.
fn open(connection: &ServerConnection) -> Result<Option<Queue<Job>>, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let database = dir.database();
    if !database.try_exists()? {
        return Ok(None);
    }
    let queue = Queue::open(database, Options::producer());
    Ok(Some(queue.map_err(|why| store::words(&dir, &why))?))
}
