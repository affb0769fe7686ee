//! Whether the program that runs was replaced by another one.

use std::path::{Path, PathBuf};

use super::copy;
use super::fingerprint::fingerprint;

/// The running program, and whether another one was put in its place.
pub struct Program {
    /// Where it was, and where its successor is.
    pub path: Option<PathBuf>,
    fingerprint: Option<String>,
}

impl Program {
    /// Remembers the program as it is.
    pub fn current() -> Self {
        // The one that runs, even if another one was put in its place between its start and this
        // look.
        let running = Path::new("/proc/self/exe");
        // Linux says so when it was removed meanwhile.
        let before = |path: &str| path.strip_suffix(" (deleted)").map(PathBuf::from);
        let kept = |path: PathBuf| match path.to_str().and_then(before) {
            Some(before) if !path.exists() => before,
            _ => path,
        };
        let path = std::env::current_exe().ok().map(kept);
        let known = fingerprint(running).ok();
        let fingerprint = known.or_else(|| fingerprint(path.as_deref()?).ok());
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
        let is_other = |path: &PathBuf| fingerprint(path).ok() != self.fingerprint;
        self.path.as_ref().is_some_and(is_other)
    }
}
