//! What the worker's loop remembers, and what happens to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use plex_health::Report;
use queue::Claim;
use stash::client::FoundScenes;

use super::chores;
use super::circuit::Leave;
use crate::job::Job;
use crate::ledger::ServerId;
use crate::outcome::Failure;

/// What outlasts a new look at the settings, which comes every minute.
#[derive(Debug, Clone)]
pub struct Lasting {
    /// Since when nothing was in flight, ready or claimed.
    pub(super) idle: SystemTime,
    /// Since when Stash has been away.
    pub(super) stash_down: Option<SystemTime>,
    /// Jobs that have left the queue.
    pub(super) ended: u64,
    /// When Plex last answered a job or a check.
    pub(super) heard: Option<SystemTime>,
    /// The jobs, by their keys, whose requests failed since the last one that did not.
    pub(super) failing: BTreeSet<String>,
    /// The tries of a job that do not count, since the circuit opened over them.
    pub(super) pardoned: BTreeMap<String, u32>,
    /// The end of the outage whose gradual restart was last told of.
    pub(super) ramp_told: Option<breaker::Time>,
    /// The end of that return is still to be told.
    pub(super) ramp_owed: bool,
}

impl Lasting {
    /// Of a worker that starts now.
    pub fn start(now: SystemTime) -> Self {
        Self {
            idle: now,
            stash_down: None,
            ended: 0,
            heard: None,
            failing: BTreeSet::new(),
            pardoned: BTreeMap::new(),
            ramp_told: None,
            ramp_owed: false,
        }
    }
}

/// What the loop remembers from step to step.
#[derive(Default)]
pub(super) struct Memory<'a> {
    pub(super) under_way: FuturesUnordered<LocalBoxFuture<'a, Event>>,
    pub(super) claimed: usize,
    /// A job under way may be what killed the worker before: until all have ended, no other is taken.
    pub(super) suspect: bool,
    /// What a worker that died had claimed was asked for.
    pub(super) took_back: bool,
    pub(super) probing: bool,
    pub(super) checking: bool,
    /// Jobs whose failure may be Plex's: the probe that tells is under way.
    pub(super) doubtful: Vec<(Taken, chores::Errand)>,
    pub(super) moved: bool,
    pub(super) session_refused: bool,
}

/// What a future under way brought.
pub(super) enum Event {
    Probed(Report),
    Fetched(
        Vec<Taken>,
        ServerId,
        Leave,
        Result<FoundScenes, stash::client::Error>,
    ),
    Checked(Leave, Report),
    /// Whether the server is at fault for what is doubtful.
    Judged(Report, Result<(), Failure>),
    /// A job has ended, or the database failed.
    Ended(Taken, Box<queue::Result<chores::Errand>>),
}

/// A job with the leave to call Plex.
pub(super) struct Taken {
    pub(super) claim: Claim<Job>,
    pub(super) leave: Leave,
}

impl Memory<'_> {
    /// A job has ended.
    pub(super) fn settled(&mut self) {
        self.claimed = self.claimed.saturating_sub(1);
        self.suspect &= self.claimed > 0;
    }
}
