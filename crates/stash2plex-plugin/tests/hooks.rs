//! Every hook, and every kind of library, from Stash to Plex.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::Installed;
use queue::{NewJob, Options, Queue};
use serde_json::json;
use simulators::{EntityKind, SectionKind, Trigger};
use sync_engine::core::job::Job;
use sync_engine::daemon::lock::Role;
use sync_engine::storage::data_dir::DataDir;
use sync_engine::storage::ledger;

/// All scenes in Plex, by a worker that stays.
fn synced(scenes: usize) -> Installed {
    let plugin = Installed::with(scenes, json!({"idle_timeout": 30}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    until_worked_off(&plugin);
    plugin
}

/// How many jobs looked for the scenes that show it.
fn fan_outs(plugin: &Installed, kind: EntityKind, id: u64) -> usize {
    let said = format!(" {} {id}: changed", kind.type_name().to_lowercase());
    plugin.worker_log().matches(&said).count()
}

fn until_worked_off(plugin: &Installed) {
    plugin.until_equal();
    plugin.until("idle", || plugin.queue().counts().unwrap().live() == 0);
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
        stash.rename(kind, id, &format!("Renamed {n}"));
        assert!(!plugin.world.comparison().is_equal(), "{kind:?}");
        plugin.hook(&Trigger::EntityUpdate(kind, id, &["id", field]));
        until_worked_off(&plugin);
        assert_eq!(fan_outs(&plugin, kind, id), 1, "{kind:?}");

        stash.destroy(kind, id);
        assert!(!plugin.world.comparison().is_equal(), "{kind:?}");
        plugin.hook(&Trigger::EntityDestroy(kind, id));
        until_worked_off(&plugin);
        assert_eq!(fan_outs(&plugin, kind, id), 2, "{kind:?}");
    }
}

/// Plex shows no groups: its scenes are looked at, and nothing is written.
#[test]
fn a_group_is_followed_by_one_job_and_changes_nothing_in_plex() {
    let plugin = synced(3);
    let stash = &plugin.world.stash;
    for scene in &plugin.world.scenes {
        stash.edit(*scene).groups(&["A Series"]);
        plugin.save(*scene);
    }
    until_worked_off(&plugin);
    let writes = || {
        let requests = plugin.world.plex.requests();
        requests.iter().filter(|one| one.method != "GET").count()
    };
    let (kind, before) = (EntityKind::Group, writes());
    let id = stash.named(kind, "A Series");
    stash.rename(kind, id, "Another Series");
    plugin.hook(&Trigger::EntityUpdate(kind, id, &["id", "name"]));
    plugin.until("renamed", || fan_outs(&plugin, kind, id) == 1);
    stash.destroy(kind, id);
    plugin.hook(&Trigger::EntityDestroy(kind, id));
    plugin.until("destroyed", || fan_outs(&plugin, kind, id) == 2);
    until_worked_off(&plugin);
    assert_eq!(writes(), before);
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
    until_worked_off(&plugin);
    let jobs = [one, two, into].map(|tag| fan_outs(&plugin, EntityKind::Tag, tag));
    assert_eq!(jobs, [0, 0, 1]);
}

#[test]
fn a_deleted_scene_leaves_neither_job_nor_ledger_row() {
    let plugin = synced(3);
    let scene = plugin.world.scenes[1];
    plugin.kill_worker();
    plugin.until_no_worker();
    let lock = plugin.take_lock(Role::Worker);
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
    let synced = |scene| ledger::synced_at(queue.sql(), scene).unwrap();
    assert_eq!(synced(scene), None);
    let kept = plugin.world.scenes[0];
    assert!(synced(kept).is_some());
}

#[test]
fn what_was_saved_while_the_sync_was_off_arrives_when_it_is_on() {
    let plugin = Installed::with(5, json!({"enabled": false}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("said", || {
        plugin
            .worker_log()
            .contains("Sync enabled (enabled) is off")
    });
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

#[test]
fn several_libraries_and_then_all() {
    let plugin = Installed::with(
        0,
        json!({"path_map": "", "plex_library": "Other Videos, Shows"}),
    );
    let world = &plugin.world;
    let videos = ("Other Videos", SectionKind::Movie, "/videos");
    let shows = ("Shows", SectionKind::Show, "/tv");
    let [videos, shows] =
        [videos, shows].map(|(name, kind, at)| world.plex.add_section(name, kind, &[at]));
    let files = [
        (videos, "/videos/holiday.mp4"),
        (shows, "/tv/A Show/a show s01e02.mp4"),
        (world.section, "/media/scenes/film.mp4"),
    ];
    let items = files.map(|(section, file)| world.plex.add_file(section, file));
    for (_, file) in files {
        let scene = world.stash.add_scene(file);
        world.stash.edit(scene).title(&format!("Title of {file}"));
        plugin.save(scene);
    }
    let titled = || {
        let has =
            |(key, (_, file))| world.plex.item(key).unwrap().title() == format!("Title of {file}");
        items.into_iter().zip(files).map(has).collect::<Vec<_>>()
    };
    plugin.until("in both libraries", || {
        titled() == [true, true, false] && plugin.worker_log().contains(", next in")
    });
    plugin.kill_worker();
    plugin.until_no_worker();
    plugin.set(json!({"path_map": "", "plex_library": ""}));
    plugin.task("process_queue");
    plugin.until("in all", || titled() == [true, true, true]);
}

/// What the hooks of a scan leave in the queue; the bench `storm` runs ten thousand of them.
/// Nothing is written for scenes without metadata.
#[test]
fn thousands_of_new_files_make_one_scan_of_each_folder() {
    const FILES: usize = 3_000;
    const FOLDERS: usize = 300;
    let settings = json!({"trigger_plex_scan": true, "scan_delay": 0, "debug_logging": false});
    let plugin = Installed::with(0, settings);
    let dir = DataDir::create(plugin.config.path()).unwrap();
    let mut queue = Queue::<Job>::open(dir.database(), Options::producer()).unwrap();
    let jobs = (0..FILES).map(|n| {
        let path = format!("/data/new/{}/{n}.mp4", n % FOLDERS);
        let job = Job::Scanned {
            id: plugin.world.stash.add_scene(&path),
        };
        let key = job.key();
        NewJob::new(job).key(key)
    });
    queue.enqueue_all(jobs).unwrap();
    plugin.task("process_queue");
    plugin.until("worked off", || queue.counts().unwrap().live() == 0);
    assert_eq!(queue.counts().unwrap().dead, 0);
    let requests = plugin.world.plex.requests();
    let scans: Vec<_> = requests
        .iter()
        .filter(|one| one.path.ends_with("/refresh"))
        .map(|one| &one.query)
        .collect();
    let folders: BTreeSet<_> = scans.iter().collect();
    assert_eq!((scans.len(), folders.len()), (FOLDERS, FOLDERS));
    assert!(requests.iter().all(|one| one.method == "GET"));
}

/// A file renamed on disk is a new item for Plex, with none of the scene's metadata, though the
/// scene's content is the same.
#[test]
fn a_renamed_file_takes_its_metadata_along() {
    let plugin = Installed::new(1);
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    plugin.save_and_wait(scene);
    plugin.world.stash.change_silently(scene, |scene| {
        scene.files[0].path = "/data/renamed.mp4".into();
    });
    plugin.world.plex.remove(item).unwrap();
    let new = plugin
        .world
        .plex
        .add_file(plugin.world.section, "/media/scenes/renamed.mp4");
    plugin.hook(&Trigger::SceneRescan(scene));
    let title = plugin.world.stash.scene(scene).unwrap().title;
    plugin.until("named like the scene", || {
        plugin.world.plex.item(new).unwrap().title() == title
    });
}
