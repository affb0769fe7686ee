//! Whole stories of the worker, on virtual time.

mod blame;
mod eight_hour_outage;
mod settings_reload;
mod worlds;
