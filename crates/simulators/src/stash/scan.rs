//! What Stash does to scenes by itself or without a hook: scans, assigned files, auto tags, covers.

use super::StashServer;
use super::hook::Trigger;
use super::picture;
use super::scene::EntityKind;

/// Each function returns the documents of the hooks that Stash runs for it, in their order; none:
/// Stash tells no plugin.
impl StashServer {
    /// A scan finds a new file. The scene has no cover yet: see
    /// [`generate_cover`](Self::generate_cover).
    pub fn scan_new(&self, path: &str) -> (u64, String) {
        let id = self.add_scene(path);
        self.change_silently(id, |scene| (scene.cover, scene.has_preview) = (None, false));
        (id, self.hook_stdin(&Trigger::SceneCreate(id)))
    }

    /// Stash makes the cover of a scene, after a scan or when asked to: no hook, `updated_at`
    /// moves.
    pub fn generate_cover(&self, id: u64) {
        self.edit(id).with(|scene| {
            let next = picture::jpeg(&format!("scene {id} generated after {}", scene.updated_at));
            scene.cover = Some(next.into());
        });
    }

    /// A scan finds a copy of a scene's file, which becomes its last.
    pub fn scan_copy(&self, id: u64, path: &str) -> String {
        let file = self.store().new_file(path);
        self.change_silently(id, |scene| scene.files.push(file));
        self.hook_stdin(&Trigger::SceneRescan(id))
    }

    /// A scan finds a file renamed or in another folder; `updated_at` stays. `None`: no scene has
    /// the file.
    pub fn scan_moved(&self, from: &str, to: &str) -> Option<String> {
        let id = self.scene_with_file(from)?;
        self.change_silently(id, |scene| {
            for file in scene.files.iter_mut().filter(|file| file.path == from) {
                to.clone_into(&mut file.path);
            }
        });
        Some(self.hook_stdin(&Trigger::SceneRescan(id)))
    }

    /// A person deletes a scene and leaves its files, which a scan then finds as a new scene.
    /// Returns its id with the hooks for the deletion and the find. `None`: there is no such scene,
    /// or it has no file.
    pub fn scan_again(&self, id: u64) -> Option<(u64, [String; 2])> {
        let path = self.scene(id)?.files.first()?.path.clone();
        let gone = self.destroy_scene(id)?;
        let destroyed = self.hook_stdin(&Trigger::ScenesDestroy(&gone, &[id]));
        let (new, created) = self.scan_new(&path);
        for file in gone.files.iter().skip(1) {
            self.scan_copy(new, &file.path);
        }
        Some((new, [destroyed, created]))
    }

    /// A file becomes another scene's (`sceneAssignFile`): no hook, and `updated_at` stays.
    pub fn assign_file(&self, path: &str, id: u64) {
        let Some(from) = self.scene_with_file(path).filter(|from| *from != id) else {
            return;
        };
        let mut store = self.store();
        if !store.scenes.contains_key(&id) {
            return;
        }
        let from = store.scenes.get_mut(&from);
        let files = from.map(|scene| scene.files.extract_if(.., |file| file.path == path));
        let files: Vec<_> = files.into_iter().flatten().collect();
        if let Some(scene) = store.scenes.get_mut(&id) {
            scene.files.extend(files);
        }
    }

    /// The Auto Tag task gives a scene something by its file name: no hook, `updated_at` moves.
    pub fn auto_tag(&self, id: u64, kind: EntityKind, name: &str) {
        let entity = self.named(kind, name);
        self.edit(id).with(|scene| match kind {
            EntityKind::Performer => scene.performers.push(entity),
            EntityKind::Tag => scene.tags.push(entity),
            EntityKind::Studio => scene.studio = Some(entity),
            EntityKind::Group => scene.groups.push((entity, None)),
        });
    }

    fn scene_with_file(&self, path: &str) -> Option<u64> {
        let store = self.store();
        let has = |scene: &&super::Scene| scene.files.iter().any(|file| file.path == path);
        store.scenes.values().find(has).map(|scene| scene.id)
    }
}
