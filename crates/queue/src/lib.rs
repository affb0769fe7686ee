//! A persistent, typed job queue in one SQLite file, shared by any number of processes.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! # let path = dir.path().join("jobs.db");
//! use queue::{NewJob, Options, Queue};
//!
//! let mut queue: Queue<String> = Queue::open(&path, Options::producer())?;
//! queue.enqueue(NewJob::new("sync".to_owned()).key("scene:45"))?; // on disk when this returns
//!
//! let mut queue: Queue<String> = Queue::open(&path, Options::consumer())?;
//! for claim in queue.claim(10)? {
//!     println!("{}", claim.payload());
//!     queue.done(claim)?;
//! }
//! # Ok::<(), queue::Error>(())
//! ```
//!
//! # A job's life
//!
//! ```text
//!               due               claim                done
//!   Waiting ──────────▶ Ready ──────────▶ Running ──────────────▶ gone (counted)
//!      ▲                  ▲                  │  │       dead
//!      └──────────────────┴──────────────────┘  └──────────────▶ dead letter
//!         retry_at, defer, release, lost               ▲            │
//!                                                      └────────────┘ redrive → Ready
//! ```
//!
//! - [`enqueue`](Queue::enqueue) makes it ready, or waiting when it is due later. A [key](NewJob::key) has at most one live job;
//!   [`OnConflict`] says what a second enqueue does.
//! - [`claim`](Queue::claim) moves what is due, takes back what others lost, and hands out the most urgent under a lease.
//! - A [`Claim`] is settled once: [`done`](Queue::done), [`retry_at`](Queue::retry_at), [`defer`](Queue::defer),
//!   [`dead`](Queue::dead) or [`release`](Queue::release). Too late, and it is [`Error::LeaseLost`].
//! - [`transaction`](Queue::transaction) makes settles, follow-ups and writes to your own tables one step.
//!
//! # Who takes a job back, and when
//!
//! | the owner | its jobs come back |
//! |---|---|
//! | stops ([`release_held`](Queue::release_held), or the queue is dropped) | at once, released |
//! | dies, however | at the next claim of another process, lost: its lock file is free |
//! | drops a claim unsettled, or works longer than the lease | at its own next claim after the lease, lost |
//! | lives and hangs | when others have watched a whole lease pass, lost |
//!
//! Each owner holds a lock on a small file beside the database, `…-owner-N`, which the kernel frees with the process. Leases of
//! this process are judged by its monotonic clock, so setting the wall clock loses nothing. Work that may take longer than the
//! lease calls [`extend`](Queue::extend) from time to time.
//!
//! # Sleeping
//!
//! [`wait`](Queue::wait) blocks until there may be something to claim. It looks 20 times a second at a counter that SQLite shares
//! between processes in memory, which costs about a thousandth of a processor, works on every system, and needs neither a
//! socket nor another thread. In an event loop, await a timer and ask [`changed`](Queue::changed), which is that look alone.
//!
//! # Durability
//!
//! SQLite runs with a write-ahead log. Operations that promise to survive a power cut sync it (`synchronous = FULL`); a claim, an
//! extension and a plain settle do not (`NORMAL`), as losing one only means that a job is delivered again. Each method says which.
//! On macOS the syncs are full ones (`F_FULLFSYNC`).
//!
//! A [producer](Options::producer) never runs DDL on a file that is current and leaves checkpoints to the consumer; one that
//! closes alone with more than 128 KiB of log empties it, so that a consumer may be away for days. The
//! [consumer](Options::consumer) checkpoints and gives space back, as it goes and in [`maintain`](Queue::maintain).
//!
//! # Files
//!
//! Beside `jobs.db` (and SQLite's `-wal` and `-shm`): `jobs.db-in-use`, whose shared lock says that the file is in use, and
//! `jobs.db-owner-N` for each process with claims. All are readable by their owner only. Never open, copy or checksum the
//! database in a process that has a queue open on it: closing any handle drops SQLite's locks
//! (<https://www.sqlite.org/howtocorrupt.html>).
//!
//! # Anti-patterns
//!
//! - **One `enqueue` for each of a thousand jobs.** Each waits for the disk; [`enqueue_all`](Queue::enqueue_all) waits once.
//! - **Settling first, then writing the result.** A crash between loses it; do both in a [`transaction`](Queue::transaction).
//! - **Retrying at once when a server is down.** [`defer`](Queue::defer) until it may be up: attempts are for the job's own failures.
//! - **A payload with the data.** It is stale when it is worked off; queue the name and read the data then.
//! - **Holding a read transaction** on [`sql`](Queue::sql) while working: the log cannot be checkpointed and grows.

#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

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
mod pause;
#[cfg(test)]
mod plans;
mod queue;
mod repair;
mod rescue;
mod salvage;
mod schema;
mod settle;
mod statements;
mod tally;
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
