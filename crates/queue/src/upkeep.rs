//! Keeping the file small and sound: what the long-lived consumer does for everybody.

use std::time::Instant;

use crate::batches::{BATCH, let_others_in};
use crate::error::{Error, Result};
use crate::owner::beside;
use crate::queue::Queue;
use crate::schema::{self, pragma};

/// Pages given back in one transaction, so that producers wait for a few milliseconds at most.
const VACUUM_STEP: i64 = 500;

/// Producers that find themselves alone with a larger log empty it. Each that opens a file alone reads its whole log first,
/// and a checkpoint by one is not known to the next: only an empty log is.
const LONELY_LOG: u64 = 128 << 10;

/// What [`Queue::maintain`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upkeep {
    /// Pages given back to the file system.
    pub freed_pages: u64,
    /// Bytes of write-ahead log left. It grows when somebody keeps a read transaction open.
    pub log_bytes: u64,
}

impl<T> Queue<T> {
    /// Gives unused pages back to the file system and moves the write-ahead log into the file. For the consumer, when idle;
    /// [`wait`](Self::wait) does it by itself after a second without work. Others write meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub fn maintain(&mut self) -> Result<Upkeep> {
        let mut freed_pages = self.tidy()?;
        while self.untidy {
            let_others_in();
            freed_pages += self.tidy()?;
        }
        Ok(Upkeep {
            freed_pages,
            log_bytes: self.log_bytes(),
        })
    }

    /// A moment's worth of upkeep; the pages given back. There is more to do for as long as the queue is untidy.
    pub(crate) fn tidy(&mut self) -> Result<u64> {
        self.check_process()?;
        let started = Instant::now();
        let mut freed = 0;
        loop {
            let free = pragma(&self.connection, "freelist_count")?;
            if free == 0 {
                break;
            }
            if started.elapsed() >= BATCH {
                return Ok(freed);
            }
            // Each step of the statement frees one page.
            let mut vacuum = self
                .connection
                .prepare(&format!("PRAGMA incremental_vacuum({VACUUM_STEP})"))?;
            let mut pages = vacuum.query([])?;
            while pages.next()?.is_some() {}
            let left = pragma(&self.connection, "freelist_count")?;
            freed += (free - left).max(0).unsigned_abs();
            if left >= free {
                break;
            }
        }
        self.untidy = false;
        // A truncating checkpoint waits for all readers: only when none is in the way.
        let (log, moved): (i64, i64) =
            self.connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                    Ok((row.get(1)?, row.get(2)?))
                })?;
        if log == moved {
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(freed)
    }

    /// By path: SQLite must be the only one to open its files.
    fn log_bytes(&self) -> u64 {
        std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |file| file.len())
    }

    /// The safety valve of short-lived processes, used when they close: with no consumer, nobody else empties the log.
    pub(crate) fn relieve_log(&self) {
        let Some(in_use) = self
            .in_use
            .as_ref()
            .filter(|_| self.log_bytes() > LONELY_LOG)
        else {
            return;
        };
        if in_use.unlock().is_ok() && in_use.try_lock().is_ok() {
            let _ = self
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    /// Looks for damage; what was found, or nothing. Reads the whole file.
    ///
    /// # Errors
    /// When the database fails in a way that keeps it from looking, as damage often does ([`Error::Corrupt`]).
    pub fn check(&self) -> Result<Vec<String>> {
        let mut check = self.reader()?.prepare("PRAGMA integrity_check")?;
        let mut found: Vec<String> = check
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        found.retain(|line| line != "ok");
        let counts_hold: bool = self.reader()?.query_row(
            "SELECT (waiting, ready, running, dead) = (SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1), \
             count(*) FILTER (WHERE state = 2), (SELECT count(*) FROM queue_dead) FROM queue_job) FROM queue_meta",
            [],
            |row| row.get(0),
        )?;
        if !counts_hold {
            found.push("the counts differ from a full count".into());
        }
        Ok(found)
    }

    /// Brings the application's own tables in this file to the newest version: runs the steps that have not run yet, all
    /// in one transaction. `app` names the application; steps are only ever added at the end.
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
    /// [`Error::AppTooNew`] when more steps have run than are known here; or a step fails, and none has then run.
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
            tx.execute(
                "INSERT OR REPLACE INTO queue_app (name, version) VALUES (?1, ?2)",
                rusqlite::params![app, known],
            )?;
            Ok(())
        })
    }
}
