//! What becomes of a job that has ended, and what a person reads about it.

use std::time::SystemTime;

use breaker::machine::Kind;
use plex_health::Verdict;
use queue::{Claim, DeadFilter, Tx};

use crate::core::job::Job;
use crate::core::outcome::{self, Done, Failure, Fate, Outcome, RETRY_CAP, Signal};
use crate::core::reconcile::{Ended, Listed, Reach, Step};
use crate::core::settings::Settings;
use crate::core::time::Time;
use crate::core::words;
use crate::storage::ledger::{self, ServerId, Total};
use crate::storage::meta;
use crate::storage::notices::{self, Topic};
use crate::storage::plex_server::{self, Met};
use crate::sync::Synced;
use crate::worker::circuit::{self, Permit};
use crate::worker::claiming::is_of_stash;
use crate::worker::fan_out::FollowUp;
use crate::worker::in_flight::ClaimedJob;
use crate::worker::recording::{
    BULK_PRIORITY, forget_letters, keyed, note_look, record_and_queue, remember, scene_job,
};
use crate::worker::state::Worker;

impl<T: Time> Worker<'_, T> {
    /// Settles a job, with what it leaves on record and the jobs it leads to in the same
    /// transaction.
    pub(super) fn settle(&mut self, taken: ClaimedJob, follow_up: FollowUp) -> queue::Result<()> {
        let ClaimedJob { claim, permit } = taken;
        let key = claim.key().unwrap_or_default().to_owned();
        let signal = match self.signal(&key, &follow_up.outcome) {
            // A trial is a probe and a job. The probe has passed, or the job would not have run; a
            // job that needs nothing of Plex must not leave an outage that is over open for good.
            Signal::Neutral
                if self.link.plex.breaker().kind() == Kind::HalfOpen
                    && !is_of_stash(&follow_up.outcome) =>
            {
                self.trial(&follow_up.outcome)
            }
            signal => signal,
        };
        self.ramp_record(&signal);
        circuit::report(permit, &signal);
        let is_open = self.link.plex.breaker().kind() == Kind::Open;
        self.server = self.server.filter(|_| !is_open);
        let failed = follow_up.outcome.as_ref().err().cloned();
        if failed.as_ref().is_some_and(Failure::is_of_one_item) {
            self.link.syncer.doubt_libraries();
        }
        let (fate, attempts) = self.fate(&claim, &key, &follow_up.outcome);
        self.tell(claim.payload(), &follow_up, &fate, attempts);
        // The library has become smaller.
        if fate == Fate::Forget {
            self.scheduler.wish_look(self.time.now());
        }
        let settled = self.write(&claim, follow_up, fate);
        self.scheduler.settled(self.time.now());
        self.in_flight.settings_for.remove(&claim.job());
        self.in_flight.untidy = true;
        match settled {
            // Cancelled or taken over meanwhile: it was or will be done elsewhere.
            Err(queue::Error::LeaseLost { .. }) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        self.announce(failed.as_ref());
        Ok(())
    }

    /// Writes what became of a job.
    fn write(
        &mut self,
        claim: &Claim<Job>,
        mut follow_up: FollowUp,
        fate: Fate,
    ) -> queue::Result<()> {
        let due = match fate {
            Fate::Retry(delay) => self.time.wall() + delay,
            Fate::Hold => self.turn(claim),
            _ => self.time.wall(),
        };
        let settings = &*self.link.settings;
        self.db.write(|tx| {
            record_and_queue(tx, follow_up.record.take(), settings)?;
            let (word, why) = failure(&follow_up.outcome);
            match fate {
                Fate::Done => acknowledge(tx, claim, follow_up, settings),
                Fate::Forget => {
                    if let Job::Scene { id, .. } = claim.payload() {
                        for waiting in ledger::forget_scene(tx.sql(), *id)? {
                            tx.enqueue(scene_job(waiting, true))?;
                        }
                    }
                    forget_letters(tx, claim)?;
                    tx.done(claim)
                }
                Fate::Retry(_) => tx.retry_at(claim, due, word, why),
                Fate::Hold => tx.defer(claim, due, why),
                Fate::Dead { kind, message } => {
                    note_look(tx, claim, follow_up.looked)?;
                    forget_letters(tx, claim)?;
                    ledger::count(tx.sql(), Total::Failed)?;
                    notices::failed(tx, &claim.payload().words(), kind.word(), &message)?;
                    tx.dead(claim, kind.word(), &message)
                }
            }
        })
    }

    /// What the circuit is told of a job's end.
    fn signal(&mut self, key: &str, outcome: &Outcome<Synced>) -> Signal {
        let memory = &mut self.in_flight;
        let signal = outcome::signal(outcome, || {
            !memory.to_blame.contains(key) && memory.failing.insert(key.to_owned())
        });
        match signal {
            Signal::Neutral => {}
            Signal::Success => {
                memory.heard = Some(self.time.now());
                let failed = std::mem::take(&mut memory.failing);
                // A scene for which there was nothing to write proves nothing.
                if matches!(outcome, Ok(Done::Synced(synced)) if !synced.changes.is_empty()) {
                    memory.to_blame.extend(failed);
                }
                memory.to_blame.remove(key);
                memory.pardoned.remove(key);
            }
            // Another server may answer next.
            Signal::Failure | Signal::Trip(_) => memory.heard = None,
        }
        signal
    }

    /// What a trial says that by itself says nothing: as many scenes as open the circuit fail
    /// alike, this one again, or it is over.
    fn trial(&self, outcome: &Outcome<Synced>) -> Signal {
        let alike = self.in_flight.failing.len() >= self.link.settings.failure_threshold as usize;
        match outcome {
            Err(failure) if alike && failure.is_of_request() => Signal::Failure,
            _ => Signal::Success,
        }
    }

    /// What becomes of the job, after how many attempts. Those over which the circuit opened do not
    /// count.
    fn fate(&mut self, claim: &Claim<Job>, key: &str, outcome: &Outcome<Synced>) -> (Fate, u32) {
        let opened = self.link.plex.breaker().kind() == Kind::Open;
        if opened && outcome.as_ref().is_err_and(Failure::is_of_request) {
            for key in &self.in_flight.failing {
                *self.in_flight.pardoned.entry(key.clone()).or_default() += 1;
            }
            return (Fate::Hold, 0);
        }
        let pardoned = self.in_flight.pardoned.get(key).copied();
        let tries = claim.attempt().saturating_sub(pardoned.unwrap_or(0));
        let rng = &mut self.rng;
        let fate = outcome::fate(outcome, tries, &self.link.settings, |base, cap, n| {
            backoff::Policy::exponential(base, cap).delay(n, rng)
        });
        (fate, tries)
    }

    /// When a job that a server's absence put off has its turn again. The first time it keeps its
    /// place; again and again put off, it may itself be what fails, and lets others go first.
    fn turn(&mut self, claim: &Claim<Job>) -> SystemTime {
        match claim.deferred().checked_sub(1) {
            None => claim.due(),
            Some(n) => {
                let base = self.link.settings.retry_base;
                let policy = backoff::Policy::exponential(base, RETRY_CAP.max(base));
                self.time.wall() + policy.delay(n, &mut self.rng)
            }
        }
    }

    /// A line for the log, when there is something to say.
    fn tell(&self, job: &Job, follow_up: &FollowUp, fate: &Fate, attempts: u32) {
        let name = job.words();
        let debug = |words: &str| self.log.debug(format!("{name}: {words}"));
        let info = |words: &str| self.log.info(format!("{name}: {words}"));
        let warn = |words: &str| self.log.warn(format!("{name}: {words}"));
        if let Ok(Done::Synced(synced)) = &follow_up.outcome {
            synced.owed.iter().for_each(|owed| warn(owed));
        }
        follow_up.news.iter().for_each(|news| warn(news));
        follow_up.told.iter().for_each(|told| info(told));
        match (&follow_up.outcome, fate) {
            (Ok(Done::Synced(synced)), _) => {
                synced.notes.iter().for_each(|note| debug(note));
                for (item, changes) in &synced.changes {
                    info(&words::wrote(&synced.title, changes, item));
                }
                match self.link.settings.toggles.master {
                    _ if !synced.changes.is_empty() || synced.owed.is_some() => {}
                    true => debug(words::EQUAL),
                    false => info(words::READ_ONLY),
                }
            }
            (_, Fate::Dead { kind, message }) => {
                warn(&words::failed(kind.word(), message, attempts));
            }
            (_, Fate::Done) if let Some(Step::Ended(run)) = &follow_up.step => {
                let off = words::tasks::while_off(self.link.settings.toggles.master);
                info(&format!("{}{off}", run.report.words()));
            }
            (Err(failure), Fate::Retry(delay)) => {
                let (why, word) = (&failure.why, failure.word());
                let most = outcome::most_attempts(failure, &self.link.settings);
                info(&words::next_attempt(why, word, attempts, most, *delay));
            }
            (Err(failure), Fate::Done) => info(&words::skipped(&failure.why)),
            (_, Fate::Forget) => info(words::GONE),
            (Ok(Done::Skipped(why)), _) if follow_up.scenes.len() > 1 || job.is_task() => info(why),
            (outcome, _) => debug(failure(outcome).1),
        }
    }

    /// Notes on the outage how many jobs waited for its end, those that came meanwhile too.
    pub(super) fn count_affected(&self, waiting: u64) {
        let breaker = self.link.plex.breaker();
        let outages = breaker.snapshot().outages;
        let outage = outages.ongoing();
        let known = outage.map_or(waiting, |outage| outage.jobs_affected);
        if waiting > known {
            breaker.count_affected(waiting - known);
        }
    }

    /// Plex was asked who it is: a healthy answer lets jobs run, any other counts as a failed one.
    pub(super) fn checked(
        &mut self,
        permit: Permit,
        usable: Result<(), Failure>,
        server: Option<ServerId>,
    ) {
        let Err(failure) = usable else {
            permit.ignore();
            self.in_flight.heard = Some(self.time.now());
            self.server = server;
            if self.probes.failures() > 0 {
                self.probes.passed(self.time.wall());
                self.remember_probe();
            }
            return;
        };
        self.log
            .debug(format!("Plex is not ready: {}", failure.why));
        let outcome: Outcome<Synced> = Err(failure.clone());
        let signal = self.signal("", &outcome);
        self.ramp_record(&signal);
        circuit::report(permit, &signal);
        self.announce(Some(&failure));
    }

    /// Remembers which server answered, and what is known of its libraries.
    pub(super) fn met(&mut self, verdict: &Verdict) -> queue::Result<Option<ServerId>> {
        let (Verdict::Healthy { server, .. }, Some(target)) = (verdict, &self.link.settings.plex)
        else {
            return Ok(None);
        };
        let id = &server.machine_identifier;
        let url = &target.url;
        let recognise = |tx: &Tx<'_, Job>| Ok(plex_server::recognise(tx.sql(), url, id)?);
        let met = self.db.write(recognise)?;
        self.link.probe = self.link.probe.clone().expect_server(id);
        let (Met::Ours(id) | Met::Moved(id)) = met;
        self.home = Some(id);
        if let Met::Moved(_) = met {
            // What is known of the old one is void.
            self.scheduler.changed_settings();
            self.log.warn(words::another_server());
        }
        let known = self.db.read(|db| ledger::library_fields(db, id))?;
        self.link.syncer.capabilities.load(known);
        Ok(Some(id))
    }

    /// Says what became of the circuits, once for each change.
    fn announce(&mut self, failed: Option<&Failure>) {
        let db = self.db;
        let live = || {
            let counts = db.with(|queue| queue.counts());
            counts.map_or(0, |counts| counts.live())
        };
        match self.link.plex.change() {
            None => {}
            Some(Kind::Open | Kind::ForcedOpen) => {
                self.count_affected(live());
                let left = self.link.plex.breaker().ready_in().unwrap_or_default();
                let why = failed.map_or_else(String::new, |it| words::cause(it.whose, &it.why));
                self.log.warn(words::paused(&why, live(), left));
                self.tell_of_refusal(&why);
                self.remember_cause(failed.map_or("", |failed| &failed.why));
            }
            Some(Kind::HalfOpen) => self.log.debug("circuit half open: one job is tried"),
            Some(Kind::Closed) => {
                let last_failed = failed.is_some_and(Failure::is_of_request);
                self.log.info(words::resumed(live(), last_failed));
                self.tell_of_recovery();
                self.start_ramp();
            }
        }
        match self.stash.change() {
            Some(Kind::Open | Kind::ForcedOpen) => {
                let why = failed.map_or("", |failed| &failed.why);
                self.log.warn(words::without_stash(why, live()));
            }
            Some(Kind::Closed) => self.log.info(words::worker::STASH_BACK),
            Some(Kind::HalfOpen) | None => {}
        }
    }
}

/// Writes what a job that is done leads to.
fn acknowledge(
    tx: &Tx<'_, Job>,
    claim: &Claim<Job>,
    follow_up: FollowUp,
    settings: &Settings,
) -> queue::Result<()> {
    for id in follow_up.scenes {
        tx.enqueue(scene_job(id, follow_up.force))?;
    }
    if let Some(folder) = follow_up.scan.filter(|_| settings.trigger_plex_scan) {
        // Waiting, it takes in the other new files of the folder; the first one's time counts.
        tx.enqueue(keyed(Job::PlexScan { folder }).due_in(settings.scan_delay))?;
    }
    for letter in follow_up.letters {
        tx.purge(&DeadFilter::all().job(letter))?;
    }
    let job = claim.job();
    match follow_up.step {
        Some(Step::Next(run)) => {
            tx.enqueue(keyed(Job::Reconcile(run)).priority(BULK_PRIORITY))?;
        }
        Some(Step::Ended(ended)) => {
            if ended.reach == Reach::All {
                notices::clear(tx.sql(), Topic::Damage)?;
            }
            remember(tx, meta::RECONCILED, &Ended { job, ..ended })?;
        }
        Some(Step::Listed(listed)) => remember(tx, meta::LISTED, &Listed { job, ..listed })?,
        None => {}
    }
    if let Some((server, found)) = follow_up.found {
        for item in found.gone {
            ledger::drop_item(tx.sql(), server, &item)?;
        }
        for (scene, cover, address) in found.covers {
            ledger::confirm_cover(tx.sql(), server, scene, &cover, &address)?;
        }
    }
    note_look(tx, claim, follow_up.looked)?;
    // A scene's letter stays until it is synced, however often it is found unchanged.
    let is_scene = matches!(claim.payload(), Job::Scene { .. });
    let synced = matches!(follow_up.outcome, Ok(Done::Synced(_)));
    if synced && settings.toggles.master {
        ledger::count(tx.sql(), Total::Synced)?;
    } else if is_scene {
        ledger::count(tx.sql(), Total::Skipped)?;
    }
    if !is_scene || synced {
        forget_letters(tx, claim)?;
    }
    tx.done(claim)
}

/// A stable word for how a job failed, and what happened, for its history.
fn failure<L>(outcome: &Outcome<L>) -> (&'static str, &str) {
    match outcome {
        Ok(Done::Synced(_)) => ("", ""),
        Ok(Done::Skipped(why)) => ("", why),
        Ok(Done::GoneFromStash) => ("", "deleted in Stash"),
        Err(failure) => (failure.word(), &failure.why),
    }
}
