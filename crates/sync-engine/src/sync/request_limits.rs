//! How many requests Plex gets at once.

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

/// Plex has one database writer, so writes go one at a time, each held for its own request only;
/// reads overlap.
pub struct RequestLimits {
    next: Mutex<()>,
    writing: Mutex<()>,
    reading: Semaphore,
}

impl RequestLimits {
    /// At most so many reads at once.
    pub fn new(reads: usize) -> Self {
        Self {
            next: Mutex::default(),
            writing: Mutex::default(),
            reading: Semaphore::new(reads),
        }
    }

    /// A permit to read. The semaphore is never closed, so there always is one.
    pub async fn read(&self) -> Option<SemaphorePermit<'_>> {
        self.reading.acquire().await.ok()
    }

    /// A permit to write; not to be held while reading.
    pub async fn write(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// The place of the one who writes next: what it reads now is at most one request old when it
    /// writes, and reading overlaps with the write before.
    pub async fn next(&self) -> MutexGuard<'_, ()> {
        self.next.lock().await
    }
}
