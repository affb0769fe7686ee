//! What may happen in either server.

use serde_json::json;
use simulators::{Item, Part, TagKind, Trigger};

use crate::core::job::Job;
use crate::core::reconcile::{Reach, Run};
use crate::core::settings::Scope;
use crate::storage::ledger;
use crate::worker::tests::worlds::judge::BY_HAND;
use crate::worker::tests::worlds::{HOUR, RIGHT, Sim, Then};

const FOLDERS: [&str; 5] = ["a", "b", "a/deep", "c", "d"];
const NAMES: [&str; 4] = ["scene.mp4", "S01E01.mkv", "film, part.mp4", "other.mp4"];

impl Sim {
    pub(super) fn action(&mut self) -> Then {
        match self.below(30) {
            0..5 => self.edit(),
            5 => self.newcomer(),
            6..9 => self.moved(),
            9 => self.deleted(),
            10..12 => self.scanned_again(),
            12 => self.merged_in_stash(),
            13 => self.copied(),
            14 => self.assigned(),
            15 | 16 => self.split(),
            17 | 18 => self.merged_in_plex(),
            19 => self.found_anew(),
            20 => self.scan(),
            21 => self.empty_trash(),
            22 => self.lost(),
            23 => self.by_hand(),
            24 => self.task(),
            25 => return self.settings_change(),
            _ => return Then::Work,
        }
        Then::GoOn
    }

    fn scene(&mut self) -> Option<u64> {
        let ids: Vec<_> = self.stash.scenes().iter().map(|scene| scene.id).collect();
        self.one_of(&ids)
    }

    fn item(&mut self, which: impl Fn(&Item) -> bool) -> Option<u64> {
        let items = self.plex.items();
        let with_files = items.iter().filter(|item| item.files().next().is_some());
        let keys: Vec<_> = with_files
            .filter(|item| which(item))
            .map(|item| item.key)
            .collect();
        self.one_of(&keys)
    }

    /// A path that is no scene's and no item's, below `/data`.
    fn free_path(&mut self, name: Option<&str>) -> Option<String> {
        let folder = FOLDERS[self.below(FOLDERS.len())];
        let name = match name {
            Some(name) => name.to_owned(),
            None => NAMES[self.below(NAMES.len())].to_owned(),
        };
        let path = format!("/data/{folder}/{name}");
        let scenes = self.stash.scenes();
        let taken = scenes
            .iter()
            .flat_map(|scene| &scene.files)
            .any(|file| file.path == path);
        let known = !self.plex.items_with_file(&in_plex(&path)).is_empty();
        (!taken && !known && !self.unscanned.contains(&in_plex(&path))).then_some(path)
    }

    fn part(&self, file: &str) -> Part {
        let measured = match self.twins {
            true => file.rsplit('/').next().unwrap_or_default(),
            false => file,
        };
        let salt = measured.bytes().fold(7_u64, |salt, byte| {
            salt.wrapping_mul(31).wrapping_add(byte.into())
        });
        Part {
            file: file.to_owned(),
            size: 10_000_000 + salt % 900_000_000,
            duration: 60_000 + salt % 3_600_000,
        }
    }

    /// Stash knows as much of a file as Plex does.
    fn measure(&self, scene: u64, path: &str) {
        let part = self.part(&in_plex(path));
        self.stash.change_silently(scene, |scene| {
            for file in scene.files.iter_mut().filter(|file| file.path == path) {
                (file.size, file.duration) = (part.size, part.duration as f64 / 1000.0);
            }
        });
    }

    /// Plex scans a file that lies on the disk: each library that has its folder.
    fn scanned_by_plex(&mut self, file: &str) {
        for (section, folders) in &self.libraries {
            if folders
                .iter()
                .any(|folder| file.starts_with(&format!("{folder}/")))
            {
                self.plex.add_part(*section, self.part(file));
            }
        }
    }

    fn found_by_plex(&mut self, path: &str) {
        let file = in_plex(path);
        match self.below(3) {
            0 => self.unscanned.push(file),
            _ => self.scanned_by_plex(&file),
        }
    }

    /// Most hooks arrive.
    fn told(&mut self, stdin: &str) {
        if self.below(5) > 0 {
            self.hook(stdin);
        }
    }

    pub(super) fn newcomer(&mut self) {
        let Some(path) = self.free_path(None) else {
            return;
        };
        self.say(format!("new {path}"));
        let (scene, hook) = self.stash.scan_new(&path);
        self.measure(scene, &path);
        self.found_by_plex(&path);
        self.told(&hook);
        self.fill(scene);
    }

    fn edit(&mut self) {
        if let Some(scene) = self.scene() {
            self.fill(scene);
        }
    }

    /// A person saves a scene.
    fn fill(&mut self, scene: u64) {
        self.version += 1;
        let version = self.version;
        self.say(format!("edit {scene} to version {version}"));
        let of = |what: &str| format!("S{scene} {what} {version}");
        let edit = self.stash.edit(scene).title(&of("title"));
        let edit = match version % 3 {
            0 => edit.details(""),
            _ => edit.details(&of("details")),
        };
        let (tag, always, actor) = (of("tag"), format!("S{scene} always"), of("actor"));
        match version % 4 {
            0 => edit.tags(&[]).performers(&[&actor]),
            1 => edit.tags(&[&tag, &always]).performers(&[]),
            _ => edit.tags(&[&tag, &always]).performers(&[&actor]),
        };
        edit.studio(&of("studio")).rating(1 + version % 100);
        let hook = self.stash.hook_stdin(&Trigger::SceneForm(scene));
        self.told(&hook);
    }

    fn moved(&mut self) {
        let Some(scene) = self.scene() else { return };
        let files = self.stash.scene(scene).unwrap().files;
        let Some(from) = self.one_of(&files).map(|file| file.path) else {
            return;
        };
        let name = from.rsplit('/').next().unwrap().to_owned();
        let keeps_name = self.below(4) > 0;
        let Some(to) = self.free_path(keeps_name.then_some(name.as_str())) else {
            return;
        };
        self.say(format!("scene {scene} moves {from} to {to}"));
        self.unscanned
            .iter_mut()
            .filter(|file| **file == in_plex(&from))
            .for_each(|file| *file = in_plex(&to));
        self.plex.move_file(&in_plex(&from), &in_plex(&to));
        if self.below(2) == 0 {
            self.scan();
        }
        let hook = self.stash.scan_moved(&from, &to);
        if let Some(hook) = hook {
            self.told(&hook);
        }
    }

    fn deleted(&mut self) {
        let Some(scene) = self.scene().filter(|_| self.stash.scenes().len() > 3) else {
            return;
        };
        self.say(format!("scene {scene} is deleted"));
        let gone = self.stash.destroy_scene(scene).unwrap();
        let hook = self.stash.hook_stdin(&Trigger::SceneDestroy(&gone));
        self.told(&hook);
    }

    fn scanned_again(&mut self) {
        let Some(scene) = self.scene() else { return };
        let before = self.stash.scene(scene).unwrap();
        let Some((new, hooks)) = self.stash.scan_again(scene) else {
            return;
        };
        self.say(format!("scene {scene} is scanned again as {new}"));
        for file in before.files {
            self.measure(new, &file.path);
        }
        for hook in hooks {
            self.told(&hook);
        }
        if self.below(3) > 0 {
            self.fill(new);
        }
    }

    fn merged_in_stash(&mut self) {
        let (Some(into), Some(other)) = (self.scene(), self.scene()) else {
            return;
        };
        if into != other && self.stash.scenes().len() > 3 {
            self.say(format!("scene {into} takes in {other}"));
            self.stash.merge_scenes(into, &[other]);
        }
    }

    fn copied(&mut self) {
        let (Some(scene), Some(path)) = (self.scene(), self.free_path(None)) else {
            return;
        };
        self.say(format!("scene {scene} has a copy {path}"));
        let hook = self.stash.scan_copy(scene, &path);
        self.measure(scene, &path);
        self.found_by_plex(&path);
        self.told(&hook);
    }

    fn assigned(&mut self) {
        let (Some(from), Some(to)) = (self.scene(), self.scene()) else {
            return;
        };
        let files = self.stash.scene(from).unwrap().files;
        if let Some(file) = files.last().filter(|_| files.len() > 1) {
            self.say(format!("{} goes to scene {to}", file.path));
            self.stash.assign_file(&file.path, to);
        }
    }

    fn split(&mut self) {
        if let Some(item) = self.item(|item| item.media.len() > 1) {
            let keys = self.plex.split(item);
            self.say(format!("Plex splits {item}: {keys:?}"));
        }
    }

    fn merged_in_plex(&mut self) {
        let Some(into) = self.item(|item| item.deleted_at.is_none()) else {
            return;
        };
        let item = self.plex.item(into).unwrap();
        let alike = |other: &Item| {
            other.section == item.section
                && other.kind == item.kind
                && other.deleted_at.is_none()
                && other.key != into
        };
        if let Some(other) = self.item(alike) {
            self.say(format!("Plex merges {other} into {into}"));
            self.plex.merge(into, &[other]);
        }
    }

    fn found_anew(&mut self) {
        if let Some(item) = self.item(|item| item.deleted_at.is_none()) {
            let new = self.plex.re_add(item);
            self.say(format!("Plex finds {item} anew as {new:?}"));
        }
    }

    fn scan(&mut self) {
        self.say("Plex scans");
        for (section, _) in &self.libraries {
            self.plex.scan(*section);
        }
        for file in std::mem::take(&mut self.unscanned) {
            self.scanned_by_plex(&file);
        }
    }

    fn empty_trash(&mut self) {
        self.say("Plex empties its trash");
        for (section, _) in &self.libraries {
            self.plex.empty_trash(*section);
        }
    }

    /// A file is gone for a while; Plex may notice, and find it again.
    fn lost(&mut self) {
        let Some(item) = self.item(|item| item.deleted_at.is_none()) else {
            return;
        };
        let item = self.plex.item(item).unwrap();
        let file = item.files().next().unwrap().to_owned();
        self.say(format!("{file} is lost"));
        self.plex.delete_file(&file);
        if self.below(3) > 0 {
            self.scan();
            self.scanned_by_plex(&file);
        }
    }

    fn by_hand(&mut self) {
        self.version += 1;
        if let Some(item) = self.item(|_| true) {
            self.plex
                .add_tag(item, TagKind::Genre, &format!("{BY_HAND}{}", self.version));
        }
    }

    fn task(&mut self) {
        match self.below(4) {
            0 => self.enqueue(Job::Bulk { scope: Scope::All }),
            1 => self.enqueue(Job::Reconcile(Run::new(Reach::All))),
            2 => self.enqueue(Job::Reconcile(Run::new(Reach::Metadata))),
            _ => {
                self.say("Clear Match Cache");
                ledger::forget_matches(self.hooks.sql()).unwrap();
            }
        }
    }

    /// Another worker, some time later, or another path map.
    fn settings_change(&mut self) -> Then {
        match self.below(4) {
            0 => {
                self.clock.advance(HOUR);
                return Then::GoOn;
            }
            1 => {
                let map = ["", RIGHT, "/data=>/elsewhere"][self.below(3)];
                self.say(format!("path map {map:?}"));
                self.settings["path_map"] = json!(map);
                self.judge.set_map(map);
            }
            _ => self.say("another worker"),
        }
        Then::AnotherWorker
    }
}

fn in_plex(path: &str) -> String {
    path.replacen("/data", "/media", 1)
}
