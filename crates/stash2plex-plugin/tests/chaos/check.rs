//! The end: every item that holds a file shows a scene of the file, and no other item shows any.

use std::collections::{BTreeMap, BTreeSet};

use queue::DeadFilter;
use simulators::{EntityKind, Item, Scene, TagKind, compare_item};
use sync_engine::core::job::scene_of_key;
use sync_engine::storage::ledger;

use crate::{BY_HAND, Chaos};

impl Chaos {
    fn dead(&self) -> BTreeSet<u64> {
        let letters = self.plugin.queue().dead_keys(&DeadFilter::all()).unwrap();
        let scenes = letters.iter().filter_map(|(_, key)| scene_of_key(key));
        scenes.collect()
    }

    /// Scenes of which Plex refused a picture or the rating: that was said, and Sync All Scenes
    /// tries again.
    fn refused(&self) -> BTreeSet<u64> {
        let queue = self.plugin.queue();
        let refused = |scene: &u64| {
            let left_out = ledger::left_out_of(queue.sql(), *scene).unwrap();
            left_out.iter().any(|why| {
                why.contains(", which Plex, or a proxy in front of it, does not take. ")
                    || why.contains(", at which Plex failed. ")
            })
        };
        let scenes = self.plugin.world.stash.scenes();
        scenes
            .iter()
            .map(|scene| scene.id)
            .filter(refused)
            .collect()
    }

    pub(crate) fn check(&self) {
        let (dead, refused, differ) = (self.dead(), self.refused(), self.differing());
        let lost: Vec<_> = differ
            .iter()
            .filter(|(scene, _)| !dead.contains(scene) && !refused.contains(scene))
            .collect();
        if !refused.is_empty() {
            self.plugin.task("all");
        }
        assert!(
            lost.is_empty(),
            "lost without a word: {lost:?}\ndead: {dead:?}\n{}",
            self.log()
        );
        for scene in &dead {
            if self.plugin.world.stash.scene(*scene).is_some() {
                self.plugin.save(*scene);
            }
        }
        self.settle();
        let (still, differ) = (self.dead(), self.differing());
        let nowhere = |scene: &u64| {
            let scene = self.plugin.world.stash.scene(*scene).unwrap();
            self.items_of(&scene).is_empty()
        };
        let wrong = differ
            .iter()
            .filter(|(scene, _)| !nowhere(scene) || !still.contains(scene));
        let wrong: Vec<_> = wrong.collect();
        assert!(
            wrong.is_empty(),
            "{wrong:?}\ndead: {still:?}\n{}",
            self.log()
        );
        assert!(still.is_subset(&dead));
        self.check_tags();
        for decoy in &self.decoys {
            let item = self.plugin.world.plex.item(*decoy).unwrap();
            assert!(
                item.title().starts_with("decoy "),
                "{} was written: {}",
                decoy,
                self.log()
            );
        }
    }

    /// The scenes that an item of theirs does not show, or that have none, and why.
    fn differing(&self) -> BTreeMap<u64, String> {
        let mut differ = BTreeMap::new();
        for scene in self.plugin.world.stash.scenes() {
            let items = self.items_of(&scene);
            if items.is_empty() && !scene.files.is_empty() {
                differ.insert(scene.id, "no item".to_owned());
            }
            for item in items {
                // Of two scenes whose files one item holds, it shows either.
                let scenes = self.scenes_of(item.key);
                let told = scenes.iter().map(|one| self.difference(one, &item));
                let told: Vec<_> = told.collect();
                if told.iter().all(|told| !told.is_empty()) {
                    differ.insert(scene.id, told.concat());
                }
            }
        }
        differ
    }

    fn difference(&self, scene: &Scene, item: &Item) -> String {
        let world = &self.plugin.world;
        let mut found = compare_item(scene, item, &world.stash, &world.mapping);
        let by_hand = self.by_hand.lock().unwrap();
        let texts = by_hand.get(&item.key);
        // What a person wrote is kept where the user wants that, and where Stash has nothing to put
        // in its place.
        let kept = (scene.details.is_empty() || self.settings["preserve_plex_edits"] == true)
            && texts.is_some_and(|texts| texts.contains(item.field("summary")));
        found.retain(|one| one.what != "summary" || !kept);
        let told = found
            .iter()
            .map(|one| format!("item {}: {one}; ", item.key));
        told.collect()
    }

    /// Plex has what Stash has and what people gave it: nothing of what came and went.
    fn check_tags(&self) {
        let world = &self.plugin.world;
        for scene in world.stash.scenes() {
            for item in self.items_of(&scene) {
                if self.scenes_of(item.key).len() > 1 {
                    continue;
                }
                let tags = scene.tags.iter();
                let mut wanted: BTreeSet<_> = tags
                    .map(|id| {
                        world
                            .stash
                            .name_of(EntityKind::Tag, *id)
                            .to_ascii_lowercase()
                    })
                    .collect();
                let shown = item.tag_names(TagKind::Genre).into_iter();
                let shown: BTreeSet<_> = shown.map(str::to_ascii_lowercase).collect();
                let by_hand = self.by_hand.lock().unwrap();
                let by_hand = by_hand.get(&item.key).into_iter().flatten();
                wanted.extend(by_hand.filter(|name| name.starts_with(BY_HAND)).cloned());
                assert_eq!(shown, wanted, "scene {}; {}", scene.id, self.log());
            }
        }
    }
}
