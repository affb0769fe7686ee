//! Setting a damaged file aside, and rescuing what can be read into a new one.

mod first_page;
mod read;

use std::fmt::Display;
use std::fs::{self, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::clock::to_ms;
use crate::connection::{self, private};
use crate::error::{Error, Result};
use crate::identity::FileId;
use crate::options::Options;
use crate::owner::beside;
use crate::queue::{Queue, Sqlite};
use crate::salvage::first_page::Repair;
use crate::salvage::read::Rescued;

/// What [`Queue::open_or_salvage`] had to do: worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Salvage {
    /// The damaged file, untouched, under a dated name; its write-ahead log beside it.
    pub set_aside: PathBuf,
    /// What was wrong with it.
    pub reason: String,
    /// Live jobs rescued. Those that ran are ready again.
    pub jobs: u64,
    /// Dead letters rescued.
    pub dead: u64,
    /// Rows of the application's own tables rescued.
    pub app_rows: u64,
    /// What could not be read: tables, and ranges of row numbers. When this is empty nothing is
    /// known to be lost.
    pub lost: Vec<String>,
}

/// Why a file is replaced.
struct Reason {
    text: String,
    /// It is a healthy database of something else.
    foreign: bool,
}

impl<T> Queue<T, Sqlite> {
    /// Opens the queue as [`open`](Self::open) does; when the file is damaged or no queue, first
    /// sets it aside under a dated name and moves everything readable, the application's own tables
    /// too, into a new one.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Error::InUse`] when another process has the damaged file
    /// open.
    pub fn open_or_salvage(
        path: impl AsRef<Path>,
        options: Options,
    ) -> Result<(Self, Option<Salvage>)> {
        let is_beyond = |error: &Error| matches!(error, Error::Corrupt(_) | Error::Foreign { .. });
        let damaged = match Self::open(&path, options.clone()) {
            Err(error) if is_beyond(&error) => FileId::at(&connection::real(path.as_ref())?),
            opened => return Ok((opened?, None)),
        };
        // Another process may have replaced the file since; from here on that is noticed.
        let error = match Self::open(&path, options.clone()) {
            Err(error) if is_beyond(&error) => error,
            opened => return Ok((opened?, None)),
        };
        let path = connection::real(path.as_ref())?;
        let reason = Reason {
            text: error.to_string(),
            foreign: matches!(error, Error::Foreign { .. }),
        };
        let salvage = match alone(&path, &options, damaged)? {
            None => None,
            Some(_alone) => match connection::open_real(&path, &options) {
                Ok(_) => None,
                Err(_) => Some(replace(&path, &options, &reason)?),
            },
        };
        Ok((Self::open(path, options)?, salvage))
    }

    /// Sets this queue's own file aside and rescues what can be read, whatever its state: for
    /// damage that showed only while working ([`Error::Corrupt`]), which a file that can be opened
    /// may well have. `reason` is kept in the report.
    ///
    /// ```
    /// # use queue::{Error, Options, Queue};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("jobs.db");
    /// # fn work(_: &mut Queue<String>) -> queue::Result<()> { Ok(()) }
    /// // Each salvage is to be logged: it says what was lost.
    /// let (mut queue, _salvage) = Queue::<String>::open_or_salvage(&path, Options::consumer())?;
    /// while let Err(error @ Error::Corrupt(_)) = work(&mut queue) {
    ///     queue = queue.salvage(&error)?.0;
    /// }
    /// # Ok::<(), queue::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`open_or_salvage`](Self::open_or_salvage).
    pub fn salvage(self, reason: impl Display) -> Result<(Self, Option<Salvage>)> {
        self.check_process()?;
        let (path, options) = (self.path.clone(), self.options.clone());
        // Nothing more is written over what may yet be read.
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let damaged = self.open.file();
        drop(self);
        let reason = Reason {
            text: reason.to_string(),
            foreign: false,
        };
        let salvage = match alone(&path, &options, damaged)? {
            None => None,
            Some(_alone) => Some(replace(&path, &options, &reason)?),
        };
        Ok((Self::open(path, options)?, salvage))
    }
}

/// The lock that says nobody else uses the damaged file; none where another process was faster, and
/// has put a new one in its place.
fn alone(path: &Path, options: &Options, damaged: FileId) -> Result<Option<fs::File>> {
    let lock = connection::in_use_lock(path, true)?;
    let started = Instant::now();
    loop {
        let locked = lock.try_lock();
        if !damaged.is_at(path) {
            return Ok(None);
        }
        match locked {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) if started.elapsed() < options.busy_timeout => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path: path.into() }),
            Err(TryLockError::Error(error)) => return Err(Error::file(path)(error)),
        }
    }
}

/// Copies, rescues into a new file beside, and only then swaps: a process that dies on the way
/// loses nothing.
fn replace(path: &Path, options: &Options, reason: &Reason) -> Result<Salvage> {
    let set_aside = set_aside(path, options)?;
    let work = beside(path, "-salvage-from");
    let fresh = beside(path, "-salvage-to");
    let rescued = rescue_into(&fresh, &work, &set_aside, options, reason);
    remove_database(&work);
    let rescued = rescued.inspect_err(|_| remove_database(&fresh))?;
    // The old log must go first: beside the new file it would be taken for its own.
    for suffix in ["-wal", "-shm"] {
        remove(&beside(path, suffix))?;
    }
    fs::rename(&fresh, path).map_err(Error::file(path))?;
    let Rescued {
        jobs,
        dead,
        app_rows,
        lost,
    } = rescued;
    let reason = reason.text.clone();
    Ok(Salvage {
        set_aside,
        reason,
        jobs,
        dead,
        app_rows,
        lost,
    })
}

/// A copy of the file and its log under a dated name that is not yet taken.
fn set_aside(path: &Path, options: &Options) -> Result<PathBuf> {
    let date: String = Connection::open_in_memory()?.query_row(
        "SELECT strftime('%Y%m%d-%H%M%S', ?1 / 1000, 'unixepoch')",
        [to_ms(options.clock.now())],
        |row| row.get(0),
    )?;
    let mut aside = beside(path, &format!(".damaged-{date}"));
    for n in 2.. {
        if !aside.exists() {
            break;
        }
        aside = beside(path, &format!(".damaged-{date}-{n}"));
    }
    copy_database(path, &aside, Log::With)?;
    Ok(aside)
}

fn copy_database(from: &Path, to: &Path, log: Log) -> Result<()> {
    copy(from, to)?;
    if log == Log::With && beside(from, "-wal").exists() {
        copy(&beside(from, "-wal"), &beside(to, "-wal"))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut source = fs::File::open(from).map_err(Error::file(from))?;
    let mut target = private(OpenOptions::new().write(true).create(true).truncate(true))
        .open(to)
        .map_err(Error::file(to))?;
    std::io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .map_err(Error::file(to))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}

fn remove_database(path: &Path) {
    for suffix in ["-wal", "-shm", ""] {
        let _ = fs::remove_file(beside(path, suffix));
    }
}

fn rescue_into(
    fresh: &Path,
    work: &Path,
    aside: &Path,
    options: &Options,
    reason: &Reason,
) -> Result<Rescued> {
    // What an interrupted salvage left.
    remove_database(fresh);
    remove_database(work);
    let mut options = options.clone();
    options.role = crate::options::Role::Consumer;
    options.allow_network_fs = true;
    let connection = connection::open_real(fresh, &options)?;
    let rescued = if reason.foreign {
        Rescued::of_nothing("the file was no queue, and nothing was taken from it")
    } else {
        rescue(&connection, work, aside)?
    };
    // Leaves one file without a log.
    connection.close().map_err(|(_, error)| error)?;
    Ok(rescued)
}

fn rescue(connection: &Connection, work: &Path, aside: &Path) -> Result<Rescued> {
    let mut rescued = Rescued::default();
    let mut read = |log, repair, take: fn(&Connection, &mut Rescued)| {
        read_copy(connection, work, aside, log, repair, |connection| {
            take(connection, &mut rescued)
        })
    };
    if is_log_anothers(connection, work, aside)? {
        read(Log::Without, Repair::None, read::take)?;
        read(Log::With, Repair::None, read::take_more)?;
        rescued.lost.insert(
            0,
            "the write-ahead log is another file's (a copy was put back beside it): both were read, the file first".into(),
        );
        return read::finish(connection, rescued);
    }
    for repair in Repair::ALL {
        if read(Log::With, repair, read::take)?.is_none() {
            continue;
        }
        rescued.lost.splice(0..0, repair.cost().map(str::to_owned));
        if connection::is_log_damaged(aside) {
            rescued
                .lost
                .push("what was in the write-ahead log alone".to_owned());
        }
        return read::finish(connection, rescued);
    }
    Ok(Rescued::of_nothing(
        "everything: no table could be found in the file",
    ))
}

/// Whether the file is read with its log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Log {
    With,
    Without,
}

/// SQLite checks that a log is whole, not that it is this file's. One that is makes no whole file
/// damaged.
fn is_log_anothers(connection: &Connection, work: &Path, aside: &Path) -> Result<bool> {
    if !beside(aside, "-wal").exists() || connection::is_log_damaged(aside) {
        return Ok(false);
    }
    let is_whole = |log| {
        let whole = read_copy(connection, work, aside, log, Repair::None, read::is_whole);
        whole.map(|whole| whole.unwrap_or(false))
    };
    Ok(!is_whole(Log::With)? && is_whole(Log::Without)?)
}

/// Runs `take` with a repaired copy of the file attached as `old`. None when its tables cannot be
/// listed.
fn read_copy<R>(
    connection: &Connection,
    work: &Path,
    aside: &Path,
    log: Log,
    repair: Repair,
    take: impl FnOnce(&Connection) -> R,
) -> Result<Option<R>> {
    remove_database(work);
    copy_database(aside, work, log)?;
    let attached = repair
        .apply(work, connection)
        .and_then(|()| read::attach(connection, work));
    let taken = attached.is_ok().then(|| take(connection));
    // Attached perhaps, though not readable.
    let databases = "SELECT 1 FROM pragma_database_list WHERE name = 'old'";
    if connection.prepare(databases)?.exists([])? {
        connection.execute_batch("DETACH old")?;
    }
    Ok(taken)
}
