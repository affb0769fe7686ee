//! Which items are the scene's.

use std::collections::BTreeSet;

use scene_sync::matching::{self, Bound, Candidate, Evidence, Likeness, Reason};
use scene_sync::path;
use stash::client::SceneId;

use crate::core::outcome::{Failure, SceneFault, Whose};
use crate::core::time::Time;
use crate::core::words;
use crate::storage::ledger;
use crate::sync::convert;
use crate::sync::find::{Finder, Target};
use crate::sync::hand::Hand;
use crate::sync::libraries::Libraries;
use crate::sync::record::Row;
use crate::sync::scene::{SceneJob, not_in_plex};
use crate::sync::stopped::Stopped;

impl<T: Time> SceneJob<'_, '_, T> {
    /// Whether an item was once written to that holds a file of the scene.
    pub(super) fn is_on_record(&self) -> queue::Result<bool> {
        let (db, server) = (self.db, self.server);
        db.read(|db| {
            for file in &self.files {
                if ledger::is_bound(db, server, &file.path)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// The items that hold the scene's files. Those that no longer do are released.
    pub(super) async fn find(&mut self, rows: &[Row]) -> Result<Vec<Target>, Stopped> {
        let (syncer, now) = (self.syncer, self.time.now());
        let mut libraries = syncer.libraries().await?;
        let mut finder = Finder::new(syncer, &libraries, now);
        let mut search = finder.by_path(&self.files, rows).await?;
        let is_gone = |why: &Failure| why.whose == Whose::Scene(SceneFault::NotInPlex);
        if search.unsearched.as_ref().is_some_and(is_gone) {
            // A library that may have been made anew.
            libraries = syncer.libraries_anew().await?;
            finder = Finder::new(syncer, &libraries, now);
            search = finder.by_path(&self.files, rows).await?;
        }
        let (mut targets, mut others) = (search.targets, search.others);
        self.news.extend(syncer.indexes.unread.news());
        let (mut absent, mut doubt) = (Vec::new(), None);
        for nth in search.missing {
            match self.alike(&finder, nth, &mut others).await? {
                Ok(target) => {
                    let is_new = !rows.iter().any(|row| row.item == target.key());
                    // That it is a guess was said.
                    if is_new && !target.bound.evidence.is_guess() {
                        self.told.push(self.matched(&target));
                    }
                    targets.push(target);
                }
                Err(Likeness::None { .. }) => absent.push(nth),
                Err(several) => doubt = Some(syncer.shown(several)),
            }
        }
        let bound = |item: &str| targets.iter().any(|target| target.key() == item);
        let items = rows.iter().map(|row| &row.item);
        let lost = items.filter(|item| !bound(item) && !search.gone.contains(item));
        self.record.released.extend(lost.cloned());
        self.record.gone = search.gone;
        // Another scene's item says nothing about this one.
        let mut elsewhere = Vec::new();
        for other in others {
            if !self.is_of_another(&other.item)? {
                elsewhere.push(other);
            }
        }
        let others = elsewhere;
        self.record.hint = self.hint((rows, &libraries), &targets, &others)?;
        if let Some(why) = search.unsearched {
            if targets.is_empty() {
                return Err(why.into());
            }
            self.owe(words::not_searched(&why.why));
        }
        if targets.is_empty() {
            if !syncer.owner_known.get() {
                syncer.owner_check().await?;
            }
            let nth = absent.first().copied().unwrap_or_default();
            let failure = match doubt {
                Some(doubt) => Failure::new(Whose::Scene(SceneFault::Ambiguous), doubt),
                None => not_in_plex(self.absent(nth, &libraries, &others)),
            };
            return Err(failure.into());
        }
        for nth in absent {
            let shown = syncer.paths.show(&self.files[nth].path);
            let note = words::other_file_not_in_plex(&shown);
            self.synced.notes.push(note);
        }
        Ok(targets)
    }

    /// The item that is most like the file, where no path can tell.
    async fn alike(
        &mut self,
        finder: &Finder<'_>,
        nth: usize,
        others: &mut Vec<Candidate>,
    ) -> Result<Result<Target, Likeness>, Stopped> {
        let file = self.files[nth].clone();
        let reason = Reason::NotThere;
        if finder.libraries.covers(&file.path) {
            return Ok(Err(Likeness::None { reason }));
        }
        let found = finder.by_name(&file).await?;
        let items = convert::candidates(found.iter().map(|seen| &seen.item));
        // A rule that is about the path says where the file is: elsewhere is only a hint that the
        // rule is wrong.
        if self.syncer.map.knows(&self.scene.files[nth].path) {
            others.extend(items);
            return Ok(Err(Likeness::None { reason }));
        }
        let (mut taken, evidence) = (BTreeSet::new(), Evidence::Likeness(Reason::NameOnly));
        for seen in &found {
            let key = seen.item.key.as_str();
            if self.contested(key, &[], evidence).await?.is_some() {
                taken.insert(key.to_owned());
            }
        }
        let (item, path, reason) =
            match matching::by_likeness(&file, &items, |item| taken.contains(item)) {
                Likeness::One { item, path, reason } => (item, path, reason),
                Likeness::Several { candidates, reason }
                    if !self.syncer.settings.strict_matching && !candidates.is_empty() =>
                {
                    let best = &candidates[0];
                    let path = self.syncer.paths.show(&best.path);
                    let why = reason.to_string();
                    self.news.push(words::guessed(&path, &best.item, &why));
                    (best.item.clone(), best.path.clone(), reason)
                }
                other => {
                    others.extend(items);
                    return Ok(Err(other));
                }
            };
        let mut found = found.into_iter();
        let Some(found) = found.find(|seen| seen.item.key.as_str() == item) else {
            return Ok(Err(Likeness::None { reason }));
        };
        let bound = Bound {
            item,
            path,
            file: nth,
            evidence: Evidence::Likeness(reason),
        };
        Ok(Ok(found.bound(bound)))
    }

    /// What tells of an item that was found by likeness.
    fn matched(&self, target: &Target) -> String {
        let by = match target.bound.evidence {
            Evidence::Likeness(Reason::SameNameAndFolder) => "folder's name",
            Evidence::Likeness(Reason::SameNameAndDuration) => "length",
            _ => "size",
        };
        let paths = &self.syncer.paths;
        let own = paths.show(&self.files[target.bound.file].path);
        let path = paths.show(&target.bound.path);
        words::matched(&own, (&path, target.key()), by)
    }

    fn is_of_another(&self, item: &str) -> queue::Result<bool> {
        let (server, id) = (self.server, self.id);
        let owner = self.db.read(|db| ledger::owner(db, server, item))?;
        Ok(owner.is_some_and(|owner| owner != id))
    }

    /// The path map rule that the items found, or files of the same name and size, speak for.
    fn hint(
        &self,
        (rows, libraries): (&[Row], &Libraries),
        targets: &[Target],
        others: &[Candidate],
    ) -> queue::Result<Option<String>> {
        let is_liked = |one: &&Bound| matches!(one.evidence, Evidence::Likeness(_));
        let mut found = targets.iter().map(|target| &target.bound).filter(is_liked);
        // How likely it was is not on record, but what it spoke for is.
        let on_record = |one: &&Bound| rows.iter().any(|row| row.item == one.item);
        if found.clone().any(|one| on_record(&one)) {
            let id = self.id;
            return self.db.read(|db| ledger::path_hint(db, id));
        }
        // A guess speaks for no rule.
        let liked = found.find(|one| !one.evidence.is_guess());
        let nowhere = targets.is_empty() && !self.is_led_right(libraries)?;
        Ok(self.rule(liked, nowhere, others))
    }

    /// Whether a file lies in a folder of Plex in which other items were found by their paths: then
    /// no rule is missing, and Plex has not scanned the file.
    fn is_led_right(&self, libraries: &Libraries) -> queue::Result<bool> {
        let (server, id) = (self.server, self.id);
        let folders = self.files.iter();
        let folders = folders.filter_map(|file| libraries.folder_of(&file.path));
        for folder in folders {
            if self
                .db
                .read(|db| ledger::is_any_below(db, server, folder, id))?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The rule that an item found by likeness speaks for, or where there is none, a file of the
    /// same name and size.
    fn rule(&self, liked: Option<&Bound>, nowhere: bool, others: &[Candidate]) -> Option<String> {
        let same = |nth: usize| match matching::by_likeness(&self.files[nth], others, |_| false) {
            Likeness::One { path, reason, .. } => {
                (reason == Reason::SameNameAndSize).then_some((nth, path))
            }
            _ => None,
        };
        let (nth, theirs) = match (liked, nowhere) {
            (Some(liked), _) => (liked.file, liked.path.clone()),
            (None, true) => (0..self.files.len()).find_map(same)?,
            (None, false) => return None,
        };
        let (from, to) = path::suggested_rule(&self.scene.files.get(nth)?.path, &theirs)?;
        Some(format!("{from}=>{to}"))
    }

    fn absent(&self, nth: usize, libraries: &Libraries, others: &[Candidate]) -> String {
        let file = &self.files[nth];
        let shown = self.syncer.paths.show(&file.path);
        let mut why = words::not_in_plex(&shown);
        let holds = libraries.holding(&file.path).next().is_some();
        match libraries.other_holding(&file.path) {
            Some(title) if !holds => why += &words::in_another_library(title),
            None if !holds && self.record.hint.is_none() => why += &words::in_no_library(),
            _ => {}
        }
        if let Some(missing) = &libraries.missing {
            why = format!("{why}; {missing}");
        }
        if let Some(unread) = self.syncer.indexes.unread.any() {
            why += &words::may_be_unread(&unread);
        }
        match (&self.record.hint, others.first()) {
            (Some(rule), _) if !self.syncer.paths.hidden => why += &words::elsewhere(rule),
            (_, Some(other)) => {
                why += &words::different_file(&self.syncer.paths.show(&other.path));
            }
            _ => {}
        }
        why
    }

    /// Another living scene that owns the item and is not beaten by this evidence: one that holds a
    /// file of it too, or whichever, by likeness. An owner that is gone from Stash, or is beaten,
    /// loses the item here.
    pub(super) async fn contested(
        &mut self,
        item: &str,
        paths: &[String],
        evidence: Evidence,
    ) -> Result<Option<u64>, Stopped> {
        let (db, server, id) = (self.db, self.server, self.id);
        let owner = match self.taken_by(item) {
            None => db.read(|db| ledger::owner(db, server, item))?,
            taken => taken,
        };
        let Some(other) = owner.filter(|owner| *owner != id) else {
            return Ok(None);
        };
        let owner = self.syncer.stash.find_scene(SceneId(other)).await?;
        if let Some(scene) = &owner {
            let theirs = self.syncer.mapped(&convert::scene(scene).files);
            let holds = |key: fn(&str) -> String| {
                let keys: BTreeSet<_> = paths.iter().map(|path| key(path)).collect();
                theirs.iter().any(|file| keys.contains(&key(&file.path)))
            };
            let keeps = match evidence {
                Evidence::Path => holds(path::key),
                Evidence::PathButCase => holds(path::loose_key),
                Evidence::Likeness(_) => true,
            };
            if keeps {
                return Ok(Some(other));
            }
        }
        if matches!(self.hand, Hand::Compares(_)) {
            return Ok(None);
        }
        let freed = db.write(|tx| {
            if owner.is_none() {
                return Ok(ledger::forget_scene(tx.sql(), other)?);
            }
            let mut freed = ledger::release(tx.sql(), server, item, other)?;
            // It has other items, or none: its own job will tell.
            freed.push(other);
            Ok(freed)
        })?;
        let freed = freed.into_iter().filter(|scene| *scene != id);
        self.record.queue.extend(freed);
        Ok(None)
    }

    /// The scene that would have taken the item in this comparison.
    pub(super) fn taken_by(&self, item: &str) -> Option<u64> {
        match self.hand {
            Hand::Writes => None,
            Hand::Compares(taken) => taken.owner(item),
        }
    }

    pub(super) fn wait_for(
        &mut self,
        item: String,
        (path, evidence): (&str, Evidence),
        other: u64,
    ) -> queue::Result<()> {
        let (server, id) = (self.server, self.id);
        let waited = self.db.read(|db| ledger::waited_for(db, server, id))?;
        if !waited.contains(&item) {
            let path = self.syncer.paths.show(path);
            self.news.push(match evidence {
                Evidence::Likeness(_) => words::taken(&path, &item, other),
                _ => words::shared(&path, &item, other),
            });
        }
        self.record.waits.push(item);
        Ok(())
    }
}
