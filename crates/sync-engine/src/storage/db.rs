//! The queue's file, shared by the worker's loop and the jobs it runs: on one thread, and never
//! across an await.

use std::cell::RefCell;

use queue::{Queue, Tx};
use rusqlite::Connection;

use crate::core::job::Job;

/// The one connection of a worker.
pub struct Db<'q>(RefCell<&'q mut Queue<Job>>);

impl<'q> Db<'q> {
    /// Shares it.
    pub fn new(queue: &'q mut Queue<Job>) -> Self {
        Self(RefCell::new(queue))
    }

    /// Uses the queue.
    pub fn with<R>(&self, f: impl FnOnce(&mut Queue<Job>) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }

    /// Reads the application's own tables.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn read<R>(&self, f: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> queue::Result<R> {
        Ok(f(self.0.borrow_mut().sql())?)
    }

    /// Writes in one transaction, which is on disk when this returns.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is.
    pub fn write<R>(&self, f: impl FnOnce(&Tx<'_, Job>) -> queue::Result<R>) -> queue::Result<R> {
        self.0.borrow_mut().transaction(f)
    }
}
