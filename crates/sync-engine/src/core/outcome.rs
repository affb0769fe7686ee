//! What a try's end means: for the job, and for the Plex breaker. One table, no I/O.

use std::time::Duration;

use crate::core::settings::Settings;
use crate::core::words;

/// How one try of one job ended.
pub type Outcome<L> = Result<Done<L>, Failure>;

/// An end that needs no other try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done<L> {
    /// Plex equals Stash now; the sync record gets `L`.
    Synced(L),
    /// Nothing to send, nothing to remember; the text says why.
    Skipped(String),
    /// Stash no longer has the scene.
    GoneFromStash,
}

/// A try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault it is.
    pub whose: Whose,
    /// What happened, for a person.
    pub why: String,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The scene's: it alone is affected.
    Scene(SceneFault),
    /// The request's own or the server's: only a probe that carries the token can tell.
    Doubtful(Fault),
    /// The request's own: the probe passed.
    Request(Fault),
    /// Plex's: every job is affected.
    Plex(Trouble),
    /// Stash's: it cannot be reached or refuses the session.
    Stash,
}

/// What is wrong with a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SceneFault {
    /// It has no file, or data nobody can send.
    Invalid,
    /// Plex answered and does not know the file.
    NotInPlex,
    /// Several items could be meant.
    Ambiguous,
    /// Plex does not take the data.
    Rejected,
    /// Plex describes its item in a form that nobody can read.
    Unreadable,
    /// Stash describes it in a form that nobody can read.
    Misread,
}

/// A request that failed, though something answered or was connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How.
    pub kind: FaultKind,
    /// What was asked for with `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The request carried a text or a picture of a person, at which a filter may take offence.
    pub personal: bool,
}

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It was refused, or something else than Plex answered: 401, 403, a redirect, a login page.
    Refused,
    /// It was answered that it, or what it brings, is not taken: 400, 422.
    Rejected,
    /// It failed in passing: timeout, no answer, 5xx, 429, a broken answer.
    Failing,
}

/// What is wrong with Plex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It cannot be reached, or fails the probe.
    Unreachable,
    /// It is starting or in maintenance.
    Starting,
    /// It does not accept the token, or not as the owner's.
    Unauthorized,
    /// Another Plex server answers at the address.
    WrongServer,
    /// It has none of the libraries to search.
    NoLibrary,
}

impl Failure {
    /// A failure with its reason.
    pub fn new(whose: Whose, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { whose, why }
    }

    /// The same, with what it was about.
    pub fn about(self, what: &str) -> Self {
        let why = format!("{what}: {}", self.why);
        Self { why, ..self }
    }

    /// The same of a question about a whole library.
    pub fn of_library(mut self, title: &str) -> Self {
        if self.whose == Whose::Scene(SceneFault::NotInPlex) {
            self.why = words::NO_SUCH_LIBRARY.to_owned();
        }
        self.about(&words::unsearched(title))
    }

    /// The same for a request that carried a text or a picture of a person.
    pub fn of_personal_request(mut self) -> Self {
        if let Whose::Doubtful(fault) = &mut self.whose {
            fault.personal = true;
        }
        self
    }

    /// Whose fault it is after the probe: its own when that passed, else the server's.
    pub fn judged(self, probe: Result<(), Self>) -> Self {
        match (self.whose, probe) {
            (Whose::Doubtful(_), Err(server)) => server,
            (Whose::Doubtful(fault), Ok(())) => Self {
                whose: Whose::Request(fault),
                ..self
            },
            _ => self,
        }
    }

    /// Whether it may be the server's fault, so that the probe must be asked.
    pub fn is_doubtful(&self) -> bool {
        matches!(self.whose, Whose::Doubtful(_))
    }

    /// Whether it is the request's own, since the probe passed.
    pub fn is_of_request(&self) -> bool {
        matches!(self.whose, Whose::Request(_))
    }

    /// Whether other requests may well succeed.
    pub fn is_of_one_item(&self) -> bool {
        !matches!(self.whose, Whose::Plex(_) | Whose::Stash)
    }

    /// A stable word for the kind of failure, for a job's history; empty when it says nothing about
    /// the job.
    pub fn word(&self) -> &'static str {
        ErrorKind::of(self.whose).map_or("", ErrorKind::word)
    }
}

/// What becomes of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Acknowledge it.
    Done,
    /// Acknowledge it and drop the scene's ledger row.
    Forget,
    /// Try again after the delay; this try counted.
    Retry(Duration),
    /// Back into the queue; this try did not count.
    Hold,
    /// Keep it for a person to look at.
    Dead {
        /// A stable word for counting.
        kind: ErrorKind,
        /// What happened, for a person.
        message: String,
    },
}

/// What the Plex breaker is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Plex answered.
    Success,
    /// It says nothing about Plex.
    Neutral,
    /// Plex is in trouble.
    Failure,
    /// Plex is away for a known reason: open at once.
    Trip(TripReason),
}

/// Why the breaker opened at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TripReason {
    Unauthorized,
    WrongServer,
    NoLibrary,
    Starting,
}

impl TripReason {
    /// The word kept in the breaker's document.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::WrongServer => "wrong_server",
            Self::NoLibrary => "no_library",
            Self::Starting => "starting",
        }
    }
}

/// The kinds of failed jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "described by the outcome table in docs/architecture.md"
)]
pub enum ErrorKind {
    InvalidScene,
    NotInPlex,
    LowConfidence,
    PlexRefused,
    PlexFailing,
    UnreadableItem,
    UnreadableScene,
}

impl ErrorKind {
    /// Of a job that fails like this; none where the fault is no job's.
    fn of(whose: Whose) -> Option<Self> {
        Some(match whose {
            Whose::Scene(SceneFault::Invalid) => Self::InvalidScene,
            Whose::Scene(SceneFault::NotInPlex) => Self::NotInPlex,
            Whose::Scene(SceneFault::Ambiguous) => Self::LowConfidence,
            Whose::Scene(SceneFault::Rejected) => Self::PlexRefused,
            Whose::Scene(SceneFault::Unreadable) => Self::UnreadableItem,
            Whose::Scene(SceneFault::Misread) => Self::UnreadableScene,
            Whose::Doubtful(fault) | Whose::Request(fault) => match fault.kind {
                FaultKind::Refused | FaultKind::Rejected => Self::PlexRefused,
                FaultKind::Failing => Self::PlexFailing,
            },
            Whose::Plex(_) | Whose::Stash => return None,
        })
    }

    /// The name kept in the queue and shown to users.
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidScene => "InvalidScene",
            Self::NotInPlex => "NotInPlex",
            Self::LowConfidence => "LowConfidence",
            Self::PlexRefused => "PlexRefused",
            Self::PlexFailing => "PlexFailing",
            Self::UnreadableItem => "UnreadableItem",
            Self::UnreadableScene => "UnreadableScene",
        }
    }

    /// Whether the server, not the job, was at fault: what an outage's recovery puts back.
    pub fn server_down(word: &str) -> bool {
        word == Self::PlexFailing.word()
    }
}

/// A scene that is not in Plex is tried this often before it has failed.
pub const NOT_FOUND_TRIES: u32 = 12;
const NOT_FOUND_CAP: Duration = Duration::from_secs(600);
/// No server's wish keeps a job waiting for longer.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// The longest wait between two tries of a job that fails in passing.
pub const RETRY_CAP: Duration = Duration::from_secs(80);

/// A request that is refused by its own fault is tried this often.
const REFUSED_TRIES: u32 = 3;

/// How many attempts a job has that fails like this.
pub fn most_attempts(failure: &Failure, settings: &Settings) -> u32 {
    match failure.whose {
        Whose::Scene(SceneFault::NotInPlex) => NOT_FOUND_TRIES,
        Whose::Request(fault) | Whose::Doubtful(fault) => match fault.kind {
            FaultKind::Rejected if fault.personal => 1,
            FaultKind::Rejected | FaultKind::Refused => REFUSED_TRIES.min(settings.max_retries),
            FaultKind::Failing => settings.max_retries,
        },
        Whose::Scene(_) | Whose::Plex(_) | Whose::Stash => 1,
    }
}

/// What becomes of the job after its `tries`-th delivery (1 for the first).
///
/// `jitter(base, cap, n)` is the delay after the `n`-th failure, from 0.
pub fn fate<L>(
    outcome: &Outcome<L>,
    tries: u32,
    settings: &Settings,
    jitter: impl FnOnce(Duration, Duration, u32) -> Duration,
) -> Fate {
    let failure = match outcome {
        Ok(Done::Synced(_) | Done::Skipped(_)) => return Fate::Done,
        Ok(Done::GoneFromStash) => return Fate::Forget,
        Err(failure) => failure,
    };
    let Some(kind) = ErrorKind::of(failure.whose) else {
        return Fate::Hold;
    };
    let (past, most) = (tries.saturating_sub(1), most_attempts(failure, settings));
    match failure.whose {
        Whose::Scene(SceneFault::NotInPlex) if settings.skip_not_found => Fate::Done,
        Whose::Scene(SceneFault::NotInPlex) if tries < most => {
            let base = settings.not_found_base;
            Fate::Retry(jitter(base, NOT_FOUND_CAP.max(base), past))
        }
        Whose::Request(fault) | Whose::Doubtful(fault) if tries < most => {
            let base = settings.retry_base;
            let delay = jitter(base, RETRY_CAP.max(base), past);
            let asked = fault.retry_after.unwrap_or_default();
            Fate::Retry(delay.max(asked.min(LONGEST_RETRY_AFTER)))
        }
        _ => Fate::Dead {
            kind,
            message: failure.why.clone(),
        },
    }
}

/// What the Plex breaker is told. A request that failed by its own fault is the server's failure
/// all the same once as many different jobs in a row as open the circuit have such a one: `is_new`
/// says whether this job has none since the last success, and is asked for nothing else.
pub fn signal<L>(outcome: &Outcome<L>, is_new: impl FnOnce() -> bool) -> Signal {
    let failure = match outcome {
        Ok(Done::Synced(_)) => return Signal::Success,
        Ok(Done::Skipped(_) | Done::GoneFromStash) => return Signal::Neutral,
        Err(failure) => failure,
    };
    match failure.whose {
        Whose::Scene(SceneFault::Invalid) | Whose::Stash => Signal::Neutral,
        Whose::Scene(_) => Signal::Success,
        // A filter that refuses one person's words says nothing about Plex.
        Whose::Request(fault) if fault.personal && fault.kind == FaultKind::Refused => {
            Signal::Neutral
        }
        // Plex does not take these words; a question has none to take.
        Whose::Request(fault) if fault.personal && fault.kind == FaultKind::Rejected => {
            Signal::Success
        }
        Whose::Request(_) | Whose::Doubtful(_) => match is_new() {
            true => Signal::Failure,
            false => Signal::Neutral,
        },
        Whose::Plex(Trouble::Unreachable) => Signal::Failure,
        Whose::Plex(Trouble::Unauthorized) => Signal::Trip(TripReason::Unauthorized),
        Whose::Plex(Trouble::WrongServer) => Signal::Trip(TripReason::WrongServer),
        Whose::Plex(Trouble::NoLibrary) => Signal::Trip(TripReason::NoLibrary),
        Whose::Plex(Trouble::Starting) => Signal::Trip(TripReason::Starting),
    }
}

#[cfg(test)]
mod tests;
