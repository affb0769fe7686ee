//! The model's answer to a new job: what a key that is taken means, and what becomes of two
//! payloads.

use queue::{Enqueued, OnConflict, State};

use super::Refusal;
use super::model::{FollowUp, Model, Work, kept};

/// How merged payloads are made: in it are both, and which was first.
pub fn merge(held: String, new: String) -> String {
    format!("{held}+{new}")
}

/// Whether a payload has another in it.
pub fn covers(held: &str, new: &str) -> bool {
    held.split('+').any(|part| part == new)
}

impl Model {
    pub fn enqueue(
        &mut self,
        key: Option<&str>,
        work: Work,
        policy: OnConflict,
        merged: bool,
    ) -> Result<Enqueued, Refusal> {
        let wall = self.wall;
        let with = |held: &str| match merged {
            true => merge(held.to_owned(), work.payload.clone()),
            false => work.payload.clone(),
        };
        let Some(job) = self
            .jobs
            .iter_mut()
            .find(|job| key.is_some() && job.key.as_deref() == key)
        else {
            return Ok(Enqueued::Added(self.insert(key.map(str::to_owned), work)));
        };
        match (policy, job.state) {
            (OnConflict::Keep, _) => Ok(Enqueued::Kept(job.id)),
            (OnConflict::Reject, _) => Err(Refusal::KeyTaken(job.id)),
            (OnConflict::Replace, State::Running) => {
                let newest = match &job.follow_up {
                    Some(older) => {
                        job.superseded += 1;
                        self.superseded += 1;
                        FollowUp {
                            set: wall,
                            unless_done: with(&older.unless_done),
                            work: Work {
                                payload: with(&older.work.payload),
                                due: work.due.min(kept(older.work.due, older.set, wall)),
                                priority: work.priority.min(older.work.priority),
                            },
                        }
                    }
                    None => FollowUp {
                        set: wall,
                        unless_done: with(&job.work.payload),
                        work,
                    },
                };
                job.follow_up = Some(newest);
                Ok(Enqueued::FollowUp(job.id))
            }
            (OnConflict::Replace, State::Waiting | State::Ready) => {
                let held = match job.state {
                    State::Ready => job.work.due.min(wall),
                    _ => kept(job.work.due, job.set, wall),
                };
                job.set = wall;
                job.work = Work {
                    payload: with(&job.work.payload),
                    due: work.due.min(held),
                    priority: work.priority.min(job.work.priority),
                };
                job.state = if job.work.due <= wall {
                    State::Ready
                } else {
                    State::Waiting
                };
                (job.attempts, job.lost) = (0, 0);
                job.superseded += 1;
                self.superseded += 1;
                Ok(Enqueued::Replaced(job.id))
            }
        }
    }

    /// As enqueue, but nothing is written where a job, or a running one's follow-up, stands that
    /// would stay as it is.
    pub fn ensure(
        &mut self,
        key: Option<&str>,
        work: Work,
        merged: bool,
    ) -> Result<Enqueued, Refusal> {
        let standing = self.jobs.iter().find(|job| {
            let (held, untried) = match &job.follow_up {
                Some(next) => (&next.work, covers(&next.unless_done, &work.payload)),
                None => (&job.work, job.attempts == 0 && job.lost == 0),
            };
            (key.is_some() && job.key.as_deref() == key)
                && (job.state != State::Running || job.follow_up.is_some())
                && held.due <= self.wall.min(work.due)
                && held.priority <= work.priority
                && untried
                && covers(&held.payload, &work.payload)
        });
        match standing {
            Some(job) => Ok(Enqueued::Kept(job.id)),
            None => self.enqueue(key, work, OnConflict::Replace, merged),
        }
    }
}
