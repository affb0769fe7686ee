//! Faults found in other crates and services, each named after where it was found; none may be
//! ours.
use std::{cell::Cell, collections::BTreeSet, time::Duration};

use backoff::{Budget, Decision, Env, GiveUp, Hint, Jitter, Policy, Retry, SplitMix64};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const JITTERS: [Jitter; 4] = [
    Jitter::Full,
    Jitter::Equal,
    Jitter::Decorrelated,
    Jitter::None,
];

/// Delays on the plateau of a policy, where the rivals go wrong.
fn plateau(policy: Policy) -> impl Iterator<Item = Duration> {
    (0..10_000).map(move |seed| policy.delay_seeded(20, seed))
}

// Delays longer than the configured maximum.

/// Jitter was added after the cap: every plateau delay was over 60 s, up to 119.99 s.
/// Xuanwo/backon#184, #240.
#[test]
fn backon_184_jitter_passes_the_maximum() {
    for jitter in JITTERS {
        assert!(
            plateau(Policy::exponential(secs(1), secs(60)).with_jitter(jitter))
                .all(|delay| delay <= secs(60))
        );
    }
}

/// A minimum above the maximum won over it: min 90 s and max 60 s gave 90 s.
#[test]
fn backon_minimum_above_the_maximum_wins() {
    for jitter in JITTERS {
        let policy = Policy::exponential(secs(90), secs(60)).with_jitter(jitter);
        assert!((0..100).all(|seed| policy.delay_seeded(0, seed) <= secs(60)));
    }
}

/// Delays were multiplied by up to 1.5 after the cap: 89.99 s for 60 s, in both `backoff` 0.4 and
/// tokio-retry2.
#[test]
fn backoff_and_tokio_retry2_scale_past_the_maximum() {
    let longest = plateau(Policy::exponential(secs(1), secs(60)))
        .max()
        .unwrap();
    assert!(longest <= secs(60) && longest > secs(59), "{longest:?}");
}

/// `max_interval(1000)` limited something else, and intervals of 12.8 s followed.
#[test]
fn tokio_retry2_max_interval_is_not_a_maximum_interval() {
    let policy = Policy::exponential(Duration::from_millis(100), secs(1)).with_jitter(Jitter::None);
    assert_eq!(
        policy.delays(SplitMix64::new(0)).take(100).max(),
        Some(secs(1))
    );
}

// No jitter left, or holes in it.

/// Once at the maximum all clients waited exactly that long; the first delay was always the
/// minimum. yoshuawuyts/exponential-backoff#24, #30, #36.
#[test]
fn exponential_backoff_24_no_jitter_at_the_maximum() {
    let policy = Policy::exponential(secs(1), secs(60));
    for attempt in [0, 20] {
        let distinct: BTreeSet<_> = (0..1000)
            .map(|seed| policy.delay_seeded(attempt, seed))
            .collect();
        assert_eq!(distinct.len(), 1000, "attempt {attempt}");
    }
}

/// Only 1.7 % of delays were in [1, 1.145) × the nominal one, where an even spread has 24 %.
#[test]
fn exponential_backoff_holes_in_the_jitter() {
    let mut sevenths = [0; 7];
    for delay in plateau(Policy::exponential(secs(1), secs(70))) {
        sevenths[(delay.as_secs() / 10).min(6) as usize] += 1;
    }
    assert!(
        sevenths.iter().all(|count| (1_300..1_560).contains(count)),
        "{sevenths:?}"
    );
}

/// The drawn value was clamped, so decorrelated delays piled up at the cap.
/// TrueLayer/retry-policies#10 removed them for it.
#[test]
fn retry_policies_10_clamping_destroys_decorrelated_jitter() {
    let policy = Policy::exponential(secs(5), secs(80)).with_jitter(Jitter::Decorrelated);
    let delays: BTreeSet<_> = (0..1000)
        .map(|seed| policy.delay_seeded(200, seed))
        .collect();
    assert_eq!(delays.len(), 1000);
    assert!(!delays.contains(&secs(80)));
}

/// `jitter_range` drew its factor once and applied it for ever: one distinct factor in 1000 calls.
#[test]
fn tokio_retry2_jitter_drawn_once() {
    let policy = Policy::exponential(secs(60), secs(60));
    let distinct: BTreeSet<_> = policy.delays(SplitMix64::new(1)).take(1000).collect();
    assert_eq!(distinct.len(), 1000);
}

/// Without `std` every generator had the same constant seed, so all devices agreed on their jitter.
/// Here none is made up: a source must be given.
#[cfg(feature = "std")]
#[test]
fn backon_no_std_all_devices_draw_the_same() {
    let first = |()| Policy::default().delays(SplitMix64::fresh()).next();
    let distinct: BTreeSet<_> = [(); 100].into_iter().map(first).collect();
    assert_eq!(distinct.len(), 100);
}

// Overflow and panics.

/// A policy without a maximum summed to an overflow and panicked.
#[test]
fn backon_panics_without_a_maximum() {
    for jitter in JITTERS {
        let policy = Policy::exponential(Duration::MAX, Duration::MAX).with_jitter(jitter);
        assert_eq!(policy.delays(SplitMix64::new(0)).take(200).count(), 200);
        let retry = Retry::new(policy).unlimited_tries().deadline(Duration::MAX);
        assert!(matches!(
            retry.decide(
                Duration::MAX,
                u32::MAX,
                Duration::MAX,
                Hint::Transient,
                &mut SplitMix64::new(0)
            ),
            Decision::RetryAt(_)
        ));
    }
}

/// A minimum of 5·10⁹ s at try 40 panicked.
#[test]
fn retry_policies_panics_for_a_huge_minimum() {
    let policy = Policy::exponential(secs(5_000_000_000), Duration::MAX).with_jitter(Jitter::None);
    assert_eq!(policy.delay_seeded(40, 0), Duration::from_nanos(u64::MAX));
}

/// `base · 2ⁿ` in floating point raised OverflowError from n = 1024; where it escaped the worker,
/// the job was gone. App-vNext/Polly#2163, jd/tenacity#656, procrastinate-org/procrastinate#1462,
/// Stash2Plex `worker/backoff.py`.
#[test]
fn polly_2163_overflows_at_attempt_1024() {
    for jitter in JITTERS {
        let policy = Policy::exponential(secs(5), secs(80)).with_jitter(jitter);
        for attempt in [62, 63, 64, 65, 1023, 1024, 1025, u32::MAX] {
            assert!(policy.delay_seeded(attempt, 3) <= secs(80));
        }
    }
}

// Surprising units and growth.

/// `from_millis(50)` was the base of the power: 50 ms, 2.5 s, 125 s, 6250 s. djc/tokio-retry#22.
#[test]
fn tokio_retry_22_the_base_is_not_the_first_delay() {
    let policy =
        Policy::exponential(Duration::from_millis(50), secs(10_000)).with_jitter(Jitter::None);
    let delays: Vec<_> = policy.delays(SplitMix64::new(0)).take(4).collect();
    assert_eq!(delays, [50, 100, 200, 400].map(Duration::from_millis));
}

// Limits that do not limit.

/// Only sleep counted towards the total, so slow work went on for ever. firezone/firezone#13537,
/// Xuanwo/backon#43.
#[test]
fn firezone_13537_work_does_not_count_towards_the_deadline() {
    let now = Cell::new(Duration::ZERO);
    let env = Env {
        sleep: |delay| now.set(now.get() + delay),
        clock: || now.get(),
        rng: SplitMix64::new(0),
    };
    let retry = Retry::new(Policy::exponential(
        Duration::from_millis(1),
        Duration::from_millis(1),
    ))
    .unlimited_tries()
    .deadline(secs(60));
    let gave_up = retry
        .call_in(env, || {
            now.set(now.get() + secs(25));
            Err::<(), _>("timed out")
        })
        .run()
        .unwrap_err();
    assert_eq!(gave_up.tries, 3);
    assert!(matches!(gave_up.why, GiveUp::Deadline { .. }));
}

/// An error that carried a `Retry-After` switched the elapsed limit off: 200 tries in 230 ms
/// against a limit of 20 ms.
#[test]
fn backoff_retry_after_defeats_the_elapsed_limit() {
    let retry = Retry::default()
        .unlimited_tries()
        .deadline(Duration::from_millis(20));
    let decision = retry.decide(
        Duration::ZERO,
        1,
        Duration::from_millis(19),
        Hint::RetryAfter(Duration::from_millis(2)),
        &mut SplitMix64::new(0),
    );
    assert!(matches!(
        decision,
        Decision::GiveUp(GiveUp::Deadline { .. })
    ));
}

/// 500 ms were asked for and 11 ms slept.
#[test]
fn tokio_retry2_9_retry_after_is_not_slept() {
    let slept = Cell::new(Duration::ZERO);
    let env = Env {
        sleep: |delay| slept.set(delay),
        clock: || Duration::ZERO,
        rng: SplitMix64::new(0),
    };
    let retry = Retry::new(Policy::exponential(
        Duration::from_millis(10),
        Duration::from_millis(20),
    ))
    .max_tries(2);
    let outcome = retry
        .call_in(env, || Err::<(), _>("busy"))
        .hint(|_| Hint::RetryAfter(Duration::from_millis(500)))
        .run();
    assert_eq!(outcome.unwrap_err().tries, 2);
    let asked = Duration::from_millis(500);
    assert!(
        (asked..=asked + asked / 10).contains(&slept.get()),
        "{slept:?}"
    );
}

/// `Retry-After: inf` hung the client for ever. openai/openai-agents-python#4021,
/// safe-global/safe-eth-py#1171.
#[test]
fn openai_agents_4021_an_endless_retry_after_hangs() {
    let decision = Retry::default().decide(
        secs(100),
        1,
        secs(100),
        Hint::RetryAfter(Duration::MAX),
        &mut SplitMix64::new(0),
    );
    let Decision::RetryAt(at) = decision else {
        panic!("{decision:?}")
    };
    assert!(
        (secs(100 + 3600)..=secs(100 + 3960)).contains(&at),
        "{at:?}"
    );
}

/// One could limit the tries or the time, not both. TrueLayer/retry-policies#23, #24.
#[test]
fn retry_policies_23_both_limits_at_once() {
    let retry = Retry::new(Policy::exponential(secs(1), secs(1)).with_jitter(Jitter::None))
        .max_tries(5)
        .deadline(secs(10));
    let decide = |past_tries, now| {
        retry.decide(
            Duration::ZERO,
            past_tries,
            now,
            Hint::Transient,
            &mut SplitMix64::new(0),
        )
    };
    assert_eq!(
        decide(5, secs(3)),
        Decision::GiveUp(GiveUp::Tries { max: 5 })
    );
    assert_eq!(
        decide(2, secs(10)),
        Decision::GiveUp(GiveUp::Deadline {
            deadline: secs(10),
            next: secs(11)
        })
    );
    assert_eq!(decide(4, secs(9)), Decision::RetryAt(secs(10)));
}

/// `backoff` 0.4 had no limit to the tries at all. ihrwein/backoff#60, #55; it had a deadline of 15
/// minutes nobody asked for: #39, #42, #43.
#[test]
fn backoff_60_no_limit_of_tries_but_a_hidden_deadline() {
    let retry = Retry::new(Policy::exponential(secs(1), secs(1)));
    let decide = |past_tries| {
        retry.decide(
            Duration::ZERO,
            past_tries,
            secs(86_400),
            Hint::Transient,
            &mut SplitMix64::new(0),
        )
    };
    assert!(matches!(decide(2), Decision::RetryAt(_)));
    assert!(matches!(
        decide(3),
        Decision::GiveUp(GiveUp::Tries { max: 3 })
    ));
}

/// A large number of tries at a small cap went on for 85 minutes; a deadline ends it.
/// hynek/stamina#104.
#[test]
fn stamina_104_a_thousand_tries_at_five_seconds() {
    let retry = Retry::new(Policy::exponential(secs(1), secs(5)).with_jitter(Jitter::None))
        .max_tries(1024)
        .deadline(secs(300));
    let (mut now, mut tries) = (Duration::ZERO, 1);
    while let Decision::RetryAt(at) = retry.decide(
        Duration::ZERO,
        tries,
        now,
        Hint::Transient,
        &mut SplitMix64::new(0),
    ) {
        (now, tries) = (at, tries + 1);
    }
    assert_eq!((now, tries), (secs(297), 62));
}

// Cancellation.

/// A cancelled call was taken for a failed one and tried again. jd/tenacity#529, #630, #661.
#[test]
fn tenacity_529_cancellation_is_retried() {
    let tries = Cell::new(0);
    let env = Env {
        sleep: |_| (),
        clock: || Duration::ZERO,
        rng: SplitMix64::new(0),
    };
    let call = Retry::default().unlimited_tries().call_in(env, || {
        tries.set(tries.get() + 1);
        Err::<(), _>("cancelled")
    });
    let gave_up = call.hint(|_| Hint::Cancelled).run().unwrap_err();
    assert_eq!((gave_up.why, tries.get()), (GiveUp::Cancelled, 1));
}

// Budgets.

/// Once empty, the bucket never filled again. aws/aws-sdk-go-v2#3550.
#[test]
fn aws_sdk_go_3550_an_empty_budget_never_refills() {
    let budget = Budget::token_bucket(5);
    let mut failing = budget.call();
    assert!(failing.may_retry(Hint::Transient) && !failing.may_retry(Hint::Transient));
    drop(failing);
    for _ in 0..5 {
        assert!(!budget.call().may_retry(Hint::Transient));
        budget.call().succeeded();
    }
    assert!(budget.call().may_retry(Hint::Transient));
}

/// With a ratio even a total outage goes on being probed, without a single success.
#[test]
fn aws_sdk_go_3550_a_ratio_refills_from_calls_alone() {
    let budget = Budget::ratio(20, 0);
    let granted = (0..50)
        .filter(|_| budget.call().may_retry(Hint::Transient))
        .count();
    assert_eq!(granted, 10);
}

/// The bucket of a client was silently unset, and retries were unbounded.
/// awslabs/aws-sdk-rust#1234. The runner charges every retry.
#[test]
fn aws_sdk_rust_1234_the_budget_is_silently_ignored() {
    let budget = Budget::token_bucket(25);
    let (mut tries, mut calls) = (0, 0);
    for _ in 0..20 {
        let env = Env {
            sleep: |_| (),
            clock: || Duration::ZERO,
            rng: SplitMix64::new(0),
        };
        calls += 1;
        let outcome = Retry::default()
            .call_in(env, || {
                tries += 1;
                Err::<(), _>("refused")
            })
            .budget(&budget)
            .run();
        assert!(outcome.is_err());
    }
    assert_eq!(tries, calls + 5);
}
