//! How many requests Plex gets at once.

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

/// Plex has one database writer, so writes go one at a time, each held for its own request only; reads overlap.
pub struct Lanes {
    writing: Mutex<()>,
    reading: Semaphore,
}

impl Lanes {
    /// At most so many reads at once.
    pub fn new(reads: usize) -> Self {
        Self {
            writing: Mutex::default(),
            reading: Semaphore::new(reads),
        }
    }

    /// Leave to read. The semaphore is never closed, so there always is one.
    pub async fn read(&self) -> Option<SemaphorePermit<'_>> {
        self.reading.acquire().await.ok()
    }

    /// Leave to write; not to be held while reading.
    pub async fn write(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }
}
