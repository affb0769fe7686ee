//! Every input recorded from a real Stash parses, and says what was done.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;

use stash::protocol::{Entity, Operation, PluginInput, Trigger};

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/recordings/stash"
);

fn recordings() -> Option<BTreeMap<String, PluginInput>> {
    let Ok(folder) = fs::read_dir(FOLDER) else {
        println!("skipped: no recordings at {FOLDER}");
        return None;
    };
    let files = folder.map(|entry| entry.unwrap().path());
    let inputs: BTreeMap<_, _> = files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let input = PluginInput::read(fs::File::open(&path).unwrap());
            (
                name.clone(),
                input.map_err(|error| format!("{name}: {error}")).unwrap(),
            )
        })
        .collect();
    assert!(inputs.len() >= 35, "only {} recordings", inputs.len());
    Some(inputs)
}

#[test]
fn every_recording_parses() {
    for (name, input) in recordings().unwrap_or_default() {
        let connection = &input.server_connection;
        assert!(
            connection.url().starts_with("http://127.0.0.1:199"),
            "{name}"
        );
        assert_eq!(connection.dir.to_str(), Some("/root/.stash"), "{name}");
        assert!(
            connection.plugin_dir.is_absolute() || cfg!(windows),
            "{name}"
        );
        let cookie = connection.session_cookie.as_ref().unwrap();
        assert_eq!(
            (cookie.name.as_str(), cookie.value.expose()),
            ("session", "SESSION-COOKIE-VALUE")
        );
        assert!(!format!("{input:?}").contains("SESSION-COOKIE"), "{name}");

        let hook = input.args.hook;
        assert_eq!(hook.is_none(), name.starts_with("plugin-"), "{name}");
        let Some(hook) = hook else { continue };
        let entity = match name.split('-').next().unwrap() {
            "scene" => Entity::Scene,
            "performer" => Entity::Performer,
            "studio" => Entity::Studio,
            "tag" => Entity::Tag,
            "group" => Entity::Group,
            "marker" => Entity::SceneMarker,
            other => unreachable!("{other}"),
        };
        let operation = match &name {
            name if name.contains("-create") => Operation::Create,
            name if name.contains("-destroy") => Operation::Destroy,
            _ => Operation::Update,
        };
        assert_eq!(hook.trigger, Trigger::Known(entity, operation), "{name}");
        assert!(hook.id.is_some(), "{name}");
    }
}

#[test]
fn a_hook_says_what_was_sent() {
    let Some(inputs) = recordings() else { return };
    let hook = |name: &str| inputs[name].args.hook.clone().unwrap();
    let mut fields = hook("scene-update-ui-real-rating").input_fields;
    fields.sort();
    assert_eq!(fields, ["id", "rating100"]);
    assert!(hook("scene-create-scan-1").raw_input().is_none());
    assert!(hook("scene-create-scan-1").input_fields.is_empty());
    assert_eq!(hook("scene-update-identify-1").input_fields, ["organized"]);

    #[derive(serde::Deserialize)]
    struct Destroyed {
        path: String,
    }
    let gone: Destroyed = hook("scene-destroy-clean").input().unwrap().unwrap();
    assert_eq!(gone.path, "/data/Renamed 1.mp4");
    // An array instead of an object: the filename parser.
    let both: Vec<serde_json::Value> = hook("scene-scenesUpdate-of-2-1").input().unwrap().unwrap();
    assert_eq!(both.len(), 2);
    assert!(
        hook("scene-scenesUpdate-of-2-1")
            .input::<Destroyed>()
            .is_err()
    );
}

#[test]
fn arguments_keep_their_types() {
    let Some(inputs) = recordings() else { return };
    let args = |name: &str| inputs[name].args.clone();
    assert_eq!(args("plugin-task-default-args").text("mode"), Some("full"));
    assert_eq!(args("plugin-task-args-map").values["n"], 7);
    assert_eq!(args("plugin-task-args-map").text("n"), None);
    assert!(args("plugin-operation-no-args").values.is_empty());
}
