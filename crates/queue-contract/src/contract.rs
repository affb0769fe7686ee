//! Leases, fencing, order, attempts, dead letters, pause, clock steps.

use std::collections::HashSet;
use std::time::Duration;

use queue::{Clock, DeadFilter, EventKind, NewJob, OnConflict};

use super::{Refusal, Settle, Store, Subject, every_settle, job, keyed, later, one, payloads};

const SECOND: Duration = Duration::from_secs(1);

pub fn order_is_priority_then_due_time_then_age<S: Store>(store: &S) {
    let mut queue = store.open();
    let at = |payload: &str, seconds, priority| {
        job(payload)
            .due_at(later(store, seconds))
            .priority(priority)
    };
    for new in [
        at("4", 3, 0),
        at("2", 1, 0),
        at("3", 1, 0),
        at("5", 0, 7),
        at("1", 5, -1),
        at("not due", 6, -9),
    ] {
        queue.enqueue(new).unwrap();
    }
    store.clock().advance(5 * SECOND);
    let batch = queue.claim(3);
    assert_eq!(payloads::<S::Subject>(&batch), ["1", "2", "3"]);
    assert_eq!(payloads::<S::Subject>(&queue.claim(9)), ["4", "5"]);
}

pub fn nothing_is_claimed_before_it_is_due<S: Store>(store: &S) {
    let mut queue = store.open();
    assert_eq!(queue.next_due(), None);
    queue.enqueue(job("a").due_in(10 * SECOND)).unwrap();
    assert_eq!(
        (queue.next_due(), queue.counts().waiting),
        (Some(later(store, 10)), 1)
    );
    store
        .clock()
        .advance(10 * SECOND - Duration::from_millis(1));
    assert!(queue.claim(1).is_empty());
    store.clock().advance(Duration::from_millis(1));
    let claim = one(&mut queue);
    assert_eq!(queue.next_due(), None);
    queue.settle(claim, Settle::Retry(later(store, 3))).unwrap();
    assert_eq!(queue.next_due(), Some(later(store, 3)));
    queue.enqueue(job("ready")).unwrap();
    assert_eq!(queue.next_due(), Some(later(store, 0)));
}

pub fn a_batch_is_n_distinct_jobs_or_all_there_are<S: Store>(store: &S) {
    let mut queue = store.open();
    let added = queue
        .enqueue_all((0..10).map(|n| job(&n.to_string())).collect())
        .unwrap();
    assert_eq!(
        added
            .iter()
            .map(|added| added.job())
            .collect::<HashSet<_>>()
            .len(),
        10
    );
    let (first, second) = (queue.claim(7), queue.claim(7));
    assert_eq!((first.len(), second.len(), queue.claim(1).len()), (7, 3, 0));
    let claims = first
        .iter()
        .chain(&second)
        .map(|claim| S::Subject::show(claim).job);
    assert_eq!(claims.collect::<HashSet<_>>().len(), 10);
    assert!(queue.claim(0).is_empty());
}

pub fn a_batch_is_enqueued_whole_or_not_at_all<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(keyed("taken", "a")).unwrap();
    let batch = vec![
        job("b"),
        keyed("taken", "c").on_conflict(OnConflict::Reject),
        job("d"),
    ];
    assert!(matches!(
        queue.enqueue_all(batch),
        Err(Refusal::KeyTaken(_))
    ));
    let batch = vec![job("b"), job(&"x".repeat(S::Subject::PAYLOAD_LIMIT + 1))];
    assert_eq!(queue.enqueue_all(batch), Err(Refusal::TooLarge));
    assert_eq!(queue.counts().live(), 1);
}

pub fn a_settled_claim_is_settled_once<S: Store>(store: &S) {
    for how in every_settle(later(store, 0)) {
        let (mut queue, mut other) = (store.open(), store.open());
        queue.enqueue(job("a")).unwrap();
        let claim = one(&mut queue);
        // A handle may settle what another handle of the process claimed.
        other.done_then(&claim, vec![]).unwrap();
        assert_eq!(queue.settle(claim, how), Err(Refusal::LeaseLost));
        assert_eq!(queue.counts().live(), 0);
    }
}

pub fn a_late_settle_is_refused_and_changes_nothing<S: Store>(store: &S) {
    for how in every_settle(later(store, 60)) {
        for reclaimed in [false, true] {
            let mut queue = store.open();
            let id = queue.enqueue(keyed("k", "a")).unwrap().job();
            let mut claim = one(&mut queue);
            store.clock().advance(S::Subject::LEASE);
            let newer = reclaimed.then(|| one(&mut queue));
            let before = (queue.counts(), queue.history(id));
            assert_eq!(
                queue.extend(&mut claim, SECOND),
                Err(Refusal::LeaseLost),
                "never revives"
            );
            assert_eq!(
                queue.done_then(&claim, vec![job("follow-up")]),
                Err(Refusal::LeaseLost)
            );
            assert_eq!(queue.settle(claim, how.clone()), Err(Refusal::LeaseLost));
            assert_eq!((queue.counts(), queue.history(id)), before, "{how:?}");
            let newer = newer.unwrap_or_else(|| one(&mut queue));
            assert_eq!(S::Subject::show(&newer).lost, 1);
            queue.settle(newer, Settle::Done).unwrap();
        }
    }
}

pub fn extending_keeps_the_lease_and_never_shortens_it<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(job("a")).unwrap();
    let mut claim = one(&mut queue);
    queue.extend(&mut claim, SECOND).unwrap();
    store.clock().advance(S::Subject::LEASE - SECOND);
    assert!(queue.claim(1).is_empty());
    queue.extend(&mut claim, 5 * S::Subject::LEASE).unwrap();
    store.clock().advance(5 * S::Subject::LEASE - SECOND);
    assert!(queue.claim(1).is_empty() && store.open().claim(1).is_empty());
    queue.settle(claim, Settle::Done).unwrap();
}

pub fn attempts_count_only_what_was_tried<S: Store>(store: &S) {
    let mut queue = store.open();
    let id = queue.enqueue(job("a")).unwrap().job();
    let now = later(store, 0);
    let mut expect = |attempt, deferred, lost, how: Option<Settle>| {
        let claim = one(&mut queue);
        let shown = S::Subject::show(&claim);
        assert_eq!(
            (shown.attempt, shown.deferred, shown.lost),
            (attempt, deferred, lost),
            "before {how:?}"
        );
        match how {
            Some(how) => queue.settle(claim, how).unwrap(),
            None => store.clock().advance(S::Subject::LEASE),
        }
    };
    expect(1, 0, 0, Some(Settle::Retry(now)));
    expect(2, 0, 0, Some(Settle::Defer(now)));
    expect(2, 1, 0, Some(Settle::Defer(now)));
    expect(2, 2, 0, None);
    expect(2, 2, 1, None);
    expect(2, 2, 2, Some(Settle::Release));
    expect(2, 2, 2, Some(Settle::Retry(now)));
    expect(3, 2, 0, Some(Settle::Dead("Broken")));
    let history = [
        (EventKind::Retried, 1),
        (EventKind::Deferred, 2),
        (EventKind::Lost, 2),
        (EventKind::Released, 1),
        (EventKind::Retried, 1),
        (EventKind::Died, 1),
    ];
    assert_eq!(queue.history(id), history);
    let counts = queue.counts();
    assert_eq!(
        (counts.deferred, counts.lost, counts.dead, counts.live()),
        (2, 2, 1, 0)
    );
}

pub fn a_lost_job_is_delivered_alone<S: Store>(store: &S) {
    let mut queue = store.open();
    queue
        .enqueue_all(["killer", "victim", "c", "d"].map(job).into())
        .unwrap();
    assert_eq!(queue.claim(2).len(), 2);
    store.clock().advance(S::Subject::LEASE);
    // They come back as of now, behind the others.
    assert_eq!(payloads::<S::Subject>(&queue.claim(9)), ["c", "d"]);
    assert_eq!(payloads::<S::Subject>(&queue.claim(9)), ["killer"]);
    store.clock().advance(S::Subject::LEASE);
    // Its worker has died again, with what else it held.
    for (payload, lost) in [("victim", 1), ("killer", 2), ("c", 1), ("d", 1)] {
        let claims = queue.claim(9);
        assert_eq!(payloads::<S::Subject>(&claims), [payload]);
        for claim in claims {
            assert_eq!(S::Subject::show(&claim).lost, lost, "{payload}");
            queue.settle(claim, Settle::Done).unwrap();
        }
    }
}

pub fn what_a_stopping_worker_holds_is_released<S: Store>(store: &S) {
    let (mut stopping, mut other) = (store.open(), store.open());
    stopping
        .enqueue_all(vec![job("a"), job("b"), job("c")])
        .unwrap();
    let mut claims = stopping.claim(3);
    let done = claims.pop().unwrap();
    stopping.settle(done, Settle::Done).unwrap();
    assert_eq!((stopping.release_held(), stopping.release_held()), (2, 0));
    let claims_again = other.claim(9);
    assert_eq!(claims_again.len(), 2);
    assert!(
        claims_again
            .iter()
            .all(|claim| S::Subject::show(claim).attempt == 1)
    );
    for claim in claims {
        assert_eq!(
            stopping.settle(claim, Settle::Done),
            Err(Refusal::LeaseLost)
        );
    }
    drop(other);
    assert_eq!(stopping.claim(9).len(), 2, "closing releases too");
}

pub fn done_and_follow_ups_are_one_step<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(keyed("k", "a")).unwrap();
    let claim = one(&mut queue);
    let refused = vec![job("b"), job(&"x".repeat(S::Subject::PAYLOAD_LIMIT + 1))];
    assert_eq!(queue.done_then(&claim, refused), Err(Refusal::TooLarge));
    assert_eq!(
        (
            queue.counts().running,
            queue.counts().live(),
            queue.counts().done
        ),
        (1, 1, 0)
    );
    queue
        .done_then(&claim, vec![keyed("k", "again"), job("b")])
        .unwrap();
    assert_eq!(
        (
            queue.counts().running,
            queue.counts().live(),
            queue.counts().done
        ),
        (0, 2, 1)
    );
    assert_eq!(payloads::<S::Subject>(&queue.claim(9)), ["again", "b"]);
}

pub fn pause_stops_claims_in_all_processes_and_survives_restarts<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue_all(vec![job("a"), job("b")]).unwrap();
    let claim = one(&mut queue);
    queue.pause(true);
    assert!(queue.claim(9).is_empty() && store.open().claim(9).is_empty());
    assert_eq!(queue.next_due(), None);
    queue.settle(claim, Settle::Done).unwrap();
    queue.enqueue(job("c")).unwrap();
    drop(queue);
    let mut queue = store.open();
    assert!(queue.claim(9).is_empty());
    queue.pause(false);
    assert_eq!(queue.claim(9).len(), 2);
}

/// What comes due, is put back, redriven or lost meanwhile waits for the end of the pause.
pub fn pause_holds_jobs_in_every_state<S: Store>(store: &S) {
    let mut queue = store.open();
    for payload in ["retried", "dead", "lost"] {
        queue.enqueue(job(payload)).unwrap();
    }
    let mut claims = queue.claim(3);
    let _lost = claims.pop();
    let (dead, retried) = (claims.pop().unwrap(), claims.pop().unwrap());
    queue.settle(dead, Settle::Dead("E")).unwrap();
    queue.enqueue(job("waiting").due_in(SECOND)).unwrap();
    queue.pause(true);
    queue
        .settle(retried, Settle::Retry(later(store, 0)))
        .unwrap();
    assert_eq!(queue.redrive(&DeadFilter::all()).jobs, 1);
    store.clock().advance(S::Subject::LEASE);
    let mut other = store.open();
    for _ in 0..2 {
        assert!(queue.claim(9).is_empty() && other.claim(9).is_empty());
        assert_eq!(queue.next_due(), None);
    }
    assert_eq!(queue.counts().live(), 4);
    other.pause(false);
    // What was lost comes alone.
    let mut all = queue.claim(9);
    all.extend(queue.claim(9));
    let mut all = payloads::<S::Subject>(&all);
    all.sort();
    assert_eq!(all, ["dead", "lost", "retried", "waiting"]);
}

pub fn an_oversized_payload_is_refused<S: Store>(store: &S) {
    let mut queue = store.open();
    // Two more are its quotes.
    queue
        .enqueue(job(&"x".repeat(S::Subject::PAYLOAD_LIMIT - 2)))
        .unwrap();
    assert_eq!(
        queue.enqueue(job(&"x".repeat(S::Subject::PAYLOAD_LIMIT - 1))),
        Err(Refusal::TooLarge)
    );
    assert_eq!(queue.counts().live(), 1);
}

pub fn a_write_by_another_handle_is_noticed<S: Store>(store: &S) {
    let (mut queue, mut other) = (store.open(), store.open());
    queue.changed();
    assert!(!queue.changed());
    other.enqueue(job("a")).unwrap();
    assert!(queue.changed() && !queue.changed());
}

pub fn a_stepped_clock_takes_no_job_from_a_live_owner<S: Store>(store: &S) {
    for step in [-86_400i64, -1, 1, 86_400] {
        let (mut queue, mut other) = (store.open(), store.open());
        queue.enqueue(job("a")).unwrap();
        let mut claim = one(&mut queue);
        let now = store.clock().now();
        let by = Duration::from_secs(step.unsigned_abs());
        store
            .clock()
            .set(if step < 0 { now - by } else { now + by });
        assert!(
            queue.claim(1).is_empty() && other.claim(1).is_empty(),
            "step by {step} s"
        );
        // As long as the owner extends its lease it keeps the job.
        for _ in 0..4 {
            store.clock().advance(S::Subject::LEASE / 2);
            queue.extend(&mut claim, S::Subject::LEASE).unwrap();
            assert!(
                queue.claim(1).is_empty() && other.claim(1).is_empty(),
                "step by {step} s"
            );
        }
        queue.settle(claim, Settle::Done).unwrap();
        assert_eq!(queue.counts().live(), 0);
    }
}

pub fn a_hung_owner_loses_its_job_in_the_end<S: Store>(store: &S) {
    let (mut queue, mut other) = (store.open(), store.open());
    queue.enqueue(job("a")).unwrap();
    let claim = one(&mut queue);
    assert!(other.claim(1).is_empty());
    store.clock().advance(S::Subject::LEASE);
    // The owner lives but does nothing: a whole lease is watched, in case the clock was stepped.
    assert!(other.claim(1).is_empty());
    store.clock().advance(S::Subject::LEASE);
    let again = one(&mut other);
    assert_eq!(queue.settle(claim, Settle::Done), Err(Refusal::LeaseLost));
    other.settle(again, Settle::Done).unwrap();
}

/// Other than one that hangs: others need not wait for its lease.
pub fn a_dead_owner_loses_its_jobs_at_once<S: Store>(store: &S) {
    let (mut dying, mut other) = (store.open(), store.open());
    dying.enqueue(keyed("k", "a")).unwrap();
    let claim = one(&mut dying);
    assert!(other.claim(1).is_empty());
    dying.die();
    let again = one(&mut other);
    let shown = S::Subject::show(&again);
    assert_eq!((shown.lost, shown.attempt), (1, 1));
    // What it leaves behind is void.
    let mut late = store.open();
    assert_eq!(late.settle(claim, Settle::Done), Err(Refusal::LeaseLost));
    other.settle(again, Settle::Done).unwrap();
    assert_eq!(other.counts().live(), 0);
}

pub fn many_claimers_share_the_jobs<S: Store>(store: &S) {
    const JOBS: usize = 400;
    let mut queue = store.open();
    queue
        .enqueue_all(
            (0..JOBS)
                .map(|n| NewJob::new(n.to_string()).key(n.to_string()))
                .collect(),
        )
        .unwrap();
    let handles: Vec<S::Subject> = (0..8).map(|_| store.open()).collect();
    let done: Vec<Vec<String>> = std::thread::scope(|scope| {
        let work = |mut queue: S::Subject| {
            let mut done = Vec::new();
            loop {
                let claims = queue.claim(3);
                if claims.is_empty() {
                    break done;
                }
                for claim in claims {
                    done.push(S::Subject::show(&claim).payload);
                    queue.settle(claim, Settle::Done).unwrap();
                }
            }
        };
        let threads: Vec<_> = handles
            .into_iter()
            .map(|queue| scope.spawn(move || work(queue)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let all: Vec<&String> = done.iter().flatten().collect();
    assert_eq!(
        (all.len(), all.iter().collect::<HashSet<_>>().len()),
        (JOBS, JOBS)
    );
    assert_eq!(queue.counts().done, JOBS as u64);
}
