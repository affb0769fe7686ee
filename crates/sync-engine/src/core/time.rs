//! The time, which comes from outside so that a story of hours runs in seconds.
//!
//! Two kinds, by type: a [`Moment`] measures intervals in this process and never jumps; the wall
//! clock, which a person or a time server may set, is only for what is shown or stored.

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

/// A point of this process's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// The first one of a process. It has ten years before it, so that what a stored time tells of
    /// has its place.
    pub const START: Self = Self(Duration::from_secs(10 * 365 * 24 * 3600));

    /// As the breaker's ramp counts.
    pub fn instant(self) -> breaker::Time {
        let micros = u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX);
        breaker::Time::from_unix_micros(micros)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

impl Sub for Moment {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Both kinds of time, read together: what is stored as "now" is now, and never ahead of it by the
/// time between two readings.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The time of this process.
    pub now: Moment,
    /// The wall clock.
    pub wall: SystemTime,
}

impl Reading {
    /// Where a stored time lies.
    pub fn moment(self, stored: SystemTime) -> Moment {
        match stored.duration_since(self.wall) {
            Ok(ahead) => self.now + ahead,
            Err(past) => self.now - past.duration(),
        }
    }
}

/// Tells the time and waits.
pub trait Time {
    /// What a breaker counts by.
    type Clock: breaker::Clock + 'static;

    /// The time of this process.
    fn now(&self) -> Moment;

    /// The wall clock.
    fn wall(&self) -> SystemTime;

    /// A clock for a breaker.
    fn clock(&self) -> Self::Clock;

    /// Sleeps until `until`, or until `woken` says true, which is asked now and then. `busy` says
    /// that calls are under way, which end the sleep too: a clock that is not real must not run
    /// ahead of them.
    fn sleep(
        &self,
        until: Moment,
        busy: bool,
        woken: impl FnMut() -> bool,
    ) -> impl Future<Output = ()>;

    /// What both say.
    fn read(&self) -> Reading {
        Reading {
            now: self.now(),
            wall: self.wall(),
        }
    }
}
