//! Keeps a Plex library's metadata equal to Stash's.
//!
//! The application without Stash's plugin protocol: a plugin, a command line, a page or a test
//! drives it alike.
//!
//! ```text
//!  record, tasks      what somebody asks for
//!  worker             the background process: when what is done
//!  sync               one scene's job, one page of a reconciliation
//!  clients, storage   Stash and Plex; the data folder and its database
//!  core               decisions and words, without I/O
//! ```
#![forbid(unsafe_code)]

pub mod clients;
pub mod console;
pub mod core;
pub mod daemon;
pub mod record;
pub mod start;
pub mod storage;
pub mod sync;
pub mod tasks;
pub mod worker;
