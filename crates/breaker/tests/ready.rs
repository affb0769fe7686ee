//! Tasks that wait for a circuit: each is woken by what it waits for, and none sleeps longer than
//! it must.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use breaker::{Breaker, Clock, Rules, Time, Why};
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);

/// tokio's clock, which stands still while it is paused.
struct Paused(Instant);

impl Clock for Paused {
    fn monotonic(&self) -> Time {
        Time::from_unix_seconds(1_764_000_000.0) + self.0.elapsed()
    }

    fn wall(&self) -> Time {
        self.monotonic()
    }
}

fn breaker(rules: Rules) -> Arc<Breaker> {
    Arc::new(
        Breaker::builder(rules)
            .clock(Paused(Instant::now()))
            .build(),
    )
}

async fn call(breaker: &Breaker, calls: &AtomicU32, fails: bool) {
    loop {
        breaker.ready(sleep).await.unwrap();
        if let Ok(permit) = breaker.try_acquire() {
            calls.fetch_add(1, Relaxed);
            sleep(Duration::from_millis(20)).await;
            return if fails {
                permit.ignore()
            } else {
                permit.success()
            };
        }
    }
}

/// They slept the whole lease of the trial, a minute, for 20 ms.
#[tokio::test(start_paused = true)]
async fn twenty_tasks_wait_for_one_trial_and_are_woken_by_its_end() {
    let (breaker, calls) = (breaker(Rules::default()), Arc::new(AtomicU32::new(0)));
    breaker.try_acquire().unwrap().trip("down");
    let start = Instant::now();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (breaker, calls) = (Arc::clone(&breaker), Arc::clone(&calls));
            tokio::spawn(async move { call(&breaker, &calls, false).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(calls.load(Relaxed), 20);
    assert!(
        start.elapsed() - MINUTE <= Duration::from_millis(50),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_ignored_trial_wakes_the_next() {
    let (breaker, calls) = (breaker(Rules::default()), AtomicU32::new(0));
    breaker.try_acquire().unwrap().trip("down");
    let start = Instant::now();
    tokio::join!(
        call(&breaker, &calls, true),
        call(&breaker, &calls, true),
        call(&breaker, &calls, true)
    );
    assert_eq!(start.elapsed(), MINUTE + Duration::from_millis(60));
}

#[tokio::test(start_paused = true)]
async fn an_order_wakes_and_a_circuit_opened_by_hand_is_an_error() {
    let breaker = breaker(Rules::default());
    breaker.ready(sleep).await.unwrap();
    breaker.try_acquire().unwrap().trip("down");
    let waiting = tokio::spawn({
        let breaker = Arc::clone(&breaker);
        async move { breaker.ready(sleep).await }
    });
    sleep(MINUTE / 2).await;
    breaker.reset();
    assert_eq!(
        timeout(Duration::from_millis(1), waiting)
            .await
            .unwrap()
            .unwrap(),
        Ok(())
    );

    breaker.try_acquire().unwrap().trip("down");
    let waiting = tokio::spawn({
        let breaker = Arc::clone(&breaker);
        async move { breaker.ready(sleep).await }
    });
    sleep(MINUTE / 2).await;
    breaker.force_open("maintenance");
    let rejection = waiting.await.unwrap().unwrap_err();
    assert_eq!(rejection.why, Why::ForcedOpen);
}

/// Real threads: a change between the look and the sleep must not be missed.
#[test]
fn no_change_is_missed_between_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let breaker = Arc::new(Breaker::new(Rules::default()));
    for _ in 0..2000 {
        breaker.try_acquire().unwrap().trip("down"); // for a minute
        let waiting = runtime.spawn({
            let breaker = Arc::clone(&breaker);
            async move { breaker.ready(sleep).await }
        });
        breaker.reset();
        let woken = runtime.block_on(async { timeout(MINUTE / 2, waiting).await });
        assert_eq!(woken.unwrap().unwrap(), Ok(()));
    }
}
