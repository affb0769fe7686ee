//! The Stash plugin that keeps a Plex library's metadata equal to Stash's: Stash's plugin protocol
//! in, calls of the engine out.
#![forbid(unsafe_code)]

pub mod dispatch;
pub mod hook;
pub mod request;
