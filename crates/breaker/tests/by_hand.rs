//! What a person, or another part of the program, may ask of a breaker; and who is told of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use breaker::{Breaker, FakeClock, Kind, Rules, Time, Transition, Why};

const START: Time = Time::from_unix_micros(1_764_000_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn at(rules: Rules) -> (Breaker, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at(START));
    (
        Breaker::builder(rules).clock(Arc::clone(&clock)).build(),
        clock,
    )
}

fn trip(breaker: &Breaker) {
    breaker.try_acquire().unwrap().trip("test");
}

#[test]
fn a_suggested_trial_waits_for_the_least_open_time() {
    let (breaker, clock) = at(Rules::default().early_trial_after(10 * SECOND));
    assert_eq!(
        breaker.suggest_trial(),
        Ok(()),
        "closed: a call may run anyway"
    );
    trip(&breaker);
    let refused = breaker.suggest_trial().unwrap_err();
    assert_eq!(
        (refused.why, refused.retry_after()),
        (Why::Open, Some(10 * SECOND))
    );
    clock.advance(10 * SECOND);
    assert!(
        breaker.try_acquire().is_err(),
        "an ordinary call still waits"
    );
    assert_eq!(breaker.suggest_trial(), Ok(()));
    let trial = breaker.try_acquire().unwrap();
    assert_eq!(breaker.suggest_trial().unwrap_err().why, Why::TrialsOut);

    // A failed early trial opens for the whole interval again.
    trial.failure();
    assert_eq!(breaker.ready_in(), Some(60 * SECOND));
    assert_eq!(
        breaker.suggest_trial().unwrap_err().retry_after(),
        Some(10 * SECOND)
    );
    breaker.force_open("maintenance");
    assert_eq!(breaker.suggest_trial().unwrap_err().why, Why::ForcedOpen);
}

#[test]
fn an_early_trial_is_never_later_than_the_interval() {
    let (breaker, clock) = at(Rules::default().early_trial_after(3600 * SECOND));
    trip(&breaker);
    assert_eq!(
        breaker.suggest_trial().unwrap_err().retry_after(),
        Some(60 * SECOND)
    );
    clock.advance(60 * SECOND);
    assert_eq!(breaker.suggest_trial(), Ok(()));
    assert_eq!(breaker.explain().state.kind(), Kind::HalfOpen);
}

#[test]
fn disabled_watches_and_rejects_nothing() {
    let (breaker, clock) = at(Rules::default().consecutive_failures(2));
    breaker.disable();
    for _ in 0..10 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.kind(), Kind::Open);
    assert_eq!(breaker.check(), Ok(()));
    assert!(
        breaker
            .explain()
            .to_string()
            .ends_with("disabled, so every call runs")
    );
    clock.advance(60 * SECOND);
    // The shadow's one trial decides; what would have been rejected beside it does not.
    let trial = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap().failure();
    trial.success();
    assert_eq!(
        (breaker.kind(), breaker.snapshot().counts.rejected),
        (Kind::Closed, 0)
    );

    for _ in 0..2 {
        breaker.try_acquire().unwrap().failure();
    }
    breaker.enable();
    assert_eq!(
        breaker.ready_in(),
        Some(60 * SECOND),
        "it goes on where its shadow stood"
    );
}

#[test]
fn reset_closes_and_forgets() {
    let (breaker, _) = at(Rules::default().consecutive_failures(2));
    let late = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap().failure();
    breaker.reset();
    late.failure();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.explain().failures_in_a_row, 1);
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.kind(), Kind::Open);
    breaker.reset();
    assert_eq!(
        (breaker.kind(), breaker.explain().state.openings),
        (Kind::Closed, 0)
    );
    assert_eq!(breaker.snapshot().recovered_at, Some(START));
    breaker.force_open("maintenance");
    breaker.disable();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn each_transition_is_told_once_and_outside_the_lock() {
    let told = Arc::new(Mutex::new(Vec::<Transition>::new()));
    let clock = Arc::new(FakeClock::at(START));
    let breaker = Arc::new_cyclic(|weak: &std::sync::Weak<Breaker>| {
        let (told, weak) = (Arc::clone(&told), weak.clone());
        Breaker::builder(Rules::default().consecutive_failures(1))
            .clock(Arc::clone(&clock))
            .on_transition(move |transition| {
                // Would hang if the lock were held.
                assert_eq!(
                    weak.upgrade().unwrap().explain().state.generation,
                    transition.generation
                );
                told.lock().unwrap().push(*transition);
            })
            .build()
    });
    breaker.try_acquire().unwrap().failure();
    clock.set_wall(START + 1000 * SECOND);
    clock.advance(60 * SECOND);
    breaker.try_acquire().unwrap().success();
    breaker.force_open("maintenance");
    breaker.force_open("still");
    breaker.reset();
    breaker.reset();

    let told = told.lock().unwrap();
    assert_eq!(told[0].to_string(), "CLOSED to OPEN: consecutive_failures");
    let told: Vec<_> = told
        .iter()
        .map(|told| (told.from, told.to, told.reason.to_string()))
        .collect();
    let expected = [
        (Kind::Closed, Kind::Open, "consecutive_failures"),
        (Kind::Open, Kind::HalfOpen, "interval_over"),
        (Kind::HalfOpen, Kind::Closed, "recovered"),
        (Kind::Closed, Kind::ForcedOpen, "maintenance"),
        (Kind::ForcedOpen, Kind::Closed, "reset"),
    ];
    assert_eq!(
        told,
        expected.map(|(from, to, reason)| (from, to, reason.to_owned()))
    );
    let snapshot = breaker.snapshot();
    let first = snapshot.outages.outages().next().unwrap();
    assert_eq!(
        (first.started, first.ended),
        (START + 1000 * SECOND, Some(START + 1060 * SECOND)),
        "by the wall clock as it is now, which lengthens no outage when it steps"
    );
    assert_eq!(snapshot.outages.outages().len(), 2);
}

#[test]
fn racing_threads_cause_and_are_told_each_transition_once() {
    let generations = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&generations);
    let breaker = Breaker::builder(
        Rules::default()
            .consecutive_failures(1)
            .open_for(Duration::ZERO),
    )
    .outage_capacity(usize::MAX)
    .on_transition(move |transition| told.lock().unwrap().push(transition.generation))
    .build();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let breaker = &breaker;
            scope.spawn(move || {
                for call in 0..2000 {
                    if let Ok(permit) = breaker.try_acquire() {
                        if (call + thread) % 3 == 0 {
                            permit.failure()
                        } else {
                            permit.success()
                        }
                    }
                }
            });
        }
    });
    let last = breaker.explain().state.generation;
    let mut generations = generations.lock().unwrap().clone();
    generations.sort_unstable();
    assert!(last > 100, "{last}");
    assert_eq!(generations, (1..=last).collect::<Vec<_>>());
    let counts = breaker.snapshot().counts;
    assert_eq!(counts.successes + counts.failures + counts.rejected, 8000);
}

#[test]
fn explanations_are_sentences() {
    let (breaker, clock) = at(Rules::default().rate(breaker::Rate::over_calls(10)));
    breaker.try_acquire().unwrap().failure();
    assert_eq!(
        breaker.explain().to_string(),
        "CLOSED: 1 of 5 failures in a row; of the last 1 calls 1 failed and 0 were slow; a call may run"
    );
    trip(&breaker);
    assert_eq!(
        breaker.explain().to_string(),
        "OPEN (test); the circuit is open; try again in 60.0s"
    );
    clock.advance(60 * SECOND);
    let _trial = breaker.try_acquire().unwrap();
    assert_eq!(
        breaker.explain().to_string(),
        "HALF_OPEN: 0 of 1 trials succeeded, 1 out; the circuit is half-open and its trials are out; try again in 8.4ms"
    );
    breaker.force_open("maintenance");
    assert_eq!(
        breaker.explain().to_string(),
        "FORCED_OPEN (maintenance); the circuit was opened by hand; reset it to let calls through"
    );
}
