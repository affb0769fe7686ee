//! What becomes of a job that has ended, and what a person reads about it.

use std::time::SystemTime;

use breaker::machine::Kind;
use plex_health::Verdict;
use queue::{DeadFilter, NewJob, Tx};

use super::chores::Errand;
use super::circuit::{self, Change, Leave};
use super::engine::{Engine, is_of_stash};
use super::memory::{Memory, Taken};
use super::time::Time;
use crate::home::{self, Met};
use crate::job::{Job, scene_key};
use crate::ledger::{self, ServerId};
use crate::notice;
use crate::outcome::{self, Done, Failure, Fate, Outcome, RETRY_CAP, Signal, Trouble, Whose};
use crate::reconcile::Step;
use crate::settings::Settings;
use crate::status::words::count;
use crate::sync::{Record, Synced, late};

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

/// Writes what a scene's job leaves on record, and queues the scenes that must be looked at for that.
fn record_and_queue(
    tx: &Tx<'_, Job>,
    record: Option<Record>,
    settings: &Settings,
) -> queue::Result<()> {
    let Some(record) = record else { return Ok(()) };
    let again = record.may_be_overtaken().then(|| record.scene());
    for id in record.apply(tx)? {
        tx.enqueue(scene_job(id, true))?;
    }
    if let Some(id) = again {
        tx.enqueue(scene_job(id, true).due_in(late(settings)))?;
    }
    Ok(())
}

impl<'a, T: Time> Engine<'a, T> {
    /// Settles a job, with what it leaves on record and the jobs it leads to in the same transaction.
    pub(super) fn settle(
        &mut self,
        taken: Taken,
        mut errand: Errand,
        memory: &mut Memory<'a>,
    ) -> queue::Result<()> {
        let Taken { claim, leave } = taken;
        let key = claim.key().unwrap_or_default().to_owned();
        let signal = match self.signal(&key, &errand.outcome) {
            // A trial is a probe and a job. The probe has passed, or the job would not have run; a job that needs
            // nothing of Plex must not leave an outage that is over open for good.
            Signal::Neutral
                if self.plex.breaker().kind() == Kind::HalfOpen
                    && !is_of_stash(&errand.outcome) =>
            {
                Signal::Success
            }
            signal => signal,
        };
        self.ramp_record(&signal);
        circuit::report(leave, &signal);
        self.server = self
            .server
            .filter(|_| self.plex.breaker().kind() != Kind::Open);
        let why_open = why_open(&errand.outcome);
        let fate = self.fate(&claim, &key, &errand.outcome);
        self.tell(claim.payload(), &errand, &fate);
        let now = self.time.now();
        let stays = matches!(fate, Fate::Retry(_) | Fate::Hold);
        self.lasting.ended += u64::from(!stays);
        let record = errand.record.take();
        let (db, settings) = (self.db, self.settings);
        let settled = match fate {
            Fate::Done => self.acknowledge(&claim, errand, record),
            Fate::Forget => db.write(|tx| {
                if let Job::Scene { id, .. } = claim.payload() {
                    for waiting in ledger::forget_scene(tx.sql(), *id)? {
                        tx.enqueue(scene_job(waiting, true))?;
                    }
                }
                forget_letters(tx, &claim)?;
                tx.done(&claim)
            }),
            Fate::Retry(delay) => db.write(|tx| {
                let (word, why) = failure(&errand.outcome);
                record_and_queue(tx, record, settings)?;
                tx.retry_at(&claim, now + delay, word, why)
            }),
            Fate::Hold => {
                let due = self.turn(&claim);
                db.write(|tx| {
                    record_and_queue(tx, record, settings)?;
                    tx.defer(&claim, due, failure(&errand.outcome).1)
                })
            }
            Fate::Dead { kind, message } => db.write(|tx| {
                record_and_queue(tx, record, settings)?;
                forget_letters(tx, &claim)?;
                notice::failed(tx, &claim.payload().words(), kind.word(), &message)?;
                tx.dead(&claim, kind.word(), &message)
            }),
        };
        memory.settled();
        self.lasting.idle = now;
        if self.drain {
            let (ended, left) = (
                self.lasting.ended as f64,
                self.db.with(|queue| queue.counts())?.live() as f64,
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

    /// What the circuit is told of a job's end.
    fn signal(&mut self, key: &str, outcome: &Outcome<Synced>) -> Signal {
        let lasting = &mut *self.lasting;
        let signal = outcome::signal(outcome, || lasting.failing.insert(key.to_owned()));
        match signal {
            Signal::Neutral => {}
            Signal::Success => {
                lasting.heard = Some(self.time.now());
                lasting.failing.clear();
                lasting.pardoned.remove(key);
            }
            // Another server may answer next.
            Signal::Failure | Signal::Trip(_) => lasting.heard = None,
        }
        signal
    }

    /// What becomes of the job. The tries over which the circuit opened do not count.
    fn fate(&mut self, claim: &queue::Claim<Job>, key: &str, outcome: &Outcome<Synced>) -> Fate {
        let opened = self.plex.breaker().kind() == Kind::Open;
        if opened
            && matches!(
                outcome,
                Err(Failure {
                    whose: Whose::Request(_),
                    ..
                })
            )
        {
            for key in &self.lasting.failing {
                *self.lasting.pardoned.entry(key.clone()).or_default() += 1;
            }
            return Fate::Hold;
        }
        let pardoned = self.lasting.pardoned.get(key).copied().unwrap_or_default();
        let tries = claim.attempt().saturating_sub(pardoned);
        let rng = &mut self.rng;
        outcome::fate(outcome, tries, self.settings, |base, cap, n| {
            backoff::Policy::exponential(base, cap).delay(n, rng)
        })
    }

    fn acknowledge(
        &mut self,
        claim: &queue::Claim<Job>,
        errand: Errand,
        record: Option<Record>,
    ) -> queue::Result<()> {
        let mut scenes = errand.scenes;
        if let Some((of, id)) = errand.of {
            scenes.extend(self.db.read(|db| ledger::scenes_of(db, of, id))?);
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
            let jobs = chunk.iter().map(|id| scene_job(*id, force));
            self.db.with(|queue| queue.enqueue_all(jobs))?;
        }
        let settings = self.settings;
        self.db.write(|tx| {
            for id in chunks.flatten() {
                tx.enqueue(scene_job(*id, force))?;
            }
            if let Some(folder) = scan {
                let job = Job::PlexScan { folder };
                let key = job.key();
                // Waiting, it takes in the other new files of the folder; the first one's time counts.
                tx.enqueue(NewJob::new(job).key(key).due_in(settings.scan_delay))?;
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
            if let Some((server, gone)) = errand.gone {
                for item in gone {
                    ledger::drop_item(tx.sql(), server, &item)?;
                }
            }
            record_and_queue(tx, record, settings)?;
            // A scene's letter stays until it is synced, however often it is found unchanged.
            let is_scene = matches!(claim.payload(), Job::Scene { .. });
            if !is_scene || matches!(errand.outcome, Ok(Done::Synced(_))) {
                forget_letters(tx, claim)?;
            }
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
        for news in &errand.news {
            self.journal.warn(format!("{name}: {news}"));
        }
        for told in &errand.told {
            self.journal.info(format!("{name}: {told}"));
        }
        if let Ok(Done::Synced(synced)) = &errand.outcome {
            let notes = synced.notes.iter();
            notes.for_each(|note| self.journal.debug(format!("{name}: {note}")));
        }
        match (&errand.outcome, fate) {
            (Ok(Done::Synced(synced)), _) if synced.changes.is_empty() => {
                self.journal.debug(format!("{name}: Plex is equal already"));
            }
            (Ok(Done::Synced(synced)), _) => {
                for (item, changes) in &synced.changes {
                    let changes = changes.join(", ");
                    self.journal
                        .info(format!("{name}: wrote {changes} to Plex item {item}"));
                }
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
                let (seconds, why) = (delay.as_secs_f64(), failure(outcome).1);
                self.journal
                    .info(format!("{name}: {why}; next try in {seconds:.0} s"));
            }
            (_, Fate::Forget) => self
                .journal
                .info(format!("{name}: deleted in Stash, forgotten")),
            (Ok(Done::Skipped(why)), _)
                if errand.scenes.len() > 1 || matches!(job, Job::Bulk { .. }) =>
            {
                let scenes = count(errand.scenes.len() as u64, "scene", "scenes");
                self.journal.info(format!("{name}: {why}, {scenes} queued"));
            }
            (outcome, _) => self
                .journal
                .debug(format!("{name}: {}", failure(outcome).1)),
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
    pub(super) fn checked(
        &mut self,
        leave: Leave,
        usable: Result<(), Failure>,
        server: Option<ServerId>,
    ) {
        let Err(failure) = usable else {
            leave.ignore();
            self.lasting.heard = Some(self.time.now());
            self.server = server;
            if self.schedule.failures() > 0 {
                self.schedule.passed(self.time.now());
                self.remember_probe();
            }
            return;
        };
        self.journal
            .debug(format!("Plex is not ready: {}", failure.why));
        let outcome: Outcome<Synced> = Err(failure);
        let signal = self.signal("", &outcome);
        self.ramp_record(&signal);
        circuit::report(leave, &signal);
        self.announce(&why_open(&outcome));
    }

    /// Remembers which server answered, and what is known of its libraries.
    pub(super) fn met(
        &mut self,
        verdict: &Verdict,
        memory: &mut Memory<'a>,
    ) -> queue::Result<Option<ServerId>> {
        let (Verdict::Healthy { server, .. }, Some(target)) = (verdict, &self.settings.plex) else {
            return Ok(None);
        };
        let id = &server.machine_identifier;
        let met = self
            .db
            .write(|tx| Ok(home::meet(tx.sql(), &target.url, id)?))?;
        self.probe = self.probe.clone().expect_server(id);
        let (Met::Ours(id) | Met::Moved(id)) = met;
        if let Met::Moved(_) = met {
            memory.moved = true;
            self.journal.warn(
                "plex_url leads to another Plex server than before. Its items are treated as new; what was written to the \
                 other one stays on record. If this is a mistake, correct plex_url now; else Reconcile All Scenes fills it",
            );
        }
        let known = self.db.read(|db| ledger::library_fields(db, id))?;
        self.syncer.remember(known);
        Ok(Some(id))
    }

    /// Says what became of the circuits, once for each change.
    fn announce(&mut self, why_open: &str) {
        let live = self
            .db
            .with(|queue| queue.counts())
            .map_or(0, |counts| counts.live());
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
                self.tell_of_refusal(why_open);
            }
            Some(Change::Trying) => self.journal.debug("circuit half open: one job is tried"),
            Some(Change::Closed) => {
                self.journal
                    .info(format!("Plex is back: circuit closed, {waiting}"));
                self.tell_of_recovery();
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
    let Err(failure) = outcome else {
        return "Plex answers".to_owned();
    };
    let why = &failure.why;
    match failure.whose {
        Whose::Stash | Whose::Plex(Trouble::NoLibrary) => why.clone(),
        Whose::Plex(Trouble::Unauthorized) => format!(
            "Plex refuses the token ({why}): enter a token of the server's owner. Nothing is lost"
        ),
        Whose::Plex(Trouble::WrongServer) => {
            "Another Plex server answers at plex_url, and nothing is written to it: correct plex_url, or run Clear Match \
             Cache if it is your new server. Nothing is lost"
                .to_owned()
        }
        Whose::Request(_) => format!("Plex answers, but different scenes fail one after the other ({why})"),
        _ => format!("Plex is away ({why})"),
    }
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

/// A job about a scene, behind what people just saved.
pub(super) fn scene_job(id: u64, force: bool) -> NewJob<Job> {
    NewJob::new(Job::Scene { id, force })
        .key(scene_key(id))
        .merge(Job::merge)
        .priority(BULK_PRIORITY)
}
