//! Long operations in short transactions, so that a producer waits for a moment and not for all of
//! it.

use std::time::{Duration, Instant};

use crate::connection::Durability;
use crate::error::{Error, Result};
use crate::handle::IfReplaced;
use crate::queue::Queue;
use crate::tx::Tx;

/// How long one transaction of many goes on, its commit included.
pub(crate) const BATCH: Duration = Duration::from_millis(10);
/// Of that, for the work; the commit of what is changed meanwhile has the rest.
const MOST_WORK: Duration = Duration::from_millis(5);
const LEAST_WORK: Duration = Duration::from_millis(1);

/// How long the next transaction may work, after one that took so long in all: on a slow disk the
/// commit is most of it, and the longer the more there is to write.
fn next_work(work: Duration, took: Duration) -> Duration {
    work.mul_f64(BATCH.div_duration_f64(took.max(LEAST_WORK)))
        .clamp(LEAST_WORK, MOST_WORK)
}

/// After a transaction that took so long: time enough that a process which waits for the lock looks
/// at it meanwhile. It does so the seldomer the longer it has waited, as for one on a slow disk or
/// a busy processor.
pub(crate) fn let_others_in(took: Duration) {
    std::thread::sleep(turn(took));
}

fn turn(took: Duration) -> Duration {
    (took / 2).clamp(BATCH / 2, 4 * BATCH)
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
        let (mut done, mut work) = (0, MOST_WORK);
        while items.peek().is_some() {
            let mut started = Instant::now();
            done += self.write_on(IfReplaced::Refuse, Durability::Power, |tx| {
                started = Instant::now();
                let mut done = 0;
                while started.elapsed() < work
                    && let Some(item) = items.next()
                {
                    done += each(tx, item)?;
                }
                Ok::<_, Error>(done)
            })?;
            let took = started.elapsed();
            work = next_work(work, took);
            if items.peek().is_some() {
                let_others_in(took);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_disk_gets_less_at_a_time() {
        let ms = Duration::from_millis;
        let cases = [
            (5, 6, 5),
            (5, 10, 5),
            (4, 20, 2),
            (2, 5, 4),
            (5, 900, 1),
            (1, 0, 5),
        ];
        for (work, took, next) in cases {
            assert_eq!(next_work(ms(work), ms(took)), ms(next), "{work} {took}");
        }
    }

    #[test]
    fn others_get_half_as_long_as_a_transaction_took_within_bounds() {
        let ms = Duration::from_millis;
        for (took, others) in [(0, 5), (10, 5), (20, 10), (900, 40)] {
            assert_eq!(turn(ms(took)), ms(others), "{took}");
        }
    }
}
