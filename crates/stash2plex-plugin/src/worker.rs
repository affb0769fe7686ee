//! The background worker.

#[cfg(test)]
mod blame;
mod chores;
pub mod circuit;
mod claiming;
mod corrected;
pub mod engine;
mod housekeeping;
mod link;
mod looking;
mod memory;
#[cfg(test)]
mod minutes;
mod probing;
mod process;
mod ramp;
mod recording;
pub mod scheduler;
pub mod session;
mod settle;
#[cfg(test)]
mod story;
mod surroundings;
mod telling;
pub mod time;
mod timetable;
#[cfg(test)]
mod worlds;

pub use corrected::{CIRCUIT_OF, circuit_of};
pub use engine::ASKED_KEY;
pub use looking::NEVER_SYNCED;
pub use probing::PROBE_KEY;
pub use process::process;
use recording::BULK_PRIORITY;
pub use settle::{LISTED_KEY, RECONCILED_KEY};
