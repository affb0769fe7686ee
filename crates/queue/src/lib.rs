//! A persistent, typed job queue on SQLite for many processes: leases, fencing, newest-wins keys, dead letters.

#![forbid(unsafe_code)]

mod budget;
mod claim;
mod claim_no;
mod clock;
mod connection;
mod dead;
mod enqueue;
mod error;
mod history;
mod inspect;
mod job;
mod network;
mod options;
mod owner;
#[cfg(test)]
mod plans;
mod queue;
mod repair;
mod rescue;
mod salvage;
mod schema;
mod settle;
mod statements;
mod tx;
mod upkeep;
mod wake;

pub use rusqlite;

pub use crate::clock::{Clock, ManualClock, SystemClock};
pub use crate::dead::{DeadFilter, DeadLetter, DeadSummary, Redriven};
pub use crate::error::{Error, Result, Written};
pub use crate::history::{Event, EventKind};
pub use crate::inspect::{Counts, JobInfo};
pub use crate::job::{Claim, Enqueued, NewJob, OnConflict, State};
pub use crate::options::Options;
pub use crate::queue::Queue;
pub use crate::salvage::Salvage;
pub use crate::settle::{OWNER_DIED, UNDECODABLE};
pub use crate::tx::Tx;
pub use crate::upkeep::Upkeep;
pub use crate::wake::Wake;
