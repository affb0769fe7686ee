//! The background worker.

#[cfg(test)]
mod blame;
pub mod circuit;
mod claiming;
mod corrected;
#[cfg(test)]
mod eight_hour_outage;
pub mod event_loop;
mod fan_out;
mod health;
mod in_flight;
mod lifecycle;
mod link;
mod looking;
mod maintenance;
mod ramp;
mod recording;
#[cfg(test)]
mod settings_reload;
mod settle;
mod surroundings;
mod telling;
pub mod time;
mod timetable;
#[cfg(test)]
mod worlds;

pub use corrected::{CIRCUIT_OF, circuit_of};
pub use event_loop::ASKED_KEY;
pub use health::PROBE_KEY;
pub use lifecycle::run;
pub use looking::NEVER_SYNCED;
use recording::BULK_PRIORITY;
pub use settle::{LISTED_KEY, RECONCILED_KEY};
