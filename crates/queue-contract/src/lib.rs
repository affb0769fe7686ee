//! The contract of a queue, as tests that any backend can be held to.
//!
//! Implement [`Subject`] for a handle on a queue, [`Store`] for where the queues live and, when
//! other processes reach them, [`Shared`]. Then, in an integration test:
//!
//! ```
//! queue_contract::contract!(queue_contract::sqlite::Sqlite);
//! queue_contract::processes!(queue_contract::sqlite::Sqlite);
//! ```
//!
//! [`sqlite`] is how the library's own queue does it, on disk and in memory.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a check's name says what it checks")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is tests"
)]

pub mod child;
pub mod clock;
pub mod contract;
pub mod dead;
pub mod histories;
pub mod keys;
pub mod model;
pub mod model_keys;
pub mod processes;
pub mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use queue::{Clock, Counts, DeadFilter, Enqueued, EventKind, ManualClock, NewJob, Redriven, State};

/// Where queues of one backend live; each is its own, and on a clock that stands still.
pub trait Store: 'static {
    type Subject: Subject;
    fn new() -> Self;
    /// Another handle on the same queue, as another process would have.
    fn open(&self) -> Self::Subject;
    fn clock(&self) -> Arc<ManualClock>;
}

/// A store that other processes of this machine reach.
pub trait Shared: Store {
    /// Where it is.
    fn address(&self) -> PathBuf;
    /// The same, in another process, on a clock of its own that stands still.
    fn reach(address: &Path) -> Self;
}

/// Why a queue refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    LeaseLost,
    KeyTaken(i64),
    TooLarge,
}

/// How a claim ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    Done,
    Retry(SystemTime),
    Defer(SystemTime),
    Dead(&'static str),
    Release,
}

/// What a claim shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub job: i64,
    pub payload: String,
    pub key: Option<String>,
    pub attempt: u32,
    pub deferred: u32,
    pub lost: u32,
}

/// One handle on a queue.
pub trait Subject: Send {
    type Claim: Send;
    const LEASE: Duration;
    const MAX_LOST: u32;
    const PAYLOAD_LIMIT: usize;
    fn enqueue(&mut self, job: NewJob<String>) -> Result<Enqueued, Refusal>;
    /// A payload covers another as [`model_keys::covers`] says.
    fn ensure(&mut self, job: NewJob<String>) -> Result<Enqueued, Refusal>;
    fn enqueue_all(&mut self, jobs: Vec<NewJob<String>>) -> Result<Vec<Enqueued>, Refusal>;
    fn claim(&mut self, n: usize) -> Vec<Self::Claim>;
    fn show(claim: &Self::Claim) -> Shown;
    fn settle(&mut self, claim: Self::Claim, how: Settle) -> Result<(), Refusal>;
    /// In one step: done, and these enqueued.
    fn done_then(&mut self, claim: &Self::Claim, jobs: Vec<NewJob<String>>) -> Result<(), Refusal>;
    fn extend(&mut self, claim: &mut Self::Claim, by: Duration) -> Result<(), Refusal>;
    fn cancel(&mut self, key: &str) -> Option<State>;
    fn release_held(&mut self) -> usize;
    /// Ends as a killed process does: nothing is given back or settled.
    fn die(self);
    fn next_due(&mut self) -> Option<SystemTime>;
    fn counts(&mut self) -> Counts;
    /// Counted one by one.
    fn full_count(&mut self) -> (u64, u64, u64, u64);
    fn pause(&mut self, paused: bool);
    /// Ids and types of dead letters, the youngest first.
    fn dead(&mut self, filter: &DeadFilter) -> Vec<(i64, String)>;
    fn dead_summary(&mut self) -> Vec<(String, u64)>;
    fn redrive(&mut self, filter: &DeadFilter) -> Redriven;
    fn purge(&mut self, filter: &DeadFilter) -> u64;
    fn purge_but(&mut self, keep: u64) -> u64;
    fn history(&mut self, job: i64) -> Vec<(EventKind, u64)>;
    fn changed(&mut self) -> bool;
}

pub fn job(payload: &str) -> NewJob<String> {
    NewJob::new(payload.to_owned())
}

pub fn keyed(key: &str, payload: &str) -> NewJob<String> {
    job(payload).key(key)
}

/// Claims one, which must be there.
pub fn one<S: Subject>(queue: &mut S) -> S::Claim {
    let mut claims = queue.claim(1);
    assert_eq!(claims.len(), 1, "one job is ready");
    claims.pop().unwrap()
}

pub fn payloads<S: Subject>(claims: &[S::Claim]) -> Vec<String> {
    claims.iter().map(|claim| S::show(claim).payload).collect()
}

pub fn later(store: &impl Store, seconds: u64) -> SystemTime {
    store.clock().now() + Duration::from_secs(seconds)
}

/// Every way to settle.
pub fn every_settle(now: SystemTime) -> [Settle; 5] {
    [
        Settle::Done,
        Settle::Retry(now),
        Settle::Defer(now),
        Settle::Dead("E"),
        Settle::Release,
    ]
}

/// The counts are those of a full count.
pub fn assert_counted<S: Subject>(queue: &mut S) {
    let counts = queue.counts();
    assert_eq!(
        (counts.waiting, counts.ready, counts.running, counts.dead),
        queue.full_count()
    );
}

/// Makes a test of each of these checks.
#[macro_export]
macro_rules! checks {
    ($store:ty: $($module:ident::{$($check:ident),+ $(,)?}),+ $(,)?) => {
        $($(#[test] fn $check() { $crate::$module::$check::<$store>(&<$store as $crate::Store>::new()); })+)+
    };
}

/// Makes a test of each point of the contract.
#[macro_export]
macro_rules! contract {
    ($store:ty) => {
        $crate::checks! { $store:
            contract::{
                order_is_priority_then_due_time_then_age,
                nothing_is_claimed_before_it_is_due,
                a_batch_is_n_distinct_jobs_or_all_there_are,
                a_batch_is_enqueued_whole_or_not_at_all,
                a_settled_claim_is_settled_once,
                a_late_settle_is_refused_and_changes_nothing,
                extending_keeps_the_lease_and_never_shortens_it,
                a_lost_job_is_delivered_alone, attempts_count_only_what_was_tried,
                what_a_stopping_worker_holds_is_released,
                done_and_follow_ups_are_one_step,
                pause_stops_claims_in_all_processes_and_survives_restarts,
                pause_holds_jobs_in_every_state,
                an_oversized_payload_is_refused,
                a_write_by_another_handle_is_noticed,
                a_stepped_clock_takes_no_job_from_a_live_owner,
                a_hung_owner_loses_its_job_in_the_end,
                a_dead_owner_loses_its_jobs_at_once,
                many_claimers_share_the_jobs,
            },
            clock::{
                a_released_job_is_ready_although_the_clock_was_set_back,
                a_ready_job_that_is_replaced_stays_ready,
                a_follow_up_that_was_due_stays_due,
                what_a_wrong_clock_put_off_waits_from_now_on,
            },
            dead::{
                a_job_that_kills_its_workers_is_dead_lettered,
                dead_letters_are_found_summed_up_redriven_and_purged,
                redrive_resets_attempts_and_keeps_the_history,
                redrive_never_makes_two_live_jobs_for_a_key,
            },
            keys::{
                replace_gives_the_idle_job_the_newest_payload,
                replace_keeps_the_earlier_due_time_and_the_more_urgent_priority,
                replace_gives_fresh_attempts,
                a_change_while_running_becomes_exactly_one_follow_up,
                a_follow_up_waits_for_its_own_due_time,
                a_follow_up_survives_the_death_of_the_owner,
                keep_keeps,
                reject_rejects,
                merged_payloads_lose_nothing,
                a_retried_job_follows_the_policy_too,
                keep_and_reject_leave_a_follow_up_alone,
                a_dead_letters_key_is_free,
                cancel_removes_a_job_in_every_state,
                superseded_payloads_are_counted_and_remembered,
            },
            histories::{ two_workers_do_what_the_model_does },
        }
    };
}
