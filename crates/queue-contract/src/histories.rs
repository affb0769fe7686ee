//! Random histories of two workers on one queue, compared step by step with the reference model.
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use queue::{DeadFilter, Enqueued, NewJob, OnConflict, State};

use crate::model::{Limits, Model, Work};
use crate::model_keys::merge;
use crate::{Refusal, Settle, Store, Subject, assert_counted};

const KEYS: [&str; 3] = ["a", "b", "c"];
const ERRORS: [&str; 2] = ["Broken", queue::OWNER_DIED];
const HANDLES: usize = 2;

#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        key: Option<&'static str>,
        payload: u8,
        delay: i64,
        priority: i32,
        how: How,
        merged: bool,
    },
    Claim {
        handle: usize,
        n: usize,
    },
    /// The claim is one of the latest; how a time is meant: seconds from now.
    Settle {
        handle: usize,
        back: usize,
        how: usize,
        delay: i64,
    },
    Extend {
        back: usize,
        by: i64,
    },
    Cancel(&'static str),
    Restart(usize),
    Pass(i64),
    SetWallClock(i64),
    Pause(bool),
    Redrive(&'static str),
    PurgeBut(usize),
}

#[derive(Debug, Clone, Copy)]
enum How {
    Enqueue(OnConflict),
    Ensure,
}

struct Reference<S>(PhantomData<S>);

impl<S: Store> ReferenceStateMachine for Reference<S> {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        let limits = Limits {
            lease: i64::try_from(S::Subject::LEASE.as_secs()).unwrap(),
            max_lost: S::Subject::MAX_LOST,
        };
        let mut model = Model::new(limits);
        model.wall = 1_000_000;
        Just(model).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        let how = select(vec![
            How::Enqueue(OnConflict::Replace),
            How::Enqueue(OnConflict::Replace),
            How::Enqueue(OnConflict::Keep),
            How::Enqueue(OnConflict::Reject),
            How::Ensure,
            How::Ensure,
        ]);
        let key = prop_oneof![1 => Just(None), 3 => select(&KEYS).prop_map(Some)];
        prop_oneof![
            8 => (key, 0..3u8, select(vec![0, 0, 5, 60]), -1..2, how, any::<bool>()).prop_map(
                |(key, payload, delay, priority, how, merged)| Step::Enqueue { key, payload, delay, priority, how, merged }),
            6 => (0..HANDLES, 0..4usize).prop_map(|(handle, n)| Step::Claim { handle, n }),
            8 => (0..HANDLES, 0..4usize, 0..5usize, select(vec![-3, 0, 5, 60])).prop_map(
                |(handle, back, how, delay)| Step::Settle { handle, back, how, delay }),
            2 => (0..4usize, select(vec![1, 99, 300])).prop_map(|(back, by)| Step::Extend { back, by }),
            1 => select(&KEYS).prop_map(Step::Cancel),
            1 => (0..HANDLES).prop_map(Step::Restart),
            4 => select(vec![1, 5, 60, 100]).prop_map(Step::Pass),
            1 => select(vec![-200, -10, 10, 200]).prop_map(Step::SetWallClock),
            1 => any::<bool>().prop_map(Step::Pause),
            1 => select(&ERRORS).prop_map(Step::Redrive),
            1 => (0..3usize).prop_map(Step::PurgeBut),
        ]
        .boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        let newest = model.claims.len();
        match step {
            Step::Enqueue {
                key,
                payload,
                delay,
                priority,
                how,
                merged,
            } => {
                let work = Work {
                    payload: payload.to_string(),
                    due: model.wall + delay,
                    priority: *priority,
                };
                let _ = put(&mut model, *key, work, *how, *merged);
            }
            Step::Claim { handle, n } => drop(model.claim(*handle, *n)),
            Step::Settle {
                back, how, delay, ..
            } if *back < newest => {
                let _ = model.settle(
                    newest - 1 - back,
                    &settle(*how, UNIX_EPOCH),
                    model.wall + delay,
                );
            }
            Step::Extend { back, by } if *back < newest => {
                let _ = model.extend(newest - 1 - back, *by);
            }
            Step::Settle { .. } | Step::Extend { .. } => {}
            Step::Cancel(key) => drop(model.cancel(key)),
            Step::Restart(handle) => model.close(*handle),
            Step::Pass(seconds) => {
                model.wall += seconds;
                model.monotonic += seconds;
            }
            Step::SetWallClock(seconds) => model.wall += seconds,
            Step::Pause(paused) => model.paused = *paused,
            Step::Redrive(error) => drop(model.redrive(error)),
            Step::PurgeBut(keep) => drop(model.purge_but(*keep)),
        }
        model
    }
}

fn put(
    model: &mut Model,
    key: Option<&str>,
    work: Work,
    how: How,
    merged: bool,
) -> Result<Enqueued, Refusal> {
    match how {
        How::Enqueue(policy) => model.enqueue(key, work, policy, merged),
        How::Ensure => model.ensure(key, work, merged),
    }
}

fn settle(how: usize, due: SystemTime) -> Settle {
    [
        Settle::Done,
        Settle::Retry(due),
        Settle::Defer(due),
        Settle::Dead(ERRORS[0]),
        Settle::Release,
    ][how]
        .clone()
}

fn at(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

struct Compared<S: Store> {
    store: S,
    handles: Vec<S::Subject>,
    /// In the model's order; None when it was consumed.
    claims: Vec<Option<<S::Subject as Subject>::Claim>>,
    /// The model before the step, to learn what the step should answer.
    before: Model,
}

impl<S: Store> StateMachineTest for Compared<S> {
    type SystemUnderTest = Self;
    type Reference = Reference<S>;

    fn init_test(model: &Model) -> Self {
        let store = S::new();
        store.clock().set(at(model.wall));
        let handles = (0..HANDLES).map(|_| store.open()).collect();
        Self {
            store,
            handles,
            claims: vec![],
            before: model.clone(),
        }
    }

    fn apply(mut test: Self, after: &Model, step: Step) -> Self {
        let model = &mut test.before;
        let newest = model.claims.len();
        let clock = test.store.clock();
        match step {
            Step::Enqueue {
                key,
                payload,
                delay,
                priority,
                how,
                merged,
            } => {
                let due = model.wall + delay;
                let mut job = NewJob::new(payload.to_string())
                    .due_at(at(due))
                    .priority(priority);
                if let Some(key) = key {
                    job = job.key(key);
                }
                if merged {
                    job = job.merge(merge);
                }
                let work = Work {
                    payload: payload.to_string(),
                    due,
                    priority,
                };
                let queue = &mut test.handles[0];
                let answer = match how {
                    How::Enqueue(policy) => Subject::enqueue(queue, job.on_conflict(policy)),
                    How::Ensure => Subject::ensure(queue, job),
                };
                assert_eq!(answer, put(model, key, work, how, merged));
            }
            Step::Claim { handle, n } => {
                // Each takes back its own that ended; the others' would be watched for a lease
                // first.
                for handle in &mut test.handles {
                    assert!(Subject::claim(handle, 0).is_empty());
                }
                let claims = Subject::claim(&mut test.handles[handle], n);
                let shown: Vec<_> = claims.iter().map(S::Subject::show).collect();
                assert_eq!(shown, model.claim(handle, n));
                test.claims.extend(claims.into_iter().map(Some));
            }
            Step::Settle {
                handle,
                back,
                how,
                delay,
            } if back < newest => {
                let claim = newest - 1 - back;
                let how = settle(how, at(model.wall + delay));
                // A settle consumes the claim, whether it is accepted or not.
                if let Some(taken) = test.claims[claim].take() {
                    let wanted = model.settle(claim, &how, model.wall + delay);
                    assert_eq!(
                        Subject::settle(&mut test.handles[handle], taken, how),
                        wanted
                    );
                } else {
                    assert!(
                        model.settle(claim, &how, model.wall + delay).is_err(),
                        "a consumed claim is no claim"
                    );
                }
            }
            Step::Extend { back, by } if back < newest => {
                let claim = newest - 1 - back;
                let owner = model.claims[claim].handle;
                let wanted = model.extend(claim, by);
                if let Some(claim) = &mut test.claims[claim] {
                    let by = Duration::from_secs(by.unsigned_abs());
                    assert_eq!(Subject::extend(&mut test.handles[owner], claim, by), wanted);
                }
            }
            Step::Settle { .. } | Step::Extend { .. } => {}
            Step::Cancel(key) => assert_eq!(
                Subject::cancel(&mut test.handles[1], key),
                model.cancel(key)
            ),
            Step::Restart(handle) => {
                test.handles.remove(handle);
                test.handles.insert(handle, test.store.open());
            }
            Step::Pass(seconds) => clock.advance(Duration::from_secs(seconds.unsigned_abs())),
            Step::SetWallClock(_) => clock.set(at(after.wall)),
            Step::Pause(paused) => Subject::pause(&mut test.handles[0], paused),
            Step::Redrive(error) => {
                let redriven =
                    Subject::redrive(&mut test.handles[1], &DeadFilter::all().error_type(error));
                assert_eq!((redriven.jobs, redriven.skipped), model.redrive(error));
            }
            Step::PurgeBut(keep) => {
                assert_eq!(
                    Subject::purge_but(&mut test.handles[0], keep as u64),
                    model.purge_but(keep)
                );
            }
        }
        test.before = after.clone();
        test.compare(after);
        test
    }
}

impl<S: Store> Compared<S> {
    fn compare(&mut self, model: &Model) {
        let queue = &mut self.handles[0];
        let counts = Subject::counts(queue);
        let of = |state| model.count(state);
        assert_eq!(
            (counts.waiting, counts.ready, counts.running),
            (of(State::Waiting), of(State::Ready), of(State::Running))
        );
        assert_eq!(counts.dead, model.dead.len() as u64);
        assert_eq!(
            (counts.done, counts.deferred, counts.lost, counts.superseded),
            (model.done, model.deferred, model.lost, model.superseded)
        );
        assert_counted(queue);
        assert_eq!(Subject::next_due(queue), model.next_due().map(at));
        let mut dead: Vec<_> = model
            .dead
            .iter()
            .map(|dead| (dead.died, dead.job.id, dead.error.clone()))
            .collect();
        dead.sort_by_key(|(died, id, _)| std::cmp::Reverse((*died, *id)));
        let dead: Vec<_> = dead.into_iter().map(|(_, id, error)| (id, error)).collect();
        assert_eq!(Subject::dead(queue, &DeadFilter::all()), dead);
    }
}

/// `QUEUE_MODEL_CASES` says how many histories.
pub fn two_workers_do_what_the_model_does<S: Store>(_: &S) {
    let cases = std::env::var("QUEUE_MODEL_CASES");
    let config = ProptestConfig {
        cases: cases
            .ok()
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(40),
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..ProptestConfig::default()
    };
    let histories = Reference::<S>::sequential_strategy(1..120);
    TestRunner::new(config.clone())
        .run(&histories, |(model, steps, seen)| {
            Compared::<S>::test_sequential(config.clone(), model, steps, seen);
            Ok(())
        })
        .unwrap();
}
