//! Retry Changes of Last Outage: what failed in it goes back into the queue.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use breaker::{Outage, Report, Time};
use queue::{DeadFilter, DeadLetter, Options, Queue};
use serde::Serialize;
use serde_json::Value;
use stash::client::SceneId;
use stash::connection::ServerConnection;

use crate::core::job::Job;
use crate::core::outcome::ErrorKind;
use crate::core::reconcile::instant;
use crate::core::status::Connectivity;
use crate::core::words::format::date;
use crate::core::words::status::{Line, info, warn};
use crate::core::words::tasks as texts;
use crate::daemon::lock;
use crate::storage::data_dir::DataDir;
use crate::storage::{ledger, queue_file};
use crate::tasks::{Failure, status};

/// An outage is felt before the circuit opens: jobs that used up their tries in its first failures
/// belong to it.
const FELT_BEFORE: Duration = Duration::from_secs(300);

/// What became of the dead letters of an outage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Recovery {
    /// When the outage began, in words; `None` when none has ended.
    pub outage: Option<String>,
    /// Why nothing was tried.
    pub refused: Option<String>,
    /// Dead letters of the outage for which Plex was at fault.
    pub found: u64,
    /// Back in the queue.
    pub recovered: u64,
    /// The same job is in the queue already.
    pub already_queued: u64,
    /// The scene was synced after the letter died.
    pub synced_since: u64,
    /// The scene is no longer in Stash.
    pub gone: u64,
    /// The job cannot be read.
    pub unreadable: u64,
    /// Whether a worker will see them at once.
    pub worker: bool,
}

/// Puts them back.
///
/// # Errors
/// The queue cannot be read or written.
pub fn run(connection: &ServerConnection) -> Result<(Vec<Line>, Value), Failure> {
    let recovery = recover(connection)?;
    Ok((lines(&recovery), serde_json::to_value(&recovery)?))
}

fn recover(connection: &ServerConnection) -> Result<Recovery, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let mut recovery = Recovery::default();
    let outages: Vec<_> = match Report::read(&dir.breaker()) {
        Report::Missing => return Ok(recovery),
        Report::Known(document) => {
            let log = document.outage_log(instant(SystemTime::now()));
            log.outages().cloned().collect()
        }
        Report::Corrupted(why) => {
            recovery.refused = Some(texts::outages_unknown(&why));
            return Ok(recovery);
        }
    };
    let Some((outage, from, to)) = last_ended(&outages) else {
        let goes_on = || texts::OUTAGE_GOES_ON.to_owned();
        recovery.refused = outages.last().map(|_| goes_on());
        return Ok(recovery);
    };
    recovery.outage = Some(date(outage.started.unix_seconds()));
    let Some(mut queue) = queue_file::existing(&dir, Options::producer())? else {
        return Ok(recovery);
    };
    let in_outage = DeadFilter::all().died_from(from).died_before(to);
    let mut letters = queue.dead_letters(&in_outage)?;
    letters.retain(|letter| ErrorKind::server_down(&letter.error_type));
    recovery.found = letters.len() as u64;
    if letters.is_empty() {
        return Ok(recovery);
    }
    let jobs = letters.into_iter().filter_map(|letter| {
        let job = serde_json::from_str(&letter.payload).ok()?;
        Some((letter, job))
    });
    let jobs: Vec<_> = jobs.collect();
    recovery.unreadable = recovery.found - jobs.len() as u64;
    let gates = status::runtime()?.block_on(gates(connection, &dir, &jobs));
    let gone = match gates {
        Ok(gone) => gone,
        Err(why) => {
            recovery.refused = Some(why);
            return Ok(recovery);
        }
    };
    for (letter, job) in &jobs {
        if job.scene().is_some_and(|id| gone.contains(&id)) {
            recovery.gone += 1;
        } else if synced_since(&queue, job, letter.died) {
            recovery.synced_since += 1;
        } else {
            // Whether the key is taken is asked and answered in one transaction.
            let redriven = queue.redrive(&DeadFilter::all().job(letter.id))?;
            recovery.recovered += redriven.jobs;
            recovery.already_queued += redriven.skipped;
        }
    }
    recovery.worker = lock::is_at_work(&dir.worker_lock());
    Ok(recovery)
}

/// The last outage that is over, and when its dead letters died.
fn last_ended(outages: &[Outage]) -> Option<(&Outage, SystemTime, SystemTime)> {
    let ended: Vec<_> = outages.iter().filter(|one| one.ended.is_some()).collect();
    let (outage, earlier) = ended.split_last()?;
    let before = earlier.last().and_then(|before| before.ended);
    let felt = system(outage.started).checked_sub(FELT_BEFORE);
    let from = system(before.unwrap_or(Time::ZERO)).max(felt.unwrap_or(UNIX_EPOCH));
    // The queue counts in milliseconds.
    let to = system(outage.ended?) + Duration::from_millis(1);
    Some((outage, from, to))
}

fn system(time: Time) -> SystemTime {
    let since = Duration::from_micros(time.unix_micros());
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

/// Which scenes are gone from Stash, once Plex is known to be healthy; or why nothing may be put
/// back.
async fn gates(
    connection: &ServerConnection,
    dir: &DataDir,
    jobs: &[(DeadLetter, Job)],
) -> Result<BTreeSet<u64>, String> {
    let (client, told) = status::settings(connection).await;
    let Some(client) = client else {
        return Err(status::unread(told.reading));
    };
    match status::plex(told.settings.as_ref(), dir).await {
        healthy if healthy.is_healthy() => {}
        Connectivity::Yes { report, hint, .. } => return Err(texts::not_healthy(report, hint)),
        Connectivity::No { why } => return Err(texts::not_checked(&why)),
    }
    let ids: BTreeSet<_> = jobs.iter().filter_map(|(_, job)| job.scene()).collect();
    let ids: Vec<_> = ids.into_iter().map(SceneId).collect();
    let found = client.find_scenes(&ids).await;
    let gone = found.map_err(|why| why.to_string())?.missing;
    Ok(gone.into_iter().map(|id| id.0).collect())
}

/// Whether a later job has done what this one failed to do.
fn synced_since(queue: &Queue<Job>, job: &Job, died: SystemTime) -> bool {
    let Job::Scene { id, .. } = job else {
        return false;
    };
    // Only the worker makes the ledger; without one, nothing was synced.
    let synced = ledger::synced_at(queue.sql(), *id).ok().flatten();
    synced.is_some_and(|at| UNIX_EPOCH + Duration::from_millis(at.max(0).unsigned_abs()) > died)
}

/// The counts in words.
fn lines(recovery: &Recovery) -> Vec<Line> {
    let Some(outage) = &recovery.outage else {
        return vec![match &recovery.refused {
            None => info(texts::NO_OUTAGE),
            Some(why) => warn(texts::nothing_recovered(why)),
        }];
    };
    let mut lines = vec![info(texts::failed_in(outage, recovery.found))];
    if let Some(why) = &recovery.refused {
        lines.push(warn(texts::nothing_recovered(why)));
        return lines;
    }
    if recovery.found == 0 {
        return lines;
    }
    let left = [
        ("already queued", recovery.already_queued),
        ("synced since", recovery.synced_since),
        ("no longer in Stash", recovery.gone),
        ("unreadable", recovery.unreadable),
    ];
    let left = left.map(|(why, n)| format!("{n} {why}"));
    lines.push(info(texts::recovered(recovery.recovered, &left.join(", "))));
    if recovery.recovered > 0 && !recovery.worker {
        lines.push(info(texts::WORKER_STARTED));
    }
    lines
}
