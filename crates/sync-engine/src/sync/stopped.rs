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

impl Stopped {
    /// What somebody is at fault for, apart from what the database is.
    pub fn apart<R>(ended: Result<R, Self>) -> queue::Result<Result<R, Failure>> {
        match ended {
            Ok(done) => Ok(Ok(done)),
            Err(Self::Failed(why)) => Ok(Err(why)),
            Err(Self::Database(why)) => Err(why),
        }
    }
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

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(why: E) -> Self {
        Self::Failed(why.into())
    }
}
