//! Stash's state and the changes it knows, without HTTP.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::options::StashOptions;
use super::picture;
use super::scene::{Entity, EntityKind, Scene, SceneFile};
use crate::clock;

#[derive(Debug)]
pub(super) struct Store {
    pub options: StashOptions,
    pub scenes: BTreeMap<u64, Scene>,
    pub entities: BTreeMap<(EntityKind, u64), Entity>,
    /// How often the settings of plugins were changed.
    pub settings_changed: u64,
    pub plugins: Map<String, Value>,
    /// Number in the name of the valid session cookie.
    pub session: u64,
    pub jobs: Vec<Job>,
    /// What `runPluginOperation` answers, by plugin.
    pub operations: Map<String, Value>,
    /// The lines of level Error in Stash's own log.
    pub error_log: Vec<String>,
    next_scene: u64,
    next_file: u64,
}

/// What `runPluginTask` queued.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The plugin.
    pub plugin: String,
    /// The task, if named.
    pub task: Option<String>,
    /// `args_map` as sent.
    pub args: Value,
}

impl Store {
    pub fn new(options: StashOptions) -> Self {
        Self {
            options,
            scenes: BTreeMap::new(),
            entities: BTreeMap::new(),
            settings_changed: 0,
            plugins: Map::new(),
            session: 1,
            jobs: Vec::new(),
            operations: Map::new(),
            error_log: Vec::new(),
            next_scene: 1,
            next_file: 1,
        }
    }

    pub fn now(&self) -> i64 {
        self.options.now.unwrap_or_else(clock::now)
    }

    /// The value of the valid session cookie. It looks like the real ones: base64 of something
    /// signed.
    pub fn cookie(&self) -> String {
        format!("MTc2NzIyNTU5OXxTaW1TZXNzaW9u{:04}_secret", self.session)
    }

    pub fn add_scene(&mut self, path: Option<&str>) -> u64 {
        let id = self.next_scene;
        self.next_scene += 1;
        let mut scene = Scene {
            id,
            created_at: self.now(),
            cover: Some(picture::jpeg(&format!("scene {id} version 1")).into()),
            has_preview: true,
            ..Scene::default()
        };
        scene.files = path.map(|path| self.new_file(path)).into_iter().collect();
        self.scenes.insert(id, scene);
        self.touch(id);
        id
    }

    pub fn new_file(&mut self, path: &str) -> SceneFile {
        let id = self.next_file;
        self.next_file += 1;
        let salt = path.bytes().fold(7_u64, |salt, byte| {
            salt.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        SceneFile {
            id,
            path: path.to_owned(),
            size: 10_000_000 + salt % 900_000_000,
            duration: (60_000 + salt % 3_600_000) as f64 / 1000.0,
            oshash: format!("{:016x}", salt | 1),
        }
    }

    /// Writes `updated_at`: whole seconds in the offset of now.
    pub fn touch(&mut self, id: u64) {
        let (now, offset) = (self.now(), self.options.utc_offset);
        if let Some(scene) = self.scenes.get_mut(&id) {
            scene.updated = now;
            scene.updated_at = clock::rfc3339(now, offset);
        }
    }

    /// The entity of that name, made if there is none.
    pub fn named(&mut self, kind: EntityKind, name: &str) -> u64 {
        let same = |entity: &&Entity| entity.name == name;
        if let Some(entity) = self.of_kind(kind).find(same) {
            return entity.id;
        }
        let id = self
            .of_kind(kind)
            .map(|entity| entity.id)
            .max()
            .unwrap_or(0)
            + 1;
        let updated = self.now();
        let entity = Entity {
            id,
            name: name.to_owned(),
            updated,
            ..Entity::default()
        };
        self.entities.insert((kind, id), entity);
        id
    }

    pub fn of_kind(&self, kind: EntityKind) -> impl Iterator<Item = &Entity> {
        self.entities
            .range((kind, 0)..=(kind, u64::MAX))
            .map(|(_, entity)| entity)
    }

    pub fn entity(&self, kind: EntityKind, id: u64) -> Option<&Entity> {
        self.entities.get(&(kind, id))
    }

    pub fn name_of(&self, kind: EntityKind, id: u64) -> &str {
        self.entity(kind, id).map_or("", |entity| &entity.name)
    }

    /// Replaces an entity by another in all scenes, or drops it there. Stash moves no `updated_at`
    /// by that.
    pub fn replace(&mut self, kind: EntityKind, id: u64, by: Option<u64>) {
        let replace = |list: &mut Vec<u64>| {
            let has = by.is_some_and(|by| list.contains(&by));
            match by {
                Some(by) if !has => list
                    .iter_mut()
                    .filter(|old| **old == id)
                    .for_each(|old| *old = by),
                _ => list.retain(|old| *old != id),
            }
        };
        for scene in self.scenes.values_mut() {
            match kind {
                EntityKind::Performer => replace(&mut scene.performers),
                EntityKind::Tag => replace(&mut scene.tags),
                EntityKind::Studio if scene.studio == Some(id) => scene.studio = by,
                EntityKind::Studio => {}
                EntityKind::Group => match by {
                    Some(by) => scene
                        .groups
                        .iter_mut()
                        .filter(|old| old.0 == id)
                        .for_each(|old| old.0 = by),
                    None => scene.groups.retain(|old| old.0 != id),
                },
            }
        }
        self.entities.remove(&(kind, id));
    }

    /// Ids of the scenes that bear an entity.
    pub fn scenes_with(&self, kind: EntityKind, id: u64) -> Vec<u64> {
        let bears = |scene: &&Scene| match kind {
            EntityKind::Performer => scene.performers.contains(&id),
            EntityKind::Tag => scene.tags.contains(&id),
            EntityKind::Studio => scene.studio == Some(id),
            EntityKind::Group => scene.groups.iter().any(|(group, _)| *group == id),
        };
        self.scenes
            .values()
            .filter(bears)
            .map(|scene| scene.id)
            .collect()
    }
}
