//! Whether changes go to Plex, and what kept them from it: the circuit and the outages in words.

use crate::core::status::{
    Circuit, Connectivity, OutageEntry, Outages, Ramp, Searched, Seen, SettingsStatus, Status,
    TokenStatus, Worker,
};
use crate::core::words::format::{self, count, date, span};
use crate::core::words::status::{Line, info, warn};

/// Outage Summary.
pub fn outages(status: &Status) -> Vec<Line> {
    let now = status.taken_at;
    let Some(outages) = &status.outages else {
        return vec![
            circuit(status),
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

pub fn outage(outage: &OutageEntry, now: f64) -> Line {
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

/// Whether jobs go to Plex; nothing where the settings keep them from it, since a "yes" would be
/// taken for the answer.
pub fn sending(status: &Status) -> Option<Line> {
    let is_off = matches!(&status.settings, Some(SettingsStatus::Done { enabled, writes, faults, .. })
        if !enabled || !writes || faults.iter().any(|fault| fault.blocks));
    if is_off && !status.circuit.holds_jobs() {
        return None;
    }
    // What cannot be read or written is said apart, and a "yes" would be taken for the answer here
    // too.
    let is_unknown = matches!(status.settings, Some(SettingsStatus::Failed { .. }))
        || status.unwritable.is_some()
        || matches!(status.queue, Seen::Unreadable { .. });
    let is_closed = matches!(status.circuit, Circuit::Closed { .. });
    // Where nothing can be written, little can be read either.
    if status.unwritable.is_some() && matches!(status.circuit, Circuit::Unknown { .. }) {
        return None;
    }
    if is_unknown && is_closed {
        return None;
    }
    let mut line = circuit(status);
    // Plex was asked just now, and nothing has been sent since.
    if is_closed && status.plex.as_ref().is_some_and(|plex| !plex.is_healthy()) {
        line.text += ", until a change cannot be sent";
    }
    let by_hand = matches!(status.circuit, Circuit::ForcedOpen { .. });
    if status.plex.is_none() && status.circuit.holds_jobs() && !by_hand {
        let reason = status.circuit.reason().unwrap_or_default();
        line.text = format!("{}. {}", line.text, format::remedy(reason));
    }
    Some(line)
}

/// Of an outage, since its beginning: each try that fails opens the circuit anew. A word that says
/// only that Plex failed is followed by the last failure.
fn circuit(status: &Status) -> Line {
    let (now, outage) = (status.taken_at, status.ongoing());
    // Health Check asks Plex itself.
    let failure = status.cause.as_ref().filter(|_| status.plex.is_none());
    let paused = |since: &Option<f64>, reason: &Option<String>| {
        let since = outage.map(|outage| outage.started).or(*since);
        let since = since.map_or_else(String::new, |at| format!(" {} ago", span(now - at)));
        let first = outage.map(|outage| &outage.reason);
        let reason = reason.as_ref().map(|last| {
            let is_trial = last == "trial_failed";
            let word = first.filter(|_| is_trial).unwrap_or(last);
            let failure = failure.filter(|_| format::names_no_cause(word));
            let failure = failure.map_or_else(String::new, |why| format!(" ({why})"));
            format!(": {}{failure}", format::reason(word))
        });
        let reason = reason.unwrap_or_default();
        format!("Sending to Plex: paused{since}{reason}")
    };
    match &status.circuit {
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
        Circuit::HalfOpen { opened_at, reason } => {
            let who = match status.worker {
                Worker::Running => "one change is sent now as a test",
                Worker::NotRunning | Worker::LoggedOut => {
                    "the next worker sends one change as a test"
                }
            };
            warn(format!("{}; {who}", paused(opened_at, reason)))
        }
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

/// What circuit and Plex mean together, where they disagree.
pub fn outlook(status: &Status) -> Option<Line> {
    let Some(Connectivity::Yes {
        report,
        searched,
        token,
        ..
    }) = &status.plex
    else {
        return None;
    };
    let is_blocked = matches!(&status.settings, Some(SettingsStatus::Done { faults, .. })
        if faults.iter().any(|fault| fault.blocks));
    match (&status.circuit, report.verdict.is_healthy()) {
        // What is to be entered was said.
        (_, false) if is_blocked => None,
        // The circuit will not close, and why not was said.
        _ if matches!(searched, Some(Searched::None { .. }))
            || matches!(token, Some(TokenStatus::Guest { .. })) =>
        {
            None
        }
        (circuit @ (Circuit::Open { .. } | Circuit::HalfOpen { .. }), true) => {
            let failed = circuit.reason().is_some_and(format::names_no_cause);
            let failed = status.cause.as_ref().filter(|_| failed);
            Some(info(failed.map_or_else(
                || "Plex is back: sending goes on by itself once one change has been sent".to_owned(),
                |why| {
                    format!(
                        "Plex passes this check: sending goes on by itself once one change has been sent. The last one failed ({why}); \
                         if that goes on, look into Plex's log"
                    )
                },
            )))
        }
        (Circuit::Closed { .. }, false) => Some(info(
            "Changes made now are kept, and sent once that is over or corrected",
        )),
        _ => None,
    }
}

pub fn ramp(ramp: &Ramp, now: f64) -> Line {
    info(format!(
        "Sending slowly after the outage: at most {:.1} changes a second now, full speed in {}",
        ramp.rate,
        span(ramp.ends_at - now)
    ))
}
