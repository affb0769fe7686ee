//! What changes in Stash beside its scenes' forms: names, merges, files, and what Stash tells no
//! plugin of.

use std::fs;

use serde_json::json;
use simulators::{Fault, TagKind};

use super::server::Real;

/// What Stash's `updated_at` does not show comes with the daily reconciliation, or when a person
/// asks for one.
fn look_for_changes(real: &Real) {
    let log = real.task("Reconcile All Scenes");
    assert!(log.contains("differ"), "{log}");
}

pub fn names(real: &mut Real) {
    let (scene, film) = (real.scene(6), real.film(6));
    let performer = real.make("Performer", "Before");
    let studio = real.make("Studio", "Studio before");
    let [tag, merged] = ["Tag before", "Tag to merge"].map(|name| real.make("Tag", name));
    real.save(
        &scene,
        json!({"performer_ids": [performer], "studio_id": studio, "tag_ids": [tag, merged]}),
    );
    let actors = || real.item(&film).tag_names(TagKind::Actor).join(", ");
    let genres = || real.item(&film).tag_names(TagKind::Genre).join(", ");
    let is_studio = |name: &str| {
        let item = real.item(&film);
        item.field("studio") == name && item.tag_names(TagKind::Collection) == [name]
    };
    real.until("shown first", || {
        actors() == "Before" && is_studio("Studio before")
    });
    for (kind, id, name) in [
        ("Performer", &performer, "After"),
        ("Studio", &studio, "Studio after"),
        ("Tag", &tag, "Tag after"),
    ] {
        let query = format!(
            "mutation ($input: {kind}UpdateInput!) {{ {}Update(input: $input) {{ id }} }}",
            kind.to_lowercase()
        );
        real.ask(&query, json!({"input": {"id": id, "name": name}}));
    }
    real.until("the new names", || {
        actors() == "After"
            && is_studio("Studio after")
            && genres().contains("Tag after")
            && !genres().contains("before")
    });
    // Older releases log an Error when a scene is read while its tags are merged.
    real.until_worked_off();
    real.ask(
        "mutation ($input: TagsMergeInput!) { tagsMerge(input: $input) { id } }",
        json!({"input": {"source": [merged], "destination": tag}}),
    );
    real.until("one tag of two", || genres() == "Tag after");
    real.until_worked_off();
    real.ask(
        "mutation ($input: PerformerDestroyInput!) { performerDestroy(input: $input) }",
        json!({"input": {"id": performer}}),
    );
    real.until("no performer", || actors().is_empty());
    real.until_worked_off();
}

pub fn merge(real: &mut Real) {
    let [losing, kept] = [7, 8].map(|n| real.scene(n));
    real.save(
        &losing,
        json!({"title": "Losing", "details": "Of the losing one"}),
    );
    real.save(&kept, json!({"title": "Kept"}));
    let shows = |n: usize, title: &str| real.item(&real.film(n)).title() == title;
    real.until("both shown", || shows(7, "Losing") && shows(8, "Kept"));
    real.until_worked_off();
    real.ask(
        "mutation ($input: SceneMergeInput!) { sceneMerge(input: $input) { id } }",
        json!({"input": {"source": [losing], "destination": kept, "values": {"id": kept, "details": "Of both"}}}),
    );
    // Stash tells no plugin of it; a new worker looks as it starts.
    real.kill_workers();
    real.save(&real.scene(10), json!({"details": "Starts a worker"}));
    real.until("both items are of the kept scene", || {
        [7, 8]
            .iter()
            .all(|n| shows(*n, "Kept") && real.item(&real.film(*n)).field("summary") == "Of both")
    });
    real.until_worked_off();
}

pub fn silent(real: &mut Real) {
    // Auto tag goes by the file's name.
    let tag = real.make("Tag", "film 010");
    real.job(
        "mutation ($input: AutoTagMetadataInput!) { metadataAutoTag(input: $input) }",
        json!({"input": {"tags": [tag]}}),
    );
    let covered = real.scene(1);
    let before = real
        .item(&real.film(1))
        .posters
        .selected_sha1()
        .map(str::to_owned);
    let generated = real.ask(
        "mutation ($id: ID!) { sceneGenerateScreenshot(id: $id, at: 1.0) }",
        json!({"id": covered}),
    );
    assert!(generated["sceneGenerateScreenshot"].is_string());
    // The second file of the scene that was merged.
    let [from, to] = [8, 12].map(|n| real.scene(n));
    real.save(&to, json!({"title": "Has two files"}));
    real.until_worked_off();
    let query = "query ($id: ID!) { findScene(id: $id) { files { id } } }";
    let found = real.ask(query, json!({"id": from}));
    let file = &found["findScene"]["files"][1]["id"];
    real.ask(
        "mutation ($input: AssignSceneFileInput!) { sceneAssignFile(input: $input) }",
        json!({"input": {"scene_id": to, "file_id": file}}),
    );
    // A new worker looks as it starts. Stash makes the cover in the background.
    let has_cover = || real.item(&real.film(1)).posters.selected_sha1() != before.as_deref();
    let has_tag = || real.item(&real.film(10)).tag_names(TagKind::Genre) == ["film 010"];
    for _ in 0..20 {
        real.kill_workers();
        real.save(&to, json!({"details": "Starts a worker"}));
        real.until_worked_off();
        if has_cover() && has_tag() {
            break;
        }
    }
    assert!(has_cover() && has_tag(), "{}", real.worker_log());
    look_for_changes(real);
    real.until("the file", || {
        real.item(&real.film(7)).title() == "Has two files"
    });
    real.until_worked_off();
}

pub fn moved(real: &mut Real) {
    let (scene, old) = (real.scene(13), real.film(13));
    real.save(&scene, json!({"title": "Moves"}));
    real.until("shown", || real.item(&old).title() == "Moves");
    let new = old.with_file_name("elsewhere").join("another name.mp4");
    fs::create_dir(new.parent().unwrap()).unwrap();
    fs::rename(&old, &new).unwrap();
    real.plex
        .move_file(old.to_str().unwrap(), new.to_str().unwrap());
    real.plex.scan(real.section);
    assert_ne!(real.item(&new).title(), "Moves", "a new item");
    real.scan();
    real.until("shown by the new item", || {
        real.item(&new).title() == "Moves"
    });
    real.until_worked_off();
}

pub fn new_file(real: &mut Real) {
    real.set(json!({"trigger_plex_scan": true, "scan_delay": 0}));
    // A worker at work would see it within ten seconds.
    real.kill_workers();
    let film = real.film(100);
    real.make_film(100);
    real.plex
        .add_unscanned(real.section, film.to_str().unwrap());
    real.scan();
    real.until("Plex was asked to scan", || {
        !real.plex.items_with_file(film.to_str().unwrap()).is_empty()
    });
    real.save(&real.scene(100), json!({"title": "New"}));
    real.until("shown", || real.item(&film).title() == "New");
    real.set(json!({}));
}

pub fn deleted(real: &mut Real) {
    let scenes = [9, 14, 15, 16].map(|n| real.scene(n));
    real.plex.fail_with(Fault::maintenance());
    for scene in &scenes {
        real.save(scene, json!({"title": "Soon gone"}));
    }
    let [one, several @ .., _] = &scenes;
    real.ask(
        "mutation ($input: SceneDestroyInput!) { sceneDestroy(input: $input) }",
        json!({"input": {"id": one}}),
    );
    real.ask(
        "mutation ($input: ScenesDestroyInput!) { scenesDestroy(input: $input) }",
        json!({"input": {"ids": several}}),
    );
    assert!(real.waiting() >= 1);
    real.plex.clear_faults();
    real.until_worked_off();
    // What became of the others' items does not matter: a job may have read its scene just before
    // that went.
    assert_eq!(real.item(&real.film(16)).title(), "Soon gone");
    let gone = real.worker_log().matches("deleted in Stash").count();
    println!("          {gone} jobs found their scene gone");
}
