//! How a queue is opened.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::clock::{Clock, SystemClock};
use crate::kinds::{Kinds, NoKinds};
use crate::statements as sql;

/// What a process does with the queue; it decides who tidies the file up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Producer,
    Consumer,
    Inspector,
}

/// How to open a [`Queue`](crate::Queue): a role, and settings with working defaults.
///
/// | setting | default |
/// |---|---|
/// | [`lease`](Self::lease) | 5 minutes |
/// | [`max_lost`](Self::max_lost) | 10 |
/// | [`busy_timeout`](Self::busy_timeout) | 30 seconds |
/// | [`payload_limit`](Self::payload_limit) | 1 MiB |
/// | [`disk_limit`](Self::disk_limit) | none |
/// | [`allow_network_fs`](Self::allow_network_fs) | no |
/// | [`clock`](Self::clock) | [`SystemClock`] |
/// | [`format`](Self::format) | none |
/// | [`kinds_of`](Self::kinds_of) | all |
///
/// ```
/// # use std::time::Duration;
/// let options = queue::Options::consumer().lease(Duration::from_secs(60)).disk_limit(1 << 30);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(crate) role: Role,
    pub(crate) lease: Duration,
    pub(crate) max_lost: u32,
    pub(crate) busy_timeout: Duration,
    pub(crate) payload_limit: usize,
    pub(crate) disk_limit: Option<u64>,
    pub(crate) allow_network_fs: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) format: Option<String>,
    pub(crate) kinds: Option<Result<Kinds, NoKinds>>,
}

impl Options {
    fn new(role: Role) -> Self {
        Self {
            role,
            lease: Duration::from_secs(300),
            max_lost: 10,
            busy_timeout: Duration::from_secs(30),
            payload_limit: 1 << 20,
            disk_limit: None,
            allow_network_fs: false,
            clock: Arc::new(SystemClock),
            format: None,
            kinds: None,
        }
    }

    /// For a short-lived process that enqueues: opening runs no DDL when the file exists, closing
    /// runs no checkpoint unless the log has grown beyond 128 KiB and no other process uses the
    /// file.
    pub fn producer() -> Self {
        Self::new(Role::Producer)
    }

    /// For the long-lived process that works jobs off: it owns checkpoints and vacuum.
    pub fn consumer() -> Self {
        Self::new(Role::Consumer)
    }

    /// For looking: creates no database and changes nothing in one. The folder must be writable all
    /// the same unless somebody has the file open: SQLite puts its shared memory there.
    pub fn inspector() -> Self {
        Self::new(Role::Inspector)
    }

    /// How long a claim holds without being extended. All consumers of one queue should use the
    /// same.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// After how many lost deliveries in a row of one payload (owner died, or lease ran out) a job
    /// becomes a dead letter of type [`OWNER_DIED`](crate::OWNER_DIED): it probably kills its
    /// worker. After the first one it is delivered alone, so that others do not count with it. They
    /// follow each other without a pause: a supervisor that starts a crashing worker again at once
    /// is through with them soon.
    pub fn max_lost(mut self, max_lost: u32) -> Self {
        self.max_lost = max_lost;
        self
    }

    /// How long to wait for other processes' transactions. Many that write without a pause, on a
    /// slow disk, can keep one waiting for seconds; a job refused is worse.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// The largest payload, in bytes of JSON.
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.payload_limit = bytes;
        self
    }

    /// Refuse to enqueue once data and write-ahead log together use this many bytes.
    pub fn disk_limit(mut self, bytes: u64) -> Self {
        self.disk_limit = Some(bytes);
        self
    }

    /// Open files on network file systems too. Only sound when one host uses the file.
    pub fn allow_network_fs(mut self) -> Self {
        self.allow_network_fs = true;
        self
    }

    /// What the jobs are, such as `"mail jobs, version 2"`. The first to open a file with a name
    /// gives it that name; from then on it opens with this name only
    /// ([`Error::OtherFormat`](crate::Error::OtherFormat)), or to inspect without one. So a program
    /// that is given the wrong file, or the file of a version whose payloads it cannot read, is
    /// told so, instead of making dead letters of all that is in it.
    ///
    /// A file without a name opens without one; with one, it takes it.
    pub fn format(mut self, name: impl Into<String>) -> Self {
        self.format = Some(name.into());
        self
    }

    /// Claim only jobs of kinds that `T` has: variants of this enum, as serde writes it by default
    /// (no `tag`, no `untagged`). Others stay in the queue, for workers that know them: those of
    /// another program that shares the file, or of the next version.
    ///
    /// ```
    /// # use queue::{Options, Queue};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("jobs.db");
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// enum Job { Mail { to: String }, Sum(Vec<u64>) }
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// enum Mails { Mail { to: String } }
    ///
    /// let mut queue: Queue<Job> = Queue::open(&path, Options::producer())?;
    /// queue.enqueue_all([Job::Sum(vec![1, 2]), Job::Mail { to: "Ann".into() }])?;
    ///
    /// let mut mails: Queue<Mails> = Queue::open(&path, Options::consumer().kinds_of::<Mails>())?;
    /// assert_eq!(mails.claim(10)?.len(), 1);
    /// # Ok::<(), queue::Error>(())
    /// ```
    ///
    /// The first worker that asks for this adds an index to the file. Whether the type is such an
    /// enum shows when the queue is opened ([`Error::NoKinds`](crate::Error::NoKinds)).
    pub fn kinds_of<T: DeserializeOwned>(mut self) -> Self {
        self.kinds = Some(Kinds::of::<T>().ok_or(NoKinds(std::any::type_name::<T>())));
        self
    }

    /// The statement that finds jobs to claim.
    pub(crate) fn ready(&self) -> &str {
        match &self.kinds {
            Some(Ok(kinds)) => &kinds.ready,
            _ => sql::READY,
        }
    }

    /// The statement that tells whether there are any.
    pub(crate) fn any_ready(&self) -> &str {
        match &self.kinds {
            Some(Ok(kinds)) => &kinds.any_ready,
            _ => sql::ANY_READY,
        }
    }

    /// The statement that tells whether there are any, or some are due.
    pub(crate) fn any_due(&self) -> &str {
        match &self.kinds {
            Some(Ok(kinds)) => &kinds.any_due,
            _ => sql::ANY_DUE,
        }
    }

    /// The clock to use.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}
