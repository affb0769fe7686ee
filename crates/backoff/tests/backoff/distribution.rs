//! Delays are uniform, up to and at the cap.
//!
//! Pearson's χ² over equal bins, at a confidence of 99.9 % each: a right implementation would fail
//! one of these with a probability of 0.1 %, on one fixed seed decided once for all; the last tests
//! show that the rivals' ways fail.
use std::time::Duration;

use backoff::{Jitter, Policy, SplitMix64};

const BINS: usize = 100;
const SAMPLES: u32 = 100_000;
/// The 99.9 % quantile of χ² with 99 and with 9 degrees of freedom.
const CRITICAL_99: f64 = 148.23;
const CRITICAL_9: f64 = 27.88;
const SEED: u64 = 20_261_123;

fn chi_squared<const N: usize>(bins: impl Iterator<Item = usize>) -> f64 {
    let (mut counts, mut samples) = ([0_u32; N], 0_u32);
    for bin in bins {
        counts[bin] += 1;
        samples += 1;
    }
    let expected = f64::from(samples) / N as f64;
    counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum()
}

/// The bin of a delay in `[low, high]`; the few values at the end of a range that does not divide
/// are in the last.
fn bin(delay: Duration, low: Duration, high: Duration) -> usize {
    let width = (high - low).as_nanos() / BINS as u128;
    (((delay - low).as_nanos() / width) as usize).min(BINS - 1)
}

const BASE: Duration = Duration::from_secs(5);
const CAP: Duration = Duration::from_secs(80);
const POLICY: Policy = Policy::exponential(BASE, CAP);

fn samples(policy: Policy, attempt: u32) -> impl Iterator<Item = Duration> {
    let mut rng = SplitMix64::new(SEED);
    (0..SAMPLES).map(move |_| policy.delay(attempt, &mut rng))
}

#[test]
fn full_jitter_is_uniform_below_and_on_the_plateau() {
    for attempt in [0, 1, 2, 3, 4, 5, 10, 63, 64, 1000, u32::MAX] {
        let ceiling = BASE.saturating_mul(1 << attempt.min(4));
        let chi = chi_squared::<BINS>(
            samples(POLICY, attempt).map(|delay| bin(delay, Duration::ZERO, ceiling)),
        );
        assert!(chi < CRITICAL_99, "attempt {attempt}: χ² = {chi}");
    }
}

#[test]
fn equal_jitter_is_uniform_in_the_upper_half() {
    for attempt in [0, 3, 4, 64, u32::MAX] {
        let ceiling = BASE.saturating_mul(1 << attempt.min(4));
        let delays = samples(POLICY.with_jitter(Jitter::Equal), attempt);
        let chi = chi_squared::<BINS>(delays.map(|delay| bin(delay, ceiling / 2, ceiling)));
        assert!(chi < CRITICAL_99, "attempt {attempt}: χ² = {chi}");
    }
}

#[test]
fn decorrelated_jitter_is_uniform_between_base_and_thrice_base_at_first() {
    let delays = samples(POLICY.with_jitter(Jitter::Decorrelated), 0);
    let chi = chi_squared::<BINS>(delays.map(|delay| bin(delay, BASE, BASE * 3)));
    assert!(chi < CRITICAL_99, "χ² = {chi}");
}

/// Each whole value from 0 to the cap is as likely as the others, the two ends included.
#[test]
fn the_cap_itself_is_as_likely_as_any_other_delay() {
    let policy = Policy::exponential(Duration::from_nanos(1), Duration::from_nanos(9));
    for attempt in [4, 100, u32::MAX] {
        let chi =
            chi_squared::<10>(samples(policy, attempt).map(|delay| delay.as_nanos() as usize));
        assert!(chi < CRITICAL_9, "attempt {attempt}: χ² = {chi}");
    }
}

/// Seeds are often row numbers: neighbouring ones must not give neighbouring delays.
#[test]
fn uniform_over_consecutive_seeds() {
    for attempt in [0, 5, 1000] {
        let ceiling = BASE.saturating_mul(1 << attempt.min(4));
        let delays = (0..u64::from(SAMPLES)).map(|seed| POLICY.delay_seeded(attempt, seed));
        let chi = chi_squared::<BINS>(delays.map(|delay| bin(delay, Duration::ZERO, ceiling)));
        assert!(chi < CRITICAL_99, "attempt {attempt}: χ² = {chi}");
    }
}

#[test]
fn uniform_over_the_attempts_of_one_seed() {
    let delays = (4..4 + SAMPLES).map(|attempt| POLICY.delay_seeded(attempt, SEED));
    let chi = chi_squared::<BINS>(delays.map(|delay| bin(delay, Duration::ZERO, CAP)));
    assert!(chi < CRITICAL_99, "χ² = {chi}");
}

/// A delay tells nothing of the next: pairs are uniform over a grid of ten by ten.
#[test]
fn successive_delays_are_independent() {
    let tenth = |delay: Duration| bin(delay, Duration::ZERO, CAP) / 10;
    let pairs = (0..u64::from(SAMPLES))
        .map(|seed| tenth(POLICY.delay_seeded(4, seed)) * 10 + tenth(POLICY.delay_seeded(5, seed)));
    let chi = chi_squared::<BINS>(pairs);
    assert!(chi < CRITICAL_99, "χ² = {chi}");
}

/// The statistic has teeth: what the rivals do is rejected at once.
#[test]
fn the_test_rejects_a_draw_clamped_at_the_cap() {
    let clamped = samples(POLICY, 4).map(|delay| (delay * 2).min(CAP));
    assert!(
        chi_squared::<BINS>(clamped.map(|delay| bin(delay, Duration::ZERO, CAP)))
            > 100.0 * CRITICAL_99
    );
}

#[test]
fn the_test_rejects_a_range_that_leaves_out_the_cap() {
    let policy = Policy::exponential(Duration::from_nanos(8), Duration::from_nanos(8));
    let chi = chi_squared::<10>(samples(policy, 4).map(|delay| delay.as_nanos() as usize));
    assert!(chi > 10.0 * CRITICAL_9);
}
