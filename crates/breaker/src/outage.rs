//! The log of outages, and what follows from it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::document::unix_seconds;
use crate::machine::{Kind, Transition};
use crate::reason::Reason;
use crate::time::Time;

/// One outage: from the circuit's opening until it closed again.
///
/// A trial that fails in between belongs to the same outage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// When the circuit opened.
    #[serde(with = "unix_seconds")]
    pub started: Time,
    /// When it closed again; `None` while it has not.
    #[serde(with = "unix_seconds::option")]
    pub ended: Option<Time>,
    /// How many jobs waited for it, as far as
    /// [`Breaker::count_affected`](crate::Breaker::count_affected) was told.
    #[serde(default)]
    pub jobs_affected: u64,
    /// Why the circuit opened.
    pub reason: Reason,
}

impl Outage {
    /// How long it lasted, or has lasted at `now`.
    #[must_use]
    pub fn duration(&self, now: Time) -> Duration {
        self.ended.unwrap_or(now) - self.started
    }
}

/// The last outages, fed by the circuit's transitions alone, so that it cannot disagree with them.
///
/// Times are wall-clock times; a breaker in memory counts by its monotonic clock and shows them by
/// the wall clock of the moment. Nothing but the newest entry is ever ongoing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutageLog {
    #[serde(with = "unix_seconds")]
    since: Time,
    capacity: usize,
    outages: VecDeque<Outage>,
}

impl OutageLog {
    /// How many outages a log keeps unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = 30;

    /// An empty log that begins at `since` and keeps the last `capacity` outages, at least one.
    #[must_use]
    pub fn new(since: Time, capacity: usize) -> Self {
        Self {
            since,
            capacity: capacity.max(1),
            outages: VecDeque::new(),
        }
    }

    /// Since when the log is complete: when it was begun or, once outages have dropped out of it,
    /// the end of the last of those.
    #[must_use]
    pub fn since(&self) -> Time {
        self.since
    }

    /// The outages, oldest first.
    pub fn outages(&self) -> impl DoubleEndedIterator<Item = &Outage> + ExactSizeIterator {
        self.outages.iter()
    }

    /// The outage that has not ended.
    #[must_use]
    pub fn ongoing(&self) -> Option<&Outage> {
        self.outages.back().filter(|outage| outage.ended.is_none())
    }

    fn ongoing_mut(&mut self) -> Option<&mut Outage> {
        self.outages
            .back_mut()
            .filter(|outage| outage.ended.is_none())
    }

    /// Takes note of a transition.
    pub fn observe(&mut self, transition: &Transition) {
        match (transition.from, transition.to) {
            (_, Kind::Closed) => self.end(transition.at),
            (Kind::Closed, _) => self.start(transition.at, transition.reason),
            _ => {}
        }
    }

    /// Counts jobs that the running outage keeps waiting; without one, nothing.
    pub fn affect(&mut self, jobs: u64) {
        if let Some(outage) = self.ongoing_mut() {
            outage.jobs_affected = outage.jobs_affected.saturating_add(jobs);
        }
    }

    pub(crate) fn start(&mut self, at: Time, reason: Reason) {
        if self.ongoing().is_none() {
            self.push(Outage {
                started: at,
                ended: None,
                jobs_affected: 0,
                reason,
            });
        }
    }

    pub(crate) fn end(&mut self, at: Time) {
        if let Some(outage) = self.ongoing_mut() {
            outage.ended = Some(at.max(outage.started));
        }
    }

    /// Adds an outage from a document. One left open before a newer one ends where the newer one
    /// starts.
    pub(crate) fn push(&mut self, outage: Outage) {
        self.end(outage.started);
        self.outages.push_back(outage);
        while self.outages.len() > self.capacity {
            if let Some(dropped) = self.outages.pop_front() {
                self.since = self.since.max(dropped.ended.unwrap_or(dropped.started));
            }
        }
    }

    /// This log by another clock: what `from` shows when `to` is shown there.
    pub(crate) fn rebased(mut self, from: Time, to: Time) -> Self {
        self.since = self.since.rebased(from, to);
        for outage in &mut self.outages {
            outage.started = outage.started.rebased(from, to);
            outage.ended = outage.ended.map(|ended| ended.rebased(from, to));
        }
        self
    }

    /// The figures of reliability at `now`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use breaker::{OutageLog, Time};
    ///
    /// let begin = Time::from_unix_seconds(1000.0);
    /// let quiet = OutageLog::new(begin, 30).figures(begin + Duration::from_secs(3600));
    /// assert_eq!((quiet.outages, quiet.availability), (0, 1.0));
    /// assert_eq!((quiet.mttr, quiet.mtbf), (None, None));
    /// ```
    #[must_use]
    pub fn figures(&self, now: Time) -> Figures {
        let lengths = || self.outages().map(|outage| outage.duration(now));
        let downtime: Duration = lengths().sum();
        let repairs = self
            .outages()
            .filter_map(|outage| Some(outage.ended? - outage.started));
        let uptimes = self
            .outages()
            .zip(self.outages().skip(1))
            .filter_map(|(one, next)| Some(next.started - one.ended?));
        let first = self
            .outages
            .front()
            .map_or(self.since, |outage| outage.started.min(self.since));
        let watched = (now - first).max(downtime);
        Figures {
            outages: self.outages.len(),
            ongoing: self.ongoing().is_some(),
            downtime,
            longest: lengths().max().unwrap_or_default(),
            mttr: mean(repairs),
            mtbf: mean(uptimes),
            availability: if watched.is_zero() {
                1.0
            } else {
                1.0 - downtime.as_secs_f64() / watched.as_secs_f64()
            },
        }
    }
}

fn mean(durations: impl Iterator<Item = Duration>) -> Option<Duration> {
    let (count, sum) = durations.fold((0u32, Duration::ZERO), |(count, sum), next| {
        (count + 1, sum.saturating_add(next))
    });
    sum.checked_div(count)
}

/// Figures of reliability over the outages a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// How many outages the log holds.
    pub outages: usize,
    /// Whether the newest has not ended.
    pub ongoing: bool,
    /// The sum of all outages, the ongoing one up to now.
    pub downtime: Duration,
    /// The longest of them, the ongoing one up to now.
    pub longest: Duration,
    /// Mean time to repair: the mean length of the outages that ended. `None` before the first has
    /// ended.
    pub mttr: Option<Duration>,
    /// Mean time between failures: the mean uptime between the end of one outage and the start of
    /// the next. `None` before the second has started.
    pub mtbf: Option<Duration>,
    /// The part of the time since [`OutageLog::since`] that was no outage, from 0 to 1; 1 for an
    /// empty log.
    pub availability: f64,
}
