//! The status in plain words. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use breaker::machine::Kind;
use stash::protocol::Level;

use super::{Circuit, Jobs, Status};

/// One log line.
pub type Line = (Level, String);

fn info(text: impl Into<String>) -> Line {
    (Level::Info, text.into())
}

fn warn(text: impl Into<String>) -> Line {
    (Level::Warning, text.into())
}

/// What Health Check says.
pub fn health(status: &Status) -> Vec<Line> {
    let mut lines = vec![circuit(&status.circuit)];
    lines.extend(status.plex.as_ref().map(|report| {
        if report.verdict.is_healthy() {
            info(format!("Plex: {report}"))
        } else {
            (
                Level::Error,
                format!("Plex: {report}. {}", report.verdict.hint()),
            )
        }
    }));
    lines.extend(status.faults.iter().map(warn));
    lines.extend(counts(status));
    lines.push(worker(status.worker));
    lines
}

/// What View Queue Status says.
pub fn queue(status: &Status, now: SystemTime) -> Vec<Line> {
    let mut lines = counts(status);
    if let Ok(jobs) = &status.queue {
        lines.push(info(format!(
            "{} in flight, {} done so far",
            jobs.in_flight, jobs.done
        )));
        for (kind, count) in &jobs.dead {
            lines.push(info(format!("set aside: {count} as {kind}")));
        }
    }
    lines.push(circuit(&status.circuit));
    lines.extend(status.last_probe.map(|at| {
        let ago = now.duration_since(at).unwrap_or_default();
        info(format!("last health probe: {} ago", readable(ago)))
    }));
    lines.extend(
        status
            .ramp
            .map(|rate| info(format!("gentle start: {rate:.0} jobs/s now"))),
    );
    lines.push(worker(status.worker));
    lines
}

/// What Outage Summary says.
pub fn outages(status: &Status, now: SystemTime) -> Vec<Line> {
    let Circuit::Known {
        outages, figures, ..
    } = &status.circuit
    else {
        return vec![circuit(&status.circuit)];
    };
    if outages.is_empty() {
        return vec![info("no outage of Plex on record")];
    }
    let mut lines = Vec::new();
    for outage in outages {
        let at = crate::worker::instant(now);
        let lasted = readable(outage.duration(at));
        let end = if outage.ended.is_some() {
            "lasted"
        } else {
            "goes on, so far"
        };
        let micros = Duration::from_micros(outage.started.unix_micros());
        let began = humantime::format_rfc3339_seconds(UNIX_EPOCH + micros);
        lines.push(info(format!(
            "{began}: {end} {lasted}, {} jobs affected ({})",
            outage.jobs_affected, outage.reason
        )));
    }
    if let Some(figures) = figures {
        let or_none = |time: Option<Duration>| time.map_or("not known yet".to_owned(), readable);
        lines.push(info(format!(
            "{} outages, total downtime {}, availability {:.2} %",
            figures.outages,
            readable(figures.downtime),
            figures.availability * 100.0
        )));
        lines.push(info(format!(
            "mean time to repair: {}; mean time between failures: {}",
            or_none(figures.mttr),
            or_none(figures.mtbf)
        )));
    }
    lines
}

fn circuit(circuit: &Circuit) -> Line {
    match circuit {
        Circuit::Unknown { why } => warn(format!(
            "Circuit: UNKNOWN, circuit_breaker.json is damaged ({why}); the next worker sets it aside and starts CLOSED"
        )),
        Circuit::Known {
            kind: Kind::Closed, ..
        } => info("Circuit: CLOSED"),
        Circuit::Known {
            kind: Kind::HalfOpen,
            ..
        } => info("Circuit: HALF_OPEN, one job is being tried"),
        Circuit::Known {
            opened,
            retry,
            reason,
            ..
        } => {
            let ago = readable(opened.unwrap_or_default());
            let next = match retry {
                Some(left) if left.is_zero() => "tries again with the next job".to_owned(),
                Some(left) => format!("tries again in {}", readable(*left)),
                None => "held open by hand".to_owned(),
            };
            let why = reason
                .as_ref()
                .map_or(String::new(), |why| format!(" ({why})"));
            warn(format!("Circuit: OPEN, opened {ago} ago{why}, {next}"))
        }
    }
}

fn counts(status: &Status) -> Vec<Line> {
    let jobs = match &status.queue {
        Err(why) => return vec![(Level::Error, format!("Queue: {why}"))],
        Ok(jobs) => jobs,
    };
    let mut lines = vec![info(summary(jobs))];
    let open = matches!(
        status.circuit,
        Circuit::Known {
            kind: Kind::Open,
            ..
        }
    );
    if open && jobs.live() > 0 {
        lines.push(warn(format!(
            "{} jobs wait behind the open circuit; none is lost, they go on when Plex is back",
            jobs.live()
        )));
    }
    lines
}

fn summary(jobs: &Jobs) -> String {
    let due = jobs
        .next_due
        .map_or(String::new(), |due| format!(" (next in {})", readable(due)));
    format!(
        "Queue: {} pending, {} waiting for retry{due}, {} set aside",
        jobs.pending + jobs.in_flight,
        jobs.waiting,
        jobs.dead_total()
    )
}

fn worker(runs: bool) -> Line {
    info(if runs {
        "Worker: running"
    } else {
        "Worker: not running; the next change starts one"
    })
}

/// As `3m 12s`.
fn readable(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}
