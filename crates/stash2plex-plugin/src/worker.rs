//! The background worker.

pub mod agenda;
pub mod time;

use std::io::Read;
use std::process::ExitCode;

/// Runs as the worker; `stdin` carries the Stash connection.
pub fn process(_: impl Read) -> ExitCode {
    ExitCode::SUCCESS
}
