//! How a handler ends, and what comes of its job.

use std::any::Any;
use std::fmt::Display;
use std::time::Duration;

use crate::error::Result;
use crate::tx::Tx;

/// Attempts by the default policy.
const ATTEMPTS: u32 = 12;
const LONGEST: Duration = Duration::from_secs(3_600);

/// Why a handler failed, and what is to come of the job. Any error becomes one by `?`, and is tried
/// again as [`Runner::retry`](crate::Runner::retry) says.
///
/// ```
/// # use queue::Failure;
/// # use std::time::Duration;
/// fn check(status: u16) -> Result<(), Failure> {
///     match status {
///         200 => Ok(()),
///         400 => Err(Failure::dead("BadRequest", "the service refuses it, today and tomorrow")),
///         429 => Err(Failure::retry_in(Duration::from_secs(60), "TooMany", "as its Retry-After says")),
///         503 => Err(Failure::defer(Duration::from_secs(300), "maintenance: no fault of this job")),
///         _ => Err(std::io::Error::other("anything else"))?,
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    how: Verdict,
    error_type: String,
    message: String,
}

/// What is to come of a job whose handler failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Retry { after: Duration },
    Defer { by: Duration },
    Dead,
}

impl Failure {
    /// The attempt failed; the runner's policy decides.
    pub fn retry(error_type: impl Into<String>, message: impl Display) -> Self {
        Self::retry_in(Duration::ZERO, error_type, message)
    }

    /// The attempt failed; if the runner's policy tries again, then not before this delay.
    pub fn retry_in(delay: Duration, error_type: impl Into<String>, message: impl Display) -> Self {
        Self::new(Verdict::Retry { after: delay }, error_type, message)
    }

    /// Not now, and the attempt does not count: the job has no part in what is wrong.
    pub fn defer(delay: Duration, reason: impl Display) -> Self {
        Self::new(Verdict::Defer { by: delay }, "Deferred", reason)
    }

    /// The job cannot succeed: keep it as a dead letter.
    pub fn dead(error_type: impl Into<String>, message: impl Display) -> Self {
        Self::new(Verdict::Dead, error_type, message)
    }

    fn new(how: Verdict, error_type: impl Into<String>, message: impl Display) -> Self {
        Self {
            how,
            error_type: error_type.into(),
            message: message.to_string(),
        }
    }

    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let message = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::retry("Panic", message.unwrap_or("the handler panicked"))
    }

    /// The kind of error, as dead letters are summed up by.
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What comes of the job, this having been its attempt of that number.
    pub(crate) fn verdict(
        &self,
        attempt: u32,
        retry: impl FnOnce(u32) -> Option<Duration>,
    ) -> Verdict {
        let Verdict::Retry { after } = self.how else {
            return self.how;
        };
        retry(attempt).map_or(Verdict::Dead, |delay| Verdict::Retry {
            after: delay.max(after),
        })
    }
}

/// The error and what caused it.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::retry(std::any::type_name::<E>(), message)
    }
}

type Write<T> = Box<dyn FnOnce(&Tx<'_, T>) -> Result<()> + Send>;

/// A job that is done, and what to write in the transaction that ends it: to your own tables, or
/// follow-up jobs. A handler that has nothing to write returns `()`.
///
/// It runs on the runner's own thread, so it should only write. When it fails, or panics, nothing
/// is written and the attempt has failed.
///
/// ```
/// # use queue::{Delivery, Failure, Then};
/// async fn add(job: Delivery<Vec<u64>>) -> Result<Then<Vec<u64>>, Failure> {
///     let sum = job.payload.iter().sum::<u64>().cast_signed(); // or something that takes its time
///     Ok(Then::write(move |tx| {
///         tx.sql().execute("INSERT INTO sums VALUES (?1, ?2)", (job.job, sum))?;
///         Ok(())
///     }))
/// }
/// ```
pub struct Then<T>(pub(crate) Option<Write<T>>);

impl<T> Then<T> {
    /// Done, with nothing to write: for a handler that writes for some of its jobs.
    pub fn done() -> Self {
        Self(None)
    }

    /// Done, with this written in the same step.
    pub fn write(write: impl FnOnce(&Tx<'_, T>) -> Result<()> + Send + 'static) -> Self {
        Self(Some(Box::new(write)))
    }
}

impl<T> From<()> for Then<T> {
    fn from((): ()) -> Self {
        Self::done()
    }
}

/// The default policy.
pub(crate) fn doubling(attempt: u32) -> Option<Duration> {
    let seconds = 2_u64.saturating_pow(attempt.saturating_sub(1));
    (attempt < ATTEMPTS).then(|| Duration::from_secs(seconds).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_policy_decides_on_retries_alone() {
        let never = |_| None;
        let after = |attempt| Some(attempt * SECOND);
        let retry = Failure::retry("E", "e");
        assert_eq!(
            retry.verdict(3, after),
            Verdict::Retry { after: 3 * SECOND }
        );
        assert_eq!(retry.verdict(3, never), Verdict::Dead);
        let asked = Failure::retry_in(10 * SECOND, "E", "e");
        assert_eq!(
            asked.verdict(3, after),
            Verdict::Retry { after: 10 * SECOND }
        );
        assert_eq!(
            asked.verdict(30, after),
            Verdict::Retry { after: 30 * SECOND }
        );
        assert_eq!(asked.verdict(3, never), Verdict::Dead);
        let defer = Failure::defer(SECOND, "not now");
        assert_eq!(defer.verdict(3, never), Verdict::Defer { by: SECOND });
        assert_eq!(Failure::dead("E", "e").verdict(1, after), Verdict::Dead);
    }

    #[test]
    fn the_default_policy_doubles_up_to_an_hour_and_gives_up() {
        assert_eq!(
            [1, 2, 5, 11].map(doubling),
            [1, 2, 16, 1_024].map(|s| Some(s * SECOND))
        );
        assert_eq!([12, u32::MAX].map(doubling), [None, None]);
        assert!((1..ATTEMPTS).all(|attempt| doubling(attempt) <= Some(LONGEST)));
    }

    #[test]
    fn an_error_tells_its_causes() {
        let cause = std::io::Error::other(std::io::Error::other("no route"));
        let failure = Failure::from(crate::Error::File {
            path: "f".into(),
            cause,
        });
        assert_eq!(failure.error_type(), "queue::error::Error");
        assert_eq!(failure.message(), "cannot use f: no route");
    }
}
