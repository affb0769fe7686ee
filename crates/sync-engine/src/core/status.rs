//! How everything is: one structure, gathered beside whoever works, shown as lines and as JSON.
//!
//! Times are Unix seconds, durations seconds, so that a page can show them without knowing this program.

use plex_health::Report;
use serde::Serialize;

use crate::core::first_run::Step;
use crate::core::reconcile::Ended;
use crate::core::settings::Fault;

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
    /// What a person does next of a first run; `None` when all is done, or the task does not ask Stash.
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
        report: Box<Report>,
        /// The address that was asked; it holds no password.
        url: String,
        /// What helps; empty when nothing is wrong.
        hint: &'static str,
        /// Whose the token is; `None` unless Plex is healthy.
        token: Option<TokenStatus>,
        /// The server that was written to so far, if this is another one.
        instead_of: Option<Before>,
        /// Whether it has the libraries to search; `None` unless it is healthy.
        searched: Option<Searched>,
    },
}

/// Whose the token is: only the owner's may edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TokenStatus {
    /// The owner's.
    Owner,
    /// No account has claimed the server, or it lets this computer in without a token.
    NotNeeded,
    /// Plex lets it read and not edit.
    Guest {
        /// The HTTP status with which Plex refuses.
        status: u16,
    },
    /// Something in front of Plex refuses what the owner may do.
    Blocked {
        /// The HTTP status with which it refuses.
        status: u16,
    },
    /// Plex did not tell.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// A server that was written to before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Before {
    /// Its identifier.
    pub server: String,
    /// The address it had; empty after it was forgotten.
    pub url: String,
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
    /// Whether Plex may be written to without a token.
    pub fn needs_no_token(&self) -> bool {
        let not_needed = Some(TokenStatus::NotNeeded);
        matches!(self, Self::Yes { token, .. } if *token == not_needed)
    }

    /// Whether Plex answered as it should.
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Yes { report, .. } if report.verdict.is_healthy())
    }

    /// Whether it also lets itself be edited, as far as that is known.
    pub fn lets_work(&self) -> bool {
        let Self::Yes {
            token, searched, ..
        } = self
        else {
            return false;
        };
        self.is_healthy()
            && !matches!(token, Some(TokenStatus::Guest { .. }))
            && !matches!(searched, Some(Searched::None { .. }))
    }
}

/// The jobs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct QueueStatus {
    /// Neither running nor failed.
    pub waiting: u64,
    /// Of the first of those, the ones that a task or the timetable queued, and no change.
    pub tasks: u64,
    /// Of those that wait, the ones whose time has come.
    pub ready: u64,
    /// Run now.
    pub running: u64,
    /// When the first of those that wait for their time is due.
    pub next_due: Option<f64>,
    /// Not tried again by themselves.
    pub failed: u64,
    /// Those, by what they failed of.
    pub failed_by_type: Vec<FailedType>,
    /// The newest of them.
    pub failed_jobs: Vec<FailedJob>,
    /// Of the waiting ones, the first that were tried already.
    pub tried_jobs: Vec<TriedJob>,
    /// Done since the queue was made.
    pub done: u64,
}

impl QueueStatus {
    /// Jobs neither done nor failed.
    pub fn live(&self) -> u64 {
        self.waiting + self.running
    }

    /// What is known of each job that is listed.
    pub fn listed(&mut self) -> impl Iterator<Item = &mut About> {
        let failed = self.failed_jobs.iter_mut().map(|job| &mut job.about);
        failed.chain(self.tried_jobs.iter_mut().map(|job| &mut job.about))
    }
}

/// Failed jobs of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedType {
    /// The kind.
    pub error_type: String,
    /// How many.
    pub count: u64,
    /// When the last of them failed.
    pub newest: f64,
    /// What a person can do.
    pub advice: &'static str,
}

/// What a job is about, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct About {
    /// What a person calls the job.
    pub job: String,
    /// The scene's id in Stash.
    pub scene: Option<u64>,
    /// The scene's title.
    pub title: Option<String>,
    /// The path of its file as Plex should see it.
    pub path: Option<String>,
}

/// A job that is not tried again by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedJob {
    /// Its number, by which it can be queued again.
    pub job_id: i64,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// The kind of failure.
    pub error_type: String,
    /// What happened.
    pub reason: String,
    /// What a person can do.
    pub advice: &'static str,
    /// When it failed for good.
    pub failed_at: f64,
}

/// A job that was tried and waits for its next attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriedJob {
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// What a person can do meanwhile, if anything.
    pub advice: Option<&'static str>,
    /// What happened.
    pub reason: String,
    /// How many attempts counted.
    pub attempts: u32,
    /// When the next attempt is due.
    pub due: f64,
}

/// What was left out of the sync of scenes, though the rest was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What, and why.
    pub reason: String,
    /// Of how many scenes.
    pub scenes: u64,
    /// The one it happened to last.
    pub newest_scene: u64,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Worker {
    Running,
    NotRunning,
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
