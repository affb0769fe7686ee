//! One item made equal to the scene.

use std::collections::BTreeSet;

use scene_sync::{ImageSeen, LastWritten, Policy};

use crate::core::outcome::Failure;
use crate::core::reconcile::unix_millis;
use crate::core::time::Time;
use crate::core::words;
use crate::storage::ledger::{self, ItemRow};
use crate::sync::convert;
use crate::sync::cover::Fetched;
use crate::sync::find::Target;
use crate::sync::hand::Hand;
use crate::sync::held::Held;
use crate::sync::images::{self, Pictures};
use crate::sync::record::same;
use crate::sync::scene::{SceneJob, not_in_plex};
use crate::sync::stopped::Stopped;
use crate::sync::write::Arrived;
use crate::sync::writer::{Refused, Writer};

/// What is to be sent to an item.
struct Draft {
    item: scene_sync::Item,
    plan: scene_sync::EditPlan,
    seen: Pictures<Option<ImageSeen>>,
    notes: Vec<String>,
}

impl<T: Time> SceneJob<'_, '_, T> {
    /// Makes one item equal; whether it is the scene's.
    ///
    /// `known` is what was on record before the target was looked at.
    pub(super) async fn one(
        &mut self,
        mut target: Target,
        known: &[ItemRow<LastWritten>],
    ) -> Result<bool, Stopped> {
        let syncer = self.syncer;
        let key = target.key.as_str().to_owned();
        loop {
            let policy = Policy {
                retry_refused: self.force,
                ..syncer.policy_for(&target.section)
            };
            let late_look = policy.preserve_plex_edits || syncer.capabilities.replaces_lists();
            let evidence = target.bound.evidence;
            let taken_before = self.taken_by(&key);
            if let Some(other) = self.contested(&key, &target.paths, evidence).await? {
                self.wait_for(key, &target.bound.path, other)?;
                return Ok(false);
            }
            let (db, server) = (self.db, self.server);
            let row = db.read(|db| ledger::item::<LastWritten>(db, server, &key))?;
            let last = row.as_ref().map(|row| &row.written);
            let time = self.time;
            let now = || unix_millis(time.wall());
            let trusted = last.map(|last| last.without_due(now()));
            let mine = row.as_ref().is_some_and(|row| row.owner == Some(self.id));
            // A look from before the row was written may not show what the row says.
            let known = known.iter().find(|known| known.item == key);
            let is_current = same(known.map(|known| &known.written), last);
            // Where a person's edit counts, the look is the last request before the write.
            let mut next = None;
            let early = target.details.take().filter(|item| {
                let item = convert::item(item);
                let is_empty =
                    || scene_sync::plan(&self.scene, &item, trusted.as_ref(), &policy).is_empty();
                is_current && (!late_look || is_empty())
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
                let why = format!("the Plex item ({key}) has lost the file {shown} meanwhile");
                return Err(not_in_plex(why).into());
            }
            let draft = self.draft(&item, trusted.as_ref(), &policy).await?;
            if let Hand::Compares(taken) = self.hand {
                if !taken.take(&key, self.id, taken_before) {
                    continue;
                }
                self.planned.push((key, draft.plan));
                return Ok(true);
            }
            let mut intent = draft.plan.intent(&draft.item, last, now());
            if let (Some(intended), Some(cover)) = (
                intent.as_mut().and_then(|intent| intent.intents.last_mut()),
                &self.cover,
            ) {
                cover.intend(&draft.plan, &mut intended.written);
            }
            let held = Held::new(db, server, (&key, self.id, &target.bound.path), last);
            let taken = match (&intent, &draft.plan.written) {
                (Some(intent), _) => Some(intent.clone()),
                (None, Some(_)) if !mine => Some(last.cloned().unwrap_or_default()),
                (None, _) => None,
            };
            // Another job wrote to it in between: whose it is, and what it shows, must be asked again.
            if let Some(taken) = taken
                && !held.put(taken)?
            {
                continue;
            }
            let done = {
                let may_send = || held.may_send(now());
                let writer = Writer {
                    syncer,
                    target: &target,
                    item: &item,
                    last,
                    at: now(),
                    next: next.into(),
                    may_send: &may_send,
                };
                let (cover, seen) = (self.cover.as_ref(), draft.seen);
                writer.apply(&draft.plan, cover, seen).await
            };
            match done {
                // A list was longer than this Plex takes: it is planned anew, as what fits.
                Ok(mut done) if done.limited => {
                    if let Some(written) = &done.written
                        && !held.put(written.clone())?
                    {
                        continue;
                    }
                    done.refused = None;
                    self.arrived(done, Vec::new(), held, &key);
                    continue;
                }
                Ok(done) => self.arrived(done, draft.notes, held, &key),
                Err(failed) => {
                    // Given up only now: it had to wait for its turn, and then for an answer.
                    if let Some(mut intent) = intent {
                        if let Some(sent) = intent.intents.last_mut() {
                            sent.at = now();
                        }
                        self.record.items.push(held.end(intent, now()));
                    }
                    return Err(failed.into());
                }
            }
            return Ok(true);
        }
    }

    fn arrived(&mut self, done: Arrived, notes: Vec<String>, held: Held<'_, '_>, key: &str) {
        let Arrived {
            written,
            changes,
            refused,
            parts,
            learned,
            given_up,
            limited: _,
        } = done;
        for Refused {
            part, why, passes, ..
        } in parts
        {
            self.news.push(words::part_refused(part, &why, passes));
            let note = words::part_left_out(part, passes);
            self.warned.insert(note.clone());
            self.left_out.insert(note);
        }
        if let Some(written) = written {
            let kept = held.end(written, unix_millis(self.time.wall()));
            self.record.items.retain(|other| other.row.item != key);
            self.record.items.push(kept);
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
            images::look(&syncer.plex, found, last, policy).await?
        };
        let mut item = convert::item(found);
        let selected = |seen: &Option<ImageSeen>| seen.as_ref().map(|seen| seen.selected.clone());
        item.poster = selected(&seen.poster);
        item.background = selected(&seen.background);
        let mut plan = scene_sync::plan(&self.scene, &item, last, policy);
        let mut notes = Vec::new();
        for note in &plan.notes {
            match note {
                scene_sync::Note::Refused(part) => {
                    let passes = last.is_some_and(|last| last.failed_at.contains_key(part));
                    self.left_out.insert(words::part_left_out(*part, passes));
                }
                note if note.is_loss() => drop(self.left_out.insert(note.to_string())),
                note => notes.push(note.to_string()),
            }
        }
        if (plan.poster || plan.background) && matches!(self.hand, Hand::Writes) {
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
            Fetched::Nothing(why) => self.left_out.extend(why),
            Fetched::Owed(why) => self.synced.owed = Some(why),
            Fetched::Same => {}
        }
        Ok(())
    }
}
