//! Claiming: due jobs promoted, lost ones taken back, the most urgent handed out, in one
//! transaction.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde::de::DeserializeOwned;

use crate::claiming::Lost;
use crate::clock::duration_ms;
use crate::error::Result;
use crate::fencing_token::FencingToken;
use crate::job::{Claim, State, text};
use crate::settle::UNDECODABLE;
use crate::statements as sql;
use crate::tx::Tx;

/// Due jobs moved by one claim at most, beyond the number claimed.
const PROMOTED_AT_ONCE: usize = 1_000;
/// Lost jobs taken back by one claim at most, for each owner.
const RECLAIMED_AT_ONCE: i64 = 1_000;

/// Overdue claims of owners that live, and when (monotonic) this process first saw them so.
///
/// A stepped wall clock makes every lease look overdue. So the lease's whole length must pass on
/// this process's own monotonic clock too, without the owner extending it, before a claim is taken
/// from an owner that lives.
pub(crate) type Watched = HashMap<Overdue, Duration>;

/// A job, the claim on it, and when (by the wall clock) its lease ended.
pub(crate) type Overdue = (i64, FencingToken, i64);

/// Running jobs of other owners whose lease has ended by the wall clock, and how long it is.
pub(crate) fn overdue(connection: &Connection, own: i64, now: i64) -> Result<Vec<(Overdue, i64)>> {
    let (first, last) = FencingToken::range(own);
    let others = params![now, first, last, RECLAIMED_AT_ONCE];
    Ok(sql::rows(connection, sql::OVERDUE, others, |row| {
        Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?))
    })?)
}

/// Watches what is overdue, and nothing else from now on; those that were watched for the whole
/// lease.
pub(crate) fn watch(
    watched: &mut Watched,
    overdue: Vec<(Overdue, i64)>,
    monotonic: Duration,
) -> impl Iterator<Item = Overdue> {
    let since = |seen| (seen, watched.get(&seen).copied().unwrap_or(monotonic));
    let now = overdue.iter().map(|(seen, _)| since(*seen)).collect();
    *watched = now;
    let over = move |since| duration_ms(monotonic.saturating_sub(since));
    overdue
        .into_iter()
        .filter(move |(seen, lease)| {
            watched
                .get(seen)
                .is_some_and(|since| over(*since) >= *lease)
        })
        .map(|(seen, _)| seen)
}

/// A job that can be taken: its id, whether it was lost before, and as it will be when taken; or
/// why its payload cannot be read.
type Ready<T> = (i64, bool, serde_json::Result<Claim<T>>);

impl<T: DeserializeOwned> Tx<'_, T> {
    /// Fills `claims` up to `n`. A job that was lost before is taken alone: should it kill its
    /// worker, no other job counts as lost with it.
    pub(crate) fn claim(
        &self,
        no: FencingToken,
        n: usize,
        claims: &mut Vec<Claim<T>>,
    ) -> Result<()> {
        // Again when undecodable payloads left room.
        while claims.len() < n {
            let ready = self.ready(no, n - claims.len())?;
            if ready.is_empty() {
                break;
            }
            for (id, lost, claim) in ready {
                if claims.iter().any(|claim| claim.lost > 0) || lost && !claims.is_empty() {
                    return Ok(());
                }
                self.take(id, no)?;
                match claim {
                    Ok(claim) => claims.push(claim),
                    Err(error) => {
                        self.bury(id, no, UNDECODABLE, &error.to_string())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The most urgent jobs.
    fn ready(&self, no: FencingToken, n: usize) -> Result<Vec<Ready<T>>> {
        let expires = self.monotonic.saturating_add(self.options.lease);
        let limit = [i64::try_from(n).unwrap_or(i64::MAX)];
        Ok(sql::rows(&self.sql, self.options.ready(), limit, |row| {
            let id = row.get(0)?;
            let (priority, due, enqueued) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let (attempts, deferred) = (row.get::<_, u32>(4)?.saturating_add(1), row.get(5)?);
            let (lost, key) = (row.get::<_, u32>(6)?, text(row, 7)?);
            // Bytes, as damaged text need not be text.
            let payload = serde_json::from_slice(row.get_ref(8)?.as_bytes()?);
            let claim = payload.map(|payload| Claim {
                id,
                no,
                file: self.file,
                expires,
                priority,
                due,
                enqueued,
                attempts,
                deferred,
                lost,
                key,
                payload,
            });
            Ok((id, lost > 0, claim))
        })?)
    }
}

impl<T> Tx<'_, T> {
    /// Makes jobs ready that are due, the longest due first, enough to claim `n`. Those that a
    /// clock set back would keep waiting begin their wait now.
    pub(crate) fn promote(&self, n: usize) -> Result<()> {
        let limit = i64::try_from(n.saturating_add(PROMOTED_AT_ONCE)).unwrap_or(i64::MAX);
        let ids = |statement| -> rusqlite::Result<Vec<i64>> {
            sql::rows(&self.sql, statement, [self.now, limit], |row| row.get(0))
        };
        for id in ids(sql::SET_BACK)? {
            self.execute(sql::WAIT_ANEW, [id, self.now])?;
        }
        for id in ids(sql::DUE)? {
            self.execute(sql::PROMOTE, [id])?;
            self.count(|tally| tally.moves(Some(State::Waiting), Some(State::Ready)));
        }
        Ok(())
    }

    fn take(&self, id: i64, no: FencingToken) -> Result<()> {
        let lease = duration_ms(self.options.lease);
        self.execute(
            sql::TAKE,
            params![id, no, self.now.saturating_add(lease), lease],
        )?;
        self.count(|tally| tally.moves(Some(State::Ready), Some(State::Running)));
        Ok(())
    }

    /// Takes back what others lost; the dead owners that are forgotten. Their lock files must stay
    /// until that is committed: of one without a file nobody can tell that it is dead.
    pub(crate) fn reclaim_lost(
        &self,
        own: i64,
        lost: &Lost,
        watched: &mut Watched,
    ) -> Result<Vec<i64>> {
        let mut forgotten = Vec::new();
        for (owner, _lock) in &lost.dead {
            if self.reclaim_owner(*owner)? {
                forgotten.push(*owner);
            }
        }
        for owner in &lost.missing {
            self.forget_idle(*owner)?;
        }
        if lost.overdue {
            self.reclaim_overdue(own, watched)?;
        }
        Ok(forgotten)
    }

    /// An owner by its own lock; one that is registered already stays so.
    pub(crate) fn register(&self, owner: i64) -> Result<()> {
        self.execute(sql::REGISTER, [owner, self.now]).map(drop)
    }

    /// Forgets an owner that has no job. When it is alive after all, it makes its file again and
    /// registers again.
    fn forget_idle(&self, owner: i64) -> Result<()> {
        if self.held_by(owner, 1)?.is_empty() {
            self.execute(sql::FORGET_OWNER, [owner])?;
        }
        Ok(())
    }

    /// Whether that was all it held, and it is forgotten.
    fn reclaim_owner(&self, owner: i64) -> Result<bool> {
        let jobs = self.held_by(owner, RECLAIMED_AT_ONCE)?;
        for (job, no) in &jobs {
            self.reclaim(*job, *no, "owner died")?;
        }
        let all = i64::try_from(jobs.len()).is_ok_and(|n| n < RECLAIMED_AT_ONCE);
        if all {
            self.execute(sql::FORGET_OWNER, [owner])?;
        }
        Ok(all)
    }

    fn held_by(&self, owner: i64, limit: i64) -> Result<Vec<(i64, FencingToken)>> {
        let (first, last) = FencingToken::range(owner);
        let claims = params![first, last, limit];
        Ok(sql::rows(&self.sql, sql::HELD_BY, claims, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?)
    }

    fn reclaim_overdue(&self, own: i64, watched: &mut Watched) -> Result<()> {
        let overdue = overdue(&self.sql, own, self.now)?;
        for (job, no, _) in watch(watched, overdue, self.monotonic) {
            self.reclaim(job, no, "lease ran out")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use rusqlite::{StatementStatus, ToSql};

    use super::*;
    use crate::{NewJob, Options, Queue};

    /// Instructions of SQLite's machine for the statements of one claim, with so many jobs in a
    /// state beside one ready.
    fn steps(state: Option<State>, backlog: usize) -> Vec<i32> {
        let dir = tempfile::tempdir().unwrap();
        let mut queue: Queue<u32> =
            Queue::open(dir.path().join("q.db"), Options::consumer()).unwrap();
        let delay = Duration::from_secs(if state == Some(State::Waiting) {
            3_600
        } else {
            0
        });
        queue
            .enqueue_all((0..backlog).map(|_| NewJob::new(0).priority(-1).due_in(delay)))
            .unwrap();
        if state.is_none_or(|state| state == State::Running) {
            let claims = queue.claim(backlog).unwrap();
            if state.is_none() {
                let bury =
                    |tx: &Tx<'_, u32>| claims.iter().try_for_each(|claim| tx.dead(claim, "E", "e"));
                queue.transaction(bury).unwrap();
            }
        }
        queue.enqueue(NewJob::new(1)).unwrap();
        let now = crate::clock::to_ms(SystemTime::now());
        let (job, none, lease) = (backlog as i64, FencingToken::first(99), 1_000);
        let statements: [(&str, &[&dyn ToSql]); 9] = [
            (sql::META, &[]),
            (sql::OTHER_OWNERS, &[&0]),
            (sql::OVERDUE, &[&now, &none, &none, &9]),
            (sql::ANY_DUE, &[&now]),
            (sql::SET_BACK, &[&now, &1_000]),
            (sql::DUE, &[&now, &1_000]),
            (sql::READY, &[&1]),
            (sql::TAKE, &[&(job + 1), &none, &lease, &lease]),
            (sql::COUNTS, &[]),
        ];
        statements
            .iter()
            .map(|(sql, params)| {
                let mut statement = queue.connection.prepare(sql).unwrap();
                let mut rows = statement.query(*params).unwrap();
                while rows.next().unwrap().is_some() {}
                drop(rows);
                statement.get_status(StatementStatus::VmStep)
            })
            .collect()
    }

    #[test]
    fn no_backlog_in_any_state_makes_a_claim_longer() {
        let states = [State::Waiting, State::Ready, State::Running].map(Some);
        for state in states.into_iter().chain([None]) {
            assert_eq!(steps(state, 3_000), steps(state, 10), "{state:?}");
        }
    }
}
