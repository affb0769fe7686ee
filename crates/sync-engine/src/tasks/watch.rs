//! Watching the background worker at work, with progress. It changes nothing: stopping it stops no
//! work.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use breaker::Report;
use breaker::machine::Kind;
use queue::{Counts, DeadFilter, Options, Queue, State};

use crate::console::{Console, Failure};
use crate::core::job::Job;
use crate::core::reconcile::instant;
use crate::core::status::SettingsStatus;
use crate::core::words::{self, status as in_words, tasks as texts};
use crate::daemon::lock;
use crate::storage::data_dir::DataDir;
use crate::storage::ledger::{self, Total};
use crate::storage::queue_file;
use crate::storage::standstill::Standstill;
use crate::tasks::gather::{self, Told};
use crate::tasks::say;

/// Between two looks at what the worker does.
const LOOK: Duration = Duration::from_millis(200);
/// So many failed jobs are told of.
const LISTED: u64 = 20;
/// Longer than any one job, so that a worker that gets nowhere keeps no other task of Stash from
/// running.
const STALLED: Duration = Duration::from_secs(60);
/// A worker that has just been started takes its lock within this time.
const STARTING: u32 = 25;

/// How far the worker had come at some moment.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    at: SystemTime,
    done: u64,
    synced: u64,
    skipped: u64,
}

impl Mark {
    /// As it is now.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub fn of(queue: &Queue<Job>) -> queue::Result<Self> {
        Ok(Self {
            at: SystemTime::now(),
            done: queue.counts()?.done,
            synced: ledger::total(queue.sql(), Total::Synced)?,
            skipped: ledger::total(queue.sql(), Total::Skipped)?,
        })
    }
}

/// What was done since a mark, whoever asked for it: jobs that hooks add meanwhile cannot be told
/// from others.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// Jobs of all kinds.
    pub done: u64,
    /// Scenes that Plex shows as Stash has them.
    pub synced: u64,
    /// Scenes for which there was nothing to do.
    pub skipped: u64,
    /// Jobs that failed, and have not been tried again.
    pub failed: u64,
    /// What is left.
    pub counts: Counts,
    /// Of that, what a person or the timetable started: tasks, and not scenes.
    pub tasks: u64,
}

/// Why watching ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// What is left, if anything, waits for its time.
    NothingDue,
    /// What is left waits for Plex.
    CircuitOpen,
    /// The worker could do nothing, in words.
    Standstill(String),
    /// Nobody works.
    NoWorker,
    /// A worker is there, and nothing has become of its jobs for long: the disk may be full.
    Stalled,
    /// It was long enough.
    TimeUp,
}

/// Somebody who watches.
pub struct Watch<'a> {
    pub dir: &'a DataDir,
    pub console: &'a dyn Console,
    pub mark: Mark,
}

impl Watch<'_> {
    /// Opened for each look: a worker that has to repair the file must be alone with it.
    ///
    /// # Errors
    /// The queue cannot be opened; the text says what to do.
    pub fn queue(&self) -> Result<Queue<Job>, String> {
        let say = |said| self.console.error(said);
        let queue = queue_file::open(self.dir, Options::producer(), say);
        queue.map_err(|why| queue_file::words(self.dir, &why))
    }

    /// Follows the worker until nothing more can be done at once. The bar moves once `is_counted`:
    /// while the worker still finds out what is to be done, nobody knows how much that is.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub fn follow(
        &self,
        at_most: Option<Duration>,
        mut is_counted: impl FnMut(&Queue<Job>) -> queue::Result<bool>,
    ) -> Result<End, Failure> {
        let began = Instant::now();
        let (mut without, mut share) = (0, 0.0_f64);
        let mut last = (began, None);
        loop {
            let queue = self.queue()?;
            let counts = queue.counts()?;
            if is_counted(&queue)? {
                let done = counts.done.saturating_sub(self.mark.done) as f64;
                share = share.max(done / (done + counts.live() as f64).max(1.0));
                self.console.progress(share);
            }
            drop(queue);
            let at_work = lock::is_at_work(&self.dir.worker_lock());
            without = if at_work { 0 } else { without + 1 };
            if let Some(mark) = Standstill::read(self.dir).filter(|_| !at_work) {
                return Ok(End::Standstill(mark.why));
            }
            if counts.ready + counts.running == 0 {
                return Ok(End::NothingDue);
            }
            if circuit_open(self.dir) {
                return Ok(End::CircuitOpen);
            }
            if without > STARTING {
                return Ok(End::NoWorker);
            }
            let now = (counts.done, counts.dead, counts.live());
            if last.1 != Some(now) {
                last = (Instant::now(), Some(now));
            }
            if last.0.elapsed() > STALLED {
                return Ok(End::Stalled);
            }
            let left = at_most.map(|most| most.saturating_sub(began.elapsed()));
            if left == Some(Duration::ZERO) {
                return Ok(End::TimeUp);
            }
            thread::sleep(left.map_or(LOOK, |left| left.min(LOOK)));
        }
    }

    /// What came of it, with a line for each job that failed.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub fn since(&self, queue: &Queue<Job>) -> queue::Result<Since> {
        let failed = DeadFilter::all().died_from(self.mark.at);
        let letters = queue.dead_letters(&failed.clone().limit(LISTED))?;
        for (nth, letter) in letters.iter().enumerate() {
            let about = serde_json::from_str::<Job>(&letter.payload);
            let name = about.map_or_else(|_| "a change".to_owned(), |job| job.words());
            let (kind, why) = (&letter.error_type, &letter.message);
            let next = letters.get(nth + 1).map(|next| &next.error_type);
            self.console.warn(match next == Some(kind) {
                true => words::failed_alike(&name, why),
                false => words::failed_once(&name, kind, why),
            });
        }
        let now = Mark::of(queue)?;
        Ok(Since {
            done: now.done.saturating_sub(self.mark.done),
            synced: now.synced.saturating_sub(self.mark.synced),
            skipped: now.skipped.saturating_sub(self.mark.skipped),
            failed: queue.dead_keys(&failed)?.len() as u64,
            counts: queue.counts()?,
            tasks: gather::tasks(queue, &[State::Running, State::Ready, State::Waiting])?,
        })
    }

    /// Says what keeps what is left, if anything, from being done; and that nothing is written, if
    /// so.
    pub fn held_up(&self, end: &End, waiting: u64, told: Told) {
        let log = self.dir.worker_log();
        match end {
            End::Standstill(why) => self.console.warn(why),
            End::NoWorker if waiting > 0 => self.console.warn(texts::no_worker(&log)),
            End::Stalled if waiting > 0 => {
                self.console.warn(match (told.reading, self.dir.check()) {
                    (Some(SettingsStatus::Failed { why }), _) => texts::stalled_over(why),
                    (_, Err(why)) => texts::stalled_over(why),
                    _ => texts::stalled(&log),
                })
            }
            _ => {
                let status = gather::status(self.dir, told, SystemTime::now());
                say(self.console, in_words::held_up(&status));
            }
        }
    }
}

/// Whether jobs wait for Plex, and not for the next trial that is about to be.
fn circuit_open(dir: &DataDir) -> bool {
    let now = instant(SystemTime::now());
    matches!(Report::read(&dir.breaker()), Report::Known(document)
        if document.state == Kind::Open && document.retry_at.is_none_or(|at| at > now))
}
