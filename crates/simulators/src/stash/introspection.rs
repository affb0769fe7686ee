//! What a Stash says of its own schema.

use serde_json::{Value, json};

use super::schema::{FieldType, TYPES, field, fields};

/// Queries that a v0.30.1 lists and that are not simulated.
const OTHER_QUERIES: &str = "findSavedFilter(id) findSavedFilters(mode) findFile(id,path) \
    findFiles(file_filter,filter,ids) findFolder(id,path) \
    findFolders(folder_filter,filter,ids) findSceneByHash(input) findScenesByPathRegex(filter) \
    findDuplicateScenes(distance,duration_diff) sceneStreams(id) \
    parseSceneFilenames(filter,config) findSceneMarkers(scene_marker_filter,filter,ids) \
    findImage(id,checksum) findImages(image_filter,image_ids,ids,filter) findGallery(id) \
    findGalleries(gallery_filter,filter,ids) markerWall(q) sceneWall(q) markerStrings(q,sort) \
    stats sceneMarkerTags(scene_id) logs listScrapers(types) scrapeSingleScene(source,input) \
    scrapeMultiScenes(source,input) scrapeSingleStudio(source,input) \
    scrapeSingleTag(source,input) scrapeSinglePerformer(source,input) \
    scrapeMultiPerformers(source,input) scrapeSingleGallery(source,input) \
    scrapeSingleGroup(source,input) scrapeSingleImage(source,input) scrapeURL(url,ty) \
    scrapePerformerURL(url) scrapeSceneURL(url) scrapeGalleryURL(url) scrapeImageURL(url) \
    scrapeGroupURL(url) pluginTasks installedPackages(type) availablePackages(type,source) \
    directory(path,locale) validateStashBoxCredentials(input) dlnaStatus allPerformers \
    latestversion";

/// Criteria of scenes, simulated or not.
const SCENE_FILTER: &str = "AND OR NOT id title code details director oshash checksum phash phash_distance path \
    file_count rating100 organized o_counter duplicated resolution orientation framerate \
    bitrate video_codec audio_codec duration has_markers is_missing studios movies groups \
    galleries tags tag_count performer_tags performer_favorite performer_age performers \
    performer_count stash_id_endpoint url interactive interactive_speed captions resume_time \
    play_count play_duration last_played_at date created_at updated_at galleries_filter \
    performers_filter studios_filter tags_filter movies_filter groups_filter markers_filter \
    files_filter";

/// What `__type(name:)` answers.
pub(super) fn of_type(type_name: &str, missing: &[String]) -> Value {
    if type_name == "SceneFilterType" {
        let lacking = |name: &str| missing.contains(&format!("{type_name}.{name}"));
        let names = SCENE_FILTER.split(' ').filter(|name| !lacking(name));
        let inputs: Vec<Value> = names.map(argument).collect();
        return json!({"name": type_name, "kind": "INPUT_OBJECT", "description": null, "fields": null, "inputFields": inputs});
    }
    let Some(fields) = fields(type_name) else {
        return Value::Null;
    };
    // Introspection leaves out what is deprecated; it is not where its successor is missing.
    let is_there = |name: &str| field(type_name, name, missing).is_some();
    let listed = fields
        .filter(|field| is_there(field.name) && !field.name.starts_with("__"))
        .filter(|field| !field.replaced_by.is_some_and(is_there))
        .map(|field| entry(&field));
    let others = OTHER_QUERIES.split(' ').filter(|_| type_name == "Query");
    let others = others.map(|text| {
        let (name, arguments) = text.split_once('(').unwrap_or((text, ")"));
        let arguments = arguments.trim_end_matches(')').split(',');
        let arguments = arguments.filter(|name| !name.is_empty());
        described(name, "OBJECT", "Object", arguments)
    });
    json!({
        "name": type_name, "kind": "OBJECT", "description": null, "inputFields": null,
        "fields": listed.chain(others).collect::<Vec<_>>(),
    })
}

fn entry(field: &FieldType) -> Value {
    let (kind, name) = field
        .object
        .map_or(("SCALAR", "String"), |object| ("OBJECT", object));
    described(field.name, kind, name, field.arguments())
}

fn described<'a>(
    name: &str,
    kind: &str,
    type_name: &str,
    arguments: impl Iterator<Item = &'a str>,
) -> Value {
    json!({
        "name": name, "description": null, "type": {"name": type_name, "kind": kind},
        "args": arguments.map(argument).collect::<Vec<_>>(),
    })
}

fn argument(name: &str) -> Value {
    json!({"name": name, "description": null, "type": {"name": "String", "kind": "SCALAR"}})
}

/// What `__schema` answers, as far as it is simulated.
pub(super) fn schema() -> Value {
    let types = TYPES
        .iter()
        .map(|(name, _)| json!({"name": name, "kind": "OBJECT"}));
    json!({"queryType": {"name": "Query", "kind": "OBJECT"}, "types": types.collect::<Vec<_>>()})
}
