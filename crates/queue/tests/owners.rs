//! Who holds jobs: lock files that a cleaner removed, and idle workers that wait for nobody.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use child::file;
use queue::rusqlite::Connection;
use queue::{Error, ManualClock, Options, Queue};

const LEASE: Duration = Duration::from_secs(300);

fn open(file: &Path, clock: &Arc<ManualClock>) -> Queue<String> {
    let options = Options::consumer().lease(LEASE).clock(clock.clone());
    Queue::open(file, options.busy_timeout(Duration::ZERO)).unwrap()
}

/// The lock files beside the database.
fn locks(dir: &tempfile::TempDir) -> Vec<String> {
    let names = fs::read_dir(dir.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("-owner-")).collect()
}

fn clean(dir: &tempfile::TempDir) {
    for lock in locks(dir) {
        fs::remove_file(dir.path().join(lock)).unwrap();
    }
}

fn owners(queue: &Queue<String>) -> i64 {
    let count = "SELECT count(*) FROM queue_owner";
    queue.sql().query_row(count, [], |row| row.get(0)).unwrap()
}

#[cfg(unix)]
#[test]
fn a_living_worker_whose_lock_file_is_removed_keeps_its_job_and_makes_it_anew() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let (mut worker, mut other) = (open(&file(&dir), &clock), open(&file(&dir), &clock));
    worker.enqueue("a".to_owned()).unwrap();
    let claim = worker.claim(1).unwrap().pop().unwrap();
    clean(&dir);
    assert!(other.claim(1).unwrap().is_empty(), "it would run twice");
    clock.advance(Duration::from_secs(1));
    assert!(other.claim(1).unwrap().is_empty());
    assert!(worker.claim(1).unwrap().is_empty());
    assert_eq!(locks(&dir), ["q.db-owner-1"]);
    worker.done(claim).unwrap();
    // By it, its death shows again at once.
    worker.enqueue("b".to_owned()).unwrap();
    let claim = worker.claim(1).unwrap().pop().unwrap();
    drop(worker);
    assert_eq!(other.claim(1).unwrap()[0].job(), claim.job());
}

#[test]
fn a_dead_workers_job_comes_back_by_its_lease_when_its_lock_file_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let (mut worker, mut other) = (open(&file(&dir), &clock), open(&file(&dir), &clock));
    worker.enqueue("a".to_owned()).unwrap();
    let _claims = worker.claim(1).unwrap();
    std::mem::forget(worker);
    clean(&dir);
    for wait in [Duration::ZERO, LEASE, LEASE / 2] {
        clock.advance(wait);
        assert!(other.claim(1).unwrap().is_empty());
    }
    clock.advance(LEASE / 2);
    assert_eq!(other.claim(1).unwrap().len(), 1, "watched for a lease");
}

/// As when whoever takes them back is killed before it commits, or the disk is full.
#[test]
fn jobs_that_could_not_be_taken_back_are_taken_back_by_the_next_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let (mut worker, mut other) = (open(&file(&dir), &clock), open(&file(&dir), &clock));
    worker.enqueue("a".to_owned()).unwrap();
    let claim = worker.claim(1).unwrap().pop().unwrap();
    queue_contract::Subject::die(worker);
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE OF claim ON queue_job WHEN NEW.state = 2 \
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    other.sql().execute_batch(refuse).unwrap();
    assert!(other.claim(1).is_err());
    other.sql().execute_batch("DROP TRIGGER refuse").unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(other.claim(1).unwrap()[0].job(), claim.job());
    assert_eq!(locks(&dir).len(), 1, "its own");
}

#[test]
fn an_owner_without_lock_file_and_job_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let mut worker = open(&file(&dir), &clock);
    worker.enqueue("a".to_owned()).unwrap();
    let claim = worker.claim(1).unwrap().pop().unwrap();
    worker.done(claim).unwrap();
    std::mem::forget(worker);
    clean(&dir);
    let mut other = open(&file(&dir), &clock);
    other.enqueue("b".to_owned()).unwrap();
    assert_eq!(other.claim(1).unwrap().len(), 1);
    assert_eq!(owners(&other), 1, "its own");
}

#[test]
fn an_idle_worker_needs_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let (mut worker, mut new) = (open(&file(&dir), &clock), open(&file(&dir), &clock));
    worker.enqueue("a".to_owned()).unwrap();
    let claim = worker.claim(1).unwrap().pop().unwrap();
    worker.done(claim).unwrap();
    assert!(worker.claim(1).unwrap().is_empty());
    let writer = Connection::open(file(&dir)).unwrap();
    let insert = "INSERT INTO queue_event VALUES (99, 1, 0, 0, 0, 1, NULL, NULL)";
    for busy in ["BEGIN IMMEDIATE", insert] {
        writer.execute_batch(busy).unwrap();
        for queue in [&mut worker, &mut new] {
            assert!(queue.claim(1).unwrap().is_empty(), "{busy}");
        }
        clock.advance(Duration::from_secs(2));
    }
    writer.execute_batch("ROLLBACK").unwrap();
    worker.enqueue("b".to_owned()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(new.claim(1), Err(Error::Busy(_))));
}

/// With a job running, as then its owner is looked at. Ratios of the fastest, as other processes
/// use the machine.
#[test]
fn an_empty_claim_costs_the_same_with_many_owners() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let mut holder = open(&file(&dir), &clock);
    holder.enqueue("held".to_owned()).unwrap();
    let _held = holder.claim(1).unwrap();
    let mut worker = open(&file(&dir), &clock);
    worker.claim(1).unwrap();
    let empty = |queue: &mut Queue<String>| {
        let one = |_| {
            let started = Instant::now();
            assert!(queue.claim(1).unwrap().is_empty());
            started.elapsed()
        };
        (0..300).map(one).min().unwrap()
    };
    let few = empty(&mut worker);
    let others: Vec<_> = (0..100)
        .map(|_| {
            let mut other = open(&file(&dir), &clock);
            other.enqueue("job".to_owned()).unwrap();
            let claim = other.claim(1).unwrap().pop().unwrap();
            other.done(claim).unwrap();
            other
        })
        .collect();
    worker.claim(1).unwrap();
    let many = empty(&mut worker);
    assert_eq!(owners(&worker), 101);
    assert!(many < 4 * few, "{many:?} against {few:?}");
    drop(others);
}
