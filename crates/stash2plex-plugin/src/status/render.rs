//! The status in words. Pure.

use std::fmt::Write;

use stash::protocol::Level;

use super::words::{self, count, date, span};
use super::{
    Circuit, Connectivity, OutageEntry, Outages, QueueStatus, Searched, Seen, SettingsStatus,
    Status, Worker,
};

use crate::outcome::ErrorKind;

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

/// How many outages Queue Status shows.
const RECENT: usize = 3;

/// Health Check.
pub fn health(status: &Status) -> Vec<Line> {
    let mut lines = vec![circuit(&status.circuit, status.taken_at)];
    lines.extend(settings(status.settings.as_ref()));
    lines.extend(status.plex.as_ref().into_iter().flat_map(plex));
    lines.extend(outlook(status));
    let folder = status.unwritable.iter().chain(&status.exposed);
    lines.extend(folder.map(|why| warn(format!("Data folder: {why}"))));
    lines.push(queue_line(&status.queue, status.taken_at));
    lines.extend(held(status));
    lines.extend(worker(status));
    lines
}

/// View Queue Status.
pub fn queue(status: &Status) -> Vec<Line> {
    let now = status.taken_at;
    let mut lines = vec![queue_line(&status.queue, now)];
    if let Seen::Known(queue) = &status.queue {
        lines.extend(queue.dead_by_type.iter().map(|kind| {
            warn(format!(
                "Set aside as {}: {}, the last {} ago. {}",
                kind.error_type,
                kind.count,
                span(now - kind.newest),
                ErrorKind::advice(&kind.error_type)
            ))
        }));
    }
    lines.extend(held(status));
    lines.push(circuit(&status.circuit, now));
    lines.extend(settings(status.settings.as_ref()));
    lines.push(info(match status.last_probe {
        None => "Last probe: none yet; the worker probes only while the circuit is open".to_owned(),
        Some(probe) => {
            let result = match probe.failures {
                0 => "passed".to_owned(),
                n => format!("failed, {n} in a row"),
            };
            format!("Last probe: {} ago, {result}", span(now - probe.at))
        }
    }));
    if let Some(ramp) = &status.ramp {
        lines.push(info(format!(
            "Gentle return: at most {:.1} jobs/s now, full speed in {}",
            ramp.rate,
            span(ramp.ends_at - now)
        )));
    }
    if let Some(outages) = &status.outages {
        lines.extend(outages.last.iter().take(RECENT).map(|one| outage(one, now)));
    }
    lines.push(info(match &status.last_reconciliation {
        None => "Last reconciliation: none yet".to_owned(),
        Some(run) => format!(
            "Last reconciliation: {} ago, {}: {}",
            span(now - run.ended as f64),
            run.reach.words(),
            run.report.words()
        ),
    }));
    lines.extend(worker(status));
    lines
}

/// Outage Summary.
pub fn outages(status: &Status) -> Vec<Line> {
    let now = status.taken_at;
    let Some(outages) = &status.outages else {
        return vec![
            circuit(&status.circuit, now),
            warn("Outages: unknown, since they are kept in that file"),
        ];
    };
    if outages.last.is_empty() {
        return vec![info("Outages: none recorded")];
    }
    let mut lines = vec![figures(outages)];
    lines.extend(outages.last.iter().map(|one| outage(one, now)));
    lines
}

fn figures(outages: &Outages) -> Line {
    let mean = |mean: Option<f64>| mean.map_or_else(|| "not known yet".to_owned(), span);
    info(format!(
        "{} since {}: total downtime {}, availability {:.2} %, mean length (MTTR) {}, \
         mean time between two (MTBF) {}, {}",
        count(outages.last.len() as u64, "outage", "outages"),
        date(outages.since),
        span(outages.downtime),
        outages.availability * 100.0,
        mean(outages.mttr),
        mean(outages.mtbf),
        if outages.ongoing {
            "one is ongoing"
        } else {
            "none is ongoing"
        }
    ))
}

fn outage(outage: &OutageEntry, now: f64) -> Line {
    let jobs = count(outage.jobs_affected, "job", "jobs");
    let reason = words::reason(&outage.reason);
    let since = date(outage.started);
    match outage.ended {
        None => warn(format!(
            "Outage since {since}: ongoing for {}, {jobs} affected ({reason})",
            span(outage.duration)
        )),
        Some(ended) => info(format!(
            "Outage of {since}: {}, {jobs} affected ({reason}), ended {} ago",
            span(outage.duration),
            span(now - ended)
        )),
    }
}

fn circuit(circuit: &Circuit, now: f64) -> Line {
    let ago = |at: &Option<f64>| {
        at.map_or_else(String::new, |at| format!(", opened {} ago", span(now - at)))
    };
    let why = |reason: &Option<String>| {
        reason
            .as_ref()
            .map_or_else(String::new, |word| format!(" ({})", words::reason(word)))
    };
    match circuit {
        Circuit::Closed { failures: 0 } => info("Circuit: CLOSED, jobs go to Plex"),
        Circuit::Closed { failures } => info(format!(
            "Circuit: CLOSED, jobs go to Plex, though {} in a row",
            count(u64::from(*failures), "try failed", "tries failed")
        )),
        Circuit::Open {
            opened_at,
            retry_at,
            reason,
        } => {
            let next = match retry_at {
                Some(at) if *at > now => format!("tries again in {}", span((at - now).ceil())),
                Some(_) => "the next job tries again".to_owned(),
                None => "tries again when its time is over".to_owned(),
            };
            let (ago, why) = (ago(&Some(*opened_at)), why(reason));
            warn(format!("Circuit: OPEN{ago}{why}; {next}"))
        }
        Circuit::HalfOpen { opened_at, reason } => warn(format!(
            "Circuit: HALF_OPEN{}{}; one job is tried and decides",
            ago(opened_at),
            why(reason)
        )),
        Circuit::ForcedOpen { opened_at, reason } => warn(format!(
            "Circuit: OPEN{}{}; a person holds it open, and only a person closes it",
            ago(opened_at),
            why(reason)
        )),
        Circuit::Unknown { why } => warn(format!(
            "Circuit: UNKNOWN, circuit_breaker.json cannot be read: {why}. The next worker sets the file aside and \
             starts CLOSED"
        )),
    }
}

fn settings(settings: Option<&SettingsStatus>) -> Vec<Line> {
    match settings {
        None => Vec::new(),
        Some(SettingsStatus::Failed { why }) => {
            vec![warn(format!("Settings: not read: {why}"))]
        }
        Some(SettingsStatus::Done { enabled, faults }) => {
            let off = "Settings: the sync is turned off; changes are kept until it is on again";
            let off = (!enabled).then(|| warn(off));
            // Each begins with "setting NAME:".
            off.into_iter().chain(faults.iter().map(warn)).collect()
        }
    }
}

fn plex(plex: &Connectivity) -> Vec<Line> {
    match plex {
        Connectivity::No { why } => vec![warn(format!("Plex: not asked, {why}"))],
        Connectivity::Yes {
            report,
            hint: "",
            searched,
        } => {
            let plex = info(format!("Plex: {report}"));
            [Some(plex), searched.as_ref().and_then(libraries)]
                .into_iter()
                .flatten()
                .collect()
        }
        Connectivity::Yes { report, hint, .. } => {
            vec![
                warn(format!("Plex: {report}")),
                warn(format!("What to do: {hint}")),
            ]
        }
    }
}

fn libraries(searched: &Searched) -> Option<Line> {
    Some(warn(match searched {
        Searched::All => return None,
        Searched::Some { why } => {
            format!("Libraries: {why}. Only the others it names are searched until then")
        }
        Searched::None { why } => {
            format!("Libraries: {why}. Jobs wait until then, and none is lost")
        }
        Searched::Unknown { why } => format!("Libraries: Plex did not list them: {why}"),
    }))
}

/// What circuit and Plex mean together, where they disagree.
fn outlook(status: &Status) -> Option<Line> {
    let Some(Connectivity::Yes {
        report, searched, ..
    }) = &status.plex
    else {
        return None;
    };
    match (&status.circuit, report.verdict.is_healthy()) {
        // The circuit will not close, and why not was said.
        _ if matches!(searched, Some(Searched::None { .. })) => None,
        (Circuit::Open { reason, .. } | Circuit::HalfOpen { reason, .. }, true) => {
            Some(info(match reason.as_deref() {
                Some("unauthorized") => {
                    "Plex answers now. If the circuit opens again, the token is not that of the server's owner, who alone \
                     may edit"
                }
                _ => "Plex is back: the circuit closes by itself once a job has succeeded",
            }))
        }
        (Circuit::Closed { .. }, false) => Some(info(
            "The circuit opens by itself once jobs have failed; none is lost",
        )),
        _ => None,
    }
}

fn queue_line(queue: &Seen<QueueStatus>, now: f64) -> Line {
    match queue {
        Seen::Missing => info("Queue: empty, nothing was ever recorded"),
        Seen::Unreadable { why } => warn(format!("Queue: cannot be read: {why}")),
        Seen::Known(queue) => {
            let mut text = format!(
                "Queue: {} pending, {} in flight, ",
                queue.pending, queue.in_flight
            );
            // Writing to a String does not fail.
            let _ = write!(text, "{} waiting for retry", queue.waiting);
            let _ = match queue.earliest_due {
                Some(due) if due > now => {
                    write!(text, " (the first in {})", span((due - now).ceil()))
                }
                Some(_) => write!(text, " (the first is due)"),
                None => Ok(()),
            };
            let _ = write!(text, ", {} dead", queue.dead);
            info(text)
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
            "{} behind the open circuit; nothing is lost, they run when it closes",
            count(queue.live(), "job waits", "jobs wait")
        ))
    })
}

fn worker(status: &Status) -> Vec<Line> {
    let off = matches!(
        status.settings,
        Some(SettingsStatus::Done { enabled: false, .. })
    );
    let idle = !matches!(&status.queue, Seen::Known(queue) if queue.live() > 0);
    vec![match &status.worker {
        Worker::Running => info("Worker: running"),
        Worker::NotRunning if idle => info("Worker: not running, nothing to do"),
        Worker::NotRunning if off => {
            info("Worker: not running; one starts with the first change after the sync is on again")
        }
        Worker::NotRunning => warn(
            "Worker: not running though jobs wait; the next change in Stash starts one, or the task Process Queue",
        ),
        Worker::Unknown { why } => warn(format!(
            "Worker: unknown, worker.lock cannot be read: {why}"
        )),
    }]
}
