//! The Stash plugin that keeps a Plex library's metadata equal to Stash's.
#![forbid(unsafe_code)]

pub mod catch_up;
pub mod connection;
pub mod data_dir;
pub mod db;
pub mod home;
pub mod hook;
pub mod job;
pub mod journal;
pub mod ledger;
#[cfg(target_os = "linux")]
pub mod names;
pub mod noted;
pub mod notice;
pub mod obfuscate;
pub mod outcome;
pub mod plugin;
pub mod reconcile;
pub mod record;
pub mod request;
pub mod settings;
pub mod spawn;
pub mod standstill;
pub mod status;
pub mod store;
pub mod sync;
pub mod tasks;
pub mod texts;
pub mod tls;
pub mod worker;
pub mod worker_lock;
