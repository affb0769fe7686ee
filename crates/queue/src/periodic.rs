//! Jobs that come again and again, enqueued once for each time they are due, however many processes
//! look.

use std::time::{Duration, SystemTime};

use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use crate::clock::{duration_ms, from_ms, to_ms};
use crate::error::Result;
use crate::job::{NewJob, OnConflict};
use crate::queue::Queue;
use crate::statements as sql;
use crate::tx::Tx;

/// Made by the first who needs it: most files have no periodic jobs, and every process parses every
/// table.
const SCHEMA: &[&str] = &[
    "CREATE TABLE queue_periodic (name TEXT PRIMARY KEY, last INTEGER NOT NULL, next INTEGER NOT NULL) STRICT, WITHOUT ROWID",
];

type Next = Box<dyn Fn(SystemTime, SystemTime) -> SystemTime + Send>;
type Make<T> = Box<dyn Fn(SystemTime) -> NewJob<T> + Send>;

/// A job that is to be done again and again. Give it to [`Queue::enqueue_due`], or to a runner.
///
/// ```
/// # use queue::{Options, Periodic, Queue};
/// # use std::time::Duration;
/// # let dir = tempfile::tempdir().unwrap();
/// # let mut queue: Queue<String> = Queue::open(dir.path().join("jobs.db"), Options::consumer())?;
/// let clean = Periodic::every("clean", Duration::from_secs(3_600), || "clean up".to_owned());
/// let next = queue.enqueue_due(&[clean])?; // in an hour; to be called again then
/// # assert_eq!(queue.counts()?.ready, 0);
/// # assert!(next.is_some());
/// # Ok::<(), queue::Error>(())
/// ```
///
/// A job made without a [key](NewJob::key) gets the name as its key and [`OnConflict::Keep`]: while
/// one is queued or runs, no other comes.
pub struct Periodic<T> {
    name: String,
    next: Next,
    make: Make<T>,
}

impl<T> Periodic<T> {
    /// Due this long after it was first seen, and then again and again. Times that nobody was there
    /// for are replaced by one.
    ///
    /// `name` is its name in the file: what has it shares one timetable, in all processes.
    pub fn every<J: Into<NewJob<T>>>(
        name: impl Into<String>,
        interval: Duration,
        make: impl Fn() -> J + Send + 'static,
    ) -> Self {
        let next = move |last, now| from_ms(following(to_ms(last), to_ms(now), interval));
        Self::new(name, next, move |_| make())
    }

    /// Due at the times that `next` gives, from when it was last due (or first seen) and the time
    /// now; never earlier than the former. When `next` goes by the former alone, times that nobody
    /// was there for all follow, one by one; when it gives one after the time now, a single one
    /// does. `make` is told for which time it makes the job.
    ///
    /// Each time is used once, in all processes together, also when the clock is set back by less
    /// than a period.
    pub fn new<J: Into<NewJob<T>>>(
        name: impl Into<String>,
        next: impl Fn(SystemTime, SystemTime) -> SystemTime + Send + 'static,
        make: impl Fn(SystemTime) -> J + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            next: Box::new(next),
            make: Box::new(move |due| make(due).into()),
        }
    }

    fn next(&self, last: i64, now: i64) -> i64 {
        // Should the clock have been set back a little, what was used is over all the same.
        to_ms((self.next)(from_ms(last), from_ms(now.max(last)))).max(last.saturating_add(1))
    }
}

/// The first of the times `last`, `last` + interval, … that is after `now`.
fn following(last: i64, now: i64, interval: Duration) -> i64 {
    let interval = duration_ms(interval).max(1);
    let over = now.saturating_sub(last).max(0);
    last.saturating_add((over / interval + 1).saturating_mul(interval))
}

/// Where a periodic job stands: when it was last due, or first seen, and when it is due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    last: i64,
    next: i64,
}

/// Where it stands after a look, and the time that is to be used, when one is due.
fn look(
    before: Option<Standing>,
    now: i64,
    next: impl Fn(i64, i64) -> i64,
) -> (Standing, Option<i64>) {
    let after = |last| Standing {
        last,
        next: next(last, now),
    };
    // Otherwise the clock was far ahead when it was last due: all until then would be left out.
    let is_near = |seen: &Standing| {
        now > seen
            .last
            .saturating_sub(seen.next.saturating_sub(seen.last))
    };
    let standing = before.filter(is_near).unwrap_or_else(|| after(now));
    // Earlier than was written when the program has a denser timetable by now.
    let due = standing.next.min(next(standing.last, now));
    if due > now {
        return (
            Standing {
                next: due,
                ..standing
            },
            None,
        );
    }
    (after(due), Some(due))
}

impl<T: Serialize> Queue<T> {
    /// Enqueues those of these jobs that are due; when to call this again: at the next time that
    /// one of them is.
    ///
    /// Any number of processes may do this for the same names: each time is used once.
    ///
    /// Durability: as [`enqueue`](Self::enqueue).
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue); nothing is then enqueued.
    pub fn enqueue_due(&mut self, periodic: &[Periodic<T>]) -> Result<Option<SystemTime>> {
        self.migrate("queue_periodic", SCHEMA)?;
        self.transaction(|tx| {
            let next = periodic.iter().map(|periodic| tx.enqueue_if_due(periodic));
            let next = next.collect::<Result<Vec<_>>>()?;
            Ok(next.into_iter().min().map(from_ms))
        })
    }
}

impl<T: Serialize> Tx<'_, T> {
    fn enqueue_if_due(&self, periodic: &Periodic<T>) -> Result<i64> {
        let statement = "SELECT last, next FROM queue_periodic WHERE name = ?1";
        let before = sql::row(&self.sql, statement, [&periodic.name], |row| {
            Ok(Standing {
                last: row.get(0)?,
                next: row.get(1)?,
            })
        });
        let before = before.optional()?;
        let (after, due) = look(before, self.now, |last, now| periodic.next(last, now));
        if before != Some(after) {
            self.execute(
                "INSERT OR REPLACE INTO queue_periodic VALUES (?1, ?2, ?3)",
                params![periodic.name, after.last, after.next],
            )?;
        }
        if let Some(due) = due {
            let job = (periodic.make)(from_ms(due));
            self.enqueue(match job.key {
                Some(_) => job,
                None => job.key(&periodic.name).on_conflict(OnConflict::Keep),
            })?;
        }
        Ok(after.next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_interval_keeps_its_phase() {
        let second = Duration::from_millis(1_000);
        let cases = [
            (0, 0, 1_000),
            (0, 999, 1_000),
            (0, 1_000, 2_000),
            (500, 9_700, 10_500),
        ];
        for (last, now, next) in cases {
            assert_eq!(following(last, now, second), next, "{last} {now}");
        }
        assert_eq!(following(7, 7, Duration::ZERO), 8);
        assert!(following(0, i64::MAX / 2, Duration::MAX) > i64::MAX / 4);
    }

    #[test]
    fn what_a_denser_timetable_asks_for_comes_at_once() {
        let standing = Standing {
            last: 0,
            next: 3_600_000,
        };
        let every_minute = |last, now| following(last, now, Duration::from_secs(60));
        let (after, due) = look(Some(standing), 90_000, every_minute);
        assert_eq!((after.next, due), (120_000, None));
    }

    #[test]
    fn a_timetable_that_stands_still_is_moved_on() {
        let stuck = Periodic::<()>::new("p", |last, _| last, |_| ());
        assert_eq!(stuck.next(1_000, 5_000), 1_001);
    }

    proptest! {
        /// However the clock is set, whoever looks when, and whether the timetable goes by the last
        /// time or by the clock alone.
        #[test]
        fn no_time_is_used_twice(
            interval in 1_i64..50, by_clock: bool, steps in prop::collection::vec(-60_i64..120, 1..200),
        ) {
            let length = Duration::from_millis(interval.unsigned_abs());
            let next = move |last: SystemTime, now| {
                let last = if by_clock { 0 } else { to_ms(last) };
                from_ms(following(last, to_ms(now), length))
            };
            let periodic = Periodic::<()>::new("p", next, |_| ());
            let (mut now, mut standing, mut used) = (1_000_000, None, Vec::<i64>::new());
            for step in steps {
                now += step;
                if standing.is_some_and(|at: Standing| now <= at.last - (at.next - at.last)) {
                    // Set back by a period or more: the timetable begins again.
                    used.clear();
                }
                let (after, due) = look(standing, now, |last, now| periodic.next(last, now));
                prop_assert!(after.next > now && after.next > after.last);
                prop_assert!(after.next <= now.max(after.last) + interval, "it comes within a period");
                if let Some(due) = due {
                    prop_assert!(due <= now);
                    prop_assert!(!by_clock || due % interval == 0, "{due} is no such time");
                    prop_assert!(used.iter().all(|earlier| *earlier < due), "{due} after {used:?}");
                    used.push(due);
                }
                standing = Some(after);
            }
        }

        /// A timetable by the last time alone makes up for all, one look for each.
        #[test]
        fn what_was_missed_is_made_up_for(late in 1_i64..20) {
            let mut standing = Some(Standing { last: 0, next: 10 });
            let mut used = 0;
            while let (after, Some(_)) = look(standing, late * 10, |last, _| last + 10) {
                (standing, used) = (Some(after), used + 1);
            }
            prop_assert_eq!(used, late);
        }
    }
}
