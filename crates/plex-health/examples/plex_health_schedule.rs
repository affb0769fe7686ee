//! When probes happen during an outage of two minutes, on a clock that is only a number:
//! `cargo run --example plex_health_schedule`.

use std::time::{Duration, SystemTime};

use plex_health::Schedule;

/// Full jitter: anything between nothing and an exponentially growing bound. A real program takes a
/// random number in place of `share`.
fn delay(exponent: u32, share: f64) -> Duration {
    let bound = Duration::from_secs(60).min(Duration::from_secs(10) * 2u32.pow(exponent.min(8)));
    bound.mul_f64(share)
}

fn main() {
    let start = SystemTime::UNIX_EPOCH;
    let back_at = start + Duration::from_secs(120);
    let mut schedule = Schedule::default();
    let mut now = start;
    loop {
        now = schedule.next_at(now); // a program sleeps until then
        let at = now.duration_since(start).unwrap_or_default();
        if now >= back_at {
            schedule.passed(now);
            println!("{at:?}: passed");
            break;
        }
        let wait = schedule.failed(now, |exponent| delay(exponent, 0.5));
        println!(
            "{at:?}: failed for time {}, next in {wait:?}",
            schedule.failures()
        );
    }
}
