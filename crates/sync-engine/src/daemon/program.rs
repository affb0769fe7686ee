//! Whether the program that runs was replaced by another one.

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::copy;

/// The running program, and whether another one was put in its place.
pub struct Program {
    path: Option<PathBuf>,
    fingerprint: Option<String>,
}

impl Program {
    /// Remembers the program as it is.
    pub fn current() -> Self {
        // The one that runs, even if another one was put in its place between its start and this look.
        let running = Path::new("/proc/self/exe");
        // Linux says so when it was removed meanwhile.
        let kept = |path: PathBuf| match path
            .to_str()
            .and_then(|text| text.strip_suffix(" (deleted)"))
        {
            Some(before) if !path.exists() => before.into(),
            _ => path,
        };
        let path = std::env::current_exe().ok().map(kept);
        let fingerprint = fingerprint(running).ok();
        let fingerprint = fingerprint.or_else(|| self::fingerprint(path.as_deref()?).ok());
        Self { path, fingerprint }
    }

    /// Of a process that runs from a [copy] of this one.
    pub fn copied_from(original: PathBuf) -> Self {
        let running = std::env::current_exe().ok();
        Self {
            path: Some(original),
            fingerprint: running.and_then(|it| copy::made_of(&it).map(str::to_owned)),
        }
    }

    /// Whether another file stands in its place, or none.
    pub fn replaced(&self) -> bool {
        self.path
            .as_deref()
            .is_some_and(|path| fingerprint(path).ok() != self.fingerprint)
    }

    /// Where it was, and where its successor is.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// What tells a program from the one that comes after it in the same place.
pub(super) fn fingerprint(path: &Path) -> io::Result<String> {
    let meta = path.metadata()?;
    let modified = meta.modified()?.duration_since(UNIX_EPOCH);
    let modified = modified.unwrap_or_default().as_nanos();
    Ok(format!("{modified:x}-{:x}", meta.len()))
}
