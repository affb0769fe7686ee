//! Starting the background worker: the same binary, a session of its own, nothing of Stash's held
//! open.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use queue::{Options, Queue};
use stash::connection::ServerConnection;

use crate::core::job::Job;
use crate::daemon::lock::{self, Holder, Role, WorkerLock};
use crate::daemon::{copy, process};
use crate::storage::connection;
use crate::storage::data_dir::DataDir;
use crate::storage::standstill::Standstill;

/// The argument that makes the binary a worker; the Stash connection follows on stdin, never on the
/// command line. Where the worker runs from a copy, the program that it is a copy of is the next
/// argument.
pub const WORKER_ARG: &str = "worker";

/// The program that this worker runs from a copy of.
pub(crate) fn copied_from() -> Option<PathBuf> {
    let mut arguments = std::env::args_os().skip(1);
    let is_worker = arguments.next()? == WORKER_ARG;
    arguments.next().filter(|_| is_worker).map(PathBuf::from)
}

/// Whether a worker is worth its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Not while the last one could do nothing and nothing has changed since.
    IfUseful,
    /// A person asks for it.
    Always,
}

/// Makes sure that what was recorded before this call is worked off: starts a worker unless there
/// is one, and leaves it the newest connection to Stash.
///
/// The lock is held until the child exists, so of a hundred hooks at once one starts a worker and
/// the others see it taken. Returns whether this call started one.
pub fn ensure_worker(
    dir: &DataDir,
    connection: &ServerConnection,
    start: Start,
) -> io::Result<bool> {
    ensure_worker_of(&std::env::current_exe()?, dir, connection, start)
}

/// The same with the program at this path. One that was replaced no longer finds itself: its own
/// path names a deleted file.
pub fn ensure_worker_of(
    program: &Path,
    dir: &DataDir,
    connection: &ServerConnection,
    start: Start,
) -> io::Result<bool> {
    connection::leave(dir, connection);
    let lock = WorkerLock::try_take(&dir.worker_lock(), Role::Starter)?;
    // Who holds it looks at the queue again before or after it lets go, but for one that was killed
    // this very moment.
    if lock.is_none() && !Holder::last(&dir.worker_lock()).is_some_and(|holder| holder.is_dying()) {
        return Ok(false);
    }
    if start == Start::IfUseful && Standstill::lasts(dir) {
        return Ok(false);
    }
    let handover = connection.handover();
    let (mut runs, mut arguments) = (program.to_owned(), vec![OsStr::new(WORKER_ARG)]);
    if copy::NEEDED {
        runs = copy::make(program, dir.path())?;
        arguments.push(program.as_os_str());
    }
    process::start(&runs, &arguments, dir.path(), handover.expose())?;
    drop(lock);
    Ok(true)
}

/// What every call of the plugin does that records nothing: starts a worker if work is due and
/// there is none.
pub fn ensure_work_goes_on(dir: &DataDir, connection: &ServerConnection) -> io::Result<()> {
    if lock::is_at_work(&dir.worker_lock()) || Standstill::lasts(dir) {
        return Ok(());
    }
    // Damage is seen to, and told, by whoever writes.
    match is_work_left(dir).unwrap_or(false) {
        true => ensure_worker(dir, connection, Start::IfUseful).map(drop),
        false => Ok(()),
    }
}

/// Whether a worker would have something to do at once. Without a worker, what runs was a dead
/// one's: it is due as well.
pub(crate) fn is_work_left(dir: &DataDir) -> queue::Result<bool> {
    if !dir.database().exists() {
        return Ok(false);
    }
    let queue = Queue::<Job>::open(dir.database(), Options::inspector())?;
    let is_due = |due| due <= SystemTime::now();
    Ok(queue.next_due()?.is_some_and(is_due) || queue.counts()?.running > 0)
}
