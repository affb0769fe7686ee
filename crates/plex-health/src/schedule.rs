//! When to probe: pure arithmetic over times that come from outside.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The wait between probes before any has failed, and after one has passed.
pub const INITIAL_INTERVAL: Duration = Duration::from_secs(5);

/// No wait is longer, whatever the delay function says.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// When the next probe is due. Serialisable, so that a restart goes on where it was.
///
/// A probe is due when `now − last probe ≥ interval`, at once when there was none. A passed probe
/// sets the interval to [`INITIAL_INTERVAL`]; a failed one to what the caller's delay function
/// gives for the number of failures before it (0, 1, 2…), usually exponential backoff with
/// jitter.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use plex_health::Schedule;
///
/// let backoff = |exponent: u32| Duration::from_secs(5 * 2u64.pow(exponent.min(4))).min(Duration::from_secs(60));
/// let now = SystemTime::now();
/// let mut schedule = Schedule::default();
/// assert!(schedule.due(now));
///
/// schedule.failed(now, backoff);
/// assert!(!schedule.due(now + Duration::from_secs(4)));
/// assert!(schedule.due(now + Duration::from_secs(5)));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    last_probe: Option<SystemTime>,
    interval: Duration,
    failures: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            last_probe: None,
            interval: INITIAL_INTERVAL,
            failures: 0,
        }
    }
}

impl Schedule {
    /// Whether to probe now.
    #[must_use]
    pub fn due(&self, now: SystemTime) -> bool {
        self.next_at(now) <= now
    }

    /// When to probe next; never before `now`, which is the answer when a probe is due.
    #[must_use]
    pub fn next_at(&self, now: SystemTime) -> SystemTime {
        match self.last_probe {
            Some(last) if last <= now => last
                .checked_add(self.interval.min(LONGEST_INTERVAL))
                .map_or(now, |next| next.max(now)),
            // None yet; or the clock was set back, and the last one seems to lie in the future.
            _ => now,
        }
    }

    /// Records that a probe passed at `now`.
    pub fn passed(&mut self, now: SystemTime) {
        *self = Self {
            last_probe: Some(now),
            ..Self::default()
        };
    }

    /// Records that a probe failed at `now`, and returns how long to wait for the next.
    /// `delay` gets the number of failures in a row before this one.
    pub fn failed(&mut self, now: SystemTime, delay: impl FnOnce(u32) -> Duration) -> Duration {
        self.interval = delay(self.failures).min(LONGEST_INTERVAL);
        self.failures = self.failures.saturating_add(1);
        self.last_probe = Some(now);
        self.interval
    }

    /// When the last probe was, if there was one.
    #[must_use]
    pub fn last_probe(&self) -> Option<SystemTime> {
        self.last_probe
    }

    /// How many probes in a row have failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}
