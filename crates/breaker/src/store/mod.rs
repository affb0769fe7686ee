//! Where a breaker's document is kept.

mod file;
mod report;
#[cfg(test)]
mod tests;
mod write_behind;

use std::io;
use std::path::{Path, PathBuf};

pub use file::{FileStore, SharedFileStore};
pub use report::Report;
pub use write_behind::WriteBehind;

use crate::document::Document;

/// Keeps the document of a breaker that is its only writer.
///
/// The breaker loads it once, and then saves each change before anyone can act on it.
pub trait Store: Send + Sync {
    /// The document, or `None` when there is none yet.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn load(&self) -> Result<Option<Document>, StoreError>;

    /// Replaces the document: whoever reads it, or comes back after a crash, finds the old one or
    /// the new one.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn save(&self, document: &Document) -> Result<(), StoreError>;
}

/// Keeps a document that several breakers share, each in its own process or not.
pub trait SharedStore: Send + Sync {
    /// The document, or `None` when there is none yet; takes no lock.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn load(&self) -> Result<Option<Document>, StoreError>;

    /// Lets `decide` turn the current document into the next one, with no other change in between;
    /// `None` leaves it as it is. `decide` may be called again when another change came first; then
    /// only its last answer counts.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing has changed.
    fn update(
        &self,
        decide: &mut dyn FnMut(Option<Document>) -> Option<Document>,
    ) -> Result<(), StoreError>;
}

/// Why a document could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}; check that the folder exists, is writable and not full", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The document makes no sense.
    #[error("{} is no breaker document: {why}; delete it to start closed", path.display())]
    Corrupted {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The handle was opened by the process that this one was forked from. Nothing was written: the
    /// file is the other's.
    #[error("the handle of {} was opened by another process, from which this one was forked; open it here", path.display())]
    Forked {
        /// Which file.
        path: PathBuf,
    },
    /// Another breaker owns the file, or has held its lock for too long.
    #[error("{} is in use by another breaker; only one may own it", path.display())]
    InUse {
        /// Which file.
        path: PathBuf,
    },
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
