//! Runners in several processes on one queue, killed at any moment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs::File;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use child::{Dice, file, say};
use queue::{Delivery, Failure, Options, Queue, Runner};

const JOBS: u64 = 300;
/// Far beyond anything that is expected; a test that fails need not be quick.
const LONG: Duration = Duration::from_secs(120);
const LEASE: Duration = Duration::from_millis(400);

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test runners` runs it"]
fn plays() {
    let Some((part, file)) = child::part() else {
        return;
    };
    let runtime = match part.as_str() {
        "blocking" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    }
    .build()
    .unwrap();
    let queue = Queue::open(&file, Options::consumer().lease(LEASE).max_lost(1_000)).unwrap();
    let handler = move |job| work(job, part.clone(), file.clone());
    let runner = Runner::new(queue).concurrency(4);
    runtime
        .block_on(runner.run(std::future::pending::<()>(), handler))
        .unwrap();
}

/// Holds a lock that dies with the process: whoever finds it taken runs a job beside another.
async fn work(
    job: Delivery<String>,
    part: String,
    file: std::path::PathBuf,
) -> Result<(), Failure> {
    let lock = File::create(file.with_file_name(format!("job-{}", job.job)))?;
    if lock.try_lock().is_err() {
        say(&format!("twice {}", job.payload));
    }
    say(&format!("begun {}", job.payload));
    match part.as_str() {
        "blocking" => std::thread::sleep(3 * LEASE),
        _ => std::thread::sleep(Duration::from_millis(1)),
    }
    Ok(())
}

fn spawn(part: &str, file: &Path) -> Child {
    child::command(part, file).spawn().unwrap()
}

/// Kills it; what it said.
fn kill(mut child: Child) -> Vec<u8> {
    child.kill().unwrap();
    child.wait_with_output().unwrap().stdout
}

fn until_done(queue: &Queue<String>, jobs: u64) -> bool {
    let counts = queue.counts().unwrap();
    assert_eq!(counts.dead, 0);
    counts.done == jobs
}

#[test]
fn killed_runners_lose_no_job_and_no_job_runs_twice_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::producer(&file(&dir));
    queue.enqueue_all((0..JOBS).map(|n| n.to_string())).unwrap();
    let mut dice = Dice(7);
    let mut runners: Vec<Child> = (0..3).map(|_| spawn("runner", &file(&dir))).collect();
    let (mut said, mut kills, started) = (Vec::new(), 0, Instant::now());
    let mut killed_at = 0;
    while !until_done(&queue, JOBS) {
        assert!(started.elapsed() < LONG, "{:?}", queue.counts().unwrap());
        let done = queue.counts().unwrap().done;
        // In the midst of work: whenever a few more jobs are done.
        if done >= killed_at + 20 && kills < 8 {
            let which = dice.roll(3) as usize;
            said.extend(kill(std::mem::replace(
                &mut runners[which],
                spawn("runner", &file(&dir)),
            )));
            (killed_at, kills) = (done, kills + 1);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    said.extend(runners.into_iter().flat_map(kill));
    assert_eq!(kills, 8);
    assert!(queue.counts().unwrap().lost > 0, "none was hit at work");
    assert_eq!(child::said(&said, "twice"), Vec::<String>::new());
    let mut begun = child::said(&said, "begun");
    begun.sort();
    begun.dedup();
    assert_eq!(begun.len() as u64, JOBS);
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
}

/// Beside another process that looks for jobs whose lease is over.
#[test]
fn a_handler_that_blocks_for_three_leases_keeps_its_job_from_other_processes() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::producer(&file(&dir));
    queue.enqueue("long".to_owned()).unwrap();
    let runners = [
        spawn("blocking", &file(&dir)),
        spawn("blocking", &file(&dir)),
    ];
    let started = Instant::now();
    while !until_done(&queue, 1) {
        assert!(started.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
    let said: Vec<u8> = runners.into_iter().flat_map(kill).collect();
    assert_eq!(child::said(&said, "begun"), ["long"]);
    assert_eq!(queue.counts().unwrap().lost, 0);
}
