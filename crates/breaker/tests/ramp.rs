//! The rate rises in a straight line, brakes on errors, and goes on after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use breaker::Time;
use breaker::ramp::{Curve, Ramp};
use proptest::prelude::*;

const START: Time = Time::from_unix_micros(1_764_000_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn near(rate: Option<f64>, expected: f64) -> bool {
    (rate.unwrap() - expected).abs() < 1e-9
}

/// Works as fast as the ramp lets it, and counts calls until `until`.
fn drain(ramp: &mut Ramp, mut now: Time, until: Time, late: Duration) -> (u32, Time) {
    let mut calls = 0;
    while now < until {
        match ramp.take(now) {
            Ok(()) => {
                calls += 1;
                ramp.record(false, now);
            }
            Err(wait) => now = now + wait + late,
        }
    }
    (calls, now)
}

#[test]
fn the_curve_is_a_straight_line() {
    // The area under it: 300 s from 5 to 20 per second.
    for late in [Duration::from_micros(1), Duration::from_millis(10)] {
        let mut ramp = Ramp::new(Curve::default(), START, START);
        let mut now = START;
        for third in 0..3u32 {
            let end = START + 100 * SECOND * (third + 1);
            let (calls, at) = drain(&mut ramp, now, end, late);
            now = at;
            let expected = f64::from(750 + 500 * third);
            assert!(
                (f64::from(calls) - expected).abs() < expected * 0.01,
                "{calls} for {expected}"
            );
        }
        assert_eq!(ramp.rate(now), None);
    }
}

#[test]
fn it_resumes_where_it_was() {
    let half_way = START + 150 * SECOND;
    let mut ramp = Ramp::new(Curve::default(), START, half_way);
    let (calls, _) = drain(
        &mut ramp,
        half_way,
        half_way + 10 * SECOND,
        Duration::from_micros(1),
    );
    assert!((125..=130).contains(&calls), "{calls}");
    let late = START + 300 * SECOND;
    assert_eq!(Ramp::new(Curve::default(), START, late).take(late), Ok(()));
    // A start in the future is a clock set back.
    assert_eq!(
        Ramp::new(Curve::default(), START + 1000 * SECOND, START).rate(START),
        Some(5.0)
    );
}

#[test]
fn no_curve_stops_the_work_for_good() {
    let curve = Curve {
        initial: 0.0,
        target: 0.0,
        ..Curve::default()
    };
    let mut ramp = Ramp::new(curve, START, START);
    assert_eq!(ramp.take(START), Ok(()));
    assert_eq!(ramp.take(START), Err(60 * SECOND));
    ramp.record(true, START);
    assert_eq!(ramp.rate(START), Some(1.0 / 60.0));
}

#[test]
fn after_the_ramp_nothing_is_limited() {
    let end = START + 300 * SECOND;
    let mut ramp = Ramp::new(Curve::default(), START, START);
    for _ in 0..1000 {
        assert_eq!(ramp.take(end), Ok(()));
        ramp.record(true, end);
    }
    assert_eq!(ramp.rate(end), None);
}

#[test]
fn an_idle_time_saves_up_no_burst() {
    let mut ramp = Ramp::new(Curve::default(), START, START);
    let later = START + 100 * SECOND;
    let burst = (0..100).take_while(|_| ramp.take(later).is_ok()).count();
    assert_eq!(burst, 2);
}

#[test]
fn errors_halve_the_rate_for_a_while() {
    let mut ramp = Ramp::new(Curve::default(), START, START);
    let now = START + 100 * SECOND;
    // Three of ten are thirty per cent: not above it.
    for call in 0..10 {
        ramp.record(call >= 7, now);
    }
    assert_eq!(ramp.rate(now), Some(10.0));
    ramp.record(true, now);
    assert_eq!(ramp.rate(now), Some(5.0));
    let almost = now + Duration::from_micros(59_999_999);
    assert!(near(
        ramp.rate(almost),
        (5.0 + 15.0 * 159.999_999 / 300.0) / 2.0
    ));
    assert_eq!(ramp.rate(now + 60 * SECOND), Some(13.0));
    // A window later the errors are forgotten; one exactly a window old is not.
    ramp.record(false, now + 60 * SECOND);
    assert!(near(ramp.rate(now + 61 * SECOND), 13.05 / 2.0));
    let mut ramp = Ramp::new(Curve::default(), START, START);
    ramp.record(true, START);
    ramp.record(false, START + 61 * SECOND);
    assert!(near(ramp.rate(START + 61 * SECOND), 8.05));
}

#[test]
fn a_drain_under_the_brake_takes_half() {
    let curve = Curve {
        duration: 1_000_000 * SECOND,
        target: 5.0,
        ..Curve::default()
    };
    let mut ramp = Ramp::new(curve, START, START);
    ramp.record(true, START);
    let mut taken = 0;
    let mut now = START;
    while now < START + 60 * SECOND {
        match ramp.take(now) {
            Ok(()) => taken += 1,
            Err(wait) => now = now + wait,
        }
    }
    assert!((149..=152).contains(&taken), "{taken}");
}

proptest! {
    /// Whatever the curve: no panic, a wait that ends, and never more than the rate and the room
    /// allow.
    #[test]
    fn any_curve_is_safe(
        initial in prop::num::f64::ANY, target in prop::num::f64::ANY, duration in 0u64..10_000,
        pauses in prop::collection::vec(0u64..5_000_000, 1..100), failed: bool,
    ) {
        let curve = Curve { initial, target, duration: Duration::from_millis(duration), ..Curve::default() };
        let mut ramp = Ramp::new(curve, START, START);
        let mut now = START;
        for pause in pauses {
            now = now + Duration::from_micros(pause);
            ramp.record(failed, now);
            if let Err(wait) = ramp.take(now) {
                prop_assert!(wait <= 120 * SECOND, "{wait:?}");
                let rate = ramp.rate(now + wait);
                if rate.is_some_and(|rate| rate >= ramp.rate(now).unwrap()) {
                    prop_assert_eq!(ramp.clone().take(now + wait + Duration::from_micros(1)), Ok(()));
                }
            }
        }
    }
}
