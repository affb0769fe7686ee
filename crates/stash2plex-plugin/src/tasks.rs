//! What a person asked for in Stash's task list.

use std::io::Stderr;

use serde_json::Value;
use stash::protocol::{Log, ServerConnection};

use crate::request::Task;

/// Runs a task and returns its data for the page and the log.
pub fn run(
    _: Task,
    _: &ServerConnection,
    _: &Log<Stderr>,
) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(Value::Null)
}
