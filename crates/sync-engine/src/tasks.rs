//! What a person asked for in Stash's task list.
//!
//! None of them changes the breaker. Those that start work follow it for a while; the others wait
//! for no worker.

mod clear;
mod compare;
mod find_path_map;
mod follow;
mod gather;
mod process_queue;
mod ready;
mod recover;
mod retry;
mod status;
mod watch;

pub use follow::run as follow;

use serde_json::Value;
use stash::connection::ServerConnection;

use crate::console::{Console, Failure};

use crate::core::words::status::Line;

/// The tasks that are not merely recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the manifest")]
pub enum Task {
    ProcessQueue,
    CompareOnly,
    FindPathMap,
    HealthCheck,
    QueueStatus,
    OutageSummary,
    RecoverOutageJobs,
    /// All, those of one kind, or the one of a job.
    RetryFailedJobs {
        kind: Option<String>,
        job: Option<i64>,
    },
    ClearQueue,
    ClearDeadLetters,
    PurgeDeadLetters {
        days: u32,
    },
    ClearMatchCache,
}

/// Runs a task and returns its data for the page and the log.
///
/// # Errors
/// The task cannot be carried out; the text says why.
pub fn run(
    task: Task,
    connection: &ServerConnection,
    console: &dyn Console,
) -> Result<Value, Failure> {
    let (lines, data) = match task {
        Task::ProcessQueue => return process_queue::run(connection, console),
        Task::CompareOnly => return compare::run(connection, console),
        Task::FindPathMap => return find_path_map::run(connection, console),
        Task::HealthCheck => status::health(connection)?,
        Task::QueueStatus => status::queue(connection)?,
        Task::OutageSummary => status::outages(connection)?,
        Task::ClearQueue => clear::queue(connection)?,
        Task::ClearDeadLetters => clear::dead(connection, None)?,
        Task::PurgeDeadLetters { days } => clear::dead(connection, Some(days))?,
        Task::ClearMatchCache => clear::matches(connection)?,
        Task::RecoverOutageJobs => recover::run(connection)?,
        Task::RetryFailedJobs { kind, job } => retry::run(connection, kind.as_deref(), job)?,
    };
    say(console, lines);
    Ok(data)
}

fn say(console: &dyn Console, lines: Vec<Line>) {
    for Line { level, text } in lines {
        console.line(level, &text);
    }
}
