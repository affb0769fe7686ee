//! How many calls ended how.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::machine::Outcome;

/// How many calls ended how, since the breaker was made, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Ended in another generation than they began, or after their lease, and decided nothing. They
    /// are counted by their outcome too.
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
///
/// Each of the first stripes is one thread's own for as long as that lives: nobody else writes
/// there, so it adds without an atomic read-modify-write, the dearest part of a call otherwise.
/// Threads that come when all are owned share the rest.
#[derive(Default)]
pub(crate) struct Counters([Stripe; STRIPES]);

const STRIPES: usize = 16;
const OWNED: usize = 12;

/// As long as two lines of 64 bytes, which some processors fetch together.
#[derive(Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; 7]);

/// No stripe yet.
const NONE: usize = usize::MAX;

thread_local! {
    /// This thread's stripe in all counters.
    static STRIPE: Cell<usize> = const { Cell::new(NONE) };
    /// Apart from [`STRIPE`], which without a destructor is cheaper to read, and still there after
    /// this one's.
    static OWNERSHIP: Ownership = const { Ownership };
}

/// Whose stripes are owned by a living thread, a bit for each.
static OWNED_NOW: AtomicU64 = AtomicU64::new(0);

/// Ends with its thread.
struct Ownership;

impl Drop for Ownership {
    fn drop(&mut self) {
        // Destructors yet to run may still count.
        let stripe = STRIPE.replace(OWNED);
        if stripe < OWNED {
            // Pairs with the claim of the next owner, who must see what was counted here.
            OWNED_NOW.fetch_and(!(1 << stripe), Ordering::Release);
        }
    }
}

#[cold]
fn claim_stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let free = |owned: u64| Some(owned.trailing_ones() as usize).filter(|free| *free < OWNED);
    let claimed = OWNED_NOW.try_update(Ordering::Acquire, Ordering::Relaxed, |owned| {
        Some(owned | 1 << free(owned)?)
    });
    let stripe = match claimed.ok().and_then(free) {
        Some(own) => own,
        None => OWNED + NEXT.fetch_add(1, Ordering::Relaxed) % (STRIPES - OWNED),
    };
    STRIPE.set(stripe);
    // Registers the destructor.
    OWNERSHIP.with(|_| ());
    stripe
}

impl Counters {
    #[inline]
    pub(crate) fn add(&self, count: Count) {
        let stripe = match STRIPE.get() {
            NONE => claim_stripe(),
            stripe => stripe,
        };
        let counter = &self.0[stripe % STRIPES].0[count as usize];
        if stripe < OWNED {
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        } else {
            counter.fetch_add(1, Ordering::Relaxed);
        }
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

    /// Two of these tests want stripes to be free: one at a time.
    static STRIPES_WANTED: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn count(counters: &Counters, times: u64) {
        (0..times).for_each(|_| counters.add(Count::Success));
    }

    #[test]
    fn no_count_is_lost_among_more_threads_than_stripes() {
        let _alone = STRIPES_WANTED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        const THREADS: usize = 3 * STRIPES;
        // Enough for threads that share a stripe to run at the same time.
        const TIMES: u64 = 200_000;
        let counters = Counters::default();
        let all_running = std::sync::Barrier::new(THREADS);
        let stripes = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    count(&counters, 1);
                    stripes.lock().unwrap().push(STRIPE.get());
                    all_running.wait();
                    count(&counters, TIMES - 1);
                });
            }
        });
        assert_eq!(counters.sum().successes, TIMES * THREADS as u64);
        let mut threads = [0; STRIPES];
        for stripe in stripes.into_inner().unwrap() {
            threads[stripe] += 1;
        }
        let (owned, shared) = threads.split_at(OWNED);
        assert!(owned.iter().all(|threads| *threads <= 1), "{owned:?}");
        assert!(shared.iter().all(|threads| *threads > 1), "{shared:?}");
    }

    #[test]
    fn an_ended_thread_leaves_its_stripe_and_its_counts_to_the_next() {
        let _alone = STRIPES_WANTED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let counters = Counters::default();
        let next = || {
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| {
                    count(&counters, 10);
                    STRIPE.get()
                });
                thread.join().unwrap()
            })
        };
        count(&counters, 1); // this thread keeps its own
        let owners = (0..1000).filter(|_| next() < OWNED).count();
        assert_eq!(counters.sum().successes, 10_001);
        // More than there are stripes to own, though other tests may hold some for a moment.
        assert!(owners > OWNED, "{owners}");
    }

    #[test]
    fn an_ended_thread_gives_back_no_stripe_but_its_own() {
        let _alone = STRIPES_WANTED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        const HOLDERS: usize = OWNED / 2;
        let counters = Counters::default();
        let stripe = || {
            count(&counters, 1);
            STRIPE.get()
        };
        let (all_claimed, over) = (
            std::sync::Barrier::new(HOLDERS + 1),
            std::sync::Barrier::new(HOLDERS + 1),
        );
        std::thread::scope(|scope| {
            let hold = || {
                let held = stripe();
                all_claimed.wait();
                over.wait();
                held
            };
            let holders: Vec<_> = (0..HOLDERS).map(|_| scope.spawn(hold)).collect();
            all_claimed.wait();
            let others: Vec<_> = (0..100)
                .map(|_| scope.spawn(stripe).join().unwrap())
                .collect();
            over.wait();
            for held in holders.into_iter().map(|holder| holder.join().unwrap()) {
                assert!(held >= OWNED || !others.contains(&held), "{held}");
            }
        });
    }

    #[test]
    fn a_destructor_that_counts_after_its_thread_gave_the_stripe_back_is_counted() {
        thread_local! {
            static LAST: Cell<Option<Last>> = const { Cell::new(None) };
        }
        struct Last(std::sync::Arc<Counters>);
        impl Drop for Last {
            fn drop(&mut self) {
                count(&self.0, 5);
            }
        }
        let counters = std::sync::Arc::new(Counters::default());
        let theirs = std::sync::Arc::clone(&counters);
        std::thread::spawn(move || {
            // Registered before the ownership, or after it: in one of the orders it is dropped
            // last.
            LAST.set(Some(Last(std::sync::Arc::clone(&theirs))));
            count(&theirs, 1);
        })
        .join()
        .unwrap();
        let theirs = std::sync::Arc::clone(&counters);
        std::thread::spawn(move || {
            count(&theirs, 1);
            LAST.set(Some(Last(theirs)));
        })
        .join()
        .unwrap();
        assert_eq!(counters.sum().successes, 12);
    }
}
