//! Operations on very many rows go in batches: another process writes meanwhile, and the file gets
//! small again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use child::{consumer, file, producer, setting};
use queue::{DeadFilter, Queue};

type Operation<'a> = &'a dyn Fn(&mut Queue<String>);

/// Rows to redrive, enough for tens of batches; and three times as many to purge or to clear, which
/// is that much faster.
fn rows() -> usize {
    setting("QUEUE_ROWS", 20_000)
}

/// Fills the file with dead letters, and with jobs that are ready.
fn fill(file: &Path, dead: usize, ready: usize) {
    let queue = consumer(file);
    let numbers = |n| {
        format!("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {n})")
    };
    let payload = "'\"' || hex(zeroblob(95)) || '\"'";
    if dead > 0 {
        let insert = format!(
            "{} INSERT INTO queue_dead (died, error_type, message, key, priority, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
             SELECT n, 'E', 'e', 'key ' || n, 0, 0, 1, 0, 0, 0, 0, {payload} FROM n; UPDATE queue_meta SET dead = {dead}, last_id = {dead}",
            numbers(dead)
        );
        queue.sql().execute_batch(&insert).unwrap();
    }
    if ready > 0 {
        let insert = format!(
            "{} INSERT INTO queue_job (state, priority, due, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
             SELECT 1, 0, 0, 0, 0, 0, 0, 0, 0, {payload} FROM n; UPDATE queue_meta SET ready = {ready}, last_id = {ready}",
            numbers(ready)
        );
        queue.sql().execute_batch(&insert).unwrap();
    }
}

/// What a producer saw while a long operation ran.
struct Seen {
    /// Rows that were left, after each of its enqueues.
    left: BTreeSet<i64>,
    /// Its longest enqueue.
    worst: Duration,
}

/// `count` selects how many rows are left.
fn beside_a_producer(file: &Path, count: &str, operation: Operation<'_>) -> Seen {
    let mut queue = consumer(file);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| {
            let mut producer = producer(file);
            let (mut left, mut worst) = (BTreeSet::new(), Duration::ZERO);
            while !done.load(Ordering::Relaxed) {
                let started = Instant::now();
                producer.enqueue("new".to_owned()).unwrap();
                worst = worst.max(started.elapsed());
                let count = producer.sql().query_row(count, [], |row| row.get(0));
                left.insert(count.unwrap());
                std::thread::sleep(Duration::from_millis(1));
            }
            Seen { left, worst }
        });
        // Also when it panics, for which the producer would wait for ever.
        let ended = catch_unwind(AssertUnwindSafe(|| operation(&mut queue)));
        done.store(true, Ordering::Relaxed);
        let seen = seen.join().unwrap();
        ended.unwrap_or_else(|panic| resume_unwind(panic));
        seen
    })
}

#[test]
fn a_producer_waits_for_a_batch_and_not_for_all() {
    let all = DeadFilter::all();
    let (few, many) = (rows(), 3 * rows());
    let (redrive, purge, clear) = (
        |queue: &mut Queue<String>| assert_eq!(queue.redrive(&all).unwrap().jobs, few as u64),
        |queue: &mut Queue<String>| assert_eq!(queue.purge(&all).unwrap(), many as u64),
        |queue: &mut Queue<String>| assert!(queue.clear().unwrap() >= many as u64),
    );
    let dead = "SELECT count(*) FROM queue_dead";
    let ready = "SELECT count(*) FROM queue_job WHERE enqueued = 0";
    let operations: [(&str, usize, &str, Operation<'_>); 3] = [
        ("redrive", few, dead, &redrive),
        ("purge", many, dead, &purge),
        ("clear", many, ready, &clear),
    ];
    for (name, n, count, operation) in operations {
        let dir = tempfile::tempdir().unwrap();
        let rows = if count == dead { (n, 0) } else { (0, n) };
        fill(&file(&dir), rows.0, rows.1);
        let Seen { left, worst } = beside_a_producer(&file(&dir), count, operation);
        println!("{name}: the producer's longest enqueue took {worst:?}");
        let between = left.iter().filter(|left| (1..n as i64).contains(*left));
        assert!(between.count() > 2, "{name}: in one step");
        let mut queue = consumer(&file(&dir));
        assert_eq!(queue.check().unwrap(), Vec::<String>::new(), "{name}");
        let log = fs::metadata(dir.path().join("q.db-wal")).map_or(0, |log| log.len());
        assert!(log < 32 << 20, "{name}: the log was {log} bytes");
        if name != "redrive" {
            let full = fs::metadata(file(&dir)).unwrap().len();
            assert!(queue.maintain().unwrap().freed_pages > 0);
            let left = fs::metadata(file(&dir)).unwrap().len();
            assert!(left < full / 4, "{name}: {left} of {full} bytes");
        }
    }
}

#[test]
fn a_sleeping_worker_gives_space_back_moment_by_moment() {
    let dir = tempfile::tempdir().unwrap();
    fill(&file(&dir), 0, 3 * rows());
    let mut queue = consumer(&file(&dir));
    queue.clear().unwrap();
    let free = |queue: &Queue<String>| -> i64 {
        let count = "PRAGMA freelist_count";
        queue.sql().query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert!(free(&queue) > 1_000);
    queue.changed().unwrap();
    for _ in 0..60 {
        if free(&queue) == 0 {
            return;
        }
        queue.wait(Duration::from_secs(2)).unwrap();
    }
    panic!("{} pages are left", free(&queue));
}
