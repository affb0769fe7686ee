//! Whether the program that runs was replaced by another one.

use std::path::Path;

/// The running program, and whether another one was put in its place.
pub struct Program {
    path: Option<std::path::PathBuf>,
    identity: Option<Identity>,
}

type Identity = (std::time::SystemTime, u64);

impl Program {
    /// Remembers the program as it is.
    pub fn current() -> Self {
        // The one that runs, even if another one was put in its place between its start and this look.
        let running = Path::new("/proc/self/exe");
        // Linux says so when it was removed meanwhile.
        let kept = |path: std::path::PathBuf| match path
            .to_str()
            .and_then(|text| text.strip_suffix(" (deleted)"))
        {
            Some(before) if !path.exists() => before.into(),
            _ => path,
        };
        let path = std::env::current_exe().ok().map(kept);
        let identity = identity(running).or_else(|| identity(path.as_deref()?));
        Self { path, identity }
    }

    /// Whether another file stands in its place, or none.
    pub fn replaced(&self) -> bool {
        self.path
            .as_deref()
            .is_some_and(|path| identity(path) != self.identity)
    }

    /// Where it was, and where its successor is.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let meta = path.metadata().ok()?;
    Some((meta.modified().ok()?, meta.len()))
}
