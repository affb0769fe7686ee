//! A breaker's document in a file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::report::load;
use super::{SharedStore, Store, StoreError, failed};
use crate::document::Document;

/// How long a process waits for another's decision before it decides by what it knew last. A
/// decision takes one write, so whoever holds the lock for longer is stopped or hangs. In the kill
/// test nobody hangs, but a busy disk may.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 5 });

/// Where the kill test ends the process.
#[cfg(not(test))]
const fn crash_point(_: &str) {}
#[cfg(test)]
use super::tests::crash_point;

/// A file that one breaker owns for as long as it lives: no other can open it meanwhile.
///
/// The document is written to a temporary file, synced, and renamed over the old one. Beside `NAME`
/// the store keeps `NAME.lock` (empty, held while the store lives and freed by the operating system
/// when its process dies) and, after a crash, perhaps `NAME.tmp`. A corrupted document is kept as
/// `NAME.corrupt-N`, and the breaker starts closed.
#[derive(Debug)]
pub struct FileStore {
    files: Files,
    _lock: File,
    set_aside: Option<PathBuf>,
}

/// A file that breakers of several processes share.
///
/// Each decision that changes the document locks `NAME.lock`, reads, decides, writes and unlocks; a
/// call never holds the lock while it runs, and decisions that change nothing take no lock. Beside
/// that, as [`FileStore`].
#[derive(Debug)]
pub struct SharedFileStore {
    files: Files,
}

impl FileStore {
    /// Takes possession of the file at `path`, which need not exist, in a folder that must. A file
    /// that cannot be read as a breaker's document is kept under that name.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process or breaker has it; [`StoreError::Io`] when the
    /// folder refuses.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let files = Files::new(path.into());
        let lock = files.open_lock()?;
        files.try_lock(&lock)?;
        let set_aside = match load(&files.document) {
            Err(StoreError::Corrupted { .. }) => Some(files.set_aside()?),
            loaded => loaded.map(|_| None)?,
        };
        Ok(Self {
            files,
            _lock: lock,
            set_aside,
        })
    }

    /// Where a corrupted document was moved to when the store was opened.
    #[must_use]
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }
}

impl Store for FileStore {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        load(&self.files.document)
    }

    fn save(&self, document: &Document) -> Result<(), StoreError> {
        self.files.check_process()?;
        self.files.save(document)
    }
}

impl SharedFileStore {
    /// Shares the file at `path`, which need not exist, in a folder that must.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder refuses.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let files = Files::new(path.into());
        files.open_lock()?;
        Ok(Self { files })
    }
}

impl SharedStore for SharedFileStore {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        load(&self.files.document)
    }

    fn update(
        &self,
        decide: &mut dyn FnMut(Option<Document>) -> Option<Document>,
    ) -> Result<(), StoreError> {
        self.files.check_process()?;
        // Closing the file ends the lock; no other handle of it exists.
        let lock = self.files.open_lock()?;
        let mut start = Instant::now();
        let mut written = None;
        while let Err(busy) = self.files.try_lock(&lock) {
            // Others decide meanwhile: they are many or slow, but none hangs.
            let before = std::mem::replace(&mut written, self.files.written());
            if written != before {
                start = Instant::now();
            }
            if start.elapsed() > PATIENCE || !matches!(busy, StoreError::InUse { .. }) {
                return Err(busy);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let current = match load(&self.files.document) {
            Err(StoreError::Corrupted { .. }) => {
                self.files.set_aside()?;
                None
            }
            loaded => loaded?,
        };
        crash_point("locked");
        match decide(current) {
            Some(next) => self.files.save(&next),
            None => Ok(()),
        }
    }
}

/// The document and the files beside it.
#[derive(Debug)]
struct Files {
    document: PathBuf,
    /// The process that opened them; a forked one must not write. Asking who one is is a system
    /// call: only what is about to write does.
    process: u32,
}

impl Files {
    fn new(document: PathBuf) -> Self {
        let process = std::process::id();
        Self { document, process }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.document.clone().into_os_string();
        path.push(suffix);
        path.into()
    }

    fn check_process(&self) -> Result<(), StoreError> {
        if self.process == std::process::id() {
            return Ok(());
        }
        Err(StoreError::Forked {
            path: self.document.clone(),
        })
    }

    /// When the document was last written.
    fn written(&self) -> Option<SystemTime> {
        fs::metadata(&self.document).ok()?.modified().ok()
    }

    fn open_lock(&self) -> Result<File, StoreError> {
        let path = self.beside(".lock");
        let lock = private().truncate(false).open(&path);
        lock.map_err(|source| failed("open", &path, source))
    }

    fn try_lock(&self, lock: &File) -> Result<(), StoreError> {
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::InUse {
                path: self.document.clone(),
            },
            TryLockError::Error(source) => failed("lock", &self.beside(".lock"), source),
        })
    }

    fn save(&self, document: &Document) -> Result<(), StoreError> {
        let temporary = self.beside(".tmp");
        serde_json::to_vec_pretty(document)
            .map_err(io::Error::from)
            .and_then(|text| write_synced(&temporary, &text))
            .map_err(|source| failed("write", &temporary, source))?;
        fs::rename(&temporary, &self.document)
            .map_err(|source| failed("replace", &self.document, source))?;
        crash_point("renamed");
        self.sync_folder()
            .map_err(|source| failed("sync the folder of", &self.document, source))?;
        crash_point("folder synced");
        Ok(())
    }

    /// Makes the rename durable. Windows has no such call; there the rename itself is journaled.
    fn sync_folder(&self) -> io::Result<()> {
        #[cfg(unix)]
        match self.document.parent() {
            Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all()?,
            _ => File::open(".")?.sync_all()?,
        }
        Ok(())
    }

    /// Moves a corrupted document to the first free name, so that none is lost.
    fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let name = |n: u32| self.beside(&format!(".corrupt-{n}"));
        let free = (1..)
            .map(name)
            .find(|path| !path.exists())
            .unwrap_or_else(|| name(0));
        fs::rename(&self.document, &free)
            .map_err(|source| failed("set aside", &self.document, source))?;
        Ok(free)
    }
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = private().truncate(true).open(path)?;
    crash_point("created");
    file.write_all(text)?;
    crash_point("written");
    file.sync_all()?;
    crash_point("synced");
    Ok(())
}

/// Opens for writing what only its owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
