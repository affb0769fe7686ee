//! The worker's loop: ask the agenda, do it, settle what came back.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use backoff::SplitMix64;
use futures_util::future::FutureExt;
use futures_util::stream::StreamExt;
use plex_health::{Probe, Schedule};
use queue::{Claim, Queue};
use stash::client::{FoundScenes, SceneId};

use super::agenda::{self, Next, Situation};
use super::chores::{self, Errand};
use super::circuit::Circuit;
use super::memory::{Event, Lasting, Memory, Taken};
use super::ramp::Rising;
use super::time::Time;
use crate::db::Db;
use crate::job::Job;
use crate::journal::Journal;
use crate::ledger::ServerId;
use crate::outcome::{Done, Failure, Outcome, Whose, of_verdict};
use crate::settings::Settings;
use crate::sync::{Synced, Syncer};

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing left to do, or to wait for.
    Idle,
    /// It was asked to stop.
    Stopped,
    /// Stash refuses the session; the next hook brings a fresh one.
    SessionRefused,
    /// Stash has been away for long; the next hook starts another worker.
    StashGone,
    /// The settings may have changed: read them again and go on.
    Refresh,
    /// Another Plex server is the right one now: what is known of the old one is void.
    Moved,
    /// Another version of the program stands in its place.
    Replaced,
}

/// Jobs claimed at once and not settled; enough to keep Plex's one writer busy.
pub(super) const IN_FLIGHT: usize = 16;
/// After so long without an answer of Plex, it is asked who it is before it gets the token again: no server is replaced by
/// another one in less.
const QUIET: Duration = Duration::from_secs(1);
const STASH_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Everything a worker works with.
pub struct Engine<'a, T> {
    pub(super) time: &'a T,
    pub(super) journal: &'a Journal<'a>,
    pub(super) db: &'a Db<'a>,
    pub(super) settings: &'a Settings,
    pub(super) plex: &'a mut Circuit,
    pub(super) stash: &'a mut Circuit,
    pub(super) schedule: &'a mut Schedule,
    pub(super) syncer: Rc<Syncer>,
    pub(super) probe: Probe,
    pub(super) lasting: &'a mut Lasting,
    /// The Plex server, once it has shown itself to be the right one since the start and the last outage.
    pub(super) server: Option<ServerId>,
    pub(super) ramp: Option<Rising>,
    pub(super) rng: SplitMix64,
    /// Work off what can be done now, then end.
    pub(super) drain: bool,
    /// After this time the settings are to be read again.
    pub(super) refresh_at: Option<SystemTime>,
    /// At this time too, even when there is nothing to do.
    pub(super) wake_at: Option<SystemTime>,
}

impl<'a, T: Time> Engine<'a, T> {
    /// Works until there is a reason to end.
    ///
    /// # Errors
    /// The queue cannot be read or written.
    pub async fn run(mut self) -> queue::Result<End> {
        self.start_ramp();
        let mut memory = Memory::default();
        let end = loop {
            if let Some(end) = self.reason_to_end(&memory) {
                break end;
            }
            let situation = self.situation(&memory)?;
            match agenda::next(&situation) {
                Next::Probe => self.start_probe(&mut memory),
                Next::Claim(most) => self.claim(most, &mut memory)?,
                Next::End => break End::Idle,
                Next::Wait(until) => {
                    // A time that has come waits for what is under way, which needs the thread to
                    // get on.
                    let ends = [self.wake_at, self.ramp_ends()].into_iter().flatten();
                    let ends = ends.filter(|at| *at > situation.now);
                    let until = ends.fold(until, SystemTime::min);
                    let busy = !memory.under_way.is_empty();
                    let db = self.db;
                    let woken = || db.with(|queue| queue.changed().unwrap_or(false));
                    let event = tokio::select! {
                        biased;
                        Some(event) = memory.under_way.next(), if busy => Some(event),
                        () = self.time.sleep(until, busy, woken) => None,
                    };
                    if let Some(event) = event {
                        self.handle(event, &mut memory)?;
                    }
                }
            }
        };
        // What is under way is given back, not waited for: at the next start it is looked at anew.
        self.db.with(Queue::release_held)?;
        Ok(end)
    }

    fn reason_to_end(&mut self, memory: &Memory<'a>) -> Option<End> {
        let now = self.time.now();
        if memory.session_refused {
            return Some(End::SessionRefused);
        }
        if memory.moved {
            return Some(End::Moved);
        }
        if self.stash.breaker().kind() == breaker::machine::Kind::Closed {
            self.lasting.stash_down = None;
        } else {
            let since = *self.lasting.stash_down.get_or_insert(now);
            if now.duration_since(since).unwrap_or_default() >= STASH_PATIENCE {
                return Some(End::StashGone);
            }
        }
        let refresh = self.is_refresh_due(now);
        (refresh && memory.under_way.is_empty()).then_some(End::Refresh)
    }

    fn is_refresh_due(&self, now: SystemTime) -> bool {
        [self.refresh_at, self.wake_at]
            .into_iter()
            .flatten()
            .any(|at| at <= now)
    }

    fn situation(&mut self, memory: &Memory<'a>) -> queue::Result<Situation> {
        let (counts, next_due) = self
            .db
            .with(|queue| -> queue::Result<_> { Ok((queue.counts()?, queue.next_due()?)) })?;
        // Read last: a ready job is due "now", and must not lie ahead.
        let now = self.time.now();
        // A job that a dead worker had claimed is due no more, and comes back with a claim.
        let orphaned = !memory.took_back && counts.running > memory.claimed as u64;
        let due = orphaned || next_due.is_some_and(|at| at <= now);
        let ready = if due { counts.ready.max(1) } else { 0 };
        let probe_at = (self.plex.is_open() && !memory.probing && !self.drain)
            .then(|| self.schedule.next_at(now));
        // A refresh waits for what is under way, so nothing new is begun.
        let refreshing = self.is_refresh_due(now);
        Ok(Situation {
            now,
            plex: self.plex.gate(now),
            stash: self.stash.gate(now),
            probe_at,
            ramp_at: self.ramp_at(now),
            ready: if refreshing || memory.checking || memory.suspect {
                0
            } else {
                ready
            },
            next_due,
            in_flight: memory.claimed + usize::from(memory.checking),
            limit: IN_FLIGHT,
            drain: self.drain,
            pending: counts.live() > 0 || memory.probing || refreshing,
            idle_since: self.lasting.idle,
            idle_timeout: self.settings.idle_timeout,
        })
    }

    fn start_probe(&mut self, memory: &mut Memory<'a>) {
        memory.probing = true;
        let probe = self.probe.clone();
        memory
            .under_way
            .push(async move { Event::Probed(probe.deep().await) }.boxed_local());
    }

    /// Asks Plex who it is before jobs are taken; in a trial, whether it is usable too.
    fn start_check(&mut self, trial: bool, memory: &mut Memory<'a>) {
        let Some(leave) = self.plex.leave() else {
            return;
        };
        memory.checking = true;
        self.lasting.idle = self.time.now();
        let probe = self.probe.clone();
        let check = async move {
            let report = if trial {
                probe.deep().await
            } else {
                probe.shallow().await
            };
            Event::Checked(leave, report)
        };
        memory.under_way.push(check.boxed_local());
    }

    /// Asks with the token whether Plex is at fault for the requests that failed.
    fn start_judging(&mut self, memory: &mut Memory<'a>) {
        let (probe, syncer) = (self.probe.clone(), self.syncer.clone());
        let judge = async move {
            let report = probe.deep().await;
            let verdict = match of_verdict(&report.verdict) {
                Ok(()) => syncer.owner_check().await,
                failed => failed,
            };
            Event::Judged(report, verdict)
        };
        memory.under_way.push(judge.boxed_local());
    }

    /// Takes jobs, each with leave to call Plex, and starts them.
    fn claim(&mut self, most: usize, memory: &mut Memory<'a>) -> queue::Result<()> {
        let trial = self.plex.gate(self.time.now()) == agenda::Gate::Trial;
        if trial {
            let counts = self.db.with(|queue| queue.counts())?;
            self.count_affected(counts.live());
        }
        // After a while of quiet another server may have taken the address.
        let now = self.time.now();
        let heard = self
            .lasting
            .heard
            .and_then(|at| now.duration_since(at).ok());
        self.server = self
            .server
            .filter(|_| heard.is_some_and(|quiet| quiet < QUIET));
        let Some(server) = self.server else {
            self.start_check(trial, memory);
            return Ok(());
        };
        let leaves: Vec<_> = std::iter::from_fn(|| self.plex.leave())
            .take(most)
            .collect();
        let claims = match trial {
            true => self.claim_for_trial()?,
            false => self.db.with(|queue| queue.claim(leaves.len()))?,
        };
        memory.took_back = true;
        self.lasting.idle = self.time.now();
        memory.claimed += claims.len();
        memory.suspect |= claims.iter().any(|claim| claim.lost() > 0);
        if !claims.is_empty() {
            self.ramp_spend();
        }
        let taken = claims
            .into_iter()
            .zip(leaves)
            .map(|(claim, leave)| Taken { claim, leave });
        let (scenes, errands): (Vec<_>, Vec<_>) =
            taken.partition(|taken| scene_id(taken).is_some());
        for taken in errands {
            let (syncer, job) = (self.syncer.clone(), taken.claim.payload().clone());
            let (db, now) = (self.db, self.time.now());
            let errand = async move {
                let errand = chores::run(&syncer, job, (db, server), now).await;
                Event::Ended(taken, Box::new(errand))
            };
            memory.under_way.push(errand.boxed_local());
        }
        if !scenes.is_empty() {
            self.fetch(scenes, server, memory);
        }
        Ok(())
    }

    /// A trial takes another job than those over which the circuit opened, if there is one.
    fn claim_for_trial(&mut self) -> queue::Result<Vec<Claim<Job>>> {
        let most = if self.lasting.failing.is_empty() {
            1
        } else {
            IN_FLIGHT
        };
        let failing = &self.lasting.failing;
        self.db.with(|queue| {
            let mut claims = queue.claim(most)?;
            let is_other =
                |claim: &Claim<Job>| claim.key().is_none_or(|key| !failing.contains(key));
            let chosen = claims.iter().position(is_other).unwrap_or(0);
            let chosen = (!claims.is_empty()).then(|| claims.swap_remove(chosen));
            claims
                .into_iter()
                .try_for_each(|claim| queue.release(claim))?;
            Ok(Vec::from_iter(chosen))
        })
    }

    /// One question to Stash for all of them.
    fn fetch(&mut self, scenes: Vec<Taken>, server: ServerId, memory: &mut Memory<'a>) {
        let Some(stash_leave) = self.stash.leave() else {
            for taken in scenes {
                let away: Outcome<Synced> = Err(Failure::new(Whose::Stash, "Stash is unreachable"));
                let ended = Event::Ended(taken, Box::new(Ok(away.into())));
                memory
                    .under_way
                    .push(std::future::ready(ended).boxed_local());
            }
            return;
        };
        let ids: BTreeSet<_> = scenes.iter().filter_map(scene_id).collect();
        let ids = Vec::from_iter(ids);
        let syncer = self.syncer.clone();
        let fetch = async move {
            let found = syncer.fetch(&ids).await;
            Event::Fetched(scenes, server, stash_leave, found)
        };
        memory.under_way.push(fetch.boxed_local());
    }

    fn handle(&mut self, event: Event, memory: &mut Memory<'a>) -> queue::Result<()> {
        match event {
            Event::Probed(report) => {
                memory.probing = false;
                self.met(&report.verdict, memory)?;
                self.probed(&report);
            }
            Event::Checked(leave, report) => {
                memory.checking = false;
                let server = self.met(&report.verdict, memory)?;
                self.checked(leave, of_verdict(&report.verdict), server);
            }
            Event::Judged(report, verdict) => {
                self.met(&report.verdict, memory)?;
                for (taken, mut errand) in std::mem::take(&mut memory.doubtful) {
                    errand.outcome = errand
                        .outcome
                        .map_err(|failure| failure.judged(verdict.clone()));
                    self.settle(taken, errand, memory)?;
                }
            }
            Event::Fetched(scenes, server, leave, Ok(found)) => {
                leave.success();
                self.start(scenes, server, found, memory)?;
            }
            Event::Fetched(scenes, _, leave, Err(error)) => {
                leave.failure();
                memory.session_refused |= error == stash::client::Error::Unauthorized;
                for taken in scenes {
                    self.settle(taken, Err(error.clone().into()).into(), memory)?;
                }
            }
            Event::Ended(taken, errand) => {
                let errand = (*errand)?;
                self.blame_stash(&errand.outcome);
                if errand.outcome.as_ref().is_err_and(Failure::is_doubtful) {
                    if memory.doubtful.is_empty() {
                        self.start_judging(memory);
                    }
                    memory.doubtful.push((taken, errand));
                    return Ok(());
                }
                if let Ok(Done::Synced(Synced {
                    owed: Some(why), ..
                })) = &errand.outcome
                {
                    let name = taken.claim.payload().words();
                    self.journal.warn(format!("{name}: {why}"));
                }
                self.settle(taken, errand, memory)?;
            }
        }
        Ok(())
    }

    /// Counts a call of a job to Stash that failed; one failed question for many scenes counts once.
    fn blame_stash(&self, outcome: &Outcome<Synced>) {
        if is_of_stash(outcome)
            && let Some(leave) = self.stash.leave()
        {
            leave.failure();
        }
    }

    /// Starts what each fetched scene was fetched for.
    fn start(
        &mut self,
        scenes: Vec<Taken>,
        server: ServerId,
        found: FoundScenes,
        memory: &mut Memory<'a>,
    ) -> queue::Result<()> {
        let failed: HashMap<_, _> = found.failed.into_iter().collect();
        // Two jobs may be about the same scene.
        let found: HashMap<_, _> = found
            .scenes
            .into_iter()
            .map(|scene| (scene.id, Rc::new(scene)))
            .collect();
        for taken in scenes {
            let Some(id) = scene_id(&taken) else {
                continue;
            };
            if let Some(why) = failed.get(&id) {
                self.settle(taken, Err(why.clone().into()).into(), memory)?;
                continue;
            }
            match (taken.claim.payload(), found.get(&id).cloned()) {
                (&Job::Scene { force, .. }, Some(scene)) => {
                    let (syncer, db, time) = (self.syncer.clone(), self.db, self.time);
                    let job = async move {
                        let ended = syncer.sync((db, server), &scene, force, time).await;
                        Event::Ended(taken, Box::new(ended.map(Errand::from)))
                    };
                    memory.under_way.push(job.boxed_local());
                }
                (Job::Scene { .. }, None) => {
                    self.settle(taken, Ok(Done::GoneFromStash).into(), memory)?;
                }
                (_, scene) => {
                    self.settle(taken, chores::scanned(scene.as_deref()), memory)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether Stash is at fault.
pub(super) fn is_of_stash(outcome: &Outcome<Synced>) -> bool {
    matches!(
        outcome,
        Err(Failure {
            whose: Whose::Stash,
            ..
        })
    )
}

/// The scene the job needs from Stash.
fn scene_id(taken: &Taken) -> Option<SceneId> {
    match taken.claim.payload() {
        Job::Scene { id, .. } | Job::Scanned { id } => Some(SceneId(*id)),
        _ => None,
    }
}
