//! The decision after a failed try: limits, deadline and floors, for every input.
use std::time::Duration;

use backoff::{Decision, GiveUp, Hint, Jitter, Policy, Retry, SplitMix64};
use proptest::prelude::*;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const NOW: Duration = secs(1_700_000_000);
/// Delays of exactly 5, 10, 20, 40, 80, 80 … seconds.
const EXACT: Retry = Retry::new(Policy::exponential(secs(5), secs(80)).with_jitter(Jitter::None));

fn decide(retry: Retry, elapsed: u64, past_tries: u32, hint: Hint) -> Decision {
    retry.decide(
        NOW,
        past_tries,
        NOW + secs(elapsed),
        hint,
        &mut SplitMix64::new(0),
    )
}

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        (0..100_000_u64).prop_map(Duration::from_millis),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
    ]
}

fn hints() -> impl Strategy<Value = Hint> {
    prop_oneof![
        Just(Hint::Transient),
        Just(Hint::Timeout),
        Just(Hint::Final),
        Just(Hint::Cancelled),
        durations().prop_map(Hint::RetryAfter),
        (durations(), durations())
            .prop_map(|(base, cap)| Hint::Policy(Policy::exponential(base, cap))),
    ]
}

proptest! {
    #[test]
    fn a_retry_breaks_no_limit_and_no_floor(
        base in durations(), cap in durations(), first_try in durations(), now in durations(), past_tries in prop_oneof![0..6_u32, any::<u32>()],
        max_tries in proptest::option::of(prop_oneof![0..6_u32, any::<u32>()]), deadline in proptest::option::of(durations()),
        retry_after_max in durations(), hint in hints(), seed in any::<u64>(),
    ) {
        let mut retry = Retry::new(Policy::exponential(base, cap)).retry_after_max(retry_after_max);
        retry = match max_tries { Some(tries) => retry.max_tries(tries), None => retry.unlimited_tries() };
        if let Some(deadline) = deadline { retry = retry.deadline(deadline); }

        let floor = match hint { Hint::RetryAfter(wait) => wait.min(retry_after_max), _ => Duration::ZERO };
        let cap = match hint { Hint::Policy(_) => Duration::MAX, _ => cap };
        match retry.decide(first_try, past_tries, now, hint, &mut SplitMix64::new(seed)) {
            Decision::RetryAt(at) => {
                prop_assert!(at >= now.saturating_add(floor));
                let spread = if floor.is_zero() { cap } else { cap.max(floor / 10) };
                prop_assert!(at <= now.saturating_add(floor).saturating_add(spread));
                prop_assert!(max_tries.is_none_or(|max| past_tries < max));
                prop_assert!(deadline.is_none_or(|deadline| at <= now.max(first_try).saturating_add(deadline)));
                if now >= first_try {
                    prop_assert!(deadline.is_none_or(|deadline| at == Duration::MAX || at - first_try <= deadline));
                }
                prop_assert!(!matches!(hint, Hint::Final | Hint::Cancelled));
            }
            Decision::GiveUp(GiveUp::Final) => prop_assert_eq!(hint, Hint::Final),
            Decision::GiveUp(GiveUp::Cancelled) => prop_assert_eq!(hint, Hint::Cancelled),
            Decision::GiveUp(GiveUp::Tries { max }) => prop_assert!(max_tries == Some(max) && past_tries >= max),
            Decision::GiveUp(GiveUp::Deadline { deadline: limit, next }) => prop_assert!(deadline == Some(limit) && next > limit),
            Decision::GiveUp(other) => prop_assert!(false, "{:?} is not for this function to say", other),
        }
    }
}

#[test]
fn past_tries_choose_the_delay() {
    let retry = EXACT.unlimited_tries();
    for (past_tries, delay) in [
        (0, 5),
        (1, 5),
        (2, 10),
        (3, 20),
        (5, 80),
        (6, 80),
        (u32::MAX, 80),
    ] {
        assert_eq!(
            decide(retry, 7, past_tries, Hint::Transient),
            Decision::RetryAt(NOW + secs(7 + delay)),
            "{past_tries}"
        );
    }
}

#[test]
fn max_tries_counts_the_first() {
    let give_up = |max| Decision::GiveUp(GiveUp::Tries { max });
    assert_eq!(
        decide(EXACT.max_tries(2), 0, 1, Hint::Transient),
        Decision::RetryAt(NOW + secs(5))
    );
    assert_eq!(
        decide(EXACT.max_tries(2), 0, 2, Hint::Transient),
        give_up(2)
    );
    assert_eq!(
        decide(EXACT.max_tries(1), 0, 1, Hint::Transient),
        give_up(1)
    );
    assert_eq!(
        decide(EXACT.max_tries(0), 0, 1, Hint::Transient),
        give_up(0)
    );
    assert_eq!(
        decide(EXACT.max_tries(2), 0, u32::MAX, Hint::Transient),
        give_up(2)
    );
}

#[test]
fn the_next_delay_must_fit_the_deadline_and_may_fill_it() {
    let retry = EXACT.deadline(secs(30));
    assert_eq!(
        decide(retry, 20, 2, Hint::Transient),
        Decision::RetryAt(NOW + secs(30))
    );
    let late = GiveUp::Deadline {
        deadline: secs(30),
        next: secs(31),
    };
    assert_eq!(
        decide(retry, 21, 2, Hint::Transient),
        Decision::GiveUp(late)
    );
}

#[test]
fn retry_after_is_a_floor_with_a_bound() {
    assert_eq!(
        decide(EXACT, 0, 1, Hint::RetryAfter(secs(60))),
        Decision::RetryAt(NOW + secs(60))
    );
    assert_eq!(
        decide(EXACT, 0, 1, Hint::RetryAfter(secs(1))),
        Decision::RetryAt(NOW + secs(5)),
        "the policy's own is longer"
    );
    let bounded = EXACT.retry_after_max(secs(90));
    assert_eq!(
        decide(bounded, 0, 1, Hint::RetryAfter(secs(100))),
        Decision::RetryAt(NOW + secs(90))
    );
    assert_eq!(
        decide(EXACT, 0, 1, Hint::RetryAfter(Duration::MAX)),
        Decision::RetryAt(NOW + secs(3600))
    );
}

/// A thousand clients were told "in an hour" by one server. Before, all came back in the same
/// moment.
#[test]
fn retry_after_is_a_floor_from_which_clients_spread() {
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        let retry = Retry::new(Policy::exponential(secs(1), secs(20)).with_jitter(jitter));
        let mut moments = (0..1000)
            .map(|client| {
                let rng = &mut SplitMix64::new(client);
                match retry.decide(NOW, 1, NOW, Hint::RetryAfter(secs(3600)), rng) {
                    Decision::RetryAt(at) => at - NOW,
                    Decision::GiveUp(why) => panic!("{why}"),
                }
            })
            .collect::<Vec<_>>();
        moments.sort();
        assert!(moments[0] >= secs(3600) && moments[999] <= secs(3960));
        let busiest = moments.windows(50).map(|of| of[49] - of[0]).min().unwrap();
        assert!(
            busiest > secs(3),
            "{jitter:?}: 50 clients within {busiest:?}"
        );
    }
}

#[test]
fn a_hint_may_bring_its_own_policy() {
    let slow = Policy::exponential(secs(30), secs(600)).with_jitter(Jitter::None);
    assert_eq!(
        decide(EXACT, 0, 2, Hint::Policy(slow)),
        Decision::RetryAt(NOW + secs(60))
    );
}

#[test]
fn a_clock_set_back_counts_as_no_time_elapsed() {
    let now = NOW - secs(1000);
    let decision =
        EXACT
            .deadline(secs(5))
            .decide(NOW, 1, now, Hint::Transient, &mut SplitMix64::new(0));
    assert_eq!(decision, Decision::RetryAt(now + secs(5)));
}

#[test]
fn defaults() {
    let default = Retry::new(Policy::default());
    assert_eq!(default, Retry::default());
    let policy = Policy::exponential(secs(7), secs(9));
    assert_eq!(Retry::new(policy), Retry::from(policy));
    assert_eq!(default, default.max_tries(3).retry_after_max(secs(3600)));
    assert!(
        matches!(
            decide(default, 1_000_000_000, 2, Hint::default()),
            Decision::RetryAt(_)
        ),
        "no deadline"
    );
}

#[test]
fn reasons_are_said_in_words() {
    let said = |why: GiveUp| why.to_string();
    assert_eq!(said(GiveUp::Final), "trying again cannot help");
    assert_eq!(said(GiveUp::Cancelled), "cancelled");
    assert_eq!(
        said(GiveUp::Tries { max: 4 }),
        "all 4 tries allowed have failed"
    );
    assert_eq!(
        said(GiveUp::Deadline {
            deadline: secs(30),
            next: secs(31)
        }),
        "the next try would start 31s after the first, past the deadline of 30s"
    );
    assert_eq!(
        said(GiveUp::Budget),
        "the retry budget is spent: too many calls are failing to add retries to them"
    );
}
