//! A bound on the disk the queue uses.

use crate::error::{Error, Result};
use crate::owner::beside;
use crate::schema::pragma;
use crate::tx::Tx;

impl<T> Tx<'_, T> {
    /// Refuses when the queue has reached its limit.
    pub(crate) fn check_disk_limit(&self) -> Result<()> {
        let Some(limit) = self.options.disk_limit else {
            return Ok(());
        };
        let pages = pragma(&self.sql, "page_count")? - pragma(&self.sql, "freelist_count")?;
        let data = pages.unsigned_abs() * pragma(&self.sql, "page_size")?.unsigned_abs();
        // By path: SQLite must be the only one to open its files.
        let log = std::fs::metadata(beside(self.path, "-wal")).map_or(0, |file| file.len());
        let used = data + log;
        if used >= limit {
            Err(Error::OverDiskLimit { used, limit })
        } else {
            Ok(())
        }
    }
}
