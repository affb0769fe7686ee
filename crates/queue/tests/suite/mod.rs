//! The contract of a queue, for any backend: implement [`Store`] and [`Subject`], then name the store in `conformance!`.
#![allow(dead_code)]

pub mod clock;
pub mod contract;
pub mod dead;
pub mod keys;
pub mod model;
pub mod model_keys;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use queue::{Clock, Counts, DeadFilter, Enqueued, EventKind, ManualClock, NewJob, Redriven, State};

/// Where queues of one backend live; each is its own, and on a clock that stands still.
pub trait Store {
    type Subject: Subject;
    fn new() -> Self;
    /// Another handle on the same queue, as another process would have.
    fn open(&self) -> Self::Subject;
    fn clock(&self) -> Arc<ManualClock>;
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

/// Makes a test of each point of the contract.
#[macro_export]
macro_rules! conformance {
    ($store:ty: $($module:ident::{$($check:ident),+ $(,)?}),+ $(,)?) => {
        $($(#[test] fn $check() { suite::$module::$check::<$store>(&<$store as suite::Store>::new()); })+)+
    };
}
