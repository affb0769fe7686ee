//! How long is the next delay? Pure.

use core::time::Duration;

use rand_core::Rng;

use crate::SplitMix64;

/// How a delay is drawn around the exponential ceiling `e = min(cap, base · 2ⁿ)`, n from 0.
///
/// The first, second and fourth are the formulas of the AWS article [Exponential Backoff And
/// Jitter]; the third differs where the original is wrong (see there).
///
/// [Exponential Backoff And Jitter]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Jitter {
    /// Uniform in `[0, e]`. With many clients it makes the fewest calls, and is done sooner than
    /// [`Equal`](Self::Equal).
    #[default]
    Full,
    /// Uniform in `[e/2, e]`: never shorter than half the ceiling.
    Equal,
    /// Uniform in `[base, min(cap, 3 · previous)]`, the previous delay of attempt 0 being `base`.
    ///
    /// The *range* is cut at the cap, not the drawn value, so delays stay spread when the cap is
    /// reached; cutting the value (as the article does) piles them up at the cap. A cap at or below
    /// the base leaves nothing to draw.
    Decorrelated,
    /// Exactly `e`. Clients that failed together come back together: for tests, or a single client.
    None,
}

/// How long to wait before each retry: a small `Copy` value, from which every delay follows as a
/// pure function.
///
/// For **every** base, cap, attempt and random source: `0 ≤ delay ≤ cap`, no overflow, no panic.
/// Times are kept in nanoseconds in a `u64`; a base or cap above `u64::MAX` ns (584 years) counts
/// as that.
///
/// ```
/// use std::time::Duration;
/// use backoff::{Jitter, Policy};
///
/// const POLICY: Policy = Policy::exponential(Duration::from_secs(5), Duration::from_secs(80));
///
/// // Uniform in [0, 10 s], from any `rand` 0.10 generator …
/// assert!(POLICY.delay(1, &mut rand::rng()) <= Duration::from_secs(10));
/// // … or from a seed: the same for ever.
/// assert_eq!(POLICY.delay_seeded(1, 42), POLICY.delay_seeded(1, 42));
/// // No attempt is too large.
/// assert!(POLICY.delay_seeded(u32::MAX, 42) <= Duration::from_secs(80));
///
/// let exact = POLICY.with_jitter(Jitter::None);
/// assert_eq!(exact.delay_seeded(3, 0), Duration::from_secs(40));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Policy {
    #[cfg_attr(feature = "serde", serde(with = "as_duration"))]
    base: u64,
    #[cfg_attr(feature = "serde", serde(with = "as_duration"))]
    cap: u64,
    #[cfg_attr(feature = "serde", serde(default))]
    jitter: Jitter,
}

impl Policy {
    /// The ceiling doubles from `base` with each attempt until it meets `cap`; full jitter below
    /// it.
    ///
    /// A cap below the base is the ceiling from the start.
    #[must_use]
    pub const fn exponential(base: Duration, cap: Duration) -> Self {
        Self {
            base: nanos(base),
            cap: nanos(cap),
            jitter: Jitter::Full,
        }
    }

    /// The same policy with another jitter.
    #[must_use]
    pub const fn with_jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// The delay before retry number `attempt`, counted from 0 (0: the wait after the first
    /// failure).
    ///
    /// Draws one `u64` from `rng`, none for [`Jitter::None`]; [`Jitter::Decorrelated`] walks its
    /// chain from the start and draws `attempt + 1`, at most 1024.
    #[must_use]
    pub fn delay(&self, attempt: u32, rng: &mut (impl Rng + ?Sized)) -> Duration {
        let nanos = match self.jitter {
            Jitter::Decorrelated => (0..=attempt.min(CHAIN - 1))
                .fold(self.base, |previous, n| self.draw(n, previous, rng)),
            _ => self.draw(attempt, self.base, rng),
        };
        Duration::from_nanos(nanos)
    }

    /// A delay of at least `floor`, for clients that were all told the same floor: above it they
    /// spread as the policy says, and over a tenth of the floor at least. Without jitter, the
    /// longer of the two.
    pub(crate) fn delay_above(
        &self,
        floor: Duration,
        attempt: u32,
        rng: &mut (impl Rng + ?Sized),
    ) -> Duration {
        let delay = self.delay(attempt, rng);
        if self.jitter == Jitter::None {
            return delay.max(floor);
        }
        let spread = Duration::from_nanos(uniform(0, nanos(floor / 10), rng));
        floor.saturating_add(delay.max(spread))
    }

    /// [`delay`](Self::delay) with a fixed seed: `(policy, attempt, seed)` gives the same delay on
    /// every machine, in every version of this crate.
    ///
    /// Equal to the item number `attempt` of [`delays`](Self::delays) over
    /// [`SplitMix64::new(seed)`](SplitMix64::new), in constant time.
    ///
    /// ```
    /// # use backoff::{Policy, SplitMix64};
    /// let policy = Policy::default();
    /// let iterated = policy.delays(SplitMix64::new(7)).nth(5).unwrap();
    /// assert_eq!(iterated, policy.delay_seeded(5, 7));
    /// ```
    #[must_use]
    pub fn delay_seeded(&self, attempt: u32, seed: u64) -> Duration {
        let skipped = match self.jitter {
            Jitter::Decorrelated => attempt.saturating_sub(CHAIN - 1),
            _ => attempt,
        };
        self.delay(attempt, &mut SplitMix64::new(seed).skip(skipped.into()))
    }

    /// The endless sequence of delays for attempts 0, 1, 2 …; bound it with `take`, or decide with
    /// [`Retry`](crate::Retry).
    ///
    /// ```
    /// # use backoff::{Policy, SplitMix64};
    /// for delay in Policy::default().delays(SplitMix64::new(1)).take(3) {
    ///     println!("{delay:?}");
    /// }
    /// ```
    pub fn delays<R: Rng>(self, rng: R) -> Delays<R> {
        Delays {
            policy: self,
            rng,
            attempt: 0,
            previous: self.base,
        }
    }

    /// `min(cap, base · 2ⁿ)` in nanoseconds.
    fn ceiling(&self, attempt: u32) -> u64 {
        if self.base <= self.cap.checked_shr(attempt).unwrap_or(0) {
            self.base.checked_shl(attempt).unwrap_or(0)
        } else {
            self.cap
        }
    }

    fn draw(&self, attempt: u32, previous: u64, rng: &mut (impl Rng + ?Sized)) -> u64 {
        let ceiling = self.ceiling(attempt);
        match self.jitter {
            Jitter::Full => uniform(0, ceiling, rng),
            Jitter::Equal => uniform(ceiling / 2, ceiling, rng),
            Jitter::Decorrelated => {
                let high = previous.saturating_mul(3).min(self.cap);
                uniform(self.base.min(high), high, rng)
            }
            Jitter::None => ceiling,
        }
    }
}

impl Default for Policy {
    /// Base 1 s, cap 20 s, full jitter: the standard mode of the AWS SDKs.
    fn default() -> Self {
        Self::exponential(Duration::from_secs(1), Duration::from_secs(20))
    }
}

/// Nanoseconds, as serde writes a `Duration`.
#[cfg(feature = "serde")]
mod as_duration {
    use core::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(nanos: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        Duration::from_nanos(*nanos).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        Duration::deserialize(deserializer).map(super::nanos)
    }
}

/// Delays of one [`Policy`] for attempts 0, 1, 2 …; never ends. Made by [`Policy::delays`].
#[derive(Clone, Debug)]
#[must_use = "an iterator does nothing until it is asked"]
pub struct Delays<R> {
    policy: Policy,
    rng: R,
    attempt: u32,
    previous: u64,
}

impl<R: Rng> Iterator for Delays<R> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.previous = self.policy.draw(self.attempt, self.previous, &mut self.rng);
        self.attempt = self.attempt.saturating_add(1);
        Some(Duration::from_nanos(self.previous))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

/// Steps after which a decorrelated chain has forgotten its start: its logarithm drifts up by `ln 3
/// − 1 ≈ 0.1` a step, and the widest range there is, 1 ns to 584 years, spans 44.
const CHAIN: u32 = 1024;

const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos >> 64 == 0 {
        nanos as u64
    } else {
        u64::MAX
    }
}

/// Uniform in `[low, high]`, both ends included, from exactly one draw: the high word of a widening
/// product.
///
/// No value's probability is off by more than 2⁻⁶⁴; rejection would make that zero, but never end
/// on a broken source.
fn uniform(low: u64, high: u64, rng: &mut (impl Rng + ?Sized)) -> u64 {
    let values = u128::from(high - low) + 1;
    low + ((u128::from(rng.next_u64()) * values) >> 64) as u64
}
