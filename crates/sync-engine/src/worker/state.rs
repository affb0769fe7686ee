//! Everything a worker works with, and how it begins with the settings in force.

use std::time::Duration;

use backoff::SplitMix64;
use breaker::{Breaker, Rules};
use futures_util::future::FutureExt;
use plex_health::Schedule;

use crate::core::scheduler::Scheduler;
use crate::core::time::Time;
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::ledger::ServerId;
use crate::storage::log::WorkerLog;
use crate::storage::meta;
use crate::storage::notices::{self, Topic};
use crate::storage::plex_server;
use crate::worker::circuit::Circuit;
use crate::worker::corrected;
use crate::worker::in_flight::{Event, InFlight};
use crate::worker::link::{self, Link, LinkError};
use crate::worker::rising::Rising;
use crate::worker::surroundings::Surroundings;

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
pub struct Worker<'a, T> {
    pub(super) time: &'a T,
    pub(super) log: &'a WorkerLog<'a>,
    pub(super) dir: &'a DataDir,
    pub(super) db: &'a Db<'a>,
    pub(super) around: &'a Surroundings<'a>,
    pub(super) link: Link,
    pub(super) stash: Circuit,
    /// When Plex is probed.
    pub(super) probes: Schedule,
    pub(super) scheduler: Scheduler,
    pub(super) in_flight: InFlight<'a>,
    /// The Plex server, once it has shown itself to be the right one since the start and the last
    /// outage.
    pub(super) server: Option<ServerId>,
    /// The one that is on record for this address, whether it was heard of or not.
    pub(super) home: Option<ServerId>,
    pub(super) ramp: Option<Rising>,
    pub(super) rng: SplitMix64,
}

impl<'a, T: Time> Worker<'a, T> {
    /// With these settings, and what the last worker left in the database.
    ///
    /// # Errors
    /// The database cannot be read, or the settings cannot be followed.
    pub fn new(
        found: link::Found,
        (time, log): (&'a T, &'a WorkerLog<'a>),
        dir: &'a DataDir,
        db: &'a Db<'a>,
        around: &'a Surroundings<'a>,
    ) -> Result<Self, WorkError> {
        let link = Link::new(found, around.stash(), dir, log, time)?;
        let rules = Rules::default().early_trial_after(Duration::ZERO);
        let stash = Breaker::builder(rules).clock(time.clock());
        let probes = db.read(|db| meta::get(db, meta::PROBE))?;
        // A text that nobody can read counts as none.
        let probes = probes.and_then(|text| serde_json::from_str(&text).ok());
        let asked = db.read(|db| meta::get(db, meta::SETTINGS_ASKED))?;
        let mut engine = Self {
            scheduler: Scheduler::start(time.now(), link.settings.idle_timeout),
            time,
            log,
            dir,
            db,
            around,
            link,
            stash: Circuit::new(stash.build()),
            probes: probes.unwrap_or_default(),
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
    pub(super) fn begin(&mut self) -> queue::Result<()> {
        let settings = self.link.settings.clone();
        if let Some(target) = &settings.plex {
            let (url, breaker) = (&target.url, self.link.plex.breaker());
            let apply = |queue: &mut _| corrected::apply(queue, target, &settings, breaker);
            let freed = self.db.with(apply)?;
            freed.iter().for_each(|done| self.log.info(done));
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

    /// Starts something that brings an event.
    pub(super) fn spawn(&mut self, future: impl Future<Output = Event> + 'a) {
        self.in_flight.under_way.push(future.boxed_local());
    }
}
