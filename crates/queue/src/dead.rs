//! Dead letters: jobs that cannot succeed, kept with everything known about them.

use std::time::SystemTime;

use rusqlite::{Row, ToSql, named_params, params};
use serde::de::DeserializeOwned;

use crate::clock::{from_ms, to_ms};
use crate::error::{Error, Result};
use crate::history::EventKind;
use crate::job::{State, text};
use crate::queue::Queue;
use crate::statements as sql;
use crate::tx::Tx;

/// A job that cannot succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DeadLetter {
    /// The job's id.
    pub id: i64,
    /// When it died.
    pub died: SystemTime,
    /// The type of error it died of.
    pub error_type: String,
    /// What went wrong.
    pub message: String,
    /// Its key.
    pub key: Option<String>,
    /// Its priority; lower runs first.
    pub priority: i64,
    /// When its payload was enqueued.
    pub enqueued: SystemTime,
    /// Attempts made.
    pub attempts: u32,
    /// Deferrals.
    pub deferred: u32,
    /// Deliveries lost in a row.
    pub lost: u32,
    /// Payloads replaced.
    pub superseded: u32,
    /// The payload's JSON.
    pub payload: String,
}

impl DeadLetter {
    /// The payload, read as the type it was enqueued with.
    ///
    /// # Errors
    /// [`Error::Decode`] when it is no such: for one, in a dead letter of type
    /// [`UNDECODABLE`](crate::UNDECODABLE).
    pub fn into_payload<T: DeserializeOwned>(self) -> Result<T> {
        serde_json::from_str(&self.payload).map_err(Error::Decode)
    }
}

/// Dead letters of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DeadSummary {
    /// The type of error.
    pub error_type: String,
    /// How many died of it.
    pub count: u64,
    /// When the first of them died.
    pub oldest: SystemTime,
    /// When the last of them died.
    pub newest: SystemTime,
}

/// What a redrive did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Redriven {
    /// Dead letters that are live jobs again.
    pub jobs: u64,
    /// Dead letters that stay, because a live job, or a younger dead letter taken back, has their
    /// key.
    pub skipped: u64,
}

/// Which dead letters: all conditions must hold. Several error types may be given, and one of each
/// other condition: the last.
///
/// ```
/// # use queue::DeadFilter;
/// let timeouts = DeadFilter::all().error_type("Timeout").error_type("Refused").limit(100);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct DeadFilter {
    error_types: Vec<String>,
    key: Option<String>,
    job: Option<i64>,
    from: Option<SystemTime>,
    before: Option<SystemTime>,
    limit: Option<u64>,
}

impl DeadFilter {
    /// Every dead letter.
    pub fn all() -> Self {
        Self::default()
    }

    /// Those that died of this type of error, or of another one given.
    pub fn error_type(mut self, error_type: impl Into<String>) -> Self {
        self.error_types.push(error_type.into());
        self
    }

    /// Those with this key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// This one.
    pub fn job(mut self, id: i64) -> Self {
        self.job = Some(id);
        self
    }

    /// Those that died at this time or later.
    pub fn died_from(mut self, time: SystemTime) -> Self {
        self.from = Some(time);
        self
    }

    /// Those that died before this time.
    pub fn died_before(mut self, time: SystemTime) -> Self {
        self.before = Some(time);
        self
    }

    /// At most this many, the youngest; to keep the youngest and purge the rest, see
    /// [`Queue::purge_but`].
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The types of error of which one is wanted; any, when there are none.
    pub fn get_error_types(&self) -> &[String] {
        &self.error_types
    }

    /// The key wanted.
    pub fn get_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The job wanted.
    pub fn get_job(&self) -> Option<i64> {
        self.job
    }

    /// The earliest time of death wanted.
    pub fn get_died_from(&self) -> Option<SystemTime> {
        self.from
    }

    /// The time before which it died.
    pub fn get_died_before(&self) -> Option<SystemTime> {
        self.before
    }

    /// How many are wanted at most.
    pub fn get_limit(&self) -> Option<u64> {
        self.limit
    }

    /// Runs a query over the dead letters that match, the youngest first.
    fn select<R>(
        &self,
        connection: &rusqlite::Connection,
        columns: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<R>,
    ) -> Result<Vec<R>> {
        let types =
            (!self.error_types.is_empty()).then(|| serde_json::json!(self.error_types).to_string());
        let limit = self
            .limit
            .map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let wanted: &[(&str, &dyn ToSql)] = named_params! {
            ":types": types, ":key": self.key, ":job": self.job, ":limit": limit,
            ":from": self.from.map_or(i64::MIN, to_ms), ":before": self.before.map_or(i64::MAX, to_ms),
        };
        Ok(sql::rows(
            connection,
            &self.statement(columns),
            wanted,
            read,
        )?)
    }

    /// The letters that match, the youngest first.
    fn letters(&self, connection: &rusqlite::Connection) -> Result<Vec<Letter>> {
        self.select(connection, "id, died", |row| {
            let (id, died) = (row.get(0)?, row.get(1)?);
            Ok(Letter { id, died })
        })
    }

    /// Named so, one dead letter is found by its id, or those of a key by that, instead of by
    /// looking at all.
    pub(crate) fn statement(&self, columns: &str) -> String {
        let this = match (&self.job, &self.key) {
            (Some(_), _) => "id = :job AND (:key IS NULL OR key = :key)",
            (None, Some(_)) => "key = :key AND :job IS NULL",
            (None, None) => ":key IS NULL AND :job IS NULL",
        };
        format!(
            "SELECT {columns} FROM queue_dead WHERE (:types IS NULL OR error_type IN (SELECT value FROM json_each(:types))) \
             AND {this} AND died >= :from AND died < :before ORDER BY died DESC, id DESC LIMIT :limit"
        )
    }
}

/// One death of a job: an id that died again is another one.
#[derive(Debug, Clone, Copy)]
struct Letter {
    id: i64,
    died: i64,
}

impl<T, B> Queue<T, B> {
    /// The dead letters that match, the youngest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn dead_letters(&self, filter: &DeadFilter) -> Result<Vec<DeadLetter>> {
        let columns = "id, died, error_type, message, key, priority, enqueued, attempts, deferred, lost, superseded, payload";
        filter.select(self.reader()?, columns, |row| {
            Ok(DeadLetter {
                id: row.get(0)?,
                died: from_ms(row.get(1)?),
                error_type: row.get(2)?,
                message: text(row, 3)?.unwrap_or_default(),
                key: text(row, 4)?,
                priority: row.get(5)?,
                enqueued: from_ms(row.get(6)?),
                attempts: row.get(7)?,
                deferred: row.get(8)?,
                lost: row.get(9)?,
                superseded: row.get(10)?,
                payload: text(row, 11)?.unwrap_or_default(),
            })
        })
    }

    /// The ids and keys alone of the dead letters that match and have a key, the youngest first:
    /// cheap with very many.
    ///
    /// # Errors
    /// When the database fails.
    pub fn dead_keys(&self, filter: &DeadFilter) -> Result<Vec<(i64, String)>> {
        let rows = filter.select(self.reader()?, "id, key", |row| {
            let id = row.get(0)?;
            Ok(text(row, 1)?.map(|key| (id, key)))
        })?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// How many died of what, the most frequent first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn dead_summary(&self) -> Result<Vec<DeadSummary>> {
        let statement = "SELECT error_type, count(*), min(died), max(died) FROM queue_dead \
             GROUP BY error_type ORDER BY count(*) DESC, error_type";
        Ok(sql::rows(self.reader()?, statement, [], |row| {
            Ok(DeadSummary {
                error_type: row.get(0)?,
                count: row.get::<_, i64>(1)?.unsigned_abs(),
                oldest: from_ms(row.get(2)?),
                newest: from_ms(row.get(3)?),
            })
        })?)
    }

    /// Takes the dead letters that match back into the queue, ready now, with fresh attempts and
    /// their history. Many go in batches, between which other processes write: those that die
    /// meanwhile stay. In one step, see [`Tx::redrive`].
    ///
    /// Durability: survives a power cut.
    ///
    /// # Errors
    /// When the database fails; the batches before are done, and it can be repeated.
    pub fn redrive(&mut self, filter: &DeadFilter) -> Result<Redriven> {
        self.following(|queue| {
            let letters = filter.letters(queue.reader()?)?;
            let all = letters.len() as u64;
            let jobs = queue.in_batches(letters, |tx, letter| tx.redrive_one(letter))?;
            Ok(Redriven {
                jobs,
                skipped: all - jobs,
            })
        })
    }

    /// Deletes the dead letters that match, with their history; how many. In batches, as
    /// [`redrive`](Self::redrive) does; in one step, see [`Tx::purge`].
    ///
    /// Durability: survives a power cut.
    ///
    /// # Errors
    /// As [`redrive`](Self::redrive).
    pub fn purge(&mut self, filter: &DeadFilter) -> Result<u64> {
        self.following(|queue| {
            let letters = filter.letters(queue.reader()?)?;
            queue.in_batches(letters, |tx, letter| tx.delete_dead(letter))
        })
    }

    /// Deletes all dead letters but the youngest `keep`, with their history; how many. In batches.
    ///
    /// Durability: survives a power cut.
    ///
    /// # Errors
    /// As [`redrive`](Self::redrive).
    pub fn purge_but(&mut self, keep: u64) -> Result<u64> {
        self.following(|queue| {
            let mut letters = DeadFilter::all().letters(queue.reader()?)?;
            let keep = usize::try_from(keep).unwrap_or(usize::MAX);
            letters.drain(..keep.min(letters.len()));
            queue.in_batches(letters, |tx, letter| tx.delete_dead(letter))
        })
    }
}

impl<T> Tx<'_, T> {
    /// Takes dead letters back, all in this transaction; see [`Queue::redrive`].
    ///
    /// # Errors
    /// When the database fails.
    pub fn redrive(&self, filter: &DeadFilter) -> Result<Redriven> {
        let letters = filter.letters(&self.sql)?;
        let all = letters.len() as u64;
        let jobs = letters.into_iter().try_fold(0, |sum, letter| {
            Ok::<_, Error>(sum + self.redrive_one(letter)?)
        })?;
        Ok(Redriven {
            jobs,
            skipped: all - jobs,
        })
    }

    /// Deletes dead letters, all in this transaction; see [`Queue::purge`].
    ///
    /// # Errors
    /// When the database fails.
    pub fn purge(&self, filter: &DeadFilter) -> Result<u64> {
        let mut letters = filter.letters(&self.sql)?.into_iter();
        letters.try_fold(0, |purged, letter| Ok(purged + self.delete_dead(letter)?))
    }

    /// How many: none when a live job has its key, or the dead letter is gone.
    fn redrive_one(&self, Letter { id, died }: Letter) -> Result<u64> {
        let back = self.execute(
            "INSERT INTO queue_job \
             (id, state, priority, due, key, enqueued, attempts, deferred, lost, superseded, has_history, payload, due_set) \
             SELECT id, 1, priority, ?3, key, enqueued, 0, deferred, 0, superseded, has_history, payload, ?3 FROM queue_dead AS dead \
             WHERE id = ?1 AND died = ?2 AND NOT EXISTS (SELECT 1 FROM queue_job WHERE key = dead.key)",
            params![id, died, self.now],
        )?;
        if back > 0 {
            self.execute("DELETE FROM queue_dead WHERE id = ?1", [id])?;
            self.count(|tally| tally.dead -= 1);
            self.count(|tally| tally.moves(None, Some(State::Ready)));
            self.record(id, EventKind::Redriven, None, None)?;
        }
        Ok(back as u64)
    }

    fn delete_dead(&self, Letter { id, died }: Letter) -> Result<u64> {
        let delete = "DELETE FROM queue_dead WHERE id = ?1 AND died = ?2";
        let deleted = self.execute(delete, [id, died])?;
        if deleted > 0 {
            self.execute(sql::FORGET_HISTORY, [id])?;
            self.count(|tally| tally.dead -= 1);
        }
        Ok(deleted as u64)
    }
}
