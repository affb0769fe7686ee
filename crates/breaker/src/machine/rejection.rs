//! A call that may not run, why, and when to ask again.

use std::fmt;
use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use serde::{Deserialize, Serialize};

use crate::time::{Time, micros};

/// A call was not admitted: why, and when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rejection {
    /// Why.
    pub why: Why,
    /// When the call was rejected.
    pub at: Time,
    /// When to ask again; `None` when only a person can change that. Of an open circuit it is the
    /// earliest time that is of use. While trials are out nobody knows when they end: it is then
    /// about as long from now as the first has been out, with jitter, and never later than the end
    /// of its lease.
    pub retry_at: Option<Time>,
}

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The circuit is open and its interval not over.
    Open,
    /// The circuit is half-open and as many trials are out as may be.
    TrialsOut,
    /// A person opened the circuit.
    ForcedOpen,
}

impl Rejection {
    /// How long to wait from the moment of the rejection, until [`retry_at`](Self::retry_at). Of an
    /// open circuit that never ends too early; rejected by a coarse clock, it may be 50 ms more
    /// than needed. [`Breaker::ready_in`](crate::Breaker::ready_in) is exact, and
    /// [`Breaker::ready`](crate::Breaker::ready) waits.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        Some(self.retry_at? - self.at)
    }
}

/// The shortest wait for a trial, before jitter.
const MOMENT: Duration = Duration::from_millis(10);

/// When to ask again, at `now`, about a trial whose lease ends at `expires_at`. Each wait is about
/// as long as all before, so they are few, and add to no more than twice the trial. The jitter is
/// drawn from the time: whoever asks at another moment waits for another time, and the decision can
/// still be replayed.
pub(super) fn soon(now: Time, expires_at: Time, lease: Duration) -> Time {
    let out = lease.saturating_sub(expires_at - now);
    let wait = micros(out.max(MOMENT));
    let jitter = SplitMix64::seed_from_u64(now.unix_micros()).next_u64();
    let jittered = (wait / 2).saturating_add(jitter % wait.saturating_add(1).max(1));
    (now + Duration::from_micros(jittered)).min(expires_at)
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Why::Open => "the circuit is open",
            Why::TrialsOut => "the circuit is half-open and its trials are out",
            Why::ForcedOpen => "the circuit was opened by hand; reset it to let calls through",
        })?;
        match self.retry_after() {
            Some(wait) => write!(f, "; try again in {wait:.1?}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Rejection {}
