//! `cargo bench -p bench-queue [-- NAME…]`, with names of `cycle batch drain hook claim wake`. Prints medians and ratios.
//! persist-queue is measured when `QUEUE_BENCH_PYTHON` (or `python3`) can import it. `QUEUE_BENCH_QUICK=1` for small sizes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use bench_queue::bare::Bare;
use bench_queue::python::PersistQueue;
use bench_queue::{median, payload, rate, timed};
use queue::{Error, NewJob, Options, Queue};

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|name| !name.starts_with('-'))
        .collect();
    let quick = std::env::var_os("QUEUE_BENCH_QUICK").is_some();
    type Bench = (&'static str, fn(bool));
    let benches: [Bench; 6] = [
        ("cycle", cycle),
        ("batch", batch),
        ("drain", drain),
        ("hook", hook),
        ("claim", claim),
        ("wake", wake),
    ];
    for (name, bench) in benches {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n== {name}: disk {:.0} syncs/s", probe());
            bench(quick);
        }
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("queue-bench")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .unwrap()
}

/// Appends of 4 KiB with a sync each: what the disk can do at this moment.
fn probe() -> f64 {
    let folder = folder();
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.path().join("probe"))
        .unwrap();
    let (_, took) = timed(|| {
        for _ in 0..200 {
            file.write_all(&[1; 4096]).unwrap();
            file.sync_data().unwrap();
        }
    });
    rate(200, took)
}

fn ours(path: &Path) -> Queue<String> {
    Queue::open(path, Options::consumer()).unwrap()
}

/// Time spent by each contestant in each phase. They take turns operation by operation, so that whatever else the machine
/// does hits all of them alike.
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

const BARE: [(usize, &str, &str); 2] = [
    (1, "bare, synced as ours", "NORMAL"),
    (2, "bare, synced always", "FULL"),
];

/// All enqueued, all claimed, all settled, one by one; then the three for each job in turn.
fn cycle(quick: bool) {
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
fn batch(quick: bool) {
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
fn drain(quick: bool) {
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
        table.time(0, "ours", "drain", || {
            let claim = queue.claim(1).unwrap().pop().unwrap();
            queue.done(claim).unwrap();
        });
        for (order, who, bare) in &bares {
            // Each step waits for the disk.
            if who.ends_with("always") && step % 20 > 0 {
                continue;
            }
            table.time(*order, who, "drain", || {
                let (id, token, _) = bare.claim().unwrap();
                bare.done(id, token).unwrap();
            });
        }
    }
    let mut python = Ok(());
    for (order, who, level) in [
        (3, "persist-queue, NORMAL", "NORMAL"),
        (4, "persist-queue as shipped", "FULL"),
    ] {
        let steps = steps / 10;
        python = PersistQueue::run(
            folder.path(),
            &["drain", &backlog.to_string(), &steps.to_string(), level],
        )
        .map(|run| table.add(order, who, "drain", steps, run.took("drain")));
    }
    table.print(&["drain"]);
    say_skipped(python);
}

/// What a short-lived process does: open, store one job durably under its key, close; with a consumer that has the file
/// open, and alone for a long time.
fn hook(quick: bool) {
    for consumer in [true, false] {
        println!(
            "{}:",
            if consumer {
                "beside a consumer"
            } else {
                "alone"
            }
        );
        short_lived(if quick { 20 } else { 600 }, consumer);
    }
}

/// All take turns, and in turn go first, as the others find a warmer machine.
fn short_lived(rounds: usize, consumer: bool) {
    let folder = folder();
    let paths = ["ours.db", "bare.db", "same.db"].map(|name| folder.path().join(name));
    let [our, bare, same] = &paths;
    for path in [our, same] {
        drop(Queue::<String>::open(path, Options::producer()).unwrap());
    }
    drop(Bare::create(bare).unwrap());
    let mut consumers = consumer.then(|| {
        (
            ours(our),
            [bare, same].map(|path| Bare::open(path).unwrap()),
        )
    });
    let run_ours = |key: &str| {
        let (mut queue, open) =
            measured(|| Queue::<String>::open(our, Options::producer()).unwrap());
        let (_, enqueue) = measured(|| queue.enqueue(NewJob::new(payload()).key(key)).unwrap());
        let (_, close) = measured(|| drop(queue));
        [open, enqueue, close]
    };
    let run_bare = |path: &Path, enqueue: &dyn Fn(&mut Bare)| {
        let (mut queue, open) = measured(|| Bare::open(path).unwrap());
        let (_, enqueue) = measured(|| enqueue(&mut queue));
        let (_, close) = measured(|| drop(queue));
        [open, enqueue, close]
    };
    let mut runs = [const { Vec::new() }; 3];
    for round in 0..rounds {
        if let Some((queue, bares)) = &mut consumers
            && round % 100 == 0
        {
            queue.maintain().unwrap();
            bares.iter().for_each(|bare| bare.checkpoint().unwrap());
        }
        let key = format!("scene:{round}");
        for turn in 0..3 {
            let who = (round + turn) % 3;
            runs[who].push(match who {
                0 => run_ours(&key),
                1 => run_bare(bare, &|queue| {
                    queue.enqueue_keyed(&key, &payload()).unwrap()
                }),
                _ => run_bare(same, &|queue| {
                    queue.enqueue_as_ours(&key, &payload()).unwrap()
                }),
            });
        }
    }
    let show = |what: &str, pick: &dyn Fn(&[Spent; 3]) -> Duration| {
        let [our, bare, same] = runs
            .each_ref()
            .map(|runs| median(&mut runs.iter().map(pick).collect::<Vec<_>>()));
        let times = |other: Duration| our.as_secs_f64() / other.as_secs_f64();
        println!(
            "{what:<26} ours {our:>9.1?}  bare {bare:>9.1?} ×{:.2}  bare, our tables {same:>9.1?} ×{:.2}",
            times(bare),
            times(same)
        );
    };
    show("open", &|run| run[0].wall);
    show("enqueue", &|run| run[1].wall);
    show("close", &|run| run[2].wall);
    show("all three", &|run| run.iter().map(|spent| spent.wall).sum());
    show("all three, on a processor", &|run| {
        run.iter().map(|spent| spent.cpu).sum()
    });
}

/// Time that passed, and time spent on a processor (nothing where that cannot be told).
#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    cpu: Duration,
}

fn measured<R>(work: impl FnOnce() -> R) -> (R, Spent) {
    let before = cpu();
    let (result, wall) = timed(work);
    let cpu = cpu()
        .zip(before)
        .map_or(Duration::ZERO, |(after, before)| after - before);
    (result, Spent { wall, cpu })
}

/// A claim of one ready job, in front of a backlog in each state.
fn claim(quick: bool) {
    let (sizes, claims): (&[i64], _) = if quick {
        (&[1_000, 10_000], 200)
    } else {
        (&[1_000, 100_000, 1_000_000], 1_000)
    };
    for state in ["ready", "waiting", "running", "dead"] {
        let mut first = None;
        for size in sizes {
            let folder = folder();
            let mut queue = ours(&folder.path().join("q.db"));
            fill(&mut queue, state, *size);
            queue.maintain().unwrap();
            let mut times = Vec::new();
            for _ in 0..claims {
                queue.enqueue(payload()).unwrap();
                let (claims, took) = timed(|| queue.claim(1).unwrap());
                times.push(took);
                for claim in claims {
                    queue.done(claim).unwrap();
                }
            }
            let p50 = median(&mut times);
            let first = first.get_or_insert(p50);
            println!(
                "{size:>9} {state:<8} claim {p50:>8.1?}  ×{:.2}",
                p50.as_secs_f64() / first.as_secs_f64()
            );
        }
    }
}

fn fill(queue: &mut Queue<String>, state: &str, size: i64) {
    let rows = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) ";
    let json = format!("\"{}\"", payload());
    let live = |state: &str, due: &str, claim: &str| {
        format!(
            "{rows} INSERT INTO queue_job (state, priority, due, key, claim, lease_until, lease, enqueued, payload) \
             SELECT {state}, 0, {due}, 'key ' || n, {claim}, iif({claim} IS NULL, NULL, 4000000000000 + n), iif({claim} IS NULL, NULL, 300000), 0, ?2 FROM n"
        )
    };
    let sql = match state {
        "ready" => live("1", "1000 + n", "NULL"),
        "waiting" => live("0", "4000000000000 + n", "NULL"),
        "running" => live("2", "1000 + n", "n"),
        _ => format!(
            "{rows} INSERT INTO queue_dead (died, error_type, message, key, priority, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
             SELECT n, 'E', 'm', 'key ' || n, 0, 0, 1, 0, 0, 0, 0, ?2 FROM n"
        ),
    };
    let count = match state {
        "dead" => "UPDATE queue_meta SET dead = ?1".to_owned(),
        state => format!("UPDATE queue_meta SET {state} = ?1, last_id = ?1"),
    };
    queue
        .transaction(|tx| {
            tx.sql().execute(&sql, rusqlite::params![size, json])?;
            tx.sql().execute(&count, [size])?;
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
}

/// How soon a sleeping worker hears of a job from elsewhere, and what its sleep costs.
fn wake(quick: bool) {
    let rounds = if quick { 10 } else { 100 };
    let folder = folder();
    let path = folder.path().join("q.db");
    let mut producer: Queue<String> = Queue::open(&path, Options::producer()).unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let worker = std::thread::spawn(move || {
        let mut queue = ours(&path);
        loop {
            queue.wait(Duration::from_secs(10)).unwrap();
            for claim in queue.claim(1).unwrap() {
                send.send(Instant::now()).unwrap();
                let last = claim.payload() == "stop";
                queue.done(claim).unwrap();
                if last {
                    return queue;
                }
            }
        }
    });
    let mut delays = Vec::new();
    for n in 0..rounds {
        std::thread::sleep(Duration::from_millis(40 + n % 30));
        producer
            .enqueue(if n + 1 == rounds {
                "stop".to_owned()
            } else {
                payload()
            })
            .unwrap();
        let stored = Instant::now();
        delays.push(receive.recv().unwrap().saturating_duration_since(stored));
    }
    let mut queue = worker.join().unwrap();
    let worst = delays.iter().max().copied().unwrap_or_default();
    println!(
        "a job from elsewhere is claimed after {:.1?} (median), {worst:.1?} (worst of {rounds})",
        median(&mut delays)
    );
    let asleep = Duration::from_secs(if quick { 1 } else { 10 });
    queue.changed().unwrap();
    let before = cpu();
    queue.wait(asleep).unwrap();
    match (before, cpu()) {
        (Some(before), Some(after)) => {
            println!(
                "asleep: {:.3} % of one processor",
                100.0 * (after - before).as_secs_f64() / asleep.as_secs_f64()
            );
        }
        _ => println!("asleep: the time on the processor can be read on Linux only"),
    }
}

/// Time this thread has been on the processor.
fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ')
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}
