//! The queue a program holds: a thin shell that gives each operation its transaction and its
//! durability.

use std::collections::BTreeSet;
use std::fs::File;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, params};
use serde::Serialize;

use crate::claim::Watched;
use crate::connection::{self, Durability, Opened};
use crate::error::{Error, Result};
use crate::handle::IfReplaced;
use crate::identity::FileId;
use crate::job::{Claim, Enqueued, NewJob, Payload, State};
use crate::options::{Options, Role};
use crate::owner::Owner;
use crate::process::Open;
use crate::statements as sql;
use crate::tx::{Held, Tx};

/// A persistent queue of jobs with payloads of type `T`, shared by any number of processes through
/// one SQLite file.
///
/// `Send`, not `Sync`: one for each thread that needs one, or one behind a lock.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("jobs.db");
/// use queue::{NewJob, Options, Queue};
///
/// // In a short-lived process:
/// let mut producer: Queue<String> = Queue::open(&path, Options::producer())?;
/// producer.enqueue(NewJob::new("hello".to_owned()).key("greeting:1"))?;
///
/// // In the worker:
/// let mut queue: Queue<String> = Queue::open(&path, Options::consumer())?;
/// for claim in queue.claim(10)? {
///     println!("{}", claim.payload());
///     queue.done(claim)?;
/// }
/// # Ok::<(), queue::Error>(())
/// ```
///
/// `B` is where the jobs are kept. [`Sqlite`] is the only backend so far; what only that one can do
/// (a path, a connection, looking for damage and repairing it, tables of one's own) is said of
/// `Queue<T, Sqlite>`.
#[derive(Debug)]
pub struct Queue<T, B = Sqlite> {
    pub(crate) connection: Connection,
    pub(crate) options: Options,
    pub(crate) path: PathBuf,
    pub(crate) open: Open,
    pub(crate) in_use: Option<File>,
    pub(crate) durability: Durability,
    pub(crate) owner: Option<Owner>,
    pub(crate) held: BTreeSet<Held>,
    pub(crate) watched: Watched,
    pub(crate) looked_around: Option<Duration>,
    /// The last claim found nothing.
    pub(crate) idle: bool,
    /// By the last look for changes: the counter, and the file that was there.
    pub(crate) seen: (i64, FileId),
    /// Written to since the last upkeep.
    pub(crate) untidy: bool,
    payload: Payload<T>,
    backend: Payload<B>,
}

/// Jobs kept in one SQLite file: see [`Queue`].
#[derive(Debug)]
pub enum Sqlite {}

impl<T> Queue<T> {
    /// Opens the queue in this file, and creates it when it is missing (unless opened to inspect).
    ///
    /// # Errors
    /// When the file cannot be opened or is no queue this program can use: [`Error::Open`],
    /// [`Error::Corrupt`], [`Error::Foreign`], [`Error::TooNew`], [`Error::HardLinked`],
    /// [`Error::MountPoint`], [`Error::NetworkFileSystem`], [`Error::SettingRefused`],
    /// [`Error::Busy`]; or in a child that was forked with this file open, [`Error::Forked`].
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let opened = connection::open(path.as_ref(), &options)?;
        Ok(Self::of(opened, options))
    }
}

impl<T, B> Queue<T, B> {
    pub(crate) fn of(opened: Opened, options: Options) -> Self {
        let Opened {
            connection,
            path,
            open,
            in_use,
        } = opened;
        Self {
            connection,
            options,
            path,
            seen: (0, open.file()),
            open,
            in_use,
            durability: Durability::Power,
            owner: None,
            held: BTreeSet::new(),
            watched: Watched::new(),
            looked_around: None,
            idle: true,
            untidy: true,
            payload: PhantomData,
            backend: PhantomData,
        }
    }

    /// Stores a job.
    ///
    /// Durability: when this returns `Ok`, the job survives the death of the process and a power
    /// cut.
    ///
    /// # Errors
    /// [`Error::Encode`], [`Error::NotFinite`], [`Error::TooNested`], [`Error::PayloadTooLarge`],
    /// [`Error::OverDiskLimit`], [`Error::KeyTaken`], or the database fails; [`Error::written`]
    /// says whether the job may be stored all the same.
    pub fn enqueue(&mut self, job: impl Into<NewJob<T>>) -> Result<Enqueued>
    where
        T: Serialize,
    {
        self.write(Durability::Power, |tx| tx.enqueue(job))
    }

    /// Stores all of these jobs, or none.
    ///
    /// Durability: as [`enqueue`](Self::enqueue), with one sync for all.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub fn enqueue_all<J: Into<NewJob<T>>>(
        &mut self,
        jobs: impl IntoIterator<Item = J>,
    ) -> Result<Vec<Enqueued>>
    where
        T: Serialize,
    {
        self.write(Durability::Power, |tx| {
            jobs.into_iter().map(|job| tx.enqueue(job)).collect()
        })
    }

    /// Removes the live job with this key, its follow-up too, in whatever state; returns the state
    /// it had. A claim on it is lost.
    ///
    /// Durability: survives a power cut.
    ///
    /// # Errors
    /// When the database fails.
    pub fn cancel(&mut self, key: &str) -> Result<Option<State>> {
        self.write(Durability::Power, |tx| tx.cancel(key))
    }

    /// Removes every live job that nobody has claimed, due or waiting; the number of jobs. What
    /// runs is left, with its follow-up. Many go in batches, between which other processes write:
    /// new jobs stay. In one step, see [`Tx::clear`].
    ///
    /// Durability: survives a power cut.
    ///
    /// # Errors
    /// When the database fails; the batches before are done, and it can be repeated.
    pub fn clear(&mut self) -> Result<u64> {
        self.following(|queue| {
            let idle: Vec<i64> = sql::rows(queue.reader()?, sql::IDLE, [], |row| row.get(0))?;
            queue.in_batches(idle, |tx, job| tx.remove_idle(job))
        })
    }

    /// The work is done: the job is gone, or its follow-up takes its place.
    ///
    /// Durability: a power cut may undo it; the job is then delivered again. To make it survive,
    /// and to write application data with it, use [`transaction`](Self::transaction).
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when the lease ended before; nothing is then changed. On any other
    /// error the job comes back when its lease ends.
    #[expect(clippy::needless_pass_by_value, reason = "settling consumes the claim")]
    pub fn done(&mut self, claim: Claim<T>) -> Result<()> {
        self.write(Durability::Process, |tx| tx.done(&claim))
    }

    /// The attempt failed: try again at `due`. The attempt counts. When a newer payload came in
    /// meanwhile, that takes the job's place, with its own due time and fresh attempts; and one
    /// that comes in later pulls the job forward.
    ///
    /// Of the error, at most 200 bytes of the type and 4 KiB of the message are kept.
    ///
    /// Durability: a power cut may undo it; the job is then delivered again.
    ///
    /// # Errors
    /// As [`done`](Self::done).
    #[expect(clippy::needless_pass_by_value, reason = "settling consumes the claim")]
    pub fn retry_at(
        &mut self,
        claim: Claim<T>,
        due: SystemTime,
        error_type: &str,
        message: &str,
    ) -> Result<()> {
        self.write(Durability::Process, |tx| {
            tx.retry_at(&claim, due, error_type, message)
        })
    }

    /// Not now: try again at `due`. The attempt does not count. As with
    /// [`retry_at`](Self::retry_at), a newer payload changes that.
    ///
    /// Durability: a power cut may undo it; the job is then delivered again.
    ///
    /// # Errors
    /// As [`done`](Self::done).
    #[expect(clippy::needless_pass_by_value, reason = "settling consumes the claim")]
    pub fn defer(&mut self, claim: Claim<T>, due: SystemTime, reason: &str) -> Result<()> {
        self.write(Durability::Process, |tx| tx.defer(&claim, due, reason))
    }

    /// The job cannot succeed: keep it as a dead letter.
    ///
    /// Durability: survives a power cut.
    ///
    /// # Errors
    /// As [`done`](Self::done).
    #[expect(clippy::needless_pass_by_value, reason = "settling consumes the claim")]
    pub fn dead(&mut self, claim: Claim<T>, error_type: &str, message: &str) -> Result<()> {
        self.write(Durability::Power, |tx| tx.dead(&claim, error_type, message))
    }

    /// Gives a job back unworked; it is ready at once and the attempt does not count.
    ///
    /// Durability: a power cut may undo it; the job is then delivered again.
    ///
    /// # Errors
    /// As [`done`](Self::done).
    #[expect(clippy::needless_pass_by_value, reason = "settling consumes the claim")]
    pub fn release(&mut self, claim: Claim<T>) -> Result<()> {
        self.write(Durability::Process, |tx| tx.release(&claim))
    }

    /// Makes the lease last at least this long from now. Never shortens it, never revives one that
    /// ended. For the queue that claimed the job; settling is for any.
    ///
    /// Durability: a power cut may undo it; so does any end of the process.
    ///
    /// # Errors
    /// As [`done`](Self::done), and [`Error::ClaimedElsewhere`].
    pub fn extend(&mut self, claim: &mut Claim<T>, by: Duration) -> Result<()> {
        self.check_process()?;
        if !self.held.contains(&Held::from(&*claim)) {
            return Err(self.why_not_held(claim)?);
        }
        let expires = self.write(Durability::Process, |tx| tx.extend(claim, by))?;
        self.held.remove(&Held::from(&*claim));
        claim.expires = expires;
        self.held.insert(Held::from(&*claim));
        Ok(())
    }

    fn why_not_held(&self, claim: &Claim<T>) -> Result<Error> {
        let job = claim.id;
        if claim.file != self.open.file() {
            let path = self.path.clone();
            return Ok(Error::Replaced { path });
        }
        let mut held = self.connection.prepare_cached(sql::HELD)?;
        Ok(if held.exists(params![job, claim.no])? {
            Error::ClaimedElsewhere { job }
        } else {
            Error::LeaseLost { job }
        })
    }

    /// Gives back everything this queue holds, as when its worker stops; the number of jobs. Their
    /// claims are lost.
    ///
    /// # Errors
    /// When the database fails.
    pub fn release_held(&mut self) -> Result<usize> {
        if self.held.is_empty() {
            return Ok(0);
        }
        let held: Vec<Held> = self.held.iter().copied().collect();
        let released = self.write_on(IfReplaced::Refuse, Durability::Process, |tx| {
            held.into_iter()
                .try_fold(0, |sum, held| Ok(sum + usize::from(tx.release_held(held)?)))
        });
        match released {
            // Nothing is held in the new file.
            Err(Error::Replaced { .. }) => Ok(0),
            released => released,
        }
    }

    /// Runs several operations and the application's own writes as one step: all of it happens, or
    /// nothing.
    ///
    /// Durability: survives a power cut.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let mut queue: queue::Queue<u32> = queue::Queue::open(dir.path().join("jobs.db"), queue::Options::consumer())?;
    /// # queue.enqueue(45)?;
    /// # queue.sql().execute_batch("CREATE TABLE ledger (scene INTEGER PRIMARY KEY)").unwrap();
    /// for claim in queue.claim(10)? {
    ///     queue.transaction(|tx| {
    ///         tx.done(&claim)?; // first: a lease that was lost ends it here
    ///         tx.sql().execute("INSERT INTO ledger VALUES (?1)", [claim.payload()])?;
    ///         tx.enqueue(46).map(drop)
    ///     })?;
    /// }
    /// # Ok::<(), queue::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the closure returns; everything is then rolled back. [`Error::LeaseLost`] when any
    /// settle in it was refused. [`Error::Replaced`], and the closure has not run: the new file may
    /// not have the application's tables.
    pub fn transaction<R, E: From<Error>>(
        &mut self,
        f: impl FnOnce(&Tx<'_, T>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.write_on(IfReplaced::Refuse, Durability::Power, |tx| {
            let done = f(tx)?;
            // The closure, of all that runs in a transaction, may have forked.
            if tx.sql.is_forked() {
                return Err(Error::Forked.into());
            }
            Ok(done)
        })
    }
}

impl<T, B> Drop for Queue<T, B> {
    /// Gives back what is held, but not while a panic unwinds: the job may be its cause, and counts
    /// as lost.
    fn drop(&mut self) {
        if self.open.is_forked() {
            // Even closing it is not for this process. A queue in memory takes its place, as a
            // field must be dropped.
            if let Ok(nothing) = Connection::open_in_memory() {
                std::mem::forget(std::mem::replace(&mut self.connection, nothing));
            }
            return;
        }
        // In a file that nobody will open again there is nothing to give back, and none is made for
        // it. The new one, where there is one, may hold claims of this owner, as a copy of the old
        // one does: the file of its lock stays, unlocked, and says that it is dead.
        if self.is_replaced() {
            if !self.path.exists()
                && let Some(owner) = self.owner.take()
            {
                owner.retire();
            }
            return;
        }
        if std::thread::panicking() || self.release_held().is_err() {
            return;
        }
        if let Some(owner) = self.owner.take()
            && self
                .connection
                .execute("DELETE FROM queue_owner WHERE id = ?1", [owner.id])
                .is_ok()
        {
            owner.retire();
        }
        if self.options.role == Role::Producer {
            self.relieve_log();
        }
    }
}
