//! The background worker.

pub mod agenda;
mod chores;
pub mod circuit;
pub mod engine;
mod memory;
mod process;
mod ramp;
pub mod session;
mod settle;
#[cfg(test)]
mod story;
pub mod time;
mod timetable;

pub use process::{Stay, WorkError, process, work};
pub use ramp::instant;
use settle::BULK_PRIORITY;
pub use settle::{PROBE_KEY, RECONCILED_KEY};
