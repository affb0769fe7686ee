//! One test for each fault that was reproduced in, or read from, another circuit breaker. Each is
//! named after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod elsewhere;

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use breaker::machine::{Event, Reply, State, step};
use breaker::{
    Breaker, Document, FakeClock, Kind, Outcome, Rate, Rules, SharedFileStore, SharedStore, Store,
    StoreError, Time, Why,
};

const START: Time = Time::from_unix_micros(1_764_000_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn at(rules: Rules) -> (Breaker, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at(START));
    (
        Breaker::builder(rules).clock(Arc::clone(&clock)).build(),
        clock,
    )
}

fn open(breaker: &Breaker) {
    breaker.try_acquire().unwrap().trip("test");
    assert_eq!(breaker.kind(), Kind::Open);
}

/// A breaker that has opened and whose interval is over.
fn half_open(rules: Rules) -> (Breaker, Arc<FakeClock>) {
    let (breaker, clock) = at(rules);
    open(&breaker);
    clock.advance(60 * SECOND);
    (breaker, clock)
}

#[test]
fn failsafe_and_recloser_grant_unbounded_trials() {
    let (breaker, _) = half_open(Rules::default().trials(5));
    let granted: Vec<_> = (0..1000)
        .filter_map(|_| breaker.try_acquire().ok())
        .collect();
    assert_eq!(granted.len(), 5);
}

#[test]
fn failsafe_recloser_and_tower_resilience_let_a_late_success_close() {
    let (breaker, clock) = at(Rules::default());
    let late: Vec<_> = (0..10).map(|_| breaker.try_acquire().unwrap()).collect();
    open(&breaker);
    clock.advance(60 * SECOND);
    let trial = breaker.try_acquire().unwrap();
    for permit in late {
        permit.success();
    }
    assert_eq!(breaker.kind(), Kind::HalfOpen);
    assert_eq!(breaker.snapshot().counts.stale, 10);
    trial.success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn failsafe_panics_when_time_goes_backwards() {
    let rules = Rules::default().rate(Rate::over_time(10 * SECOND).min_calls(2));
    let mut state = State::default();
    for now in [
        START + 100 * SECOND,
        START,
        START + 50 * SECOND,
        Time::ZERO,
        Time::MAX,
    ] {
        let asked = step(&rules, state, Event::Acquire, now);
        state = match asked.reply {
            Reply::Admitted(ticket) => {
                let finished = Event::Finish {
                    ticket,
                    outcome: Outcome::Failure,
                    took: SECOND,
                };
                step(&rules, asked.state, finished, now).state
            }
            _ => asked.state,
        };
    }
    assert_ne!(state, State::default());
}

#[test]
fn tower_resilience_never_evicts_old_calls() {
    let (breaker, _) = at(Rules::default()
        .no_consecutive_limit()
        .rate(Rate::over_calls(10).failures(50)));
    for _ in 0..1000 {
        breaker.try_acquire().unwrap().success();
    }
    for failure in 1..=5 {
        assert_eq!(
            breaker.kind(),
            Kind::Closed,
            "after {} failures",
            failure - 1
        );
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.kind(), Kind::Open);
}

#[test]
fn circuitbreaker_rs_never_feeds_its_time_policy() {
    let (breaker, clock) = at(Rules::default()
        .no_consecutive_limit()
        .rate(Rate::over_time(10 * SECOND).min_calls(20)));
    for failure in 1..=20 {
        assert_eq!(
            breaker.kind(),
            Kind::Closed,
            "after {} failures",
            failure - 1
        );
        breaker.try_acquire().unwrap().failure();
        clock.advance(Duration::from_millis(100));
    }
    assert_eq!(breaker.kind(), Kind::Open);
}

#[test]
fn circuitbreaker_rs_wedges_when_it_needs_more_successes_than_trials() {
    let (breaker, _) = half_open(Rules::default().trials(1).successes_to_close(5));
    for _ in 0..5 {
        assert_eq!(breaker.kind(), Kind::HalfOpen);
        breaker.try_acquire().unwrap().success();
    }
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn circuitbreaker_rs_admits_two_trials_for_one_and_skips_the_cool_down() {
    for _ in 0..200 {
        let breaker = Breaker::new(
            Rules::default()
                .consecutive_failures(1)
                .open_for(3600 * SECOND),
        );
        let barrier = Barrier::new(4);
        let admitted = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..50 {
                        if let Ok(permit) = breaker.try_acquire() {
                            // Whoever is admitted once the circuit is open has skipped the
                            // interval.
                            admitted.fetch_add(
                                u32::from(breaker.kind() == Kind::HalfOpen),
                                Ordering::Relaxed,
                            );
                            permit.failure();
                        }
                    }
                });
            }
        });
        assert_eq!((admitted.into_inner(), breaker.kind()), (0, Kind::Open));
        assert_eq!(breaker.snapshot().outages.outages().len(), 1);
    }
}

#[test]
fn seatbelt_lets_a_trial_of_an_earlier_cycle_close() {
    let (breaker, clock) = half_open(Rules::default().trials(2));
    let late = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap().failure();
    clock.advance(60 * SECOND);
    let trial = breaker.try_acquire().unwrap();
    late.success();
    assert_eq!(breaker.kind(), Kind::HalfOpen);
    trial.success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn seatbelt_lets_a_failure_from_before_the_trip_reopen_a_recovered_circuit() {
    let (breaker, clock) = at(Rules::default().consecutive_failures(1));
    let late = breaker.try_acquire().unwrap();
    open(&breaker);
    clock.advance(60 * SECOND);
    breaker.try_acquire().unwrap().success();
    late.failure();
    assert_eq!(breaker.kind(), Kind::Closed);
}

/// Panics while the breaker's lock is held.
struct PanickingStore(Arc<AtomicBool>);

impl Store for PanickingStore {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        Ok(None)
    }

    fn save(&self, _: &Document) -> Result<(), StoreError> {
        assert!(!self.0.load(Ordering::SeqCst), "on purpose");
        Ok(())
    }
}

#[test]
fn seatbelt_panics_on_a_poisoned_lock() {
    let panics = Arc::new(AtomicBool::new(true));
    let breaker = Breaker::builder(Rules::default())
        .open(PanickingStore(Arc::clone(&panics)))
        .unwrap();
    let permit = breaker.try_acquire().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| permit.failure())).is_err());
    panics.store(false, Ordering::SeqCst);
    assert_eq!(breaker.explain().failures_in_a_row, 1);
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.explain().failures_in_a_row, 0);
}

#[test]
fn failsafe_go_and_execution_policy_let_late_results_count_in_half_open() {
    let (breaker, clock) = at(Rules::default().successes_to_close(2));
    let late: Vec<_> = (0..4).map(|_| breaker.try_acquire().unwrap()).collect();
    open(&breaker);
    clock.advance(60 * SECOND);
    let _trial = breaker.try_acquire().unwrap();
    let outcomes = [
        Outcome::Success,
        Outcome::Failure,
        Outcome::Cancelled,
        Outcome::Trip("late".into()),
    ];
    for (permit, outcome) in late.into_iter().zip(outcomes) {
        permit.finish(outcome);
        assert_eq!(breaker.try_acquire().unwrap_err().why, Why::TrialsOut);
        assert_eq!(breaker.explain().successes, 0);
    }
    assert_eq!(breaker.snapshot().counts.stale, 4);
}

#[test]
fn execution_policy_wedges_when_a_trial_is_dropped() {
    let (breaker, _) = half_open(Rules::default());
    {
        let mut trial = pin!(breaker.call_async(pending::<Result<(), ()>>));
        assert!(
            trial
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        assert_eq!(breaker.check().unwrap_err().why, Why::TrialsOut);
    }
    assert_eq!(breaker.call(|| Ok::<_, ()>(1)), Ok(1));
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn execution_policy_and_aiox_core_restart_the_interval_on_a_failure_while_open() {
    let (breaker, clock) = at(Rules::default());
    let late: Vec<_> = (0..10).map(|_| breaker.try_acquire().unwrap()).collect();
    open(&breaker);
    for permit in late {
        clock.advance(SECOND);
        permit.failure();
    }
    assert_eq!(breaker.ready_in(), Some(50 * SECOND));
}
