//! What may happen.

use std::process::Command;
use std::thread;
use std::time::Duration;

use rand_core::Rng;
use serde_json::json;
use simulators::{EntityKind, Fault, Rule, TagKind, TagMode, Trigger, run_hooks};

use crate::common::binary;
use crate::{BY_HAND, Chaos, SCENES};

impl Chaos {
    pub(crate) fn scene(&mut self) -> u64 {
        let scenes = self.plugin.world.stash.scenes();
        let ids: Vec<_> = scenes.iter().map(|scene| scene.id).collect();
        self.one_of(&ids).unwrap_or_default()
    }

    pub(crate) fn item_of(&self, scene: u64) -> Option<u64> {
        let scene = self.plugin.world.stash.scene(scene)?;
        self.items_of(&scene).first().map(|item| item.key)
    }

    pub(crate) fn action(&mut self) {
        let scene = self.scene();
        match self.below(54) {
            0..10 => self.edit(scene),
            10 => self.entity(),
            11 => self.newcomer(),
            12 => self.gone(scene),
            13 => self.found_again(scene),
            14 | 15 => self.person(scene),
            16 => self.renamed(scene),
            17..21 => self.plex_fails(),
            21 => self.stash_fails(),
            22 => self.plugin.kill_worker(),
            23..27 => self.recover(),
            27 => self.task(),
            28 => self.bulk(),
            29 => self.merged(scene),
            30..32 => self.late(),
            32 => self.slow(),
            33 => self.turn(),
            34..45 => self.file_action(scene),
            45..47 => self.person_in_between(scene),
            47 => self.in_the_other_library(scene),
            48 if self.tinkering => self.tinker(),
            49 => self.cut_off_bulk(),
            50 => self.plugin.world.stash.rename_settings(),
            51 | 52 => self.without_a_word(scene),
            _ => self.plugin.world.stash.expire_sessions(),
        }
    }

    /// A person saves a scene, changed in some of its fields.
    pub(crate) fn edit(&mut self, scene: u64) {
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
        self.a_second_passes();
        let stash = &self.plugin.world.stash;
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

    /// Stash names a cover by the second of its last change, and `updated_at` counts seconds.
    fn a_second_passes(&self) {
        let stash = &self.plugin.world.stash;
        stash.set(|stash| stash.now = Some(stash.now.unwrap_or(1_800_000_000) + 1));
    }

    /// Stash changes a scene by itself and tells no plugin: only its `updated_at` moves.
    fn without_a_word(&mut self, scene: u64) {
        self.version += 1;
        self.a_second_passes();
        let (stash, name) = (&self.plugin.world.stash, format!("Auto {}", self.version));
        match self.version % 3 {
            0 => stash.auto_tag(scene, EntityKind::Performer, &name),
            1 => stash.auto_tag(scene, EntityKind::Tag, &name),
            _ => stash.generate_cover(scene),
        }
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
        let path = self.new_file("new");
        let world = &self.plugin.world;
        let scene = world.stash.add_scene(&path);
        // Without any metadata it would be left alone.
        world.stash.edit(scene).title(&path);
        world.plex.add_file(world.section, &self.in_plex(&path));
        self.plugin.hook(&Trigger::SceneCreate(scene));
        self.edit(scene);
    }

    /// A file gets another name; both servers scan, and Plex makes another item of it.
    fn renamed(&mut self, scene: u64) {
        let path = self.new_file("renamed");
        let item = self.item_of(scene);
        let world = &self.plugin.world;
        world.stash.edit(scene).file(&path);
        if let Some(item) = item {
            world.plex.remove(item);
        }
        world.plex.add_file(world.section, &self.in_plex(&path));
        self.plugin.hook(&Trigger::SceneRescan(scene));
    }

    fn found_again(&mut self, scene: u64) {
        if let Some(item) = self.item_of(scene) {
            self.nobody_is_told(&[item]);
            self.plugin.world.plex.re_add(item);
        }
    }

    /// A person adds a tag in Plex. Where Plex replaces lists, one that comes between a look and an
    /// edit is lost, which no request can prevent.
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
            let mut by_hand = self.by_hand.lock().unwrap();
            by_hand.entry(item).or_default().insert(name);
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

    pub(crate) fn recover(&self) {
        let plex = &self.plugin.world.plex;
        plex.clear_faults();
        plex.up().unwrap();
    }

    /// The sync, off or on.
    fn turn(&self) {
        let mut settings = self.settings.clone();
        settings["enabled"] = json!(self.version.is_multiple_of(2));
        self.plugin.set(settings);
    }

    /// Other settings for a while, or the queue cleared.
    fn tinker(&mut self) {
        let names = [
            "preserve_plex_edits",
            "sync_tags",
            "sync_poster",
            "sync_rating",
            "sync_master",
        ];
        match self.one_of(&names) {
            Some(name) if self.below(4) > 0 => {
                let mut settings = self.settings.clone();
                settings[name] = json!(settings[name] == false);
                self.plugin.set(settings);
            }
            _ => drop(self.plugin.task("clear_queue")),
        }
    }

    fn task(&mut self) {
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

    fn gone(&self, scene: u64) {
        let stash = &self.plugin.world.stash;
        if stash.scenes().len() > SCENES / 2 {
            let gone = stash.destroy_scene(scene);
            self.plugin.hook(&Trigger::SceneDestroy(&gone.unwrap()));
        }
    }

    /// A scene takes in another one, of which no hook tells; Plex has merged their items.
    fn merged(&mut self, scene: u64) {
        let other = self.scene();
        let items = (self.item_of(scene), self.item_of(other));
        let (true, (Some(item), Some(gone))) = (other != scene, items) else {
            return;
        };
        if item == gone {
            return;
        }
        self.nobody_is_told(&[item, gone]);
        let world = &self.plugin.world;
        if world.stash.scenes().len() > SCENES / 2 {
            for part in world
                .plex
                .remove(gone)
                .iter()
                .flat_map(simulators::Item::files)
            {
                world.plex.add_version(item, part);
            }
            world.stash.merge_scenes(scene, &[other]);
        }
    }

    /// The bulk dialog: a process for each scene, which Stash may start while others run.
    fn bulk(&mut self) {
        self.version += 1;
        let (stash, version) = (&self.plugin.world.stash, self.version);
        let ids: Vec<_> = stash.scenes().iter().map(|scene| scene.id).collect();
        let ids = &ids[..ids.len().min(5)];
        for id in ids {
            let tags = ["Always", &format!("Bulk {version}")];
            stash.edit(*id).tags(&tags).rating(1 + version % 100);
        }
        thread::scope(|scope| {
            for id in ids {
                scope.spawn(|| {
                    let set = json!({ "tag_ids": [], "rating100": 1 });
                    self.plugin.hook(&Trigger::SceneBulk { id: *id, ids, set });
                });
            }
        });
    }

    /// A bulk edit whose client goes away: only its first hooks come to their end.
    fn cut_off_bulk(&mut self) {
        self.version += 1;
        let stash = &self.plugin.world.stash;
        let ids: Vec<_> = stash.scenes().iter().map(|scene| scene.id).collect();
        let set = json!({ "details": format!("Cut off {}", self.version) });
        let hooks = stash.bulk_edit(&ids, set);
        let end = 1 + self.below(hooks.len()) as usize;
        run_hooks(|| Command::new(binary()), &hooks, Some(end)).unwrap();
    }

    /// Plex is busy: edits are carried out later, whether anybody still waits for them or not.
    fn late(&mut self) {
        let late = Duration::from_millis(500 + self.below(2000));
        let rule = Rule::new(Fault::Slow(late)).method("PUT").times(2);
        self.plugin.world.plex.fail_when(rule);
        let scene = self.scene();
        self.edit(scene);
        thread::sleep(Duration::from_millis(50));
        self.plugin.kill_worker();
        self.edit(scene);
    }

    /// Every answer takes its time.
    fn slow(&mut self) {
        let latency = Duration::from_millis(self.below(40));
        self.plugin.world.plex.set_latency(latency);
    }
}
