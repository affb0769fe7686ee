//! Putting jobs in: what a key that is already taken means.

use rusqlite::{OptionalExtension, named_params, params};
use serde::Serialize;

use crate::clock::{duration_ms, to_ms};
use crate::error::{Error, Result};
use crate::history::EventKind;
use crate::job::{Due, Enqueued, NewJob, OnConflict, State};
use crate::statements as sql;
use crate::tx::{Tx, encode};

/// What to do with a new job whose key may be taken.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Insert,
    ReplaceIdle,
    MarkRunning,
    Keep,
    Reject,
}

fn decide(existing: Option<State>, policy: OnConflict) -> Decision {
    match (existing, policy) {
        (None, _) => Decision::Insert,
        (Some(_), OnConflict::Keep) => Decision::Keep,
        (Some(_), OnConflict::Reject) => Decision::Reject,
        (Some(State::Running), OnConflict::Replace) => Decision::MarkRunning,
        (Some(State::Waiting | State::Ready), OnConflict::Replace) => Decision::ReplaceIdle,
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
        let payload = encode(&job.payload, self.options.payload_limit)?;
        self.check_budget()?;
        let due = match job.due {
            Due::Now => self.now,
            Due::At(time) => to_ms(time),
            Due::In(delay) => self.now.saturating_add(duration_ms(delay)),
        };
        let row = Row {
            priority: job.priority.into(),
            due,
            key: job.key.as_deref(),
            enqueued: self.now,
            payload: &payload,
        };
        let existing = match row.key {
            Some(key) => self.live(key)?,
            None => None,
        };
        let (id, state, due) = existing.unwrap_or((0, State::Ready, row.due));
        match decide(existing.map(|(_, state, _)| state), job.on_conflict) {
            Decision::Insert => self.insert(&row).map(Enqueued::Added),
            Decision::Keep => Ok(Enqueued::Kept(id)),
            Decision::Reject => Err(Error::KeyTaken {
                key: job.key.unwrap_or_default(),
                job: id,
            }),
            Decision::ReplaceIdle => {
                let due = due.min(row.due);
                let now_in = State::idle(due, self.now);
                self.execute(
                    sql::REPLACE_IDLE,
                    named_params! { ":id": id, ":state": now_in.stored(), ":now": self.now, ":due": due, ":priority": row.priority, ":payload": row.payload },
                )?;
                self.count(|tally| tally.moves(Some(state), Some(now_in)));
                self.record(id, EventKind::Superseded, None, None)?;
                Ok(Enqueued::Replaced(id))
            }
            Decision::MarkRunning => {
                let again: bool = self
                    .sql
                    .prepare_cached(sql::HAS_FOLLOW_UP)?
                    .query_row([id], |row| row.get(0))?;
                self.execute(
                    sql::MARK_RUNNING,
                    named_params! { ":id": id, ":now": self.now, ":due": row.due, ":priority": row.priority, ":payload": row.payload },
                )?;
                if again {
                    self.record(id, EventKind::Superseded, None, None)?;
                }
                Ok(Enqueued::FollowUp(id))
            }
        }
    }

    pub(crate) fn insert(&self, row: &Row<'_>) -> Result<i64> {
        let (id, state) = (self.next_id()?, State::idle(row.due, self.now));
        let values = params![
            id,
            state.stored(),
            row.priority,
            row.due,
            row.key,
            row.enqueued,
            row.payload
        ];
        self.execute(sql::INSERT, values)?;
        self.count(|tally| tally.moves(None, Some(state)));
        Ok(id)
    }

    /// The live job with a key: its id, state and due time.
    fn live(&self, key: &str) -> Result<Option<(i64, State, i64)>> {
        let mut find = self.sql.prepare_cached(sql::FIND_KEY)?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get(0)?, State::from_stored(row.get(1)?), row.get(2)?))
        };
        Ok(find.query_row([key], read).optional()?)
    }

    /// Removes the live job with this key in whatever state; see [`Queue::cancel`](crate::Queue::cancel).
    ///
    /// # Errors
    /// When the database fails.
    pub fn cancel(&self, key: &str) -> Result<Option<State>> {
        let Some((id, state, _)) = self.live(key)? else {
            return Ok(None);
        };
        self.execute(sql::FORGET_HISTORY, [id])?;
        self.execute(sql::REMOVE, [id])?;
        self.count(|tally| tally.moves(Some(state), None));
        Ok(Some(state))
    }

    /// Removes every job that nobody has claimed; see [`Queue::clear`](crate::Queue::clear).
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
        let states = [
            None,
            Some(State::Waiting),
            Some(State::Ready),
            Some(State::Running),
        ];
        let decisions = |policy| states.map(|state| decide(state, policy));
        use Decision::{Insert, Keep, MarkRunning, Reject, ReplaceIdle};
        assert_eq!(
            decisions(OnConflict::Replace),
            [Insert, ReplaceIdle, ReplaceIdle, MarkRunning]
        );
        assert_eq!(decisions(OnConflict::Keep), [Insert, Keep, Keep, Keep]);
        assert_eq!(
            decisions(OnConflict::Reject),
            [Insert, Reject, Reject, Reject]
        );
    }
}
