//! How everything is: one structure, gathered beside whoever works, shown as lines and as JSON.
//!
//! Times are Unix seconds, durations seconds, so that a page can show them without knowing this program.

pub mod gather;
pub mod render;
pub mod words;

use plex_health::Report;
use serde::Serialize;

use crate::reconcile::Ended;

/// Everything a person may ask about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// When this was gathered.
    pub taken_at: f64,
    /// What the settings say; `None` when the task does not ask Stash.
    pub settings: Option<SettingsStatus>,
    /// The Plex breaker.
    pub circuit: Circuit,
    /// Plex itself; `None` when the task does not ask it.
    pub plex: Option<Connectivity>,
    /// Why the data folder cannot be written; `None` when it can, or the task does not look.
    pub unwritable: Option<String>,
    /// Why others may look into the data folder; `None` when they may not, or when the task does not look.
    pub exposed: Option<String>,
    /// The jobs.
    pub queue: Seen<QueueStatus>,
    /// Who works them off.
    pub worker: Worker,
    /// The last outages; `None` when the breaker's file cannot be read.
    pub outages: Option<Outages>,
    /// The gentle return after the last outage, while it lasts.
    pub ramp: Option<Ramp>,
    /// The last health probe of the worker.
    pub last_probe: Option<LastProbe>,
    /// The last reconciliation that came to its end.
    pub last_reconciliation: Option<Ended>,
}

/// Something that may not be there, or may not let itself be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Seen<T> {
    /// It is not there yet.
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
        /// What is wrong with single settings.
        faults: Vec<String>,
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
    },
}

impl Circuit {
    /// Whether jobs wait for Plex.
    pub fn holds_jobs(&self) -> bool {
        matches!(
            self,
            Self::Open { .. } | Self::HalfOpen { .. } | Self::ForcedOpen { .. }
        )
    }
}

/// Whether Plex answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub enum Connectivity {
    /// It was not asked.
    No {
        /// Why not.
        why: String,
    },
    /// It was asked.
    Yes {
        /// What came back.
        #[serde(flatten)]
        report: Report,
        /// What helps; empty when nothing is wrong.
        hint: &'static str,
        /// Whether it has the libraries to search; `None` unless it is healthy.
        searched: Option<Searched>,
    },
}

/// Whether Plex has the libraries that the settings name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Searched {
    /// It has.
    All,
    /// It has some of them, which are searched.
    Some {
        /// What is missing, what there is, and what to do.
        why: String,
    },
    /// There is nothing to search, so jobs wait.
    None {
        /// What is missing, what there is, and what to do.
        why: String,
    },
    /// Plex did not tell.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl Connectivity {
    /// Whether Plex answered as it should.
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Yes { report, .. } if report.verdict.is_healthy())
    }
}

/// The jobs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct QueueStatus {
    /// May run now.
    pub pending: u64,
    /// Run now.
    pub in_flight: u64,
    /// Wait for their next try.
    pub waiting: u64,
    /// When the first of those is due.
    pub earliest_due: Option<f64>,
    /// Set aside for a person.
    pub dead: u64,
    /// Those, by what they died of.
    pub dead_by_type: Vec<DeadType>,
    /// Done since the queue was made.
    pub done: u64,
}

impl QueueStatus {
    /// Jobs neither done nor dead.
    pub fn live(&self) -> u64 {
        self.pending + self.in_flight + self.waiting
    }
}

/// Dead letters of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadType {
    /// The kind.
    pub error_type: String,
    /// How many.
    pub count: u64,
    /// When the last of them died.
    pub newest: f64,
}

/// Whether a worker runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Worker {
    Running,
    NotRunning,
    Unknown { why: String },
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

/// The gentle return after an outage.
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
