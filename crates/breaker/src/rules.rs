//! When a circuit opens, for how long, and what closes it again.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::open_for::OpenFor;
use crate::rate::Rate;

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
/// | [`trials`](Rules::trials) | 1 at a time |
/// | [`successes_to_close`](Rules::successes_to_close) | 1 |
/// | [`trial_lease`](Rules::trial_lease) | 60 s |
/// | [`early_trial_after`](Rules::early_trial_after) | never |
///
/// In a configuration file each rule has its setter's name, and what is left out has its default:
///
/// ```
/// # use std::time::Duration;
/// # use breaker::Rules;
/// let text = r#"{"consecutive_failures": 3, "open_for": {"secs": 30, "nanos": 0}}"#;
/// let rules: Rules = serde_json::from_str(text).unwrap();
/// assert_eq!(rules, Rules::default().consecutive_failures(3).open_for(Duration::from_secs(30)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct Rules {
    #[serde(rename = "consecutive_failures")]
    pub(crate) consecutive: Option<NonZeroU32>,
    pub(crate) rate: Option<Rate>,
    #[serde(rename = "open_for")]
    pub(crate) open: OpenFor,
    pub(crate) trials: NonZeroU32,
    #[serde(rename = "successes_to_close")]
    pub(crate) successes: NonZeroU32,
    pub(crate) trial_lease: Duration,
    #[serde(rename = "early_trial_after")]
    pub(crate) early_trial: Option<Duration>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            consecutive: Some(at_least_one(5)),
            rate: None,
            open: OpenFor::fixed(Duration::from_secs(60)),
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

    /// Does not count failures in a row: only [`Rules::rate`],
    /// [`Permit::trip`](crate::Permit::trip) and a person open.
    pub fn no_consecutive_limit(mut self) -> Self {
        self.consecutive = None;
        self
    }

    /// Opens when too many of the last calls failed or were slow, beside the count of failures in a
    /// row.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// How long the circuit stays open before it lets a trial through: always the same `Duration`,
    /// or an [`OpenFor`] that grows.
    pub fn open_for(mut self, interval: impl Into<OpenFor>) -> Self {
        self.open = interval.into();
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

    /// How long a trial may take. After that its place is given to another call and its result no
    /// longer counts, so a trial that hangs or whose process died cannot hold the circuit
    /// half-open. Choose it longer than the longest call.
    pub fn trial_lease(mut self, lease: Duration) -> Self {
        self.trial_lease = lease;
        self
    }

    /// Lets [`Breaker::suggest_trial`](crate::Breaker::suggest_trial) end an open interval early,
    /// once it has lasted this long.
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

pub(crate) fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}
