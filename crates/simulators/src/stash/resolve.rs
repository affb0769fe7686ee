//! Runs a validated operation: each field asked for is looked up, nothing else is built.

use serde_json::{Map, Value, json};

use super::find::{Found, id_of};
use super::introspection;
use super::query::{Field, Operation};
use super::refusal::Failure;
use super::scene::{Entity, EntityKind, Scene};
use super::schema;
use super::store::Store;
use crate::clock;

/// What a field leads to.
enum Node<'a> {
    Scene(&'a Scene),
    Entity(EntityKind, &'a Entity),
    /// An object built already; the selection picks from it.
    Json(Value),
}

/// What a resolver returns.
enum Out<'a> {
    Leaf(Value),
    One(Option<Node<'a>>),
    Many(Vec<Node<'a>>),
}

/// An answer's `data`, or what made it null.
pub(super) type Outcome = Result<Value, Failure>;

pub(super) struct Resolver<'a> {
    pub store: &'a Store,
    /// `http://host:port` before absolute addresses.
    pub base: String,
}

impl<'a> Resolver<'a> {
    pub fn run(&self, operation: &Operation) -> Outcome {
        let mut data = Map::new();
        for field in &operation.selection {
            let value = if field.name == "__typename" {
                "Query".into()
            } else {
                let out = self.root(field).map_err(|message| Failure {
                    message,
                    field: field.alias.clone(),
                    nullable: false,
                })?;
                self.shape(out, "Query", field)
            };
            data.insert(field.alias.clone(), value);
        }
        Ok(Value::Object(data))
    }

    fn shape(&self, out: Out<'_>, type_name: &str, field: &Field) -> Value {
        let object = schema::object_of(type_name, &field.name).unwrap_or_default();
        match out {
            Out::Leaf(value) => value,
            Out::One(node) => node.map_or(Value::Null, |node| {
                self.select(&node, object, &field.selection)
            }),
            Out::Many(nodes) => nodes
                .iter()
                .map(|node| self.select(node, object, &field.selection))
                .collect(),
        }
    }

    fn select(&self, node: &Node<'_>, type_name: &str, selection: &[Field]) -> Value {
        let mut object = Map::new();
        for field in selection {
            let value = match node {
                _ if field.name == "__typename" => type_name.into(),
                Node::Scene(scene) => self.shape(self.scene(scene, &field.name), type_name, field),
                Node::Entity(kind, entity) => {
                    self.shape(self.entity(*kind, entity, &field.name), type_name, field)
                }
                Node::Json(value) => {
                    let member = value.get(&field.name).cloned().unwrap_or(Value::Null);
                    self.shape(
                        from_json(member, !field.selection.is_empty()),
                        type_name,
                        field,
                    )
                }
            };
            object.insert(field.alias.clone(), value);
        }
        Value::Object(object)
    }

    fn root(&self, field: &Field) -> Result<Out<'a>, String> {
        let id = || field.arguments.get("id").and_then(id_of);
        let entity = |kind| {
            Out::One(
                id().and_then(|id| self.store.entity(kind, id))
                    .map(|e| Node::Entity(kind, e)),
            )
        };
        Ok(match field.name.as_str() {
            "findScene" => Out::One(
                id().and_then(|id| self.store.scenes.get(&id))
                    .map(Node::Scene),
            ),
            "findPerformer" => entity(EntityKind::Performer),
            "findTag" => entity(EntityKind::Tag),
            "findStudio" => entity(EntityKind::Studio),
            "findGroup" => entity(EntityKind::Group),
            "findScenes" => {
                let found = self.store.find_scenes(&field.arguments)?;
                return Ok(Out::Leaf(self.scenes_found(&found, field)));
            }
            "findPerformers" => self.entities(EntityKind::Performer, "performers", field)?,
            "findTags" => self.entities(EntityKind::Tag, "tags", field)?,
            "findStudios" => self.entities(EntityKind::Studio, "studios", field)?,
            "findGroups" => self.entities(EntityKind::Group, "groups", field)?,
            "configuration" => Out::Leaf(self.configuration(field)),
            "version" => one(json!({
                "version": self.store.options.version, "hash": "3d5f8b1c", "build_time": "2025-12-18 01:02:03",
            })),
            "systemStatus" => one(json!({
                "status": "OK", "os": std::env::consts::OS, "databaseSchema": 74, "appSchema": 74, "workingDir": "/",
                "homeDir": "/root", "configPath": self.store.options.config_dir.join("config.yml"),
                "databasePath": self.store.options.config_dir.join("stash-go.sqlite"), "ffmpegPath": "/usr/bin/ffmpeg",
                "ffprobePath": "/usr/bin/ffprobe",
            })),
            "findJob" => Out::One(None),
            "jobQueue" => self.job_queue(),
            "plugins" => Out::Many(Vec::new()),
            "__type" => {
                let name = field
                    .arguments
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                from_json(
                    introspection::of_type(name, &self.store.options.missing_fields),
                    true,
                )
            }
            "__schema" => one(introspection::schema()),
            other => return Err(format!("{other} is not simulated")),
        })
    }

    /// `null` when there is nothing to do.
    fn job_queue(&self) -> Out<'a> {
        let jobs = &self.store.options.jobs;
        if jobs.is_empty() {
            return Out::Leaf(Value::Null);
        }
        let jobs = jobs.iter().enumerate().map(|(nth, description)| {
            let status = if nth == 0 { "RUNNING" } else { "READY" };
            json!({"id": (nth + 1).to_string(), "status": status, "description": description})
        });
        from_json(Value::Array(jobs.collect()), true)
    }

    fn scenes_found(&self, found: &Found, field: &Field) -> Value {
        let scenes = || found.ids.iter().filter_map(|id| self.store.scenes.get(id));
        let mut object = Map::new();
        for field in &field.selection {
            let value = match field.name.as_str() {
                "scenes" => self.shape(
                    Out::Many(scenes().map(Node::Scene).collect()),
                    "FindScenesResultType",
                    field,
                ),
                "count" => found.count.into(),
                "filesize" => scenes()
                    .flat_map(|scene| &scene.files)
                    .map(|file| file.size)
                    .sum::<u64>()
                    .into(),
                "duration" => scenes()
                    .flat_map(|scene| &scene.files)
                    .map(|file| file.duration)
                    .sum::<f64>()
                    .into(),
                _ => "FindScenesResultType".into(),
            };
            object.insert(field.alias.clone(), value);
        }
        Value::Object(object)
    }

    fn entities(&self, kind: EntityKind, list: &str, field: &Field) -> Result<Out<'a>, String> {
        let found = self.store.find_entities(kind, &field.arguments)?;
        let type_name = schema::object_of("Query", &field.name).unwrap_or_default();
        let mut object = Map::new();
        for field in &field.selection {
            let value = if field.name == list {
                let nodes = found
                    .ids
                    .iter()
                    .filter_map(|id| self.store.entity(kind, *id));
                self.shape(
                    Out::Many(nodes.map(|entity| Node::Entity(kind, entity)).collect()),
                    type_name,
                    field,
                )
            } else {
                found.count.into()
            };
            object.insert(field.alias.clone(), value);
        }
        Ok(Out::Leaf(Value::Object(object)))
    }

    /// Settings of a plugin that were never touched are absent.
    fn configuration(&self, field: &Field) -> Value {
        let options = &self.store.options;
        let mut object = Map::new();
        for field in &field.selection {
            let value = if field.name == "plugins" {
                let include = field.arguments.get("include").and_then(Value::as_array);
                let wanted = |id: &str| {
                    include.is_none_or(|ids| ids.iter().any(|wanted| wanted.as_str() == Some(id)))
                };
                let spelling = options.settings_spelling;
                let plugins = self.store.plugins.iter();
                let plugins =
                    plugins.map(|(id, settings)| (spelling.id(id), spelling.settings(settings)));
                Value::Object(plugins.filter(|(id, _)| wanted(id)).collect())
            } else {
                let general = json!({
                    "apiKey": options.api_key.as_deref().unwrap_or_default(), "username": if options.credentials { "admin" } else { "" },
                    "configFilePath": options.config_dir.join("config.yml"), "databasePath": options.config_dir.join("stash-go.sqlite"),
                    "generatedPath": options.config_dir.join("generated"), "maxSessionAge": 3600, "host": options.host,
                });
                self.shape(one(general), "ConfigResult", field)
            };
            object.insert(field.alias.clone(), value);
        }
        Value::Object(object)
    }

    fn scene(&self, scene: &'a Scene, name: &str) -> Out<'a> {
        let store = self.store;
        let entities = |kind, ids: &[u64]| {
            let known = ids.iter().filter_map(|id| store.entity(kind, *id));
            Out::Many(known.map(|entity| Node::Entity(kind, entity)).collect())
        };
        Out::Leaf(match name {
            "id" => scene.id.to_string().into(),
            "title" if scene.misshapen => scene.id.into(),
            "title" => scene.title.as_str().into(),
            "code" => scene.code.as_str().into(),
            "details" => scene.details.as_str().into(),
            "director" => scene.director.as_str().into(),
            "url" => scene.urls.first().cloned().into(),
            "urls" => scene.urls.clone().into(),
            "date" if scene.date.is_empty() => Value::Null,
            "date" => scene.date.as_str().into(),
            "rating100" => scene.rating100.into(),
            "organized" => scene.organized.into(),
            "o_counter" => scene.o_counter.into(),
            "play_count" => scene.play_count.into(),
            "created_at" => clock::rfc3339(scene.created_at, store.options.utc_offset).into(),
            "updated_at" => scene.updated_at.as_str().into(),
            "files" => {
                return Out::Many(
                    scene
                        .files
                        .iter()
                        .map(|file| Node::Json(self.file(scene, file)))
                        .collect(),
                );
            }
            "paths" => return Out::One(Some(Node::Json(self.paths(scene)))),
            "studio" => {
                let studio = scene
                    .studio
                    .and_then(|id| store.entity(EntityKind::Studio, id));
                return Out::One(studio.map(|studio| Node::Entity(EntityKind::Studio, studio)));
            }
            "performers" => return entities(EntityKind::Performer, &scene.performers),
            "tags" => return entities(EntityKind::Tag, &scene.tags),
            "groups" | "movies" => {
                let groups = scene.groups.iter().filter_map(|(id, index)| {
                    Some((store.entity(EntityKind::Group, *id)?, *index))
                });
                return Out::Many(
                    groups
                        .map(|(group, index)| Node::Json(self.group(group, index)))
                        .collect(),
                );
            }
            "stash_ids" => {
                let ids = scene.stash_ids.iter();
                return Out::Many(
                    ids.map(|(endpoint, id)| {
                        Node::Json(json!({"endpoint": endpoint, "stash_id": id}))
                    })
                    .collect(),
                );
            }
            "galleries" | "scene_markers" | "captions" | "sceneStreams" => {
                return Out::Many(Vec::new());
            }
            "play_history" | "o_history" => json!([]),
            "resume_time" | "play_duration" => 0.into(),
            "interactive" => false.into(),
            _ => Value::Null,
        })
    }

    fn entity(&self, kind: EntityKind, entity: &'a Entity, name: &str) -> Out<'a> {
        let store = self.store;
        let studio = |studio: &'a Entity| Node::Entity(EntityKind::Studio, studio);
        let default = if entity.has_image {
            ""
        } else {
            "&default=true"
        };
        let image = |name: &str| {
            format!(
                "{}/{}/{}/{name}?t={}{default}",
                self.base,
                kind.path(),
                entity.id,
                entity.updated
            )
        };
        Out::Leaf(match name {
            "id" => entity.id.to_string().into(),
            "name" => entity.name.as_str().into(),
            "disambiguation" => entity.disambiguation.as_str().into(),
            "aliases" if kind == EntityKind::Group => entity.aliases.join(", ").into(),
            "aliases" | "alias_list" => entity.aliases.clone().into(),
            "image_path" => image("image").into(),
            "front_image_path" => image("frontimage").into(),
            "scene_count" => store.scenes_with(kind, entity.id).len().into(),
            "scenes" => {
                let ids = store.scenes_with(kind, entity.id);
                let scenes = ids.iter().filter_map(|id| store.scenes.get(id));
                return Out::Many(scenes.map(Node::Scene).collect());
            }
            "parent_studio" => {
                let parent = entity
                    .parent
                    .and_then(|id| store.entity(EntityKind::Studio, id));
                return Out::One(parent.map(studio));
            }
            "child_studios" => {
                let children = store
                    .of_kind(EntityKind::Studio)
                    .filter(|child| child.parent == Some(entity.id));
                return Out::Many(children.map(studio).collect());
            }
            "tags" | "parents" | "children" | "stash_ids" => return Out::Many(Vec::new()),
            "urls" => json!([]),
            "favorite" | "ignore_auto_tag" => false.into(),
            "created_at" | "updated_at" => {
                clock::rfc3339(entity.updated, store.options.utc_offset).into()
            }
            _ => Value::Null,
        })
    }
}

fn one<'a>(value: Value) -> Out<'a> {
    Out::One(Some(Node::Json(value)))
}

fn from_json<'a>(value: Value, selected: bool) -> Out<'a> {
    match value {
        Value::Null => Out::Leaf(Value::Null),
        Value::Array(list) if selected => Out::Many(list.into_iter().map(Node::Json).collect()),
        value if selected => one(value),
        value => Out::Leaf(value),
    }
}
