//! A gentle return after an outage: a rate that rises, and a brake.
//!
//! A dependency that has just come back is cold, and everything that waited for it comes at once. A
//! [`Ramp`] is a token bucket whose rate rises in a straight line. It is pure: time comes in with
//! each call, and all it needs to go on after a restart is when it started. It knows nothing of
//! breakers; [`Snapshot::recovered_at`](crate::Snapshot::recovered_at) is a good start.
//!
//! ```text
//! jobs/s
//!   20 |                     ________   no limit from here on
//!      |              __----
//!      |       __----|            while more than 30 % of the last 60 s failed,
//!    5 |__----       |____        and for 60 s after, half of that
//!      +------------------------->
//!      0                       300 s
//! ```
//!
//! ```
//! use std::time::Duration;
//! use breaker::Time;
//! use breaker::ramp::{Curve, Ramp};
//!
//! let start = Time::from_unix_seconds(1000.0);
//! let mut ramp = Ramp::new(Curve::default(), start, start);
//! assert_eq!(ramp.take(start), Ok(()));
//! assert_eq!(ramp.take(start), Err(Duration::from_millis(200))); // five per second
//!
//! let half_way = start + Duration::from_secs(150);
//! let resumed = Ramp::new(Curve::default(), start, half_way); // after a restart
//! assert_eq!(resumed.rate(half_way), Some(12.5));
//! assert_eq!(resumed.rate(start + Duration::from_secs(300)), None); // over
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// The shape of a [`Ramp`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// The rate at the start, per second; 5 by default.
    pub initial: f64,
    /// The rate at the end, per second; 20 by default.
    pub target: f64,
    /// How long it takes to rise; 300 s by default.
    pub duration: Duration,
    /// The part of failures above which the rate is halved; 0.3 by default.
    pub error_threshold: f64,
    /// How far back failures count; 60 s by default.
    pub error_window: Duration,
    /// How long the rate stays halved once the failures have ebbed; 60 s by default.
    pub brake: Duration,
}

impl Default for Curve {
    fn default() -> Self {
        Self {
            initial: 5.0,
            target: 20.0,
            duration: Duration::from_secs(300),
            error_threshold: 0.3,
            error_window: Duration::from_secs(60),
            brake: Duration::from_secs(60),
        }
    }
}

impl Curve {
    /// The rate this long after the start, per second; `None` once the ramp is over. Never less
    /// than one per minute, so that no setting stops the work for good.
    #[must_use]
    pub fn rate(&self, elapsed: Duration) -> Option<f64> {
        if elapsed >= self.duration {
            return None;
        }
        let done = elapsed.as_secs_f64() / self.duration.as_secs_f64();
        let rate = self.initial + (self.target - self.initial) * done;
        Some(rate.max(SLOWEST))
    }
}

/// One per minute.
const SLOWEST: f64 = 1.0 / 60.0;

/// How many tokens the bucket holds.
const ROOM: f64 = 2.0;

/// A token bucket with room for two tokens, so that a late wake-up costs nothing, whose rate
/// follows a [`Curve`].
#[derive(Clone, Debug)]
pub struct Ramp {
    curve: Curve,
    started_at: Time,
    /// The part of a token there was at `filled_at`.
    tokens: f64,
    filled_at: Time,
    /// When each call of the last window ended, and whether it failed.
    results: VecDeque<(Time, bool)>,
    /// How many of `results` failed.
    failures: usize,
    braked_until: Time,
}

impl Ramp {
    /// A ramp that started at `started_at`, of which a restart may have lost everything else. It
    /// begins with one token.
    #[must_use]
    pub fn new(curve: Curve, started_at: Time, now: Time) -> Self {
        // A start in the future is a clock set back; the ramp is then climbed from the foot.
        let started_at = started_at.min(now);
        Self {
            curve,
            started_at,
            tokens: 1.0,
            filled_at: now,
            results: VecDeque::new(),
            failures: 0,
            braked_until: Time::ZERO,
        }
    }

    /// The rate at `now`, per second, brake included; `None` once the ramp is over and nothing is
    /// limited.
    #[must_use]
    pub fn rate(&self, now: Time) -> Option<f64> {
        let rate = self.curve.rate(now - self.started_at)?;
        Some(if now < self.braked_until {
            (rate / 2.0).max(SLOWEST)
        } else {
            rate
        })
    }

    /// Takes the right to one call.
    ///
    /// # Errors
    /// How long to wait before there is one.
    pub fn take(&mut self, now: Time) -> Result<(), Duration> {
        let Some(rate) = self.rate(now) else {
            return Ok(());
        };
        self.tokens = (self.tokens + (now - self.filled_at).as_secs_f64() * rate).min(ROOM);
        self.filled_at = self.filled_at.max(now);
        // Rounding must not ask for another wait of less than a microsecond.
        if self.tokens >= 1.0 - 1e-6 {
            self.tokens = (self.tokens - 1.0).max(0.0);
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / rate))
    }

    /// Takes note of how a call ended.
    pub fn record(&mut self, failed: bool, now: Time) {
        if self.rate(now).is_none() {
            return;
        }
        self.results.push_back((now, failed));
        self.failures += usize::from(failed);
        while let Some((_, failed)) = self
            .results
            .pop_front_if(|(at, _)| now - *at > self.curve.error_window)
        {
            self.failures -= usize::from(failed);
        }
        if self.failures as f64 > self.curve.error_threshold * self.results.len() as f64 {
            self.braked_until = now + self.curve.brake;
        }
    }
}
