//! The outage log and its figures: no outage, one, one that goes on, many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use breaker::{Breaker, Builder, FakeClock, FileStore, OutageLog, Rules, Time};

const START: Time = Time::from_unix_micros(1_764_000_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn at(capacity: usize) -> (Breaker, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at(START));
    let rules = Rules::default().open_for(MINUTE);
    (
        Breaker::builder(rules)
            .clock(Arc::clone(&clock))
            .outage_capacity(capacity)
            .build(),
        clock,
    )
}

/// An outage of `length` after `uptime`.
fn outage(breaker: &Breaker, clock: &FakeClock, uptime: Duration, length: Duration) {
    clock.advance(uptime);
    breaker.try_acquire().unwrap().trip("down");
    clock.advance(length);
    breaker.try_acquire().unwrap().success();
}

#[test]
fn one_outage() {
    let (breaker, clock) = at(30);
    outage(&breaker, &clock, 9 * MINUTE, MINUTE);
    let log = breaker.snapshot().outages;
    let figures = log.figures(START + 10 * MINUTE);
    assert_eq!((figures.outages, figures.ongoing), (1, false));
    assert_eq!((figures.mttr, figures.mtbf), (Some(MINUTE), None));
    assert_eq!((figures.downtime, figures.longest), (MINUTE, MINUTE));
    assert_eq!(figures.availability, 0.9);
    assert_eq!(log.figures(START + 100 * MINUTE).availability, 0.99);
}

#[test]
fn an_outage_that_goes_on() {
    let (breaker, clock) = at(30);
    clock.advance(MINUTE);
    breaker.try_acquire().unwrap().trip("down");
    let log = breaker.snapshot().outages;
    let figures = log.figures(START + 4 * MINUTE);
    assert_eq!(
        (figures.outages, figures.ongoing, figures.mttr, figures.mtbf),
        (1, true, None, None)
    );
    assert_eq!(
        (figures.downtime, figures.longest, figures.availability),
        (3 * MINUTE, 3 * MINUTE, 0.25)
    );
    assert_eq!(
        log.ongoing().unwrap().duration(START + 4 * MINUTE),
        3 * MINUTE
    );

    // The moment it starts, nothing has been watched yet.
    let (breaker, _) = at(30);
    breaker.try_acquire().unwrap().trip("down");
    assert_eq!(breaker.snapshot().outages.figures(START).availability, 1.0);
}

#[test]
fn failed_trials_belong_to_the_same_outage() {
    let (breaker, clock) = at(30);
    breaker.try_acquire().unwrap().trip("unauthorized");
    for _ in 0..5 {
        clock.advance(MINUTE);
        breaker.try_acquire().unwrap().failure();
        breaker.count_affected(2);
    }
    let log = breaker.snapshot().outages;
    let ongoing = log.ongoing().unwrap();
    assert_eq!((log.outages().len(), ongoing.jobs_affected), (1, 10));
    assert_eq!(
        (ongoing.started, ongoing.reason.as_str()),
        (START, "unauthorized")
    );
}

#[test]
fn many_outages() {
    let (breaker, clock) = at(30);
    outage(&breaker, &clock, 10 * MINUTE, MINUTE);
    outage(&breaker, &clock, 20 * MINUTE, 2 * MINUTE);
    outage(&breaker, &clock, 40 * MINUTE, 3 * MINUTE);
    clock.advance(4 * MINUTE);
    breaker.count_affected(5); // there is none to count it on
    let figures = breaker.snapshot().outages.figures(START + 80 * MINUTE);
    assert_eq!(
        (figures.mttr, figures.mtbf),
        (Some(2 * MINUTE), Some(30 * MINUTE))
    );
    assert_eq!(
        (figures.downtime, figures.longest),
        (6 * MINUTE, 3 * MINUTE)
    );
    assert_eq!(figures.availability, 1.0 - 6.0 / 80.0);
    assert_eq!(
        breaker
            .snapshot()
            .outages
            .outages()
            .map(|outage| outage.jobs_affected)
            .sum::<u64>(),
        0
    );
}

#[test]
fn the_log_keeps_the_last_ones_and_knows_since_when() {
    let (breaker, clock) = at(2);
    for _ in 0..5 {
        outage(&breaker, &clock, 9 * MINUTE, MINUTE);
    }
    let log = breaker.snapshot().outages;
    assert_eq!(log.outages().len(), 2);
    assert_eq!(log.outages().next().unwrap().started, START + 39 * MINUTE);
    // Complete since the end of the third, so the availability is right for what is kept.
    assert_eq!(log.since(), START + 30 * MINUTE);
    assert_eq!(log.figures(START + 50 * MINUTE).availability, 0.9);
    let (breaker, clock) = at(0);
    outage(&breaker, &clock, MINUTE, MINUTE);
    assert_eq!(
        breaker.snapshot().outages.outages().len(),
        1,
        "at least one"
    );
}

#[test]
fn a_clock_set_back_makes_no_negative_outage() {
    let folder = tempfile::tempdir().unwrap();
    let in_memory = |builder: Builder| builder.build();
    let in_file = |builder: Builder| {
        let store = FileStore::open(folder.path().join("breaker.json")).unwrap();
        builder.open(store).unwrap()
    };
    let last_of = |make: &dyn Fn(Builder) -> Breaker| {
        let clock = Arc::new(FakeClock::at(START));
        let breaker = make(Breaker::builder(Rules::default()).clock(Arc::clone(&clock)));
        breaker.try_acquire().unwrap().trip("down");
        clock.advance(MINUTE);
        clock.set_wall(Time::from_unix_seconds(1000.0));
        breaker.try_acquire().unwrap().success();
        let log = breaker.snapshot().outages;
        assert!(log.figures(Time::ZERO).availability >= 0.0);
        let last = log.outages().last().unwrap();
        (last.ended.unwrap(), last.duration(START))
    };
    let now = Time::from_unix_seconds(1000.0);
    assert_eq!(last_of(&in_memory), (now, MINUTE), "the true length");
    assert_eq!(
        last_of(&in_file),
        (START, Duration::ZERO),
        "what was written stays"
    );
}

#[test]
fn an_empty_log() {
    let figures = OutageLog::new(START, 30).figures(START);
    assert_eq!(
        (figures.outages, figures.ongoing, figures.availability),
        (0, false, 1.0)
    );
    assert_eq!(
        (figures.downtime, figures.longest),
        (Duration::ZERO, Duration::ZERO)
    );
    assert_eq!((figures.mttr, figures.mtbf), (None, None));
}
