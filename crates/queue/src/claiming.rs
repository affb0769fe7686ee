//! Claiming, as a process sees it: look first, and take the write lock only where there is
//! something to take.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::params;
use serde::de::DeserializeOwned;

use crate::claim;
use crate::clock::to_ms;
use crate::connection::Durability;
use crate::error::Result;
use crate::fencing_token::FencingToken;
use crate::handle::IfReplaced;
use crate::job::Claim;
use crate::owner::{self, Life, Lock, Owner};
use crate::queue::Queue;
use crate::statements as sql;
use crate::tx::{Held, Immediate};

/// While busy, other owners are looked at this often; when there is nothing to claim, each time.
const LOOK_AROUND: Duration = Duration::from_secs(1);
/// Running jobs of others among which their owners are looked for; with more, all owners are looked
/// at.
const HOLDERS: i64 = 1_000;

/// What others lost, as a look from outside a transaction found it.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    /// Owners that died. Their locks are held until this is dropped, so that nobody else takes
    /// their jobs too.
    pub(crate) dead: Vec<(i64, Lock)>,
    /// Owners whose lock file somebody removed: alive or dead, and perhaps without a job.
    pub(crate) missing: Vec<i64>,
    /// A lease has ended that was watched long enough.
    pub(crate) overdue: bool,
}

impl Lost {
    /// Whether there is a job to take back.
    pub(crate) fn is_any(&self) -> bool {
        !self.dead.is_empty() || self.overdue
    }
}

impl<T, B> Queue<T, B> {
    /// Claims up to `n` jobs that are due: lower priority first, then earlier due, then older. None
    /// while paused.
    ///
    /// Takes back first what is lost: jobs of processes that died (noticed by their lock, at once)
    /// and jobs whose lease ran out. A job that was lost before is handed out alone, since it may
    /// be what killed its worker. A payload that is no `T` becomes a dead letter of type
    /// [`UNDECODABLE`](crate::UNDECODABLE).
    ///
    /// Where there is nothing to claim and nothing was the last time, this only looks: idle workers
    /// wait for nobody, and nobody for them.
    ///
    /// Durability: a power cut may undo it; the jobs are then delivered again.
    ///
    /// # Errors
    /// When the database fails, or the file that marks this process as alive cannot be locked.
    pub fn claim(&mut self, n: usize) -> Result<Vec<Claim<T>>>
    where
        T: DeserializeOwned,
    {
        self.following(|queue| queue.claim_here(n))
    }

    fn claim_here(&mut self, n: usize) -> Result<Vec<Claim<T>>>
    where
        T: DeserializeOwned,
    {
        let monotonic = self.options.clock.monotonic();
        let is_over = |held: &&Held| held.expires <= monotonic;
        let expired: Vec<Held> = self.held.iter().take_while(is_over).copied().collect();
        let look_around = self
            .looked_around
            .is_none_or(|last| monotonic.saturating_sub(last) >= LOOK_AROUND);
        let is_idle = self.idle && expired.is_empty() && !self.is_anything_due()?;
        let mut lost = Lost::default();
        if is_idle || look_around {
            lost = self.look_for_lost()?;
        }
        if is_idle && !lost.is_any() {
            return Ok(Vec::new());
        }
        let mut claims = self.take(IfReplaced::Stay, n, &expired, &lost)?;
        let mut again = claims.is_empty() && self.is_replaced();
        if claims.is_empty() && !look_around {
            lost = self.look_for_lost()?;
            again |= lost.is_any();
        }
        if again {
            claims = self.take(IfReplaced::Refuse, n, &[], &lost)?;
        }
        self.idle = claims.is_empty();
        Ok(claims)
    }

    /// Whether a claim would find a job, or a clock by which jobs wait too long.
    fn is_anything_due(&self) -> Result<bool> {
        let now = to_ms(self.options.clock.now());
        // A file that was replaced may have one.
        Ok(self.is_replaced()
            || sql::row(self.reader()?, self.options.any_due(), [now], |row| {
                row.get(0)
            })?)
    }

    fn take(
        &mut self,
        if_replaced: IfReplaced,
        n: usize,
        expired: &[Held],
        lost: &Lost,
    ) -> Result<Vec<Claim<T>>>
    where
        T: DeserializeOwned,
    {
        let (own, no) = self.register()?;
        let mut watched = std::mem::take(&mut self.watched);
        let (mut claims, mut forgotten) = (Vec::new(), Vec::new());
        let taken = self.write_on(if_replaced, Durability::Process, |tx| {
            for held in expired {
                tx.reclaim(held.job, held.no, "lease ran out")?;
                tx.settled(*held);
            }
            let meta = tx.meta()?;
            if meta.paused {
                return Ok(());
            }
            forgotten = tx.reclaim_lost(own, lost, &mut watched)?;
            if meta.waiting > 0 {
                tx.promote(n)?;
            }
            tx.claim(no, n, &mut claims)
        });
        // Those of another file are no more than jobs this one does not have.
        self.watched = watched;
        taken?;
        for owner in forgotten {
            owner::remove_lock(&self.path, owner);
        }
        claims.sort_by_key(|claim| (claim.priority, claim.due, claim.id));
        self.held.extend(claims.iter().map(Held::from));
        if let Some(owner) = &mut self.owner {
            owner.newest = no;
        }
        Ok(claims)
    }

    /// What others lost. Costs a look at the lock of each owner that holds a job; the first time,
    /// of every owner.
    pub(crate) fn look_for_lost(&mut self) -> Result<Lost> {
        self.check_process()?;
        let mut lost = Lost::default();
        if let Some(owner) = &mut self.owner
            && owner.renew()?
        {
            let id = owner.id;
            self.write(Durability::Process, |tx| tx.register(id))?;
        }
        let own = self.owner.as_ref().map_or(0, |owner| owner.id);
        let owners = match self.looked_around {
            None => self.owners(own)?,
            Some(_) => self.holders(own)?,
        };
        let monotonic = self.options.clock.monotonic();
        self.looked_around = Some(monotonic);
        for owner in &owners {
            match owner::life(&self.path, *owner) {
                Life::Dead(lock) => lost.dead.push((*owner, lock)),
                Life::Missing => lost.missing.push(*owner),
                Life::Alive | Life::Unknown => {}
            }
        }
        let now = to_ms(self.options.clock.now());
        let mut watched = std::mem::take(&mut self.watched);
        if owners.is_empty() {
            watched.clear();
        } else {
            let overdue = claim::overdue(&self.connection, own, now)?;
            lost.overdue = claim::watch(&mut watched, overdue, monotonic)
                .next()
                .is_some();
        }
        self.watched = watched;
        Ok(lost)
    }

    fn owners(&self, own: i64) -> Result<BTreeSet<i64>> {
        Ok(sql::rows(
            self.reader()?,
            sql::OTHER_OWNERS,
            [own],
            |row| row.get(0),
        )?)
    }

    /// Owners that hold jobs.
    fn holders(&self, own: i64) -> Result<BTreeSet<i64>> {
        let (first, last) = FencingToken::range(own);
        let but_own = params![first, last, HOLDERS];
        let claims: Vec<FencingToken> =
            sql::rows(self.reader()?, sql::HELD_BY_OTHERS, but_own, |row| {
                row.get(0)
            })?;
        if i64::try_from(claims.len()) == Ok(HOLDERS) {
            return self.owners(own);
        }
        Ok(claims.into_iter().map(FencingToken::owner).collect())
    }

    /// Makes this queue an owner of claims, once; its number, and that of its next claim.
    fn register(&mut self) -> Result<(i64, FencingToken)> {
        if let Some(owner) = &self.owner {
            return Ok((owner.id, owner.newest.next()));
        }
        self.check_process()?;
        self.begin(IfReplaced::Follow)?;
        let now = to_ms(self.options.clock.now());
        let tx = Immediate::begun(&mut self.connection, self.open.process());
        let owner = loop {
            tx.execute("UPDATE queue_meta SET last_owner = last_owner + 1", [])?;
            let id = tx.query_row("SELECT last_owner FROM queue_meta", [], |row| row.get(0))?;
            if let Some(owner) = Owner::new(&self.path, id)? {
                break owner;
            }
        };
        tx.execute(sql::REGISTER, [owner.id, now])?;
        tx.commit()?;
        let numbers = (owner.id, owner.newest.next());
        self.owner = Some(owner);
        Ok(numbers)
    }
}
