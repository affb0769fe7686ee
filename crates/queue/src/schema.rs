//! The file's schema: versions, and which programs may use which.
//!
//! `user_version` is the newest schema the file has been migrated to; `queue_meta.min_version` is
//! the oldest program (by the newest schema it knows) that may still use it. A migration that only
//! adds columns, tables or indexes keeps `min_version`, and a process of the version before goes on
//! enqueueing while the update is installed.

use std::path::Path;

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::statements as sql;

/// "JobQ": marks the file as a queue, <https://www.sqlite.org/fileformat.html#application_id>.
pub(crate) const APPLICATION_ID: i64 = 0x4a6f_6251;

/// One for each released schema: from version `n` to version `n + 1` at index `n`.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
];

/// The schema this program writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Whether the file can be used as it is; `false` when it must be created or migrated first.
pub(crate) fn is_current(connection: &Connection, path: &Path) -> Result<bool> {
    is_current_for(connection, path, VERSION)
}

fn is_current_for(connection: &Connection, path: &Path, known: i64) -> Result<bool> {
    if pragma(connection, "application_id")? == APPLICATION_ID {
        let found = pragma(connection, "user_version")?;
        if found > known {
            let min =
                connection.query_row("SELECT min_version FROM queue_meta", [], |row| row.get(0))?;
            check_min_version(connection, min, known)?;
        }
        return Ok(found >= known);
    }
    // Another process may be creating the file: what is read must be of one moment. A savepoint,
    // since the caller may be in a transaction.
    connection.execute_batch("SAVEPOINT look")?;
    let nothing_yet = is_nothing_yet(connection, path);
    connection.execute_batch("RELEASE look")?;
    nothing_yet.map(|()| false)
}

/// Neither a queue nor anything else; or by now a queue.
fn is_nothing_yet(connection: &Connection, path: &Path) -> Result<()> {
    let application_id = pragma(connection, "application_id")?;
    let found = pragma(connection, "user_version")?;
    match application_id {
        APPLICATION_ID => Ok(()),
        0 if found == 0 && is_empty(connection)? => reject_scrap(path),
        _ => Err(Error::Foreign {
            path: path.into(),
            application_id,
        }),
    }
}

/// Whether a program that knows `known` may use the file.
pub(crate) fn check_min_version(connection: &Connection, min: i64, known: i64) -> Result<()> {
    if min > known {
        let found = pragma(connection, "user_version")?;
        return Err(Error::TooNew { found, known });
    }
    Ok(())
}

fn is_empty(connection: &Connection) -> Result<bool> {
    let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)";
    Ok(connection.query_row(is_empty, [], |row| row.get(0))?)
}

/// SQLite takes a file too short for a page to be empty, and would write over what is in it.
fn reject_scrap(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(file) if (1..512).contains(&file.len()) => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB),
            Some("file is too short for a database".into()),
        )
        .into()),
        _ => Ok(()),
    }
}

/// Brings the file to the newest version, inside the caller's transaction. Does nothing when
/// another process was faster.
pub(crate) fn migrate(connection: &Connection, path: &Path) -> Result<()> {
    migrate_with(connection, path, MIGRATIONS)
}

fn migrate_with(connection: &Connection, path: &Path, migrations: &[&str]) -> Result<()> {
    let newest = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if is_current_for(connection, path, newest)? {
        return Ok(());
    }
    let found = usize::try_from(pragma(connection, "user_version")?).unwrap_or_default();
    for migration in migrations.iter().skip(found) {
        connection.execute_batch(migration)?;
    }
    connection.pragma_update(None, "user_version", newest)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

pub(crate) fn pragma(connection: &Connection, name: &str) -> Result<i64> {
    Ok(sql::row(
        connection,
        &format!("PRAGMA {name}"),
        [],
        |row| row.get(0),
    )?)
}

/// How many of an application's own migrations have run.
pub(crate) fn app_version(connection: &Connection, app: &str) -> Result<i64> {
    let version = "SELECT ifnull(max(version), 0) FROM queue_app WHERE name = ?1";
    Ok(connection.query_row(version, [app], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewJob, Options, Queue};

    /// A file as the program that knew only the first `version` schemas left it, with a job.
    fn released(path: &Path, version: usize) {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")
            .unwrap();
        migrate_with(&connection, path, &MIGRATIONS[..version]).unwrap();
        let insert = "INSERT INTO queue_job \
             (state, priority, due, key, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
             VALUES (1, 0, 0, 'k', 0, 0, 0, 0, 0, 0, '\"old\"')";
        connection.execute(insert, []).unwrap();
        connection
            .execute("UPDATE queue_meta SET ready = 1, last_id = 1", [])
            .unwrap();
    }

    #[test]
    fn every_released_schema_is_migrated_with_its_jobs() {
        for version in 1..=MIGRATIONS.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("q.db");
            released(&path, version);
            let mut queue: Queue<String> = Queue::open(&path, Options::producer()).unwrap();
            assert_eq!(pragma(queue.sql(), "user_version").unwrap(), VERSION);
            queue
                .enqueue(NewJob::new("new".to_owned()).key("other"))
                .unwrap();
            let claims = queue.claim(9).unwrap();
            assert_eq!(
                claims
                    .iter()
                    .map(|claim| claim.payload().as_str())
                    .collect::<Vec<_>>(),
                ["old", "new"]
            );
            assert_eq!(queue.check().unwrap(), Vec::<String>::new());
        }
    }

    /// The machinery, on a migration there is not yet: while it is installed, the program before
    /// goes on.
    #[test]
    fn a_migration_runs_once_or_not_at_all_and_leaves_old_programs_working() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q.db");
        released(&path, MIGRATIONS.len());
        let mut old: Queue<String> = Queue::open(&path, Options::consumer()).unwrap();
        let mut newer = Connection::open(&path).unwrap();
        let mut migrate = |step: &'static str| {
            let tx = newer.transaction().unwrap();
            let migrations: Vec<&str> = MIGRATIONS.iter().copied().chain([step]).collect();
            migrate_with(&tx, &path, &migrations).and_then(|()| Ok(tx.commit()?))
        };
        assert!(migrate("ALTER TABLE queue_job ADD COLUMN tenant TEXT; no SQL").is_err());
        assert_eq!(pragma(old.sql(), "user_version").unwrap(), VERSION);
        migrate("ALTER TABLE queue_job ADD COLUMN tenant TEXT").unwrap();
        migrate("ALTER TABLE queue_job ADD COLUMN tenant TEXT").unwrap();
        assert_eq!(pragma(old.sql(), "user_version").unwrap(), VERSION + 1);
        old.enqueue("new".to_owned()).unwrap();
        let mut late: Queue<String> = Queue::open(&path, Options::producer()).unwrap();
        late.enqueue("late".to_owned()).unwrap();
        assert_eq!(old.claim(9).unwrap().len(), 3);
    }
}
