//! What Stash does to scenes, and which hooks tell of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use simulators::{EntityKind, StashOptions, StashServer, Trigger, run_hooks};

/// A Stash whose clock a test moves.
fn stash() -> StashServer {
    let options = StashOptions {
        now: Some(1_000),
        ..StashOptions::default()
    };
    StashServer::start_with(options).unwrap()
}

/// Does something a minute later; returns whether the scene's `updated_at` moved.
fn moves(stash: &StashServer, id: u64, act: impl FnOnce()) -> bool {
    let before = stash.scene(id).unwrap().updated;
    stash.set(|options| options.now = options.now.map(|now| now + 60));
    act();
    stash.scene(id).unwrap().updated != before
}

fn context(hook: &str) -> Value {
    let document: Value = serde_json::from_str(hook).unwrap();
    document["args"]["hookContext"].clone()
}

fn paths(stash: &StashServer, id: u64) -> Vec<String> {
    let files = stash.scene(id).unwrap().files;
    files.into_iter().map(|file| file.path).collect()
}

#[test]
fn a_scan_tells_of_files_without_an_input() {
    let stash = stash();
    let (id, created) = stash.scan_new("/data/a.mp4");
    let wanted = json!({"id": id, "type": "Scene.Create.Post", "input": null});
    assert_eq!(context(&created), wanted);
    let updated = json!({"id": id, "type": "Scene.Update.Post", "input": null});
    let mut hook = String::new();
    assert!(!moves(&stash, id, || hook = stash.scan_copy(id, "/data/copy.mp4")));
    assert_eq!(context(&hook), updated);
    assert!(!moves(&stash, id, || {
        hook = stash
            .scan_moved("/data/a.mp4", "/data/b/renamed.mp4")
            .unwrap();
    }));
    assert_eq!(context(&hook), updated);
    assert_eq!(paths(&stash, id), ["/data/b/renamed.mp4", "/data/copy.mp4"]);
    assert_eq!(stash.scan_moved("/data/a.mp4", "/x.mp4"), None);
}

#[test]
fn a_cover_comes_after_the_scan_and_nobody_is_told() {
    let stash = stash();
    let (id, _) = stash.scan_new("/data/a.mp4");
    assert_eq!(stash.scene(id).unwrap().cover, None);
    assert!(moves(&stash, id, || stash.generate_cover(id)));
    let first = stash.scene(id).unwrap().cover.unwrap();
    assert!(moves(&stash, id, || stash.generate_cover(id)));
    assert_ne!(stash.scene(id).unwrap().cover.unwrap(), first);
}

#[test]
fn a_scene_deleted_and_scanned_again_is_another() {
    let stash = stash();
    let old = stash.add_scene("/data/a.mp4");
    stash.scan_copy(old, "/data/b.mp4");
    let (new, hooks) = stash.scan_again(old).unwrap();
    assert!(stash.scene(old).is_none());
    assert_eq!(paths(&stash, new), ["/data/a.mp4", "/data/b.mp4"]);
    let [destroyed, created] = hooks.map(|hook| context(&hook));
    assert_eq!(
        (&destroyed["id"], &destroyed["type"]),
        (&old.into(), &"Scene.Destroy.Post".into())
    );
    assert_eq!(destroyed["input"]["path"], "/data/a.mp4");
    assert_eq!(
        created,
        json!({"id": new, "type": "Scene.Create.Post", "input": null})
    );
    assert_eq!(stash.scan_again(old), None);
}

#[test]
fn merged_and_assigned_files_go_over_without_a_hook() {
    let stash = stash();
    let ids = ["a", "b", "c"].map(|name| stash.add_scene(&format!("/data/{name}.mp4")));
    assert!(moves(&stash, ids[0], || stash.merge_scenes(ids[0], &[ids[1]])));
    assert!(stash.scene(ids[1]).is_none());
    assert_eq!(paths(&stash, ids[0]), ["/data/a.mp4", "/data/b.mp4"]);
    assert!(!moves(&stash, ids[2], || stash.assign_file("/data/b.mp4", ids[2])));
    assert_eq!(paths(&stash, ids[0]), ["/data/a.mp4"]);
    assert_eq!(paths(&stash, ids[2]), ["/data/c.mp4", "/data/b.mp4"]);
    stash.assign_file("/data/b.mp4", 99);
    assert_eq!(paths(&stash, ids[2]).len(), 2, "there is no such scene");
}

#[test]
fn auto_tags_move_updated_at() {
    let stash = stash();
    let id = stash.add_scene("/data/Ada outdoor.mp4");
    assert!(moves(&stash, id, || {
        stash.auto_tag(id, EntityKind::Performer, "Ada");
        stash.auto_tag(id, EntityKind::Tag, "Outdoor");
        stash.auto_tag(id, EntityKind::Studio, "S");
    }));
    let scene = stash.scene(id).unwrap();
    assert_eq!(
        (scene.performers.len(), scene.tags.len(), scene.studio),
        (1, 1, Some(1))
    );
}

#[test]
fn a_performers_hook_has_only_what_was_sent() {
    let stash = stash();
    let id = stash.named(EntityKind::Performer, "Ada");
    stash.change_entity(EntityKind::Performer, id, |ada| {
        ada.disambiguation = "the first".into()
    });
    let trigger = Trigger::EntityUpdate(EntityKind::Performer, id, &["disambiguation"]);
    let context = context(&stash.hook_stdin(&trigger));
    assert_eq!(context["inputFields"], json!(["id", "disambiguation"]));
    let sent: Vec<_> = context["input"].as_object().unwrap().iter().collect();
    let sent = sent
        .into_iter()
        .filter(|(name, value)| !value.is_null() && *name != "custom_fields");
    let sent: Vec<_> = sent
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    assert_eq!(sent, [("disambiguation", "the first"), ("id", "1")]);
}

#[test]
fn a_bulk_edit_is_saved_whole_before_its_first_hook() {
    let stash = stash();
    let ids = ["a", "b", "c"].map(|name| stash.add_scene(&format!("/data/{name}.mp4")));
    stash.edit(ids[1]).tags(&["Old"]);
    let new = stash.named(EntityKind::Tag, "New");
    let old = stash.named(EntityKind::Tag, "Old");
    stash.edit(ids[0]).rating(20);
    let tags = json!({"ids": [new.to_string()], "mode": "ADD"});
    let hooks = stash.bulk_edit(
        &ids,
        json!({"tag_ids": tags, "rating100": null, "title": "T"}),
    );
    let state = |id: u64| {
        let scene = stash.scene(id).unwrap();
        (scene.tags, scene.rating100, scene.title)
    };
    assert_eq!(state(ids[0]), (vec![new], None, "T".into()));
    assert_eq!(state(ids[1]), (vec![old, new], None, "T".into()));
    let contexts: Vec<Value> = hooks.iter().map(|hook| context(hook)).collect();
    let told: Vec<_> = contexts
        .iter()
        .map(|context| context["id"].as_u64().unwrap())
        .collect();
    assert_eq!(told, ids);
    for context in &contexts {
        let input = json!({"ids": ["1", "2", "3"], "tag_ids": tags, "title": "T"});
        assert_eq!(context["input"], input, "null is told by inputFields alone");
        assert!(
            context["inputFields"]
                .as_array()
                .unwrap()
                .contains(&"rating100".into())
        );
    }
    stash.bulk_edit(
        &ids,
        json!({"tag_ids": {"ids": ["1", "2"], "mode": "REMOVE"}}),
    );
    assert_eq!(state(ids[1]).0, [0; 0]);
}

#[test]
fn the_filename_parsers_hooks_have_all_inputs_and_their_own_fields() {
    let stash = stash();
    let ids = ["a", "b"].map(|name| stash.add_scene(&format!("/data/{name}.mp4")));
    let edits = [
        (ids[0], json!({"title": "A"})),
        (ids[1], json!({"date": "2024-05-06"})),
    ];
    let hooks = stash.update_scenes(&edits);
    assert_eq!(stash.scene(ids[1]).unwrap().date, "2024-05-06");
    let contexts: Vec<Value> = hooks.iter().map(|hook| context(hook)).collect();
    for (context, field) in contexts.iter().zip(["title", "date"]) {
        let inputs = context["input"].as_array().unwrap();
        let told = |at: usize, name: &str| inputs[at][name].clone();
        assert_eq!((told(0, "id"), told(0, "title")), ("1".into(), "A".into()));
        assert_eq!(
            (told(1, "date"), told(1, "title")),
            ("2024-05-06".into(), Value::Null)
        );
        assert_eq!(context["inputFields"], json!(["id", field]));
    }
}

/// A shell in the plugin's place: reads its input, adds a line to a file, answers.
#[cfg(unix)]
#[test]
fn a_client_that_goes_away_kills_the_running_hook_and_stops_the_rest() {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    let stash = stash();
    let ids = [(); 5].map(|()| stash.add_scene("/data/a.mp4"));
    let hooks = stash.bulk_edit(&ids, json!({"organized": true}));
    let shell = || {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "cat >/dev/null; sleep 0.05; echo '{\"output\": \"ok\"}'",
        ]);
        shell
    };
    let signals = |gone_after| {
        let runs = run_hooks(shell, &hooks, gone_after).unwrap();
        let how = runs
            .iter()
            .map(|run| (run.status.signal(), run.output() == Some(&"ok".into())));
        how.collect::<Vec<_>>()
    };
    let done = (None, true);
    assert_eq!(signals(Some(2)), [done, done, (Some(9), false)]);
    assert_eq!(signals(None), [done; 5]);
    assert_eq!(signals(Some(9)), [done; 5]);
    assert!(
        ids.iter().all(|id| stash.scene(*id).unwrap().organized),
        "saved all the same"
    );
}
