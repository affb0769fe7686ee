//! A blocking call with retries that Ctrl-C-like cancellation can interrupt while it sleeps.
//!
//! `cargo run --example backoff_blocking`
use std::{sync::mpsc, thread, time::Duration};

use backoff::{Env, Policy, Retry, Slept};

fn main() {
    let retry = Retry::new(Policy::exponential(
        Duration::from_millis(200),
        Duration::from_secs(30),
    ))
    .unlimited_tries();
    let (cancel, cancelled) = mpsc::channel::<()>();
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(1));
        drop(cancel);
    });

    let env = Env::blocking();
    let env = Env {
        sleep: |delay| match cancelled.recv_timeout(delay) {
            Err(mpsc::RecvTimeoutError::Timeout) => Slept::Fully,
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => Slept::Cancelled,
        },
        clock: env.clock,
        rng: env.rng,
    };
    let outcome = retry
        .call_in(env, || Err::<(), _>("connection refused"))
        .notify(|retrying| println!("{retrying}"))
        .run();
    if let Err(gave_up) = outcome {
        println!("{gave_up}: {}", gave_up.error);
    }
}
