//! Opening a connection: settings made and read back, the schema created once.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row, TransactionBehavior};

use crate::error::{Error, Result};
use crate::format;
use crate::identity::{self, FileId};
use crate::kinds;
use crate::memory;
use crate::network;
use crate::options::{Options, Role};
use crate::owner::beside;
use crate::process::Open;
use crate::schema;

/// The first SQLite without the WAL-reset bug, <https://www.sqlite.org/wal.html#walresetbug>.
const SQLITE_FLOOR: i32 = 3_051_003;

/// Pages in the write-ahead log at which the consumer's commits checkpoint.
const CONSUMER_CHECKPOINT: &str = "800";
/// Producers leave checkpoints to the consumer, and do one here only when there is none.
const PRODUCER_CHECKPOINT: &str = "4000";
/// A checkpointed log is cut to this size: 4 MiB.
const LOG_LIMIT: &str = "4194304";

/// Values of `PRAGMA synchronous`.
const NORMAL: &str = "1";
const FULL: &str = "2";

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Survives the death of the process.
    Process,
    /// Survives a power cut. Its sync covers all earlier commits, since the log is one file written
    /// in order.
    Power,
}

/// A connection, and where its file really is.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) open: Open,
    /// Held shared while the file is in use, so that nobody replaces it then. None for an inspector
    /// that may not write.
    pub(crate) in_use: Option<File>,
}

pub(crate) fn open(path: &Path, options: &Options) -> Result<Opened> {
    if rusqlite::version_number() < SQLITE_FLOOR {
        return Err(Error::SqliteTooOld {
            found: rusqlite::version(),
        });
    }
    if memory::is_in_memory(path) {
        let mut connection = memory::connect(path)?;
        prepare(&mut connection, path, options)?;
        return Ok(Opened {
            connection,
            path: path.into(),
            open: Open::new(FileId::at(path))?,
            in_use: None,
        });
    }
    let path = real(path)?;
    let inspects = options.role == Role::Inspector;
    let lock = in_use_lock(&path, !inspects).and_then(|lock| {
        lock.lock_shared()
            .map(|()| lock)
            .map_err(Error::file(&path))
    });
    // Who only looks leaves no file behind, least of all beside one that is no queue.
    let in_use = if inspects { lock.ok() } else { Some(lock?) };
    let mut open = None;
    if let Ok(file) = std::fs::metadata(&path) {
        identity::check_one_name(&path, &file, in_use.as_ref())?;
        open = Some(Open::new(FileId::of(&file))?);
    }
    let connection = open_real(&path, options)?;
    let open = match open {
        Some(open) => open,
        None => Open::new(FileId::at(&path))?,
    };
    if let (Some(in_use), false) = (&in_use, inspects) {
        identity::note(in_use, open.file());
    }
    Ok(Opened {
        connection,
        open,
        path,
        in_use,
    })
}

/// Opens the file at its real path, which the caller has locked.
pub(crate) fn open_real(path: &Path, options: &Options) -> Result<Connection> {
    let created = ensure_file(path, options.role)?;
    // A producer trusts the process that made the file to have looked.
    let looks = !options.allow_network_fs && (created || options.role == Role::Consumer);
    if let Some(kind) = looks.then(|| network::kind(path)).flatten() {
        if created {
            let _ = std::fs::remove_file(path);
        }
        let path = path.into();
        return Err(Error::NetworkFileSystem { path, kind });
    }
    if is_log_damaged(path) {
        let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        let what = "the header of its write-ahead log is no such".to_owned();
        return Err(rusqlite::Error::SqliteFailure(failure, Some(what)).into());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|cause| Error::Open {
        path: path.into(),
        // SQLite says only that it cannot.
        cause: match std::fs::metadata(path) {
            Ok(file) if file.is_dir() => Box::new(std::io::Error::from(ErrorKind::IsADirectory)),
            Ok(_) => Box::new(cause),
            Err(error) => Box::new(error),
        },
    })?;
    prepare(&mut connection, path, options)?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, path: &Path, options: &Options) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    // Plans do not depend on bound values: otherwise SQLite compiles most statements again at each
    // use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    set_busy_handler(connection, options.busy_timeout)?;
    let started = Instant::now();
    loop {
        match set_up(connection, path, options.role) {
            // Switching to WAL answers "busy" without calling the handler while others do the same.
            Err(Error::Busy(_)) if started.elapsed() < options.busy_timeout => {
                std::thread::sleep(pause(started.elapsed()))
            }
            result => break result?,
        }
    }
    format::check(connection, options, path)?;
    kinds::prepare(connection, options)
}

/// Whether the log begins with anything but
/// <https://www.sqlite.org/fileformat.html#the_write_ahead_log>. SQLite would take it for empty and
/// write over it, without a word about what it holds. Reading it drops no lock: there are none on
/// it.
pub(crate) fn is_log_damaged(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(beside(path, "-wal")).is_ok_and(|mut log| log.read_exact(&mut magic).is_ok())
        && !matches!(u32::from_be_bytes(magic), 0 | 0x377f_0682 | 0x377f_0683)
}

/// The absolute path without symbolic links, also of a file that is yet to be made.
pub(crate) fn real(path: &Path) -> Result<PathBuf> {
    let open = |cause: std::io::Error| Error::Open {
        path: path.into(),
        cause: cause.into(),
    };
    if let Ok(real) = std::fs::canonicalize(path) {
        return Ok(real);
    }
    let name = path
        .file_name()
        .ok_or_else(|| open(ErrorKind::InvalidInput.into()))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Ok(std::fs::canonicalize(folder).map_err(open)?.join(name))
}

/// The file whose lock says that the database is in use.
pub(crate) fn in_use_lock(path: &Path, create: bool) -> Result<File> {
    let path = beside(path, "-in-use");
    let mut options = OpenOptions::new();
    private(
        options
            .read(true)
            .write(true)
            .create(create)
            .truncate(false),
    )
    .open(&path)
    .map_err(Error::file(&path))
}

/// Files that only their owner can read, as payloads may be private; SQLite gives its own files the
/// database's mode.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes an empty file. True when it was made here.
///
/// SQLite must be the only one to open and close the file while it is in use, as closing any handle
/// drops the process's locks on it: so all threads take turns here, and an existing file is not
/// touched.
fn ensure_file(path: &Path, role: Role) -> Result<bool> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if role == Role::Inspector || path.exists() {
        return Ok(false);
    }
    // One process at a time, where a folder can be locked; but not for as long as anybody may have
    // it locked.
    let folder = path.parent().and_then(|folder| File::open(folder).ok());
    let is_taken = |folder: &File| matches!(folder.try_lock(), Err(TryLockError::WouldBlock));
    let mut looks = 0..100;
    while folder.as_ref().is_some_and(is_taken) && looks.next().is_some() {
        std::thread::sleep(Duration::from_millis(10));
    }
    if path.exists() {
        return Ok(false);
    }
    // What a deleted file left: the new one would share them with whoever has the old one open.
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(path, suffix));
    }
    match private(OpenOptions::new().write(true).create_new(true)).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::file(path)(error)),
    }
}

/// A flat wait, and a shorter one for those who have waited long: SQLite's own grows, so that
/// newcomers overtake them.
fn set_busy_handler(connection: &mut Connection, timeout: Duration) -> Result<()> {
    let mut started = Instant::now();
    connection.busy_handler(Some(move |calls| {
        if calls == 0 {
            started = Instant::now();
        }
        let waited = started.elapsed();
        if waited < timeout {
            std::thread::sleep(pause(waited));
        }
        waited < timeout
    }))?;
    Ok(())
}

/// A tenth of the time waited so far, between a millisecond and twenty, differing between processes
/// that wait for the same lock. Short waits stay short, and a hundred waiting processes leave the
/// processor to the one that works: at a millisecond each, a hundred on two cores took 40 s for
/// what now takes one.
fn pause(waited: Duration) -> Duration {
    let mean = (waited / 10).clamp(Duration::from_millis(1), Duration::from_millis(20));
    mean / 2 + mean.mul_f64(noise())
}

/// From 0 to 1, differing between processes and from moment to moment.
pub(crate) fn noise() -> f64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .subsec_nanos();
    f64::from(nanos / 64 % 1_000) / 1_000.0
}

fn set_up(connection: &mut Connection, path: &Path, role: Role) -> Result<()> {
    let journal = if memory::is_in_memory(path) {
        "memory"
    } else {
        "wal"
    };
    if !schema::is_current(connection, path)? {
        if role == Role::Inspector {
            return Err(Error::Foreign {
                path: path.into(),
                application_id: 0,
            });
        }
        // Space can be given back step by step only if this is set before the first table.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        setting(connection, "journal_mode", journal)?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::migrate(&tx, path)?;
        tx.commit().map_err(Error::commit)?;
    }
    // A copy that SQLite made of a queue has another mode.
    if role != Role::Inspector && confirm(connection, "journal_mode", journal).is_err() {
        setting(connection, "journal_mode", journal)?;
    }
    if role == Role::Consumer {
        setting(connection, "wal_autocheckpoint", CONSUMER_CHECKPOINT)?;
        // Who opens for a moment leaves a log of any size to the consumer, or empties it.
        setting(connection, "journal_size_limit", LOG_LIMIT)?;
    } else {
        setting(connection, "wal_autocheckpoint", PRODUCER_CHECKPOINT)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    if cfg!(target_os = "macos") {
        // A plain fsync there does not reach the disk.
        setting(connection, "fullfsync", "1")?;
        setting(connection, "checkpoint_fullfsync", "1")?;
    }
    // SQLite's default, unless it was built with another.
    if confirm(connection, "synchronous", FULL).is_err() {
        setting(connection, "synchronous", FULL)?;
    }
    if role == Role::Inspector {
        setting(connection, "query_only", "1")?;
    }
    Ok(())
}

/// Which commits the connection's next transactions wait for. Not read back, since it was when the
/// file was opened: SQLite takes this between transactions, and answers an error within one.
pub(crate) fn set_durability(connection: &Connection, durability: Durability) -> Result<()> {
    let wanted = match durability {
        Durability::Process => NORMAL,
        Durability::Power => FULL,
    };
    Ok(connection.execute_batch(&format!("PRAGMA synchronous = {wanted}"))?)
}

/// Makes a setting and reads it back, as SQLite ignores what it does not know or cannot do.
fn setting(connection: &Connection, pragma: &'static str, wanted: &str) -> Result<()> {
    let mut set = connection.prepare(&format!("PRAGMA {pragma} = {wanted}"))?;
    // A journal mode is written when the statement ends: only then does a failing disk show.
    let answers = set
        .query_map([], shown)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    // Some answer with the new value, some with nothing.
    match answers.into_iter().next() {
        Some(found) => compare(pragma, wanted, found),
        None => confirm(connection, pragma, wanted),
    }
}

fn confirm(connection: &Connection, pragma: &'static str, wanted: &str) -> Result<()> {
    compare(
        pragma,
        wanted,
        connection.pragma_query_value(None, pragma, shown)?,
    )
}

fn compare(pragma: &'static str, wanted: &str, found: String) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::SettingRefused {
        pragma,
        wanted: wanted.into(),
        found,
    })
}

fn shown(row: &Row<'_>) -> rusqlite::Result<String> {
    Ok(match row.get_ref(0)? {
        ValueRef::Integer(n) => n.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    })
}
