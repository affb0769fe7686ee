//! One runner: what comes of jobs whose handlers end, fail, panic, block, hang, or are cut off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod claims;
mod ends;
mod stage;
mod stops;
