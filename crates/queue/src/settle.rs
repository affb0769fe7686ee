//! Settling a claim: exactly once, and only by the one who holds it.

use std::time::{Duration, SystemTime};

use rusqlite::{OptionalExtension, named_params, params};

use crate::clock::{duration_ms, to_ms};
use crate::enqueue::Row;
use crate::error::Result;
use crate::fencing_token::FencingToken;
use crate::history::{EventKind, clip};
use crate::job::{Claim, State, text};
use crate::statements as sql;
use crate::tx::{Held, Tx};

/// Error type of a dead letter whose workers kept dying, or kept letting its lease run out.
pub const OWNER_DIED: &str = "OwnerDied";
/// Error type of a dead letter whose payload cannot be read as this queue's type.
pub const UNDECODABLE: &str = "UndecodablePayload";

/// Bytes of an error type kept.
const TYPE_LIMIT: usize = 200;
const MESSAGE_LIMIT: usize = 4_096;

impl<T> Tx<'_, T> {
    /// The work is done; see [`Queue::done`](crate::Queue::done).
    ///
    /// # Errors
    /// [`Error::LeaseLost`](crate::Error::LeaseLost), and the transaction is then rolled back; or
    /// the database fails.
    pub fn done(&self, claim: &Claim<T>) -> Result<()> {
        self.settle(claim, |job, no| self.remove(job, no, true))?;
        self.count(|tally| tally.done += 1);
        Ok(())
    }

    /// The attempt failed and another is due; see [`Queue::retry_at`](crate::Queue::retry_at).
    ///
    /// # Errors
    /// As [`done`](Self::done).
    pub fn retry_at(
        &self,
        claim: &Claim<T>,
        due: SystemTime,
        error_type: &str,
        message: &str,
    ) -> Result<()> {
        let error = (Some(error_type), Some(message));
        self.settle(claim, |job, no| {
            self.give_back(job, no, EventKind::Retried, to_ms(due), error)
        })
    }

    /// Not now, and the attempt does not count; see [`Queue::defer`](crate::Queue::defer).
    ///
    /// # Errors
    /// As [`done`](Self::done).
    pub fn defer(&self, claim: &Claim<T>, due: SystemTime, reason: &str) -> Result<()> {
        let error = (None, Some(reason));
        self.settle(claim, |job, no| {
            self.give_back(job, no, EventKind::Deferred, to_ms(due), error)
        })
    }

    /// Gives the job back unworked; see [`Queue::release`](crate::Queue::release).
    ///
    /// # Errors
    /// As [`done`](Self::done).
    pub fn release(&self, claim: &Claim<T>) -> Result<()> {
        // By a clock that was set back it would not be due yet.
        let due = claim.due.min(self.now);
        self.settle(claim, |job, no| {
            self.give_back(job, no, EventKind::Released, due, (None, None))
        })
    }

    /// The job cannot succeed; see [`Queue::dead`](crate::Queue::dead).
    ///
    /// # Errors
    /// As [`done`](Self::done).
    pub fn dead(&self, claim: &Claim<T>, error_type: &str, message: &str) -> Result<()> {
        self.settle(claim, |job, no| self.bury(job, no, error_type, message))
    }

    /// The new end of the lease, unless it already ended. Never earlier than before.
    pub(crate) fn extend(&self, claim: &Claim<T>, by: Duration) -> Result<Duration> {
        self.fence(claim)?;
        let expires = claim.expires.max(self.monotonic.saturating_add(by));
        let left = duration_ms(expires.saturating_sub(self.monotonic));
        let changed = self.execute(
            sql::EXTEND,
            params![claim.id, claim.no, self.now.saturating_add(left), left],
        )?;
        if changed == 0 {
            Err(self.lease_lost(claim.id))
        } else {
            Ok(expires)
        }
    }

    /// Ends a claim by `end`, which answers whether it was still the job's.
    fn settle(
        &self,
        claim: &Claim<T>,
        end: impl FnOnce(i64, FencingToken) -> Result<bool>,
    ) -> Result<()> {
        self.fence(claim)?;
        if !end(claim.id, claim.no)? {
            return Err(self.lease_lost(claim.id));
        }
        self.settled(claim.into());
        Ok(())
    }

    /// Ends a claim of this process without its handle, as when it stops. False when it no longer
    /// holds it.
    pub(crate) fn release_held(&self, held: Held) -> Result<bool> {
        self.settled(held);
        if held.expires <= self.monotonic {
            return self.reclaim(held.job, held.no, "lease ran out");
        }
        self.give_back(
            held.job,
            held.no,
            EventKind::Released,
            self.now,
            (None, None),
        )
    }

    /// Takes back a claim whose owner died or whose lease ended; the job becomes a dead letter when
    /// that happened too often. False when it was settled meanwhile.
    pub(crate) fn reclaim(&self, job: i64, no: FencingToken, why: &str) -> Result<bool> {
        let Some((lost, follow_up)) = self.held(job, no)? else {
            return Ok(false);
        };
        if follow_up.is_some() || lost + 1 < i64::from(self.options.max_lost) {
            return self.give_back(job, no, EventKind::Lost, self.now, (None, Some(why)));
        }
        self.record(job, EventKind::Lost, None, Some(why))?;
        self.execute(
            "UPDATE queue_job SET lost = lost + 1, attempts = attempts - 1 WHERE id = ?1",
            [job],
        )?;
        let message = "its workers died, or let the lease run out, again and again";
        self.bury(job, no, OWNER_DIED, message)
    }

    /// How often in a row the job was lost, and when its follow-up is due. None when the claim is
    /// not the job's.
    fn held(&self, job: i64, no: FencingToken) -> Result<Option<(i64, Option<i64>)>> {
        let held = sql::row(&self.sql, sql::HELD, params![job, no], |row| {
            let next = self.next_due((row.get(1)?, row.get(2)?));
            Ok((row.get(0)?, next))
        });
        Ok(held.optional()?)
    }

    /// Puts a job back: how it came to that, when it is due, and with which type of error and
    /// message.
    fn give_back(
        &self,
        job: i64,
        no: FencingToken,
        kind: EventKind,
        due: i64,
        (error_type, message): (Option<&str>, Option<&str>),
    ) -> Result<bool> {
        let Some((_, follow_up)) = self.held(job, no)? else {
            return Ok(false);
        };
        let due = follow_up.unwrap_or(due);
        let state = State::idle(due, self.now);
        self.execute(
            sql::GIVE_BACK,
            named_params! {
                ":id": job, ":claim": no, ":due": due, ":now": self.now, ":state": state.stored(),
                ":unspent": kind != EventKind::Retried,
                ":deferred": kind == EventKind::Deferred,
                ":lost": kind == EventKind::Lost,
                // A job given back unworked may still be one that kills its worker.
                ":in_a_row": matches!(kind, EventKind::Lost | EventKind::Released),
            },
        )?;
        self.count(|tally| tally.moves(Some(State::Running), Some(state)));
        let error_type = error_type.map(|error_type| clip(error_type, TYPE_LIMIT));
        self.record(job, kind, error_type, message)?;
        if follow_up.is_some() {
            self.record(job, EventKind::Superseded, None, None)?;
        }
        Ok(true)
    }

    /// Makes a dead letter of a claimed job. False when the claim is not the job's.
    pub(crate) fn bury(
        &self,
        job: i64,
        no: FencingToken,
        error_type: &str,
        message: &str,
    ) -> Result<bool> {
        let (error_type, message) = (clip(error_type, TYPE_LIMIT), clip(message, MESSAGE_LIMIT));
        if self.held(job, no)?.is_none() {
            return Ok(false);
        }
        self.record(job, EventKind::Died, Some(error_type), Some(message))?;
        self.execute(sql::BURY, params![job, no, self.now, error_type, message])?;
        self.count(|tally| tally.dead += 1);
        self.remove(job, no, false)
    }

    /// Deletes a claimed job that is done or dead; its follow-up, when one was marked, becomes a
    /// job of its own.
    fn remove(&self, job: i64, no: FencingToken, done: bool) -> Result<bool> {
        if self.execute(sql::REMOVE_WHOLE, params![job, no, done])? > 0 {
            self.count(|tally| tally.moves(Some(State::Running), None));
            return Ok(true);
        }
        let removed = sql::row(&self.sql, sql::FOLLOW_UP, params![job, no, done], |row| {
            let (has_history, key, payload) = (row.get(0)?, text(row, 1)?, text(row, 2)?);
            let next: (Option<i64>, Option<i64>, Option<i64>) =
                (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok((has_history, key, payload, next))
        });
        let Some((has_history, key, payload, (due, priority, enqueued))) = removed.optional()?
        else {
            return Ok(false);
        };
        let due = self.next_due((due, enqueued));
        self.execute(sql::REMOVE, [job])?;
        self.count(|tally| tally.moves(Some(State::Running), None));
        if done && has_history {
            self.execute(sql::FORGET_HISTORY, [job])?;
        }
        if let (Some(payload), Some(due), Some(priority), Some(enqueued)) =
            (payload, due, priority, enqueued)
        {
            let key = key.as_deref();
            // Its key is free: the job was removed above.
            self.insert(&Row {
                priority,
                due,
                key,
                enqueued,
                payload: &payload,
            })?;
        }
        Ok(true)
    }
}
