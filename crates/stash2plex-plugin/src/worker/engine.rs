//! The worker's loop: ask the agenda, do it, settle what came back.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use backoff::SplitMix64;
use futures_util::future::FutureExt;
use futures_util::stream::StreamExt;
use plex_health::{Probe, Schedule};
use queue::{Queue, Tx};
use scene_sync::LastWritten;
use stash::client::{FoundScenes, SceneId};

use super::agenda::{self, Next, Situation};
use super::chores;
use super::circuit::Circuit;
use super::memory::{Event, Lasting, Memory, Taken};
use super::ramp::Rising;
use super::time::Time;
use crate::job::Job;
use crate::journal::Journal;
use crate::ledger::{self, Row};
use crate::outcome::Outcome;
use crate::reconcile::unix_millis;
use crate::settings::Settings;
use crate::sync::{Looked, Synced, Syncer, stash_failed};

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
const STASH_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Everything a worker works with.
pub struct Engine<'a, T> {
    pub(super) time: &'a T,
    pub(super) journal: &'a Journal<'a>,
    pub(super) queue: &'a mut Queue<Job>,
    pub(super) settings: &'a Settings,
    pub(super) plex: &'a mut Circuit,
    pub(super) stash: &'a mut Circuit,
    pub(super) schedule: &'a mut Schedule,
    pub(super) syncer: Rc<Syncer>,
    pub(super) probe: Probe,
    pub(super) lasting: &'a mut Lasting,
    /// The Plex server has shown itself to be the right one since the start and the last outage.
    pub(super) verified: bool,
    pub(super) ramp: Option<Rising>,
    pub(super) rng: SplitMix64,
    /// Work off what can be done now, then end.
    pub(super) drain: bool,
    /// After this time the settings are to be read again.
    pub(super) refresh_at: Option<SystemTime>,
    /// At this time too, even when there is nothing to do.
    pub(super) wake_at: Option<SystemTime>,
}

impl<T: Time> Engine<'_, T> {
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
                    let ends = [self.wake_at, self.ramp_ends()].into_iter().flatten();
                    let until = ends.fold(until, SystemTime::min);
                    let busy = !memory.under_way.is_empty();
                    let queue = &mut *self.queue;
                    let woken = || queue.changed().unwrap_or(false);
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
        self.queue.release_held()?;
        Ok(end)
    }

    fn reason_to_end(&mut self, memory: &Memory) -> Option<End> {
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

    fn situation(&mut self, memory: &Memory) -> queue::Result<Situation> {
        let counts = self.queue.counts()?;
        let next_due = self.queue.next_due()?;
        // Read last: a ready job is due "now", and must not lie ahead.
        let now = self.time.now();
        // A job that a dead worker had claimed is due no more, and comes back with a claim.
        let orphaned = !memory.took_back && counts.running > memory.claimed as u64;
        let due = orphaned || next_due.is_some_and(|at| at <= now);
        let ready = if due { counts.ready.max(1) } else { 0 };
        let probe_at = (self.plex.is_open() && !memory.probing && !self.drain)
            .then(|| self.schedule.next_at().unwrap_or(now));
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

    fn start_probe(&mut self, memory: &mut Memory) {
        memory.probing = true;
        let probe = self.probe.clone();
        memory
            .under_way
            .push(async move { Event::Probed(probe.deep().await) }.boxed_local());
    }

    /// Asks Plex who it is before jobs are taken; in a trial, whether it is usable too.
    fn start_check(&mut self, trial: bool, memory: &mut Memory) {
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

    /// Takes jobs, each with leave to call Plex, and starts them.
    fn claim(&mut self, most: usize, memory: &mut Memory) -> queue::Result<()> {
        let trial = self.plex.gate(self.time.now()) == agenda::Gate::Trial;
        if trial {
            self.count_affected(self.queue.counts()?.live());
        }
        if !self.verified {
            self.start_check(trial, memory);
            return Ok(());
        }
        let leaves: Vec<_> = std::iter::from_fn(|| self.plex.leave())
            .take(most)
            .collect();
        let claims = self.queue.claim(leaves.len())?;
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
            let (database, now) = (self.queue.path().to_owned(), self.time.now());
            let errand = async move {
                let errand = chores::run(&syncer, job, &database, now).await;
                Event::Looked(taken, errand)
            };
            memory.under_way.push(errand.boxed_local());
        }
        if !scenes.is_empty() {
            self.fetch(scenes, memory);
        }
        Ok(())
    }

    /// One question to Stash for all of them.
    fn fetch(&mut self, scenes: Vec<Taken>, memory: &mut Memory) {
        let Some(stash_leave) = self.stash.leave() else {
            for taken in scenes {
                let away = Outcome::StashAway("Stash is away".to_owned());
                memory
                    .under_way
                    .push(std::future::ready(Event::Ran(taken, away)).boxed_local());
            }
            return;
        };
        let ids: BTreeSet<_> = scenes.iter().filter_map(scene_id).collect();
        let ids = Vec::from_iter(ids);
        let syncer = self.syncer.clone();
        let fetch = async move {
            let found = syncer.fetch(&ids).await;
            Event::Fetched(scenes, stash_leave, found)
        };
        memory.under_way.push(fetch.boxed_local());
    }

    fn handle(&mut self, event: Event, memory: &mut Memory) -> queue::Result<()> {
        match event {
            Event::Probed(report) => {
                memory.probing = false;
                self.met(&report.verdict, memory)?;
                self.probed(&report);
            }
            Event::Checked(leave, report) => {
                memory.checking = false;
                self.met(&report.verdict, memory)?;
                self.checked(leave, &report.verdict);
            }
            Event::Fetched(scenes, leave, Ok(found)) => {
                leave.success();
                self.start(scenes, found, memory)?;
            }
            Event::Fetched(scenes, leave, Err(error)) => {
                leave.failure();
                memory.session_refused |= error == stash::client::Error::Unauthorized;
                for taken in scenes {
                    self.settle(taken, stash_failed(error.clone()), memory)?;
                }
            }
            Event::Drafted(taken, id, draft) => {
                // First on record: should this process die, or Plex not answer, the next look knows its own doing.
                self.remember(id, &draft.intent)?;
                let (syncer, now) = (self.syncer.clone(), self.time.now());
                let send = async move {
                    let intent = draft.intent.clone();
                    let outcome = syncer.send(*draft, now).await;
                    Event::Sent(taken, id, Box::new(intent), outcome)
                };
                memory.under_way.push(send.boxed_local());
            }
            Event::Sent(taken, id, mut intent, outcome) => {
                if !matches!(outcome, Outcome::Synced(_)) {
                    // Given up only now: it had to wait for its turn, and then for an answer.
                    if let Some(sent) = intent.written.intents.last_mut() {
                        sent.at = unix_millis(self.time.now());
                    }
                    self.remember(id, &intent)?;
                }
                self.handle(Event::Ran(taken, outcome), memory)?;
            }
            Event::Ran(taken, outcome) => {
                self.blame_stash(&outcome);
                if let Outcome::Synced(Synced {
                    owed: Some(why), ..
                }) = &outcome
                {
                    let name = taken.claim.payload().words();
                    self.journal.warn(format!("{name}: {why}"));
                }
                self.settle(taken, outcome, memory)?;
            }
            Event::Looked(taken, errand) => {
                self.blame_stash(&errand.outcome);
                self.settle_errand(taken, errand, memory)?;
            }
        }
        Ok(())
    }

    fn remember(&mut self, id: SceneId, row: &Row<LastWritten>) -> queue::Result<()> {
        let put = |tx: &Tx<'_, Job>| Ok(ledger::intend(tx.sql(), id.0, row)?);
        self.queue.transaction(put)
    }

    /// Counts a call of a job to Stash that failed; one failed question for many scenes counts once.
    fn blame_stash(&self, outcome: &Outcome<Synced>) {
        if matches!(outcome, Outcome::StashAway(_))
            && let Some(leave) = self.stash.leave()
        {
            leave.failure();
        }
    }

    /// Starts what each fetched scene was fetched for.
    fn start(
        &mut self,
        scenes: Vec<Taken>,
        found: FoundScenes,
        memory: &mut Memory,
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
                self.settle(taken, stash_failed(why.clone()), memory)?;
                continue;
            }
            match (taken.claim.payload(), found.get(&id).cloned()) {
                (&Job::Scene { force, .. }, Some(scene)) => {
                    let row = ledger::get(self.queue.sql(), id.0)?;
                    let syncer = self.syncer.clone();
                    let now = self.time.now();
                    let look = async move {
                        match syncer.look(&scene, row, force, now).await {
                            Looked::Ended(outcome) => Event::Ran(taken, *outcome),
                            Looked::Send(draft) => Event::Drafted(taken, id, draft),
                        }
                    };
                    memory.under_way.push(look.boxed_local());
                }
                (Job::Scene { .. }, None) => {
                    self.settle(taken, Outcome::GoneFromStash, memory)?;
                }
                (_, scene) => {
                    self.settle_errand(taken, chores::scanned(scene.as_deref()), memory)?;
                }
            }
        }
        Ok(())
    }
}

/// The scene the job needs from Stash.
fn scene_id(taken: &Taken) -> Option<SceneId> {
    match taken.claim.payload() {
        Job::Scene { id, .. } | Job::Scanned { id } => Some(SceneId(*id)),
        _ => None,
    }
}
