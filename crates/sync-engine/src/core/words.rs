//! Every text that a person meets, a sentence each: who, what happened, what to do. Pure.
//!
//! Errors say theirs where their types are, and the plugin's page in Stash its own:
//! `plugin/Stash2Plex.yml`.

pub mod database;
pub mod first_run;
pub mod format;
mod left_out;
mod log;
pub mod next_step;
pub mod settings;
pub mod status;
pub mod tasks;

pub mod worker;

pub use left_out::*;
pub use log::*;
