//! `cargo bench -p bench-queue [-- NAME…]`, with names of `cycle batch drain hook claim wake`.
//! Prints medians and ratios. persist-queue is measured when `QUEUE_BENCH_PYTHON` (or `python3`)
//! can import it. `QUEUE_BENCH_QUICK=1` for small sizes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod hook;
mod scaling;
mod throughput;
mod wake;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use bench_queue::{rate, timed};
use queue::{Options, Queue};

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|name| !name.starts_with('-'))
        .collect();
    let quick = std::env::var_os("QUEUE_BENCH_QUICK").is_some();
    type Bench = (&'static str, fn(bool));
    let benches: [Bench; 6] = [
        ("cycle", throughput::cycle),
        ("batch", throughput::batch),
        ("drain", throughput::drain),
        ("hook", hook::hook),
        ("claim", scaling::claim),
        ("wake", wake::wake),
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

/// Time this thread has been on the processor.
fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ')
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}
