//! A permit says how its call ended, once, and counts only where it was issued.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use breaker::{Breaker, CallError, FakeClock, Kind, Outcome, Rules, Time, Why};

fn at(rules: Rules) -> (Breaker, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at(Time::from_unix_seconds(1_764_000_000.0)));
    (
        Breaker::builder(rules).clock(Arc::clone(&clock)).build(),
        clock,
    )
}

#[test]
fn a_breaker_opens_waits_tries_and_closes() {
    let (breaker, clock) = at(Rules::default());
    for _ in 0..5 {
        assert_eq!(breaker.kind(), Kind::Closed);
        breaker.try_acquire().unwrap().failure();
    }
    let rejection = breaker.try_acquire().unwrap_err();
    assert_eq!(
        (rejection.why, rejection.retry_after()),
        (Why::Open, Some(Duration::from_secs(60)))
    );
    assert_eq!(breaker.ready_in(), Some(Duration::from_secs(60)));

    clock.advance(Duration::from_secs(60));
    assert_eq!(
        (breaker.kind(), breaker.ready_in()),
        (Kind::HalfOpen, Some(Duration::ZERO))
    );
    let trial = breaker.try_acquire().unwrap();
    assert_eq!(breaker.try_acquire().unwrap_err().why, Why::TrialsOut);
    trial.success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn dropped_and_panicked_are_distinct() {
    let (breaker, _) = at(Rules::default().consecutive_failures(3));
    for _ in 0..100 {
        drop(breaker.try_acquire().unwrap());
    }
    assert_eq!(breaker.kind(), Kind::Closed);
    for _ in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            breaker.call::<(), ()>(|| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
    }
    assert_eq!(breaker.kind(), Kind::Open);
    let counts = breaker.snapshot().counts;
    assert_eq!((counts.cancelled, counts.panicked), (100, 3));
}

#[test]
fn trip_opens_at_once_and_says_why() {
    let (breaker, _) = at(Rules::default());
    let classify = |_: &Result<(), u16>| Outcome::Trip("unauthorized".into());
    assert_eq!(
        breaker.call_if(classify, || Err(401)),
        Err(CallError::Failed(401))
    );
    assert_eq!(breaker.explain().reason.unwrap().as_str(), "unauthorized");
    assert_eq!(
        breaker
            .snapshot()
            .outages
            .ongoing()
            .unwrap()
            .reason
            .as_str(),
        "unauthorized"
    );
}
