//! Putting jobs in: what a key that is already taken means.

use rusqlite::{OptionalExtension, named_params, params};
use serde::Serialize;

use crate::clock::kept;
use crate::error::{Error, Result};
use crate::history::EventKind;
use crate::job::{Enqueued, NewJob, OnConflict, State, text};
use crate::merge::Held;
use crate::payload::encode;
use crate::statements as sql;
use crate::tx::Tx;

/// What to do with a new job whose key is taken.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    ReplaceIdle,
    MarkRunning,
    Keep,
    Reject,
}

fn decide(holder: State, policy: OnConflict) -> Decision {
    match (holder, policy) {
        (_, OnConflict::Keep) => Decision::Keep,
        (_, OnConflict::Reject) => Decision::Reject,
        (State::Running, OnConflict::Replace) => Decision::MarkRunning,
        (State::Waiting | State::Ready, OnConflict::Replace) => Decision::ReplaceIdle,
    }
}

/// A row to insert.
pub(crate) struct Row<'a> {
    pub(crate) priority: i64,
    pub(crate) due: i64,
    pub(crate) key: Option<&'a str>,
    pub(crate) enqueued: i64,
    pub(crate) payload: &'a str,
}

impl<T> Tx<'_, T> {
    /// Enqueues a job; see [`Queue::enqueue`](crate::Queue::enqueue).
    ///
    /// # Errors
    /// As [`Queue::enqueue`](crate::Queue::enqueue); nothing is then written by this call.
    pub fn enqueue(&self, job: impl Into<NewJob<T>>) -> Result<Enqueued>
    where
        T: Serialize,
    {
        let job = job.into();
        let limit = self.options.payload_limit;
        let payload = encode(&job.payload, limit)?;
        self.check_disk_limit()?;
        let due = job.due.after(self.now);
        let (key, priority) = (job.key.as_deref(), i64::from(job.priority));
        let added = self.insert(&Row {
            priority,
            due,
            key,
            enqueued: self.now,
            payload: &payload,
        })?;
        if let Some(id) = added {
            return Ok(Enqueued::Added(id));
        }
        let key = key.unwrap_or_default();
        let (id, state, held_due) = self.holder(key)?;
        match decide(state, job.on_conflict) {
            Decision::Keep => Ok(Enqueued::Kept(id)),
            Decision::Reject => Err(Error::KeyTaken {
                key: key.into(),
                job: id,
            }),
            Decision::ReplaceIdle => {
                let payload = match job.merge {
                    Some(merge) => self.payloads(id)?.replaced(&payload, merge, limit)?,
                    None => payload,
                };
                let due = due.min(held_due);
                let now_in = State::idle(due, self.now);
                self.execute(
                    sql::REPLACE_IDLE,
                    named_params! { ":id": id, ":state": now_in.stored(), ":now": self.now, ":due": due, ":priority": priority, ":payload": payload },
                )?;
                self.count(|tally| tally.moves(Some(state), Some(now_in)));
                self.record(id, EventKind::Superseded, None, None)?;
                Ok(Enqueued::Replaced(id))
            }
            Decision::MarkRunning => {
                let (payload, unless_done) = match job.merge {
                    Some(merge) => self.payloads(id)?.followed(&payload, merge, limit)?,
                    None => (payload, None),
                };
                let next = self
                    .sql
                    .prepare_cached(sql::NEXT)?
                    .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let next = self.next_due(next);
                let due = next.map_or(due, |next| due.min(next));
                self.execute(
                    sql::MARK_RUNNING,
                    named_params! { ":id": id, ":now": self.now, ":due": due, ":priority": priority, ":payload": payload, ":unless_done": unless_done },
                )?;
                if next.is_some() {
                    self.record(id, EventKind::Superseded, None, None)?;
                }
                Ok(Enqueued::FollowUp(id))
            }
        }
    }

    /// The new job's id; `None`, and nothing is written, when its key is taken.
    pub(crate) fn insert(&self, row: &Row<'_>) -> Result<Option<i64>> {
        let (id, state) = (self.next_id()?, State::idle(row.due, self.now));
        let values = params![
            id,
            state.stored(),
            row.priority,
            row.due,
            row.key,
            row.enqueued,
            row.payload,
            self.now
        ];
        if self.execute(sql::INSERT, values)? == 0 {
            return Ok(None);
        }
        self.count(|tally| {
            tally.last_id = Some(id);
            tally.moves(None, Some(state));
        });
        Ok(Some(id))
    }

    /// When a follow-up is due, from when it was to be, and when that was set.
    pub(crate) fn next_due(&self, (due, set): (Option<i64>, Option<i64>)) -> Option<i64> {
        Some(kept(due?, set?, self.now))
    }

    /// The live job that has this key: its id, state and due time.
    fn holder(&self, key: &str) -> rusqlite::Result<(i64, State, i64)> {
        self.sql
            .prepare_cached(sql::FIND_KEY)?
            .query_row([key], |row| {
                let (state, due) = (State::from_stored(row.get(1)?), row.get(2)?);
                let due = match state {
                    State::Waiting => kept(due, row.get(3)?, self.now),
                    // What was ready once stays so, whatever the clock says now.
                    State::Ready | State::Running => self.now.min(due),
                };
                Ok((row.get(0)?, state, due))
            })
    }

    fn payloads(&self, id: i64) -> rusqlite::Result<Held> {
        self.sql
            .prepare_cached(sql::PAYLOADS)?
            .query_row([id], |row| {
                Ok(Held {
                    payload: text(row, 0)?.unwrap_or_default(),
                    next: text(row, 1)?,
                    next_unless_done: text(row, 2)?,
                })
            })
    }

    /// Removes the live job with this key in whatever state; see [`Queue::cancel`](crate::Queue::cancel).
    ///
    /// # Errors
    /// When the database fails.
    pub fn cancel(&self, key: &str) -> Result<Option<State>> {
        let Some((id, state, _)) = self.holder(key).optional()? else {
            return Ok(None);
        };
        self.execute(sql::FORGET_HISTORY, [id])?;
        self.execute(sql::REMOVE, [id])?;
        self.count(|tally| tally.moves(Some(state), None));
        Ok(Some(state))
    }

    /// Removes a job unless it is claimed or gone; how many.
    pub(crate) fn remove_idle(&self, job: i64) -> Result<u64> {
        let state = self
            .sql
            .prepare_cached(sql::STATE)?
            .query_row([job], |row| Ok(State::from_stored(row.get(0)?)))
            .optional()?;
        let Some(state @ (State::Waiting | State::Ready)) = state else {
            return Ok(0);
        };
        self.execute(sql::FORGET_HISTORY, [job])?;
        self.execute(sql::REMOVE, [job])?;
        self.count(|tally| tally.moves(Some(state), None));
        Ok(1)
    }

    /// Removes every job that nobody has claimed, all in this transaction; see
    /// [`Queue::clear`](crate::Queue::clear).
    ///
    /// # Errors
    /// When the database fails.
    pub fn clear(&self) -> Result<u64> {
        self.execute(
            "DELETE FROM queue_event WHERE job IN (SELECT id FROM queue_job WHERE has_history = 1 AND state <> ?1)",
            [State::Running.stored()],
        )?;
        [State::Waiting, State::Ready]
            .iter()
            .try_fold(0, |cleared, state| {
                let removed =
                    self.execute("DELETE FROM queue_job WHERE state = ?1", [state.stored()])?;
                self.count(|tally| tally.removed(*state, removed as i64));
                Ok(cleared + removed as u64)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_key_is_decided_by_policy_and_state() {
        let states = [State::Waiting, State::Ready, State::Running];
        let decisions = |policy| states.map(|state| decide(state, policy));
        use Decision::{Keep, MarkRunning, Reject, ReplaceIdle};
        assert_eq!(
            decisions(OnConflict::Replace),
            [ReplaceIdle, ReplaceIdle, MarkRunning]
        );
        assert_eq!(decisions(OnConflict::Keep), [Keep, Keep, Keep]);
        assert_eq!(decisions(OnConflict::Reject), [Reject, Reject, Reject]);
    }
}
