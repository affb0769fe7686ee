//! The documents Stash writes to a plugin's stdin, in the forms recorded from v0.30.1.

use serde_json::{Map, Value, json};

use super::scene::{EntityKind, Scene};
use super::store::Store;

/// What happened in Stash.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger<'a> {
    /// Save in the scene's form: every field of the form is sent, changed or not.
    SceneForm(u64),
    /// `sceneUpdate` with these fields; the others are null in `input`, and only `inputFields`
    /// tells.
    SceneUpdate(u64, &'a [&'a str]),
    /// The bulk dialog: one process for each scene, the same `input` in all.
    SceneBulk {
        /// The scene of this process.
        id: u64,
        /// All scenes of the edit.
        ids: &'a [u64],
        /// What was set; null clears, which only `inputFields` shows.
        set: Value,
    },
    /// The filename parser: `input` is the **array** of all scenes' inputs.
    ScenesUpdate {
        /// The scene of this process.
        id: u64,
        /// All scenes of the edit.
        ids: &'a [u64],
        /// The fields set in each.
        fields: &'a [&'a str],
    },
    /// The Identify task set these fields; `inputFields` has no "id".
    SceneIdentify(u64, &'a [&'a str]),
    /// A scan found the file renamed or changed: `input` is null.
    SceneRescan(u64),
    /// A scan found a new file, or a scene without a file was made: `input` is null.
    SceneCreate(u64),
    /// The scene was deleted; the copy is what
    /// [`StashServer::destroy_scene`](super::StashServer::destroy_scene) returned.
    SceneDestroy(&'a Scene),
    /// Several were deleted at once; the ids are those of all.
    ScenesDestroy(&'a Scene, &'a [u64]),
    /// The Clean task removed it: `input.id` is empty.
    SceneClean(&'a Scene),
    /// A performer, tag, studio or group was edited.
    EntityUpdate(EntityKind, u64, &'a [&'a str]),
    /// One was made.
    EntityCreate(EntityKind, u64),
    /// One was deleted.
    EntityDestroy(EntityKind, u64),
    /// Several were deleted at once: `input` is the list of the ids of all.
    EntitiesDestroy(EntityKind, u64, &'a [u64]),
    /// Tags were merged into the last.
    TagMerge(&'a [u64], u64),
}

/// The input fields of a scene as the server lists them, in its order.
const SCENE_FIELDS: [&str; 24] = [
    "clientMutationId",
    "id",
    "title",
    "code",
    "details",
    "director",
    "url",
    "urls",
    "date",
    "rating100",
    "o_counter",
    "organized",
    "studio_id",
    "gallery_ids",
    "performer_ids",
    "movies",
    "groups",
    "tag_ids",
    "cover_image",
    "stash_ids",
    "resume_time",
    "play_duration",
    "play_count",
    "primary_file_id",
];

/// What the scene's form sends each time.
const FORM_FIELDS: [&str; 13] = [
    "title",
    "code",
    "urls",
    "date",
    "director",
    "gallery_ids",
    "studio_id",
    "performer_ids",
    "groups",
    "tag_ids",
    "stash_ids",
    "details",
    "id",
];

const PERFORMER_FIELDS: [&str; 34] = [
    "id",
    "name",
    "disambiguation",
    "url",
    "urls",
    "gender",
    "birthdate",
    "ethnicity",
    "country",
    "eye_color",
    "height",
    "height_cm",
    "measurements",
    "fake_tits",
    "penis_length",
    "circumcised",
    "career_length",
    "tattoos",
    "piercings",
    "aliases",
    "alias_list",
    "twitter",
    "instagram",
    "favorite",
    "tag_ids",
    "image",
    "stash_ids",
    "rating100",
    "details",
    "death_date",
    "hair_color",
    "weight",
    "ignore_auto_tag",
    "custom_fields",
];

const STUDIO_FIELDS: [&str; 13] = [
    "id",
    "name",
    "url",
    "urls",
    "parent_id",
    "image",
    "stash_ids",
    "rating100",
    "favorite",
    "details",
    "aliases",
    "tag_ids",
    "ignore_auto_tag",
];

impl Store {
    /// The whole document for a hook.
    pub(super) fn hook_document(&self, port: u16, trigger: &Trigger<'_>) -> Value {
        let context = self.hook_context(trigger);
        self.document(port, json!({"hookContext": context}))
    }

    /// The whole document with these arguments.
    pub(super) fn document(&self, port: u16, args: Value) -> Value {
        let options = &self.options;
        json!({
            "server_connection": {
                "Scheme": "http", "Host": options.host, "Port": port,
                "SessionCookie": {
                    "Name": "session", "Value": self.cookie(), "Quoted": false, "Path": "", "Domain": "",
                    "Expires": "0001-01-01T00:00:00Z", "RawExpires": "", "MaxAge": 0, "Secure": false, "HttpOnly": false,
                    "SameSite": 0, "Partitioned": false, "Raw": "", "Unparsed": null,
                },
                "Dir": options.config_dir, "PluginDir": options.plugin_dir,
            },
            "args": args,
        })
    }

    fn hook_context(&self, trigger: &Trigger<'_>) -> Value {
        let update = "Scene.Update.Post";
        let destroy = "Scene.Destroy.Post";
        match trigger {
            Trigger::SceneForm(id) => context(
                *id,
                update,
                self.scene_input(*id, &FORM_FIELDS),
                &FORM_FIELDS,
            ),
            Trigger::SceneUpdate(id, fields) => {
                let fields = [&["id"], *fields].concat();
                context(*id, update, self.scene_input(*id, &fields), &fields)
            }
            Trigger::SceneIdentify(id, fields) => context(
                *id,
                update,
                self.scene_input(*id, &[&["id"], *fields].concat()),
                fields,
            ),
            Trigger::SceneBulk { id, ids, set } => {
                let mut input = Map::from_iter([("ids".to_owned(), texts(ids))]);
                let mut fields = vec!["ids"];
                for (name, value) in set.as_object().into_iter().flatten() {
                    fields.push(name);
                    if !value.is_null() {
                        input.insert(name.clone(), value.clone());
                    }
                }
                context(*id, update, input.into(), &fields)
            }
            Trigger::ScenesUpdate { id, ids, fields } => {
                let fields = [&["id"], *fields].concat();
                let inputs = ids
                    .iter()
                    .map(|id| self.scene_input(*id, &fields))
                    .collect();
                context(*id, update, inputs, &fields)
            }
            Trigger::SceneRescan(id) => context(*id, update, Value::Null, &[]),
            Trigger::SceneCreate(id) => context(*id, "Scene.Create.Post", Value::Null, &[]),
            Trigger::SceneDestroy(scene) => context(
                scene.id,
                destroy,
                gone(
                    scene,
                    json!({"id": scene.id.to_string(), "delete_file": true, "delete_generated": true}),
                ),
                &[],
            ),
            Trigger::ScenesDestroy(scene, ids) => context(
                scene.id,
                destroy,
                gone(
                    scene,
                    json!({"ids": texts(ids), "delete_file": false, "delete_generated": null}),
                ),
                &[],
            ),
            Trigger::SceneClean(scene) => context(
                scene.id,
                destroy,
                gone(
                    scene,
                    json!({"id": "", "delete_file": null, "delete_generated": null}),
                ),
                &[],
            ),
            Trigger::EntityUpdate(kind, id, fields) => {
                let fields = [&["id"], *fields].concat();
                context(
                    *id,
                    &format!("{}.Update.Post", kind.type_name()),
                    self.entity_input(*kind, *id, &fields),
                    &fields,
                )
            }
            Trigger::EntityCreate(kind, id) => {
                let input = json!({"name": self.name_of(*kind, *id)});
                context(
                    *id,
                    &format!("{}.Create.Post", kind.type_name()),
                    input,
                    &["name"],
                )
            }
            Trigger::EntityDestroy(kind, id) => context(
                *id,
                &format!("{}.Destroy.Post", kind.type_name()),
                json!({"id": id.to_string()}),
                &[],
            ),
            Trigger::EntitiesDestroy(kind, id, ids) => context(
                *id,
                &format!("{}.Destroy.Post", kind.type_name()),
                texts(ids),
                &[],
            ),
            Trigger::TagMerge(sources, destination) => {
                let input =
                    json!({"source": texts(sources), "destination": destination.to_string()});
                context(*destination, "Tag.Merge.Post", input, &[])
            }
        }
    }

    /// Every possible field, null where not sent.
    pub(super) fn scene_input(&self, id: u64, sent: &[&str]) -> Value {
        let scene = self.scenes.get(&id).cloned().unwrap_or_else(|| Scene {
            id,
            ..Scene::default()
        });
        let value = |name: &str| {
            match name {
            _ if !sent.contains(&name) => Value::Null,
            "id" => id.to_string().into(),
            "title" => scene.title.as_str().into(),
            "code" => scene.code.as_str().into(),
            "details" => scene.details.as_str().into(),
            "director" => scene.director.as_str().into(),
            "urls" => scene.urls.clone().into(),
            "date" => scene.date.as_str().into(),
            "rating100" => scene.rating100.into(),
            "o_counter" => scene.o_counter.into(),
            "play_count" => scene.play_count.into(),
            "organized" => scene.organized.into(),
            "studio_id" => scene.studio.map(|id| id.to_string()).into(),
            "performer_ids" => texts(&scene.performers),
            "tag_ids" => texts(&scene.tags),
            "gallery_ids" => json!([]),
            "groups" => scene.groups.iter().map(|(id, index)| json!({"group_id": id.to_string(), "scene_index": index})).collect(),
            "stash_ids" => scene.stash_ids.iter().map(|(endpoint, id)| json!({"endpoint": endpoint, "stash_id": id})).collect(),
            "cover_image" => "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNiAAAABgADNjd8qAAAAABJRU5ErkJggg==".into(),
            _ => Value::Null,
        }
        };
        SCENE_FIELDS
            .iter()
            .map(|name| ((*name).to_owned(), value(name)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn entity_input(&self, kind: EntityKind, id: u64, sent: &[&str]) -> Value {
        let entity = self.entity(kind, id).cloned().unwrap_or_default();
        let fields: &[&str] = match kind {
            EntityKind::Performer => &PERFORMER_FIELDS,
            EntityKind::Studio => &STUDIO_FIELDS,
            EntityKind::Tag | EntityKind::Group => &["id", "name"],
        };
        let value = |name: &str| match name {
            "custom_fields" => json!({"full": null, "partial": null, "remove": null}),
            _ if !sent.contains(&name) => Value::Null,
            "id" => id.to_string().into(),
            "name" => entity.name.as_str().into(),
            "disambiguation" => entity.disambiguation.as_str().into(),
            "alias_list" | "aliases" => entity.aliases.clone().into(),
            _ => Value::Null,
        };
        fields
            .iter()
            .map(|name| ((*name).to_owned(), value(name)))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// `inputFields` is absent when empty.
pub(super) fn context(id: u64, hook: &str, input: Value, fields: &[&str]) -> Value {
    let mut context = json!({"id": id, "type": hook, "input": input});
    if !fields.is_empty() {
        context["inputFields"] = json!(fields);
    }
    context
}

fn texts(ids: &[u64]) -> Value {
    ids.iter().map(|id| Value::String(id.to_string())).collect()
}

fn gone(scene: &Scene, mut input: Value) -> Value {
    let file = scene.files.first();
    input["checksum"] = "".into();
    input["oshash"] = file.map_or("", |file| &file.oshash).into();
    input["path"] = file.map_or("", |file| &file.path).into();
    input
}
