//! Running a call through a breaker.

use std::future::Future;

use crate::breaker::Breaker;
use crate::machine::{Outcome, Rejection};

/// Why a call brought no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// It was not admitted, and did not run.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It ran and failed. Its own error is the source, so that a chain of causes names it once.
    #[error("the call failed")]
    Failed(#[source] E),
}

/// `Ok` is a success, `Err` a failure.
#[inline]
pub(crate) fn by_result<T, E>(result: &Result<T, E>) -> Outcome {
    match result {
        Ok(_) => Outcome::Success,
        Err(_) => Outcome::Failure,
    }
}

impl Breaker {
    /// Runs `call` if it may run; `Err` is a failure of the dependency. A panic is counted as one,
    /// and goes on.
    ///
    /// # Errors
    /// [`CallError::Rejected`] when the call may not run, [`CallError::Failed`] with its own error.
    ///
    /// ```
    /// use breaker::{Breaker, CallError, Rules};
    ///
    /// let breaker = Breaker::new(Rules::default().consecutive_failures(1));
    /// assert_eq!(breaker.call(|| Err::<(), _>("refused")), Err(CallError::Failed("refused")));
    /// assert!(matches!(breaker.call(|| Ok::<_, &str>(1)), Err(CallError::Rejected(_))));
    /// ```
    #[inline]
    pub fn call<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.call_if(by_result, call)
    }

    /// [`call`](Breaker::call), where `classify` says what the result means for the dependency.
    ///
    /// # Errors
    /// As [`call`](Breaker::call).
    ///
    /// ```
    /// use breaker::{Breaker, Rules, machine::{Kind, Outcome}};
    ///
    /// let classify = |result: &Result<(), u16>| match result {
    ///     Ok(()) | Err(404) => Outcome::Success, // it answered
    ///     Err(401) => Outcome::Trip("unauthorized".into()),
    ///     Err(_) => Outcome::Failure,
    /// };
    /// let breaker = Breaker::new(Rules::default());
    /// let _ = breaker.call_if(classify, || Err(404));
    /// assert_eq!(breaker.kind(), Kind::Closed);
    /// let _ = breaker.call_if(classify, || Err(401));
    /// assert_eq!(breaker.kind(), Kind::Open);
    /// ```
    #[inline]
    pub fn call_if<T, E>(
        &self,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, CallError<E>> {
        let mut permit = self.try_acquire()?;
        let result = call();
        permit.report(classify(&result));
        result.map_err(CallError::Failed)
    }

    /// [`call`](Breaker::call) for a future, on any runtime. Dropping it before its end counts as
    /// cancelled.
    ///
    /// # Errors
    /// As [`call`](Breaker::call).
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use breaker::{Breaker, Rules};
    ///
    /// let breaker = Breaker::new(Rules::default());
    /// assert_eq!(breaker.call_async(async || Ok::<_, &str>(1)).await, Ok(1));
    /// # });
    /// ```
    pub fn call_async<T, E, F>(
        &self,
        call: impl FnOnce() -> F,
    ) -> impl Future<Output = Result<T, CallError<E>>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_if(by_result, call)
    }

    /// [`call_async`](Breaker::call_async), where `classify` says what the result means for the
    /// dependency.
    ///
    /// # Errors
    /// As [`call`](Breaker::call).
    pub async fn call_async_if<T, E, F>(
        &self,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
        call: impl FnOnce() -> F,
    ) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut permit = self.try_acquire()?;
        let result = call().await;
        permit.report(classify(&result));
        result.map_err(CallError::Failed)
    }
}
