//! Clocks that are set back: what was ready stays so, and what waits does not wait longer than it
//! was told to.

use std::time::Duration;

use queue::{Clock, State};

use super::{Settle, Store, Subject, job, keyed, later, one, payloads};

const HOUR: Duration = Duration::from_secs(3_600);
const WAIT: Duration = Duration::from_secs(60);

fn set_back(store: &impl Store) {
    let clock = store.clock();
    clock.set(clock.now() - HOUR);
}

pub fn a_released_job_is_ready_although_the_clock_was_set_back<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(job("a")).unwrap();
    let claim = one(&mut queue);
    set_back(store);
    queue.settle(claim, Settle::Release).unwrap();
    assert_eq!(payloads::<S::Subject>(&queue.claim(9)), ["a"]);
}

pub fn a_ready_job_that_is_replaced_stays_ready<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(keyed("k", "old")).unwrap();
    set_back(store);
    queue.enqueue(keyed("k", "new").due_in(WAIT)).unwrap();
    assert_eq!(payloads::<S::Subject>(&queue.claim(9)), ["new"]);
}

pub fn a_follow_up_that_was_due_stays_due<S: Store>(store: &S) {
    for how in [Settle::Done, Settle::Retry(later(store, 60))] {
        let mut queue = store.open();
        queue.enqueue(keyed("k", "old")).unwrap();
        let claim = one(&mut queue);
        queue.enqueue(keyed("k", "new")).unwrap();
        set_back(store);
        queue.settle(claim, how).unwrap();
        let claim = one(&mut queue);
        assert_eq!(S::Subject::show(&claim).payload, "new");
        queue.settle(claim, Settle::Done).unwrap();
    }
}

/// Its wait begins when a claim first sees the clock that is right.
pub fn what_a_wrong_clock_put_off_waits_from_now_on<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(keyed("in", "in").due_in(WAIT)).unwrap();
    queue
        .enqueue(keyed("at", "at").due_at(later(store, 60)))
        .unwrap();
    for (key, how) in [
        ("retry", Settle::Retry(later(store, 60))),
        ("defer", Settle::Defer(later(store, 60))),
    ] {
        queue.enqueue(keyed(key, key)).unwrap();
        let claim = one(&mut queue);
        queue.settle(claim, how).unwrap();
    }
    set_back(store);
    assert_eq!(
        queue.next_due(),
        Some(later(store, 0)),
        "a claim has to look"
    );
    assert!(queue.claim(9).is_empty());
    assert_eq!(queue.next_due(), Some(later(store, 60)));
    store.clock().advance(WAIT - Duration::from_secs(1));
    assert!(queue.claim(9).is_empty());
    store.clock().advance(Duration::from_secs(1));
    assert_eq!(queue.claim(9).len(), 4);
    assert_eq!(queue.counts().waiting, 0);
    assert_eq!(queue.cancel("in"), Some(State::Running));
}
