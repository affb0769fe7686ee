//! The library's own queue, on disk and in memory.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use queue::{
    Claim, Counts, DeadFilter, Enqueued, Error, EventKind, InMemory, ManualClock, NewJob, Options,
    Queue, Redriven, State,
};

use crate::model_keys::covers;
use crate::{Refusal, Settle, Shared, Shown, Store, Subject};

/// On disk.
pub struct Sqlite {
    path: PathBuf,
    clock: Arc<ManualClock>,
    /// Of who made it.
    _dir: Option<tempfile::TempDir>,
}

impl Store for Sqlite {
    type Subject = Queue<String>;

    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            path: dir.path().join("q.db"),
            clock: Arc::default(),
            _dir: Some(dir),
        }
    }

    fn open(&self) -> Queue<String> {
        open(&self.path, self.clock())
    }

    fn clock(&self) -> Arc<ManualClock> {
        self.clock.clone()
    }
}

impl Shared for Sqlite {
    fn address(&self) -> PathBuf {
        self.path.clone()
    }

    fn reach(address: &Path) -> Self {
        Self {
            path: address.into(),
            clock: Arc::default(),
            _dir: None,
        }
    }
}

/// In memory.
pub struct Memory {
    path: InMemory,
    clock: Arc<ManualClock>,
}

impl Store for Memory {
    type Subject = Queue<String>;

    fn new() -> Self {
        Self {
            path: InMemory::new().unwrap(),
            clock: Arc::default(),
        }
    }

    fn open(&self) -> Queue<String> {
        open(self.path.as_ref(), self.clock())
    }

    fn clock(&self) -> Arc<ManualClock> {
        self.clock.clone()
    }
}

fn open(path: &Path, clock: Arc<ManualClock>) -> Queue<String> {
    let options = Options::consumer()
        .clock(clock)
        .lease(Queue::LEASE)
        .max_lost(Queue::MAX_LOST);
    Queue::open(path, options.payload_limit(Queue::PAYLOAD_LIMIT)).unwrap()
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::LeaseLost { .. } => Refusal::LeaseLost,
        Error::KeyTaken { job, .. } => Refusal::KeyTaken(job),
        Error::PayloadTooLarge { .. } => Refusal::TooLarge,
        other => panic!("{other}"),
    }
}

impl Subject for Queue<String> {
    type Claim = Claim<String>;
    const LEASE: Duration = Duration::from_secs(100);
    const MAX_LOST: u32 = 4;
    const PAYLOAD_LIMIT: usize = 1_000;

    fn enqueue(&mut self, job: NewJob<String>) -> Result<Enqueued, Refusal> {
        Queue::enqueue(self, job).map_err(refusal)
    }

    fn ensure(&mut self, job: NewJob<String>) -> Result<Enqueued, Refusal> {
        Queue::ensure(self, job, |held, new| covers(held, new)).map_err(refusal)
    }

    fn enqueue_all(&mut self, jobs: Vec<NewJob<String>>) -> Result<Vec<Enqueued>, Refusal> {
        Queue::enqueue_all(self, jobs).map_err(refusal)
    }

    fn claim(&mut self, n: usize) -> Vec<Claim<String>> {
        Queue::claim(self, n).unwrap()
    }

    fn show(claim: &Claim<String>) -> Shown {
        Shown {
            job: claim.job(),
            payload: claim.payload().clone(),
            key: claim.key().map(str::to_owned),
            attempt: claim.attempt(),
            deferred: claim.deferred(),
            lost: claim.lost(),
        }
    }

    fn settle(&mut self, claim: Claim<String>, how: Settle) -> Result<(), Refusal> {
        match how {
            Settle::Done => self.done(claim),
            Settle::Retry(due) => self.retry_at(claim, due, "Failed", "try again"),
            Settle::Defer(due) => self.defer(claim, due, "not now"),
            Settle::Dead(error_type) => Queue::dead(self, claim, error_type, "dead"),
            Settle::Release => self.release(claim),
        }
        .map_err(refusal)
    }

    fn done_then(
        &mut self,
        claim: &Claim<String>,
        jobs: Vec<NewJob<String>>,
    ) -> Result<(), Refusal> {
        self.transaction(|tx| {
            tx.done(claim)?;
            jobs.into_iter()
                .try_for_each(|job| tx.enqueue(job).map(drop))
        })
        .map_err(refusal)
    }

    fn extend(&mut self, claim: &mut Claim<String>, by: Duration) -> Result<(), Refusal> {
        Queue::extend(self, claim, by).map_err(refusal)
    }

    fn cancel(&mut self, key: &str) -> Option<State> {
        Queue::cancel(self, key).unwrap()
    }

    fn release_held(&mut self) -> usize {
        Queue::release_held(self).unwrap()
    }

    /// A queue that a panic drops gives nothing back, and its lock is free, as when its process is
    /// killed.
    fn die(self) {
        let dying = AssertUnwindSafe(self);
        let panic = catch_unwind(move || {
            let _dying = dying;
            resume_unwind(Box::new(()));
        });
        assert!(panic.is_err());
    }

    fn next_due(&mut self) -> Option<SystemTime> {
        Queue::next_due(self).unwrap()
    }

    fn counts(&mut self) -> Counts {
        Queue::counts(self).unwrap()
    }

    fn full_count(&mut self) -> (u64, u64, u64, u64) {
        let live = |state| self.jobs(state, usize::MAX).unwrap().len() as u64;
        let dead = self.dead_letters(&DeadFilter::all()).unwrap().len() as u64;
        (
            live(State::Waiting),
            live(State::Ready),
            live(State::Running),
            dead,
        )
    }

    fn pause(&mut self, paused: bool) {
        if paused {
            Queue::pause(self)
        } else {
            self.resume()
        }
        .unwrap();
    }

    fn dead(&mut self, filter: &DeadFilter) -> Vec<(i64, String)> {
        self.dead_letters(filter)
            .unwrap()
            .into_iter()
            .map(|dead| (dead.id, dead.error_type))
            .collect()
    }

    fn dead_summary(&mut self) -> Vec<(String, u64)> {
        Queue::dead_summary(self)
            .unwrap()
            .into_iter()
            .map(|sum| (sum.error_type, sum.count))
            .collect()
    }

    fn redrive(&mut self, filter: &DeadFilter) -> Redriven {
        Queue::redrive(self, filter).unwrap()
    }

    fn purge(&mut self, filter: &DeadFilter) -> u64 {
        Queue::purge(self, filter).unwrap()
    }

    fn purge_but(&mut self, keep: u64) -> u64 {
        Queue::purge_but(self, keep).unwrap()
    }

    fn history(&mut self, job: i64) -> Vec<(EventKind, u64)> {
        Queue::history(self, job)
            .unwrap()
            .into_iter()
            .map(|event| (event.kind, event.times))
            .collect()
    }

    fn changed(&mut self) -> bool {
        Queue::changed(self).unwrap()
    }
}
