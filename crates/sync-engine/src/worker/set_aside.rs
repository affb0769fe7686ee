//! Jobs that the queue itself sets aside, since a worker ended in the middle of each, again and
//! again, or nobody can read them: told and counted like those that a worker fails.

use queue::{Claim, DeadFilter, DeadLetter};

use crate::core::job::Job;
use crate::core::time::Time;
use crate::core::words;
use crate::storage::ledger::{self, Total};
use crate::storage::notices;
use crate::worker::state::Worker;

impl<T: Time> Worker<'_, T> {
    /// Claims jobs.
    pub(super) fn take(&mut self, most: usize) -> queue::Result<Vec<Claim<Job>>> {
        let (claims, set_aside) = self.db.with(|queue| -> queue::Result<_> {
            let before = queue.counts()?.dead;
            let claims = queue.claim(most)?;
            let set_aside = match queue.counts()?.dead.saturating_sub(before) {
                0 => Vec::new(),
                new => {
                    let kinds = [queue::OWNER_DIED, queue::UNDECODABLE];
                    let of_kinds = kinds
                        .into_iter()
                        .fold(DeadFilter::all(), DeadFilter::error_type);
                    queue.dead_letters(&of_kinds.limit(new))?
                }
            };
            Ok((claims, set_aside))
        })?;
        set_aside
            .iter()
            .try_for_each(|letter| self.set_aside(letter))?;
        Ok(claims)
    }

    fn set_aside(&self, letter: &DeadLetter) -> queue::Result<()> {
        let (kind, job) = (&letter.error_type, Job::words_of(&letter.payload));
        let why = words::reason(kind, &letter.message);
        self.log.warn(words::failed_once(&job, kind, why));
        self.db.write(|tx| {
            ledger::count(tx.sql(), Total::Failed)?;
            Ok(notices::failed(tx, &job, kind, why)?)
        })
    }
}
