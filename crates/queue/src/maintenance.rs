//! Keeping the file small and sound: what the long-lived consumer does for everybody.

use std::time::Instant;

use crate::batches::{BATCH, let_others_in};
use crate::error::Result;
use crate::owner::beside;
use crate::queue::Queue;
use crate::schema::pragma;

/// Pages given back in one transaction, so that producers wait for a few milliseconds at most.
const VACUUM_STEP: i64 = 500;

/// Producers that find themselves alone with a larger log empty it. Each that opens a file alone
/// reads its whole log first, and a checkpoint by one is not known to the next: only an empty log
/// is.
const LONELY_LOG: u64 = 128 << 10;

/// What [`Queue::maintain`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Maintenance {
    /// Pages given back to the file system.
    pub freed_pages: u64,
    /// Bytes of write-ahead log left. It grows when somebody keeps a read transaction open.
    pub log_bytes: u64,
}

impl<T, B> Queue<T, B> {
    /// Gives unused pages back to the file system and moves the write-ahead log into the file. For
    /// the consumer, when idle; [`wait`](Self::wait) does it by itself after a second without work.
    /// Others write meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub fn maintain(&mut self) -> Result<Maintenance> {
        let mut freed_pages = self.tidy()?;
        while self.untidy {
            let_others_in(BATCH);
            freed_pages += self.tidy()?;
        }
        Ok(Maintenance {
            freed_pages,
            log_bytes: self.log_bytes(),
        })
    }

    /// A moment's worth of upkeep; the pages given back. There is more to do for as long as the
    /// queue is untidy.
    pub(crate) fn tidy(&mut self) -> Result<u64> {
        self.check_process()?;
        let started = Instant::now();
        let mut freed = 0;
        loop {
            let free = pragma(&self.connection, "freelist_count")?;
            if free == 0 {
                break;
            }
            if started.elapsed() >= BATCH {
                return Ok(freed);
            }
            // Each step of the statement frees one page.
            let mut vacuum = self
                .connection
                .prepare(&format!("PRAGMA incremental_vacuum({VACUUM_STEP})"))?;
            let mut pages = vacuum.query([])?;
            while pages.next()?.is_some() {}
            let left = pragma(&self.connection, "freelist_count")?;
            freed += (free - left).max(0).unsigned_abs();
            if left >= free {
                break;
            }
        }
        self.untidy = false;
        // A truncating checkpoint waits for all readers: only when none is in the way.
        let (log, moved): (i64, i64) =
            self.connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                    Ok((row.get(1)?, row.get(2)?))
                })?;
        if log == moved {
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(freed)
    }

    /// By path: SQLite must be the only one to open its files.
    fn log_bytes(&self) -> u64 {
        std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |file| file.len())
    }

    /// The safety valve of short-lived processes, used when they close: with no consumer, nobody
    /// else empties the log.
    pub(crate) fn relieve_log(&self) {
        let Some(in_use) = self
            .in_use
            .as_ref()
            .filter(|_| self.log_bytes() > LONELY_LOG)
        else {
            return;
        };
        if in_use.unlock().is_ok() && in_use.try_lock().is_ok() {
            let _ = self
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}
