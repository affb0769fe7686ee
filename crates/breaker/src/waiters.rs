//! Tasks that wait until a call may run, and are woken when the circuit has changed.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::breaker::Breaker;
use crate::machine::Rejection;

/// Who waits.
#[derive(Default)]
pub(crate) struct Waiters {
    /// As many as there are in `wakers`, so that a change nobody waits for locks nothing.
    waiting: AtomicUsize,
    wakers: Mutex<BTreeMap<u64, Waker>>,
    last: AtomicU64,
}

/// One task that waits. It waits no more when dropped.
struct Waiter<'w> {
    all: &'w Waiters,
    number: u64,
}

impl Waiters {
    fn join(&self) -> Waiter<'_> {
        Waiter {
            all: self,
            number: self.last.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Wakes all, after a change.
    #[inline]
    pub(crate) fn wake(&self) {
        // A waiter joins, then looks at the state under the lock under which it was changed before
        // this. So either it saw the change, or this sees it.
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.wake_all();
        }
    }

    #[cold]
    fn wake_all(&self) {
        let wakers = self.with(std::mem::take);
        wakers.into_values().for_each(Waker::wake);
    }

    fn with<R>(&self, change: impl FnOnce(&mut BTreeMap<u64, Waker>) -> R) -> R {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut wakers);
        self.waiting.store(wakers.len(), Ordering::Relaxed);
        result
    }
}

impl Waiter<'_> {
    /// Waits to be woken; whether it already did.
    fn listen(&self, waker: &Waker) -> bool {
        self.all
            .with(|wakers| wakers.insert(self.number, waker.clone()))
            .is_some()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.all.with(|wakers| wakers.remove(&self.number));
    }
}

impl Breaker {
    /// Waits until a call may run: sleeps as long as a [`Rejection`] says, and is woken when a
    /// trial ends or the circuit changes by a call or an order of this process. `sleep` is the
    /// runtime's, such as `tokio::time::sleep`.
    ///
    /// Between this and [`try_acquire`](Breaker::try_acquire) another call may take the place: ask
    /// again then.
    ///
    /// # Errors
    /// The [`Rejection`] of a circuit that only a person can change.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use std::time::Duration;
    /// use breaker::{Breaker, Permit, Rejection, Rules};
    ///
    /// async fn permit(breaker: &Breaker) -> Result<Permit<&Breaker>, Rejection> {
    ///     loop {
    ///         breaker.ready(tokio::time::sleep).await?;
    ///         if let Ok(permit) = breaker.try_acquire() {
    ///             return Ok(permit);
    ///         }
    ///     }
    /// }
    ///
    /// let breaker = Breaker::new(Rules::default().open_for(Duration::from_millis(5)));
    /// breaker.try_acquire().unwrap().trip("down");
    /// permit(&breaker).await.unwrap().success();
    /// # });
    /// ```
    pub async fn ready<S: Future>(
        &self,
        mut sleep: impl FnMut(Duration) -> S,
    ) -> Result<(), Rejection> {
        let waiter = self.waiters().join();
        loop {
            let look = poll_fn(|context| {
                // Before the look: a change after it wakes.
                waiter.listen(context.waker());
                Poll::Ready(self.check())
            });
            let Err(rejection) = look.await else {
                return Ok(());
            };
            let wait = rejection.retry_after().ok_or(rejection)?;
            let mut slept = pin!(sleep(wait));
            poll_fn(|context| {
                if !waiter.listen(context.waker()) {
                    return Poll::Ready(()); // woken
                }
                slept.as_mut().poll(context).map(drop)
            })
            .await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;

    #[test]
    fn who_waits_no_more_is_forgotten() {
        let breaker = Breaker::new(Rules::default());
        breaker.force_open("maintenance");
        assert!(breaker.check().is_err());
        let waiters = breaker.waiters();
        let one = waiters.join();
        assert!(!one.listen(Waker::noop()) && one.listen(Waker::noop()));
        drop(waiters.join());
        assert_eq!(waiters.waiting.load(Ordering::Relaxed), 1);
        breaker.reset();
        assert!(!one.listen(Waker::noop()), "woken");
        drop(one);
        assert_eq!(waiters.waiting.load(Ordering::Relaxed), 0);
    }
}
