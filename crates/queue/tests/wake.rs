//! What a sleeping worker hears of: jobs of workers that died, hang, or dropped a claim.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use queue::{Clock, NewJob, Options, Queue, Wake};

const LEASE: Duration = Duration::from_secs(1);
/// Far beyond anything that is expected; a test that fails need not be quick.
const LONG: Duration = Duration::from_secs(60);

fn consumer(path: &std::path::Path) -> Queue<String> {
    Queue::open(path, Options::consumer().lease(LEASE)).unwrap()
}

/// Waits as a worker does, until a job can be claimed. What woke it last, and how long all took.
fn work(queue: &mut Queue<String>) -> (Wake, Duration) {
    let started = Instant::now();
    loop {
        let woken = queue.wait(LONG).unwrap();
        if let Some(claim) = queue.claim(1).unwrap().pop() {
            queue.done(claim).unwrap();
            return (woken, started.elapsed());
        }
        assert_ne!(woken, Wake::TimedOut);
    }
}

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test wake` runs it"]
fn plays() {
    let Some((_, file)) = child::part() else {
        return;
    };
    let mut queue = child::consumer(&file);
    let _claims = queue.claim(9).unwrap();
    child::say("claimed 1");
    std::thread::sleep(LONG);
}

#[test]
fn a_worker_that_dies_wakes_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let file = child::file(&dir);
    let mut queue = child::consumer(&file);
    queue.enqueue("a".to_owned()).unwrap();
    let mut holder = child::command("holder", &file).spawn().unwrap();
    let mut said = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("claimed")));
    assert!(queue.claim(1).unwrap().is_empty());
    queue.changed().unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    let (woken, took) = work(&mut queue);
    // Its lease is five minutes.
    assert!(woken == Wake::Lost && took < LONG / 2, "{woken:?} {took:?}");
}

#[test]
fn a_worker_that_hangs_wakes_the_others_and_loses_its_job() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hanging, mut queue) = (consumer(&child::file(&dir)), consumer(&child::file(&dir)));
    hanging.enqueue("a".to_owned()).unwrap();
    let claims = hanging.claim(1).unwrap();
    let (woken, took) = work(&mut queue);
    assert!(woken == Wake::Lost && took >= LEASE, "{woken:?} {took:?}");
    assert!(took < LONG / 2, "{took:?}");
    drop(claims);
}

#[test]
fn a_claim_dropped_here_wakes_this_worker_when_its_lease_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = consumer(&child::file(&dir));
    queue.enqueue("a".to_owned()).unwrap();
    drop(queue.claim(1).unwrap());
    let (woken, took) = work(&mut queue);
    assert!(woken == Wake::Lost && took < LONG / 2, "{woken:?} {took:?}");
}

/// The operating system's, but the wall clock stands still, or is set back between two looks at it.
#[derive(Debug)]
struct Wrong {
    started: Instant,
    stands_still: bool,
    /// Looks that are left until then, once it is begun to count.
    looks: AtomicI64,
}

const NOT_YET: i64 = i64::MAX;
const WALL: Duration = Duration::from_secs(1_000_000_000);

impl Clock for Wrong {
    fn now(&self) -> SystemTime {
        let wall = SystemTime::UNIX_EPOCH + WALL;
        if self.stands_still {
            return wall;
        }
        let count = |left| (left != NOT_YET).then_some(left - 1);
        match self
            .looks
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, count)
        {
            Ok(..0) => wall + self.started.elapsed() - 60 * LONG,
            _ => wall + self.started.elapsed(),
        }
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

fn wrong(dir: &tempfile::TempDir, stands_still: bool) -> (Queue<String>, Arc<Wrong>) {
    let clock = Arc::new(Wrong {
        started: Instant::now(),
        stands_still,
        looks: AtomicI64::new(NOT_YET),
    });
    let options = Options::consumer().clock(clock.clone());
    (Queue::open(child::file(dir), options).unwrap(), clock)
}

#[test]
fn a_clock_set_back_wakes_a_worker_that_waits_for_a_job() {
    let dir = tempfile::tempdir().unwrap();
    let (mut queue, clock) = wrong(&dir, false);
    let job = NewJob::new("a".to_owned()).due_in(LONG);
    queue.enqueue(job).unwrap();
    queue.changed().unwrap();
    // By then it sleeps.
    clock.looks.store(5, Ordering::SeqCst);
    assert_eq!(queue.wait(LONG / 2).unwrap(), Wake::Due);
    // Its wait begins anew, and is no longer than it was.
    assert!(queue.claim(1).unwrap().is_empty());
    let due = queue.next_due().unwrap().unwrap();
    assert!(due < SystemTime::UNIX_EPOCH + WALL, "{due:?}");
    queue.changed().unwrap();
    assert_eq!(queue.wait(LEASE / 4).unwrap(), Wake::TimedOut);
}

#[test]
fn a_clock_that_stands_still_delays_no_wake() {
    let dir = tempfile::tempdir().unwrap();
    let (mut queue, _) = wrong(&dir, true);
    let job = NewJob::new("a".to_owned()).due_in(LEASE / 4);
    queue.enqueue(job).unwrap();
    queue.changed().unwrap();
    assert_eq!(queue.wait(LONG).unwrap(), Wake::Due);
}

/// Nothing can be taken back then, so there is nothing to wake up for.
#[test]
fn a_paused_queue_sleeps_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = consumer(&child::file(&dir));
    queue.enqueue("a".to_owned()).unwrap();
    drop(queue.claim(1).unwrap());
    queue.pause().unwrap();
    queue.changed().unwrap();
    assert_eq!(queue.wait(3 * LEASE).unwrap(), Wake::TimedOut);
}
