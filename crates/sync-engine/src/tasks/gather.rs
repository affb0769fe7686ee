//! Reading the files beside their owners: takes no lock that outlives the question, makes no file,
//! changes nothing.

use std::time::SystemTime;

use breaker::machine::Kind;
use breaker::{Document, Report, Time};
use plex_health::Schedule;
use queue::rusqlite::{self, Connection};
use queue::{DeadFilter, EventKind, JobInfo, Queue, State};
use serde::de::DeserializeOwned;

use crate::core::first_run::{Done, Known, Step};
use crate::core::job::Job;
use crate::core::reconcile::instant;
use crate::core::settings::{Settings, path_map_entry};
use crate::core::status::{
    About, Circuit, Connectivity, FailedJob, FailedType, LastProbe, OutageEntry, Outages, PathHint,
    QueueStatus, Ramp, Seen, SettingsStatus, Status, Totals, TriedJob, Worker,
};
use crate::core::words;
use crate::daemon::lock;
use crate::storage::data_dir::DataDir;
use crate::storage::first_run;
use crate::storage::ledger::{self, Total};
use crate::storage::meta;
use crate::storage::notices::{self, Topic};
use crate::storage::queue_file;
use crate::worker::{self, CIRCUIT_OF};

/// So many jobs are listed.
const LISTED: usize = 20;
/// So many jobs are looked at for tasks.
const FIRST: usize = 100;

/// What a task found out beforehand; one that asks nobody leaves this empty.
#[derive(Debug, Default)]
pub struct Told {
    /// The settings, where they could be read.
    pub settings: Option<Settings>,
    /// How reading them went.
    pub reading: Option<SettingsStatus>,
    /// How Plex is.
    pub plex: Option<Connectivity>,
    /// Why nothing can be recorded.
    pub unwritable: Option<String>,
    /// Why others may look into the data folder.
    pub exposed: Option<String>,
}

impl Told {
    /// Takes in how Plex is: one that needs no token makes a missing one no fault.
    pub fn accept(&mut self, plex: &Connectivity) {
        if plex.needs_no_token() {
            self.needs_no_token();
        }
    }

    /// A missing token is no fault.
    pub fn needs_no_token(&mut self) {
        if let Some(SettingsStatus::Done { faults, .. }) = &mut self.reading {
            faults.retain(|fault| fault.key != "plex_token");
        }
    }

    /// What a person does next, so far as it is known; nothing while Plex does not answer, which is
    /// said apart.
    fn next_step(&self, done: Done) -> Option<Step> {
        let (Some(settings), Some(SettingsStatus::Done { faults, .. })) =
            (&self.settings, &self.reading)
        else {
            return None;
        };
        let step = Known::of(settings, faults, done).next_step()?;
        let asks_plex = !matches!(step, Step::Address | Step::Token);
        let is_well = self.plex.as_ref().is_none_or(Connectivity::lets_work);
        (is_well || !asks_plex).then_some(step)
    }
}

/// What a person has done of a first run.
pub fn done(dir: &DataDir) -> Done {
    // What cannot be read is said by whoever shows it.
    let Ok(Some(queue)) = queue_file::inspected(dir) else {
        return Done::default();
    };
    first_run::done(queue.sql()).unwrap_or_default()
}

/// Everything as it is at `now`.
pub fn status(dir: &DataDir, told: Told, now: SystemTime) -> Status {
    let report = Report::read(&dir.breaker());
    let wall = instant(now);
    let document = match &report {
        Report::Known(document) => Some(&**document),
        Report::Missing | Report::Corrupted(_) => None,
    };
    let settings = told.settings.as_ref();
    let (kept, circuit_of) = kept(dir, settings);
    let target = settings.and_then(|settings| settings.plex.as_ref());
    // That of another address or token: the next worker begins with a closed one.
    let known = target.zip(circuit_of);
    let is_anothers = known.is_some_and(|(target, known)| known != worker::circuit_of(target));
    let log = match &report {
        Report::Corrupted(_) => None,
        Report::Missing => Some(breaker::OutageLog::new(wall, 1)),
        Report::Known(document) => Some(document.outage_log(wall)),
    };
    let circuit = match is_anothers {
        true => Circuit::default(),
        false => circuit(dir, &report, settings, wall),
    };
    Status {
        taken_at: wall.unix_seconds(),
        cause: kept.cause.filter(|_| circuit.holds_jobs()),
        circuit,
        next_step: told.next_step(done(dir)),
        worker: match lock::is_at_work(&dir.worker_lock()) {
            true => Worker::Running,
            false => kept.worker.clone(),
        },
        outages: log.map(|log| outages(&log, kept.totals, wall)),
        ramp: document.and_then(|document| ramp(document, settings, wall)),
        settings: told.reading,
        plex: told.plex,
        unwritable: told.unwritable,
        exposed: told.exposed,
        ..kept
    }
}

fn unix(time: SystemTime) -> f64 {
    instant(time).unix_seconds()
}

fn circuit(dir: &DataDir, report: &Report, settings: Option<&Settings>, now: Time) -> Circuit {
    let document = match report {
        Report::Missing => return Circuit::default(),
        Report::Corrupted(why) => {
            let damaged = std::fs::File::open(dir.breaker()).is_ok();
            let why = why.clone();
            return Circuit::Unknown { why, damaged };
        }
        Report::Known(document) => document,
    };
    let reason = document.reason.map(|reason| reason.as_str().to_owned());
    let reason = reason.filter(|reason| !reason.is_empty());
    let opened_at = document.opened_at.map(Time::unix_seconds);
    // A trial that is due has not run yet: while no job comes, the file goes on saying open, and so
    // does this.
    if document.kind_at(now) == Kind::ForcedOpen {
        return Circuit::ForcedOpen { opened_at, reason };
    }
    match document.state {
        Kind::Closed => Circuit::Closed {
            failures: document.failure_count,
        },
        Kind::HalfOpen => Circuit::HalfOpen { opened_at, reason },
        Kind::Open | Kind::ForcedOpen => {
            let opened = document.opened_at.unwrap_or(now);
            // Another program's document may leave the time out; the worker then counts from the
            // opening.
            let counted = || Some(opened + settings?.recovery_timeout);
            let retry_at = document.retry_at.or_else(counted);
            Circuit::Open {
                opened_at: opened.unix_seconds(),
                retry_at: retry_at.map(Time::unix_seconds),
                reason,
            }
        }
    }
}

/// A log begins with the first thing to note, which is later than the start of the first worker.
fn outages(log: &breaker::OutageLog, totals: Option<Totals>, now: Time) -> Outages {
    let figures = log.figures(now);
    let since = log.since().unix_seconds();
    let since = totals.map_or(since, |totals| totals.since.min(since));
    let downtime = figures.downtime.as_secs_f64();
    let watched = (now.unix_seconds() - since).max(downtime);
    let entry = |outage: &breaker::Outage| OutageEntry {
        started: outage.started.unix_seconds(),
        ended: outage.ended.map(Time::unix_seconds),
        duration: outage.duration(now).as_secs_f64(),
        jobs_affected: outage.jobs_affected,
        reason: outage.reason.as_str().to_owned(),
    };
    Outages {
        since,
        last: log.outages().rev().map(entry).collect(),
        ongoing: figures.ongoing,
        downtime,
        mttr: figures.mttr.map(|mean| mean.as_secs_f64()),
        mtbf: figures.mtbf.map(|mean| mean.as_secs_f64()),
        availability: match watched > 0.0 {
            true => 1.0 - downtime / watched,
            false => 1.0,
        },
    }
}

fn ramp(document: &Document, settings: Option<&Settings>, now: Time) -> Option<Ramp> {
    let shape = settings.map_or_else(Settings::default_ramp, |settings| settings.ramp)?;
    let started = document.recovered_at?.min(now);
    let rate = shape.curve().rate(now - started)?;
    (document.state == Kind::Closed).then(|| Ramp {
        rate,
        ends_at: (started + shape.duration).unix_seconds(),
    })
}

/// What the database keeps, and whose circuit it was that the last worker had.
fn kept(dir: &DataDir, settings: Option<&Settings>) -> (Status, Option<String>) {
    let hidden = settings.is_some_and(|settings| settings.obfuscate_paths);
    let looked = queue_file::inspected(dir).and_then(|queue| {
        let Some(queue) = queue else { return Ok(None) };
        let jobs = jobs(&queue).map_err(|why| queue_file::words(dir, &why))?;
        Ok(Some((jobs, queue)))
    });
    let mut kept = Status::default();
    let (jobs, queue) = match looked {
        Ok(Some(found)) => found,
        Ok(None) => return (kept, None),
        Err(why) => {
            kept.queue = Seen::Unreadable { why };
            return (kept, None);
        }
    };
    let db = queue.sql();
    // Only the worker makes the tables, so none may be there yet.
    kept.queue = Seen::Known(jobs);
    kept.totals = totals(db).unwrap_or_default();
    kept.cause = meta::get(db, meta::CAUSE).ok().flatten();
    if notices::words(db, Topic::Login).is_ok_and(|words| words.is_some()) {
        kept.worker = Worker::LoggedOut;
    }
    kept.damage = notices::words(db, Topic::Damage).ok().flatten();
    kept.never_synced = ledger::not_synced(&queue).unwrap_or_default();
    kept.left_out = ledger::left_out(db).unwrap_or_default();
    let is_set = |rule: &str| {
        let map = settings.map(|settings| &settings.path_map);
        let mut entries = map.into_iter().flatten();
        entries.any(|(from, to)| path_map_entry(from, to).is_some_and(|entry| entry == rule))
    };
    let hints = ledger::path_hints(db).unwrap_or_default().into_iter();
    let hints = hints.filter(|(rule, _)| !is_set(rule));
    let hint = |(rule, scenes)| PathHint {
        rule: (!hidden).then_some(rule),
        scenes,
    };
    kept.path_hints = hints.map(hint).collect();
    kept.last_probe = read::<Schedule>(db, meta::PROBE).and_then(|schedule| {
        Some(LastProbe {
            at: unix(schedule.last_probe()?),
            failures: schedule.failures(),
        })
    });
    kept.last_reconciliation = read(db, meta::RECONCILED);
    (kept, meta::get(db, CIRCUIT_OF).ok().flatten())
}

fn read<T: DeserializeOwned>(db: &Connection, key: &str) -> Option<T> {
    meta::read(db, key).ok().flatten()
}

fn totals(db: &Connection) -> rusqlite::Result<Option<Totals>> {
    let Some(since) = ledger::counted_since(db)? else {
        return Ok(None);
    };
    Ok(Some(Totals {
        synced: ledger::total(db, Total::Synced)?,
        failed: ledger::total(db, Total::Failed)?,
        since: since as f64 / 1000.0,
    }))
}

fn jobs(queue: &Queue<Job>) -> queue::Result<QueueStatus> {
    let counts = queue.counts()?;
    let later = queue.jobs(State::Waiting, LISTED)?;
    let next_due = later.first().map(|job| unix(job.due));
    let by_type = queue.dead_summary()?.into_iter().map(|kind| FailedType {
        advice: words::advice(&kind.error_type),
        error_type: kind.error_type,
        count: kind.count,
        newest: unix(kind.newest),
    });
    let failed = queue.dead_letters(&DeadFilter::all().limit(LISTED as u64))?;
    let failed = failed.into_iter().map(|letter| FailedJob {
        job_id: letter.id,
        about: about(&letter.payload),
        advice: words::advice(&letter.error_type),
        reason: words::reason(&letter.error_type, &letter.message).to_owned(),
        error_type: letter.error_type,
        failed_at: unix(letter.died),
    });
    let mut tried = Vec::new();
    for job in queue.jobs(State::Ready, LISTED)?.into_iter().chain(later) {
        if let Some((kind, reason)) = reason(queue, &job)?.filter(|_| tried.len() < LISTED) {
            tried.push(TriedJob {
                about: about(&job.payload),
                advice: words::advice_meanwhile(&kind),
                reason,
                attempts: job.attempts,
                due: unix(job.due),
            });
        }
    }
    Ok(QueueStatus {
        waiting: counts.ready + counts.waiting,
        tasks: tasks(queue, &[State::Ready, State::Waiting])?,
        looks: looks(queue)?,
        ready: counts.ready,
        running: counts.running,
        next_due,
        failed: counts.dead,
        failed_by_type: by_type.collect(),
        failed_jobs: failed.collect(),
        tried_jobs: tried,
        done: counts.done,
    })
}

/// How many of the first jobs are tasks.
pub fn tasks(queue: &Queue<Job>, states: &[State]) -> queue::Result<u64> {
    let mut tasks = 0;
    for state in states {
        let jobs = queue.jobs(*state, FIRST)?.into_iter();
        let jobs = jobs.filter_map(|job| serde_json::from_str(&job.payload).ok());
        tasks += jobs.filter(Job::is_task).count() as u64;
    }
    Ok(tasks)
}

/// How many of the first that wait for their time are scenes that nothing keeps from being written:
/// only another look at one that was is put off.
fn looks(queue: &Queue<Job>) -> queue::Result<u64> {
    let jobs = queue.jobs(State::Waiting, FIRST)?.into_iter();
    let untried = jobs.filter(|job| job.attempts + job.deferred == 0);
    let jobs = untried.filter_map(|job| serde_json::from_str(&job.payload).ok());
    Ok(jobs.filter(|job: &Job| job.scene().is_some()).count() as u64)
}

/// Why a job that was tried waits again.
fn reason(queue: &Queue<Job>, job: &JobInfo) -> queue::Result<Option<(String, String)>> {
    if job.attempts + job.deferred == 0 {
        return Ok(None);
    }
    let events = queue.history(job.id)?.into_iter().rev();
    let mut told = events
        .filter(|event| matches!(event.kind, EventKind::Retried | EventKind::Deferred))
        .filter_map(|event| Some((event.error_type.unwrap_or_default(), event.message?)));
    Ok(told.next())
}

fn about(payload: &str) -> About {
    let job = serde_json::from_str::<Job>(payload).ok();
    About {
        scene: job.as_ref().and_then(Job::scene),
        job: Job::words_of(payload),
        ..About::default()
    }
}
