//! The worker's loop: ask the scheduler, do it, settle what came back.

use breaker::{Breaker, Rules};
use futures_util::stream::StreamExt;
use queue::Queue;
use stash::client;

use crate::clients::Told;
use crate::core::client_errors::of_verdict;
use crate::core::outcome::Failure;
use crate::core::scheduler::{End, Next, Situation};
use crate::core::time::Time;
use crate::core::words::worker as texts;
use crate::storage::notices::{self, Topic};
use crate::storage::{meta, plex_server};
use crate::worker::circuit::Circuit;
use crate::worker::in_flight::Event;
use crate::worker::link::{self, Link};
use crate::worker::state::{WorkError, Worker};

impl<'a, T: Time> Worker<'a, T> {
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
        // Stash started that process, so it may be back.
        let _ = self.stash.breaker().suggest_trial();
        let asked = self.db.read(|db| meta::get(db, meta::SETTINGS_ASKED))?;
        if self.in_flight.asked != asked {
            self.in_flight.asked = asked;
            self.scheduler.doubt_settings();
        }
        if self.is_server_forgotten()? {
            self.scheduler.changed_settings();
        }
        self.hear_wish()
    }

    /// Whether a person had the server forgotten that this worker knows: another one may be the
    /// right one.
    fn is_server_forgotten(&self) -> queue::Result<bool> {
        let (Some(_), Some(target)) = (self.home, &self.link.settings.plex) else {
            return Ok(false);
        };
        let expected = self.db.read(|db| plex_server::expected(db, &target.url))?;
        Ok(expected.is_none())
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
        let is_other = |(new, _): &link::Found| self.link.leads_elsewhere(new);
        let corrected = found.as_ref().is_some_and(is_other);
        let forgotten = self.is_server_forgotten()?;
        let found = found.unwrap_or_else(|| ((*self.link.settings).clone(), Vec::new()));
        let stash = self.around.stash();
        // The breaker's file has one owner at a time.
        self.link.plex = Circuit::new(Breaker::new(Rules::default()));
        self.link = Link::new(found, stash, self.dir, self.log, self.time)?;
        // What kept the circuit open may be repaired.
        if corrected || forgotten {
            let tried = self.link.plex.breaker().suggest_trial();
            if corrected && tried.is_ok() {
                self.log.info(texts::TRIED_ANEW);
            }
        }
        self.scheduler.exchanged(self.link.settings.idle_timeout);
        Ok(self.begin()?)
    }

    fn settings_found(&mut self, told: Told) -> queue::Result<()> {
        if !told.session_only {
            self.db.read(|db| notices::clear(db, Topic::Login))?;
        }
        if told.read.0 != *self.link.settings {
            self.log.info(texts::SETTINGS_CHANGED);
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
                    Err(client::Error::Unauthorized) => {
                        self.has_another_login();
                    }
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
                    let judged = |failure: Failure| failure.judged(verdict.clone());
                    follow_up.outcome = follow_up.outcome.map_err(judged);
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
                self.settle(taken, follow_up)?;
            }
        }
        Ok(())
    }
}
