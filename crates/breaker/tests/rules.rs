//! When a circuit opens, for how long, and what closes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use breaker::machine::{Event, Reply, State, step};
use breaker::{Breaker, FakeClock, Kind, OpenFor, Outcome, Rate, Rules, Time};
use proptest::prelude::*;

const START: Time = Time::from_unix_micros(1_764_000_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn at(rules: Rules) -> (Breaker, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at(START));
    (
        Breaker::builder(rules).clock(Arc::clone(&clock)).build(),
        clock,
    )
}

fn run(breaker: &Breaker, outcomes: &str) {
    for outcome in outcomes.chars() {
        let permit = breaker.try_acquire().unwrap();
        permit.finish(match outcome {
            '.' => Outcome::Success,
            'x' => Outcome::Failure,
            'i' => Outcome::Ignored,
            'c' => Outcome::Cancelled,
            _ => Outcome::Panicked,
        });
    }
}

#[test]
fn the_defaults_are_as_documented() {
    let (breaker, clock) = at(Rules::default());
    run(&breaker, "xxxx.xxxx");
    assert_eq!(breaker.kind(), Kind::Closed);
    run(&breaker, "x");
    assert_eq!(breaker.ready_in(), Some(60 * SECOND));
    let refused = breaker.suggest_trial().unwrap_err();
    assert_eq!(
        refused.retry_after(),
        Some(60 * SECOND),
        "no early trial unless asked for"
    );
    clock.advance(60 * SECOND);
    let _first = breaker.try_acquire().unwrap();
    clock.advance(60 * SECOND - Duration::from_micros(1));
    let taken = breaker.try_acquire().unwrap_err();
    assert_eq!(
        taken.retry_after(),
        Some(Duration::from_micros(1)),
        "the lease"
    );
}

/// The latest moment was told, so that whoever slept as the rejection said slept a minute for a
/// trial of 20 ms.
#[test]
fn who_must_wait_for_a_trial_asks_again_soon_and_not_with_all_others() {
    let (breaker, clock) = at(Rules::default());
    breaker.try_acquire().unwrap().trip("test");
    clock.advance(60 * SECOND);
    let _trial = breaker.try_acquire().unwrap();
    let millis = Duration::from_millis;
    for (out, least, most) in [(0, 5, 15), (20, 10, 31), (4000, 2000, 6100)] {
        clock.advance(millis(out));
        let waits: std::collections::BTreeSet<_> = (0..100)
            .map(|_| {
                clock.advance(Duration::from_micros(1));
                breaker.try_acquire().unwrap_err().retry_after().unwrap()
            })
            .collect();
        let (first, last) = (*waits.first().unwrap(), *waits.last().unwrap());
        assert!(
            first >= millis(least) && last <= millis(most),
            "{first:?} {last:?}"
        );
        assert!(
            waits.len() > 90 && last - first > millis(most - least) / 2,
            "{waits:?}"
        );
    }
}

#[test]
fn neutral_outcomes_neither_count_nor_clear() {
    let (breaker, _) = at(Rules::default().consecutive_failures(3));
    run(&breaker, "xicxic");
    assert_eq!(breaker.explain().failures_in_a_row, 2);
    run(&breaker, "p");
    assert_eq!(breaker.kind(), Kind::Open);
}

#[test]
fn zeros_count_as_one() {
    let rules = Rules::default()
        .consecutive_failures(0)
        .trials(0)
        .successes_to_close(0)
        .open_for(Duration::ZERO);
    let (breaker, _) = at(rules);
    run(&breaker, "x.");
    assert_eq!(breaker.kind(), Kind::Closed);
    assert_eq!(breaker.snapshot().outages.outages().len(), 1);
    let (breaker, _) = at(Rules::default()
        .no_consecutive_limit()
        .rate(Rate::over_calls(0).failures(0).min_calls(0)));
    run(&breaker, "x");
    assert_eq!(breaker.kind(), Kind::Open);
}

#[test]
fn without_limits_only_trip_and_a_person_open() {
    let (breaker, _) = at(Rules::default().no_consecutive_limit());
    run(&breaker, &"x".repeat(10_000));
    assert_eq!(breaker.kind(), Kind::Closed);
    breaker.try_acquire().unwrap().trip("asked for");
    assert_eq!(breaker.kind(), Kind::Open);
}

#[test]
fn a_rate_waits_for_enough_calls() {
    let (breaker, _) = at(Rules::default()
        .no_consecutive_limit()
        .rate(Rate::over_calls(100).failures(50).min_calls(4)));
    run(&breaker, "xx.");
    assert_eq!(breaker.kind(), Kind::Closed);
    assert_eq!(breaker.explain().window.unwrap().failures, 2);
    run(&breaker, ".");
    assert_eq!(breaker.explain().reason.unwrap().as_str(), "failure_rate");
}

#[test]
fn a_full_window_is_counted_whole() {
    let rules = Rules::default().rate(Rate::over_calls(4).failures(100));
    let (breaker, _) = at(rules);
    for (outcomes, calls, failures) in [("..x", 3, 1), (".", 4, 1), ("xx", 4, 3)] {
        run(&breaker, outcomes);
        let window = breaker.explain().window.unwrap();
        assert_eq!((window.calls, window.failures), (calls, failures));
    }
}

#[test]
fn slow_calls_open_and_a_slow_trial_fails() {
    let rate = Rate::over_calls(4).failures(100).slow_calls(2 * SECOND, 50);
    let (breaker, clock) = at(Rules::default().no_consecutive_limit().rate(rate));
    let call = |took: Duration| {
        let permit = breaker.try_acquire().unwrap();
        clock.advance(took);
        permit.success();
    };
    for took in [2 * SECOND, 2 * SECOND, 3 * SECOND] {
        call(took);
    }
    assert_eq!(breaker.kind(), Kind::Closed);
    call(3 * SECOND);
    assert_eq!(breaker.explain().reason.unwrap().as_str(), "slow_calls");

    clock.advance(60 * SECOND);
    call(3 * SECOND);
    assert_eq!(
        breaker.kind(),
        Kind::Open,
        "a slow trial is no proof of health"
    );
    clock.advance(60 * SECOND);
    call(2 * SECOND);
    assert_eq!(
        (breaker.kind(), breaker.explain().window.unwrap().calls),
        (Kind::Closed, 0)
    );
}

#[test]
fn the_open_interval_doubles_until_the_circuit_has_stayed_closed_for_the_longest() {
    let rules = Rules::default()
        .consecutive_failures(1)
        .open_for(OpenFor::exponential(10 * SECOND, 100 * SECOND));
    let (breaker, clock) = at(rules);
    let reopen = |expected: u32| {
        run(&breaker, "x");
        assert_eq!(breaker.ready_in(), Some(expected * SECOND));
        clock.advance(expected * SECOND);
    };
    for expected in [10, 20, 40, 80, 100, 100] {
        reopen(expected); // each failed trial is one more opening
    }
    run(&breaker, ".");
    clock.advance(99 * SECOND);
    reopen(100);
    run(&breaker, ".");
    clock.advance(100 * SECOND);
    reopen(10);
    reopen(20);
}

#[test]
fn rules_are_read_as_they_are_written_and_as_they_are_set() {
    let rules = Rules::default()
        .no_consecutive_limit()
        .rate(
            Rate::over_time(30 * SECOND)
                .failures(20)
                .slow_calls(2 * SECOND, 80)
                .min_calls(7),
        )
        .open_for(OpenFor::exponential(10 * SECOND, 100 * SECOND))
        .trials(2)
        .successes_to_close(3)
        .trial_lease(9 * SECOND)
        .early_trial_after(SECOND);
    for rules in [
        rules,
        Rules::default(),
        Rules::default().rate(Rate::over_calls(9)),
    ] {
        let text = serde_json::to_string(&rules).unwrap();
        assert_eq!(
            serde_json::from_str::<Rules>(&text).unwrap(),
            rules,
            "{text}"
        );
    }
    let read = |text| serde_json::from_str::<Rules>(text);
    assert_eq!(read("{}").unwrap(), Rules::default());
    assert_eq!(
        read(r#"{"rate": {"over": {"calls": 10}, "failures": 0, "min_calls": 99}}"#).unwrap(),
        Rules::default().rate(Rate::over_calls(10).failures(1).min_calls(10)),
        "cut as the setters cut"
    );
    for wrong in [
        r#"{"consecutive_failure": 3}"#,
        r#"{"consecutive_failures": 0}"#,
        r#"{"rate": {"over": {"calls": 10, "time": {"secs": 1, "nanos": 0}}}}"#,
        r#"{"open_for": {"first": {"secs": 1, "nanos": 0}}}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn closing_takes_as_many_successes_as_asked_and_no_failure() {
    let (breaker, clock) = at(Rules::default()
        .consecutive_failures(1)
        .successes_to_close(3));
    run(&breaker, "x");
    clock.advance(60 * SECOND);
    run(&breaker, "..x");
    assert_eq!(breaker.kind(), Kind::Open);
    clock.advance(60 * SECOND);
    run(&breaker, "..");
    assert_eq!(
        (breaker.kind(), breaker.explain().successes),
        (Kind::HalfOpen, 2)
    );
    run(&breaker, "ic.");
    assert_eq!(breaker.kind(), Kind::Closed);
}

/// A call: how long after the one before, and whether it fails.
fn calls() -> impl Strategy<Value = Vec<(u64, bool)>> {
    prop::collection::vec((0..3000u64, any::<bool>()), 1..200)
}

proptest! {
    /// The rings against the definition: all calls are kept, and counted anew each time.
    #[test]
    fn windows_count_what_lies_in_them(
        calls in calls(), length in 1u32..20, percent in 1u8..=100, min_calls in 1u32..20, by_time: bool,
    ) {
        let rate = match by_time {
            true => Rate::over_time(SECOND * length),
            false => Rate::over_calls(length),
        };
        let rules = Rules::default().no_consecutive_limit().rate(rate.failures(percent).min_calls(min_calls));
        let (mut now, mut state, mut history) = (START, State::default(), Vec::new());
        for (pause, failed) in calls {
            now = now + Duration::from_millis(pause);
            history.push((now, failed));
            let slice = |time: Time| time.unix_micros() / (u64::from(length) * 100_000);
            let window: Vec<bool> = match by_time {
                true => history.iter().filter(|(at, _)| slice(*at) + 10 > slice(now)).map(|(_, failed)| *failed).collect(),
                false => history.iter().rev().take(length as usize).map(|(_, failed)| *failed).collect(),
            };
            let enough = if by_time { min_calls } else { min_calls.min(length) } as usize;
            let failures = window.iter().filter(|failed| **failed).count();
            let opens = window.len() >= enough && failures * 100 >= usize::from(percent) * window.len();

            let asked = step(&rules, state, Event::Acquire, now);
            let Reply::Admitted(ticket) = asked.reply else { panic!("{asked:?}") };
            let outcome = if failed { Outcome::Failure } else { Outcome::Success };
            let after = step(&rules, asked.state, Event::Finish { ticket, outcome, took: Duration::ZERO }, now);
            prop_assert_eq!(after.state.kind() == Kind::Open, opens);
            if opens {
                break;
            }
            state = after.state;
        }
    }

    /// Total: no state, event or time panics or overflows, and what the state says of itself holds.
    #[test]
    fn every_event_at_every_time_has_an_answer(
        events in prop::collection::vec((0..12u8, any::<u64>(), any::<u64>()), 1..60),
        zero_interval: bool, percent: u8, length in 0u32..5,
    ) {
        let interval = if zero_interval { Duration::ZERO } else { Duration::MAX };
        let rate = Rate::over_time(Duration::from_micros(length.into())).failures(percent).slow_calls(SECOND, percent);
        let rules = Rules::default().open_for(interval).trial_lease(interval).rate(rate);
        let (mut state, mut ticket) = (State::default(), None);
        for (kind, now, took) in events {
            let finish = |outcome| ticket.map(|ticket| Event::Finish { ticket, outcome, took: Duration::from_nanos(took) });
            let event = match kind {
                0 => finish(Outcome::Success),
                1 => finish(Outcome::Failure),
                2 => finish(Outcome::Trip("x".into())),
                3 => finish(Outcome::Ignored),
                4 => Some(Event::SuggestTrial),
                5 => Some(Event::ForceOpen("y".into())),
                6 => Some(Event::Disable),
                7 => Some(Event::Enable),
                8 => Some(Event::Reset),
                _ => Some(Event::Acquire),
            };
            let now = Time::from_unix_micros(now);
            let after = step(&rules, state.clone(), event.unwrap_or(Event::Acquire), now);
            if let Reply::Admitted(admitted) = after.reply {
                ticket = Some(admitted);
            }
            prop_assert_eq!(after.transition.map_or(state.kind(), |told| told.to), after.state.kind());
            let bounded = after.state.clone().bounded(&rules, now);
            prop_assert_eq!(bounded.clone().bounded(&rules, now), bounded);
            state = after.state;
        }
    }
}
