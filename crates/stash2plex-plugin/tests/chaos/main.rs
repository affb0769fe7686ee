//! Anything that may happen, in any order: people edit on both sides, servers fail in every way,
//! workers are killed. Once all is well again, no change is lost that nobody was told of: what
//! differs has a dead letter, and a save of that repairs it. Files move, items are split and
//! merged, scenes are scanned again: in the end every item shows the scene whose file it holds.
//!
//! `CHAOS_SEEDS=200 cargo test -p stash2plex-plugin --test chaos -- --nocapture` plays more of
//! them; `CHAOS_SEED=17,18` only those.
#![allow(clippy::unwrap_used)]

mod actions;
mod check;
#[path = "../common/mod.rs"]
mod common;
mod items;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use backoff::SplitMix64;
use common::Installed;
use rand_core::Rng;
use serde_json::{Value, json};
use simulators::{FileFilter, SectionKind, TagMode};

const SCENES: usize = 12;
const ACTIONS: usize = 60;
/// Nothing takes longer once all is well.
const SETTLED: Duration = Duration::from_secs(100);
/// A worker that was started is there after this time, however busy the machine is.
const STRANDED: Duration = Duration::from_secs(10);
const FILTERS: [FileFilter; 6] = [
    FileFilter::Substring,
    FileFilter::Folded,
    FileFilter::BaseName,
    FileFilter::CommaIsOr,
    FileFilter::CommaFindsNothing,
    FileFilter::Ignored,
];
/// Names that only a person gives, in Plex.
const BY_HAND: &str = "by hand ";

#[test]
fn nothing_is_lost_in_any_chaos() {
    let seeds: Vec<u64> = match (std::env::var("CHAOS_SEED"), std::env::var("CHAOS_SEEDS")) {
        (Ok(seeds), _) => seeds.split(',').map(|seed| seed.parse().unwrap()).collect(),
        (_, Ok(count)) => (0..count.parse().unwrap()).collect(),
        _ => (0..6).collect(),
    };
    for some in seeds.chunks(6) {
        thread::scope(|scope| {
            for seed in some {
                scope.spawn(|| Chaos::new(*seed).play());
            }
        });
    }
}

struct Chaos {
    seed: u64,
    plugin: Installed,
    random: SplitMix64,
    /// Files of scenes that were ever made.
    files: usize,
    /// Changes so far; each makes values of its own.
    version: u32,
    /// What people added to items in Plex, or wrote into them.
    by_hand: Arc<Mutex<BTreeMap<u64, BTreeSet<String>>>>,
    /// Scenes whose items or files changed without anybody being told.
    untold: BTreeSet<u64>,
    /// Plex's libraries, which have one folder.
    sections: [u32; 2],
    /// Items with the names of other files, in another folder, that no scene has.
    decoys: Vec<u64>,
    settings: Value,
    /// Somebody also changes the settings and clears the queue, and in the end runs Reconcile All
    /// Scenes.
    tinkering: bool,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let filter = FILTERS[random.next_u64() as usize % FILTERS.len()];
        let mut coin = || random.next_u64() & 1 == 0;
        let settings = json!({
            "sync_poster": coin(), "sync_background": coin(), "sync_collection": coin(), "sync_rating": coin(),
            // A person can set a switch back, but not remove what Stash has stored of it.
            "sync_tags": true, "sync_master": true,
            "preserve_plex_edits": coin(), "recovery_ramp": coin(), "fast_recovery": coin(),
            "enabled": true, "not_found_base": 0.01, "ramp_duration": 1, "idle_timeout": 0.3, "failure_threshold": 3, "read_timeout": 5,
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
            plex.moves_keep_keys = coin();
            plex.tells_locations = coin();
            plex.file_filter = filter;
        });
        let (sections, decoys) = more_items(&plugin);
        Self {
            seed,
            plugin,
            random,
            files: 0,
            version: 0,
            by_hand: Arc::default(),
            untold: BTreeSet::new(),
            sections,
            decoys,
            settings,
            tinkering: seed % 3 == 2,
        }
    }

    fn play(mut self) {
        self.plugin.task("all");
        self.settle();
        for _ in 0..ACTIONS {
            self.action();
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

    /// All is well, and somebody changes what nobody could be told of: a scene that is saved as it
    /// is asks Plex nothing.
    fn heal(&mut self) {
        self.recover();
        self.plugin.world.stash.clear_faults();
        self.plugin.world.plex.set_latency(Duration::ZERO);
        self.scan_all();
        self.plugin.set(self.settings.clone());
        let scene = self.scene();
        self.plugin.save(scene);
        self.settle();
        // The next worker lists the libraries anew.
        self.plugin.until_no_worker();
        let wrote = |texts: &BTreeSet<String>| texts.iter().any(|text| !text.starts_with(BY_HAND));
        let by_hand = self.by_hand.lock().unwrap().clone();
        let items = by_hand.iter().filter(|(_, texts)| wrote(texts));
        self.nobody_is_told(&items.map(|(item, _)| *item).collect::<Vec<_>>());
        for scene in std::mem::take(&mut self.untold) {
            if self.plugin.world.stash.scene(scene).is_some() {
                let title = format!("Found again {scene}");
                self.plugin.world.stash.edit(scene).title(&title);
                self.plugin.save(scene);
            }
        }
        self.settle();
        self.plugin.until_no_worker();
        if self.tinkering {
            // Stash takes all settings of a plugin at once: what a person changes in the very
            // moment in which the worker stores renamed ones is overwritten.
            self.plugin.set(self.settings.clone());
            // Its worker has read the settings as they are now.
            self.plugin.task("reconcile_all");
            self.settle();
            self.plugin.until_no_worker();
        }
    }

    /// Both servers are well, and somebody has just saved or started something: all is worked off,
    /// and as long as jobs are due there is a worker.
    fn settle(&self) {
        let (begun, mut stranded) = (Instant::now(), None);
        loop {
            let counts = self.plugin.queue().counts().unwrap();
            if counts.live() == 0 {
                return;
            }
            assert!(begun.elapsed() < SETTLED, "never settled; {}", self.log());
            match counts.ready > 0 && self.plugin.workers().is_empty() {
                false => stranded = None,
                true => {
                    let since: Instant = *stranded.get_or_insert_with(Instant::now);
                    assert!(since.elapsed() < STRANDED, "no worker; {}", self.log());
                }
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        let log = self.plugin.worker_log();
        format!("CHAOS_SEED={}; the worker says:\n{log}", self.seed)
    }
}

/// A second library of the same folder with some of the files, and files of the same names in
/// another folder.
fn more_items(plugin: &Installed) -> ([u32; 2], Vec<u64>) {
    let world = &plugin.world;
    let twice = world
        .plex
        .add_section("Twice", SectionKind::Movie, &["/media/scenes"]);
    let mut decoys = Vec::new();
    for (nth, scene) in world.scenes.iter().enumerate() {
        let path = world.stash.scene(*scene).unwrap().files[0].path.clone();
        let path = world.mapping.to_plex(&path);
        if nth % 3 == 0 {
            world.plex.add_file(twice, &path);
        }
        let (_, name) = path.rsplit_once('/').unwrap();
        let decoy = world
            .plex
            .add_file(world.section, &format!("/media/scenes/decoys/{nth}/{name}"));
        world.plex.change(decoy, |item| {
            item.set_field("title", &format!("decoy {nth}"))
        });
        decoys.push(decoy);
    }
    ([world.section, twice], decoys)
}
