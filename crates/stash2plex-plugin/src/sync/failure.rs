//! What a failed call to either server means for the job.

use crate::outcome::Outcome;

/// A failed call.
#[derive(Debug)]
pub enum Failed {
    Plex(plex::Error),
    Stash(stash::client::Error),
}

impl From<plex::Error> for Failed {
    fn from(error: plex::Error) -> Self {
        Self::Plex(error)
    }
}

impl From<stash::client::Error> for Failed {
    fn from(error: stash::client::Error) -> Self {
        Self::Stash(error)
    }
}

impl<L> From<Failed> for Outcome<L> {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Plex(error) => of_plex(&error),
            Failed::Stash(error) => of_stash(&error),
        }
    }
}

fn of_plex<L>(error: &plex::Error) -> Outcome<L> {
    use plex::Error;
    let why = error.to_string();
    match error {
        // Connected, and then no answer: it may be this request that Plex, or a proxy, does not survive.
        Error::Unreachable {
            cause: plex::Unreachable::Closed,
            ..
        } => Outcome::Failing {
            why,
            retry_after: None,
        },
        Error::Unreachable { .. } | Error::NotPlex { .. } | Error::Redirected { .. } => {
            Outcome::Unreachable(why)
        }
        Error::Starting(_) => Outcome::Starting(why),
        Error::Unauthorized { .. } => Outcome::Unauthorized(why),
        Error::Timeout(_)
        | Error::Overloaded { .. }
        | Error::Gateway { .. }
        | Error::Malformed(_)
        | Error::CutShort(_)
        | Error::TooLarge(_) => Outcome::Failing {
            why,
            retry_after: error.retry_after(),
        },
        // The item went away between finding and writing it: look it up again later.
        Error::NotFound => Outcome::NotInPlex(why),
        Error::LineTooLong { .. } | Error::Rejected { .. } | Error::TooLong(_) => {
            Outcome::Refused(why)
        }
        Error::BadFile => Outcome::Invalid(why),
    }
}

fn of_stash<L>(error: &stash::client::Error) -> Outcome<L> {
    if is_of_scene(error) {
        Outcome::Invalid(error.to_string())
    } else {
        Outcome::StashAway(error.to_string())
    }
}

/// Whether the fault is the scene's or its picture's own. Any other answer may be a proxy's, or of the moment.
pub fn is_of_scene(error: &stash::client::Error) -> bool {
    use stash::client::Error;
    matches!(
        error,
        Error::TooLarge { .. } | Error::NoImage | Error::NotAPicture { .. }
    )
}
