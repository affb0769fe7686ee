//! The worker as a process: the lock, the settings, the loop, what to do when the disk fails, and
//! handing over at the end.

use std::cell::Cell;
use std::io::{self, Read};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use backoff::{Policy, SplitMix64};
use queue::rusqlite::Connection;
use queue::{Options, Queue};
use stash::connection::ServerConnection;

use crate::clients::{Told, stored};
use crate::core::job::Job;
use crate::core::reconcile::unix_millis;
use crate::core::scheduler::End;
use crate::core::words::worker as texts;
use crate::daemon::lock::{self, Role, WorkerLock};
use crate::daemon::process;
use crate::daemon::program::Program;
use crate::start::{self, Start};
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::log::WorkerLog;
use crate::storage::notices::{self, Topic};
use crate::storage::standstill::Standstill;
use crate::storage::{connection, ledger, plex_server, queue_file};
use crate::worker::link::{self, LinkError};
use crate::worker::next_step;
use crate::worker::recording::scene_job;
use crate::worker::state::{WorkError, Worker};
use crate::worker::surroundings::Surroundings;
use crate::worker::system_timer::SystemTimer;

/// A starting worker waits this long for a lock that a hook holds while it looks, or a worker that
/// is being killed.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// A program that is being copied cannot be started before it is whole.
const UPDATE_PATIENCE: Duration = Duration::from_secs(10);

/// The worker lock keeps a second worker away and a dead one's jobs are known at once, so a claim
/// may outlast the slowest job: the listing of a large library, or the last of sixteen scenes that
/// wait for their turn to write.
const LEASE: Duration = Duration::from_secs(24 * 3600);

/// Runs as the worker; `stdin` carries the Stash connection.
pub fn run(stdin: impl Read) -> ExitCode {
    process::own_session();
    let Ok(connection) = ServerConnection::take_over(stdin) else {
        return ExitCode::from(2);
    };
    let Ok(dir) = DataDir::create(&connection.dir) else {
        return ExitCode::from(1);
    };
    let log = WorkerLog::file(&dir.worker_log());
    let served = serve(connection, &dir, &log);
    served.unwrap_or_else(|why| {
        log.error(match why.downcast_ref() {
            Some(why) => queue_file::words(&dir, why),
            None => why.to_string(),
        });
        ExitCode::from(1)
    })
}

/// Works for as long as there may be something to do.
fn serve(
    mut connection: ServerConnection,
    dir: &DataDir,
    log: &WorkerLog<'_>,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let program = start::copied_from();
    let program = program.map_or_else(Program::current, Program::copied_from);
    let Some(mut lock) = patient_lock(dir)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut blind = false;
    loop {
        log.info(texts::started(env!("CARGO_PKG_VERSION")));
        let around = Surroundings::new(dir, &lock, &program, connection)?;
        let around = &around;
        let life = Life { dir, log, around };
        let ended = runtime.block_on(life.work_on());
        connection = around.connection();
        let (seen, settings) = (around.seen.get(), around.settings());
        let code = tell_end(dir, log, &ended);
        if matches!(ended, Ok(End::Idle | End::SessionRefused)) && connection::left_at(dir) == seen
        {
            connection::forget(dir);
        }
        let ours = lock.guards(&dir.worker_lock());
        drop(lock);
        if matches!(ended, Ok(End::Stopped)) || !ours {
            return Ok(code);
        }
        if matches!(ended, Ok(End::Replaced)) {
            hand_over(&program, dir, &connection, log);
            return Ok(code);
        }
        // A hook that looked before the lock was free saw a worker and started none: its job is
        // ours. Its connection may be better than that which ended, and the settings other than
        // those with which nothing could be done.
        let newest = (connection::left_at(dir) != seen).then(|| connection::read(dir));
        let newer = newest.flatten().filter(|newer| *newer != connection);
        let can_work = match &ended {
            Ok(End::Idle | End::Removed) => true,
            // Where their file is not known, once more is enough: the next save starts another.
            Err(WorkError::Link(_)) if settings.path.is_none() => {
                !std::mem::replace(&mut blind, true)
            }
            Err(WorkError::Link(_)) => settings.has_changed(),
            _ => newer.is_some(),
        };
        if !can_work || !start::is_work_left(dir)? {
            return Ok(code);
        }
        connection = newer.unwrap_or(connection);
        match WorkerLock::try_take(&dir.worker_lock(), Role::Worker)? {
            Some(again) => lock = again,
            None => return Ok(code),
        }
    }
}

/// Says how a worker has ended.
fn tell_end(dir: &DataDir, log: &WorkerLog<'_>, ended: &Result<End, WorkError>) -> ExitCode {
    match ended {
        Ok(end) => log.info(texts::ends(texts::end(*end))),
        // What the user wants is no error.
        Err(WorkError::Link(off @ LinkError::Disabled)) => {
            log.info(texts::ends(off));
        }
        Err(why) => {
            log.error(match why {
                WorkError::Queue(why) => queue_file::words(dir, why),
                why => why.to_string(),
            });
            return ExitCode::from(1);
        }
    }
    ExitCode::SUCCESS
}

fn hand_over(program: &Program, dir: &DataDir, connection: &ServerConnection, log: &WorkerLog<'_>) {
    let Some(program) = &program.path else {
        return;
    };
    // It may still be on its way to its place.
    let began = Instant::now();
    loop {
        match start::ensure_worker_of(program, dir, connection, Start::Always) {
            Ok(_) => return,
            Err(_) if began.elapsed() < UPDATE_PATIENCE => {
                std::thread::sleep(Duration::from_millis(100));
            }
            // It was removed, as was said.
            Err(why) if why.kind() == io::ErrorKind::NotFound => return,
            Err(why) => return log.warn(texts::not_handed_over(why)),
        }
    }
}

fn patient_lock(dir: &DataDir) -> io::Result<Option<WorkerLock>> {
    let began = Instant::now();
    loop {
        let lock = WorkerLock::try_take(&dir.worker_lock(), Role::Worker)?;
        // Who holds it and is alive, and no hook, is the worker.
        if lock.is_some() || lock::is_at_work(&dir.worker_lock()) || began.elapsed() > LOCK_PATIENCE
        {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A worker's life between taking the lock and letting it go.
struct Life<'a> {
    dir: &'a DataDir,
    log: &'a WorkerLog<'a>,
    around: &'a Surroundings<'a>,
}

impl Life<'_> {
    /// Works, and again after a failure of the disk that may pass.
    async fn work_on(&self) -> Result<End, WorkError> {
        let Self { dir, log, around } = *self;
        let policy = Policy::exponential(Duration::from_secs(1), Duration::from_secs(60));
        let (mut rng, mut failed) = (SplitMix64::fresh(), 0);
        let work = async {
            loop {
                let began = Instant::now();
                let why = match self.work().await {
                    Err(WorkError::Queue(why)) if may_pass(&why) => why,
                    end => return end,
                };
                if began.elapsed() > Duration::from_secs(60) {
                    failed = 0;
                }
                let wait = policy.delay(failed, &mut rng);
                if failed == 0 {
                    log.error(texts::tries_again(queue_file::words(dir, &why)));
                }
                failed += 1;
                tokio::time::sleep(wait).await;
                if around.removed(&dir.database()) {
                    return Ok(End::Removed);
                }
            }
        };
        // Around everything: a signal that came between two rounds would be lost.
        tokio::select! {
            biased;
            () = process::asked_to_stop() => Ok(End::Stopped),
            end = work => end,
        }
    }

    /// Works once; the caller holds the worker lock.
    async fn work(&self) -> Result<End, WorkError> {
        let (dir, log) = (self.dir, self.log);
        let options = Options::consumer().lease(LEASE);
        let damage = Cell::new(None);
        let say = |said: String| {
            log.error(&said);
            damage.set(Some(said));
        };
        let mut queue = queue_file::open(dir, options, say)?;
        match self.rounds(&mut queue, damage.take()).await {
            // Once: a disk that damages the new file too is beyond help.
            Err(WorkError::Queue(wrong @ queue::Error::Corrupt(_))) => {
                queue = queue_file::repair(queue, wrong, say)?;
                self.rounds(&mut queue, damage.take()).await
            }
            end => end,
        }
    }

    /// Works with this database; `damage` is what became of the one before it.
    async fn rounds(
        &self,
        queue: &mut Queue<Job>,
        damage: Option<String>,
    ) -> Result<End, WorkError> {
        let Self { dir, log, around } = *self;
        queue.transaction(|tx| -> queue::Result<_> {
            ledger::create(tx.sql())?;
            ledger::count_from(tx.sql(), unix_millis(SystemTime::now()))?;
            if let Some(words) = &damage {
                notices::leave(tx.sql(), Topic::Damage, (words, words), None)?;
            }
            let known = plex_server::last(tx.sql())?;
            for scene in ledger::migrate(tx.sql(), known.as_deref())? {
                tx.enqueue(scene_job(scene, true))?;
            }
            Ok(())
        })?;
        let told = self.first_settings().await?;
        next_step::tell((&told.read.0, &told.read.1), queue, log)?;
        stored::restore(around.stash(), &told.stored, queue.sql(), log).await?;
        // This one has not expired.
        notices::clear(queue.sql(), Topic::Login)?;
        let (time, db) = (SystemTimer::default(), Db::new(queue));
        let work = async {
            let mut worker = Worker::new(told.read, (&time, log), dir, &db, around)?;
            Standstill::end(dir);
            worker.run().await
        };
        let end = work.await;
        if let Err(WorkError::Link(why)) = &end {
            around.stand_still(why.to_string());
        }
        db.read(|db| tell(db, &end, around))?;
        end
    }

    /// The settings, once Stash answers: it may be starting, and it may have come back somewhere
    /// else.
    async fn first_settings(&self) -> Result<Told, stash::client::Error> {
        const PATIENCE: Duration = Duration::from_secs(15 * 60);
        let policy = Policy::exponential(Duration::from_secs(1), Duration::from_secs(60));
        let (mut rng, began, mut tries) = (SplitMix64::fresh(), Instant::now(), 0);
        loop {
            self.around.watch_settings().await;
            let error = match link::read(self.around.stash()).await {
                Ok(found) => return Ok(found),
                Err(_) if self.around.renew() => continue,
                Err(error) => error,
            };
            let refused = error == stash::client::Error::Unauthorized;
            if !error.is_temporary() || refused || began.elapsed() >= PATIENCE {
                return Err(error);
            }
            if tries == 0 {
                self.log.warn(texts::tries_for_a_while(&error));
            }
            let until = Instant::now() + policy.delay(tries, &mut rng);
            tries += 1;
            // A hook may bring a better connection at any time.
            while Instant::now() < until && !self.around.renew() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Whether the same may work a little later, with nothing done by anybody but a person who makes
/// room.
fn may_pass(why: &queue::Error) -> bool {
    use queue::Error as E;
    matches!(
        why,
        E::DiskFull(_)
            | E::Busy(_)
            | E::Io(_)
            | E::ReadOnly(_)
            | E::File { .. }
            | E::CommitUnknown(_)
            | E::InUse { .. }
            | E::Replaced { .. }
    )
}

/// Leaves words for Stash's log about an end that a person has to do something about.
fn tell(
    db: &Connection,
    end: &Result<End, WorkError>,
    around: &Surroundings<'_>,
) -> queue::rusqlite::Result<()> {
    match end {
        Err(WorkError::Link(why @ LinkError::Settings(_))) => {
            let (words, settings) = (why.to_string(), around.settings());
            notices::leave(db, Topic::Settings, (&words, &words), Some(settings))
        }
        Ok(End::SessionRefused) => {
            let about = ("refused", texts::LOGIN_HAD_ENDED);
            notices::leave(db, Topic::Login, about, None)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
