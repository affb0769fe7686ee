//! Failures and slow calls as a part of all calls.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rules::at_least_one;

/// Opens a circuit when too great a part of the last calls failed or was slow.
///
/// Nothing is decided before `min_calls` calls are in the window.
///
/// | setting | default |
/// |---|---|
/// | [`failures`](Rate::failures) | 50 % |
/// | [`slow_calls`](Rate::slow_calls) | not watched |
/// | [`min_calls`](Rate::min_calls) over calls | the whole window |
/// | [`min_calls`](Rate::min_calls) over time | 20 |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
#[must_use]
pub struct Rate {
    #[serde(rename = "over")]
    pub(crate) span: Span,
    pub(crate) failures: u8,
    #[serde(rename = "slow_calls")]
    pub(crate) slow: Option<Slow>,
    pub(crate) min_calls: NonZeroU32,
}

/// What a [`Rate`] looks back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Span {
    Calls(NonZeroU32),
    Time(Duration),
}

/// Which calls are slow, and from which percentage on they open the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slow {
    pub(crate) after: Duration,
    pub(crate) percent: u8,
}

/// A [`Rate`] as a configuration file has it, before its setters have seen the numbers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    over: Span,
    failures: Option<u8>,
    slow_calls: Option<Slow>,
    min_calls: Option<u32>,
}

impl From<Written> for Rate {
    fn from(written: Written) -> Self {
        let mut rate = match written.over {
            Span::Calls(calls) => Self::over_calls(calls.get()),
            Span::Time(span) => Self::over_time(span),
        };
        if let Some(percent) = written.failures {
            rate = rate.failures(percent);
        }
        if let Some(Slow { after, percent }) = written.slow_calls {
            rate = rate.slow_calls(after, percent);
        }
        match written.min_calls {
            Some(calls) => rate.min_calls(calls),
            None => rate,
        }
    }
}

impl Rate {
    /// A rate over the last `calls` calls.
    pub fn over_calls(calls: u32) -> Self {
        let calls = at_least_one(calls);
        Self::over(Span::Calls(calls), calls)
    }

    fn over(span: Span, min_calls: NonZeroU32) -> Self {
        Self {
            span,
            failures: 50,
            slow: None,
            min_calls,
        }
    }

    /// A rate over the calls of the last `span`, counted in tenths of it.
    pub fn over_time(span: Duration) -> Self {
        Self::over(Span::Time(span), at_least_one(20))
    }

    /// Opens from this percentage of failures on (1 to 100).
    pub fn failures(mut self, percent: u8) -> Self {
        self.failures = percent.clamp(1, 100);
        self
    }

    /// Also opens when this percentage (1 to 100) took longer than `after`. A slow trial then
    /// counts as failed.
    pub fn slow_calls(mut self, after: Duration, percent: u8) -> Self {
        self.slow = Some(Slow {
            after,
            percent: percent.clamp(1, 100),
        });
        self
    }

    /// Decides nothing before this many calls are in the window; over calls, at most the window's
    /// length.
    pub fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = match self.span {
            Span::Calls(window) => at_least_one(calls).min(window),
            Span::Time(_) => at_least_one(calls),
        };
        self
    }
}
