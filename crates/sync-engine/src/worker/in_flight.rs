//! What the worker's loop remembers, and what happens to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use plex_health::Report;
use queue::Claim;
use stash::client::FoundScenes;

use crate::clients::Told;
use crate::core::job::Job;
use crate::core::outcome::Failure;
use crate::core::time::Moment;
use crate::storage::ledger::ServerId;
use crate::sync::Stopped;
use crate::worker::circuit::Permit;
use crate::worker::fan_out;
use crate::worker::link::Found;

/// What the loop remembers from step to step.
#[derive(Default)]
pub(super) struct InFlight<'a> {
    pub(super) under_way: FuturesUnordered<LocalBoxFuture<'a, Event>>,
    /// Jobs whose failure may be Plex's: the probe that tells is under way.
    pub(super) doubtful: Vec<(ClaimedJob, fan_out::FollowUp)>,
    /// What is to be followed as soon as nothing is under way.
    pub(super) found: Option<Found>,
    /// The jobs of tasks for which the settings were read.
    pub(super) settings_for: BTreeSet<i64>,
    /// When Plex last answered a job or a check.
    pub(super) heard: Option<Moment>,
    /// The jobs, by their keys, whose requests failed since the last one that did not.
    pub(super) failing: BTreeSet<String>,
    /// Those that failed while another one was written: that they fail again says nothing of Plex.
    pub(super) to_blame: BTreeSet<String>,
    /// The tries of a job that do not count, since the circuit opened over them.
    pub(super) pardoned: BTreeMap<String, u32>,
    /// The end of the outage whose gradual restart was last told of.
    pub(super) ramp_told: Option<breaker::Time>,
    /// The end of that return is still to be told.
    pub(super) ramp_owed: bool,
    /// The queue's file was written to since it was last tidied.
    pub(super) untidy: bool,
    /// When somebody last asked for the settings to be read anew.
    pub(super) asked: Option<String>,
    /// When somebody last wished for a look at what has changed in Stash.
    pub(super) wished: Option<SystemTime>,
    /// It was said how many scenes are left alone.
    pub(super) told_never_synced: bool,
    /// When failed jobs were last looked through for old ones.
    pub(super) purged: Option<Moment>,
}

/// What a future under way brought.
pub(super) enum Event {
    Probed(Report),
    Fetched(Fetched),
    /// What has changed in Stash.
    Looked(Result<Look, Stopped>),
    Checked(Permit, Report),
    /// What Stash says of the settings, and when it was asked.
    Settings(Moment, Result<Told, stash::client::Error>),
    /// Whether the server is at fault for what is doubtful.
    Judged(Report, Result<(), Failure>),
    /// A job has ended, or the database failed.
    Ended(ClaimedJob, Box<queue::Result<fan_out::FollowUp>>),
}

/// What a look brought.
pub(super) struct Look {
    /// Scenes queued.
    pub(super) queued: usize,
    /// Stash is at work itself: more is to come.
    pub(super) is_busy: bool,
    /// Scenes changed just now, and may do so again within the same second.
    pub(super) is_early: bool,
}

/// Scenes read for jobs.
pub(super) struct Fetched {
    pub(super) scenes: Vec<ClaimedJob>,
    pub(super) server: ServerId,
    /// When Stash was asked.
    pub(super) asked: SystemTime,
    pub(super) permit: Permit,
    pub(super) found: Result<FoundScenes, stash::client::Error>,
}

/// A job with the leave to call Plex.
pub(super) struct ClaimedJob {
    pub(super) claim: Claim<Job>,
    pub(super) permit: Permit,
}
