//! Periodic jobs: each time is used once, by whatever process, however often they are killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use child::file;
use queue::{Clock, ManualClock, NewJob, OnConflict, Options, Periodic, Queue, State};

const INTERVAL: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);

/// Its payload is the time it is for; jobs of two processes for one time would both be there.
fn tick() -> Periodic<String> {
    let next = |last: SystemTime, now: SystemTime| {
        let over = now.duration_since(last).unwrap_or_default().as_millis() / INTERVAL.as_millis();
        last + INTERVAL * (u32::try_from(over).unwrap() + 1)
    };
    Periodic::new("tick", next, |due| {
        let due = due.duration_since(UNIX_EPOCH).unwrap().as_millis();
        NewJob::new(due.to_string()).key(format!("{due} by {}", std::process::id()))
    })
}

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test periodic` runs it"]
fn plays() {
    let Some((_, file)) = child::part() else {
        return;
    };
    let mut queue = child::producer(&file);
    loop {
        queue.enqueue_due(&[tick()]).unwrap();
        std::thread::yield_now();
    }
}

#[test]
fn each_time_is_used_once_among_processes_that_are_killed() {
    let dir = tempfile::tempdir().unwrap();
    let queue = child::producer(&file(&dir));
    let spawn = || child::command("looks", &file(&dir)).spawn().unwrap();
    let mut children: Vec<_> = (0..3).map(|_| spawn()).collect();
    for round in 0..9 {
        let target = 8 * (round + 1);
        while queue.counts().unwrap().ready < target {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut killed = std::mem::replace(&mut children[round as usize % 3], spawn());
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    for mut child in children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut times = BTreeMap::<u64, u32>::new();
    for time in child::ready(&queue) {
        *times.entry(time.parse().unwrap()).or_default() += 1;
    }
    assert!(times.values().all(|jobs| *jobs == 1), "{times:?}");
    let first = *times.keys().next().unwrap();
    let phase = INTERVAL.as_millis() as u64;
    assert!(
        times
            .keys()
            .all(|time| (time - first).is_multiple_of(phase)),
        "{times:?}"
    );
    let keys = queue.jobs(State::Ready, usize::MAX).unwrap();
    let mut pids: Vec<String> = keys
        .into_iter()
        .map(|job| job.key.unwrap().split_off(14))
        .collect();
    pids.sort();
    pids.dedup();
    assert!(pids.len() > 3, "several took part: {pids:?}");
}

fn on(clock: &Arc<ManualClock>, path: &Path) -> Queue<String> {
    Queue::open(path, Options::consumer().clock(clock.clone())).unwrap()
}

fn hourly() -> [Periodic<String>; 1] {
    [Periodic::every("hourly", 3_600 * SECOND, || {
        NewJob::new("x".to_owned())
    })]
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing_and_stops_nothing() {
    let (dir, clock) = (
        tempfile::tempdir().unwrap(),
        Arc::new(ManualClock::default()),
    );
    let mut queue = on(&clock, &file(&dir));
    let start = clock.now();
    assert_eq!(
        queue.enqueue_due(&hourly()).unwrap(),
        Some(start + 3_600 * SECOND)
    );
    clock.advance(3_600 * SECOND);
    queue.enqueue_due(&hourly()).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue.done(claim).unwrap();
    // A little: this hour is used.
    clock.set(start + 3_590 * SECOND);
    queue.enqueue_due(&hourly()).unwrap();
    clock.advance(20 * SECOND);
    queue.enqueue_due(&hourly()).unwrap();
    assert_eq!(queue.counts().unwrap().live(), 0);
    // Far: the next is an hour away, not a year.
    clock.set(start - 365 * 24 * 3_600 * SECOND);
    let next = queue.enqueue_due(&hourly()).unwrap();
    assert_eq!(next, Some(clock.now() + 3_600 * SECOND));
}

#[test]
fn what_was_missed_comes_once_and_waits_for_no_other() {
    let (dir, clock) = (
        tempfile::tempdir().unwrap(),
        Arc::new(ManualClock::default()),
    );
    let start = clock.now();
    on(&clock, &file(&dir)).enqueue_due(&hourly()).unwrap();
    clock.advance(5 * 3_600 * SECOND + SECOND);
    let mut queue = on(&clock, &file(&dir));
    let next = Some(start + 6 * 3_600 * SECOND);
    assert_eq!(queue.enqueue_due(&hourly()).unwrap(), next);
    assert_eq!(queue.enqueue_due(&hourly()).unwrap(), next);
    assert_eq!(queue.counts().unwrap().live(), 1);
}

/// All or nothing: a job that cannot be stored leaves its time unused.
#[test]
fn a_time_is_not_used_when_its_job_cannot_be_stored() {
    let (dir, clock) = (
        tempfile::tempdir().unwrap(),
        Arc::new(ManualClock::default()),
    );
    let mut queue = on(&clock, &file(&dir));
    let job = || {
        NewJob::new("x".to_owned())
            .key("k")
            .on_conflict(OnConflict::Reject)
    };
    let periodic = [Periodic::every("p", SECOND, job)];
    queue.enqueue_due(&periodic).unwrap();
    queue.enqueue(job()).unwrap();
    clock.advance(SECOND);
    queue.enqueue_due(&periodic).unwrap_err();
    queue.cancel("k").unwrap();
    queue.enqueue_due(&periodic).unwrap();
    assert_eq!(queue.counts().unwrap().ready, 1);
}
