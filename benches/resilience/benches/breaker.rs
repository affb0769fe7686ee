//! `breaker` beside failsafe, recloser, seatbelt and tower-resilience-circuitbreaker, in one run.
//!
//! ```text
//! cargo bench -p bench-resilience --bench breaker
//! ```
//!
//! Rounds of all contenders alternate, so that whatever else the machine does meets all of them; the median round counts.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use breaker::{Breaker, Outcome, Rate, Rules};
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

/// Ours counts failures in a row, as failsafe does here; the rows named "count window" and "time window" set it beside
/// recloser and seatbelt on their own ground.
fn contenders(open_for: Duration) -> Vec<Contender> {
    let rules = || Rules::default().open_for(open_for);
    let threshold = if open_for.is_zero() { 1 } else { 5 };
    let in_a_row = move || rules().consecutive_failures(threshold);
    let window = threshold.max(1) * 20;
    vec![
        ours("breaker", in_a_row()),
        ours(
            "breaker, count window",
            rules()
                .no_consecutive_limit()
                .rate(Rate::over_calls(window).min_calls(threshold)),
        ),
        ours(
            "breaker, time window",
            rules()
                .no_consecutive_limit()
                .rate(Rate::over_time(Duration::from_secs(30)).min_calls(threshold)),
        ),
        ours_async("breaker, call_async", in_a_row()),
        failsafe(threshold, open_for),
        recloser(if open_for.is_zero() { 1 } else { 100 }, open_for),
        seatbelt(threshold, open_for),
        tower_resilience(threshold, open_for),
        Contender {
            name: "(the harness alone)",
            handles: Box::new(bare),
        },
    ]
}

fn bare(threads: usize) -> Vec<Call> {
    each(threads, || Box::new(|ok| dependency(ok).is_ok()))
}

fn ours(name: &'static str, rules: Rules) -> Contender {
    let handles = move |threads| {
        let breaker = Arc::new(Breaker::new(rules.clone()));
        each(threads, || {
            let breaker = Arc::clone(&breaker);
            Box::new(move |ok| {
                !matches!(
                    breaker.call(|| dependency(ok)),
                    Err(breaker::CallError::Rejected(_))
                )
            })
        })
    };
    Contender {
        name,
        handles: Box::new(handles),
    }
}

/// Ours in a file; none of the others has one. The file is where temporary files are: mind what disk that is.
fn persisted() -> Vec<Contender> {
    let rules = || Rules::default().consecutive_failures(u32::MAX);
    let owned = move |_| {
        let folder = tempfile::tempdir().unwrap();
        let store = breaker::FileStore::open(folder.path().join("breaker.json")).unwrap();
        let breaker = Breaker::builder(rules()).open(store).unwrap();
        vec![in_file(breaker, folder)]
    };
    let shared = move |_| {
        let folder = tempfile::tempdir().unwrap();
        let store = breaker::SharedFileStore::open(folder.path().join("breaker.json")).unwrap();
        let breaker = Breaker::builder(rules()).open_shared(store).unwrap();
        breaker.reset(); // makes the file
        vec![in_file(breaker, folder)]
    };
    let harness = |_| each(1, || Box::new(|ok| dependency(ok).is_ok() == ok));
    vec![
        Contender {
            name: "breaker, owned file",
            handles: Box::new(owned),
        },
        Contender {
            name: "breaker, shared file",
            handles: Box::new(shared),
        },
        Contender {
            name: "(the harness alone)",
            handles: Box::new(harness),
        },
    ]
}

fn in_file(breaker: Breaker, folder: tempfile::TempDir) -> Call {
    Box::new(move |ok| {
        let _kept = &folder;
        !matches!(
            breaker.call(|| dependency(ok)),
            Err(breaker::CallError::Rejected(_))
        )
    })
}

fn ours_async(name: &'static str, rules: Rules) -> Contender {
    let handles = move |threads| {
        let breaker = Arc::new(Breaker::new(rules.clone()));
        each(threads, || {
            let breaker = Arc::clone(&breaker);
            Box::new(move |ok| {
                let call = breaker.call_async(async || dependency(ok));
                !matches!(complete(call), Err(breaker::CallError::Rejected(_)))
            })
        })
    };
    Contender {
        name,
        handles: Box::new(handles),
    }
}

fn failsafe(threshold: u32, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let policy = failsafe::failure_policy::consecutive_failures(
            threshold,
            failsafe::backoff::constant(open_for),
        );
        let breaker = failsafe::Config::new().failure_policy(policy).build();
        each(threads, || {
            let breaker = breaker.clone();
            Box::new(move |ok| {
                !matches!(
                    breaker.call(|| dependency(ok)),
                    Err(failsafe::Error::Rejected)
                )
            })
        })
    };
    Contender {
        name: "failsafe",
        handles: Box::new(handles),
    }
}

fn recloser(window: usize, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let recloser = recloser::Recloser::custom()
            .error_rate(0.5)
            .closed_len(window)
            .half_open_len(1)
            .open_wait(open_for)
            .build();
        let breaker = Arc::new(recloser);
        each(threads, || {
            let breaker = Arc::clone(&breaker);
            Box::new(move |ok| {
                !matches!(
                    breaker.call(|| dependency(ok)),
                    Err(recloser::Error::Rejected)
                )
            })
        })
    };
    Contender {
        name: "recloser",
        handles: Box::new(handles),
    }
}

fn seatbelt(threshold: u32, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _entered = runtime.enter();
        let context = seatbelt::ResilienceContext::new(tick::Clock::new_tokio());
        let layer = seatbelt::breaker::Breaker::layer("bench", &context)
            .recovery_with(|result: &Result<bool, bool>, _| match result {
                Ok(_) => seatbelt::RecoveryInfo::never(),
                Err(_) => seatbelt::RecoveryInfo::retry(),
            })
            .rejected_input(|_, _| Ok(false))
            .min_throughput(threshold)
            .break_duration(open_for.max(Duration::from_nanos(1)));
        let service = Arc::new(
            (
                layer,
                layered::Execute::new(async |ok: bool| dependency(ok)),
            )
                .into_service(),
        );
        each(threads, || {
            let service = Arc::clone(&service);
            Box::new(move |ok| complete(service.execute(ok)) != Ok(false))
        })
    };
    Contender {
        name: "seatbelt",
        handles: Box::new(handles),
    }
}

fn tower_resilience(threshold: u32, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let layer = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
            .consecutive_failures(threshold as usize)
            .wait_duration_in_open(open_for)
            .permitted_calls_in_half_open(1)
            .build()
            .unwrap();
        let service = layer.layer(tower::service_fn(async |ok: bool| dependency(ok)));
        each(threads, || {
            let mut service = service.clone();
            Box::new(move |ok| {
                let _ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
                let result = complete(service.call(ok));
                !matches!(
                    result,
                    Err(tower_resilience_circuitbreaker::CircuitBreakerError::OpenCircuit)
                )
            })
        })
    };
    Contender {
        name: "tower-resilience-circuitbreaker",
        handles: Box::new(handles),
    }
}

fn each(threads: usize, mut handle: impl FnMut() -> Call) -> Vec<Call> {
    (0..threads).map(|_| handle()).collect()
}

#[inline(never)]
fn dependency(ok: bool) -> Result<bool, bool> {
    if black_box(ok) { Ok(true) } else { Err(true) }
}

/// Polls until ready: only tower-resilience ever waits, for its own lock when two threads want it.
fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
        std::hint::spin_loop();
    }
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
