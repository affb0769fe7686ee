//! Every hook, and every kind of library, from Stash to Plex.
#![allow(clippy::unwrap_used)]

mod common;

use common::Installed;
use serde_json::json;
use simulators::{EntityKind, SectionKind, Trigger};
use stash2plex_plugin::data_dir::DataDir;
use stash2plex_plugin::ledger;
use stash2plex_plugin::worker_lock::WorkerLock;

/// All scenes in Plex, by a worker that stays.
fn synced(scenes: usize) -> Installed {
    let plugin = Installed::with(scenes, json!({"idle_timeout": 30}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_equal();
    plugin
}

fn fan_outs(plugin: &Installed) -> usize {
    plugin.worker_log().matches("scenes queued").count()
}

#[test]
fn a_changed_name_reaches_every_scene_that_shows_it_by_one_job() {
    let plugin = synced(8);
    let stash = &plugin.world.stash;
    let shown = [
        (EntityKind::Performer, "name"),
        (EntityKind::Studio, "name"),
        (EntityKind::Tag, "name"),
    ];
    for (n, (kind, field)) in shown.into_iter().enumerate() {
        let id = stash.named(kind, "Shared");
        for scene in plugin.world.scenes.iter().take(3) {
            stash.edit(*scene).with(|scene| match kind {
                EntityKind::Performer => scene.performers.push(id),
                EntityKind::Studio => scene.studio = Some(id),
                _ => scene.tags.push(id),
            });
            plugin.save(*scene);
        }
        plugin.until_equal();
        let before = fan_outs(&plugin);
        stash.rename(kind, id, &format!("Renamed {n}"));
        assert!(!plugin.world.comparison().is_equal(), "{kind:?}");
        plugin.hook(&Trigger::EntityUpdate(kind, id, &["id", field]));
        plugin.until_equal();
        assert_eq!(fan_outs(&plugin), before + 1, "{kind:?}");

        stash.destroy(kind, id);
        assert!(!plugin.world.comparison().is_equal(), "{kind:?}");
        plugin.hook(&Trigger::EntityDestroy(kind, id));
        plugin.until_equal();
    }
}

#[test]
fn merged_tags_reach_the_scenes_of_all_of_them() {
    let plugin = synced(6);
    let stash = &plugin.world.stash;
    let [one, two, into] = ["One", "Two", "Into"].map(|name| stash.named(EntityKind::Tag, name));
    for (scene, tag) in plugin.world.scenes.iter().zip([one, two, into]) {
        stash.edit(*scene).with(|scene| scene.tags.push(tag));
        plugin.save(*scene);
    }
    plugin.until_equal();
    stash.merge(EntityKind::Tag, &[one, two], into);
    assert!(!plugin.world.comparison().is_equal());
    plugin.hook(&Trigger::TagMerge(&[one, two], into));
    plugin.until_equal();
}

#[test]
fn a_deleted_scene_leaves_neither_job_nor_ledger_row() {
    let plugin = synced(3);
    let scene = plugin.world.scenes[1];
    plugin.kill_worker();
    plugin.until_no_worker();
    let dir = DataDir::create(plugin.config.path()).unwrap();
    let lock = WorkerLock::try_take(&dir).unwrap().unwrap();
    plugin.world.stash.edit(scene).title("Edited, then deleted");
    plugin.save(scene);
    let gone = plugin.world.stash.destroy_scene(scene).unwrap();
    plugin.hook(&Trigger::SceneDestroy(&gone));
    assert_eq!(
        plugin.queue().counts().unwrap().live(),
        1,
        "one job, not two"
    );
    drop(lock);
    plugin.task("process_queue");
    let queue = plugin.queue();
    assert_eq!(queue.counts().unwrap().live(), 0);
    let row = ledger::get::<serde_json::Value>(queue.sql(), scene).unwrap();
    assert!(row.is_none());
    let kept = plugin.world.scenes[0];
    assert!(
        ledger::get::<serde_json::Value>(queue.sql(), kept)
            .unwrap()
            .is_some()
    );
}

#[test]
fn what_was_saved_while_the_sync_was_off_arrives_when_it_is_on() {
    let plugin = Installed::with(5, json!({"enabled": false}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("said", || plugin.worker_log().contains("turned off"));
    assert_eq!(plugin.queue().counts().unwrap().live(), 5);
    assert!(plugin.world.plex.requests().is_empty(), "nothing is sent");
    plugin.set(json!({}));
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
}

#[test]
fn episodes_of_a_show_and_one_library_of_several() {
    let plugin = Installed::with(0, json!({"path_map": "", "plex_library": "Shows, Missing"}));
    let world = &plugin.world;
    let shows = world.plex.add_section("Shows", SectionKind::Show, &["/tv"]);
    let episode = world.plex.add_file(shows, "/tv/A Show/a show s01e02.mp4");
    let film = world.plex.add_file(world.section, "/media/scenes/film.mp4");
    let scene = world.stash.add_scene("/tv/A Show/a show s01e02.mp4");
    world.stash.edit(scene).title("The episode");
    plugin.save(scene);
    plugin.until("synced", || {
        world.plex.item(episode).unwrap().title() == "The episode"
    });
    let other = world.stash.add_scene("/media/scenes/film.mp4");
    world
        .stash
        .edit(other)
        .title("Not in the library that is set");
    plugin.save(other);
    plugin.until("missed", || {
        plugin
            .worker_log()
            .contains("named \"Missing\"; it has \"Scenes\", \"Shows\"")
    });
    assert_eq!(world.plex.item(film).unwrap().title(), "film");
}

#[test]
fn without_any_of_the_libraries_everything_waits() {
    let plugin = Installed::with(2, json!({"plex_library": "Nowhere", "idle_timeout": 30}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("said", || {
        plugin
            .worker_log()
            .contains("named \"Nowhere\"; it has \"Scenes\"")
    });
    let counts = plugin.queue().counts().unwrap();
    assert_eq!((counts.live(), counts.dead), (2, 0));
    plugin
        .world
        .plex
        .add_section("Nowhere", SectionKind::Movie, &["/nowhere"]);
    plugin.set(json!({}));
    plugin.kill_worker();
    plugin.until_no_worker();
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
}
