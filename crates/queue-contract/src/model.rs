//! What a queue is, in memory and in plain words: the reference every backend is compared with.

use queue::State;

use super::{Refusal, Settle, Shown};

/// The longest lease and the number of lost deliveries the compared queue is opened with.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub lease: i64,
    pub max_lost: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    pub payload: String,
    pub due: i64,
    pub priority: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: i64,
    pub key: Option<String>,
    pub work: Work,
    /// When its due time was set.
    pub set: i64,
    pub state: State,
    /// Index of the claim, while running.
    pub claim: usize,
    pub attempts: u32,
    pub deferred: u32,
    pub lost: u32,
    pub superseded: u32,
    pub follow_up: Option<FollowUp>,
}

/// What is to be done when the running job is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    pub work: Work,
    pub set: i64,
    /// Its payload when the running job is not done.
    pub unless_done: String,
}

/// A clock that was set back since a due time was set makes no wait longer.
pub fn kept(due: i64, set: i64, now: i64) -> i64 {
    if set > now { now + (due - set) } else { due }
}

/// A claim given out, by which handle, until when; it stays in the list when it is void.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub job: i64,
    pub handle: usize,
    pub expires: i64,
}

#[derive(Debug, Clone)]
pub struct Dead {
    pub job: Job,
    pub died: i64,
    pub error: String,
}

/// Times are seconds: `wall` may be stepped, `monotonic` only passes.
#[derive(Debug, Clone)]
pub struct Model {
    pub limits: Limits,
    pub wall: i64,
    pub monotonic: i64,
    pub paused: bool,
    pub jobs: Vec<Job>,
    pub dead: Vec<Dead>,
    pub claims: Vec<Claimed>,
    pub last_id: i64,
    pub done: u64,
    pub deferred: u64,
    pub lost: u64,
    pub superseded: u64,
}

impl Model {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            wall: 0,
            monotonic: 0,
            paused: false,
            jobs: vec![],
            dead: vec![],
            claims: vec![],
            last_id: 0,
            done: 0,
            deferred: 0,
            lost: 0,
            superseded: 0,
        }
    }

    fn idle(&self, due: i64) -> State {
        if due <= self.wall {
            State::Ready
        } else {
            State::Waiting
        }
    }

    pub fn insert(&mut self, key: Option<String>, work: Work) -> i64 {
        self.last_id += 1;
        let state = self.idle(work.due);
        let (id, claim) = (self.last_id, usize::MAX);
        self.jobs.push(Job {
            id,
            key,
            work,
            set: self.wall,
            state,
            claim,
            attempts: 0,
            deferred: 0,
            lost: 0,
            superseded: 0,
            follow_up: None,
        });
        id
    }

    /// Jobs that run under a claim that ended.
    pub fn reclaim_expired(&mut self) {
        for claim in 0..self.claims.len() {
            if self.claims[claim].expires <= self.monotonic {
                self.lose(claim);
            }
        }
    }

    fn running(&mut self, claim: usize) -> Option<usize> {
        self.jobs
            .iter()
            .position(|job| job.state == State::Running && job.claim == claim)
    }

    fn lose(&mut self, claim: usize) {
        let Some(at) = self.running(claim) else {
            return;
        };
        self.lost += 1;
        let job = &mut self.jobs[at];
        if job.follow_up.is_none() && job.lost + 1 >= self.limits.max_lost {
            job.lost += 1;
            job.attempts -= 1;
            self.bury(at, queue::OWNER_DIED);
        } else {
            job.lost += 1;
            job.attempts -= 1;
            self.give_back(at, self.wall);
        }
    }

    /// The attempt and the counters are settled by the caller; a follow-up takes over with fresh
    /// ones.
    fn give_back(&mut self, at: usize, due: i64) {
        let wall = self.wall;
        let job = &mut self.jobs[at];
        job.work.due = due;
        job.set = wall;
        if let Some(newer) = job.follow_up.take() {
            job.work = Work {
                payload: newer.unless_done,
                due: kept(newer.work.due, newer.set, wall),
                ..newer.work
            };
            (job.attempts, job.lost) = (0, 0);
            job.superseded += 1;
            self.superseded += 1;
        }
        let due = job.work.due;
        self.jobs[at].state = self.idle(due);
        self.jobs[at].claim = usize::MAX;
    }

    fn remove(&mut self, at: usize, done: bool) -> Job {
        let mut job = self.jobs.remove(at);
        if let Some(mut next) = job.follow_up.take() {
            if !done {
                next.work.payload = next.unless_done;
            }
            next.work.due = kept(next.work.due, next.set, self.wall);
            self.insert(job.key.clone(), next.work);
        }
        job
    }

    fn bury(&mut self, at: usize, error: &str) {
        let job = self.remove(at, false);
        self.dead.push(Dead {
            job,
            died: self.wall,
            error: error.to_owned(),
        });
    }

    pub fn claim(&mut self, handle: usize, n: usize) -> Vec<Shown> {
        self.reclaim_expired();
        if self.paused {
            return vec![];
        }
        for job in &mut self.jobs {
            if job.state == State::Waiting && job.set > self.wall {
                job.work.due = kept(job.work.due, job.set, self.wall);
                job.set = self.wall;
            }
            if job.state == State::Waiting && job.work.due <= self.wall {
                job.state = State::Ready;
            }
        }
        let mut ready: Vec<usize> = (0..self.jobs.len())
            .filter(|at| self.jobs[*at].state == State::Ready)
            .collect();
        ready.sort_by_key(|at| {
            (
                self.jobs[*at].work.priority,
                self.jobs[*at].work.due,
                self.jobs[*at].id,
            )
        });
        ready.truncate(n);
        // A job that was lost before comes alone.
        if let Some(lost) = ready.iter().position(|at| self.jobs[*at].lost > 0) {
            ready.truncate(lost.max(1));
        }
        let expires = self.monotonic + self.limits.lease;
        ready
            .into_iter()
            .map(|at| {
                let job = &mut self.jobs[at];
                (job.state, job.claim) = (State::Running, self.claims.len());
                job.attempts += 1;
                self.claims.push(Claimed {
                    job: job.id,
                    handle,
                    expires,
                });
                Shown {
                    job: job.id,
                    payload: job.work.payload.clone(),
                    key: job.key.clone(),
                    attempt: job.attempts,
                    deferred: job.deferred,
                    lost: job.lost,
                }
            })
            .collect()
    }

    fn valid(&mut self, claim: usize) -> Result<usize, Refusal> {
        if self.claims[claim].expires <= self.monotonic {
            return Err(Refusal::LeaseLost);
        }
        self.running(claim).ok_or(Refusal::LeaseLost)
    }

    /// Times of retries and deferrals come as seconds.
    pub fn settle(&mut self, claim: usize, how: &Settle, due: i64) -> Result<(), Refusal> {
        let at = self.valid(claim)?;
        match how {
            Settle::Done => {
                self.remove(at, true);
                self.done += 1;
            }
            Settle::Dead(error) => self.bury(at, error),
            Settle::Retry(_) => {
                self.jobs[at].lost = 0;
                self.give_back(at, due);
            }
            Settle::Defer(_) => {
                let job = &mut self.jobs[at];
                job.attempts -= 1;
                job.deferred += 1;
                job.lost = 0;
                self.deferred += 1;
                self.give_back(at, due);
            }
            Settle::Release => {
                self.jobs[at].attempts -= 1;
                let due = self.jobs[at].work.due.min(self.wall);
                self.give_back(at, due);
            }
        }
        Ok(())
    }

    pub fn extend(&mut self, claim: usize, by: i64) -> Result<(), Refusal> {
        self.valid(claim)?;
        self.claims[claim].expires = self.claims[claim].expires.max(self.monotonic + by);
        Ok(())
    }

    /// A handle closes: what it holds is released.
    pub fn close(&mut self, handle: usize) {
        for claim in 0..self.claims.len() {
            if self.claims[claim].handle != handle {
                continue;
            }
            if self.claims[claim].expires <= self.monotonic {
                self.lose(claim);
            } else if let Some(at) = self.running(claim) {
                self.jobs[at].attempts -= 1;
                self.give_back(at, self.wall);
            }
        }
    }

    pub fn cancel(&mut self, key: &str) -> Option<State> {
        let at = self
            .jobs
            .iter()
            .position(|job| job.key.as_deref() == Some(key))?;
        Some(self.jobs.remove(at).state)
    }

    /// Takes all dead letters of a type back, the youngest first.
    pub fn redrive(&mut self, error: &str) -> (u64, u64) {
        self.dead.sort_by_key(|dead| (dead.died, dead.job.id));
        let (mut back, mut skipped, wall) = (0, 0, self.wall);
        for at in (0..self.dead.len()).rev() {
            if self.dead[at].error != error {
                continue;
            }
            let key = self.dead[at].job.key.clone();
            if key.is_some() && self.jobs.iter().any(|job| job.key == key) {
                skipped += 1;
                continue;
            }
            let mut job = self.dead.remove(at).job;
            (job.attempts, job.lost, job.state, job.claim) = (0, 0, State::Ready, usize::MAX);
            job.set = wall;
            job.work.due = wall;
            self.jobs.push(job);
            back += 1;
        }
        (back, skipped)
    }

    pub fn purge_but(&mut self, keep: usize) -> u64 {
        self.dead.sort_by_key(|dead| (dead.died, dead.job.id));
        let purged = self.dead.len().saturating_sub(keep);
        self.dead.drain(..purged);
        purged as u64
    }

    pub fn count(&self, state: State) -> u64 {
        self.jobs.iter().filter(|job| job.state == state).count() as u64
    }

    pub fn next_due(&self) -> Option<i64> {
        let ready = self.count(State::Ready) > 0;
        let waiting = self.jobs.iter().filter(|job| job.state == State::Waiting);
        let set_back = waiting.clone().any(|job| job.set > self.wall);
        let waiting = waiting.map(|job| job.work.due).min();
        if self.paused {
            None
        } else if ready || set_back {
            Some(self.wall)
        } else {
            waiting
        }
    }
}
