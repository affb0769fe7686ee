//! Jobs are taken and started.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use queue::Claim;
use stash::client::{self, Scene, SceneId};

use crate::core::catch_up::Stamp;
use crate::core::client_errors::of_verdict;
use crate::core::job::Job;
use crate::core::outcome::{Done, Failure, Outcome, Whose};
use crate::core::scheduler::{End, Gate, IN_FLIGHT};
use crate::core::time::Time;
use crate::storage::ledger::ServerId;
use crate::sync::{Synced, Syncer};
use crate::worker::circuit::Permit;
use crate::worker::fan_out::{self, FollowUp};
use crate::worker::in_flight::{ClaimedJob, Event, Fetched};
use crate::worker::state::Worker;

/// After so long without an answer of Plex, it is asked who it is before it gets the token again:
/// no server is replaced by another one in less.
const QUIET: Duration = Duration::from_secs(1);

/// A deletion in Stash is through by then.
const SETTLING: Duration = Duration::from_millis(200);

impl<'a, T: Time> Worker<'a, T> {
    /// Takes jobs, each with leave to call Plex, and starts them.
    pub(super) fn claim(&mut self, most: usize) -> queue::Result<()> {
        let now = self.time.now();
        let trial = self.link.plex.gate(now) == Gate::Trial;
        if trial {
            let counts = self.db.with(|queue| queue.counts())?;
            self.count_affected(counts.live());
        }
        // After a while of quiet another server may have taken the address.
        let heard = self.in_flight.heard;
        let is_quiet = heard.is_none_or(|heard| now - heard >= QUIET);
        self.server = self.server.filter(|_| !is_quiet);
        let Some(server) = self.server else {
            self.start_check(trial);
            return Ok(());
        };
        let leaves = std::iter::from_fn(|| self.link.plex.permit());
        let leaves: Vec<_> = leaves.take(most).collect();
        let claims = match trial {
            true => self.claim_for_trial()?,
            false => self.take(leaves.len())?,
        };
        let claims = self.settings_first(claims)?;
        let suspect = claims.iter().any(|claim| claim.lost() > 0);
        self.scheduler.claimed(claims.len(), suspect, now);
        if let Some(rising) = self.ramp.as_mut().filter(|_| !claims.is_empty()) {
            rising.token = false;
        }
        let taken = claims.into_iter().zip(leaves);
        let taken = taken.map(|(claim, permit)| ClaimedJob { claim, permit });
        let (scenes, follow_ups): (Vec<_>, Vec<_>) =
            taken.partition(|taken| scene_id(taken).is_some());
        for taken in follow_ups {
            let (syncer, job) = (self.link.syncer.clone(), taken.claim.payload().clone());
            let (db, time) = (self.db, self.time);
            self.spawn(async move {
                let follow_up = fan_out::run(&syncer, job, (db, server), time).await;
                Event::Ended(taken, Box::new(follow_up))
            });
        }
        if !scenes.is_empty() {
            self.fetch(scenes, server);
        }
        Ok(())
    }

    /// A task's job waits until the settings were read after it was started: a person changes a
    /// setting and starts the task.
    fn settings_first(&mut self, claims: Vec<Claim<Job>>) -> queue::Result<Vec<Claim<Job>>> {
        let Some(read) = self.scheduler.settings_read() else {
            return Ok(claims);
        };
        let mut ready = Vec::with_capacity(claims.len());
        for claim in claims {
            let is_older = self.time.read().moment(claim.enqueued()) < read;
            let is_known = self.in_flight.settings_for.contains(&claim.job());
            if is_older || is_known || !claim.payload().is_task() {
                ready.push(claim);
                continue;
            }
            // Once for each, whatever the clocks say.
            self.in_flight.settings_for.insert(claim.job());
            self.scheduler.doubt_settings();
            self.link.syncer.doubt_libraries();
            self.db.with(|queue| queue.release(claim))?;
        }
        Ok(ready)
    }

    /// A trial takes another job than those over which the circuit opened, if there is one.
    fn claim_for_trial(&mut self) -> queue::Result<Vec<Claim<Job>>> {
        let (failing, to_blame) = (&self.in_flight.failing, &self.in_flight.to_blame);
        let is_any = failing.is_empty() && to_blame.is_empty();
        let mut claims = self.take(if is_any { 1 } else { IN_FLIGHT })?;
        let (failing, to_blame) = (&self.in_flight.failing, &self.in_flight.to_blame);
        let failed = |key: &str| failing.contains(key) || to_blame.contains(key);
        let is_other = |claim: &Claim<_>| claim.key().is_none_or(|key| !failed(key));
        let chosen = claims.iter().position(is_other).unwrap_or(0);
        let chosen = (!claims.is_empty()).then(|| claims.swap_remove(chosen));
        let mut others = claims.into_iter();
        self.db
            .with(|queue| others.try_for_each(|claim| queue.release(claim)))?;
        Ok(Vec::from_iter(chosen))
    }

    /// Asks Plex who it is before jobs are taken; in a trial, whether it is usable too.
    fn start_check(&mut self, trial: bool) {
        let Some(permit) = self.link.plex.permit() else {
            return;
        };
        self.scheduler.checking(self.time.now());
        let probe = self.link.probe.clone();
        self.spawn(async move {
            let report = match trial {
                true => probe.deep().await,
                false => probe.shallow().await,
            };
            Event::Checked(permit, report)
        });
    }

    /// Asks with the token whether Plex is at fault for the requests that failed.
    pub(super) fn start_judging(&mut self) {
        let (probe, syncer) = (self.link.probe.clone(), self.link.syncer.clone());
        self.spawn(async move {
            let report = probe.deep().await;
            let verdict = match of_verdict(&report.verdict) {
                Ok(()) => syncer.owner_check().await,
                failed => failed,
            };
            Event::Judged(report, verdict)
        });
    }

    /// One question to Stash for all of them.
    fn fetch(&mut self, scenes: Vec<ClaimedJob>, server: ServerId) {
        let Some(permit) = self.stash.permit() else {
            for taken in scenes {
                let away: Outcome<Synced> = Err(Failure::new(Whose::Stash, "Stash is unreachable"));
                let ended = Event::Ended(taken, Box::new(Ok(away.into())));
                self.spawn(std::future::ready(ended));
            }
            return;
        };
        let ids: BTreeSet<_> = scenes.iter().filter_map(scene_id).collect();
        let ids = Vec::from_iter(ids);
        let (syncer, asked) = (self.link.syncer.clone(), self.time.wall());
        self.spawn(async move {
            Event::Fetched(Fetched {
                scenes,
                server,
                asked,
                permit,
                found: syncer.fetch(&ids).await,
            })
        });
    }

    /// Starts what each fetched scene was fetched for.
    pub(super) fn fetched(&mut self, fetched: Fetched) -> queue::Result<()> {
        let found = match fetched.found {
            Ok(found) => found,
            Err(why) => return self.not_fetched(fetched.scenes, fetched.permit, &why),
        };
        fetched.permit.success();
        let failed: HashMap<_, _> = found.failed.into_iter().collect();
        // Two jobs may be about the same scene.
        let scenes = found.scenes.into_iter();
        let found: HashMap<_, _> = scenes.map(|scene| (scene.id, Rc::new(scene))).collect();
        for taken in fetched.scenes {
            let Some(id) = scene_id(&taken) else {
                continue;
            };
            if let Some(why) = failed.get(&id) {
                self.settle(taken, Err(why.clone().into()).into())?;
                continue;
            }
            match (taken.claim.payload(), found.get(&id).cloned()) {
                (&Job::Scene { force, .. }, Some(scene)) => {
                    self.start_sync(taken, scene, force, (fetched.server, fetched.asked));
                }
                (Job::Scene { .. }, None) => {
                    self.settle(taken, Ok(Done::GoneFromStash).into())?;
                }
                (_, scene) => {
                    self.scheduler.scanned(self.time.now());
                    self.settle(taken, fan_out::scanned(scene.as_deref()))?;
                }
            }
        }
        Ok(())
    }

    /// Stash did not give the scenes of these jobs.
    fn not_fetched(
        &mut self,
        scenes: Vec<ClaimedJob>,
        permit: Permit,
        why: &client::Error,
    ) -> queue::Result<()> {
        match why {
            // It answers, and fails for these scenes.
            client::Error::Resolver { .. } => permit.ignore(),
            _ => permit.failure(),
        }
        let is_refused = *why == client::Error::Unauthorized;
        if !is_refused {
            self.renew_connection();
        } else if !self.has_another_login() {
            self.scheduler.end(End::SessionRefused);
        }
        let mut scenes = scenes.into_iter();
        scenes.try_for_each(|taken| self.settle(taken, Err(why.clone().into()).into()))
    }

    fn start_sync(
        &mut self,
        taken: ClaimedJob,
        scene: Rc<Scene>,
        force: bool,
        (server, asked): (ServerId, SystemTime),
    ) {
        let (syncer, db, time) = (self.link.syncer.clone(), self.db, self.time);
        self.spawn(async move {
            let scene = match scene.files.is_empty() {
                true => read_again(&syncer, scene.id).await,
                false => Ok(Some(scene)),
            };
            let ended = match scene {
                Ok(Some(scene)) => {
                    let ended = syncer.sync((db, server), &scene, force, time).await;
                    let looked = Some((server, Stamp::new(scene.updated_at, asked)));
                    ended.map(|ended| FollowUp {
                        looked,
                        ..ended.into()
                    })
                }
                Ok(None) => Ok(Ok(Done::GoneFromStash).into()),
                Err(why) => Ok(Err(why.into()).into()),
            };
            Event::Ended(taken, Box::new(ended))
        });
    }

    /// Counts a call of a job to Stash that failed; one failed question for many scenes counts
    /// once.
    pub(super) fn blame_stash(&mut self, outcome: &Outcome<Synced>) {
        if is_of_stash(outcome) {
            if let Some(permit) = self.stash.permit() {
                permit.failure();
            }
            self.renew_connection();
        }
    }
}

/// A scene without a file, read once more: Stash takes a scene's files away just before it deletes
/// the scene.
async fn read_again(syncer: &Syncer, id: SceneId) -> Result<Option<Rc<Scene>>, client::Error> {
    tokio::time::sleep(SETTLING).await;
    Ok(syncer.stash.find_scene(id).await?.map(Rc::new))
}

/// Whether Stash is at fault.
pub(super) fn is_of_stash(outcome: &Outcome<Synced>) -> bool {
    let is_stash = |failure: &Failure| failure.whose == Whose::Stash;
    outcome.as_ref().is_err_and(is_stash)
}

/// The scene the job needs from Stash.
fn scene_id(taken: &ClaimedJob) -> Option<SceneId> {
    match taken.claim.payload() {
        Job::Scene { id, .. } | Job::Scanned { id } => Some(SceneId(*id)),
        _ => None,
    }
}
