//! Looking at the queue.

use std::time::SystemTime;

use crate::clock::from_ms;
use crate::error::Result;
use crate::history::{self, Event};
use crate::job::{State, text};
use crate::queue::Queue;
use crate::statements as sql;

/// How many jobs there are. Kept in the file with each change: reading them costs the same with ten
/// jobs and with ten million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Counts {
    /// Jobs not due yet, when last looked: a claim moves the due ones.
    pub waiting: u64,
    /// Jobs that may be claimed.
    pub ready: u64,
    /// Jobs claimed.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// Jobs done since the file was made.
    pub done: u64,
    /// Deferrals since the file was made.
    pub deferred: u64,
    /// Deliveries lost since the file was made.
    pub lost: u64,
    /// Payloads replaced by newer ones since the file was made.
    pub superseded: u64,
}

impl Counts {
    /// Jobs that are not done and not dead.
    pub fn live(&self) -> u64 {
        self.waiting + self.ready + self.running
    }
}

/// A live job, as seen by an onlooker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct JobInfo {
    /// Its id.
    pub id: i64,
    /// Its state.
    pub state: State,
    /// Its key.
    pub key: Option<String>,
    /// Its priority; lower runs first.
    pub priority: i64,
    /// When it is or was due.
    pub due: SystemTime,
    /// When its payload was enqueued.
    pub enqueued: SystemTime,
    /// When its lease ends, for a running job.
    pub lease_until: Option<SystemTime>,
    /// Attempts made.
    pub attempts: u32,
    /// Deferrals.
    pub deferred: u32,
    /// Deliveries lost in a row.
    pub lost: u32,
    /// Payloads replaced.
    pub superseded: u32,
    /// Whether a running job turns into a follow-up when it is settled.
    pub follow_up: bool,
    /// The payload's JSON.
    pub payload: String,
}

impl<T, B> Queue<T, B> {
    /// How many jobs there are, by state.
    ///
    /// # Errors
    /// When the database fails.
    pub fn counts(&self) -> Result<Counts> {
        Ok(sql::row(self.reader()?, sql::COUNTS, [], |row| {
            let count = |n| row.get::<_, i64>(n).map(i64::unsigned_abs);
            Ok(Counts {
                waiting: count(0)?,
                ready: count(1)?,
                running: count(2)?,
                dead: count(3)?,
                done: count(4)?,
                deferred: count(5)?,
                lost: count(6)?,
                superseded: count(7)?,
            })
        })?)
    }

    /// Up to `limit` live jobs in this state, the earliest due first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn jobs(&self, state: State, limit: usize) -> Result<Vec<JobInfo>> {
        let statement = "SELECT id, key, priority, due, enqueued, lease_until, attempts, deferred, lost, superseded, \
             next_payload IS NOT NULL, payload FROM queue_job WHERE state = ?1 ORDER BY due, id LIMIT ?2";
        let which = [state.stored(), i64::try_from(limit).unwrap_or(i64::MAX)];
        Ok(sql::rows(self.reader()?, statement, which, |row| {
            Ok(JobInfo {
                id: row.get(0)?,
                state,
                key: text(row, 1)?,
                priority: row.get(2)?,
                due: from_ms(row.get(3)?),
                enqueued: from_ms(row.get(4)?),
                lease_until: row.get::<_, Option<i64>>(5)?.map(from_ms),
                attempts: row.get(6)?,
                deferred: row.get(7)?,
                lost: row.get(8)?,
                superseded: row.get(9)?,
                follow_up: row.get(10)?,
                payload: text(row, 11)?.unwrap_or_default(),
            })
        })?)
    }

    /// What happened to a job, live or dead, oldest first; the newest 100 entries.
    ///
    /// # Errors
    /// When the database fails.
    pub fn history(&self, job: i64) -> Result<Vec<Event>> {
        history::of(self.reader()?, job)
    }
}
