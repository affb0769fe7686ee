//! One item made equal to the scene.

use std::collections::BTreeSet;

use scene_sync::{ImageSeen, LastWritten, Policy};

use super::super::find::Target;
use super::super::picture::{self, Fetched, Pictures};
use super::super::record::{Kept, same};
use super::super::write::{Arrived, Refused, Writer};
use super::super::{Stopped, convert};
use super::{SceneJob, not_in_plex};
use crate::ledger::{self, ItemRow};
use crate::outcome::Failure;
use crate::reconcile::unix_millis;
use crate::texts;
use crate::worker::time::Time;

/// What is to be sent to an item.
struct Draft {
    item: scene_sync::Item,
    plan: scene_sync::EditPlan,
    seen: Pictures<Option<ImageSeen>>,
    notes: Vec<String>,
}

impl<T: Time> SceneJob<'_, '_, T> {
    /// Makes one item equal; whether it is the scene's.
    pub(super) async fn one(&mut self, mut target: Target) -> Result<bool, Stopped> {
        let syncer = self.syncer;
        let key = target.key.as_str().to_owned();
        loop {
            let policy = Policy {
                retry_refused: self.force,
                ..syncer.policy_for(&target.section)
            };
            let late_look = policy.preserve_plex_edits || syncer.capabilities.replaces_lists();
            let evidence = target.bound.evidence;
            if let Some(other) = self.contested(&key, &target.paths, evidence).await? {
                self.wait_for(key, other)?;
                return Ok(false);
            }
            let (db, server) = (self.db, self.server);
            let row = db.read(|db| ledger::item::<LastWritten>(db, server, &key))?;
            let last = row.as_ref().map(|row| &row.written);
            let mine = row.as_ref().is_some_and(|row| row.owner == Some(self.id));
            // Where a person's edit counts, the look is the last request before the write.
            let mut next = None;
            let early = target.details.take().filter(|item| {
                let item = convert::item(item);
                !late_look || scene_sync::plan(&self.scene, &item, last, &policy).is_empty()
            });
            let item = match early {
                Some(item) => item,
                None => {
                    if late_look {
                        next = Some(syncer.limits.next().await);
                    }
                    let _overlapping = syncer.limits.read().await;
                    syncer.plex.item(&target.key).await?
                }
            };
            if !target.still_holds(&item) {
                let shown = syncer.paths.show(&target.bound.path);
                let why = format!("Plex item {key} has lost the file {shown} meanwhile");
                return Err(not_in_plex(why).into());
            }
            let draft = self.draft(&item, last, &policy).await?;
            let mut before = last.cloned();
            let (id, path) = (self.id, target.bound.path.clone());
            let row = |written| ItemRow {
                item: key.clone(),
                owner: Some(id),
                path: path.clone(),
                written,
            };
            let at = unix_millis(self.time.wall());
            let mut intent = draft.plan.intent(&draft.item, last, at);
            if let (Some(intended), Some(cover)) = (
                intent.as_mut().and_then(|intent| intent.intents.last_mut()),
                &self.cover,
            ) {
                cover.intend(&draft.plan, &mut intended.written);
            }
            let taken = match (&intent, &draft.plan.written) {
                (Some(intent), _) => Some(intent.clone()),
                (None, Some(_)) if !mine => Some(last.cloned().unwrap_or_default()),
                (None, _) => None,
            };
            if let Some(taken) = taken {
                // Another job wrote to it in between: whose it is, and what it shows, must be asked again.
                if !self.take(&row(taken.clone()), last)? {
                    continue;
                }
                before = Some(taken);
            }
            // Asked before each request that changes the item.
            let is_ours = || {
                let owner = db.read(|db| ledger::owner(db, server, &key));
                // What cannot be read will fail when the end is recorded.
                owner.is_ok_and(|owner| owner == Some(id))
            };
            let writer = Writer {
                syncer,
                target: &target,
                item: &item,
                last,
                next: next.into(),
                is_ours: &is_ours,
            };
            let done = writer
                .apply(&draft.plan, self.cover.as_ref(), draft.seen)
                .await;
            match done {
                // A list was longer than this Plex takes: it is planned anew, as what fits.
                Ok(mut done) if done.limited => {
                    if let Some(written) = &done.written
                        && !self.take(&row(written.clone()), before.as_ref())?
                    {
                        continue;
                    }
                    before = done.written.clone().or(before);
                    done.refused = None;
                    self.arrived(done, Vec::new(), (row, before), &key);
                    continue;
                }
                Ok(done) => self.arrived(done, draft.notes, (row, before), &key),
                Err(failed) => {
                    // Given up only now: it had to wait for its turn, and then for an answer.
                    if let Some(mut intent) = intent {
                        let at = unix_millis(self.time.wall());
                        if let Some(sent) = intent.intents.last_mut() {
                            sent.at = at;
                        }
                        let row = row(intent);
                        self.record.items.push(Kept { row, before, at });
                    }
                    return Err(failed.into());
                }
            }
            return Ok(true);
        }
    }

    /// Records that the item is the scene's, with what is about to be sent; false when another one owns it, or what is on
    /// record of it is not what the plan was made from.
    fn take(&self, row: &ItemRow<LastWritten>, last: Option<&LastWritten>) -> queue::Result<bool> {
        let (server, id) = (self.server, self.id);
        self.db.write(|tx| {
            let there = ledger::item::<LastWritten>(tx.sql(), server, &row.item)?;
            let owner = there.as_ref().and_then(|there| there.owner);
            let there = there.as_ref().map(|there| &there.written);
            if owner.is_some_and(|owner| owner != id) || !same(there, last) {
                return Ok(false);
            }
            ledger::put_item(tx.sql(), server, row)?;
            ledger::make_unequal(tx.sql(), server, id)?;
            Ok(true)
        })
    }

    fn arrived(
        &mut self,
        done: Arrived,
        notes: Vec<String>,
        (row, before): (
            impl Fn(LastWritten) -> ItemRow<LastWritten>,
            Option<LastWritten>,
        ),
        key: &str,
    ) {
        let Arrived {
            written,
            changes,
            refused,
            parts,
            learned,
            given_up,
            limited: _,
        } = done;
        for Refused { part, why, .. } in parts {
            self.news.push(texts::part_refused(&part.to_string(), &why));
            let note = scene_sync::Note::Refused(part).to_string();
            self.warned.insert(note.clone());
            self.left_out.insert(note);
        }
        if let Some(written) = written {
            let (row, at) = (row(written), unix_millis(self.time.wall()));
            self.record.items.retain(|kept| kept.row.item != row.item);
            self.record.items.push(Kept { row, before, at });
        }
        match self.synced.changes.iter_mut().find(|(item, _)| item == key) {
            Some((_, all)) => {
                all.extend(changes);
                let mut seen = BTreeSet::new();
                all.retain(|name| seen.insert(name.clone()));
            }
            None if changes.is_empty() => {}
            None => self.synced.changes.push((key.to_owned(), changes)),
        }
        for note in notes {
            if !self.synced.notes.contains(&note) {
                self.synced.notes.push(note);
            }
        }
        self.record.learned.extend(learned);
        self.news.extend(given_up);
        self.synced.owed = self.synced.owed.take().or(refused);
    }

    async fn draft(
        &mut self,
        found: &plex::Item,
        last: Option<&LastWritten>,
        policy: &Policy,
    ) -> Result<Draft, Stopped> {
        let syncer = self.syncer;
        let seen = {
            let _overlapping = syncer.limits.read().await;
            picture::look(&syncer.plex, found, last, policy).await?
        };
        let mut item = convert::item(found);
        let selected = |seen: &Option<ImageSeen>| seen.as_ref().map(|seen| seen.selected.clone());
        item.poster = selected(&seen.poster);
        item.background = selected(&seen.background);
        let mut plan = scene_sync::plan(&self.scene, &item, last, policy);
        let mut notes = Vec::new();
        for note in &plan.notes {
            match note.is_loss() {
                true => drop(self.left_out.insert(note.to_string())),
                false => notes.push(note.to_string()),
            }
        }
        if plan.poster || plan.background {
            self.fetch_cover().await?;
            let there = self.cover.is_some();
            (plan.poster, plan.background) = (plan.poster && there, plan.background && there);
        }
        let at = unix_millis(self.time.wall());
        if let Some(written) = &mut plan.written {
            // What was cut off longer ago would be here if it still came.
            let late = syncer.late.as_millis().try_into().unwrap_or(i64::MAX);
            written
                .intents
                .retain(|intent| at.saturating_sub(intent.at) < late);
        }
        Ok(Draft {
            item,
            plan,
            seen,
            notes,
        })
    }

    /// Brings the bytes of the cover, for the first item that needs them.
    async fn fetch_cover(&mut self) -> Result<(), Failure> {
        let syncer = self.syncer;
        let (None, Some(address)) = (&self.cover, &self.address) else {
            return Ok(());
        };
        match syncer.covers.fetch(&syncer.stash, address, None).await? {
            Fetched::Picture(cover) => self.cover = Some(cover),
            Fetched::Nothing(why) => drop(self.left_out.insert(why)),
            Fetched::Owed(why) => self.synced.owed = Some(why),
            Fetched::Same => {}
        }
        Ok(())
    }
}
