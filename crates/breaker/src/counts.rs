//! How many calls ended how.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde::Serialize;

use crate::machine::Outcome;

/// How many calls ended how, since the breaker was made, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The dependency answered.
    pub successes: u64,
    /// The dependency failed, [`Outcome::Trip`] included.
    pub failures: u64,
    /// Said nothing about the dependency.
    pub ignored: u64,
    /// Dropped before the end.
    pub cancelled: u64,
    /// Panicked.
    pub panicked: u64,
    /// Not admitted.
    pub rejected: u64,
    /// Ended in another generation than they began, or after their lease, and decided nothing. They are counted by their
    /// outcome too.
    pub stale: u64,
}

#[derive(Clone, Copy)]
pub(crate) enum Count {
    Success,
    Failure,
    Ignored,
    Cancelled,
    Panicked,
    Rejected,
    Stale,
}

impl Count {
    #[inline]
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure | Outcome::Trip(_) => Self::Failure,
            Outcome::Ignored => Self::Ignored,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Panicked => Self::Panicked,
        }
    }
}

/// Counters spread over cache lines, so that threads counting at once do not wait for each other.
#[derive(Default)]
pub(crate) struct Counters([Stripe; STRIPES]);

const STRIPES: usize = 8;

/// As long as two lines of 64 bytes, which some processors fetch together.
#[derive(Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; 7]);

thread_local! {
    static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
}

#[inline]
fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mine = STRIPE.get();
    if mine < STRIPES {
        return mine;
    }
    let mine = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    STRIPE.set(mine);
    mine
}

impl Counters {
    #[inline]
    pub(crate) fn add(&self, count: Count) {
        self.0[stripe() % STRIPES].0[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn sum(&self) -> Counts {
        let of = |count: Count| {
            self.0
                .iter()
                .map(|stripe| stripe.0[count as usize].load(Ordering::Relaxed))
                .sum()
        };
        Counts {
            successes: of(Count::Success),
            failures: of(Count::Failure),
            ignored: of(Count::Ignored),
            cancelled: of(Count::Cancelled),
            panicked: of(Count::Panicked),
            rejected: of(Count::Rejected),
            stale: of(Count::Stale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_among_threads_that_share_a_stripe() {
        const THREADS: usize = 3 * STRIPES;
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..10_000).for_each(|_| counters.add(Count::Success)));
            }
        });
        assert_eq!(counters.sum().successes, 10_000 * THREADS as u64);
    }
}
