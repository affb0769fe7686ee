//! A database that the version before made, which kept one row for each scene.

use queue::{Options, Queue};
use serde_json::{Value, json};
use simulators::TagKind;
use sync_engine::core::job::Job;
use sync_engine::storage::data_dir::DataDir;

use crate::{
    Installed, add_file, add_scene, all_of, assert_at_rest, installed, letters, shown, work,
    worked_off,
};

const TABLES: &str = "
CREATE TABLE ledger (scene INTEGER PRIMARY KEY, rating_key TEXT NOT NULL, content_hash TEXT NOT NULL, written TEXT NOT NULL,
  synced_at INTEGER NOT NULL) STRICT;
CREATE TABLE ledger_refs (kind TEXT NOT NULL, id INTEGER NOT NULL, scene INTEGER NOT NULL REFERENCES ledger(scene) ON DELETE CASCADE,
  PRIMARY KEY (kind, id, scene)) STRICT, WITHOUT ROWID;
";

fn database(plugin: &Installed) -> Queue<Job> {
    DataDir::create(plugin.config.path()).unwrap();
    let path = plugin.data().join("stash2plex.db");
    Queue::open(path, Options::producer()).unwrap()
}

/// What that version kept of a scene of this name that it wrote to this item, and Plex shows it so.
fn wrote(plugin: &Installed, db: &Queue<Job>, scene: u64, item: u64, name: &str) {
    let (genre, actor) = (format!("Tag of {name}"), format!("Actor of {name}"));
    let about = format!("About {name}");
    let plex = &plugin.world.plex;
    plex.edit_by_hand(item, "title", name);
    plex.edit_by_hand(item, "summary", &about);
    plex.add_tag(item, TagKind::Genre, &genre);
    plex.add_tag(item, TagKind::Actor, &actor);
    let written: Value = json!({
        "item": item.to_string(), "content": "abc", "fields": {"title": name, "summary": about},
        "tags": {"genre": [genre], "actor": [actor]},
    });
    let row = (
        scene.cast_signed(),
        item.to_string(),
        written.to_string(),
        scene.cast_signed(),
    );
    let sql = "INSERT INTO ledger VALUES (?1, ?2, 'abc', ?3, ?4)";
    db.sql().execute(sql, row).unwrap();
}

/// The version before wrote scene 1 over the item of scene 2, which has a file of the same name;
/// and each scene's row says that all is well.
#[test]
fn wrong_writes_of_before_are_repaired_by_one_reconciliation() {
    let plugin = installed(json!({}));
    let scenes = ["Series A", "Series B"]
        .map(|name| add_scene(&plugin, &format!("/data/{name}/S01E01.mkv"), name));
    let right = add_scene(&plugin, "/data/c/right.mp4", "Right");
    let item_b = add_file(&plugin, "/media/scenes/Series B/S01E01.mkv");
    let item_c = add_file(&plugin, "/media/scenes/c/right.mp4");
    let db = database(&plugin);
    db.sql().execute_batch(TABLES).unwrap();
    wrote(&plugin, &db, scenes[1], item_b, "Series B");
    wrote(&plugin, &db, scenes[0], item_b, "Series A");
    wrote(&plugin, &db, right, item_c, "Right");
    drop(db);
    let genres = shown(&plugin, item_b).genres;
    assert_eq!(genres, ["Tag of Series B", "Tag of Series A"]);

    let item_a = add_file(&plugin, "/media/scenes/Series A/S01E01.mkv");
    plugin.world.plex.take_requests();
    work(&plugin, "reconcile_all");
    assert_eq!(shown(&plugin, item_a), all_of("Series A"));
    assert_eq!(
        shown(&plugin, item_b),
        all_of("Series B"),
        "nothing of A is left"
    );
    assert_eq!(shown(&plugin, item_c), all_of("Right"));
    let written = crate::written(&plugin);
    let right = format!("PUT {item_c}");
    assert!(!written.contains(&right), "it was equal: {written:?}");
    assert_at_rest(&plugin);
    assert_eq!(letters(&plugin), [].into());
}

/// A row that leads to an item of another file altogether, with no other scene to take it.
#[test]
fn an_item_that_was_never_the_scenes_is_let_go() {
    let plugin = installed(json!({}));
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
    let wrong = add_file(&plugin, "/media/scenes/b/scene.mp4");
    let right = add_file(&plugin, "/media/scenes/a/scene.mp4");
    let db = database(&plugin);
    db.sql().execute_batch(TABLES).unwrap();
    wrote(&plugin, &db, scene, wrong, "Scene");
    drop(db);
    work(&plugin, "reconcile_all");
    assert_eq!(shown(&plugin, right), all_of("Scene"));
    assert_at_rest(&plugin);
    // Stash scans the other file later, and what stands there from before goes.
    let other = add_scene(&plugin, "/data/b/scene.mp4", "Other");
    plugin.save(other);
    worked_off(&plugin);
    assert_eq!(shown(&plugin, wrong), all_of("Other"));
}

/// An unchanged save after the update looks once, and asks nothing more from then on.
#[test]
fn a_save_confirms_what_was_right() {
    let plugin = installed(json!({}));
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
    let item = add_file(&plugin, "/media/scenes/a/scene.mp4");
    let db = database(&plugin);
    db.sql().execute_batch(TABLES).unwrap();
    wrote(&plugin, &db, scene, item, "Scene");
    drop(db);
    plugin.world.plex.take_requests();
    plugin.save(scene);
    worked_off(&plugin);
    let asked = crate::asked(&plugin);
    assert_eq!(
        asked,
        [
            "GET /library/sections".to_owned(),
            format!("GET /library/metadata/{item}")
        ]
    );
    assert_at_rest(&plugin);
    // What it wrote then is ours to remove now.
    plugin.world.stash.edit(scene).tags(&[]);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(shown(&plugin, item).genres, [""; 0]);
}
