//! Where the plugin keeps its files: one private folder below Stash's configuration directory.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const WORKER_LOCK: &str = "worker.lock";
/// As much as a change needs on the disk, and some.
const PROBE: usize = 64 * 1024;

/// The folder `stash2plex/`, created for the owner alone.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Makes sure the folder exists below `config_dir`, with mode 0700 where it can be set.
    pub fn create(config_dir: &Path) -> Result<Self, DataDirError> {
        let path = config_dir.join("stash2plex");
        // Each process would take a relative one for another folder.
        if !path.is_absolute() {
            return Err(DataDirError::Relative(config_dir.to_owned()));
        }
        create_private(&path).map_err(|why| DataDirError::Create(path.clone(), why))?;
        Ok(Self(path))
    }

    /// Names the folder without touching the disk, for readers.
    pub fn locate(config_dir: &Path) -> Self {
        Self(config_dir.join("stash2plex"))
    }

    /// Whether all that is kept here can be written. Leaves nothing behind. Not to be asked while
    /// this process has the database open: closing a file gives up the locks on it.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn check(&self) -> Result<(), DataDirError> {
        let failed = |path: &Path, why| DataDirError::Write(path.to_owned(), why);
        // A folder that is not there yet is to be made in the one above. Files are made beside
        // those that are there, too.
        let made_in = match self.0.parent().filter(|_| !self.0.exists()) {
            Some(above) => above,
            None => &self.0,
        };
        let probe = made_in.join(".stash2plex-health-check");
        let file = private_file().create(true).append(true).open(&probe);
        // An empty file fits on a full disk.
        let written = file.and_then(|mut file| file.write_all(&[0; PROBE]));
        let removed = fs::remove_file(&probe);
        written.and(removed).map_err(|why| failed(made_in, why))?;
        let unwritable = |path: &Path| {
            let opened = fs::OpenOptions::new().append(true).open(path);
            opened
                .err()
                .filter(|why| why.kind() != io::ErrorKind::NotFound)
        };
        for path in [self.database(), self.worker_log()] {
            if let Some(why) = unwritable(&path) {
                return Err(failed(&path, why));
            }
        }
        let kept = ["client_identifier", "circuit_breaker.json.lock"];
        let kept = kept.map(|name| self.0.join(name));
        for path in [self.worker_lock()].into_iter().chain(kept) {
            if let Some(why) = unwritable(&path) {
                return Err(DataDirError::Hold(path, why));
            }
        }
        Ok(())
    }

    /// That others may look into the folder, and this program may not change it: said, but no
    /// reason not to work.
    #[cfg(unix)]
    pub fn exposed(&self) -> Option<String> {
        use std::os::unix::fs::MetadataExt;
        let folder = fs::metadata(&self.0).ok()?;
        let me = rustix::process::geteuid();
        let foreign = folder.uid() != me.as_raw() && !me.is_root();
        let advice = if foreign {
            "belongs to another user and is open to others. All works, and its files are private; to close it, make it belong to \
             the user that Stash runs as"
        } else if is_shared(&self.0, folder.mode()).ok()? {
            "is a shared folder and open to others. All works, and its files are private; to close it, set its mode to 0700"
        } else {
            return None;
        };
        (folder.mode() & 0o077 != 0).then(|| format!("{} {advice}", self.0.display()))
    }

    /// Only Unix knows modes.
    #[cfg(not(unix))]
    pub fn exposed(&self) -> Option<String> {
        None
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The SQLite file: jobs, dead letters, ledger.
    pub fn database(&self) -> PathBuf {
        self.0.join("stash2plex.db")
    }

    /// The circuit breaker's document.
    pub fn breaker(&self) -> PathBuf {
        self.0.join("circuit_breaker.json")
    }

    /// The edits of several objects that were recorded as a whole.
    pub fn noted(&self) -> PathBuf {
        self.0.join("noted_edits.json")
    }

    /// Held by the one worker.
    pub fn worker_lock(&self) -> PathBuf {
        self.0.join(WORKER_LOCK)
    }

    /// The newest connection to Stash, for the worker.
    pub fn connection(&self) -> PathBuf {
        self.0.join("connection.json")
    }

    /// Why the last worker could do nothing.
    pub fn standstill(&self) -> PathBuf {
        self.0.join("standstill.json")
    }

    /// The worker's log.
    pub fn worker_log(&self) -> PathBuf {
        self.0.join("worker.log")
    }
}

/// There is no data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made.
    #[error(
        "cannot create or write the folder {path}: {1}; {todo}. This call was not recorded: save again, or run the task again, then",
        path = .0.display(), todo = remedy(.1))]
    Create(PathBuf, #[source] io::Error),
    /// A file without which no worker can begin cannot be written.
    #[error("cannot write {path}: {1}; {todo}. Until then changes are recorded and none is sent", path = .0.display(), todo = remedy(.1))]
    Hold(PathBuf, #[source] io::Error),
    /// It, or a file in it, cannot be written.
    #[error("cannot write {path}: {1}; {todo}. Until then no change is recorded", path = .0.display(), todo = remedy(.1))]
    Write(PathBuf, #[source] io::Error),
    /// Stash names its configuration folder from the root on.
    #[error("server_connection.Dir must be an absolute path, found {:?}: nothing was recorded. If this input is from Stash, report it with Stash's version", .0)]
    Relative(PathBuf),
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        io::ErrorKind::NotADirectory => "a file has the place of that folder: move the file away",
        _ => "make it, or the folder that it is in, writable for the user that Stash runs as",
    }
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        done => return done,
    }
    let there = fs::metadata(path)?;
    if !there.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mode = there.permissions().mode();
    let shared = is_shared(path, mode)?;
    let closed = || fs::set_permissions(path, fs::Permissions::from_mode(0o700)).is_ok();
    // Only its owner can close it, and some network folders know no modes. The files in it are
    // private by themselves, so it will do if it can be written.
    if mode & 0o077 != 0 && (shared || !closed()) {
        let lock = path.join(WORKER_LOCK);
        private_file().create(true).append(true).open(lock)?;
    }
    Ok(())
}

/// A link, or a folder with bits of its own for a group, was set up by somebody, for others too:
/// not to be closed unasked.
#[cfg(unix)]
fn is_shared(path: &Path, mode: u32) -> io::Result<bool> {
    Ok(mode & 0o7000 != 0 || fs::symlink_metadata(path)?.is_symlink())
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Keeps something as JSON in a file that only the owner may read, in place of what is there. It is
/// written aside, so that nobody reads half of it; what cannot be written is left out.
pub(crate) fn replace_private(path: &Path, value: &impl serde::Serialize) {
    let aside = path.with_extension(std::process::id().to_string());
    let write = || {
        let text = serde_json::to_vec(value)?;
        let mut options = private_file();
        options.create(true).write(true).truncate(true);
        options.open(&aside)?.write_all(&text)?;
        fs::rename(&aside, path)
    };
    if write().is_err() {
        let _ = fs::remove_file(&aside);
    }
}

/// Opens options for a file that only the owner may read.
pub(crate) fn private_file() -> fs::OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix knows modes"))]
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
