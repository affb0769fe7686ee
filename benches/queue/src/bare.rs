//! The least a durable queue on SQLite can be: one table, three indexes, one statement for each
//! operation; no keys that coalesce, no counts, no owners, no due times.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result, TransactionBehavior, params};

/// A queue of one table.
pub struct Bare {
    connection: Connection,
}

const SCHEMA: &str = "CREATE TABLE job (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, priority INTEGER NOT NULL, due INTEGER NOT NULL,
  key TEXT, token INTEGER NOT NULL DEFAULT 0, lease_until INTEGER, attempts INTEGER NOT NULL DEFAULT 0, payload TEXT NOT NULL) STRICT;
CREATE INDEX job_ready ON job (priority, due) WHERE state = 1;
CREATE INDEX job_running ON job (lease_until) WHERE state = 2;
CREATE UNIQUE INDEX job_key ON job (key) WHERE key IS NOT NULL;";

impl Bare {
    /// Makes the file.
    pub fn create(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection })
    }

    /// Opens the file as a short-lived process would.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.execute_batch("PRAGMA synchronous = FULL")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(Self { connection })
    }

    /// What commits wait for from now on.
    pub fn synchronous(&self, level: &str) -> Result<()> {
        self.connection
            .execute_batch(&format!("PRAGMA synchronous = {level}"))
    }

    /// Empties the log.
    pub fn checkpoint(&self) -> Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// Stores one job.
    pub fn enqueue(&self, payload: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO job (state, priority, due, payload) VALUES (1, 0, ?1, ?2)",
            )?
            .execute(params![1_700_000_000_000i64, payload])?;
        Ok(())
    }

    /// Stores one job under a key that nothing has.
    pub fn enqueue_keyed(&self, key: &str, payload: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO job (state, priority, due, key, payload) VALUES (1, 0, ?1, ?2, ?3)",
            )?
            .execute(params![1_700_000_000_000i64, key, payload])?;
        Ok(())
    }

    /// Stores one job in the tables of a file of ours, as a program would that knows them: the job
    /// and the counts.
    pub fn enqueue_as_ours(&mut self, key: &str, payload: &str) -> Result<()> {
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached(
            "INSERT INTO queue_job \
             (id, state, priority, due, key, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
             SELECT last_id + 1, 1, 0, ?1, ?2, ?1, 0, 0, 0, 0, 0, json_quote(?3) FROM queue_meta",
        )?
        .execute(params![1_700_000_000_000i64, key, payload])?;
        tx.prepare_cached("UPDATE queue_meta SET ready = ready + 1, last_id = last_id + 1")?
            .execute([])?;
        tx.commit()
    }

    /// Stores many in one transaction.
    pub fn enqueue_all(&mut self, payloads: &[String]) -> Result<()> {
        let tx = self.connection.transaction()?;
        for payload in payloads {
            tx.prepare_cached(
                "INSERT INTO job (state, priority, due, payload) VALUES (1, 0, ?1, ?2)",
            )?
            .execute(params![1_700_000_000_000i64, payload])?;
        }
        tx.commit()
    }

    /// Claims one: its id, token and payload.
    pub fn claim(&self) -> Result<(i64, i64, String)> {
        self.connection
            .prepare_cached(
                "UPDATE job SET state = 2, token = token + 1, lease_until = ?1, attempts = attempts + 1 \
                 WHERE id IN (SELECT id FROM job WHERE state = 1 ORDER BY priority, due, id LIMIT 1) RETURNING id, token, payload",
            )?
            .query_row([1_700_000_300_000i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    /// Removes a claimed one.
    pub fn done(&self, id: i64, token: i64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM job WHERE id = ?1 AND token = ?2")?
            .execute([id, token])?;
        Ok(())
    }
}
