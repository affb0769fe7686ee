//! `breaker` beside failsafe, recloser, seatbelt and tower-resilience-circuitbreaker, in one run.
//!
//! ```text
//! cargo bench -p bench-resilience --bench breaker
//! ```
//!
//! Rounds of all contenders alternate, so that whatever else the machine does meets all of them;
//! the median round counts.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod contenders;

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use breaker::{Breaker, Outcome, Rate, Rules};
use contenders::{contenders, persisted};
use failsafe::CircuitBreaker as _;
use layered::{Service as _, Stack as _};
use tower::{Layer as _, Service as _};

/// Runs one call: `Ok` reaches the dependency, the answer says whether the call was admitted.
type Call = Box<dyn FnMut(bool) -> bool + Send>;

struct Contender {
    name: &'static str,
    /// Makes one handle of the same breaker for each thread.
    handles: Box<dyn Fn(usize) -> Vec<Call>>,
}

const ROUNDS: usize = 41;
const CALLS: u32 = 20_000;
const FOREVER: Duration = Duration::from_secs(3600);

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    let (rounds, calls) = if quick { (1, 100) } else { (ROUNDS, CALLS) };

    println!(
        "{rounds} rounds of {calls} calls each; medians, in ns per call; lowest and highest quartile in brackets\n"
    );
    table(
        "closed, success, 1 thread",
        &contenders(FOREVER),
        rounds,
        calls,
        1,
        |call, calls| {
            for _ in 0..calls {
                black_box(call(black_box(true)));
            }
        },
    );
    table(
        "closed, success, 2 threads",
        &contenders(FOREVER),
        rounds,
        calls,
        2,
        |call, calls| {
            for _ in 0..calls {
                black_box(call(black_box(true)));
            }
        },
    );
    let opened = contenders(FOREVER);
    table(
        "open, rejection, 1 thread",
        &opened,
        rounds,
        calls,
        1,
        |call, calls| {
            // Open since the warm-up, which takes at most the longest window here, 100 calls.
            let mut failures = 0;
            while call(false) && failures < 1000 {
                failures += 1;
            }
            assert!(failures < 1000, "does not open");
            for _ in 0..calls {
                black_box(call(black_box(true)));
            }
        },
    );
    table(
        "cycle closed - open - half-open - closed",
        &contenders(Duration::ZERO),
        rounds,
        calls / 100,
        1,
        |call, calls| {
            for _ in 0..calls {
                call(black_box(false));
                call(black_box(true));
                call(black_box(true));
            }
        },
    );
    let (rounds, calls) = if quick { (1, 10) } else { (11, 200) };
    let success = |call: &mut Call, calls| (0..calls).for_each(|_| assert!(call(true)));
    table(
        "in a file, closed, success",
        &persisted(),
        rounds,
        calls,
        1,
        success,
    );
    let failure = |call: &mut Call, calls| (0..calls).for_each(|_| assert!(call(false)));
    table(
        "in a file, closed, failure (one durable write)",
        &persisted(),
        rounds,
        calls,
        1,
        failure,
    );
    allocations();
}

/// Measures the contenders in turns and prints their medians, ours as a ratio to each.
fn table(
    title: &str,
    contenders: &[Contender],
    rounds: usize,
    calls: u32,
    threads: usize,
    run: fn(&mut Call, u32),
) {
    let mut samples = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            let mut handles = (contender.handles)(threads);
            for call in &mut handles {
                run(call, calls / 10); // warms up
            }
            samples.push(round(handles, calls, run));
        }
    }
    println!("{title:<44} ns     quartiles        without harness");
    let medians: Vec<f64> = samples
        .iter_mut()
        .map(|samples| quartile(samples, 2))
        .collect();
    // The last row is the harness alone: a boxed closure and the call itself.
    let harness = medians[medians.len() - 1];
    for ((contender, samples), median) in contenders.iter().zip(&mut samples).zip(&medians) {
        println!(
            "  {:<38} {median:>8.1}  [{:.1}, {:.1}]   {:>8.1}  {:>6.2} x `breaker`",
            contender.name,
            quartile(samples, 1),
            quartile(samples, 3),
            median - harness,
            (median - harness) / (medians[0] - harness),
        );
    }
    println!();
}

/// The time per call of one round, by the slowest thread.
fn round(handles: Vec<Call>, calls: u32, run: fn(&mut Call, u32)) -> f64 {
    let barrier = Barrier::new(handles.len());
    let longest = std::thread::scope(|scope| {
        let threads: Vec<_> = handles
            .into_iter()
            .map(|mut call| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let start = Instant::now();
                    run(&mut call, calls);
                    start.elapsed()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .max()
            .unwrap()
    });
    longest.as_nanos() as f64 / f64::from(calls)
}

fn quartile(samples: &mut [f64], quarter: usize) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[(samples.len() - 1) * quarter / 4]
}

/// Allocations of 1,000 calls each.
fn allocations() {
    println!("allocations of 1,000 calls");
    let mut contenders = contenders(FOREVER);
    contenders.pop();
    for contender in contenders {
        let mut call = (contender.handles)(1).remove(0);
        for _ in 0..200 {
            call(true);
        }
        let closed = count(|| assert!(call(true)));
        while call(false) {}
        let open = count(|| assert!(!call(true)));
        println!(
            "  {:<38} closed {closed:>5}, rejected {open:>5}",
            contender.name
        );
    }
    // The permit by hand, with every outcome that leaves the circuit closed.
    let breaker = Breaker::new(Rules::default());
    let by_hand = count(|| {
        for outcome in [
            Outcome::Success,
            Outcome::Failure,
            Outcome::Ignored,
            Outcome::Cancelled,
        ] {
            breaker.try_acquire().unwrap().finish(outcome);
        }
    });
    println!(
        "  {:<38} closed {by_hand:>5}",
        "breaker, permits of every outcome"
    );
}

fn count(mut call: impl FnMut()) -> u64 {
    let run = || {
        for _ in 0..1000 {
            call();
        }
    };
    allocation_counter::measure(run).count_total
}
