//! Try again, and when? Pure.

use core::{fmt, time::Duration};

use rand_core::Rng;

use crate::Policy;

/// Whether to try again, and when: a [`Policy`] with its limits. A small `Copy` value whose
/// [`decide`](Self::decide) is pure.
///
/// ```
/// use std::time::Duration;
/// use backoff::{Decision, GiveUp, Hint, Policy, Retry, SplitMix64};
///
/// const RETRY: Retry = Retry::new(Policy::exponential(Duration::from_secs(5), Duration::from_secs(80)))
///     .max_tries(4)
///     .deadline(Duration::from_secs(600));
///
/// // What a persisted queue knows of a job that has just failed; times since any epoch, here Unix.
/// let (first_try, now) = (Duration::from_secs(1_700_000_000), Duration::from_secs(1_700_000_060));
/// let rng = &mut SplitMix64::new(1);
///
/// match RETRY.decide(first_try, 2, now, Hint::RetryAfter(Duration::from_secs(30)), rng) {
///     Decision::RetryAt(at) => assert!(at >= now + Duration::from_secs(30)),
///     Decision::GiveUp(why) => panic!("{why}"),
/// }
/// assert_eq!(RETRY.decide(first_try, 4, now, Hint::Transient, rng), Decision::GiveUp(GiveUp::Tries { max: 4 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Retry {
    policy: Policy,
    max_tries: Option<u32>,
    deadline: Option<Duration>,
    retry_after_max: Duration,
}

/// What an error says about trying again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hint {
    /// Try again when the policy says.
    #[default]
    Transient,
    /// As [`Transient`](Self::Transient), but dearer for a [`Budget`](crate::Budget): the server
    /// may still be at work on it.
    Timeout,
    /// Try again by another policy than the usual one.
    Policy(Policy),
    /// Not before this long from now (HTTP's `Retry-After`): a floor, bounded by
    /// [`retry_after_max`](Retry::retry_after_max), that never defeats a limit. Above it the
    /// policy's jitter goes on, over a tenth of the floor at least, so that clients which were all
    /// told the same do not come back together.
    RetryAfter(Duration),
    /// This result stands: trying again cannot help, or is not needed.
    Final,
    /// The caller no longer wants the result. Never retried.
    Cancelled,
}

/// What to do after a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// Try again at this time, in the epoch `first_try` and `now` were given in.
    RetryAt(Duration),
    /// Do not try again.
    GiveUp(GiveUp),
}

/// Why there is no further try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUp {
    /// The result is one that trying again cannot better.
    Final,
    /// The caller cancelled.
    Cancelled,
    /// All tries allowed were made.
    Tries {
        /// The tries allowed, the first included.
        max: u32,
    },
    /// The next try would start after the deadline.
    Deadline {
        /// The deadline, from the first try.
        deadline: Duration,
        /// When the next try would have started, from the first try.
        next: Duration,
    },
    /// The retry budget is spent.
    Budget,
}

/// Retries allowed when nothing else is said: three tries, as the AWS SDKs do.
const MAX_TRIES: u32 = 3;
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

impl Retry {
    /// At most 3 tries, no deadline, `Retry-After` obeyed up to an hour.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self {
            policy,
            max_tries: Some(MAX_TRIES),
            deadline: None,
            retry_after_max: RETRY_AFTER_MAX,
        }
    }

    /// At most `tries` tries, the first included: 1 never retries (nor does 0, since the first is
    /// made before any decision).
    #[must_use]
    pub const fn max_tries(mut self, tries: u32) -> Self {
        self.max_tries = Some(tries);
        self
    }

    /// No limit to the number of tries. Set a [`deadline`](Self::deadline), or have a reason for
    /// neither.
    #[must_use]
    pub const fn unlimited_tries(mut self) -> Self {
        self.max_tries = None;
        self
    }

    /// The last try starts at most this long after the first did. Counts everything: work, sleep,
    /// and the delay ahead, which must fit whole.
    #[must_use]
    pub const fn deadline(mut self, after_first_try: Duration) -> Self {
        self.deadline = Some(after_first_try);
        self
    }

    /// The longest [`Hint::RetryAfter`] obeyed; a longer one counts as this.
    #[must_use]
    pub const fn retry_after_max(mut self, max: Duration) -> Self {
        self.retry_after_max = max;
        self
    }

    /// The decision after a failed try: first why there may be no other, else when.
    ///
    /// `first_try` is when the first try started, `past_tries` how many were made (1 after the
    /// first; 0 counts as 1), `now` the present, both times since one epoch, any. A `now` before
    /// `first_try` (a clock set back) counts as no time elapsed; sums saturate.
    pub fn decide(
        &self,
        first_try: Duration,
        past_tries: u32,
        now: Duration,
        hint: Hint,
        rng: &mut (impl Rng + ?Sized),
    ) -> Decision {
        match self.next_delay(|| now.saturating_sub(first_try), past_tries, hint, rng) {
            Ok(delay) => Decision::RetryAt(now.saturating_add(delay)),
            Err(why) => Decision::GiveUp(why),
        }
    }

    /// The delay before the next try, or why there is none. Only a deadline asks what time has
    /// `elapsed` since the first try began.
    pub(crate) fn next_delay(
        &self,
        elapsed: impl FnOnce() -> Duration,
        past_tries: u32,
        hint: Hint,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Duration, GiveUp> {
        let (policy, floor) = match hint {
            Hint::Final => return Err(GiveUp::Final),
            Hint::Cancelled => return Err(GiveUp::Cancelled),
            Hint::Transient | Hint::Timeout => (self.policy, None),
            Hint::Policy(policy) => (policy, None),
            Hint::RetryAfter(wait) => (self.policy, Some(wait.min(self.retry_after_max))),
        };
        if let Some(max) = self.max_tries
            && past_tries >= max
        {
            return Err(GiveUp::Tries { max });
        }
        let attempt = past_tries.saturating_sub(1);
        let delay = match floor {
            None => policy.delay(attempt, rng),
            Some(floor) => policy.delay_above(floor, attempt, rng),
        };
        if let Some(deadline) = self.deadline {
            let next = elapsed().saturating_add(delay);
            if next > deadline {
                return Err(GiveUp::Deadline { deadline, next });
            }
        }
        Ok(delay)
    }

    pub(crate) const fn has_deadline(&self) -> bool {
        self.deadline.is_some()
    }
}

impl Default for Retry {
    /// [`Retry::new`] of the default policy.
    fn default() -> Self {
        Self::new(Policy::default())
    }
}

impl From<Policy> for Retry {
    fn from(policy: Policy) -> Self {
        Self::new(policy)
    }
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Final => f.write_str("trying again cannot help"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Tries { max } => write!(f, "all {max} tries allowed have failed"),
            Self::Deadline { deadline, next } => write!(
                f,
                "the next try would start {next:?} after the first, past the deadline of {deadline:?}"
            ),
            Self::Budget => f.write_str(
                "the retry budget is spent: too many calls are failing to add retries to them",
            ),
        }
    }
}
