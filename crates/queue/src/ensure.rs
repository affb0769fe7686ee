//! An enqueue that writes nothing where it would change nothing.

use rusqlite::{OptionalExtension, ToSql, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::to_ms;
use crate::error::Result;
use crate::job::{Enqueued, NewJob, OnConflict, text};
use crate::queue::Queue;
use crate::schema;
use crate::statements as sql;

impl<T, B> Queue<T, B> {
    /// Stores a job as [`enqueue`](Self::enqueue) does, unless a job with its key stands there
    /// already that nobody has claimed, that is due and was never tried, that is at least as
    /// urgent, and whose payload covers the new one: `covers(held, new)`. Then nothing is written,
    /// nobody is waited for, and the answer is [`Enqueued::Kept`]. For a running job all this is
    /// asked of its follow-up.
    ///
    /// What the job is about must be stored before the call, as with any enqueue: the job that is
    /// kept may be claimed at once.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let mut queue: queue::Queue<u32> = queue::Queue::open(dir.path().join("jobs.db"), queue::Options::producer())?;
    /// use queue::{Enqueued, NewJob};
    ///
    /// let job = || NewJob::new(45).key("scene:45");
    /// let Enqueued::Added(id) = queue.ensure(job(), |held, new| held == new)? else { panic!() };
    /// assert_eq!(queue.ensure(job(), |held, new| held == new)?, Enqueued::Kept(id));
    /// # Ok::<(), queue::Error>(())
    /// ```
    ///
    /// Durability: as [`enqueue`](Self::enqueue); a job that is kept is on disk already.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub fn ensure(
        &mut self,
        job: impl Into<NewJob<T>>,
        covers: impl Fn(&T, &T) -> bool,
    ) -> Result<Enqueued>
    where
        T: Serialize + DeserializeOwned,
    {
        let job = job.into();
        match self.covering(&job, covers)? {
            Some(id) => Ok(Enqueued::Kept(id)),
            None => self.enqueue(job),
        }
    }

    /// The job that stands for this one already.
    ///
    /// A look without the write lock is enough, whatever others commit between it and the answer.
    /// It sees the newest commit, so in a moment after the call began, and so after the caller
    /// stored what the job is about, nobody had claimed the job. Who claims it from then on reads
    /// what the caller stored. And it cannot be lost to a power cut: a job becomes visible after
    /// its sync, and a claim or settle that is undone leaves a live job with its key.
    fn covering(&self, job: &NewJob<T>, covers: impl Fn(&T, &T) -> bool) -> Result<Option<i64>>
    where
        T: DeserializeOwned,
    {
        // In a transaction of the caller's own it would see an older commit.
        if job.on_conflict != OnConflict::Replace || !self.connection.is_autocommit() {
            return Ok(None);
        }
        let Some(key) = &job.key else {
            return Ok(None);
        };
        let now = to_ms(self.options.clock.now());
        let wanted: &[(&str, &dyn ToSql)] = named_params! {
            ":key": key, ":due": job.due.after(now).min(now), ":priority": job.priority, ":version": schema::VERSION,
        };
        let held = sql::row(self.reader()?, sql::STANDING, wanted, |row| {
            Ok((row.get(0)?, text(row, 1)?, text(row, 2)?))
        });
        let Some((id, payload, unless_done)) = held.optional()? else {
            return Ok(None);
        };
        if self.is_replaced() {
            return Ok(None);
        }
        let covers = |held: String| {
            serde_json::from_str(&held).is_ok_and(|held| covers(&held, &job.payload))
        };
        let covered = payload.is_some_and(covers) && unless_done.is_none_or(covers);
        Ok(covered.then_some(id))
    }
}
