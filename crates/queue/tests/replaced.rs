//! The file is deleted or replaced under living processes: nothing goes into a file that nobody
//! will open again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use child::{consumer, file, producer, ready};
use queue::{Claim, Enqueued, Error, ManualClock, NewJob, Options, Queue, Wake};

/// Deletes files of the database.
fn delete(path: &Path, suffixes: &[&str]) {
    for suffix in suffixes {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        fs::remove_file(name).unwrap();
    }
}

type Settle<'a> = &'a dyn Fn(&mut Queue<String>, Claim<String>) -> queue::Result<()>;

const WHOLE: [&str; 3] = ["", "-wal", "-shm"];

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test replaced` runs it"]
fn plays() {
    let Some((_, file)) = child::part() else {
        return;
    };
    let mut queue = consumer(&file);
    queue.enqueue("gone".to_owned()).unwrap();
    for line in std::iter::once(Ok(String::new())).chain(std::io::stdin().lines()) {
        if !line.unwrap().is_empty() {
            queue.enqueue("child".to_owned()).unwrap();
        }
        child::say("enqueued one");
    }
}

/// The old log and the memory it is shared in are left to those who have the old file open, and are
/// not the new file's.
#[test]
fn two_processes_go_over_to_one_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = consumer(&file(&dir));
    let mut child = child::command("enqueue", &file(&dir))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut enqueued = || said.any(|line| line.unwrap() == "enqueued one");
    assert!(enqueued());
    queue.enqueue("gone".to_owned()).unwrap();
    delete(&file(&dir), &[""]);
    queue.enqueue("a".to_owned()).unwrap();
    let mut ask = child.stdin.take().unwrap();
    writeln!(ask, "another").unwrap();
    assert!(enqueued());
    queue.enqueue("b".to_owned()).unwrap();
    drop(ask);
    assert!(child.wait().unwrap().success());
    let late = producer(&file(&dir));
    assert_eq!(ready(&late), ["a", "child", "b"]);
    assert_eq!(late.check().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_enqueued_after_the_file_was_deleted_is_found() {
    for suffixes in [&WHOLE[..1], &WHOLE[..]] {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (producer(&file(&dir)), consumer(&file(&dir)));
        one.enqueue("gone".to_owned()).unwrap();
        other.enqueue("gone too".to_owned()).unwrap();
        delete(&file(&dir), suffixes);
        one.enqueue("a".to_owned()).unwrap();
        other.enqueue("b".to_owned()).unwrap();
        one.enqueue_all(["c".to_owned()]).unwrap();
        let mut late = consumer(&file(&dir));
        assert_eq!(ready(&late), ["a", "b", "c"], "{suffixes:?}");
        assert_eq!(late.check().unwrap(), Vec::<String>::new());
        assert_eq!(late.claim(9).unwrap().len(), 3);
    }
}

#[test]
fn a_job_that_stands_in_the_old_file_only_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = producer(&file(&dir));
    let job = || NewJob::new("a".to_owned()).key("k");
    queue.enqueue(job()).unwrap();
    delete(&file(&dir), &WHOLE);
    let stored = queue.ensure(job(), |_, _| true).unwrap();
    assert!(matches!(stored, Enqueued::Added(_)), "{stored:?}");
    assert_eq!(ready(&producer(&file(&dir))), ["a"]);
}

/// Ids and claim numbers of the new file are those of the old one again.
#[test]
fn a_claim_from_the_old_file_touches_nothing_in_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let open = || consumer(&file(&dir));
    let mut old = open();
    old.enqueue_all((0..9).map(|n| n.to_string())).unwrap();
    let mut claims = old.claim(9).unwrap();
    delete(&file(&dir), &WHOLE);
    let mut new = open();
    new.enqueue_all((0..9).map(|n| format!("new {n}"))).unwrap();
    // The owner's number is taken by the process that still has the old file.
    let held = new.claim(4).unwrap();
    assert_eq!(held.len(), 4);

    let mut claim = claims.pop().unwrap();
    let due = SystemTime::now();
    let mut refused = vec![
        old.extend(&mut claim, Duration::from_secs(1)).unwrap_err(),
        old.transaction(|tx| tx.done(&claim)).unwrap_err(),
        new.extend(&mut claim, Duration::from_secs(1)).unwrap_err(),
        new.done(claim).unwrap_err(),
    ];
    let mut refuse = |settle: Settle<'_>| {
        refused.push(settle(&mut old, claims.pop().unwrap()).unwrap_err());
    };
    refuse(&|queue, claim| queue.done(claim));
    refuse(&|queue, claim| queue.retry_at(claim, due, "E", "e"));
    refuse(&|queue, claim| queue.defer(claim, due, "not now"));
    refuse(&|queue, claim| queue.dead(claim, "E", "e"));
    refuse(&|queue, claim| queue.release(claim));
    for error in refused {
        assert!(matches!(error, Error::Replaced { .. }), "{error}");
    }
    assert_eq!(old.release_held().unwrap(), 0);
    assert_eq!(new.counts().unwrap().running, 4);
    // Both work on.
    let more = old.claim(9).unwrap();
    assert_eq!(more.len(), 5);
    for claim in held {
        new.done(claim).unwrap();
    }
    for claim in more {
        old.done(claim).unwrap();
    }
    assert_eq!(new.check().unwrap(), Vec::<String>::new());
    assert_eq!(new.counts().unwrap().done, 9);
}

/// Its number is that of a claim in the new file, and its lease is over first.
#[test]
fn what_was_held_in_the_old_file_ends_no_lease_in_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<ManualClock> = Arc::default();
    let lease = Duration::from_secs(300);
    let options = Options::consumer().lease(lease).clock(clock.clone());
    let mut worker: Queue<String> = Queue::open(file(&dir), options).unwrap();
    worker.enqueue("gone".to_owned()).unwrap();
    let _old = worker.claim(1).unwrap();
    clock.advance(lease * 2 / 3);
    delete(&file(&dir), &WHOLE);
    worker.enqueue("new".to_owned()).unwrap();
    let claim = worker.claim(1).unwrap().pop().unwrap();
    clock.advance(lease * 2 / 3);
    assert!(worker.claim(1).unwrap().is_empty());
    worker.done(claim).unwrap();
}

/// A claim does not look whether the file is still there, but what settles it does.
#[test]
fn a_busy_worker_goes_over_when_it_settles_or_finds_no_more() {
    for left in [1, 0] {
        let dir = tempfile::tempdir().unwrap();
        let mut worker = consumer(&file(&dir));
        worker
            .enqueue_all((0..1 + left).map(|n| n.to_string()))
            .unwrap();
        let first = worker.claim(1).unwrap().pop().unwrap();
        worker.done(first).unwrap();
        delete(&file(&dir), &WHOLE);
        producer(&file(&dir)).enqueue("new".to_owned()).unwrap();
        let mut claim = worker.claim(1).unwrap().pop().unwrap();
        if left > 0 {
            assert_eq!(claim.payload(), "1");
            let error = worker.done(claim).unwrap_err();
            assert!(matches!(error, Error::Replaced { .. }), "{error}");
            claim = worker.claim(1).unwrap().pop().unwrap();
        }
        assert_eq!(claim.payload(), "new");
        worker.done(claim).unwrap();
        assert_eq!(worker.counts().unwrap().live(), 0);
    }
}

/// Closing gives back what is held, but not what another holds under the same number.
#[test]
fn closing_a_queue_of_the_old_file_leaves_the_new_one_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = consumer(&file(&dir));
    old.enqueue("a".to_owned()).unwrap();
    let claims = old.claim(1).unwrap();
    delete(&file(&dir), &WHOLE);
    let mut new = consumer(&file(&dir));
    new.enqueue("new".to_owned()).unwrap();
    let held = new.claim(1).unwrap();
    drop(old);
    assert_eq!(new.counts().unwrap().running, 1);
    let mut third = consumer(&file(&dir));
    assert!(third.claim(1).unwrap().is_empty());
    for claim in held {
        new.done(claim).unwrap();
    }
    drop(claims);
}

/// A copy of the file is put in its place, as from a backup: what it holds as claimed is claimed by
/// nobody.
#[test]
fn what_a_copy_holds_as_claimed_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (file(&dir), dir.path().join("copy.db"));
    let mut worker = consumer(&path);
    worker.enqueue("held in the copy".to_owned()).unwrap();
    let held = worker.claim(1).unwrap().pop().unwrap();
    worker.maintain().unwrap();
    fs::copy(&path, &copy).unwrap();
    delete(&path, &WHOLE);
    fs::rename(&copy, &path).unwrap();
    let refused = worker.transaction(|tx| tx.done(&held));
    assert!(matches!(refused, Err(Error::Replaced { .. })));
    let again = worker.claim(9).unwrap().pop().unwrap();
    assert_eq!(again.payload(), "held in the copy");
    worker.done(again).unwrap();
}

#[test]
fn closing_a_queue_makes_no_file_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = consumer(&file(&dir));
    queue.enqueue("a".to_owned()).unwrap();
    let claims = queue.claim(1).unwrap();
    delete(&file(&dir), &WHOLE);
    drop(queue);
    let left = fs::read_dir(dir.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["q.db-in-use"]);
    drop(claims);
}

/// In an event loop that has no use for a claim just now.
#[test]
fn a_file_that_goes_is_a_change_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = consumer(&file(&dir));
    queue.changed().unwrap();
    delete(&file(&dir), &WHOLE);
    assert!(queue.changed().unwrap());
    assert!(!queue.changed().unwrap());
    drop(producer(&file(&dir)));
    assert!(queue.changed().unwrap());
    assert!(!queue.changed().unwrap());
}

#[test]
fn a_sleeping_worker_hears_of_the_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut worker = consumer(&file(&dir));
    worker.changed().unwrap();
    delete(&file(&dir), &WHOLE);
    producer(&file(&dir)).enqueue("a".to_owned()).unwrap();
    let woken = worker.wait(Duration::from_secs(60)).unwrap();
    assert_eq!(woken, Wake::Changed);
    assert_eq!(worker.claim(1).unwrap()[0].payload(), "a");
}
