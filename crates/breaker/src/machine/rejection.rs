//! A call that may not run, why, and when to ask again.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// A call was not admitted: why, and the earliest time at which asking again is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rejection {
    /// Why.
    pub why: Why,
    /// When the call was rejected.
    pub at: Time,
    /// The earliest useful time to ask again; `None` when only a person can change that.
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
    /// How long to wait from the moment of the rejection. Sleeping that long never ends too early; an open circuit, which
    /// is rejected by a coarse clock, may make it 50 ms more than needed. [`Breaker::ready_in`](crate::Breaker::ready_in)
    /// is exact.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        Some(self.retry_at? - self.at)
    }
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
