//! One worker at a time: a lock that the operating system releases on any death.
//!
//! Who holds it writes its name into the file, so that others need not try the lock to see who it
//! is: a reader that held it for a moment would keep a worker from starting.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::process;

/// Held as long as this value lives.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct WorkerLock {
    file: File,
}

/// What a process takes the lock for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// To work.
    Worker,
    /// To start a worker, which then takes it.
    Starter,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Starter => "starter",
        }
    }
}

impl WorkerLock {
    /// Takes the lock, or says `None` when another process holds it.
    pub fn try_take(path: &Path, role: Role) -> io::Result<Option<Self>> {
        let mut options = fs::OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Never truncated or removed: a lock on a removed file would guard nothing.
        let mut file = options
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(why)) => return Err(why),
        }
        // One write of one length: nobody reads half a name. On a full disk there is none, and the
        // holder counts as alive.
        let Holder { pid, started, .. } = Holder::me(role);
        let name = format!("{} {pid} {started}", role.word());
        let _ = file.write_all(format!("{name:<64}\n").as_bytes());
        Ok(Some(Self { file }))
    }

    /// Whether the file that is locked is still the one that others would lock.
    pub fn guards(&self, path: &Path) -> bool {
        is_same_file(&self.file, path)
    }
}

impl Drop for WorkerLock {
    fn drop(&mut self) {
        // Who reads the name of a process that is gone asks the system, and finds it gone.
        let _ = self.file.rewind();
        let _ = self.file.write_all(format!("{:<64}\n", "").as_bytes());
    }
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let there = path.metadata().map(identity);
    file.metadata().map(identity).ok() == there.ok()
}

#[cfg(not(unix))]
fn is_same_file(_: &File, path: &Path) -> bool {
    path.exists()
}

/// A process that holds the lock, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    role: Role,
    pid: u32,
    /// When the process was started, as the system counts it: a number is given to another process
    /// some day.
    started: u64,
}

impl Holder {
    fn me(role: Role) -> Self {
        let pid = process::id();
        let started = started(pid).unwrap_or_default();
        Self { role, pid, started }
    }

    /// Who wrote its name last.
    pub fn last(path: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(path).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (roles, role) = ([Role::Worker, Role::Starter], words.next()?);
        Some(Self {
            role: roles.into_iter().find(|known| known.word() == role)?,
            pid: words.next()?.parse().ok()?,
            started: words.next()?.parse().ok()?,
        })
    }

    /// Whether this process may still hold the lock, and will never again look for work.
    pub fn is_dying(&self) -> bool {
        !is_alive(self.pid, self.started)
    }
}

/// Whether a worker is at work. Takes no lock.
pub fn is_at_work(path: &Path) -> bool {
    match std::fs::read_to_string(path) {
        Ok(text) => Holder::parse(&text)
            .is_some_and(|holder| holder.role == Role::Worker && !holder.is_dying()),
        // Where a locked file cannot be read, somebody has locked it.
        Err(why) => cfg!(windows) && why.kind() != io::ErrorKind::NotFound,
    }
}

/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>: after the name in brackets come the state, as the third field;
/// the flags are the ninth, and the start the 22nd.
#[cfg(target_os = "linux")]
fn stat(pid: u32) -> Option<(char, u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let flags = fields.nth(5)?.parse().ok()?;
    let started = fields.nth(12)?.parse().ok()?;
    Some((state, flags, started))
}

#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<u64> {
    Some(stat(pid)?.2)
}

#[cfg(target_os = "linux")]
fn is_alive(pid: u32, since: u64) -> bool {
    /// `PF_EXITING` of the kernel's `sched.h`.
    const EXITING: u64 = 4;
    /// The bit of SIGKILL in the masks of `/proc/PID/status`.
    const KILL: u64 = 1 << 8;
    let is_killed = |line: &str| {
        let of_process = line.strip_prefix("ShdPnd:");
        let mask = line.strip_prefix("SigPnd:").or(of_process)?;
        Some(u64::from_str_radix(mask.trim(), 16).ok()? & KILL != 0)
    };
    let Some((state, flags, started)) = stat(pid) else {
        // Without /proc nothing is known: the lock alone counts.
        return !Path::new("/proc/self/stat").exists();
    };
    // Killed, and not gone yet, it holds its locks and will never look at anything again.
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mut killed = status.lines().filter_map(is_killed);
    let is_going = matches!(state, 'Z' | 'X') || flags & EXITING != 0;
    started == since && !is_going && !killed.any(|is_killed| is_killed)
}

#[cfg(not(target_os = "linux"))]
fn started(_: u32) -> Option<u64> {
    None
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_alive(pid: u32, _: u64) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.map(test_kill_process) != Some(Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn is_alive(_: u32, _: u64) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.lock");
        (folder, path)
    }

    #[test]
    fn whoever_holds_the_lock_is_named_in_its_file() {
        let (_folder, path) = folder();
        assert!(!is_at_work(&path));
        let lock = WorkerLock::try_take(&path, Role::Worker).unwrap().unwrap();
        assert!(WorkerLock::try_take(&path, Role::Worker).unwrap().is_none());
        assert_eq!(Holder::last(&path), Some(Holder::me(Role::Worker)));
        assert!(is_at_work(&path) && lock.guards(&path));
        drop(lock);
        assert!(!is_at_work(&path) && Holder::last(&path).is_none());
        let starter = WorkerLock::try_take(&path, Role::Starter).unwrap().unwrap();
        assert!(!is_at_work(&path));
        drop(starter);
    }

    #[test]
    fn a_lock_on_a_removed_file_guards_nothing() {
        let (_folder, path) = folder();
        let lock = WorkerLock::try_take(&path, Role::Worker).unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(!lock.guards(&path));
        std::fs::write(&path, "").unwrap();
        assert_eq!(lock.guards(&path), cfg!(not(unix)));
    }

    /// Stopped, a process keeps its SIGKILL pending only until it is scheduled; a zombie stays
    /// until it is waited for.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_killed_process_is_dying_before_it_is_gone() {
        let mut child = process::Command::new("sleep").arg("60").spawn().unwrap();
        let (role, pid) = (Role::Worker, child.id());
        let holder = Holder {
            role,
            pid,
            started: started(pid).unwrap(),
        };
        assert!(!holder.is_dying());
        let other = Holder {
            started: holder.started + 1,
            ..holder.clone()
        };
        assert!(other.is_dying(), "another process has its number now");
        child.kill().unwrap();
        assert!(holder.is_dying());
        child.wait().unwrap();
        assert!(holder.is_dying());
    }
}
