//! Changes of which Stash tells no plugin arrive all the same, and a library is written only once a
//! person wants that.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use common::Installed;
use serde_json::json;
use simulators::{EntityKind, Fault, Response, Rule, Trigger};

/// A library that was written once, at the wish of a person; since then Stash's clock has an hour
/// to go until now.
fn synced(scenes: usize) -> Installed {
    let plugin = Installed::with(scenes, json!({"idle_timeout": 0.1}));
    plugin.untouched_for_a_week();
    an_hour_ago(&plugin);
    work(&plugin, "all");
    plugin.until_equal();
    plugin
}

/// What changes from now on seems to have changed a while ago: of what is changed just now, nobody
/// can tell whether that was all.
fn an_hour_ago(plugin: &Installed) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = now.as_secs().cast_signed() - 3600;
    plugin.world.stash.set(|stash| stash.now = Some(at));
}

fn a_minute_passes(plugin: &Installed) {
    plugin
        .world
        .stash
        .set(|stash| stash.now = stash.now.map(|now| now + 60));
}

/// Starts a task, and waits until its worker has nothing left to do.
fn work(plugin: &Installed, mode: &str) {
    assert_eq!(plugin.task(mode).error(), None);
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    plugin.until_no_worker();
}

/// Requests to Stash that look for changes.
fn looks(plugin: &Installed) -> usize {
    let requests = plugin.world.stash.requests();
    let is_look = |request: &&simulators::Recorded| request.contains("query Changes");
    requests.iter().filter(is_look).count()
}

#[test]
fn whatever_moves_updated_at_arrives_with_the_next_worker() {
    let plugin = synced(6);
    let (stash, scenes) = (&plugin.world.stash, &plugin.world.scenes);
    for (scene, kind) in [
        (scenes[1], EntityKind::Tag),
        (scenes[2], EntityKind::Performer),
    ] {
        a_minute_passes(&plugin);
        stash.auto_tag(scene, kind, "Found by its name");
        assert!(!plugin.world.comparison().is_equal());
        // Somebody saves another scene.
        plugin.save(scenes[0]);
        plugin.until_equal();
        plugin.until_no_worker();
    }
    // A merge: the item of the scene that is gone shows the one that took it in.
    let title = stash.scene(scenes[3]).unwrap().title;
    let path = stash.scene(scenes[4]).unwrap().files[0].path.clone();
    let path = plugin.world.mapping.to_plex(&path);
    a_minute_passes(&plugin);
    stash.merge_scenes(scenes[3], &[scenes[4]]);
    plugin.save(scenes[0]);
    plugin.until("merged", || {
        let items = plugin.world.plex.items_with_file(&path);
        items.iter().all(|item| item.title() == title)
    });
    plugin.until_equal();
    assert_eq!(stash.error_log(), Vec::<String>::new());
}

/// A look asks for what is newer than the last one, and what is as it was is not read.
#[test]
fn a_look_at_nothing_new_is_one_request() {
    let plugin = synced(5);
    work(&plugin, "process_queue");
    plugin.world.stash.take_requests();
    plugin.world.plex.take_requests();
    let done = plugin.queue().counts().unwrap().done;
    work(&plugin, "process_queue");
    assert_eq!(looks(&plugin), 1);
    let read = plugin.world.stash.requests();
    assert!(
        !read.iter().any(|request| request.contains("FindScenes")),
        "no scene is read"
    );
    assert_eq!(plugin.queue().counts().unwrap().done, done);
    assert_eq!(plugin.world.plex.requests().len(), 0);
}

/// What failed is listed apart, and what is deleted is no scene any more.
#[test]
fn neither_a_failed_nor_a_deleted_scene_is_not_synced_yet() {
    let plugin = Installed::with(5, json!({"idle_timeout": 60, "not_found_base": 0.01}));
    plugin.untouched_for_a_week();
    let scenes = &plugin.world.scenes;
    let counted = |failed: u64, never_synced: u64| {
        plugin.until("counted", || {
            let status = plugin.task("queue_status").output().unwrap().clone();
            status["queue"]["failed"] == failed && status["never_synced"] == never_synced
        });
    };
    plugin.save(scenes[0]);
    counted(0, 4);
    plugin.world.plex.remove(plugin.world.items[1]);
    plugin.save(scenes[1]);
    counted(1, 3);
    let gone = plugin.world.stash.destroy_scene(scenes[2]).unwrap();
    plugin.hook(&Trigger::SceneDestroy(&gone));
    counted(1, 2);
}

/// Until a person has asked for the whole library, only what they save is written.
#[test]
fn a_library_is_left_alone_until_somebody_wants_it() {
    let daily = json!({"idle_timeout": 0.1, "reconcile_interval": "daily"});
    let plugin = Installed::with(5, daily);
    plugin.untouched_for_a_week();
    an_hour_ago(&plugin);
    let scenes = &plugin.world.scenes;
    plugin.save(scenes[0]);
    plugin.until("reconciled", || {
        plugin.worker_log().contains("scenes compared")
    });
    plugin.until_no_worker();
    work(&plugin, "process_queue");
    let wrote = || plugin.worker_log().matches(": wrote ").count();
    let log = plugin.worker_log();
    assert_eq!(wrote(), 1, "{log}");
    for words in [
        "4 scenes are not on record as synced: one that Plex has is written when you save it, and all of them by the task Sync All Scenes",
        "5 scenes compared with what was last written, none differs; 4 not synced yet and left alone until Sync All or Reconcile All Scenes is run",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let status = plugin.task("queue_status");
    assert_eq!(status.output().unwrap()["never_synced"], 4);
    let shown = "4 scenes are not on record as synced";
    assert!(
        status.log.iter().any(|(_, text)| text.contains(shown)),
        "{:?}",
        status.log
    );

    // What was written is kept equal, whoever changes it.
    a_minute_passes(&plugin);
    plugin
        .world
        .stash
        .auto_tag(scenes[0], EntityKind::Tag, "Found by its name");
    plugin
        .world
        .stash
        .auto_tag(scenes[1], EntityKind::Tag, "Found by its name");
    work(&plugin, "process_queue");
    assert_eq!(wrote(), 2, "{}", plugin.worker_log());

    // From now on new scenes come by themselves.
    work(&plugin, "all");
    plugin.until_equal();
    let status = plugin.task("queue_status").output().unwrap().clone();
    assert_eq!(status["never_synced"], 0);
    let path = "/data/imported/scene.mp4";
    let imported = plugin.world.stash.add_scene(path);
    plugin.world.stash.edit(imported).title("Imported");
    let item = plugin
        .world
        .plex
        .add_file(plugin.world.section, &plugin.world.mapping.to_plex(path));
    work(&plugin, "process_queue");
    let item = plugin.world.plex.item(item).unwrap();
    assert_eq!(item.title(), "Imported", "{}", plugin.worker_log());
}

/// A machine's clock was hours behind when a person edited a scene, and was set right before the
/// next look.
#[test]
fn what_seems_to_be_older_than_the_last_look_is_seen_too() {
    let plugin = synced(2);
    work(&plugin, "process_queue");
    let scene = plugin.world.scenes[1];
    plugin
        .world
        .stash
        .set(|stash| stash.now = stash.now.map(|now| now - 20 * 3600));
    plugin
        .world
        .stash
        .auto_tag(scene, EntityKind::Tag, "Of yesterday, it seems");
    work(&plugin, "process_queue");
    plugin.until_equal();
}

/// A person who looks at a few scenes has not asked for the others, which nobody can take back.
#[test]
fn a_look_at_recent_scenes_is_no_wish_for_the_whole_library() {
    let plugin = Installed::with(
        3,
        json!({"idle_timeout": 0.1, "reconcile_interval": "daily"}),
    );
    plugin.untouched_for_a_week();
    let scene = plugin.world.scenes[0];
    plugin.world.stash.edit(scene).title("Recent");
    work(&plugin, "reconcile_recent");
    plugin.until("reconciled", || plugin.worker_log().contains("all scenes"));
    plugin.until_no_worker();
    let log = plugin.worker_log();
    assert_eq!(log.matches(": wrote ").count(), 1, "{log}");
}

/// The daily run meets rows that nobody can read: that is no wish either.
#[test]
fn what_cannot_be_read_is_left_alone_like_all_that_nobody_asked_for() {
    let plugin = Installed::with(
        3,
        json!({"idle_timeout": 0.1, "reconcile_interval": "daily"}),
    );
    plugin.untouched_for_a_week();
    let rows: Vec<_> = plugin
        .world
        .scenes
        .iter()
        .map(|id| json!({"id": id.to_string(), "title": 5}))
        .collect();
    let page = json!({"data": {"findScenes": {"count": 3, "scenes": rows}}});
    let page = Response::new(200, "application/json", page.to_string());
    plugin
        .world
        .stash
        .fail_when(Rule::new(Fault::Answer(page)).containing("ListScenes"));
    plugin.save(plugin.world.scenes[0]);
    plugin.until("reconciled", || {
        plugin.worker_log().contains("0 scenes compared")
    });
    plugin.until_no_worker();
    let log = plugin.worker_log();
    assert_eq!(log.matches(": wrote ").count(), 1, "{log}");
}

/// An import has the times of its file: no look sees it, and the daily run does, which nobody has
/// to ask for.
#[test]
fn what_no_time_shows_comes_with_the_daily_run() {
    let plugin = synced(2);
    let (stash, scenes) = (&plugin.world.stash, &plugin.world.scenes);
    stash.set(|stash| stash.now = Some(1_600_000_000));
    let path = "/data/imported/scene.mp4";
    let imported = stash.add_scene(path);
    stash.edit(imported).title("Imported");
    let path = plugin.world.mapping.to_plex(path);
    let item = plugin.world.plex.add_file(plugin.world.section, &path);
    work(&plugin, "process_queue");
    let title = || plugin.world.plex.item(item).unwrap().title().to_owned();
    assert_ne!(title(), "Imported");
    // As it is by default.
    plugin.set(json!({"idle_timeout": 0.1, "reconcile_interval": null}));
    plugin.save(scenes[0]);
    plugin.until("reconciled", || title() == "Imported");
}

/// What failed is not tried again by each look, and a change brings it back.
#[test]
fn a_scene_that_was_set_aside_stays_so_until_it_changes() {
    let plugin = synced(2);
    let path = "/data/elsewhere/scene.mp4";
    let lost = plugin.world.stash.add_scene(path);
    plugin.world.stash.edit(lost).title("Lost");
    let tried = || {
        let log = plugin.worker_log();
        log.matches("failed after").count()
    };
    plugin.set(json!({"idle_timeout": 0.1, "not_found_base": 0.01}));
    for _ in 0..3 {
        work(&plugin, "process_queue");
    }
    assert_eq!(tried(), 1, "{}", plugin.worker_log());
    plugin
        .world
        .plex
        .add_file(plugin.world.section, &plugin.world.mapping.to_plex(path));
    a_minute_passes(&plugin);
    plugin.world.stash.edit(lost).title("Found");
    work(&plugin, "process_queue");
    plugin.until_equal();
}

/// Stash fails while it is looked at: the next look asks for the same again.
#[test]
fn a_look_that_failed_is_made_again() {
    let plugin = synced(3);
    let stash = &plugin.world.stash;
    a_minute_passes(&plugin);
    stash.auto_tag(plugin.world.scenes[1], EntityKind::Tag, "Found by its name");
    for seed in 0..4 {
        stash.fail_when(Rule::new(Fault::Status(500)).flaky(40, seed));
        plugin.task("process_queue");
        plugin.until_no_worker();
        stash.clear_faults();
    }
    work(&plugin, "process_queue");
    plugin.until_equal();
}

/// A scene that changed in this very second may do so again: it is left to the next look.
#[test]
fn what_changes_just_now_is_seen_by_the_next_look() {
    let plugin = synced(1);
    let stash = &plugin.world.stash;
    stash.set(|stash| stash.now = None);
    stash.auto_tag(plugin.world.scenes[0], EntityKind::Tag, "Just now");
    plugin.until("looked again", || {
        work(&plugin, "process_queue");
        plugin.world.comparison().is_equal()
    });
}

/// A scan of Stash is at work: more is to come, and the worker stays.
#[test]
fn a_worker_stays_while_stash_works() {
    let plugin = synced(1);
    let stash = &plugin.world.stash;
    stash.set(|stash| stash.jobs = vec!["Scanning...".to_owned()]);
    plugin.save(plugin.world.scenes[0]);
    plugin.until("looked", || looks(&plugin) > 0);
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    let ended = || plugin.worker_log().matches("worker ends").count();
    let before = ended();
    // Ten times as long as it would wait otherwise.
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(ended(), before, "{}", plugin.worker_log());
    plugin.kill_worker();
}
