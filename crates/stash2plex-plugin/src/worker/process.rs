//! The worker as a process: the lock, the settings, the loop, and handing over at the end.

use std::io::{self, Read};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use backoff::SplitMix64;
use breaker::{Breaker, FileStore, Rules};
use plex_health::Schedule;
use queue::{Options, Queue};
use stash::client::Client;
use stash::protocol::{PluginInput, ServerConnection};

use super::circuit::Circuit;
use super::corrected;
use super::engine::{End, Engine};
use super::memory::Lasting;
use super::session::{self, Executable, SetupError};
use super::settle::scene_job;
use super::time::{SystemTimer, Time};
use super::timetable;
use crate::data_dir::DataDir;
use crate::db::Db;
use crate::job::Job;
use crate::journal::Journal;
use crate::notice::{self, Topic};
use crate::settings::{Fault, Settings, stored};
use crate::store;
use crate::sync::Syncer;
use crate::worker_lock::WorkerLock;
use crate::{home, ledger, spawn};

/// Settings are read again this often while there is work.
const REFRESH: Duration = Duration::from_secs(60);
/// A starting worker waits this long for a lock that a hook holds while it looks.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// The worker lock keeps a second worker away and a dead one's jobs are known at once, so a claim may outlast the slowest job:
/// the listing of a large library, or the last of sixteen scenes that wait for their turn to write.
const LEASE: Duration = Duration::from_secs(24 * 3600);

/// Why a worker could not work.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The queue.
    #[error(transparent)]
    Queue(#[from] queue::Error),
    /// The breaker's document.
    #[error(transparent)]
    Breaker(#[from] breaker::StoreError),
    /// The clients.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The settings cannot be read.
    #[error("the settings cannot be read: {0}")]
    Stash(#[from] stash::client::Error),
    /// The settings do not say where Plex is.
    #[error("Nothing is sent to Plex. {}. Correct this under Settings › Plugins › Stash2Plex, then run the task Process Queue; \
             changes are kept until then", list(.0))]
    Settings(Vec<Fault>),
    /// Turned off by the user.
    #[error("the sync is turned off in the settings; changes are kept until it is on again")]
    Disabled,
}

impl From<queue::rusqlite::Error> for WorkError {
    fn from(error: queue::rusqlite::Error) -> Self {
        Self::Queue(error.into())
    }
}

fn list(faults: &[Fault]) -> String {
    faults
        .iter()
        .filter(|fault| fault.blocks)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Runs as the worker; `stdin` carries the Stash connection.
pub fn process(stdin: impl Read) -> ExitCode {
    spawn::own_session();
    let Ok(input) = PluginInput::read(stdin) else {
        return ExitCode::from(2);
    };
    let connection = input.server_connection;
    let Ok(dir) = DataDir::create(&connection.dir) else {
        return ExitCode::from(1);
    };
    let mut journal = Journal::file(&dir.worker_log());
    match serve(&connection, &dir, &mut journal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            journal.error(match why.downcast_ref() {
                Some(WorkError::Queue(why)) => store::words(&dir, why),
                _ => why.to_string(),
            });
            ExitCode::from(1)
        }
    }
}

fn serve(
    connection: &ServerConnection,
    dir: &DataDir,
    journal: &mut Journal<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let program = Executable::current();
    let Some(mut lock) = patient_lock(dir)? else {
        return Ok(());
    };
    loop {
        journal.info(format!("worker {} started", env!("CARGO_PKG_VERSION")));
        let end =
            match runtime.block_on(work(connection, dir, journal, Stay::WhileUseful(&program))) {
                // What the user wants is no error, however many saves start a worker meanwhile.
                Err(off @ WorkError::Disabled) => {
                    journal.info(format!("worker ends: {off}"));
                    return Ok(());
                }
                end => end?,
            };
        journal.info(format!("worker ends: {}", words(end)));
        drop(lock);
        // A hook that looked before the lock was free saw a worker and started none: its job is ours.
        let left_over = Queue::<Job>::open(dir.database(), Options::inspector())?
            .next_due()?
            .is_some_and(|due| due <= SystemTime::now());
        if end == End::Replaced
            && let Some(program) = program.path()
            && let Err(why) = spawn::ensure_worker_of(program, dir, connection.handover().expose())
        {
            journal.warn(format!(
                "the new version could not be started ({why}); the next change in Stash tries again"
            ));
        }
        if end != End::Idle || !left_over {
            return Ok(());
        }
        let Some(again) = WorkerLock::try_take(dir)? else {
            return Ok(());
        };
        lock = again;
    }
}

fn words(end: End) -> &'static str {
    match end {
        End::Idle => "nothing left to do",
        End::Stopped => "asked to stop",
        End::SessionRefused => {
            "Stash ended the session, and there is no API key: changes wait for the next save. Generate an API key in Stash \
             (Settings › Security), and this does not happen again"
        }
        End::StashGone => "Stash has been away for 15 minutes; the next change starts a worker",
        End::Refresh => "settings changed",
        End::Moved => "Plex is another server now",
        End::Replaced => "the plugin was updated or removed",
    }
}

fn patient_lock(dir: &DataDir) -> io::Result<Option<WorkerLock>> {
    let give_up = SystemTime::now() + LOCK_PATIENCE;
    loop {
        match WorkerLock::try_take(dir)? {
            None if SystemTime::now() < give_up => {
                std::thread::sleep(Duration::from_millis(5));
            }
            lock => return Ok(lock),
        }
    }
}

/// How long to work.
#[derive(Clone, Copy)]
pub enum Stay<'a> {
    /// As long as something may come, unless this program was replaced.
    WhileUseful(&'a Executable),
    /// Until nothing more can be done at once.
    UntilDrained,
}

/// Works; the caller holds the worker lock.
///
/// # Errors
/// See [`WorkError`]; the queue keeps everything.
pub async fn work(
    connection: &ServerConnection,
    dir: &DataDir,
    journal: &mut Journal<'_>,
    stay: Stay<'_>,
) -> Result<End, WorkError> {
    let options = Options::consumer().lease(LEASE);
    let mut queue = store::open(dir, options, |said| journal.error(said))?;
    match until_stopped(connection, dir, journal, stay, &mut queue).await {
        // Once: a disk that damages the new file too is beyond help.
        Err(WorkError::Queue(wrong)) => {
            queue = store::mend(queue, wrong, |said| journal.error(said))?;
            until_stopped(connection, dir, journal, stay, &mut queue).await
        }
        end => end,
    }
}

async fn until_stopped(
    connection: &ServerConnection,
    dir: &DataDir,
    journal: &mut Journal<'_>,
    stay: Stay<'_>,
    queue: &mut Queue<Job>,
) -> Result<End, WorkError> {
    queue.transaction(|tx| -> queue::Result<_> {
        ledger::create(tx.sql())?;
        let known = home::last(tx.sql())?;
        for scene in ledger::migrate(tx.sql(), known.as_deref())? {
            tx.enqueue(scene_job(scene, true))?;
        }
        Ok(())
    })?;
    // Around everything: a signal that came between two rounds would be lost.
    let end = tokio::select! {
        biased;
        () = asked_to_stop() => Ok(End::Stopped),
        end = rounds(connection, dir, journal, stay, queue) => end,
    };
    tell(queue, &end)?;
    queue.release_held()?;
    end
}

/// Leaves words for Stash's log about an end that a person has to do something about.
fn tell(queue: &Queue<Job>, end: &Result<End, WorkError>) -> queue::rusqlite::Result<()> {
    match end {
        Err(why @ WorkError::Settings(_)) => {
            let words = why.to_string();
            notice::leave(queue.sql(), Topic::Settings, &words, &words)
        }
        Ok(End::SessionRefused) => notice::leave(
            queue.sql(),
            Topic::Login,
            "refused",
            words(End::SessionRefused),
        ),
        _ => Ok(()),
    }
}

/// The loop, again with each change of the settings.
async fn rounds(
    connection: &ServerConnection,
    dir: &DataDir,
    journal: &mut Journal<'_>,
    stay: Stay<'_>,
    queue: &mut Queue<Job>,
) -> Result<End, WorkError> {
    let time = SystemTimer::default();
    let client = session::stash(connection)?;
    let mut stash = Circuit::new(Breaker::new(Rules::default()));
    let mut schedule = remembered(queue);
    let (mut said, mut lasting) = (Vec::new(), Lasting::start(time.now()));
    let told = first_settings(&client, journal, stay).await?;
    stored::restore(&client, &told.stored, queue.sql(), journal).await?;
    if !told.session_only {
        notice::clear(queue.sql(), Topic::Login)?;
    }
    let (mut settings, mut faults) = told.read;
    // What kept the circuit open may be mended.
    let mut may_be_mended = false;
    loop {
        if !settings.enabled {
            return Err(WorkError::Disabled);
        }
        if let Some(target) = settings.plex.as_ref().filter(|to| to.token.is_none()) {
            let open = session::needs_no_token(target, &settings).await;
            if open == Some(true) {
                journal.info("This Plex server needs no token");
            }
            // One that is away may turn out to need none.
            if open != Some(false) {
                faults.retain(|fault| fault.key != "plex_token");
            }
        }
        let blocked = faults.iter().any(|fault| fault.blocks);
        if faults != said {
            let harmless = faults.iter().filter(|fault| !fault.blocks);
            harmless.for_each(|fault| journal.warn(fault.to_string()));
            said.clone_from(&faults);
        }
        let Some(target) = settings.plex.as_ref().filter(|_| !blocked) else {
            return Err(WorkError::Settings(faults));
        };
        notice::clear(queue.sql(), Topic::Settings)?;
        journal.set_debug(settings.debug_logging);
        let rules = Rules::default()
            .consecutive_failures(settings.failure_threshold)
            .open_for(settings.recovery_timeout)
            .early_trial_after(Duration::ZERO);
        let store = FileStore::open(dir.breaker())?;
        if let Some(aside) = store.set_aside() {
            let name = aside.display();
            journal.warn(format!(
                "circuit_breaker.json was damaged; starting CLOSED, it is kept as {name}"
            ));
        }
        let breaker = Breaker::builder(rules).open(store)?;
        for done in corrected::apply(queue, target, &settings, &breaker)? {
            journal.info(done);
        }
        if std::mem::take(&mut may_be_mended) && breaker.suggest_trial().is_ok() {
            journal.info("Plex is tried with the new settings now");
        }
        let mut plex = Circuit::new(breaker);
        let probe = session::probe(target, &settings, dir)?;
        let plex_client = session::plex(target, &settings, dir)?;
        let syncer = Rc::new(Syncer::new(client.clone(), plex_client, &settings));
        let changed = loop {
            if let Some(reach) = timetable::keep(queue, &settings, time.now())? {
                journal.info(format!("reconciliation is due: {reach}"));
            }
            let wake_at = timetable::due_at(queue, &settings, time.now())?;
            let queue_home = home::expected(queue.sql(), &target.url)?;
            let db = Db::new(queue);
            let engine = Engine {
                time: &time,
                journal,
                db: &db,
                settings: &settings,
                plex: &mut plex,
                stash: &mut stash,
                schedule: &mut schedule,
                syncer: syncer.clone(),
                probe: session::at_home(probe.clone(), queue_home.as_deref()),
                lasting: &mut lasting,
                server: None,
                ramp: None,
                rng: SplitMix64::fresh(),
                drain: matches!(stay, Stay::UntilDrained),
                refresh_at: Some(time.now() + REFRESH),
                wake_at,
            };
            match engine.run().await? {
                End::Refresh => {}
                End::Moved => break None,
                end => return Ok(end),
            }
            if let Stay::WhileUseful(program) = stay
                && program.replaced()
            {
                return Ok(End::Replaced);
            }
            // The folder was removed: nothing done here would be seen.
            if !dir.worker_lock().exists() {
                return Ok(End::Idle);
            }
            // While Stash is away the old settings serve.
            if let Ok(new) = session::settings(&client).await
                && new.read.0 != settings
            {
                break Some(new.read);
            }
        };
        if let Some(new) = changed {
            journal.info("settings changed");
            may_be_mended = leads_elsewhere(&settings, &new.0);
            (settings, faults) = new;
        }
    }
}

/// Whether Plex may answer otherwise with the new settings than with the old ones.
fn leads_elsewhere(old: &Settings, new: &Settings) -> bool {
    old.plex != new.plex
        || old.libraries != new.libraries
        || old.tls_skip_verify != new.tls_skip_verify
}

/// The settings, once Stash answers: it may be starting.
async fn first_settings(
    client: &Client,
    journal: &Journal<'_>,
    stay: Stay<'_>,
) -> Result<session::Told, stash::client::Error> {
    const PATIENCE: Duration = Duration::from_secs(15 * 60);
    let policy = backoff::Policy::exponential(Duration::from_secs(1), Duration::from_secs(60));
    let (mut rng, mut waited, mut tries) = (SplitMix64::fresh(), Duration::ZERO, 0);
    loop {
        match session::settings(client).await {
            Err(error)
                if error.is_temporary()
                    && error != stash::client::Error::Unauthorized
                    && waited < PATIENCE
                    && matches!(stay, Stay::WhileUseful(_)) =>
            {
                let delay = policy.delay(tries, &mut rng);
                if tries == 0 {
                    journal.warn(format!("{error}; trying again for 15 minutes"));
                }
                (tries, waited) = (tries + 1, waited + delay);
                tokio::time::sleep(delay).await;
            }
            result => return result,
        }
    }
}

/// The probe schedule as the last worker left it.
fn remembered(queue: &Queue<Job>) -> Schedule {
    let text = ledger::meta(queue.sql(), super::PROBE_KEY).ok().flatten();
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests;
