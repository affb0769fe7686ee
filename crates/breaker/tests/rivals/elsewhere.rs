//! In breakers for other languages.

use super::*;

#[test]
fn gobreaker_loses_failures_of_other_processes_and_serialises_calls() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breaker.json");
    let all_running = Barrier::new(6);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let store = SharedFileStore::open(&path).unwrap();
                let breaker = Breaker::builder(Rules::default().consecutive_failures(6))
                    .open_shared(store)
                    .unwrap();
                let permit = breaker.try_acquire().unwrap();
                // Only passes when all six calls run at once: none holds the lock.
                all_running.wait();
                permit.failure();
            });
        }
    });
    let breaker = Breaker::builder(Rules::default())
        .open_shared(SharedFileStore::open(&path).unwrap())
        .unwrap();
    assert_eq!(breaker.kind(), Kind::Open);
}

#[test]
fn gobreaker_blocks_for_ever_behind_a_hung_trial() {
    let (breaker, clock) = half_open(Rules::default().trial_lease(30 * SECOND));
    let hung = breaker.try_acquire().unwrap();
    clock.advance(29 * SECOND);
    let rejection = breaker.try_acquire().unwrap_err();
    assert_eq!(
        (rejection.why, rejection.retry_after()),
        (Why::TrialsOut, Some(SECOND))
    );
    clock.advance(SECOND);
    breaker.try_acquire().unwrap().success();
    hung.failure();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn gobreaker_forgets_failures_in_a_row_as_buckets_roll() {
    let rules = Rules::default()
        .consecutive_failures(30)
        .rate(Rate::over_time(10 * SECOND).min_calls(1000));
    let (breaker, clock) = at(rules);
    for failure in 1..=30 {
        assert_eq!(breaker.explain().failures_in_a_row, failure - 1);
        breaker.try_acquire().unwrap().failure();
        clock.advance(2 * SECOND);
    }
    assert_eq!(breaker.kind(), Kind::Open);
}

#[test]
fn pybreaker_holds_its_lock_over_the_call() {
    let breaker = Breaker::new(Rules::default());
    let all_running = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                breaker.call(|| {
                    all_running.wait();
                    Ok::<_, ()>(())
                })
            });
        }
    });
    assert_eq!(breaker.snapshot().counts.successes, 4);
}

#[test]
fn pybreaker_tries_once_for_each_breaker_on_one_storage() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(FakeClock::at(START));
    let shared = || {
        let store = SharedFileStore::open(folder.path().join("breaker.json")).unwrap();
        Breaker::builder(Rules::default())
            .clock(Arc::clone(&clock))
            .open_shared(store)
            .unwrap()
    };
    let (one, other) = (shared(), shared());
    open(&one);
    clock.advance(60 * SECOND);
    let trial = other.try_acquire().unwrap();
    assert_eq!(one.try_acquire().unwrap_err().why, Why::TrialsOut);
    trial.success();
    assert_eq!(one.kind(), Kind::Closed);
}

#[test]
fn polly_closes_on_a_cancelled_trial() {
    let (breaker, _) = half_open(Rules::default());
    drop(breaker.try_acquire().unwrap());
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(breaker.kind(), Kind::HalfOpen);
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn polly_stays_half_open_when_an_observer_panics() {
    let clock = Arc::new(FakeClock::at(START));
    let told = Arc::new(AtomicU32::new(0));
    let others = Arc::clone(&told);
    let breaker = Breaker::builder(Rules::default())
        .clock(Arc::clone(&clock))
        .on_transition(|_| panic!("on purpose"))
        .on_transition(move |_| {
            others.fetch_add(1, Ordering::Relaxed);
        })
        .build();
    open(&breaker);
    clock.advance(60 * SECOND);
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
    assert_eq!(told.load(Ordering::Relaxed), 3);
}

#[test]
fn pybreaker_is_closed_with_zero_counts_when_its_store_fails() {
    let folder = tempfile::tempdir().unwrap();
    let breaker = Breaker::builder(Rules::default())
        .open_shared(SharedFileStore::open(folder.path().join("breaker.json")).unwrap())
        .unwrap();
    breaker.try_acquire().unwrap().failure();
    std::fs::remove_dir_all(folder.path()).unwrap();
    // A store that cannot be written is no reason to forget, nor to be silent.
    for _ in 1..5 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.snapshot().counts.failures, 5);
    assert!(breaker.snapshot().store_error.is_some());
}

/// Another writer always comes first: each decision is asked for twice, and only the second answer
/// counts.
struct Contended(Mutex<Option<Document>>);

impl SharedStore for Contended {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn update(
        &self,
        decide: &mut dyn FnMut(Option<Document>) -> Option<Document>,
    ) -> Result<(), StoreError> {
        let mut document = self.0.lock().unwrap();
        let _lost = decide(document.clone());
        if let Some(next) = decide(document.clone()) {
            *document = Some(next);
        }
        Ok(())
    }
}

#[test]
fn resilience4j_runs_the_side_effects_of_a_decision_twice() {
    let told = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&told);
    let breaker = Breaker::builder(Rules::default())
        .on_transition(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .open_shared(Contended(Mutex::new(None)))
        .unwrap();
    open(&breaker);
    assert_eq!(breaker.snapshot().outages.outages().len(), 1);
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

/// Another writer resets the circuit between each reading and the decision under the lock.
struct Overtaken(Arc<Mutex<Option<Document>>>);

impl SharedStore for Overtaken {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn update(
        &self,
        decide: &mut dyn FnMut(Option<Document>) -> Option<Document>,
    ) -> Result<(), StoreError> {
        let mut document = self.0.lock().unwrap();
        *document = decide(None);
        Ok(())
    }
}

#[test]
fn resilience4j_acts_on_a_decision_that_another_writer_overtook() {
    let document = Arc::new(Mutex::new(None));
    let breaker = Breaker::builder(Rules::default())
        .open_shared(Overtaken(Arc::clone(&document)))
        .unwrap();
    let permit = breaker.try_acquire().unwrap();
    let four = r#"{"state": "closed", "failure_count": 4}"#;
    *document.lock().unwrap() = Some(Document::parse(four.as_bytes()).unwrap());
    permit.failure();
    let explanation = breaker.explain();
    assert_eq!(
        (explanation.kind, explanation.failures_in_a_row),
        (Kind::Closed, 1)
    );
}

#[test]
fn resilience4j_turns_a_forced_open_circuit_half_open() {
    let (breaker, clock) = at(Rules::default());
    breaker.force_open("maintenance");
    clock.advance(1_000_000 * SECOND);
    let rejection = breaker.try_acquire().unwrap_err();
    assert_eq!((rejection.why, rejection.retry_at), (Why::ForcedOpen, None));
    assert_eq!(
        (breaker.kind(), breaker.ready_in()),
        (Kind::ForcedOpen, None)
    );
    breaker.reset();
    breaker.try_acquire().unwrap().success();
}

#[test]
fn resilience4j_gives_half_open_a_permit_for_an_ignored_call_from_before() {
    let (breaker, clock) = at(Rules::default());
    let late = breaker.try_acquire().unwrap();
    open(&breaker);
    clock.advance(60 * SECOND);
    let _trial = breaker.try_acquire().unwrap();
    late.ignore();
    assert_eq!(breaker.try_acquire().unwrap_err().why, Why::TrialsOut);
}

#[test]
fn failsafe_go_never_gets_the_permit_of_a_panicked_trial_back() {
    let (breaker, clock) = half_open(Rules::default());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        breaker.call::<(), ()>(|| panic!("on purpose"))
    }));
    assert!(panicked.is_err());
    assert_eq!(breaker.kind(), Kind::Open);
    clock.advance(60 * SECOND);
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn failsafe_go_still_says_open_after_the_delay() {
    let (breaker, _) = half_open(Rules::default());
    assert_eq!(
        (breaker.kind(), breaker.ready_in()),
        (Kind::HalfOpen, Some(Duration::ZERO))
    );
}

#[test]
fn erpc_never_recovers_while_answers_are_ignored() {
    // An ignored trial gives its place back at once, so the next call decides.
    let (breaker, _) = half_open(Rules::default());
    for _ in 0..100 {
        breaker.try_acquire().unwrap().ignore();
    }
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn php_circuit_breaker_lets_an_open_record_expire_into_closed() {
    let (breaker, clock) = at(Rules::default());
    open(&breaker);
    clock.advance(365 * 86_400 * SECOND);
    let _trial = breaker.try_acquire().unwrap();
    assert_eq!(breaker.try_acquire().unwrap_err().why, Why::TrialsOut);
}
