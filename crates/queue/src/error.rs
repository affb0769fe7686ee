//! What can go wrong, and whether anything was written.

use std::io::ErrorKind;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// What the database or the system says: with SQLite, a [`rusqlite::Error`] or an
/// [`std::io::Error`].
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation failed. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The claim ended before it was settled: its lease ran out, the job was cancelled, or another
    /// worker has it.
    #[error(
        "the lease on job {job} is lost (expired, cancelled or claimed again): drop this work, it will be or was done elsewhere"
    )]
    LeaseLost {
        /// The job.
        job: i64,
    },
    /// The claim was made through another [`Queue`](crate::Queue) and can be extended only there.
    #[error("job {job} was claimed through another Queue: extend its lease there")]
    ClaimedElsewhere {
        /// The job.
        job: i64,
    },
    /// A live job has this key and [`OnConflict::Reject`](crate::OnConflict::Reject) was asked for.
    #[error(
        "job {job} with key {key:?} is already queued or running: wait for it, or let the newest win (OnConflict::Replace)"
    )]
    KeyTaken {
        /// The key.
        key: String,
        /// The job that has it.
        job: i64,
    },
    /// The queue's file was deleted or replaced. The queue has turned to the file that is there
    /// now, or made one: the next operation works on that. Claims of before are void.
    #[error(
        "{path} was deleted or replaced while the queue was open: drop this work, its job was in the old file; the queue now uses the file that is there"
    )]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// The queue, or another one on the same file, was opened by the process that this one was
    /// forked from.
    #[error(
        "this queue was opened before the process forked, and is its parent's: open queues after a fork, or start a program in the child"
    )]
    Forked,
    /// The payload is larger than [`Options::payload_limit`](crate::Options::payload_limit).
    #[error(
        "the payload has {size} bytes and the limit is {limit}: store the data elsewhere and queue a reference"
    )]
    PayloadTooLarge {
        /// Bytes of its JSON.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The payload cannot be written as JSON.
    #[error("the payload cannot be written as JSON: {0}")]
    Encode(serde_json::Error),
    /// A stored payload is not what it was read as.
    #[error("the payload cannot be read as the type asked for: {0}")]
    Decode(serde_json::Error),
    /// A number in the payload is no number or infinite. JSON has no such number, and would hold
    /// none at all.
    #[error("the payload holds a number that is NaN or infinite, which JSON cannot: leave it out")]
    NotFinite,
    /// The payload has more arrays and objects within each other than can be read back.
    #[error(
        "the payload is nested deeper than {limit} arrays and objects, and could not be read back: flatten it"
    )]
    TooNested {
        /// How many can be read.
        limit: usize,
    },
    /// The file has reached [`Options::disk_limit`](crate::Options::disk_limit).
    #[error(
        "the queue uses {used} bytes and its limit is {limit}: drain or purge it, or raise the limit"
    )]
    OverDiskLimit {
        /// Bytes of data and write-ahead log.
        used: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Other processes held the file, or wrote to it without a pause, for longer than the busy
    /// timeout.
    #[error(
        "other processes kept the queue file locked for longer than the busy timeout: try again, or raise Options::busy_timeout"
    )]
    Busy(#[source] Cause),
    /// The disk is full.
    #[error("the disk that holds the queue is full: free some space and try again")]
    DiskFull(#[source] Cause),
    /// The file, or its folder, cannot be written; or it was opened with
    /// [`Options::inspector`](crate::Options::inspector).
    #[error(
        "the queue is read-only: check owner and permissions of its file and folder, and that it was not opened to inspect"
    )]
    ReadOnly(#[source] Cause),
    /// The file cannot be opened.
    #[error("cannot open the queue file {path} ({cause}): check the path and who may read it")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: Cause,
    },
    /// The disk failed to read or write.
    #[error("the disk that holds the queue failed to read or write: check the disk ({0})")]
    Io(Cause),
    /// The file is damaged. [`Queue::salvage`](crate::Queue::salvage) sets it aside and rescues
    /// what can be read; [`Queue::open_or_salvage`](crate::Queue::open_or_salvage) does so with a
    /// file that cannot even be opened.
    #[error("the queue file is damaged ({0}): salvage it, what can be read is rescued")]
    Corrupt(Cause),
    /// The file is a healthy database of something else.
    #[error("{path} is not a queue (application id {application_id:#x}): check the path")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        application_id: i64,
    },
    /// The jobs in the file are others than the program opened it for; see
    /// [`Options::format`](crate::Options::format).
    #[error(
        "{path} holds {}, and was opened for {}: check the path, and the name the program gives with Options::format",
        named(found),
        named(wanted)
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What the file says its jobs are.
        found: Option<String>,
        /// What the program says.
        wanted: Option<String>,
    },
    /// The type given to [`Options::kinds_of`](crate::Options::kinds_of) has no kinds.
    #[error(
        "{type_name} is no enum that serde writes with its variant's name first, as it does by default: leave out Options::kinds_of"
    )]
    NoKinds {
        /// The type.
        type_name: &'static str,
    },
    /// A newer version of this library has changed the file in a way this one cannot handle.
    #[error(
        "the queue file has schema version {found} and this program knows {known}: update the program"
    )]
    TooNew {
        /// Version in the file.
        found: i64,
        /// Newest version this library knows.
        known: i64,
    },
    /// More of an application's migrations have run on the file than the program knows.
    #[error(
        "the tables of {app} in the queue file have version {found} and this program knows {known}: update the program"
    )]
    AppTooNew {
        /// The name given to [`Queue::migrate`](crate::Queue::migrate).
        app: String,
        /// How many have run.
        found: i64,
        /// How many this program has.
        known: i64,
    },
    /// The SQLite in this process has the WAL-reset bug.
    #[error(
        "SQLite {found} can corrupt databases that several processes write (fixed in 3.51.3): build rusqlite with its bundled feature"
    )]
    SqliteTooOld {
        /// Its version.
        found: &'static str,
    },
    /// SQLite did not take a setting.
    #[error(
        "SQLite kept {pragma} = {found} where {wanted} was set: the file system may not support it"
    )]
    SettingRefused {
        /// The setting.
        pragma: &'static str,
        /// What was asked for.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// The file is on a network file system, where SQLite's locks and shared memory do not work
    /// between hosts.
    #[error(
        "{path} is on a network file system ({kind}), where a queue loses jobs: move it to a local disk"
    )]
    NetworkFileSystem {
        /// The file.
        path: PathBuf,
        /// Its kind, such as `nfs4`.
        kind: String,
    },
    /// The file has several names. Under each, SQLite would use another log.
    #[error(
        "{path} has {links} names (hard links), and under each the queue would use another log: leave one of them, or copy the file"
    )]
    HardLinked {
        /// The file.
        path: PathBuf,
        /// How many names.
        links: u64,
    },
    /// The file is mounted by itself, into a container say. Inside and outside, SQLite would use
    /// another log.
    #[error(
        "{path} is mounted by itself, and the queue's log beside it would be another one than outside: mount the folder"
    )]
    MountPoint {
        /// The file.
        path: PathBuf,
    },
    /// The damaged file cannot be set aside while another process uses it.
    #[error("{path} is damaged and another process has it open: stop that process, then salvage")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A file beside the database failed.
    #[error("cannot use {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The commit itself failed: the change may be on disk or not.
    #[error(
        "the commit failed, so the change may or may not be stored ({0}): repeat it (safe for jobs with a key) or look"
    )]
    CommitUnknown(Cause),
    /// SQLite refused a statement: one of the application's own, such as one that breaks a
    /// constraint of its tables; or it failed in a way that has no name here.
    #[error("a statement failed: {0}")]
    Database(Cause),
}

fn named(format: &Option<String>) -> String {
    match format {
        Some(name) => format!("jobs named {name:?}"),
        None => "jobs without a name".to_owned(),
    }
}

/// Result of a queue operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whether a failed operation changed the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Written {
    /// Nothing was written: the operation can be repeated.
    No,
    /// Nobody can tell: it may be on disk.
    Unknown,
}

impl Error {
    /// Whether the failed operation may have changed the file.
    pub fn written(&self) -> Written {
        match self {
            Self::CommitUnknown(_) => Written::Unknown,
            _ => Written::No,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| match cause.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly(cause.into())
            }
            _ => Self::File { path, cause },
        }
    }

    /// The error of a failed `COMMIT`.
    pub(crate) fn commit(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            // SQLite checks these before it writes the commit mark.
            Some(
                ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation | ErrorCode::DiskFull,
            ) => error.into(),
            _ => Self::CommitUnknown(error.into()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Busy(error.into()),
            Some(ErrorCode::DiskFull) => Self::DiskFull(error.into()),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(error.into()),
            Some(ErrorCode::SystemIoFailure) => Self::Io(error.into()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(error.into())
            }
            _ => Self::Database(error.into()),
        }
    }
}
