//! Points in time, and the clock they come from.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since the Unix epoch.
///
/// Arithmetic saturates, so no input can overflow. A microsecond is the finest step that survives
/// the trip through the floating-point Unix seconds of the persisted document.
///
/// ```
/// use std::time::Duration;
/// use breaker::Time;
///
/// let opened = Time::from_unix_seconds(1_764_000_000.25);
/// let retry = opened + Duration::from_secs(60);
/// assert_eq!(retry - opened, Duration::from_secs(60));
/// assert_eq!(opened - retry, Duration::ZERO); // saturates
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(u64);

impl Time {
    /// The Unix epoch.
    pub const ZERO: Self = Self(0);
    /// The latest representable time, some 73,000 years after the epoch: "never".
    pub const MAX: Self = Self(u64::MAX >> 3);

    /// The time this many microseconds after the Unix epoch, at most [`Time::MAX`].
    #[must_use]
    #[inline]
    pub const fn from_unix_micros(micros: u64) -> Self {
        if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_micros(self) -> u64 {
        self.0
    }

    /// The time this many seconds after the Unix epoch; what lies outside the range (or is not a
    /// number) becomes the nearest end of it.
    #[must_use]
    pub fn from_unix_seconds(seconds: f64) -> Self {
        Self::from_unix_micros((seconds * 1e6).round() as u64)
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub fn unix_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This time by another clock: what `from` shows when `to` is shown there.
    pub(crate) fn rebased(self, from: Self, to: Self) -> Self {
        if to >= from {
            Self::from_unix_micros(self.0.saturating_add(to.0 - from.0))
        } else {
            Self(self.0.saturating_sub(from.0 - to.0))
        }
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Self;

    /// The time `after` later, at most [`Time::MAX`].
    fn add(self, after: Duration) -> Self {
        Self::from_unix_micros(self.0.saturating_add(micros(after)))
    }
}

impl std::ops::Sub for Time {
    type Output = Duration;

    /// How long after `earlier` this is; zero when it is not.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    /// Unix seconds with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000_000, self.0 / 1_000 % 1_000)
    }
}

#[inline]
pub(crate) fn micros(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000);
    whole.saturating_add(duration.subsec_micros().into())
}

/// Where the time comes from.
///
/// A breaker counts intervals by [`Clock::monotonic`], which a step of the wall clock does not
/// touch. Only what outlives the process, or is shared with others, is counted by [`Clock::wall`].
pub trait Clock: Send + Sync {
    /// A time that never goes back and passes at the rate of real time.
    fn monotonic(&self) -> Time;

    /// What the wall clock shows; it may step either way.
    fn wall(&self) -> Time;

    /// A cheaper [`Clock::monotonic`]: never ahead of it, at most 50 ms behind. Lets a rejection,
    /// and the end of a trial, cost little.
    fn coarse(&self) -> Time {
        self.monotonic()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn monotonic(&self) -> Time {
        (**self).monotonic()
    }

    fn wall(&self) -> Time {
        (**self).wall()
    }

    fn coarse(&self) -> Time {
        (**self).coarse()
    }
}

/// How far the coarse clock may be behind.
pub(crate) const COARSE_ERROR: Duration = Duration::from_millis(50);

/// What time it is, asked only when a decision needs it.
pub(crate) trait Now {
    /// Always answers the same.
    fn exact(&self) -> Time;

    /// Cheaper: never ahead, and behind by less than [`COARSE_ERROR`].
    fn coarse(&self) -> Time;
}

/// Known already.
impl Now for Time {
    fn exact(&self) -> Time {
        *self
    }

    fn coarse(&self) -> Time {
        *self
    }
}

/// The clocks of the operating system.
#[derive(Clone, Debug)]
pub struct SystemClock {
    wall: Time,
    monotonic: Instant,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    coarse: coarsetime::Instant,
}

impl SystemClock {
    /// Linux refreshes its coarse clock at 100 Hz or more often. In microseconds, with something to
    /// spare.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const COARSE_STEP: u64 = 16_000;

    /// A clock whose monotonic time starts at what the wall clock shows now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            wall: wall_now(),
            monotonic: Instant::now(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            coarse: coarsetime::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Time {
        self.wall + self.monotonic.elapsed()
    }

    fn wall(&self) -> Time {
        wall_now()
    }

    /// Only Linux has a coarse clock that is the precise one as of the last tick. Those of macOS
    /// and Windows count sleep otherwise than theirs, or drift away from them.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn coarse(&self) -> Time {
        let elapsed = coarsetime::Instant::now().duration_since(self.coarse);
        // The reading at the start may have been a step old, which would put this clock ahead by as
        // much.
        let surely = elapsed.as_micros().saturating_sub(Self::COARSE_STEP);
        Time::from_unix_micros(self.wall.0.saturating_add(surely))
    }
}

fn wall_now() -> Time {
    Time::ZERO
        + SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
}

/// A clock for tests that stands still until it is moved.
///
/// ```
/// use std::time::Duration;
/// use breaker::{Clock, FakeClock, Time};
///
/// let clock = FakeClock::at(Time::from_unix_seconds(1000.0));
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.monotonic().unix_seconds(), 1005.0);
///
/// clock.set_wall(Time::from_unix_seconds(400.0)); // someone sets the wall clock back
/// assert_eq!(clock.wall().unix_seconds(), 400.0);
/// assert_eq!(clock.monotonic().unix_seconds(), 1005.0);
/// ```
#[derive(Debug, Default)]
pub struct FakeClock {
    monotonic: AtomicU64,
    wall: AtomicU64,
}

impl FakeClock {
    /// A clock whose monotonic and wall time both show `now`.
    #[must_use]
    pub fn at(now: Time) -> Self {
        Self {
            monotonic: AtomicU64::new(now.0),
            wall: AtomicU64::new(now.0),
        }
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        for clock in [&self.monotonic, &self.wall] {
            let later = |now| Some((Time(now) + by).0);
            // The closure always answers, so this cannot fail.
            let _ = clock.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        }
    }

    /// Steps the wall clock, as an administrator or NTP would; monotonic time does not notice.
    pub fn set_wall(&self, now: Time) {
        self.wall.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn monotonic(&self) -> Time {
        Time(self.monotonic.load(Ordering::SeqCst))
    }

    fn wall(&self) -> Time {
        Time(self.wall.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_the_last_is_the_last() {
        for micros in [Time::MAX.0, Time::MAX.0 + 1, u64::MAX] {
            assert_eq!(Time::from_unix_micros(micros), Time::MAX);
        }
        assert_eq!(Time::from_unix_seconds(-1.0), Time::ZERO);
        assert_eq!(Time::from_unix_seconds(f64::NAN), Time::ZERO);
        assert_eq!(Time::from_unix_seconds(f64::INFINITY), Time::MAX);
    }

    #[test]
    fn a_time_is_shown_in_unix_seconds() {
        assert_eq!(
            Time::from_unix_micros(1_234_056_789).to_string(),
            "1234.056"
        );
    }

    #[test]
    fn the_wall_clock_is_that_of_the_system() {
        let before = SystemTime::now();
        let wall = UNIX_EPOCH + (SystemClock::new().wall() - Time::ZERO);
        // Whole microseconds are counted.
        assert!(wall + Duration::from_micros(1) > before && wall <= SystemTime::now());
    }

    #[test]
    fn the_coarse_clock_is_never_ahead_and_little_behind() {
        let clock = SystemClock::new();
        let end = clock.monotonic() + Duration::from_millis(100);
        let mut least_lag = Duration::MAX;
        while clock.monotonic() < end {
            let before = clock.monotonic();
            let coarse = clock.coarse();
            assert!(coarse <= clock.monotonic());
            least_lag = least_lag.min(before - coarse);
        }
        // The least: a machine that stands still for a moment must not fail the test.
        assert!(least_lag < Duration::from_millis(30), "{least_lag:?}");
    }
}
