//! Whether a write is right, judged when Plex is about to carry it out, and whether items show
//! their scenes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use scene_sync::{PathMap, path};
use simulators::{EntityKind, Item, PlexServer, Recorded, Requests, Scene, StashServer, TagKind};

/// Values that only a person gives, in Plex.
pub(super) const BY_HAND: &str = "by hand ";

#[derive(Clone)]
pub(super) struct Judge {
    stash: StashServer,
    plex: PlexServer,
    folders: Vec<String>,
    map: Arc<Mutex<PathMap>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

fn written(pairs: &[(String, String)]) -> String {
    let values = pairs.iter().filter(|(name, _)| !name.ends_with(".locked"));
    values
        .map(|(name, value)| format!("{name}={value} "))
        .collect()
}

fn is_bare(scene: &Scene) -> bool {
    let Scene {
        title,
        details,
        studio,
        performers,
        tags,
        rating100,
        ..
    } = scene;
    let lists = performers.is_empty() && tags.is_empty();
    title.is_empty() && details.is_empty() && studio.is_none() && lists && rating100.is_none()
}

/// The scene whose value this is: each begins with the number of its scene.
fn scene_of(value: &str) -> Option<u64> {
    value.strip_prefix('S')?.split(' ').next()?.parse().ok()
}

impl Judge {
    /// Looks at every write from now on.
    pub fn watch(stash: &StashServer, plex: &PlexServer, libraries: &[(u32, Vec<String>)]) -> Self {
        let judge = Self {
            stash: stash.clone(),
            plex: plex.clone(),
            folders: libraries
                .iter()
                .flat_map(|(_, folders)| folders.clone())
                .collect(),
            map: Arc::default(),
            wrong: Arc::default(),
        };
        for method in ["PUT", "POST"] {
            let (stash, folders) = (stash.clone(), judge.folders.clone());
            let (map, wrong) = (judge.map.clone(), judge.wrong.clone());
            plex.before(Requests::all().method(method), move |plex| {
                let judge = Self {
                    stash: stash.clone(),
                    plex: plex.clone(),
                    folders: folders.clone(),
                    map: map.clone(),
                    wrong: wrong.clone(),
                };
                let mut requests = plex.requests().into_iter();
                let is_this = |one: &Recorded| one.method == method && one.status.is_none();
                if let Some(request) = requests.rfind(is_this) {
                    wrong.lock().unwrap().extend(judge.fault(&request));
                }
            });
        }
        judge
    }

    pub fn set_map(&self, rules: &str) {
        *self.map.lock().unwrap() = PathMap::parse(rules).unwrap();
    }

    /// What was wrong so far.
    pub fn wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.wrong.lock().unwrap())
    }

    fn fault(&self, request: &Recorded) -> Option<String> {
        let pairs = url::form_urlencoded::parse(request.query.as_bytes()).into_owned();
        let pairs: Vec<_> = pairs.collect();
        let key = pairs
            .iter()
            .find(|(name, _)| ["id", "key"].contains(&name.as_str()));
        let item = self.plex.item(key?.1.parse().ok()?)?;
        let scenes = self.stash.scenes();
        let may = |scene: &&Scene| self.holds(scene, &item) || self.is_like(scene, &item);
        let may: BTreeSet<u64> = scenes.iter().filter(may).map(|scene| scene.id).collect();
        if may.is_empty() {
            return Some(format!(
                "no scene's item was written: {}; {item:?}",
                written(&pairs)
            ));
        }
        let shown: BTreeSet<_> = TAGS.iter().flat_map(|kind| item.tag_names(*kind)).collect();
        let new = pairs.iter().filter(|(name, value)| {
            name.ends_with(".value")
                || name.ends_with("].tag.tag") && !shown.contains(value.as_str())
        });
        let mut of = new.filter_map(|(_, value)| scene_of(value));
        let stranger = of.find(|scene| !may.contains(scene))?;
        Some(format!(
            "scene {stranger} was written to an item of {may:?}: {}; {item:?}",
            written(&pairs)
        ))
    }

    fn mapped(&self, scene: &Scene) -> Vec<String> {
        let map = self.map.lock().unwrap();
        scene.files.iter().map(|file| map.map(&file.path)).collect()
    }

    fn holds(&self, scene: &Scene, item: &Item) -> bool {
        let files = self.mapped(scene);
        item.files()
            .any(|held| files.iter().any(|file| file == held))
    }

    /// Likeness is allowed for what no library covers, and where nothing contradicts.
    fn is_like(&self, scene: &Scene, item: &Item) -> bool {
        let mapped = self.mapped(scene);
        let covered = |file: &str| self.folders.iter().any(|folder| path::covers(folder, file));
        let free = mapped
            .iter()
            .zip(&scene.files)
            .filter(|(path, _)| !covered(path));
        free.into_iter().any(|(mapped, file)| {
            item.parts().any(|part| {
                path::name_key(&part.file) == path::name_key(mapped)
                    && part.size == file.size
                    && (part.duration as f64 / 1000.0 - file.duration).abs() < 1.0
            })
        })
    }

    /// The living items that do not show the scene that all their files belong to.
    pub fn unequal(&self) -> Vec<String> {
        let (items, scenes) = (self.plex.items(), self.stash.scenes());
        let mut follows = false;
        self.plex.set(|options| follows = options.moves_keep_keys);
        let living = items
            .iter()
            .filter(|item| item.deleted_at.is_none() && item.files().next().is_some());
        let mut wrong = Vec::new();
        for item in living {
            let holders: Vec<_> = scenes
                .iter()
                .filter(|scene| self.holds(scene, item))
                .collect();
            let shows = |scene: &&&Scene| self.difference(scene, item).is_none();
            match holders.as_slice() {
                [] => {}
                // An item on record is known by one file, as it was. For a scene with nothing to
                // write, nobody looks further.
                [scene] if is_bare(scene) && (follows || item.files().count() > 1) => {}
                [scene] => wrong.extend(self.difference(scene, item)),
                several if several.iter().any(|scene| shows(&scene)) => {}
                several => {
                    let ids: Vec<_> = several.iter().map(|scene| scene.id).collect();
                    wrong.push(format!(
                        "item {} shows none of its scenes {ids:?}",
                        item.key
                    ));
                }
            }
        }
        wrong
    }

    fn difference(&self, scene: &Scene, item: &Item) -> Option<String> {
        let names = |kind, ids: &[u64]| -> BTreeSet<String> {
            ids.iter().map(|id| self.stash.name_of(kind, *id)).collect()
        };
        let shown = |kind| -> BTreeSet<String> {
            let names = item
                .tag_names(kind)
                .into_iter()
                .filter(|name| !name.starts_with(BY_HAND));
            names.map(str::to_owned).collect()
        };
        let title = if scene.title.is_empty() {
            item.title()
        } else {
            &scene.title
        };
        let equal = title == item.title()
            && scene.details == item.field("summary")
            && names(EntityKind::Tag, &scene.tags) == shown(TagKind::Genre)
            && names(EntityKind::Performer, &scene.performers) == shown(TagKind::Actor);
        (!equal).then(|| {
            format!(
                "item {} does not show scene {}: {item:?}\n{scene:?}",
                item.key, scene.id
            )
        })
    }

    /// All scenes and items, for a person.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for scene in self.stash.scenes() {
            let files: Vec<_> = scene.files.iter().map(|file| &file.path).collect();
            let _ = writeln!(text, "scene {} {:?} {files:?}", scene.id, scene.title);
        }
        for item in self.plex.items() {
            let files: BTreeMap<_, _> = item.parts().map(|part| (&part.file, part.size)).collect();
            let tags: Vec<_> = TAGS.iter().map(|kind| item.tag_names(*kind)).collect();
            let (key, trashed, title) = (item.key, item.deleted_at.is_some(), item.title());
            let _ = writeln!(
                text,
                "item {key} trashed={trashed} {title:?} {tags:?} {files:?}"
            );
        }
        text
    }
}

const TAGS: [TagKind; 3] = [TagKind::Genre, TagKind::Actor, TagKind::Collection];
