//! What Stash asks of this process. Pure.

use stash::protocol::Args;

use crate::hook;
use crate::job::Job;
use crate::settings::Scope;

/// One call of the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Record this job and make sure it will be done.
    Record(Job),
    /// A hook that changes nothing Plex shows.
    Ignore,
    /// Something a person asked for.
    Task(Task),
}

/// The tasks that are not merely recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the manifest")]
pub enum Task {
    ProcessQueue,
    HealthCheck,
    QueueStatus,
    OutageSummary,
    RecoverOutageJobs,
}

/// A call without a mode, or with one this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRequest {
    /// Neither hook nor mode.
    #[error("nothing to do: the call names no mode; use one of {MODES}")]
    NoMode,
    /// The mode is not known.
    #[error("unknown mode {0:?}; use one of {MODES}")]
    Mode(String),
}

const MODES: &str = "all, recent, process_queue, health_check, queue_status, outage_summary, \
                     recover_outage_jobs";

impl Request {
    /// Reads the arguments of a call.
    pub fn of(args: &Args) -> Result<Self, UnknownRequest> {
        if let Some(hook) = &args.hook {
            return Ok(hook::job_for(hook).map_or(Self::Ignore, Self::Record));
        }
        let mode = args.text("mode").ok_or(UnknownRequest::NoMode)?;
        Ok(match mode {
            "all" => Self::Record(Job::Bulk { scope: Scope::All }),
            "recent" => Self::Record(Job::Bulk { scope: Scope::Day }),
            "process_queue" => Self::Task(Task::ProcessQueue),
            "health_check" => Self::Task(Task::HealthCheck),
            "queue_status" => Self::Task(Task::QueueStatus),
            "outage_summary" => Self::Task(Task::OutageSummary),
            "recover_outage_jobs" => Self::Task(Task::RecoverOutageJobs),
            other => return Err(UnknownRequest::Mode(other.chars().take(40).collect())),
        })
    }
}
