//! The status in words. Pure.

use crate::console::Level;
use crate::core::reconcile::Report;
use crate::core::settings::{Fault, names};
use crate::core::status::{LeftOut, PathHint, Seen, SettingsStatus, Status, Totals, Worker};
use crate::core::words::format::{count, date, span};
use crate::core::words::next_step;
use crate::core::words::{self, settings as in_words};

mod jobs;
mod plex;
mod sending;

pub(crate) use plex::of_token;
pub use sending::outages;

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// A warning is something a person may want to change.
    pub level: Level,
    /// The words.
    pub text: String,
}

pub(crate) fn info(text: impl Into<String>) -> Line {
    Line {
        level: Level::Info,
        text: text.into(),
    }
}

pub(crate) fn warn(text: impl Into<String>) -> Line {
    Line {
        level: Level::Warning,
        text: text.into(),
    }
}

/// Nothing can be recorded, or others may look into what is.
pub fn data_folder(why: &str) -> Line {
    warn(format!("Data folder: {why}"))
}

/// How many outages Queue Status shows.
const RECENT: usize = 3;

/// Health Check.
pub fn health(status: &Status) -> Vec<Line> {
    // What matters first: what keeps everything from being sent, then what is wrong besides, then
    // how things are.
    let mut lines = settings(status.settings.as_ref());
    // That others may read a folder is of no use to whoever cannot write to it.
    let folder = status.unwritable.as_ref().or(status.exposed.as_ref());
    lines.extend(folder.map(|why| data_folder(why)));
    lines.extend(status.damage.as_ref().map(warn));
    lines.extend(sending::sending(status));
    let lacks = |key| faults(status).any(|fault| fault.blocks && fault.key == key);
    let plex = status.plex.as_ref();
    let plex = plex.map(|plex| plex::lines(plex, lacks("plex_token")));
    lines.extend(plex.into_iter().flatten());
    lines.extend(sending::outlook(status));
    lines.push(jobs::counts(status));
    lines.extend(jobs::trouble(
        &status.queue,
        status.circuit.holds_jobs(),
        status.taken_at,
    ));
    lines.extend(left_alone(status));
    lines.extend(status.left_out.iter().map(left_out));
    lines.extend(status.path_hints.iter().map(path_hint));
    lines.extend(held(status));
    lines.push(worker(status));
    // What is to be entered, or turned on, is said above.
    let is_readable =
        !matches!(status.queue, Seen::Unreadable { .. }) && status.unwritable.is_none();
    let step = status
        .next_step
        .filter(|step| is_readable && !step.is_a_setting() && !has_tasks(status));
    lines.extend(step.map(|step| info(next_step::next_step(step))));
    lines
}

/// Whether a person has started something that is not done: it may be the next step.
fn has_tasks(status: &Status) -> bool {
    matches!(&status.queue, Seen::Known(queue) if queue.tasks > 0)
}

fn faults(status: &Status) -> impl Iterator<Item = &Fault> {
    let done = match &status.settings {
        Some(SettingsStatus::Done { faults, .. }) => faults.as_slice(),
        _ => &[],
    };
    done.iter()
}

/// Nothing while there is work: it may be theirs.
fn left_alone(status: &Status) -> Option<Line> {
    let is_idle = matches!(&status.queue, Seen::Known(queue) if queue.live() == 0);
    let is_told = is_idle && !is_read_only(status);
    (is_told && status.never_synced > 0).then(|| info(words::never_synced(status.never_synced)))
}

/// View Queue Status.
pub fn queue(status: &Status) -> Vec<Line> {
    let now = status.taken_at;
    let mut lines = vec![jobs::counts(status)];
    lines.extend(status.unwritable.as_deref().map(data_folder));
    lines.extend(status.damage.as_ref().map(warn));
    if let Seen::Known(queue) = &status.queue {
        lines.extend(jobs::listed(queue, status.circuit.holds_jobs(), now));
    }
    lines.extend(status.totals.as_ref().map(totals));
    lines.extend(left_alone(status));
    lines.extend(status.left_out.iter().map(left_out));
    lines.extend(status.path_hints.iter().map(path_hint));
    lines.extend(held(status));
    lines.extend(sending::sending(status));
    lines.extend(settings(status.settings.as_ref()));
    // The worker probes only while the circuit is open.
    // A probe asks for no library, so that one which passes would seem to say the opposite.
    let lacks_libraries = status.circuit.reason() == Some("no_library");
    let probe = status
        .last_probe
        .filter(|_| status.circuit.holds_jobs() && !lacks_libraries);
    if let Some(probe) = probe {
        let result = match probe.failures {
            0 => "answered",
            _ => "did not answer as it should",
        };
        lines.push(info(format!(
            "When Plex was last asked how it is, {} ago, it {result}",
            span(now - probe.at)
        )));
    }
    if let Some(ramp) = &status.ramp {
        lines.push(sending::ramp(ramp, now));
    }
    if let Some(outages) = &status.outages {
        // Of one that goes on, the circuit tells.
        let over = outages.last.iter().filter(|one| one.ended.is_some());
        lines.extend(over.take(RECENT).map(|one| sending::outage(one, now)));
    }
    lines.push(info(match &status.last_reconciliation {
        None if matches!(status.queue, Seen::Unreadable { .. }) => {
            "Last reconciliation: not known".to_owned()
        }
        None => "Last reconciliation: none yet".to_owned(),
        Some(run) => {
            // What was left alone then may have been written since.
            let report = Report {
                left_alone: run.report.left_alone.min(status.never_synced),
                ..run.report
            };
            format!(
                "Last reconciliation: {} ago, {}: {}",
                span(now - run.ended as f64),
                run.reach.words(),
                report.words(),
            ) + &words::tasks::while_off(!is_read_only(status))
        }
    }));
    lines.push(worker(status));
    lines
}

fn totals(totals: &Totals) -> Line {
    info(format!(
        "Since {}: {} and {} (a scene counts each time)",
        date(totals.since),
        count(totals.synced, "sync", "syncs"),
        count(totals.failed, "failure", "failures")
    ))
}

fn left_out(left_out: &LeftOut) -> Line {
    let LeftOut {
        scenes,
        newest,
        reason,
    } = left_out;
    let named: Vec<_> = newest.iter().map(u64::to_string).collect();
    let (named, more) = (named.join(", "), scenes.saturating_sub(newest.len() as u64));
    info(match (scenes, more) {
        (1, _) => format!("Left out of scene {named}: {reason}"),
        (n, 0) => format!("Left out of {n} scenes ({named}): {reason}"),
        (n, more) => format!("Left out of {n} scenes ({named} and {more} more): {reason}"),
    })
}

fn path_hint(hint: &PathHint) -> Line {
    info(match &hint.rule {
        Some(rule) => format!(
            "{}. Add it, after a semicolon where the field is not empty, or run the task Find Path Map, which looks at all scenes",
            next_step::suggested(rule, hint.scenes)
        ),
        None => next_step::suggested_hidden(hint.scenes),
    })
}

fn is_read_only(status: &Status) -> bool {
    matches!(
        status.settings,
        Some(SettingsStatus::Done { writes: false, .. })
    )
}

/// What keeps waiting changes from being sent, after a task that queued some; nothing where nothing
/// waits, but that what counts as done was not written.
pub fn held_up(status: &Status) -> Vec<Line> {
    let now = status.taken_at;
    let mut lines = Vec::from_iter(is_read_only(status).then(|| warn(in_words::read_only())));
    lines.extend(status.left_out.iter().map(left_out));
    if let Seen::Known(queue) = &status.queue
        && queue.live() > 0
    {
        if let Some(SettingsStatus::Failed { .. }) = status.settings {
            lines.extend(settings(status.settings.as_ref()));
        }
        let holds = status.circuit.holds_jobs();
        lines.extend(sending::sending(status).filter(|_| holds));
        lines.extend(jobs::tried(queue, holds, now));
        lines.extend(jobs::looks(queue));
        lines.extend(status.ramp.as_ref().map(|one| sending::ramp(one, now)));
    }
    lines
}

fn settings(settings: Option<&SettingsStatus>) -> Vec<Line> {
    match settings {
        None => Vec::new(),
        Some(SettingsStatus::Failed { why }) => {
            vec![warn(format!("Settings: not known: {why}"))]
        }
        Some(SettingsStatus::Done {
            enabled,
            writes,
            session_only,
            faults,
        }) => {
            let off = (!enabled).then(|| warn(in_words::paused()));
            let read_only = (!writes).then(|| warn(in_words::read_only()));
            let session = session_only.then(|| {
                warn(
                    "Login: Stash asks for a password and has no API key. When the session of the last save ends (after an hour \
                     by default), changes wait for the next save. Generate an API key under Settings › Security; you need do \
                     nothing else",
                )
            });
            let blocks = faults.iter().any(|fault| fault.blocks);
            let mut lines = Vec::from_iter(blocks.then(|| warn(next_step::blocks(faults))));
            lines.extend(off.into_iter().chain(read_only).chain(session));
            let harmless = faults.iter().filter(|fault| !fault.blocks);
            lines.extend(harmless.map(|fault| warn(next_step::harmless(fault))));
            lines
        }
    }
}

/// The warning that jobs wait for Plex.
fn held(status: &Status) -> Option<Line> {
    let Seen::Known(queue) = &status.queue else {
        return None;
    };
    (queue.live() > 0 && status.circuit.holds_jobs()).then(|| {
        warn(format!(
            "{} until sending to Plex goes on; none is lost",
            jobs::kept(queue)
        ))
    })
}

fn worker(status: &Status) -> Line {
    let enabled = !matches!(
        &status.settings,
        Some(SettingsStatus::Done { enabled: false, .. })
    );
    let is_blocked = matches!(&status.settings, Some(SettingsStatus::Done { faults, .. })
        if faults.iter().any(|fault| fault.blocks));
    let is_idle = match &status.queue {
        Seen::Known(queue) => queue.live() == 0,
        Seen::Missing => true,
        Seen::Unreadable { .. } => false,
    };
    match &status.worker {
        Worker::Running => info("Worker: running"),
        _ if status.unwritable.is_some() => {
            info("Worker: not running, and none can work before that is corrected")
        }
        _ if is_idle => info(
            "Worker: not running, since there is nothing to do; the next change in Stash starts one",
        ),
        _ if !enabled => info(format!(
            "Worker: not running, since {name} is off. Once it is on, the next change in Stash starts one, or the task Process \
             Queue",
            name = names::of("enabled")
        )),
        _ if is_blocked => info(
            "Worker: not running, since the settings keep changes from being sent. Once they are corrected, the next change in \
             Stash starts one, or the task Process Queue",
        ),
        _ if matches!(status.queue, Seen::Unreadable { .. }) => info(
            "Worker: not running; the next change in Stash starts one, or the task Process Queue",
        ),
        Worker::LoggedOut => warn(
            "Worker: not running, since Stash, or a proxy in front of it, refuses the login that it had: a session ends after an hour, an API \
             key when another is made. Changes wait for the next save or task. If Stash has no API key yet, generate one (Settings › \
             Security): they do not wait then",
        ),
        Worker::NotRunning => warn(
            "Worker: not running though changes wait. One is started now for what is due; else the next change in Stash starts one, \
             or the task Process Queue",
        ),
    }
}
