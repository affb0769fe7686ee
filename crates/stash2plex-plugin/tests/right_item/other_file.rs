//! A file of the same name is another file: where a library covers the path, only the path says
//! which item it is.

use serde_json::{Value, json};
use simulators::{Part, SectionKind};

use crate::{
    Installed, Way, add_scene, all_of, asked, assert_at_rest, bare, each, holding, installed,
    letters, said, shown, tried, work, worked_off, written,
};

const A: &str = "/data/series/Series A/Season 01/S01E01.mkv";
const B: &str = "/data/series/Series B/Season 01/S01E01.mkv";
const IN_PLEX_A: &str = "/media/series/Series A/Season 01/S01E01.mkv";
const IN_PLEX_B: &str = "/media/series/Series B/Season 01/S01E01.mkv";

/// Plex has the episode of series B, synced from its scene, and not yet that of series A. Returns
/// the scenes of A and B and the item of B.
fn two_series(plugin: &Installed, change: impl FnOnce(&mut Part)) -> (u64, u64, u64, u32) {
    plugin.set(json!({"path_map": "/data/series=>/media/series", "idle_timeout": 0.1, "not_found_base": 600}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let section = plex.add_section("Series", SectionKind::Show, &["/media/series"]);
    let [first, second] =
        [(A, "First"), (B, "Second")].map(|(path, name)| add_scene(plugin, path, name));
    stash.change_silently(first, |scene| {
        scene.files[0].size = 700_000_000;
        scene.files[0].duration = 1500.0;
    });
    let mut part = Part {
        file: IN_PLEX_B.to_owned(),
        size: 700_000_000,
        duration: 1_500_000,
    };
    change(&mut part);
    stash.change_silently(second, |scene| {
        scene.files[0].size = part.size;
        scene.files[0].duration = part.duration as f64 / 1000.0;
    });
    let item = plex.add_part(section, part);
    plugin.save(second);
    worked_off(plugin);
    assert_eq!(shown(plugin, item), all_of("Second"));
    plex.take_requests();
    (first, second, item, section)
}

/// Rows 1 and 2: whatever else agrees, the scene is not in Plex yet; and it is found as soon as it
/// is.
fn is_not_there_yet(settings: Value, change: impl Fn(&mut Part) + Sync) {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let (first, second, item, section) = two_series(&plugin, &change);
        let mut all = json!({"path_map": "/data/series=>/media/series", "idle_timeout": 0.1, "not_found_base": 600});
        all.as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        plugin.set(all);
        plugin.save(first);
        tried(&plugin);
        assert_eq!(written(&plugin), [""; 0]);
        let words = format!("Plex has no file {IN_PLEX_A} yet");
        let said = said(&plugin, first);
        assert!(said.iter().any(|line| line.starts_with(&words)), "{said:?}");
        assert_eq!(shown(&plugin, item), all_of("Second"));

        plugin.world.plex.add_unscanned(section, IN_PLEX_A);
        plugin.world.plex.scan(section);
        way.go(&plugin);
        let [new] = holding(&plugin, IN_PLEX_A)[..] else {
            unreachable!()
        };
        assert_eq!(shown(&plugin, new), all_of("First"), "{way:?}");
        assert_eq!(shown(&plugin, item), all_of("Second"), "{way:?}");
        if way == Way::ReconcileAll {
            assert_at_rest(&plugin);
        }
        assert_eq!(letters(&plugin), [].into());
        assert!(plugin.world.stash.scene(second).is_some());
    });
}

/// Row 1.
#[test]
fn a_file_of_the_same_name_in_another_folder_is_not_taken_for_the_one_that_is_missing() {
    is_not_there_yet(json!({"strict_matching": true}), |part| {
        part.size = 600_000_000;
        part.duration = 1_510_000;
    });
}

/// Row 2: the size is the same by chance, and the duration says that it is another film.
#[test]
fn a_file_of_the_same_name_and_size_is_not_taken_either() {
    is_not_there_yet(json!({"strict_matching": true}), |part| {
        part.duration = 3_000_000
    });
}

/// Not even the laxest settings and a file that agrees in everything beat the path.
#[test]
fn lax_matching_does_not_take_what_the_path_speaks_against() {
    is_not_there_yet(json!({"strict_matching": false}), |_| {});
}

/// The item nobody owns is no more the scene's than one that somebody does.
#[test]
fn an_item_without_an_owner_is_not_taken_by_its_name() {
    let plugin = installed(json!({"strict_matching": false}));
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Mine");
    let other = crate::add_same(
        &plugin,
        plugin.world.section,
        scene,
        "/media/scenes/b/scene.mp4",
    );
    for mode in ["all", "reconcile_all", "reconcile_missing_metadata"] {
        assert_eq!(plugin.task(mode).error(), None);
        tried(&plugin);
        assert_eq!(shown(&plugin, other), bare("scene"), "{mode}");
    }
    assert_eq!(written(&plugin), [""; 0]);
    // Somebody who looks for the cause is shown it.
    let rule = ". It has one of the same name and size elsewhere: set Path map (path_map) to /data/a=>/media/scenes/b";
    assert!(
        plugin.worker_log().contains(rule),
        "{}",
        plugin.worker_log()
    );
}

/// Neither a file that was moved and that Plex has not scanned yet, nor one whose like is another
/// scene's, speaks for another path map where the map leads others right.
#[test]
fn a_path_map_that_leads_others_right_is_not_put_in_doubt() {
    let plugin = installed(json!({}));
    let moved = add_scene(&plugin, "/data/a/moved.mp4", "Moved");
    let other = add_scene(&plugin, "/data/a/other.mp4", "Other");
    for (scene, file) in [(moved, "moved"), (other, "other")] {
        let file = format!("/media/scenes/a/{file}.mp4");
        crate::add_same(&plugin, plugin.world.section, scene, &file);
    }
    work(&plugin, "all");
    plugin.world.stash.change_silently(moved, |scene| {
        scene.files[0].path = "/data/new/moved.mp4".to_owned();
    });
    let like = add_scene(&plugin, "/data/b/other.mp4", "Like it");
    let size = plugin.world.stash.scene(other).unwrap().files[0].clone();
    plugin.world.stash.change_silently(like, |scene| {
        scene.files[0].size = size.size;
        scene.files[0].duration = size.duration;
    });
    for scene in [moved, like] {
        plugin.save(scene);
    }
    tried(&plugin);
    let status = plugin.task("queue_status").log_text();
    assert!(
        status.contains("Plex has no file /media/scenes/new/moved.mp4 yet"),
        "{status}"
    );
    assert!(
        status.contains("Plex has no file /media/scenes/b/other.mp4 yet"),
        "{status}"
    );
    assert!(!status.contains("=>"), "{status}");
}

/// A library that is not searched covers its folders all the same.
#[test]
fn a_folder_of_a_library_that_is_not_searched_covers_too() {
    let plugin = installed(json!({"plex_library": "Scenes"}));
    plugin
        .world
        .plex
        .add_section("Others", SectionKind::Movie, &["/data"]);
    plugin.set(json!({"plex_library": "Scenes", "path_map": "", "idle_timeout": 0.1, "not_found_base": 600}));
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Mine");
    let item = crate::add_same(
        &plugin,
        plugin.world.section,
        scene,
        "/media/scenes/a/scene.mp4",
    );
    plugin.save(scene);
    tried(&plugin);
    assert_eq!(written(&plugin), [""; 0]);
    assert_eq!(shown(&plugin, item), bare("scene"));
    let words = "; the library \"Others\" holds this folder, and Plex libraries (plex_library) does not name it";
    assert!(
        plugin.worker_log().contains(words),
        "{}",
        plugin.worker_log()
    );
}

/// A miss costs at most three requests, whatever there is of the name.
#[test]
fn a_miss_is_cheap() {
    let plugin = installed(json!({}));
    for n in 0..40 {
        crate::add_file(&plugin, &format!("/media/scenes/{n}/scene.mp4"));
    }
    let scene = add_scene(&plugin, "/data/x/scene.mp4", "Mine");
    plugin.save(scene);
    tried(&plugin);
    let asked = asked(&plugin);
    // The libraries, the filter, and, once for each worker, the listing behind a miss and whether
    // the token is the owner's: to others Plex does not show the files.
    assert_eq!(
        asked,
        [
            "GET /library/sections",
            "GET /library/sections/1/all",
            "GET /library/sections/1/all",
            "GET /:/prefs"
        ]
    );
    work(&plugin, "clear_queue");
}
