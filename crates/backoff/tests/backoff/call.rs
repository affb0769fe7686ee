//! The runners, sync and async, in a simulated world: no test here sleeps.
use std::{
    cell::{Cell, RefCell},
    future::{self, Future},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use backoff::{Budget, Env, GaveUp, GiveUp, Hint, Jitter, Policy, Retry, Slept, SplitMix64};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Delays of exactly 1, 2, 4, 8, 8 … seconds.
const RETRY: Retry = Retry::new(Policy::exponential(secs(1), secs(8)).with_jitter(Jitter::None));

/// A world whose time passes only when someone sleeps or works.
#[derive(Default)]
struct World {
    now: Cell<Duration>,
    slept: RefCell<Vec<u64>>,
    tries: Cell<u32>,
}

impl World {
    fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    fn sleep(&self, delay: Duration) {
        self.slept.borrow_mut().push(delay.as_secs());
        self.pass(delay);
    }

    fn blocking(&self) -> Env<impl FnMut(Duration), impl FnMut() -> Duration, SplitMix64> {
        Env {
            sleep: |delay| self.sleep(delay),
            clock: || self.now.get(),
            rng: SplitMix64::new(0),
        }
    }

    fn asynchronous(
        &self,
    ) -> Env<impl FnMut(Duration) -> future::Ready<()>, impl FnMut() -> Duration, SplitMix64> {
        Env {
            sleep: |delay| {
                self.sleep(delay);
                future::ready(())
            },
            clock: || self.now.get(),
            rng: SplitMix64::new(0),
        }
    }

    /// Each try takes `work` and fails until try number `success`.
    fn operation(&self, work: Duration, success: u32) -> impl FnMut() -> Result<u32, &'static str> {
        move || {
            self.pass(work);
            self.tries.set(self.tries.get() + 1);
            if self.tries.get() == success {
                Ok(success)
            } else {
                Err("refused")
            }
        }
    }
}

/// Polls once: what never waits for the outside is ready then.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

/// The same call by both runners; they must agree in everything.
fn both(
    retry: Retry,
    work: Duration,
    success: u32,
) -> (Result<u32, GaveUp<&'static str>>, Vec<u64>) {
    let (sync, asynchronous) = (World::default(), World::default());
    let result = retry
        .call_in(sync.blocking(), sync.operation(work, success))
        .run();
    let mut operation = asynchronous.operation(work, success);
    let same = ready(
        retry
            .call_lending(asynchronous.asynchronous(), async || operation())
            .run_async(),
    );
    assert_eq!(
        (result, &sync.slept, &sync.tries),
        (same, &asynchronous.slept, &asynchronous.tries)
    );
    (result, sync.slept.take())
}

fn gave_up<T>(why: GiveUp, tries: u32) -> Result<T, GaveUp<&'static str>> {
    Err(GaveUp {
        error: "refused",
        why,
        tries,
    })
}

#[test]
fn succeeds_without_sleeping() {
    assert_eq!(both(RETRY, secs(0), 1), (Ok(1), vec![]));
}

#[test]
fn sleeps_the_policys_delays_between_tries() {
    assert_eq!(
        both(RETRY.max_tries(6), secs(0), 6),
        (Ok(6), vec![1, 2, 4, 8, 8])
    );
}

#[test]
fn gives_up_after_the_last_try_without_another_sleep() {
    assert_eq!(
        both(RETRY, secs(0), 99),
        (gave_up(GiveUp::Tries { max: 3 }, 3), vec![1, 2])
    );
}

#[test]
fn the_deadline_counts_work_and_sleep() {
    // 3 s of work, 1 s of sleep, 3 of work, and 2 of sleep would be 9.
    let late = GiveUp::Deadline {
        deadline: secs(8),
        next: secs(9),
    };
    assert_eq!(
        both(RETRY.deadline(secs(8)), secs(3), 99),
        (gave_up(late, 2), vec![1])
    );
}

#[test]
fn the_deadline_counts_from_the_first_try_whatever_the_clock_says_then() {
    let world = World::default();
    world.pass(secs(1_700_000_000));
    let outcome = RETRY
        .deadline(secs(8))
        .call_in(world.blocking(), world.operation(secs(0), 3))
        .run();
    assert_eq!(outcome, Ok(3));
}

#[test]
fn only_a_deadline_reads_the_clock() {
    let readings = |retry: Retry| {
        let (world, readings) = (World::default(), Cell::new(0));
        let clock = || {
            readings.set(readings.get() + 1);
            world.now.get()
        };
        let env = Env {
            sleep: |_| (),
            clock,
            rng: SplitMix64::new(0),
        };
        let outcome = retry.call_in(env, world.operation(secs(0), 3)).run();
        assert_eq!(outcome, Ok(3));
        readings.get()
    };
    assert_eq!(readings(RETRY), 0);
    assert_eq!(
        readings(RETRY.deadline(secs(60))),
        3,
        "at the start, and after each failure"
    );
}

#[test]
fn when_and_hint_decide_by_the_result() {
    let world = World::default();
    let outcome = RETRY
        .call_in(world.blocking(), world.operation(secs(0), 9))
        .when(|result| *result != Err("refused"))
        .run();
    assert_eq!(outcome, gave_up(GiveUp::Final, 1));

    let world = World::default();
    let outcome = RETRY
        .call_in(world.blocking(), world.operation(secs(0), 2))
        .when(|result| *result == Err("refused"))
        .run();
    assert_eq!(outcome, Ok(2));

    let world = World::default();
    let outcome = RETRY
        .call_in(world.blocking(), world.operation(secs(0), 2))
        .hint(|result| match result {
            Ok(_) => Hint::Final,
            Err(_) => Hint::RetryAfter(secs(7)),
        })
        .run();
    assert_eq!((outcome, world.slept.take()), (Ok(2), vec![7]));
}

/// An HTTP client answers 503 with `Ok`.
#[test]
fn an_ok_can_be_tried_again_and_is_returned_when_it_cannot() {
    let statuses = |last: Cell<u16>| move || Ok::<_, &str>(last.replace(200));
    let busy = |result: &Result<u16, &str>| *result == Ok(503);
    let run = |retry: Retry| {
        let (world, budget) = (World::default(), Budget::token_bucket(20));
        let outcome = retry
            .call_in(world.blocking(), statuses(Cell::new(503)))
            .when(busy)
            .budget(&budget)
            .run();
        (outcome, world.slept.take(), budget.tokens())
    };
    assert_eq!(run(RETRY), (Ok(200), vec![1], 20));
    assert_eq!(run(RETRY.max_tries(1)), (Ok(503), vec![], 20));

    let budget = Budget::token_bucket(20);
    budget
        .call()
        .may_retry(Hint::Timeout)
        .then_some(())
        .unwrap();
    let world = World::default();
    let call = RETRY
        .max_tries(1)
        .call_in(world.blocking(), || Ok::<_, &str>(503));
    assert_eq!(call.when(busy).budget(&budget).run(), Ok(503));
    assert_eq!(
        budget.tokens(),
        10,
        "what was to be tried again earns nothing"
    );
}

#[test]
fn notify_sees_each_sleep_and_not_the_end() {
    let world = World::default();
    let (mut seen, mut said) = (vec![], vec![]);
    let outcome = RETRY
        .call_in(world.blocking(), world.operation(secs(0), 9))
        .notify(|retrying| {
            seen.push((*retrying.result, retrying.tries, retrying.delay.as_secs()));
            said.push(retrying.to_string());
        })
        .run();
    assert_eq!(outcome, gave_up(GiveUp::Tries { max: 3 }, 3));
    assert_eq!(seen, [(Err("refused"), 1, 1), (Err("refused"), 2, 2)]);
    assert_eq!(
        said,
        [
            "try 1 failed: refused; trying again in 1s",
            "try 2 failed: refused; trying again in 2s"
        ]
    );
}

#[test]
fn a_spent_budget_stops_the_call_before_it_sleeps() {
    let world = World::default();
    let budget = Budget::token_bucket(10);
    let mut notices = 0;
    let call = RETRY
        .unlimited_tries()
        .call_in(world.blocking(), world.operation(secs(0), 9));
    let outcome = call.budget(&budget).notify(|_| notices += 1).run();
    assert_eq!(outcome, gave_up(GiveUp::Budget, 3));
    assert_eq!(
        (world.slept.take(), notices, budget.tokens()),
        (vec![1, 2], 2, 0)
    );
}

#[test]
fn a_budget_is_charged_only_for_retries_that_happen_and_paid_back_on_success() {
    let budget = Budget::token_bucket(20);
    let world = World::default();
    let outcome = RETRY
        .max_tries(1)
        .call_in(world.blocking(), world.operation(secs(0), 9))
        .budget(&budget)
        .run();
    assert_eq!(
        (outcome, budget.tokens()),
        (gave_up(GiveUp::Tries { max: 1 }, 1), 20)
    );

    let world = World::default();
    let call = RETRY
        .call_in(world.blocking(), world.operation(secs(0), 3))
        .hint(|result| match result {
            Ok(_) => Hint::Final,
            Err(_) => Hint::Timeout,
        });
    assert_eq!((call.budget(&budget).run(), budget.tokens()), (Ok(3), 10));
}

#[test]
fn an_interrupted_sleep_ends_the_call() {
    let world = World::default();
    let env = Env {
        sleep: |_| Slept::Cancelled,
        clock: || world.now.get(),
        rng: SplitMix64::new(0),
    };
    let outcome = RETRY.call_in(env, world.operation(secs(0), 2)).run();
    assert_eq!(
        (outcome, world.tries.get()),
        (gave_up(GiveUp::Cancelled, 1), 1)
    );

    let world = World::default();
    let env = Env {
        sleep: async |_| Slept::Cancelled,
        clock: || world.now.get(),
        rng: SplitMix64::new(0),
    };
    let mut operation = world.operation(secs(0), 2);
    let outcome = ready(RETRY.call_lending(env, async || operation()).run_async());
    assert_eq!(
        (outcome, world.tries.get()),
        (gave_up(GiveUp::Cancelled, 1), 1)
    );
}

#[test]
fn a_dropped_future_tries_no_more() {
    let world = World::default();
    let mut operation = world.operation(secs(0), 9);
    let env = Env {
        sleep: async |_| std::future::pending::<()>().await,
        clock: || world.now.get(),
        rng: SplitMix64::new(0),
    };
    let future = RETRY.call_lending(env, async || operation()).run_async();
    assert!(
        pin!(future)
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    assert_eq!(world.tries.get(), 1);
}

#[test]
fn an_error_says_what_happened_and_keeps_its_cause() {
    let error = GaveUp {
        error: std::io::Error::other("refused"),
        why: GiveUp::Tries { max: 3 },
        tries: 3,
    };
    assert_eq!(
        error.to_string(),
        "gave up after 3 tries: all 3 tries allowed have failed"
    );
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "refused"
    );
    let once = GaveUp {
        error: "no such file",
        why: GiveUp::Final,
        tries: 1,
    };
    assert_eq!(
        once.to_string(),
        "gave up after 1 try: trying again cannot help"
    );
}

/// The real clock and the real sleep; nothing here depends on how long they take.
#[test]
fn the_blocking_world_really_sleeps_and_really_measures() {
    let env = Env::blocking();
    let before = (env.clock)();
    (env.sleep)(Duration::from_millis(20));
    assert!((env.clock)() - before >= Duration::from_millis(20));

    let (policy, tries) = (
        Policy::exponential(Duration::from_millis(1), Duration::from_millis(2)),
        Cell::new(0),
    );
    let outcome = Retry::new(policy).call(|| {
        tries.set(tries.get() + 1);
        if tries.get() == 3 {
            Ok(())
        } else {
            Err("refused")
        }
    });
    assert_eq!(outcome.run(), Ok(()));
}
