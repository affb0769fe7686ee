//! One worker per data folder: a lock that the operating system releases on any death.

use std::fs::{File, TryLockError};
use std::io;

use crate::data_dir::{DataDir, private_file};

/// Held as long as this value lives.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct WorkerLock {
    _file: File,
}

impl WorkerLock {
    /// Takes the lock, or says `None` when another process holds it.
    pub fn try_take(dir: &DataDir) -> io::Result<Option<Self>> {
        // Never truncated or removed: a lock on a removed file would guard nothing.
        let file = private_file()
            .create(true)
            .write(true)
            .truncate(false)
            .open(dir.worker_lock())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(why)) => Err(why),
        }
    }

    /// Whether some process holds the lock; takes nothing that outlives the question.
    pub fn is_held(dir: &DataDir) -> io::Result<bool> {
        let file = match File::open(dir.worker_lock()) {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(why) => return Err(why),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(why)) => Err(why),
        }
    }
}
