//! What a person asked for in Stash's task list.

mod process_queue;

use std::io::Stderr;

use serde_json::Value;
use stash::protocol::{Log, ServerConnection};

use crate::request::Task;

/// Runs a task and returns its data for the page and the log.
///
/// # Errors
/// The task cannot be carried out; the text says why.
pub fn run(
    task: Task,
    connection: &ServerConnection,
    log: &Log<Stderr>,
) -> Result<Value, Box<dyn std::error::Error>> {
    match task {
        Task::ProcessQueue => process_queue::run(connection, log),
        _ => Ok(Value::Null),
    }
}
