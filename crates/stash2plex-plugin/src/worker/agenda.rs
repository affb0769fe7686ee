//! What the worker does next: a pure function of what it knows and the time.

use std::time::{Duration, SystemTime};

/// Whether jobs may be sent to a server now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// As many as wanted.
    Open,
    /// One, and only while none is under way.
    Trial,
    /// None before this time.
    Shut {
        /// The earliest time at which asking again is useful; `None` means not before something changes.
        until: Option<SystemTime>,
    },
}

/// What the worker knows when it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// The time.
    pub now: SystemTime,
    /// What the Plex breaker allows.
    pub plex: Gate,
    /// What the Stash breaker allows.
    pub stash: Gate,
    /// When the next health probe is due; `None` while none is wanted.
    pub probe_at: Option<SystemTime>,
    /// When the recovery ramp has a job to spend.
    pub ramp_at: Option<SystemTime>,
    /// Jobs that could be claimed now.
    pub ready: u64,
    /// When the earliest waiting job is due.
    pub next_due: Option<SystemTime>,
    /// Jobs claimed and not settled.
    pub in_flight: usize,
    /// Most jobs in flight.
    pub limit: usize,
    /// Only work off what can be done now, as a task in the foreground does.
    pub drain: bool,
    /// Something may still come: jobs wait, or an outage or a ramp is under way.
    pub pending: bool,
    /// Since when nothing was in flight, ready or claimed.
    pub idle_since: SystemTime,
    /// How long to stay with nothing to do.
    pub idle_timeout: Duration,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Probe Plex.
    Probe,
    /// Take up to this many jobs, at least one.
    Claim(usize),
    /// Nothing until this time, or until something happens.
    Wait(SystemTime),
    /// Nothing to wait for: end.
    End,
}

/// Decides the next step.
pub fn next(s: &Situation) -> Next {
    if s.probe_at.is_some_and(|due| due <= s.now) {
        return Next::Probe;
    }
    let free = s.limit.saturating_sub(s.in_flight);
    let allowed = match narrower(s.plex, s.stash) {
        Gate::Open => free,
        Gate::Trial if s.in_flight == 0 => 1,
        Gate::Trial | Gate::Shut { .. } => 0,
    };
    let ramp_ready = s.ramp_at.is_none_or(|at| at <= s.now);
    if s.ready > 0 && allowed > 0 && ramp_ready {
        match s.ramp_at {
            Some(_) => return Next::Claim(1),
            None if s.in_flight == 0 || allowed as u64 >= s.ready.min(BATCH) => {
                return Next::Claim(allowed);
            }
            // More places come free.
            None => {}
        }
    }

    let blocked = s.ready == 0 || (allowed == 0 && !matches!(s.plex, Gate::Trial));
    if s.drain && s.in_flight == 0 && blocked {
        return Next::End;
    }
    let idle_end = s.idle_since + s.idle_timeout;
    let idle = !s.pending && s.in_flight == 0 && s.ready == 0;
    if idle && idle_end <= s.now {
        return Next::End;
    }
    let gates = [s.plex, s.stash].map(|gate| match gate {
        Gate::Shut { until } => until,
        Gate::Open | Gate::Trial => None,
    });
    // A time that has come but led to no step above waits for something else.
    let times = [
        s.probe_at,
        gates[0],
        gates[1],
        s.next_due,
        s.ramp_at,
        idle.then_some(idle_end),
    ];
    let earliest = times.into_iter().flatten().filter(|at| *at > s.now).min();
    Next::Wait(earliest.unwrap_or(s.now + LOOK_AGAIN))
}

/// Jobs claimed together share one question to Stash, so a long backlog is not taken one by one.
const BATCH: u64 = 4;

/// With nothing due, look around this often, in case a wake-up was missed.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

fn narrower(a: Gate, b: Gate) -> Gate {
    match (a, b) {
        (Gate::Shut { until }, _) | (_, Gate::Shut { until }) => Gate::Shut { until },
        (Gate::Trial, _) | (_, Gate::Trial) => Gate::Trial,
        (Gate::Open, Gate::Open) => Gate::Open,
    }
}

#[cfg(test)]
mod tests;
