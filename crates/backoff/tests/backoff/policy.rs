//! The contract of a delay, for every input.
use std::{convert::Infallible, time::Duration};

use backoff::{Jitter, Policy, SplitMix64};
use proptest::prelude::*;
use rand_core::TryRng;

const JITTERS: [Jitter; 4] = [
    Jitter::Full,
    Jitter::Equal,
    Jitter::Decorrelated,
    Jitter::None,
];
/// The longest time a policy distinguishes.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

/// Edges as often as the rest: zero, one tick, around the largest, and any.
fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::from_nanos(1)),
        Just(Duration::MAX),
        (0..3_u64).prop_map(|below| LONGEST - Duration::from_nanos(below)),
        (0..64_u32).prop_map(|shift| Duration::from_nanos(1 << shift)),
        any::<u64>().prop_map(Duration::from_nanos),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        (0..200_000_u64).prop_map(Duration::from_millis),
    ]
}

fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![0..70_u32, 1020..1030_u32, Just(u32::MAX), any::<u32>()]
}

fn jitters() -> impl Strategy<Value = Jitter> {
    proptest::sample::select(&JITTERS[..])
}

/// The least and the most a source of randomness can say.
struct Constant(u64);

impl TryRng for Constant {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0 as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0 as u8);
        Ok(())
    }
}

/// `min(cap, base · 2ⁿ)` in nanoseconds, by doubling in a wider type.
fn ceiling(base: Duration, cap: Duration, attempt: u32) -> u128 {
    let cap = cap.min(LONGEST).as_nanos();
    let mut ceiling = base.min(LONGEST).as_nanos();
    for _ in 0..attempt.min(64) {
        ceiling = (ceiling * 2).min(cap);
    }
    ceiling.min(cap)
}

proptest! {
    #[test]
    fn a_delay_is_between_zero_and_the_cap(
        base in durations(), cap in durations(), attempt in attempts(), jitter in jitters(), draw in any::<u64>(), seed in any::<u64>(),
    ) {
        let policy = Policy::exponential(base, cap).with_jitter(jitter);
        prop_assert!(policy.delay_seeded(attempt, seed) <= cap);
        for draw in [0, draw, u64::MAX] {
            prop_assert!(policy.delay(attempt, &mut Constant(draw)) <= cap);
        }
    }

    #[test]
    fn the_ends_of_each_range_are_reached_exactly(base in durations(), cap in durations(), attempt in attempts()) {
        let ends = |jitter| {
            let policy = Policy::exponential(base, cap).with_jitter(jitter);
            [0, u64::MAX].map(|draw| policy.delay(attempt, &mut Constant(draw)).as_nanos())
        };
        let ceiling = ceiling(base, cap, attempt);
        prop_assert_eq!(ends(Jitter::None), [ceiling, ceiling]);
        prop_assert_eq!(ends(Jitter::Full), [0, ceiling]);
        prop_assert_eq!(ends(Jitter::Equal), [ceiling / 2, ceiling]);

        let cap = cap.min(LONGEST).as_nanos();
        let base = base.min(LONGEST).as_nanos().min(cap);
        let mut most = base;
        for _ in 0..=attempt.min(1023) {
            most = (3 * most).min(cap);
        }
        prop_assert_eq!(ends(Jitter::Decorrelated), [base, most]);
    }

    #[test]
    fn the_ceiling_never_falls(base in durations(), cap in durations(), attempt in attempts()) {
        let policy = Policy::exponential(base, cap).with_jitter(Jitter::None);
        prop_assert!(policy.delay_seeded(attempt, 0) <= policy.delay_seeded(attempt.saturating_add(1), 0));
    }

    #[test]
    fn iterated_seeded_and_drawn_delays_agree(
        base in durations(), cap in durations(), jitter in jitters(), attempt in 0..1024_u32, seed in any::<u64>(),
    ) {
        let policy = Policy::exponential(base, cap).with_jitter(jitter);
        let iterated = policy.delays(SplitMix64::new(seed)).nth(attempt as usize).unwrap();
        prop_assert_eq!(policy.delay_seeded(attempt, seed), iterated);
        let drawn = match jitter {
            Jitter::Decorrelated => policy.delay(attempt, &mut SplitMix64::new(seed)),
            _ => policy.delay(attempt, &mut SplitMix64::new(seed).skip(attempt.into())),
        };
        prop_assert_eq!(drawn, iterated);
    }

    #[test]
    fn a_decorrelated_delay_is_at_most_thrice_the_one_before(
        base in 1..1_000_000_u64, cap in any::<u64>(), attempt in 0..1023_u32, seed in any::<u64>(),
    ) {
        let policy = Policy::exponential(Duration::from_nanos(base), Duration::from_nanos(cap)).with_jitter(Jitter::Decorrelated);
        let [before, after] = [attempt, attempt + 1].map(|attempt| policy.delay_seeded(attempt, seed));
        prop_assert!(after <= before.saturating_mul(3));
        prop_assert!(after >= Duration::from_nanos(base.min(cap)));
    }
}

#[test]
fn every_small_policy_is_exactly_its_formula() {
    for base in 0..20 {
        for cap in 0..40 {
            for attempt in 0..10 {
                let [base, cap] = [base, cap].map(Duration::from_nanos);
                let policy = Policy::exponential(base, cap).with_jitter(Jitter::None);
                assert_eq!(
                    policy.delay_seeded(attempt, 0).as_nanos(),
                    ceiling(base, cap, attempt),
                    "{policy:?} {attempt}"
                );
            }
        }
    }
}

#[test]
fn a_decorrelated_chain_goes_on_past_its_memory() {
    let policy = Policy::exponential(Duration::from_secs(5), Duration::from_secs(80))
        .with_jitter(Jitter::Decorrelated);
    for attempt in [1023, 1024, 5000, u32::MAX - 1] {
        let [before, after] = [attempt, attempt + 1].map(|attempt| policy.delay_seeded(attempt, 9));
        assert!(
            after <= before * 3 && before != after,
            "{attempt}: {before:?} {after:?}"
        );
    }
    // The iterator remembers its whole chain; with this range both have long forgotten the start.
    let iterated = policy.delays(SplitMix64::new(9)).nth(5000).unwrap();
    assert_eq!(iterated, policy.delay_seeded(5000, 9));
}

#[test]
fn an_iterator_never_ends() {
    let mut delays = Policy::default().delays(SplitMix64::new(0));
    assert_eq!(delays.size_hint(), (usize::MAX, None));
    assert!(delays.nth(100_000).is_some());
}

/// The figures come from a second implementation, in Python with its whole numbers of any size. If
/// this fails, every persisted schedule and every seeded test of every user changes: it must never.
#[test]
fn seeded_delays_are_the_same_for_ever() {
    let policy = Policy::exponential(Duration::from_secs(5), Duration::from_secs(80));
    let nanos = |jitter| {
        [(0, 0), (1, 42), (4, 42), (2000, 7), (u32::MAX, u64::MAX)]
            .map(|(n, seed)| policy.with_jitter(jitter).delay_seeded(n, seed).as_nanos())
    };
    assert_eq!(nanos(Jitter::Full), PINNED_FULL);
    assert_eq!(nanos(Jitter::Equal), PINNED_EQUAL);
    assert_eq!(nanos(Jitter::Decorrelated), PINNED_DECORRELATED);
    assert_eq!(
        nanos(Jitter::None),
        [5, 10, 80, 80, 80].map(|secs| secs * 1_000_000_000)
    );
}

const PINNED_FULL: [u128; 5] = [
    4_416_554_041,
    1_599_103_928,
    3_042_413_483,
    5_801_986_414,
    66_176_739_562,
];
const PINNED_EQUAL: [u128; 5] = [
    4_708_277_021,
    5_799_551_964,
    41_521_206_741,
    42_900_993_207,
    73_088_369_781,
];
const PINNED_DECORRELATED: [u128; 5] = [
    13_833_108_083,
    10_156_621_862,
    6_608_938_952,
    6_770_732_912,
    67_040_693_340,
];

#[test]
fn default_is_full_jitter_from_one_second_to_twenty() {
    assert_eq!(
        Policy::default(),
        Policy::exponential(Duration::from_secs(1), Duration::from_secs(20))
            .with_jitter(Jitter::Full)
    );
    assert_eq!(Jitter::default(), Jitter::Full);
}
