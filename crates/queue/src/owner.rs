//! Who holds claims, and whether they live: each owner keeps a lock on a small file, which the
//! kernel frees on any death.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::connection::private;
use crate::error::{Error, Result};
use crate::fencing_token::FencingToken;
use crate::identity::FileId;
use crate::memory::{self, Alive};

/// This process as a holder of claims.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) id: i64,
    /// The newest claim number given out.
    pub(crate) newest: FencingToken,
    path: PathBuf,
    lock: Lock,
}

/// Held as long as it is there.
#[derive(Debug)]
pub(crate) enum Lock {
    OnFile(File),
    InMemory { _alive: Alive },
}

/// What can be told about another owner.
#[derive(Debug)]
pub(crate) enum Life {
    Alive,
    /// The lock is held until this is dropped, so that nobody else takes its jobs too.
    Dead(Lock),
    /// Somebody removed its file, as a cleaner of old files does: only the lease decides.
    Missing,
    /// Locks do not work here: only the lease decides.
    Unknown,
}

impl Owner {
    /// Takes the lock of a new owner. To be called in the transaction that registers the id, so
    /// that nobody looks too early. None when another process has it: one that still has a file
    /// open that was here before.
    pub(crate) fn new(database: &Path, id: i64) -> Result<Option<Self>> {
        let path = lock_path(database, id);
        Ok(locked(&path)?.map(|lock| Self {
            id,
            newest: FencingToken::first(id),
            path,
            lock,
        }))
    }

    /// Makes the file again when somebody removed it; whether it did. Under another name until it
    /// is locked, since an unlocked one is a dead owner's.
    pub(crate) fn renew(&mut self) -> Result<bool> {
        if self.is_in_place() {
            return Ok(false);
        }
        let mut name = OsString::from(&self.path);
        name.push("-new");
        let Some(lock) = locked(name.as_ref())? else {
            return Ok(false);
        };
        std::fs::rename(&name, &self.path).map_err(Error::file(&self.path))?;
        self.lock = lock;
        Ok(true)
    }

    fn is_in_place(&self) -> bool {
        match &self.lock {
            Lock::OnFile(file) => file
                .metadata()
                .is_ok_and(|file| FileId::of(&file).is_at(&self.path)),
            Lock::InMemory { .. } => true,
        }
    }

    /// Removes the lock file.
    pub(crate) fn retire(self) {
        if self.is_in_place() {
            let Self { path, lock, .. } = self;
            drop(lock);
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The file, locked; none when another process has the lock. Without locks an owner can still work,
/// and others go by its leases.
fn locked(path: &Path) -> Result<Option<Lock>> {
    if memory::is_in_memory(path) {
        return Ok(Alive::take(path).map(|_alive| Lock::InMemory { _alive }));
    }
    let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(path)
        .map_err(Error::file(path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Lock::OnFile(lock))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            Ok(Some(Lock::OnFile(lock)))
        }
        Err(TryLockError::Error(error)) => Err(Error::file(path)(error)),
    }
}

/// Whether an owner's process still holds its lock.
pub(crate) fn life(database: &Path, id: i64) -> Life {
    let path = lock_path(database, id);
    if memory::is_in_memory(database) {
        return Alive::take(&path)
            .map_or(Life::Alive, |_alive| Life::Dead(Lock::InMemory { _alive }));
    }
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Life::Dead(Lock::OnFile(file)),
            Err(TryLockError::WouldBlock) => Life::Alive,
            Err(TryLockError::Error(_)) => Life::Unknown,
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Life::Missing,
        Err(_) => Life::Unknown,
    }
}

/// Removes a dead owner's lock file.
pub(crate) fn remove_lock(database: &Path, id: i64) {
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
