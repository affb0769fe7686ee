//! The four jitters beside each other, from one seed.
//!
//! `cargo run --example backoff_delays`
use std::time::Duration;

use backoff::{Jitter, Policy, SplitMix64};

fn main() {
    let policy = Policy::exponential(Duration::from_secs(5), Duration::from_secs(80));
    println!("retry      none      full     equal  decorrelated   (seconds)");
    let delays = |jitter| {
        policy
            .with_jitter(jitter)
            .delays(SplitMix64::new(42))
            .map(|delay| delay.as_secs_f64())
    };
    let (mut full, mut equal, mut decorrelated) = (
        delays(Jitter::Full),
        delays(Jitter::Equal),
        delays(Jitter::Decorrelated),
    );
    for (attempt, none) in delays(Jitter::None).take(9).enumerate() {
        let [full, equal, decorrelated] = [&mut full, &mut equal, &mut decorrelated]
            .map(|delays| delays.next().unwrap_or_default());
        println!("{attempt:5} {none:9.1} {full:9.1} {equal:9.1} {decorrelated:13.1}");
    }
}
