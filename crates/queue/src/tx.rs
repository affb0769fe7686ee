//! One transaction over the queue and the application's own tables.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock::to_ms;
use crate::counters::Counters;
use crate::error::{Error, Result};
use crate::identity::FileId;
use crate::job::{Claim, Payload};
use crate::options::Options;
use crate::schema;
use crate::statements as sql;

/// A transaction in progress; see [`Queue::transaction`](crate::Queue::transaction).
///
/// Settles take the claim by reference, since the transaction may yet roll back. When a claim turns
/// out to be lost, the whole transaction is rolled back, even if its error was ignored.
pub struct Tx<'q, T> {
    pub(crate) sql: Immediate<'q>,
    pub(crate) options: &'q Options,
    pub(crate) path: &'q Path,
    pub(crate) file: FileId,
    pub(crate) now: i64,
    pub(crate) monotonic: Duration,
    lost: Cell<Option<i64>>,
    settled: RefCell<Vec<Held>>,
    tally: Cell<Counters>,
    payload: Payload<T>,
}

/// The queue as the transaction began.
pub(crate) struct Meta {
    last_id: i64,
    pub(crate) paused: bool,
    pub(crate) waiting: i64,
}

/// A transaction that has the write lock, and is rolled back unless it is committed.
///
/// Not deferred: one that reads before it writes fails at once when another wrote in between. Not
/// rusqlite's own, which compiles `BEGIN` and `COMMIT` each time: a twentieth of a claim.
pub(crate) struct Immediate<'c> {
    connection: &'c Connection,
    process: u32,
}

impl<'c> Immediate<'c> {
    pub(crate) fn begin(connection: &Connection) -> rusqlite::Result<()> {
        connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])
            .map(drop)
    }

    /// Of a transaction that was begun. Exclusive, so that there is one at a time.
    pub(crate) fn begun(connection: &'c mut Connection, process: u32) -> Self {
        Self {
            connection,
            process,
        }
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    pub(crate) fn commit(self) -> Result<()> {
        let mut commit = self.connection.prepare_cached("COMMIT")?;
        commit.execute([]).map(drop).map_err(Error::commit)
    }
}

impl std::ops::Deref for Immediate<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Immediate<'_> {
    fn drop(&mut self) {
        // Committed already, or rolled back by SQLite itself; or the parent's, in a child that was
        // forked meanwhile.
        if !self.connection.is_autocommit() && !self.is_forked() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

/// A claim this process holds, ordered by when its lease ends on the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) expires: Duration,
    pub(crate) job: i64,
    pub(crate) no: crate::fencing_token::FencingToken,
}

impl<T> From<&Claim<T>> for Held {
    fn from(claim: &Claim<T>) -> Self {
        Self {
            expires: claim.expires,
            job: claim.id,
            no: claim.no,
        }
    }
}

impl<'q, T> Tx<'q, T> {
    pub(crate) fn begun(
        sql: Immediate<'q>,
        options: &'q Options,
        path: &'q Path,
        file: FileId,
    ) -> Self {
        Self {
            sql,
            options,
            path,
            file,
            now: to_ms(options.clock.now()),
            monotonic: options.clock.monotonic(),
            lost: Cell::new(None),
            settled: RefCell::default(),
            tally: Cell::default(),
            payload: PhantomData,
        }
    }

    /// Refuses a file that is only for newer programs.
    pub(crate) fn meta(&self) -> Result<Meta> {
        let (min_version, meta) = sql::row(&self.sql, sql::META, [], |row| {
            let (last_id, paused, waiting) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((
                row.get(0)?,
                Meta {
                    last_id,
                    paused,
                    waiting,
                },
            ))
        })?;
        schema::check_min_version(&self.sql, min_version, schema::VERSION)?;
        Ok(meta)
    }

    /// The claims settled, unless one of them was lost.
    pub(crate) fn commit(self) -> Result<Vec<Held>> {
        if let Some(job) = self.lost.get() {
            return Err(Error::LeaseLost { job });
        }
        if !self.tally.get().write(&self.sql)? {
            // No counts were written: for want of any, or since a newer program is needed.
            self.meta()?;
        }
        self.sql.commit()?;
        Ok(self.settled.into_inner())
    }

    /// The connection, in the transaction, for the application's own tables. Commit and rollback
    /// are not yours to call here.
    pub fn sql(&self) -> &Connection {
        self.sql.connection
    }

    /// Refuses a claim from another file, and one whose lease has ended on this process's own
    /// clock.
    pub(crate) fn fence(&self, claim: &Claim<T>) -> Result<()> {
        if claim.file != self.file {
            return Err(Error::Replaced {
                path: self.path.into(),
            });
        }
        if claim.expires <= self.monotonic {
            return Err(self.lease_lost(claim.id));
        }
        Ok(())
    }

    pub(crate) fn lease_lost(&self, job: i64) -> Error {
        self.lost.set(Some(job));
        Error::LeaseLost { job }
    }

    pub(crate) fn settled(&self, held: Held) {
        self.settled.borrow_mut().push(held);
    }

    /// Changes the counts.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }

    /// An id that no job of this file ever had.
    pub(crate) fn next_id(&self) -> Result<i64> {
        let last = match self.tally.get().last_id {
            Some(last) => last,
            None => self.meta()?.last_id,
        };
        Ok(last + 1)
    }

    /// Runs a statement once, from the cache; the number of rows changed.
    pub(crate) fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        Ok(self.sql.prepare_cached(sql)?.execute(params)?)
    }
}
