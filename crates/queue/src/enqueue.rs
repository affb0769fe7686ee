//! Putting jobs in: what a key that is already taken means.

use rusqlite::{OptionalExtension, named_params, params};
use serde::Serialize;

use crate::clock::kept;
use crate::error::{Error, Result};
use crate::history::EventKind;
use crate::job::{Enqueued, NewJob, OnConflict, State, text};
use crate::merge::{Held, Merge};
use crate::payload::encode;
use crate::statements as sql;
use crate::tx::Tx;

/// The job that has a key: its id, its state, and when it is due.
type Holder = (i64, State, i64);

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
        self.check_disk_limit()?;
        let due = job.due.after(self.now);
        let (key, priority) = (job.key.as_deref(), i64::from(job.priority));
        let row = Row {
            priority,
            due,
            key,
            enqueued: self.now,
            payload: &payload,
        };
        if let Some(id) = self.insert(&row)? {
            return Ok(Enqueued::Added(id));
        }
        let key = key.unwrap_or_default();
        let holder = self.holder(key)?;
        match (job.on_conflict, holder.1) {
            (OnConflict::Keep, _) => Ok(Enqueued::Kept(holder.0)),
            (OnConflict::Reject, _) => Err(Error::KeyTaken {
                key: key.into(),
                job: holder.0,
            }),
            (OnConflict::Replace, State::Running) => self.mark_running(holder.0, &row, job.merge),
            (OnConflict::Replace, _) => self.replace_idle(holder, &row, job.merge),
        }
    }

    fn replace_idle(
        &self,
        (id, state, held_due): Holder,
        row: &Row<'_>,
        merge: Option<Merge<T>>,
    ) -> Result<Enqueued>
    where
        T: Serialize,
    {
        let payload = match merge {
            Some(merge) => {
                self.payloads(id)?
                    .replaced(row.payload, merge, self.options.payload_limit)?
            }
            None => row.payload.to_owned(),
        };
        let due = row.due.min(held_due);
        let now_in = State::idle(due, self.now);
        self.execute(
            sql::REPLACE_IDLE,
            named_params! { ":id": id, ":state": now_in.stored(), ":now": self.now, ":due": due, ":priority": row.priority, ":payload": payload },
        )?;
        self.count(|tally| tally.moves(Some(state), Some(now_in)));
        self.record(id, EventKind::Superseded, None, None)?;
        Ok(Enqueued::Replaced(id))
    }

    fn mark_running(&self, id: i64, row: &Row<'_>, merge: Option<Merge<T>>) -> Result<Enqueued>
    where
        T: Serialize,
    {
        let (payload, unless_done) = match merge {
            Some(merge) => {
                self.payloads(id)?
                    .followed(row.payload, merge, self.options.payload_limit)?
            }
            None => (row.payload.to_owned(), None),
        };
        let next = sql::row(&self.sql, sql::NEXT, [id], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let next = self.next_due(next);
        let due = next.map_or(row.due, |next| row.due.min(next));
        self.execute(
            sql::MARK_RUNNING,
            named_params! { ":id": id, ":now": self.now, ":due": due, ":priority": row.priority, ":payload": payload, ":unless_done": unless_done },
        )?;
        if next.is_some() {
            self.record(id, EventKind::Superseded, None, None)?;
        }
        Ok(Enqueued::FollowUp(id))
    }

    /// The new job's id; `None`, and nothing is written, when its key is taken.
    pub(crate) fn insert(&self, row: &Row<'_>) -> Result<Option<i64>> {
        let (id, state) = (self.next_id()?, State::idle(row.due, self.now));
        let Row {
            priority,
            due,
            key,
            enqueued,
            payload,
        } = row;
        let values = params![
            id,
            state.stored(),
            priority,
            due,
            key,
            enqueued,
            payload,
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

    /// The live job that has this key.
    fn holder(&self, key: &str) -> rusqlite::Result<Holder> {
        sql::row(&self.sql, sql::FIND_KEY, [key], |row| {
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
        sql::row(&self.sql, sql::PAYLOADS, [id], |row| {
            Ok(Held {
                payload: text(row, 0)?.unwrap_or_default(),
                next: text(row, 1)?,
                next_unless_done: text(row, 2)?,
            })
        })
    }

    /// Removes the live job with this key in whatever state; see
    /// [`Queue::cancel`](crate::Queue::cancel).
    ///
    /// # Errors
    /// When the database fails.
    pub fn cancel(&self, key: &str) -> Result<Option<State>> {
        let Some((id, state, _)) = self.holder(key).optional()? else {
            return Ok(None);
        };
        self.remove_from(state, id)?;
        Ok(Some(state))
    }

    fn remove_from(&self, state: State, id: i64) -> Result<()> {
        self.execute(sql::FORGET_HISTORY, [id])?;
        self.execute(sql::REMOVE, [id])?;
        self.count(|tally| tally.moves(Some(state), None));
        Ok(())
    }

    /// Removes a job unless it is claimed or gone; how many.
    pub(crate) fn remove_idle(&self, job: i64) -> Result<u64> {
        let state = sql::row(&self.sql, sql::STATE, [job], |row| row.get(0));
        match state.optional()?.map(State::from_stored) {
            Some(state @ (State::Waiting | State::Ready)) => {
                self.remove_from(state, job).map(|()| 1)
            }
            Some(State::Running) | None => Ok(0),
        }
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
        let mut cleared = 0;
        for state in [State::Waiting, State::Ready] {
            let removed =
                self.execute("DELETE FROM queue_job WHERE state = ?1", [state.stored()])?;
            self.count(|tally| tally.removed(state, removed as i64));
            cleared += removed as u64;
        }
        Ok(cleared)
    }
}
