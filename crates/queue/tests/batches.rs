//! Operations on very many rows go in batches: another process writes meanwhile, and the file gets
//! small again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use child::{consumer, file, producer, setting};
use queue::{DeadFilter, Queue};

type Operation<'a> = &'a dyn Fn(&mut Queue<String>);

/// Rows: enough for tens of batches.
fn rows() -> usize {
    setting("QUEUE_ROWS", 60_000)
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

/// Runs a long operation beside a producer; how long it took, and the producer's longest enqueue.
fn beside_a_producer(
    file: &Path,
    operation: impl FnOnce(&mut Queue<String>),
) -> (Duration, Duration) {
    let mut queue = consumer(file);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let (mut producer, mut worst, mut times) = (producer(file), Duration::ZERO, 0);
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let started = Instant::now();
                producer.enqueue("new".to_owned()).unwrap();
                worst = worst.max(started.elapsed());
                times += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            assert!(times > 3, "{times}");
            worst
        });
        let started = Instant::now();
        operation(&mut queue);
        let took = started.elapsed();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        (took, waits.join().unwrap())
    })
}

#[test]
fn a_producer_waits_for_a_batch_and_not_for_all() {
    let all = DeadFilter::all();
    let n = rows() as u64;
    let (redrive, purge, clear) = (
        |queue: &mut Queue<String>| assert_eq!(queue.redrive(&all).unwrap().jobs, n),
        |queue: &mut Queue<String>| assert_eq!(queue.purge(&all).unwrap(), n),
        |queue: &mut Queue<String>| assert!(queue.clear().unwrap() >= n),
    );
    let operations: [(&str, bool, Operation<'_>); 3] = [
        ("redrive", true, &redrive),
        ("purge", true, &purge),
        ("clear", false, &clear),
    ];
    for (name, dead, operation) in operations {
        let dir = tempfile::tempdir().unwrap();
        let (dead, ready) = if dead { (rows(), 0) } else { (0, rows()) };
        fill(&file(&dir), dead, ready);
        let (took, worst) = beside_a_producer(&file(&dir), operation);
        println!("{name}: {took:?}, worst wait of a producer {worst:?}");
        assert!(worst < took / 3, "{name}: {worst:?} of {took:?}");
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
    fill(&file(&dir), 0, rows());
    let mut queue = consumer(&file(&dir));
    queue.clear().unwrap();
    let full = fs::metadata(file(&dir)).unwrap().len();
    queue.changed().unwrap();
    while fs::metadata(file(&dir)).unwrap().len() > full / 4 {
        queue.wait(Duration::from_secs(2)).unwrap();
    }
}
