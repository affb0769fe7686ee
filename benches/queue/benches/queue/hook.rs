//! The short-lived process.

use std::path::Path;
use std::time::Duration;

use bench_queue::bare::Bare;
use bench_queue::{median, payload, timed};
use queue::{NewJob, Options, Queue};

use crate::{cpu, folder, ours};

/// What a short-lived process does: open, store one job durably under its key, close; with a
/// consumer that has the file open, and alone for a long time.
pub fn hook(quick: bool) {
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
