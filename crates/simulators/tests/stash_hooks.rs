//! The documents for hooks and tasks against those a real Stash wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use simulators::{EntityKind, Scene, StashServer, Trigger};
use support::recording;

/// The names of all members, and of which kind each is: what a reader of the document depends on.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(list) => list
            .first()
            .map_or(json!([]), |first| json!([shape(first)])),
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
    }
}

fn sorted_fields(context: &Value) -> Vec<String> {
    let fields = context["inputFields"].as_array().into_iter().flatten();
    let mut fields: Vec<String> = fields
        .map(|field| field.as_str().unwrap().to_owned())
        .collect();
    fields.sort();
    fields
}

/// Compares shape, hook type and the set of `inputFields` with the recording.
fn assert_as_recorded(stash: &StashServer, trigger: &Trigger<'_>, name: &str) -> Value {
    let ours: Value = serde_json::from_str(&stash.hook_stdin(trigger)).unwrap();
    if let Some(text) = recording(&format!("stash/{name}.json")) {
        let recorded: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            shape(&ours["server_connection"]),
            shape(&recorded["server_connection"]),
            "{name}"
        );
        let (mut ours, mut recorded) = (
            ours["args"]["hookContext"].clone(),
            recorded["args"]["hookContext"].clone(),
        );
        assert_eq!(ours["type"], recorded["type"], "{name}");
        assert_eq!(sorted_fields(&ours), sorted_fields(&recorded), "{name}");
        assert_eq!(
            ours.get("inputFields").is_some(),
            recorded.get("inputFields").is_some(),
            "{name}"
        );
        for context in [&mut ours, &mut recorded] {
            context.as_object_mut().unwrap().remove("inputFields");
        }
        assert_eq!(shape(&ours), shape(&recorded), "{name}");
    }
    ours
}

fn stash() -> (StashServer, u64) {
    let stash = StashServer::start().unwrap();
    let id = stash.add_scene("/data/Test Scene 1.mp4");
    stash
        .edit(id)
        .title("First")
        .details("d")
        .date("2024-05-06")
        .rating(80)
        .organized(true);
    stash
        .edit(id)
        .with(|scene| scene.urls = vec!["https://example.com/a".into()]);
    stash
        .edit(id)
        .studio("S")
        .performers(&["P"])
        .tags(&["T1", "T2"]);
    (stash, id)
}

#[test]
fn updates_have_the_recorded_forms() {
    let (stash, id) = stash();
    let fields = ["details", "rating100", "date", "organized", "urls", "title"];
    let single = assert_as_recorded(
        &stash,
        &Trigger::SceneUpdate(id, &fields),
        "scene-update-single",
    );
    let context = &single["args"]["hookContext"];
    assert_eq!(
        (context["id"].clone(), context["input"]["id"].clone()),
        (id.into(), id.to_string().into())
    );
    assert_as_recorded(
        &stash,
        &Trigger::SceneUpdate(id, &["rating100"]),
        "scene-update-ui-real-rating",
    );
    assert_as_recorded(
        &stash,
        &Trigger::SceneUpdate(id, &["organized"]),
        "scene-update-ui-real-organized",
    );
    assert_as_recorded(
        &stash,
        &Trigger::SceneIdentify(id, &["organized"]),
        "scene-update-identify-1",
    );
    assert_as_recorded(
        &stash,
        &Trigger::SceneRescan(id),
        "scene-update-scan-file-changed",
    );
    let set = json!({
        "rating100": 60, "studio_id": "2", "performer_ids": {"ids": ["1"], "mode": "ADD"}, "tag_ids": {"ids": ["2"], "mode": "ADD"},
    });
    assert_as_recorded(
        &stash,
        &Trigger::SceneBulk {
            id,
            ids: &[1, 2, 3],
            set,
        },
        "scene-update-bulk-of-3-1",
    );
    let clear = json!({"studio_id": null, "rating100": null, "tag_ids": {"mode": "SET"}});
    let bulk = assert_as_recorded(
        &stash,
        &Trigger::SceneBulk {
            id,
            ids: &[1],
            set: clear,
        },
        "scene-update-bulk-clear",
    );
    assert!(
        bulk["args"]["hookContext"]["input"]
            .get("studio_id")
            .is_none(),
        "cleared: only inputFields tells"
    );
    let array = Trigger::ScenesUpdate {
        id,
        ids: &[1, 1],
        fields: &["title"],
    };
    let array = assert_as_recorded(&stash, &array, "scene-scenesUpdate-of-2-1");
    assert_eq!(
        array["args"]["hookContext"]["input"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn the_form_sends_all_its_fields() {
    let (stash, id) = stash();
    let ours: Value = serde_json::from_str(&stash.hook_stdin(&Trigger::SceneForm(id))).unwrap();
    if let Some(text) = recording("stash/scene-update-ui-real-edit.json") {
        let recorded: Value = serde_json::from_str(&text).unwrap();
        let (ours, recorded) = (
            &ours["args"]["hookContext"],
            &recorded["args"]["hookContext"],
        );
        assert_eq!(sorted_fields(ours), sorted_fields(recorded));
        let nulls = |context: &Value| {
            let input = context["input"].as_object().unwrap().iter();
            input
                .filter(|(_, value)| value.is_null())
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(nulls(ours), nulls(recorded));
    }
}

#[test]
fn creations_and_destructions_have_the_recorded_forms() {
    let (stash, id) = stash();
    assert_as_recorded(&stash, &Trigger::SceneCreate(id), "scene-create-scan-1");
    let gone: Scene = stash.destroy_scene(id).unwrap();
    assert_as_recorded(
        &stash,
        &Trigger::SceneDestroy(&gone),
        "scene-destroy-single",
    );
    assert_as_recorded(
        &stash,
        &Trigger::ScenesDestroy(&gone, &[5, 7]),
        "scene-destroy-multiple-1",
    );
    let clean = assert_as_recorded(&stash, &Trigger::SceneClean(&gone), "scene-destroy-clean");
    assert_eq!(clean["args"]["hookContext"]["input"]["id"], "");
    assert_eq!(
        clean["args"]["hookContext"]["input"]["path"],
        "/data/Test Scene 1.mp4"
    );
}

#[test]
fn other_things_have_the_recorded_forms() {
    let (stash, _) = stash();
    let update =
        |kind, name| assert_as_recorded(&stash, &Trigger::EntityUpdate(kind, 1, &["name"]), name);
    update(EntityKind::Performer, "performer-update");
    update(EntityKind::Studio, "studio-update");
    update(EntityKind::Tag, "tag-update");
    update(EntityKind::Group, "group-update");
    assert_as_recorded(
        &stash,
        &Trigger::EntityDestroy(EntityKind::Performer, 1),
        "performer-destroy",
    );
    let merge: Value =
        serde_json::from_str(&stash.hook_stdin(&Trigger::TagMerge(&[1], 2))).unwrap();
    assert_eq!(merge["args"]["hookContext"]["type"], "Tag.Merge.Post");
}

#[test]
fn the_connection_is_this_server_and_tasks_carry_their_arguments() {
    let (stash, _) = stash();
    stash.set(|options| {
        (options.host, options.config_dir) = ("127.0.0.1".into(), "/tmp/config".into())
    });
    let args = json!({"mode": "full", "limit": "5"});
    let text = stash.task_stdin(args.clone());
    assert!(!text.contains('\n'));
    let ours: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(ours["args"], args);
    let connection = &ours["server_connection"];
    assert_eq!(
        (connection["Port"].clone(), connection["Dir"].clone()),
        (stash.port().into(), "/tmp/config".into())
    );
    assert_eq!(connection["SessionCookie"]["Value"], stash.session());
    let mut client = support::Client::connect(stash.port())
        .unwrap()
        .header("Cookie", &format!("session={}", stash.session()));
    let answer = client.ask(
        "POST",
        "/graphql",
        br#"{"query":"{ version { version } }"}"#,
    );
    assert_eq!(answer.status, 200, "the session of the hook is good");
    if let Some(text) = recording("stash/plugin-task-default-args.json") {
        let recorded: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(shape(&ours), shape(&recorded));
    }
}
