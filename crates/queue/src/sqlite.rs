//! What a queue has because it lives in an SQLite file: a path, a connection, the application's own
//! tables beside it, damage to look for. With [`salvage`](Queue::salvage) and
//! [`Tx::sql`](crate::Tx::sql), this is what another database would do in another way; the rest of
//! [`Queue`] says nothing of SQLite.

use std::path::Path;

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::queue::{Queue, Sqlite};
use crate::schema;
use crate::statements as sql;

impl<T> Queue<T, Sqlite> {
    /// The file, as an absolute path without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, for reading the application's own tables. Write through
    /// [`transaction`](Self::transaction).
    pub fn sql(&self) -> &Connection {
        &self.connection
    }

    /// Looks for damage; what was found, or nothing. Reads the whole file.
    ///
    /// # Errors
    /// When the database fails in a way that keeps it from looking, as damage often does
    /// ([`Error::Corrupt`]).
    pub fn check(&self) -> Result<Vec<String>> {
        let check = "PRAGMA integrity_check";
        let mut found: Vec<String> = sql::rows(self.reader()?, check, [], |row| row.get(0))?;
        found.retain(|line| line != "ok");
        let counts_hold = "SELECT (waiting, ready, running, dead) = (SELECT count(*) FILTER (WHERE state = 0), \
             count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2), \
             (SELECT count(*) FROM queue_dead) FROM queue_job) FROM queue_meta";
        if !sql::row(self.reader()?, counts_hold, [], |row| row.get::<_, bool>(0))? {
            found.push("the counts differ from a full count".into());
        }
        Ok(found)
    }

    /// Brings the application's own tables in this file to the newest version: runs the steps that
    /// have not run yet, all in one transaction. `app` names the application; steps are only ever
    /// added at the end.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let mut queue: queue::Queue<u32> = queue::Queue::open(dir.path().join("jobs.db"), queue::Options::consumer())?;
    /// queue.migrate("ledger", &["CREATE TABLE ledger (scene INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT"])?;
    /// # queue.migrate("ledger", &["CREATE TABLE ledger (scene INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT"])?;
    /// # Ok::<(), queue::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::AppTooNew`] when more steps have run than are known here; or a step fails, and none
    /// has then run.
    pub fn migrate(&mut self, app: &str, steps: &[&str]) -> Result<()> {
        let known = steps.len() as i64;
        let version = schema::app_version(self.reader()?, app)?;
        if version == known {
            return Ok(());
        }
        self.transaction(|tx| {
            let found = schema::app_version(tx.sql(), app)?;
            if found > known {
                return Err(Error::AppTooNew {
                    app: app.into(),
                    found,
                    known,
                });
            }
            for step in steps
                .iter()
                .skip(usize::try_from(found).unwrap_or_default())
            {
                tx.sql().execute_batch(step)?;
            }
            let note = "INSERT OR REPLACE INTO queue_app (name, version) VALUES (?1, ?2)";
            tx.execute(note, rusqlite::params![app, known]).map(drop)
        })
    }
}
