//! A save in Stash arrives in Plex.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::Installed;
use serde_json::json;
use simulators::{Fault, Rule, Trigger};
use sync_engine::storage::ledger;

#[test]
fn a_saved_scene_arrives_in_plex() {
    let plugin = Installed::new(3);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_equal();
    let scene = plugin.world.scenes[0];
    plugin
        .world
        .stash
        .edit(scene)
        .title("Changed")
        .tags(&["only this"]);
    plugin.save(scene);
    plugin.until_equal();
}

/// A scan of Stash that finds many files makes Plex scan each of their folders once, beside a
/// worker that is at it.
#[test]
fn a_scan_storm_scans_each_folder_once() {
    let settings = json!({"trigger_plex_scan": true, "scan_delay": 8, "idle_timeout": 20});
    let plugin = Installed::with(0, settings);
    for file in 0..60 {
        let path = format!("/data/new/{}/{file}.mp4", file % 3);
        let scene = plugin.world.stash.add_scene(&path);
        plugin.hook(&Trigger::SceneCreate(scene));
    }
    let scans = || {
        let requests = plugin.world.plex.requests();
        let scans = requests.iter().filter(|one| one.path.ends_with("/refresh"));
        scans.count()
    };
    plugin.until("scanned", || {
        scans() >= 3 && plugin.queue().counts().unwrap().live() == 0
    });
    assert_eq!(scans(), 3);
}

/// Somebody whose path map is wrong, or whose Plex has the old file, must not look for a file that
/// is not missing.
#[test]
fn another_file_of_the_same_name_is_told_from_none() {
    let plugin = Installed::with(2, json!({"not_found_base": 30}));
    let [other, gone] = plugin.world.items[..] else {
        unreachable!()
    };
    plugin.world.plex.change(other, |item| {
        for part in item.media.iter_mut().flat_map(|media| &mut media.parts) {
            let (_, name) = part.file.rsplit_once('/').unwrap();
            part.file = format!("/elsewhere/{name}");
            part.size += 1;
        }
    });
    plugin.world.plex.remove(gone);
    let scenes = plugin.world.scenes.clone();
    scenes.iter().for_each(|scene| drop(plugin.save(*scene)));
    let line = |scene: u64| {
        let log = plugin.worker_log();
        let start = format!("scene {scene}: Plex has no file /media/scenes/");
        log.lines()
            .find(|line| line.contains(&start))
            .map(str::to_owned)
    };
    plugin.until("told", || scenes.iter().all(|scene| line(*scene).is_some()));
    let words = ". It has one of this name, /elsewhere/";
    assert!(line(scenes[0]).unwrap().contains(words));
    assert!(!line(scenes[1]).unwrap().contains("of this name"));
    plugin.kill_worker();
}

/// The item is found anew by Plex after it was looked at and before it is edited.
#[test]
fn an_item_that_goes_away_before_its_edit_is_looked_up_again() {
    let plugin = Installed::new(1);
    let (world, scene) = (&plugin.world, plugin.world.scenes[0]);
    let slow = Fault::Slow(Duration::from_millis(500));
    world.plex.fail_when(Rule::new(slow).method("PUT").times(1));
    plugin.save(scene);
    let sent = || world.plex.requests().iter().any(|one| one.method == "PUT");
    plugin.until("sent", sent);
    world.plex.re_add(world.items[0]).unwrap();
    plugin.until_equal();
    plugin.until_no_worker();
    let counts = plugin.queue().counts().unwrap();
    assert_eq!((counts.live(), counts.dead), (0, 0));
}

/// A scene that is deleted while it is on its way leaves nothing behind but what Plex shows.
#[test]
fn a_scene_that_is_deleted_during_its_sync_is_forgotten() {
    let plugin = Installed::new(2);
    let (world, scene) = (&plugin.world, plugin.world.scenes[0]);
    let slow = Fault::Slow(Duration::from_millis(500));
    world.plex.fail_when(Rule::new(slow).method("PUT").times(1));
    plugin.save(scene);
    let sent = || world.plex.requests().iter().any(|one| one.method == "PUT");
    plugin.until("sent", sent);
    let gone = world.stash.destroy_scene(scene).unwrap();
    plugin.hook(&Trigger::SceneDestroy(&gone));
    plugin.until_no_worker();
    let queue = plugin.queue();
    let counts = queue.counts().unwrap();
    assert_eq!((counts.live(), counts.dead), (0, 0));
    assert_eq!(ledger::synced_at(queue.sql(), scene).unwrap(), None);
}
