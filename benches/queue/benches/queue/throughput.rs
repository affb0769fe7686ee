//! Enqueue, claim and settle, beside bare rusqlite and persist-queue.

use std::collections::BTreeMap;
use std::time::Duration;

use bench_queue::bare::Bare;
use bench_queue::python::PersistQueue;
use bench_queue::{median, payload, rate, timed};

use crate::{folder, ours};

/// Time spent by each contestant in each phase. They take turns operation by operation, so that
/// whatever else the machine does hits all of them alike.
#[derive(Default)]
struct Table(BTreeMap<(usize, &'static str), Phases>);

/// Jobs and time by phase.
type Phases = BTreeMap<&'static str, (usize, Duration)>;

impl Table {
    fn add(
        &mut self,
        order: usize,
        who: &'static str,
        phase: &'static str,
        jobs: usize,
        took: Duration,
    ) {
        let sum = self
            .0
            .entry((order, who))
            .or_default()
            .entry(phase)
            .or_default();
        *sum = (sum.0 + jobs, sum.1 + took);
    }

    fn time<R>(
        &mut self,
        order: usize,
        who: &'static str,
        phase: &'static str,
        work: impl FnOnce() -> R,
    ) -> R {
        let (result, took) = timed(work);
        self.add(order, who, phase, 1, took);
        result
    }

    /// One step of a drain, counted apart too when it is one of the last.
    fn step(&mut self, order: usize, who: &'static str, last: bool, work: impl FnOnce()) {
        let ((), took) = timed(work);
        self.add(order, who, "drain", 1, took);
        if last {
            self.add(order, who, LAST_TENTH, 1, took);
        }
    }

    /// Rates, and how many times as fast the first contestant is.
    fn print(&self, phases: &[&'static str]) {
        let mut ours = BTreeMap::new();
        for ((order, who), times) in &self.0 {
            print!("{who:<24}");
            for phase in phases {
                let Some((jobs, took)) = times.get(phase) else {
                    continue;
                };
                let rate = rate(*jobs, *took);
                if *order == 0 {
                    ours.insert(phase, rate);
                    print!("  {phase} {rate:.0}/s");
                } else {
                    print!(
                        "  {phase} {rate:.0}/s (ours ×{:.2})",
                        ours.get(phase).copied().unwrap_or_default() / rate
                    );
                }
            }
            println!();
        }
    }
}

const LAST_TENTH: &str = "its last tenth";

const BARE: [(usize, &str, &str); 2] = [
    (1, "bare, synced as ours", "NORMAL"),
    (2, "bare, synced always", "FULL"),
];

/// All enqueued, all claimed, all settled, one by one; then the three for each job in turn.
pub fn cycle(quick: bool) {
    let (jobs, rounds) = if quick { (50, 1) } else { (400, 5) };
    let mut table = Table::default();
    let mut python = Ok(());
    for _ in 0..rounds {
        let folder = folder();
        let mut queue = ours(&folder.path().join("ours.db"));
        // Registers the process as an owner.
        queue.claim(1).unwrap();
        let bares = BARE.map(|(order, who, relaxed)| {
            (
                order,
                who,
                relaxed,
                Bare::create(&folder.path().join(format!("{order}.db"))).unwrap(),
            )
        });
        for _ in 0..jobs {
            table.time(0, "ours", "enqueue", || queue.enqueue(payload()).unwrap());
            for (order, who, _, bare) in &bares {
                table.time(*order, who, "enqueue", || bare.enqueue(&payload()).unwrap());
            }
        }
        let (mut claims, mut bare_claims) = (Vec::new(), Vec::new());
        bares
            .iter()
            .for_each(|(_, _, relaxed, bare)| bare.synchronous(relaxed).unwrap());
        for _ in 0..jobs {
            claims.push(table.time(0, "ours", "claim", || {
                queue.claim(1).unwrap().pop().unwrap()
            }));
            for (order, who, _, bare) in &bares {
                bare_claims.push(table.time(*order, who, "claim", || bare.claim().unwrap()));
            }
        }
        for (claim, bare_claims) in claims.into_iter().zip(bare_claims.chunks(bares.len())) {
            table.time(0, "ours", "settle", || queue.done(claim).unwrap());
            for ((order, who, _, bare), (id, token, _)) in bares.iter().zip(bare_claims) {
                table.time(*order, who, "settle", || bare.done(*id, *token).unwrap());
            }
        }
        for _ in 0..jobs {
            table.time(0, "ours", "job by job", || {
                queue.enqueue(payload()).unwrap();
                let claim = queue.claim(1).unwrap().pop().unwrap();
                queue.done(claim).unwrap();
            });
            for (order, who, relaxed, bare) in &bares {
                table.time(*order, who, "job by job", || {
                    bare.synchronous("FULL").unwrap();
                    bare.enqueue(&payload()).unwrap();
                    bare.synchronous(relaxed).unwrap();
                    let (id, token, _) = bare.claim().unwrap();
                    bare.done(id, token).unwrap();
                });
            }
        }
        python = PersistQueue::run(folder.path(), &["cycle", &jobs.to_string(), "0"]).map(|run| {
            for phase in ["enqueue", "claim", "settle"] {
                table.add(3, "persist-queue as shipped", phase, jobs, run.took(phase));
            }
        });
    }
    for times in table.0.values_mut() {
        let whole = ["enqueue", "claim", "settle"]
            .map(|phase| times.get(phase).copied().unwrap_or_default());
        times.insert(
            "whole cycle",
            (whole[0].0, whole.iter().map(|(_, took)| *took).sum()),
        );
    }
    table.print(&["enqueue", "claim", "settle", "whole cycle", "job by job"]);
    say_skipped(python);
}

fn say_skipped(python: Result<(), String>) {
    if let Err(why) = python {
        println!(
            "persist-queue: skipped ({why}); pip install persist-queue into a venv and set QUEUE_BENCH_PYTHON"
        );
    }
}

/// A hundred durable jobs in one transaction, beside one in each.
pub fn batch(quick: bool) {
    let rounds = if quick { 5 } else { 41 };
    let folder = folder();
    let mut queue = ours(&folder.path().join("q.db"));
    let (mut single, mut hundred) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let one_by_one = || {
            for _ in 0..20 {
                queue.enqueue(payload()).unwrap();
            }
        };
        single.push(timed(one_by_one).1 / 20);
        hundred.push(timed(|| queue.enqueue_all((0..100).map(|_| payload())).unwrap()).1 / 100);
    }
    let (single, hundred) = (median(&mut single), median(&mut hundred));
    println!(
        "single {:.0}/s, batches of 100 {:.0}/s: ×{:.1}",
        rate(1, single),
        rate(1, hundred),
        single.as_secs_f64() / hundred.as_secs_f64()
    );
}

/// One claimed and settled at a time in front of a backlog.
pub fn drain(quick: bool) {
    let (backlog, steps) = if quick {
        (2_000, 500)
    } else {
        (100_000, 20_000)
    };
    let mut table = Table::default();
    let folder = folder();
    let payloads: Vec<String> = (0..backlog).map(|_| payload()).collect();
    let mut queue = ours(&folder.path().join("ours.db"));
    queue.enqueue_all(payloads.iter().cloned()).unwrap();
    queue.maintain().unwrap();
    queue.claim(0).unwrap();
    let bares = BARE.map(|(order, who, relaxed)| {
        let mut bare = Bare::create(&folder.path().join(format!("{order}.db"))).unwrap();
        bare.enqueue_all(&payloads).unwrap();
        bare.synchronous(relaxed).unwrap();
        (order, who, bare)
    });
    for step in 0..steps {
        let last = step >= steps - steps / 10;
        table.step(0, "ours", last, || {
            let claim = queue.claim(1).unwrap().pop().unwrap();
            queue.done(claim).unwrap();
        });
        for (order, who, bare) in &bares {
            // Each step waits for the disk.
            if who.ends_with("always") && step % 20 > 0 {
                continue;
            }
            table.step(*order, who, last, || {
                let (id, token, _) = bare.claim().unwrap();
                bare.done(id, token).unwrap();
            });
        }
    }
    let mut python = Ok(());
    // Each of its steps is dearer than the one before, and as shipped each waits for the disk too.
    for (order, who, level, steps) in [
        (3, "persist-queue, NORMAL", "NORMAL", steps),
        (4, "persist-queue as shipped", "FULL", steps / 10),
    ] {
        python = PersistQueue::run(
            folder.path(),
            &["drain", &backlog.to_string(), &steps.to_string(), level],
        )
        .map(|run| {
            table.add(order, who, "drain", steps, run.took("drain"));
            table.add(order, who, LAST_TENTH, steps / 10, run.took(LAST_TENTH));
        });
    }
    table.print(&["drain", LAST_TENTH]);
    say_skipped(python);
}
