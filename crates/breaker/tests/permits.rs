//! A permit says how its call ended, once, and counts only where it was issued.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use breaker::{Breaker, CallError, Clock, FakeClock, Kind, Outcome, Rules, Time, Why};

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
fn a_failed_call_names_its_cause_once() {
    let (breaker, _) = at(Rules::default());
    let failed = breaker
        .call(|| Err::<(), _>(std::io::Error::other("refused")))
        .unwrap_err();
    let causes = std::iter::successors(Some(&failed as &dyn std::error::Error), |error| {
        error.source()
    });
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    assert_eq!(causes, ["the call failed", "refused"]);

    breaker.force_open("maintenance");
    let rejected = breaker.call(|| Ok::<_, std::io::Error>(())).unwrap_err();
    assert!(
        rejected.to_string().contains("opened by hand"),
        "{rejected}"
    );
}

#[test]
fn ignored_is_neither_dropped_nor_answered() {
    let (breaker, _) = at(Rules::default());
    breaker.try_acquire().unwrap().ignore();
    let counts = breaker.snapshot().counts;
    assert_eq!(
        (counts.ignored, counts.cancelled, counts.successes),
        (1, 0, 0)
    );
}

#[test]
fn debug_shows_what_a_log_needs() {
    let rules = Rules::default().open_for(Duration::from_secs(7));
    assert!(format!("{rules:?}").contains("longest: 7s"), "{rules:?}");
    let (breaker, _) = at(rules);
    let permit = format!("{:?}", breaker.try_acquire().unwrap());
    assert!(permit.contains("generation: 0"), "{permit}");
    assert_eq!(
        format!("{:?}", breaker::Reason::from("a \"cause\"")),
        r#""a \"cause\"""#
    );
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

/// A coarse clock 30 ms behind, where 50 are allowed, and a count of how often the precise one was
/// read.
struct Lagging {
    clock: FakeClock,
    readings: AtomicU32,
}

impl Clock for Lagging {
    fn monotonic(&self) -> Time {
        self.readings.fetch_add(1, Ordering::Relaxed);
        self.clock.monotonic()
    }

    fn wall(&self) -> Time {
        self.clock.wall()
    }

    fn coarse(&self) -> Time {
        let now = self.clock.monotonic().unix_micros();
        Time::from_unix_micros(now - 30_000)
    }
}

#[test]
fn a_coarse_clock_decides_where_a_precise_one_would_say_the_same() {
    let clock = Arc::new(Lagging {
        clock: FakeClock::at(Time::from_unix_seconds(1000.0)),
        readings: AtomicU32::new(0),
    });
    let breaker = Breaker::builder(Rules::default())
        .clock(Arc::clone(&clock))
        .build();
    breaker.try_acquire().unwrap().trip("test");
    let after = |span| {
        clock.clock.advance(span);
        let before = clock.readings.load(Ordering::Relaxed);
        let wait = match breaker.try_acquire() {
            Ok(permit) => {
                permit.success();
                None
            }
            Err(rejection) => rejection.retry_after(),
        };
        let precise = clock.readings.load(Ordering::Relaxed) > before;
        (wait, precise)
    };
    let moment = Duration::from_micros(1);
    let millis = Duration::from_millis;
    assert_eq!(after(Duration::ZERO), (Some(millis(60_030)), false));
    // 20 ms before the end the circuit may be open no more, for all the coarse clock knows.
    assert_eq!(
        after(millis(59_980) - moment),
        (Some(millis(50) + moment), false)
    );
    assert_eq!(after(moment), (Some(millis(20)), true));
    assert_eq!(after(millis(20) - moment), (Some(moment), true));
    assert_eq!(after(moment), (None, true));
    assert_eq!(breaker.snapshot().counts.rejected, 4);

    // What is due by the coarse clock is due by any, and so is a lease that is far from its end.
    let trial = |took| {
        breaker.try_acquire().unwrap().trip("test");
        clock.clock.advance(millis(60_030));
        let before = clock.readings.load(Ordering::Relaxed);
        let permit = breaker.try_acquire().unwrap(); // by the coarse clock, 30 ms ago
        clock.clock.advance(took);
        permit.success();
        let readings = clock.readings.load(Ordering::Relaxed) - before;
        let closed = breaker.kind() == Kind::Closed;
        breaker.reset();
        (readings, closed)
    };
    assert_eq!(trial(Duration::ZERO), (0, true));
    assert_eq!(trial(millis(59_950) - moment), (0, true));
    assert_eq!(trial(millis(59_950)), (1, true));
    assert_eq!(trial(millis(59_970) - moment), (1, true));
    assert_eq!(trial(millis(59_970)), (1, false));
    let outages = breaker.snapshot().outages;
    assert!(
        outages
            .outages()
            .all(|outage| outage.ended >= Some(outage.started))
    );
}
