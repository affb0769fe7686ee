//! When a circuit opens, for how long, and what closes it again.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// When a circuit opens, for how long, and what closes it again.
///
/// Every setter takes every value; a zero where at least one is meant counts as one.
///
/// ```
/// use std::time::Duration;
/// use breaker::{Rate, Rules};
///
/// let rules = Rules::default()
///     .consecutive_failures(3)
///     .rate(Rate::over_calls(100).failures(50).min_calls(20))
///     .open_for(Duration::from_secs(30))
///     .successes_to_close(2);
/// ```
///
/// | rule | default |
/// |---|---|
/// | [`consecutive_failures`](Rules::consecutive_failures) | 5 |
/// | [`rate`](Rules::rate) | none |
/// | [`open_for`](Rules::open_for) | 60 s |
/// | [`heal_after`](Rules::heal_after) | 300 s |
/// | [`trials`](Rules::trials) | 1 at a time |
/// | [`successes_to_close`](Rules::successes_to_close) | 1 |
/// | [`trial_lease`](Rules::trial_lease) | 60 s |
/// | [`early_trial_after`](Rules::early_trial_after) | never |
#[derive(Clone, Debug)]
#[must_use]
pub struct Rules {
    pub(crate) consecutive: Option<NonZeroU32>,
    pub(crate) rate: Option<Rate>,
    pub(crate) open: OpenInterval,
    pub(crate) heal_after: Duration,
    pub(crate) trials: NonZeroU32,
    pub(crate) successes: NonZeroU32,
    pub(crate) trial_lease: Duration,
    pub(crate) early_trial: Option<Duration>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            consecutive: Some(at_least_one(5)),
            rate: None,
            open: OpenInterval::Fixed(Duration::from_secs(60)),
            heal_after: Duration::from_secs(300),
            trials: NonZeroU32::MIN,
            successes: NonZeroU32::MIN,
            trial_lease: Duration::from_secs(60),
            early_trial: None,
        }
    }
}

impl Rules {
    /// Opens after this many failures in a row.
    pub fn consecutive_failures(mut self, failures: u32) -> Self {
        self.consecutive = Some(at_least_one(failures));
        self
    }

    /// Does not count failures in a row: only [`Rules::rate`], [`Permit::trip`](crate::Permit::trip) and a person open.
    pub fn no_consecutive_limit(mut self) -> Self {
        self.consecutive = None;
        self
    }

    /// Opens when too many of the last calls failed or were slow, beside the count of failures in a row.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// How long the circuit stays open before it lets a trial through.
    pub fn open_for(mut self, interval: Duration) -> Self {
        self.open = OpenInterval::Fixed(interval);
        self
    }

    /// An open interval that depends on how often the circuit has opened lately: 1 for the first time, one more for every
    /// failed trial and every opening since, one less for each [`heal_after`](Rules::heal_after) spent closed.
    ///
    /// The function may draw a jitter. Its answer is cut to `longest`. It runs outside the breaker's lock, on the thread
    /// whose call opens the circuit, so it may take its time and even ask the breaker.
    ///
    /// ```
    /// use std::time::Duration;
    /// use breaker::Rules;
    ///
    /// let doubling = Rules::default().open_for_each(Duration::from_secs(600), |openings| {
    ///     Duration::from_secs(30).saturating_mul(2u32.saturating_pow(openings - 1))
    /// });
    /// ```
    pub fn open_for_each(
        mut self,
        longest: Duration,
        interval: impl Fn(u32) -> Duration + Send + Sync + 'static,
    ) -> Self {
        self.open = OpenInterval::Each {
            longest,
            interval: Arc::new(interval),
        };
        self
    }

    /// How much closed time makes up for one opening, for [`open_for_each`](Rules::open_for_each).
    pub fn heal_after(mut self, span: Duration) -> Self {
        self.heal_after = span;
        self
    }

    /// How many trials may run at a time while half-open.
    pub fn trials(mut self, at_a_time: u32) -> Self {
        self.trials = at_least_one(at_a_time);
        self
    }

    /// How many trials must succeed, with none failing, to close the circuit.
    pub fn successes_to_close(mut self, successes: u32) -> Self {
        self.successes = at_least_one(successes);
        self
    }

    /// How long a trial may take. After that its place is given to another call and its result no longer counts, so a
    /// trial that hangs or whose process died cannot hold the circuit half-open. Choose it longer than the longest call.
    pub fn trial_lease(mut self, lease: Duration) -> Self {
        self.trial_lease = lease;
        self
    }

    /// Lets [`Breaker::suggest_trial`](crate::Breaker::suggest_trial) end an open interval early, once it has lasted this
    /// long.
    pub fn early_trial_after(mut self, open: Duration) -> Self {
        self.early_trial = Some(open);
        self
    }

    /// Whether the length of a call matters, so that it must be measured.
    #[inline]
    pub(crate) fn slow_after(&self) -> Option<Duration> {
        Some(self.rate.as_ref()?.slow?.after)
    }
}

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

/// How long a circuit stays open.
#[derive(Clone)]
pub(crate) enum OpenInterval {
    Fixed(Duration),
    Each {
        longest: Duration,
        interval: Arc<dyn Fn(u32) -> Duration + Send + Sync>,
    },
}

impl OpenInterval {
    pub(crate) fn after(&self, openings: u32) -> Duration {
        match self {
            Self::Fixed(interval) => *interval,
            Self::Each { longest, interval } => interval(openings).min(*longest),
        }
    }

    /// The interval, where no function need be asked.
    pub(crate) fn fixed(&self) -> Option<Duration> {
        match self {
            Self::Fixed(interval) => Some(*interval),
            Self::Each { .. } => None,
        }
    }

    pub(crate) fn longest(&self) -> Duration {
        match self {
            Self::Fixed(longest) | Self::Each { longest, .. } => *longest,
        }
    }
}

impl fmt::Debug for OpenInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(interval) => write!(f, "{interval:?}"),
            Self::Each { longest, .. } => write!(f, "a function, at most {longest:?}"),
        }
    }
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rate {
    pub(crate) span: Span,
    pub(crate) failures: u8,
    pub(crate) slow: Option<Slow>,
    pub(crate) min_calls: NonZeroU32,
}

/// What a [`Rate`] looks back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Calls(NonZeroU32),
    Time(Duration),
}

/// Which calls are slow, and from which percentage on they open the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slow {
    pub(crate) after: Duration,
    pub(crate) percent: u8,
}

impl Rate {
    /// A rate over the last `calls` calls.
    pub fn over_calls(calls: u32) -> Self {
        let calls = at_least_one(calls);
        Self {
            span: Span::Calls(calls),
            failures: 50,
            slow: None,
            min_calls: calls,
        }
    }

    /// A rate over the calls of the last `span`, counted in tenths of it.
    pub fn over_time(span: Duration) -> Self {
        Self {
            span: Span::Time(span),
            failures: 50,
            slow: None,
            min_calls: at_least_one(20),
        }
    }

    /// Opens from this percentage of failures on (1 to 100).
    pub fn failures(mut self, percent: u8) -> Self {
        self.failures = percent.clamp(1, 100);
        self
    }

    /// Also opens when this percentage (1 to 100) took longer than `after`. A slow trial then counts as failed.
    pub fn slow_calls(mut self, after: Duration, percent: u8) -> Self {
        self.slow = Some(Slow {
            after,
            percent: percent.clamp(1, 100),
        });
        self
    }

    /// Decides nothing before this many calls are in the window; over calls, at most the window's length.
    pub fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = match self.span {
            Span::Calls(window) => at_least_one(calls).min(window),
            Span::Time(_) => at_least_one(calls),
        };
        self
    }
}
