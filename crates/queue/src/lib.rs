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
//! - [`enqueue`](Queue::enqueue) makes it ready, or waiting when it is due later. A
//!   [key](NewJob::key) has at most one live job; [`OnConflict`] says what a second enqueue does.
//! - [`claim`](Queue::claim) moves what is due, takes back what others lost, and hands out the most
//!   urgent under a lease.
//! - A [`Claim`] is settled once: [`done`](Queue::done), [`retry_at`](Queue::retry_at),
//!   [`defer`](Queue::defer), [`dead`](Queue::dead) or [`release`](Queue::release). Too late, and
//!   it is [`Error::LeaseLost`].
//! - [`transaction`](Queue::transaction) makes settles, follow-ups and writes to your own tables
//!   one step.
//!
//! # Who takes a job back, and when
//!
//! | the owner | its jobs come back |
//! |---|---|
//! | stops ([`release_held`](Queue::release_held), or the queue is dropped) | at once, released |
//! | dies, however | at the next claim of another process, which [`wait`](Queue::wait) leads to within a second, lost |
//! | drops a claim unsettled, or works longer than the lease | at its own next claim after the lease, lost |
//! | lives and hangs | when its lease is over and another worker has watched one more pass, lost |
//! | is not known to live or not, as in a copy that was put back | in the same way |
//!
//! Each owner holds a lock on a small file beside the database, `…-owner-N`, which the kernel frees
//! with the process. Where that file is gone, removed by a cleaner of old files say, the lease
//! alone decides until a living owner has made it again. Leases of this process are judged by its
//! monotonic clock, so setting the wall clock loses nothing. (Hence the lease watched: to a worker,
//! one that ended by the wall clock alone may be a clock that was set. A worker that lives shorter
//! than a lease takes nothing from one that hangs.)
//!
//! A job that was lost may be what killed its worker: it is delivered alone from then on, and after
//! [`max_lost`](Options::max_lost) times in a row it is a dead letter. To stop without a loss, on
//! `SIGTERM` say, drop the queue or call [`release_held`](Queue::release_held).
//!
//! # Forks, and files that are replaced
//!
//! A queue belongs to the process that opened it. In a child that was forked with it, every
//! operation is [`Error::Forked`], and dropping it does nothing; but the child also inherits the
//! lock by which others see that the parent lives, so its end shows only when both are gone, or by
//! the lease. Nor can the child open the same file again, as SQLite would take no locks there. Fork
//! first and open then, or start a program in the child.
//!
//! When the file is deleted or replaced, the next operation that writes turns to the file that is
//! there, or makes one, and what is enqueued goes there; [`wait`](Queue::wait) notices it too.
//! Claims of before are [`Error::Replaced`]; so is a [`transaction`](Queue::transaction), once, as
//! your own tables may be missing: [`migrate`](Queue::migrate), and repeat it.
//!
//! # Long work, threads, async
//!
//! With the feature `tokio`, a `Runner` does all of this. By hand: a [`Queue`] blocks its thread
//! and belongs to one at a time. Work that may take longer than the lease needs
//! [`extend`](Queue::extend) before it ends, and only the queue that claimed a job can extend it.
//! So let one thread own the queue and the claims, hand the payloads to others, and let it settle
//! and extend for them. Under an async runtime this is a blocking task, or a loop around
//! [`changed`](Queue::changed).
//!
//! # Sleeping
//!
//! [`wait`](Queue::wait) blocks until there may be something to claim. It looks some 23 times a
//! second at a counter that SQLite shares between processes in memory, which costs about a
//! thousandth of a processor, works on every system, and needs neither a socket nor another thread.
//! In an event loop, await a timer and ask [`changed`](Queue::changed), which is that look alone.
//!
//! # Durability
//!
//! SQLite runs with a write-ahead log. Operations that promise to survive a power cut sync it
//! (`synchronous = FULL`); a claim, an extension and a plain settle do not (`NORMAL`), as losing
//! one only means that a job is delivered again. Each method says which. On macOS the syncs are
//! full ones (`F_FULLFSYNC`).
//!
//! A [producer](Options::producer) never runs DDL on a file that is current and leaves checkpoints
//! to the consumer; one that closes alone with more than 128 KiB of log empties it, so that a
//! consumer may be away for days. The [consumer](Options::consumer) checkpoints and gives space
//! back, as it goes and in [`maintain`](Queue::maintain).
//!
//! # Files
//!
//! Beside `jobs.db` (and SQLite's `-wal` and `-shm`): `jobs.db-in-use`, whose shared lock says that
//! the file is in use, and `jobs.db-owner-N` for each process with claims. All are readable by
//! their owner only. Never open, copy or checksum the database in a process that has a queue open
//! on it: closing any handle drops SQLite's locks (<https://www.sqlite.org/howtocorrupt.html>).
//!
//! A copy while the queue is in use: `queue.sql().execute("VACUUM INTO ?1", ["backup.db"])` makes
//! one whole, compact file that opens as a queue. A second name for the file, a hard link say, or a
//! mount of the file alone into a container, is refused: the log would be another one under each
//! name. Mount the folder.
//!
//! To put a copy back, close the queue everywhere, remove `jobs.db-wal` and `jobs.db-shm`, and move
//! the copy to `jobs.db`: a log that is left would be taken for the copy's own, and damage it. To
//! move a queue, close it everywhere and move `jobs.db` together with `jobs.db-wal`: until a
//! consumer has run, the jobs may be in the log alone.
//!
//! # Damage
//!
//! A file that cannot be opened is replaced by [`open_or_salvage`](Queue::open_or_salvage). Damage
//! inside a file shows when something reads there, as [`Error::Corrupt`]: then call
//! [`salvage`](Queue::salvage), whose example is the loop a worker needs. [`check`](Queue::check)
//! looks for damage in the whole file. Whatever is replaced stays, under a dated name.
//!
//! # Kinds, and changing the payload's type
//!
//! Kinds of jobs are the variants of an enum payload. With [`Options::kinds_of`] a worker takes
//! those its enum has and leaves the others: to another program that shares the file, or to the
//! next version of this one, whose producers may then start first.
//!
//! A payload that is no `T` becomes a dead letter of type [`UNDECODABLE`] when it is claimed, so
//! that it blocks nothing: [`claim`](Queue::claim) does not fail,
//! [`dead_summary`](Queue::dead_summary) tells. Let new versions read old payloads
//! (`#[serde(default)]`, new variants); [`redrive`](Queue::redrive) what old ones gave up all the
//! same. Give the file a name with [`Options::format`], and a program that takes it for something
//! else is refused, instead of making dead letters of all that is in it. The file itself is safe: a
//! version of this library that does not know its schema says [`Error::TooNew`].
//!
//! # Again and again
//!
//! [`enqueue_due`](Queue::enqueue_due) enqueues [`Periodic`] jobs, each time once among all
//! processes that call it. Times are the wall clock's, in UTC, unless the closure that gives them
//! says otherwise; the example `queue_cron` has it read cron text, in a zone.
//!
//! # Tests
//!
//! [`InMemory`] is a place to open queues at that makes no file, and a [`ManualClock`] lets leases
//! end and jobs come due.
//!
//! # Anti-patterns
//!
//! - **One `enqueue` for each of a thousand jobs.** Each waits for the disk;
//!   [`enqueue_all`](Queue::enqueue_all) waits once.
//! - **Settling and writing the result in two steps.** A crash between loses one; do both in a
//!   [`transaction`](Queue::transaction), and settle first in it: a lost lease then ends it before
//!   your own tables can object.
//! - **Claiming many jobs to do them one by one.** Their leases run from the claim, and whatever
//!   kills the worker has killed them all once. Claim as many as are worked on at a time.
//! - **Retrying at once when a server is down.** [`defer`](Queue::defer) until it may be up:
//!   attempts are for the job's own failures.
//! - **A write for each of a thousand equal changes.** [`ensure`](Queue::ensure) only looks when
//!   the job stands there already.
//! - **A payload with the data.** It is stale when the job runs; queue the name and read the data
//!   then.
//! - **Holding a read transaction** on [`sql`](Queue::sql) while working: the log cannot be
//!   checkpointed and grows.

#![forbid(unsafe_code)]

#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod batches;
mod claim;
mod claiming;
mod clock;
mod connection;
mod counters;
mod dead;
mod disk_limit;
mod enqueue;
mod ensure;
mod error;
mod fencing_token;
mod format;
mod handle;
mod history;
mod identity;
mod inspect;
mod job;
mod kinds;
mod maintenance;
mod memory;
mod merge;
mod network;
mod options;
mod owner;
mod pause;
mod payload;
mod periodic;
mod process;
mod queue;
#[cfg(feature = "tokio")]
mod runner;
mod salvage;
mod schema;
mod settle;
mod sqlite;
mod statements;
mod tx;
mod wake;

pub use rusqlite;

pub use crate::clock::{Clock, ManualClock, SystemClock};
pub use crate::dead::{DeadFilter, DeadLetter, DeadSummary, Redriven};
pub use crate::error::{Cause, Error, Result, Written};
pub use crate::history::{Event, EventKind};
pub use crate::inspect::{Counts, JobInfo};
pub use crate::job::{Claim, Enqueued, NewJob, OnConflict, State};
pub use crate::maintenance::Maintenance;
pub use crate::memory::InMemory;
pub use crate::options::Options;
pub use crate::periodic::Periodic;
pub use crate::queue::{Queue, Sqlite};
#[cfg(feature = "tokio")]
pub use crate::runner::{Delivery, Ended, Failure, Runner, Then};
pub use crate::salvage::Salvage;
pub use crate::settle::{OWNER_DIED, UNDECODABLE};
pub use crate::tx::Tx;
pub use crate::wake::Wake;
