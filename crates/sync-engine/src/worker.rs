//! The background worker.

pub mod circuit;
mod claiming;
mod corrected;
pub mod event_loop;
mod fan_out;
mod health;
mod in_flight;
mod lifecycle;
mod link;
mod looking;
mod maintenance;
mod next_step;
mod ramp;
mod recording;
mod rising;
mod set_aside;
mod settle;
pub mod state;
mod surroundings;
mod system_timer;
mod telling;
#[cfg(test)]
mod tests;
mod timetable;

pub use corrected::{CIRCUIT_OF, circuit_of};
pub use lifecycle::run;
pub(crate) use system_timer::SystemTimer;
