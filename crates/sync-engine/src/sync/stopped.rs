//! Why a job could not be carried on: somebody's failure, or the database's.

use queue::rusqlite;

use crate::core::outcome::Failure;

/// Why a job could not be carried on.
pub enum Stopped {
    /// By whoever's fault.
    Failed(Failure),
    /// The database cannot be read or written.
    Database(queue::Error),
}

impl From<queue::Error> for Stopped {
    fn from(error: queue::Error) -> Self {
        Self::Database(error)
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<plex::Error> for Stopped {
    fn from(error: plex::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<stash::client::Error> for Stopped {
    fn from(error: stash::client::Error) -> Self {
        Self::Failed(error.into())
    }
}
