//! What a person asked for in Stash's task list.
//!
//! None of them changes the breaker. Those that start work follow it for a while; the others wait for no worker.

mod clear;
mod follow;
mod look;
mod process_queue;
mod recover;
mod retry;
mod watch;

pub use follow::run as follow;

use std::io::Stderr;

use serde_json::Value;
use stash::protocol::{Log, ServerConnection};

use crate::request::Task;
use crate::texts::status::Line;

/// Why a task cannot be carried out, in words for the user.
type Failure = Box<dyn std::error::Error>;

/// Runs a task and returns its data for the page and the log.
///
/// # Errors
/// The task cannot be carried out; the text says why.
pub fn run(task: Task, connection: &ServerConnection, log: &Log<Stderr>) -> Result<Value, Failure> {
    let (lines, data) = match task {
        Task::ProcessQueue => return process_queue::run(connection, log),
        Task::HealthCheck => look::health(connection)?,
        Task::QueueStatus => look::queue(connection)?,
        Task::OutageSummary => look::outages(connection)?,
        Task::ClearQueue => clear::queue(connection)?,
        Task::ClearDeadLetters => clear::dead(connection, None)?,
        Task::PurgeDeadLetters { days } => clear::dead(connection, Some(days))?,
        Task::ClearMatchCache => clear::matches(connection)?,
        Task::RecoverOutageJobs => recover::run(connection)?,
        Task::RetryFailedJobs { kind, job } => retry::run(connection, kind.as_deref(), job)?,
    };
    for Line { level, text } in lines {
        log.log(level, text);
    }
    Ok(data)
}
