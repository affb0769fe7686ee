//! How everything is: one structure, gathered beside whoever works, shown as lines and as JSON.
//!
//! Times are Unix seconds, durations seconds, so that a page can show them without knowing this
//! program.

use serde::Serialize;

use crate::core::first_run::Step;
use crate::core::reconcile::Ended;
use crate::core::settings::Fault;

mod jobs;
mod plex;

pub use jobs::{About, FailedJob, FailedType, QueueStatus, TriedJob};
pub use plex::{Before, Connectivity, Searched, TokenStatus};

/// Everything a person may ask about; as the default, that of a plugin that has never worked.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Status {
    /// When this was gathered.
    pub taken_at: f64,
    /// What the settings say; `None` when the task does not ask Stash.
    pub settings: Option<SettingsStatus>,
    /// The Plex breaker.
    pub circuit: Circuit,
    /// With what Plex failed last, while the breaker holds jobs.
    pub cause: Option<String>,
    /// What became of a damaged database, until the library was looked through.
    pub damage: Option<String>,
    /// Plex itself; `None` when the task does not ask it.
    pub plex: Option<Connectivity>,
    /// Why nothing can be recorded; `None` when it can, or the task does not look.
    pub unwritable: Option<String>,
    /// Why others may look into the data folder; `None` when they may not, or when the task does
    /// not look.
    pub exposed: Option<String>,
    /// The jobs.
    pub queue: Seen<QueueStatus>,
    /// What was done since the first start; `None` before it.
    pub totals: Option<Totals>,
    /// Scenes that are left alone until a person has the whole library written.
    pub never_synced: u64,
    /// What was left out of scenes that were written.
    pub left_out: Vec<LeftOut>,
    /// What the path map may lack, the most likely first.
    pub path_hints: Vec<PathHint>,
    /// Who processes them.
    pub worker: Worker,
    /// The last outages; `None` when the breaker's file cannot be read.
    pub outages: Option<Outages>,
    /// The gradual restart after the last outage, while it lasts.
    pub ramp: Option<Ramp>,
    /// The last health probe of the worker.
    pub last_probe: Option<LastProbe>,
    /// The last reconciliation that came to its end.
    pub last_reconciliation: Option<Ended>,
    /// What a person does next of a first run; `None` when all is done, or the task does not ask
    /// Stash.
    pub next_step: Option<Step>,
}

impl Status {
    /// The outage that goes on.
    pub fn ongoing(&self) -> Option<&OutageEntry> {
        let outages = self.outages.as_ref()?;
        outages.last.iter().find(|one| one.ended.is_none())
    }
}

/// What the worker has done, over all its starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Totals {
    /// How often a scene was synced.
    pub synced: u64,
    /// Jobs that were given up.
    pub failed: u64,
    /// Since when it is counted.
    pub since: f64,
}

/// Something that may not be there, or may not let itself be read.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Seen<T> {
    /// It is not there yet.
    #[default]
    Missing,
    /// It cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
    /// It is this.
    Known(T),
}

/// What the settings say about working at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "read", rename_all = "snake_case")]
pub enum SettingsStatus {
    /// Stash did not tell them.
    Failed {
        /// Why.
        why: String,
    },
    /// They were read.
    Done {
        /// Whether the sync is turned on.
        enabled: bool,
        /// Whether anything may be written to Plex.
        writes: bool,
        /// A login is set in Stash and there is no API key.
        session_only: bool,
        /// What is wrong with single settings.
        faults: Vec<Fault>,
    },
}

/// The Plex breaker as its file says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Circuit {
    /// Jobs run.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// Jobs wait.
    Open {
        /// Since when.
        opened_at: f64,
        /// When one job is tried.
        retry_at: Option<f64>,
        /// Why it opened.
        reason: Option<String>,
    },
    /// One job is tried.
    HalfOpen {
        /// Since when jobs wait.
        opened_at: Option<f64>,
        /// Why it opened.
        reason: Option<String>,
    },
    /// A person holds it open.
    ForcedOpen {
        /// Since when.
        opened_at: Option<f64>,
        /// Why.
        reason: Option<String>,
    },
    /// The file says nothing usable.
    Unknown {
        /// Why not.
        why: String,
        /// Whether it can be read and is damaged.
        damaged: bool,
    },
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Circuit {
    /// The word for why it is open.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Open { reason, .. }
            | Self::HalfOpen { reason, .. }
            | Self::ForcedOpen { reason, .. } => reason.as_deref(),
            Self::Closed { .. } | Self::Unknown { .. } => None,
        }
    }

    /// Whether jobs wait for Plex.
    pub fn holds_jobs(&self) -> bool {
        matches!(
            self,
            Self::Open { .. } | Self::HalfOpen { .. } | Self::ForcedOpen { .. }
        )
    }
}

/// What was left out of the sync of scenes, though the rest was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What, and why.
    pub reason: String,
    /// Of how many scenes.
    pub scenes: u64,
    /// Some of them, the newest first.
    pub newest: Vec<u64>,
}

/// A rule of the path map that synced scenes speak for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathHint {
    /// As it is entered in the settings; `None` while paths are hidden.
    pub rule: Option<String>,
    /// How many scenes speak for it.
    pub scenes: u64,
}

/// Whether a worker runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Worker {
    Running,
    #[default]
    NotRunning,
    LoggedOut,
}

/// The last outages and what follows from them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outages {
    /// Since when they are complete.
    pub since: f64,
    /// The newest first.
    pub last: Vec<OutageEntry>,
    /// Whether the newest has not ended.
    pub ongoing: bool,
    /// The sum of their durations.
    pub downtime: f64,
    /// Mean time to repair.
    pub mttr: Option<f64>,
    /// Mean time between failures.
    pub mtbf: Option<f64>,
    /// The part of the time that was no outage, 0 to 1.
    pub availability: f64,
}

/// One outage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutageEntry {
    /// When the circuit opened.
    pub started: f64,
    /// When it closed again.
    pub ended: Option<f64>,
    /// How long it took, or has taken so far.
    pub duration: f64,
    /// How many jobs waited for its end.
    pub jobs_affected: u64,
    /// Why the circuit opened.
    pub reason: String,
}

/// The gradual restart after an outage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ramp {
    /// Jobs per second at most; failures halve it.
    pub rate: f64,
    /// When nothing is limited any more.
    pub ends_at: f64,
}

/// The worker's last health probe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LastProbe {
    /// When it was.
    pub at: f64,
    /// How many in a row have failed; 0 when it passed.
    pub failures: u32,
}
