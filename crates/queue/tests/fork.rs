//! A process that forks with a queue open: the child is told so, and neither it nor its end touches
//! what the parent holds.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use child::{consumer, file, producer, said, say};
use fork::{Fork, fork, waitpid};
use queue::{Claim, DeadFilter, Error, NewJob, Options, Queue, State};

/// More than SQLite keeps in memory, so that some of it stands in the log before the commit.
const LARGE: &str = "CREATE TABLE mine AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 8000) \
                     SELECT n, hex(zeroblob(500)) AS text FROM n";

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test fork` runs it"]
fn plays() {
    let Some((part, file)) = child::part() else {
        return;
    };
    match part.as_str() {
        "idle owner" => return an_idle_owner_stays(&file),
        "in use" => return a_file_stays_in_use(&file),
        _ => {}
    }
    let mut queue = consumer(&file);
    queue.enqueue_all(["a", "b"].map(str::to_owned)).unwrap();
    let mut claims = queue.claim(1).unwrap();
    match part.as_str() {
        "fork" => match fork().unwrap() {
            Fork::Child => {
                let refused = every_operation(queue, claims);
                // SQLite itself would take no locks there for a queue of the child's own.
                let open = |file: &Path| Queue::<String>::open(file, Options::producer());
                let told = matches!(open(&file), Err(Error::Forked));
                let other = open(&file.with_extension("child")).is_ok();
                std::process::exit(i32::from(!(refused && told && other)));
            }
            Fork::Parent(child) => assert_eq!(waitpid(child).unwrap(), 0, "all were refused"),
        },
        "fork in a transaction" => {
            let claim = claims.pop().unwrap();
            let committed = queue.transaction(|tx| {
                tx.enqueue("c".to_owned())?;
                tx.sql().execute_batch(LARGE)?;
                match fork().unwrap() {
                    Fork::Child => Ok(true),
                    Fork::Parent(child) => {
                        assert_eq!(waitpid(child).unwrap(), 0);
                        tx.done(&claim).map(|()| false)
                    }
                }
            });
            if !matches!(committed, Ok(false)) {
                let refused = matches!(committed, Err(Error::Forked));
                drop(queue);
                std::process::exit(i32::from(!refused));
            }
            say("done c");
            return;
        }
        other => panic!("{other}"),
    }
    // Nobody took the parent's job back, and the parent works on.
    let mut other = consumer(&file);
    let taken = other.claim(9).unwrap();
    assert_eq!(taken.iter().map(Claim::payload).collect::<Vec<_>>(), ["b"]);
    queue.done(claims.pop().unwrap()).unwrap();
    queue.enqueue("c".to_owned()).unwrap();
    say("done c");
}

/// Whether each says that the process forked; the queue is dropped at the end.
fn every_operation(mut queue: Queue<String>, mut claims: Vec<Claim<String>>) -> bool {
    let job = || NewJob::new("child".to_owned()).key("k");
    let all = DeadFilter::all();
    let mut claim = claims.pop().unwrap();
    let mut refused = vec![
        queue.extend(&mut claim, Duration::from_secs(1)).err(),
        queue.enqueue(job()).err(),
        queue.enqueue_all([job()]).err(),
        queue.ensure(job(), |_, _| true).err(),
        queue.cancel("k").err(),
        queue.clear().err(),
        queue.claim(1).err(),
        queue.release_held().err(),
        queue.pause().err(),
        queue.redrive(&all).err(),
        queue.purge(&all).err(),
        queue.maintain().err(),
        queue.transaction(|_| Ok::<_, Error>(())).err(),
        queue.wait(Duration::ZERO).err(),
        queue.changed().err(),
        queue.counts().err(),
        queue.jobs(State::Ready, 1).err(),
        queue.dead_letters(&all).err(),
        queue.check().err(),
    ];
    refused.push(queue.retry_at(claim, SystemTime::now(), "E", "e").err());
    drop(queue);
    refused
        .iter()
        .all(|refused| matches!(refused, Some(Error::Forked)))
}

fn play(part: &str) {
    let dir = tempfile::tempdir().unwrap();
    let output = child::command(part, &file(&dir)).output().unwrap();
    assert!(output.status.success());
    assert_eq!(said(&output.stdout, "done"), ["c"]);
    let mut queue = consumer(&file(&dir));
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
    let mut left: Vec<String> = queue
        .claim(9)
        .unwrap()
        .iter()
        .map(|claim| claim.payload().clone())
        .collect();
    left.sort();
    assert_eq!(left, ["b", "c"], "the parent's, all of them");
}

/// Forks, has the child drop the queue, and gives it back to the parent.
fn dropped_by_a_child(queue: Queue<String>) -> Queue<String> {
    match fork().unwrap() {
        Fork::Child => {
            drop(queue);
            std::process::exit(0);
        }
        Fork::Parent(child) => {
            assert_eq!(waitpid(child).unwrap(), 0);
            queue
        }
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// With nothing to give back, a drop has other things to do.
fn an_idle_owner_stays(file: &Path) {
    let mut queue = consumer(file);
    queue.enqueue("a".to_owned()).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue.done(claim).unwrap();
    let queue = dropped_by_a_child(queue);
    let count = "SELECT count(*) FROM queue_owner";
    let owners: i64 = queue.sql().query_row(count, [], |row| row.get(0)).unwrap();
    assert!(owners == 1 && beside(file, "-owner-1").exists());
    say("done idle owner");
}

/// A lock on a file opened before the fork is the child's to free, too.
fn a_file_stays_in_use(file: &Path) {
    let mut queue = producer(file);
    for _ in 0..4 {
        queue.enqueue("large ".repeat(20_000)).unwrap();
    }
    let _queue = dropped_by_a_child(queue);
    let lock = File::open(beside(file, "-in-use")).unwrap();
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    assert!(lock.try_lock_shared().is_ok(), "others may open it");
    say("done in use");
}

fn play_alone(part: &str) {
    let dir = tempfile::tempdir().unwrap();
    let output = child::command(part, &file(&dir)).output().unwrap();
    assert!(output.status.success());
    assert_eq!(said(&output.stdout, "done"), [part]);
}

#[test]
fn a_child_that_drops_an_idle_queue_leaves_its_owner() {
    play_alone("idle owner");
}

#[test]
fn a_child_that_drops_a_producer_leaves_the_file_in_use() {
    play_alone("in use");
}

#[test]
fn a_forked_child_is_told_and_touches_nothing() {
    play("fork");
}

#[test]
fn a_child_forked_in_a_transaction_leaves_it_to_the_parent() {
    play("fork in a transaction");
}
