//! The status in words. Pure.

use crate::console::Level;
use crate::core::settings::names;
use crate::core::status::{
    Circuit, Connectivity, LeftOut, OutageEntry, Outages, PathHint, Ramp, Searched, Seen,
    SettingsStatus, Status, TokenStatus, Totals, Worker,
};
use crate::core::words::format::{self, count, date, span};
use crate::core::words::next_step;
use crate::core::words::{self, settings as in_words};

mod jobs;
mod plex;

pub(crate) use plex::of_token;

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
    // What matters first: what keeps everything from being sent, then what is wrong besides, then how things are.
    let mut lines = settings(status.settings.as_ref());
    let folder = status.unwritable.iter().chain(&status.exposed);
    lines.extend(folder.map(|why| warn(format!("Data folder: {why}"))));
    lines.extend(sending(status));
    lines.extend(status.plex.as_ref().into_iter().flat_map(plex::lines));
    lines.extend(outlook(status));
    lines.push(jobs::counts(&status.queue, status.taken_at));
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
    let is_readable = !matches!(status.queue, Seen::Unreadable { .. });
    let step = status
        .next_step
        .filter(|step| is_readable && !step.is_a_setting());
    lines.extend(step.map(|step| info(next_step::next_step(step))));
    lines
}

/// Nothing while there is work: it may be theirs.
fn left_alone(status: &Status) -> Option<Line> {
    let is_idle = matches!(&status.queue, Seen::Known(queue) if queue.live() == 0);
    (is_idle && status.never_synced > 0).then(|| info(words::never_synced(status.never_synced)))
}

/// View Queue Status.
pub fn queue(status: &Status) -> Vec<Line> {
    let now = status.taken_at;
    let mut lines = vec![jobs::counts(&status.queue, now)];
    if let Seen::Known(queue) = &status.queue {
        lines.extend(jobs::listed(queue, status.circuit.holds_jobs(), now));
    }
    lines.extend(status.totals.as_ref().map(totals));
    lines.extend(left_alone(status));
    lines.extend(status.left_out.iter().map(left_out));
    lines.extend(status.path_hints.iter().map(path_hint));
    lines.extend(held(status));
    lines.extend(sending(status));
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
        lines.push(self::ramp(ramp, now));
    }
    if let Some(outages) = &status.outages {
        // Of one that goes on, the circuit tells.
        let over = outages.last.iter().filter(|one| one.ended.is_some());
        lines.extend(over.take(RECENT).map(|one| outage(one, now)));
    }
    lines.push(info(match &status.last_reconciliation {
        None if matches!(status.queue, Seen::Unreadable { .. }) => {
            "Last reconciliation: not known".to_owned()
        }
        None => "Last reconciliation: none yet".to_owned(),
        Some(run) => {
            format!(
                "Last reconciliation: {} ago, {}: {}",
                span(now - run.ended as f64),
                run.reach.words(),
                run.report.words(),
            ) + &words::tasks::while_off(!is_read_only(status))
        }
    }));
    lines.push(worker(status));
    lines
}

fn ramp(ramp: &Ramp, now: f64) -> Line {
    info(format!(
        "Sending slowly after the outage: at most {:.1} changes a second now, full speed in {}",
        ramp.rate,
        span(ramp.ends_at - now)
    ))
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
    let (newest, reason) = (left_out.newest_scene, &left_out.reason);
    info(match left_out.scenes {
        1 => format!("Left out of scene {newest}: {reason}"),
        n => format!("Left out of {n} scenes, the last of them scene {newest}: {reason}"),
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

/// What keeps waiting changes from being sent, after a task that queued some; nothing where nothing waits, but that what counts as
/// done was not written.
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
        lines.extend(sending(status).filter(|_| holds));
        lines.extend(jobs::tried(queue, holds, now));
        lines.extend(status.ramp.as_ref().map(|one| ramp(one, now)));
    }
    lines
}

/// Outage Summary.
pub fn outages(status: &Status) -> Vec<Line> {
    let now = status.taken_at;
    let Some(outages) = &status.outages else {
        return vec![
            circuit(&status.circuit, None, now),
            warn(
                "Outages: not known, since circuit_breaker.json cannot be read. The next worker makes a new one, and outages are \
                 counted from then on",
            ),
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
    let jobs = count(outage.jobs_affected, "change", "changes");
    let reason = format::reason(&outage.reason);
    let since = date(outage.started);
    match outage.ended {
        None => warn(format!(
            "Outage since {since}: ongoing for {}, {jobs} delayed ({reason}). Run Health Check: it says what to do",
            span(outage.duration)
        )),
        Some(ended) => info(format!(
            "Outage of {since}: lasted {}, {jobs} delayed ({reason}), ended {} ago",
            span(outage.duration),
            span(now - ended)
        )),
    }
}

/// Whether jobs go to Plex; nothing where the settings keep them from it, since a "yes" would be taken for the answer.
fn sending(status: &Status) -> Option<Line> {
    let is_off = matches!(&status.settings, Some(SettingsStatus::Done { enabled, writes, faults, .. })
        if !enabled || !writes || faults.iter().any(|fault| fault.blocks));
    if is_off && !status.circuit.holds_jobs() {
        return None;
    }
    // What cannot be read is said apart, and a "yes" would be taken for the answer here too.
    let is_unknown = matches!(status.settings, Some(SettingsStatus::Failed { .. }))
        || matches!(status.queue, Seen::Unreadable { .. });
    if is_unknown && matches!(status.circuit, Circuit::Closed { .. }) {
        return None;
    }
    let mut line = circuit(&status.circuit, status.ongoing(), status.taken_at);
    let by_hand = matches!(status.circuit, Circuit::ForcedOpen { .. });
    if status.plex.is_none() && status.circuit.holds_jobs() && !by_hand {
        let reason = status.circuit.reason().unwrap_or_default();
        line.text = format!("{}. {}", line.text, format::remedy(reason));
    }
    Some(line)
}

/// Of an outage, since its beginning: each try that fails opens the circuit anew.
fn circuit(circuit: &Circuit, outage: Option<&OutageEntry>, now: f64) -> Line {
    let paused = |since: &Option<f64>, reason: &Option<String>| {
        let since = outage.map(|outage| outage.started).or(*since);
        let since = since.map_or_else(String::new, |at| format!(" {} ago", span(now - at)));
        let first = outage.map(|outage| &outage.reason);
        let reason = reason.as_ref().map(|last| {
            let is_trial = last == "trial_failed";
            format::reason(first.filter(|_| is_trial).unwrap_or(last))
        });
        let reason = reason.map_or_else(String::new, |words| format!(": {words}"));
        format!("Sending to Plex: paused{since}{reason}")
    };
    match circuit {
        Circuit::Closed { failures: 0 } => info("Sending to Plex: yes"),
        Circuit::Closed { failures } => info(format!(
            "Sending to Plex: yes, though {} in a row",
            count(u64::from(*failures), "attempt failed", "attempts failed")
        )),
        Circuit::Open {
            opened_at,
            retry_at,
            reason,
        } => {
            let next = match retry_at {
                Some(at) if *at > now => format!("next attempt in {}", span((at - now).ceil())),
                Some(_) => "the next change is the next attempt".to_owned(),
                None => "one change is sent as a test when the pause is over".to_owned(),
            };
            warn(format!("{}; {next}", paused(&Some(*opened_at), reason)))
        }
        Circuit::HalfOpen { opened_at, reason } => warn(format!(
            "{}; one change is sent now as a test",
            paused(opened_at, reason)
        )),
        Circuit::ForcedOpen { opened_at, reason } => warn(format!(
            "{}; paused by hand, as circuit_breaker.json says: stop Stash, delete that file, and start Stash again",
            paused(opened_at, reason)
        )),
        Circuit::Unknown { why, damaged } => {
            let then = match damaged {
                true => {
                    "You need do nothing: the next worker keeps the damaged file under another name, and sending goes on"
                }
                false => "Make it readable for the user that Stash runs as",
            };
            warn(format!(
                "Sending to Plex: not known, since the record of outages, circuit_breaker.json, cannot be read ({why}). {then}"
            ))
        }
    }
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

/// What circuit and Plex mean together, where they disagree.
fn outlook(status: &Status) -> Option<Line> {
    let Some(Connectivity::Yes {
        report,
        searched,
        token,
        ..
    }) = &status.plex
    else {
        return None;
    };
    match (&status.circuit, report.verdict.is_healthy()) {
        // The circuit will not close, and why not was said.
        _ if matches!(searched, Some(Searched::None { .. }))
            || matches!(token, Some(TokenStatus::Guest { .. })) =>
        {
            None
        }
        (Circuit::Open { reason, .. } | Circuit::HalfOpen { reason, .. }, true) => {
            Some(info(match reason.as_deref() {
                _ => "Plex is back: sending goes on by itself once one change has been sent",
            }))
        }
        (Circuit::Closed { .. }, false) => Some(info(
            "Changes made now are kept, and sent when Plex answers again",
        )),
        _ => None,
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
        Worker::NotRunning if is_idle => info(
            "Worker: not running, since there is nothing to do; the next change in Stash starts one",
        ),
        Worker::NotRunning if !enabled => info(format!(
            "Worker: not running, since {name} is off. Once it is on, the next change in Stash starts one, or the task Process \
             Queue",
            name = names::of("enabled")
        )),
        Worker::NotRunning if is_blocked => info(
            "Worker: not running, since the settings keep changes from being sent. Once they are corrected, the next change in \
             Stash starts one, or the task Process Queue",
        ),
        Worker::NotRunning if matches!(status.queue, Seen::Unreadable { .. }) => info(
            "Worker: not running; the next change in Stash starts one, or the task Process Queue",
        ),
        Worker::NotRunning => warn(
            "Worker: not running though changes wait; the next change in Stash starts one, or the task Process Queue",
        ),
    }
}
