//! The background worker.

pub mod agenda;
mod chores;
pub mod circuit;
mod corrected;
pub mod engine;
mod memory;
#[cfg(test)]
mod minutes;
mod probing;
mod process;
mod ramp;
pub mod session;
mod settle;
#[cfg(test)]
mod story;
mod telling;
pub mod time;
mod timetable;
#[cfg(test)]
mod worlds;

pub use corrected::{CIRCUIT_OF, circuit_of};
pub use probing::PROBE_KEY;
pub use process::{Stay, WorkError, process, work};
pub use ramp::instant;
use settle::BULK_PRIORITY;
pub use settle::RECONCILED_KEY;
