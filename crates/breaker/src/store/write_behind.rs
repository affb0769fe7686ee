//! Writing on a thread of its own.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::{Store, StoreError};
use crate::document::Document;

/// A store whose writes wait for no disk: they are left to a thread of its own, which writes the
/// newest document and skips what it overtook. For breakers that async tasks share, whose threads
/// must not wait.
///
/// The price: what changed last may be lost when the process dies, so that the next one goes on
/// from a little earlier. A write that failed is told of by the next save, which is at the next
/// event. Dropped, the store writes what is left.
///
/// ```
/// use breaker::{Breaker, FileStore, Report, Rules, WriteBehind};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("circuit_breaker.json");
/// let store = WriteBehind::new(FileStore::open(&path)?)?;
/// let breaker = Breaker::builder(Rules::default()).open(store)?;
/// breaker.try_acquire()?.trip("unauthorized"); // returns at once
/// drop(breaker);
/// assert!(matches!(Report::read(&path), Report::Known(_)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WriteBehind<S> {
    shared: Arc<Shared<S>>,
    writer: Option<JoinHandle<()>>,
    /// A forked child has no such thread.
    process: u32,
}

#[derive(Debug)]
struct Shared<S> {
    store: S,
    left: Mutex<Left>,
    changed: Condvar,
}

/// What is left to do.
#[derive(Debug, Default)]
struct Left {
    document: Option<Document>,
    writing: bool,
    failed: Option<StoreError>,
    ended: bool,
}

impl<S: Store + 'static> WriteBehind<S> {
    /// Starts the thread that writes to `store`.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn new(store: S) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            store,
            left: Mutex::default(),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let writer = thread::Builder::new()
            .name("breaker-store".to_owned())
            .spawn(move || theirs.write())?;
        Ok(Self {
            shared,
            writer: Some(writer),
            process: std::process::id(),
        })
    }
}

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'l>(&self, left: MutexGuard<'l, Left>) -> MutexGuard<'l, Left> {
        self.changed
            .wait(left)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Shared<S> {
    /// The life of the thread.
    fn write(&self) {
        let mut left = self.lock();
        loop {
            let Some(document) = left.document.take() else {
                if left.ended {
                    return;
                }
                left = self.wait(left);
                continue;
            };
            left.writing = true;
            drop(left);
            let saved = catch_unwind(AssertUnwindSafe(|| self.store.save(&document)));
            let failed = match saved {
                Ok(saved) => saved.err(),
                // The panic hook has told of it; the thread must go on, or nobody would be told of
                // anything more.
                Err(_) => Some(StoreError::Io {
                    action: "save",
                    path: "the document".into(),
                    source: io::Error::other("the store panicked"),
                }),
            };
            left = self.lock();
            left.writing = false;
            left.failed = failed;
            self.changed.notify_all();
        }
    }
}

impl<S> WriteBehind<S> {
    /// Waits until all that was saved is written, or has failed to be.
    pub fn flush(&self) {
        let mut left = self.shared.lock();
        while left.writing || left.document.is_some() {
            left = self.shared.wait(left);
        }
    }
}

impl<S: Store> Store for WriteBehind<S> {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        self.shared.store.load()
    }

    /// Leaves the document to the thread.
    ///
    /// # Errors
    /// Why the last write failed.
    fn save(&self, document: &Document) -> Result<(), StoreError> {
        if self.process != std::process::id() {
            return self.shared.store.save(document); // which says why not
        }
        let mut left = self.shared.lock();
        left.document = Some(document.clone());
        self.shared.changed.notify_all();
        left.failed.take().map_or(Ok(()), Err)
    }
}

impl<S> Drop for WriteBehind<S> {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join(); // it cannot panic
        }
    }
}
