//! How things stand: one structure, gathered without writing anything, for the log, the page and the command line.

mod words;

use std::time::{Duration, SystemTime};

use breaker::machine::Kind;
use breaker::{Document, Figures, Outage, Report};
use plex_health::Schedule;
use queue::{Options, Queue, State};
use serde::Serialize;

use crate::data_dir::DataDir;
use crate::job::Job;
use crate::ledger;
use crate::settings::Settings;
use crate::worker::{PROBE_KEY, instant};
use crate::worker_lock::WorkerLock;

pub use words::{Line, health, outages, queue};

/// Everything a person may ask for.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The Plex circuit.
    pub circuit: Circuit,
    /// A probe made now, where one was asked for.
    pub plex: Option<plex_health::Report>,
    /// The queue, or why it cannot be read.
    pub queue: Result<Jobs, String>,
    /// Whether a worker runs.
    pub worker: bool,
    /// When Plex was last probed during an outage.
    pub last_probe: Option<SystemTime>,
    /// The rate of the recovery ramp in jobs per second, while one is under way.
    pub ramp: Option<f64>,
    /// What is wrong with the settings.
    pub faults: Vec<String>,
}

/// What the breaker's file says.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Circuit {
    /// The file cannot be understood.
    Unknown {
        /// Why.
        why: String,
    },
    /// It can, or is missing, which means CLOSED.
    Known {
        /// CLOSED, OPEN or HALF_OPEN.
        kind: Kind,
        /// How long ago it opened.
        opened: Option<Duration>,
        /// When it tries again, if a timer says so.
        retry: Option<Duration>,
        /// Why it opened.
        reason: Option<String>,
        /// The last outages, oldest first.
        outages: Vec<Outage>,
        /// What follows from them.
        figures: Option<Figures>,
    },
}

/// The queue in numbers.
#[derive(Debug, Serialize)]
pub struct Jobs {
    /// Ready to run.
    pub pending: u64,
    /// Being worked on.
    pub in_flight: u64,
    /// Waiting for their time.
    pub waiting: u64,
    /// The time until the first of those is due.
    pub next_due: Option<Duration>,
    /// Done since the beginning.
    pub done: u64,
    /// Dead letters by type of error.
    pub dead: Vec<(String, u64)>,
}

impl Jobs {
    /// All dead letters.
    pub fn dead_total(&self) -> u64 {
        self.dead.iter().map(|(_, count)| count).sum()
    }

    /// All jobs that are not done.
    pub fn live(&self) -> u64 {
        self.pending + self.in_flight + self.waiting
    }
}

impl Status {
    /// Looks, and changes nothing: no lock is kept, no file made.
    pub fn look(dir: &DataDir, settings: Option<&Settings>, now: SystemTime) -> Self {
        let report = Report::read(&dir.breaker());
        let recovered = match &report {
            Report::Known(document) if document.state == Kind::Closed => document.recovered_at,
            _ => None,
        };
        let shape = settings.map_or(Settings::default_ramp(), |settings| settings.ramp);
        let ramp = shape
            .zip(recovered)
            .and_then(|(shape, started)| shape.curve().rate(instant(now) - started));
        let opened = open(dir);
        let last_probe = opened
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .and_then(last_probe);
        Self {
            circuit: circuit(report, now),
            plex: None,
            queue: opened
                .and_then(|queue| jobs(queue.as_ref(), now).map_err(|why| why.to_string())),
            worker: WorkerLock::is_held(dir).unwrap_or(false),
            last_probe,
            ramp,
            faults: Vec::new(),
        }
    }
}

/// None when no queue was made yet.
fn open(dir: &DataDir) -> Result<Option<Queue<Job>>, String> {
    if !dir.database().exists() {
        return Ok(None);
    }
    Queue::open(dir.database(), Options::inspector())
        .map(Some)
        .map_err(|why| why.to_string())
}

fn last_probe(queue: &Queue<Job>) -> Option<SystemTime> {
    let text = ledger::meta(queue.sql(), PROBE_KEY).ok()??;
    serde_json::from_str::<Schedule>(&text).ok()?.last_probe()
}

fn jobs(queue: Option<&Queue<Job>>, now: SystemTime) -> queue::Result<Jobs> {
    let Some(queue) = queue else {
        return Ok(Jobs {
            pending: 0,
            in_flight: 0,
            waiting: 0,
            next_due: None,
            done: 0,
            dead: Vec::new(),
        });
    };
    let counts = queue.counts()?;
    let first = queue.jobs(State::Waiting, 1)?;
    let next_due = first
        .first()
        .map(|job| job.due.duration_since(now).unwrap_or_default());
    let dead = queue.dead_summary()?;
    Ok(Jobs {
        pending: counts.ready,
        in_flight: counts.running,
        waiting: counts.waiting,
        next_due,
        done: counts.done,
        dead: dead
            .into_iter()
            .map(|kind| (kind.error_type, kind.count))
            .collect(),
    })
}

fn circuit(report: Report, now: SystemTime) -> Circuit {
    let at = instant(now);
    match report {
        Report::Corrupted(why) => Circuit::Unknown { why },
        Report::Missing => Circuit::Known {
            kind: Kind::Closed,
            opened: None,
            retry: None,
            reason: None,
            outages: Vec::new(),
            figures: None,
        },
        Report::Known(document) => {
            let log = document.outage_log(at);
            let Document {
                state,
                opened_at,
                retry_at,
                reason,
                outages,
                ..
            } = *document;
            Circuit::Known {
                kind: state,
                opened: opened_at.map(|opened| at - opened),
                retry: retry_at.map(|retry| retry - at),
                reason: reason.map(|reason| reason.as_str().to_owned()),
                outages,
                figures: Some(log.figures(at)),
            }
        }
    }
}
