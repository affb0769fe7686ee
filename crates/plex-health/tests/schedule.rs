//! The schedule against its definition.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plex_health::{INITIAL_INTERVAL, Schedule};
use proptest::prelude::*;

fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

#[test]
fn a_first_probe_is_due_at_once() {
    let schedule = Schedule::default();
    assert!(schedule.due(UNIX_EPOCH));
    assert_eq!(schedule.next_at(UNIX_EPOCH), UNIX_EPOCH);
}

#[test]
fn the_delay_function_gets_the_failures_before() {
    let mut schedule = Schedule::default();
    let mut asked = vec![];
    for n in 0..4 {
        let wait = schedule.failed(at(n), |exponent| {
            asked.push(exponent);
            Duration::from_secs(5 << exponent).min(Duration::from_secs(60))
        });
        assert_eq!(schedule.next_at(at(n)), at(n) + wait);
    }
    assert_eq!(asked, [0, 1, 2, 3]);
    schedule.passed(at(9));
    assert_eq!(schedule.failures(), 0);
    assert_eq!(schedule.next_at(at(9)), at(9) + INITIAL_INTERVAL);
    schedule.failed(at(10), |exponent| {
        asked.push(exponent);
        Duration::ZERO
    });
    assert_eq!(asked.last(), Some(&0), "a passed probe resets the exponent");
}

#[test]
fn it_is_due_from_the_instant_on() {
    let mut schedule = Schedule::default();
    schedule.failed(at(1000), |_| Duration::from_millis(700));
    assert!(!schedule.due(at(1699)));
    assert!(schedule.due(at(1700)));
}

#[test]
fn a_clock_set_back_does_not_stop_the_probes() {
    let mut schedule = Schedule::default();
    schedule.failed(at(1_000_000), |_| Duration::from_secs(60));
    assert!(schedule.due(at(999_999)));
    assert_eq!(
        schedule.next_at(at(5)),
        at(5),
        "who sleeps until then must not sleep until the clock has caught up"
    );
    schedule.failed(at(999_999), |_| Duration::from_secs(60));
    assert!(!schedule.due(at(1_000_000)), "counted from the new time on");
}

#[test]
fn no_delay_is_longer_than_a_day() {
    let mut schedule = Schedule::default();
    let day = Duration::from_secs(86_400);
    assert_eq!(schedule.failed(at(0), |_| Duration::MAX), day);
    assert!(schedule.due(UNIX_EPOCH + day));
    // Nor after a damaged file was read.
    let mut json = serde_json::to_value(&schedule).unwrap();
    json["interval"]["secs"] = u64::MAX.into();
    let damaged: Schedule = serde_json::from_value(json).unwrap();
    assert!(damaged.due(UNIX_EPOCH + day));
}

proptest! {
    #[test]
    fn it_does_what_its_definition_says(
        steps in prop::collection::vec((0u64..100_000, any::<Option<u32>>()), 0..50),
    ) {
        let mut schedule = Schedule::default();
        // last probe and interval in milliseconds, failures in a row
        let mut model: (Option<u64>, u64, u32) = (None, 5000, 0);
        let mut now = 0;
        for (elapsed, failed_with) in steps {
            now += elapsed;
            let due = model.0.is_none_or(|last| now - last >= model.1);
            prop_assert_eq!(schedule.due(at(now)), due);
            let next = model.0.map_or(now, |last| now.max(last + model.1));
            prop_assert_eq!(schedule.next_at(at(now)), at(next));
            match failed_with {
                Some(jitter) => {
                    let wait = u64::from(jitter) % 60_001;
                    schedule.failed(at(now), |_| Duration::from_millis(wait));
                    model = (Some(now), wait, model.2 + 1);
                }
                None => {
                    schedule.passed(at(now));
                    model = (Some(now), 5000, 0);
                }
            }
            prop_assert_eq!(schedule.failures(), model.2);
            prop_assert_eq!(schedule.last_probe(), model.0.map(at));
            let json = serde_json::to_string(&schedule).unwrap();
            prop_assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule.clone());
        }
    }
}
