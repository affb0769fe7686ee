//! What a worker says of itself, of Plex, and of the settings it works with.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use crate::core::scheduler::End;
use crate::core::words::format::count;

/// It begins.
pub fn started(version: &str) -> String {
    format!("worker {version} started")
}

/// It ends, for this reason.
pub fn ends(why: impl Display) -> String {
    format!("worker ends: {why}")
}

/// Why it ends.
pub fn end(end: End) -> &'static str {
    match end {
        End::Idle => "nothing left to do; the next change in Stash starts another",
        End::Stopped => "asked to stop; the next change in Stash starts another",
        End::SessionRefused => {
            "Stash, or a proxy in front of it, refuses the login that this plugin has: a session ends after an hour, an API key when another is made. \
             Changes wait for the next save or task. If Stash has no API key yet, generate one (Settings › Security): they do not wait then"
        }
        End::StashGone => {
            "Stash has been unreachable for 15 minutes; the next change in Stash starts another"
        }
        End::Replaced => "the plugin was updated or removed",
        End::Removed => "its files were removed; the next change in Stash makes new ones",
    }
}

/// The same, when a save has brought another login.
pub const LOGIN_HAD_ENDED: &str = "Changes waited until this save, since Stash, or a proxy in front of it, refused the login of before: a session ends after an \
                                   hour, an API key when another is made. If Stash has no API key yet, generate one (Settings › Security): they do not \
                                   wait then";

/// There can be none.
pub fn not_started(why: impl Display) -> String {
    format!(
        "the background worker could not be started ({why}); the next change in Stash tries again"
    )
}

/// The new version of the program cannot be started.
pub fn not_handed_over(why: impl Display) -> String {
    format!("the new version could not be started ({why}); the next change in Stash tries again")
}

/// The disk, or what lies on it, does not let it work.
pub fn tries_again(why: impl Display) -> String {
    format!("{why}. The worker tries again until that works")
}

/// Stash does not let it begin.
pub fn tries_for_a_while(why: impl Display) -> String {
    format!("{why}. The worker tries again for 15 minutes; after that the next save starts another")
}

/// The timetable begins a run.
pub fn reconciliation_due(reach: &str) -> String {
    format!("reconciliation is due: {reach}")
}

/// Old failed jobs are gone.
pub fn purged(jobs: u64, days: u32) -> String {
    format!(
        "deleted {} that failed more than {} ago",
        count(jobs, "change", "changes"),
        count(days.into(), "day", "days")
    )
}

/// Other settings are in force.
pub const SETTINGS_CHANGED: &str = "settings changed";

/// Settings were changed that may have kept the circuit open.
pub const TRIED_ANEW: &str = "Plex is tried with the new settings now";

/// Another Plex, or another user of it.
pub const PLEX_ELSEWHERE: &str = "Plex address or token was changed: sending begins anew";

/// Settings were changed for which jobs had failed.
pub fn corrected(jobs: u64) -> String {
    format!(
        "the settings were changed: {} tried again now",
        count(jobs, "change is", "changes are")
    )
}

/// No token is set, and none is needed.
pub const WITHOUT_TOKEN: &str = "Plex is asked without a token, since none is set";

/// The circuit's file cannot be read.
pub fn circuit_damaged(kept: &Path) -> String {
    let kept = kept.display();
    format!(
        "circuit_breaker.json was damaged and is kept as {kept}; sending to Plex goes on, and you need do nothing"
    )
}

/// A probe passed.
pub fn probe_passed(took: Duration) -> String {
    let ms = took.as_millis();
    format!("probe of Plex passed ({ms} ms): one change is sent as a test when the pause ends")
}

/// A probe failed.
pub fn probe_failed(nth: u32, why: impl Display, next: Duration) -> String {
    let next = next.as_secs_f64();
    format!("probe {nth} of Plex failed: {why}; next in {next:.1} s")
}

/// A probe passed, and that is enough.
pub const FAST_RECOVERY: &str = "fast_recovery is on: one change is sent as a test now";

/// A gradual restart begins.
pub fn ramp_begins(rate: f64) -> String {
    format!("sending slowly after the outage: {rate:.0} changes a second, rising")
}

/// A gradual restart has ended.
pub const RAMP_OVER: &str = "sending at full speed again";

/// Stash answers again.
pub const STASH_BACK: &str = "Stash is back";

/// Plex refuses, for this reason: for Stash's log.
pub fn refused(why: &str) -> String {
    format!("{why}. Sending to Plex is paused, and changes are kept")
}

/// Plex has been away for long: for Stash's log.
pub fn long_away(why: &str, waiting: u64) -> String {
    let waiting = match waiting {
        0 => "No change is waiting".to_owned(),
        1 => "1 change is waiting and is sent by itself when Plex is back".to_owned(),
        n => format!("{n} changes are waiting and are sent by themselves when Plex is back"),
    };
    format!(
        "Plex has been away for ten minutes ({why}). {waiting}; the task Health Check says what to do"
    )
}

/// So many jobs have failed, the newest so: for Stash's log.
pub fn jobs_failed(jobs: u64, newest: &str) -> String {
    match jobs {
        1 => format!("An earlier change failed: {newest}"),
        n => format!(
            "{n} changes have failed and were not sent to Plex; View Queue Status lists them. The newest: {newest}"
        ),
    }
}

/// Renamed settings have their names again.
pub const NAMES_RESTORED: &str = "Stash had renamed settings of this plugin in an update (plexUrl for plex_url, for example). They \
                                  are stored under their names again";

/// Renamed settings could not be given their names again.
pub fn names_not_restored(why: impl Display) -> String {
    format!(
        "Stash has renamed settings of this plugin (plexUrl for plex_url, for example). They are read all the same, but its \
         settings page does not show them: {why}"
    )
}

/// A release that renames settings whatever one does.
pub fn names_lost(version: &str) -> String {
    format!(
        "Stash {version} renames settings of this plugin (plexUrl for plex_url, for example). They are read all the same; its \
         settings page shows their fields empty. From 0.26 on Stash keeps the names"
    )
}
