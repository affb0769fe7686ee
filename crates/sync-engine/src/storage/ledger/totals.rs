//! What is counted for good, and since when.

use rusqlite::{Connection, Result};

use crate::storage::{meta, sql};

/// What is counted for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Jobs of scenes after which Plex was equal.
    Synced,
    /// Jobs of scenes for which there was nothing to do: unchanged, without metadata, or not in
    /// Plex where that is skipped.
    Skipped,
    /// Jobs that were given up.
    Failed,
}

impl Total {
    fn key(self) -> &'static str {
        match self {
            Self::Synced => "total_synced",
            Self::Skipped => "total_skipped",
            Self::Failed => "total_failed",
        }
    }
}

/// Since when it is counted, in Unix milliseconds.
const COUNTED_SINCE: &str = "counted_since";

/// Begins to count, unless it has begun.
pub fn count_from(db: &Connection, now: i64) -> Result<()> {
    let begin = "INSERT OR IGNORE INTO meta (key, value) VALUES (?1, ?2)";
    sql::run(db, begin, [COUNTED_SINCE, &now.to_string()]).map(drop)
}

/// Counts one more.
pub fn count(db: &Connection, total: Total) -> Result<()> {
    let count = "INSERT INTO meta (key, value) VALUES (?1, '1') \
                 ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1";
    sql::run(db, count, [total.key()]).map(drop)
}

/// How many so far; none before the first worker.
pub fn total(db: &Connection, total: Total) -> Result<u64> {
    Ok(number(db, total.key())?.unwrap_or_default())
}

/// Since when it is counted, in Unix milliseconds; `None` before the first worker.
pub fn counted_since(db: &Connection) -> Result<Option<u64>> {
    number(db, COUNTED_SINCE)
}

fn number(db: &Connection, key: &str) -> Result<Option<u64>> {
    // A value nobody wrote counts as none.
    Ok(meta::get_early(db, key)?.and_then(|text| text.parse().ok()))
}
