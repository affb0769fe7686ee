//! An operation with its retries, before it runs: what to call, when to try again, whom to tell.

use core::{fmt, future::Future, marker::PhantomData, time::Duration};

use crate::{Budget, Hint, Retry};

/// An operation about to be run with retries: made by [`Retry::call`], [`call_in`](Retry::call_in),
/// [`call_async`](Retry::call_async), [`call_lending`](Retry::call_lending) or
/// [`call_passing`](Retry::call_passing), ended by [`run`](Self::run) or `run_async`.
///
/// `O` is the operation ([`Async`] or [`Passing`], if it is one), `W` the [`Env`](crate::Env), `T`
/// and `E` make the operation's result, `H` and `N` are what [`hint`](Self::hint) and
/// [`notify`](Self::notify) were given.
#[must_use = "nothing happens until `run` or `run_async`"]
pub struct Call<'b, O, W, T, E, H = fn(&Result<T, E>) -> Hint, N = fn(Retrying<'_, T, E>)> {
    pub(crate) retry: Retry,
    pub(crate) env: W,
    pub(crate) operation: O,
    /// Without one an `Err` is transient: no function is called to find that a call succeeded at
    /// once.
    pub(crate) hint: Option<H>,
    pub(crate) notify: N,
    pub(crate) budget: Option<&'b Budget>,
    result: PhantomData<fn() -> Result<T, E>>,
}

/// An async operation, and how long each try may take. Made by [`Retry::call_async`], where `K` is
/// [`Detached`], and [`Retry::call_lending`], where it is [`Lending`].
pub struct Async<F, E, K> {
    pub(crate) operation: F,
    pub(crate) limit: Option<Limit<E>>,
    kind: PhantomData<fn() -> K>,
}

/// How long a try may take, and what error it ends with then.
pub(crate) type Limit<E> = (Duration, fn(Duration) -> E);

/// The operation's futures borrow nothing from the operation itself.
pub enum Detached {}

/// The operation's futures may borrow from the operation itself.
pub enum Lending {}

/// An async operation that is passed its state and hands it back. Made by [`Retry::call_passing`].
pub struct Passing<F>(pub(crate) F);

/// What [`Call::notify`] is told: the last try, and how long it is to the next.
///
/// ```
/// use std::time::Duration;
/// use backoff::Retrying;
///
/// let result: Result<(), _> = Err("connection refused");
/// let retrying = Retrying { result: &result, tries: 2, delay: Duration::from_secs(3) };
/// assert_eq!(retrying.to_string(), "try 2 failed: connection refused; trying again in 3s");
/// ```
#[derive(Debug)]
pub struct Retrying<'r, T, E> {
    /// How the last try ended.
    pub result: &'r Result<T, E>,
    /// The tries made, the first included.
    pub tries: u32,
    /// How long it is to the next try.
    pub delay: Duration,
}

impl Retry {
    /// Prepares a blocking operation to run in [`Env::blocking`](crate::Env::blocking).
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
    ///     .when(|result| *result == Err("busy"))
    ///     .notify(|retrying| eprintln!("{retrying}"))
    ///     .run();
    /// assert_eq!(answer.unwrap(), 3);
    /// ```
    #[cfg(feature = "std")]
    #[inline]
    pub fn call<'b, F, T, E>(self, operation: F) -> Call<'b, F, crate::env::Blocking, T, E>
    where
        F: FnMut() -> Result<T, E>,
    {
        self.call_in(crate::Env::blocking(), operation)
    }

    /// Prepares a blocking operation to run in a given [`Env`](crate::Env).
    #[inline]
    pub fn call_in<'b, F, W, T, E>(self, env: W, operation: F) -> Call<'b, F, W, T, E>
    where
        F: FnMut() -> Result<T, E>,
    {
        Call::new(self, env, operation)
    }

    /// Prepares an async operation to run in a given [`Env`](crate::Env), under any runtime: a
    /// function, or a closure whose futures borrow at most what the closure itself borrows. The
    /// call can then be spawned wherever the futures can.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # mod example {
    /// use backoff::{Env, GaveUp, Retry};
    ///
    /// # pub
    /// struct Client;
    ///
    /// impl Client {
    ///     async fn ask(&self, name: &str) -> Result<usize, std::io::Error> { Ok(name.len()) }
    ///
    ///     async fn ask_until_told(&self, name: &str) -> Result<usize, GaveUp<std::io::Error>> {
    ///         Retry::default().call_async(Env::tokio(), || self.ask(name)).run_async().await
    ///     }
    /// }
    ///
    /// # pub
    /// async fn in_the_background(client: Client) -> usize {
    ///     let task = tokio::spawn(async move { client.ask_until_told("seven").await });
    ///     task.await.unwrap().unwrap()
    /// }
    /// # }
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    /// #     .block_on(async { assert_eq!(example::in_the_background(example::Client).await, 5) });
    /// ```
    pub fn call_async<'b, F, A, W, T, E>(
        self,
        env: W,
        operation: F,
    ) -> Call<'b, Async<F, E, Detached>, W, T, E>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, E>>,
    {
        Call::new(self, env, Async::new(operation))
    }

    /// [`call_async`](Self::call_async) in [`Env::tokio`](crate::Env::tokio).
    ///
    /// ```
    /// use backoff::Retry;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let answer = Retry::default().call_tokio(async || Ok::<_, std::io::Error>(42)).run_async().await;
    /// assert_eq!(answer.unwrap(), 42);
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn call_tokio<'b, F, A, T, E>(
        self,
        operation: F,
    ) -> Call<'b, Async<F, E, Detached>, crate::env::Tokio<impl FnMut() -> Duration>, T, E>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, E>>,
    {
        self.call_async(crate::Env::tokio(), operation)
    }

    /// [`call_async`](Self::call_async) for a closure that lends what it owns, or holds by mutable
    /// reference, to its futures.
    ///
    /// The price: the compiler cannot yet see that such a call is `Send` when the closure borrows.
    /// To spawn it, move into the closure what it needs, or use
    /// [`call_passing`](Self::call_passing).
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use backoff::{Env, Retry};
    ///
    /// let mut buffer: Vec<u8> = Vec::new();
    /// let read = async || {
    ///     buffer.clear();
    ///     buffer.extend(b"whole");
    ///     Ok::<_, std::io::Error>(buffer.len())
    /// };
    /// let outcome = Retry::default().call_lending(Env::tokio(), read).run_async().await;
    /// assert_eq!(outcome.unwrap(), 5);
    /// # });
    /// ```
    pub fn call_lending<'b, F, W, T, E>(
        self,
        env: W,
        operation: F,
    ) -> Call<'b, Async<F, E, Lending>, W, T, E>
    where
        F: AsyncFnMut() -> Result<T, E>,
    {
        Call::new(self, env, Async::new(operation))
    }

    /// [`call_async`](Self::call_async) for a closure that changes what it works with, and is to be
    /// spawned: it is passed that state and hands it back. `run_async` takes the state at the
    /// start.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use backoff::{Env, Retry};
    ///
    /// let call = Retry::default().call_passing(Env::tokio(), |mut session: Vec<u8>| async move {
    ///     session.push(1);
    ///     let answer = Ok::<_, std::io::Error>(session.len());
    ///     (session, answer)
    /// });
    /// let (session, answer) = tokio::spawn(call.run_async(Vec::new())).await.unwrap();
    /// assert_eq!((session, answer.unwrap()), (vec![1], 1));
    /// # });
    /// ```
    pub fn call_passing<'b, F, X, A, W, T, E>(
        self,
        env: W,
        operation: F,
    ) -> Call<'b, Passing<F>, W, T, E>
    where
        F: FnMut(X) -> A,
        A: Future<Output = (X, Result<T, E>)>,
    {
        Call::new(self, env, Passing(operation))
    }
}

impl<F, E, K> Async<F, E, K> {
    fn new(operation: F) -> Self {
        Self {
            operation,
            limit: None,
            kind: PhantomData,
        }
    }
}

impl<O, W, T, E> Call<'_, O, W, T, E> {
    #[inline]
    fn new(retry: Retry, env: W, operation: O) -> Self {
        Self {
            retry,
            env,
            operation,
            hint: None,
            notify: |_| (),
            budget: None,
            result: PhantomData,
        }
    }
}

pub(crate) fn retry_if(transient: bool) -> Hint {
    if transient {
        Hint::Transient
    } else {
        Hint::Final
    }
}

impl<'b, O, W, T, E, H, N> Call<'b, O, W, T, E, H, N> {
    /// What each result says about trying again, `Ok` or not; without it, that an `Err` is
    /// [`Hint::Transient`].
    ///
    /// A last result that is `Ok` is returned as it is, also when it was to be tried again and
    /// could not be.
    ///
    /// ```
    /// use std::time::Duration;
    /// use backoff::{Hint, Policy, Retry};
    ///
    /// struct Response { status: u16, retry_after: Duration }
    ///
    /// let mut statuses = [503, 200].into_iter();
    /// let send = || statuses.next().map(|status| Response { status, retry_after: Duration::ZERO }).ok_or("no answer");
    /// let response = Retry::new(Policy::exponential(Duration::from_millis(1), Duration::from_millis(8)))
    ///     .call(send)
    ///     .hint(|result| match result {
    ///         Ok(response) if response.status == 503 => Hint::RetryAfter(response.retry_after),
    ///         Ok(_) => Hint::Final,
    ///         Err(_) => Hint::Transient,
    ///     })
    ///     .run();
    /// assert_eq!(response.unwrap().status, 200);
    /// ```
    pub fn hint<H2>(self, hint: H2) -> Call<'b, O, W, T, E, H2, N>
    where
        H2: FnMut(&Result<T, E>) -> Hint,
    {
        Call {
            retry: self.retry,
            env: self.env,
            operation: self.operation,
            hint: Some(hint),
            notify: self.notify,
            budget: self.budget,
            result: PhantomData,
        }
    }

    /// Tries again after results for which `transient` holds, `Ok` or not; short for
    /// [`hint`](Self::hint), and replaces it.
    #[expect(clippy::type_complexity, reason = "an opaque type has no other name")]
    pub fn when(
        self,
        mut transient: impl FnMut(&Result<T, E>) -> bool,
    ) -> Call<'b, O, W, T, E, impl FnMut(&Result<T, E>) -> Hint, N> {
        self.hint(move |result| retry_if(transient(result)))
    }

    /// Called before each sleep. Not called when the call is given up: that is in the result.
    pub fn notify<N2>(self, notify: N2) -> Call<'b, O, W, T, E, H, N2>
    where
        N2: FnMut(Retrying<'_, T, E>),
    {
        Call {
            retry: self.retry,
            env: self.env,
            operation: self.operation,
            hint: self.hint,
            notify,
            budget: self.budget,
            result: PhantomData,
        }
    }

    /// Charges the retries to `budget`.
    pub fn budget(mut self, budget: &'b Budget) -> Self {
        self.budget = Some(budget);
        self
    }
}

impl<F, K, W, T, E, H, N> Call<'_, Async<F, E, K>, W, T, E, H, N> {
    /// Drops a try that takes longer than `limit`, measured by the environment's sleep: it ends
    /// with `error(limit)`, and counts as [`Hint::Timeout`] unless its hint says more than
    /// [`Hint::Transient`].
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use std::time::Duration;
    /// use backoff::{Env, Retry};
    ///
    /// #[derive(Debug, PartialEq)]
    /// enum Failure { TooSlow(Duration) }
    ///
    /// let hanging = std::future::pending::<Result<(), Failure>>;
    /// let limit = Duration::from_millis(2);
    /// let call = Retry::default().max_tries(1).call_async(Env::tokio(), hanging).time_limit(limit, Failure::TooSlow);
    /// assert_eq!(call.run_async().await.unwrap_err().error, Failure::TooSlow(limit));
    /// # });
    /// ```
    pub fn time_limit(mut self, limit: Duration, error: fn(Duration) -> E) -> Self {
        self.operation.limit = Some((limit, error));
        self
    }
}

impl<T, E: fmt::Display> fmt::Display for Retrying<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.result {
            Ok(_) => write!(f, "try {} brought no final answer", self.tries)?,
            Err(error) => write!(f, "try {} failed: {error}", self.tries)?,
        }
        write!(f, "; trying again in {:?}", self.delay)
    }
}
