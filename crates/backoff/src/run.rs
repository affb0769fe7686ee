//! Runs an operation with its retries, blocking or async.

use core::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use rand_core::Rng;

use crate::call::retry_if;
use crate::{
    Async, Budget, BudgetedCall, Call, Detached, Env, GiveUp, Hint, Lending, Passing, Retrying,
    Slept,
};

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

impl<F, S, C, R, T, E, H, N, O> Call<'_, F, Env<S, C, R>, T, E, H, N>
where
    F: FnMut() -> Result<T, E>,
    S: FnMut(Duration) -> O,
    O: Into<Slept>,
    C: FnMut() -> Duration,
    R: Rng,
    H: FnMut(&Result<T, E>) -> Hint,
    N: FnMut(Retrying<'_, T, E>),
{
    /// Tries until a result is final or the operation is given up, sleeping in between.
    ///
    /// # Errors
    /// The operation's last error, and why it was given up.
    #[inline]
    pub fn run(mut self) -> Result<T, GaveUp<E>> {
        let mut progress = self.start();
        loop {
            let result = (self.operation)();
            let why = match self.next_delay(&mut progress, &result, None) {
                Ok(delay) => match (self.env.sleep)(delay).into() {
                    Slept::Fully => continue,
                    Slept::Cancelled => GiveUp::Cancelled,
                },
                Err(why) => why,
            };
            return progress.end(result, why);
        }
    }
}

/// What the async runners share. Were one written by another, none would be `Send` where its
/// operation borrows.
macro_rules! drive {
    ($call:ident, $attempt:expr) => {{
        let mut progress = $call.start();
        loop {
            let (result, cut) = $attempt;
            let why = match $call.next_delay(&mut progress, &result, cut) {
                Ok(delay) => match ($call.env.sleep)(delay).await.into() {
                    Slept::Fully => continue,
                    Slept::Cancelled => GiveUp::Cancelled,
                },
                Err(why) => why,
            };
            break progress.end(result, why);
        }
    }};
}

macro_rules! run_async {
    ($kind:ident, <$($of:ident)?>, $($operation:tt)*) => {
        impl<F, $($of,)? S, D, C, R, T, E, H, N> Call<'_, Async<F, E, $kind>, Env<S, C, R>, T, E, H, N>
        where
            $($operation)*
            S: FnMut(Duration) -> D,
            D: Future<Output: Into<Slept>>,
            C: FnMut() -> Duration,
            R: Rng,
            H: FnMut(&Result<T, E>) -> Hint,
            N: FnMut(Retrying<'_, T, E>),
        {
            /// [`run`](Call::run) for an async operation. Dropping the future cancels it, wherever
            /// it is.
            ///
            /// # Errors
            /// The operation's last error, and why it was given up.
            pub async fn run_async(mut self) -> Result<T, GaveUp<E>> {
                drive!(self, {
                    let call = (self.operation.operation)();
                    match self.operation.limit {
                        None => (call.await, None),
                        Some((limit, error)) => {
                            within(call, (self.env.sleep)(limit), || error(limit)).await
                        }
                    }
                })
            }
        }
    };
}

run_async!(Detached, <A>, F: FnMut() -> A, A: Future<Output = Result<T, E>>,);
run_async!(Lending, <>, F: AsyncFnMut() -> Result<T, E>,);

impl<F, S, D, C, R, T, E, H, N> Call<'_, Passing<F>, Env<S, C, R>, T, E, H, N>
where
    S: FnMut(Duration) -> D,
    D: Future<Output: Into<Slept>>,
    C: FnMut() -> Duration,
    R: Rng,
    H: FnMut(&Result<T, E>) -> Hint,
    N: FnMut(Retrying<'_, T, E>),
{
    /// [`run`](Call::run) for an async operation that is passed `state` and hands it back, here at
    /// last. Dropping the future drops the state with it.
    ///
    /// # Errors
    /// The operation's last error, and why it was given up.
    pub async fn run_async<X, A>(mut self, mut state: X) -> (X, Result<T, GaveUp<E>>)
    where
        F: FnMut(X) -> A,
        A: Future<Output = (X, Result<T, E>)>,
    {
        let outcome = drive!(self, {
            let (back, result) = (self.operation.0)(state).await;
            state = back;
            (result, None)
        });
        (state, outcome)
    }
}

/// What `call` yields or, when `limit` ends first, `error()` and how it ended.
async fn within<T, E>(
    call: impl Future<Output = Result<T, E>>,
    limit: impl Future<Output: Into<Slept>>,
    error: impl Fn() -> E,
) -> (Result<T, E>, Option<Slept>) {
    let (mut call, mut limit) = (pin!(call), pin!(limit));
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready((result, None)),
        Poll::Pending => {
            let cut = |slept: _| (Err(error()), Some(slept));
            limit.as_mut().poll(context).map(Into::into).map(cut)
        }
    })
    .await
}

/// What has happened so far.
struct Progress<'b> {
    first_try: Duration,
    tries: u32,
    budgeted: Option<BudgetedCall<'b>>,
}

impl<'b, O, S, C, R, T, E, H, N> Call<'b, O, Env<S, C, R>, T, E, H, N>
where
    C: FnMut() -> Duration,
    R: Rng,
    H: FnMut(&Result<T, E>) -> Hint,
    N: FnMut(Retrying<'_, T, E>),
{
    #[inline]
    fn start(&mut self) -> Progress<'b> {
        Progress {
            // Reading a clock is dear beside a call that succeeds at once, and only a deadline
            // needs it.
            first_try: if self.retry.has_deadline() {
                (self.env.clock)()
            } else {
                Duration::ZERO
            },
            tries: 0,
            budgeted: self.budget.map(Budget::call),
        }
    }

    /// The one decision of all runners: how long to sleep after a try, or why not to. `cut` is how
    /// its time limit ended, if that was first.
    #[inline]
    fn next_delay(
        &mut self,
        progress: &mut Progress<'_>,
        result: &Result<T, E>,
        cut: Option<Slept>,
    ) -> Result<Duration, GiveUp> {
        progress.tries = progress.tries.saturating_add(1);
        let hint = match &mut self.hint {
            None => retry_if(result.is_err()),
            Some(hint) => hint(result),
        };
        match (cut, hint) {
            (None, Hint::Final) => Err(GiveUp::Final), // at once: the common end
            (Some(Slept::Cancelled), _) => Err(GiveUp::Cancelled),
            (Some(Slept::Fully), Hint::Transient) => self.decide(progress, result, Hint::Timeout),
            (_, hint) => self.decide(progress, result, hint),
        }
    }

    fn decide(
        &mut self,
        progress: &mut Progress<'_>,
        result: &Result<T, E>,
        hint: Hint,
    ) -> Result<Duration, GiveUp> {
        let elapsed = || (self.env.clock)().saturating_sub(progress.first_try);
        let delay = self
            .retry
            .next_delay(elapsed, progress.tries, hint, &mut self.env.rng)?;
        if let Some(call) = &mut progress.budgeted
            && !call.may_retry(hint)
        {
            return Err(GiveUp::Budget);
        }
        (self.notify)(Retrying {
            result,
            tries: progress.tries,
            delay,
        });
        Ok(delay)
    }
}

impl Progress<'_> {
    #[inline]
    fn end<T, E>(self, result: Result<T, E>, why: GiveUp) -> Result<T, GaveUp<E>> {
        match result {
            Ok(value) => {
                if let (GiveUp::Final, Some(call)) = (why, self.budgeted) {
                    call.succeeded();
                }
                Ok(value)
            }
            Err(error) => Err(GaveUp {
                error,
                why,
                tries: self.tries,
            }),
        }
    }
}

/// Without the error, which is the [`source`](Error::source): so a chain of causes names each once.
impl<E> fmt::Display for GaveUp<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tries = if self.tries == 1 { "try" } else { "tries" };
        write!(f, "gave up after {} {tries}: {}", self.tries, self.why)
    }
}

impl<E: Error + 'static> Error for GaveUp<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
