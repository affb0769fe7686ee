//! Which process has a queue open. After a fork there are two with the same memory, and only one of
//! them may use it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::identity::FileId;

/// A file that is open in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    file: FileId,
    process: u32,
}

/// All that are open, also those of the process that this one was forked from: SQLite's own list of
/// the locks it holds is inherited too, and so a child would take no locks on a file that its
/// parent had open.
static OPEN: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// That this process has a file open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Entry);

impl Open {
    pub(crate) fn new(file: FileId) -> Result<Self> {
        let process = std::process::id();
        let entry = Entry { file, process };
        let mut all = all();
        let is_parents = |other: &Entry| other.file == file && other.process != process;
        if all.iter().any(is_parents) {
            return Err(Error::Forked);
        }
        all.push(entry);
        Ok(Self(entry))
    }

    pub(crate) fn file(&self) -> FileId {
        self.0.file
    }

    pub(crate) fn process(&self) -> u32 {
        self.0.process
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.0.process != std::process::id()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.is_forked() {
            return;
        }
        let mut all = all();
        if let Some(at) = all.iter().position(|entry| *entry == self.0) {
            all.swap_remove(at);
        }
    }
}

fn all() -> MutexGuard<'static, Vec<Entry>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
