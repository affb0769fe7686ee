//! `backoff` beside backon and exponential-backoff, in one run.
//!
//! ```text
//! cargo bench -p bench-resilience --bench backoff
//! ```
//!
//! Rounds of all contenders alternate and are short, so that whatever else the machine does meets
//! few of them, and all contenders alike; the median round counts.
#![allow(missing_docs, clippy::unwrap_used)]

use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use backoff::{Budget, Env, Hint, Policy, Retry, SplitMix64};
use backon::{BackoffBuilder as _, BlockingRetryable as _};

/// Runs its operation this many times.
type Run<'a> = Box<dyn FnMut(u32) + 'a>;

const BASE: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(60);
const POLICY: Policy = Policy::exponential(BASE, CAP);

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    let (rounds, runs) = if quick { (1, 100) } else { (501, 10_000) };
    println!("{rounds} rounds of {runs} runs each; medians, in ns per run; quartiles in brackets");

    table("one more delay, at the cap", rounds, runs, plateau());
    table(
        "a schedule: made, and its first 8 delays",
        rounds,
        runs / 8,
        schedule(),
    );
    table("a call that succeeds at once", rounds, runs, success());
    table(
        "a call that succeeds at its third try, sleeping nothing",
        rounds,
        runs,
        third_try(),
    );
    table("ours alone", rounds, runs, alone());
}

fn backon() -> backon::ExponentialBuilder {
    backon::ExponentialBuilder::new()
        .with_min_delay(BASE)
        .with_max_delay(CAP)
        .with_jitter()
        .without_max_times()
}

fn exponential_backoff() -> exponential_backoff::Backoff {
    exponential_backoff::Backoff::new(u32::MAX, BASE, CAP)
}

fn plateau() -> Vec<(&'static str, Run<'static>)> {
    vec![
        ("backoff", delays(POLICY.delays(SplitMix64::fresh()))),
        ("backon", delays(backon().build())),
        ("exponential-backoff", delays(exponential_backoff().iter())),
    ]
}

fn delays<T>(mut delays: impl Iterator<Item = T> + 'static) -> Run<'static> {
    for _ in 0..10 {
        black_box(delays.next());
    }
    each(move || delays.next())
}

fn schedule() -> Vec<(&'static str, Run<'static>)> {
    vec![
        (
            "backoff",
            each(|| eight(black_box(POLICY).delays(SplitMix64::fresh()))),
        ),
        ("backon", each(|| eight(black_box(backon()).build()))),
        (
            "exponential-backoff",
            each(|| eight(black_box(exponential_backoff()).iter())),
        ),
    ]
}

fn eight<T>(delays: impl Iterator<Item = T>) {
    delays.take(8).for_each(|delay| {
        black_box(delay);
    });
}

fn success() -> Vec<(&'static str, Run<'static>)> {
    let retry = Retry::new(POLICY);
    vec![
        (
            "backoff",
            each(move || black_box(retry).call(|| Ok::<_, ()>(black_box(1))).run()),
        ),
        (
            "backon",
            each(|| {
                (|| Ok::<_, ()>(black_box(1)))
                    .retry(black_box(backon()))
                    .call()
            }),
        ),
        ("no retries", each(|| Ok::<_, ()>(black_box(1)))),
    ]
}

fn third_try() -> Vec<(&'static str, Run<'static>)> {
    fn operation() -> impl FnMut() -> Result<u32, u32> {
        let tries = Cell::new(0);
        move || {
            tries.set(tries.get() + 1);
            if tries.get() == 3 {
                Ok(3)
            } else {
                Err(black_box(tries.get()))
            }
        }
    }
    let retry = Retry::new(POLICY);
    let ours = move || {
        let Env { clock, rng, .. } = Env::blocking();
        let env = Env {
            sleep: |delay| _ = black_box::<Duration>(delay),
            clock,
            rng,
        };
        black_box(retry).call_in(env, operation()).run()
    };
    vec![
        ("backoff", each(ours)),
        (
            "backon",
            each(|| {
                operation()
                    .retry(black_box(backon()))
                    .sleep(|delay| _ = black_box(delay))
                    .call()
            }),
        ),
    ]
}

fn alone() -> Vec<(&'static str, Run<'static>)> {
    static BUDGET: Budget = Budget::token_bucket(500);
    let retry = Retry::new(POLICY).deadline(Duration::from_secs(600));
    let mut rng = SplitMix64::new(1);
    let now = Duration::from_secs(1_700_000_000);
    vec![
        (
            "delay_seeded",
            each(|| POLICY.delay_seeded(black_box(40), black_box(7))),
        ),
        (
            "decide",
            each(move || {
                retry.decide(
                    black_box(now),
                    black_box(2),
                    black_box(now),
                    black_box(Hint::Transient),
                    &mut rng,
                )
            }),
        ),
        (
            "budget: a call without retries",
            each(|| BUDGET.call().succeeded()),
        ),
        (
            "budget: a call with a retry",
            each(|| {
                let mut call = BUDGET.call();
                black_box(call.may_retry(Hint::Transient));
                call.succeeded();
            }),
        ),
    ]
}

fn each<T>(mut operation: impl FnMut() -> T + 'static) -> Run<'static> {
    Box::new(move |runs| {
        for _ in 0..runs {
            black_box(operation());
        }
    })
}

/// Measures the contenders in turns and prints their medians, the first as a ratio to each.
fn table(title: &str, rounds: usize, runs: u32, mut contenders: Vec<(&str, Run<'_>)>) {
    let mut samples = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for ((_, run), samples) in contenders.iter_mut().zip(&mut samples) {
            run(runs / 10); // warms up
            let start = Instant::now();
            run(runs);
            samples.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(runs));
        }
    }
    println!("\n{title}");
    let mut ours = None;
    for ((name, _), samples) in contenders.iter().zip(&mut samples) {
        samples.sort_by(f64::total_cmp);
        let [low, median, high] = [1, 2, 3].map(|quarter| samples[samples.len() * quarter / 4]);
        let ratio = *ours.get_or_insert(median) / median;
        println!("  {name:32} {median:8.1}  [{low:.1}, {high:.1}]  first / this = {ratio:.2}");
    }
}
