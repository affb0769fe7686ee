//! Time comes from outside: due times from a wall clock, leases from a monotonic one.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where a [`Queue`](crate::Queue) takes its time from.
///
/// Due times and records use the wall clock. Whether a lease held by this process has run out is
/// judged by the monotonic clock, so a stepped wall clock takes no job from a worker that lives.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall-clock time.
    fn now(&self) -> SystemTime;
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// One origin for the whole process, so that a claim made by one queue can be settled by another.
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        STARTED.elapsed()
    }
}

/// A clock that moves only when told to, for tests.
///
/// ```
/// use queue::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::default();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now().duration_since(start).unwrap(), Duration::from_secs(5));
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<(SystemTime, Duration)>);

impl Default for ManualClock {
    fn default() -> Self {
        Self::starting(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
    }
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn starting(now: SystemTime) -> Self {
        Self(Mutex::new((now, Duration::ZERO)))
    }

    /// Lets time pass: both clocks move.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time();
        time.0 += by;
        time.1 += by;
    }

    /// Sets the wall clock, forwards or back; the monotonic one stands still.
    pub fn set(&self, now: SystemTime) {
        self.time().0 = now;
    }

    fn time(&self) -> MutexGuard<'_, (SystemTime, Duration)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.time().0
    }

    fn monotonic(&self) -> Duration {
        self.time().1
    }
}

/// Milliseconds since 1970, as stored; out-of-range times saturate.
pub(crate) fn to_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => duration_ms(after),
        Err(before) => -duration_ms(before.duration()),
    }
}

pub(crate) fn from_ms(ms: i64) -> SystemTime {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let time = if ms < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(UNIX_EPOCH)
}

/// A due time, as it is to be kept now. When it was set at a time that is yet to come, the clock
/// was set back since: what was left to wait then is left to wait from now on.
pub(crate) fn kept(due: i64, set: i64, now: i64) -> i64 {
    if set > now {
        due.saturating_sub(set).saturating_add(now)
    } else {
        due
    }
}

pub(crate) fn duration_ms(duration: Duration) -> i64 {
    // Far beyond any calendar, and small enough that sums of two cannot overflow.
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX)
        .min(i64::MAX / 4)
}
