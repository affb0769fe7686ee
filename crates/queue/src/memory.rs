//! Queues without a file, for tests: SQLite's own memory file system, which all connections of the
//! process share.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};

use crate::error::Result;

/// What the path of one begins with; no folder has this name.
const PREFIX: &str = ":memory:/";

/// A place in memory to open queues at, as at a path: for tests, of programs whose queue is on
/// disk. No file is made.
///
/// ```
/// use queue::{InMemory, Options, Queue};
///
/// let path = InMemory::new()?;
/// Queue::open(&path, Options::producer())?.enqueue("hello".to_owned())?;
/// let mut queue: Queue<String> = Queue::open(&path, Options::consumer())?;
/// assert_eq!(queue.claim(1)?[0].payload(), "hello");
/// # Ok::<(), queue::Error>(())
/// ```
///
/// All queues opened at it in this process are one, and what is in it is gone with the last of them
/// and this. Everything else is as on disk, but what only a disk has: other processes, durability,
/// and [`salvage`](crate::Queue::salvage).
#[derive(Debug)]
pub struct InMemory {
    path: PathBuf,
    /// Keeps what is stored while no queue is open.
    _anchor: Mutex<Connection>,
}

impl InMemory {
    /// A new, empty place.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new() -> Result<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let n = LAST.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("{PREFIX}{n}"));
        let anchor = connect(&path)?;
        // SQLite makes it when it is first read.
        anchor.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        Ok(Self {
            path,
            _anchor: Mutex::new(anchor),
        })
    }
}

impl AsRef<Path> for InMemory {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

pub(crate) fn is_in_memory(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.starts_with(PREFIX))
}

pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.to_str().and_then(|path| path.strip_prefix(PREFIX));
    let uri = format!("file:/{}?vfs=memdb", name.unwrap_or_default());
    // The flags by default: to read and write, to create, a URI, no mutex.
    Connection::open_with_flags(uri, OpenFlags::default())
}

/// Owners in memory that live.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// What a lock on a file is to an owner on disk: it ends with the owner, also when a panic ends
/// that.
#[derive(Debug)]
pub(crate) struct Alive(PathBuf);

impl Alive {
    /// None when another has it.
    pub(crate) fn take(path: &Path) -> Option<Self> {
        live(|live| live.insert(path.into())).then(|| Self(path.into()))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        live(|live| live.remove(&self.0));
    }
}

fn live<R>(f: impl FnOnce(&mut BTreeSet<PathBuf>) -> R) -> R {
    f(&mut LIVE.lock().unwrap_or_else(PoisonError::into_inner))
}
