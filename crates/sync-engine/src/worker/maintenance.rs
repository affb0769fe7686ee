//! What the worker sees to beside its jobs: the files around it, the timetable, old failed jobs,
//! and the size of its database.

use std::time::Duration;

use queue::DeadFilter;

use crate::core::scheduler::End;
use crate::core::time::Time;
use crate::core::words::worker as texts;
use crate::worker::state::Worker;
use crate::worker::timetable;

/// Failed jobs are looked through for old ones this often.
const PURGE: Duration = Duration::from_secs(3600);
/// A day, as settings count them.
const DAY: Duration = Duration::from_secs(24 * 3600);

impl<T: Time> Worker<'_, T> {
    /// Every few seconds: cheap, and nothing that waits for an answer.
    pub(super) fn look_around(&mut self) -> queue::Result<()> {
        let database = self.db.with(|queue| queue.path().to_owned());
        if self.around.removed(&database) || self.db.with(|queue| queue.is_replaced()) {
            self.scheduler.end(End::Removed);
        }
        if self.around.program.replaced() {
            self.scheduler.leave(End::Replaced);
        }
        let settings = self.around.settings();
        if settings.has_changed() {
            self.scheduler.doubt_settings();
        }
        let watched = settings.stamp.is_some();
        self.renew_connection();
        let (time, settings) = (self.time, &self.link.settings);
        let keep = |queue: &mut _| timetable::keep(queue, settings, time.wall());
        if let Some(reach) = self.db.with(keep)? {
            self.log.info(texts::reconciliation_due(reach));
        }
        self.purge_old()?;
        self.tidy()?;
        self.scheduler.looked(watched, self.time.now());
        Ok(())
    }

    /// Takes a newer connection to Stash, if a hook has left one; whether it did.
    pub(super) fn renew_connection(&mut self) -> bool {
        let renewed = self.around.renew();
        if renewed {
            self.log.debug("a newer connection to Stash is in use now");
            // Not there to be told when it refuses one.
            let _ = self.stash.breaker().suggest_trial();
        }
        renewed
    }

    /// Stash refuses the login: is there another one?
    pub(super) fn has_another_login(&mut self) -> bool {
        if self.renew_connection() {
            return true;
        }
        let left = self.around.leave_api_key();
        if left {
            self.scheduler.doubt_settings();
            let _ = self.stash.breaker().suggest_trial();
        }
        left
    }

    fn purge_old(&mut self) -> queue::Result<()> {
        let now = self.time.now();
        let is_due = self.in_flight.purged.is_none_or(|at| now - at >= PURGE);
        let days = self.link.settings.dead_letter_days;
        if !is_due || days == 0 {
            return Ok(());
        }
        self.in_flight.purged = Some(now);
        let Some(before) = self.time.wall().checked_sub(DAY * days) else {
            return Ok(());
        };
        let old = DeadFilter::all().died_before(before);
        let purged = self.db.with(|queue| queue.purge(&old))?;
        if purged > 0 {
            self.log.info(texts::purged(purged, days));
        }
        Ok(())
    }

    /// Gives unused room back to the disk, when there is time.
    fn tidy(&mut self) -> queue::Result<()> {
        if self.in_flight.untidy && self.scheduler.is_quiet() {
            self.in_flight.untidy = false;
            self.db.with(|queue| queue.maintain())?;
        }
        Ok(())
    }
}
