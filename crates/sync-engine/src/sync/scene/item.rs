//! One item made equal to the scene.

use plex::ImageKind;
use scene_sync::{EditPlan, ImageSeen, LastWritten, Part, Policy};
use tokio::sync::MutexGuard;

use crate::core::outcome::Failure;
use crate::core::reconcile::unix_millis;
use crate::core::time::Time;
use crate::core::words;
use crate::storage::ledger;
use crate::sync::convert;
use crate::sync::cover::Fetched;
use crate::sync::find::{Target, is_at};
use crate::sync::hand::Hand;
use crate::sync::held::Held;
use crate::sync::images::{self, Looked, Pictures};
use crate::sync::record::{Row, same};
use crate::sync::scene::{SceneJob, not_in_plex};
use crate::sync::stopped::Stopped;
use crate::sync::syncer::late;
use crate::sync::write::Arrived;
use crate::sync::writer::{Refused, Writer};

/// What is to be sent to an item.
struct Draft {
    item: scene_sync::Item,
    plan: EditPlan,
    seen: Pictures<ImageSeen>,
    /// Parts of which nobody can tell what the item shows.
    unread: Vec<Refused>,
    notes: Vec<String>,
}

impl<'a, T: Time> SceneJob<'a, '_, T> {
    /// Makes one item equal; whether it is the scene's.
    ///
    /// `known` is what was on record before the target was looked at.
    pub(super) async fn one(&mut self, mut target: Target, known: &[Row]) -> Result<bool, Stopped> {
        loop {
            if let Some(is_ours) = self.once(&mut target, known).await? {
                return Ok(is_ours);
            }
        }
    }

    /// The same; none where it must be looked at and planned again.
    async fn once(&mut self, target: &mut Target, known: &[Row]) -> Result<Option<bool>, Stopped> {
        let (syncer, db, server) = (self.syncer, self.db, self.server);
        let key = target.key().to_owned();
        let policy = Policy {
            retry_refused: self.force,
            ..syncer.policy_for(&target.library.section)
        };
        let evidence = target.bound.evidence;
        let taken_before = self.taken_by(&key);
        let paths: Vec<_> = target.item.files().map(|part| part.file.clone()).collect();
        if let Some(other) = self.contested(&key, &paths, evidence).await? {
            self.wait_for(key, (&target.bound.path, evidence), other)?;
            return Ok(Some(false));
        }
        let row = db.read(|db| ledger::item::<LastWritten>(db, server, &key))?;
        let last = row.as_ref().map(|row| &row.written);
        let trusted = last.map(|last| last.without_due(self.now()));
        // A look from before the row was written may not show what the row says.
        let known = known.iter().find(|known| known.item == key);
        let is_current = same(known.map(|known| &known.written), last);
        let serves = std::mem::take(&mut target.detailed) && is_current;
        let early = serves.then(|| target.item.clone());
        let look = self.look(target, early, (trusted.as_ref(), &policy));
        let (item, next) = look.await?;
        if !is_at(&item, &target.bound.path) {
            let shown = syncer.paths.show(&target.bound.path);
            let why = format!("the Plex item ({key}) has lost the file {shown} meanwhile");
            return Err(not_in_plex(why).into());
        }
        let draft = self.draft(&item, trusted.as_ref(), &policy).await?;
        if let Hand::Compares(taken) = self.hand {
            let is_taken = taken.take(&key, self.id, taken_before);
            self.planned.extend(is_taken.then_some((key, draft.plan)));
            return Ok(is_taken.then_some(true));
        }
        let is_sent = self.send(target, (&item, draft), row, next).await?;
        Ok(is_sent.then_some(true))
    }

    fn now(&self) -> i64 {
        unix_millis(self.time.wall())
    }

    /// The item as it is, and the place of the one who writes next, where a person's edit counts:
    /// then the look is the last request before the write. What was read on the way serves where
    /// nothing is to be written, or no such edit counts.
    async fn look(
        &self,
        target: &Target,
        early: Option<plex::Item>,
        (last, policy): (Option<&LastWritten>, &Policy),
    ) -> Result<(plex::Item, Option<MutexGuard<'a, ()>>), Stopped> {
        let syncer = self.syncer;
        let is_late = policy.preserve_plex_edits || syncer.capabilities.replaces_lists();
        let serves = |item: &plex::Item| {
            let item = convert::item(item);
            !is_late || scene_sync::plan(&self.scene, &item, last, policy).is_empty()
        };
        if let Some(item) = early.filter(serves) {
            return Ok((item, None));
        }
        let next = match is_late {
            true => Some(syncer.limits.next().await),
            false => None,
        };
        let _overlapping = syncer.limits.read().await;
        Ok((syncer.plex.item(&target.item.key).await?, next))
    }

    /// Records what is about to be sent, and sends it. False where another job wrote to the item in
    /// between, or a list was longer than this Plex takes.
    async fn send(
        &mut self,
        target: &Target,
        (item, mut draft): (&plex::Item, Draft),
        row: Option<Row>,
        next: Option<MutexGuard<'_, ()>>,
    ) -> Result<bool, Stopped> {
        let is_ours = row.as_ref().is_some_and(|row| row.owner == Some(self.id));
        let last = row.map(|row| row.written);
        let (plan, time, key) = (draft.plan, self.time, target.key());
        let now = || unix_millis(time.wall());
        let intent = self.intent(&plan, &draft.item, last.as_ref());
        let held = Held {
            db: self.db,
            server: self.server,
            item: key.to_owned(),
            scene: self.id,
            path: target.bound.path.clone(),
            standing: last.clone().into(),
        };
        let taken = match (&intent, &plan.written) {
            (Some(intent), _) => Some(intent.clone()),
            (None, Some(_)) if !is_ours => Some(last.clone().unwrap_or_default()),
            (None, _) => None,
        };
        // Another job wrote to it in between: whose it is, and what it shows, must be asked again.
        if !held.put(taken)? {
            return Ok(false);
        }
        let writer = Writer {
            syncer: self.syncer,
            target,
            item,
            last: last.as_ref(),
            at: now(),
            next: next.into(),
            may_send: &|| held.may_send(now()),
        };
        let done = writer
            .apply(&plan, self.cover.as_ref(), (draft.seen, draft.unread))
            .await;
        drop(writer);
        let mut done = match done {
            Ok(done) => done,
            Err(failed) => {
                self.given_up(intent, held);
                return Err(failed.into());
            }
        };
        let is_limited = done.limited;
        if is_limited {
            // A list was longer than this Plex takes: it is planned anew, as what fits.
            if !held.put(done.written.clone())? {
                return Ok(false);
            }
            (done.not_shown, draft.notes) = (None, Vec::new());
        }
        self.arrived(done, draft.notes, held, key);
        Ok(!is_limited)
    }

    /// Given up only now: it had to wait for its turn, and then for an answer.
    fn given_up(&mut self, intent: Option<LastWritten>, held: Held<'_, '_>) {
        let (Some(mut intent), now) = (intent, self.now()) else {
            return;
        };
        if let Some(sent) = intent.intents.last_mut() {
            sent.at = now;
        }
        self.record.items.push(held.end(intent, now));
    }

    /// What is to be on record of a plan before it is sent.
    fn intent(
        &self,
        plan: &EditPlan,
        item: &scene_sync::Item,
        last: Option<&LastWritten>,
    ) -> Option<LastWritten> {
        let mut intent = plan.intent(item, last, self.now())?;
        if let (Some(intended), Some(cover)) = (intent.intents.last_mut(), &self.cover) {
            cover.intend(plan, &mut intended.written);
        }
        Some(intent)
    }

    fn arrived(&mut self, done: Arrived, notes: Vec<String>, held: Held<'_, '_>, key: &str) {
        for refused in done.parts {
            let (part, passes) = (refused.part, refused.passes);
            self.news
                .push(words::part_refused(part, &refused.why, passes));
            let note = words::part_left_out(part, passes);
            self.warned.insert(note.clone());
            self.left_out.insert(note);
        }
        if let Some(written) = done.written {
            let kept = held.end(written, self.now());
            self.record.items.retain(|other| other.row.item != key);
            self.record.items.push(kept);
        }
        let (synced, changes) = (&mut self.synced, done.changes);
        match synced.changes.iter_mut().find(|(item, _)| item == key) {
            Some((_, all)) => {
                let known = all.clone();
                all.extend(changes.into_iter().filter(|name| !known.contains(name)));
            }
            None if changes.is_empty() => {}
            None => synced.changes.push((key.to_owned(), changes)),
        }
        for note in notes {
            if !synced.notes.contains(&note) {
                synced.notes.push(note);
            }
        }
        if let Some(fields) = done.not_shown {
            synced.owed.get_or_insert(words::not_shown(&fields));
            let note = words::not_shown_left_out(&fields);
            self.warned.insert(note.clone());
            self.left_out.insert(note);
        }
        self.record.learned.extend(done.learned);
        self.news.extend(done.given_up);
    }

    async fn draft(
        &mut self,
        found: &plex::Item,
        last: Option<&LastWritten>,
        policy: &Policy,
    ) -> Result<Draft, Stopped> {
        let syncer = self.syncer;
        let cover = self.scene.cover.as_deref().unwrap_or_default();
        let Looked {
            seen,
            unread,
            refused,
        } = images::look(syncer, found, last, (policy, cover)).await?;
        let policy = &Policy {
            poster: policy.poster && !unread.contains(&Part::Poster),
            background: policy.background && !unread.contains(&Part::Background),
            ..policy.clone()
        };
        for part in unread {
            self.note_refused(part, last);
        }
        let mut item = convert::item(found);
        let selected = |kind| {
            seen.get(&kind)
                .map(|seen: &ImageSeen| seen.selected.clone())
        };
        item.poster = selected(ImageKind::Poster);
        item.background = selected(ImageKind::Background);
        let mut plan = scene_sync::plan(&self.scene, &item, last, policy);
        let (mut notes, by_request) = (Vec::new(), policy.max_list_encoded.is_some());
        for note in &plan.notes {
            match note {
                scene_sync::Note::Refused(part) => self.note_refused(*part, last),
                note if note.is_loss() => drop(self.left_out.insert(words::lost(note, by_request))),
                note => notes.push(note.to_string()),
            }
        }
        if (plan.poster || plan.background) && matches!(self.hand, Hand::Writes) {
            self.fetch_cover().await?;
            let there = self.cover.is_some();
            (plan.poster, plan.background) = (plan.poster && there, plan.background && there);
        }
        if let Some(written) = &mut plan.written {
            // What was cut off longer ago would be here if it still came.
            let late = late(&syncer.settings)
                .as_millis()
                .try_into()
                .unwrap_or(i64::MAX);
            let age = |at| self.now().saturating_sub(at);
            written.intents.retain(|intent| age(intent.at) < late);
        }
        Ok(Draft {
            item,
            plan,
            seen,
            unread: refused,
            notes,
        })
    }

    /// A part was refused as it is, and is not sent again.
    fn note_refused(&mut self, part: Part, last: Option<&LastWritten>) {
        let last = last.filter(|last| last.refused.contains_key(&part));
        let passes = last.map(|last| last.failed_at.contains_key(&part));
        let note = passes.map(|passes| words::part_left_out(part, passes));
        self.left_out.extend(note);
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
            Fetched::Owed { attempt, why } => self.owe_cover(attempt, &why),
            Fetched::Same => {}
        }
        Ok(())
    }
}
