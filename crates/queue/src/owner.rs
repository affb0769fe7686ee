//! Who holds claims, and whether they live: each owner keeps a lock on a small file, which the kernel frees on any death.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::claim_no::ClaimNo;
use crate::connection::private;
use crate::error::{Error, Result};
use crate::memory::{self, Alive};

/// This process as a holder of claims.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) id: i64,
    /// The newest claim number given out.
    pub(crate) newest: ClaimNo,
    path: PathBuf,
    _lock: Lock,
}

/// Held as long as it is there.
#[derive(Debug)]
enum Lock {
    File { _locked: File },
    InMemory { _alive: Alive },
}

/// What can be told about another owner.
#[derive(Debug)]
pub(crate) enum Life {
    Alive,
    /// The lock is held until this is dropped, so that nobody else buries the same owner.
    Dead(Option<File>),
    /// Locks do not work here: only the lease decides.
    Unknown,
}

impl Owner {
    /// Takes the lock of a new owner. To be called in the transaction that registers the id, so that nobody looks too early.
    pub(crate) fn new(database: &Path, id: i64) -> Result<Self> {
        let path = lock_path(database, id);
        let newest = ClaimNo::first(id);
        if memory::is_in_memory(database) {
            let _lock = Lock::InMemory {
                _alive: Alive::new(&path),
            };
            return Ok(Self {
                id,
                newest,
                path,
                _lock,
            });
        }
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(&path)
            .map_err(Error::file(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            // Without locks the owner can still work; others go by its leases.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
            Err(error) => return Err(Error::file(&path)(error.into())),
        }
        Ok(Self {
            id,
            newest,
            path,
            _lock: Lock::File { _locked: lock },
        })
    }

    /// Removes the lock file.
    pub(crate) fn retire(self) {
        let Self {
            path, _lock: lock, ..
        } = self;
        drop(lock);
        let _ = std::fs::remove_file(path);
    }
}

/// Whether an owner's process still holds its lock.
pub(crate) fn life(database: &Path, id: i64) -> Life {
    let path = lock_path(database, id);
    if memory::is_in_memory(database) {
        return if memory::is_alive(&path) {
            Life::Alive
        } else {
            Life::Dead(None)
        };
    }
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Life::Dead(Some(file)),
            Err(TryLockError::WouldBlock) => Life::Alive,
            Err(TryLockError::Error(_)) => Life::Unknown,
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Life::Dead(None),
        Err(_) => Life::Unknown,
    }
}

/// Removes a dead owner's lock file.
pub(crate) fn bury(database: &Path, id: i64) {
    let _ = std::fs::remove_file(lock_path(database, id));
}

fn lock_path(database: &Path, id: i64) -> PathBuf {
    beside(database, &format!("-owner-{id}"))
}

/// A file beside the database.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(database);
    path.push(suffix);
    path.into()
}
