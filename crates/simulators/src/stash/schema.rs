//! The part of Stash's GraphQL schema that is simulated (v0.30), and the validation of queries
//! against it.

use super::query::{Field, Operation};
use super::refusal::Refusal;

/// `field`, `field>Type` for objects, arguments in parentheses, `old~new` for a deprecated field
/// with what took its place.
pub(super) const TYPES: [(&str, &str); 29] = [
    (
        "Query",
        "findScene>Scene(id,checksum) findScenes>FindScenesResultType(scene_filter,scene_ids,ids,filter) \
         findPerformer>Performer(id) findPerformers>FindPerformersResultType(performer_filter,filter,performer_ids,ids) \
         findTag>Tag(id) findTags>FindTagsResultType(tag_filter,filter,ids) \
         findStudio>Studio(id) findStudios>FindStudiosResultType(studio_filter,filter,ids) \
         findGroup>Group(id) findGroups>FindGroupsResultType(group_filter,filter,ids) \
         configuration>ConfigResult version>Version systemStatus>SystemStatus \
         findJob>Job(input) jobQueue>Job plugins>Plugin __type>__Type(name) __schema>__Schema",
    ),
    (
        "Mutation",
        "runPluginTask(plugin_id,task_name,description,args_map) runPluginOperation(plugin_id,args) \
         configurePlugin(plugin_id,input)",
    ),
    (
        "Scene",
        "id title code details director url~urls urls date rating100 organized o_counter interactive \
         interactive_speed captions>VideoCaption created_at updated_at last_played_at resume_time play_duration play_count play_history o_history \
         files>VideoFile paths>ScenePathsType scene_markers>SceneMarker galleries>Gallery studio>Studio groups>SceneGroup \
         movies~groups>SceneMovie tags>Tag performers>Performer stash_ids>StashID sceneStreams>SceneStreamEndpoint",
    ),
    (
        "VideoFile",
        "id path basename parent_folder_id zip_file_id mod_time size fingerprint(type) fingerprints>Fingerprint format width height \
         duration video_codec audio_codec frame_rate bit_rate created_at updated_at",
    ),
    ("Fingerprint", "type value"),
    (
        "ScenePathsType",
        "screenshot preview stream webp vtt sprite funscript interactive_heatmap caption",
    ),
    ("SceneGroup", "group>Group scene_index"),
    ("SceneMovie", "movie>Group scene_index"),
    ("StashID", "endpoint stash_id updated_at"),
    ("SceneMarker", "id title seconds primary_tag>Tag tags>Tag"),
    ("Gallery", "id title"),
    ("VideoCaption", "language_code caption_type"),
    ("SceneStreamEndpoint", "url mime_type label"),
    (
        "Performer",
        "id name disambiguation urls gender birthdate ethnicity country alias_list favorite tags>Tag image_path \
         scene_count scenes>Scene details death_date rating100 stash_ids>StashID created_at updated_at",
    ),
    (
        "Tag",
        "id name sort_name description aliases ignore_auto_tag favorite image_path scene_count(depth) parents>Tag children>Tag \
         stash_ids>StashID created_at updated_at",
    ),
    (
        "Studio",
        "id name url urls parent_studio>Studio child_studios>Studio aliases tags>Tag image_path scene_count(depth) details \
         rating100 favorite stash_ids>StashID created_at updated_at",
    ),
    (
        "Group",
        "id name aliases duration date rating100 studio>Studio director synopsis urls front_image_path back_image_path \
         scene_count(depth) scenes>Scene created_at updated_at",
    ),
    (
        "FindScenesResultType",
        "count duration filesize scenes>Scene",
    ),
    ("FindPerformersResultType", "count performers>Performer"),
    ("FindTagsResultType", "count tags>Tag"),
    ("FindStudiosResultType", "count studios>Studio"),
    ("FindGroupsResultType", "count groups>Group"),
    (
        "ConfigResult",
        "general>ConfigGeneralResult plugins(include)",
    ),
    (
        "ConfigGeneralResult",
        "apiKey username configFilePath databasePath generatedPath maxSessionAge host port externalHost",
    ),
    ("Version", "version hash build_time"),
    (
        "SystemStatus",
        "databaseSchema databasePath configPath appSchema status os workingDir homeDir ffmpegPath ffprobePath",
    ),
    (
        "Job",
        "id status subTasks description progress startTime endTime addTime error",
    ),
    ("Plugin", "id name description url version enabled"),
    (
        "__Type",
        "name kind fields>__Field(includeDeprecated) inputFields>__Field description",
    ),
];

/// Introspection's own types, which are not listed by introspection.
const META: [(&str, &str); 2] = [
    (
        "__Field",
        "name description type>__Type ofType>__Type args>__Field",
    ),
    ("__Schema", "queryType>__Type types>__Type"),
];

/// A field of a type.
pub(super) struct FieldType {
    pub name: &'static str,
    /// The object type it leads to; `None` for a leaf.
    pub object: Option<&'static str>,
    /// The field that took its place, if it is deprecated.
    pub replaced_by: Option<&'static str>,
    arguments: &'static str,
}

impl FieldType {
    pub fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.arguments.split(',').filter(|name| !name.is_empty())
    }
}

pub(super) fn fields(type_name: &str) -> Option<impl Iterator<Item = FieldType>> {
    let (_, text) = TYPES
        .iter()
        .chain(&META)
        .find(|(name, _)| *name == type_name)?;
    Some(text.split_whitespace().map(|field| {
        let (field, arguments) = field.split_once('(').unwrap_or((field, ""));
        let (name, object) = field
            .split_once('>')
            .map_or((field, None), |(name, object)| (name, Some(object)));
        let (name, replaced_by) = name
            .split_once('~')
            .map_or((name, None), |(name, new)| (name, Some(new)));
        FieldType {
            name,
            object,
            replaced_by,
            arguments: arguments.trim_end_matches(')'),
        }
    }))
}

pub(super) fn field(type_name: &str, name: &str, missing: &[String]) -> Option<FieldType> {
    let absent = missing
        .iter()
        .any(|entry| entry.split_once('.') == Some((type_name, name)));
    if absent {
        None
    } else {
        fields(type_name)?.find(|field| field.name == name)
    }
}

/// The object type of a field, already validated.
pub(super) fn object_of(type_name: &str, name: &str) -> Option<&'static str> {
    field(type_name, name, &[])?.object
}

/// One message for each thing that is wrong; a query with any is refused as a whole.
pub(super) fn validate(operation: &Operation, missing: &[String]) -> Vec<Refusal> {
    let mut errors = Vec::new();
    let root = if operation.mutation {
        "Mutation"
    } else {
        "Query"
    };
    check(root, &operation.selection, missing, &mut errors);
    errors
}

fn check(type_name: &str, selection: &[Field], missing: &[String], errors: &mut Vec<Refusal>) {
    for selected in selection
        .iter()
        .filter(|selected| selected.name != "__typename")
    {
        let mut refuse =
            |message: String| errors.push(Refusal::invalid(message, Some(selected.place), None));
        let name = &selected.name;
        let Some(known) = field(type_name, name, missing) else {
            refuse(format!(
                "Cannot query field \"{name}\" on type \"{type_name}\"."
            ));
            continue;
        };
        for argument in selected.arguments.keys() {
            if !known.arguments().any(|known| known == argument) {
                refuse(format!(
                    "Unknown argument \"{argument}\" on field \"{type_name}.{name}\"."
                ));
            }
        }
        match known.object {
            Some(object) if selected.selection.is_empty() => refuse(format!(
                "Field \"{name}\" of type \"{object}\" must have a selection of subfields."
            )),
            Some(object) => check(object, &selected.selection, missing, errors),
            None if !selected.selection.is_empty() => refuse(format!(
                "Field \"{name}\" must not have a selection since it has no subfields."
            )),
            None => {}
        }
    }
}
