//! Starting the background worker: the same binary, a session of its own, nothing of Stash's held open.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::data_dir::DataDir;
use crate::worker_lock::WorkerLock;

/// The argument that makes the binary a worker; the Stash connection follows on stdin, never on the command line.
pub const WORKER_ARG: &str = "worker";

/// Starts a worker unless one runs; `connection` is the JSON text it reads on stdin.
///
/// The lock is held until the child exists, so of a hundred hooks at once one starts a worker and the others
/// see it taken.
pub fn ensure_worker(dir: &DataDir, connection: &str) -> io::Result<()> {
    ensure_worker_of(&std::env::current_exe()?, dir, connection)
}

/// The same with the program at this path. One that was replaced no longer finds itself: its own path names a deleted file.
pub fn ensure_worker_of(program: &Path, dir: &DataDir, connection: &str) -> io::Result<()> {
    let Some(_lock) = WorkerLock::try_take(dir)? else {
        return Ok(());
    };
    let mut command = Command::new(program);
    // Stash waits for whoever holds its pipes, so the child gets none of them.
    command
        .arg(WORKER_ARG)
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    detach(&mut command);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(connection.as_bytes())?;
    }
    Ok(())
}

/// Windows needs this at creation; on Unix the worker itself calls [`own_session`].
#[cfg(windows)]
fn detach(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

#[cfg(not(windows))]
fn detach(_: &mut Command) {}

/// Leaves Stash's session, so that its end or a closed terminal does not end the worker.
pub fn own_session() {
    // Fails only when already a session leader, which is the goal.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
}
