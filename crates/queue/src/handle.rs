//! Whether a queue in memory is still one: its file is the one its path names, and this process is
//! the one that opened it.

use rusqlite::Connection;

use crate::connection::{self, Durability};
use crate::error::{Error, Result};
use crate::options::Role;
use crate::queue::Queue;
use crate::tx::{Immediate, Tx};

/// What to do when the file was deleted or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfReplaced {
    /// Go on with the file that is there now.
    Follow,
    /// Turn to the file that is there now, and fail.
    Refuse,
    /// Go on with the old one, without a look: who finds something there is told when it settles.
    Stay,
}

impl<T, B> Queue<T, B> {
    /// The connection, to read from.
    pub(crate) fn reader(&self) -> Result<&Connection> {
        self.check_process()?;
        Ok(&self.connection)
    }

    /// SQLite's locks, and those on files beside, are those of the process that opened the queue
    /// (<https://www.sqlite.org/howtocorrupt.html>, "carrying an open database connection across a
    /// fork").
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.open.is_forked() {
            Err(Error::Forked)
        } else {
            Ok(())
        }
    }

    /// Whether the path now leads to another file, or to none. What is written goes to the file
    /// that is there; what is read comes from the old one until then, so a program with tables of
    /// its own in the file should open it anew.
    pub fn is_replaced(&self) -> bool {
        !self.open.file().is_at(&self.path)
    }

    /// Turns to the file that is there now, and makes one where there is none. Nothing that was
    /// claimed is held any more.
    fn reopen(&mut self) -> Result<()> {
        let opened = connection::open(&self.path, &self.options)?;
        *self = Self::of(opened, self.options.clone());
        Ok(())
    }

    /// Begins a transaction on the file that the path names while the lock is held, so that nothing
    /// goes into a file that nobody will open again.
    pub(crate) fn begin(&mut self, if_replaced: IfReplaced) -> Result<()> {
        Immediate::begin(&self.connection)?;
        if if_replaced == IfReplaced::Stay || !self.is_replaced() {
            return Ok(());
        }
        let _ = self.connection.execute_batch("ROLLBACK");
        self.reopen()?;
        match if_replaced {
            IfReplaced::Follow => Ok(Immediate::begin(&self.connection)?),
            IfReplaced::Refuse | IfReplaced::Stay => Err(Error::Replaced {
                path: self.path.clone(),
            }),
        }
    }

    /// Runs an operation that means the same on whatever file is there; claims from another one it
    /// refuses by itself.
    pub(crate) fn write<R, E: From<Error>>(
        &mut self,
        durability: Durability,
        f: impl FnOnce(&Tx<'_, T>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.write_on(IfReplaced::Follow, durability, f)
    }

    pub(crate) fn write_on<R, E: From<Error>>(
        &mut self,
        if_replaced: IfReplaced,
        durability: Durability,
        f: impl FnOnce(&Tx<'_, T>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.check_process()?;
        if self.options.role == Role::Consumer && self.durability != durability {
            connection::set_durability(&self.connection, durability)?;
            self.durability = durability;
        }
        self.begin(if_replaced)?;
        let sql = Immediate::begun(&mut self.connection, self.open.process());
        let tx = Tx::begun(sql, &self.options, &self.path, self.open.file());
        let value = f(&tx)?;
        self.untidy = true;
        for held in tx.commit()? {
            self.held.remove(&held);
        }
        Ok(value)
    }
}
