//! Anything that may happen, in any order: people edit on both sides, servers fail in every way, workers are killed. Once all is
//! well again, no change is lost that nobody was told of: what differs has a dead letter, and a save of that mends it.
//!
//! `TURMOILS=200 cargo test -p stash2plex-plugin --test turmoil -- --nocapture` plays more of them; `TURMOIL=17` only that one.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use backoff::SplitMix64;
use common::Installed;
use queue::DeadFilter;
use rand_core::Rng;
use serde_json::json;
use simulators::{EntityKind, Fault, Rule, TagKind, TagMode, Trigger};
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
    settings: serde_json::Value,
}

impl Turmoil {
    fn new(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut coin = || random.next_u64() & 1 == 0;
        let settings = json!({
            "sync_poster": coin(), "sync_background": coin(), "sync_collection": coin(), "sync_rating": coin(),
            "preserve_plex_edits": coin(), "recovery_ramp": coin(), "fast_recovery": coin(),
            "ramp_duration": 1, "idle_timeout": 0.3, "failure_threshold": 3,
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

    fn scene(&mut self) -> u64 {
        let scenes = self.plugin.world.stash.scenes();
        let ids: Vec<_> = scenes.iter().map(|scene| scene.id).collect();
        self.one_of(&ids).unwrap_or_default()
    }

    fn item_of(&self, scene: u64) -> Option<u64> {
        let world = &self.plugin.world;
        let path = world.stash.scene(scene)?.files.first()?.path.clone();
        let items = world.plex.items_with_file(&world.mapping.to_plex(&path));
        items.first().map(|item| item.key)
    }

    fn deed(&mut self) {
        let scene = self.scene();
        match self.below(30) {
            0..10 => self.edit(scene),
            10 => self.entity(),
            11 => self.newcomer(),
            15 => self.renamed(scene),
            12 if self.plugin.world.stash.scenes().len() > SCENES / 2 => {
                let gone = self.plugin.world.stash.destroy_scene(scene);
                self.plugin.hook(&Trigger::SceneDestroy(&gone.unwrap()));
            }
            13 => self.found_again(scene),
            14 | 16 => self.person(scene),
            17..21 => self.plex_fails(),
            21 => self.stash_fails(),
            22 => self.plugin.kill_worker(),
            23..27 => self.recover(),
            27 => {
                let modes = [
                    "all",
                    "reconcile_all",
                    "reconcile_missing_metadata",
                    "health_check",
                    "queue_status",
                    "clear_match_cache",
                    "recover_outage_jobs",
                ];
                let mode = self.one_of(&modes).unwrap_or_default();
                self.plugin.task(mode);
            }
            28 => self.turn(self.version.is_multiple_of(2)),
            _ => self.plugin.world.stash.expire_sessions(),
        }
    }

    /// A person saves a scene, changed in some of its fields.
    fn edit(&mut self, scene: u64) {
        self.version += 1;
        let version = self.version;
        let text = |what: &str| format!("{what} {version}");
        let mask = self.random.next_u64();
        let tags = [
            text("Tag"),
            text("Another"),
            "Always".to_owned(),
            "Ärger".to_owned(),
        ];
        let some: Vec<_> = (0..tags.len())
            .filter(|n| mask >> (8 + n) & 1 == 0)
            .collect();
        let some: Vec<_> = some.iter().map(|n| tags[*n].as_str()).collect();
        // Stash names a cover by the second of its last change.
        let stash = &self.plugin.world.stash;
        stash.set(|stash| stash.now = Some(stash.now.unwrap_or(1_800_000_000) + 1));
        let changes = |n: u32| mask >> n & 1 == 0;
        let mut edit = stash.edit(scene);
        if changes(0) {
            edit = edit.title(&text("Title"));
        }
        if changes(1) {
            edit = edit.details(&if changes(16) {
                text("Details")
            } else {
                String::new()
            });
        }
        if changes(2) {
            edit = edit.studio(&text("Studio"));
        }
        if changes(3) {
            edit = edit.performers(&["Always", &text("Performer")]);
        }
        if changes(4) {
            edit = edit.tags(&some);
        }
        if changes(5) {
            edit = edit.rating(1 + version % 100);
        }
        if changes(6) {
            edit.cover(version);
        }
        self.plugin.save(scene);
    }

    /// A performer, studio or tag is renamed, merged or deleted.
    fn entity(&mut self) {
        self.version += 1;
        let scene = self.scene();
        let stash = &self.plugin.world.stash;
        let Some(scene) = stash.scene(scene) else {
            return;
        };
        let lists = [
            (EntityKind::Performer, scene.performers.first()),
            (EntityKind::Tag, scene.tags.first()),
            (EntityKind::Studio, scene.studio.as_ref()),
        ];
        let (kind, id) = lists[self.version as usize % 3];
        let Some(&id) = id else { return };
        let merged = scene.tags.get(1).filter(|_| kind == EntityKind::Tag);
        if let Some(&other) = merged {
            stash.merge(kind, &[id], other);
            self.plugin.hook(&Trigger::TagMerge(&[id], other));
        } else if self.version.is_multiple_of(4) {
            stash.destroy(kind, id);
            self.plugin.hook(&Trigger::EntityDestroy(kind, id));
        } else {
            stash.rename(kind, id, &format!("Renamed {}", self.version));
            self.plugin
                .hook(&Trigger::EntityUpdate(kind, id, &["name"]));
        }
    }

    /// A new file, which Plex has scanned already, or scans later.
    fn newcomer(&mut self) {
        self.files += 1;
        let world = &self.plugin.world;
        let path = format!("/data/new/{}.mp4", self.files);
        let scene = world.stash.add_scene(&path);
        // Without any metadata it would be left alone.
        world.stash.edit(scene).title(&path);
        world
            .plex
            .add_file(world.section, &world.mapping.to_plex(&path));
        self.plugin.hook(&Trigger::SceneCreate(scene));
        self.edit(scene);
    }

    /// A file gets another name; both servers scan, and Plex makes another item of it.
    fn renamed(&mut self, scene: u64) {
        self.files += 1;
        let item = self.item_of(scene);
        let world = &self.plugin.world;
        let path = format!("/data/renamed/{}.mp4", self.files);
        world.stash.edit(scene).file(&path);
        if let Some(item) = item {
            world.plex.remove(item);
        }
        world
            .plex
            .add_file(world.section, &world.mapping.to_plex(&path));
        self.plugin.hook(&Trigger::SceneRescan(scene));
    }

    fn found_again(&mut self, scene: u64) {
        if let Some(item) = self.item_of(scene) {
            self.plugin.world.plex.re_add(item);
            self.by_hand.remove(&item);
            self.found_again.insert(scene);
        }
    }

    /// A person adds a tag in Plex. Where Plex replaces lists, one that comes between a look and an edit is lost, which no
    /// request can prevent.
    fn person(&mut self, scene: u64) {
        self.version += 1;
        let plex = &self.plugin.world.plex;
        let mut mode = TagMode::Add;
        plex.set(|plex| mode = plex.tag_mode);
        if mode == TagMode::Replace {
            return;
        }
        if let Some(item) = self.item_of(scene) {
            let name = format!("{BY_HAND}{}", self.version);
            self.plugin.world.plex.add_tag(item, TagKind::Genre, &name);
            self.by_hand.entry(item).or_default().insert(name);
        }
    }

    fn plex_fails(&mut self) {
        let faults = [
            Fault::Hang,
            Fault::AnswerLost,
            Fault::Slow(Duration::from_millis(40)),
            Fault::Close,
            Fault::Reset,
            Fault::Truncated,
            Fault::BrokenDocument,
            Fault::maintenance(),
            Fault::Unavailable,
            Fault::Unauthorized,
            Fault::BadGateway,
            Fault::TooManyRequests(Duration::from_secs(1)),
            Fault::HtmlPage,
            Fault::StartingUp,
            Fault::Status(500),
        ];
        let (fault, seed) = (self.one_of_fault(&faults), self.random.next_u64());
        let plex = &self.plugin.world.plex;
        match seed % 4 {
            0 => plex.down(),
            1 => plex.fail_with(fault),
            2 => plex.fail_when(Rule::new(fault).flaky(30, seed)),
            _ => plex.fail_when(Rule::new(fault).method("PUT").times(2)),
        }
    }

    fn one_of_fault(&mut self, faults: &[Fault]) -> Fault {
        let n = self.below(faults.len()) as usize;
        faults[n].clone()
    }

    /// Not so often that its circuit opens, which takes a minute.
    fn stash_fails(&mut self) {
        let faults = [
            Fault::Close,
            Fault::Status(500),
            Fault::HtmlPage,
            Fault::Reset,
        ];
        let fault = self.one_of_fault(&faults);
        self.plugin.world.stash.fail_when(Rule::new(fault).times(1));
    }

    fn recover(&self) {
        let plex = &self.plugin.world.plex;
        plex.clear_faults();
        plex.up().unwrap();
    }

    /// The sync, on or off.
    fn turn(&mut self, on: bool) {
        self.settings["enabled"] = json!(on);
        self.plugin.set(self.settings.clone());
    }

    /// All is well, and somebody changes what nobody could be told of: a scene that is saved as it is asks Plex nothing.
    fn heal(&mut self) {
        self.recover();
        self.plugin.world.stash.clear_faults();
        self.turn(true);
        for scene in std::mem::take(&mut self.found_again) {
            if self.plugin.world.stash.scene(scene).is_some() {
                self.edit(scene);
            }
        }
        let scene = self.scene();
        self.plugin.save(scene);
        self.settle();
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
