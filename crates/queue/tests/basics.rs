//! One job's ways through the queue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use queue::{
    Claim, Clock, DeadFilter, Enqueued, Error, EventKind, ManualClock, NewJob, OnConflict, Options,
    Queue, State,
};

struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
        }
    }

    fn open(&self) -> Queue<String> {
        Queue::open(
            self.dir.path().join("q.db"),
            Options::consumer().clock(self.clock.clone()),
        )
        .unwrap()
    }
}

#[test]
fn done_job_is_gone_and_counted() {
    let bench = Bench::new();
    let mut queue = bench.open();
    queue.enqueue("a".to_owned()).unwrap();
    assert_eq!(queue.counts().unwrap().ready, 1);
    let claim = queue.claim(1).unwrap().pop().unwrap();
    assert_eq!((claim.payload().as_str(), claim.attempt()), ("a", 1));
    assert_eq!(queue.counts().unwrap().running, 1);
    queue.done(claim).unwrap();
    let counts = queue.counts().unwrap();
    assert_eq!((counts.live(), counts.done), (0, 1));
    assert!(queue.claim(1).unwrap().is_empty());
}

#[test]
fn newest_payload_wins_while_waiting_and_while_running() {
    let bench = Bench::new();
    let mut queue = bench.open();
    let job = |payload: &str| NewJob::new(payload.to_owned()).key("k");
    let later = queue
        .enqueue(job("1").due_in(Duration::from_secs(60)))
        .unwrap();
    assert!(matches!(later, Enqueued::Added(_)));
    assert_eq!(
        queue.enqueue(job("2")).unwrap(),
        Enqueued::Replaced(later.job())
    );
    let claim = queue.claim(1).unwrap().pop().unwrap();
    assert_eq!(claim.payload(), "2");
    assert_eq!(
        queue.enqueue(job("3")).unwrap(),
        Enqueued::FollowUp(later.job())
    );
    assert_eq!(
        queue.enqueue(job("4")).unwrap(),
        Enqueued::FollowUp(later.job())
    );
    assert!(
        queue.claim(1).unwrap().is_empty(),
        "never two running for a key"
    );
    assert!(matches!(
        queue.enqueue(job("5").on_conflict(OnConflict::Reject)),
        Err(Error::KeyTaken { .. })
    ));
    queue.done(claim).unwrap();
    let follow_up = queue.claim(5).unwrap();
    assert_eq!(
        follow_up
            .iter()
            .map(queue::Claim::payload)
            .collect::<Vec<_>>(),
        ["4"]
    );
}

#[test]
fn a_dead_owners_jobs_come_back_at_once() {
    let bench = Bench::new();
    let (mut one, mut other) = (bench.open(), bench.open());
    one.enqueue("a".to_owned()).unwrap();
    let claim = one.claim(1).unwrap().pop().unwrap();
    assert!(other.claim(1).unwrap().is_empty());
    drop(one);
    let again = other.claim(1).unwrap().pop().unwrap();
    assert_eq!(again.job(), claim.job());
    assert!(matches!(other.done(claim), Err(Error::LeaseLost { .. })));
    other.done(again).unwrap();
}

#[test]
fn waiting_jobs_are_due_on_time() {
    let bench = Bench::new();
    let mut queue = bench.open();
    queue
        .enqueue(NewJob::new("a".to_owned()).due_in(Duration::from_secs(60)))
        .unwrap();
    assert!(queue.claim(1).unwrap().is_empty());
    assert_eq!(
        queue.next_due().unwrap(),
        Some(bench.clock.now() + Duration::from_secs(60))
    );
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(queue.claim(1).unwrap().len(), 1);
    assert_eq!(queue.cancel("none").unwrap(), None::<State>);
}

#[test]
fn clearing_leaves_what_runs_and_its_follow_up() {
    let bench = Bench::new();
    let mut queue = bench.open();
    let job = |key: &str| NewJob::new(key.to_owned()).key(key);
    queue.enqueue(job("runs")).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue.enqueue(job("runs")).unwrap();
    queue.enqueue(job("ready")).unwrap();
    queue
        .enqueue(job("later").due_in(Duration::from_secs(60)))
        .unwrap();
    let id = queue.enqueue(job("failed")).unwrap().job();
    let failed = queue.claim(10).unwrap();
    for claim in failed {
        let due = bench.clock.now();
        if claim.job() == id {
            queue.retry_at(claim, due, "Timeout", "slow").unwrap();
        } else {
            queue.release(claim).unwrap();
        }
    }
    assert_eq!(queue.history(id).unwrap().len(), 1);
    assert_eq!(queue.clear().unwrap(), 3);
    let counts = queue.counts().unwrap();
    assert_eq!((counts.waiting, counts.ready, counts.running), (0, 0, 1));
    assert!(queue.history(id).unwrap().is_empty());
    assert_eq!(queue.clear().unwrap(), 0);
    queue.done(claim).unwrap();
    assert_eq!(queue.claim(1).unwrap()[0].payload(), "runs");
}

#[test]
fn dead_letters_are_named_by_id_and_key() {
    let bench = Bench::new();
    let mut queue = bench.open();
    queue.enqueue("no key".to_owned()).unwrap();
    for key in ["a", "b"] {
        queue.enqueue(NewJob::new(key.to_owned()).key(key)).unwrap();
    }
    for claim in queue.claim(3).unwrap() {
        let kind = if claim.key() == Some("a") { "A" } else { "B" };
        queue.dead(claim, kind, "").unwrap();
    }
    let keys = |filter: &DeadFilter| -> Vec<String> {
        let mut letters = queue.dead_keys(filter).unwrap();
        letters.sort();
        letters.into_iter().map(|(_, key)| key).collect()
    };
    assert_eq!(keys(&DeadFilter::all()), ["a", "b"]);
    assert_eq!(keys(&DeadFilter::all().error_type("B")), ["b"]);
    let (id, _) = queue.dead_keys(&DeadFilter::all().key("a")).unwrap()[0];
    assert_eq!(keys(&DeadFilter::all().job(id)), ["a"]);
    assert_eq!(queue.purge(&DeadFilter::all().job(id)).unwrap(), 1);
    assert!(
        queue
            .dead_keys(&DeadFilter::all().key("a"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_copy_made_by_sqlite_opens_as_a_queue() {
    let bench = Bench::new();
    let mut queue = bench.open();
    queue.enqueue_all(["a", "b"].map(str::to_owned)).unwrap();
    let running = queue.claim(1).unwrap();
    let copy = queue.path().with_file_name("backup.db");
    queue
        .sql()
        .execute("VACUUM INTO ?1", [copy.to_str()])
        .unwrap();
    let inspector: Queue<String> = Queue::open(&copy, Options::inspector()).unwrap();
    assert_eq!(inspector.counts().unwrap(), queue.counts().unwrap());
    drop(inspector);
    let options = Options::consumer().clock(bench.clock.clone());
    let mut restored: Queue<String> = Queue::open(&copy, options).unwrap();
    assert_eq!(restored.check().unwrap(), Vec::<String>::new());
    let payload = |claims: &[Claim<String>]| claims[0].payload().clone();
    assert_eq!(payload(&restored.claim(1).unwrap()), "b");
    // What ran when the copy was made has no worker there, nor the lock file of one.
    let lease = Duration::from_secs(300);
    bench.clock.advance(lease);
    assert_eq!(payload(&restored.claim(1).unwrap()), "b");
    bench.clock.advance(lease);
    assert_eq!(payload(&restored.claim(1).unwrap()), "a");
    drop(running);
}

#[test]
fn a_dead_letter_tells_all_that_happened() {
    let bench = Bench::new();
    let mut queue = bench.open();
    let (start, second) = (bench.clock.now(), Duration::from_secs(1));
    let job = |payload: &str| NewJob::new(payload.to_owned()).key("k").priority(-3);
    let id = queue.enqueue(job("old")).unwrap().job();
    bench.clock.advance(second);
    queue.enqueue(job("new")).unwrap();
    let enqueued = bench.clock.now();
    for message in ["30 s", "30 s", "60 s"] {
        let claim = queue.claim(1).unwrap().pop().unwrap();
        let now = bench.clock.now();
        queue.retry_at(claim, now, "Timeout", message).unwrap();
        bench.clock.advance(second);
    }
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue
        .defer(claim, bench.clock.now(), "the server is down")
        .unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    let long = "é".repeat(5_000);
    queue.dead(claim, "Refused", &long).unwrap();
    let died = bench.clock.now();

    let letter = queue.dead_letters(&DeadFilter::all()).unwrap().remove(0);
    assert_eq!(
        (letter.id, letter.died, letter.enqueued),
        (id, died, enqueued)
    );
    assert_eq!(
        (letter.error_type.as_str(), letter.key.as_deref()),
        ("Refused", Some("k"))
    );
    assert!(long.starts_with(&letter.message) && letter.message.len() == 4_096);
    assert_eq!((letter.priority, letter.payload.as_str()), (-3, "\"new\""));
    assert_eq!(
        (
            letter.attempts,
            letter.deferred,
            letter.lost,
            letter.superseded
        ),
        (4, 1, 0, 1)
    );
    let told: Vec<_> = queue
        .history(id)
        .unwrap()
        .into_iter()
        .map(|event| {
            let at = |time: SystemTime| time.duration_since(start).unwrap().as_secs();
            let message = event.message.unwrap_or_default();
            (
                event.kind,
                (at(event.first), at(event.last), event.times),
                event.error_type.unwrap_or_default(),
                message.chars().take(20).collect::<String>(),
            )
        })
        .collect();
    let event = |kind, times, error_type: &str, message: &str| {
        (kind, times, error_type.to_owned(), message.to_owned())
    };
    assert_eq!(
        told,
        [
            event(EventKind::Superseded, (1, 1, 1), "", ""),
            event(EventKind::Retried, (1, 2, 2), "Timeout", "30 s"),
            event(EventKind::Retried, (3, 3, 1), "Timeout", "60 s"),
            event(EventKind::Deferred, (4, 4, 1), "", "the server is down"),
            event(EventKind::Died, (4, 4, 1), "Refused", &"é".repeat(20)),
        ]
    );
}

#[test]
fn a_job_that_fails_for_ever_has_a_bounded_history() {
    let bench = Bench::new();
    let mut queue = bench.open();
    let id = queue.enqueue("a".to_owned()).unwrap().job();
    for n in 0..150 {
        let claim = queue.claim(1).unwrap().pop().unwrap();
        assert_eq!(claim.attempt(), n + 1);
        let now = bench.clock.now();
        queue
            .retry_at(claim, now, "Chance", &format!("failure {n}"))
            .unwrap();
    }
    let history = queue.history(id).unwrap();
    assert_eq!(history.len(), 100);
    assert_eq!(history[0].message.as_deref(), Some("failure 50"));
    assert_eq!(history[99].message.as_deref(), Some("failure 149"));
}
