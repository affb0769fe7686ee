//! The Stash plugin that keeps a Plex library's metadata equal to Stash's.
#![forbid(unsafe_code)]

pub mod data_dir;
pub mod job;
pub mod outcome;
pub mod settings;
pub mod spawn;
pub mod tls;
pub mod worker;
pub mod worker_lock;
pub mod worker_log;
