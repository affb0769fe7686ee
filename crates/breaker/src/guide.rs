//! The manual: states, outcomes, persistence, and what not to do.
//!
//! # States
//!
//! ```text
//!                5 failures in a row, a rate, or trip(reason)
//!    ┌──────────┐ ──────────────────────────────────────▶ ┌──────────┐
//!    │  CLOSED  │                                         │   OPEN   │ every call is rejected,
//!    │ calls run│                                         │          │ with the time to ask again
//!    └──────────┘                                         └──────────┘
//!         ▲                                                │      ▲
//!         │ 1 trial succeeds                60 s are over, │      │ a trial fails
//!         │                       or suggest_trial agreed  ▼      │
//!         │                                             ┌───────────┐
//!         └──────────────────────────────────────────── │ HALF_OPEN │ 1 trial at a time runs,
//!                                                       └───────────┘ on a lease of 60 s
//!
//!    by hand, from any state:  force_open ─▶ FORCED_OPEN, which no timer ends
//!                              reset      ─▶ CLOSED
//!                              disable    ─▶ every call runs, the circuit only watches; enable ends that
//! ```
//!
//! The rules and their defaults are listed at [`Rules`](crate::Rules) and [`Rate`](crate::Rate),
//! those of the recovery ramp at [`Curve`](crate::ramp::Curve).
//!
//! # Outcomes
//!
//! Each call holds a [`Permit`](crate::Permit) and reports one outcome:
//!
//! | outcome | by | closed | half-open |
//! |---|---|---|---|
//! | success | `success()`, `Ok` | clears the failures in a row | one success more; the last needed one closes |
//! | failure | `failure()`, `Err` | one failure more | opens again |
//! | trip | `trip(reason)` | opens at once | opens again |
//! | ignored | `ignore()` | nothing | gives the trial's place to the next call |
//! | cancelled | dropping the permit or future | nothing | gives the trial's place to the next call |
//! | panicked | unwinding | a failure | opens again |
//!
//! An outcome counts only in the *generation* of the circuit that admitted the call. Each
//! transition begins a new one, so a call that was under way when the circuit opened cannot close
//! it, open it again, or lengthen its interval; nor can a trial of an earlier half-open time. Such
//! outcomes are counted in [`Counts::stale`](crate::Counts::stale), and nowhere else. A trial is a
//! lease: when it is over, its place is free and its outcome stale, so a trial that hangs, or whose
//! process was killed, holds nothing up.
//!
//! # Persistence
//!
//! [`Builder::open`](crate::Builder::open) keeps the state in a [`Store`](crate::Store), of which
//! the breaker is the only writer; [`Builder::open_shared`](crate::Builder::open_shared) shares it
//! with breakers in other processes. The [document](crate::Document) holds state and outages
//! together, so no crash can part them.
//!
//! | the file is | a reader ([`Report`](crate::Report)) says | a breaker starts |
//! |---|---|---|
//! | missing | missing: the circuit is closed | closed |
//! | whole | what it says | where it stopped; an owner frees the places of trials, whose process is dead |
//! | truncated, not JSON, of wrong types | corrupted, and why | closed; the file is kept as `NAME.corrupt-N` |
//! | dated in the future | what it says | as if it had opened now: one interval at most |
//!
//! A breaker in memory, or the owner of a file, counts by the monotonic clock: steps of the wall
//! clock change nothing but the times it writes and shows. Between one process and the next, and
//! between processes that share a file, there is only the wall clock: a step back prolongs an open
//! interval by at most one interval, a step forward may end it early.
//!
//! Time that the machine sleeps is not counted where the monotonic clock stands still meanwhile, as
//! on Linux: an open interval then lasts that much longer by the wall clock.
//!
//! When the store fails, the breaker goes on in memory, tells why in
//! [`Snapshot::store_error`](crate::Snapshot::store_error), and saves at the next change.
//!
//! A handle belongs to the process that opened it. In a forked child it writes nothing, for
//! [`StoreError::Forked`](crate::StoreError::Forked): an owner's goes on in memory, a sharer's by
//! what it reads. The child opens one of its own.
//!
//! A change is on disk before anyone can act on it: an owner writes it before its lock is free. So
//! a failure costs a write with `fsync`; a success through a quiet circuit, and a rejection, cost
//! none. A success that a [`Rate`](crate::Rate) counts costs an owner nothing but memory (the
//! window is saved along with the next change), and a sharer a write.
//!
//! That write runs on the caller's thread, also under an async runtime. Where no thread may wait
//! for a disk, wrap the store in a [`WriteBehind`](crate::WriteBehind), which writes on a thread of
//! its own, and may lose the last change in a crash.
//!
//! # Anti-patterns
//!
//! **Counting what the dependency answered as a failure.** "Not found" proves that it works.
//!
//! ```
//! # use breaker::{Breaker, Outcome, Rules};
//! # let breaker = Breaker::new(Rules::default());
//! # fn fetch() -> Result<String, u16> { Err(404) }
//! // Not: breaker.call(fetch), where any Err counts.
//! let answered = |result: &Result<String, u16>| match result {
//!     Err(500..) => Outcome::Failure,
//!     Ok(_) | Err(_) => Outcome::Success,
//! };
//! let _ = breaker.call_if(answered, fetch);
//! # assert_eq!(breaker.explain().failures_in_a_row, 0);
//! ```
//!
//! **Ignoring what it answered.** An ignored trial decides nothing: a circuit all of whose calls
//! are ignored stays half-open. Report a success.
//!
//! **Polling an open circuit.** Sleep until it is of use, or let [`ready`](crate::Breaker::ready)
//! wake the task.
//!
//! ```
//! # use breaker::{Breaker, Permit, Rejection, Rules};
//! // Not: while breaker.try_acquire().is_err() { sleep(a little) }
//! async fn permit(breaker: &Breaker) -> Result<Permit<&Breaker>, Rejection> {
//!     loop {
//!         breaker.ready(tokio::time::sleep).await?; // an error: opened by hand
//!         if let Ok(permit) = breaker.try_acquire() {
//!             return Ok(permit);
//!         }
//!     }
//! }
//! # tokio_test::block_on(async { permit(&Breaker::new(Rules::default())).await.unwrap().success() });
//! ```
//!
//! A thread sleeps for [`ready_in`](crate::Breaker::ready_in), and asks again.
//!
//! **Retrying inside a call.** Five retries inside one call are one failure to the breaker. Retry
//! around it, and stop on [`CallError::Rejected`](crate::CallError::Rejected).
//!
//! **Calls without a time limit.** A call is counted when it ends. A dependency that hangs, and
//! every call with it, opens nothing.
//!
//! **A lease shorter than the longest call.** The trial then always ends stale, and the circuit
//! never closes. Give calls a time limit, and the lease more than that.
//!
//! **One breaker for several dependencies.** One that is down then rejects calls to all. Make one
//! for each; give each its own file, named after its address, so that none inherits the failures of
//! another.
//!
//! **Letting a health probe close the circuit.** A probe that passes is no call that passes. Let it
//! [suggest a trial](crate::Breaker::suggest_trial), and let the trial decide.
//!
//! **Reading the file through a breaker to show it.** That would make the reader a second owner.
//! Use [`Report::read`](crate::Report::read), which takes no lock and changes nothing.
