//! What an earlier plugin for the same job got wrong, each as a story that would show it here.
//!
//! | fault there | test |
//! |---|---|
//! | 1, 2 jobs vanish or die when Plex goes down, also while a library is looked up | `fault_01_…`, `fault_02_…` |
//! | 3 Sync All skips what was queued lately | `fault_03_…` |
//! | 4 a star erases summary and date | `fault_04_…` |
//! | 5 bulk edits and the filename parser do nothing | `fault_05_…` |
//! | 6 what was removed in Stash stays in Plex | `field_table` |
//! | 7 pictures are uploaded at every sync | `fault_07_…` |
//! | 8 one file name in two folders | `fault_08_…` |
//! | 9 a miss is remembered | `fault_09_…` |
//! | 10 a failing edit is final, or counts as done | `fault_10_…` |
//! | 11 nothing drains by itself after an outage | `outage`, `robustness` |
//! | 12 five hooks of one scene make five jobs | `fault_12_…` |
//! | 13 a health check changes the circuit | `tasks::left_alone`, `tasks::health` |
//! | 14 text before the answer, progress beyond 1 | `robustness::process_queue_follows_the_worker_to_the_end` |
//! | 15 an edit is lost when Stash refuses, or the queue file is damaged | `fault_15_…`, `damage` |
//! | 16 one bad setting stops everything | `tasks::settings` |
//! | 17 an undecodable entry, odd input | `fault_17_…`, `robustness::broken_stdin_is_answered_in_words` |
//! | 18 music libraries are searched | `fault_18_…` |
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::Installed;
use queue::DeadFilter;
use serde_json::json;
use simulators::{Fault, Part, Rule, SectionKind, Trigger};
use sync_engine::daemon::lock::{Role, WorkerLock};

/// Keeps workers away, so that what is saved waits for Process Queue.
fn no_worker(plugin: &Installed) -> WorkerLock {
    let ended = plugin.data().exists();
    if ended {
        plugin.until_no_worker();
    }
    plugin.take_lock(Role::Worker)
}

fn save_all(plugin: &Installed) {
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
}

/// Works off what waits; nothing may be set aside.
fn work_off(plugin: &Installed) {
    let run = plugin.task("process_queue");
    assert_eq!(run.error(), None, "{}", run.log_text());
    assert_eq!(
        plugin.queue().counts().unwrap().dead,
        0,
        "{}",
        run.log_text()
    );
}

fn uploads(plugin: &Installed) -> usize {
    let requests = plugin.world.plex.take_requests();
    requests.iter().filter(|one| one.method == "POST").count()
}

#[test]
fn fault_01_jobs_survive_when_plex_goes_down_in_process_queue() {
    let plugin = Installed::new(50);
    let lock = no_worker(&plugin);
    save_all(&plugin);
    drop(lock);
    plugin.world.plex.set_latency(Duration::from_millis(5));
    std::thread::scope(|scope| {
        let task = scope.spawn(|| plugin.task("process_queue"));
        plugin.until("half way", || plugin.world.comparison().equal() >= 10);
        plugin.world.plex.down();
        assert_eq!(task.join().unwrap().error(), None);
    });
    let counts = plugin.queue().counts().unwrap();
    assert_eq!(counts.dead, 0);
    assert!(counts.live() >= 50 - counts.done, "{counts:?}");
    plugin.world.plex.up().unwrap();
    plugin.until("equal", || {
        work_off(&plugin);
        plugin.world.comparison().is_equal()
    });
}

#[test]
fn fault_02_a_single_job_outlives_an_outage_with_a_library_set() {
    let plugin = Installed::with(1, json!({"plex_library": "Scenes", "max_retries": 1}));
    plugin.world.plex.down();
    plugin.save(plugin.world.scenes[0]);
    plugin.until("probed", || {
        plugin.worker_log().contains("probe 3 of Plex failed")
    });
    plugin.world.plex.up().unwrap();
    plugin.until_equal();
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

#[test]
fn fault_03_sync_all_takes_what_was_synced_a_moment_ago() {
    let plugin = Installed::new(3);
    save_all(&plugin);
    plugin.until_equal();
    let scene = plugin.world.scenes[1];
    plugin
        .world
        .stash
        .edit(scene)
        .title("Edited without a hook");
    assert!(!plugin.world.comparison().is_equal());
    plugin.task("all");
    plugin.until_equal();
}

#[test]
fn fault_04_a_star_erases_nothing() {
    let plugin = Installed::with(2, json!({"sync_rating": true}));
    save_all(&plugin);
    plugin.until_equal();
    let scene = plugin.world.scenes[0];
    plugin.world.stash.edit(scene).rating(100);
    plugin.hook(&Trigger::SceneUpdate(scene, &["rating100"]));
    plugin.until("the star is in Plex", || {
        plugin
            .world
            .plex
            .item(plugin.world.items[0])
            .unwrap()
            .user_rating
            == Some(10.0)
    });
    plugin.until_equal();
}

#[test]
fn fault_05_bulk_edits_and_the_filename_parser_arrive() {
    let plugin = Installed::new(6);
    let ids = plugin.world.scenes.clone();
    for &id in &ids {
        plugin.world.stash.edit(id).studio("Bulk Studio");
    }
    for &id in &ids {
        let set = json!({ "studio_id": "1" });
        plugin.hook(&Trigger::SceneBulk { id, ids: &ids, set });
    }
    plugin.until_equal();
    for &id in &ids {
        plugin.world.stash.edit(id).title(&format!("Parsed {id}"));
    }
    for &id in &ids {
        let fields = &["title"];
        plugin.hook(&Trigger::ScenesUpdate {
            id,
            ids: &ids,
            fields,
        });
    }
    plugin.until_equal();
}

#[test]
fn fault_07_pictures_are_sent_once() {
    let mut plugin = Installed::with(3, json!({"sync_poster": true, "sync_background": true}));
    // Each is the scene's cover: Plex cannot show the preview, which is a video.
    plugin.world.mapping.poster = true;
    plugin.world.mapping.background = true;
    let lock = no_worker(&plugin);
    save_all(&plugin);
    drop(lock);
    work_off(&plugin);
    assert_eq!(uploads(&plugin), 6, "a poster and a background each");
    let lock = no_worker(&plugin);
    for &scene in &plugin.world.scenes {
        plugin
            .world
            .stash
            .edit(scene)
            .title(&format!("Other title {scene}"));
        plugin.save(scene);
    }
    plugin.task("all");
    drop(lock);
    work_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
    assert_eq!(uploads(&plugin), 0);
}

#[test]
fn fault_08_one_file_name_in_two_folders_is_told_apart_or_left_alone() {
    let plugin = Installed::with(0, json!({"path_map": ""}));
    let world = &plugin.world;
    let scene = world.stash.add_scene("/data/three/same.mp4");
    let size = world.stash.scene(scene).unwrap().files[0].size;
    // Both as large as the scene's, in folders that no path map explains, and of unknown length.
    for folder in ["/x/one", "/x/two"] {
        let file = format!("{folder}/same.mp4");
        let part = Part {
            file,
            size,
            duration: 0,
        };
        world.plex.add_part(world.section, part);
    }
    world.stash.edit(scene).title("Which of them?");
    plugin.save(scene);
    plugin.until("set aside", || plugin.queue().counts().unwrap().dead == 1);
    let dead = plugin.queue().dead_letters(&DeadFilter::all()).unwrap();
    assert_eq!(dead[0].error_type, "LowConfidence");
    assert!(
        dead[0].message.contains("/x/one/same.mp4") && dead[0].message.contains("/x/two/same.mp4"),
        "{}",
        dead[0].message
    );
    assert!(
        world
            .plex
            .items()
            .iter()
            .all(|item| item.title() != "Which of them?")
    );
    assert!(!plugin.worker_log().contains("Sending to Plex is paused:"));
}

#[test]
fn fault_08_no_scene_is_written_onto_the_item_of_another_even_when_guessing() {
    let plugin = Installed::with(0, json!({"strict_matching": false}));
    let world = &plugin.world;
    for folder in ["one", "two"] {
        let scene = world.stash.add_scene(&format!("/data/{folder}/same.mp4"));
        world
            .stash
            .edit(scene)
            .title(&format!("In folder {folder}"));
        let file = format!("/media/scenes/{folder}/same.mp4");
        world.plex.add_file(world.section, &file);
        plugin.save(scene);
    }
    plugin.until_equal();
}

#[test]
fn fault_09_a_file_that_is_scanned_later_is_found_then() {
    let plugin = Installed::with(0, json!({"idle_timeout": 30}));
    let world = &plugin.world;
    let scene = world.stash.add_scene("/data/late.mp4");
    world.stash.edit(scene).title("Scanned late");
    plugin.save(scene);
    plugin.until("missed", || plugin.worker_log().contains(", next in"));
    let key = world.plex.add_file(world.section, "/media/scenes/late.mp4");
    plugin.until("found", || {
        world.plex.item(key).unwrap().title() == "Scanned late"
    });
}

#[test]
fn fault_10_an_edit_that_fails_is_tried_again() {
    let plugin = Installed::with(4, json!({"sync_rating": true, "failure_threshold": 100}));
    let fail = |fault, path: &str| {
        let rule = Rule::new(fault).method("PUT").path(path).times(2);
        plugin.world.plex.fail_when(rule);
    };
    // The edit fails; elsewhere the edit is taken and the rating after it fails.
    fail(Fault::Status(500), "/library/sections");
    fail(Fault::Status(500), "/:/rate");
    save_all(&plugin);
    plugin.until_equal();
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

#[test]
fn fault_12_five_hooks_of_one_scene_make_one_job() {
    let plugin = Installed::new(1);
    let _lock = no_worker(&plugin);
    let scene = plugin.world.scenes[0];
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| plugin.save(scene));
        }
    });
    assert_eq!(plugin.queue().counts().unwrap().live(), 1);
}

#[test]
fn fault_15_an_edit_is_kept_while_stash_refuses_every_question() {
    let plugin = Installed::new(1);
    plugin.world.stash.fail_with(Fault::Status(500));
    plugin.save(plugin.world.scenes[0]);
    assert_eq!(plugin.queue().counts().unwrap().live(), 1);
    plugin.world.stash.clear_faults();
    plugin.task("process_queue");
    plugin.until_equal();
}

#[test]
fn fault_17_an_entry_that_nobody_can_read_stops_no_other() {
    let plugin = Installed::new(3);
    let lock = no_worker(&plugin);
    save_all(&plugin);
    let path = plugin.data().join("stash2plex.db");
    let mut other =
        queue::Queue::<serde_json::Value>::open(path, queue::Options::producer()).unwrap();
    other
        .enqueue(queue::NewJob::new(json!({"do": "dance"})).priority(-100))
        .unwrap();
    drop((other, lock));
    plugin.task("process_queue");
    assert!(plugin.world.comparison().is_equal());
    let counts = plugin.queue().counts().unwrap();
    assert_eq!(
        (counts.live(), counts.dead),
        (0, 1),
        "set aside, for a person to see"
    );
}

#[test]
fn fault_18_music_is_never_searched() {
    let plugin = Installed::new(2);
    let music = plugin
        .world
        .plex
        .add_section("Music", SectionKind::Artist, &["/media/music"]);
    save_all(&plugin);
    plugin.until_equal();
    let searched = format!("/library/sections/{music}/");
    let requests = plugin.world.plex.requests();
    assert!(requests.iter().all(|one| !one.path.starts_with(&searched)));
}
