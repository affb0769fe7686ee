//! What the benchmarks compare [`queue`] with, and how they take the time.

pub mod bare;
pub mod python;

use std::time::{Duration, Instant};

/// About the size of a JSON job.
pub fn payload() -> String {
    "x".repeat(190)
}

/// The time some work takes.
pub fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

/// The middle one.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How often per second.
#[expect(clippy::cast_precision_loss, reason = "shown, not counted with")]
pub fn rate(jobs: usize, took: Duration) -> f64 {
    jobs as f64 / took.as_secs_f64()
}
