//! What Stash asks of this process. Pure.

use serde_json::Value;
use stash::protocol::Args;

use sync_engine::core::change::Change;
use sync_engine::core::job::Job;
use sync_engine::core::reconcile::{Reach, Run};
use sync_engine::core::settings::Scope;
use sync_engine::tasks::Task;

use crate::hook;

/// One call of the plugin.
pub enum Request {
    /// Something changed in Stash: record it and make sure that it will be done.
    Changed(Change),
    /// Record this job, which a person asked for, make sure it will be done, and show what comes of
    /// it.
    Record(Job),
    /// A hook that changes nothing Plex shows.
    Ignore,
    /// A page of Stash asks to look for changes that no hook told of.
    CatchUp,
    /// Something a person asked for and waits for.
    Task(Task),
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
    /// A hook about nothing that can be named.
    #[error(transparent)]
    NoId(#[from] hook::NoId),
    /// A job that is none.
    #[error(
        "job must be a job_id of the JSON that queue_status answers, found {0}; nothing was queued"
    )]
    Job(String),
    /// A number of days that is none.
    #[error("days must be a whole number from 0 to {LONGEST_AGO}, found {0}; nothing was deleted")]
    Days(String),
}

const MODES: &str = "all, recent, compare_only, find_path_map, process_queue, health_check, queue_status, outage_summary, \
                     recover_outage_jobs, retry_failed, clear_queue, clear_dlq, purge_dlq, clear_match_cache, \
                     reconcile_all, reconcile_recent, reconcile_7days, reconcile_missing_metadata";

/// Dead letters of so many days are purged when the call names none.
const OLD: u32 = 30;
/// A hundred years.
const LONGEST_AGO: u32 = 36_500;

impl Request {
    /// Reads the arguments of a call.
    pub fn of(args: &Args) -> Result<Self, UnknownRequest> {
        if let Some(hook) = &args.hook {
            return Ok(hook::change(hook)?.map_or(Self::Ignore, Self::Changed));
        }
        let mode = args.text("mode").ok_or(UnknownRequest::NoMode)?;
        let reconcile = |reach| Self::Record(Job::Reconcile(Run::new(reach)));
        Ok(match mode {
            "all" => Self::Record(Job::Bulk { scope: Scope::All }),
            "recent" => Self::Record(Job::Bulk { scope: Scope::Day }),
            // Of the page's script; no task is of any use to a person.
            "catch_up" => Self::CatchUp,
            "compare_only" => Self::Task(Task::CompareOnly),
            "find_path_map" => Self::Task(Task::FindPathMap),
            "process_queue" => Self::Task(Task::ProcessQueue),
            "health_check" => Self::Task(Task::HealthCheck),
            "queue_status" => Self::Task(Task::QueueStatus),
            "outage_summary" => Self::Task(Task::OutageSummary),
            "recover_outage_jobs" => Self::Task(Task::RecoverOutageJobs),
            "retry_failed" => Self::Task(Task::RetryFailedJobs {
                kind: value(args, "kind"),
                job: job(args)?,
            }),
            "clear_queue" => Self::Task(Task::ClearQueue),
            "clear_dlq" => Self::Task(Task::ClearDeadLetters),
            "purge_dlq" => Self::Task(Task::PurgeDeadLetters { days: days(args)? }),
            "clear_match_cache" => Self::Task(Task::ClearMatchCache),
            "reconcile_all" => reconcile(Reach::All),
            "reconcile_recent" => reconcile(Reach::Day),
            "reconcile_7days" => reconcile(Reach::Week),
            "reconcile_missing_metadata" => reconcile(Reach::Metadata),
            other => return Err(UnknownRequest::Mode(beginning(other))),
        })
    }
}

fn job(args: &Args) -> Result<Option<i64>, UnknownRequest> {
    let job = value(args, "job").map(|text| match text.parse() {
        Ok(job) => Ok(job),
        Err(_) => Err(UnknownRequest::Job(beginning(&text))),
    });
    job.transpose()
}

fn days(args: &Args) -> Result<u32, UnknownRequest> {
    let Some(text) = value(args, "days") else {
        return Ok(OLD);
    };
    match text.parse() {
        Ok(days) if days <= LONGEST_AGO => Ok(days),
        _ => Err(UnknownRequest::Days(beginning(&text))),
    }
}

/// An argument as text, if there is any: the manifest's values arrive as text, a caller's as
/// numbers.
fn value(args: &Args, key: &str) -> Option<String> {
    let text = match args.values.get(key)? {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}
