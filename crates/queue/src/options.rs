//! How a queue is opened.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

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
/// | [`disk_budget`](Self::disk_budget) | none |
/// | [`allow_network_fs`](Self::allow_network_fs) | no |
/// | [`clock`](Self::clock) | [`SystemClock`] |
///
/// ```
/// # use std::time::Duration;
/// let options = queue::Options::consumer().lease(Duration::from_secs(60)).disk_budget(1 << 30);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(crate) role: Role,
    pub(crate) lease: Duration,
    pub(crate) max_lost: u32,
    pub(crate) busy_timeout: Duration,
    pub(crate) payload_limit: usize,
    pub(crate) disk_budget: Option<u64>,
    pub(crate) allow_network_fs: bool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Options {
    fn new(role: Role) -> Self {
        Self {
            role,
            lease: Duration::from_secs(300),
            max_lost: 10,
            busy_timeout: Duration::from_secs(30),
            payload_limit: 1 << 20,
            disk_budget: None,
            allow_network_fs: false,
            clock: Arc::new(SystemClock),
        }
    }

    /// For a short-lived process that enqueues: opening runs no DDL when the file exists, closing runs no
    /// checkpoint unless the log has grown beyond 128 KiB and no other process uses the file.
    pub fn producer() -> Self {
        Self::new(Role::Producer)
    }

    /// For the long-lived process that works jobs off: it owns checkpoints and vacuum.
    pub fn consumer() -> Self {
        Self::new(Role::Consumer)
    }

    /// For looking: creates no database and changes nothing in one. The folder must be writable all the same unless somebody has
    /// the file open: SQLite puts its shared memory there.
    pub fn inspector() -> Self {
        Self::new(Role::Inspector)
    }

    /// How long a claim holds without being extended. All consumers of one queue should use the same.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// After how many lost deliveries in a row of one payload (owner died, or lease ran out) a job becomes a dead letter of
    /// type [`OWNER_DIED`](crate::OWNER_DIED): it probably kills its worker. After the first one it is delivered alone, so
    /// that others do not count with it. They follow each other without a pause: a supervisor that starts a crashing worker
    /// again at once is through with them soon.
    pub fn max_lost(mut self, max_lost: u32) -> Self {
        self.max_lost = max_lost;
        self
    }

    /// How long to wait for other processes' transactions. Many that write without a pause, on a slow disk, can keep one waiting for
    /// seconds; a job refused is worse.
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
    pub fn disk_budget(mut self, bytes: u64) -> Self {
        self.disk_budget = Some(bytes);
        self
    }

    /// Open files on network file systems too (then see [`Queue::network_fs`](crate::Queue::network_fs)). Only sound when one host uses the file.
    pub fn allow_network_fs(mut self) -> Self {
        self.allow_network_fs = true;
        self
    }

    /// The clock to use.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}
