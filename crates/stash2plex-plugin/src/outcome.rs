//! What a try's end means: for the job, and for the Plex breaker. One table, no I/O.

use std::time::Duration;

use crate::settings::Settings;

/// How one try of one job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<L> {
    /// Plex equals Stash now; the ledger gets `L`.
    Synced(L),
    /// Nothing to send, nothing to remember; the text says why.
    Skipped(String),
    /// Stash no longer has the scene.
    GoneFromStash,
    /// The scene has no file, or data nobody can send.
    Invalid(String),
    /// Plex answered and does not know the file.
    NotInPlex(String),
    /// Several items could be meant.
    Ambiguous(String),
    /// Plex answered and refuses the request.
    Refused(String),
    /// Plex does not accept the token.
    Unauthorized(String),
    /// Another Plex server answers at the address.
    WrongServer(String),
    /// Plex answered and has none of the libraries to search.
    NoLibrary(String),
    /// Plex cannot be reached.
    Unreachable(String),
    /// Plex is starting or in maintenance.
    Starting(String),
    /// Plex failed in passing: timeout, no answer, 5xx, 429.
    Failing {
        /// What happened.
        why: String,
        /// What Plex asked for with `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Stash cannot be reached or refuses the session.
    StashAway(String),
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

/// The kinds of dead letters.
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
}

impl ErrorKind {
    /// The name kept in the queue and shown to users.
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidScene => "InvalidScene",
            Self::NotInPlex => "NotInPlex",
            Self::LowConfidence => "LowConfidence",
            Self::PlexRefused => "PlexRefused",
            Self::PlexFailing => "PlexFailing",
        }
    }

    /// What a person can do about dead letters of the kind with this name.
    pub fn advice(word: &str) -> &'static str {
        match word {
            "InvalidScene" => {
                "These scenes have no file, or data that cannot be sent: a save tries again"
            }
            "NotInPlex" => {
                "Plex has no such file: check the setting path_map and let Plex scan; then run Reconcile All Scenes"
            }
            "LowConfidence" => {
                "Several items have the name of the scene's file: fill in the setting path_map so that full paths agree, or turn \
                 strict_matching off; then run Reconcile All Scenes"
            }
            "PlexRefused" => {
                "Plex does not take the data, worker.log has its words: change the scene and save it"
            }
            "PlexFailing" => {
                "Plex failed at each try: run Recover Outage Jobs for those of an outage, Reconcile All Scenes for the others"
            }
            queue::OWNER_DIED => {
                "The worker died at each of ten tries: save the scene to try again, and report it if that ends so too"
            }
            queue::UNDECODABLE => {
                "Another version of this plugin queued them: run Reconcile All Scenes, then Clear Dead Letters"
            }
            _ => "worker.log says why",
        }
    }

    /// Whether the server, not the job, was at fault: what an outage's recovery puts back.
    pub fn server_down(word: &str) -> bool {
        word == Self::PlexFailing.word()
    }
}

/// A scene that is not in Plex is tried this often before it is a dead letter.
pub const NOT_FOUND_TRIES: u32 = 12;
const NOT_FOUND_CAP: Duration = Duration::from_secs(600);
/// No server's wish keeps a job waiting for longer.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// The longest wait between two tries of a job that fails in passing.
pub const RETRY_CAP: Duration = Duration::from_secs(80);

impl<L> Outcome<L> {
    /// What becomes of the job after its `tries`-th delivery (1 for the first).
    ///
    /// `jitter(base, cap, n)` is the delay after the `n`-th failure, from 0.
    pub fn fate(
        &self,
        tries: u32,
        settings: &Settings,
        jitter: impl FnOnce(Duration, Duration, u32) -> Duration,
    ) -> Fate {
        let dead = |kind, message: &str| Fate::Dead {
            kind,
            message: message.to_owned(),
        };
        let past = tries.saturating_sub(1);
        match self {
            Self::Synced(_) | Self::Skipped(_) => Fate::Done,
            Self::GoneFromStash => Fate::Forget,
            Self::Invalid(why) => dead(ErrorKind::InvalidScene, why),
            Self::NotInPlex(_) if settings.skip_not_found => Fate::Done,
            Self::NotInPlex(why) if tries >= NOT_FOUND_TRIES => dead(ErrorKind::NotInPlex, why),
            Self::NotInPlex(_) => {
                let base = settings.not_found_base;
                Fate::Retry(jitter(base, NOT_FOUND_CAP.max(base), past))
            }
            Self::Ambiguous(why) => dead(ErrorKind::LowConfidence, why),
            Self::Refused(why) => dead(ErrorKind::PlexRefused, why),
            Self::Unauthorized(_)
            | Self::WrongServer(_)
            | Self::NoLibrary(_)
            | Self::Unreachable(_)
            | Self::Starting(_)
            | Self::StashAway(_) => Fate::Hold,
            Self::Failing { why, .. } if tries >= settings.max_retries => {
                dead(ErrorKind::PlexFailing, why)
            }
            Self::Failing { retry_after, .. } => {
                let base = settings.retry_base;
                let delay = jitter(base, RETRY_CAP.max(base), past);
                let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                Fate::Retry(delay.max(asked))
            }
        }
    }

    /// A stable word for the kind of failure and what happened, for a job's history.
    pub fn failure(&self) -> (&'static str, &str) {
        match self {
            Self::Synced(_) => ("", ""),
            Self::Skipped(why) => ("", why),
            Self::GoneFromStash => ("", "deleted in Stash"),
            Self::Invalid(why) => (ErrorKind::InvalidScene.word(), why),
            Self::NotInPlex(why) => (ErrorKind::NotInPlex.word(), why),
            Self::Ambiguous(why) => (ErrorKind::LowConfidence.word(), why),
            Self::Refused(why) => (ErrorKind::PlexRefused.word(), why),
            Self::Failing { why, .. } => (ErrorKind::PlexFailing.word(), why),
            Self::Unauthorized(why)
            | Self::WrongServer(why)
            | Self::NoLibrary(why)
            | Self::Unreachable(why)
            | Self::Starting(why)
            | Self::StashAway(why) => ("", why),
        }
    }

    /// What the Plex breaker is told.
    pub fn signal(&self) -> Signal {
        match self {
            Self::Synced(_) | Self::NotInPlex(_) | Self::Ambiguous(_) | Self::Refused(_) => {
                Signal::Success
            }
            Self::Skipped(_) | Self::GoneFromStash | Self::Invalid(_) | Self::StashAway(_) => {
                Signal::Neutral
            }
            Self::Unauthorized(_) => Signal::Trip(TripReason::Unauthorized),
            Self::WrongServer(_) => Signal::Trip(TripReason::WrongServer),
            Self::NoLibrary(_) => Signal::Trip(TripReason::NoLibrary),
            Self::Starting(_) => Signal::Trip(TripReason::Starting),
            Self::Unreachable(_) | Self::Failing { .. } => Signal::Failure,
        }
    }
}

#[cfg(test)]
mod tests;
