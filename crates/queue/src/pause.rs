//! Pausing the queue, for all processes.

use crate::connection::Durability;
use crate::error::Result;
use crate::queue::Queue;
use crate::statements as sql;

impl<T, B> Queue<T, B> {
    /// Stops taking jobs, in all processes, until [`resume`](Self::resume); survives restarts. What
    /// runs may be settled.
    ///
    /// # Errors
    /// When the database fails.
    pub fn pause(&mut self) -> Result<()> {
        self.set_paused(true)
    }

    /// Takes jobs again.
    ///
    /// # Errors
    /// When the database fails.
    pub fn resume(&mut self) -> Result<()> {
        self.set_paused(false)
    }

    fn set_paused(&mut self, paused: bool) -> Result<()> {
        let set = "UPDATE queue_meta SET paused = ?1";
        self.write(Durability::Power, |tx| tx.execute(set, [paused]).map(drop))
    }

    /// Whether the queue is paused.
    ///
    /// # Errors
    /// When the database fails.
    pub fn is_paused(&self) -> Result<bool> {
        Ok(sql::row(self.reader()?, sql::IS_PAUSED, [], |row| {
            row.get(0)
        })?)
    }
}
