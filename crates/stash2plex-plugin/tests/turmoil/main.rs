//! Anything that may happen, in any order: people edit on both sides, servers fail in every way, workers are killed. Once all is
//! well again, no change is lost that nobody was told of: what differs has a dead letter, and a save of that mends it.
//!
//! `TURMOILS=200 cargo test -p stash2plex-plugin --test turmoil -- --nocapture` plays more of them; `TURMOIL=17` only that one.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod deeds;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use backoff::SplitMix64;
use common::Installed;
use queue::DeadFilter;
use rand_core::Rng;
use serde_json::{Value, json};
use simulators::{EntityKind, TagKind, TagMode};
use stash2plex_plugin::job::scene_of_key;

const SCENES: usize = 12;
const DEEDS: usize = 60;
/// Names that only a person gives, in Plex.
const BY_HAND: &str = "by hand ";

#[test]
fn nothing_is_lost_in_any_turmoil() {
    let of = |name: &str| std::env::var(name).ok()?.parse().ok();
    let seeds: Vec<u64> = match of("TURMOIL") {
        Some(seed) => vec![seed],
        None => (0..of("TURMOILS").unwrap_or(6)).collect(),
    };
    for some in seeds.chunks(6) {
        thread::scope(|scope| {
            for seed in some {
                scope.spawn(|| Turmoil::new(*seed).play());
            }
        });
    }
}

struct Turmoil {
    seed: u64,
    plugin: Installed,
    random: SplitMix64,
    /// Files of scenes that were ever made.
    files: usize,
    /// Changes so far; each makes values of its own.
    version: u32,
    /// What people added to items in Plex.
    by_hand: BTreeMap<u64, BTreeSet<String>>,
    /// Scenes whose items Plex forgot and found again, which tells nobody.
    found_again: BTreeSet<u64>,
    settings: Value,
    /// Somebody also changes the settings and clears the queue, and in the end runs Reconcile All Scenes.
    tinkering: bool,
}

impl Turmoil {
    fn new(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut coin = || random.next_u64() & 1 == 0;
        let settings = json!({
            "sync_poster": coin(), "sync_background": coin(), "sync_collection": coin(), "sync_rating": coin(),
            "preserve_plex_edits": coin(), "recovery_ramp": coin(), "fast_recovery": coin(),
            "ramp_duration": 1, "idle_timeout": 0.3, "failure_threshold": 3, "read_timeout": 5,
        });
        let mut plugin = Installed::with(SCENES, settings.clone());
        let mapping = &mut plugin.world.mapping;
        mapping.foreign_tags = true;
        let on = |name: &str| settings[name] == true;
        mapping.collection = on("sync_collection");
        mapping.rating = on("sync_rating");
        mapping.poster = on("sync_poster");
        mapping.background = on("sync_background");
        plugin.world.plex.set(|plex| {
            plex.tag_mode = if coin() {
                TagMode::Add
            } else {
                TagMode::Replace
            };
            plex.one_removal_per_edit = coin();
        });
        Self {
            seed,
            plugin,
            random,
            files: 0,
            version: 0,
            by_hand: BTreeMap::new(),
            found_again: BTreeSet::new(),
            settings,
            tinkering: seed % 3 == 2,
        }
    }

    fn play(mut self) {
        self.plugin.task("all");
        self.settle();
        for _ in 0..DEEDS {
            self.deed();
            let pause = self.below(60);
            thread::sleep(Duration::from_millis(pause));
        }
        self.heal();
        self.check();
    }

    fn below(&mut self, limit: usize) -> u64 {
        self.random.next_u64() % limit as u64
    }

    fn one_of<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let n = self.below(from.len().max(1)) as usize;
        from.get(n).copied()
    }

    /// All is well, and somebody changes what nobody could be told of: a scene that is saved as it is asks Plex nothing.
    fn heal(&mut self) {
        self.recover();
        self.plugin.world.stash.clear_faults();
        self.plugin.world.plex.set_latency(Duration::ZERO);
        self.plugin.set(self.settings.clone());
        for scene in std::mem::take(&mut self.found_again) {
            if self.plugin.world.stash.scene(scene).is_some() {
                let title = format!("Found again {scene}");
                self.plugin.world.stash.edit(scene).title(&title);
                self.plugin.save(scene);
            }
        }
        let scene = self.scene();
        self.plugin.save(scene);
        self.settle();
        if self.tinkering {
            // Its worker has read the settings as they are now.
            self.plugin.until_no_worker();
            self.plugin.task("reconcile_all");
            self.settle();
        }
    }

    fn settle(&self) {
        let give_up = Instant::now() + Duration::from_secs(100);
        let mut next_save = Instant::now();
        while self.plugin.queue().counts().unwrap().live() > 0 {
            assert!(Instant::now() < give_up, "never settled; {}", self.log());
            // A worker that was ending may have left the last job to the next hook's.
            if self.plugin.workers().is_empty() && next_save < Instant::now() {
                next_save = Instant::now() + Duration::from_secs(1);
                self.plugin.task("process_queue");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        let log = self.plugin.worker_log();
        format!("TURMOIL={}; the worker says:\n{log}", self.seed)
    }

    fn dead(&self) -> BTreeSet<u64> {
        let letters = self.plugin.queue().dead_keys(&DeadFilter::all()).unwrap();
        let scenes = letters.iter().filter_map(|(_, key)| scene_of_key(key));
        scenes.collect()
    }

    fn check(&self) {
        let differing = || {
            let found = self.plugin.world.comparison().differences;
            found.iter().map(|d| d.scene).collect::<BTreeSet<_>>()
        };
        let (dead, differ) = (self.dead(), differing());
        let told = || {
            let found = self.plugin.world.comparison();
            format!("{found}\ndead: {dead:?}\n{}", self.log())
        };
        assert!(differ.is_subset(&dead), "lost without a word: {}", told());
        for scene in &dead {
            if self.plugin.world.stash.scene(*scene).is_some() {
                self.plugin.save(*scene);
            }
        }
        self.settle();
        assert!(differing().is_empty(), "{}", told());
        assert!(self.dead().is_subset(&dead));
        self.check_tags();
    }

    /// Plex has what Stash has and what people gave it: nothing of what came and went.
    fn check_tags(&self) {
        let world = &self.plugin.world;
        let folded = |names: Vec<&str>| -> BTreeSet<String> {
            names.iter().map(|name| name.to_lowercase()).collect()
        };
        for scene in world.stash.scenes() {
            let Some(item) = self.item_of(scene.id) else {
                continue;
            };
            let tags = scene.tags.iter();
            let tags: Vec<_> = tags
                .map(|id| world.stash.name_of(EntityKind::Tag, *id))
                .collect();
            let by_hand = self.by_hand.get(&item).cloned().unwrap_or_default();
            let wanted = tags.iter().chain(&by_hand).map(String::as_str).collect();
            let shown = world.plex.item(item).unwrap();
            let shown = folded(shown.tag_names(TagKind::Genre));
            assert_eq!(shown, folded(wanted), "scene {}; {}", scene.id, self.log());
        }
    }
}
