//! What tasks say of what they did.

use std::fmt::Display;
use std::path::Path;

use crate::core::settings::names;
use crate::core::words::RECONCILE_ALL;
use crate::core::words::format::{count, span};

/// Clear Queue.
pub fn cleared(jobs: u64, running: u64) -> String {
    let jobs = match (jobs, running) {
        (0, 0) => return "The queue was empty: nothing to clear".to_owned(),
        (0, _) => return "No change was waiting; running ones are not interrupted".to_owned(),
        (n, _) => count(n, "waiting change", "waiting changes"),
    };
    match running {
        0 => format!("Cleared {jobs}"),
        _ => format!("Cleared {jobs}; running ones are not interrupted"),
    }
}

/// Nothing can be thrown away.
pub fn nothing_cleared(why: impl Display) -> String {
    format!("Nothing was cleared: {why}. Then run this task again")
}

/// What helps against a queue that was cleared by mistake.
pub fn cleared_changes() -> String {
    format!(
        "The changes themselves are still in Stash: to send one, save it again; to queue all that Plex lacks, run {RECONCILE_ALL}"
    )
}

/// Clear Failed Changes, or those of a certain age.
pub fn deleted(jobs: u64, older_than_days: Option<u32>, left: u64) -> String {
    let older = older_than_days.map_or_else(String::new, |days| {
        format!(" older than {}", count(days.into(), "day", "days"))
    });
    let deleted = match jobs {
        0 if older_than_days.is_none() => {
            "No failed change is listed: nothing to delete".to_owned()
        }
        0 => format!("No failed change is{older}: nothing to delete"),
        n => format!(
            "Deleted {}{older}",
            count(n, "failed change", "failed changes")
        ),
    };
    match left {
        0 => deleted,
        n => format!("{deleted}; {} kept", count(n, "newer one", "newer ones")),
    }
}

/// Clear Match Cache.
pub fn forgotten_matches(items: u64) -> String {
    match items {
        0 => "No Plex item is on record: nothing to clear".to_owned(),
        n => format!(
            "Forgot the scenes of {}; each is looked up again when you save it. Nothing changes in Plex. To look up all of them \
             now, run {RECONCILE_ALL}",
            count(n, "Plex item", "Plex items")
        ),
    }
}

/// Any server may be the right one.
pub fn forgotten_server() -> String {
    format!(
        "The next Plex server that answers at the {} is taken for the right one",
        names::of("plex_url")
    )
}

/// Retry Failed Changes: all of them, or some.
pub fn queued_again(jobs: u64, all: bool, left: u64) -> String {
    let queued = match (jobs, all && left == 0) {
        (0, true) => "No failed change is listed: nothing to try again".to_owned(),
        (0, false) => "No such failed change: nothing to try again".to_owned(),
        (n, _) => format!(
            "{} queued again",
            count(n, "failed change", "failed changes")
        ),
    };
    match left {
        0 => queued,
        n => format!(
            "{queued}; {} left",
            count(n, "failed change", "failed changes")
        ),
    }
}

/// Process Queue begins.
pub fn waiting(jobs: u64, failed: u64) -> String {
    match (jobs, failed) {
        (0, 0) => "No change is waiting: nothing to do".to_owned(),
        (0, n) => format!(
            "No change is waiting: nothing to do. {}; View Queue Status says what to do",
            count(n, "change has failed", "changes have failed")
        ),
        (n, _) => count(n, "change waits", "changes wait"),
    }
}

/// Process Queue has ended.
pub fn processed(done: u64, failed: u64, waiting: u64) -> String {
    let done = count(done, "change", "changes");
    format!("Since this task began: {done} done, {failed} failed, {waiting} still waiting")
}

/// What is left is in good hands.
pub fn goes_on(log: &Path) -> String {
    let log = log.display();
    format!(
        "The background worker goes on with what waits: the task View Queue Status shows the progress, {log} the details"
    )
}

/// What came of a task so far. Saves that come meanwhile are in these figures too.
pub fn since(
    writes: bool,
    synced: u64,
    skipped: u64,
    failed: u64,
    waiting: u64,
    tasks: u64,
) -> String {
    let waiting = match tasks {
        0 => waiting.to_string(),
        n => format!(
            "{} and {}",
            count(waiting, "change", "changes"),
            count(n, "task", "tasks")
        ),
    };
    // Where there was nothing to do, a scene is synced.
    let skipped = match (skipped, writes) {
        (n, false) if n > 0 => format!("{n} skipped ({} is off), ", names::of("sync_master")),
        _ => String::new(),
    };
    let synced = count(synced, "scene", "scenes");
    format!("Since this task began: {synced} synced, {skipped}{failed} failed, {waiting} waiting")
}

/// Why nothing is found to be written, if so.
pub fn while_off(writes: bool) -> String {
    let name = names::of("sync_master");
    match writes {
        true => String::new(),
        false => format!(" (nothing is to be written while {name} is off)"),
    }
}

/// The task's own job goes on.
pub fn unfinished(task: &str) -> String {
    format!("{task} is not done yet and stays in the queue")
}

/// Nobody works, and nobody knows why.
pub fn no_worker(log: &Path) -> String {
    format!(
        "No background worker is at work; {} may say why. The next change in Stash, or the task Process Queue, starts another",
        log.display()
    )
}

/// The task's own job needs Stash.
pub fn waits_for_stash(task: &str, why: &str) -> String {
    format!(
        "{task} waits in the queue: {why}. It begins when Stash is back; after 15 minutes without Stash, with the next save"
    )
}

/// Nothing moves, and why is known.
pub fn stalled_over(why: impl Display) -> String {
    format!("Nothing has moved for a minute: {why}")
}

/// A worker is there, and nothing comes of it.
pub fn stalled(log: &Path) -> String {
    format!(
        "Nothing has moved for a minute; the task Health Check, or {}, may say why. The background worker goes on as soon as it \
         can",
        log.display()
    )
}

/// Watching has an end.
pub fn watched(seconds: f64) -> String {
    let time = span(seconds);
    format!(
        "This task stops showing progress after {time} (watch_time); the work goes on in the background"
    )
}

/// Retry Changes of Last Outage in the first outage of all.
pub const OUTAGE_GOES_ON: &str = "the outage is not over. What waits is sent by itself when it is; for what has failed, run this task again then";

/// Retry Changes of Last Outage without an outage.
pub const NO_OUTAGE: &str = "No outage has ended yet: nothing to recover";

/// What failed in an outage.
pub fn failed_in(outage: impl Display, jobs: u64) -> String {
    match jobs {
        0 => format!(
            "No failed change of the outage of {outage} is left to queue again; Retry Failed Changes is for all others"
        ),
        n => format!(
            "Outage of {outage}: {} failed in it, or shortly before",
            count(n, "change", "changes")
        ),
    }
}

/// What became of them.
pub fn recovered(again: u64, left: &str) -> String {
    format!("{} queued again, {left}", count(again, "change", "changes"))
}

/// Nobody knows when the outage was.
pub fn outages_unknown(why: &str) -> String {
    format!(
        "circuit_breaker.json, which names the outage, cannot be read: {why}. The task Retry Failed Changes tries all failed changes again"
    )
}

/// Why nothing may be put back.
pub fn nothing_recovered(why: impl Display) -> String {
    format!("Nothing recovered: {why}")
}

/// Plex would let them fail again.
pub fn not_healthy(report: impl Display, hint: &str) -> String {
    format!("Plex is not healthy ({report}). What to do: {hint} Then run this task again")
}

/// Nobody knows whether Plex would.
pub fn not_checked(why: &str) -> String {
    format!("Plex was not checked: {why}. Then run this task again")
}

/// There was none.
pub const WORKER_STARTED: &str = "Worker: was not running; it is started now";
