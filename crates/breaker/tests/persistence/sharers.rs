//! Breakers of several processes on one file.

use super::*;

#[test]
fn sharers_bound_a_step_back_and_cannot_see_one_forward() {
    let place = Place::new();
    let breaker = place.shared(Rules::default());
    trip(&breaker);
    place
        .clock
        .set_wall(Time::from_unix_micros(START.unix_micros() / 2));
    assert_eq!(
        breaker.try_acquire().unwrap_err().retry_after(),
        Some(60 * SECOND)
    );
    place.clock.advance(59 * SECOND);
    assert!(breaker.try_acquire().is_err());
    place.clock.advance(SECOND);
    breaker.try_acquire().unwrap().failure();

    // The only clock they have in common says that a day has passed.
    place.clock.set_wall(START + 86_400 * SECOND);
    let trial = breaker.try_acquire().unwrap();
    place.clock.set_wall(START);
    assert!(breaker.try_acquire().is_err());
    place.clock.advance(60 * SECOND - Duration::from_micros(1));
    assert_eq!(
        breaker.try_acquire().unwrap_err().retry_after(),
        Some(Duration::from_micros(1)),
        "a whole lease from then"
    );
    trial.success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn sharers_go_on_by_what_they_knew_when_the_store_is_lost() {
    let place = Place::new();
    let breaker = place.shared(Rules::default());
    trip(&breaker);
    assert!(breaker.try_acquire().is_err());
    fs::remove_dir_all(place.folder.path()).unwrap();
    // A lost document is a missing one, which is closed; a store that fails is neither, and opens
    // nothing.
    place.clock.advance(60 * SECOND);
    let permit = breaker.try_acquire().unwrap();
    permit.trip("again");
    assert!(
        breaker
            .snapshot()
            .store_error
            .unwrap()
            .contains("cannot open")
    );
}

/// Somebody stopped with the lock in hand. Takes as long as a sharer is patient.
#[test]
fn sharers_decide_alone_when_one_of_them_hangs() {
    let place = Place::new();
    let breaker = place.shared(Rules::default().consecutive_failures(1));
    let lock = place.path().with_file_name("circuit_breaker.json.lock");
    let hanging = fs::File::open(lock).unwrap();
    hanging.lock().unwrap();
    let started = std::time::Instant::now();
    trip(&breaker);
    let took = started.elapsed();
    assert!(
        (5 * SECOND..30 * SECOND).contains(&took),
        "neither at once nor for ever: {took:?}"
    );
    assert_eq!(
        breaker.snapshot().explanation.kind,
        Kind::Closed,
        "the file knows nothing of it"
    );
    let error = breaker.snapshot().store_error.unwrap();
    assert!(error.contains("in use"), "{error}");
    drop(hanging);
}

/// Among many, on a slow disk, a turn may be longer in coming than a sharer waits for one that
/// hangs.
#[test]
fn sharers_wait_their_turn_while_others_decide() {
    let place = Place::new();
    let breaker = place.shared(Rules::default().consecutive_failures(1));
    breaker.reset(); // makes the file
    let lock = fs::File::open(place.path().with_file_name("circuit_breaker.json.lock")).unwrap();
    lock.lock().unwrap();
    let document = fs::File::options().write(true).open(place.path()).unwrap();
    std::thread::scope(|scope| {
        let tripping = scope.spawn(|| trip(&breaker));
        for turn in 1..=7 {
            std::thread::sleep(SECOND);
            document
                .set_modified(std::time::UNIX_EPOCH + turn * SECOND)
                .unwrap();
        }
        assert!(!tripping.is_finished());
        drop(lock);
    });
    assert_eq!(breaker.snapshot().store_error, None);
    assert_eq!(place.document().outages.len(), 1);
}

#[test]
fn sharers_see_each_other() {
    let place = Place::new();
    let rules = || Rules::default().consecutive_failures(3);
    let (one, other) = (place.shared(rules()), place.shared(rules()));
    one.try_acquire().unwrap().failure();
    other.try_acquire().unwrap().failure();
    let late = other.try_acquire().unwrap();
    one.try_acquire().unwrap().failure();
    assert_eq!(other.kind(), Kind::Open);
    late.failure();
    assert_eq!(other.snapshot().counts.stale, 1);
    other.count_affected(3);
    assert_eq!(one.snapshot().outages.ongoing().unwrap().jobs_affected, 3);
    assert_eq!(place.document().outages.len(), 1);
}

#[test]
fn sharers_share_the_window_of_a_rate() {
    let place = Place::new();
    let rules = || {
        Rules::default()
            .no_consecutive_limit()
            .rate(Rate::over_calls(4).failures(50))
    };
    let (one, other) = (place.shared(rules()), place.shared(rules()));
    one.try_acquire().unwrap().failure();
    other.try_acquire().unwrap().success();
    one.try_acquire().unwrap().success();
    assert_eq!(one.kind(), Kind::Closed);
    other.try_acquire().unwrap().failure();
    assert_eq!(one.kind(), Kind::Open);
}
