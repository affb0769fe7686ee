//! The paths that every call takes do not allocate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use allocation_counter::measure;
use breaker::{Breaker, Outcome, Rate, Rules};

fn allocations_of(times: u32, mut call: impl FnMut()) -> u64 {
    measure(|| (0..times).for_each(|_| call())).count_total
}

#[test]
fn neither_a_call_nor_a_rejection_allocates() {
    let rules = [
        Rules::default(),
        Rules::default().rate(Rate::over_calls(50).slow_calls(Duration::from_secs(1), 50)),
        Rules::default().rate(Rate::over_time(Duration::from_secs(30))),
    ];
    for rules in rules {
        let breaker = Breaker::new(rules);
        // The window is made with the first call that it counts.
        breaker.try_acquire().unwrap().success();
        for outcome in [Outcome::Success, Outcome::Ignored, Outcome::Cancelled] {
            let allocated = allocations_of(1000, || breaker.try_acquire().unwrap().finish(outcome));
            assert_eq!(allocated, 0, "{outcome:?} with {breaker:?}");
        }
        let failures = allocations_of(4, || breaker.try_acquire().unwrap().failure());
        assert_eq!(failures, 0);
        breaker.try_acquire().unwrap().trip("down");
        assert_eq!(
            allocations_of(1000, || assert!(breaker.try_acquire().is_err())),
            0
        );
    }
}

#[test]
fn neither_a_look_nor_a_whole_cycle_allocates() {
    let rules = Rules::default()
        .consecutive_failures(1)
        .open_for(Duration::ZERO)
        .rate(Rate::over_calls(50));
    let breaker = Breaker::builder(rules).outage_capacity(4).build();
    let look = || {
        allocations_of(1000, || {
            let _ = (breaker.kind(), breaker.check(), breaker.ready_in());
        })
    };
    for _ in 0..10 {
        breaker.try_acquire().unwrap().trip("down"); // fills the outage log
        breaker.try_acquire().unwrap().success();
    }
    assert_eq!(look(), 0, "closed");
    breaker.try_acquire().unwrap().trip("down");
    assert_eq!(look(), 0, "due");
    let trial = breaker.try_acquire().unwrap();
    assert_eq!(look(), 0, "half-open");
    trial.success();
    let cycle = || {
        breaker.try_acquire().unwrap().trip("down");
        breaker.try_acquire().unwrap().success();
    };
    assert_eq!(allocations_of(1000, cycle), 0);
}
