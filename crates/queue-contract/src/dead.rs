//! Dead letters: how jobs die, are found, come back and go.

use std::time::Duration;

use queue::{Clock, DeadFilter, EventKind, OWNER_DIED, Redriven, State};

use super::{Settle, Store, Subject, assert_counted, job, keyed, one, payloads};

const SECOND: Duration = Duration::from_secs(1);

pub fn a_job_that_kills_its_workers_is_dead_lettered<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(job("poison")).unwrap();
    for lost in 0..S::Subject::MAX_LOST {
        let mut worker = store.open();
        let claim = one(&mut worker);
        assert_eq!(S::Subject::show(&claim).lost, lost);
        store.clock().advance(S::Subject::LEASE);
    }
    assert!(queue.claim(1).is_empty() && queue.claim(1).is_empty());
    let dead = queue.dead(&DeadFilter::all());
    assert_eq!(
        dead.iter()
            .map(|(_, error)| error.as_str())
            .collect::<Vec<_>>(),
        [OWNER_DIED]
    );
    assert_counted(&mut queue);
}

pub fn dead_letters_are_found_summed_up_redriven_and_purged<S: Store>(store: &S) {
    let mut queue = store.open();
    let mut ids = Vec::new();
    for (n, error) in ["A", "B", "A", "C"].into_iter().enumerate() {
        ids.push(queue.enqueue(keyed(&format!("k{n}"), "p")).unwrap().job());
        let claim = one(&mut queue);
        queue.settle(claim, Settle::Dead(error)).unwrap();
        store.clock().advance(SECOND);
    }
    let found = |queue: &mut S::Subject, filter: DeadFilter| -> Vec<i64> {
        queue.dead(&filter).into_iter().map(|(id, _)| id).collect()
    };
    let all = DeadFilter::all;
    assert_eq!(found(&mut queue, all()), [ids[3], ids[2], ids[1], ids[0]]);
    assert_eq!(found(&mut queue, all().error_type("A")), [ids[2], ids[0]]);
    assert_eq!(
        found(&mut queue, all().error_type("C").error_type("B")),
        [ids[3], ids[1]]
    );
    assert_eq!(found(&mut queue, all().key("k2")), [ids[2]]);
    assert_eq!(found(&mut queue, all().job(ids[1])), [ids[1]]);
    assert_eq!(found(&mut queue, all().limit(1)), [ids[3]]);
    let now = store.clock().now();
    assert_eq!(
        found(
            &mut queue,
            all().died_from(now - 3 * SECOND).died_before(now - SECOND)
        ),
        [ids[2], ids[1]]
    );
    assert_eq!(
        queue.dead_summary(),
        [("A".into(), 2), ("B".into(), 1), ("C".into(), 1)]
    );

    assert_eq!(redriven(queue.redrive(&all().error_type("A"))), (2, 0));
    let claims = queue.claim(9);
    assert!(
        claims
            .iter()
            .all(|claim| S::Subject::show(claim).attempt == 1)
    );
    assert_eq!(
        queue.history(ids[0]),
        [(EventKind::Died, 1), (EventKind::Redriven, 1)]
    );
    assert_eq!(queue.purge(&all().died_before(now - 2 * SECOND)), 1);
    assert_eq!(found(&mut queue, all()), [ids[3]]);
    for claim in claims {
        queue.settle(claim, Settle::Dead("D")).unwrap();
    }
    assert_eq!(queue.purge_but(2), 1);
    assert_eq!(found(&mut queue, all()), [ids[2], ids[0]]);
    assert!(
        queue.history(ids[3]).is_empty(),
        "history goes with the dead letter"
    );
    assert_counted(&mut queue);
    assert_eq!(queue.purge(&all()), 2);
}

/// One life after the other: attempts begin again, what happened before is still told.
pub fn redrive_resets_attempts_and_keeps_the_history<S: Store>(store: &S) {
    let mut queue = store.open();
    let id = queue.enqueue(keyed("k", "p")).unwrap().job();
    let mut history = Vec::new();
    for life in 0..3 {
        for attempt in 1..4 {
            let claim = one(&mut queue);
            let shown = S::Subject::show(&claim);
            assert_eq!(
                (shown.attempt, shown.deferred, shown.lost),
                (attempt, life, 0)
            );
            let now = store.clock().now();
            queue.settle(claim, Settle::Retry(now)).unwrap();
        }
        let claim = one(&mut queue);
        let now = store.clock().now();
        queue.settle(claim, Settle::Defer(now)).unwrap();
        let claim = one(&mut queue);
        queue.settle(claim, Settle::Dead("E")).unwrap();
        history.extend([
            (EventKind::Retried, 3),
            (EventKind::Deferred, 1),
            (EventKind::Died, 1),
        ]);
        assert_eq!(queue.history(id), history);
        assert_eq!(redriven(queue.redrive(&DeadFilter::all().job(id))), (1, 0));
        history.push((EventKind::Redriven, 1));
        assert_eq!(queue.history(id), history);
        assert_counted(&mut queue);
    }
    let claim = one(&mut queue);
    assert_eq!(S::Subject::show(&claim).job, id);
    queue.settle(claim, Settle::Done).unwrap();
    assert!(queue.history(id).is_empty(), "what is done leaves nothing");
}

fn redriven(redriven: Redriven) -> (u64, u64) {
    (redriven.jobs, redriven.skipped)
}

pub fn redrive_never_makes_two_live_jobs_for_a_key<S: Store>(store: &S) {
    let mut queue = store.open();
    for payload in ["old", "newer"] {
        queue.enqueue(keyed("k", payload)).unwrap();
        let claim = one(&mut queue);
        queue.settle(claim, Settle::Dead("E")).unwrap();
        store.clock().advance(SECOND);
    }
    queue.enqueue(keyed("k", "live")).unwrap();
    assert_eq!(redriven(queue.redrive(&DeadFilter::all())), (0, 2));
    assert_eq!(queue.cancel("k"), Some(State::Ready));
    assert_eq!(redriven(queue.redrive(&DeadFilter::all())), (1, 1));
    assert_eq!(payloads::<S::Subject>(&queue.claim(9)), ["newer"]);
}
