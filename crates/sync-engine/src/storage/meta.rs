//! Small values, by their keys.

use rusqlite::{Connection, ErrorCode, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::storage::sql;

/// Where a person who wants the settings to be read anew leaves the time, in Unix milliseconds.
pub const SETTINGS_ASKED: &str = "settings_asked";
/// With what Plex failed last.
pub const CAUSE: &str = "cause";
/// The probe schedule.
pub const PROBE: &str = "probe";
/// The last reconciliation.
pub const RECONCILED: &str = "reconciliation";
/// The last bulk job.
pub const LISTED: &str = "bulk";
/// How many scenes Stash had at the last look; none where all are kept equal.
pub const LIBRARY: &str = "library";

const META: &str = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID";

/// Makes the table of small values, for a hook that comes before any worker.
pub fn create(db: &Connection) -> Result<()> {
    db.execute_batch(META)
}

/// A small remembered value.
pub fn get(db: &Connection, key: &str) -> Result<Option<String>> {
    let find = "SELECT value FROM meta WHERE key = ?1";
    sql::row(db, find, [key], |row| row.get(0))
}

/// The same where no worker may have made the table yet.
pub fn get_early(db: &Connection, key: &str) -> Result<Option<String>> {
    match get(db, key) {
        // SQLite's word for a statement that names what is not there.
        Err(why) if why.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(None),
        known => known,
    }
}

/// Remembers a small value.
pub fn set(db: &Connection, key: &str, value: &str) -> Result<()> {
    let put = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)";
    sql::run(db, put, [key, value]).map(drop)
}

/// What is remembered as JSON; a text that cannot be read counts as none.
pub fn read<T: DeserializeOwned>(db: &Connection, key: &str) -> Result<Option<T>> {
    Ok(get(db, key)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Remembers something as JSON, of which nothing can fail to be text.
pub fn write(db: &Connection, key: &str, value: &impl Serialize) -> Result<()> {
    set(db, key, &serde_json::to_string(value).unwrap_or_default())
}
