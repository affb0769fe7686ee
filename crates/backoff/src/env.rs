//! How does a retry sleep, tell the time and draw numbers?

#[cfg(feature = "std")]
use core::time::Duration;

/// The world a [`Call`](crate::Call) runs in: how to sleep, what time it is, where randomness comes
/// from. Plain fields, so that a test (or another runtime) replaces any of them.
///
/// ```
/// use std::{cell::Cell, time::Duration};
/// use backoff::{Env, GaveUp, GiveUp, Retry, SplitMix64};
///
/// let now = Cell::new(Duration::ZERO);
/// let env = Env {
///     sleep: |delay| now.set(now.get() + delay), // no real time passes
///     clock: || now.get(),
///     rng: SplitMix64::new(7),
/// };
/// let outcome = Retry::default().call_in(env, || Err::<(), _>("refused")).run();
/// assert_eq!(outcome, Err(GaveUp { error: "refused", why: GiveUp::Tries { max: 3 }, tries: 3 }));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Env<S, C, R> {
    /// Waits for a `Duration`. To [`run`](crate::Call::run), a function that returns when the time
    /// is over, as `std::thread::sleep`; to [`run_async`](crate::Call::run_async), one that returns
    /// a future, as `tokio::time::sleep`. It yields `()` or, if it can be interrupted, [`Slept`].
    pub sleep: S,
    /// The time since any fixed moment; best monotonic.
    pub clock: C,
    /// A `rand_core` 0.10 generator.
    pub rng: R,
}

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slept {
    /// It lasted its time.
    Fully,
    /// It was cut short because the caller no longer wants the result: the call stops without
    /// another try.
    Cancelled,
}

impl From<()> for Slept {
    fn from((): ()) -> Self {
        Self::Fully
    }
}

/// [`Env::blocking`].
#[cfg(feature = "std")]
pub type Blocking = Env<fn(Duration), fn() -> Duration, crate::Unseeded>;

#[cfg(feature = "std")]
impl Blocking {
    /// `std::thread::sleep`, `std::time::Instant` and [`Unseeded`](crate::Unseeded) randomness.
    #[must_use]
    pub fn blocking() -> Self {
        Self {
            sleep: std::thread::sleep,
            clock: monotonic,
            rng: crate::Unseeded,
        }
    }
}

#[cfg(feature = "std")]
fn monotonic() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// [`Env::tokio`], with its clock.
#[cfg(feature = "tokio")]
pub type Tokio<C> = Env<fn(Duration) -> tokio::time::Sleep, C, crate::Unseeded>;

#[cfg(feature = "tokio")]
impl Env<(), (), ()> {
    /// tokio's sleep and clock (both stand still under `tokio::time::pause`) and
    /// [`Unseeded`](crate::Unseeded) randomness.
    ///
    /// ```
    /// use backoff::{Env, Retry};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let answer = Retry::default().call_async(Env::tokio(), async || Ok::<_, std::io::Error>(42)).run_async().await;
    /// assert_eq!(answer.unwrap(), 42);
    /// # }
    /// ```
    #[must_use]
    pub fn tokio() -> Tokio<impl FnMut() -> Duration> {
        let start = tokio::time::Instant::now();
        Env {
            sleep: tokio::time::sleep,
            clock: move || start.elapsed(),
            rng: crate::Unseeded,
        }
    }
}
