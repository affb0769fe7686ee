//! A process of its own: nothing of its parent's held open, a session of its own, and an ear for
//! whoever asks it to stop.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Starts the program in the background with these arguments, and text for its stdin, which shows
/// on no command line.
///
/// # Errors
/// The program cannot be started.
pub fn start(program: &Path, arguments: &[&OsStr], folder: &Path, text: &str) -> io::Result<()> {
    // In the pipe before there is a child: whatever becomes of this process, the child can read it.
    let (stdin, mut into) = io::pipe()?;
    into.write_all(text.as_bytes())?;
    drop(into);
    let mut command = Command::new(program);
    // Who waits for this process waits for whoever holds its pipes, so the child gets none of them.
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    detach(&mut command);
    command.spawn().map(drop)
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

/// Waits until somebody asks this process to stop.
#[cfg(unix)]
pub async fn asked_to_stop() {
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

/// Waits until somebody asks this process to stop.
#[cfg(not(unix))]
pub async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
