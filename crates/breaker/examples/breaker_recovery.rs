//! The end of an outage: a probe passes, the breaker agrees to an early trial, and work returns
//! along a ramp.
//!
//! `cargo run --example breaker_recovery`. Runs on a fake clock, so it takes no time.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use breaker::ramp::{Curve, Ramp};
use breaker::{Breaker, Clock, FakeClock, Rules, Time};

fn main() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(FakeClock::at(Time::from_unix_seconds(1_764_000_000.0)));
    let rules = Rules::default().early_trial_after(Duration::from_secs(10));
    let breaker = Breaker::builder(rules).clock(Arc::clone(&clock)).build();

    breaker.try_acquire()?.trip("starting");
    breaker.count_affected(1_000);
    println!("{}", breaker.explain());

    // A probe passes after 5 s, and again after 15 s. It never changes the breaker, it only asks.
    clock.advance(Duration::from_secs(5));
    if let Err(rejection) = breaker.suggest_trial() {
        println!("probe passed after 5 s, too early: {rejection}");
    }
    clock.advance(Duration::from_secs(10));
    breaker.suggest_trial()?;
    println!("probe passed after 15 s: {}", breaker.explain());
    breaker.try_acquire()?.success();

    let Some(start) = breaker.snapshot().recovered_at else {
        return Ok(());
    };
    let mut ramp = Ramp::new(Curve::default(), start, clock.wall());
    let mut done = 0;
    for minute in 1..=5u32 {
        let end = start + Duration::from_secs(60) * minute;
        while clock.wall() < end {
            match ramp.take(clock.wall()) {
                Ok(()) => {
                    breaker.try_acquire()?.success();
                    ramp.record(false, clock.wall());
                    done += 1;
                }
                Err(wait) => clock.advance(wait),
            }
        }
        println!(
            "minute {minute}: {done} jobs done, rate {:?}",
            ramp.rate(clock.wall())
        );
    }
    println!("{:?}", breaker.snapshot().outages.figures(clock.wall()));
    Ok(())
}
