//! The worker's loop: ask the scheduler, do it, settle what came back.

use std::time::Duration;

use backoff::SplitMix64;
use breaker::{Breaker, Rules};
use futures_util::future::FutureExt;
use futures_util::stream::StreamExt;
use plex_health::Schedule;
use queue::Queue;

use crate::clients::Told;
use crate::core::outcome::{Done, Failure, of_verdict};
use crate::core::scheduler::{End, Next, Scheduler, Situation};
use crate::core::words::worker as texts;
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::ledger::ServerId;
use crate::storage::log::Journal;
use crate::storage::notices::{self, Topic};
use crate::storage::{ledger, plex_server};
use crate::sync::Synced;
use crate::worker::circuit::Circuit;
use crate::worker::corrected;
use crate::worker::in_flight::{Event, InFlight};
use crate::worker::link::{self, Link, LinkError};
use crate::worker::ramp::Rising;
use crate::worker::surroundings::Surroundings;
use crate::worker::time::Time;

/// Where a person who wants the settings to be read anew leaves the time, in Unix milliseconds.
pub const ASKED_KEY: &str = "settings_asked";

/// Why the loop cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The queue.
    #[error(transparent)]
    Queue(#[from] queue::Error),
    /// Nothing can be sent with the settings as they are.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The settings cannot be read.
    #[error("the settings cannot be read: {0}")]
    Stash(#[from] stash::client::Error),
}

impl From<queue::rusqlite::Error> for WorkError {
    fn from(error: queue::rusqlite::Error) -> Self {
        Self::Queue(error.into())
    }
}

/// Everything a worker works with.
pub struct EventLoop<'a, T> {
    pub(super) time: &'a T,
    pub(super) journal: &'a Journal<'a>,
    pub(super) dir: &'a DataDir,
    pub(super) db: &'a Db<'a>,
    pub(super) around: &'a Surroundings<'a>,
    pub(super) link: Link,
    pub(super) stash: Circuit,
    /// When Plex is probed.
    pub(super) probes: Schedule,
    pub(super) scheduler: Scheduler,
    pub(super) in_flight: InFlight<'a>,
    /// The Plex server, once it has shown itself to be the right one since the start and the last outage.
    pub(super) server: Option<ServerId>,
    /// The one that is on record for this address, whether it was heard of or not.
    pub(super) home: Option<ServerId>,
    pub(super) ramp: Option<Rising>,
    pub(super) rng: SplitMix64,
}

impl<'a, T: Time> EventLoop<'a, T> {
    /// With these settings, and what the last worker left in the database.
    ///
    /// # Errors
    /// The database cannot be read, or the settings cannot be followed.
    pub fn new(
        found: link::Found,
        (time, journal): (&'a T, &'a Journal<'a>),
        dir: &'a DataDir,
        db: &'a Db<'a>,
        around: &'a Surroundings<'a>,
    ) -> Result<Self, WorkError> {
        let link = Link::new(found, around.stash(), dir, journal, time)?;
        let rules = Rules::default().early_trial_after(Duration::ZERO);
        let stash = Breaker::builder(rules).clock(time.clock());
        let probes = db.read(|db| ledger::meta(db, super::PROBE_KEY))?;
        let asked = db.read(|db| ledger::meta(db, ASKED_KEY))?;
        let mut engine = Self {
            scheduler: Scheduler::start(time.now(), link.settings.idle_timeout),
            time,
            journal,
            dir,
            db,
            around,
            link,
            stash: Circuit::new(stash.build()),
            // A text that nobody can read counts as none.
            probes: probes
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
            in_flight: InFlight {
                asked,
                ..InFlight::default()
            },
            server: None,
            home: None,
            ramp: None,
            rng: SplitMix64::fresh(),
        };
        engine.begin()?;
        Ok(engine)
    }

    /// Begins with the settings in force: which server they lead to, and how gently.
    fn begin(&mut self) -> queue::Result<()> {
        let settings = self.link.settings.clone();
        if let Some(target) = &settings.plex {
            let (url, breaker) = (&target.url, self.link.plex.breaker());
            let freed = self
                .db
                .with(|queue| corrected::apply(queue, target, &settings, breaker))?;
            freed.iter().for_each(|done| self.journal.info(done));
            self.db.read(|db| notices::clear(db, Topic::Settings))?;
            let server = self.db.read(|db| plex_server::expected(db, url))?;
            if let Some(server) = server {
                self.link.probe = self.link.probe.clone().expect_server(&server);
            }
        }
        self.server = None;
        self.home = match &settings.plex {
            Some(target) => self.db.read(|db| plex_server::known(db, &target.url))?,
            None => None,
        };
        self.start_ramp();
        Ok(())
    }

    /// Works until there is a reason to end.
    ///
    /// # Errors
    /// The queue cannot be read or written, or the settings cannot be followed any more.
    pub async fn run(&mut self) -> Result<End, WorkError> {
        let end = loop {
            let situation = self.situation()?;
            match self.scheduler.next(&situation) {
                Next::LookAround => self.look_around()?,
                Next::ReadSettings => self.read_settings(),
                Next::Exchange => self.exchange()?,
                Next::Probe => self.start_probe(),
                Next::CatchUp => self.start_look(),
                Next::Claim(most) => self.claim(most)?,
                Next::End(end) => break end,
                Next::Wait(until) => {
                    // A time that has come waits for what is under way, which needs the thread to
                    // get on.
                    let busy = !self.in_flight.under_way.is_empty();
                    let (db, mut changed) = (self.db, false);
                    let woken = || {
                        changed = db.with(|queue| queue.changed().unwrap_or(false));
                        changed
                    };
                    let event = tokio::select! {
                        biased;
                        Some(event) = self.in_flight.under_way.next(), if busy => Some(event),
                        () = self.time.sleep(until, busy, woken) => None,
                    };
                    if changed {
                        self.woken()?;
                    }
                    if let Some(event) = event {
                        self.handle(event)?;
                    }
                }
            }
        };
        // What is under way is given back, not waited for: at the next start it is looked at anew.
        self.db.with(Queue::release_held)?;
        Ok(end)
    }

    /// Another process wrote to the database.
    fn woken(&mut self) -> queue::Result<()> {
        self.in_flight.untidy = true;
        self.scheduler.woken(self.time.now());
        let asked = self.db.read(|db| ledger::meta(db, ASKED_KEY))?;
        if self.in_flight.asked != asked {
            self.in_flight.asked = asked;
            self.scheduler.doubt_settings();
        }
        self.hear_wish()
    }

    fn situation(&mut self) -> queue::Result<Situation> {
        let (counts, next_due) = self
            .db
            .with(|queue| -> queue::Result<_> { Ok((queue.counts()?, queue.next_due()?)) })?;
        // Read after the queue was: a ready job is due "now", and must not lie ahead.
        let clocks = self.time.read();
        let now = clocks.now;
        let probe = self.probes.next_at(clocks.wall);
        Ok(Situation {
            now,
            plex: self.link.plex.gate(now),
            stash: self.stash.gate(now),
            probe_at: self.link.plex.is_open().then(|| clocks.moment(probe)),
            ramp_at: self.ramp_at(now),
            ramp_ends: self.ramp_ends(),
            ready: counts.ready,
            running: counts.running,
            next_due: next_due.map(|due| clocks.moment(due)),
            live: counts.live(),
            home: self.home.is_some(),
        })
    }

    fn start_probe(&mut self) {
        self.scheduler.probing();
        let probe = self.link.probe.clone();
        self.spawn(async move { Event::Probed(probe.deep().await) });
    }

    /// Starts something that brings an event.
    pub(super) fn spawn(&mut self, future: impl Future<Output = Event> + 'a) {
        self.in_flight.under_way.push(future.boxed_local());
    }

    fn read_settings(&mut self) {
        self.scheduler.reading_settings();
        let (asked, around) = (self.time.now(), self.around);
        self.spawn(async move {
            around.watch_settings().await;
            Event::Settings(asked, link::read(around.stash()).await)
        });
    }

    /// Goes on with the settings that were found, or with the same ones and another server.
    fn exchange(&mut self) -> Result<(), WorkError> {
        let found = self.in_flight.found.take();
        let corrected = found
            .as_ref()
            .is_some_and(|(new, _)| self.link.leads_elsewhere(new));
        let found = found.unwrap_or_else(|| ((*self.link.settings).clone(), Vec::new()));
        let stash = self.around.stash();
        // The breaker's file has one owner at a time.
        self.link.plex = Circuit::new(Breaker::new(Rules::default()));
        self.link = Link::new(found, stash, self.dir, self.journal, self.time)?;
        // What kept the circuit open may be repaired.
        if corrected && self.link.plex.breaker().suggest_trial().is_ok() {
            self.journal.info(texts::TRIED_ANEW);
        }
        self.scheduler.exchanged(self.link.settings.idle_timeout);
        Ok(self.begin()?)
    }

    fn settings_found(&mut self, told: Told) -> queue::Result<()> {
        if !told.session_only {
            self.db.read(|db| notices::clear(db, Topic::Login))?;
        }
        if told.read.0 != *self.link.settings {
            self.journal.info(texts::SETTINGS_CHANGED);
            self.in_flight.found = Some(told.read);
            self.scheduler.changed_settings();
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> queue::Result<()> {
        match event {
            Event::Settings(asked, found) => {
                self.scheduler.kept_settings(asked);
                match found {
                    Ok(told) => self.settings_found(told)?,
                    // While Stash is away, the old settings serve.
                    Err(_) => drop(self.renew_connection()),
                }
            }
            Event::Probed(report) => {
                self.scheduler.probed();
                self.met(&report.verdict)?;
                self.probed(&report);
            }
            Event::Checked(permit, report) => {
                self.scheduler.checked();
                let server = self.met(&report.verdict)?;
                self.checked(permit, of_verdict(&report.verdict), server);
            }
            Event::Judged(report, verdict) => {
                self.met(&report.verdict)?;
                for (taken, mut follow_up) in std::mem::take(&mut self.in_flight.doubtful) {
                    follow_up.outcome = follow_up
                        .outcome
                        .map_err(|failure| failure.judged(verdict.clone()));
                    self.settle(taken, follow_up)?;
                }
            }
            Event::Fetched(fetched) => self.fetched(fetched)?,
            Event::Looked(look) => self.looked(look)?,
            Event::Ended(taken, follow_up) => {
                let follow_up = (*follow_up)?;
                self.blame_stash(&follow_up.outcome);
                if follow_up.outcome.as_ref().is_err_and(Failure::is_doubtful) {
                    if self.in_flight.doubtful.is_empty() {
                        self.start_judging();
                    }
                    self.in_flight.doubtful.push((taken, follow_up));
                    return Ok(());
                }
                if let Ok(Done::Synced(Synced {
                    owed: Some(why), ..
                })) = &follow_up.outcome
                {
                    let name = taken.claim.payload().words();
                    self.journal.warn(format!("{name}: {why}"));
                }
                self.settle(taken, follow_up)?;
            }
        }
        Ok(())
    }
}
