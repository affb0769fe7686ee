//! `findScenes`: filters, order, pages.

use serde_json::{Map, Value};

use super::scene::{EntityKind, Scene};
use super::store::Store;

/// What a find returns: the ids of the page, and how many there are in all.
pub(super) struct Found {
    pub ids: Vec<u64>,
    pub count: usize,
}

impl Store {
    pub(super) fn find_scenes(&self, arguments: &Map<String, Value>) -> Result<Found, String> {
        for name in ["ids", "scene_ids"] {
            if let Some(ids) = arguments.get(name).and_then(Value::as_array) {
                return self.find_by_ids(ids);
            }
        }
        let filter = arguments.get("scene_filter").and_then(Value::as_object);
        let paging = arguments.get("filter").and_then(Value::as_object);
        let text = paging
            .and_then(|paging| paging.get("q")?.as_str())
            .unwrap_or_default()
            .to_lowercase();
        let mut scenes = Vec::new();
        for scene in self.scenes.values() {
            let named = text.is_empty()
                || scene.title.to_lowercase().contains(&text)
                || scene
                    .files
                    .iter()
                    .any(|file| file.path.to_lowercase().contains(&text));
            if named && filter.map_or(Ok(true), |filter| self.accepts(scene, filter))? {
                scenes.push(scene);
            }
        }
        sort(&mut scenes, paging);
        let ids: Vec<u64> = scenes.iter().map(|scene| scene.id).collect();
        Ok(page(&ids, paging))
    }

    /// One id that is gone fails the whole query.
    fn find_by_ids(&self, ids: &[Value]) -> Result<Found, String> {
        let ids = ids.iter().map(|id| {
            let id = id_of(id).ok_or_else(|| format!("converting id {id} to int"))?;
            if self.scenes.contains_key(&id) {
                Ok(id)
            } else {
                Err(format!("scene with id {id} not found"))
            }
        });
        let ids = ids.collect::<Result<Vec<_>, String>>()?;
        Ok(Found {
            count: ids.len(),
            ids,
        })
    }

    fn accepts(&self, scene: &Scene, filter: &Map<String, Value>) -> Result<bool, String> {
        for (name, criterion) in filter {
            let nested = || {
                criterion
                    .as_object()
                    .ok_or_else(|| format!("{name} must be an object"))
            };
            let holds = match name.as_str() {
                "AND" => self.accepts(scene, nested()?)?,
                "OR" => continue,
                "NOT" => !self.accepts(scene, nested()?)?,
                "performers" => of_ids(&scene.performers, criterion),
                "tags" => of_ids(&scene.tags, criterion),
                "studios" => of_ids(scene.studio.as_slice(), criterion),
                "groups" | "movies" => of_ids(
                    &scene
                        .groups
                        .iter()
                        .map(|(group, _)| *group)
                        .collect::<Vec<_>>(),
                    criterion,
                ),
                // Times are stored as text with the offset of their writing, and compared as text.
                "updated_at" => of_text(&scene.updated_at, criterion),
                "created_at" => of_text(
                    &crate::clock::rfc3339(scene.created_at, self.options.utc_offset),
                    criterion,
                ),
                "date" => of_text(&scene.date, criterion),
                "title" => of_text(&scene.title, criterion),
                "path" => scene
                    .files
                    .iter()
                    .any(|file| of_text(&file.path, criterion)),
                "organized" => criterion.as_bool() == Some(scene.organized),
                "id" => of_number(scene.id, criterion),
                other => {
                    return Err(format!(
                        "Field \"{other}\" is not defined by type \"SceneFilterType\"."
                    ));
                }
            };
            // `OR` stands beside the criteria it is the alternative to.
            let or = filter.get("OR").and_then(Value::as_object);
            if !holds {
                return or.map_or(Ok(false), |or| self.accepts(scene, or));
            }
        }
        Ok(true)
    }

    /// Performers, tags, studios or groups, by ids, by name or all.
    pub(super) fn find_entities(
        &self,
        kind: EntityKind,
        arguments: &Map<String, Value>,
    ) -> Result<Found, String> {
        let ids = ["ids", "performer_ids"]
            .into_iter()
            .find_map(|name| arguments.get(name)?.as_array());
        if let Some(ids) = ids {
            let ids = ids.iter().map(|id| {
                let known = id_of(id).filter(|id| self.entity(kind, *id).is_some());
                known.ok_or_else(|| format!("{} with id {id} not found", kind.path()))
            });
            let ids = ids.collect::<Result<Vec<_>, String>>()?;
            return Ok(Found {
                count: ids.len(),
                ids,
            });
        }
        let filter = format!("{}_filter", kind.path());
        let name = arguments.get(&filter).and_then(|filter| filter.get("name"));
        let entities = self
            .of_kind(kind)
            .filter(|entity| name.is_none_or(|name| of_text(&entity.name, name)));
        let ids: Vec<u64> = entities.map(|entity| entity.id).collect();
        Ok(page(
            &ids,
            arguments.get("filter").and_then(Value::as_object),
        ))
    }
}

/// Ids come as strings, and as numbers from clients that are not strict.
pub(super) fn id_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn page(ids: &[u64], paging: Option<&Map<String, Value>>) -> Found {
    let number = |name: &str| paging.and_then(|paging| paging.get(name)?.as_i64());
    let shown = match number("per_page").unwrap_or(25) {
        size if size < 0 => ids.to_vec(),
        size => {
            let page = number("page").unwrap_or(1).max(1) - 1;
            ids.iter()
                .skip((page * size) as usize)
                .take(size as usize)
                .copied()
                .collect()
        }
    };
    Found {
        ids: shown,
        count: ids.len(),
    }
}

fn sort(scenes: &mut [&Scene], paging: Option<&Map<String, Value>>) {
    let text = |name: &str| {
        paging
            .and_then(|paging| paging.get(name)?.as_str())
            .unwrap_or_default()
    };
    match text("sort") {
        "updated_at" => scenes.sort_by_key(|scene| &scene.updated_at),
        "created_at" => scenes.sort_by_key(|scene| scene.created_at),
        "date" => scenes.sort_by_key(|scene| &scene.date),
        "title" => scenes.sort_by_key(|scene| &scene.title),
        "path" => scenes.sort_by_key(|scene| scene.files.first().map(|file| &file.path)),
        _ => {}
    }
    if text("direction") == "DESC" {
        scenes.reverse();
    }
}

fn modifier(criterion: &Value) -> &str {
    criterion
        .get("modifier")
        .and_then(Value::as_str)
        .unwrap_or("EQUALS")
}

fn of_ids(have: &[u64], criterion: &Value) -> bool {
    let value = criterion.get("value").and_then(Value::as_array);
    let wanted: Vec<u64> = value.into_iter().flatten().filter_map(id_of).collect();
    let has = |id: &u64| have.contains(id);
    match modifier(criterion) {
        "INCLUDES_ALL" => wanted.iter().all(has),
        "EXCLUDES" => !wanted.iter().any(has),
        "IS_NULL" => have.is_empty(),
        "NOT_NULL" => !have.is_empty(),
        _ => wanted.iter().any(has),
    }
}

fn of_text(have: &str, criterion: &Value) -> bool {
    let text = |name: &str| {
        criterion
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let value = text("value");
    match modifier(criterion) {
        "NOT_EQUALS" => have != value,
        "INCLUDES" => have.to_lowercase().contains(&value.to_lowercase()),
        "EXCLUDES" => !have.to_lowercase().contains(&value.to_lowercase()),
        "GREATER_THAN" => have > value,
        "LESS_THAN" => have < value,
        "BETWEEN" => have >= value && have <= text("value2"),
        "NOT_BETWEEN" => have < value || have > text("value2"),
        "IS_NULL" => have.is_empty(),
        "NOT_NULL" => !have.is_empty(),
        _ => have == value,
    }
}

fn of_number(have: u64, criterion: &Value) -> bool {
    let number = |name: &str| criterion.get(name).and_then(Value::as_u64).unwrap_or(0);
    let value = number("value");
    match modifier(criterion) {
        "NOT_EQUALS" => have != value,
        "GREATER_THAN" => have > value,
        "LESS_THAN" => have < value,
        "BETWEEN" => (value..=number("value2")).contains(&have),
        _ => have == value,
    }
}
