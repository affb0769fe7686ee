//! Whose fault it is when a client of either server, or a probe, fails: the only place that maps
//! their errors.

use plex_health::Verdict;

use crate::core::outcome::{Failure, Fault, FaultKind, SceneFault, Trouble, Whose};
use crate::core::words;

impl From<plex::Error> for Failure {
    fn from(error: plex::Error) -> Self {
        use plex::Error;
        let doubtful = |kind| {
            Whose::Doubtful(Fault {
                kind,
                retry_after: error.retry_after(),
                personal: false,
            })
        };
        let whose = match &error {
            // Connected, and then no answer: it may be this request that Plex, or a proxy, does not
            // survive.
            Error::Unreachable {
                cause: plex::Unreachable::Closed,
                ..
            } => doubtful(FaultKind::Failing),
            Error::Unreachable { .. } => Whose::Plex(Trouble::Unreachable),
            Error::Unauthorized { .. } | Error::NotPlex { .. } | Error::Redirected { .. } => {
                doubtful(FaultKind::Refused)
            }
            Error::Timeout(_)
            | Error::Starting(_)
            | Error::Overloaded { .. }
            | Error::Gateway { .. }
            | Error::Malformed(_)
            | Error::CutShort(_)
            | Error::TooLarge(_) => doubtful(FaultKind::Failing),
            // The item went away between finding and writing it: look it up again later.
            Error::NotFound => Whose::Scene(SceneFault::NotInPlex),
            // A proxy that is set up wrongly answers so to everything.
            Error::Rejected { .. } => doubtful(FaultKind::Rejected),
            Error::LineTooLong { .. } | Error::TooLong(_) => Whose::Scene(SceneFault::Rejected),
            Error::BadFile => Whose::Scene(SceneFault::Invalid),
            Error::Unreadable(_) => Whose::Scene(SceneFault::Unreadable),
        };
        Self::new(whose, error.to_string())
    }
}

impl From<stash::client::Error> for Failure {
    fn from(error: stash::client::Error) -> Self {
        let whose = match &error {
            stash::client::Error::Unreadable(_) => Whose::Scene(SceneFault::Misread),
            error if is_of_scene(error) => Whose::Scene(SceneFault::Invalid),
            _ => Whose::Stash,
        };
        Self::new(whose, error.to_string())
    }
}

/// Whether the fault is the scene's or its picture's own. Any other answer may be a proxy's, or of
/// the moment.
pub fn is_of_scene(error: &stash::client::Error) -> bool {
    use stash::client::Error::{NoImage, NotAPicture, TooLarge, Unreadable};
    matches!(
        error,
        TooLarge { .. } | NoImage | NotAPicture { .. } | Unreadable(_)
    )
}

/// Whether something answered that it does not take a picture or a rating.
pub fn is_of_part(error: &plex::Error) -> bool {
    use plex::Error;
    // Not found counts, too: the item itself was read, or edited, a moment ago.
    !matches!(
        error,
        Error::Unreachable { .. }
            | Error::Starting(_)
            | Error::Timeout(_)
            | Error::CutShort(_)
            | Error::BadFile
            | Error::Unreadable(_)
    )
}

/// Whether a request got no answer that counts, though something was connected.
pub fn comes_to_nothing(error: &plex::Error) -> bool {
    use plex::{Error, Unreachable::Closed};
    matches!(
        error,
        Error::CutShort(_)
            | Error::Starting(_)
            | Error::Timeout(_)
            | Error::Unreachable { cause: Closed, .. }
    )
}

/// Whether the same picture or rating may be taken later, though it was not.
pub fn may_pass(error: &plex::Error) -> bool {
    use plex::Error::{Gateway, Malformed, Overloaded};
    comes_to_nothing(error) || matches!(error, Overloaded { .. } | Gateway { .. } | Malformed(_))
}

/// What a probe found.
///
/// # Errors
/// Plex is in trouble.
pub fn of_verdict(verdict: &Verdict) -> Result<(), Failure> {
    let trouble = match verdict {
        Verdict::Healthy { .. } => return Ok(()),
        Verdict::Unauthorized { status } => {
            let why = words::token_refused(*status);
            return Err(Failure::new(Whose::Plex(Trouble::Unauthorized), why));
        }
        Verdict::WrongServer { .. } => Trouble::WrongServer,
        Verdict::Starting { .. } => Trouble::Starting,
        _ => Trouble::Unreachable,
    };
    Err(Failure::new(Whose::Plex(trouble), verdict.to_string()))
}

/// Plex lets the token read, but not what only its owner may.
pub fn of_owner_check(error: plex::Error) -> Result<(), Failure> {
    match error {
        plex::Error::Unauthorized { by_plex: true, .. } => Err(Failure::new(
            Whose::Plex(Trouble::Unauthorized),
            words::TOKEN_OF_A_GUEST,
        )),
        // A proxy that guards this path says nothing about Plex.
        plex::Error::Unauthorized { .. }
        | plex::Error::NotPlex { .. }
        | plex::Error::Redirected { .. }
        | plex::Error::Rejected { .. }
        | plex::Error::NotFound => Ok(()),
        plex::Error::Starting(why) => Err(Failure::new(Whose::Plex(Trouble::Starting), why)),
        error => {
            let mut failure = Failure::from(error);
            if failure.is_doubtful() {
                failure.whose = Whose::Plex(Trouble::Unreachable);
            }
            Err(failure)
        }
    }
}
