//! A worker that sleeps.

use std::time::{Duration, Instant};

use bench_queue::{median, payload};
use queue::{Options, Queue};

use crate::{cpu, folder, ours};

/// How soon a sleeping worker hears of a job from elsewhere, and what its sleep costs.
pub fn wake(quick: bool) {
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
