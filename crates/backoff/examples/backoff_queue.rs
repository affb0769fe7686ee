//! A job queue that outlives its process keeps only (first try, tries) with a job; `decide` says
//! the rest. The clock here is simulated, so an hour of retries prints at once.
//!
//! `cargo run --example backoff_queue`
use std::time::Duration;

use backoff::{Decision, Hint, Policy, Retry, Unseeded};

const RETRY: Retry = Retry::new(Policy::exponential(
    Duration::from_secs(30),
    Duration::from_secs(600),
))
.max_tries(12)
.deadline(Duration::from_secs(3600));

struct Job {
    first_try: Duration,
    tries: u32,
}

fn main() {
    let mut job = Job {
        first_try: Duration::from_secs(1_700_000_000),
        tries: 0,
    };
    let mut now = job.first_try;
    loop {
        now += Duration::from_secs(2); // the work of a try that fails
        job.tries += 1;
        let hint = match job.tries {
            3 => Hint::RetryAfter(Duration::from_secs(120)), // "503, Retry-After: 120"
            _ => Hint::Transient,
        };
        match RETRY.decide(job.first_try, job.tries, now, hint, &mut Unseeded) {
            Decision::RetryAt(at) => {
                println!(
                    "try {:2} failed; next in {:5.1} s",
                    job.tries,
                    (at - now).as_secs_f64()
                );
                now = at;
            }
            Decision::GiveUp(why) => {
                println!("try {:2} failed; to the dead letters: {why}", job.tries);
                return;
            }
        }
    }
}
