//! What goes into the queue and what comes out of it.

use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use crate::clock::{duration_ms, to_ms};
use crate::fencing_token::FencingToken;
use crate::identity::FileId;
use crate::merge::Merge;

/// What to do when a live job already has the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum OnConflict {
    /// Newest wins. A waiting or ready job takes the new payload, the earlier due time, the more
    /// urgent priority and fresh attempts. A running one is left alone and its settle turns into
    /// one follow-up with the newest payload. [`NewJob::merge`] keeps of the older payload what the
    /// newer one must not lose.
    #[default]
    Replace,
    /// The existing job stays as it is, also when it is running, and the new payload is dropped.
    Keep,
    /// [`Error::KeyTaken`](crate::Error::KeyTaken).
    Reject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    At(SystemTime),
    In(Duration),
}

impl Due {
    /// The time that is meant, as stored.
    pub(crate) fn after(self, now: i64) -> i64 {
        match self {
            Self::At(time) => to_ms(time),
            Self::In(delay) => now.saturating_add(duration_ms(delay)),
        }
    }
}

/// A job to enqueue: a payload, and how to treat it.
///
/// ```
/// # use queue::NewJob;
/// # use std::time::Duration;
/// let job = NewJob::new("send the letter").key("letter:7").due_in(Duration::from_secs(30)).priority(-1);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct NewJob<T> {
    pub(crate) payload: T,
    pub(crate) key: Option<String>,
    pub(crate) due: Due,
    pub(crate) priority: i32,
    pub(crate) on_conflict: OnConflict,
    pub(crate) merge: Option<Merge<T>>,
}

impl<T> NewJob<T> {
    /// A job without key, due now, with priority 0.
    pub fn new(payload: T) -> Self {
        Self {
            payload,
            key: None,
            due: Due::In(Duration::ZERO),
            priority: 0,
            on_conflict: OnConflict::default(),
            merge: None,
        }
    }

    /// At most one live job has a given key, and so no key ever runs twice at once.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Not before this time by the wall clock. When the clock is set back to before the moment of
    /// the enqueue, what was left to wait then counts from now on: a clock that was wrong for a
    /// moment keeps no job for years.
    pub fn due_at(mut self, time: SystemTime) -> Self {
        self.due = Due::At(time);
        self
    }

    /// Not before this much time has passed.
    pub fn due_in(mut self, delay: Duration) -> Self {
        self.due = Due::In(delay);
        self
    }

    /// Lower runs first; the default is 0.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// What to do when a live job already has the key; the default is [`OnConflict::Replace`].
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    /// Where the payload would take the place of an older one ([`OnConflict::Replace`]), this
    /// function's answer to (older, newer) does instead. It must depend on nothing else.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let mut queue: queue::Queue<(u64, bool)> = queue::Queue::open(dir.path().join("jobs.db"), queue::Options::consumer())?;
    /// use queue::NewJob;
    ///
    /// /// A scene to look at, and whether to do so although nothing seems to have changed.
    /// type Look = (u64, bool);
    /// fn merge(held: Look, new: Look) -> Look {
    ///     (new.0, held.1 || new.1)
    /// }
    /// queue.enqueue(NewJob::new((45, true)).key("scene:45").merge(merge))?;
    /// queue.enqueue(NewJob::new((45, false)).key("scene:45").merge(merge))?;
    /// assert_eq!(queue.claim(1)?[0].payload(), &(45, true));
    /// # Ok::<(), queue::Error>(())
    /// ```
    ///
    /// A payload that comes in while the job runs is merged with that of the follow-up, when there
    /// is one already. The follow-up also takes in the payload that runs, unless that ends as
    /// [`done`](crate::Queue::done): what was tried in vain is still wanted, and what was done is
    /// not. An older payload that is no `T` counts as none.
    pub fn merge(mut self, merge: fn(T, T) -> T) -> Self
    where
        T: DeserializeOwned,
    {
        self.merge = Some((merge, |json| serde_json::from_str(json)));
        self
    }
}

/// What was said, as for [`std::process::Command`]: for another store of jobs.
impl<T> NewJob<T> {
    /// The payload.
    pub fn get_payload(&self) -> &T {
        &self.payload
    }

    /// The payload alone.
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// The key.
    pub fn get_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// When it is due, if it is enqueued now.
    pub fn get_due(&self, now: SystemTime) -> SystemTime {
        match self.due {
            Due::At(time) => time,
            Due::In(delay) => now.checked_add(delay).unwrap_or(now),
        }
    }

    /// Lower runs first.
    pub fn get_priority(&self) -> i32 {
        self.priority
    }

    /// What to do when a live job already has the key.
    pub fn get_on_conflict(&self) -> OnConflict {
        self.on_conflict
    }

    /// How its payload and an older one become one.
    pub fn get_merge(&self) -> Option<fn(T, T) -> T> {
        self.merge.map(|(merge, _)| merge)
    }
}

impl<T> From<T> for NewJob<T> {
    fn from(payload: T) -> Self {
        Self::new(payload)
    }
}

/// What an enqueue did. Whatever it was, it is on disk and survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Enqueued {
    /// A new job.
    Added(i64),
    /// A waiting or ready job with this key took the payload, or what [merging](NewJob::merge) made
    /// of it.
    Replaced(i64),
    /// The running job with this key will turn into one follow-up with the payload.
    FollowUp(i64),
    /// The existing job stays and the payload was dropped: [`OnConflict::Keep`], or
    /// [`Queue::ensure`](crate::Queue::ensure) had nothing to change.
    Kept(i64),
}

impl Enqueued {
    /// The job that now stands for the key; for a follow-up, the running one.
    pub fn job(self) -> i64 {
        match self {
            Self::Added(id) | Self::Replaced(id) | Self::FollowUp(id) | Self::Kept(id) => id,
        }
    }
}

/// The state of a live job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum State {
    /// Not due yet.
    Waiting,
    /// May be claimed.
    Ready,
    /// Claimed by a worker.
    Running,
}

impl State {
    pub(crate) fn from_stored(state: i64) -> Self {
        match state {
            0 => Self::Waiting,
            1 => Self::Ready,
            _ => Self::Running,
        }
    }

    pub(crate) fn stored(self) -> i64 {
        self as i64
    }

    /// The state of a job that nobody runs.
    pub(crate) fn idle(due: i64, now: i64) -> Self {
        if due <= now {
            Self::Ready
        } else {
            Self::Waiting
        }
    }
}

/// A job handed to this worker until its lease ends. Settle it with
/// [`Queue::done`](crate::Queue::done), [`retry_at`](crate::Queue::retry_at),
/// [`defer`](crate::Queue::defer), [`dead`](crate::Queue::dead) or
/// [`release`](crate::Queue::release); one that is dropped comes back when its lease ends.
///
/// Only [`Queue::claim`](crate::Queue::claim) makes one, it cannot be copied, and settling consumes
/// it:
///
/// ```compile_fail,E0382
/// # fn twice(queue: &mut queue::Queue<String>, claim: queue::Claim<String>) -> queue::Result<()> {
/// queue.done(claim)?;
/// queue.done(claim)
/// # }
/// ```
/// ```compile_fail,E0599
/// # fn copy(claim: queue::Claim<String>) {
/// let copy = claim.clone();
/// # }
/// ```
/// ```compile_fail,E0451
/// # fn forge(claim: queue::Claim<String>) -> queue::Claim<String> {
/// queue::Claim { id: 7, ..claim }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a claim that is dropped comes back only when its lease ends"]
pub struct Claim<T> {
    pub(crate) id: i64,
    pub(crate) no: FencingToken,
    pub(crate) file: FileId,
    /// On the monotonic clock.
    pub(crate) expires: Duration,
    pub(crate) priority: i64,
    pub(crate) due: i64,
    pub(crate) enqueued: i64,
    pub(crate) attempts: u32,
    pub(crate) deferred: u32,
    pub(crate) lost: u32,
    pub(crate) key: Option<String>,
    pub(crate) payload: T,
}

impl<T> Claim<T> {
    /// What to do.
    pub fn payload(&self) -> &T {
        &self.payload
    }

    /// The payload alone, as when the claim was settled in a
    /// [`transaction`](crate::Queue::transaction), which leaves it. An unsettled job comes back
    /// when its lease ends.
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// The job's id; never used for another job of this file.
    pub fn job(&self) -> i64 {
        self.id
    }

    /// The key it was enqueued with.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Which attempt this is, from 1. Deferred, released and lost deliveries do not count.
    pub fn attempt(&self) -> u32 {
        self.attempts
    }

    /// How often it was deferred.
    pub fn deferred(&self) -> u32 {
        self.deferred
    }

    /// How often in a row its owner died or let the lease run out.
    pub fn lost(&self) -> u32 {
        self.lost
    }

    /// When this payload was enqueued.
    pub fn enqueued(&self) -> SystemTime {
        crate::clock::from_ms(self.enqueued)
    }

    /// When it was due.
    pub fn due(&self) -> SystemTime {
        crate::clock::from_ms(self.due)
    }

    /// Its priority; lower runs first.
    pub fn priority(&self) -> i32 {
        i32::try_from(self.priority).unwrap_or_default()
    }
}

/// Text as stored, damaged or not: one job that cannot be read must not hide the others.
pub(crate) fn text(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    let bytes = row.get_ref(column)?.as_bytes_or_null()?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

/// Says that a queue of `T` is as free to move between threads as its connection, whatever `T` is.
pub(crate) type Payload<T> = PhantomData<fn() -> T>;
