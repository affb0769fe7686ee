//! A look at what has changed in Stash, whether a hook told of it or not.

use queue::OnConflict;
use stash::client::SceneFilter;

use crate::core::catch_up::{self, Stamp};
use crate::core::reconcile::unix;
use crate::core::time::Time;
use crate::core::words;
use crate::storage::db::Db;
use crate::storage::ledger::{self, LastLook, ServerId};
use crate::sync::{Stopped, Syncer};
use crate::worker::in_flight::{Event, Look};
use crate::worker::recording::scene_job;
use crate::worker::state::Worker;

impl<T: Time> Worker<'_, T> {
    pub(super) fn start_look(&mut self) {
        let Some(server) = self.home else { return };
        self.scheduler.looking(self.time.now());
        let (syncer, db, time) = (self.link.syncer.clone(), self.db, self.time);
        self.spawn(async move { Event::Looked(look(&syncer, (db, server), time).await) });
    }

    /// Whether somebody wished for a look since the last wish.
    pub(super) fn hear_wish(&mut self) -> queue::Result<()> {
        let wished = self.db.read(crate::storage::catch_up::wanted)?;
        if self.in_flight.wished != wished {
            self.in_flight.wished = wished;
            self.scheduler.wish_look(self.time.now());
        }
        Ok(())
    }

    pub(super) fn looked(&mut self, look: Result<Look, Stopped>) -> queue::Result<()> {
        let now = self.time.now();
        let look = match Stopped::apart(look)? {
            Ok(look) => look,
            // The next look asks for the same again.
            Err(why) => {
                self.log
                    .debug(format!("changes in Stash cannot be read: {}", why.why));
                self.renew_connection();
                self.scheduler.has_looked(false, true, now);
                return Ok(());
            }
        };
        self.scheduler.has_looked(look.is_busy, look.is_early, now);
        if look.queued > 0 {
            self.log.debug(words::changed_in_stash(look.queued));
        }
        if self.in_flight.told_never_synced
            || !self.link.settings.toggles.master
            || self.db.with(|queue| queue.counts())?.live() > 0
        {
            return Ok(());
        }
        let never_synced = self.db.with(|queue| ledger::not_synced(queue))?;
        if never_synced > 0 {
            self.in_flight.told_never_synced = true;
            self.log.info(words::never_synced(never_synced));
        }
        Ok(())
    }
}

/// Queues each scene that is not what it was when it was last read. Nothing waits for it, so a page
/// is one transaction, and one that fails is asked for again.
async fn look(
    syncer: &Syncer,
    (db, server): (&Db<'_>, ServerId),
    time: &impl Time,
) -> Result<Look, Stopped> {
    let began = time.wall();
    let since = catch_up::since(db.read(|db| ledger::caught_up(db, server))?, began);
    let filter = since.map_or(SceneFilter::All, SceneFilter::UpdatedSince);
    let (mut after, mut queued, mut is_early) = (None, 0, false);
    loop {
        let asked = time.wall();
        let changes = syncer.stash.changes(filter, after).await?;
        let is_last = changes.page.next.is_none();
        queued += db.write(|tx| {
            let has_consent = ledger::has_consent(tx.sql(), server)?;
            let mut new = 0;
            for scene in &changes.page.rows {
                let (id, updated_at) = (scene.id.0, scene.updated_at);
                let stamp = Stamp::new(updated_at, asked);
                // Its own hook's job is under way, or the next look sees it.
                if !stamp.is_same(updated_at) {
                    is_early = true;
                    continue;
                }
                let last = ledger::last_look(tx.sql(), server, id)?;
                let is_same = |last: LastLook| last.stamp.is_same(updated_at);
                // Without consent, only what was written before is kept equal.
                let is_ours = has_consent || last.is_some_and(|last| last.written);
                if last.is_some_and(is_same) || !is_ours {
                    continue;
                }
                tx.enqueue(scene_job(id, false).on_conflict(OnConflict::Keep))?;
                // Noted now, too: a scene that nobody can read ends without a look, and must not
                // come again and again.
                ledger::looked(tx.sql(), server, id, stamp)?;
                new += 1;
            }
            if is_last {
                ledger::set_caught_up(tx.sql(), server, unix(began))?;
                let scenes = if has_consent { 0 } else { changes.scenes };
                ledger::set_library(tx.sql(), server, scenes)?;
            }
            Ok(new)
        })?;
        if is_last {
            return Ok(Look {
                queued,
                is_busy: changes.is_busy,
                is_early,
            });
        }
        after = changes.page.next;
    }
}
