//! Long operations in short transactions, so that a producer waits for a moment and not for all of
//! it.

use std::time::{Duration, Instant};

use crate::connection::Durability;
use crate::error::{Error, Result};
use crate::handle::IfReplaced;
use crate::queue::Queue;
use crate::tx::Tx;

/// How long one transaction of many goes on.
pub(crate) const BATCH: Duration = Duration::from_millis(10);

/// Long enough that a process which waits for the lock looks at it meanwhile.
pub(crate) fn let_others_in() {
    std::thread::sleep(BATCH / 2);
}

impl<T, B> Queue<T, B> {
    /// Does something with each item of a list that was read without the write lock; the sum of
    /// what was done.
    pub(crate) fn in_batches<I>(
        &mut self,
        items: Vec<I>,
        each: impl Fn(&Tx<'_, T>, I) -> Result<u64>,
    ) -> Result<u64> {
        let mut items = items.into_iter().peekable();
        let mut done = 0;
        while items.peek().is_some() {
            done += self.write_on(IfReplaced::Refuse, Durability::Power, |tx| {
                let started = Instant::now();
                let mut done = 0;
                while started.elapsed() < BATCH
                    && let Some(item) = items.next()
                {
                    done += each(tx, item)?;
                }
                Ok::<_, Error>(done)
            })?;
            if items.peek().is_some() {
                let_others_in();
            }
        }
        Ok(done)
    }

    /// Repeats an operation on the file that took the place of the one it was begun on.
    pub(crate) fn following<R>(&mut self, operation: impl Fn(&mut Self) -> Result<R>) -> Result<R> {
        match operation(self) {
            Err(Error::Replaced { .. }) => operation(self),
            done => done,
        }
    }
}
