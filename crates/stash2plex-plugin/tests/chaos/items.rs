//! What happens to files and to the items that hold them: moves, copies, rescans, splits, merges,
//! the trash.

use std::thread;
use std::time::Duration;

use simulators::{FileFilter, Item, Requests, Scene, TagKind, TagMode, Trigger};

use crate::{BY_HAND, Chaos, SCENES};

impl Chaos {
    /// A path of Stash as Plex writes it, which takes one letter apart.
    pub(crate) fn in_plex(&self, path: &str) -> String {
        let path = self.plugin.world.mapping.to_plex(path);
        path.replace('ŭ', "u\u{306}")
    }

    /// The items that hold a file; those in the trash only where no other does.
    fn holders(&self, path: &str) -> Vec<Item> {
        let plex = &self.plugin.world.plex;
        let mut items = plex.items_with_file(&self.in_plex(path));
        if items.iter().any(|item| item.deleted_at.is_none()) {
            items.retain(|item| item.deleted_at.is_none());
        }
        items
    }

    /// The items that hold a file of the scene.
    pub(crate) fn items_of(&self, scene: &Scene) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        for file in &scene.files {
            let new = self.holders(&file.path).into_iter();
            let is_new = |item: &Item| items.iter().all(|known| known.key != item.key);
            let new: Vec<_> = new.filter(is_new).collect();
            items.extend(new);
        }
        items
    }

    /// The scenes that have a file in the item.
    pub(crate) fn scenes_of(&self, item: u64) -> Vec<Scene> {
        let mut scenes = self.plugin.world.stash.scenes();
        scenes.retain(|scene| self.items_of(scene).iter().any(|one| one.key == item));
        scenes
    }

    /// A name for a new file: plain, or one that some file filter does not find.
    pub(crate) fn new_file(&mut self, folder: &str) -> String {
        self.files += 1;
        let n = self.files;
        match self.below(4) {
            0 => format!("/data/{folder}/a, {n}.mp4"),
            1 => format!("/data/{folder}/ŭ {n}.mp4"),
            2 => format!("/data/{folder}/{n}/scene.mp4"),
            _ => format!("/data/{folder}/{n}.mp4"),
        }
    }

    /// Whether Plex's file filter finds a file. One that it does not is found with the next
    /// listing; when another item of the scene was found, by the next worker's or a
    /// reconciliation's.
    pub(crate) fn is_findable(&self, path: &str) -> bool {
        let mut filter = FileFilter::Ignored;
        self.plugin.world.plex.set(|plex| filter = plex.file_filter);
        let (comma, apart) = (path.contains(','), path.contains('ŭ'));
        match filter {
            FileFilter::Folded => true,
            FileFilter::Substring | FileFilter::BaseName => !apart,
            FileFilter::CommaIsOr | FileFilter::CommaFindsNothing => !apart && !comma,
            FileFilter::Ignored => false,
        }
    }

    pub(crate) fn scan_all(&self) {
        for section in self.sections {
            self.plugin.world.plex.scan(section);
        }
    }

    pub(crate) fn file_action(&mut self, scene: u64) {
        match self.below(11) {
            0 | 1 => self.moved(scene),
            2 => self.copied(scene),
            3 | 4 => self.scanned_again(scene),
            5 => self.items_merged(scene),
            6 => self.split(scene),
            7 => self.merged_in_stash(scene),
            8 => self.assigned(scene),
            9 => self.exchanged(scene),
            _ => {
                let section = self.one_of(&self.sections.clone()).unwrap_or_default();
                self.plugin.world.plex.empty_trash(section);
            }
        }
    }

    /// A file moves. Stash tells before or after Plex has scanned both folders.
    fn moved(&mut self, id: u64) {
        let Some(scene) = self.plugin.world.stash.scene(id) else {
            return;
        };
        let files: Vec<_> = scene.files.iter().map(|file| file.path.as_str()).collect();
        let Some(from) = self.one_of(&files).map(str::to_owned) else {
            return;
        };
        let to = self.new_file("moved");
        let plex_first = self.below(2) == 0;
        let world = &self.plugin.world;
        let told = world.stash.scan_moved(&from, &to).unwrap();
        let (theirs, new) = (self.in_plex(&from), self.in_plex(&to));
        if plex_first {
            world.plex.move_file(&theirs, &new);
            self.scan_all();
            assert!(self.plugin.run(&told).output().is_some());
        } else {
            assert!(self.plugin.run(&told).output().is_some());
            thread::sleep(Duration::from_millis(20));
            self.plugin.world.plex.move_file(&theirs, &new);
            self.scan_all();
        }
        // Where one of its items was found, the others wait for a reconciliation.
        if !plex_first || !self.is_findable(&to) {
            self.untold.insert(id);
        }
    }

    /// A copy of a file: another item in one of the libraries, or a version of the item.
    fn copied(&mut self, id: u64) {
        let path = self.new_file("copies");
        let (kind, section) = (self.below(3), self.sections[self.below(2) as usize]);
        let world = &self.plugin.world;
        if world
            .stash
            .scene(id)
            .is_none_or(|scene| scene.files.len() > 2)
        {
            return;
        }
        match self.item_of(id).filter(|_| kind == 0) {
            Some(item) => world.plex.add_version(item, &self.in_plex(&path)),
            None => drop(world.plex.add_file(section, &self.in_plex(&path))),
        }
        let told = world.stash.scan_copy(id, &path);
        assert!(self.plugin.run(&told).output().is_some());
        if !self.is_findable(&path) {
            self.untold.insert(id);
        }
    }

    /// The usual cure for wrong metadata: the scene is deleted and its files are scanned again.
    fn scanned_again(&mut self, id: u64) {
        let found = self.plugin.world.stash.scan_again(id);
        let Some((new, told)) = found else { return };
        for told in told {
            assert!(self.plugin.run(&told).output().is_some());
        }
        if self.untold.remove(&id) {
            self.untold.insert(new);
        }
        let title = format!("Scanned again {new}");
        self.plugin.world.stash.edit(new).title(&title);
        self.edit(new);
    }

    /// All scenes of some items are to be saved in the end, for nobody is told what became of
    /// these.
    pub(crate) fn nobody_is_told(&mut self, items: &[u64]) {
        for item in items {
            let scenes = self.scenes_of(*item);
            self.untold.extend(scenes.iter().map(|scene| scene.id));
        }
    }

    /// A person merges the items of two scenes in Plex: which one it shows is the first one's
    /// matter.
    fn items_merged(&mut self, id: u64) {
        let other = self.scene();
        let (Some(item), Some(gone)) = (self.item_of(id), self.item_of(other)) else {
            return;
        };
        if item == gone || self.decoys.iter().any(|decoy| [item, gone].contains(decoy)) {
            return;
        }
        self.nobody_is_told(&[item, gone]);
        self.plugin.world.plex.merge(item, &[gone]);
        self.nobody_is_told(&[item]);
    }

    /// A person splits an item in Plex.
    fn split(&mut self, id: u64) {
        let several = |item: &Item| item.media.len() > 1;
        let scene = self.plugin.world.stash.scene(id);
        let items = scene.map(|scene| self.items_of(&scene)).unwrap_or_default();
        let all = self.plugin.world.plex.items();
        let item = items.iter().chain(&all).find(|item| several(item));
        let Some(item) = item.map(|item| item.key) else {
            return;
        };
        self.nobody_is_told(&[item]);
        let items = self.plugin.world.plex.split(item);
        self.nobody_is_told(&items);
    }

    /// A scene takes in another one, of which no hook tells; their items stay two.
    fn merged_in_stash(&mut self, id: u64) {
        let other = self.scene();
        let stash = &self.plugin.world.stash;
        let scenes = [stash.scene(id), stash.scene(other)];
        let files: usize = scenes.iter().flatten().map(|scene| scene.files.len()).sum();
        if other != id && stash.scenes().len() > SCENES / 2 && files < 4 {
            stash.merge_scenes(id, &[other]);
            self.untold.remove(&other);
            self.untold.insert(id);
        }
    }

    /// A file is made another scene's, of which no hook tells.
    fn assigned(&mut self, id: u64) {
        let other = self.scene();
        let stash = &self.plugin.world.stash;
        let (Some(from), Some(to)) = (stash.scene(id), stash.scene(other)) else {
            return;
        };
        if other != id && from.files.len() > 1 && to.files.len() < 3 {
            stash.assign_file(&from.files[0].path, other);
            self.untold.extend([id, other]);
        }
    }

    /// The item holds another file, which no scene has; so has the trash none to come back to.
    fn exchanged(&mut self, id: u64) {
        let Some(file) = self
            .plugin
            .world
            .stash
            .scene(id)
            .map(|scene| scene.files[0].path.clone())
        else {
            return;
        };
        let new = self.new_file("exchanged");
        self.plugin
            .world
            .plex
            .exchange_file(&self.in_plex(&file), &self.in_plex(&new));
        self.untold.insert(id);
    }

    /// A person is quicker than the next edit: adds a tag, where Plex does not replace lists, or
    /// changes the summary.
    pub(crate) fn person_in_between(&mut self, scene: u64) {
        self.version += 1;
        let (version, summary) = (self.version, self.below(2) == 0);
        let Some(item) = self.item_of(scene) else {
            return;
        };
        let plex = &self.plugin.world.plex;
        let mut mode = TagMode::Add;
        plex.set(|plex| mode = plex.tag_mode);
        let by_hand = self.by_hand.clone();
        plex.before(Requests::all().method("PUT").times(1), move |plex| {
            if plex.item(item).is_none() {
                return;
            }
            let name = match summary {
                true => format!("Written {BY_HAND}{version}"),
                false => format!("{BY_HAND}{version}"),
            };
            let mut by_hand = by_hand.lock().unwrap();
            let texts = by_hand.entry(item).or_default();
            match summary {
                true => plex.edit_by_hand(item, "summary", &name),
                false if mode == TagMode::Add => plex.add_tag(item, TagKind::Genre, &name),
                false => return,
            }
            texts.insert(name);
        });
        self.edit(scene);
    }

    /// Plex adds the file of a scene to its other library too, or forgets it there.
    pub(crate) fn in_the_other_library(&mut self, scene: u64) {
        let world = &self.plugin.world;
        let Some(file) = world
            .stash
            .scene(scene)
            .map(|scene| scene.files[0].path.clone())
        else {
            return;
        };
        let path = self.in_plex(&file);
        let here = world.plex.items_with_file(&path);
        let other = here.iter().find(|item| item.section == self.sections[1]);
        match other {
            Some(item) if here.len() > 1 => drop(world.plex.remove(item.key)),
            Some(_) => return,
            None => drop(world.plex.add_file(self.sections[1], &path)),
        }
        self.plugin.hook(&Trigger::SceneRescan(scene));
        if !self.is_findable(&file) {
            self.untold.insert(scene);
        }
    }
}
