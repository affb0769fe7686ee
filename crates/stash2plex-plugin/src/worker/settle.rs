//! What becomes of a job that has ended, and what a person reads about it.

use std::time::SystemTime;

use breaker::machine::Kind;
use plex_health::Verdict;
use queue::{DeadFilter, NewJob, Tx};

use super::chores::Errand;
use super::circuit::{self, Change, Leave};
use super::engine::Engine;
use super::memory::{Memory, Taken};
use super::time::Time;
use crate::home::{self, Met};
use crate::job::{Job, scene_key};
use crate::ledger;
use crate::outcome::{Fate, Outcome, RETRY_CAP, Signal, TripReason};
use crate::reconcile::Step;
use crate::status::words::count;
use crate::sync::{Synced, late};

/// Scenes queued by one transaction of a bulk job.
const BULK: usize = 1000;
/// Bulk work waits behind what people just saved.
pub const BULK_PRIORITY: i32 = 10;

/// Where the last reconciliation is remembered.
pub const RECONCILED_KEY: &str = "reconciliation";

/// What an earlier job about the same thing died of is of no interest when a later one has an end of its own.
fn forget_letters(tx: &Tx<'_, Job>, claim: &queue::Claim<Job>) -> queue::Result<()> {
    match claim.key() {
        Some(key) => tx.purge(&DeadFilter::all().key(key)).map(drop),
        None => Ok(()),
    }
}

/// A failed probe in the words of a job's end.
pub fn of_verdict<L>(verdict: &Verdict) -> Outcome<L> {
    let why = verdict.to_string();
    match verdict {
        Verdict::Unauthorized { .. } => Outcome::Unauthorized(why),
        Verdict::WrongServer { .. } => Outcome::WrongServer(why),
        Verdict::Starting { .. } => Outcome::Starting(why),
        _ => Outcome::Unreachable(why),
    }
}

impl<T: Time> Engine<'_, T> {
    /// Settles a scene's job.
    pub(super) fn settle(
        &mut self,
        taken: Taken,
        outcome: Outcome<Synced>,
        memory: &mut Memory,
    ) -> queue::Result<()> {
        self.settle_errand(taken, Errand::from(outcome), memory)
    }

    /// Settles a job, with the jobs it leads to in the same transaction.
    pub(super) fn settle_errand(
        &mut self,
        taken: Taken,
        errand: Errand,
        memory: &mut Memory,
    ) -> queue::Result<()> {
        let Taken { claim, leave } = taken;
        let signal = match errand.outcome.signal() {
            // A trial is a probe and a job. The probe has passed, or the job would not have run; a job that needs
            // nothing of Plex must not leave an outage that is over open for good.
            Signal::Neutral
                if self.plex.breaker().kind() == Kind::HalfOpen
                    && !matches!(errand.outcome, Outcome::StashAway(_)) =>
            {
                Signal::Success
            }
            signal => signal,
        };
        self.ramp_record(&signal);
        circuit::report(leave, &signal);
        self.verified &= self.plex.breaker().kind() != Kind::Open;
        let rng = &mut self.rng;
        let why_open = why_open(&errand.outcome);
        let fate = errand
            .outcome
            .fate(claim.attempt(), self.settings, |base, cap, n| {
                backoff::Policy::exponential(base, cap).delay(n, rng)
            });
        self.tell(claim.payload(), &errand, &fate);
        let now = self.time.now();
        let stays = matches!(fate, Fate::Retry(_) | Fate::Hold);
        self.lasting.ended += u64::from(!stays);
        let settled = match fate {
            Fate::Done => self.acknowledge(&claim, errand),
            Fate::Forget => self.queue.transaction(|tx| {
                if let Job::Scene { id, .. } = claim.payload() {
                    ledger::remove(tx.sql(), *id)?;
                }
                forget_letters(tx, &claim)?;
                tx.done(&claim)
            }),
            Fate::Retry(delay) => {
                let (kind, why) = errand.outcome.failure();
                self.queue.retry_at(claim, now + delay, kind, why)
            }
            Fate::Hold => {
                let due = self.turn(&claim);
                self.queue.defer(claim, due, errand.outcome.failure().1)
            }
            Fate::Dead { kind, message } => self.queue.transaction(|tx| {
                forget_letters(tx, &claim)?;
                tx.dead(&claim, kind.word(), &message)
            }),
        };
        memory.settled();
        self.lasting.idle = now;
        if self.drain {
            let (ended, left) = (
                self.lasting.ended as f64,
                self.queue.counts()?.live() as f64,
            );
            self.journal.progress(ended / (ended + left).max(1.0));
        }
        match settled {
            // Cancelled or taken over meanwhile: it was or will be done elsewhere.
            Err(queue::Error::LeaseLost { .. }) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        self.announce(&why_open);
        Ok(())
    }

    fn acknowledge(&mut self, claim: &queue::Claim<Job>, errand: Errand) -> queue::Result<()> {
        let mut scenes = errand.scenes;
        if let Some((of, id)) = errand.of {
            scenes.extend(ledger::scenes_of(self.queue.sql(), of, id)?);
        }
        scenes.sort_unstable();
        scenes.dedup();
        let (scan, force) = (
            errand.scan.filter(|_| self.settings.trigger_plex_scan),
            errand.force,
        );
        let mut chunks = scenes.chunks(BULK).peekable();
        // All but the last chunk go ahead of the acknowledgement: repeated after a crash, they coalesce by key.
        while let Some(chunk) = chunks.next_if(|_| scenes.len() > BULK) {
            self.queue
                .enqueue_all(chunk.iter().map(|id| scene_job(*id, force)))?;
        }
        self.queue.transaction(|tx| {
            for id in chunks.flatten() {
                tx.enqueue(scene_job(*id, force))?;
            }
            if let Some(folder) = scan {
                let job = Job::PlexScan { folder };
                let key = job.key();
                // Waiting, it takes in the other new files of the folder; the first one's time counts.
                tx.enqueue(NewJob::new(job).key(key).due_in(self.settings.scan_delay))?;
            }
            for letter in errand.letters {
                tx.purge(&DeadFilter::all().job(letter))?;
            }
            match errand.step {
                Some(Step::Next(run)) => {
                    let job = Job::Reconcile(run);
                    let key = job.key();
                    tx.enqueue(NewJob::new(job).key(key).priority(BULK_PRIORITY))?;
                }
                Some(Step::Ended(ended)) => {
                    // Nothing in it can fail to be text.
                    let text = serde_json::to_string(&ended).unwrap_or_default();
                    ledger::set_meta(tx.sql(), RECONCILED_KEY, &text)?;
                }
                None => {}
            }
            if let (Job::Scene { id, .. }, Outcome::Synced(synced)) =
                (claim.payload(), &errand.outcome)
            {
                ledger::put(tx.sql(), *id, &synced.row)?;
                if synced.row.written.may_be_overtaken() {
                    let look_again = late(self.settings);
                    tx.enqueue(scene_job(*id, true).due_in(look_again))?;
                }
            }
            forget_letters(tx, claim)?;
            tx.done(claim)
        })
    }

    /// When a job that a server's absence put off has its turn again. The first time it keeps its place; again and again put
    /// off, it may itself be what fails, and lets others go first.
    fn turn(&mut self, claim: &queue::Claim<Job>) -> SystemTime {
        match claim.deferred().checked_sub(1) {
            None => claim.due(),
            Some(n) => {
                let base = self.settings.retry_base;
                let policy = backoff::Policy::exponential(base, RETRY_CAP.max(base));
                self.time.now() + policy.delay(n, &mut self.rng)
            }
        }
    }

    /// A line for the log, when there is something to say.
    fn tell(&self, job: &Job, errand: &Errand, fate: &Fate) {
        let name = job.words();
        if let Outcome::Synced(synced) = &errand.outcome {
            let notes = synced.notes.iter();
            notes.for_each(|note| self.journal.debug(format!("{name}: {note}")));
        }
        match (&errand.outcome, fate) {
            (Outcome::Synced(synced), _) if synced.changes.is_empty() => {
                self.journal.debug(format!("{name}: Plex is equal already"));
            }
            (Outcome::Synced(synced), _) => {
                let changes = synced.changes.join(", ");
                self.journal
                    .info(format!("{name}: wrote {changes} to Plex"));
            }
            (_, Fate::Dead { kind, message }) => {
                self.journal
                    .warn(format!("{name}: set aside as {}: {message}", kind.word()));
            }
            (_, Fate::Done) if let Some(Step::Ended(run)) = &errand.step => {
                let words = run.report.words();
                self.journal.info(format!("{name}: {words}"));
            }
            (outcome, Fate::Retry(delay)) => {
                let (seconds, why) = (delay.as_secs_f64(), outcome.failure().1);
                self.journal
                    .info(format!("{name}: {why}; next try in {seconds:.0} s"));
            }
            (_, Fate::Forget) => self
                .journal
                .info(format!("{name}: deleted in Stash, forgotten")),
            (Outcome::Skipped(why), _)
                if errand.scenes.len() > 1 || matches!(job, Job::Bulk { .. }) =>
            {
                let scenes = count(errand.scenes.len() as u64, "scene", "scenes");
                self.journal.info(format!("{name}: {why}, {scenes} queued"));
            }
            (outcome, _) => self
                .journal
                .debug(format!("{name}: {}", outcome.failure().1)),
        }
    }

    /// Notes on the outage how many jobs waited for its end, those that came meanwhile too.
    pub(super) fn count_affected(&self, waiting: u64) {
        let breaker = self.plex.breaker();
        let known = breaker
            .snapshot()
            .outages
            .ongoing()
            .map_or(waiting, |o| o.jobs_affected);
        if waiting > known {
            breaker.count_affected(waiting - known);
        }
    }

    /// Plex was asked who it is: a healthy answer lets jobs run, any other counts as a failed one.
    pub(super) fn checked(&mut self, leave: Leave, verdict: &Verdict) {
        if verdict.is_healthy() {
            leave.ignore();
            self.verified = true;
            if self.schedule.failures() > 0 {
                self.schedule.passed(self.time.now());
                self.remember_probe();
            }
            return;
        }
        let outcome = of_verdict::<()>(verdict);
        let signal = outcome.signal();
        self.ramp_record(&signal);
        circuit::report(leave, &signal);
        self.journal.debug(format!("Plex is not ready: {verdict}"));
        self.announce(&why_open(&outcome));
    }

    /// Remembers which server answered.
    pub(super) fn met(&mut self, verdict: &Verdict, memory: &mut Memory) -> queue::Result<()> {
        let (Verdict::Healthy { server, .. }, Some(target)) = (verdict, &self.settings.plex) else {
            return Ok(());
        };
        let id = &server.machine_identifier;
        let met = self
            .queue
            .transaction(|tx| -> queue::Result<_> { Ok(home::meet(tx.sql(), &target.url, id)?) })?;
        self.probe = self.probe.clone().expect_server(id);
        if met == Met::Moved {
            memory.moved = true;
            self.journal.warn(
                "Plex is another server than before: what was written to the old one is forgotten. Reconcile All \
                 Scenes fills the new one",
            );
        }
        Ok(())
    }

    /// Says what became of the circuits, once for each change.
    fn announce(&mut self, why_open: &str) {
        let live = self.queue.counts().map_or(0, |counts| counts.live());
        let waiting = count(live, "job waits", "jobs wait");
        match self.plex.change() {
            None => {}
            Some(Change::Opened) => {
                self.count_affected(live);
                let left = self.plex.breaker().ready_in().unwrap_or_default();
                let seconds = left.as_secs_f64();
                self.journal.warn(format!(
                    "{why_open}: circuit open, {waiting}; next try in {seconds:.0} s"
                ));
            }
            Some(Change::Trying) => self.journal.debug("circuit half open: one job is tried"),
            Some(Change::Closed) => {
                self.journal
                    .info(format!("Plex is back: circuit closed, {waiting}"));
                self.start_ramp();
            }
        }
        match self.stash.change() {
            Some(Change::Opened) => {
                self.journal
                    .warn(format!("{why_open}. {waiting} for Stash"));
            }
            Some(Change::Closed) => self.journal.info("Stash is back"),
            Some(Change::Trying) | None => {}
        }
    }
}

/// What a person reads when this opens the circuit.
fn why_open<L>(outcome: &Outcome<L>) -> String {
    let why = outcome.failure().1;
    if let Outcome::StashAway(_) = outcome {
        return why.to_owned();
    }
    let words = match outcome.signal() {
        Signal::Trip(TripReason::Unauthorized) => {
            "Plex refuses the token: enter a token of the server's owner. Nothing is lost"
        }
        Signal::Trip(TripReason::WrongServer) => {
            "Another Plex server answers at plex_url, and nothing is written to it: correct plex_url, or run Clear Match \
             Cache if it is your new server. Nothing is lost"
        }
        Signal::Trip(TripReason::NoLibrary) => why,
        _ => return format!("Plex is away ({why})"),
    };
    words.to_owned()
}

fn scene_job(id: u64, force: bool) -> NewJob<Job> {
    NewJob::new(Job::Scene { id, force })
        .key(scene_key(id))
        .merge(Job::merge)
        .priority(BULK_PRIORITY)
}
