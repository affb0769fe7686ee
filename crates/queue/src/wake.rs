//! Sleeping until there is work, also work that another process enqueues.

use std::time::{Duration, Instant, SystemTime};

use crate::clock::{duration_ms, from_ms, to_ms};
use crate::connection::noise;
use crate::error::{Error, Result};
use crate::identity::FileId;
use crate::options::Role;
use crate::queue::Queue;
use crate::schema;
use crate::statements as sql;
use crate::tx::Held;

/// How often a sleeping worker looks whether another process wrote.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// How often it looks for jobs of workers that died or hang, and, with nothing to do, tidies up.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// Why [`Queue::wait`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Wake {
    /// Another process, or another queue of this one, wrote to the file; or put another one in its
    /// place.
    Changed,
    /// A job is due, or the clock was set back while one waits: [`Queue::claim`] then keeps it from
    /// waiting longer.
    Due,
    /// A worker that had jobs is gone, or a lease has ended: [`Queue::claim`] takes the jobs back.
    Lost,
    /// The time is over.
    TimedOut,
}

impl<T, B> Queue<T, B> {
    /// When the next job is due: now or earlier when one is ready, `None` when none is queued or
    /// the queue is paused. Also now when the clock was set back while jobs wait, until a
    /// [`claim`](Self::claim) has seen to it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn next_due(&self) -> Result<Option<SystemTime>> {
        if self.is_paused()? {
            return Ok(None);
        }
        let (connection, now) = (self.reader()?, self.options.clock.now());
        if sql::row(connection, self.options.any_ready(), [], |row| row.get(0))? {
            return Ok(Some(now));
        }
        let due = sql::row(connection, sql::NEXT_WAITING, [to_ms(now)], |row| {
            row.get(0)
        })?;
        Ok(Option::map(due, from_ms))
    }

    /// Whether another process, or another queue of this one, wrote to the file since this was last
    /// asked (true the first time). Does not block, and costs a few microseconds: it reads a
    /// counter in memory that SQLite shares between processes
    /// (<https://www.sqlite.org/pragma.html#pragma_data_version>). For event loops that sleep on
    /// their own.
    ///
    /// # Errors
    /// When the database fails.
    pub fn changed(&mut self) -> Result<bool> {
        let version = schema::pragma(self.reader()?, "data_version")?;
        let file = FileId::at(&self.path);
        // Once for each file that comes in the place of another, or goes.
        let changed = std::mem::replace(&mut self.seen, (version, file)) != (version, file);
        self.untidy |= changed;
        Ok(changed)
    }

    /// Sleeps until another process writes to the file (noticed within 50 ms), a job is due, a
    /// worker that held jobs has died or let a lease run out (noticed within a second), or the time
    /// is over. [`claim`](Self::claim) then, whatever it says. Blocks the thread.
    ///
    /// # Errors
    /// When the database fails.
    pub fn wait(&mut self, at_most: Duration) -> Result<Wake> {
        self.wait_napping(at_most, |nap| {
            std::thread::sleep(nap);
            true
        })
    }

    /// As [`wait`](Self::wait); `nap` sleeps so long, or less, and says whether to go on.
    pub(crate) fn wait_napping(
        &mut self,
        at_most: Duration,
        mut nap: impl FnMut(Duration) -> bool,
    ) -> Result<Wake> {
        let started = Instant::now();
        if self.changed()? {
            return Ok(Wake::Changed);
        }
        // These stay so for as long as nothing changes.
        let due = self.next_due()?.map(to_ms);
        let paused = self.is_paused()?;
        let clock = self.options.clock.clone();
        let (began, mut now) = (clock.monotonic(), to_ms(clock.now()));
        let wait = due.map(|due| due.saturating_sub(now));
        let mut looked_around = started;
        loop {
            // Whichever clock is first: one that was set, or one that stood still while the machine
            // slept.
            let waited = duration_ms(clock.monotonic().saturating_sub(began));
            let earlier = std::mem::replace(&mut now, to_ms(clock.now()));
            let until_due = due
                .zip(wait)
                .map(|(due, wait)| (due - now).min(wait - waited));
            if until_due.is_some_and(|left| left <= 0 || now < earlier) {
                return Ok(Wake::Due);
            }
            let left = at_most.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(Wake::TimedOut);
            }
            let until_due =
                until_due.map_or(LOOK, |left| Duration::from_millis(left.unsigned_abs()));
            // Differing, so that those who sleep on one queue do not all look, and then claim, at
            // once.
            let look = LOOK.mul_f64(1.0 - noise() / 4.0);
            if !nap(look.min(left).min(until_due)) {
                return Ok(Wake::TimedOut);
            }
            if self.changed()? {
                return Ok(Wake::Changed);
            }
            if self.untidy
                && self.options.role == Role::Consumer
                && started.elapsed() >= LOOK_AROUND
            {
                match self.tidy() {
                    Ok(_) | Err(Error::Busy(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            if looked_around.elapsed() < LOOK_AROUND {
                continue;
            }
            looked_around = Instant::now();
            if !paused && self.is_anything_lost()? {
                return Ok(Wake::Lost);
            }
        }
    }

    /// Whether a claim would take back jobs.
    fn is_anything_lost(&mut self) -> Result<bool> {
        let monotonic = self.options.clock.monotonic();
        let is_over = |held: &Held| held.expires <= monotonic;
        Ok(self.held.first().is_some_and(is_over) || self.look_for_lost()?.is_any())
    }
}
