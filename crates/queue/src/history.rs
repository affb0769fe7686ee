//! What happened to a job before it was done.

use std::time::SystemTime;

use rusqlite::params;

use crate::clock::from_ms;
use crate::error::Result;
use crate::job::text;
use crate::statements as sql;
use crate::tx::Tx;

/// Rows of history kept for each job; the newest stay. The job's counters go on counting.
const LIMIT: i64 = 100;
/// Bytes of a message kept.
const MESSAGE_LIMIT: usize = 4_096;

/// What happened to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum EventKind {
    /// It failed and was put back for another attempt.
    Retried,
    /// It was put back without spending the attempt.
    Deferred,
    /// Its owner died, or let the lease run out.
    Lost,
    /// A newer payload took the place of an older one.
    Superseded,
    /// Its owner gave it back unworked.
    Released,
    /// It became a dead letter.
    Died,
    /// It was taken back from the dead letters.
    Redriven,
}

impl EventKind {
    const ALL: [Self; 7] = [
        Self::Retried,
        Self::Deferred,
        Self::Lost,
        Self::Superseded,
        Self::Released,
        Self::Died,
        Self::Redriven,
    ];

    fn stored(self) -> i64 {
        self as i64
    }

    fn from_stored(kind: i64) -> Self {
        let known = Self::ALL.into_iter().find(|known| known.stored() == kind);
        known.unwrap_or(Self::Released)
    }
}

/// One entry of a job's history; equal ones in a row are one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When it happened first.
    pub first: SystemTime,
    /// When it happened last.
    pub last: SystemTime,
    /// How often in a row.
    pub times: u64,
    /// The type of error given.
    pub error_type: Option<String>,
    /// The message, or the reason of a deferral.
    pub message: Option<String>,
}

impl<T> Tx<'_, T> {
    /// Adds an entry to the job's history, and to the file's own count of such events.
    pub(crate) fn record(
        &self,
        job: i64,
        kind: EventKind,
        error_type: Option<&str>,
        message: Option<&str>,
    ) -> Result<()> {
        let message = message.map(|message| clip(message, MESSAGE_LIMIT));
        let repeated = self.execute(
            "UPDATE queue_event SET last = ?1, times = times + 1 WHERE job = ?2 AND n = (SELECT max(n) FROM queue_event WHERE job = ?2) \
             AND kind = ?3 AND error_type IS ?4 AND message IS ?5",
            params![self.now, job, kind.stored(), error_type, message],
        )?;
        if repeated == 0 {
            self.execute(
                "INSERT INTO queue_event (job, n, kind, first, last, times, error_type, message) \
                 SELECT ?2, ifnull(max(n), 0) + 1, ?3, ?1, ?1, 1, ?4, ?5 FROM queue_event WHERE job = ?2",
                params![self.now, job, kind.stored(), error_type, message],
            )?;
            self.execute(
                "DELETE FROM queue_event WHERE job = ?1 AND n <= (SELECT max(n) FROM queue_event WHERE job = ?1) - ?2",
                params![job, LIMIT],
            )?;
            self.execute(
                "UPDATE queue_job SET has_history = 1 WHERE id = ?1 AND NOT has_history",
                [job],
            )?;
        }
        self.count(|tally| match kind {
            EventKind::Deferred => tally.deferred += 1,
            EventKind::Lost => tally.lost += 1,
            EventKind::Superseded => tally.superseded += 1,
            EventKind::Retried | EventKind::Released | EventKind::Died | EventKind::Redriven => {}
        });
        Ok(())
    }
}

/// The job's history, oldest first.
pub(crate) fn of(connection: &rusqlite::Connection, job: i64) -> Result<Vec<Event>> {
    let statement = "SELECT kind, first, last, times, error_type, message FROM queue_event WHERE job = ?1 ORDER BY n";
    Ok(sql::rows(connection, statement, [job], |row| {
        Ok(Event {
            kind: EventKind::from_stored(row.get(0)?),
            first: from_ms(row.get(1)?),
            last: from_ms(row.get(2)?),
            times: row.get::<_, i64>(3)?.unsigned_abs(),
            error_type: row.get(4)?,
            message: text(row, 5)?,
        })
    })?)
}

/// At most `limit` bytes, cut between characters.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_stored_by_their_place() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_stored(kind.stored()), kind);
        }
    }

    #[test]
    fn messages_are_cut_between_characters() {
        assert_eq!(clip("aé", 2), "a");
        assert_eq!(clip("aé", 3), "aé");
        assert_eq!(clip("aé", 300), "aé");
    }
}
