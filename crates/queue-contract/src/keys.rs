//! Keys: newest wins, never two running, in every state and by every policy.

use std::time::Duration;

use queue::{Enqueued, EventKind, OnConflict, State};

use super::model_keys::merge;
use super::{
    Refusal, Settle, Store, Subject, assert_counted, every_settle, job, keyed, later, one,
};

/// Brings the job with key "k" and payload "old" into a state.
fn in_state<S: Store>(
    store: &S,
    queue: &mut S::Subject,
    state: State,
) -> (i64, Option<<S::Subject as Subject>::Claim>) {
    let old = keyed("k", "old");
    let old = if state == State::Waiting {
        old.due_in(Duration::from_secs(60))
    } else {
        old
    };
    let id = queue.enqueue(old).unwrap().job();
    let claim = (state == State::Running).then(|| one(queue));
    let _ = store;
    (id, claim)
}

pub fn replace_gives_the_idle_job_the_newest_payload<S: Store>(store: &S) {
    for state in [State::Waiting, State::Ready] {
        let mut queue = store.open();
        let (id, _) = in_state(store, &mut queue, state);
        assert_eq!(
            queue.enqueue(keyed("k", "new")).unwrap(),
            Enqueued::Replaced(id)
        );
        let claim = one(&mut queue);
        let shown = S::Subject::show(&claim);
        assert_eq!((shown.payload.as_str(), shown.attempt), ("new", 1));
        assert_counted(&mut queue);
        queue.settle(claim, Settle::Done).unwrap();
        assert!(queue.claim(9).is_empty(), "one job, not two");
    }
}

pub fn replace_keeps_the_earlier_due_time_and_the_more_urgent_priority<S: Store>(store: &S) {
    let mut queue = store.open();
    queue
        .enqueue(keyed("k", "1").due_in(Duration::from_secs(60)).priority(-5))
        .unwrap();
    queue
        .enqueue(keyed("k", "2").due_in(Duration::from_secs(90)).priority(3))
        .unwrap();
    assert_eq!(queue.next_due(), Some(later(store, 60)));
    queue
        .enqueue(keyed("k", "3").due_in(Duration::from_secs(30)))
        .unwrap();
    assert_eq!(queue.next_due(), Some(later(store, 30)));
    queue.enqueue(job("urgent, but less").priority(-4)).unwrap();
    store.clock().advance(Duration::from_secs(30));
    assert_eq!(S::Subject::show(&one(&mut queue)).payload, "3");
}

pub fn replace_gives_fresh_attempts<S: Store>(store: &S) {
    let mut queue = store.open();
    queue.enqueue(keyed("k", "old")).unwrap();
    let claim = one(&mut queue);
    queue
        .settle(claim, Settle::Retry(later(store, 60)))
        .unwrap();
    queue.enqueue(keyed("k", "new")).unwrap();
    assert_eq!(S::Subject::show(&one(&mut queue)).attempt, 1);
}

pub fn a_change_while_running_becomes_exactly_one_follow_up<S: Store>(store: &S) {
    for how in every_settle(later(store, 0)) {
        let mut queue = store.open();
        let (id, claim) = in_state(store, &mut queue, State::Running);
        for payload in ["2", "3", "new"] {
            assert_eq!(
                queue.enqueue(keyed("k", payload)).unwrap(),
                Enqueued::FollowUp(id)
            );
        }
        assert!(
            store.open().claim(9).is_empty(),
            "never two running for a key"
        );
        let dead = queue.counts().dead;
        queue.settle(claim.unwrap(), how.clone()).unwrap();
        assert_counted(&mut queue);
        let follow_up = one(&mut queue);
        let shown = S::Subject::show(&follow_up);
        assert_eq!(
            (shown.payload.as_str(), shown.attempt, shown.key.as_deref()),
            ("new", 1, Some("k")),
            "{how:?}"
        );
        assert_eq!(
            queue.counts().dead - dead,
            u64::from(matches!(how, Settle::Dead(_)))
        );
        queue.settle(follow_up, Settle::Done).unwrap();
        assert!(queue.claim(9).is_empty(), "{how:?}: exactly one");
    }
}

pub fn a_follow_up_waits_for_its_own_due_time<S: Store>(store: &S) {
    let mut queue = store.open();
    let (_, claim) = in_state(store, &mut queue, State::Running);
    queue
        .enqueue(keyed("k", "2").due_in(Duration::from_secs(60)))
        .unwrap();
    queue
        .enqueue(keyed("k", "3").due_in(Duration::from_secs(90)))
        .unwrap();
    queue.settle(claim.unwrap(), Settle::Done).unwrap();
    assert_eq!(queue.next_due(), Some(later(store, 60)));
}

pub fn a_follow_up_survives_the_death_of_the_owner<S: Store>(store: &S) {
    let mut queue = store.open();
    let mut dying = store.open();
    let (_, claim) = in_state(store, &mut dying, State::Running);
    queue.enqueue(keyed("k", "new")).unwrap();
    store.clock().advance(S::Subject::LEASE);
    assert!(claim.is_some());
    drop(dying);
    let claim = one(&mut queue);
    assert_eq!(S::Subject::show(&claim).payload, "new");
    queue.settle(claim, Settle::Done).unwrap();
    assert!(queue.claim(9).is_empty());
}

pub fn keep_keeps<S: Store>(store: &S) {
    for state in [State::Waiting, State::Ready, State::Running] {
        let mut queue = store.open();
        let (id, claim) = in_state(store, &mut queue, state);
        let kept = queue
            .enqueue(keyed("k", "new").on_conflict(OnConflict::Keep))
            .unwrap();
        assert_eq!(kept, Enqueued::Kept(id));
        store.clock().advance(Duration::from_secs(60));
        let claim = claim.unwrap_or_else(|| one(&mut queue));
        assert_eq!(S::Subject::show(&claim).payload, "old");
        queue.settle(claim, Settle::Done).unwrap();
        assert!(queue.claim(9).is_empty(), "{state:?}");
    }
}

pub fn reject_rejects<S: Store>(store: &S) {
    for state in [State::Waiting, State::Ready, State::Running] {
        let mut queue = store.open();
        let (id, claim) = in_state(store, &mut queue, state);
        let refused = queue.enqueue(keyed("k", "new").on_conflict(OnConflict::Reject));
        assert_eq!(refused, Err(Refusal::KeyTaken(id)));
        store.clock().advance(Duration::from_secs(60));
        let claim = claim.unwrap_or_else(|| one(&mut queue));
        queue.settle(claim, Settle::Done).unwrap();
        assert!(queue.claim(9).is_empty(), "{state:?}");
    }
}

/// A job of each state, another that comes in, and how the first one ends.
pub fn merged_payloads_lose_nothing<S: Store>(store: &S) {
    let merging = |payload: &str| keyed("k", payload).merge(merge);
    for state in [State::Waiting, State::Ready] {
        let mut queue = store.open();
        in_state(store, &mut queue, state);
        queue.enqueue(merging("new")).unwrap();
        let claim = one(&mut queue);
        assert_eq!(S::Subject::show(&claim).payload, "old+new");
        queue.settle(claim, Settle::Done).unwrap();
    }
    for how in every_settle(later(store, 0)) {
        let mut queue = store.open();
        let (_, claim) = in_state(store, &mut queue, State::Running);
        queue.enqueue(merging("1")).unwrap();
        queue.enqueue(merging("2")).unwrap();
        // What was done is not to be done again; what was tried in vain is.
        let wanted = if how == Settle::Done {
            "1+2"
        } else {
            "old+1+2"
        };
        queue.settle(claim.unwrap(), how.clone()).unwrap();
        let claim = one(&mut queue);
        assert_eq!(S::Subject::show(&claim).payload, wanted, "{how:?}");
        queue.settle(claim, Settle::Done).unwrap();
    }
}

/// A job that was tried and is to be tried again is a waiting one, until it is due.
pub fn a_retried_job_follows_the_policy_too<S: Store>(store: &S) {
    for (how, tried) in [
        (Settle::Retry(later(store, 60)), 1),
        (Settle::Defer(later(store, 60)), 0),
    ] {
        for policy in [OnConflict::Replace, OnConflict::Keep, OnConflict::Reject] {
            let mut queue = store.open();
            let (id, claim) = in_state(store, &mut queue, State::Running);
            let due = later(store, 60);
            let how = match how {
                Settle::Retry(_) => Settle::Retry(due),
                _ => Settle::Defer(due),
            };
            queue.settle(claim.unwrap(), how).unwrap();
            let new = keyed("k", "new")
                .due_in(Duration::from_secs(90))
                .on_conflict(policy);
            let (answer, payload, attempt) = match policy {
                OnConflict::Replace => (Ok(Enqueued::Replaced(id)), "new", 1),
                OnConflict::Keep => (Ok(Enqueued::Kept(id)), "old", tried + 1),
                OnConflict::Reject => (Err(Refusal::KeyTaken(id)), "old", tried + 1),
            };
            assert_eq!(queue.enqueue(new), answer);
            assert_eq!(queue.next_due(), Some(due), "the earlier one");
            store.clock().advance(Duration::from_secs(60));
            let claim = one(&mut queue);
            let shown = S::Subject::show(&claim);
            assert_eq!(
                (shown.payload.as_str(), shown.attempt),
                (payload, attempt),
                "{policy:?}"
            );
            queue.settle(claim, Settle::Done).unwrap();
            assert!(queue.claim(9).is_empty(), "{policy:?}: one job, not two");
        }
    }
}

/// What is marked to follow a running job stands for the key as the job itself does.
pub fn keep_and_reject_leave_a_follow_up_alone<S: Store>(store: &S) {
    let mut queue = store.open();
    let (id, claim) = in_state(store, &mut queue, State::Running);
    queue.enqueue(keyed("k", "follow-up")).unwrap();
    let new = |policy| keyed("k", "new").on_conflict(policy);
    assert_eq!(queue.enqueue(new(OnConflict::Keep)), Ok(Enqueued::Kept(id)));
    assert_eq!(
        queue.enqueue(new(OnConflict::Reject)),
        Err(Refusal::KeyTaken(id))
    );
    queue.settle(claim.unwrap(), Settle::Done).unwrap();
    assert_eq!(S::Subject::show(&one(&mut queue)).payload, "follow-up");
}

pub fn a_dead_letters_key_is_free<S: Store>(store: &S) {
    for policy in [OnConflict::Replace, OnConflict::Keep, OnConflict::Reject] {
        let mut queue = store.open();
        let (id, claim) = in_state(store, &mut queue, State::Running);
        queue.settle(claim.unwrap(), Settle::Dead("E")).unwrap();
        assert_eq!(
            queue.cancel("k"),
            None,
            "a dead letter is purged, not cancelled"
        );
        let added = queue
            .enqueue(keyed("k", "new").on_conflict(policy))
            .unwrap();
        assert!(matches!(added, Enqueued::Added(new) if new != id));
        assert_eq!(queue.cancel("k"), Some(State::Ready));
    }
}

pub fn cancel_removes_a_job_in_every_state<S: Store>(store: &S) {
    for state in [State::Waiting, State::Ready, State::Running] {
        for how in every_settle(later(store, 0)) {
            let mut queue = store.open();
            let (_, claim) = in_state(store, &mut queue, state);
            queue.enqueue(keyed("k", "follow-up")).unwrap();
            let cancelled = queue.cancel("k").unwrap();
            assert_eq!(cancelled == State::Running, state == State::Running);
            assert_eq!(queue.cancel("k"), None);
            assert_eq!(queue.counts().live(), 0, "the follow-up too");
            if let Some(mut claim) = claim {
                assert_eq!(
                    queue.extend(&mut claim, Duration::from_secs(1)),
                    Err(Refusal::LeaseLost)
                );
                assert_eq!(queue.settle(claim, how), Err(Refusal::LeaseLost));
            }
            assert_counted(&mut queue);
            assert_eq!(queue.counts().live(), 0);
        }
    }
}

pub fn superseded_payloads_are_counted_and_remembered<S: Store>(store: &S) {
    let mut queue = store.open();
    let id = queue.enqueue(keyed("k", "0")).unwrap().job();
    for n in 1..4 {
        queue.enqueue(keyed("k", &n.to_string())).unwrap();
    }
    assert_eq!(queue.history(id), [(EventKind::Superseded, 3)]);
    let claim = one(&mut queue);
    queue.enqueue(keyed("k", "4")).unwrap();
    queue.enqueue(keyed("k", "5")).unwrap();
    queue.settle(claim, Settle::Retry(later(store, 0))).unwrap();
    // 4 by 5 while marked, then 3 by 5 when the retry gave way.
    assert_eq!(queue.counts().superseded, 5);
    assert_eq!(S::Subject::show(&one(&mut queue)).payload, "5");
    assert_eq!(
        queue.history(id),
        [
            (EventKind::Superseded, 4),
            (EventKind::Retried, 1),
            (EventKind::Superseded, 1)
        ]
    );
}
