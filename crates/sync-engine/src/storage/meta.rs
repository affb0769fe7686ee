//! Small values, by their keys.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result};

/// Where a person who wants the settings to be read anew leaves the time, in Unix milliseconds.
pub const SETTINGS_ASKED: &str = "settings_asked";
/// The probe schedule.
pub const PROBE: &str = "probe";
/// The last reconciliation.
pub const RECONCILED: &str = "reconciliation";
/// The last bulk job.
pub const LISTED: &str = "bulk";
/// How many scenes of Stash were never written, as of the last look; none where all are kept equal.
pub const NEVER_SYNCED: &str = "never_synced";

const META: &str = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID";

/// Makes the table of small values, for a hook that comes before any worker.
pub fn create(db: &Connection) -> Result<()> {
    db.execute_batch(META)
}

/// A small remembered value.
pub fn get(db: &Connection, key: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
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
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute([key, value])?;
    Ok(())
}
