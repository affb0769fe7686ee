//! What is kept: the data folder, the queue's file, and the tables beside the queue's own.

pub mod catch_up;
pub mod connection;
pub mod data_dir;
pub mod db;
pub mod first_run;
pub mod ledger;
pub mod log;
pub mod meta;
pub mod noted_edits;
pub mod notices;
pub mod plex_server;
pub mod queue_file;
mod sql;
pub mod standstill;
