//! An enqueue that changes nothing needs no lock and writes nothing; one that would change
//! something does all of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, SystemTime};

use queue::rusqlite::Connection;
use queue::{Enqueued, Error, NewJob, Options, Queue};

fn job() -> NewJob<u32> {
    NewJob::new(7).key("k")
}

fn ensure(queue: &mut Queue<u32>) -> queue::Result<Enqueued> {
    queue.ensure(job(), |held, new| held == new)
}

#[test]
fn what_stands_already_is_kept_while_another_process_has_the_write_lock() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("q.db");
    let options = Options::consumer().busy_timeout(Duration::ZERO);
    let mut queue: Queue<u32> = Queue::open(&file, options).unwrap();
    let id = queue.enqueue(job()).unwrap().job();
    let other = Connection::open(&file).unwrap();
    let locked = |queue: &mut Queue<u32>| {
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let answer = ensure(queue);
        other.execute_batch("ROLLBACK").unwrap();
        answer
    };
    assert_eq!(locked(&mut queue).unwrap(), Enqueued::Kept(id));
    // Running without a follow-up, it does not stand for what comes in now.
    let claim = queue.claim(1).unwrap().pop().unwrap();
    assert!(matches!(locked(&mut queue), Err(Error::Busy(_))));
    assert_eq!(ensure(&mut queue).unwrap(), Enqueued::FollowUp(id));
    assert_eq!(locked(&mut queue).unwrap(), Enqueued::Kept(id));
    // Nor does one that was tried and waits.
    queue.cancel("k").unwrap();
    drop(claim);
    queue.enqueue(job()).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    let due = SystemTime::now() + Duration::from_secs(60);
    queue.retry_at(claim, due, "E", "e").unwrap();
    assert!(matches!(locked(&mut queue), Err(Error::Busy(_))));
}

#[test]
fn an_unreadable_payload_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue: Queue<u32> = Queue::open(dir.path().join("q.db"), Options::consumer()).unwrap();
    let id = queue.enqueue(job()).unwrap().job();
    queue
        .sql()
        .execute("UPDATE queue_job SET payload = '[7'", [])
        .unwrap();
    assert_eq!(ensure(&mut queue).unwrap(), Enqueued::Replaced(id));
    assert_eq!(queue.claim(1).unwrap()[0].payload(), &7);
}

/// In a transaction of its own the queue's connection sees what was, not what is.
#[test]
fn an_old_view_of_the_file_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("q.db");
    let mut queue: Queue<u32> = Queue::open(&file, Options::consumer()).unwrap();
    queue.enqueue(job()).unwrap();
    queue.sql().execute_batch("BEGIN").unwrap();
    queue.counts().unwrap();
    let mut worker: Queue<u32> = Queue::open(&file, Options::consumer()).unwrap();
    let claim = worker.claim(1).unwrap().pop().unwrap();
    worker.done(claim).unwrap();
    assert!(ensure(&mut queue).is_err());
}
