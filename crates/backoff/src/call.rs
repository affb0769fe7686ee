use core::{error::Error, fmt, marker::PhantomData, time::Duration};

use rand_core::Rng;

use crate::{Budget, BudgetedCall, Env, GiveUp, Hint, Retry, Slept};

/// An operation about to be run with retries: made by [`Retry::call`], [`call_in`](Retry::call_in) or
/// [`call_async`](Retry::call_async), ended by [`run`](Self::run) or [`run_async`](Self::run_async).
///
/// `W` is the [`Env`], `E` the operation's error, `H` and `N` what [`hint`](Self::hint) and [`notify`](Self::notify)
/// were given.
#[must_use = "nothing happens until `run` or `run_async`"]
pub struct Call<'b, F, W, E, H = fn(&E) -> Hint, N = fn(&E, Duration)> {
    retry: Retry,
    env: W,
    operation: F,
    hint: H,
    notify: N,
    budget: Option<&'b Budget>,
    error: PhantomData<fn(&E)>,
}

/// The last error of a call that was given up, and why it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveUp<E> {
    /// The error of the last try.
    pub error: E,
    /// Why no other try followed.
    pub why: GiveUp,
    /// The tries made, the first included.
    pub tries: u32,
}

impl Retry {
    /// Prepares a blocking operation to run in [`Env::blocking`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use backoff::{Policy, Retry};
    ///
    /// let mut tries = 0;
    /// let answer = Retry::new(Policy::exponential(Duration::from_millis(1), Duration::from_millis(8)))
    ///     .call(|| {
    ///         tries += 1;
    ///         if tries < 3 { Err("busy") } else { Ok(tries) }
    ///     })
    ///     .when(|error| *error == "busy")
    ///     .notify(|error, delay| eprintln!("{error}; again in {delay:?}"))
    ///     .run();
    /// assert_eq!(answer.unwrap(), 3);
    /// ```
    #[cfg(feature = "std")]
    pub fn call<'b, F, T, E>(self, operation: F) -> Call<'b, F, crate::env::Blocking, E>
    where
        F: FnMut() -> Result<T, E>,
    {
        self.call_in(Env::blocking(), operation)
    }

    /// Prepares a blocking operation to run in a given [`Env`].
    pub fn call_in<'b, F, W, T, E>(self, env: W, operation: F) -> Call<'b, F, W, E>
    where
        F: FnMut() -> Result<T, E>,
    {
        Call::new(self, env, operation)
    }

    /// Prepares an async operation to run in a given [`Env`], under any runtime.
    pub fn call_async<'b, F, W, T, E>(self, env: W, operation: F) -> Call<'b, F, W, E>
    where
        F: AsyncFnMut() -> Result<T, E>,
    {
        Call::new(self, env, operation)
    }
}

impl<F, W, E> Call<'_, F, W, E> {
    fn new(retry: Retry, env: W, operation: F) -> Self {
        Self {
            retry,
            env,
            operation,
            hint: |_| Hint::Transient,
            notify: |_, _| (),
            budget: None,
            error: PhantomData,
        }
    }
}

impl<'b, F, W, E, H, N> Call<'b, F, W, E, H, N> {
    /// What each error says about trying again; without it, that it is [`Hint::Transient`].
    pub fn hint<H2: FnMut(&E) -> Hint>(self, hint: H2) -> Call<'b, F, W, E, H2, N> {
        Call {
            retry: self.retry,
            env: self.env,
            operation: self.operation,
            hint,
            notify: self.notify,
            budget: self.budget,
            error: PhantomData,
        }
    }

    /// Retries only errors for which `transient` holds; short for [`hint`](Self::hint), and replaces it.
    pub fn when(
        self,
        mut transient: impl FnMut(&E) -> bool,
    ) -> Call<'b, F, W, E, impl FnMut(&E) -> Hint, N> {
        self.hint(move |error| {
            if transient(error) {
                Hint::Transient
            } else {
                Hint::Permanent
            }
        })
    }

    /// Called before each sleep, with the error and the delay. Not called when the call is given up: that is in the
    /// result.
    pub fn notify<N2: FnMut(&E, Duration)>(self, notify: N2) -> Call<'b, F, W, E, H, N2> {
        Call {
            retry: self.retry,
            env: self.env,
            operation: self.operation,
            hint: self.hint,
            notify,
            budget: self.budget,
            error: PhantomData,
        }
    }

    /// Charges the retries to `budget`.
    pub fn budget(self, budget: &'b Budget) -> Self {
        Self {
            budget: Some(budget),
            ..self
        }
    }
}

impl<F, S, C, R, E, H, N> Call<'_, F, Env<S, C, R>, E, H, N>
where
    C: FnMut() -> Duration,
    R: Rng,
    H: FnMut(&E) -> Hint,
    N: FnMut(&E, Duration),
{
    /// Tries until the operation succeeds or is given up, sleeping in between.
    ///
    /// # Errors
    /// The operation's last error, and why it was given up.
    pub fn run<T, O>(mut self) -> Result<T, GaveUp<E>>
    where
        F: FnMut() -> Result<T, E>,
        S: FnMut(Duration) -> O,
        O: Into<Slept>,
    {
        let mut progress = self.start();
        loop {
            let error = match (self.operation)() {
                Ok(value) => return Ok(progress.succeeded(value)),
                Err(error) => error,
            };
            let delay = match self.next_delay(&mut progress, &error) {
                Ok(delay) => delay,
                Err(why) => return Err(progress.gave_up(error, why)),
            };
            if (self.env.sleep)(delay).into() == Slept::Cancelled {
                return Err(progress.gave_up(error, GiveUp::Cancelled));
            }
        }
    }

    /// [`run`](Self::run) for an async operation. Dropping the future cancels it, wherever it is.
    ///
    /// # Errors
    /// The operation's last error, and why it was given up.
    pub async fn run_async<T, O>(mut self) -> Result<T, GaveUp<E>>
    where
        F: AsyncFnMut() -> Result<T, E>,
        S: AsyncFnMut(Duration) -> O,
        O: Into<Slept>,
    {
        let mut progress = self.start();
        loop {
            let error = match (self.operation)().await {
                Ok(value) => return Ok(progress.succeeded(value)),
                Err(error) => error,
            };
            let delay = match self.next_delay(&mut progress, &error) {
                Ok(delay) => delay,
                Err(why) => return Err(progress.gave_up(error, why)),
            };
            if (self.env.sleep)(delay).await.into() == Slept::Cancelled {
                return Err(progress.gave_up(error, GiveUp::Cancelled));
            }
        }
    }
}

/// What has happened so far.
struct Progress<'b> {
    first_try: Duration,
    tries: u32,
    budgeted: Option<BudgetedCall<'b>>,
}

impl<'b, F, S, C, R, E, H, N> Call<'b, F, Env<S, C, R>, E, H, N>
where
    C: FnMut() -> Duration,
    R: Rng,
    H: FnMut(&E) -> Hint,
    N: FnMut(&E, Duration),
{
    fn start(&mut self) -> Progress<'b> {
        Progress {
            // Reading a clock is dear beside a call that succeeds at once, and only a deadline needs it.
            first_try: if self.retry.has_deadline() {
                (self.env.clock)()
            } else {
                Duration::ZERO
            },
            tries: 0,
            budgeted: self.budget.map(Budget::call),
        }
    }

    /// The one decision of both runners: how long to sleep after `error`, or why not to.
    fn next_delay(&mut self, progress: &mut Progress<'_>, error: &E) -> Result<Duration, GiveUp> {
        progress.tries = progress.tries.saturating_add(1);
        let hint = (self.hint)(error);
        let elapsed = || (self.env.clock)().saturating_sub(progress.first_try);
        let delay = self
            .retry
            .next_delay(elapsed, progress.tries, hint, &mut self.env.rng)?;
        if let Some(call) = &mut progress.budgeted
            && !call.may_retry(hint)
        {
            return Err(GiveUp::Budget);
        }
        (self.notify)(error, delay);
        Ok(delay)
    }
}

impl Progress<'_> {
    fn succeeded<T>(self, value: T) -> T {
        if let Some(call) = self.budgeted {
            call.succeeded();
        }
        value
    }

    fn gave_up<E>(self, error: E, why: GiveUp) -> GaveUp<E> {
        GaveUp {
            error,
            why,
            tries: self.tries,
        }
    }
}

impl<E: fmt::Display> fmt::Display for GaveUp<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tries = if self.tries == 1 { "try" } else { "tries" };
        write!(
            f,
            "gave up after {} {tries}, {}: {}",
            self.tries, self.why, self.error
        )
    }
}

impl<E: Error + 'static> Error for GaveUp<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
