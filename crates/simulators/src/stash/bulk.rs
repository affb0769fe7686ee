//! Edits of several scenes at once: all are saved first, then a hook runs for each.

use serde_json::{Map, Value};

use super::StashServer;
use super::find::id_of;
use super::hook::{Trigger, context};
use super::scene::Scene;

impl StashServer {
    /// The bulk dialog (`bulkSceneUpdate`): sets fields in all scenes, relations as `{"ids": […],
    /// "mode": "ADD"}`; null clears. Returns the documents of the hooks, which
    /// [`run_hooks`](crate::run_hooks) runs.
    ///
    /// ```
    /// # let stash = simulators::StashServer::start()?;
    /// let ids = ["/data/1.mp4", "/data/2.mp4"].map(|path| stash.add_scene(path));
    /// let hooks = stash.bulk_edit(&ids, serde_json::json!({"rating100": 60}));
    /// assert_eq!((hooks.len(), stash.scene(ids[1]).and_then(|scene| scene.rating100)), (2, Some(60)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bulk_edit(&self, ids: &[u64], set: Value) -> Vec<String> {
        for id in ids {
            self.apply(*id, &set);
        }
        let hook = |id: &u64| {
            let set = set.clone();
            self.hook_stdin(&Trigger::SceneBulk { id: *id, ids, set })
        };
        ids.iter().map(hook).collect()
    }

    /// The filename parser (`scenesUpdate`): other values for each scene. The hooks' `input` is the
    /// array of all.
    pub fn update_scenes(&self, inputs: &[(u64, Value)]) -> Vec<String> {
        for (id, set) in inputs {
            self.apply(*id, set);
        }
        let store = self.store();
        let input: Value = inputs
            .iter()
            .map(|(id, set)| store.scene_input(*id, &fields(set)))
            .collect();
        let hooks = inputs.iter().map(|(id, set)| {
            let context = context(*id, "Scene.Update.Post", input.clone(), &fields(set));
            let args = serde_json::json!({"hookContext": context});
            store.document(self.port(), args).to_string()
        });
        hooks.collect()
    }

    fn apply(&self, id: u64, set: &Value) {
        self.edit(id).with(|scene| {
            for (name, value) in set.as_object().into_iter().flatten() {
                set_field(scene, name, value);
            }
        });
    }
}

/// The names of what is sent.
fn fields(set: &Value) -> Vec<&str> {
    let names = set.as_object().into_iter().flat_map(Map::keys);
    std::iter::once("id")
        .chain(names.map(String::as_str))
        .collect()
}

/// A field that is not simulated stays as it is.
fn set_field(scene: &mut Scene, name: &str, value: &Value) {
    let text = || value.as_str().unwrap_or_default().to_owned();
    match name {
        "title" => scene.title = text(),
        "code" => scene.code = text(),
        "details" => scene.details = text(),
        "director" => scene.director = text(),
        "date" => scene.date = text(),
        "rating100" => scene.rating100 = value.as_u64().map(|rating| rating as u32),
        "organized" => scene.organized = value.as_bool().unwrap_or_default(),
        "studio_id" => scene.studio = id_of(value),
        "performer_ids" => set_ids(&mut scene.performers, value),
        "tag_ids" => set_ids(&mut scene.tags, value),
        _ => {}
    }
}

/// A list sets; an object says itself what it does.
fn set_ids(have: &mut Vec<u64>, value: &Value) {
    let ids = value.get("ids").unwrap_or(value).as_array();
    let ids: Vec<u64> = ids.into_iter().flatten().filter_map(id_of).collect();
    match value.get("mode").and_then(Value::as_str) {
        Some("ADD") => {
            let new: Vec<u64> = ids.into_iter().filter(|id| !have.contains(id)).collect();
            have.extend(new);
        }
        Some("REMOVE") => have.retain(|id| !ids.contains(id)),
        _ => *have = ids,
    }
}
